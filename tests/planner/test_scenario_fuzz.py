"""Whatever stands in a file, reading it gives a scenario or says what is wrong with it."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.errors import InputError, PlanningWarning
from planner.scenario import Scenario
from planner.scenario_check import load_scenario

BASE = Path(__file__).with_name("data").joinpath("base-scenario.yaml").read_text("utf-8")
LINES = BASE.splitlines()
WORDS = sorted({word for line in LINES for word in line.replace(":", " ").split()})
AT = st.integers(0, len(LINES) - 1)
JUNK = st.sampled_from(
    [
        *"-:{}[]~#|>=🦊\t",
        *("", "null", "true", "Yes", "''", "..", ".", "/", "../../etc", "{}", "[[]]", "[a, [b]]"),
        *("1e400", "-1", "0", "-0.0", ".nan", ".inf", "0x10", "1_000", "9" * 20, "1 T", "3 GB"),
        *("2027-02-30", "9999-12-31", "0001-01-01", "2027-01-01 12:00:00"),
        *("&a", "*a", "<<: *a", "!!python/object:os.system x", "- - -", "? x"),
        *("{value: 3}", "{value: [1]}", "{value: 3, mark: guess}", "{day: x}", "{min: 1e9}"),
    ]
)


def outcome(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlanningWarning)
        try:
            scenario, document = load_scenario(path)
        except InputError as error:
            faults = error.diagnostics
        else:
            assert isinstance(scenario, Scenario)
            assert document.path == str(path)
            return
    assert faults
    assert all(fault.code and fault.message and str(fault) for fault in faults)


FEW = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FEW
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(raw)
    outcome(path)


@FEW
@given(
    AT,
    st.one_of(JUNK, st.sampled_from(WORDS), st.text(max_size=8)),
    st.booleans(),
)
def test_a_value_replaced(tmp_path: Path, at: int, junk: str, whole: bool) -> None:
    line = LINES[at]
    head = line.split(":")[0] + ": " if ":" in line and not whole else ""
    path = tmp_path / "s.yaml"
    path.write_text("\n".join([*LINES[:at], head + junk, *LINES[at + 1 :]]), "utf-8", "replace")
    outcome(path)


@FEW
@given(
    st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1)), max_size=4)
)
def test_lines_dropped_and_moved(tmp_path: Path, moves: list[tuple[int, int]]) -> None:
    lines = list(LINES)
    for source, target in moves:
        line = lines.pop(source % len(lines))
        if (source + target) % 3:
            lines.insert(target % (len(lines) + 1), line)
    path = tmp_path / "s.yaml"
    path.write_text("\n".join(lines), "utf-8")
    outcome(path)


@FEW
@given(st.sampled_from(WORDS), st.one_of(JUNK, st.sampled_from(WORDS)))
def test_a_word_replaced_everywhere(tmp_path: Path, word: str, junk: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(BASE.replace(word, junk), "utf-8")
    outcome(path)


@pytest.mark.parametrize("cut", range(0, len(BASE), 97))
def test_a_file_cut_short(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(BASE[:cut], "utf-8")
    outcome(path)


def test_things_that_are_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.yaml", tmp_path / "none" / "s.yaml"):
        with pytest.raises(InputError):
            load_scenario(path)


def test_an_anchor_named_twice_is_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    text = BASE.replace("tokens: 1 T", "tokens: &t 1 T").replace("tokens: 200 B", "tokens: &t 1 T")
    path.write_text(text, "utf-8")
    scenario, _ = load_scenario(path)
    assert scenario.jobs["second-run"].tokens.value == 1e12
