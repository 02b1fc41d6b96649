"""What a plan says in words, compared with its scenario as far as that alone can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from hardware.errors import Diagnostic, Where, near_match
from planner.allocation.answer.refusal import CODES
from planner.case import Case
from planner.case_job import value_unit

__all__ = ["word_faults"]

TOOL = "planner"

Found = Iterator[Diagnostic]


def word_faults(
    case: Case, data: Mapping[str, Any], path: str, in_hand: Callable[[], Case] | None
) -> tuple[int, tuple[Diagnostic, ...]]:
    """
    Whether names, layouts, assumptions and reasons of a plan are those of its scenario.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    data : mapping
        The plan as plain types; what it leaves out is not looked at.
    path : str
        Of the plan file.
    in_hand : callable, optional
        The case as it is made without the scenario's file: figures that are assumed are then
        told in SI units, in a plan as honest. None where there is no file, and then what is
        assumed is compared, and the figures of it are not.

    Returns
    -------
    (int, tuple of Diagnostic)
        How many statements were looked at, and what is wrong with them.
    """
    parts = (
        _tool(data, path),
        _value_unit(case, data, path),
        _names(case, data, path),
        _layouts(case, data, path),
        _reasons(case, data, path),
    )
    found = [fault for part in parts for fault in part]
    if "assumed" in data:
        found += _assumed(case, data["assumed"], path, in_hand)
    keys = ("rows", "jobs", "consortiums", "assumed")
    looked = sum(len(data[key]) for key in keys if isinstance(data.get(key), list))
    return looked + bool(data.get("tool")), tuple(found)


def _tool(data: Mapping[str, Any], path: str) -> Found:
    """The program that made the plan calls itself by its name."""
    tool = data.get("tool")
    if isinstance(tool, dict) and tool.get("name", TOOL) != TOOL:
        where = Where(path, field="tool.name")
        yield Diagnostic("tool-misstated", "a plan of another program", where,
                         str(tool["name"]), TOOL)  # fmt: skip


def _value_unit(case: Case, data: Mapping[str, Any], path: str) -> Found:
    """Values have the unit that the scenario gives them."""
    wanted = value_unit(case.scenario) or None
    if data.get("value_unit", wanted) != wanted:
        yield Diagnostic("value-misstated", "the unit of values is another",
                         Where(path, field="value_unit"), str(data["value_unit"] or "null"),
                         wanted or "null: jobs state their values")  # fmt: skip


def _names(case: Case, data: Mapping[str, Any], path: str) -> Found:
    """Each consortium is called as the scenario calls it."""
    written = case.scenario.consortiums
    for at, share in enumerate(data.get("consortiums") or ()):
        record = written.get(share["consortium"])
        if record is not None and "name" in share and share["name"] != record.name:
            where = Where(path, field=f"consortiums[{at}].name")
            yield Diagnostic("name-misstated", "the scenario calls the consortium otherwise", where,
                             str(share["name"]), record.name)  # fmt: skip


def _layouts(case: Case, data: Mapping[str, Any], path: str) -> Found:
    """Each row has the whole text of its layout, where the case has the same number of nodes."""
    jobs = [case.job_names[at] for at in case.point_job.tolist()]
    pools = [case.pool_names[at] for at in case.point_pool.tolist()]
    keys = zip(jobs, pools, case.point_nodes.tolist(), strict=True)
    known = dict(zip(keys, case.point_layout, strict=True))
    for at, row in enumerate(data.get("rows") or ()):
        text = known.get((row["job"], row["pool"], row["nodes"]))
        if text is not None and row.get("layout") not in (None, text):
            yield Diagnostic(
                "layout-misstated", f"the layout of `{row['job']}` is written otherwise",
                Where(path, field=f"rows[{at}].layout"), str(row["layout"]), text,
            )  # fmt: skip


def _reasons(case: Case, data: Mapping[str, Any], path: str) -> Found:
    """A job that is placed has no reason, and any other one that is known and can be."""
    usable = np.unique(case.pair_job[case.pair_reason == 0]).tolist()
    served = {case.job_names[job] for job in usable}
    for at, job in enumerate(data.get("jobs") or ()):
        if "reason" not in job:
            continue
        code, where = job["reason"] or "", Where(path, field=f"jobs[{at}].reason")
        hint, wanted = "", ""
        if job["placed"]:
            wanted = "null: the job is placed" if code else ""
        elif code not in CODES:
            wanted, hint = "the code of a reason", near_match(str(code), CODES)
        elif (code == "no-usable-pool") != (job["job"] not in served):
            wanted = "another: a pool can serve it" if job["job"] in served else "no-usable-pool"
        if wanted:
            yield Diagnostic("reason-misstated", f"`{job['job']}` cannot have this reason", where,
                             str(code or "null"), wanted, hint)  # fmt: skip


def _assumed(
    case: Case, stated: Any, path: str, in_hand: Callable[[], Case] | None
) -> list[Diagnostic]:
    """All that is assumed is told, and nothing else."""
    said = [str(text) for text in stated] if isinstance(stated, list) else [str(stated)]
    wanted = list(case.assumed)
    if in_hand is None:
        said, wanted = ([text.partition(": ")[0] for text in texts] for texts in (said, wanted))
    if said == wanted or (in_hand is not None and said == list(in_hand().assumed)):
        return []
    where = Where(path, field="assumed")
    return [
        Diagnostic("assumed-misstated", what, where, found, expected)
        for what, found, expected in (
            *(("the plan does not tell what is assumed", "nothing of it", text)
              for text in wanted if text not in said),
            *(("the plan tells what is not assumed", text, "")
              for text in said if text not in wanted),
        )
    ] or [
        Diagnostic("assumed-misstated", "what is assumed stands in another order or twice", where)
    ]  # fmt: skip
