"""Solvers that crash, hang, are killed, run out of memory or lie cost their process alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardware.errors import SolverFailure
from planner.allocation.conflict.smallest import conflict
from planner.allocation.policy.goal import Goal
from planner.allocation.policy.sequence import reach
from planner.allocation.solver import apart as room
from planner.allocation.solver import guard
from planner.allocation.solver.apart import apart, grace_s
from planner.allocation.solver.engine import Answer, Task, engines_found
from planner.allocation.solver.solve import Limits, solve
from planner.allocation.solver.turn import in_turn
from tests.planner.allocation import faulty
from tests.planner.allocation.conftest import J, P, Spec, T
from tests.planner.allocation.test_solve import HARD, program

LIMITS = Limits(time_limit_s=20.0, gap_frac=0.0)


def task(limit_s: float = 20.0, **more: object) -> Task:
    asked = program()
    made = Task(asked, -asked.columns.value, time_limit_s=limit_s)
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.fixture(params=["fork", "spawn"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to a process; a short grace."""
    if request.param == "fork" and not room.can_fork():
        pytest.skip("a fork is not safe here")
    if request.param == "spawn":
        monkeypatch.setattr(room, "can_fork", lambda: False)
    monkeypatch.setattr(room, "grace_s", lambda limit: 0.5)
    return str(request.param)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Two solvers are installed, of which the first is the one given."""

    def installed(first: object, second: object = faulty.honest) -> None:
        named = {"one": (first, "One", "1"), "two": (second, "Two", "2")}
        monkeypatch.setattr(guard, "engines_found", lambda: ("one", "two"))
        monkeypatch.setattr(guard, "engine", named.__getitem__)

    return installed


def children() -> set[str]:
    """Processes that this one has started and not waited for."""
    listed = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
    return set(listed.split())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No process, thread, descriptor or handler outlives a question."""
    handler = signal.getsignal(signal.SIGINT)
    before = children(), len(os.listdir("/proc/self/fd"))
    yield
    assert signal.getsignal(signal.SIGINT) is handler
    ended = time.monotonic() + 5.0
    while threading.active_count() > 1 and time.monotonic() < ended:
        time.sleep(0.01)  # the reader of a process that was just ended
    assert (children(), len(os.listdir("/proc/self/fd"))) == before


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("ask", "code", "words"),
    [
        (faulty.segfaults, "solver-crashed", "SIGSEGV"),
        (faulty.aborts, "solver-crashed", "SIGABRT"),
        (faulty.kills_itself, "solver-crashed", "SIGKILL"),
        (faulty.leaves, "solver-crashed", "exit code 3"),
        (faulty.raises_oddly, "solver-failure", "an odd one"),
        (faulty.exits, "solver-failure", "SystemExit: enough"),
        (faulty.says_nothing, "solver-failure", "NoneType"),
        (faulty.says_what_cannot_be_sent, "solver-failure", "pickle"),
        (faulty.writes_garbage, "solver-crashed", "exit code 0"),
    ],
)
def test_what_breaks_is_told_apart(ask: Callable[[Task], Answer], code: str, words: str) -> None:
    with pytest.raises(SolverFailure) as failure:
        apart(ask)(task())
    (found,) = failure.value.diagnostics
    assert found.code == code
    assert words in found.message


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("ask", [faulty.is_deaf_and_hangs, faulty.hangs_in_native_code])
def test_what_hangs_is_ended_after_the_limit_and_a_grace(ask: Callable[[Task], Answer]) -> None:
    began = time.monotonic()
    with pytest.raises(SolverFailure, match="gave no answer") as failure:
        apart(ask)(task(0.5))
    assert failure.value.diagnostics[0].code == "solver-hung"
    assert 1.0 <= time.monotonic() - began < 20


def test_the_grace_is_a_fifth_and_five_seconds_at_least() -> None:
    assert [grace_s(limit) for limit in (0.1, 25.0, 100.0)] == [5.0, 5.0, 20.0]


