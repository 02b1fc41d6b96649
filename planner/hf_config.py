"""Hugging Face ``config.json`` read as a model sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardware.errors import Diagnostic, InputError
from hardware.sheet import Document, where_is

__all__ = ["is_config", "read_config"]


def is_config(data: Mapping[str, Any]) -> bool:
    """Whether a document is a Hugging Face configuration."""
    return "model_type" in data or "architectures" in data


def read_config(document: Document) -> dict[str, Any]:
    """The fields of a model sheet that a configuration states."""
    raise InputError(
        Diagnostic("unknown-model-type", "no model type is read yet", where_is(document, ()))
    )
