"""Whatever a file holds, the answer is a clear diagnostic and exit code 2, never a traceback."""

from __future__ import annotations

import json

import pytest

from planner.cli.main import COMMANDS

KINDS = {
    "empty.yaml": ("empty-file", b""),
    "comment.yaml": ("empty-file", b"# nothing\n"),
    "binary.yaml": ("binary-file", b"\x7fELF\x00\x01\x02"),
    "cp949.yaml": ("not-utf8", "이름: 계획".encode("cp949")),
    "list.yaml": ("not-a-mapping", b"- 1\n- 2\n"),
    "number.yaml": ("not-a-mapping", b"3\n"),
    "broken.yaml": ("yaml-syntax", b"a: [1, 2\nb: 3\n"),
    "twice.yaml": ("duplicate-key", b"name: a\nname: b\n"),
    "other.yaml": ("unknown-document", b"color: red\n"),
    "deep.yaml": ("too-deep", b"[" * 20000),
}
READERS = [["check"]] + [[name] for name in ("allocate",) if name in COMMANDS]


@pytest.mark.parametrize("reader", READERS, ids=lambda words: words[0])
@pytest.mark.parametrize("name", KINDS)
def test_file_at_fault(reader, name, cli, tmp_path):
    code, content = KINDS[name]
    if reader != ["check"] and code == "unknown-document":
        code = "unknown-field"
    place = tmp_path / name
    place.write_bytes(content)
    answer = cli(*reader, place)
    assert answer.code == 2
    assert f"error[{code}]" in answer.out + answer.err
    assert str(place) in answer.out + answer.err
    assert "Traceback" not in answer.err
    if reader != ["check"]:
        assert answer.out == ""


@pytest.mark.parametrize("reader", READERS, ids=lambda words: words[0])
def test_directory(reader, cli, tmp_path):
    answer = cli(*reader, tmp_path)
    assert answer.code == 2
    assert "error[not-a-file]" in answer.out + answer.err


@pytest.mark.parametrize("reader", READERS, ids=lambda words: words[0])
def test_missing_file_names_a_near_one(reader, cli, tmp_path):
    (tmp_path / "scenario.yaml").write_text("a: 1\n")
    answer = cli(*reader, tmp_path / "scenaro.yaml")
    assert answer.code == 2
    assert "error[no-such-file]" in answer.out + answer.err
    assert "did you mean `scenario.yaml`?" in answer.out + answer.err


@pytest.mark.parametrize("reader", READERS, ids=lambda words: words[0])
def test_hundred_megabytes(reader, cli, tmp_path):
    place = tmp_path / "large.yaml"
    with place.open("wb") as stream:
        stream.truncate(100_000_000)
    answer = cli(*reader, place)
    assert answer.code == 2
    assert "error[file-too-large]" in answer.out + answer.err


def test_unknown_key_is_shown_with_place_and_near_match(cli, tmp_path):
    place = tmp_path / "scenario.yaml"
    place.write_text("schema: planner/scenario/1\nname: a\ncurency: KRW\n")
    answer = cli("check", place)
    assert answer.code == 2
    assert "error[unknown-field]: unknown field `curency`" in answer.out
    assert f"{place}:3:1" in answer.out
    assert "did you mean `currency`?" in answer.out
    assert answer.out.count("error[missing-field]") >= 3, "all faults at once"


def test_all_faults_of_all_files(cli, tmp_path):
    for name in ("empty.yaml", "binary.yaml"):
        (tmp_path / name).write_bytes(KINDS[name][1])
    answer = cli("check", "--format", "json", tmp_path / "empty.yaml", tmp_path / "binary.yaml")
    document = json.loads(answer.out)
    assert answer.code == 2
    assert [fault["code"] for fault in document["diagnostics"]] == ["empty-file", "binary-file"]
    assert document["schema"] == "planner/check/1"


def test_check_reads_standard_input(process):
    answer = process("check", "-", stdin="name: a\npools: 3\njobs: 4\n")
    assert answer.code == 2
    assert "<stdin>:2:8 (pools)" in answer.out
    assert answer.err == ""


def test_shipped_files_are_valid(cli):
    from importlib.resources import files

    examples = [item for item in files("planner").joinpath("examples").iterdir()
                if item.name.endswith(".yaml")]  # fmt: skip
    sheets = files("planner").joinpath("sheets", "models.yaml")
    answer = cli("check", *examples, sheets)
    assert answer.code == 0, answer.out
    assert len(examples) >= 1


@pytest.mark.parametrize("name", ["", "\x00", "a" * 5000], ids=["empty", "zero byte", "long"])
def test_impossible_paths(name, cli):
    answer = cli("check", name)
    assert answer.code == 2
    assert "error[" in answer.out
