"""Ctrl-C and SIGTERM at any moment: the exit code says so, and no file is half written."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.cli.conftest import clean_environment
from tests.conftest import examples

EXAMPLE = files("planner").joinpath("examples", "first-minute.yaml")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}

# Takes the signal as the command does, and says when it can.
BEGIN = (
    "import sys; from planner.cli.main import main; "
    "print('begun', file=sys.stderr, flush=True); sys.argv[0] = 'planner'; main()"
)


def allocate(place: Path, scenario: object, *more: str) -> subprocess.Popen[bytes]:
    """The command as a process that has begun."""
    run = subprocess.Popen(
        [sys.executable, "-c", BEGIN, "allocate", str(scenario), "-o", str(place), *more],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=clean_environment(),
    )  # fmt: skip
    assert run.stderr is not None
    assert run.stderr.readline() == b"begun\n"
    return run


def checked(run: subprocess.Popen[bytes], number: int, place: Path, old: str) -> str:
    """What an interrupted command left, after it was found whole: nothing new, or a plan."""
    out, err = (text.decode() for text in run.communicate(timeout=120))
    assert "Traceback" not in err, err
    assert "bug" not in err, err
    assert os.listdir(place.parent) == [place.name]
    text = place.read_text()
    if text == old:
        # Nothing was known yet, or all was done before the signal came.
        assert (run.returncode, out) == (CODES[signal.Signals(number)], ""), err
        assert "interrupted" in err
        return "nothing"
    plan = json.loads(text)
    sentence = plan["verdict"]["sentence"]
    assert out == "" or out.startswith(sentence)
    if run.returncode == 0:
        assert "interrupted" not in sentence
        return "done"
    assert run.returncode == CODES[signal.Signals(number)], err
    return plan["verdict"]["status"]


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long the command takes here when it is let be."""
    began = time.monotonic()
    run = allocate(tmp_path_factory.mktemp("whole") / "plan.json", EXAMPLE)
    run.communicate(timeout=120)
    assert run.returncode == 0
    return time.monotonic() - began


def moments(count: int, seconds: float) -> Iterator[float]:
    """Moments spread over a run, each at random in its part of it."""
    dice = random.Random(7)
    for at in range(count):
        yield (at + dice.random()) / count * seconds


@pytest.mark.parametrize("number", list(CODES))
def test_a_signal_at_random_moments(number: int, seconds: float, tmp_path: Path) -> None:
    place, old = tmp_path / "plan.json", "an older plan\n"
    for moment in moments(examples(8, 48), 1.05 * seconds):
        place.write_text(old)
        run = allocate(place, EXAMPLE)
        time.sleep(moment)
        run.send_signal(number)
        checked(run, number, place, old)


@pytest.fixture
def hard(tmp_path: Path) -> Path:
    """A scenario with plans that are found at once and not proved the best in a minute."""
    jobs = "\n".join(
        f"  job-{at}: {{consortium: team-{at % 4}, data: set-{at}, "
        f"model: Llama-3.1-{(8, 70)[at % 2]}B, "
        f"tokens: {(3 + at * 37 % 19) / (2, 8)[at % 2]} T, nodes: {{min: 2, max: 16}}, "
        f"value: {1 + at * 7 % 11}}}"
        for at in range(36)
    )
    pools = "\n".join(
        f"  {name}: {{device: {device}, nodes: {nodes}, price: {price} USD / device-hour}}"
        for name, device, nodes, price in (("new", "b200_sxm_180gb", 17, 4), ("old",
                                           "h100_sxm5_80gb", 23, 2))
    )  # fmt: skip
    teams = "\n".join(f"  team-{at}: {{name: Team {at}, kind: startup}}" for at in range(4))
    place = tmp_path / "in" / "hard.yaml"
    place.parent.mkdir()
    place.write_text(
        "schema: planner/scenario/1\nname: hard\ncurrency: USD\n"
        "horizon: {from: 2027-01-01, to: 2027-06-30, resolution: week}\n"
        f"pools:\n{pools}\nconsortiums:\n{teams}\njobs:\n{jobs}\n"
    )
    return place


def solver_of(run: subprocess.Popen[bytes]) -> int:
    """The process in which the solver looks for plans, once it is at it for a second."""
    since: dict[int, float] = {}
    for _ in range(12_000):
        listed = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        for child in map(int, listed):
            if time.monotonic() - since.setdefault(child, time.monotonic()) > 1.5:
                return child
        time.sleep(0.01)
    raise AssertionError("no solver was started")


def ended(run: subprocess.Popen[bytes], place: Path, scenario: Path, code: int) -> dict:
    """The plan that a command left, which keeps what it says."""
    out, err = (text.decode() for text in run.communicate(timeout=120))
    assert (run.returncode, "Traceback" in err) == (code, False), err
    plan = json.loads(place.read_text())
    assert out.startswith(plan["verdict"]["sentence"])
    assert plan["verdict"]["status"] == "feasible"
    assert plan["rows"]
    verified = subprocess.run(
        [sys.executable, "-m", "planner", "verify", scenario, place], capture_output=True,
        text=True, env=clean_environment(), check=False,
    )  # fmt: skip
    assert (verified.returncode, verified.stderr) == (0, ""), verified.stdout
    return plan


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the solver in /proc")
@pytest.mark.parametrize("number", list(CODES))
def test_a_signal_while_solving_gives_an_audited_plan(
    number: int, hard: Path, tmp_path: Path
) -> None:
    place = tmp_path / "plan.json"
    run = allocate(place, hard, "--time-limit", "300s")
    solver_of(run)
    run.send_signal(number)
    plan = ended(run, place, hard, CODES[signal.Signals(number)])
    assert plan["verdict"]["sentence"].endswith(", interrupted)")
    assert plan["certificate"]["prices"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the solver in /proc")
def test_two_interrupts_end_a_stopped_solver_and_keep_the_plan(hard: Path, tmp_path: Path) -> None:
    place = tmp_path / "plan.json"
    run = allocate(place, hard, "--time-limit", "300s")
    solver = solver_of(run)
    os.kill(solver, signal.SIGSTOP)  # hears nothing
    run.send_signal(signal.SIGINT)
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    plan = ended(run, place, hard, 130)
    assert plan["verdict"]["sentence"].endswith(", interrupted)")


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the solver in /proc")
def test_a_killed_solver_costs_no_plan(hard: Path, tmp_path: Path) -> None:
    place = tmp_path / "plan.json"
    run = allocate(place, hard, "--time-limit", "10s", "--solver", "highs")
    os.kill(solver_of(run), signal.SIGKILL)
    plan = ended(run, place, hard, 0)
    assert "HiGHS failed: the solver's process was ended by SIGKILL" in plan["warnings"]
