"""The option --flexible and --fixed, and what a flexible plan says, on the command line."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

EXAMPLE = files("planner").joinpath("examples", "flexible.yaml")


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """Both plans of the example, made once."""
    import planner

    folder = tmp_path_factory.mktemp("plans")
    made = {}
    for word in ("flexible", "fixed"):
        made[word] = folder / f"{word}.json"
        plan = planner.allocate(EXAMPLE, allocation=word, time_limit_s=30)
        made[word].write_text(plan.to_json(), "utf-8")
    return made


def test_a_plan_is_shown_with_where_its_jobs_move(cli):
    answer = cli("allocate", EXAMPLE, "--time-limit", "30s")
    assert answer.code == 0
    assert "3 of 3 jobs placed" in answer.out
    told = answer.out.split("\non the way\n")[1].split("\n\n")[0].splitlines()
    assert told[0] == "maru-70b  moves once: 32 nodes of hopper -> 32 of blackwell on 2027-04-01"
    assert told[1].startswith("nuri-8b   moves once: ")
    assert len(told) == 2


def test_the_option_goes_before_the_scenario(cli):
    answer = cli("allocate", EXAMPLE, "--fixed", "--time-limit", "30s")
    assert answer.code == 0
    assert "2 of 3 jobs placed" in answer.out
    assert "on the way" not in answer.out
    assert "migration-unused" not in answer.err


@pytest.mark.parametrize(
    ("made", "given", "code"),
    [
        ("flexible", (), 0),
        ("flexible", ("--flexible",), 0),
        ("flexible", ("--fixed",), 1),
        ("fixed", (), 1),
        ("fixed", ("--flexible",), 1),
        ("fixed", ("--fixed",), 0),
    ],
)
def test_the_plan_file_has_no_say_in_what_is_allowed(cli, plans, made, given, code):
    answer = cli("verify", EXAMPLE, plans[made], *given)
    assert answer.code == code
    assert ("allocation-mismatch" in answer.out) is (code == 1)


def test_a_fixed_scenario_is_not_made_flexible_by_the_plan(cli, plans, tmp_path):
    scenario = tmp_path / "fixed.yaml"
    text = EXAMPLE.read_text("utf-8")
    scenario.write_text(text.replace("allocation: flexible #", "allocation: fixed #"), "utf-8")
    answer = cli("verify", scenario, plans["flexible"])
    assert answer.code == 1
    assert "hint: verify with `--flexible` if that is meant" in answer.out
    assert "job-split" in answer.out
    said = json.loads(plans["flexible"].read_text("utf-8"))
    said["verdict"]["allocation"] = "fixed"  # a forger hides the word, and the rows remain
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(said), "utf-8")
    answer = cli("verify", scenario, forged)
    assert answer.code == 1
    assert "allocation-mismatch" not in answer.out
    assert "job-split" in answer.out
    answer = cli("verify", scenario, plans["flexible"], "--flexible")
    assert "allocation-mismatch" not in answer.out
    assert "job-split" not in answer.out


def test_the_story_of_a_job_tells_its_moves(cli, plans):
    answer = cli("why", "maru-70b", plans["flexible"])
    assert answer.code == 0
    assert "moves once: 32 nodes of hopper -> 32 of blackwell on 2027-04-01" in answer.out
    assert "moves" not in cli("why", "nuri-chat", plans["flexible"]).out


def test_a_story_of_rows_that_are_not_quite_rows_is_told_as_far_as_it_goes(cli, plans, tmp_path):
    data = json.loads(plans["flexible"].read_text("utf-8"))
    for row in data["rows"]:
        row["from"] = "spring"
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data), "utf-8")
    answer = cli("why", "maru-70b", path)
    assert answer.code == 0
    assert "moves" not in answer.out


def test_policies_take_the_option_too(cli):
    line = (
        "policies",
        EXAMPLE,
        "--policy",
        "weighted-work",
        "--time-limit",
        "20s",
        "--format",
        "json",
    )
    work = {}
    for word in ("--flexible", "--fixed"):
        answer = cli(*line, word)
        assert answer.code == 0
        work[word] = json.loads(answer.out)["policies"][0]["work"]
    assert work["--flexible"] > 4 * work["--fixed"]


def test_new_lists_the_examples_and_copies_nothing(cli, tmp_path):
    answer = cli("new", "--list")
    assert answer.code == 0
    names = [line for line in answer.out.splitlines() if not line.startswith(" ")]
    assert names == ["first-minute.yaml", "flexible.yaml", "kai-plan.yaml", "kai-replay.yaml"]
    assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_new_without_a_folder_says_what_is_missing(cli):
    answer = cli("new")
    assert answer.code == 2
    assert "missing-argument" in answer.err
    assert "planner new DIR" in answer.err
