"""Checks of what a plan claims of itself: jobs, consortiums, totals, objective, bound, inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from math import isclose
from pathlib import Path

from hardware.errors import Diagnostic, Where, near_match
from planner.audit.facts import in_currency
from planner.audit.ledger import Entry, Ledger, unknown_name
from planner.audit.plan_record import PlanRecord
from planner.audit.report import Checked, checked, violation
from planner.audit.work import TOLERANCE, done_frac
from planner.version import model_version

__all__ = [
    "consortiums_as_stated",
    "has_no_plan",
    "inputs_unchanged",
    "job_value",
    "jobs_as_stated",
    "nothing_to_verify",
    "totals_as_stated",
    "verdict_supported",
]

OPTIMAL_GAP_FRAC = 1e-4
"""Gap up to which a plan may call itself optimal: what solvers of such programs prove."""
_MONTH_DAYS = 365.25 / 12
_WITH_PLAN = ("optimal", "feasible")
_WITHOUT_PLAN = ("infeasible", "unsolved", "failed")


def _near(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-9)


def _same(stated: float | None, actual: float | None) -> bool:
    if stated is None or actual is None:
        return stated is actual
    return _near(stated, actual)


def _or_none(amount: float | None) -> float | str:
    return "none" if amount is None else amount


def job_value(ledger: Ledger, name: str, entries: list[Entry]) -> float:
    """Worth of what is done of a job: all or nothing unless partial, less after a soft deadline."""
    if not entries:
        return 0.0
    job, done = entries[0].job, done_frac(entries)
    if done < 1 and not job.partial:
        return 0.0
    worth = ledger.facts.job_value[name] * done
    if job.deadline is not None and job.deadline.kind == "soft":
        late_days = max(entry.end_day for entry in entries) - ledger.facts.day(job.deadline.day) - 1
        worth *= max(0.0, 1 - job.deadline.loss_per_week.value * max(late_days, 0) / 7)
    return worth


def _compare(
    path: str, field: str, code: str, what: str, pairs: Iterable[tuple[str, float, float]]
) -> Iterator[Diagnostic]:
    """A violation for each (name, stated, recomputed) that differ."""
    for name, stated, actual in pairs:
        if not _near(stated, actual):
            yield violation(code, f"{what} does not add up", Where(path, field=f"{field}.{name}"),
                            found=stated, expected=actual)  # fmt: skip


_MISSING_CODES = {"job": "job-missing", "consortium": "consortium-missing"}
_TWICE_CODES = {"job": "job-stated-twice", "consortium": "consortium-stated-twice"}


def _once(
    path: str, field: str, kind: str, stated: list[str], known: Iterable[str]
) -> Iterator[Diagnostic]:
    """Each known name stands once in a list of the plan, and nothing else does."""
    names, told, seen = dict.fromkeys(known), set(stated), set[str]()
    for name in names:
        if name not in told:
            yield violation(_MISSING_CODES[kind], f"the plan says nothing of the {kind} `{name}`",
                            Where(path, field=field),
                            expected="every one of the scenario")  # fmt: skip
    for at, name in enumerate(stated):
        place = f"{field}[{at}].{kind}"
        if name not in names:
            yield unknown_name(path, place, kind, name, list(names))
        elif name in seen:
            yield violation(_TWICE_CODES[kind], f"the {kind} `{name}` stands twice",
                            Where(path, field=place), found=name, expected="once")  # fmt: skip
        seen.add(name)


def jobs_as_stated(ledger: Ledger) -> Checked:
    """The plan tells of every job what its rows say: placed or not, how much, worth what."""
    plan, jobs = ledger.plan, ledger.facts.scenario.jobs
    runs = ledger.by_job()
    names = [record.job for record in plan.jobs]
    found = list(_once(plan.path, "jobs", "job", names, jobs))
    for at, record in enumerate(plan.jobs):
        if record.job not in jobs:
            continue
        entries, field = runs.get(record.job, []), f"jobs[{at}]"
        if record.consortium != jobs[record.job].consortium:
            found.append(violation(
                "consortium-mismatch", f"the job `{record.job}` is another consortium's",
                Where(plan.path, field=f"{field}.consortium"), found=record.consortium,
                expected=jobs[record.job].consortium,
            ))  # fmt: skip
        if record.placed != bool(entries):
            found.append(violation(
                "placed-misstated", f"`{record.job}` has {len(entries)} rows",
                Where(plan.path, field=f"{field}.placed"), found=record.placed,
                expected=bool(entries),
            ))  # fmt: skip
        done = done_frac(entries) if entries else 0.0
        worth = job_value(ledger, record.job, entries)
        what = f"the work of `{record.job}`"
        found += _compare(plan.path, field, "done-misstated", what,
                          [("done_frac", record.done_frac, done)])  # fmt: skip
        found += _compare(plan.path, field, "value-misstated", what,
                          [("value", record.value, worth)])  # fmt: skip
    for name, entries in runs.items():
        if all(entry.row.value is not None for entry in entries):
            found += _compare(
                plan.path, f"rows[{entries[0].at}]", "value-misstated", f"the value of `{name}`",
                [("value", sum(entry.row.value or 0.0 for entry in entries),
                  job_value(ledger, name, entries))],
            )  # fmt: skip
    return checked("jobs", len(plan.jobs), found)


def consortiums_as_stated(ledger: Ledger) -> Checked:
    """The plan's sums a consortium are those of its rows."""
    plan, scenario = ledger.plan, ledger.facts.scenario
    runs, by_job = ledger.by_consortium(), ledger.by_job()
    names = [share.consortium for share in plan.consortiums]
    found = list(_once(plan.path, "consortiums", "consortium", names, scenario.consortiums))
    for at, share in enumerate(plan.consortiums):
        if share.consortium not in scenario.consortiums:
            continue
        entries = runs.get(share.consortium, [])
        asked = [name for name, job in scenario.jobs.items() if job.consortium == share.consortium]
        done = [name for name in asked if name in by_job and done_frac(by_job[name]) >= 1]
        sums = {
            "node_months": sum(e.row.nodes * e.days for e in entries) / _MONTH_DAYS,
            "equivalent_device_months": sum(e.equivalent_days for e in entries) / _MONTH_DAYS,
            "cost": sum(e.cost or 0.0 for e in entries),
            "jobs_done": len(done),
            "jobs_asked": len(asked),
            "value": sum(job_value(ledger, name, by_job.get(name, [])) for name in asked),
        }
        found += _compare(
            plan.path, f"consortiums[{at}]", "totals-misstated", f"the sum of `{share.consortium}`",
            [(name, getattr(share, name), actual) for name, actual in sums.items()],
        )  # fmt: skip
        written = scenario.consortiums[share.consortium].budget
        budget = None if written is None else in_currency(scenario, written, written.currency)
        if not _same(share.budget, budget):
            found.append(violation(
                "totals-misstated", f"the budget of `{share.consortium}` is another",
                Where(plan.path, field=f"consortiums[{at}].budget"),
                found=_or_none(share.budget), expected=_or_none(budget),
            ))  # fmt: skip
    return checked("consortiums", len(plan.consortiums), found)


