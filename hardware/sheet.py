"""Read a written document with the position of every key and value, and check it with pydantic."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from hardware.errors import Diagnostic, InputError, Where, near_match, word_for, wrong_type
from hardware.names import known_keys

__all__ = [
    "Document",
    "Path_",
    "fault_paths",
    "field_path",
    "parse_document",
    "read_document",
    "read_text",
    "where_is",
]

MAX_BYTES = 16 * 2**20  # a scenario of a thousand jobs is about 0.5 MB
MAX_VALUES = 500_000  # many aliases of a few lines can expand to billions
MAX_SHOWN = 120  # letters of a value that a fault repeats
Path_ = tuple[str | int, ...]
_MERGE_TAG = "tag:yaml.org,2002:merge"
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Document:
    """A parsed file: plain data, and where each key and value stands (line and column from 1)."""

    path: str
    data: Any
    lines: tuple[str, ...] = ()
    keys: Mapping[Path_, tuple[int, int]] = field(default_factory=dict)
    values: Mapping[Path_, tuple[int, int]] = field(default_factory=dict)
    sha256: str = ""


def where_is(document: Document, path: Path_, *, key: bool = False) -> Where:
    """The place of a field; of the nearest parent that the document has, when it is absent."""
    known = tuple(path)
    while known and known not in document.values:
        known = known[:-1]
    table = document.keys if key and known in document.keys else document.values
    line, column = table.get(known, (1, 1) if document.lines else (0, 0))
    snippet = document.lines[line - 1] if 0 < line <= len(document.lines) else ""
    return Where(document.path, line, column, field_path(path), snippet[:200])


def field_path(path: Path_) -> str:
    """Readable path of a field, ``jobs.ember.nodes[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else str(step))
    return text


def _refuse(code: str, message: str, path: str, **more: Any) -> InputError:
    where = more.pop("where", Where(path))
    return InputError(Diagnostic(code, message, where, **more))


def _load_bytes(path: str) -> bytes:
    if path == "-":
        raw = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        if "\0" in path:
            raise _refuse("no-such-file", "no file can have this name", path.replace("\0", "\\0"))
        place = Path(path)
        try:
            if place.is_dir():
                raise _refuse("not-a-file", "a directory is not a document", path,
                              hint="name a file inside it")  # fmt: skip
            with place.open("rb") as stream:
                raw = stream.read(MAX_BYTES + 1)
        except FileNotFoundError:
            beside = place.parent
            siblings = [p.name for p in beside.iterdir()] if beside.is_dir() else []
            raise _refuse("no-such-file", "the file does not exist", path,
                          hint=near_match(place.name, siblings)) from None  # fmt: skip
        except OSError as error:
            raise _refuse("unreadable-file", "the file cannot be read", path,
                          found=error.strerror or str(error)) from None  # fmt: skip
    if len(raw) > MAX_BYTES:
        raise _refuse("file-too-large", "the file is larger than any document of ours", path,
                      expected=f"at most {MAX_BYTES >> 20} MiB")  # fmt: skip
    return raw


def _decode(raw: bytes, path: str) -> str:
    if b"\0" in raw:
        raise _refuse("binary-file", "the file is binary, not text", path,
                      found=f"zero byte at {raw.index(0)}", expected="UTF-8 text")  # fmt: skip
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise _refuse("not-utf8", "the file is not UTF-8 text", path,
                      where=Where(path, line, column),
                      found=f"byte 0x{raw[error.start]:02x}",
                      expected="UTF-8 text") from None  # fmt: skip


def read_document(path: str | Path) -> Document:
    """
    Read a YAML or JSON file with positions.

    Parameters
    ----------
    path : str or Path
        The file, or ``-`` for standard input.

    Raises
    ------
    InputError
        Missing, a directory, too large, binary, not UTF-8, empty, not YAML, a key twice.
    """
    import hashlib

    if not isinstance(path, str | Path):
        raise InputError(wrong_type("path", path, "the path of a file"))
    name = str(path)
    raw = _load_bytes(name)
    text = _decode(raw, name)
    return read_text(text, "<stdin>" if name == "-" else name, hashlib.sha256(raw).hexdigest())


