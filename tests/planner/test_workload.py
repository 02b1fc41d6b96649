"""Model sheets: the catalogue against published sizes, look-up, and every fault at its place."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.errors import Diagnostic, InputError, UnknownName
from hardware.sheet import Document, read_text
from planner.architecture import (
    active_parameters,
    embedding_parameters,
    mtp_parameters,
    parameters,
)
from planner.workload import (
    DEFAULT_SEQ_LEN,
    ModelFile,
    ModelSheet,
    catalogue,
    figures_of,
    load_models,
    load_sheets,
    seq_len_of,
    sheets_in,
    table_of,
)

TOTAL_TOLERANCE = 0.01
ACTIVE_TOLERANCE = 0.03

EMBER = """\
name: ember
layers: 4
hidden: 64
heads: 8
vocab: 100
ffn_hidden: 256
"""


def faults(text: str) -> list[Diagnostic]:
    with pytest.raises(InputError) as caught:
        sheets_in(read_text(text, "own.yaml"))
    return list(caught.value.diagnostics)


def places(text: str) -> list[tuple[str, str, str]]:
    """Code, ``line:column`` and field of every fault of a text."""
    return [(f.code, f"{f.where.line}:{f.where.column}", f.where.field) for f in faults(text)]


def write(folder: Path, text: str, name: str = "own.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# The catalogue


def test_the_catalogue_holds_the_published_models() -> None:
    assert len(catalogue()) == 21
    assert list(catalogue()) == [sheet.name for sheet in catalogue().values()]


@pytest.mark.parametrize("name", list(catalogue()))
def test_recount_reproduces_the_published_total(name: str) -> None:
    sheet = catalogue()[name]
    if sheet.published.total is None:
        assert sheet.published.note, "a missing total is explained"
        return
    model = load_models(name)
    total = parameters(model)[0] + sheet.published.counts_mtp * mtp_parameters(model)[0]
    assert total == pytest.approx(sheet.published.total.value, rel=TOTAL_TOLERANCE)


@pytest.mark.parametrize("name", list(catalogue()))
def test_recount_comes_near_the_published_active(name: str) -> None:
    sheet = catalogue()[name]
    if sheet.published.active is None:
        return
    model = load_models(name)
    active = active_parameters(model)[0]
    if not sheet.published.counts_input_embedding:
        active -= embedding_parameters(model)[0]
    assert active == pytest.approx(sheet.published.active.value, rel=ACTIVE_TOLERANCE)


def test_checkpoints_to_the_last_parameter() -> None:
    """Sizes that checkpoints state exactly; ours adds a balancing bias an expert to Mixtral's."""
    model = load_models("llama3-8b", "llama3-70b", "mixtral-8x22b")
    biases = 56 * 8
    assert parameters(model).tolist() == [
        8_030_261_248,
        70_553_706_496,
        140_630_071_296 + biases,
    ]


def test_every_figure_of_the_catalogue_has_mark_and_source() -> None:
    for sheet in catalogue().values():
        for field, figure in figures_of(sheet):
            assert figure.mark in ("published", "derived", "assumed"), (sheet.name, field)
            assert figure.source, (sheet.name, field)
            assert figure.as_of, (sheet.name, field)


def test_derived_and_assumed_figures_say_why() -> None:
    for sheet in catalogue().values():
        for field, figure in figures_of(sheet):
            assert figure.mark == "published" or figure.note, (sheet.name, field)


def test_catalogue_columns_of_one_latent_and_one_grouped_model() -> None:
    model = load_models("A.X-K2", "K-EXAONE-236B-A23B")
    assert model.kv_lora.tolist() == [512, 0]
    assert model.head_dim.tolist() == [192, 128]
    assert model.v_head_dim.tolist() == [128, 128]
    assert model.attention_gate.tolist() == [1, 0]
    assert model.window_layers.tolist() == [0, 36]
    assert model.mtp_layers.tolist() == [0, 1]
    assert model.mtp_dense.tolist() == [0, 1]
    assert model.shared_ffn_hidden.tolist() == [2048, 2048]
    assert model.mlp_matrices.tolist() == [3, 3]


def test_dense_models_have_all_layers_dense() -> None:
    model = load_models("llama3-405b", "nemotron-4-340b", "gpt-3")
    np.testing.assert_array_equal(model.dense_layers, model.layers)
    assert model.mlp_matrices.tolist() == [3, 2, 2]
    assert model.tied_embeddings.tolist() == [0, 0, 1]
    assert model.max_positions.tolist() == [0, 0, 2048]


