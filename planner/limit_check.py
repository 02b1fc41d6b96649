"""Limits of a solve, checked before anything is begun."""

from __future__ import annotations

from hardware.errors import Diagnostic, InputError, wrong_type

__all__ = ["check_limits"]


def check_limits(
    time_limit_s: float,
    gap_frac: float,
    threads: int,
    seed: int,
    work_frac: float,
    *,
    memory_limit_bytes: float,
) -> None:
    """
    Refuse limits that mean nothing, all at once.

    Parameters
    ----------
    time_limit_s : float
        For the solver. [s]
    gap_frac, work_frac : float
        Distance of bound and objective; part of the most weighted work to be done. [1]
    threads, seed : int
        Of the solver.
    memory_limit_bytes : float
        For the solver's process. [byte]

    Raises
    ------
    InputError
        A limit is no number, or one that limits nothing.
    """
    numbers = {"time_limit_s": time_limit_s, "gap_frac": gap_frac, "threads": threads,
               "work_frac": work_frac, "seed": seed,
               "memory_limit_bytes": memory_limit_bytes}  # fmt: skip
    wrong = [
        wrong_type(name, value, "a number")
        for name, value in numbers.items()
        if isinstance(value, bool) or not isinstance(value, (int, float))
    ]
    if wrong:
        raise InputError(wrong)
    rules = (
        ("time_limit_s", time_limit_s, 0 < time_limit_s <= 1e7, "more than 0 s"),
        ("gap_frac", gap_frac, 0 <= gap_frac < 1, "0 or more, below 1"),
        ("threads", threads, 0 <= threads <= 4096, "0 or more"),
        ("work_frac", work_frac, 0 < work_frac <= 1, "above 0, at most 1"),
        ("seed", seed, 0 <= seed < 2**31, "0 or more, below 2**31"),
        ("memory_limit_bytes", memory_limit_bytes, 0 <= memory_limit_bytes < 2**60, "0 or more"),
    )
    faults = [
        Diagnostic("bad-limit", f"`{name}` is no limit", found=str(value), expected=expected)
        for name, value, is_right, expected in rules
        if not is_right
    ]
    if faults:
        raise InputError(faults)
