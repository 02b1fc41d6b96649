"""Documents are read with positions, and every fault of one is told at once."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from hardware.errors import InputError
from hardware.quantity import BytesFigure, Record, TokensFigure
from hardware.sheet import parse_document, read_document, read_text


class Inner(Record):
    nodes: int
    memory: BytesFigure | None = None


class Outer(Record):
    jobs: dict[str, Inner]
    tokens: TokensFigure | None = None


def faults(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return {(d.code, d.where.line, d.where.column, d.where.field) for d in caught.value.diagnostics}


def test_all_faults_of_a_document_at_once_each_with_its_place():
    document = read_text(
        "jobs:\n  a: {nodez: 3, memory: 80 GB/s}\n  b:\n    nodes: x\n"
        "tokens: {value: 3 GB, mark: assumed}\nwhat: 1\n",
        "s.yaml",
    )
    assert faults(parse_document, document, Outer) == {
        ("missing-field", 2, 6, "jobs.a.nodes"),
        ("unknown-field", 2, 7, "jobs.a.nodez"),
        ("unit-mismatch", 2, 25, "jobs.a.memory"),
        ("wrong-type", 4, 12, "jobs.b.nodes"),
        ("bad-value", 5, 9, "tokens"),
        ("unknown-field", 6, 1, "what"),
    }


def test_a_misspelt_key_gets_the_near_match_of_its_own_record():
    with pytest.raises(InputError) as caught:
        parse_document(read_text("jobs: {a: {nodez: 3, nodes: 1}}"), Outer)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.hint == "did you mean `nodes`?"
    assert "tokens" not in diagnostic.expected


def test_a_figure_keeps_its_origin():
    text = "jobs: {}\ntokens: {value: 8.2 T, mark: published, source: report, as_of: 2026-08}"
    outer = parse_document(read_text(text), Outer)
    assert outer.tokens is not None
    assert (outer.tokens.value, outer.tokens.mark, outer.tokens.as_of) == (
        8.2e12,
        "published",
        "2026-08",
    )


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: [1, 2", "yaml-syntax", 1, 9),
        ("a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1),
        ("\t- x", "yaml-syntax", 1, 1),
        ("", "empty-file", 0, 0),
        ("# only a comment\n", "empty-file", 0, 0),
        ("[" * 3000 + "]" * 3000, "too-deep", 0, 0),
    ],
)
def test_bad_text(text, code, line, column):
    assert {(c, row, col) for c, row, col, _ in faults(read_text, text)} == {(code, line, column)}


@pytest.mark.parametrize("text", ["- 1\n- 2\n", "word", "3"])
def test_a_document_that_is_no_mapping(text):
    assert {f[0] for f in faults(parse_document, read_text(text), Outer)} == {"not-a-mapping"}


def test_bad_files(tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"a: 1\0\n")
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: caf\u00e9\n".encode("latin-1"))
    (tmp_path / "large.yaml").write_bytes(b"#" * (17 * 2**20))
    assert {f[0] for f in faults(read_document, tmp_path / "binary.yaml")} == {"binary-file"}
    ((code, line, column, _),) = faults(read_document, tmp_path / "latin.yaml")
    assert (code, line, column) == ("not-utf8", 2, 7)
    assert {f[0] for f in faults(read_document, tmp_path / "large.yaml")} == {"file-too-large"}
    assert {f[0] for f in faults(read_document, tmp_path)} == {"not-a-file"}
    with pytest.raises(InputError, match=r"did you mean `large\.yaml`"):
        read_document(tmp_path / "larg.yaml")


def test_an_alias_bomb_is_refused():
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert {f[0] for f in faults(read_text, "\n".join(rows))} == {"too-large"}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge keys are not read"),
        ("a: 1\n---\na: 2\n", 2, "more than one document"),
        ("a:\n\tb: 1\n", 2, "indent with spaces"),
    ],
)
def test_what_yaml_allows_and_a_sheet_does_not_is_said_in_plain_words(text, line, said):
    with pytest.raises(InputError, match=said) as caught:
        read_text(text)
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.where.line) == ("yaml-syntax", line)
    assert "constructor" not in fault.found


def test_a_wrong_kind_is_told_in_the_words_of_a_file():
    class Wanted(BaseModel):
        name: str
        entries: Annotated[dict[str, int], Field(min_length=1)]

    with pytest.raises(InputError) as caught:
        parse_document(read_text("name: 3\nentries: {}\n"), Wanted)
    assert [d.expected for d in caught.value.diagnostics] == ["a text", "at least one entry"]
    with pytest.raises(InputError, match="found: nothing"):
        parse_document(read_text("null"), Wanted)


def test_a_very_long_value_is_not_repeated_wholly():
    class Wanted(BaseModel):
        size: int

    with pytest.raises(InputError) as caught:
        parse_document(read_text("size: " + "x" * 9000), Wanted)
    assert len(caught.value.diagnostics[0].found) < 200


def test_json_is_read_too():
    assert read_text('{"a": [1, 2.5, null, true, "x"]}').data == {"a": [1, 2.5, None, True, "x"]}


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_an_input_error(text):
    told = None
    try:
        parse_document(read_text(text), Outer)
    except InputError as error:
        told = str(error)
    assert told is None or told.startswith("error[")
