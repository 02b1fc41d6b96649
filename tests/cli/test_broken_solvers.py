"""Solvers that break under the command: the plan is made all the same, and says what happened."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from planner.allocation.solver import engine as room
from planner.allocation.solver import guard
from tests.planner.allocation import faulty

EXAMPLE = files("planner").joinpath("examples", "first-minute.yaml")

ARGUMENTS = 'while [ $# -gt 0 ]; do case "$1" in *solution|*solu) out="$2";; esac; shift; done\n'


@pytest.fixture
def fake_cbc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A CBC on the search path that does as the lines of a shell script say."""

    def make(lines: str) -> None:
        place = tmp_path / "bin" / "cbc"
        place.parent.mkdir()
        place.write_text(f"#!/bin/sh\n{lines}\n")
        place.chmod(0o755)
        monkeypatch.setenv("PATH", f"{place.parent}{os.pathsep}{os.environ['PATH']}")

    return make


def solved(cli, *more: object) -> dict:
    """The plan that the command answers with."""
    answer = cli("allocate", EXAMPLE, "--format", "json", *more)
    assert answer.code == 0, answer.err
    assert "Traceback" not in answer.err
    plan = json.loads(answer.out)
    assert plan["verdict"]["status"] in ("optimal", "feasible")
    assert plan["rows"]
    return plan


@pytest.mark.parametrize(
    "lines",
    [
        "exit 1",
        "kill -SEGV $$",
        "kill -KILL $$",
        "echo what?; exit 0",
        ARGUMENTS + 'printf "\\000\\377 garbage" > "$out"',
        ARGUMENTS + ': > "$out"',
        ARGUMENTS + 'echo "Optimal - objective value 1\n 0 X0000000 what 0" > "$out"',
        ARGUMENTS + 'echo "Infeasible - objective value 0" > "$out"',
        ARGUMENTS + 'echo "Optimal - objective value nan\n 0 X0000000 nan 0" > "$out"',
    ],
)
def test_a_cbc_that_breaks_or_lies_is_followed_by_highs(lines: str, cli, fake_cbc) -> None:
    fake_cbc(lines)
    plan = solved(cli, "--solver", "cbc", "--time-limit", "60s")
    assert plan["verdict"]["status"] == "optimal"
    assert plan["verdict"]["solver"] == "HiGHS"
    assert [text for text in plan["warnings"] if text.startswith("CBC failed: the solver ")]


def test_a_cbc_that_answers_nothing_well_is_not_believed(cli, fake_cbc) -> None:
    # A plan without any job keeps every rule, and CBC calls it the best.
    fake_cbc(ARGUMENTS + 'echo "Optimal - objective value 0" > "$out"')
    true = solved(cli)
    plan = solved(cli, "--solver", "cbc")
    bound, reached = plan["verdict"]["bound"], plan["verdict"]["objective"]
    assert reached <= true["verdict"]["objective"] * (1 + 1e-9)
    assert bound is None or bound >= true["verdict"]["objective"] * (1 - 1e-9)


def test_a_cbc_that_hangs_is_ended_with_all_it_started(cli, fake_cbc, tmp_path: Path) -> None:
    fake_cbc(f"trap '' INT TERM HUP\necho $$ > {tmp_path}/pid\nwhile true; do sleep 1000; done")
    began = time.monotonic()
    plan = solved(cli, "--solver", "cbc", "--time-limit", "2s")
    assert "CBC failed: the solver gave no answer and was ended" in plan["warnings"]
    assert 7.0 < time.monotonic() - began < 60
    state = Path("/proc", (tmp_path / "pid").read_text().strip(), "status")
    assert not state.exists() or "\nState:\tZ" in state.read_text()  # ended, if not forgotten


def test_a_highs_that_crashes_is_told(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "highs", faulty.segfaults)
    plan = solved(cli)
    assert "HiGHS failed: the solver's process was ended by SIGSEGV" in plan["warnings"]
    others = [name for name in room.engines_found() if name != "highs"]
    assert plan["verdict"]["solver"] == ("CBC" if others else "no solver")


def test_the_plan_in_hand_stands_when_the_only_solver_crashes(
    cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(room, "highs", faulty.segfaults)
    monkeypatch.setattr(guard, "engines_found", lambda: ("highs",))
    place = tmp_path / "plan.json"
    answer = cli("allocate", EXAMPLE, "-o", place)
    assert answer.code == 0
    plan = json.loads(place.read_text())
    assert plan["verdict"]["solver"] == "no solver"
    assert plan["rows"]
    assert "the plan is the best that was known without a solver's answer" in plan["warnings"]
    assert "HiGHS failed: the solver's process was ended by SIGSEGV" in answer.out
    assert cli("verify", EXAMPLE, place).code == 0


@pytest.mark.parametrize("policy", ["max-min", "min-cost", "proportional"])
def test_a_policy_without_a_solver_that_works_is_our_fault_and_says_so(
    policy: str, cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "highs", faulty.segfaults)
    monkeypatch.setattr(guard, "engines_found", lambda: ("highs",))
    answer = cli("allocate", EXAMPLE, "--policy", policy)
    if answer.code == 0:  # a plan was in hand without the solver
        assert "HiGHS failed: the solver's process was ended by SIGSEGV" in answer.out
        return
    assert (answer.code, answer.out) == (3, "")
    assert "error[solver-crashed]: the solver's process was ended by SIGSEGV" in answer.err


def test_memory_that_is_too_little_is_told(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    # A question without the limit would fill all of the machine's memory.
    monkeypatch.setattr(room, "highs", faulty.takes_all_memory)
    plan = solved(cli, "--memory-limit", "200 MB")
    assert "HiGHS failed: the solver ran out of memory" in plan["warnings"]
    assert cli("allocate", EXAMPLE, "--memory-limit", "much").code == 2


def test_without_highs(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    assert "highs" not in room.engines_found()
    assert cli("allocate", EXAMPLE, "--solver", "highs").code == 2
    if room.engines_found():
        assert solved(cli)["verdict"]["solver"] == "CBC"


def test_without_any_solver(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    monkeypatch.setattr(room, "cbc_path", lambda: None)
    plan = solved(cli)
    assert "no solver is installed" in plan["warnings"]
    answer = cli("allocate", EXAMPLE, "--policy", "max-min")
    assert (answer.code, answer.out) == (3, "")
    assert "error[no-solver]" in answer.err