def objective_of(ledger: Ledger) -> float:
    """Weight of the consortium times worth of what is done, over all jobs; no unit. [1]"""
    consortiums = ledger.facts.scenario.consortiums
    return sum(
        consortiums[entries[0].consortium].weight.value * job_value(ledger, name, entries)
        for name, entries in ledger.by_job().items()
    )


def totals_as_stated(ledger: Ledger) -> Checked:
    """Objective and cost of the verdict are those of the rows."""
    plan, verdict = ledger.plan, ledger.plan.verdict
    cost = sum(entry.cost or 0.0 for entry in ledger.entries)
    found = [
        *_total(
            plan.path, "objective", "objective-misstated", verdict.objective, objective_of(ledger)
        ),
        *_total(plan.path, "cost", "totals-misstated", verdict.cost, cost),
    ]
    return checked("totals", 2, found)


def _total(
    path: str, field: str, code: str, stated: float | None, actual: float
) -> Iterator[Diagnostic]:
    """A violation where the verdict states another sum of its rows, or none."""
    if stated is None:
        yield violation(code, f"a plan states its {field}", Where(path, field=f"verdict.{field}"),
                        found="null", expected=actual)  # fmt: skip
    else:
        yield from _compare(path, "verdict", code, f"the {field}", [(field, stated, actual)])


def has_no_plan(plan: PlanRecord) -> bool:
    """Whether the file answers that there is no plan."""
    return plan.verdict.status in _WITHOUT_PLAN and not plan.rows


def nothing_to_verify(ledger: Ledger) -> Checked:
    """A warning: that there is no plan cannot be checked from the file."""
    where = Where(ledger.plan.path, field="verdict.status")
    status = ledger.plan.verdict.status
    return checked("plan", 0, [
        violation("nothing-to-verify", f"the answer is `{status}`: there is no plan to check",
                  where, found=status, warning=True)
    ])  # fmt: skip


