"""Tables for a reader: digits, prefixes, units, signs, widths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from planner.cli.table import Column, Marked, Table, raw, significant, table_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1.0, "1.00"), (0.43219, "0.432"), (99.95, "100"), (999.6, "1,000"),
        (12345.6, "12,300"), (-2.5, "-2.50"), (0.00012345, "0.000123"), (1e-12, "0.000000000"),
    ],
)  # fmt: skip
def test_three_significant_digits(value, text):
    assert significant(value) == text


@given(st.floats(1e-6, 1e15))
def test_shown_number_is_within_half_of_the_third_digit(value):
    assert float(significant(value).replace(",", "")) == pytest.approx(value, rel=0.0051)


def lines(table: Table, **more: int) -> list[str]:
    return table_text(table, **more).splitlines()


def test_one_prefix_a_column_and_the_unit_in_the_header():
    table = Table((Column("a", "name"), Column("b", "rate", "B/s", "si")),
                  (("x", 3.35e12), ("y", 8e12), ("z", 9e11)))  # fmt: skip
    assert lines(table) == [
        "name   rate",
        "       TB/s",
        "x      3.35",
        "y      8.00",
        "z     0.900",
    ]


def test_unknown_is_never_zero():
    table = Table((Column("a", "a", "", "number"), Column("b", "b")), ((None, None), (0.0, "x")))
    assert lines(table) == ["a  b", "—  —", "0  x"]


def test_money_and_tokens_speak_of_bn_and_b():
    table = Table((Column("c", "cost", "KRW", "big"), Column("t", "tokens", "tok", "big")),
                  ((4.2e10, 5e9), (1e9, 8.2e9)))  # fmt: skip
    assert lines(table)[1].split() == ["bn", "KRW", "B", "tok"]


def test_fraction_is_shown_in_percent_and_count_in_full():
    table = Table((Column("m", "MFU", kind="percent"), Column("n", "nodes", kind="count")),
                  ((0.4321, 12345),))  # fmt: skip
    assert lines(table) == [" MFU   nodes", "   %", "43.2  12,345"]


def test_signs_stand_behind_the_value_and_leave_it_to_programs():
    column = Column("n", "nodes", kind="count")
    assert lines(Table((column,), ((Marked(12, "*"),),)))[1] == "  12*"
    assert raw(column, Marked(12.0, "*")) == 12


def test_numbers_stand_right_and_totals_last():
    table = Table((Column("a", "a"), Column("b", "b", "", "number")), (("x", 1.0), ("y", 20.0)),
                  "title", ("sum", 21.0))  # fmt: skip
    assert lines(table) == ["title", "a       b", "x    1.00", "y    20.0", "sum  21.0"]


def test_last_columns_go_first_and_are_named():
    columns = tuple(Column(name, name) for name in ("first", "second", "third"))
    shown = lines(Table(columns, (("a" * 10, "b" * 10, "c" * 10),)), width=24)
    assert shown[0].split() == ["first", "second"]
    assert shown[-1] == "(not shown in 24 columns: third; --format csv has all)"


def test_wide_letters_keep_columns_in_line():
    table = Table((Column("a", "name"), Column("b", "n", kind="count")),
                  (("업스테이지", 1), ("LG", 22)))  # fmt: skip
    shown = lines(table)
    assert {cell_len(line) for line in shown[1:]} == {cell_len("업스테이지") + 2 + 2}


def test_empty_table_is_its_header():
    assert lines(Table((Column("a", "a"),), ())) == ["a"]


@given(
    st.lists(
        st.tuples(st.text("ab가 ", max_size=30), st.none() | st.floats(-1e20, 1e20)), max_size=5
    ),
    st.integers(20, 100),
)
def test_never_wider_than_asked_unless_one_column_is(rows, width):
    table = Table((Column("a", "a"), Column("b", "b", "B", "si")), tuple(rows))
    first = max((cell_len(text) for text, _ in rows), default=1)
    for line in lines(table, width=width):
        if not line.startswith("("):
            assert cell_len(line) <= max(width, first)


def test_markup_in_names_is_printed_as_it_stands():
    assert "[bold]x[/bold]" in table_text(Table((Column("a", "a"),), (("[bold]x[/bold]",),)))
