"""Policies other than weighted work where jobs may change in more ways than can be listed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.allocation.choice import solve_by_policy
from planner.allocation.offer.option import Options
from planner.allocation.policy.stand_alone import StandAlone
from planner.allocation.portfolio import Answered, solve_case
from planner.allocation.program.families import build_program
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["solve_generated"]

WORK_PART = 0.4  # of the time for plans of the most weighted work, whose chains are taken
ALL_RUNS = 15_000  # up to here all runs are there too, so that nothing fixed is left out


def solve_generated(
    case: Case,
    options: Options,
    policy: str,
    *,
    solver: str | Engine | None = None,
    limits: Limits,
    work_frac: float = 1.0,
    alone: StandAlone | None = None,
) -> Answered:
    """
    The best point by a policy over all runs and the chains that weighted work looked at.

    Parameters
    ----------
    case, options : Case, Options
        What there is; its chains are too many to list, `is_whole` is false.
    policy : str
        One of `goal.POLICIES` but weighted work.
    solver : str or Engine, optional
        As `solve.solve` takes it.
    limits : Limits
        Time, gap, threads and seed. [s], [1]
    work_frac : float
        For policies of the least. [1]
    alone : StandAlone, optional
        Stand-alone plans in hand, for ``finish-time``.

    Returns
    -------
    Answered
        What is proved of the policy holds among the plans that were looked at, and the words
        say so; the solution states no aim, which could not be recomputed. Its bound on
        weighted work, and the certificate, hold for all plans. Where no plan is found nothing
        is proved: another chain might do.

    Notes
    -----
    Chains are generated at prices of weighted work, so that of a policy with another aim
    there may be better ones. Where the number of runs lets all of them be there, so is every
    plan that the policy could choose for fixed jobs.
    """
    brief = replace(limits, time_limit_s=WORK_PART * limits.time_limit_s)
    work = solve_case(case, solver=solver, limits=brief, ties_by_cost=False)
    made = work.register.options
    few = len(options.runs) <= ALL_RUNS
    there = replace(made, runs=options.runs if few else made.runs, is_whole=False)
    program, register = build_program(case, there)
    rest = replace(limits, time_limit_s=(1 - WORK_PART) * limits.time_limit_s)
    found = solve_by_policy(register, program, policy, solver=solver, limits=rest,
                            work_frac=work_frac, alone=alone)  # fmt: skip
    many = len(register.plans) + len(there.modes)
    status = "unsolved" if found.status == "infeasible" else found.status
    words = f"{found.words or 'a plan'}, among the {many} plans of jobs that were looked at"
    found = replace(
        found,
        status=status,
        bound=work.solution.bound,
        words=words,
        aim=None,
        aim_gap_frac=None,
        seconds=found.seconds + work.solution.seconds,
    )
    return Answered(program, register, found, work.certificate)
