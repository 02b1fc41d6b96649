"""Divides the pools of a scenario among its consortiums: the verb `allocate`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from hardware.errors import Diagnostic, InputError, SolverFailure, Where
from planner.allocation.answer.binding import bindings
from planner.allocation.answer.outcome import plan_of, plan_without_rows
from planner.allocation.answer.placement import placements
from planner.allocation.answer.tidy import tidied
from planner.allocation.choice import solve_by_policy
from planner.allocation.conflict.smallest import conflict
from planner.allocation.earlier.chain import begun_from
from planner.allocation.flexible.generated import solve_generated
from planner.allocation.offer.option import Options, enumerate_options
from planner.allocation.policy.fair_bound import is_fair_large
from planner.allocation.policy.fair_solve import solve_fair
from planner.allocation.policy.figures import figures_of_placements
from planner.allocation.policy.finish_time import finish_terms, servable
from planner.allocation.policy.goal import POLICIES
from planner.allocation.portfolio import solve_case
from planner.allocation.program.families import build_program
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.proof.aim import aim_of, keeps_all
from planner.allocation.proof.aim_prices import priced_aim
from planner.allocation.proof.stated import alone_days, of_plan
from planner.allocation.proof.witness import proved_bound
from planner.allocation.solver.engine import Engine, Progress, engines_found
from planner.allocation.solver.interrupt import Held, held
from planner.allocation.solver.price import row_prices
from planner.allocation.solver.solve import Limits, Solution
from planner.allocation.solver.turn import in_turn
from planner.audit import audit, plan_record
from planner.case import Case, build_case
from planner.limit_check import check_limits
from planner.near_work import funded_alike
from planner.plan import Plan
from planner.plan_aim import AimedGoal, PlanAim
from planner.scenario import Scenario
from planner.scenario_check import open_scenario

__all__ = ["allocate", "plan_case"]

UNPRICED = "no certificate: the relaxed program was not solved, so that no prices prove the bound"


def allocate(
    scenario: str | Path | Scenario,
    *,
    base_path: str | Path | None = None,
    solver: str | Engine | None = None,
    time_limit_s: float = 60.0,
    gap_frac: float = 1e-4,
    threads: int = 0,
    seed: int = 0,
    policy: str | None = None,
    work_frac: float = 1.0,
    allocation: str | None = None,
    start: str | Path | Plan | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    memory_limit_bytes: float = 0.0,
) -> Plan:
    """
    The plan of a scenario: who holds which nodes from when to when.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A scenario file, or a scenario in hand.
    base_path : str or Path, optional
        Folder that the scenario's own paths are relative to; the file's when left out.
    solver : str or Engine, optional
        ``highs`` or ``cbc``; HiGHS when left out.
    time_limit_s : float
        For the solver. The best plan found by then is returned. [s]
    gap_frac : float
        Stop when bound and objective are this near. [1]
    threads : int
        Threads of the solver; one when 0, so that the plan does not depend on the machine.
    seed : int
        Seed of the solver.
    policy : str, optional
        ``weighted-work``, ``max-min``, ``proportional``, ``finish-time``, ``min-cost``,
        ``min-energy`` or ``min-makespan``; the scenario's when left out.
    work_frac : float
        For the last three: part of the most weighted work that must be done. [1]
    allocation : str, optional
        ``fixed`` or ``flexible`` in place of the word of the scenario's policy; what a job says
        of itself stays.
    start : str, Path or Plan, optional
        An earlier plan. What of it may still run as it did is the least that is returned.
    on_progress : callable, optional
        Told the seconds, the objective and the bound while solving.
    memory_limit_bytes : float
        For the solver, which has a process of its own, beside what this one holds; none
        when 0. On Linux alone. [byte]

    Returns
    -------
    Plan
        Audited before it is returned. Without rows, with the conflict and its repair in
        words, when none exists; `Plan.require` raises then. After an interrupt it is the
        best plan so far, and its sentence ends so.

    Raises
    ------
    InputError
        The scenario cannot be read or is wrong; every fault at once.
    SolverFailure
        The solver broke, or its plan did not pass the audit.
    """
    opened = open_scenario(scenario, base_path, allocation)
    base = opened.base_path
    inputs = _sheets(opened.scenario, base)
    if opened.document is not None:
        inputs = ((_shown_path(opened.document.path, base), opened.sha256), *inputs)
    case = build_case(opened.scenario, base, document=opened.document)
    check_limits(time_limit_s, gap_frac, threads, seed, work_frac,
                 memory_limit_bytes=memory_limit_bytes)  # fmt: skip
    limits = Limits(time_limit_s, gap_frac, threads, seed, on_progress,
                    memory_limit_bytes=int(memory_limit_bytes))  # fmt: skip
    prior = start if start is None or isinstance(start, Plan) else _read(start)
    with held() as interrupt:
        plan = plan_case(case, solver=solver, limits=limits, inputs=inputs, policy=policy,
                         work_frac=work_frac, start=prior)  # fmt: skip
        if plan.verdict.status not in ("optimal", "feasible"):
            return plan
        report = audit(opened.scenario, plan_record(plan.to_dict()), base_path=base,
                       scenario_sha256=opened.sha256)  # fmt: skip
    if not report.ok:
        raise SolverFailure(report.violations)
    return _marked(plan, interrupt)


def plan_case(
    case: Case,
    *,
    solver: str | Engine | None = None,
    limits: Limits | None = None,
    inputs: tuple[tuple[str, str], ...] = (),
    policy: str | None = None,
    work_frac: float = 1.0,
    start: Plan | None = None,
) -> Plan:
    """
    The plan of a case, not yet audited.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    solver : str or Engine, optional
        ``highs``, ``cbc`` or an engine of one's own.
    limits : Limits, optional
        Time, gap, threads, seed. [s], [1]
    inputs : tuple of (path, sha256)
        Files that the case came from.
    policy : str, optional
        The scenario's when left out.
    work_frac : float
        For ``min-cost``: part of the most weighted work that must be done. [1]
    start : Plan, optional
        An earlier plan, to begin with and not to fall behind; for weighted work.

    Returns
    -------
    Plan
        The best plan found, or the reason why there is none. An interrupt is held: it asks
        for the best plan so far, and what is known of a plan is finished all the same.
    """
    with held() as interrupt:
        plan = _planned(case, interrupt, solver=solver, limits=limits or Limits(), inputs=inputs,
                        policy=policy, work_frac=work_frac, start=start)  # fmt: skip
    return _marked(plan, interrupt)


def _planned(
    case: Case,
    interrupt: Held,
    *,
    solver: str | Engine | None,
    limits: Limits,
    inputs: tuple[tuple[str, str], ...],
    policy: str | None,
    work_frac: float,
    start: Plan | None,
) -> Plan:
    """The plan of a case; an interrupt that comes once it is found ends nothing."""
    stated = getattr(case.scenario, "policy", None)
    by_cost = stated is None or stated.ties == "cost"
    policy = policy or (stated.objective if stated is not None else "weighted-work")
    prices: Mapping[str, float] | None = None
    proved: float | None = None
    offered: Options | None = None
    is_part = False  # whether the program leaves runs out, so that its prices prove nothing
    most = limits.memory_limit_bytes
    if policy == "weighted-work":
        answered = solve_case(case, solver=solver, limits=limits, ties_by_cost=by_cost,
                              prior=None if start is None else start.rows)  # fmt: skip
        program, register, solution = answered.program, answered.register, answered.solution
        prices, offered = answered.prices, answered.options
        proved = answered.certificate.recomputed if answered.certificate else None
        if start is not None:
            register, program, solution = begun_from(register, program, solution, start.rows,
                                                     memory_limit_bytes=most)  # fmt: skip
    else:
        options = enumerate_options(case, keeps_all=keeps_all(policy))
        is_part = policy in POLICIES and is_fair_large(options)
        if is_part or (policy in POLICIES and not options.is_whole):
            answer = solve_fair if is_part else solve_generated
            answered = answer(case, options, policy, solver=solver, limits=limits,
                              work_frac=work_frac)  # fmt: skip
            program, register, solution = answered.program, answered.register, answered.solution
            prices = answered.prices
            proved = answered.certificate.recomputed if answered.certificate else None
        else:
            program, register = build_program(case, options)
            solution = solve_by_policy(
                register, program, policy, solver=solver, limits=limits, work_frac=work_frac
            )
    if solution.point is None:
        words = _explained(program, solution, solver, most)
        return plan_without_rows(case, solution, inputs=inputs, warnings=words)
    interrupt.finish()
    solution = tidied(register, program, solution)
    plan = plan_of(register, program, solution, inputs=inputs)
    aim = _aim(plan, register, program, solution, is_part=is_part, memory_limit_bytes=most)
    plan = _with_alike(case, replace(plan, aim=aim))
    return _with_certificate(case, program, plan, prices, offered, proved=proved,
                             memory_limit_bytes=most)  # fmt: skip


def _marked(plan: Plan, interrupt: Held) -> Plan:
    """The plan, with an interrupt told at the end of its sentence."""
    said = plan.verdict.sentence
    head, mark = (said[:-1], ")") if said.endswith(")") else (said, "")
    is_known = plan.verdict.status == "infeasible" or head.endswith(", interrupted")
    if not interrupt.was_interrupted or is_known:
        return plan
    return replace(plan, verdict=replace(plan.verdict, sentence=f"{head}, interrupted{mark}"))


def _aim(
    plan: Plan,
    register: Register,
    program: Program,
    solution: Solution,
    *,
    is_part: bool,
    memory_limit_bytes: int,
) -> PlanAim | None:
    """What the plan reaches of its policy's goals, with prices that prove how near the best."""
    stated, case, verdict = solution.aim, register.case, plan.verdict
    if solution.policy == "weighted-work" and verdict.objective is not None:
        work = AimedGoal("work", verdict.objective, None, verdict.bound)
        cost = AimedGoal("cost", verdict.cost or 0.0, None, solution.cost_bound)
        return PlanAim(1.0, (work, cost))
    if stated is None or solution.point is None:
        return None
    terms = days = None
    if solution.policy == "finish-time":
        terms = finish_terms(case, servable(case, register.options))
        days = alone_days(case, stated)
    aim = aim_of(register, program, solution.policy, stated.work_frac, terms=terms,
                 alone_days=days)  # fmt: skip
    figures = figures_of_placements(register, placements(register, solution.point))
    if is_part:
        return of_plan(aim, stated, figures)
    return priced_aim(aim, stated, figures, memory_limit_bytes=memory_limit_bytes)


