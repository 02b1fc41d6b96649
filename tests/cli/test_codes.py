"""Every diagnostic code of the source has a page, and every page belongs to a code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import hardware
import planner
from hardware.errors import UnknownName
from planner.code_pages import code_page, code_pages

WORDS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*$")
ROOMS = [Path(package.__file__).parent for package in (hardware, planner)]
TREES = [
    ast.parse(path.read_text("utf-8"), str(path)) for room in ROOMS for path in room.rglob("*.py")
]


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def code_argument(call: ast.Call, position: int) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == "code":
            return keyword.value
    plain = [arg for arg in call.args if not isinstance(arg, ast.Starred)]
    return plain[position] if len(plain) > position else None


def takers() -> dict[str, set[int]]:
    """Functions and records that take a code, and at which places they do."""
    found: dict[str, set[int]] = {"Diagnostic": {0}}
    for tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [arg.arg for arg in node.args.args if arg.arg not in ("self", "cls")]
                if "code" in names:
                    found.setdefault(node.name, set()).add(names.index("code"))
            elif isinstance(node, ast.ClassDef):
                fields = [
                    item.target.id
                    for item in node.body
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
                ]
                if "code" in fields:
                    found.setdefault(node.name, set()).add(fields.index("code"))
    for other in ("code_page", "_page_report"):  # look a page up
        found.pop(other, None)
    return found


def literals(node: ast.expr) -> set[str]:
    """Texts in an expression, keys of mappings left out."""
    keys = {
        id(key) for one in ast.walk(node) if isinstance(one, ast.Dict) for key in one.keys if key
    }
    return {
        constant.value
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant)
        and isinstance(constant.value, str)
        and id(constant) not in keys
    }


def looped(loop: ast.For) -> set[str]:
    """Codes of `for code, … in (("a-code", …), …)`."""
    if not isinstance(loop.target, ast.Tuple) or not isinstance(loop.iter, (ast.Tuple, ast.List)):
        return set()
    names = [item.id if isinstance(item, ast.Name) else "" for item in loop.target.elts]
    if "code" not in names:
        return set()
    rows = [row for row in loop.iter.elts if isinstance(row, ast.Tuple)]
    return {text for row in rows for text in literals(row.elts[names.index("code")])}


def returned(function: ast.FunctionDef) -> set[str]:
    """Codes that a function hands back first of several, as its docstring says."""
    if not (ast.get_docstring(function) or "").startswith("Code, "):
        return set()
    tuples = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return {
        text for item in tuples if isinstance(item, ast.Tuple) for text in literals(item.elts[0])
    }


def codes_in_source() -> set[str]:
    """Every literal that reaches a diagnostic as its code, and the values of tables of codes."""
    known, codes = takers(), set()
    for tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in known:
                for position in known[called(node)]:
                    given = code_argument(node, position)
                    codes |= literals(given) if given is not None else set()
            if isinstance(node, ast.For):
                codes |= looped(node)
            if isinstance(node, ast.FunctionDef):
                codes |= returned(node)
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AnnAssign):
                targets = [node.target]
            for target in targets:
                name = target.id if isinstance(target, ast.Name) else ""
                value = node.value
                if name.endswith("CODES") and isinstance(value, ast.Dict):
                    codes |= {text for item in value.values for text in literals(item)}
                elif value is not None and (name == "code" or name.endswith("CODES")):
                    codes |= literals(value)
    return {code for code in codes if WORDS.match(code) and not code.startswith("_")}


CODES = sorted(codes_in_source())


def test_the_walk_finds_codes() -> None:
    assert {"unit-mismatch", "no-such-file", "unknown-model", "unknown-field"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_code_has_a_page(code: str) -> None:
    page = code_page(code)
    assert len(page) > 60, "a page says what it means and what to do"


def test_no_page_is_left_over() -> None:
    assert set(code_pages()) - set(CODES) == set()


def test_unknown_code_names_a_near_one() -> None:
    with pytest.raises(UnknownName, match="did you mean `unit-mismatch`"):
        code_page("unit-mismach")
