"""`planner why` and what binds, from a plan file."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def plan(cli, tmp_path):
    assert cli("new", tmp_path / "mine").code == 0
    path = tmp_path / "plan.json"
    line = ("allocate", tmp_path / "mine" / "first-minute.yaml", "--time-limit", "20s")
    assert cli(*line, "-q", "-o", path).code == 0
    return path


def test_each_job_has_its_story(cli, plan):
    data = json.loads(plan.read_text("utf-8"))
    assert data["jobs"]
    for job in data["jobs"]:
        answer = cli("why", job["job"], plan)
        assert answer.code == (0 if job["placed"] else 1)
        assert job["job"] in answer.out.splitlines()[0]
        assert job["sentence"] in answer.out


def test_scarce_periods_are_those_of_the_jobs_pools(cli, plan):
    data = json.loads(plan.read_text("utf-8"))
    job = data["rows"][0]["job"]
    pools = {row["pool"] for row in data["rows"] if row["job"] == job}
    bind = {"kind": "period", "from": "2026-01-01", "to": "2026-01-31", "unit": "node",
            "value": 0.25, "money": None}  # fmt: skip
    data["binds"] = [{**bind, "name": name} for name in (min(pools), "elsewhere")]
    plan.write_text(json.dumps(data), "utf-8")
    answer = cli("why", job, plan)
    assert (
        f"{min(pools)}, 2026-01-01 to 2026-01-31: one more node is worth up to 0.250" in answer.out
    )
    assert "elsewhere" not in answer.out


def test_an_unknown_job_names_a_near_one(cli, plan):
    job = json.loads(plan.read_text("utf-8"))["jobs"][0]["job"]
    answer = cli("why", job[:-1], plan)
    assert answer.code == 2
    assert job in answer.err


def test_what_binds_is_shown_on_demand(cli, plan):
    data = json.loads(plan.read_text("utf-8"))
    from planner.cli.bind_report import binding_blocks

    assert isinstance(data["binds"], list)
    bind = {"kind": "pool", "name": "here", "from": None, "to": None, "unit": "node",
            "value": 1.5, "money": 3e6}  # fmt: skip
    table = binding_blocks({"currency": "KRW", "binds": [bind]})[0]
    assert table.rows == (("here", "node", 1.5, 3e6),)
    assert binding_blocks({"currency": "KRW", "binds": []}) == ()