@pytest.mark.usefixtures("way")
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
@pytest.mark.parametrize(
    "ask",
    [
        faulty.takes_all_memory,
        faulty.takes_all_memory_natively,
        faulty.takes_all_memory_deep_down,
    ],
)
def test_a_limit_of_memory_is_a_limit(ask: Callable[[Task], Answer]) -> None:
    with pytest.raises(SolverFailure) as failure:
        apart(ask)(task(memory_limit_bytes=300_000_000))
    assert failure.value.diagnostics[0].code == "solver-out-of-memory"
    assert failure.value.diagnostics[0].expected == "at most 300 MB"


@pytest.mark.usefixtures("way")
def test_a_limit_of_memory_that_is_enough_changes_nothing() -> None:
    limited = apart(faulty.honest)(task(memory_limit_bytes=2_000_000_000))
    free = apart(faulty.honest)(task())
    assert limited.point is not None
    assert free.point is not None
    assert (limited.point == free.point).all()


@pytest.mark.usefixtures("way")
def test_the_same_answer_comes_from_a_process_of_its_own() -> None:
    here, there = faulty.honest(task()), apart(faulty.honest)(task())
    assert here.point is not None
    assert there.point is not None
    assert (here.point == there.point).all()
    assert (here.bound, here.claimed, here.log) == (there.bound, there.claimed, there.log)


@pytest.mark.usefixtures("way")
def test_what_a_solver_prints_stays_in_its_process(capfd: pytest.CaptureFixture[str]) -> None:
    assert apart(faulty.prints)(task()).point is not None
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("ask", "code"),
    [(faulty.tells_then_dies, "solver-crashed"), (faulty.tells_then_hangs, "solver-hung")],
)
def test_the_last_point_told_survives(ask: Callable[[Task], Answer], code: str) -> None:
    answer = apart(ask)(task(0.5))
    assert answer.failure is not None
    assert answer.failure.code == code
    assert answer.bound is None  # what a broken solver says of that is worth nothing
    assert answer.point is not None
    assert not answer.point.any()


@pytest.mark.usefixtures("way")
def test_points_told_on_the_way_keep_every_row() -> None:
    told = []
    asked = program(HARD)
    apart(faulty.honest)(
        Task(asked, -asked.columns.value, time_limit_s=5.0, gap_frac=0.05,
             on_progress=told.append)
    )  # fmt: skip
    points = [state.point for state in told if state.point is not None]
    assert points
    made = Task(asked, -asked.columns.value)
    for point in points:
        assert guard.checked(made, Answer(point, None)).point is point


@pytest.mark.usefixtures("way")
def test_nothing_that_a_dead_solver_started_or_wrote_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEFT_BEHIND", str(tmp_path / "left"))
    with pytest.raises(SolverFailure, match="SIGSEGV"):
        apart(faulty.leaves_files_and_children)(task())
    place, child = (tmp_path / "left").read_text().split()
    assert not Path(place).exists()
    ended = time.monotonic() + 5.0
    while _runs(int(child)) and time.monotonic() < ended:
        time.sleep(0.01)
    assert not _runs(int(child))


