"""Parts of a model sheet: encoder, published size, training run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from hardware.quantity import (
    CountFigure,
    DurationFigure,
    Figure,
    Record,
    TokensFigure,
    figure_schema,
    read_figure,
)
from hardware.units import parse_tokens

__all__ = ["PLAIN_MLPS", "EncoderSheet", "Mlp", "PublishedSheet", "TrainingSheet"]

Mlp = Literal[
    "swiglu", "geglu", "reglu", "polynorm_glu", "swiglu_clamped", "gelu", "relu", "squared_relu"
]
PLAIN_MLPS = ("gelu", "relu", "squared_relu")


def _count_of_parameters(text: object) -> dict[str, Any]:
    try:
        return {"value": parse_tokens(text)}
    except ValueError:
        raise ValueError(
            f"found {text!r}, expected a number of parameters, such as `8.03 B`"
        ) from None


ParametersFigure = Annotated[
    Figure, read_figure(_count_of_parameters), figure_schema("8.03 B", numeric=True)
]


class EncoderSheet(Record):
    """Blocks in front of the language model that turn pictures, sound or motion into tokens."""

    kind: Literal["vision", "audio", "video", "motion"] = "vision"
    """What it reads."""
    layers: CountFigure
    """Blocks of the encoder."""
    hidden: CountFigure
    """Width of the encoder."""
    ffn_hidden: CountFigure
    """Width of the encoder's MLP."""
    heads: CountFigure
    """Attention heads of the encoder."""
    mlp: Mlp = "gelu"
    """Kind of the encoder's MLP; gated kinds have three matrices, plain kinds two."""
    tokens: CountFigure
    """Encoder tokens in one training sequence, on average; 0 = present, but not fed."""
    frozen: bool = False
    """Whether the encoder is kept as it is instead of trained."""


class PublishedSheet(Record):
    """What the publisher says of the size, to compare a recount with."""

    total: ParametersFigure | None = None
    """All parameters."""
    active: ParametersFigure | None = None
    """Parameters a token passes through."""
    counts_mtp: bool = False
    """Whether the total counts multi-token-prediction blocks."""
    counts_input_embedding: bool = True
    """Whether the active figure counts the input embedding."""
    note: str = ""
    """What is disputed, missing or left out."""


class TrainingSheet(Record):
    """The run that made the model, as far as published; gives a job its defaults."""

    seq_len: CountFigure | None = None
    """Tokens a sequence in pre-training."""
    tokens: TokensFigure | None = None
    """Tokens trained on, such as `11 T`."""
    accelerator: str = ""
    """What it was trained on."""
    devices: CountFigure | None = None
    """How many of them."""
    duration: DurationFigure | None = None
    """How long it took, such as `70 days`."""
