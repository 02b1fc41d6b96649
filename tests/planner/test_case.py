"""A scenario as columns: money, days, values, candidate counts, rates, and what cannot be held."""

from __future__ import annotations

import json
import warnings
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import InputError, PlanningWarning
from hardware.sheet import read_text
from planner.case import Case, build_case
from planner.case_point import STATED, candidate_nodes, nice_counts
from planner.eligibility import ELIGIBLE, NEEDS_MEMORY, NO_COMMON_DAYS, TOO_FEW_NODES
from planner.scenario import NodeLimits
from planner.scenario_check import check_document, load_scenario

BASE = Path(__file__).with_name("data").joinpath("base-scenario.yaml").read_text("utf-8")
MONTH_S = 365.25 / 12 * 86400


def case_of(*changes: tuple[str, str], folder: Path = Path()) -> Case:
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    document = read_text(text)
    scenario, _ = check_document(document)
    return build_case(scenario, folder, document=document)


@pytest.fixture(scope="module")
def base() -> Case:
    return case_of()


def pair(case: Case, job: str, pool: str) -> int:
    return case.job_names.index(job) * len(case.pool_names) + case.pool_names.index(pool)


def points(case: Case, job: str, pool: str) -> np.ndarray:
    return np.flatnonzero(
        (case.point_job == case.job_names.index(job))
        & (case.point_pool == case.pool_names.index(pool))
    )


def test_columns_are_read_only(base: Case) -> None:
    for field in fields(base):
        column = getattr(base, field.name)
        if isinstance(column, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                column[...] = 0


def test_money_is_in_the_currency_of_the_plan(base: Case) -> None:
    green, blue, chips = base.pool_cost_per_node_day
    assert green == pytest.approx(8 * 3.3e6 / MONTH_S * 86400)
    assert blue == pytest.approx(8 * 4 * 24 * 1450)  # 4 USD an hour
    assert chips == 0
    assert base.consortium_budget.tolist() == [90e9, -1, -1]
    cost = base.pool_cost_per_node_day[base.point_pool] * base.point_nodes
    assert np.array_equal(base.point_cost_per_day, cost)


def test_a_price_of_a_node_is_not_taken_eight_times() -> None:
    case = case_of(("3.3 M KRW / device-month", "100 KRW / node-day"))
    assert case.pool_cost_per_node_day[0] == pytest.approx(100)


def test_equivalents_are_of_a_node(base: Case) -> None:
    assert base.pool_equivalent.tolist() == [4, 8, 0]
    assert base.pool_shared.tolist() == [True, True, False]


def test_stated_values_are_kept_and_others_are_flop(base: Case) -> None:
    assert base.job_value.tolist() == [3, 1, 1, 2, 2]
    without = [(f"    value: {value}\n", "") for value in (3,)]
    text = BASE.replace("    value: 1\n", "").replace("    value: 2\n", "")
    for old, new in without:
        text = text.replace(old, new)
    document = read_text(text)
    case = build_case(check_document(document)[0], ".", document=document)
    active = case.job_value[0] * 1e21 / 6 / 1e12  # of Llama-3.1-8B
    assert active == pytest.approx(8.03e9, rel=0.01)
    answers = case.job_names.index("answers")
    assert case.job_value[answers] == pytest.approx(2 * active * 50e9 / 1e21)


def test_days_of_pairs(base: Case) -> None:
    at = pair(base, "second-run", "blue")
    assert (base.pair_release_day[at], base.pair_due_day[at]) == (31, 151)
    at = pair(base, "third-run", "green")  # candidate of the undecided evaluation
    assert (base.pair_release_day[at], base.pair_due_day[at]) == (0, 166)
    assert base.consortium_first_day.tolist() == [0, 31, 0]
    assert base.consortium_end_day.tolist() == [152, 181, 152]


def test_deliveries_add_up_by_period() -> None:
    windows = "nodes: 32\n    windows: [{nodes: 24}, {from: 2027-02-15, nodes: 8}]"
    case = case_of(("nodes: 32", windows))
    assert case.pool_nodes[0].tolist() == [24, 24, 32, 32, 32, 32]
    assert case.delivery_nodes[case.delivery_pool == 0].tolist() == [24, 8]
    assert case.delivery_first_day[case.delivery_pool == 0].tolist() == [0, 45]
    assert {24, 32} <= set(case.point_nodes[points(case, "base-run", "green")].tolist())


def test_pools_without_common_days_and_nodes_are_told() -> None:
    case = case_of(
        ("nodes: 32", "nodes: 32\n    windows: [{from: 2027-06-10}]"),
        ("nodes: {min: 4, max: 16}", "nodes: {min: 10, max: 16}"),
        ("    device: furiosa_rngd", "    device: b200_sxm_180gb\n    open_to: [maru, onda]"),
    )
    assert case.pair_reason[pair(case, "base-run", "green")] == NO_COMMON_DAYS
    assert case.pair_reason[pair(case, "third-run", "chips")] == TOO_FEW_NODES
    assert not len(points(case, "third-run", "chips"))


def test_soft_deadlines_lose_value_by_the_day() -> None:
    soft = "deadline: {day: 2027-03-31, kind: soft, loss_per_week: 14%}"
    case = case_of(("deadline: 2027-05-31", soft))
    assert (case.job_soft_due_day[0], case.job_loss_per_day[0]) == (90, pytest.approx(0.02))
    assert case.job_soft_due_day[1] == case.days
    assert case.pair_due_day[pair(case, "base-run", "green")] == 166


def test_precedence_and_identity(base: Case) -> None:
    assert (base.after_before.tolist(), base.after_then.tolist()) == ([0], [1])
    assert len(set(base.job_identity.tolist())) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlanningWarning)
        same = case_of(("data: texts", "data:   CORPUS"))
    assert same.job_identity[3] == same.job_identity[0]


