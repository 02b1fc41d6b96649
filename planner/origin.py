"""Where every figure of a written sheet comes from."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.quantity import Figure, Mark, Record

__all__ = ["figures_with_origin"]


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
