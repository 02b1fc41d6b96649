"""A plan for a reader: verdict, who gets what, the runs, what is not placed, what is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from planner.cli.aim_report import aim_blocks, aim_lines
from planner.cli.bind_report import binding_blocks
from planner.cli.output import Report, Section
from planner.cli.table import Column, Marked, Table
from planner.plan_path import paths

__all__ = ["plan_report"]

_ASSUMED, _WHAT_IF, _GIVEN = "*", "†", "‡"
_SIGNS = {"what-if-training": _WHAT_IF, "rate-given": _GIVEN}
_MEANINGS = {
    _ASSUMED: "rests on assumed inputs, listed below",
    _WHAT_IF: "WHAT IF: no training on this device has been shown; not a forecast",
    _GIVEN: "the rate is stated by the scenario, not predicted",
}


def plan_report(plan: Mapping[str, Any], *, verbose: bool = False) -> Report:
    """The report of a plan, from the plain types that its file holds."""
    used: set[str] = set()
    signs = _Signs(plan["assumed"], used)
    blocks: list[Table | Section] = []
    if plan["rows"]:
        blocks += [_shares(plan, signs), _runs(plan, signs), Section("on the way", _moves(plan))]
        blocks += [_details(plan), Section("placed", _placed(plan["jobs"]))] if verbose else []
    blocks += [*aim_blocks(plan), *binding_blocks(plan)] if verbose else []
    blocks += [
        Section("not placed", tuple(_refused(plan["jobs"]))),
        Section("warnings", tuple(plan["warnings"])),
        Section("", tuple(f"{sign} {_MEANINGS[sign]}" for sign in _MEANINGS if sign in used)),
        Section("assumed", tuple(plan["assumed"])),
        Section("", (*_periods(plan), *aim_lines(plan), _convention(plan), *_values(plan))),
    ]
    verdict = plan["verdict"]
    good = verdict["status"] in ("optimal", "feasible")
    return Report(verdict["sentence"], tuple(blocks), dict(plan), _sheet(plan), good)


class _Signs:
    """Which names rest on assumed inputs, and which signs have been used."""

    def __init__(self, assumed: Iterable[str], used: set[str]) -> None:
        self.entries = {sentence.partition(":")[0] for sentence in assumed}
        self.used = used

    def name(self, section: str, name: str, marks: Iterable[str] = ()) -> Any:
        """The name with its signs."""
        sign = _ASSUMED if f"{section}.{name}" in self.entries else ""
        sign += "".join(_SIGNS.get(mark, "") for mark in marks)
        self.used.update(sign)
        return Marked(name, sign) if sign else name


def _shares(plan: Mapping[str, Any], signs: _Signs) -> Table:
    """What each consortium gets, and the sums."""
    currency = plan["currency"]
    columns = (
        Column("consortium", "consortium"),
        Column("node_months", "node-months", "", "number"),
        Column("equivalent_device_months", "device-eq. months", "", "number"),
        Column("cost", "cost", currency, "big"),
        Column("budget", "budget", currency, "big"),
        Column("jobs", "jobs done"),
        Column("value", "value", "", "number"),
    )
    rows = tuple(
        (signs.name("consortiums", one["consortium"]), one["node_months"],
         one["equivalent_device_months"], one["cost"], one["budget"],
         f"{one['jobs_done']} of {one['jobs_asked']}", one["value"])
        for one in plan["consortiums"]
    )  # fmt: skip
    shares = plan["consortiums"]
    done, asked = (sum(one[key] for one in shares) for key in ("jobs_done", "jobs_asked"))
    sums = [sum(one[key] for one in shares)
            for key in ("node_months", "equivalent_device_months", "cost", "value")]  # fmt: skip
    total = ("total", *sums[:3], "", f"{done} of {asked}", sums[3])
    return Table(columns, rows, total=total)


def _runs(plan: Mapping[str, Any], signs: _Signs) -> Table:
    """Who holds what when."""
    currency = plan["currency"]
    columns = [
        Column("job", "job"),
        Column("pool", "pool"),
        Column("nodes", "nodes", kind="count"),
        Column("from", "from"),
        Column("to", "to"),
        Column("days", "days", kind="count"),
        Column("tokens", "tokens", "tok", "big"),
        Column("mfu_frac", "MFU", kind="percent"),
        Column("cost", "cost", currency, "big"),
    ]
    rows = []
    for row in plan["rows"]:
        job = signs.name("jobs", row["job"], row["marks"])
        cells = [row[column.name] for column in columns]
        cells[:2] = [job, signs.name("pools", row["pool"])]
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))


def _moves(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Where jobs of several rows move and pause."""
    found = paths(plan["rows"])
    width = max(map(len, found), default=0)
    return tuple(f"{job:<{width}}  {words}" for job, words in found.items())


def _details(plan: Mapping[str, Any]) -> Table:
    """Which nodes each run holds, and how it is divided over them."""
    names = (("job", "job"), ("node_ids", "node ids"), ("layout", "layout"))
    columns = tuple(Column(name, title) for name, title in names)
    return Table(columns, tuple(tuple(row[name] for name, _ in names) for row in plan["rows"]))


def _placed(jobs: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What is said of each job that is placed, such as its runner-up."""
    placed = [job for job in jobs if job["placed"] and job["sentence"]]
    width = max((len(job["job"]) for job in placed), default=0)
    return tuple(f"{job['job']:<{width}}  {job['sentence']}" for job in placed)


def _refused(jobs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each job that is not placed with its reason and what would help."""
    missing = [job for job in jobs if not job["placed"]]
    if len(missing) > 1 and len({job["sentence"] for job in missing}) == 1:
        return [f"all {len(missing)} jobs: {missing[0]['sentence']}"]
    width = max((len(job["job"]) for job in missing), default=0)
    lines = []
    for job in missing:
        lines.append(f"{job['job']:<{width}}  {job['sentence'] or job['reason'] or 'no reason'}")
        if job["hint"]:
            lines.append(f"{'':<{width}}  hint: {job['hint']}")
    return lines


def _periods(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """The resolution in words, where the plan says it."""
    periods = plan.get("periods")
    return () if periods is None else (periods["sentence"][:1].upper() + periods["sentence"][1:],)


def _convention(plan: Mapping[str, Any]) -> str:
    return (
        "MFU: model FLOP, recompute not counted, causal attention as half, over the dense peak of "
        f"the compute type. Cost: nodes x days held x the pool's price, in {plan['currency']}."
    )


def _values(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """What a value is, where the scenario leaves it to the program."""
    if not plan.get("value_unit"):
        return ()
    return (
        f"Value: model FLOP of the finished work, in {plan['value_unit']}, since no job of the "
        "scenario states a value.",
    )


def _sheet(plan: Mapping[str, Any]) -> Table:
    """The rows with every field, for CSV."""
    names = ("job", "consortium", "pool", "device", "nodes", "node_ids", "from", "to", "days",
             "layout", "tokens", "tokens_per_s", "mfu_frac", "cost", "energy_j", "value",
             "marks")  # fmt: skip
    rows = tuple(
        tuple("; ".join(row[name]) if name == "marks" else row[name] for name in names)
        for row in plan["rows"]
    )
    titled = {"cost": f"cost_{plan['currency'].lower()}"}
    return Table(tuple(Column(titled.get(name, name), name) for name in names), rows)