def verdict_supported(ledger: Ledger) -> Checked:
    """The status says no more than rows, bound and gap support; no plan is above its bound."""
    achieved = objective_of(ledger)
    status = ledger.plan.verdict.status
    found = list(_status_faults(ledger))
    if status in _WITH_PLAN:
        found += _bound_faults(ledger, achieved)
    if status == "optimal":
        found += _optimum_faults(ledger, achieved)
    return checked("verdict", 1, found)


def _spot(ledger: Ledger, field: str) -> Where:
    return Where(ledger.plan.path, field=f"verdict.{field}")


def _gap_frac(bound: float, achieved: float) -> float:
    """What the bound is above the plan, as a part of the plan. [1]"""
    return (bound - achieved) / max(abs(achieved), 1e-12)


def _status_faults(ledger: Ledger) -> Iterator[Diagnostic]:
    """The status is a known one, and goes with rows or with none."""
    status, rows = ledger.plan.verdict.status, len(ledger.plan.rows)
    known = (*_WITH_PLAN, *_WITHOUT_PLAN)
    if status not in known:
        yield violation("unknown-status", "not a status of a plan", _spot(ledger, "status"),
                        found=status, expected=", ".join(known),
                        hint=near_match(status, known))  # fmt: skip
    if status in _WITHOUT_PLAN and rows:
        yield violation("status-unsupported", f"`{status}` goes with no rows",
                        _spot(ledger, "status"), found=f"{rows} rows", expected="none")  # fmt: skip


def _bound_faults(ledger: Ledger, achieved: float) -> Iterator[Diagnostic]:
    """The bound is not below the plan, and the gap is that between both."""
    bound, gap = ledger.plan.verdict.bound, ledger.plan.verdict.gap_frac
    if bound is None:
        return
    if bound < achieved - TOLERANCE * abs(achieved) - 1e-9:
        yield violation(
            "bound-contradicted", "the plan is better than what it calls the best possible",
            _spot(ledger, "bound"), found=bound, expected=f"at least {achieved:.9g}",
        )  # fmt: skip
    elif gap is not None:
        over_bound = (bound - achieved) / max(abs(bound), 1e-12)
        meant = (max(_gap_frac(bound, achieved), 0.0), max(over_bound, 0.0))
        if not any(isclose(gap, one, rel_tol=1e-3, abs_tol=TOLERANCE) for one in meant):
            yield violation("gap-misstated", "the gap is not that of bound and objective",
                            _spot(ledger, "gap_frac"), found=gap, expected=meant[0])  # fmt: skip


def _optimum_faults(ledger: Ledger, achieved: float) -> Iterator[Diagnostic]:
    """Only a bound within the gap of a proof makes a plan optimal."""
    bound = ledger.plan.verdict.bound
    gap = None if bound is None else _gap_frac(bound, achieved)
    if gap is None or gap > OPTIMAL_GAP_FRAC + TOLERANCE:
        yield violation(
            "status-unsupported", "the bound does not show that the plan is optimal",
            _spot(ledger, "status"), found="no bound" if gap is None else f"gap {gap:.3g}",
            expected=f"a bound within {OPTIMAL_GAP_FRAC:g}",
        )  # fmt: skip


def inputs_unchanged(ledger: Ledger, base_path: Path, scenario_sha256: str = "") -> Checked:
    """Files and program that the plan was made with are those of now; a warning each if not."""
    plan = ledger.plan
    found: list[Diagnostic] = []
    for at, item in enumerate(plan.inputs):
        where = Where(plan.path, field=f"inputs[{at}]")
        stated = item.sha256.lower()
        present = {
            digest for digest in map(_sha256, (base_path / item.path, Path(item.path))) if digest
        }
        if not present and stated != scenario_sha256:
            found.append(violation("input-missing", "a file of the plan is not there",
                                   where, found=item.path, warning=True))  # fmt: skip
        elif present and stated not in present:
            found.append(violation(
                "input-changed", f"`{item.path}` has changed since the plan was made", where,
                found=" or ".join(sorted(present)), expected=stated, warning=True,
            ))  # fmt: skip
    digests = [item.sha256.lower() for item in plan.inputs]
    if scenario_sha256 and digests and not found and scenario_sha256 not in digests:
        found.append(violation(
            "input-changed", "the plan was made from another scenario than this one",
            Where(plan.path, field="inputs"), found=scenario_sha256, warning=True,
        ))  # fmt: skip
    if plan.tool_version not in ("", "unknown", model_version()):
        found.append(violation(
            "tool-changed", "the plan was made by another version or with other constants, "
            "whose predictions may differ", Where(plan.path, field="tool.version"),
            found=plan.tool_version, expected=model_version(), warning=True,
        ))  # fmt: skip
    return checked("inputs", len(plan.inputs), found)


def _sha256(path: Path) -> str:
    """Hash of a file; empty when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return ""
