"""Cases drawn by a seed: whole runs only, every rule that speaks of them at work now and then."""

from __future__ import annotations

import numpy as np

from planner.allocation.offer.option import Options
from planner.allocation.program.families import build_program
from planner.allocation.solver.engine import ENGINES
from planner.allocation.solver.solve import Limits, Solution, solve
from planner.case import Case
from tests.planner.allocation.conftest import J, P, Spec, T, build

EXACT = Limits(gap_frac=0.0, time_limit_s=30.0)


def drawn_case(seed: int, jobs: int | None = None, *, floors: bool = True) -> Case:
    """A small case, or one of a given number of jobs."""
    dice = np.random.default_rng(seed)
    many = jobs or int(dice.integers(2, 6))
    days = int(dice.choice([21, 28, 35]))
    pools = [
        P(
            deliveries=_deliveries(dice, days),
            price=float(dice.choice([0.0, 1.0, 2.5])),
            equivalent=float(dice.choice([0.5, 1.0, 2.0])),
            shared=bool(dice.random() < 0.7),
            rate=float(dice.choice([0.7, 1.0, 1.6])),
        )
        for _ in range(int(dice.integers(1, 3)) if jobs is None else 3)
    ]
    teams = [
        T(
            weight=float(dice.choice([0.5, 1.0, 2.0])),
            budget=float(dice.choice([-1.0, -1.0, 40.0, 90.0])) * (1 if jobs is None else 3),
            floor=float(dice.choice([0.0] * 7 + [0.3])) if floors else 0.0,
            cap=float(dice.choice([0.0, 0.0, 3.0, 5.0])),
        )
        for _ in range(2)
    ]
    found = [_job(dice, at, days) for at in range(many)]
    share = float(dice.choice([0.0, 0.0, 0.5]))
    return build(Spec(pools, found, teams, days=days, period=7, share=share))


def _deliveries(dice: np.random.Generator, days: int) -> list[tuple[int, int, int]]:
    """Deliveries that nest: one, or two that end or begin together."""
    kinds = [[(0, days, 5)], [(0, days, 3), (7, days, 3)], [(0, days, 3), (0, 14, 2)]]
    return kinds[int(dice.integers(0, len(kinds)))]


def _job(dice: np.random.Generator, at: int, days: int) -> J:
    """One job."""
    first = int(dice.choice([0, 0, 0, 3, 7]))
    soft = (int(dice.integers(7, days)), float(dice.choice([0.01, 0.05])))
    return J(
        team=int(dice.integers(0, 2)),
        tokens=float(dice.uniform(3.0, 40.0)),
        value=float(dice.uniform(0.5, 3.0)),
        nodes=tuple(sorted(dice.choice([1, 2, 3, 4, 5], 3, replace=False).tolist())),
        window=(first, days) if dice.random() < 0.7 else (first, int(days - 3)),
        soft=soft if dice.random() < 0.3 else None,
        partial=bool(dice.random() < 0.15),
        identity=7 if dice.random() < 0.2 else None,
        after=(int(dice.integers(0, at)),) if at and dice.random() < 0.25 else (),
    )


def optimum(case: Case, options: Options) -> Solution:
    """The exact answer of the solver over some options, in this process since that is sooner."""
    program, _ = build_program(case, options)
    return solve(program, solver=ENGINES["highs"], limits=EXACT)
