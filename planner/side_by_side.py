"""The policies of one scenario side by side: the verb `policies`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure, UnknownName, near_match
from planner.allocation.answer.outcome import allocation_of
from planner.allocation.answer.placement import PlacementTable, job_results, placements
from planner.allocation.answer.tidy import tidied
from planner.allocation.choice import solve_by_policy
from planner.allocation.flexible.generated import solve_generated
from planner.allocation.offer.option import Options, enumerate_options
from planner.allocation.policy.figures import Figures, figures_of_placements
from planner.allocation.policy.finish_time import finish_terms, ratios, servable
from planner.allocation.policy.goal import POLICIES
from planner.allocation.policy.stand_alone import StandAlone, stand_alone
from planner.allocation.policy.standing import (
    alone,
    askers,
    best_value,
    equal_part,
    idle_frac,
    with_nodes_of,
)
from planner.allocation.portfolio import solve_case
from planner.allocation.program.families import build_program
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.proof.aim import keeps_all
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits, Solution
from planner.allocation.solver.turn import in_turn
from planner.case import Case, build_case
from planner.policy_table import ConsortiumRow, Policies, PolicyRow, is_at_least
from planner.scenario import Scenario
from planner.scenario_check import open_scenario

__all__ = ["policies", "policies_of_case"]

MONTH_DAYS = 365.25 / 12
FOR_PLANS = 0.7  # of the time; the rest for what consortiums could get otherwise
NO_GAP = 1e-8  # float noise
LEAST_S = 0.2  # for one question to the solver


def policies(
    scenario: str | Path | Scenario,
    *,
    base_path: str | Path | None = None,
    solver: str | Engine | None = None,
    time_limit_s: float = 60.0,
    gap_frac: float = 1e-4,
    threads: int = 0,
    seed: int = 0,
    names: Sequence[str] = POLICIES,
    work_frac: float = 1.0,
    allocation: str | None = None,
    on_policy: Callable[[str], None] | None = None,
) -> Policies:
    """
    What each policy would give: work, shares, the worst-off, cost, idle nodes, fairness.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A scenario file, or a scenario in hand.
    base_path : str or Path, optional
        Folder that the scenario's own paths are relative to; the file's when left out.
    solver : str or Engine, optional
        ``highs`` or ``cbc``; HiGHS when left out.
    time_limit_s : float
        For the solver, all policies and questions together. [s]
    gap_frac : float
        Stop each when bound and objective are this near. [1]
    threads, seed : int
        Of the solver.
    names : sequence of str
        Policies to compare.
    work_frac : float
        For the policies of the least. [1]
    allocation : str, optional
        ``fixed`` or ``flexible`` in place of the word of the scenario's policy.
    on_policy : callable, optional
        Told the name of each policy when its turn comes.

    Returns
    -------
    Policies
        Plans behind it are not audited and keep no node ids; `allocate` makes them in full.

    Raises
    ------
    InputError
        The scenario cannot be read or is wrong.
    UnknownName
        No policy has a name.

    Notes
    -----
    Equal part: a consortium alone with an equal part, in whole nodes, of each shared pool
    that it can use. Finish-time: mean days to the ends of its jobs over those alone with
    an equal part (`planner.allocation.policy.finish_time`). Envy: another's nodes and days would be
    worth more to it than its own.
    With jobs that come in lumps no plan need be free of either; both are only reported.
    """
    for name in names:
        if name not in POLICIES:
            raise UnknownName(
                Diagnostic("unknown-policy", f"no policy `{name}`", found=name,
                           expected=", ".join(POLICIES), hint=near_match(name, POLICIES))
            )  # fmt: skip
    opened = open_scenario(scenario, base_path, allocation)
    case = build_case(opened.scenario, opened.base_path, document=opened.document)
    limits = Limits(time_limit_s, gap_frac, threads, seed)
    return policies_of_case(case, solver=solver, limits=limits, names=names,
                            work_frac=work_frac, on_policy=on_policy)  # fmt: skip


@dataclass(frozen=True)
class _Otherwise:
    """What each consortium that asks could get alone, and with an equal part."""

    alone: dict[int, tuple[float, float | None] | None]
    equal: dict[int, tuple[float, float | None] | None]
    finish: StandAlone | None = None  # how soon, with an equal part


def policies_of_case(
    case: Case,
    *,
    solver: str | Engine | None = None,
    limits: Limits | None = None,
    names: Sequence[str] = POLICIES,
    work_frac: float = 1.0,
    on_policy: Callable[[str], None] | None = None,
) -> Policies:
    """The policies of a case side by side; see `policies`."""
    limits = limits or Limits()
    began = time.monotonic()
    ends = began + limits.time_limit_s
    teams = askers(case).tolist()
    spent = 0.5 * (1 - FOR_PLANS) * limits.time_limit_s / max(3 * len(teams), 1)
    brief = replace(limits, time_limit_s=max(spent, LEAST_S))
    otherwise = _Otherwise(
        {team: best_value(alone(case, team), solver=solver, limits=brief) for team in teams},
        {team: best_value(equal_part(case, team), solver=solver, limits=brief) for team in teams},
        _finish(case, solver, replace(limits, time_limit_s=max(len(teams), 1) * spent)),
    )
    found: list[_Found] = []
    for at, name in enumerate(names):
        if on_policy is not None:
            on_policy(name)
        left = ends - time.monotonic() - 0.5 * (1 - FOR_PLANS) * limits.time_limit_s
        share = replace(limits, time_limit_s=max(left / (len(names) - at), LEAST_S))
        in_hand = _InHand(otherwise.finish, next((one.most for one in found if one.most), None))
        found.append(_found(case, name, solver, share, work_frac, in_hand))
    envy = _Envy(case, solver, ends, limits)
    most = max(
        (one.solution.objective for one in found if one.solution.objective is not None),
        default=None,
    )
    rows = tuple(_row(case, one, most, otherwise, envy) for one in found)
    return Policies(
        name=str(getattr(case.scenario, "name", "")),
        currency=case.currency,
        consortiums=tuple(case.consortium_names[team] for team in teams),
        alone_value=tuple(_value(otherwise.alone[team]) for team in teams),
        alone_is_proved=tuple(_is_proved(otherwise.alone[team]) for team in teams),
        equal_value=tuple(_value(otherwise.equal[team]) for team in teams),
        rows=rows,
        seconds=time.monotonic() - began,
        allocation=allocation_of(case),
    )


def _finish(case: Case, solver: str | Engine | None, limits: Limits) -> StandAlone | None:
    """Stand-alone plans of the least mean days; None where no solver answers."""
    try:
        ask, _ = in_turn(solver, [], memory_limit_bytes=limits.memory_limit_bytes)
        terms = finish_terms(case, servable(case, enumerate_options(case, keeps_all=True)))
        return stand_alone(case, terms, ask=ask, limits=limits)
    except SolverFailure:
        return None


def _value(answer: tuple[float, float | None] | None) -> float | None:
    return None if answer is None else answer[0]


def _is_proved(answer: tuple[float, float | None] | None) -> bool:
    """Whether a bound meets a value within a ten-thousandth."""
    if answer is None or answer[1] is None:
        return False
    return answer[1] - answer[0] <= 1e-4 * max(abs(answer[1]), 1e-9)


@dataclass(frozen=True)
class _Found:
    """The solution of one policy, who holds what, and what each consortium's work is worth."""

    policy: str
    solution: Solution
    placed: PlacementTable | None = None
    value: Floats | None = None  # [consortium] without the weight
    figures: Figures | None = None
    most: tuple[Register, Solution] | None = None  # of weighted work, for those after it