def read_text(text: str, path: str = "<text>", sha256: str = "") -> Document:
    """A document from text already in hand; as `read_document` otherwise."""
    lines = tuple(text.splitlines())
    reader = YAML(typ="safe", pure=True)
    reader.composer.warn_double_anchors = False  # YAML 1.2 allows an anchor to be named again
    try:
        node = reader.compose(text)
        if node is None:
            raise _refuse("empty-file", "the file is empty", path, expected="a YAML document")
        walk = _Walk(path, reader.constructor, lines)
        data = walk.plain(node, ())
    except MarkedYAMLError as error:
        raise _syntax_error(error, path, lines) from None
    except (YAMLError, ReaderError) as error:
        text_of = str(error).splitlines()[0]
        raise _refuse("yaml-syntax", "the text is not YAML", path, found=text_of) from None
    except RecursionError:
        raise _refuse("too-deep", "the document is nested too deeply", path) from None
    if walk.faults:
        raise InputError(walk.faults)
    return Document(path, data, lines, walk.keys, walk.values, sha256)


def _syntax_error(error: MarkedYAMLError, path: str, lines: tuple[str, ...]) -> InputError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    snippet = lines[line - 1] if 0 < line <= len(lines) else ""
    where = Where(path, line, column, "", snippet[:200])
    found = " ".join(str(error.problem or error.context or "").split())
    if "another document" in found:
        return InputError(Diagnostic(
            "yaml-syntax", "the file holds more than one document", where,
            found="a second one after `---`", expected="one document a file"))  # fmt: skip
    hint = "indent with spaces; YAML takes no tabs there" if "'\\t'" in found else ""
    return InputError(Diagnostic("yaml-syntax", "the text is not YAML", where, found, hint=hint))


class _Walk:
    """One pass over the node tree: plain values, positions, duplicate keys."""

    def __init__(self, path: str, constructor: Any, lines: tuple[str, ...]) -> None:
        self.path, self.constructor, self.lines = path, constructor, lines
        self.keys: dict[Path_, tuple[int, int]] = {}
        self.values: dict[Path_, tuple[int, int]] = {}
        self.faults: list[Diagnostic] = []
        self.visited = 0

    def plain(self, node: Node, path: Path_) -> Any:
        self.visited += 1
        if self.visited > MAX_VALUES:
            raise _refuse("too-large", "the document expands to too many values", self.path)
        self.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path_) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            is_plain = isinstance(key_node, ScalarNode) and key_node.tag != _MERGE_TAG
            key = self._scalar(key_node) if is_plain else None
            if isinstance(key, (datetime.date, bool, type(None))) or not isinstance(key, str | int):
                key = str(getattr(key_node, "value", ""))
            mark = key_node.start_mark
            here = (*path, key)
            snippet = self.lines[mark.line][:200] if mark.line < len(self.lines) else ""
            where = Where(self.path, mark.line + 1, mark.column + 1, field_path(here), snippet)
            if key_node.tag == _MERGE_TAG:
                self.faults.append(Diagnostic(
                    "yaml-syntax", "merge keys are not read", where, found="<<",
                    expected="each field written out"))  # fmt: skip
                continue
            if key in result:
                first = self.keys[here]
                self.faults.append(Diagnostic(
                    "duplicate-key", f"the key `{key}` stands twice", where,
                    found=f"first at line {first[0]}", expected="each key once"))  # fmt: skip
                continue
            self.keys[here] = (mark.line + 1, mark.column + 1)
            result[key] = self.plain(value_node, here)
        return result

    def _scalar(self, node: Node) -> Any:
        try:
            return self.constructor.construct_object(node, deep=True)
        except ValueError:
            return str(node.value)


def parse_document(document: Document, model: type[Model], *, context: Any = None) -> Model:
    """
    Check a document against a pydantic model.

    Returns
    -------
    Model
        The validated record.

    Raises
    ------
    InputError
        Every fault at once, each with its place, what was found, what was expected, a hint.
    """
    if not isinstance(document.data, dict):
        raise _refuse("not-a-mapping", "the document is not a mapping of fields", document.path,
                      where=where_is(document, ()), found=word_for(document.data),
                      expected="fields and values, `name: …`")  # fmt: skip
    try:
        return model.model_validate(document.data, context=context)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise InputError(
            _distinct(_diagnostic(document, model, fault) for fault in faults)
        ) from None


