"""Reads a plan file for the audit: every fault with its field, whatever the file holds."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from hardware.errors import Diagnostic, InputError, Where, near_match, word_for
from planner.audit.period import LENGTHS
from planner.audit.plan_record import (
    InputRecord,
    JobRecord,
    PlanRecord,
    RowRecord,
    ShareRecord,
    StretchRecord,
    VerdictRecord,
)
from planner.audit.plan_value import (
    a_day,
    a_text,
    a_truth,
    a_whole,
    an_amount,
    id_ranges,
    number,
    short,
    texts,
)

__all__ = ["MAX_BYTES", "plan_record", "read_both", "read_plan"]

MAX_BYTES = 64 * 2**20  # a plan of 10,000 rows is about 6 MB
MAX_FAULTS = 200

Read = Callable[[Any], Any]


def a_length(value: Any) -> str:
    """Length of a period by its name; raises ValueError otherwise."""
    if value not in LENGTHS:
        raise ValueError(f"found {short(value)}, expected one of {', '.join(LENGTHS)}")
    return str(value)


def _or_null(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


# field -> (name in the record, how to read it, whether the file must have it)
Spec = Mapping[str, tuple[str, Read, bool]]

_ROW: Spec = {
    "job": ("job", a_text, True),
    "consortium": ("consortium", a_text, True),
    "pool": ("pool", a_text, True),
    "device": ("device", a_text, True),
    "nodes": ("nodes", a_whole(1), True),
    "node_ids": ("ids", id_ranges, True),
    "from": ("first", a_day, True),
    "to": ("last", a_day, True),
    "days": ("days", a_whole(1), True),
    "tokens": ("tokens", an_amount, True),
    "tokens_per_s": ("tokens_per_s", an_amount, True),
    "cost": ("cost", an_amount, True),
    "layout": ("layout", _or_null(a_text), False),
    "mfu_frac": ("mfu_frac", _or_null(an_amount), False),
    "energy_j": ("energy_j", _or_null(an_amount), False),
    "value": ("value", _or_null(an_amount), False),
    "marks": ("marks", texts, False),
}
_JOB: Spec = {
    "job": ("job", a_text, True),
    "consortium": ("consortium", a_text, True),
    "placed": ("placed", a_truth, True),
    "done_frac": ("done_frac", an_amount, True),
    "value": ("value", an_amount, True),
    "reason": ("reason", _or_null(a_text), False),
}
_SHARE: Spec = {
    "consortium": ("consortium", a_text, True),
    "node_months": ("node_months", an_amount, True),
    "equivalent_device_months": ("equivalent_device_months", an_amount, True),
    "cost": ("cost", an_amount, True),
    "budget": ("budget", _or_null(an_amount), False),
    "jobs_done": ("jobs_done", a_whole(0), True),
    "jobs_asked": ("jobs_asked", a_whole(0), True),
    "value": ("value", an_amount, True),
}
_VERDICT: Spec = {
    "status": ("status", a_text, True),
    "objective": ("objective", _or_null(number), True),
    "bound": ("bound", _or_null(number), False),
    "gap_frac": ("gap_frac", _or_null(number), False),
    "cost": ("cost", _or_null(an_amount), True),
    "policy": ("policy", _or_null(a_text), False),
    "allocation": ("allocation", _or_null(a_text), False),
}
_INPUT: Spec = {
    "path": ("path", a_text, True),
    "sha256": ("sha256", a_text, True),
}
_STRETCH: Spec = {
    "until": ("until", a_day, True),
    "every": ("every", a_length, True),
}
# Fields beside those read above: words for readers, and what other checks recompute.
_BESIDE: Mapping[str, frozenset[str]] = {
    "": frozenset({"$schema", "schema", "tool", "inputs", "currency", "periods", "verdict", "rows",
                   "jobs", "consortiums", "assumed", "warnings", "certificate", "binds", "aim",
                   "value_unit"}),
    "verdict": frozenset({"solver", "solver_version", "seconds", "sentence", "allocation"}),
    "jobs": frozenset({"sentence", "hint"}),
    "consortiums": frozenset({"name"}),
}  # fmt: skip
SCHEMA = "planner/plan/1"


def _refuse(code: str, message: str, where: Where, found: str = "", expected: str = "") -> NoReturn:
    raise InputError(Diagnostic(code, message, where, found, expected))


def read_plan(path: str | Path) -> PlanRecord:
    """A plan file as the audit reads it; see `read_both`."""
    return read_both(path)[0]


def read_both(path: str | Path) -> tuple[PlanRecord, dict[str, Any]]:
    """
    Read a plan file once, as the audit reads it and as plain data.

    Parameters
    ----------
    path : str or Path
        The JSON file, or ``-`` for standard input.

    Raises
    ------
    InputError
        Missing, a directory, too large, binary, not UTF-8, not JSON, or fields that
        cannot be read; every fault at once, with the path of its field.
    """
    name = "<stdin>" if str(path) == "-" else str(path)
    raw = _bytes(str(path), name)
    if b"\0" in raw:
        _refuse("binary-file", "the file is binary, not text", Where(name), "a zero byte", "JSON")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{raw[error.start]:02x} at {error.start}"
        _refuse("not-utf8", "the file is not UTF-8 text", Where(name), found, "UTF-8 text")
    data = _parsed(text, name)
    return plan_record(data, path=name, sha256=hashlib.sha256(raw).hexdigest()), data


def _bytes(path: str, name: str) -> bytes:
    try:
        is_folder = path != "-" and Path(path).is_dir()
        raw = b"" if is_folder else _first_bytes(path)
    except FileNotFoundError:
        _refuse("no-such-file", "the file does not exist", Where(name))
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        _refuse("unreadable-file", "the file cannot be read", Where(name), short(str(error)))
    if is_folder:
        _refuse("not-a-file", "a directory is not a plan", Where(name))
    if len(raw) > MAX_BYTES:
        _refuse("file-too-large", "the file is larger than any plan", Where(name),
                expected=f"at most {MAX_BYTES} bytes")  # fmt: skip
    return raw


def _first_bytes(path: str) -> bytes:
    """As much of the file as is read, and a byte more where it is larger."""
    if path == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(path).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _parsed(text: str, name: str) -> Any:
    """The JSON value; NaN and infinity stay words, so that their fields are told."""
    if not text.strip():
        _refuse("empty-file", "the file is empty", Where(name), expected="a plan in JSON")
    twice: list[str] = []

    def record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries = dict(pairs)
        if len(entries) < len(pairs):
            seen: set[str] = set()
            twice.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return entries

    try:
        data = json.loads(text, object_pairs_hook=record, parse_constant=str)
    except json.JSONDecodeError as error:
        lines = [*error.doc.split("\n"), ""]  # the fault may lie behind the last line
        snippet = lines[error.lineno - 1][:200]
        where = Where(name, error.lineno, error.colno, "", snippet)
        _refuse("json-syntax", "the text is not JSON", where, expected=error.msg)
    except RecursionError:
        _refuse("too-deep", "the file is nested too deeply", Where(name))
    except ValueError:  # an integer of more digits than Python reads
        _refuse("bad-value", "a number has too many digits", Where(name))
    if twice:
        raise InputError(
            Diagnostic("duplicate-key", "a key stands twice in one record", Where(name),
                       found=short(key), expected="each key once")
            for key in twice[:MAX_FAULTS]
        )  # fmt: skip
    return data


def plan_record(data: Any, *, path: str = "<plan>", sha256: str = "") -> PlanRecord:
    """
    Check plain data, as `json.load` gives it, and make a plan record of it.

    Raises
    ------
    InputError
        Every field that is missing or cannot be read.
    """
    faults: list[Diagnostic] = []
    if not isinstance(data, dict):
        _refuse("not-a-mapping", "the file holds no plan", Where(path), word_for(data),
                "a record with `verdict`, `rows`, `jobs`, `consortiums`")  # fmt: skip
    if data.get("schema") != SCHEMA:
        faults.append(
            Diagnostic("unknown-schema", "not a plan of a version that can be read",
                       Where(path, field="schema"), short(data.get("schema")), SCHEMA)
        )  # fmt: skip
    faults += _unknown(data, _BESIDE[""], "", path)
    currency = _text_of(data, "currency", path, faults)
    verdict = _one(data.get("verdict"), VerdictRecord, _VERDICT, "verdict", path, faults)
    rows = _many(data, "rows", RowRecord, _ROW, path, faults)
    for at, row in enumerate(rows):
        if row is not None and row.last < row.first:
            faults.append(
                Diagnostic("dates-reversed", "the row ends before it begins",
                           Where(path, field=f"rows[{at}].to"), str(row.last),
                           f"{row.first} or later")
            )  # fmt: skip
    jobs = _many(data, "jobs", JobRecord, _JOB, path, faults)
    shares = _many(data, "consortiums", ShareRecord, _SHARE, path, faults)
    inputs = _many(data, "inputs", InputRecord, _INPUT, path, faults, required=False)
    version = _tool_version(data.get("tool"), path, faults)
    stretches = _stretches(data.get("periods"), path, faults)
    if faults or verdict is None:
        raise InputError(_first(faults, path))
    return PlanRecord(path, sha256, currency, verdict, tuple(rows), tuple(jobs), tuple(shares),
                      tuple(inputs), version, tuple(stretches))  # fmt: skip


def _first(faults: list[Diagnostic], path: str) -> list[Diagnostic]:
    if len(faults) <= MAX_FAULTS:
        return faults
    rest = Diagnostic("more-faults", f"{len(faults) - MAX_FAULTS} more faults", Where(path))
    return [*faults[:MAX_FAULTS], rest]


def _tool_version(tool: Any, path: str, faults: list[Diagnostic]) -> str:
    """Version of the program that made the plan; empty when the file does not say."""
    if tool is None:
        return ""
    if not isinstance(tool, dict):
        faults.append(_fault(f"found {short(tool)}, expected a record", path, "tool"))
        return ""
    try:
        return a_text(tool.get("version", ""))
    except ValueError as error:
        faults.append(_fault(str(error), path, "tool.version"))
        return ""


def _stretches(periods: Any, path: str, faults: list[Diagnostic]) -> list[Any]:
    """The periods that the plan was made with; none where the file does not say."""
    if periods is not None and not isinstance(periods, dict):
        faults.append(_fault(f"found {short(periods)}, expected a record", path, "periods"))
        return []
    key = "periods.stretches"
    stated = {key: (periods or {}).get("stretches")}
    return _many(stated, key, StretchRecord, _STRETCH, path, faults, required=False)


def _text_of(data: dict[str, Any], key: str, path: str, faults: list[Diagnostic]) -> str:
    try:
        return a_text(data.get(key))
    except ValueError as error:
        faults.append(_fault(str(error), path, key))
        return ""


def _fault(reason: str, path: str, field: str) -> Diagnostic:
    found, _, expected = reason.partition(", expected ")
    message = "the value cannot be read"
    return Diagnostic("bad-value", message, Where(path, field=field),
                      found.removeprefix("found "), expected)  # fmt: skip


def _many(
    data: dict[str, Any], key: str, record: type[Any], spec: Spec, path: str,
    faults: list[Diagnostic], *, required: bool = True,
) -> list[Any]:  # fmt: skip
    """The records of a list; None stands for one with faults."""
    items = data.get(key)
    if items is None and not required:
        return []
    if not isinstance(items, list):
        faults.append(_fault(f"found {short(items)}, expected a list of records", path, key))
        return []
    return [_one(item, record, spec, f"{key}[{at}]", path, faults) for at, item in enumerate(items)]


def _one(
    item: Any, record: type[Any], spec: Spec, at: str, path: str, faults: list[Diagnostic]
) -> Any:
    """One record, or None with its faults noted."""
    if not isinstance(item, dict):
        faults.append(_fault(f"found {short(item)}, expected a record", path, at))
        return None
    values: dict[str, Any] = {}
    before = len(faults)
    for key, (name, read, required) in spec.items():
        if key not in item and required:
            others = [other for other in item if other not in spec]
            faults.append(
                Diagnostic("missing-field", f"the field `{key}` is missing",
                           Where(path, field=at), hint=near_match(key, others))
            )  # fmt: skip
        elif key in item:
            try:
                values[name] = read(item[key])
            except ValueError as error:
                faults.append(_fault(str(error), path, f"{at}.{key}"))
    if len(faults) == before:  # else an unknown field may be the one that is missing
        beside = _BESIDE.get(at.partition("[")[0], frozenset())
        faults += _unknown(item, frozenset(spec) | beside, at, path)
    return record(**values) if len(faults) == before else None


def _unknown(
    item: dict[str, Any], known: frozenset[str], at: str, path: str
) -> Iterator[Diagnostic]:
    """Fields that nothing here checks: a plan says nothing that cannot be held against it."""
    for key in item:
        if key not in known:
            field = f"{at}.{key}" if at else str(key)
            where = Where(path, field=field)
            hint = near_match(str(key), known)
            yield Diagnostic("unknown-field", f"unknown field `{short(key)}`", where, hint=hint)