# Look-up


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("K-EXAONE-236B-A23B", "K-EXAONE-236B-A23B"),
        ("k-exaone", "K-EXAONE-236B-A23B"),
        ("LGAI-EXAONE/K-EXAONE-236B-A23B", "K-EXAONE-236B-A23B"),
        ("k_exaone_236b_a23b", "K-EXAONE-236B-A23B"),
        ("llama3-8b", "Llama-3.1-8B"),
        ("LLAMA-3.1-8B", "Llama-3.1-8B"),
        ("meta-llama/Llama-3.1-8B", "Llama-3.1-8B"),
        ("deepseek-v3", "DeepSeek-V3"),
        ("ax-k1", "A.X-K1"),
        ("upstage/Solar-Open2-250B", "Solar-Open2-250B"),
    ],
)
def test_names_in_any_spelling(typed: str, found: str) -> None:
    assert load_models(typed).names == (found,)


def test_names_keep_their_order_and_may_repeat() -> None:
    assert load_models("gpt-3", "k-exaone", "gpt3").names == (
        "GPT-3-175B",
        "K-EXAONE-236B-A23B",
        "GPT-3-175B",
    )


def test_no_names_give_an_empty_table() -> None:
    assert parameters(load_models()).shape == (0,)


def test_no_two_models_share_a_spelling() -> None:
    for sheet in catalogue().values():
        for alias in sheet.aliases:
            assert load_models(alias).names == (sheet.name,)


def test_unknown_names_come_with_near_matches_all_at_once() -> None:
    with pytest.raises(UnknownName) as caught:
        load_models("lama-3.1-8b", "gpt-3", "qwen3-253b")
    first, second = caught.value.diagnostics
    assert (first.code, first.found) == ("unknown-model", "lama-3.1-8b")
    assert "`Llama-3.1-8B`" in first.hint
    assert "`qwen3-235b`" in second.hint


def test_a_name_like_nothing_points_to_the_list() -> None:
    with pytest.raises(UnknownName) as caught:
        load_models("zzzzzz")
    assert "planner catalog" in caught.value.diagnostics[0].hint


# Own sheets


def test_a_single_sheet_by_path(tmp_path: Path) -> None:
    model = load_models(write(tmp_path, EMBER))
    assert model.names == ("ember",)
    by_text = load_models(str(tmp_path / "own.yaml"))
    assert by_text.names == ("ember",)


def test_a_file_of_sheets_by_path_gives_all_of_them(tmp_path: Path) -> None:
    body = EMBER.partition("\n")[2].replace("\n", "\n    ").rstrip()
    path = write(tmp_path, f"models:\n  one:\n    {body}\n  two:\n    {body}\n")
    assert load_models(path).names == ("one", "two")


def test_files_add_to_the_catalogue(tmp_path: Path) -> None:
    path = write(tmp_path, EMBER)
    assert load_models("Ember", "gpt-3", files=[path]).names == ("ember", "GPT-3-175B")
    with pytest.raises(UnknownName):
        load_models("ember")


def test_an_entry_of_a_known_model_says_only_what_differs(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "models:\n  llama3-8b:\n    layers: 4\n    training: {seq_len: 2048}\n",
    )
    (sheet,) = load_sheets("llama-3.1-8b", files=[path])
    figures = dict(figures_of(sheet))
    assert sheet.name == "Llama-3.1-8B"
    assert (figures["layers"].value, figures["layers"].mark) == (4, "stated")
    assert (figures["hidden"].value, figures["hidden"].mark) == (4096, "published")
    assert figures["hidden"].source.startswith("Llama 3 report")
    assert figures["layers"].source == ""
    assert figures["training.seq_len"].value == 2048
    assert figures["training.tokens"].value == 15e12
    assert catalogue()["Llama-3.1-8B"].layers.value == 32


def test_a_later_file_lies_over_an_earlier(tmp_path: Path) -> None:
    first = write(tmp_path, "models: {gpt-3: {layers: 4, vocab: 7}}", "a.yaml")
    second = write(tmp_path, "models: {GPT-3-175B: {layers: 5}}", "b.yaml")
    model = load_models("gpt3", files=[first, second])
    assert (model.layers.tolist(), model.vocab.tolist()) == ([5], [7])


def test_figures_may_carry_their_origin(tmp_path: Path) -> None:
    text = EMBER.replace(
        "heads: 8", "heads: {value: 8, mark: assumed, source: a talk, as_of: 2026-03, note: n}"
    )
    (sheet,) = load_sheets(write(tmp_path, text + "mark: published\nsource: a report\n"))
    figures = dict(figures_of(sheet))
    assert (figures["heads"].mark, figures["heads"].source) == ("assumed", "a talk")
    assert (figures["hidden"].mark, figures["hidden"].source) == ("published", "a report")