def fault_paths(document: Document, model: type[BaseModel]) -> list[Path_]:
    """Paths of the fields at fault, as far as the document has them; none when it is valid."""
    try:
        model.model_validate(document.data)
    except ValidationError as error:
        return [_own_path(document, tuple(fault["loc"])) for fault in error.errors()]
    return []


def _shown(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} letters)"


def _distinct(diagnostics: Any) -> list[Diagnostic]:
    seen: dict[tuple[str, Where], Diagnostic] = {}
    for diagnostic in diagnostics:
        seen.setdefault((diagnostic.code, diagnostic.where), diagnostic)
    return sorted(seen.values(), key=lambda d: (d.where.line, d.where.column, d.code))


def _own_path(document: Document, loc: tuple[str | int, ...]) -> Path_:
    """
    The part of pydantic's location that the document has, plus the last missing step.

    A step in parentheses is the tag of one form of a field, and no field.
    """
    loc = tuple(step for step in loc if not str(step).startswith("("))
    path: Path_ = ()
    for i, step in enumerate(loc):
        if (*path, step) in document.values or i == len(loc) - 1:
            path = (*path, step)
    return path


_CODES = {
    "extra_forbidden": "unknown-field",
    "missing": "missing-field",
    "value_error": "bad-value",
    "literal_error": "unknown-choice",
    "enum": "unknown-choice",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
    "too_short": "too-few",
}


def _diagnostic(document: Document, model: type[BaseModel], fault: ErrorDetails) -> Diagnostic:
    kind, loc = fault["type"], tuple(fault["loc"])
    path = _own_path(document, loc)
    code = _CODES.get(kind, "wrong-type" if kind.endswith(("_type", "_parsing")) else "bad-value")
    text = fault["msg"].removeprefix("Value error, ")
    found = "" if isinstance(fault["input"], (dict, list)) else _shown(repr(fault["input"]))
    if kind == "extra_forbidden":
        siblings = known_keys(model, loc[:-1])
        hint = near_match(str(loc[-1]), siblings)
        return Diagnostic(code, f"unknown field `{loc[-1]}`", where_is(document, path, key=True),
                          expected="" if hint or len(siblings) > 24 else ", ".join(siblings),
                          hint=hint)  # fmt: skip
    if kind == "missing":
        return Diagnostic(code, f"the field `{loc[-1]}` is missing", where_is(document, path))
    where = where_is(document, path)
    if kind == "literal_error":
        wanted = str(fault.get("ctx", {}).get("expected", ""))
        choices = [choice.strip(" '") for choice in wanted.replace(" or ", ",").split(",")]
        return Diagnostic(code, "not one of the known choices", where, found=found,
                          expected=", ".join(choices),
                          hint=near_match(str(fault["input"]), choices))  # fmt: skip
    if kind == "value_error":
        head, comma, expected = text.partition(", expected ")
        if head.startswith("found "):
            shown, _, why = head.removeprefix("found ").partition(", which is ")
            message = f"this is {why}" if why else "the value cannot be read"
            code = "unit-mismatch" if why else code
            return Diagnostic(code, message, where, _shown(shown), expected)
        if comma:
            return Diagnostic(code, head, where, found, expected)
        return Diagnostic(code, text, where, found)
    return Diagnostic(code, "the value does not fit", where, found, _expected(kind, text))


_WANTED = {
    "string_type": "a text",
    "dict_type": "fields and values, `name: …`",
    "model_type": "fields and values, `name: …`",
    "model_attributes_type": "fields and values, `name: …`",
    "list_type": "a list, `[…]`",
    "tuple_type": "a list, `[…]`",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
    "too_short": "at least one entry",
}


def _expected(kind: str, text: str) -> str:
    """What would fit, in the words of a file."""
    text = text.removeprefix("Input should be ")
    return _WANTED.get(kind, text[0].lower() + text[1:])
