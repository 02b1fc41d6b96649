"""Which keys a written document may have at a path, for near matches of a misspelt key."""

from __future__ import annotations

import types
import typing
from typing import Any

from pydantic import BaseModel

__all__ = ["known_keys"]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Every record type that an annotation may hold, through unions, lists and mappings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = typing.get_origin(annotation)
    if origin is None:
        return []
    if origin in (typing.Union, types.UnionType, typing.Annotated, list, tuple, dict):
        return [model for part in typing.get_args(annotation) for model in _models(part)]
    return []


def known_keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """
    Field names that the model accepts at a path.

    Steps that are no field of the model (names of entries, positions in a list, tags of
    a union) are passed over, as pydantic puts them into its locations.
    """
    current = [model]
    for step in path:
        following: list[type[BaseModel]] = []
        for candidate in current:
            for name, info in candidate.model_fields.items():
                if step in (name, info.alias):
                    following += _models(info.annotation)
        current = following or current
    keys: list[str] = []
    for candidate in current:
        keys += [info.alias or name for name, info in candidate.model_fields.items()]
    return list(dict.fromkeys(keys))
