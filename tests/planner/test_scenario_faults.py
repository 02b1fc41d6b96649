"""Every fault of a scenario is told at its line and column, and nothing else is.

A replacement in the valid base file marks with `▸` where its fault must stand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.errors import Diagnostic, InputError
from hardware.sheet import read_text
from planner.scenario_check import check_document

BASE = Path(__file__).with_name("data").joinpath("base-scenario.yaml").read_text("utf-8")


def variant(*changes: tuple[str, str]) -> tuple[str, tuple[int, int] | None]:
    """The base with texts replaced, and line and column of the `▸` that a new text holds."""
    text = BASE
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in the base")
        text = text.replace(old, new)
    at = text.find("▸")
    if at < 0:
        return text, None
    before = text[:at]
    place = (before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)
    return text.replace("▸", ""), place


def found(*changes: tuple[str, str]) -> tuple[list[Diagnostic], tuple[int, int] | None]:
    text, place = variant(*changes)
    try:
        _, warnings = check_document(read_text(text))
    except InputError as error:
        return list(error.diagnostics), place
    return list(warnings), place


# name: code, text expected in the diagnostic, replacements in the base
FAULTS: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "pool's programme": ("unknown-programme", "did you mean `first`?",
        [("device-month\n    programme: first", "device-month\n    programme: ▸frist")]),
    "team's programme": ("unknown-programme", "did you mean `second`?",
        [("[Nuri], programme: second", "[Nuri], programme: ▸secnd")]),
    "pool open to nobody": ("unknown-consortium", "did you mean `onda`?",
        [("    basis: leased", "    basis: leased\n    open_to: [onda, ▸ondo]")]),
    "job's consortium": ("unknown-consortium", "did you mean `onda`?",
        [("consortium: onda", "consortium: ▸Onda")]),
    "job's pool": ("unknown-pool", "did you mean `green`?",
        [("nodes: {min: 4, max: 16}", "pools: [blue, ▸gren]")]),
    "pool's device": ("unknown-device", "did you mean `h100",
        [("device: h100_sxm5_80gb", "device: ▸h100_smx5")]),
    "job's device": ("unknown-device", "did you mean `b200",
        [("nodes: {min: 4, max: 16}", "devices: [▸b200_sxmm]")]),
    "device without figures": ("unusable-device", "cannot be planned with",
        [("device: h100_sxm5_80gb", "device: ▸cambricon_mlu590")]),
    "device of a rate": ("unknown-device", "no device",
        [("nodes: {min: 4, max: 16}", "rates: {▸nothing_like_it: 900 tokens/s}")]),
    "device of an equivalence": ("unknown-device", "no device",
        [("b200_sxm_180gb: 1,", "b200_sxm_180gb: 1, ▸none_such: 1,")]),
    "node preset": ("unknown-node", "did you mean `hgx_h100`",
        [("    nodes: 32", "    nodes: 32\n    node: ▸hgx_h10")]),
    "node that does not hold the device": ("wrong-node", "h100_sxm5_80gb",
        [("    nodes: 32", "    nodes: 32\n    node: ▸hgx_a100")]),
    "model": ("unknown-model", "did you mean `Qwen3-235B-A22B`",
        [("model: Qwen3-235B-A22B", "model: ▸Qwen3-235B-A2B")]),
    "model file": ("no-such-file", "does not exist",
        [("model: Qwen3-235B-A22B", "model: ▸models/none.yaml")]),
    "sheet file": ("no-such-file", "does not exist",
        [("programmes:\n", "files: [▸my-devices.yaml]\nprogrammes:\n")]),
    "stack": ("unknown-stack", "megatron-core",
        [("nodes: {min: 4, max: 16}", "stack: ▸megatron-cor")]),
    "job after an unknown one": ("unknown-job", "did you mean `base-run`?",
        [("after: [base-run]", "after: [▸base-rum]")]),
    "job after itself": ("waits-for-itself", "`tuned`",
        [("after: [base-run]", "after: [base-run, ▸tuned]")]),
    "ring of jobs": ("cycle", "`base-run` after `tuned` after `base-run`",
        [("    deadline: 2027-05-31", "    deadline: 2027-05-31\n    after: [tuned]"),
         ("after: [base-run]", "after: [▸base-run]")]),
    "window before the horizon": ("outside-horizon", "2027-01-01 to 2027-06-30",
        [("{from: 2027-02-01, to: 2027-05-31}", "{from: 2026-02-01, to: ▸2026-05-31}")]),
    "window after the horizon": ("outside-horizon", "2027-01-01 to 2027-06-30",
        [("{from: 2027-02-01, to: 2027-05-31}", "{from: ▸2028-02-01, to: 2028-05-31}")]),
    "window backwards": ("bad-value", "not before",
        [("{from: 2027-02-01, to: 2027-05-31}", "▸{from: 2027-05-01, to: 2027-02-28}")]),
    "deadline after the horizon": ("outside-horizon", "2072-05-31",
        [("deadline: 2027-05-31", "deadline: ▸2072-05-31")]),
    "soft deadline before the horizon": ("outside-horizon", "2026-12-31",
        [("deadline: 2027-05-31", "deadline: {day: ▸2026-12-31, kind: soft}")]),
    "window before the team joins": ("no-common-days", "`nuri`'s time",
        [("{from: 2027-02-01, to: 2027-05-31}", "▸{to: 2027-01-31}")]),
    "window after the team left": ("no-common-days", "`nuri`'s time",
        [("joined: 2027-02-01", "left: 2027-01-01")
         , ("window: {from: 2027-02-01, to: 2027-05-31}",
            "window: ▸{from: 2027-02-01, to: 2027-05-31}")]),
    "work after an undecided evaluation": ("no-common-days", "placeholder: true",
        [("nodes: {min: 4, max: 16}", "window: ▸{from: 2027-06-20}")]),
    "joined after left": ("dates-out-of-order", "joined 2027-02-01, left 2027-01-15",
        [("joined: 2027-02-01", "joined: 2027-02-01, left: ▸2027-01-15")]),
    "joined after the horizon": ("outside-horizon", "2027-01-01 to 2027-06-30",
        [("joined: 2027-02-01", "joined: ▸2029-02-01")]),
    "horizon backwards": ("bad-value", "not before",
        [("horizon: {from: 2027-01-01", "horizon: ▸{from: 2027-11-01")]),
    "pool without nodes": ("empty-pool", "at least one node",
        [("nodes: 32", "nodes: ▸0")]),
    "pool with empty windows": ("empty-pool", "at least one node",
        [("nodes: 32", "nodes: ▸32\n    windows: [{to: 2027-02-28, nodes: 0}]")]),
    "negative nodes": ("bad-value", "zero or more",
        [("nodes: 32", "nodes: ▸-32")]),
    "windows above the pool's nodes": ("too-many-nodes", "40 nodes at one time",
        [("nodes: 32", "nodes: 32\n    windows: ▸[{nodes: 32}, {from: 2027-03-01, nodes: 8}]")]),
    "pool window outside the horizon": ("outside-horizon", "2027-01-01 to 2027-06-30",
        [("nodes: 32", "nodes: 32\n    windows: [{from: ▸2028-01-01}]")]),
    "fewest nodes above every pool": ("too-few-nodes", "at most 32",
        [("nodes: {min: 4, max: 16}", "nodes: {min: ▸64, max: 128}")]),
    "choices above every pool": ("too-few-nodes", "at most 32",
        [("nodes: {min: 4, max: 16}", "nodes: ▸{choices: [40, 80]}")]),
    "choice outside its limits": ("out-of-range", "4 to 16",
        [("nodes: {min: 4, max: 16}", "nodes: {min: 4, max: 16, choices: [8, ▸32]}")]),
    "fewest above most": ("bad-value", "not below",
        [("nodes: {min: 4, max: 16}", "nodes: ▸{min: 16, max: 4}")]),
    "budget in a currency without a rate": ("no-exchange-rate", "write `exchange: {EUR:",
        [("90 bn KRW", "▸90 M EUR")]),
    "price in a currency without a rate": ("no-exchange-rate", "JPY",
        [("3.3 M KRW / device-month", "▸3.3 M JPY / device-month")]),
    "rate in a third currency": ("wrong-exchange-rate", "KRW",
        [("{USD: 1450 KRW}", "{USD: ▸0.9 EUR}")]),
    "plan in no currency": ("unknown-currency", "three capital letters",
        [("currency: KRW", "currency: ▸won")]),
    "wrong unit": ("unit-mismatch", "3.3",
        [("nodes: {min: 4, max: 16}", "rates: {b200: ▸3.3 TB/s}")]),
    "negative tokens": ("out-of-range", "`-1 T`",
        [("tokens: 1 T", "tokens: ▸-1 T")]),
    "no tokens": ("out-of-range", "more than 0",
        [("tokens: 1 T", "tokens: {value: ▸0, mark: assumed}")]),
    "free work": ("out-of-range", "at least 0",
        [("value: 3", "value: ▸-3")]),
    "pue below one": ("out-of-range", "at least 1",
        [("pue: 1.3", "pue: ▸0.3")]),
    "floor above cap": ("contradiction", "floor 300, cap 200",
        [("cap: 200", "cap: 200, floor: ▸300")]),
    "training on devices that cannot": ("cannot-train", "what_if_training",
        [("nodes: {min: 4, max: 16}", "devices: ▸[furiosa_rngd]"),
         ("    basis: own", "    basis: own\n    open_to: [maru, onda]")]),
    "training in a pool that cannot": ("cannot-train", "post-training on furiosa_rngd",
        [("after: [base-run]", "pools: ▸[chips]")]),
    "device that no pool has": ("no-such-pool", "a device of",
        [("nodes: {min: 4, max: 16}", "▸devices: [h200]")]),
    "organisation in two programmes": ("two-programmes", "one_programme_per_organisation",
        [("members: [Nuri]", "members: [Nuri, ▸hana university]")]),
    "removal of an unknown team": ("unknown-consortium", "did you mean `onda`?",
        [("removes: 1", "removes: 1\n    removed: [▸ond]")]),
    "removal of a team not yet there": ("not-in-programme", "joined 2027-02-01",
        [("  - day: 2027-06-01\n    candidates: [maru, onda]\n    removes: 1\n"
          "    chances: {maru: 0.4, onda: 0.6}", "  - day: 2027-01-15\n    removed: [▸nuri]")]),
    "removal against left": ("contradiction", "removed 2027-06-01, left 2027-06-10",
        [("members: [Onda]", "left: 2027-06-10, members: [Onda]"),
         ("removes: 1", "removes: 1\n    removed: [▸onda]")]),
    "removal after left": ("not-in-programme", "gone on 2027-05-10",
        [("members: [Onda]", "left: 2027-05-10, members: [Onda]"),
         ("    candidates: [maru, onda]\n    removes: 1\n    chances: {maru: 0.4, onda: 0.6}",
          "    removed: [▸onda]")]),
    "removal of no candidate": ("contradiction", "without being a candidate",
        [("removes: 1", "removes: 1\n    removed: [▸nuri]")]),
    "removal of another number": ("contradiction", "removes: 2",
        [("removes: 1", "removes: ▸1\n    removed: [maru, onda]"),
         ("    chances: {maru: 0.4, onda: 0.6}\n", "")]),
    "removal twice": ("named-twice", "`onda` stands twice",
        [("removes: 1", "removes: 2\n    removed: [onda, ▸onda]"),
         ("    chances: {maru: 0.4, onda: 0.6}\n", "")]),
    "more removed than candidates": ("contradiction", "removes 3 of 2",
        [("removes: 1", "removes: ▸3"), ("    chances: {maru: 0.4, onda: 0.6}\n", "")]),
    "chances that do not add": ("chances-do-not-add", "0.9",
        [("chances: {maru: 0.4, onda: 0.6}", "▸chances: {maru: 0.4, onda: 0.5}")]),
    "chance of no candidate": ("contradiction", "`nuri` is no candidate",
        [("chances: {maru: 0.4, onda: 0.6}", "chances: {maru: 0.4, ▸nuri: 0.6}")]),
    "evaluations out of order": ("dates-out-of-order", "2027-05-01 after 2027-06-01",
        [("power:", "  - day: ▸2027-05-01\n    candidates: [nuri]\npower:")]),
    "evaluation outside the horizon": ("outside-horizon", "2027-08-01",
        [("day: 2027-06-01", "day: ▸2027-08-01")]),
    "equivalence missing": ("missing-equivalence", "`b200_sxm_180gb` has no",
        [("  equivalence: {h100_sxm5_80gb: 0.5, b200_sxm_180gb: 1, furiosa_rngd: 0}",
          "  ▸equivalence: {h100_sxm5_80gb: 0.5, furiosa_rngd: 0}")]),
    "value missing": ("missing-value", "4 of 5 jobs",
        [("  third-run:", "  ▸third-run:"), ("16}\n    value: 2", "16}")]),
    "own pool without owner": ("missing-owner", "`owner`",
        [("    owner: Maru Labs\n    basis: own", "    basis: ▸own")]),
    "leased pool without owner": ("missing-owner", "`owner`",
        [("    owner: Lender\n    basis: leased", "    basis: ▸leased")]),
    "pool open to another programme": ("other-programme", "`nuri` in `second`",
        [("KRW / device-month\n    programme: first",
          "KRW / device-month\n    programme: first\n    open_to: [maru, onda, ▸nuri]")]),
    "floor without jobs": ("floor-without-jobs", "`partial: true`",
        [("rules:", "  x: {consortium: maru, model: Llama-3.1-8B, tokens: 1 B, value: 1, data: x}\n"
          "rules:"), ("members: [Nuri]", "members: [Nuri], floor: ▸9"),
         ("    consortium: nuri", "    consortium: onda")]),
    "equal support of more than all": ("out-of-range", "below 100 %",
        [("rules:", "rules:\n  equal_support: ▸100%")]),
    "equal support of nobody": ("nobody-to-compare", "two consortiums of one programme",
        [("rules:", "rules:\n  equal_support: ▸10%"), ("[Onda], programme: first", "[Onda]")]),
    "equal support of devices without a rate": ("missing-equivalence", "`b200_sxm_180gb: 1`",
        [("floor: 8, ", ""), (", cap: 200", ""), ("handback: 14 days", "equal_support: 10%"),
         ("  equivalence: {h100_sxm5_80gb: 0.5, b200_sxm_180gb: 1, furiosa_rngd: 0}",
          "  ▸equivalence: {h100_sxm5_80gb: 0.5, furiosa_rngd: 0}")]),
    "day of use after the horizon": ("outside-horizon", "2027-06-30",
        [("rules:", "rules:\n  use_by: [{day: ▸2027-07-01, least: 10%}]")]),
    "nothing to use": ("out-of-range", "at most 100 %",
        [("rules:", "rules:\n  use_by: [{day: 2027-06-01, least: ▸0%}]")]),
    "use by nobody": ("unknown-consortium", "did you mean `maru`",
        [("rules:", "rules:\n  use_by: [{day: 2027-06-01, least: 9%, consortiums: [▸maro]}]")]),
    "use without a floor": ("missing-floor", "`onda`",
        [("rules:",
          "rules:\n  use_by: [{day: 2027-06-01, least: 9%, consortiums: [maru, ▸onda]}]")]),
    "use without any floor": ("missing-floor", "with `floor`",
        [("floor: 8, ", ""), ("rules:", "rules:\n  use_by: [▸{day: 2027-06-01, least: 9%}]")]),
    "use before joining": ("not-in-programme", "support from 2027-02-01",
        [("members: [Nuri]", "members: [Nuri], floor: 1"),
         ("rules:", "rules:\n  use_by: [{day: 2027-01-31, least: 9%, consortiums: [▸nuri]}]")]),
    "topology that is none": ("unknown-choice", "did you mean `one-block`",
        [("nodes: {min: 4, max: 16}", "topology: ▸one-blok")]),
    "block smaller than the job": ("block-too-small", "at most 2",
        [("nodes: {min: 4, max: 16}", "nodes: {min: 4, max: 16}\n    topology: ▸one-block"),
         ("    nodes: 32", "    nodes: 32\n    fabric: {block_nodes: 2}"),
         ("    nodes: 16\n", "    nodes: 16\n    fabric: {block_nodes: 2}\n")]),
    "blocks without a node": ("bad-value", "",
        [("    nodes: 32", "    nodes: 32\n    fabric: {block_nodes: ▸0}")]),
    "lending of what is bought": ("lend-not-own", "basis: own",
        [("    nodes: 32", "    nodes: 32\n    ▸lend: {to: [onda]}")]),
    "lending to a stranger": ("unknown-consortium", "did you mean `onda`",
        [("    basis: own", "    basis: own\n    lend: {to: [▸ondo]}")]),
    "lending to the owner": ("contradiction", "as its own and borrows it",
        [("    basis: own", "    basis: own\n    lend: {to: [onda, ▸maru]}")]),
    "lending to nobody": ("too-few", "at least one entry",
        [("    basis: own", "    basis: own\n    lend: {to: ▸[]}")]),
    "lending after the horizon": ("outside-horizon", "2028-01-01",
        [("    basis: own",
          "    basis: own\n    lend: {to: [onda], window: {from: ▸2028-01-01}}")]),
    "lending in another currency": ("no-exchange-rate", "EUR",
        [("    basis: own", "    basis: own\n    lend: {to: [onda], price: ▸1 EUR / node-day}")]),
    "lending to another programme": ("other-programme", "a consortium of `first`",
        [("    basis: own", "    basis: own\n    programme: first\n    lend: {to: [▸nuri]}")]),
    "unknown key": ("unknown-field", "did you mean `tokens`?",
        [("tokens: 1 T", "tokens: 1 T\n    ▸token: 1 T")]),
    "missing key": ("missing-field", "`tokens` is missing",
        [("    model: Llama-3.1-8B\n    tokens: 1 T\n", "    model: Llama-3.1-8B\n"),
         ("  base-run:\n    consortium", "  base-run:\n    ▸consortium")]),
    "unknown kind": ("unknown-choice", "did you mean `post-training`",
        [("kind: post-training", "kind: ▸post-traning")]),
    "time in a day": ("bad-value", "a day without a time",
        [("deadline: 2027-05-31", "deadline: ▸2027-05-31 12:00:00")]),
    "job without a name": ("bad-value", "letters that print",
        [("  third-run:\n", "  ▸\"\":\n")]),
    "pool named with a control letter": ("bad-value", "letters that print",
        [("  chips:\n", "  ▸\"ch\\tips\":\n")]),
}  # fmt: skip

WARNINGS: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "same work of one team": ("same-workload", "both of `maru`",
        [("    kind: post-training\n    after: [base-run]", "    data: Corpus"),
         ("  tuned:", "  ▸tuned:")]),
    "same work of related teams": ("same-workload", "`maru` and `onda` share maru labs",
        [("members: [Onda]", "members: [Onda, maru labs]"), ("data: texts", "data: CORPUS"),
         ("    consortium: nuri", "    consortium: onda"), ("  second-run:", "  ▸second-run:"),
         ("  nuri: {members: [Nuri], programme: second, joined: 2027-02-01, cap: 200}\n", ""),
         ("  second: {name: Second programme}\n", "")]),
    "same work of strangers": ("same-workload", "share no member",
        [("data: texts", "data: corpus"), ("  second-run:", "  ▸second-run:")]),
    "work that looks like another's": ("near-workload", "data `sea` and `Sea texts`",
        [("tokens: 200 B\n    data: texts", "tokens: 0.96 T\n    data: Sea texts"),
         ("data: corpus", "data: sea"), ("  second-run:", "  ▸second-run:")]),
    "work that looks like a relative's": ("near-workload", "`maru` and `onda` share maru labs",
        [("members: [Onda]", "members: [Onda, maru labs]"),
         ("model: Qwen3-235B-A22B\n    tokens: 20 B", "model: Llama-3.1-8B\n    tokens: 1.04 T"),
         ("  third-run:", "  ▸third-run:")]),
    "topology without blocks": ("no-fabric-blocks", "`third-run`",
        [("nodes: {min: 4, max: 16}", "topology: one-block"), ("  third-run:", "  ▸third-run:")]),
    "delivery inside a block": ("delivery-splits-block", "up to node 12",
        [("nodes: {min: 4, max: 16}", "topology: one-block"),
         ("    nodes: 32", "    nodes: 32\n    fabric: {block_nodes: 8}\n"
          "    windows: [{nodes: 12}, {nodes: 20, from: 2027-02-01}]"),
         ("  green:", "  ▸green:")]),
    "pool that nobody may use": ("unused-pool", "`chips`",
        [("    owner: Maru Labs", "    owner: Stranger"), ("  chips:", "  ▸chips:")]),
    "programme of nothing": ("unused-programme", "`third`",
        [("  second: {name: Second programme}",
          "  second: {name: Second programme}\n  ▸third: {}")]),
    "team that asks for nothing": ("idle-consortium", "`extra`",
        [("jobs:\n", "  ▸extra: {programme: first}\njobs:\n")]),
}  # fmt: skip


def test_the_base_has_no_fault() -> None:
    assert found() == ([], None)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_stands_at_its_place(name: str) -> None:
    code, words, changes = FAULTS[name]
    faults, place = found(*changes)
    errors = [fault for fault in faults if fault.severity == "error"]
    assert [fault.code for fault in errors] == [code], [str(fault) for fault in faults]
    (fault,) = errors
    assert (fault.where.line, fault.where.column) == place, str(fault)
    assert fault.where.field
    assert words in str(fault)


@pytest.mark.parametrize("name", WARNINGS)
def test_warning_stands_at_its_place(name: str) -> None:
    code, words, changes = WARNINGS[name]
    faults, place = found(*changes)
    assert [(fault.code, fault.severity) for fault in faults] == [(code, "warning")], faults
    assert (faults[0].where.line, faults[0].where.column) == place
    assert words in str(faults[0])


def test_all_faults_are_told_at_once() -> None:
    names = ["job's consortium", "pool's device", "negative tokens"]
    changes = [change for name in names for change in FAULTS[name][2]]
    changes = [(old, new.replace("▸", "")) for old, new in changes]
    changes.append(("joined: 2027-02-01", "joined: 2027-02-01, left: 2027-01-15"))
    faults, _ = found(*changes)
    assert {fault.code for fault in faults} == {
        "unknown-consortium", "unknown-device", "out-of-range", "dates-out-of-order",
    }  # fmt: skip
    assert [fault.where.line for fault in faults] == sorted(fault.where.line for fault in faults)


def test_long_rings_are_found_without_recursion() -> None:
    jobs = "".join(
        f"  j{i}: {{consortium: onda, model: Llama-3.1-8B, tokens: 1 B, value: 1, data: d{i}, "
        f"after: [j{(i + 1) % 3000}]}}\n"
        for i in range(3000)
    )
    faults, _ = found(("rules:", jobs + "rules:"))
    assert [fault.code for fault in faults] == ["cycle"]
