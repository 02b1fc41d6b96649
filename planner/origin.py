"""Where every figure of a written sheet comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardware.quantity import Figure, Mark, Record

__all__ = ["figures_with_origin", "laid_over"]


def figures_with_origin(
    record: Record, *, mark: Mark = "stated", source: str = "", as_of: str = ""
) -> list[tuple[str, Figure]]:
    """
    Every figure of a record by field path, with the origin that it inherits.

    Parameters
    ----------
    record : Record
        A sheet; records inside it are walked.
    mark, source, as_of : str
        Origin of the figures that do not state their own.
    """
    inherited = {"mark": mark, "source": source, "as_of": as_of}
    result = []
    for path, figure in _figures(record, ""):
        silent = {
            name: value
            for name, value in inherited.items()
            if getattr(figure, name) in ("", "stated")
        }
        result.append((path, figure.model_copy(update=silent)))
    return result


def _figures(record: Record, prefix: str) -> Iterator[tuple[str, Figure]]:
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, Figure):
            yield prefix + name, value
        elif isinstance(value, Record):
            yield from _figures(value, f"{prefix}{name}.")


def laid_over(
    record: Record,
    written: Mapping[str, Any],
    *,
    mark: Mark = "stated",
    source: str = "",
    as_of: str = "",
) -> dict[str, Any]:
    """
    The fields of a record with those that a person wrote laid over them.

    Figures that stay keep the origin that they had; those written have their
    own. The record's own head (mark, source, date) does not stay, since it
    would speak for figures that it did not give.
    """
    origins = dict(figures_with_origin(record, mark=mark, source=source, as_of=as_of))
    merged: dict[str, Any] = {}
    for name, info in type(record).model_fields.items():
        old, new = getattr(record, name), written.get(info.alias or name)
        if name in ("mark", "source", "as_of") or old is None:
            continue
        if isinstance(old, Figure):
            merged[name] = origins[name]
        elif isinstance(old, Record) and isinstance(new, dict):
            merged[name] = laid_over(old, new, mark=mark, source=source, as_of=as_of)
        elif isinstance(old, Record):
            merged[name] = laid_over(old, {}, mark=mark, source=source, as_of=as_of)
        else:
            merged[info.alias or name] = old
    kept = {
        key: value
        for key, value in written.items()
        if not (isinstance(value, dict) and isinstance(merged.get(key), dict))
    }
    return {**merged, **kept}