@dataclass(frozen=True)
class _InHand:
    """What is known before a policy has its turn."""

    finish: StandAlone | None
    most: tuple[Register, Solution] | None


def _found(
    case: Case,
    name: str,
    solver: str | Engine | None,
    limits: Limits,
    work_frac: float,
    in_hand: _InHand,
) -> _Found:
    """What one policy finds."""
    try:
        if name == "weighted-work":
            answered = solve_case(case, solver=solver, limits=limits)
            program, register, solution = answered.program, answered.register, answered.solution
        else:
            options = enumerate_options(case, keeps_all=keeps_all(name))
            program, register, solution = _by_policy(case, options, name, solver, limits,
                                                     work_frac, in_hand)  # fmt: skip
    except SolverFailure as failure:
        words = failure.diagnostics[0].message
        broken = Solution("failed", None, None, None, None, None, 0.0, "", "", words=words)
        return _Found(name, broken)
    solution = tidied(register, program, solution)
    if solution.point is None:
        return _Found(name, solution)
    placed = placements(register, solution.point)
    _, worth = job_results(register, placed)
    value: Floats = np.bincount(
        case.job_consortium, weights=worth, minlength=len(case.consortium_names)
    ).astype(np.float64)
    most = (register, solution) if name == "weighted-work" else None
    return _Found(name, solution, placed, value, figures_of_placements(register, placed), most)


