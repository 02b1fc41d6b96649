"""Find a written thing by the name that a person types: spellings, files, near matches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from hardware.errors import Diagnostic, near_match

__all__ = ["file_meant", "index_by_spelling", "spelling", "unknown_model"]

Thing = TypeVar("Thing")


def spelling(name: str) -> str:
    """
    What two spellings of a name share: letters and digits, without the organisation.

    Examples
    --------
    >>> spelling("LGAI-EXAONE/K-EXAONE-236B-A23B") == spelling("k_exaone 236b a23b")
    True
    """
    return "".join(c for c in name.rpartition("/")[2].casefold() if c.isalnum())


def index_by_spelling(named: Iterable[tuple[Iterable[str], Thing]]) -> dict[str, Thing]:
    """Things by the spelling of each of their names; where two share one, the later has it."""
    return {spelling(name): thing for names, thing in named for name in names}


def file_meant(name: str | Path, index: Mapping[str, object]) -> Path | None:
    """The file that a name means; None where it is a name of the index, or of nothing."""
    path = Path(name)
    if path.suffix.lower() in (".yaml", ".yml", ".json"):
        return path
    if isinstance(name, str) and spelling(name) in index:
        return None
    if (path / "config.json").is_file():
        return path / "config.json"
    return path if isinstance(name, Path) or path.is_file() else None


def unknown_model(name: str | Path, known: Iterable[str]) -> Diagnostic:
    """The fault of a model name that nothing answers to, with near matches."""
    return Diagnostic(
        "unknown-model",
        f"no model is called `{name}`",
        found=str(name),
        expected="a model of the catalogue, a model sheet or a config.json",
        hint=near_match(str(name), known) or "`planner catalog` lists the models",
    )
