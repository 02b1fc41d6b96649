"""Cases whose chains are all listed: never behind whole runs, and near the whole program's best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases import Size, make_case
from planner.allocation.flexible import listed
from planner.allocation.flexible.listed import solve_listed
from planner.allocation.offer.chain import no_chains
from planner.allocation.offer.option import Options, enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.solver.solve import Limits, Solution, solve
from planner.allocation.solver.task import Answer, Task
from planner.case import Case


def small(seed: int) -> Case:
    """A case of five flexible jobs with some thousand chains."""
    case = make_case(Size(5, 2, 2, 6, 2), seed)
    return replace(
        case, job_flexible=np.ones(5, dtype=np.bool_), job_move_days=np.ones(5, dtype=np.int64)
    )


def asked(case: Case, options: Options, limits: Limits, solver: object = None) -> Solution:
    """The answer in the way for listed cases."""
    program, register = build_program(case, options)
    return solve_listed(case, options, program, register, solver=solver,  # type: ignore[arg-type]
                        limits=limits, known=None, ties_by_cost=False)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_many_chains_give_the_same_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = small(seed)
    options = enumerate_options(case)
    assert options.is_whole
    assert len(options.chains) > 60
    program, _ = build_program(case, options)
    limits = Limits(time_limit_s=60.0, gap_frac=0.0)
    best = solve(program, limits=limits, ties_by_cost=False)
    monkeypatch.setattr(listed, "MANY_CHAINS", 10)
    monkeypatch.setattr(listed, "DENSE_CHAINS", 20)
    monkeypatch.setattr(listed, "FEW_CHAINS", 30)
    found = asked(case, options, limits)
    assert found.status == best.status == "optimal"
    assert found.objective == pytest.approx(best.objective, rel=1e-9)


def test_a_solver_that_fails_on_all_chains_leaves_the_plan_of_whole_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = small(1)
    options = enumerate_options(case)
    chains, links = no_chains()
    alone, _ = build_program(case, replace(options, chains=chains, links=links))
    fixed = solve(alone, ties_by_cost=False)
    few = len(options.runs) + 40

    def fails(task: Task) -> Answer:
        from planner.allocation.solver.highs import highs

        if len(task.program.columns.names) > few:
            raise RuntimeError("too much")
        return highs(task)

    monkeypatch.setattr(listed, "MANY_CHAINS", 10)
    monkeypatch.setattr(listed, "DENSE_CHAINS", 20)
    monkeypatch.setattr(listed, "FEW_CHAINS", 30)
    found = asked(case, options, Limits(time_limit_s=20.0), fails)
    assert fixed.objective is not None
    assert found.objective is not None
    assert found.bound is not None
    assert found.bound >= found.objective >= fixed.objective - 1e-9
    assert any("too much" in note for note in found.notes)
