"""Constraint families of preemptible jobs: pieces in one mode that add up to the work."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardware.column import Ints
from planner.allocation.program.register import Register
from planner.allocation.program.row import AT_LEAST, EQUAL, Row, row_of

__all__ = ["FAMILIES"]


def pieces_in_mode(register: Register) -> Iterator[Row]:
    """
    Nodes are held only in the chosen mode.

    h_p <= z_m    for every mode m and piece p of m
    """
    at, modes, pieces = register.offsets, register.options.modes, register.options.pieces
    for row, mode in enumerate(pieces.mode.tolist()):
        yield row_of(
            f"mode_{row}",
            np.array([at["piece"] + row, at["mode"] + mode]),
            np.array([1.0, -1.0]),
            family="pieces_in_mode",
            group=_work(register, int(modes.job[mode])),
            sentence=f"`{_name(register, int(modes.job[mode]))}` keeps its pool and node count",
            bound=0.0,
        )


def work_covered(register: Register) -> Iterator[Row]:
    """
    The days held are enough for the work, or for the part of it that counts.

    sum_{p in m} days_p h_p >= need_m z_m        for every mode m of a job that must finish
    u_m <= sum_{p in m} days_p h_p,  u_m <= need_m z_m    where the job counts in proportion
    sum_{m, p in m} days_p h_p - sum_m need_m z_m (or u_m) >= sum_q (days of q not held) f_q
    where the end matters; q is a last piece that ends early. Of the days in pieces more
    than needed, the last are not held: cost counts need_m or u_m.
    """
    at, modes, pieces = register.offsets, register.options.modes, register.options.pieces
    case = register.case
    part = {int(mode): row for row, mode in enumerate(register.part_modes.tolist())}
    for mode in range(len(modes)):
        job = int(modes.job[mode])
        mine = np.flatnonzero(pieces.mode == mode)
        days = (pieces.end_day[mine] - pieces.start_day[mine]).astype(np.float64)
        sentence = f"`{case.job_names[job]}` holds its nodes for the days that its work takes"
        held = part.get(mode)
        target = at["mode"] + mode if held is None else at["days"] + held
        amount = float(modes.need_days[mode]) if held is None else 1.0
        yield row_of(
            f"work_{mode}",
            np.concatenate([mine + at["piece"], [target]]),
            np.concatenate([days, [-amount]]),
            sentence=sentence,
            family="work_covered",
            group=_work(register, job),
            sense=AT_LEAST,
            bound=0.0,
        )
        if held is not None:
            yield row_of(
                f"work_mode_{mode}",
                np.array([target, at["mode"] + mode]),
                np.array([1.0, -float(modes.need_days[mode])]),
                sentence=sentence,
                family="work_covered",
                group=_work(register, job),
                bound=0.0,
            )
    yield from _work_before_the_end(register)


def _work_before_the_end(register: Register) -> Iterator[Row]:
    """The rows of `work_covered` for jobs whose end matters."""
    at, modes, pieces, lasts = (
        register.offsets,
        register.options.modes,
        register.options.pieces,
        register.lasts,
    )
    part = register.part_modes
    for job in dict.fromkeys(lasts.job.tolist()):
        mine = np.flatnonzero(modes.job[pieces.mode] == job)
        last = np.flatnonzero(lasts.job == job)
        if register.case.job_partial[job]:
            held = np.flatnonzero(modes.job[part] == job)
            done, needs = held + at["days"], np.ones(len(held))
        else:
            mode = np.flatnonzero(modes.job == job)
            done, needs = mode + at["mode"], modes.need_days[mode].astype(np.float64)
        days = (pieces.end_day[mine] - pieces.start_day[mine]).astype(np.float64)
        free = (lasts.piece_end_day[last] - lasts.end_day[last]).astype(np.float64)
        yield row_of(
            f"work_end_{job}",
            np.concatenate([mine + at["piece"], done, last + at["last"]]),
            np.concatenate([days, -needs, -free]),
            family="work_covered",
            group=_work(register, job),
            sentence=f"`{_name(register, job)}` has its work done by the day on which it ends",
            sense=AT_LEAST,
            bound=0.0,
        )


def last_piece(register: Register) -> Iterator[Row]:
    """
    A job whose end matters has one last piece, and holds nothing after it.

    sum_q f_{j,q} = sum_{m in modes(j)} z_m                         for every such job j
    sum_{q in p} f_{j,q} <= sum_{p' with the days of p} h_{p'}      for every piece p of j
    sum_{p in j: start_p = s} h_p <= sum_{q: start_q >= s} f_{j,q}    for every start day s
    """
    at, modes, pieces, lasts = (
        register.offsets,
        register.options.modes,
        register.options.pieces,
        register.lasts,
    )
    piece_job = modes.job[pieces.mode]
    for job in dict.fromkeys(lasts.job.tolist()):
        last = np.flatnonzero(lasts.job == job)
        mode = np.flatnonzero(modes.job == job)
        sentence = f"`{_name(register, job)}` ends with its last piece"
        yield row_of(
            f"last_{job}",
            np.concatenate([last + at["last"], mode + at["mode"]]),
            np.concatenate([np.ones(len(last)), -np.ones(len(mode))]),
            family="last_piece",
            group=_work(register, job),
            sentence=sentence,
            sense=EQUAL,
            bound=0.0,
        )
        words = {"family": "last_piece", "group": _work(register, job), "sentence": sentence}
        mine = np.flatnonzero(piece_job == job)
        spans = np.stack([pieces.start_day[mine], pieces.end_day[mine]], axis=1)
        for start, end in np.unique(spans, axis=0).tolist():
            same = mine[(spans == (start, end)).all(axis=1)]
            ends = last[(lasts.start_day[last] == start) & (lasts.piece_end_day[last] == end)]
            yield _difference(
                f"ends_in_{job}_{start}_{end}", ends + at["last"], same + at["piece"], 1.0,
                {**words, "bound": 0.0},
            )  # fmt: skip
        for start in np.unique(spans[:, 0]).tolist():
            later = last[lasts.start_day[last] >= start]
            yield _difference(
                f"last_{job}_{start}", mine[spans[:, 0] == start] + at["piece"],
                later + at["last"], 1.0, {**words, "bound": 0.0},
            )  # fmt: skip


def work_in_proportion(register: Register) -> Iterator[Row]:
    """
    What counts is what was done.

    sum_q v_{j,q} <= sum_{m in modes(j)} frac_m u_m           for every job j in proportion
    v_{j,q} <= f_{j,q}                                        where the end matters
    c_{j,q} <= f_{j,q},  sum_q c_{j,q} <= sum_m u_m / need_m  where another job waits for j
    """
    at, modes, lasts = register.offsets, register.options.modes, register.lasts
    part = register.part_modes
    for job in dict.fromkeys(register.done[:, 0].tolist()):
        done = np.flatnonzero(register.done[:, 0] == job)
        mine = np.flatnonzero(modes.job[part] == job)
        words = {
            "family": "work_in_proportion",
            "group": _work(register, job),
            "sentence": f"`{_name(register, job)}` counts by the part that is done",
            "bound": 0.0,
        }
        yield _difference(
            f"done_{job}", done + at["done"], mine + at["days"], modes.day_frac[part[mine]], words
        )
        for row in done.tolist():
            last = int(register.done[row, 1])
            if last >= 0:
                yield _difference(
                    f"done_last_{row}",
                    np.array([at["done"] + row]),
                    np.array([at["last"] + last]),
                    1.0,
                    words,
                )
        whole = np.flatnonzero(lasts.job[register.whole] == job)
        if len(whole):
            share = 1.0 / modes.need_days[part[mine]]
            yield _difference(f"whole_{job}", whole + at["whole"], mine + at["days"], share, words)
        for row in whole.tolist():
            yield _difference(
                f"whole_last_{row}",
                np.array([at["whole"] + row]),
                np.array([at["last"] + register.whole[row]]),
                1.0,
                words,
            )


def _difference(name: str, low: Ints, high: Ints, amount: object, words: dict[str, object]) -> Row:
    """sum of the low columns <= sum of amount times the high columns."""
    share = np.broadcast_to(np.asarray(amount, dtype=np.float64), high.shape)
    return row_of(
        name,
        np.concatenate([low, high]),
        np.concatenate([np.ones(len(low)), -share]),
        **words,  # type: ignore[arg-type]
    )


def _name(register: Register, job: int) -> str:
    return register.case.job_names[job]


def _work(register: Register, job: int) -> str:
    """Name of the group of a job's own rows."""
    team = register.case.consortium_names[register.case.job_consortium[job]]
    return f"the work that `{team}` asks for"


FAMILIES = (pieces_in_mode, work_covered, last_piece, work_in_proportion)
