"""A fault of form does not hide what else is wrong, and brings no fault that is not there."""

import pytest

from hardware.errors import InputError
from hardware.sheet import read_text
from planner.scenario_check import check_document

GOOD = """
name: x
currency: KRW
horizon: {from: 2026-01-01, to: 2026-12-31, resolution: month}
pools:
  a: {device: h100, nodes: 8, price: 3 KRW / device-month}
consortiums: {c: {members: [x], weight: 1}}
jobs:
  j: {consortium: c, model: llama-3.1-8b, tokens: 2 T, after: [], nodes: {min: 2}}
  k: {consortium: c, model: llama-3.1-8b, tokens: 3 T, objective: other}
"""


def found(text):
    with pytest.raises(InputError) as caught:
        check_document(read_text(text, "s.yaml"))
    return [(d.code, d.where.line, d.where.field) for d in caught.value.diagnostics]


def test_every_kind_of_fault_of_one_file_at_once():
    text = (
        GOOD.replace("nodes: 8", "nodes: -3")
        .replace("weight: 1", "weight: -1")
        .replace("after: []", "after: [k]")
        .replace("tokens: 3 T", "tokens: 3 TB, after: [j]")
        .replace("members: [x]", "members: [x], programme: p")
    )
    assert found(text) == [
        ("bad-value", 6, "pools.a.nodes"),
        ("unknown-programme", 7, "consortiums.c.programme"),
        ("out-of-range", 7, "consortiums.c.weight"),
        ("bad-value", 10, "jobs.k.tokens"),
        ("cycle", 10, "jobs.k.after[0]"),
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("nodes: 8", "nodes: -3", ("bad-value", 6, "pools.a.nodes")),
        ("nodes: 8", "nodez: 8", None),
        ("3 KRW / device-month", "3 KRW", ("bad-value", 6, "pools.a.price")),
        ("tokens: 2 T", "tokens: 2 TB", ("bad-value", 9, "jobs.j.tokens")),
        ("nodes: {min: 2}", "nodes: {min: x}", ("bad-value", 9, "jobs.j.nodes.min")),
        ("weight: 1", "wait: 1", ("unknown-field", 7, "consortiums.c.wait")),
        ("currency: KRW", "currency: KRW\npolicy: best", ("wrong-type", 4, "policy")),
        ("currency: KRW", "currency: 3", ("wrong-type", 3, "currency")),
        ("model: llama-3.1-8b, tokens: 2 T", "tokens: 2 T", ("missing-field", 9, "jobs.j.model")),
    ],
)
def test_one_fault_of_form_brings_no_other(right, wrong, fault):
    check_document(read_text(GOOD, "s.yaml"))
    told = found(GOOD.replace(right, wrong))
    if fault is None:
        assert {code for code, _, _ in told} == {"unknown-field", "missing-field"}
    else:
        assert told == [fault]
