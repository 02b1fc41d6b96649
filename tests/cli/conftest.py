"""How the tests run the command line: in this process for speed, or as a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from planner.cli.main import run

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Answer:
    """What one command line gave."""

    code: int
    out: str
    err: str


Cli = Callable[..., Answer]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line in this process, 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "100")
    for name in [name for name in os.environ if name.startswith("PLANNER_")]:
        monkeypatch.delenv(name)

    def call(*arguments: object) -> Answer:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return call


def clean_environment(**more: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PLANNER_")}
    kept.pop("NO_COLOR", None)
    return {**kept, "COLUMNS": "100", **more}


@pytest.fixture
def environment() -> Callable[..., dict[str, str]]:
    """The environment of a process, without settings of this program."""
    return clean_environment


@pytest.fixture
def process() -> Cli:
    """Run a command line as a process of its own."""

    def call(*arguments: object, stdin: str | bytes = "", **environment: str) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "planner", *map(str, arguments)],
            input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True,
            env=clean_environment(**environment),
            timeout=120,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture
def interrupted() -> Cli:
    """Run a command line as a process and press Ctrl-C some time after it has begun."""
    program = (
        "import sys; from planner.cli.main import main; "
        "print('begun', file=sys.stderr, flush=True); sys.argv[0] = 'planner'; main()"
    )

    def call(*arguments: object, after_s: float) -> Answer:
        with subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment(),
        ) as run:  # fmt: skip
            assert run.stderr is not None
            assert run.stderr.readline() == b"begun\n"
            time.sleep(after_s)
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=120)
        return Answer(run.returncode, out.decode(), err.decode())

    return call


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare with a kept text; `UPDATE_GOLDEN=1` keeps the present one instead."""

    def compare(name: str, text: str) -> None:
        place = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            GOLDEN.mkdir(exist_ok=True)
            place.write_text(text, "utf-8")
        assert text == place.read_text("utf-8")

    return compare
