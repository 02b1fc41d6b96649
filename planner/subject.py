"""What an estimate is about: one model and one device, looked up, with open choices made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import take
from hardware.errors import Diagnostic, InputError, near_match, wrong_type
from hardware.table import TRAINS, DeviceTable
from planner.architecture import ModelTable
from planner.inference import TRAINING, WORK_NAMES, inference_precision
from planner.run import default_batch_tokens, default_stacks, training_precision
from planner.stack import StackTable
from planner.strategy import OPTIMIZER_NAMES, PRECISION_NAMES

__all__ = ["Subject", "number_faults", "subject_of"]


@dataclass(frozen=True)
class Subject:
    """One model and one device, looked up, with the choices that were left open made."""

    models: ModelTable
    devices: DeviceTable
    stack: int
    seq_len: int
    global_batch_tokens: float
    precision: int
    optimizer: int
    work: int
    size: int
    what_if: bool


def subject_of(
    model: str | Path | ModelTable, device: str | DeviceTable, stacks: StackTable, **given: Any
) -> Subject:
    """Everything looked up and checked."""
    faults = [
        *number_faults("devices", given["devices"], whole=True),
        *number_faults("tokens", given["tokens"]),
        *number_faults("global_batch_tokens", given["global_batch_tokens"], open_=True),
        *number_faults("seq_len", given["seq_len"], whole=True, open_=True),
    ]
    if not isinstance(model, str | Path | ModelTable):
        faults.append(wrong_type("model", model, "a name, a path or a ModelTable"))
    if not isinstance(device, str | DeviceTable):
        faults.append(wrong_type("device", device, "a name or a DeviceTable"))
    faults += _unknown("work", given["work"], WORK_NAMES)
    faults += _unknown("optimizer", given["optimizer"], OPTIMIZER_NAMES)
    faults += _unknown("precision", given["precision"], PRECISION_NAMES)
    faults += _unknown("stack", given["stack"], stacks.names)
    if faults:
        raise InputError(faults)
    models, published = _models(model, given["model_files"])
    table = _devices(device, given["files"])
    work = WORK_NAMES.index(given["work"])
    usual = training_precision(table) if work == TRAINING else inference_precision(table)
    name = given["precision"]
    batch = given["global_batch_tokens"]
    return Subject(
        models=models,
        devices=table,
        stack=int(default_stacks(table, stacks)[0])
        if given["stack"] is None
        else stacks.names.index(given["stack"]),
        seq_len=int(given["seq_len"] or published),
        global_batch_tokens=float(batch or default_batch_tokens(models)[0]),
        precision=int(usual[0]) if name is None else PRECISION_NAMES.index(name.replace("-", "_")),
        optimizer=OPTIMIZER_NAMES.index(given["optimizer"]),
        work=work,
        size=int(given["devices"]),
        what_if=bool(given["what_if"] and table.training[0] != TRAINS and work == TRAINING),
    )


def number_faults(
    name: str, value: Any, *, least: float = 0.0, whole: bool = False, open_: bool = False
) -> list[Diagnostic]:
    """Faults of an argument that has to be a number above zero, or of at least `least`."""
    if open_ and value is None:
        return []
    kind = "a whole number" if whole else "a number"
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool):
        hint = f"`planner.estimate` takes plain numbers, such as `{'64' if whole else '15e12'}`"
        return [wrong_type(name, value, kind, hint)]
    if not (value > 0 and value >= least and np.isfinite(value)):
        positive = least == 0.0
        message = f"`{name}` is not positive" if positive else f"`{name}` is too small"
        wanted = "above 0" if positive else f"at least {least:g}"
        return [Diagnostic("out-of-range", message, found=f"{value}", expected=wanted)]
    if whole and value != int(value):
        return [Diagnostic("bad-value", f"`{name}` is a part", found=f"{value}", expected=kind)]
    return []


def _unknown(what: str, name: str | None, known: tuple[str, ...]) -> list[Diagnostic]:
    if name is None or name in known or name.replace("-", "_") in known:
        return []
    return [
        Diagnostic("unknown-choice", f"no {what} is called `{name}`", found=str(name),
                   expected=", ".join(known), hint=near_match(str(name), known))
    ]  # fmt: skip


def _models(model: str | Path | ModelTable, files: Iterable[str | Path]) -> tuple[ModelTable, int]:
    """The model's shape and its published sequence length."""
    from planner.workload import DEFAULT_SEQ_LEN, load_sheets, seq_len_of, table_of

    if isinstance(model, ModelTable):
        return take(model, [0]), DEFAULT_SEQ_LEN
    sheets = load_sheets(model, files=files)
    return table_of(sheets[:1]), int(seq_len_of(sheets[0]).value)


def _devices(device: str | DeviceTable, files: Iterable[str | Path]) -> DeviceTable:
    import hardware

    table: DeviceTable = (
        device if isinstance(device, DeviceTable) else hardware.load(device, files=files)
    )
    one: DeviceTable = take(table, [0])
    return one