def _with_certificate(
    case: Case,
    program: Program,
    plan: Plan,
    prices: Mapping[str, float] | None,
    options: Options | None,
    *,
    proved: float | None,
    memory_limit_bytes: int,
) -> Plan:
    """The plan with prices that prove a bound on every plan; where none were found it says so."""
    if prices is None:
        if not program.columns.names:
            return plan
        found = row_prices(program, memory_limit_bytes=memory_limit_bytes)
        if found is None:
            return replace(plan, warnings=(*plan.warnings, UNPRICED))
        rows = zip(program.rows, found.tolist(), strict=True)
        prices = {row.name: price for row, price in rows if price}
    bound = proved_bound(case, prices, options=options) if proved is None else proved
    cost, work = plan.verdict.cost, plan.verdict.objective
    rate = cost / work if cost and work else None
    binds = bindings(case, prices, money_per_value=rate)
    return replace(plan, certificate=tuple(prices.items()), certified_bound=bound, binds=binds)


def _with_alike(case: Case, plan: Plan) -> Plan:
    """The plan, warned about funded jobs that look like one workload, and ids apart."""
    said = (*funded_alike(case.alike, frozenset(plan.rows.job)), *_ids_apart(case, plan))
    return replace(plan, warnings=(*plan.warnings, *said)) if said else plan