def test_stated_rates_scale_with_devices_and_are_marked() -> None:
    case = case_of(("nodes: {min: 4, max: 16}", "rates: {B200: 1000 tokens/s}"))
    stated = points(case, "third-run", "blue")
    assert np.array_equal(case.point_tokens_per_s[stated], 8000.0 * case.point_nodes[stated])
    assert {case.point_layout[at] for at in stated} == {STATED}
    assert case.point_nodes[stated][0] == 1  # a stated rate is not held against memory
    assert (case.point_mfu_frac[stated] == 0).all()
    predicted = points(case, "third-run", "green")
    assert STATED not in {case.point_layout[at] for at in predicted}


def test_points_are_physical(base: Case) -> None:
    assert (base.point_tokens_per_s > 0).all()
    assert (base.point_low_frac <= 1).all()
    assert (base.point_high_frac >= 1).all()
    assert (base.point_mfu_frac < 1).all()
    most = base.pool_device.node_power_w[base.point_pool] * base.point_nodes * 1.3
    assert (base.point_power_w <= most * 1.0001).all()
    assert (base.point_power_w > 0.1 * most).all()
    room = base.pool_device.usable_memory_bytes[base.point_pool]
    assert (base.point_peak_bytes <= room).all()


def test_order_of_entries_changes_nothing_but_the_order() -> None:
    head, rest = BASE.split("  blue:\n")
    blue, rest = rest.split("  chips:\n")
    top, green = head.split("  green:\n")
    text = f"{top}  blue:\n{blue}  green:\n{green}  chips:\n{rest}"
    document = read_text(text)
    moved = build_case(check_document(document)[0], ".")
    plain = case_of()
    for job in plain.job_names:
        for pool in plain.pool_names:
            one, other = points(plain, job, pool), points(moved, job, pool)
            assert np.array_equal(plain.point_nodes[one], moved.point_nodes[other])
            assert np.array_equal(plain.point_tokens_per_s[one], moved.point_tokens_per_s[other])


