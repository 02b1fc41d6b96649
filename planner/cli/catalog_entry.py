"""One entry of the catalogue with every figure, its source and its date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hardware.catalog import (
    Catalogue,
    accelerator,
    device_names,
    fabric,
    node,
    node_names,
    open_catalogue,
)
from hardware.errors import Diagnostic, InputError, UnknownName, near_match
from hardware.shipped import index
from planner.cli.figure import figure_record
from planner.cli.recognise import sorted_files
from planner.origin import figures_with_origin

__all__ = ["entry"]


def entry(name: str, files: tuple[str, ...]) -> dict[str, Any]:
    """
    Title, facts and figures of a device, node, model or stack.

    Raises
    ------
    UnknownName
        Nothing has this name; near matches of every kind are named.
    """
    hardware_files, model_files = sorted_files(files)
    catalogue = open_catalogue(hardware_files)
    finders: tuple[Callable[[], dict[str, Any] | None], ...] = (
        lambda: _device(name, catalogue, tuple(hardware_files)),
        lambda: _node(name, catalogue),
        lambda: _model(name, tuple(model_files)),
        lambda: _stack(name),
    )
    for find in finders:
        found = find()
        if found is not None:
            return found
    raise UnknownName(
        Diagnostic(
            "unknown-name",
            f"the catalogue has no `{name}`",
            expected="a device, a node, a model or a stack",
            hint=near_match(name, _known(catalogue)) or "`planner catalog` lists everything",
        )
    )


def _known(catalogue: Catalogue) -> list[str]:
    from planner.stack import load_constants
    from planner.workload import catalogue as models

    spelt = [text for one in models().values() for text in (one.name, *one.aliases)]
    devices = [*index().spellings, *device_names(catalogue)]
    return [*devices, *node_names(catalogue), *spelt, *load_constants()[0].names]


def _facts(record: Any, *names: str) -> dict[str, str]:
    texts = {name: getattr(record, name) for name in names}
    return {
        name: ", ".join(text) if isinstance(text, (list, tuple)) else str(text)
        for name, text in texts.items()
        if text not in ("", None, (), [])
    }


def _device(name: str, catalogue: Catalogue, files: tuple[str, ...]) -> dict[str, Any] | None:
    try:
        full, one = accelerator(name, catalogue)
    except UnknownName as error:
        if error.diagnostics[0].code == "unusable-device":
            raise
        return None
    facts = _facts(one, "vendor", "family", "year", "form_factor", "memory_type", "link_name",
                   "training", "node", "software", "evidence", "aliases", "notes")  # fmt: skip
    figures = [figure_record(path, figure) for path, figure in figures_with_origin(one)]
    return {"name": full, "kind": one.kind, "title": one.title, "facts": facts,
            "figures": figures, **_prices(full, files)}  # fmt: skip


def _prices(device: str, files: tuple[str, ...]) -> dict[str, Any]:
    """What the device is asked for: median and range a term, and every price behind them."""
    from hardware.price import TERMS, price_rows, quote

    table = price_rows(files=files)
    names = ("provider", "term", "usd_per_device_s", "region", "as_of", "kind", "offer", "source")
    offers = [
        {name: _plain(getattr(table, name)[row]) for name in names}
        for row in range(len(table))
        if table.device[row] == device
    ]
    quotes = [(term, quote(device, term=term, files=files)) for term in TERMS]
    medians = [
        {"term": term, "median_usd_per_device_s": one.median_usd_per_device_s,
         "low_usd_per_device_s": one.low_usd_per_device_s,
         "high_usd_per_device_s": one.high_usd_per_device_s, "prices": len(one.rows),
         "basis": one.reason}
        for term, one in quotes
        if one.median_usd_per_device_s is not None
    ]  # fmt: skip
    return {"quotes": medians, "offers": offers}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def _node(name: str, catalogue: Catalogue) -> dict[str, Any] | None:
    if name not in node_names(catalogue):
        return None
    one = node(name, catalogue)
    net = fabric(one.fabric, catalogue)
    figures = [figure_record(path, figure) for path, figure in figures_with_origin(one)]
    figures += [figure_record(f"fabric.{path}", figure)
                for path, figure in figures_with_origin(net)]  # fmt: skip
    return {"name": name, "kind": "node", "title": one.title,
            "facts": _facts(one, "fabric", "holds", "torus", "notes"),
            "figures": figures, "quotes": [], "offers": []}  # fmt: skip


def _model(name: str, files: tuple[str, ...]) -> dict[str, Any] | None:
    from planner.workload import figures_of, load_sheets

    try:
        sheets = load_sheets(name, files=files)
    except UnknownName:
        return None
    if len(sheets) != 1:
        raise InputError(
            Diagnostic("several-models", "the file holds more than one model", found=name,
                       expected=", ".join(sheet.name for sheet in sheets))
        )  # fmt: skip
    one = sheets[0]
    figures = [figure_record(path, figure) for path, figure in figures_of(one)]
    facts = _facts(one, "aliases", "mlp", "mtp_mlp", "tied_embeddings", "qk_norm", "note")
    facts |= _facts(one.published, "note")
    return {"name": one.name, "kind": "model", "title": one.publisher, "facts": facts,
            "figures": figures, "quotes": [], "offers": []}  # fmt: skip


def _stack(name: str) -> dict[str, Any] | None:
    from dataclasses import fields

    from planner.stack import load_constants

    stacks, _ = load_constants()
    if name not in stacks.names:
        return None
    row = stacks.names.index(name)
    figures = [
        {"field": field.name, "value": float(value), "unit": None, "text": f"{float(value):.6g}",
         "mark": "derived", "source": None, "as_of": None, "note": None, "disputed": None,
         "replaces": None}
        for field in fields(stacks)
        if field.name != "names"
        for value in [getattr(stacks, field.name)[row]]
    ]  # fmt: skip
    fitted = "yes" if stacks.measured[row] else "no, as the default but for what is stated"
    return {"name": name, "kind": "stack", "title": "software stack",
            "facts": {"fitted on published runs": fitted}, "figures": figures,
            "quotes": [], "offers": []}  # fmt: skip
