"""Who may use which pool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardware.table import CLAIMED, INFERENCE_ONLY, TRAINS
from planner.eligibility import (
    ELIGIBLE,
    NOT_TRAINING,
    OTHER_DEVICE,
    OTHER_KIND,
    OTHER_POOL,
    OTHER_PROGRAMME,
    POOL_CLOSED,
    POOL_OF_LESSOR,
    REASONS,
    access_reasons,
    lessors,
    pair_reasons,
    same_name,
)
from planner.scenario import Scenario

POOL = {"device": "h100", "nodes": 1, "price": "0 KRW / device-month"}


def scenario(pool: dict[str, Any], job: dict[str, Any] | None = None, **changes: Any) -> Scenario:
    base: dict[str, Any] = {
        "name": "x",
        "currency": "KRW",
        "horizon": {"from": "2027-01-01", "to": "2027-06-30"},
        "pools": {"p": {**POOL, **pool}},
        "consortiums": {"a": {"members": ["Maru Labs"], "programme": "one"}, "b": {}},
        "jobs": {"j": {"consortium": "a", "model": "m", "tokens": "1 T", **(job or {})}},
    }
    return Scenario.model_validate({**base, **changes})


def test_every_code_has_its_sentence() -> None:
    assert len(REASONS) == 13
    assert len(set(REASONS)) == 13


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ({}, [ELIGIBLE, ELIGIBLE]),
        ({"open_to": ["b"]}, [POOL_CLOSED, ELIGIBLE]),
        ({"open_to": []}, [POOL_CLOSED, POOL_CLOSED]),
        ({"programme": "one"}, [ELIGIBLE, OTHER_PROGRAMME]),
        ({"programme": "two"}, [OTHER_PROGRAMME, OTHER_PROGRAMME]),
        ({"basis": "own", "owner": "maru-labs"}, [ELIGIBLE, POOL_CLOSED]),
        ({"basis": "own", "owner": "Maru Labs", "open_to": ["b"]}, [POOL_CLOSED, ELIGIBLE]),
        ({"basis": "leased", "owner": "Maru Labs"}, [ELIGIBLE, ELIGIBLE]),
    ],
)
def test_access(pool: dict[str, Any], expected: list[int]) -> None:
    assert access_reasons(scenario(pool))[:, 0].tolist() == expected


def test_a_lessor_gets_no_leased_pool_of_anybody() -> None:
    rules = {"lessor_excluded": True}
    pools = {
        "own": {**POOL, "basis": "own", "owner": "Maru Labs"},
        "lent": {**POOL, "basis": "leased", "owner": "MARU  LABS"},
        "others": {**POOL, "basis": "leased", "owner": "Lender"},
        "bought": {**POOL, "owner": "Maru Labs"},
    }
    asked = scenario({}, pools=pools, rules=rules)
    assert lessors(asked) == {"maru labs", "lender"}
    assert access_reasons(asked).tolist() == [
        [ELIGIBLE, POOL_OF_LESSOR, POOL_OF_LESSOR, ELIGIBLE],
        [POOL_CLOSED, ELIGIBLE, ELIGIBLE, ELIGIBLE],
    ]


@pytest.mark.parametrize(
    ("pool", "job", "training", "expected"),
    [
        ({}, {}, TRAINS, ELIGIBLE),
        ({}, {}, INFERENCE_ONLY, NOT_TRAINING),
        ({}, {}, CLAIMED, NOT_TRAINING),
        ({}, {"what_if_training": True}, CLAIMED, ELIGIBLE),
        ({}, {"what_if_training": True}, INFERENCE_ONLY, ELIGIBLE),
        ({}, {"kind": "post-training"}, INFERENCE_ONLY, NOT_TRAINING),
        ({}, {"kind": "serving"}, INFERENCE_ONLY, ELIGIBLE),
        ({"kinds": ["serving"]}, {}, TRAINS, OTHER_KIND),
        ({}, {"devices": ["h100", "b200"]}, TRAINS, ELIGIBLE),
        ({}, {"devices": ["b200"]}, TRAINS, OTHER_DEVICE),
        ({}, {"devices": []}, TRAINS, OTHER_DEVICE),
        ({}, {"pools": ["p"]}, TRAINS, ELIGIBLE),
        ({}, {"pools": []}, TRAINS, OTHER_POOL),
        ({"open_to": ["b"]}, {}, INFERENCE_ONLY, POOL_CLOSED),
    ],
)
def test_pairs(pool: dict[str, Any], job: dict[str, Any], training: int, expected: int) -> None:
    names = {"h100": "h100_sxm5_80gb", "b200": "b200_sxm_180gb"}
    reasons = pair_reasons(
        scenario(pool, job), ["h100_sxm5_80gb"], np.array([training]), names=names
    )
    assert reasons.tolist() == [[expected]]


def test_names_compare_by_what_they_share() -> None:
    assert same_name("ＳＫ　Telecom") == same_name("sk_telecom")
    assert same_name("SKT") != same_name("SK Telecom")