def test_own_files_are_read_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "tiny.yaml").write_text(
        "name: Tiny\nlayers: 4\nhidden: 256\nheads: 4\nvocab: 1000\nffn_hidden: 1024\n"
    )
    (tmp_path / "models.yaml").write_text(
        "models:\n  Small: {layers: 8, hidden: 512, heads: 8, vocab: 1000, ffn_hidden: 2048}\n"
    )
    (tmp_path / "devices.yaml").write_text(
        "accelerators:\n  b200_sxm_180gb:\n    memory: {value: 90 GB, per: device, "
        "source: ours, as_of: 2026}\n    usable_memory: {value: 90 GB, per: device, source: ours, "
        "as_of: 2026}\n"
    )
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "config.json").write_text(
        json.dumps(
            {
                "model_type": "llama", "num_hidden_layers": 4, "hidden_size": 256,
                "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 512,
                "vocab_size": 1000,
            }
        )
    )  # fmt: skip
    text = BASE.replace("programmes:\n", "files: [models.yaml, devices.yaml]\nprogrammes:\n", 1)
    text = text.replace("model: Qwen3-235B-A22B", "model: sub/tiny.yaml")
    text = text.replace("    data: texts", "    data: texts2")
    text = text.replace(
        "    model: Llama-3.1-8B\n    tokens: 1 T", "    model: small\n    tokens: 1 T"
    )
    text = text.replace(
        "    model: Llama-3.1-8B\n    tokens: 200 B", "    model: hf\n    tokens: 1 B"
    )
    (tmp_path / "scenario.yaml").write_text(text)
    scenario, document = load_scenario(tmp_path / "scenario.yaml")
    case = build_case(scenario, tmp_path, document=document)
    assert case.pool_device.usable_memory_bytes[1] == 90e9
    assert len(points(case, "third-run", "blue"))
    assert len(points(case, "second-run", "blue"))


def test_a_job_that_nothing_can_hold_is_told_with_what_is_missing() -> None:
    changes = (
        ("model: Qwen3-235B-A22B", "model: Llama-3.1-405B"),
        ("nodes: {min: 4, max: 16}", "devices: [h100_sxm5_80gb]\n    nodes: 2"),
    )
    with pytest.raises(InputError) as caught:
        case_of(*changes)
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.where.field) == ("memory-exceeded", "jobs.third-run.model")
    line = BASE[: BASE.index("model: Qwen3-235B-A22B")].count("\n") + 1
    assert (fault.where.line, fault.where.column) == (line, len("    model: ") + 1)
    assert "16 `h100_sxm5_80gb`" in fault.found
    assert "are missing" in fault.found
    wanted = int(fault.expected.split("at least ")[1].split()[0])
    roomy = case_of(
        ("    nodes: 32", f"    nodes: {wanted}"),
        changes[0],
        ("nodes: {min: 4, max: 16}", f"devices: [h100_sxm5_80gb]\n    nodes: {wanted}"),
    )
    assert len(points(roomy, "third-run", "green")) == 1


def test_a_pool_too_small_beside_one_that_holds_the_job_is_a_reason() -> None:
    case = case_of(
        ("model: Qwen3-235B-A22B", "model: Llama-3.1-405B"),
        ("    nodes: 32", "    nodes: 2"),
        ("nodes: {min: 4, max: 16}", "nodes: {min: 1, max: 16}"),
    )
    assert case.pair_reason[pair(case, "third-run", "green")] == NEEDS_MEMORY
    assert case.pair_reason[pair(case, "third-run", "blue")] == ELIGIBLE


def test_training_on_devices_that_cannot_is_planned_when_asked_for() -> None:
    case = case_of(
        ("nodes: {min: 4, max: 16}", "devices: [furiosa_rngd]\n    what_if_training: true"),
        ("model: Qwen3-235B-A22B", "model: Llama-3.1-8B"),
        ("    basis: own", "    basis: own\n    open_to: [maru, onda]"),
    )
    assert len(points(case, "third-run", "chips"))


def test_assumed_figures_are_told_and_chances_are_not() -> None:
    case = case_of(
        ("tokens: 1 T", "tokens: {value: 1 T, mark: assumed, note: a guess}"),
        ("nodes: {min: 4, max: 16}", "nodes: {min: {value: 4, mark: assumed}, max: 16}"),
        ("maru: 0.4", "maru: {value: 0.4, mark: assumed}"),
        (", pue: 1.3", ""),
    )
    assert "jobs.base-run: tokens 1 T (a guess)" in case.assumed
    assert "jobs.third-run: nodes.min 4" in case.assumed
    assert any(sentence.startswith("power.pue: 1.3") for sentence in case.assumed)
    assert not any("chances" in sentence for sentence in case.assumed)


