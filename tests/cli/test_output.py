"""Where answers go: whole files, clean streams, colour only where it is seen, codes that hold."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import resource
import subprocess
import sys

import pytest

from hardware.errors import InputError
from planner.cli.output import write_whole


def test_json_parses_and_names_its_schema(process):
    answer = process("catalog", "devices", "--format", "json")
    document = json.loads(answer.out)
    assert document["schema"] == "planner/catalog/1"
    assert document["devices"][0]["memory_bytes"] == 32e9
    assert answer.err == ""


def test_csv_parses_with_unit_suffixes(process):
    rows = list(csv.DictReader(io.StringIO(process("catalog", "models", "--format", "csv").out)))
    assert len(rows) >= 20
    assert {"model", "parameters", "tokens", "seq_len"} <= set(rows[0])


def test_output_file_takes_its_format_from_its_ending(process, tmp_path):
    answer = process("catalog", "stacks", "-o", tmp_path / "stacks.json")
    assert answer.out == ""
    assert answer.err == f"wrote {tmp_path / 'stacks.json'}\n"
    assert json.loads((tmp_path / "stacks.json").read_text())["stacks"]


def test_quiet_says_nothing_on_the_side(process, tmp_path):
    answer = process("catalog", "stacks", "-q", "-o", tmp_path / "stacks.txt")
    assert (answer.out, answer.err) == ("", "")


def test_written_file_has_the_mode_of_any_new_file(tmp_path):
    mask = os.umask(0o022)
    try:
        write_whole(str(tmp_path / "new"), "a")
        (tmp_path / "old").write_text("b")
        (tmp_path / "old").chmod(0o600)
        write_whole(str(tmp_path / "old"), "c")
    finally:
        os.umask(mask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o600


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(str(tmp_path / "link"), "new")
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("step", ["replace", "fsync", "chmod"])
def test_existing_file_is_unharmed_when_writing_fails(step, tmp_path, monkeypatch):
    place = tmp_path / "plan.json"
    place.write_text("precious")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(InputError, match="No space left"):
        write_whole(str(place), "x" * 10_000)
    assert place.read_text() == "precious"
    assert [item.name for item in tmp_path.iterdir()] == ["plan.json"]


def test_existing_file_is_unharmed_when_the_disk_is_full(tmp_path, environment):
    place = tmp_path / "devices.json"
    place.write_text("precious")
    done = subprocess.run(
        [sys.executable, "-m", "planner", "catalog", "-o", str(place)],
        capture_output=True, text=True, env=environment(), check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )  # fmt: skip
    assert done.returncode == 2
    assert "error[cannot-write]" in done.stderr
    assert place.read_text() == "precious"
    assert [item.name for item in tmp_path.iterdir()] == ["devices.json"]


@pytest.mark.parametrize(
    ("place", "found"),
    [("/dev/full", "No space left"), ("missing/a.json", "No such file"), (".", "Is a directory")],
)
def test_place_that_cannot_be_written(place, found, process):
    answer = process("catalog", "stacks", "-o", place)
    assert (answer.code, answer.out) == (2, "")
    assert "error[cannot-write]" in answer.err
    assert found in answer.err


def test_full_standard_output_is_an_error(environment):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "planner", "catalog", "stacks"],
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "error[cannot-write]" in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_reader_that_has_seen_enough_changes_nothing(environment):
    with subprocess.Popen(
        [sys.executable, "-m", "planner", "schema", "scenario"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    ) as run:  # fmt: skip
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        said = run.stderr.read()
        assert (run.wait(60), said) == (0, b"")


def test_interrupt_is_130(interrupted):
    answer = interrupted("check", "-", after_s=0.5)
    assert (answer.code, answer.out) == (130, "")
    assert "Traceback" not in answer.err


@pytest.fixture
def on_a_terminal(environment):
    """What a command writes to a pseudo-terminal."""

    def call(*arguments: str, **more: str) -> str:
        master, slave = pty.openpty()
        run = subprocess.Popen(
            [sys.executable, "-m", "planner", *arguments], stdin=slave, stdout=slave,
            stderr=slave, env=environment(TERM="xterm", **more),
        )  # fmt: skip
        os.close(slave)
        seen = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            seen += part
        run.wait(60)
        os.close(master)
        return seen.decode()

    return call


def test_colour_on_a_terminal(on_a_terminal):
    assert "\x1b[" in on_a_terminal("catalog", "stacks")


def test_no_colour_when_asked_on_a_terminal(on_a_terminal):
    assert "\x1b[" not in on_a_terminal("catalog", "stacks", NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal("catalog", "stacks", "--color", "never")


def test_errors_obey_no_color_too(on_a_terminal):
    assert "\x1b[" in on_a_terminal("catalog", "nothing-so-called")
    assert "\x1b[" not in on_a_terminal("catalog", "nothing-so-called", NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal("catalog", "nothing-so-called", "--color", "never")


def test_colour_always_reaches_a_pipe(process):
    assert "\x1b[" in process("catalog", "stacks", "--color", "always").out
    assert "\x1b[" in process("catalog", "nothing", "--color", "always").err
    assert "\x1b[" not in process("catalog", "stacks").out


def test_ascii_terminal_still_gets_an_answer(process):
    answer = process("catalog", "devices", PYTHONIOENCODING="ascii")
    assert answer.code == 0
    assert "v100_sxm2_32gb" in answer.out


def test_at_most_100_columns_and_says_what_is_left_out(process):
    out = process("catalog", "devices").out
    assert max(map(len, out.splitlines())) <= 100
    assert "not shown in 100 columns" in out


def test_narrow_terminal_leaves_out_more(process):
    out = process("catalog", "devices", COLUMNS="60").out
    table = [line for line in out.splitlines() if line.startswith(("device", "v100", "b200"))]
    assert max(map(len, table)) <= 60
    assert "not shown in 60 columns" in out


def test_a_bug_says_where_to_report_and_shows_a_traceback_only_to_debug(cli, monkeypatch):
    import planner.cli.catalog_list

    def broken(*_: object) -> None:
        raise RuntimeError("the shelf fell")

    monkeypatch.setitem(planner.cli.catalog_list.LISTS, "stacks", broken)
    answer = cli("catalog", "stacks")
    assert (answer.code, answer.out) == (3, "")
    assert "RuntimeError: the shelf fell" in answer.err
    assert "report" in answer.err
    assert "Traceback" not in answer.err
    assert "Traceback" in cli("catalog", "stacks", "--debug").err
