"""Sentences about the assumed figures that a plan rests on."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.quantity import Figure, Record
from hardware.sheet import Document, Path_, field_path
from hardware.units import DAY_S
from planner.energy import PUE
from planner.flexibility import MIGRATION_S, is_flexible
from planner.library import Library
from planner.scenario import Scenario
from planner.scenario_count import Count
from planner.workload import figures_of

__all__ = ["assumptions", "figures_in"]

_NAMED = ("pools", "consortiums", "jobs")  # their entries have names; a sentence for each


def figures_in(record: Record, path: Path_ = ()) -> Iterator[tuple[Path_, Figure]]:
    """Every figure of a record with its path, as the file spells its fields."""
    for name, info in type(record).model_fields.items():
        yield from _figures(getattr(record, name), (*path, info.alias or name))


def _figures(value: object, path: Path_) -> Iterator[tuple[Path_, Figure]]:
    if isinstance(value, Figure):
        yield path, value
    elif isinstance(value, Count):
        origin = value.origin
        yield path, Figure(value=value, mark=origin.mark, source=origin.source, note=origin.note)
    elif isinstance(value, Record):
        yield from figures_in(value, path)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _figures(entry, (*path, key))
    elif isinstance(value, tuple):
        for at, entry in enumerate(value):
            yield from _figures(entry, (*path, at))


def assumptions(
    scenario: Scenario, library: Library, document: Document | None = None
) -> tuple[str, ...]:
    """
    What is assumed in a scenario, its models and its devices.

    Parameters
    ----------
    scenario : Scenario
        Figures marked ``assumed``.
    library : Library
        Models and devices that it names.
    document : Document, optional
        Gives the figures as they are written.

    Returns
    -------
    tuple of str
        One a pool, consortium, job or other entry, in file order; then models, devices,
        defaults. Chances of removal are left out: they take no part in the plan.
    """
    entries: dict[str, dict[str, list[str]]] = {}
    for path, figure in figures_in(scenario):
        if figure.is_assumed and "chances" not in path:
            depth = 2 if path[0] in _NAMED else 1
            entry = entries.setdefault(field_path(path[:depth]), {})
            own = field_path(tuple(step for step in path[depth:] if isinstance(step, str)))
            why = figure.note or figure.source
            text = _written(document, path, figure) + (f" ({why})" if why else "")
            entry.setdefault(own, []).append(text)
    sentences = [
        f"{entry}: " + ", ".join(f"{own} {', '.join(texts)}" for own, texts in fields.items())
        for entry, fields in entries.items()
    ]
    for name, sheet in {sheet.name: sheet for sheet in library.models.values()}.items():
        fields = [field for field, figure in figures_of(sheet) if figure.is_assumed]
        if fields:
            sentences.append(f"model {name}: {_listed(fields)}")
    for name, record in library.accelerators.items():
        fields = [field_path(path) for path, figure in figures_in(record) if figure.is_assumed]
        if fields:
            sentences.append(f"device {name}: {_listed(fields)}")
    if scenario.power.pue is None:
        sentences.append(f"power.pue: {PUE}, not stated")
    if scenario.policy.migration is None and any(
        job.migration is None and is_flexible(scenario, job) for job in scenario.jobs.values()
    ):
        sentences.append(f"policy.migration: {MIGRATION_S / DAY_S:g} day, not stated")
    return tuple(sentences)


def _listed(fields: list[str]) -> str:
    shown = ", ".join(fields[:6])
    return shown if len(fields) <= 6 else f"{shown} and {len(fields) - 6} more"


def _written(document: Document | None, path: Path_, figure: Figure) -> str:
    """A figure as the file has it, or else its value in SI units."""
    value = document.data if document else None
    for step in path:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value = value.get("value")
    return f"{figure.value:g}" if value is None else str(value)
