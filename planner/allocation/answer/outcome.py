"""From a judged point of the program to the plan: rows, jobs, consortiums and the verdict."""

from __future__ import annotations

import datetime

import numpy as np

from hardware.column import Bools, Floats, Ints
from hardware.table import TRAINS
from planner.allocation.answer.assign import assign_nodes, ranges_text
from planner.allocation.answer.placement import PlacementTable, job_results, placements
from planner.allocation.answer.refusal import Refusal, refusals
from planner.allocation.answer.runner_up import runner_ups
from planner.allocation.answer.sentence import PROVED, cheap_words, near_words, verdict_sentence
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.solver.solve import Solution
from planner.case import Case
from planner.case_job import value_unit
from planner.plan import Plan
from planner.plan_table import PlanJobTable, PlanRowTable, PlanShareTable, Verdict
from planner.scenario import TRAINING_KINDS
from planner.version import model_version

__all__ = ["allocation_of", "plan_of", "plan_without_rows"]

DAY_S = 86400.0
MONTH_DAYS = 365.25 / 12


def plan_of(
    register: Register,
    program: Program,
    solution: Solution,
    *,
    inputs: tuple[tuple[str, str], ...] = (),
    warnings: tuple[str, ...] = (),
) -> Plan:
    """
    The plan that a solution stands for.

    Parameters
    ----------
    register, program : Register, Program
        What the solution is a point of.
    solution : Solution
        With a point; see `plan_without_rows` for the others.
    inputs : tuple of (path, sha256)
        Files that the scenario came from.
    warnings : tuple of str
        What a reader should know besides.

    Returns
    -------
    Plan
        Objective and cost are summed from the rows, not taken from the solver.
    """
    case = register.case
    point = np.zeros(0) if solution.point is None else solution.point
    placed = placements(register, point)
    done, value = job_results(register, placed)
    weight = case.consortium_weight[case.job_consortium]
    objective, cost = float(weight @ value), float(placed.cost.sum())
    bound = solution.bound
    if bound is not None:
        bound = max(bound, objective)
    is_placed = np.isin(np.arange(len(case.job_names)), placed.job)
    verdict = _verdict(case, solution, objective, bound, cost, done, is_placed)
    return Plan(
        verdict=verdict,
        rows=_rows(register, placed, point, value),
        jobs=_jobs(
            case,
            done,
            value,
            is_placed,
            refusals(register, program, point, placed),
            runner_ups(register, program, point),
        ),
        consortiums=_shares(case, placed, done, value),
        currency=case.currency,
        tool=("planner", model_version()),
        inputs=inputs,
        assumed=case.assumed,
        periods=case.periods,
        value_unit=value_unit(case.scenario) if hasattr(case.scenario, "jobs") else "",
        warnings=(*warnings, *solution.notes),
    )


def plan_without_rows(
    case: Case,
    solution: Solution,
    *,
    inputs: tuple[tuple[str, str], ...] = (),
    warnings: tuple[str, ...] = (),
) -> Plan:
    """The answer that there is no plan, or that none was found; `warnings` explain it."""
    cut = ", interrupted" if solution.was_interrupted else ""
    said = {
        "infeasible": f"no plan exists{': ' + warnings[0] if warnings else ''}",
        "unsolved": f"no plan was found in {solution.seconds:.3g} s{cut}",
    }.get(solution.status, "no plan: the solver failed")
    code = {"infeasible": "no-plan", "unsolved": "no-plan-found"}.get(solution.status, "failed")
    none = np.zeros(0, dtype=np.int64)
    nothing = PlacementTable(none, none, none, none, none, none, np.zeros(0), np.zeros(0))
    zero = np.zeros(len(case.job_names))
    refused = {job: Refusal(code, said) for job in range(len(zero))}
    verdict = Verdict(solution.status, None, None, None, None, solution.policy, solution.solver,
                      solution.solver_version, solution.seconds, said,
                      allocation_of(case))  # fmt: skip
    return Plan(
        verdict=verdict,
        rows=_row_table(case, nothing, (), zero),
        jobs=_jobs(case, zero, zero, zero > 0, refused, {}),
        consortiums=_shares(case, nothing, zero, zero),
        currency=case.currency,
        tool=("planner", model_version()),
        inputs=inputs,
        assumed=case.assumed,
        periods=case.periods,
        value_unit=value_unit(case.scenario) if hasattr(case.scenario, "jobs") else "",
        warnings=(*warnings, *solution.notes),
    )


def _rows(register: Register, placed: PlacementTable, point: Floats, value: Floats) -> PlanRowTable:
    """The rows of the plan with their node ids."""
    ids = tuple(ranges_text(ranges) for ranges in assign_nodes(register, placed, point))
    return _row_table(register.case, placed, ids, value)


