"""What a consortium would gain by a false report, policy by policy: the verb `false_reports`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import Floats
from hardware.errors import PlanningError
from planner.allocation.policy.goal import POLICIES
from planner.allocation.policy.otherwise import askers
from planner.allocation.program.register import kept_frac
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits
from planner.case import Case, build_case
from planner.division import plan_case
from planner.plan import Plan
from planner.policy_table import Policies
from planner.scenario import Scenario
from planner.scenario_check import open_scenario

__all__ = ["REPORTS", "FalseReports", "ReportRow", "false_reports", "reports_of_case"]

REPORTS = (("value", 2.0), ("value", 0.5), ("tokens", 1.25), ("tokens", 0.8))
"""What is reported of all jobs of a consortium, and the factor on the truth."""
LEAST_S = 0.2  # for one plan
NEAR = 1e-6
PROVED = 1e-4  # part between what is reached and the bound


@dataclass(frozen=True)
class ReportRow:
    """
    One consortium under one policy with one false report, the others honest.

    Values are those of its jobs as they truly are, without the weight; None where no plan was
    found. `is_proved` tells whether both plans are proved to be the best of their policy; with
    others a gain may be the search's and not the report's.
    """

    policy: str
    consortium: str
    field: str  # value or tokens
    factor: float
    honest_value: float | None
    value: float | None
    is_proved: bool

    @property
    def gain_frac(self) -> float | None:
        """Gain as a part of what the honest report gives; 1 where that is nothing and this not."""
        if self.value is None or self.honest_value is None:
            return None
        gain = self.value - self.honest_value
        if abs(gain) <= NEAR * max(abs(self.value), abs(self.honest_value)):
            return 0.0
        return gain / self.honest_value if self.honest_value > 0 else 1.0


@dataclass(frozen=True)
class FalseReports:
    """All rows, by policy, consortium and report."""

    rows: tuple[ReportRow, ...]
    seconds: float

    def worst(self, policy: str) -> ReportRow | None:
        """The report that gains most under a policy, the first of equals."""
        known = [row for row in self.rows if row.policy == policy and row.gain_frac is not None]
        return max(known, key=lambda row: row.gain_frac or 0.0, default=None)

    def to_dict(self) -> list[dict[str, Any]]:
        """Plain types, null where unknown."""
        return [
            {
                "policy": row.policy,
                "consortium": row.consortium,
                "field": row.field,
                "factor": row.factor,
                "honest_value": row.honest_value,
                "value": row.value,
                "gain_frac": row.gain_frac,
                "is_proved": row.is_proved,
            }
            for row in self.rows
        ]


def false_reports(
    scenario: str | Path | Scenario,
    *,
    base_path: str | Path | None = None,
    solver: str | Engine | None = None,
    time_limit_s: float = 120.0,
    gap_frac: float = 1e-4,
    seed: int = 0,
    names: Sequence[str] = POLICIES,
    work_frac: float = 1.0,
    allocation: str | None = None,
    honest: Policies | None = None,
    on_policy: Callable[[str], None] | None = None,
) -> FalseReports:
    """
    Solve again with each consortium's report made false, and tell what it gains.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A scenario file, or a scenario in hand.
    base_path : str or Path, optional
        Folder that the scenario's own paths are relative to; the file's when left out.
    solver : str or Engine, optional
        ``highs`` or ``cbc``; HiGHS when left out.
    time_limit_s : float
        For the solver, shared among all plans. [s]
    gap_frac : float
        Stop each when bound and objective are this near. [1]
    seed : int
        Of the solver.
    names : sequence of str
        Policies.
    work_frac : float
        For the policies of the least. [1]
    allocation : str, optional
        ``fixed`` or ``flexible`` in place of the word of the scenario's policy.
    honest : Policies, optional
        What `planner.policies` gave for the same scenario: gains are over these plans, and the
        policies that it has a plan of are not solved again with honest reports.
    on_policy : callable, optional
        Told the name of each policy when its turn comes.

    Returns
    -------
    FalseReports
        One row a policy, consortium and one of `REPORTS`.

    Raises
    ------
    InputError
        The scenario cannot be read or is wrong.

    Notes
    -----
    Being proof against false reports is a property of a rule and not of one plan; this looks at
    a few reports of one scenario, and what it does not find is not excluded. A job whose tokens
    are understated gets days for what it stated: it is then unfinished, and worth nothing where
    it counts only when finished. One whose tokens are overstated is done by the end of its days.
    """
    opened = open_scenario(scenario, base_path, allocation)
    case = build_case(opened.scenario, opened.base_path, document=opened.document)
    limits = Limits(time_limit_s, gap_frac, 0, seed)
    return reports_of_case(
        case, solver=solver, limits=limits, names=names, work_frac=work_frac, honest=honest,
        on_policy=on_policy,
    )  # fmt: skip


def reports_of_case(
    case: Case,
    *,
    solver: str | Engine | None = None,
    limits: Limits | None = None,
    names: Sequence[str] = POLICIES,
    work_frac: float = 1.0,
    honest: Policies | None = None,
    on_policy: Callable[[str], None] | None = None,
) -> FalseReports:
    """What false reports gain in a case; see `false_reports`."""
    limits = limits or Limits()
    began = time.monotonic()
    teams = askers(case).tolist()
    known = _known(honest)
    left = max(len(names) * (1 + len(teams) * len(REPORTS)) - len(known.keys() & set(names)), 1)
    rows: list[ReportRow] = []

    def planned(policy: str, asked: Case) -> Plan | None:
        nonlocal left
        rest = limits.time_limit_s - (time.monotonic() - began)
        brief = replace(limits, time_limit_s=max(rest / left, LEAST_S), on_progress=None)
        left = max(left - 1, 1)
        try:
            plan = plan_case(asked, solver=solver, limits=brief, policy=policy, work_frac=work_frac)
        except PlanningError:
            return None
        return plan if plan.verdict.status in ("optimal", "feasible") else None

    for policy in names:
        if on_policy is not None:
            on_policy(policy)
        base = known.get(policy) or _base(case, planned(policy, case), teams)
        for team in teams:
            for field, factor in REPORTS:
                told = planned(policy, reported(case, team, field, factor))
                rows.append(_row(case, policy, team, (field, factor), base, told))
    return FalseReports(tuple(rows), time.monotonic() - began)


@dataclass(frozen=True)
class _Honest:
    """What each consortium gets of a policy when all are honest; none where there is no plan."""

    value: Mapping[str, float]
    is_best: bool


def _known(honest: Policies | None) -> dict[str, _Honest]:
    """By policy, the plans that were found side by side."""
    return {
        row.policy: _Honest(
            {one.consortium: one.value for one in row.consortiums},
            row.gap_frac is not None and row.gap_frac <= PROVED,
        )
        for row in (() if honest is None else honest.rows)
        if row.work is not None
    }


def _base(case: Case, plan: Plan | None, teams: Sequence[int]) -> _Honest:
    """A plan with honest reports, for these consortiums."""
    if plan is None:
        return _Honest({}, False)
    names = case.consortium_names
    return _Honest({names[team]: true_value(case, plan, team) for team in teams}, _is_best(plan))


def reported(case: Case, team: int, field: str, factor: float) -> Case:
    """The case as it looks when a consortium states its values or tokens with a factor."""
    scale = np.where(case.job_consortium == team, factor, 1.0)
    if field == "value":
        return replace(case, job_value=case.job_value * scale)
    return replace(case, job_tokens=case.job_tokens * scale)


def true_value(case: Case, plan: Plan, team: int) -> float:
    """Worth of a consortium's jobs under a plan, as they truly are, without the weight."""
    count = len(case.job_names)
    job = np.array([case.job_names.index(name) for name in plan.rows.job], dtype=np.int64)
    tokens: Floats = np.bincount(job, plan.rows.tokens, minlength=count).astype(np.float64)
    last = np.zeros(count, dtype=np.int64)
    ends = [(day - case.first_day).days + 1 for day in plan.rows.last]
    np.maximum.at(last, job, np.array(ends, dtype=np.int64))
    done = np.where(tokens >= case.job_tokens * (1 - 1e-9), 1.0, tokens / case.job_tokens)
    counts = np.where(case.job_partial | (done >= 1.0), done, 0.0)
    mine = np.flatnonzero((case.job_consortium == team) & (counts > 0)).tolist()
    return float(
        sum(case.job_value[j] * counts[j] * float(kept_frac(case, j, int(last[j]))) for j in mine)
    )


def _row(
    case: Case,
    policy: str,
    team: int,
    report: tuple[str, float],
    honest: _Honest,
    told: Plan | None,
) -> ReportRow:
    """One consortium's gain by one report."""
    return ReportRow(
        policy,
        case.consortium_names[team],
        *report,
        honest.value.get(case.consortium_names[team]),
        None if told is None else true_value(case, told, team),
        honest.is_best and _is_best(told),
    )


def _is_best(plan: Plan | None) -> bool:
    """Whether what the policy wants first is proved to be reached, by the solver's word."""
    if plan is None:
        return False
    if plan.aim is None or plan.verdict.policy == "weighted-work":
        return plan.verdict.gap_frac is not None and plan.verdict.gap_frac <= PROVED
    first = plan.aim.goals[: 2 if plan.aim.goals[0].name == "work" else 1]
    return all(
        one.said is not None and abs(one.said - one.reached) <= PROVED * max(abs(one.reached), 1e-9)
        for one in first
    )
