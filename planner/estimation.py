"""What a run costs: best layouts of a model on devices, with time, memory, energy and money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import Floats, Ints, take
from hardware.errors import InputError
from hardware.table import DeviceTable
from planner.architecture import ModelTable, parameters
from planner.energy import PUE, energy_j, money_usd, node_power_w, run_power_w
from planner.forecast import CONVENTION, Estimate
from planner.goodput import DEVICE_S_PER_FAILURE, goodput
from planner.inference import TRAINING, WORK_NAMES, lengths_text
from planner.layout import QuestionTable
from planner.layout_words import layout_codes
from planner.run import sizes_within
from planner.search import Search, search
from planner.serving import served
from planner.stack import StackTable, load_constants
from planner.strategy import (
    FITS,
    PRECISION_NAMES,
    REASONS,
)
from planner.subject import Subject, number_faults, subject_of

__all__ = ["estimate"]


def estimate(
    model: str | Path | ModelTable,
    device: str | DeviceTable,
    *,
    devices: int,
    tokens: float,
    layout: str | Mapping[str, Any] | None = None,
    work: str = "training",
    stack: str | None = None,
    precision: str | None = None,
    optimizer: str = "adam_fp32",
    global_batch_tokens: float | None = None,
    seq_len: int | None = None,
    keep: int = 5,
    pareto: bool = False,
    what_if_training: bool = False,
    usd_per_device_s: float | None = None,
    provider: str | None = None,
    term: str = "on_demand",
    region: str | None = None,
    date: str | None = None,
    pue: float = PUE,
    tariff: str = "kepco_eul",
    device_s_per_failure: float = DEVICE_S_PER_FAILURE,
    files: Iterable[str | Path] = (),
    model_files: Iterable[str | Path] = (),
    constants: str | Path | None = None,
) -> Estimate:
    """
    Best layouts of a run, with step time, memory, days, money and energy.

    Parameters
    ----------
    model : str, path or ModelTable
        Catalogue name, model sheet or config.json; or a table of one model.
    device : str or DeviceTable
        Catalogue name; or a table of one device.
    devices : int
        Devices held.
    tokens : float
        Tokens to be processed. [token]
    layout : str or mapping, optional
        What the layout must have, ``tp=8,pp=4,recompute=full``; free where left out.
    work : str
        ``training``, ``generation``, ``evaluation`` or ``serving``.
    stack : str, optional
        Software stack; the usual one of the device when left out.
    precision : str, optional
        Compute type; bf16 for training (fp16 where there is none), fp8 for
        other work where offered.
    optimizer : str
        One of `planner.strategy.OPTIMIZER_NAMES`.
    global_batch_tokens : float, optional
        Tokens a step; by the size of the model when left out. [token]
    seq_len : int, optional
        Tokens a sequence; the published one when left out. [token]
    keep : int
        Layouts kept.
    pareto : bool
        Keep every layout that no other beats in both speed and memory.
    what_if_training : bool
        Train on a device that nobody has shown to train; marked in the answer.
    usd_per_device_s : float, optional
        Price; else the catalogue's median for `provider`, `term`, `region`
        and `date`. [USD/s]
    provider, term, region, date : str, optional
        Which of the catalogue's prices.
    pue : float
        Facility power over IT power.
    tariff : str
        Name of an electricity tariff of the catalogue.
    device_s_per_failure : float
        Device-seconds between interruptions. [s]
    files, model_files : iterable of path
        Own sheets of devices and prices, and of models.
    constants : path, optional
        Own table of constants.

    Returns
    -------
    Estimate
        [row] one a layout, fastest first; empty with a reason when none fits.

    Raises
    ------
    UnknownName
        No such model, device, stack, term or tariff.
    InputError
        An argument is out of range, or the layout names what no layout has.

    Notes
    -----
    Wall time is step time over goodput. The 80 % interval is that of the step
    time. Hire is paid for all devices held, for all of the wall time.

    References
    ----------
    .. [1] J. T. Daly, "A higher order estimate of the optimum checkpoint
       interval for restart dumps," Future Gener. Comput. Syst., vol. 22, 2006.
    """
    _check_numbers(keep, pue, usd_per_device_s, device_s_per_failure)
    stacks, families = load_constants(constants) if constants else load_constants()
    fixed = layout_codes(layout)
    subject = subject_of(
        model, device, stacks, devices=devices, tokens=tokens, work=work, stack=stack,
        precision=precision, optimizer=optimizer, global_batch_tokens=global_batch_tokens,
        seq_len=seq_len, what_if=what_if_training, files=files, model_files=model_files,
    )  # fmt: skip
    if subject.work == TRAINING:
        sizes = sizes_within(np.array([devices]), subject.devices.devices_per_node)[1]
        found = search(
            subject.models, subject.devices, stacks, families, _questions(subject, sizes, fixed),
            keep=keep, pareto=pareto, what_if_training=what_if_training, fixed=fixed,
        )  # fmt: skip
        found = _merged(found, keep=keep, pareto=pareto)
    else:
        found = served(
            subject.models, subject.devices, size=devices, precision=subject.precision,
            work=subject.work,
        )  # fmt: skip
    rate, price = _price(
        subject.devices.names[0], usd_per_device_s, files, provider=provider, term=term,
        region=region, date=date,
    )  # fmt: skip
    return _answer(
        subject, stacks, found, tokens=float(tokens), rate=rate, price=price, pue=pue,
        tariff=tariff, files=files, device_s_per_failure=device_s_per_failure,
    )  # fmt: skip


def _check_numbers(
    keep: int, pue: float, usd_per_device_s: float | None, device_s_per_failure: float
) -> None:
    """Refuse numbers that mean nothing, all at once."""
    faults = [
        *number_faults("keep", keep, whole=True),
        *number_faults("pue", pue, least=1.0),
        *number_faults("usd_per_device_s", usd_per_device_s or None, open_=True),
        *number_faults("device_s_per_failure", device_s_per_failure),
    ]
    if faults:
        raise InputError(faults)


def _questions(subject: Subject, sizes: Ints, fixed: Mapping[str, int]) -> QuestionTable:
    """One question a number of devices to use."""
    if "dp" in fixed:
        sizes = sizes[:1]
    ones = np.ones(len(sizes), dtype=np.int64)
    batch = max(round(subject.global_batch_tokens / subject.seq_len), 1)
    return QuestionTable(
        model=0 * ones,
        device=0 * ones,
        stack=subject.stack * ones,
        seq_len=subject.seq_len * ones,
        global_batch=batch * ones,
        size=sizes,
        precision=subject.precision * ones,
        optimizer=subject.optimizer * ones,
    )


def _merged(found: Search, *, keep: int, pareto: bool) -> Search:
    """Rows of all numbers of devices as the answer to one question, the fastest first."""
    order = np.lexsort((found.memories.peak_bytes, -found.steps.tokens_per_s))
    if pareto:
        peaks = found.memories.peak_bytes[order]
        before = np.r_[np.inf, np.minimum.accumulate(peaks)[:-1]] if len(order) else peaks
        order = order[peaks < before]
    else:
        order = order[:keep]
    counts = found.counts.sum(axis=0, keepdims=True)
    overfull = found.overfull.sum(axis=0, keepdims=True)
    reason = np.full(1, FITS) if len(order) else found.reason[:1]
    return Search(
        question=np.zeros(len(order), dtype=np.int64),
        strategies=take(found.strategies, order),
        steps=take(found.steps, order),
        memories=take(found.memories, order),
        reason=reason,
        counts=counts,
        overfull=overfull,
    )


def _price(
    name: str, given: float | None, files: Iterable[str | Path], **which: Any
) -> tuple[float, str]:
    """Price of a device-second, 0 where none is known, and what it rests on."""
    if given is not None:
        return float(given), f"given, {given * 3600:.3g} USD a device-hour"
    from hardware.errors import UnknownName
    from hardware.price import quote

    try:
        asked = quote(name, files=files, **which)
    except UnknownName as error:
        if error.diagnostics[0].code == "unknown-term":
            raise
        return 0.0, f"no price of {name} is known"
    rate = asked.median_usd_per_device_s
    if rate is None:
        return 0.0, asked.reason
    return rate, f"{rate * 3600:.3g} USD a device-hour, {which['term']}: {asked.reason}"


def _answer(
    subject: Subject, stacks: StackTable, found: Search, *, tokens: float, rate: float, price: str,
    pue: float, tariff: str, files: Iterable[str | Path], device_s_per_failure: float,
) -> Estimate:  # fmt: skip
    """Time, energy and money of the rows found."""
    from hardware.economy import tariff_usd_per_j

    table, steps = subject.devices, found.steps
    each = int(table.devices_per_node[0])
    nodes = -(-subject.size // each)
    total = parameters(subject.models) if subject.work == TRAINING else np.zeros(1)
    useful = goodput(
        found.strategies.size.astype(np.float64), total[0],
        devices_per_node=each, device_s_per_failure=device_s_per_failure,
    )  # fmt: skip
    duration = tokens / (steps.tokens_per_s * useful.goodput_frac)
    maximum = node_power_w(table.node_power_w, table.tdp_w, table.devices_per_node)[0]
    power = run_power_w(
        maximum * nodes,
        (steps.matmul_s + steps.attention_s) / steps.step_s,
        (steps.traffic_s + steps.optimizer_s) / steps.step_s,
        goodput_frac=useful.goodput_frac,
    )
    energy = energy_j(power, duration, pue=pue)
    notes = _notes(
        subject, found, price=price, pue=pue, tariff=tariff,
        device_s_per_failure=device_s_per_failure,
    )  # fmt: skip
    return Estimate(
        model=subject.models.names[0],
        device=table.names[0],
        stack=stacks.names[subject.stack] if subject.work == TRAINING else "roofline",
        precision=PRECISION_NAMES[subject.precision],
        work=WORK_NAMES[subject.work],
        tokens=tokens,
        seq_len=subject.seq_len,
        devices=subject.size,
        nodes=nodes,
        strategies=found.strategies,
        steps=steps,
        memories=found.memories,
        goodput=useful,
        duration_s=duration,
        low80_duration_s=duration / steps.factor_80,
        high80_duration_s=duration * steps.factor_80,
        power_w=power,
        energy_j=energy,
        energy_usd=money_usd(energy, tariff_usd_per_j(tariff, files=files)),
        cost_usd=subject.size * duration * rate,
        usd_per_device_s=rate,
        price=price,
        reason=int(found.reason[0]),
        counts=_counts(found),
        why=tuple(found.why(0)),
        notes=notes,
        is_what_if=subject.what_if,
    )


def nameplate_note(devices: DeviceTable, peak_bytes: Floats) -> list[str]:
    """That a peak of memory lies above the nameplate of the first device, where it does."""
    nameplate, usable = devices.memory_bytes[0], devices.usable_memory_bytes[0]
    if not (peak_bytes > nameplate).any():
        return []
    return [f"memory: {devices.names[0]} reports {usable / 1e9:.4g} GB, more than its "
            f"nameplate of {nameplate / 1e9:.4g} GB"]  # fmt: skip


def _counts(found: Search) -> tuple[tuple[str, int], ...]:
    """Layouts looked at, by reason, the largest group first."""
    counts = found.counts[0]
    order = np.argsort(-counts, kind="stable")
    return tuple((REASONS[code], int(counts[code])) for code in order if counts[code])


def _notes(
    subject: Subject,
    found: Search,
    price: str,
    pue: float,
    tariff: str,
    device_s_per_failure: float,
) -> tuple[str, ...]:
    """Assumptions and marks."""
    notes = [
        CONVENTION,
        f"price: {price}",
        f"PUE {pue:g}{'*' * (pue == PUE)}, tariff {tariff}; one interruption in "
        f"{device_s_per_failure / 3600:,.0f} device-hours"
        f"{', as seen on H100' * (device_s_per_failure == DEVICE_S_PER_FAILURE)}",
    ]
    lengths = lengths_text(subject.work)
    notes += [f"{lengths}*"] if lengths else []
    notes += ["* assumed"] if lengths or pue == PUE else []
    notes += nameplate_note(subject.devices, found.memories.peak_bytes)
    used = found.strategies.size
    if len(used) and used[0] < subject.size:
        notes.append(f"the best layout leaves {subject.size - used[0]:,} of {subject.size:,} idle")
    if subject.what_if:
        notes.insert(0, "WHAT IF: no training on this device has been shown; not a forecast")
    return tuple(notes)
