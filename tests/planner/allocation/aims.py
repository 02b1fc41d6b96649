"""What every policy wants of a plan, from tried plans and from plan files, in plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.allocation.policy.otherwise import equal_part
from planner.allocation.policy.proportions import log_worth
from planner.plan import Plan
from tests.planner.allocation.oracle import DAY_S, Way, ways
from tests.planner.allocation.test_policy import every_plan


@dataclass(frozen=True)
class Told:
    """A plan by job: worth, part done, day on which it counts as ended; cost and energy."""

    value: dict[int, float]
    done: dict[int, float]
    end: dict[int, int]
    cost: float
    energy: float


def told_of_ways(case: Any, chosen: list[Way]) -> Told:
    """A tried plan."""

    def power(job: int, pool: int, nodes: int) -> float:
        at = (case.point_job == job) & (case.point_pool == pool) & (case.point_nodes == nodes)
        return float(case.point_power_w[at][0])

    return Told(
        {w.job: w.value for w in chosen},
        {w.job: w.done for w in chosen},
        {w.job: w.holds[-1].end for w in chosen},  # of one that pauses the last piece is whole
        sum(w.cost for w in chosen),
        sum(power(w.job, h.pool, h.nodes) * DAY_S for w in chosen for _, h in w.paid),
    )


def told_of_plan(case: Any, plan: Plan) -> Told:
    """A plan as its file tells it."""
    ends: dict[int, int] = {}
    for name, pool, last in zip(plan.rows.job, plan.rows.pool, plan.rows.last, strict=True):
        job, day = case.job_names.index(name), (last - case.first_day).days + 1
        if case.job_preemptible[job]:
            pair = (case.pair_job == job) & (case.pair_pool == case.pool_names.index(pool))
            due = min(int(case.pair_due_day[pair][0]), case.days)
            day = min(min(int(b) for b in case.border_day if b >= day), due)
        ends[job] = max(ends.get(job, 0), day)
    return Told(
        {j: v for j, v in enumerate(plan.jobs.value.tolist()) if j in ends},
        {j: d for j, d in enumerate(plan.jobs.done_frac.tolist()) if j in ends},
        ends,
        float(plan.rows.cost.sum()),
        float(plan.rows.energy_j.sum()),
    )


def work(case: Any, told: Told) -> float:
    weight = case.consortium_weight[case.job_consortium]
    return sum(value * float(weight[job]) for job, value in told.value.items())


def shares(case: Any, told: Told, most: dict[int, float]) -> dict[int, float]:
    """Part of the work asked for that each consortium gets."""
    asked: dict[int, float] = {}
    got: dict[int, float] = {}
    for job, best in most.items():
        team = int(case.job_consortium[job])
        asked[team] = asked.get(team, 0.0) + best
        got[team] = got.get(team, 0.0) + told.value.get(job, 0.0)
    able = [t for t in asked if asked[t] > 0 and case.consortium_weight[t] > 0]
    return {t: got[t] / asked[t] for t in able}


def days(case: Any, told: Told, servable: set[int]) -> dict[int, float]:
    """Mean days from release to end of each consortium's jobs, by value."""
    total: dict[int, float] = {}
    found: dict[int, float] = {}
    for job in servable:
        team, worth = int(case.job_consortium[job]), float(case.job_value[job])
        usable = (case.pair_job == job) & (case.pair_reason == 0)
        release = max(int(case.pair_release_day[usable].min()), 0)
        late = 2.0 * case.days - release
        waited = late
        if job in told.end and (case.job_partial[job] or told.done[job] >= 1):
            done = told.done[job]
            waited = done * (told.end[job] - release) + (1 - done) * late
        total[team] = total.get(team, 0.0) + worth
        found[team] = found.get(team, 0.0) + worth * waited
    return {t: found[t] / total[t] for t in found if total[t] > 0 and case.consortium_weight[t] > 0}


@dataclass
class Wants:
    """The aims of a policy over the plans of a case, the most important first, least is best."""

    case: Any
    policy: str
    plans: list[list[Way]]
    work_frac: float = 1.0

    def __post_init__(self) -> None:
        case = self.case
        jobs = range(len(case.job_names))
        self.all_told = [told_of_ways(case, chosen) for chosen in self.plans]
        self.most = {j: max((w.value for w in ways(case, j)), default=0.0) for j in jobs}
        self.servable = {j for j in jobs if ways(case, j)}
        self.alone = self._alone() if self.policy == "finish-time" else {}

    def _alone(self) -> dict[int, float]:
        case, found = self.case, {}
        nobody = days(case, Told({}, {}, {}, 0.0, 0.0), self.servable)
        for team in nobody:
            part = equal_part(case, team)
            told = [told_of_ways(part, chosen) for chosen in every_plan(part)]
            found[team] = min(days(case, one, self.servable)[team] for one in told)
        return found

    def of(self, told: Told) -> list[float]:
        case, weight = self.case, self.case.consortium_weight
        done = -work(case, told)
        if self.policy == "weighted-work":
            return [done, told.cost]
        if self.policy == "max-min":
            got = shares(case, told, self.most)
            return [*(-s for s in sorted(got[t] / weight[t] for t in got)), done, told.cost]
        if self.policy == "proportional":
            got = shares(case, told, self.most)
            worth = sum(float(weight[t]) * float(log_worth(np.array(s))) for t, s in got.items())
            return [-worth, told.cost]
        if self.policy == "finish-time":
            mean = days(case, told, self.servable)
            ratio = sorted((float(weight[t]) * mean[t] / self.alone[t] for t in mean), reverse=True)
            return [*ratio, done, told.cost]
        last = float(max(told.end.values(), default=0))
        least = {"min-cost": told.cost, "min-energy": told.energy, "min-makespan": last}
        return [least[self.policy], told.cost]

    def candidates(self) -> list[list[float]]:
        """Aims of the plans that do enough work."""
        done = [work(self.case, told) for told in self.all_told]
        least = self.work_frac * max(done) if self.policy.startswith("min-") else 0.0
        size = max(max(done), 1e-9)
        pairs = zip(self.all_told, done, strict=True)
        return [self.of(told) for told, amount in pairs if amount >= least - 1e-9 * size]

    def fault(self, own: list[float], near: float = 3e-6) -> str:
        """The first aim in which a plan is worse than the best of all; empty when it is none."""
        kept = self.candidates()
        for at, mine in enumerate(own):
            best = min(one[at] for one in kept)
            size = max(abs(best), abs(mine), 1.0)
            if self.policy == "proportional" and at == 0:
                near_here = 2e-5 * float(self.case.consortium_weight.sum())
            else:
                near_here = near * size * (1 + at)
            if mine > best + near_here:
                return f"aim {at}: {mine} instead of {best}"
            kept = [one for one in kept if one[at] <= best + near_here]
        return ""