def _ids_apart(case: Case, plan: Plan) -> tuple[str, ...]:
    """Sentences about runs without contiguous ids in pools that ask for them."""
    asked = {
        name
        for name, is_asked in zip(case.pool_names, case.pool_contiguous.tolist(), strict=False)
        if is_asked
    }
    rows = zip(plan.rows.job, plan.rows.pool, plan.rows.node_ids, strict=True)
    return tuple(
        f"`{job}` has node ids of `{pool}` in {ids.count(',') + 1} places: "
        "no contiguous ones were found"
        for job, pool, ids in rows
        if pool in asked and "," in ids
    )


def _explained(
    program: Program, solution: Solution, solver: str | Engine | None, memory_limit_bytes: int
) -> tuple[str, ...]:
    """Why there is no plan, where that is proved."""
    if solution.status != "infeasible" or not engines_found():
        return ()
    notes: list[str] = []
    ask, _ = in_turn(solver, notes, memory_limit_bytes=memory_limit_bytes)
    return (*conflict(program, ask).sentences, *notes)


def _read(path: str | Path) -> Plan:
    """The plan of a file; a fault names the file, and the place in it where it has one."""
    try:
        return Plan.from_json(Path(path).read_text(encoding="utf-8-sig"))
    except InputError as error:
        raise InputError(
            replace(fault, where=replace(fault.where, path=str(path)))
            for fault in error.diagnostics
        ) from error
    except FileNotFoundError as error:
        raise InputError(
            Diagnostic("no-such-file", "the plan to start from does not exist", Where(str(path)))
        ) from error
    except (OSError, ValueError) as error:  # ValueError: bytes that are no text
        found = getattr(error, "strerror", None) or str(error)
        raise InputError(
            Diagnostic("unreadable-file", "the plan to start from cannot be read",
                       Where(str(path)), found=found)
        ) from error  # fmt: skip


def _sheets(scenario: Scenario, base_path: Path) -> tuple[tuple[str, str], ...]:
    """Files that a scenario reads beside itself, each with its SHA-256."""
    models = [job.model for job in scenario.jobs.values()]
    names = dict.fromkeys((*scenario.files, *models))
    found = [(name, base_path / name) for name in names]
    return tuple(
        (name, hashlib.sha256(path.read_bytes()).hexdigest())
        for name, path in found
        if path.is_file()
    )


def _shown_path(path: str, base_path: str | Path | None) -> str:
    """A file as a plan names it: relative to the scenario's folder where it lies in it."""
    try:
        return Path(os.path.relpath(path, base_path or ".")).as_posix()
    except ValueError:  # another drive
        return Path(path).as_posix()
