"""Solve a program and judge the answer: our verdict from bound and objective, never a word."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.program.row import AT_LEAST, Program, Row, row_of
from planner.allocation.program.settle import broken_rows, is_binary, is_feasible, no_good, settle
from planner.allocation.solver.guard import NOBODY, Broken, Named, candidates_of, guarded, lie
from planner.allocation.solver.interrupt import held
from planner.allocation.solver.price import price_bound
from planner.allocation.solver.task import Answer, Engine, Progress, Task
from planner.plan_aim import PlanAim

__all__ = ["PROVED", "Limits", "Solution", "solve", "without_choice"]

PROVED = 1e-6  # relative distance of bound and objective that counts as none
LEFT_PART = 0.25  # of the time limit is left to each solver that is asked after one that broke


@dataclass(frozen=True)
class Limits:
    """How long and how exactly to solve. [s], [1]"""

    time_limit_s: float = 60.0
    gap_frac: float = 1e-4
    threads: int = 0
    seed: int = 0
    on_progress: Callable[[Progress], None] | None = None
    is_start_good: bool = False  # look for a proof, hardly for other plans
    memory_limit_bytes: int = 0  # for a solver in a process of its own; 0: none
    presolve: str = "choose"  # ``off`` for programs that a solver would simplify for too long


@dataclass(frozen=True)
class Solution:
    """A point of the program with what is proved about it; amounts as maximised."""

    status: str  # optimal, feasible, infeasible, unsolved or failed
    point: Floats | None
    objective: float | None
    bound: float | None
    cost: float | None
    cost_bound: float | None
    seconds: float
    solver: str
    solver_version: str
    was_interrupted: bool = False
    notes: tuple[str, ...] = ()
    policy: str = "weighted-work"
    words: str = ""  # how near the best by the policy, where that is not weighted work
    aim_gap_frac: float | None = None  # what is proved of the aim of such a policy
    aim: PlanAim | None = None  # its goals, what is reached and what the solver said of each

    @property
    def gap_frac(self) -> float | None:
        """Distance of bound and objective as a part of the bound; None when unknown."""
        if self.objective is None or self.bound is None:
            return None
        if self.bound <= 0:
            return 0.0
        return max(self.bound - self.objective, 0.0) / self.bound


def solve(
    program: Program,
    *,
    solver: str | Engine | None = None,
    limits: Limits | None = None,
    start: Floats | None = None,
    ties_by_cost: bool = True,
) -> Solution:
    """
    The best point of a program within limits, and the cheapest among equals.

    Parameters
    ----------
    program : Program
        What to maximise, and under which rows.
    solver : str or Engine, optional
        ``highs``, ``cbc`` or an engine of one's own; the first one found when left out.
    limits : Limits, optional
        Time, gap, threads and seed. Ties get as long as the first solve took, or 5 s, but
        no more than it leaves of the time or a tenth of it.
    start : ndarray [column], optional
        A point to start from; used, and fallen back on, only when it keeps every row.
    ties_by_cost : bool
        Whether to look for the cheapest of the best points.

    Returns
    -------
    Solution
        Status ``optimal`` when a valid bound meets the objective within `PROVED`;
        ``feasible`` with a gap, or with no bound, otherwise; ``infeasible`` when proved;
        ``unsolved`` when the time ran out with nothing in hand.

    Raises
    ------
    SolverFailure
        Every solver broke or returned points that the rows refuse.

    Notes
    -----
    An answer is rounded and then checked against every row in float64. A whole point that
    breaks a row by less than the solver's tolerance is cut off exactly by a no-good row and
    the solve repeated; a point that breaks it by more is a failure of the solver, and
    another one, where installed, is asked, from the best point that the first one told. The
    notes tell each failure. When all break, that point or the start stands.
    """
    limits = limits or Limits()
    began = time.monotonic()
    if start is not None and not is_feasible(program, start):
        start = None
    empty = without_choice(program)
    if empty is not None:
        return empty
    notes: list[str] = []
    with held() as interrupt:
        candidates = candidates_of(solver, start, notes)
        found, (ask, name, version) = _first_answer(program, candidates, limits, start, notes)
        if found.point is None:
            status = "infeasible" if found.is_infeasible else "unsolved"
            cut = found.was_interrupted or interrupt.is_stopped
            return Solution(status, None, None, None, None, None, time.monotonic() - began, name,
                            version, cut, tuple(notes))  # fmt: skip
        best, cost_bound = found, None
        if ties_by_cost and not (found.was_interrupted or found.is_left_over):
            used = time.monotonic() - began
            left = max(limits.time_limit_s - used, 0.1 * limits.time_limit_s)
            cheap = replace(limits, time_limit_s=min(left, max(used, 5.0)))
            best, cost_bound = _cheapest(program, ask, cheap, found, notes)
        best = replace(best, was_interrupted=best.was_interrupted or interrupt.is_stopped)
    return _judged(program, best, cost_bound, time.monotonic() - began, name, version, notes)


@dataclass(frozen=True)
class _Found:
    """A settled point, and a bound on the maximum."""

    point: Floats | None
    bound: float | None
    is_infeasible: bool
    was_interrupted: bool
    is_left_over: bool = False  # every solver broke: this is what was known before


def _first_answer(
    program: Program,
    candidates: list[Named],
    limits: Limits,
    start: Floats | None,
    notes: list[str],
) -> tuple[_Found, Named]:
    """What the first solver that does not break finds; the start when all break."""
    failures: list[Diagnostic] = []
    who = NOBODY
    ends = time.monotonic() + limits.time_limit_s
    for candidate in candidates:
        left = ends - time.monotonic()
        if start is not None and left < 0:  # one broke, and took all of the time
            break
        left = max(left, LEFT_PART * limits.time_limit_s)
        try:
            return _best(
                program, candidate[0], replace(limits, time_limit_s=left), start
            ), candidate
        except SolverFailure as failure:
            failures += failure.diagnostics
            notes.append(f"{candidate[1]} failed: {failure.diagnostics[0].message}")
            if isinstance(failure, Broken):
                start, who = _better(program, (start, who), (failure.point, candidate))
    if start is None:
        raise SolverFailure(failures)
    notes.append("the plan is the best that was known without a solver's answer")
    bound = price_bound(program, memory_limit_bytes=limits.memory_limit_bytes)
    return _Found(start, bound, False, False, is_left_over=True), who


def _better(
    program: Program, mine: tuple[Floats | None, Named], other: tuple[Floats, Named]
) -> tuple[Floats, Named]:
    """The point of larger value, with who found it."""
    value = program.columns.value
    if mine[0] is None or float(value @ other[0]) > float(value @ mine[0]):
        return other
    return mine[0], mine[1]


def without_choice(program: Program) -> Solution | None:
    """The answer for programs that no solver needs to see; None for all others."""
    zero = np.zeros(len(program.columns.names))
    hopeless = any(len(row.columns) == 0 and broken_rows((row,), zero) for row in program.rows)
    if hopeless:
        return Solution("infeasible", None, None, None, None, None, 0.0, "none", "")
    if len(zero) == 0:
        return Solution("optimal", zero, 0.0, 0.0, 0.0, 0.0, 0.0, "none", "")
    return None


def _best(program: Program, ask: Engine, limits: Limits, start: Floats | None) -> _Found:
    """The point of largest value, with a bound that is valid whatever the solver says."""
    answer, point = _asked(program, ask, limits, -program.columns.value, (), start)
    if answer.says_infeasible:
        zero = np.zeros(len(program.columns.names))
        witness = start if start is not None else zero
        if is_feasible(program, witness):
            raise SolverFailure(lie("says that there is no plan", "a plan that keeps every row"))
        return _Found(None, None, True, False)
    if point is None:
        point = start
    most = limits.memory_limit_bytes
    bound = price_bound(program, memory_limit_bytes=most) if answer.bound is None else -answer.bound
    if point is not None:
        value = float(program.columns.value @ point)
        # A bound below what is in hand is a wrong bound, whoever gives it.
        is_right = bound is not None and bound >= value - _slack(value)
        bound = max(bound, value) if bound is not None and is_right else None
        if start is not None and value < float(program.columns.value @ start):
            point = start
    return _Found(point, bound, False, answer.was_interrupted)


def _cheapest(
    program: Program, ask: Engine, limits: Limits, found: _Found, notes: list[str]
) -> tuple[_Found, float | None]:
    """The cheapest point of the same value, and a bound on its cost."""
    columns, point = program.columns, found.point
    if point is None or not (columns.cost > 0).any() or float(columns.cost @ point) <= 0:
        return found, (0.0 if point is not None else None)
    value = float(columns.value @ point)
    used = np.flatnonzero(columns.value)
    hold = row_of(
        "hold_value",
        used,
        columns.value[used],
        family="hold_value",
        group="the value found",
        sentence="the value found is held",
        sense=AT_LEAST,
        bound=value - 1e-9 * abs(value),
    )
    quiet = replace(limits, on_progress=None)
    try:
        answer, cheap = _asked(program, ask, quiet, columns.cost, (hold,), None)
    except SolverFailure as failure:
        notes.append(f"the cheapest plan was not looked for: {failure.diagnostics[0].message}")
        return found, None
    cost = float(columns.cost @ point)
    bound = answer.bound
    if cheap is not None and float(columns.cost @ cheap) < cost:
        found, cost = replace(found, point=cheap), float(columns.cost @ cheap)
    if bound is not None and bound > cost + _slack(cost):
        bound = None
    return replace(found, was_interrupted=answer.was_interrupted), bound


def _asked(
    program: Program,
    ask: Engine,
    limits: Limits,
    minimise: Floats,
    extra: tuple[Row, ...],
    start: Floats | None,
) -> tuple[Answer, Floats | None]:
    """Ask a solver until its point keeps every row exactly; cut off those that nearly do."""
    began = time.monotonic()
    bound: float | None = None
    kept: Floats | None = None
    is_exact = True  # whether the rows added refuse no point of the program
    for _ in range(25):
        left = limits.time_limit_s - (time.monotonic() - began)
        answer = guarded(
            ask,
            Task(
                program,
                minimise,
                extra=extra,
                time_limit_s=max(left, 0.05),
                gap_frac=limits.gap_frac,
                threads=limits.threads,
                seed=limits.seed,
                start=start,
                is_start_good=limits.is_start_good,
                on_progress=limits.on_progress,
                memory_limit_bytes=limits.memory_limit_bytes,
                presolve=limits.presolve,
            ),
        )
        if answer.failure is not None:
            raise _broken(program, extra, minimise, answer, kept)
        # Later questions may be narrower: the first bound stays valid, theirs may not be.
        told = None if answer.bound is None or not np.isfinite(answer.bound) else answer.bound
        bound = told if bound is None else bound
        hopeless = answer.says_infeasible and is_exact and kept is None
        answer = replace(answer, bound=bound, says_infeasible=hopeless)
        point, broken = _exact(program, extra, answer, left)
        if point is None:
            return answer, kept
        if not broken and start is not None and left > 2 and _is_misstated(answer, minimise, point):
            # HiGHS 1.16 maps a start wrongly into its presolved program at times: ask again
            # without one. Its bound holds, since a false record prunes only what is above it.
            kept, start = point, None
        elif not broken:
            worse = kept is not None and float(minimise @ kept) <= float(minimise @ point)
            return answer, kept if worse else point
        else:
            is_exact &= all(is_binary(program, row) for row in broken)
            extra = (*extra, *(no_good(program, row, point) for row in broken))
            if start is not None and broken_rows(extra, start):
                start = None
    return answer, kept


def _broken(
    program: Program, extra: tuple[Row, ...], minimise: Floats, answer: Answer, kept: Floats | None
) -> SolverFailure:
    """The failure of a solver that broke, with the best point that it had told."""
    point = None if answer.point is None else settle(program, answer.point)
    if point is not None and broken_rows((*program.rows, *extra), point):
        point = None
    if point is None or (kept is not None and float(minimise @ kept) < float(minimise @ point)):
        point = kept
    fault = answer.failure or lie("broke", "an answer")
    return SolverFailure(fault) if point is None else Broken(fault, point)


def _exact(
    program: Program, extra: tuple[Row, ...], answer: Answer, left_s: float
) -> tuple[Floats | None, list[Row]]:
    """The answer's point made whole, and the rows it breaks by less than solvers see."""
    if answer.point is None or answer.says_infeasible:
        return None, []
    # CBC leaves relaxed values when it is stopped without a plan; others lie.
    was_stopped = answer.was_interrupted or answer.seconds >= 0.9 * left_s
    is_leftover = answer.bound is None and was_stopped
    point = settle(program, answer.point)
    if point is None:
        if is_leftover:
            return None, []
        raise SolverFailure(lie("returned fractional values", "whole values", answer.log))
    broken = broken_rows((*program.rows, *extra), point)
    for row, is_far in broken:
        if is_far:
            if is_leftover:
                return None, []
            raise SolverFailure(
                lie(f"returned a point that breaks a row: {row.sentence}", row.name, answer.log)
            )
    return point, [row for row, _ in broken]


def _is_misstated(answer: Answer, minimise: Floats, point: Floats) -> bool:
    """Whether the objective that a solver states is not that of its point."""
    if answer.claimed is None:
        return False
    actual = float(minimise @ point)
    return abs(answer.claimed - actual) > 1e-5 * max(abs(actual), 1e-9)


def _judged(
    program: Program,
    found: _Found,
    cost_bound: float | None,
    seconds: float,
    name: str,
    version: str,
    notes: list[str],
) -> Solution:
    """The verdict on a point in hand."""
    point = found.point if found.point is not None else np.zeros(0)
    value, cost = float(program.columns.value @ point), float(program.columns.cost @ point)
    proved = found.bound is not None and found.bound - value <= PROVED * max(
        abs(found.bound), 1e-12
    )
    return Solution(
        status="optimal" if proved else "feasible",
        point=found.point,
        objective=value,
        bound=found.bound,
        cost=cost,
        cost_bound=cost_bound,
        seconds=seconds,
        solver=name,
        solver_version=version,
        was_interrupted=found.was_interrupted,
        notes=tuple(notes),
    )


def _slack(amount: float) -> float:
    """What float sums may differ by."""
    return 1e-7 * max(abs(amount), 1e-9)
