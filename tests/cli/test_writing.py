"""Answers on their way out: full disks, closed pipes, folders in the way; whole files or none."""

from __future__ import annotations

import errno
import inspect
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

from hardware.errors import InputError
from planner.cli import place as room
from planner.cli.place import check_place, write_whole
from tests.cli.conftest import Answer, clean_environment

EXAMPLE = files("planner").joinpath("examples", "first-minute.yaml")
ROWS = Path(__file__).parents[1] / "planner" / "data"

# Commands that write a file, with what stands before its name.
WRITERS = {
    "allocate": ("allocate", EXAMPLE, "-o"),
    "policies": ("policies", EXAMPLE, "--time-limit", "5s", "-o"),
    "catalog": ("catalog", "-o"),
    "compare": ("compare", "h100", "b200", "--model", "llama-3.1-70b", "-o"),
    "estimate": ("estimate", "--model", "llama-3.1-8b", "--device", "h100", "--devices", "64",
                 "--tokens", "1 T", "-o"),
    "check": ("check", EXAMPLE, "-o"),
    "schema": ("schema", "scenario", "-o"),
    "explain": ("explain", "unit-mismatch", "-o"),
}  # fmt: skip
QUICK = [name for name in WRITERS if name != "policies"]


@pytest.fixture(autouse=True)
def temporary_files_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies of answers that could not be written go where they are cleared away."""
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))


def planner(
    *arguments: object, limit_bytes: int | None = None, **streams: object
) -> subprocess.CompletedProcess[bytes]:
    """The command as a process, which may not write files beyond a size."""

    def small() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(
        [sys.executable, "-m", "planner", *map(str, arguments)], env=clean_environment(),
        timeout=120, check=False, preexec_fn=small, **given,
    )  # fmt: skip


def here(answer: Answer) -> subprocess.CompletedProcess[bytes]:
    """What a command in this process gave, as of one: files are written alike, and sooner."""
    return subprocess.CompletedProcess((), answer.code, answer.out.encode(), answer.err.encode())


def refused(done: subprocess.CompletedProcess[bytes], found: str) -> str:
    """The text of a command that could not write: one error, no traceback, code 2."""
    err = done.stderr.decode()
    assert done.returncode == 2, err
    assert err.count("error[cannot-write]: the output cannot be written") == 1
    assert f"= found: {found}" in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert "bug" not in err
    return err


@pytest.mark.parametrize("name", QUICK)
def test_a_file_that_does_not_fit_leaves_the_old_one(name: str, tmp_path: Path) -> None:
    place = tmp_path / "answer.json"
    place.write_text("an older one\n")
    done = planner(*WRITERS[name], place, limit_bytes=100)
    refused(done, "File too large")
    assert place.read_text() == "an older one\n"
    assert os.listdir(tmp_path) == ["answer.json"]


@pytest.mark.parametrize("name", QUICK)
def test_a_full_device_is_told(name: str, cli) -> None:
    refused(here(cli(*WRITERS[name], "/dev/full")), "No space left on device")


@pytest.mark.parametrize(
    "arguments", [*[WRITERS[name][:-1] for name in QUICK], ("--help",), ("--version",),
                  ("completion", "bash"), ("new", "--list")],
)  # fmt: skip
def test_a_full_standard_output_is_told(arguments: tuple[object, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = planner(*arguments, stdout=full)
    assert "--> standard output" in refused(done, "No space left on device")


def test_a_plan_that_cannot_be_written_is_kept_and_shown(tmp_path: Path) -> None:
    done = planner("allocate", EXAMPLE, "-o", "/dev/full")
    err = refused(done, "No space left on device")
    kept = Path(err.split("= hint: the answer is in ")[1].splitlines()[0])
    plan = json.loads(kept.read_text())
    kept.unlink()
    assert plan["rows"]
    assert done.stdout.decode().startswith(plan["verdict"]["sentence"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", disk],
                             capture_output=True, check=False)  # fmt: skip
    if mounted.returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        place = disk / "plan.json"
        place.write_text("an older one\n")
        refused(planner("allocate", EXAMPLE, "-o", place), "No space left on device")
        assert place.read_text() == "an older one\n"
        assert os.listdir(disk) == ["plan.json"]
        refused(planner("new", disk / "examples"), "No space left on device")
        assert not [path for path in (disk / "examples").rglob("*") if path.is_file()]
    finally:
        subprocess.run(["umount", disk], check=True)


def test_new_writes_all_files_or_none(tmp_path: Path) -> None:
    refused(planner("new", tmp_path / "mine", limit_bytes=6000), "File too large")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", WRITERS)
def test_a_place_that_cannot_be_is_told_before_any_work(
    name: str, tmp_path: Path, cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("worked for nothing")

    command = import_module(f"planner.cli.{name}").command
    monkeypatch.setattr(inspect.unwrap(command.callback), "__code__", never.__code__)
    for place in (tmp_path, tmp_path / "no" / "plan.json", tmp_path / "file" / "plan.json"):
        (tmp_path / "file").write_text("")
        answer = cli(*WRITERS[name], place)
        assert (answer.code, answer.out) == (2, "")
        assert "error[cannot-write]" in answer.err


def test_a_folder_closed_to_us() -> None:
    closed = Path(tempfile.mkdtemp())
    closed.chmod(0o555)
    try:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if os.geteuid() == 0:
                    os.setuid(65534)  # nobody, since root may write everywhere
                check_place(str(closed / "plan.json"))
            except InputError as error:
                code = 0 if "Permission denied" in str(error) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        closed.rmdir()


@pytest.mark.parametrize("name", QUICK)
def test_a_folder_in_the_way(name: str, tmp_path: Path, cli) -> None:
    done = here(cli(*WRITERS[name], tmp_path))
    assert done.returncode == 2
    assert b"error[cannot-write]" in done.stderr
    assert b"Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", QUICK)
def test_a_reader_that_has_seen_enough_changes_no_answer(name: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = planner(*WRITERS[name][:-1], "--format", "json", stdout=write) if name not in (
        "schema", "explain") else planner(*WRITERS[name][:-1], stdout=write)  # fmt: skip
    os.close(write)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert b"Exception ignored" not in done.stderr
    assert b"Broken pipe" not in done.stderr


def test_a_file_keeps_its_permissions_and_a_link_its_target(tmp_path: Path) -> None:
    place, link = tmp_path / "plan.json", tmp_path / "link.json"
    place.write_text("old")
    place.chmod(0o640)
    link.symlink_to(place)
    write_whole(str(link), "new")
    assert (place.read_text(), place.stat().st_mode & 0o777) == ("new", 0o640)
    assert link.is_symlink()


@pytest.mark.parametrize("broken", ["fsync", "replace", "chmod"])
def test_whatever_fails_the_old_file_stays(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "plan.json"
    place.write_text("old")

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, broken, fails)
    with pytest.raises(InputError, match="Input/output error"):
        write_whole(str(place), "new")
    monkeypatch.undo()
    assert (place.read_text(), os.listdir(tmp_path)) == ("old", ["plan.json"])


def test_an_interrupt_while_a_file_is_written_waits_for_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, real = tmp_path / "plan.json", os.fsync

    def pressed(descriptor: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", pressed)
    with pytest.raises(KeyboardInterrupt):
        write_whole(str(place), "new")
    assert (place.read_text(), os.listdir(tmp_path)) == ("new", ["plan.json"])


def test_a_device_or_a_pipe_is_written_in_place(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_place(str(pipe))
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        write_whole(str(pipe), "an answer")
        assert reader.communicate()[0] == b"an answer"
    assert os.listdir(tmp_path) == ["pipe"]


def test_an_error_of_another_kind_is_not_blamed_on_standard_output() -> None:
    assert room.stdout_failure(OSError(errno.ENOENT, "No such file")) is None
    assert room.stdout_failure(OSError(errno.ENOSPC, "No space", "/a/file")) is None
