"""Models as a person writes them: the model sheet, the catalogue of published models, look-up."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from hardware.errors import Diagnostic, InputError, UnknownName, Where
from hardware.quantity import AsOf, CountFigure, Figure, Mark, Record
from hardware.sheet import Document, parse_document, read_document, read_text, where_is
from planner.architecture import ModelTable, model_table
from planner.hf_config import is_config, read_config
from planner.lookup import file_meant, index_by_spelling, spelling, unknown_model
from planner.model_parts import PLAIN_MLPS, EncoderSheet, Mlp, PublishedSheet, TrainingSheet
from planner.origin import figures_with_origin, laid_over
from planner.shape import SHAPE_FIELDS, completed, placed_faults, shape_faults, with_shape_faults

__all__ = [
    "DEFAULT_SEQ_LEN",
    "EncoderSheet",
    "ModelFile",
    "ModelSheet",
    "PublishedSheet",
    "TrainingSheet",
    "catalogue",
    "columns_of",
    "figures_of",
    "load_models",
    "load_sheets",
    "seq_len_of",
    "sheet_faults",
    "sheets_in",
    "table_of",
]

DEFAULT_SEQ_LEN = 4096
"""Tokens a sequence where none is published: the commonest pre-training length that is."""


class ModelSheet(Record):
    """Shape of a language model, in the terms of the field."""

    schema_: str = Field(default="", alias="$schema")
    """JSON Schema of this file, for editors; ignored."""
    name: str = ""
    """Name of the model; needed where a file holds one model alone."""
    aliases: tuple[str, ...] = ()
    """Other names that find it."""
    publisher: str = ""
    """Who made it."""
    mark: Mark = "stated"
    """Where every figure comes from that does not say so itself."""
    source: str = ""
    """Publication of every figure that does not name its own."""
    as_of: AsOf = ""
    """Date of the source: a day, a month or a year."""
    note: str = ""
    """Anything a reviewer should know."""
    layers: CountFigure
    """Blocks of the language model, without multi-token prediction."""
    hidden: CountFigure
    """Width of the residual stream."""
    ffn_hidden: CountFigure | None = None
    """Width of a dense MLP; may be left out where no layer is dense."""
    heads: CountFigure
    """Query heads."""
    kv_heads: CountFigure | None = None
    """Key-value heads; left out = as many as query heads."""
    head_dim: CountFigure | None = None
    """Width of a query or key head; left out = hidden / heads. Latent attention: with position."""
    v_head_dim: CountFigure | None = None
    """Width of a value head; left out = head_dim."""
    vocab: CountFigure
    """Rows of the embedding."""
    mlp: Mlp = "swiglu"
    """Kind of MLP; gated kinds have three matrices, plain kinds two."""
    experts: CountFigure | None = None
    """Routed experts a layer; left out = dense."""
    top_k: CountFigure | None = None
    """Routed experts a token passes through."""
    moe_ffn_hidden: CountFigure | None = None
    """Width of one routed expert."""
    shared_experts: CountFigure | None = None
    """Experts that every token passes through."""
    shared_ffn_hidden: CountFigure | None = None
    """Width of one shared expert; left out = that of a routed one."""
    dense_layers: CountFigure | None = None
    """Leading layers with a dense MLP in a model with experts; left out = none."""
    expert_groups: CountFigure | None = None
    """Groups of group-limited routing."""
    groups_per_token: CountFigure | None = None
    """Expert groups that one token may use."""
    q_lora: CountFigure | None = None
    """Latent attention: rank of the queries; left out = not compressed."""
    kv_lora: CountFigure | None = None
    """Latent attention: rank of keys and values; its presence makes attention latent."""
    rope_head_dim: CountFigure | None = None
    """Latent attention: the part of head_dim that carries position."""
    window_layers: CountFigure | None = None
    """Layers whose attention sees only the last `window` tokens."""
    window: CountFigure | None = None
    """Tokens that a sliding layer sees."""
    linear_layers: CountFigure | None = None
    """Layers of linear attention, counted as Kimi Delta Attention."""
    mtp_layers: CountFigure | None = None
    """Multi-token-prediction blocks behind the last layer."""
    mtp_mlp: Literal["experts", "dense"] = "experts"
    """MLP of those blocks; a dense model has dense ones either way."""
    tied_embeddings: bool = False
    """Whether input and output embedding are one matrix."""
    max_positions: CountFigure | None = None
    """Learned position embeddings; left out = rotary or none."""
    qk_norm: bool = False
    """Whether queries and keys are normalised a head."""
    attention_gate: bool = False
    """Whether the attention output is gated, a value each."""
    max_context: CountFigure | None = None
    """Longest context that the model is made for; tells nothing of the training length."""
    encoder: EncoderSheet | None = None
    """Encoder in front of the language model."""
    published: PublishedSheet = PublishedSheet()
    """What the publisher says of the size."""
    training: TrainingSheet = TrainingSheet()
    """The run that made it."""


class ModelFile(Record):
    """A file of model sheets by name."""

    schema_: str = Field(default="", alias="$schema")
    """JSON Schema of this file, for editors; ignored."""
    models: dict[str, ModelSheet]
    """Sheets, by name of the model."""


_ENCODER_COUNTS = ("layers", "hidden", "ffn_hidden", "heads", "tokens")


def columns_of(sheet: ModelSheet) -> dict[str, int]:
    """Columns of `ModelTable` as the sheet gives them; a column left out is absent."""
    given = {name: getattr(sheet, name) for name in SHAPE_FIELDS}
    columns = {name: int(figure.value) for name, figure in given.items() if figure is not None}
    columns["mlp_matrices"] = 2 if sheet.mlp in PLAIN_MLPS else 3
    columns["tied_embeddings"] = int(sheet.tied_embeddings)
    columns["qk_norm"] = int(sheet.qk_norm)
    columns["attention_gate"] = int(sheet.attention_gate)
    columns["mtp_dense"] = int(sheet.mtp_mlp == "dense")
    if sheet.encoder is not None:
        for name in _ENCODER_COUNTS:
            columns[f"encoder_{name}"] = int(getattr(sheet.encoder, name).value)
        if sheet.encoder.mlp not in PLAIN_MLPS:  # the table counts two matrices
            columns["encoder_ffn_hidden"] = columns["encoder_ffn_hidden"] * 3 // 2
        columns["encoder_frozen"] = int(sheet.encoder.frozen)
    return columns


def sheet_faults(
    sheet: ModelSheet, document: Document, path: tuple[str | int, ...] = ()
) -> list[Diagnostic]:
    """Rules that the shape of one sheet breaks, each at its place in the document."""
    return placed_faults(columns_of(sheet), document, path)


def table_of(sheets: Iterable[ModelSheet]) -> ModelTable:
    """
    The sheets as columns, in their order. [model]

    Raises
    ------
    InputError
        A shape is not sound.
    """
    sheets = tuple(sheets)
    faults = [
        Diagnostic(fault.code, f"{sheet.name}: {fault.message}", Where(field=fault.column),
                   fault.found, fault.expected, fault.hint)
        for sheet in sheets
        for fault in shape_faults(columns_of(sheet))
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    rows = [completed(columns_of(sheet)) for sheet in sheets]
    names = dict.fromkeys((*SHAPE_FIELDS, *(name for row in rows for name in row)))
    columns = {name: np.array([row.get(name, 0) for row in rows], dtype=np.int64) for name in names}
    return model_table(tuple(sheet.name for sheet in sheets), **columns)


def figures_of(sheet: ModelSheet) -> list[tuple[str, Figure]]:
    """Every figure of a sheet by field, with the mark and source that it inherits."""
    return figures_with_origin(sheet, mark=sheet.mark, source=sheet.source, as_of=sheet.as_of)


def seq_len_of(sheet: ModelSheet) -> Figure:
    """Tokens a sequence to train with: the published length, or `DEFAULT_SEQ_LEN` as assumed."""
    published = dict(figures_of(sheet)).get("training.seq_len")
    return published or Figure(
        value=DEFAULT_SEQ_LEN, mark="assumed", note="no training length is published"
    )


@functools.cache
def catalogue() -> Mapping[str, ModelSheet]:
    """The shipped sheets, by name."""
    place = resources.files("planner") / "sheets" / "models.yaml"
    return sheets_in(read_text(place.read_text("utf-8"), "models.yaml"), {})


def sheets_in(
    document: Document, known: Mapping[str, ModelSheet] | None = None
) -> dict[str, ModelSheet]:
    """
    Every sheet of a document, by name: sheets, one sheet, or a Hugging Face configuration.

    `known` holds the models that an entry may lean on, by spelling; the catalogue if left out.
    Raises InputError with every fault of the document at once.
    """
    known = _index(catalogue()) if known is None else known
    data = document.data if isinstance(document.data, dict) else {}
    if is_config(data):
        sheet = ModelSheet.model_validate(read_config(document))
        return {sheet.name: sheet}
    if isinstance(data.get("models"), dict):
        document = replace(document, data={**data, "models": _overlaid(data["models"], known)})
    try:
        if "models" in data:
            named = parse_document(document, ModelFile).models
        else:
            named = {str(data.get("name", "")): parse_document(document, ModelSheet)}
    except InputError as error:
        raise InputError(with_shape_faults(error.diagnostics, document)) from None
    faults = []
    for name, sheet in named.items():
        place = ("models", name) if "models" in data else ()
        faults += sheet_faults(sheet, document, place)
    full = {name: known[spelling(name)].name if spelling(name) in known else name for name in named}
    for name in named:
        if list(full.values()).count(full[name]) > 1:
            where = where_is(document, ("models", name), key=True)
            message = f"two entries speak of `{full[name]}`"
            faults.append(Diagnostic("duplicate-model", message, where, name))
    if "" in named:
        faults.append(
            Diagnostic("missing-field", "the model has no `name`", where_is(document, ()))
        )
    if faults:
        raise InputError(faults)
    return {
        full[name]: sheet.model_copy(update={"name": full[name]}) for name, sheet in named.items()
    }


def _overlaid(entries: Mapping[str, Any], known: Mapping[str, ModelSheet]) -> dict[str, Any]:
    """Entries of a file; one that names a known model says only what differs from it."""
    merged = dict(entries)
    for name, entry in entries.items():
        old = known.get(spelling(str(name)))
        if old is not None and isinstance(entry, dict):
            merged[name] = laid_over(old, entry, mark=old.mark, source=old.source, as_of=old.as_of)
    return merged


def load_sheets(
    *names_or_paths: str | Path, files: Iterable[str | Path] = ()
) -> tuple[ModelSheet, ...]:
    """
    Model sheets by catalogue name, by path of a sheet, or by path of a ``config.json``.

    Parameters
    ----------
    *names_or_paths : str or Path
        A name or alias in any case, a file of sheets (all of it), one sheet, a
        Hugging Face configuration, or a directory that holds one.
    files : iterable of str or Path
        Files of sheets that add to the catalogue; an entry that names a known
        model says only what differs from it.

    Raises
    ------
    UnknownName
        Nothing answers to the name; the diagnostic carries near matches.
    InputError
        A file is at fault; every fault of every file at once.
    """
    faults: list[Diagnostic] = []
    known: dict[str, ModelSheet] = dict(catalogue())
    index = _index(known)
    for path in (files,) if isinstance(files, str | Path) else files:
        known |= _read(path, index, faults)
        index = _index(known)
    found: list[ModelSheet] = []
    for name in names_or_paths:
        place = file_meant(name, index)
        if place is not None:
            found += _read(place, index, faults).values()
        elif spelling(str(name)) in index:
            found.append(index[spelling(str(name))])
        else:
            names = [spelt for sheet in known.values() for spelt in (sheet.name, *sheet.aliases)]
            faults.append(unknown_model(name, names))
    if faults and all(fault.code == "unknown-model" for fault in faults):
        raise UnknownName(faults)
    if faults:
        raise InputError(faults)
    return tuple(found)


def _index(known: Mapping[str, ModelSheet]) -> dict[str, ModelSheet]:
    return index_by_spelling(((sheet.name, *sheet.aliases), sheet) for sheet in known.values())


def _read(
    path: str | Path, index: Mapping[str, ModelSheet], faults: list[Diagnostic]
) -> dict[str, ModelSheet]:
    try:
        return sheets_in(read_document(path), index)
    except InputError as error:
        faults += error.diagnostics
        return {}


def load_models(*names_or_paths: str | Path, files: Iterable[str | Path] = ()) -> ModelTable:
    """
    Shapes of models as columns; see `load_sheets` for what a name may be. [model]

    Examples
    --------
    >>> load_models("llama3-8b", "deepseek-v3").names
    ('Llama-3.1-8B', 'DeepSeek-V3')
    """
    return table_of(load_sheets(*names_or_paths, files=files))
