"""The house rules, read from the source: which room may import what, how large, how documented."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import hardware
import planner

PACKAGES = {package.__name__: Path(package.__file__).parent for package in (hardware, planner)}
PATHS = {
    ".".join((name, *path.relative_to(folder).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for name, folder in PACKAGES.items()
    for path in sorted(folder.rglob("*.py"))
}
ROOMS = sorted(PATHS)

# Which rooms may use a library. A room not listed for any library here is numeric: numpy only.
READERS = (  # where a person's writing is read, and what hands its records on as they are
    "hardware.spec", "hardware.quantity", "hardware.sheet", "hardware.catalog", "hardware.names",
    "hardware.inherit", "planner.workload", "planner.scenario",
)  # fmt: skip
MAY_USE = {
    "pulp": ("planner.allocation",),
    "highspy": ("planner.allocation",),
    "cbcbox": ("planner.allocation",),  # where the newer PuLP's CBC comes from, if installed
    "click": ("planner.cli",),
    "rich": ("planner.cli",),
    "ruamel": ("hardware.sheet",),
    "pydantic": (*READERS, "planner.cli"),
    "pydantic_core": READERS,
    "scipy": ("planner.calibration",),
    "numpy": ("hardware", "planner"),
    "pandas": ("hardware", "planner"),  # and there only inside `to_frame`
}

# Rooms of pure numbers: their public functions say units or shapes.
NUMERIC = (
    "hardware.roofline", "hardware.collective", "hardware.topology", "planner.activation",
    "planner.architecture", "planner.curve", "planner.delivery", "planner.energy", "planner.flop",
    "planner.goodput", "planner.inference", "planner.layout", "planner.memory", "planner.search",
    "planner.stage", "planner.step", "planner.strategy",
)  # fmt: skip
FILE_LINES, FUNCTION_LINES, POSITIONAL = 400, 60, 5
VAGUE = {"utils", "util", "common", "helpers", "helper", "base", "types", "misc", "tools"}


@cache
def text_of(room: str) -> str:
    return PATHS[room].read_text("utf-8")


@cache
def tree_of(room: str) -> ast.Module:
    return ast.parse(text_of(room), str(PATHS[room]))


def inside(room: str, places: tuple[str, ...]) -> bool:
    """Whether a room is one of the places, or lies in one, or is a split of one (`name_part`)."""
    return any(room == place or room.startswith((f"{place}.", f"{place}_")) for place in places)


def imports_of(room: str) -> Iterator[tuple[str, ast.stmt]]:
    """Every module that a room imports, anywhere in it, lazily and for types included."""
    for node in ast.walk(tree_of(room)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                yield (below if below in PATHS else node.module), node


def functions_of(room: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(room)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def graph() -> dict[str, set[str]]:
    """Room -> rooms that it imports. A package stands for its `__init__` alone."""
    return {room: {name for name, _ in imports_of(room) if name in PATHS} for room in ROOMS}


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """One ring of rooms that import each other; empty when there is none."""
    state: dict[str, int] = {}

    def visit(room: str, chain: list[str]) -> list[str]:
        state[room] = 1
        for other in sorted(edges.get(room, ())):
            if state.get(other) == 1:
                return [*chain[chain.index(other) :], other]
            if other not in state:
                ring = visit(other, [*chain, other])
                if ring:
                    return ring
        state[room] = 2
        return []

    for room in sorted(edges):
        if room not in state:
            ring = visit(room, [room])
            if ring:
                return ring
    return []


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef, room: str) -> int:
    """Lines of a function that hold code: not its docstring, not comments, not blank."""
    first = function.body[0]
    has_doc = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    doc = range(first.lineno, (first.end_lineno or first.lineno) + 1) if has_doc else range(0)
    return len(
        [
            line
            for line in coded_lines(room)
            if function.lineno <= line <= (function.end_lineno or 0) and line not in doc
        ]
    )


@cache
def coded_lines(room: str) -> frozenset[int]:
    """Numbers of the lines on which a token of code stands."""
    quiet = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER,
    }  # fmt: skip
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text_of(room)).readline):
        if token.type not in quiet:
            lines.update(range(token.start[0], token.end[0] + 1))
    return frozenset(lines)


rooms = pytest.mark.parametrize("room", ROOMS)


def test_both_packages_are_walked() -> None:
    assert {"hardware", "hardware.errors", "planner", "planner.scenario"} <= set(ROOMS)
    assert not [room for room in NUMERIC if room not in PATHS]


@pytest.mark.parametrize("room", [room for room in ROOMS if inside(room, ("hardware",))])
def test_hardware_knows_nothing_of_the_planner(room: str) -> None:
    assert not [name for name, _ in imports_of(room) if inside(name, ("planner",))]


def test_no_room_imports_itself_by_a_detour() -> None:
    """Lazy and type-only imports count: they hide a knot, they do not untie it."""
    assert cycle(graph()) == []


def test_the_search_for_cycles_finds_one() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]


def test_audit_shares_nothing_with_the_program() -> None:
    """Whatever the audit reaches, it never reaches what it is to check."""
    edges = graph()
    reached, ahead = set[str](), [room for room in ROOMS if inside(room, ("planner.audit",))]
    while ahead:
        room = ahead.pop()
        if room not in reached:
            reached.add(room)
            ahead += edges[room]
    checked = (
        "planner.allocation", "planner.case", "planner.plan", "planner.timeline",
        "planner.eligibility", "planner.scenario_check", "planner.scenario_dates",
        "planner.scenario_rules",
    )  # fmt: skip
    assert not [room for room in reached if inside(room, checked)]
    assert "planner.scenario" in reached


@rooms
def test_imports_are_absolute(room: str) -> None:
    relative = [n for n in ast.walk(tree_of(room)) if isinstance(n, ast.ImportFrom) and n.level]
    assert not [node.lineno for node in relative]


@rooms
def test_one_library_has_one_room(room: str) -> None:
    """Only the standard library, ourselves, and the libraries that this room may use."""
    for name, node in imports_of(room):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in PACKAGES:
            continue
        assert top in MAY_USE, f"line {node.lineno}: {top} is no library of ours"
        assert inside(room, MAY_USE[top]), f"line {node.lineno}: {top} belongs to {MAY_USE[top]}"


@rooms
def test_pandas_stays_inside_to_frame(room: str) -> None:
    allowed = {
        id(node)
        for function in functions_of(room)
        if function.name == "to_frame"
        for node in ast.walk(function)
    }
    pandas = [node for name, node in imports_of(room) if name.partition(".")[0] == "pandas"]
    assert not [node.lineno for node in pandas if id(node) not in allowed]


@rooms
def test_file_is_short(room: str) -> None:
    assert len(text_of(room).splitlines()) <= FILE_LINES


@rooms
def test_functions_are_short(room: str) -> None:
    long = {f.name: code_lines(f, room) for f in functions_of(room)}
    assert not {name: lines for name, lines in long.items() if lines > FUNCTION_LINES}


@rooms
def test_long_parameter_lists_are_named(room: str) -> None:
    """More than five parameters: the rest by keyword, unless the function is private."""
    wide = {}
    for function in functions_of(room):
        count = len(function.args.posonlyargs) + len(function.args.args)
        if not function.name.startswith("_") and count > POSITIONAL + 1:
            wide[function.name] = count
        elif not function.name.startswith("_") and count == POSITIONAL + 1:
            first = function.args.args[0].arg if function.args.args else ""
            if first not in ("self", "cls"):
                wide[function.name] = count
    assert not wide


@rooms
def test_file_says_what_the_room_holds(room: str) -> None:
    """One sentence; an `__init__` that holds nothing may be empty."""
    if PATHS[room].name == "__init__.py" and not text_of(room).strip():
        return
    document = ast.get_docstring(tree_of(room))
    assert document, "no docstring"
    first = document.splitlines()[0]
    assert len(first) >= 20
    assert first.rstrip().endswith((".", "…")), first


@rooms
def test_init_only_hands_on_names(room: str) -> None:
    if PATHS[room].name != "__init__.py":
        return
    defined = [
        node.name
        for node in tree_of(room).body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("__")
    ]
    assert not defined


@rooms
def test_library_neither_asserts_nor_prints(room: str) -> None:
    found = [node.lineno for node in ast.walk(tree_of(room)) if isinstance(node, ast.Assert)]
    found += [
        node.lineno
        for node in ast.walk(tree_of(room))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not found


@rooms
def test_room_has_a_name_of_its_own(room: str) -> None:
    assert not VAGUE & set(re.split(r"[._]", room))


@rooms
def test_comments_leave_no_work(room: str) -> None:
    """No open points, no banners; rooms do not speak of the tree of folders that built them."""
    for token in tokenize.generate_tokens(io.StringIO(text_of(room)).readline):
        if token.type == tokenize.COMMENT:
            assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", token.string), token.start[0]
            assert not re.search(r"[-=#*]{6,}", token.string), token.start[0]


def verbs() -> set[str]:
    """Public functions that the packages hand on."""
    names = set()
    for package in (hardware, planner):
        for name in package.__all__:
            if name.islower():
                names.add(name)
    return names


@rooms
def test_no_room_is_called_as_a_verb(room: str) -> None:
    if inside(room, ("planner.cli",)):
        return  # a file a command, named as the command
    assert room.rpartition(".")[2] not in verbs()


def public_functions(room: str) -> list[ast.FunctionDef]:
    return [
        node
        for node in tree_of(room).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


@pytest.mark.parametrize("room", [room for room in NUMERIC if room in PATHS])
def test_numbers_have_a_unit_or_an_axis(room: str) -> None:
    """Every public function of a numeric room says units or axes in brackets."""
    bare = []
    for function in public_functions(room):
        document = ast.get_docstring(function) or ""
        if not re.search(r"\[[^\[\]\n]{1,60}\]", document):
            bare.append(function.name)
    assert not bare


@rooms
def test_public_functions_are_documented(room: str) -> None:
    bare = [
        f.name
        for f in public_functions(room)
        if not ast.get_docstring(f) and not inside(room, ("planner.cli",))
    ]
    assert not bare