def _row_table(
    case: Case, placed: PlacementTable, ids: tuple[str, ...], value: Floats
) -> PlanRowTable:
    """The rows of the plan; the value of a job is shared out by tokens."""
    days = placed.end_day - placed.start_day
    total = np.bincount(placed.job, weights=placed.tokens, minlength=len(case.job_names))
    share = placed.tokens / np.maximum(total[placed.job], 1e-300)
    jobs, point = placed.job.tolist(), placed.point
    team = case.job_consortium[placed.job].tolist()
    return PlanRowTable(
        job=tuple(case.job_names[job] for job in jobs),
        consortium=tuple(case.consortium_names[at] for at in team),
        pool=tuple(case.pool_names[pool] for pool in placed.pool.tolist()),
        device=tuple(case.pool_device.names[pool] for pool in placed.pool.tolist()),
        nodes=placed.nodes,
        node_ids=ids,
        first=tuple(_date(case, day) for day in placed.start_day.tolist()),
        last=tuple(_date(case, day - 1) for day in placed.end_day.tolist()),
        days=days,
        layout=tuple(case.point_layout[at] for at in point.tolist()),
        tokens=placed.tokens,
        tokens_per_s=case.point_tokens_per_s[point],
        mfu_frac=case.point_mfu_frac[point],
        cost=placed.cost,
        energy_j=case.point_power_w[point] * days * DAY_S,
        value=value[placed.job] * share,
        marks=tuple(_marks(case, job, pool) for job, pool in
                    zip(jobs, placed.pool.tolist(), strict=True)),
    )  # fmt: skip


def _marks(case: Case, job: int, pool: int) -> tuple[str, ...]:
    """What a reader must know about a job in a pool."""
    written = getattr(case.scenario, "jobs", {}).get(case.job_names[job])
    if written is None:
        return ()
    marks = []
    if (
        written.what_if_training
        and written.kind in TRAINING_KINDS
        and case.pool_device.training[pool] != TRAINS
    ):
        marks.append("what-if-training")
    if written.rates:
        marks.append("rate-given")
    return tuple(marks)


def _jobs(
    case: Case,
    done: Floats,
    value: Floats,
    is_placed: Bools,
    refused: dict[int, Refusal],
    second: dict[int, str],
) -> PlanJobTable:
    """What became of each job."""
    nothing = Refusal("", "")
    said = [nothing if is_placed[job] else refused.get(job, nothing) for job in range(len(done))]
    return PlanJobTable(
        job=case.job_names,
        consortium=tuple(case.consortium_names[at] for at in case.job_consortium.tolist()),
        placed=is_placed,
        done_frac=np.minimum(done, 1.0),
        value=value,
        reason=tuple(refusal.code for refusal in said),
        sentence=tuple(
            _placed_words(float(done[job]), second.get(job, ""))
            if is_placed[job]
            else said[job].sentence
            for job in range(len(done))
        ),
        hint=tuple(refusal.hint for refusal in said),
    )


def _placed_words(done: float, second: str) -> str:
    """What is said of a job that is placed."""
    first = "finished" if done >= 1.0 else f"{100 * done:.3g} % of the work is done"
    return f"{first}; {second}" if second else first


def _shares(case: Case, placed: PlacementTable, done: Floats, value: Floats) -> PlanShareTable:
    """What each consortium gets."""
    count = len(case.consortium_names)
    team = case.job_consortium[placed.job]
    days = (placed.end_day - placed.start_day).astype(np.float64)
    node_days: Floats = placed.nodes.astype(np.float64) * days
    equivalent_days: Floats = node_days * case.pool_equivalent[placed.pool]

    def total(rows: Ints, amounts: Floats) -> Floats:
        summed = np.zeros(count)
        np.add.at(summed, rows, amounts)
        return summed

    written = getattr(case.scenario, "consortiums", {})
    return PlanShareTable(
        consortium=case.consortium_names,
        name=tuple(written[name].name if name in written else "" for name in case.consortium_names),
        node_months=total(team, node_days) / MONTH_DAYS,
        equivalent_device_months=total(team, equivalent_days) / MONTH_DAYS,
        cost=total(team, placed.cost),
        budget=case.consortium_budget,
        jobs_done=total(case.job_consortium, (done >= 1.0).astype(np.float64)).astype(np.int64),
        jobs_asked=np.bincount(case.job_consortium, minlength=count).astype(np.int64),
        value=total(case.job_consortium, value),
    )


def _verdict(
    case: Case,
    solution: Solution,
    objective: float,
    bound: float | None,
    cost: float,
    done: Floats,
    is_placed: Bools,
) -> Verdict:
    """The verdict with its sentence: jobs, money, and how near the best that is."""
    gap = None
    if bound is not None:
        gap = 0.0 if bound <= 0 else max(bound - objective, 0.0) / bound
    is_proved = gap is not None and gap <= PROVED
    words = solution.words or near_words(gap) + cheap_words(cost, solution.cost_bound)
    sentence = verdict_sentence(
        int(is_placed.sum()),
        len(done),
        partly=int((is_placed & (done < 1.0)).sum()),
        cost=cost,
        currency=case.currency,
        words=words,
        solver=solution.solver,
        seconds=solution.seconds,
        was_interrupted=solution.was_interrupted,
    )
    return Verdict(
        status="optimal" if is_proved else "feasible",
        objective=objective,
        bound=bound,
        gap_frac=gap,
        cost=cost,
        policy=solution.policy,
        solver=solution.solver,
        solver_version=solution.solver_version,
        seconds=solution.seconds,
        sentence=sentence,
        allocation=allocation_of(case),
    )


def allocation_of(case: Case) -> str:
    """Whether jobs that say nothing of it may change on the way."""
    stated = getattr(case.scenario, "policy", None)
    return "fixed" if stated is None else str(stated.allocation)


def _date(case: Case, day: int) -> datetime.date:
    """A day number as a date."""
    return case.first_day + datetime.timedelta(days=day)
