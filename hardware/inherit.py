"""Hand the source, date, mark and basis that a sheet says once down to each of its figures."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from hardware.quantity import Record
from hardware.spec import Origin, SheetFigure

__all__ = ["inherit", "merge"]

_BASIS = ("dense", "per", "direction")
_ORIGIN = ("source", "as_of", "mark", "basis")


@dataclass(frozen=True)
class _Defaults:
    """What holds for a figure that says nothing itself."""

    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    source: str = ""
    source_as_of: str = ""
    as_of: str = ""
    mark: str = ""
    basis: Mapping[str, Any] = field(default_factory=dict)


@cache
def _shape(model: type[Record]) -> tuple[tuple[str, str, type[Record]], ...]:
    """Fields of a model that hold records: name, how (one, dict or list) and record type."""
    found = []
    for name, info in model.model_fields.items():
        for how, kind in _records(info.annotation):
            found.append((name, how, kind))
    return tuple(found)


def _records(annotation: Any, how: str = "one") -> list[tuple[str, type[Record]]]:
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return [(how, annotation)]
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _records(parts[0], how)
    if origin in (typing.Union, types.UnionType):
        return [pair for part in parts for pair in _records(part, how)]
    if origin is dict:
        return _records(parts[1], "dict")
    if origin is list:
        return _records(parts[0], "list")
    return []


def _expand(written: Any, sources: Mapping[str, Any]) -> tuple[str, str]:
    """Text and date of a source: of one key, of several (the newest date), or the text itself."""
    keys = written if isinstance(written, list) else [written]
    titles, dates = [], []
    for key in keys:
        note = sources.get(str(key))
        if isinstance(note, dict):
            titles.append(str(note.get("title", key)))
            dates.append(str(note.get("as_of", "")))
        else:
            titles.append(str(key))
    return "; ".join(titles), max(dates, default="")


def _narrow(defaults: _Defaults, data: Mapping[str, Any]) -> _Defaults:
    """The defaults below a record that says some of them itself."""
    if data.get("source"):
        source, as_of = _expand(data["source"], defaults.sources)
        defaults = replace(defaults, source=source, source_as_of=as_of)
    if data.get("as_of"):
        defaults = replace(defaults, as_of=str(data["as_of"]), source_as_of=str(data["as_of"]))
    if data.get("mark"):
        defaults = replace(defaults, mark=data["mark"])
    if isinstance(data.get("basis"), dict):
        defaults = replace(defaults, basis={**defaults.basis, **data["basis"]})
    return defaults


def _figure(written: Any, kind: type[Record], defaults: _Defaults) -> Any:
    """A figure as a record with everything that it inherits filled in."""
    if isinstance(written, list):
        return written
    record = dict(written) if isinstance(written, dict) else {"value": written}
    if record.get("source"):
        record["source"], as_of = _expand(record["source"], defaults.sources)
        as_of = as_of or defaults.as_of
    else:
        if defaults.source:
            record["source"] = defaults.source
        as_of = defaults.source_as_of or defaults.as_of
    if as_of and not record.get("as_of"):
        record["as_of"] = as_of
    if defaults.mark and not record.get("mark"):
        record["mark"] = defaults.mark
    for name in _BASIS:
        info = kind.model_fields.get(name)
        if info is not None and info.is_required() and name in defaults.basis:
            record.setdefault(name, defaults.basis[name])
    return record


def _walk(data: Any, kind: type[Record], defaults: _Defaults) -> Any:
    if issubclass(kind, SheetFigure):
        return _figure(data, kind, defaults)
    if not isinstance(data, dict):
        return data
    if issubclass(kind, Origin):
        defaults = _narrow(defaults, data)
    filled = dict(data)
    for name, how, inner in _shape(kind):
        value = data.get(name)
        if value is None or name in _ORIGIN or name == "sources":
            continue
        if how == "dict" and isinstance(value, dict):
            filled[name] = {key: _walk(item, inner, defaults) for key, item in value.items()}
        elif how == "list" and isinstance(value, list):
            filled[name] = [_walk(item, inner, defaults) for item in value]
        elif how == "one":
            filled[name] = _walk(value, inner, defaults)
    return filled


def inherit(data: dict[str, Any], kind: type[Record]) -> dict[str, Any]:
    """
    A sheet's plain data with each figure a record that carries its origin.

    A figure's own words win over those of its entry, and those over the head of
    the sheet. A figure that names its own source takes that source's date, never
    the date of the source it replaces.
    """
    sources = data.get("sources")
    known = sources if isinstance(sources, dict) else {}
    filled: dict[str, Any] = _walk(data, kind, _Defaults(sources=known))
    return filled


def merge(
    shipped: dict[str, Any], written: Mapping[str, Any], kind: type[Record]
) -> dict[str, Any]:
    """A shipped entry with the fields that a user wrote laid over it, each told as such."""
    merged = {key: value for key, value in shipped.items() if key not in _ORIGIN}
    shapes = {name: inner for name, how, inner in _shape(kind) if how == "one"}
    for key, value in written.items():
        inner, old = shapes.get(key), shipped.get(key)
        if inner is None or key in _ORIGIN or not isinstance(value, dict):
            merged[key] = value
        elif not issubclass(inner, SheetFigure):
            merged[key] = merge(old if isinstance(old, dict) else {}, value, inner)
        elif isinstance(old, dict):
            past = f"{old.get('value')} ({old.get('source')}, {old.get('as_of')})"
            merged[key] = {**value, "replaces": past}
        else:
            merged[key] = {**value, "replaces": "nothing"}
    return merged
