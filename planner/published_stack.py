"""Which software a published row that names none is taken to come from, by what the row uses."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["likely_stack"]


def likely_stack(row: Mapping[str, str]) -> str:
    """
    Profile of a row without a `stack`.

    Parameters
    ----------
    row : mapping
        Cells by column name.

    Returns
    -------
    str
        A name of `StackTable`.

    Notes
    -----
    One rule for every row, by features that only some programs have. ZeRO
    stage 3 without a pipeline: ``fsdp``. fp8 or fp4, expert or context
    parallelism, or interleaving: ``megatron-core``. Full recomputation in a
    pipeline of 16-bit stages: ``megatron-deepspeed``. Otherwise ``default``.

    Examples
    --------
    >>> likely_stack({"zero_stage": "3", "pp": "1"}), likely_stack({"precision": "fp8"})
    ('fsdp', 'megatron-core')
    """
    sharded = row.get("zero_stage", "").split(".")[0] == "3"
    if sharded and not _above_one(row, "pp"):
        return "fsdp"
    narrow = row.get("precision", "").lower().startswith(("fp8", "fp4", "mxfp", "nvfp"))
    if narrow or row.get("experts") or any(_above_one(row, key) for key in ("ep", "cp", "vpp")):
        return "megatron-core"
    if row.get("recompute") == "full" and row.get("pp"):
        return "megatron-deepspeed"
    return "default"


def _above_one(row: Mapping[str, str], key: str) -> bool:
    try:
        return float(row.get(key) or 1) > 1
    except ValueError:
        return False
