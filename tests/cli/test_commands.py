"""The commands as a user runs them: the way from a new folder to a checked plan, and estimates."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import subprocess
import sys

import pytest

# Rates are given, so that nothing here depends on the constants of the model.
SCENARIO = """\
schema: planner/scenario/1
name: by hand
currency: KRW
horizon: {from: 2027-01-01, to: 2027-02-28, resolution: week}
pools:
  north: {device: b200, nodes: {value: 4, mark: assumed, note: a guess}, price: 1000 KRW / node-day}
consortiums:
  maru: {name: Maru Labs, budget: 1 M KRW}
  nuri: {name: Nuri}
jobs:
  one:
    consortium: maru
    model: llama3-8b
    tokens: 27.648 B
    data: web
    nodes: 2
    rates: {b200: 1000 tokens/s}
  two:
    consortium: nuri
    model: llama3-8b
    tokens: 100 T
    data: books
    rates: {b200: 1000 tokens/s}
"""


@pytest.fixture
def scenario(tmp_path):
    place = tmp_path / "scenario.yaml"
    place.write_text(SCENARIO)
    return place


def test_from_a_new_folder_to_a_checked_plan(process, tmp_path):
    folder, plan = tmp_path / "my-plan", tmp_path / "plan.json"
    made = process("new", folder)
    assert made.code == 0
    assert made.err.startswith("next: planner allocate ")
    assert all(path.startswith(str(folder)) for path in made.out.split())
    first = folder / "first-minute.yaml"
    assert process("check", *sorted(folder.glob("*.yaml")), "--strict").code == 0
    solved = process("allocate", first, "-o", plan)
    assert solved.code == 0, solved.err
    assert "jobs placed for" in solved.out.splitlines()[0]
    assert solved.err == f"wrote {plan}\n"
    assert max(map(len, solved.out.split("\nnot placed")[0].splitlines())) <= 100
    verified = process("verify", first, plan)
    assert (verified.code, verified.err) == (0, "")
    assert verified.out.startswith("the plan holds")
    assert process("check", plan).code == 0


def test_new_overwrites_nothing(cli, tmp_path):
    (tmp_path / "first-minute.yaml").write_text("mine")
    answer = cli("new", tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert "error[file-exists]" in answer.err
    assert [item.name for item in tmp_path.iterdir()] == ["first-minute.yaml"]
    assert (tmp_path / "first-minute.yaml").read_text() == "mine"


def test_new_makes_the_schema_that_its_modeline_names(cli, tmp_path):
    assert cli("new", tmp_path / "deep" / "er").code == 0
    folder = tmp_path / "deep" / "er"
    for place in folder.glob("*.yaml"):
        line = place.read_text().splitlines()[0]
        assert (folder / line.partition("$schema=")[2]).is_file(), line
    json.loads((folder / "scenario.schema.json").read_text())


def test_plan_is_one_screen_with_signs_and_reasons(cli, scenario):
    answer = cli("allocate", scenario)
    assert (answer.code, answer.err) == (0, "")
    verdict, shares, runs, missing, signs, assumed = answer.out.split("\n\n")[:6]
    assert verdict.startswith("1 of 2 jobs placed for 40 k KRW, the best possible")
    assert "maru" in shares
    assert "total" in shares.splitlines()[-1]
    assert "north*" in runs
    assert "2027-01-20" in runs, "27.648e9 tokens at 16 devices x 1000 tokens/s are 20 days"
    assert missing.startswith("not placed\ntwo ")
    assert "hint: " in missing
    assert "* rests on assumed inputs" in signs
    assert "‡ the rate is stated" in signs
    assert assumed.startswith("assumed\npools.north: nodes 4 (a guess)")


def test_plan_says_what_values_are_where_no_job_states_one(cli, scenario):
    line = "Value: model FLOP of the finished work, in 1e21 FLOP, since no job of the scenario"
    assert line in cli("allocate", scenario).out
    text = scenario.read_text()
    assert text.count("tokens: ") >= 2
    stated = "\n".join(
        f"{row}\n{row[: len(row) - len(row.lstrip())]}value: 3"
        if row.lstrip().startswith("tokens: ") else row
        for row in text.splitlines()
    )  # fmt: skip
    scenario.write_text(stated)
    answer = cli("allocate", scenario)
    assert (answer.code, "Value:" in answer.out) == (0, False)


def test_verbose_plan_shows_node_ids_and_layouts(cli, scenario):
    details = cli("allocate", scenario, "-v").out.split("\n\n")[3]
    assert details.splitlines()[0].split() == ["job", "node", "ids", "layout"]
    assert details.splitlines()[1].split()[:2] == ["one", "0-1"]


def test_plan_as_json_goes_through_a_pipe_to_verify(process, scenario):
    plan = process("allocate", scenario, "--format", "json", "-q")
    document = json.loads(plan.out)
    assert document["schema"] == "planner/plan/1"
    assert document["inputs"][0]["path"] == "scenario.yaml"
    answer = process("verify", scenario, "-", stdin=plan.out)
    assert answer.code == 0, answer.out
    inflated = plan.out.replace('"tokens": 27648000000.0', '"tokens": 37648000000.0')
    assert inflated != plan.out
    answer = process("verify", scenario, "-", stdin=inflated)
    assert answer.code == 1
    assert "error[tokens-inflated]" in answer.out
    assert answer.err == ""


def test_verify_as_json(process, scenario, tmp_path):
    process("allocate", scenario, "-q", "-o", tmp_path / "plan.json")
    document = json.loads(process("verify", scenario, tmp_path / "plan.json", "--format=json").out)
    assert document["ok"] is True
    assert document["schema"] == "planner/audit/1"


def test_plan_as_csv(cli, scenario):
    rows = list(csv.DictReader(io.StringIO(cli("allocate", scenario, "--format", "csv").out)))
    assert [row["job"] for row in rows] == ["one"]
    assert float(rows[0]["cost_krw"]) == 40_000
    assert rows[0]["mfu_frac"] == ""


def test_a_plan_in_place_of_a_scenario_is_told_in_one_line(cli, scenario, tmp_path):
    plan = tmp_path / "plan.json"
    cli("allocate", scenario, "-q", "-o", plan)
    for line in (["allocate", plan], ["verify", plan, scenario]):
        answer = cli(*line)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.count("error[") == 1
        assert "error[not-a-scenario]: the file is a plan, not a scenario" in answer.err


def test_same_question_same_plan(cli, scenario):
    def rows() -> object:
        return json.loads(cli("allocate", scenario, "--format", "json", "--seed", 1).out)["rows"]

    assert rows() == rows()


def test_existing_plan_stays_when_there_is_no_answer(cli, scenario, tmp_path):
    (tmp_path / "plan.json").write_text("precious")
    scenario.write_text(SCENARIO.replace("consortium: nuri", "consortium: nury"))
    answer = cli("allocate", scenario, "-o", tmp_path / "plan.json")
    assert (answer.code, answer.out) == (2, "")
    assert "did you mean `nuri`?" in answer.err
    assert (tmp_path / "plan.json").read_text() == "precious"


def test_no_plan_is_an_answer_with_code_1(cli, scenario):
    scenario.write_text(SCENARIO.replace("budget: 1 M KRW", "budget: 1 M KRW, floor: 31"))
    answer = cli("allocate", scenario)
    assert answer.code == 1
    assert answer.out.startswith("no plan exists")
    assert "maru" in answer.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--time-limit", "60"], "expected a duration with its unit"),
        (["--time-limit", "-5s"], "error[bad-limit]"),
        (["--gap", "2"], "expected a fraction"),
        (["--solver", "gurobi"], "'highs', 'cbc'"),
        (["--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_limits_that_mean_nothing(options, said, cli, scenario):
    answer = cli("allocate", scenario, *options)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_interrupted_solve_answers_130_at_once(interrupted):
    from importlib.resources import files

    place = files("planner").joinpath("examples", "kai-plan.yaml")
    answer = interrupted("allocate", place, after_s=0.3)
    assert answer.code == 130
    assert "Traceback" not in answer.err


def test_an_interrupt_that_a_library_turned_into_its_own_error_answers_130(monkeypatch, capsys):
    import os
    import signal
    import time

    from planner.cli import main as room

    def building(*_: object, **__: object) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise ValueError("a schema could not be built") from None
        return 0

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(room.root, "main", building)
    assert room.run(["catalog"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_at_any_moment_answers_130(environment, tmp_path):
    program = """