def test_an_encoder_counts_as_two_matrices_wide(tmp_path: Path) -> None:
    encoder = "encoder: {kind: audio, layers: 2, hidden: 32, ffn_hidden: 64, heads: 4, tokens: 9"
    plain = load_models(write(tmp_path, EMBER + encoder + "}\n", "plain.yaml"))
    gated = load_models(write(tmp_path, EMBER + encoder + ", mlp: swiglu}\n", "gated.yaml"))
    frozen = load_models(write(tmp_path, EMBER + encoder + ", frozen: true}\n", "frozen.yaml"))
    assert plain.encoder_ffn_hidden.tolist() == [64]
    assert gated.encoder_ffn_hidden.tolist() == [96]
    assert (plain.encoder_frozen.tolist(), frozen.encoder_frozen.tolist()) == ([0], [1])
    assert plain.encoder_tokens.tolist() == [9]


def test_training_length_is_published_or_assumed() -> None:
    published = seq_len_of(catalogue()["A.X-K2"])
    assert (published.value, published.mark) == (4096, "published")
    assumed = seq_len_of(catalogue()["Mixtral-8x22B"])
    assert (assumed.value, assumed.mark) == (DEFAULT_SEQ_LEN, "assumed")


# Faults


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ffn_hiden: 9", [("unknown-field", "7:1", "ffn_hiden")]),
        ("top_k: 2", [("inconsistent-shape", "7:8", "top_k")]),
        ("mlp: swigloo", [("unknown-choice", "7:6", "mlp")]),
        ("kv_heads: 3", [("inconsistent-shape", "7:11", "kv_heads")]),
        ("kv_heads: 0", [("out-of-range", "7:11", "kv_heads")]),
        ("kv_heads: -8", [("bad-value", "7:11", "kv_heads")]),
        ("kv_heads: 2.5", [("bad-value", "7:11", "kv_heads")]),
        ("kv_heads: eight", [("bad-value", "7:11", "kv_heads")]),
        ("kv_heads: [8]", [("bad-value", "7:11", "kv_heads")]),
        ("kv_heads: {value: 3}", [("inconsistent-shape", "7:11", "kv_heads")]),
        ("kv_heads: {value: 8, mark: guessed}", [("unknown-choice", "7:28", "kv_heads.mark")]),
        ("kv_heads: {value: 8, sauce: x}", [("unknown-field", "7:22", "kv_heads.sauce")]),
        ("tied_embeddings: maybe", [("wrong-type", "7:18", "tied_embeddings")]),
        ("published: {total: 8 apples}", [("bad-value", "7:20", "published.total")]),
        ("training: {duration: 9}", [("bad-value", "7:22", "training.duration")]),
        ("heads: 4", [("duplicate-key", "7:1", "heads")]),
        ("window: 128", [("missing-field", "1:1", "window_layers")]),
        ("linear_layers: 5", [("inconsistent-shape", "7:16", "linear_layers")]),
        ("experts: 8", [("missing-field", "1:1", "top_k"),
                        ("missing-field", "1:1", "moe_ffn_hidden")]),
        ("encoder: {layers: 2}", [("missing-field", "7:10", f"encoder.{name}")
                                  for name in ("hidden", "ffn_hidden", "heads", "tokens")]),
        ("encoder: {layers: 2, hidden: 9, ffn_hidden: 9, heads: 2, tokens: 1}",
         [("inconsistent-shape", "7:55", "encoder.heads")]),
        ("encoder: {layers: 0, hidden: 8, ffn_hidden: 9, heads: 2, tokens: 1}",
         [("missing-field", "7:19", "encoder.layers")]),
    ],
)  # fmt: skip
def test_a_fault_stands_at_its_place(line: str, expected: list[tuple[str, str, str]]) -> None:
    assert sorted(places(EMBER + line + "\n")) == sorted(expected)


@pytest.mark.parametrize("name", ["layers", "hidden", "heads", "vocab", "ffn_hidden"])
def test_a_missing_field_points_at_its_parent(name: str) -> None:
    text = "".join(line for line in EMBER.splitlines(True) if not line.startswith(name))
    assert places(text) == [("missing-field", "1:1", name)]


def test_a_sheet_without_a_name() -> None:
    assert [f.message for f in faults(EMBER.replace("name: ember\n", ""))] == [
        "the model has no `name`"
    ]


