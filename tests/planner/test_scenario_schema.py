"""What an editor is told of a scenario agrees with what the reader takes."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest

import planner
from hardware.sheet import read_document
from planner.scenario import Scenario

EXAMPLES = Path(planner.__file__).with_name("examples")
SCHEMA = Scenario.model_json_schema()
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
    "boolean": bool, "null": type(None),
}  # fmt: skip


def faults(value: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    """The part of JSON Schema that ours uses."""
    if "$ref" in schema:
        return faults(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], path)
    if "anyOf" in schema:
        tried = [faults(value, each, path) for each in schema["anyOf"]]
        if all(tried):
            return [f"{path}: {value!r} fits none of {len(tried)}"]
        return []
    found = []
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(
        isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
        for kind in kinds
    ):
        return [f"{path}: {value!r} is no {kinds}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{path}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value!r} is none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{path}: {value!r} does not match")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{path}: {value!r} is too small")
    if isinstance(value, dict):
        found += [f"{path}: no {key}" for key in schema.get("required", []) if key not in value]
        known = schema.get("properties", {})
        for key, entry in value.items():
            rest = schema.get("additionalProperties", True)
            if key in known:
                found += faults(entry, known[key], f"{path}.{key}")
            elif isinstance(rest, dict):
                found += faults(entry, rest, f"{path}.{key}")
            elif rest is False:
                found.append(f"{path}: unknown {key}")
    if isinstance(value, list) and "items" in schema:
        for at, entry in enumerate(value):
            found += faults(entry, schema["items"], f"{path}[{at}]")
    return found


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=datetime.date.isoformat))


PATHS = [
    *(EXAMPLES / f"{name}.yaml" for name in ("first-minute", "flexible", "kai-replay", "kai-plan")),
    Path(__file__).with_name("data") / "base-scenario.yaml",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_valid_scenarios_fit_their_schema(path: Path) -> None:
    assert faults(as_json(read_document(path).data), SCHEMA) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nodes", 0), ("nodes", {"mim": 3}), ("nodes", {"min": {"value": 3, "mark": "guess"}}),
        ("deadline", {"kind": "hard"}), ("kind", "training"), ("tokens", ["1 T"]),
        ("partial", "yes"), ("devices", "h100"), ("unknown", 1), ("precision", "fp6"),
    ],
)  # fmt: skip
def test_what_the_reader_refuses_the_schema_refuses(field: str, value: Any) -> None:
    job = {"consortium": "a", "model": "m", "tokens": "1 T", field: value}
    schema = SCHEMA["$defs"]["Job"]
    assert faults(job, schema)
    good = {"consortium": "a", "model": "m", "tokens": "1 T", "nodes": 4, "deadline": "2027-01-01"}
    assert faults(good, schema) == []


def test_every_field_is_explained() -> None:
    for name, model in {"Scenario": SCHEMA, **SCHEMA["$defs"]}.items():
        for field, entry in model.get("properties", {}).items():
            told = entry.get("description") or "$ref" in entry  # then the record tells
            assert told, f"{name}.{field}"