import planner.cli.main as room

def run(*_):
    try:
        exec("raise KeyboardInterrupt")  # as while a module with dataclasses is imported
    except KeyboardInterrupt:
        print("interrupted")
        return 130

room._run = run
room.main()
"""
    (tmp_path / "interrupted_once.py").write_text(program)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path), os.getcwd()])
    ended = subprocess.run([sys.executable, "-m", "interrupted_once"], capture_output=True,
                           env=environment(PYTHONPATH=path))  # fmt: skip
    assert (ended.returncode, ended.stdout.split()) == (130, [b"interrupted"])


@pytest.mark.parametrize(
    ("status", "sentence", "options", "code"),
    [
        ("optimal", "all placed (HiGHS, 3 s)", [], 0),
        ("feasible", "all placed, within 3 % of the best possible (HiGHS, 60 s)", [], 0),
        ("feasible", "all placed, within 3 % (HiGHS, 60 s)", ["--require-optimal"], 1),
        ("feasible", "all placed, within 3 % (HiGHS, 2 s, interrupted)", [], 130),
        ("unsolved", "no plan was found in 2 s, interrupted", [], 130),
        ("unsolved", "no plan was found in 60 s", [], 1),
        ("infeasible", "no plan exists: the floor of `maru`", [], 1),
        ("failed", "no plan: the solver failed", [], 3),
    ],
)
def test_exit_code_follows_the_verdict(
    status, sentence, options, code, cli, scenario, tmp_path, monkeypatch
):
    import planner.division

    plan = planner.division.allocate(scenario)
    verdict = dataclasses.replace(plan.verdict, status=status, sentence=sentence)
    given = dataclasses.replace(plan, verdict=verdict)
    monkeypatch.setattr(planner.division, "allocate", lambda *_, **__: given)
    place = tmp_path / "plan.json"
    answer = cli("allocate", scenario, "-o", place, *options)
    assert answer.code == code
    assert answer.out.splitlines()[0] == sentence
    assert json.loads(place.read_text())["verdict"]["status"] == status


def test_explain_tells_the_story_of_a_job(cli, scenario, tmp_path):
    cli("allocate", scenario, "-q", "-o", tmp_path / "plan.json")
    placed = cli("explain", "one", "--plan", tmp_path / "plan.json")
    assert placed.out.startswith("one is placed")
    assert "2 nodes of north" in placed.out
    refused = cli("explain", "two", "--plan", tmp_path / "plan.json")
    assert refused.out.startswith("two is not placed")
    unknown = cli("explain", "thre", "--plan", tmp_path / "plan.json")
    assert unknown.code == 2
    assert cli("explain", "one", "--plan", scenario).code == 2


def test_explain_prints_pages_and_their_list(cli):
    assert "3.35 TB/s" in cli("explain", "unit-mismatch").out
    assert cli("explain").out.count("\n") > 60
    answer = cli("explain", "unit-mismach")
    assert answer.code == 2
    assert "did you mean `unit-mismatch`" in answer.err


@pytest.mark.parametrize("name", ["scenario", "accelerators", "models", "model", "plan"])
def test_schema_is_json_schema(name, cli):
    document = json.loads(cli("schema", name).out)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["type"] == "object"
    assert document["additionalProperties"] is False
    for field, written in document["properties"].items():
        assert "description" in written or "$ref" in written, field


def test_estimate_prints_layouts_parts_and_money(cli):
    answer = cli("estimate", "--model", "llama3-8b", "--device", "h100", "--devices", 64,
                 "--tokens", "1 T", "--price", "2 USD / device-hour")  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    head = answer.out.splitlines()
    assert "1 T tokens take" in head[0]
    assert head[2].split()[:3] == ["days", "low", "high"]
    assert "price: given, 2 USD a device-hour" in answer.out
    assert "PUE 1.3*" in answer.out
    assert "* assumed" in answer.out
    assert max(map(len, answer.out.split("\n\n")[1].splitlines())) <= 100


def test_estimate_agrees_with_the_library(cli):
    import planner

    line = ("--model", "llama3-8b", "--device", "h100", "--devices", 64, "--tokens", "1 T")
    document = json.loads(cli("estimate", *line, "--format", "json").out)
    found = planner.estimate("llama3-8b", "h100", devices=64, tokens=1e12)
    assert document["rows"][0]["step_s"] == pytest.approx(float(found.steps.step_s[0]))
    rows = list(csv.DictReader(io.StringIO(cli("estimate", *line, "--format", "csv").out)))
    assert float(rows[0]["step_s"]) == pytest.approx(float(found.steps.step_s[0]))


def test_price_of_a_node_in_another_currency(cli):
    from hardware.economy import usd

    line = ("estimate", "--model", "llama3-8b", "--device", "h100", "--devices", 8, "--tokens",
            "1 B", "--format", "json")  # fmt: skip
    document = json.loads(cli(*line, "--price", "8 M KRW / node-hour").out)
    assert document["usd_per_device_s"] == pytest.approx(usd(8e6, "KRW") / 8 / 3600)


def test_no_layout_is_an_answer_with_code_1(cli):
    answer = cli("estimate", "--model", "llama-3.1-405b", "--device", "h100", "--devices", 8,
                 "--tokens", "1 T")  # fmt: skip
    assert answer.code == 1
    assert answer.out.startswith("no layout of")
    refused = cli("estimate", "--model", "llama3-8b", "--device", "rngd", "--devices", 8,
                  "--tokens", "1 T")  # fmt: skip
    assert refused.code == 1
    assert "no training on the device has been shown" in refused.out


def test_what_if_training_is_marked(cli):
    line = ("--model", "llama3-8b", "--device", "rebel-quad", "--devices", 256, "--tokens", "1 T")
    answer = cli("estimate", *line, "--what-if-training")
    assert "WHAT IF" in answer.out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--model": "llama-9"}, "error[unknown-model]"),
        ({"--device": "h1000"}, "error[unknown-device]"),
        ({"--devices": "0"}, "0 is not in the range"),
        ({"--tokens": "1 X"}, "expected a number of tokens"),
        ({"--tokens": "0"}, "error[out-of-range]"),
        ({"--layout": "tpp=2"}, "did you mean `tp`"),
        ({"--stack": "megatron-cor"}, "did you mean `megatron-core`"),
        ({"--price": "2 USD"}, "expected a price"),
        ({"--precision": "fp6"}, "'fp8-block'"),
        ({"--files": "nowhere.yaml"}, "error[no-such-file]"),
    ],
)
def test_estimate_refuses_what_it_cannot_answer(change, said, cli):
    line = {"--model": "llama3-8b", "--device": "h100", "--devices": "64", "--tokens": "1 T"}
    answer = cli("estimate", *(word for pair in {**line, **change}.items() for word in pair))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_compare_keeps_the_order_and_says_who_is_left_out(cli):
    answer = cli("compare", "h100", "rngd", "b200", "--model", "llama3-8b")
    assert "80 % interval of tokens a second: h100_sxm5_80gb -" in answer.out
    assert answer.code == 0
    rows = [line.split()[0] for line in answer.out.split("\n\n")[1].splitlines()[2:]]
    assert rows[:3] == ["h100_sxm5_80gb", "furiosa_rngd", "b200_sxm_180gb"]
    assert "furiosa_rngd: no training" in answer.out


def test_a_short_name_finds_the_device_of_that_alias(cli):
    answer = cli("catalog", "b20")
    assert answer.code == 2
    assert "did you mean `b200`" in answer.err


def test_own_sheet_overrides_the_catalogue(cli, tmp_path):
    place = tmp_path / "mine.yaml"
    place.write_text(
        "as_of: 2026-11\nsource: bench\nbasis: {dense: true, per: device, direction: one_way}\n"
        "accelerators: {h100: {tdp: 650 W}}\n"
    )
    answer = cli("catalog", "h100", "--files", place)
    assert answer.code == 0, answer.err
    assert "650 W" in answer.out
    assert "replaces" in answer.out


def test_an_interrupt_that_a_library_swallowed_is_told_by_the_exit_code(monkeypatch):
    import os
    import signal
    import time

    from planner.cli import main as room

    def answered(*_: object, **__: object) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            pass
        return 0

    monkeypatch.setattr(room.root, "main", answered)
    assert room.run(["catalog"]) == 130