def test_every_fault_of_a_file_at_once_in_order_of_lines() -> None:
    text = """\
models:
  ember:
    layers: 4.5
    hidden: 100
    heads: 7
    vocab: 10
    ffn_hiden: 3
    top_k: 2
  aurora:
    layers: 2
    hidden: 64
    heads: 4
    vocab: 100
    experts: 4
    top_k: 8
    window: 128
    encoder: {layers: 2, hidden: 10, heads: 3, ffn_hidden: 0, tokens: 4}
"""
    assert places(text) == [
        ("bad-value", "3:13", "models.ember.layers"),
        ("inconsistent-shape", "5:12", "models.ember.heads"),
        ("unknown-field", "7:5", "models.ember.ffn_hiden"),
        ("inconsistent-shape", "8:12", "models.ember.top_k"),
        ("missing-field", "10:5", "models.aurora.moe_ffn_hidden"),
        ("missing-field", "10:5", "models.aurora.window_layers"),
        ("inconsistent-shape", "15:12", "models.aurora.top_k"),
        ("inconsistent-shape", "17:45", "models.aurora.encoder.heads"),
        ("missing-field", "17:60", "models.aurora.encoder.ffn_hidden"),
    ]


def test_a_misspelt_key_names_the_right_one() -> None:
    (fault,) = faults(EMBER + "kv_head: 4\n")
    assert "`kv_heads`" in fault.hint


def test_two_entries_of_one_model() -> None:
    text = "models:\n  llama3-8b: {layers: 4}\n  Llama-3.1-8B: {layers: 5}\n"
    assert places(text) == [
        ("duplicate-model", "2:3", "models.llama3-8b"),
        ("duplicate-model", "3:3", "models.Llama-3.1-8B"),
    ]


def test_a_fault_in_what_is_laid_over_a_known_model() -> None:
    text = "models:\n  deepseek-v3:\n    top_k: 300\n    laiers: 2\n"
    assert [place[:2] for place in places(text)] == [("unknown-field", "4:5")]
    assert places(text.replace("    laiers: 2\n", "")) == [
        ("inconsistent-shape", "3:12", "models.deepseek-v3.top_k")
    ]


@pytest.mark.parametrize(
    "text", ["models: 3", "models: [a]", "- a\n- b", "just text", "models: {a: 3}"]
)
def test_a_document_of_another_form_is_a_diagnostic(text: str) -> None:
    assert all(fault.where.line == 1 for fault in faults(text))


def test_faults_of_several_files_come_together(tmp_path: Path) -> None:
    first = write(tmp_path, EMBER + "top_k: 2\n", "a.yaml")
    second = write(tmp_path, EMBER + "window: 2\n", "b.yaml")
    with pytest.raises(InputError) as caught:
        load_models("nobody", first, files=[second])
    codes = [(Path(f.where.path).name, f.code) for f in caught.value.diagnostics]
    assert codes == [
        ("b.yaml", "missing-field"),
        ("", "unknown-model"),
        ("a.yaml", "inconsistent-shape"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.yaml", b"", "empty-file"),
        ("binary.yaml", b"layers: \x00", "binary-file"),
        ("latin.yaml", b"name: caf\xe9", "not-utf8"),
        ("broken.yaml", b"a: [1", "yaml-syntax"),
        ("broken.json", b'{"model_type": "llama"', "yaml-syntax"),
    ],
)
def test_an_unreadable_file(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_models(tmp_path / name)
    assert [fault.code for fault in caught.value.diagnostics] == [code]


def test_a_missing_file_and_a_directory(tmp_path: Path) -> None:
    write(tmp_path, EMBER)
    with pytest.raises(InputError) as caught:
        load_models(tmp_path / "owm.yaml", tmp_path)
    missing, folder = caught.value.diagnostics
    assert (missing.code, folder.code) == ("no-such-file", "not-a-file")
    assert "own.yaml" in missing.hint


def test_a_table_of_unsound_sheets_is_refused() -> None:
    sheet = ModelSheet.model_validate(
        {"name": "odd", "layers": 1, "hidden": 9, "heads": 2, "vocab": 5, "ffn_hidden": 3}
    )
    with pytest.raises(InputError, match="odd: `hidden` does not divide"):
        table_of([sheet])


# For editors


def test_the_schema_explains_every_field() -> None:
    schema = ModelFile.model_json_schema()
    for name in ("ModelSheet", "EncoderSheet", "PublishedSheet", "TrainingSheet"):
        fields = schema["$defs"][name]["properties"]
        assert all(field.get("description") for field in fields.values()), name
        assert schema["$defs"][name]["additionalProperties"] is False


def test_the_schema_key_of_editors_is_ignored(tmp_path: Path) -> None:
    assert load_models(write(tmp_path, "$schema: x.json\n" + EMBER)).names == ("ember",)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*ModelSheet.model_fields, "extra", "models", "$schema"]),
        st.none() | st.integers() | st.text(max_size=5) | st.floats() | st.booleans()
        | st.lists(st.integers(), max_size=2) | st.dictionaries(st.just("value"), st.integers()),
        max_size=8,
    )
)  # fmt: skip
def test_any_mapping_is_a_model_or_a_diagnostic(data: dict[str, object]) -> None:
    with contextlib.suppress(InputError):
        table_of(sheets_in(Document("any", data)).values())