@given(st.integers(1, 10**6))
def test_round_counts_are_few_and_close(most: int) -> None:
    counts = nice_counts(most)
    assert counts[0] == 1
    assert counts[-1] <= most
    assert len(counts) < 80
    assert (counts[1:] <= 2 * counts[:-1]).all()
    assert most < 1.5 * counts[-1] + 1
    for count in counts[counts >= 16].tolist():
        assert count // (count & -count) in (1, 3, 5, 7)


@given(
    st.integers(1, 600),
    st.one_of(st.none(), st.integers(0, 600)),
    st.lists(st.integers(0, 512), min_size=1, max_size=4),
)
def test_candidates_lie_within_limits(least: int, more: int | None, totals: list[int]) -> None:
    limits = {"min": least, "max": None if more is None else least + more}
    counts = candidate_nodes(NodeLimits.model_validate(limits), totals)
    most = min(max(totals), 10**9 if more is None else least + more)
    assert all(least <= count <= most for count in counts)
    assert (np.diff(counts) > 0).all()
    if least <= most:
        assert {least, most} <= set(counts.tolist())
        assert {n for n in totals if least <= n <= most} <= set(counts.tolist())


def test_choices_alone_are_tried() -> None:
    limits = NodeLimits.model_validate({"choices": [12, 4, 60]})
    assert candidate_nodes(limits, [32]).tolist() == [4, 12]


def test_a_million_nodes_and_a_thousand_jobs() -> None:
    pools = "".join(
        f"  p{i}: {{device: h100, nodes: 1000000, price: 0 KRW / device-month}}\n" for i in range(5)
    )
    teams = "".join(f"  t{i}: {{members: [org {i}]}}\n" for i in range(1000))
    jobs = "".join(
        f"  j{i}: {{consortium: t{i}, model: Llama-3.1-8B, tokens: 1 T, data: d{i}"
        + (f", after: [j{i - 1}]" if i % 3 else "")
        + "}\n"
        for i in range(1000)
    )
    text = (
        "name: big\ncurrency: KRW\nhorizon: {from: 2027-01-01, to: 2027-12-31}\n"
        f"pools:\n{pools}consortiums:\n{teams}jobs:\n{jobs}"
    )
    scenario, found = check_document(read_text(text))
    assert found == ()
    case = build_case(scenario)
    assert len(case.pair_job) == 5000
    assert case.point_nodes.max() <= 1_000_000


def test_a_scenario_built_in_code_is_checked_too() -> None:
    scenario, _ = check_document(read_text(BASE))
    broken = scenario.model_copy(update={"currency": "won"})
    with pytest.raises(InputError) as caught:
        build_case(broken)
    assert [fault.code for fault in caught.value.diagnostics] == ["unknown-currency"]
    assert caught.value.diagnostics[0].where.field == "currency"


def test_inference_is_held_against_weights_alone_and_types_against_the_device() -> None:
    changes = (
        ("    tokens: 50 B\n    kind: serving", "    tokens: 50 B\n    kind: serving\n"
         "    pools: [green]\n    nodes: 1\n    precision: bf16"),
        ("nodes: {min: 4, max: 16}", "devices: [h100]\n    precision: fp4"),
    )  # fmt: skip
    text = BASE.replace(
        "    model: Llama-3.1-8B\n    tokens: 50 B", "    model: A.X-K1\n    tokens: 50 B"
    )
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    document = read_text(text)
    scenario, _ = check_document(document)
    with pytest.raises(InputError) as caught:
        build_case(scenario, document=document)
    memory, layout = caught.value.diagnostics
    assert (memory.code, memory.where.field) == ("memory-exceeded", "jobs.answers.model")
    assert "1.04 TB of weights on 8" in memory.found
    assert "358 GB are missing" in memory.found
    assert (layout.code, layout.where.field) == ("no-layout", "jobs.third-run.precision")
