"""The table of constants: shipped, complete, read back as written, strict about misspelling."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hardware.errors import InputError
from planner.profile_text import constants_text
from planner.stack import (
    CONSTANTS,
    PRIORS,
    FamilyTable,
    StackTable,
    family_row,
    load_constants,
    load_priors,
    stack_row,
)

NAMED = (
    "megatron-core", "fsdp", "nanotron", "maxtext", "megatron-deepspeed", "neuron", "mindspeed",
    "gaudi-deepspeed", "primus",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_stack_is_shipped(name: str) -> None:
    stacks, _ = load_constants()
    assert stack_row(stacks, name) > 0


def test_unknown_names_fall_back_to_the_default() -> None:
    stacks, families = load_constants()
    assert stack_row(stacks, "something-new") == 0 == family_row(families, "something-new")
    assert stack_row(stacks, "") == 0
    assert not stacks.measured[0]
    assert not families.measured[0]


@pytest.mark.parametrize(
    ("alias", "name"),
    [("torchtitan", "fsdp"), ("Megatron_Bridge", "megatron-core"), ("NeMo", "megatron-core")],
)
def test_stack_goes_under_other_names(alias: str, name: str) -> None:
    stacks, _ = load_constants()
    assert stack_row(stacks, alias) == stack_row(stacks, name) > 0


def test_fractions_are_fractions() -> None:
    for table in load_constants():
        for field in dataclasses.fields(table):
            column = getattr(table, field.name)
            if field.name.endswith("_frac") and field.name not in (
                "sustained_frac", "attention_rate_frac", "narrow_frac",
            ):  # fmt: skip
                assert (column >= 0).all(), field.name
                assert (column <= 1).all(), field.name


def test_table_is_read_back_as_written(tmp_path: Path) -> None:
    stacks, families = load_constants()
    path = tmp_path / "profile.yaml"
    path.write_text(constants_text(stacks, families, {"rows": 3, "command": "x"}), "utf-8")
    again = load_constants(path)
    for before, after in zip((stacks, families), again, strict=True):
        assert before.names == after.names
        for field in dataclasses.fields(type(before)):
            if field.name != "names":
                np.testing.assert_allclose(
                    getattr(after, field.name), getattr(before, field.name), rtol=1e-3
                )


def test_every_constant_has_a_meaning_in_the_text() -> None:
    text = CONSTANTS.read_text("utf-8")
    for table in (StackTable, FamilyTable):
        for field in dataclasses.fields(table):
            if field.name != "names":
                assert f"#   {field.name}" in text, field.name


def test_priors_hold_only_what_is_fitted() -> None:
    stacks, _ = load_priors()
    assert stacks.measured.sum() == load_constants()[0].measured.sum()
    assert "allocator_frac" not in PRIORS.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("stacks: {default: {}}\n", "missing-field", "matmul_frac"),
        ("stacks: {}\nfamilies: {}\n", "missing-field", "default"),
        ("stacks: {default: {matmul_frc: 1}}\nfamilies: {default: {}}\n", "unknown-field",
         "matmul_frac"),
        ("stacks: {default: {matmul_frac: high}}\nfamilies: {default: {}}\n", "wrong-type", "high"),
    ],
)  # fmt: skip
def test_faulty_table_is_refused(tmp_path: Path, text: str, code: str, words: str) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_constants(path)
    assert code in {fault.code for fault in caught.value.diagnostics}
    assert words in str(caught.value)
    assert "profile.yaml:1:" in str(caught.value) or code == "missing-field"