def test_a_solver_ends_with_us(tmp_path: Path) -> None:
    program = f"""
import sys
sys.path[:] = {sys.path!r}
from planner.allocation.solver.apart import apart
from tests.planner.allocation import faulty
from tests.planner.allocation.test_faults import task
apart(faulty.is_deaf_and_hangs)(task(100.0))
"""
    environment = {**os.environ, "LEFT_BEHIND": str(tmp_path / "pid")}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as run:
        ended = time.monotonic() + 60
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < ended
            time.sleep(0.05)
        run.kill()
    pid = int((tmp_path / "pid").read_text())
    time.sleep(0.5)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    """Whether a process runs, and not only waits to be forgotten."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_another_thread_may_ask() -> None:
    found: list[Answer] = []
    asking = threading.Thread(target=lambda: found.append(apart(faulty.honest)(task())))
    asking.start()
    asking.join()
    here = faulty.honest(task())
    assert here.point is not None
    assert found[0].point is not None
    assert (found[0].point == here.point).all()


def test_a_solver_that_no_process_can_find_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "can_fork", lambda: False)
    seen = []

    def mine(task: Task) -> Answer:
        seen.append(os.getpid())
        return faulty.honest(task)

    assert apart(mine)(task()).point is not None
    assert seen == [os.getpid()]


def test_without_any_process_a_solver_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", none)
    monkeypatch.setattr(subprocess, "Popen", none)
    assert apart(faulty.honest)(task()).point is not None


def _press(times: int, first_s: float = 0.5, each_s: float = 0.3) -> None:
    """Press Ctrl-C some times from a process of its own."""
    if os.fork() == 0:
        time.sleep(first_s)
        for _ in range(times):
            os.kill(os.getppid(), signal.SIGINT)
            time.sleep(each_s)
        os._exit(0)


def test_a_second_interrupt_ends_a_solver_that_does_not_hear_the_first() -> None:
    began = time.monotonic()
    _press(2)
    answer = apart(faulty.tells_then_hangs)(task(100.0))
    os.wait()
    assert answer.was_interrupted
    assert answer.point is not None
    assert time.monotonic() - began < 4.5  # sooner than the first one's patience


def test_one_interrupt_is_obeyed_by_force_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "STOP_S", 1.0)
    began = time.monotonic()
    _press(1)
    answer = apart(faulty.tells_then_hangs)(task(100.0))
    os.wait()
    assert answer.was_interrupted
    assert answer.point is not None
    assert 1.4 < time.monotonic() - began < 20


@pytest.mark.parametrize("name", engines_found())
def test_an_interrupted_solver_gives_its_best(name: str) -> None:
    asked = program(HARD)
    _press(1, first_s=4.0)
    found = solve(asked, solver=name, limits=replace(LIMITS, time_limit_s=60.0))
    os.wait()
    assert found.was_interrupted
    assert found.point is not None
    assert found.notes == ()
    assert found.seconds < 40


@pytest.mark.parametrize(
    "ask",
    [faulty.segfaults, faulty.kills_itself, faulty.leaves, faulty.exits, faulty.takes_all_memory,
     faulty.says_what_cannot_be_sent],
)  # fmt: skip
def test_the_other_solver_goes_on(ask: Callable[[Task], Answer], pair: Callable[..., None]) -> None:
    pair(apart(ask))
    true = solve(program(), solver=faulty.honest, limits=LIMITS)
    found = solve(program(), limits=replace(LIMITS, memory_limit_bytes=200_000_000))
    assert (found.solver, found.status, found.objective) == ("Two", "optimal", true.objective)
    assert [note for note in found.notes if note.startswith("One failed: the solver")]


def test_the_other_solver_starts_from_the_best_point_told(pair: Callable[..., None]) -> None:
    starts = []

    def second(task: Task) -> Answer:
        starts.append(task.start)
        return faulty.honest(task)

    pair(apart(faulty.tells_the_best_then_dies), second)
    true = solve(program(), solver=faulty.honest, limits=LIMITS, ties_by_cost=False)
    found = solve(program(), limits=LIMITS, ties_by_cost=False)
    assert (found.solver, found.objective) == ("Two", true.objective)
    assert starts[0] is not None
    assert float(program().columns.value @ starts[0]) == pytest.approx(true.objective)


def test_the_plan_in_hand_stands_when_all_break(pair: Callable[..., None]) -> None:
    pair(apart(faulty.tells_the_best_then_dies), apart(faulty.segfaults))
    true = solve(program(), solver=faulty.honest, limits=LIMITS, ties_by_cost=False)
    found = solve(program(), limits=LIMITS)
    assert found.objective == true.objective
    assert found.solver == "One"
    assert found.bound is None or found.bound >= true.objective - 1e-9
    assert len(found.notes) == 3
    assert found.notes[-1] == "the plan is the best that was known without a solver's answer"


def test_all_broken_without_a_point_is_a_failure_with_every_reason(
    pair: Callable[..., None],
) -> None:
    pair(apart(faulty.segfaults), apart(faulty.leaves))
    with pytest.raises(SolverFailure) as failure:
        solve(program(), limits=LIMITS)
    assert [one.code for one in failure.value.diagnostics] == ["solver-crashed"] * 2


@pytest.mark.parametrize(
    "lie",
    [
        lambda a: replace(a, point=a.point * 0.5),
        lambda a: replace(a, point=np.ones_like(a.point)),
        lambda a: replace(a, point=a.point * np.nan),
        lambda a: replace(a, point=np.full_like(a.point, np.inf)),
        lambda a: replace(a, point=a.point[:-1]),
        lambda a: replace(a, point=np.append(a.point, 0.0)),
        lambda a: replace(a, point=a.point.reshape(1, -1)),
        lambda a: replace(a, point=[0.0] * len(a.point)),
        lambda a: replace(a, point=np.array(["x"] * len(a.point))),
        lambda a: None,
        lambda a: "an answer",
    ],
)
def test_a_lie_is_told_and_the_other_solver_goes_on(
    lie: Callable[[Answer], Answer], pair: Callable[..., None]
) -> None:
    pair(lambda task: lie(faulty.honest(task)))
    true = solve(program(), solver=faulty.honest, limits=LIMITS)
    found = solve(program(), limits=LIMITS)
    assert (found.solver, found.objective) == ("Two", true.objective)
    assert found.notes[0].startswith("One failed: the solver returned")


@pytest.mark.parametrize("bound", [float("nan"), float("inf"), float("-inf"), -1e-3, -0.5])
def test_a_wrong_bound_is_not_believed(bound: float, pair: Callable[..., None]) -> None:
    pair(lambda task: replace(faulty.honest(task), bound=bound))
    true = solve(program(), solver=faulty.honest, limits=LIMITS, ties_by_cost=False)
    found = solve(program(), limits=LIMITS, ties_by_cost=False)
    assert found.objective == true.objective
    assert found.bound is None or (np.isfinite(found.bound) and found.bound >= true.objective)


def test_policies_go_on_with_the_other_solver(pair: Callable[..., None]) -> None:
    pair(apart(faulty.segfaults))
    asked = program()
    goals = (Goal("work", -asked.columns.value), Goal("cost", asked.columns.cost))
    notes: list[str] = []
    ask, who = in_turn(None, notes)
    found = reach(asked, asked, goals, ask=ask, limits=LIMITS)
    true = reach(asked, asked, goals, ask=faulty.honest, limits=LIMITS)
    assert found.reached == pytest.approx(true.reached)
    assert who() == ("Two", "2")
    assert notes == ["One failed: the solver's process was ended by SIGSEGV"]


def test_a_policy_keeps_what_was_reached_before_all_broke(pair: Callable[..., None]) -> None:
    asked = program()
    goals = (Goal("work", -asked.columns.value), Goal("cost", asked.columns.cost))
    calls = []

    def once(task: Task) -> Answer:
        calls.append(task)
        return faulty.honest(task) if len(calls) == 1 else apart(faulty.segfaults)(task)

    pair(once, apart(faulty.leaves))
    notes: list[str] = []
    ask, _ = in_turn(None, notes)
    found = reach(asked, asked, goals, ask=ask, limits=LIMITS)
    assert found.point is not None
    assert len(found.reached) == 1
    assert len(notes) == 2


def test_a_lie_in_a_policy_is_told_and_the_other_solver_goes_on(
    pair: Callable[..., None],
) -> None:
    pair(lambda task: replace(faulty.honest(task), point=np.ones(len(task.minimise))))
    notes: list[str] = []
    ask, who = in_turn(None, notes)
    asked = program()
    answer = ask(Task(asked, -asked.columns.value, time_limit_s=20.0))
    assert answer.point is not None
    assert who()[0] == "Two"
    assert "breaks a row" in notes[0]


def test_a_solver_that_has_failed_twice_is_not_asked_again(pair: Callable[..., None]) -> None:
    asked = []

    def broken(task: Task) -> Answer:
        asked.append(task)
        raise RuntimeError("broken")

    pair(broken, broken)
    ask, _ = in_turn(None, [])
    for _ in range(3):
        with pytest.raises(SolverFailure):
            ask(task())
    assert len(asked) == 4


def test_a_conflict_is_found_by_the_other_solver(pair: Callable[..., None]) -> None:
    spec = Spec([P([(0, 28, 4)], price=10.0)], [J(tokens=30, nodes=(2,))],
                [T(floor=1.0, budget=200.0)])  # fmt: skip
    hopeless = program(spec)
    pair(apart(faulty.segfaults))
    notes: list[str] = []
    ask, _ = in_turn(None, notes)
    assert conflict(hopeless, ask).groups == conflict(hopeless, faulty.honest).groups
    assert notes
