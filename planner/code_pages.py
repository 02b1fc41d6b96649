"""The page of each diagnostic code: what it means, why it matters, what to do."""

from __future__ import annotations

__all__ = ["code_page", "code_pages"]


def code_pages() -> dict[str, str]:
    """Text of every page by its code, in the order of the file."""
    from importlib.resources import files

    text = files("planner").joinpath("codes.md").read_text("utf-8")
    pages: dict[str, str] = {}
    for part in text.split("\n## ")[1:]:
        code, _, body = part.partition("\n")
        pages[code.strip()] = body.strip()
    return pages


def code_page(code: str) -> str:
    """
    Text of the page of a code.

    Raises
    ------
    UnknownName
        No code of this name; the diagnostic names near ones.
    """
    from hardware.errors import Diagnostic, UnknownName, near_match

    pages = code_pages()
    if code not in pages:
        raise UnknownName(
            Diagnostic(
                "unknown-code",
                f"no code `{code}`",
                hint=near_match(code, pages)
                or "`planner explain` lists all codes; a job is explained with its --plan",
            )
        )
    return pages[code]
