"""Reading a plan file that may hold anything: every fault with its field, never a traceback."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.errors import Diagnostic, InputError
from planner.audit.plan_file import MAX_BYTES, plan_record, read_plan
from planner.audit.plan_value import id_ranges


def faults(action: Any, *arguments: Any) -> tuple[Diagnostic, ...]:
    with pytest.raises(InputError) as caught:
        action(*arguments)
    return caught.value.diagnostics


def test_a_plan_reads_back(hand: Any, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(hand.plan()), "utf-8")
    plan = read_plan(path)
    assert plan.path == str(path)
    assert len(plan.sha256) == 64
    assert plan.rows[3].ids.tolist() == [[8, 12], [16, 20]]
    assert plan.rows[0].first.isoformat() == "2026-01-01"
    assert plan.verdict.status == "feasible"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b" \n\t ", "empty-file"),
        (b"\x00\x01\x02", "binary-file"),
        (b'{"currency": "\xff"}', "not-utf8"),
        (b"{", "json-syntax"),
        (b"{\n", "json-syntax"),
        (b"{\r\n\r\n", "json-syntax"),
        ('{"a": "\u2028\n'.encode(), "json-syntax"),
        (b'{"a": 1,}', "json-syntax"),
        (b"{'a': 1}", "json-syntax"),
        (b"[" * 200_000, "too-deep"),
        (b'{"schema": ' + b"9" * 10_000 + b"}", "bad-value"),
        (b"[]", "not-a-mapping"),
        (b"NaN", "not-a-mapping"),
        (b'"text"', "not-a-mapping"),
        (b'{"schema": "planner/plan/1", "schema": "planner/plan/1"}', "duplicate-key"),
        (b'{"schema": "planner/plan/2"}', "unknown-schema"),
    ],
)
def test_files_that_hold_no_plan(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    told = faults(read_plan, path)
    assert code in {fault.code for fault in told}
    assert all(fault.where.path == str(path) for fault in told)


def test_json_syntax_has_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{\n  "schema": nul\n}')
    (fault,) = faults(read_plan, path)
    assert (fault.where.line, fault.where.column) == (2, 13)


def test_directory_missing_file_and_impossible_name(tmp_path: Path) -> None:
    assert faults(read_plan, tmp_path)[0].code == "not-a-file"
    assert faults(read_plan, tmp_path / "none.json")[0].code == "no-such-file"
    assert faults(read_plan, "a\0b")[0].code == "unreadable-file"


def test_file_of_a_hundred_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    with path.open("wb") as stream:
        stream.truncate(100 * 2**20)
    (fault,) = faults(read_plan, path)
    assert fault.code == "file-too-large"
    assert str(MAX_BYTES) in fault.expected


def test_all_faults_come_at_once_with_their_fields(hand: Any) -> None:
    plan = hand.plan()
    del plan["rows"][0]["tokens"]
    plan["rows"][1]["nodes"] = 3.5
    plan["rows"][2]["from"] = "2026-02-30"
    plan["jobs"][0]["placed"] = "yes"
    plan["consortiums"][1] = None
    plan["verdict"]["bound"] = "high"
    told = {fault.where.field: fault.code for fault in faults(plan_record, plan)}
    assert told == {
        "rows[0]": "missing-field",
        "rows[1].nodes": "bad-value",
        "rows[2].from": "bad-value",
        "jobs[0].placed": "bad-value",
        "consortiums[1]": "bad-value",
        "verdict.bound": "bad-value",
    }


BAD = {
    "nodes": [0, -1, 1.5, "8", True, None, [], {}, 10**400, 2**60, float("nan"), float("inf")],
    "node_ids": ["", "a", "7-3", "0-", "-1", "0--3", "1,,2", "0-63;70", "٣", 5, None, [0, 1],
                 "0-99999999999999999999", str(2**40), "0x10", "1e3"],
    "from": ["2026-2-3", "20260203", "2026-02-30", "2026-W01-1", "2026-01-01T00:00", 20260101,
             None, "", "٢٠٢٦-٠١-٠١", "0000-01-01"],
    "days": [0, -5, 1.25, "10", None],
    "tokens": [-1, "1e12", None, float("nan"), float("inf"), 1e31, True],
    "tokens_per_s": [-0.1, None],
    "cost": [-1.0, None, "NaN"],
    "energy_j": [-1, "much"],
    "mfu_frac": [-0.5, float("nan")],
    "value": [-3, "x"],
    "job": [None, 3, "\ud800"],
    "marks": ["mark", [1], {}],
    "layout": [8, ["tp=1"]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD.items() for value in values]
)
def test_values_that_cannot_be_read(hand: Any, field: str, value: Any) -> None:
    plan = hand.plan()
    plan["rows"][2][field] = value
    (fault,) = faults(plan_record, plan)
    assert fault.where.field == f"rows[2].{field}"
    assert fault.code == "bad-value"
    assert fault.found
    assert fault.expected
    assert len(str(fault)) < 1000
    str(fault).encode()


@pytest.mark.parametrize(
    ("periods", "field"),
    [
        ([], "periods"),
        ("weeks", "periods"),
        ({"stretches": "week"}, "periods.stretches"),
        ({"stretches": [None]}, "periods.stretches[0]"),
        ({"stretches": [{"until": "2026-04-10", "every": "day"}]}, "periods.stretches[0].every"),
        ({"stretches": [{"until": "2026-04-10", "every": ["week"]}]}, "periods.stretches[0].every"),
        ({"stretches": [{"until": "2026-4-10", "every": "week"}]}, "periods.stretches[0].until"),
    ],
)
def test_periods_that_cannot_be_read(hand: Any, periods: Any, field: str) -> None:
    (fault,) = faults(plan_record, {**hand.plan(), "periods": periods})
    assert (fault.code, fault.where.field) == ("bad-value", field)
    assert fault.expected


def test_periods_and_allocation_need_not_be_stated(hand: Any) -> None:
    plan = hand.plan()
    assert plan_record(plan).stretches == plan_record({**plan, "periods": None}).stretches == ()
    assert plan_record(plan).verdict.allocation is None


def test_nan_in_a_file_is_told_at_its_field(hand: Any, tmp_path: Path) -> None:
    plan = hand.plan()
    plan["rows"][1]["cost"] = float("nan")
    plan["rows"][2]["tokens"] = float("-inf")
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    told = [(fault.where.field, fault.found) for fault in faults(read_plan, path)]
    assert told == [("rows[1].cost", "'NaN'"), ("rows[2].tokens", "'-Infinity'")]


def test_reversed_dates(hand: Any) -> None:
    plan = hand.plan()
    plan["rows"][2]["from"] = "2026-03-01"
    (fault,) = faults(plan_record, plan)
    assert (fault.code, fault.where.field) == ("dates-reversed", "rows[2].to")


@pytest.mark.parametrize("place", ["", "verdict", "rows", "jobs", "consortiums", "inputs"])
def test_a_field_that_nothing_checks_is_refused(hand: Any, place: str) -> None:
    plan = copy.deepcopy(hand.plan())
    plan["inputs"] = [{"path": "scenario.yaml", "sha256": "0" * 64}]
    plan_record(plan)
    record = plan if place == "" else plan[place]
    record = record[0] if isinstance(record, list) else record
    record["approved_by"] = "the ministry"
    (fault,) = faults(plan_record, plan)
    assert fault.code == "unknown-field"
    assert "approved_by" in fault.message
    assert fault.where.field.endswith("approved_by")


def test_misspelt_field_has_a_hint(hand: Any) -> None:
    plan = hand.plan()
    plan["rows"][0]["token_per_s"] = plan["rows"][0].pop("tokens_per_s")
    (fault,) = faults(plan_record, plan)
    assert fault.code == "missing-field"
    assert "token_per_s" in fault.hint


def test_faults_without_end_are_cut(hand: Any) -> None:
    plan = hand.plan()
    plan["rows"] = [{}] * 5_000
    told = faults(plan_record, plan)
    assert len(told) == 201
    assert told[-1].code == "more-faults"


def test_ranges_that_overlap_are_kept_for_the_audit() -> None:
    assert id_ranges("3, 0-4").tolist() == [[3, 4], [0, 5]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_whatever_stands_in_a_field_there_is_no_traceback(hand: Any, data: st.DataObject) -> None:
    """Any JSON in any one place: the plan is read, or the faults are told."""
    plan = copy.deepcopy(hand.plan())
    plan["verdict"]["allocation"] = "fixed"
    plan["periods"] = {"stretches": [{"until": "2026-04-10", "every": "week"}]}
    place: Any = plan
    while True:
        key = data.draw(
            st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
        )
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    try:
        plan_record(plan)
    except InputError as error:
        told = str(error)
    else:
        told = "read"
    assert told.encode()


@given(
    st.binary(max_size=60) | st.text(alphabet='{}[]",:\n\r\u2028 1e-.', max_size=30).map(str.encode)
)
@settings(max_examples=200, deadline=None)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "plan.json"
    path.write_bytes(content)
    assert faults(read_plan, path)
