"""Whole numbers and short forms of a scenario, as they are written and as editors see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from hardware.quantity import Mark, Record

__all__ = ["AnyCount", "Count", "OrPlain", "Origin", "SomeCount"]


@dataclass(frozen=True)
class OrPlain:
    """Lets the JSON Schema of a record allow the short forms that its reader takes."""

    plain: Callable[[], dict[str, Any]]

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [self.plain(), handler(schema)]}


class Origin(Record):
    """Where a whole number comes from, when it is written as a record."""

    value: int
    """The number."""
    mark: Mark = "stated"
    """Where it comes from."""
    source: str = ""
    """Publication or document."""
    as_of: str = ""
    """Date of the source."""
    note: str = ""
    """Anything a reviewer should know."""


class Count(int):
    """
    A whole number that is used as one and remembers where it comes from.

    Written plainly, ``8``, or as a record, ``{value: 8, mark: assumed}``.
    """

    origin: Origin

    def __new__(cls, value: int, origin: Origin | None = None) -> Count:
        count = super().__new__(cls, value)
        count.origin = origin or Origin(value=value)
        return count

    def __reduce__(self) -> tuple[type[Count], tuple[int, Origin]]:
        return Count, (int(self), self.origin)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.read, serialization=core_schema.plain_serializer_function_ser_schema(int)
        )

    @classmethod
    def read(cls, written: object) -> Count:
        """The count that a plain number or a record means."""
        if isinstance(written, Count):
            return written
        if isinstance(written, dict):
            unknown = set(written) - set(Origin.model_fields)
            number = written.get("value")
            if unknown:
                raise ValueError(f"found `{min(map(str, unknown))}`, expected "
                                 + ", ".join(Origin.model_fields))  # fmt: skip
            if written.get("mark", "stated") not in _MARKS:
                raise ValueError(f"found {written['mark']!r}, expected {', '.join(_MARKS)}")
            texts = {k: str(v) for k, v in written.items() if k != "value"}
        else:
            number, texts = written, {}
        if isinstance(number, bool) or not isinstance(number, int):
            raise ValueError(f"found {number!r}, expected a whole number")
        if not 0 <= number < 10**12:
            raise ValueError(f"found {number!r}, expected a whole number, zero or more")
        return cls(number, Origin.model_validate({"value": number, **texts}))


_MARKS = ("published", "derived", "assumed", "measured", "stated")


def _at_least_one(count: Count) -> Count:
    if count < 1:
        raise ValueError(f"found {int(count)}, expected a whole number, one or more")
    return count


def day_forms() -> dict[str, Any]:
    """JSON Schema of a day alone."""
    return {"type": "string", "format": "date"}


def count_forms(least: int = 1) -> dict[str, Any]:
    """JSON Schema of a whole number alone, or with its origin."""
    plain = {"type": "integer", "minimum": least}
    origin = Origin.model_json_schema()
    origin["properties"]["value"] = {**plain, "description": "The number."}
    return {"anyOf": [plain, origin]}


AnyCount = Annotated[Count, WithJsonSchema(count_forms(0))]
SomeCount = Annotated[Count, AfterValidator(_at_least_one), WithJsonSchema(count_forms(1))]