def _by_policy(
    case: Case,
    options: Options,
    name: str,
    solver: str | Engine | None,
    limits: Limits,
    work_frac: float,
    in_hand: _InHand,
) -> tuple[Program, Register, Solution]:
    """What a policy other than weighted work finds, and in which program."""
    if not options.is_whole:
        found = solve_generated(case, options, name, solver=solver, limits=limits,
                                work_frac=work_frac, alone=in_hand.finish)  # fmt: skip
        return found.program, found.register, found.solution
    program, register = build_program(case, options)
    solution = solve_by_policy(register, program, name, solver=solver, limits=limits,
                               work_frac=work_frac, alone=in_hand.finish,
                               most=in_hand.most)  # fmt: skip
    return program, register, solution


class _Envy:
    """Answers whether one would rather have another's nodes, each question asked once."""

    def __init__(
        self, case: Case, solver: str | Engine | None, ends: float, limits: Limits
    ) -> None:
        self.case, self.solver, self.ends, self.limits = case, solver, ends, limits
        self.known: dict[tuple[int, bytes], float | None] = {}

    def worth(self, team: int, placed: PlacementTable, other: int) -> float | None:
        """The most that another's nodes are worth to it, as found; None when time is out."""
        mine = self.case.job_consortium[placed.job] == other
        held = np.stack([placed.pool, placed.start_day, placed.end_day, placed.nodes])[:, mine]
        key = (team, held[:, np.lexsort(held)].tobytes())
        if key not in self.known:
            left = self.ends - time.monotonic()
            if left <= 0:
                return None
            brief = replace(self.limits, time_limit_s=min(max(left, LEAST_S), 2.0))
            swapped = with_nodes_of(self.case, team, placed, other)
            self.known[key] = _value(best_value(swapped, solver=self.solver, limits=brief))
        return self.known[key]

    def of(self, team: int, value: float, placed: PlacementTable, most: float | None,
           others: Sequence[int]) -> tuple[str, ...] | None:  # fmt: skip
        """Those whose nodes are worth more to it; nobody's are when it has all it could have."""
        if most is not None and is_at_least(value, most):
            return ()
        found = []
        for other in others:
            worth = 0.0 if other == team else self.worth(team, placed, other)
            if worth is None:
                return None
            if not is_at_least(value, worth):
                found.append(self.case.consortium_names[other])
        return tuple(found)


def _row(
    case: Case, found: _Found, most: float | None, otherwise: _Otherwise, envy: _Envy
) -> PolicyRow:
    """One policy with what every consortium gets."""
    name, solution, placed = found.policy, found.solution, found.placed
    no_choice = solution.solver == "none"
    is_of_work = name == "weighted-work" or no_choice
    gap = solution.gap_frac if is_of_work else solution.aim_gap_frac
    gap = 0.0 if gap is not None and gap < NO_GAP else gap
    if placed is None or found.value is None:
        return PolicyRow(name, solution.status, None, None, None, None, None, solution.words, ())
    teams = list(otherwise.alone)
    days = (placed.end_day - placed.start_day).astype(np.float64)
    owner = case.job_consortium[placed.job]
    count = len(case.consortium_names)
    cost = np.bincount(owner, weights=placed.cost, minlength=count)
    ratio = _ratios(case, otherwise.finish, found.figures)
    months = np.bincount(owner, weights=placed.nodes * days, minlength=count) / MONTH_DAYS
    gets = []
    for team in teams:
        value, best = float(found.value[team]), otherwise.alone[team]
        top = None if best is None else max(best[0], value)
        part = otherwise.equal[team]
        most_alone = best[1] if best is not None else None
        gets.append(
            ConsortiumRow(
                consortium=case.consortium_names[team],
                value=value,
                satisfaction_frac=None if top is None else value / top if top > 0 else 1.0,
                has_equal_part=None if part is None else is_at_least(value, part[0]),
                envies=envy.of(team, value, placed, most_alone, teams),
                finish_ratio=ratio.get(team),
                cost=float(cost[team]),
                node_months=float(months[team]),
            )
        )
    work = float(solution.objective or 0.0)
    return PolicyRow(
        policy=name,
        status="optimal" if gap is not None and gap <= 1e-4 else "feasible",
        work=work,
        lost_frac=None if not most else max(1.0 - work / most, 0.0),
        cost=float(placed.cost.sum()),
        idle_frac=idle_frac(case, placed),
        gap_frac=gap,
        words=solution.words,
        consortiums=tuple(gets),
    )


def _ratios(case: Case, finish: StandAlone | None, figures: Figures | None) -> dict[int, float]:
    """Mean days over those alone with an equal part, of the consortiums that count."""
    if finish is None or figures is None:
        return {}
    found = ratios(case, finish.terms, figures, finish.days)
    return {team: float(found[team]) for team in np.flatnonzero(finish.terms.counts).tolist()}
