"""`planner policies`: one screen, JSON and CSV with the same figures."""

from __future__ import annotations

import csv
import io
import json

import pytest

from planner.allocation.policy.goal import POLICIES


@pytest.fixture
def scenario(cli, tmp_path):
    assert cli("new", tmp_path / "mine").code == 0
    return tmp_path / "mine" / "first-minute.yaml"


@pytest.fixture
def small(tmp_path):
    """Two consortiums that want the same nodes, which is planned at once."""
    place = tmp_path / "small.yaml"
    place.write_text(
        """
schema: planner/scenario/1
name: small
currency: KRW
horizon: {from: 2027-01-01, to: 2027-03-31, resolution: month}
pools:
  blackwell: {device: b200_sxm_180gb, nodes: 8, price: 6.7 M KRW / device-month}
consortiums:
  maru: {name: Maru Labs, kind: startup, weight: 1.2}
  nuri: {name: Nuri University, kind: academia, budget: 1.5 bn KRW}
jobs:
  maru-8b: {consortium: maru, model: Llama-3.1-8B, tokens: 2 T, nodes: {min: 4, max: 8}}
  nuri-8b: {consortium: nuri, model: Llama-3.1-8B, tokens: 1 T, nodes: {min: 2, max: 8}}
""",
        "utf-8",
    )
    return place


@pytest.mark.usefixtures("solvers_here")
def test_table_fits_a_screen_and_names_every_policy(cli, small):
    answer = cli("policies", small, "--time-limit", "20s")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert max(map(len, lines[1:])) <= 100
    for name in POLICIES:
        assert any(line.startswith(name) for line in lines), name
    assert "not shown" not in answer.out


def test_json_and_csv_hold_the_same(cli, small):
    line = ("policies", small, "--time-limit", "20s", "--policy", "max-min")
    found = json.loads(cli(*line, "--format", "json").out)
    rows = list(csv.DictReader(io.StringIO(cli(*line, "--format", "csv").out)))
    (policy,) = found["policies"]
    assert found["schema"] == "planner/policies/1"
    assert policy["policy"] == "max-min"
    assert [row["consortium"] for row in rows] == [
        one["consortium"] for one in policy["consortiums"]
    ]
    assert float(rows[0]["satisfaction_frac"]) == pytest.approx(
        policy["consortiums"][0]["satisfaction_frac"]
    )


def test_an_unknown_policy_is_a_usage_error(cli, scenario):
    assert cli("policies", scenario, "--policy", "fairest").code == 2


def test_policy_of_the_scenario_is_used(cli, scenario):
    text = scenario.read_text("utf-8") + "\npolicy:\n  objective: proportional\n"
    scenario.write_text(text, "utf-8")
    answer = cli("allocate", scenario, "--time-limit", "20s", "--format", "json")
    assert json.loads(answer.out)["verdict"]["policy"] == "proportional"


def test_false_reports_are_shown_and_written(cli, small):
    line = ("policies", small, "--time-limit", "20s", "--policy", "weighted-work", "--reports")
    answer = cli(*line)
    assert answer.code == 0
    assert "false reports of the values or tokens" in answer.out
    assert max(map(len, answer.out.splitlines()[1:])) <= 100
    found = json.loads(cli(*line, "--format", "json").out)
    assert {row["consortium"] for row in found["reports"]} == {"maru", "nuri"}
    assert {row["field"] for row in found["reports"]} == {"value", "tokens"}
    assert {row["policy"] for row in found["reports"]} == {"weighted-work"}


@pytest.mark.parametrize(("option", "word"), [((), "fixed"), (("--flexible",), "flexible")])
def test_the_allocation_is_named_in_text_and_json(cli, scenario, option, word):
    line = ("policies", scenario, "--time-limit", "5s", "--policy", "weighted-work", *option)
    answer = cli(*line)
    assert f"allocation: {word};" in answer.out
    assert max(map(len, answer.out.splitlines()[1:])) <= 100
    assert json.loads(cli(*line, "--format", "json").out)["allocation"] == word
