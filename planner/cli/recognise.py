"""Tell by its keys what a written document is, and find its faults by the rules of that kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hardware.errors import Diagnostic, InputError, Where, word_for
from hardware.sheet import Document, parse_document, read_document, where_is

__all__ = ["findings_of", "kind_of", "sorted_files"]

_HARDWARE_KEYS = {
    "accelerators", "nodes", "fabrics", "prices", "exchange", "electricity", "pue", "unusable",
}  # fmt: skip


def kind_of(document: Document) -> str:
    """
    Kind of a document: scenario, plan, hardware sheet, model sheet, model config or constants.

    Raises
    ------
    InputError
        Nothing that this program reads has such keys.
    """
    data = document.data
    if not isinstance(data, dict):
        raise InputError(
            Diagnostic(
                "not-a-mapping",
                "the document is not a mapping of fields",
                where_is(document, ()),
                found=word_for(data),
                expected="fields and values, `name: …`",
            )
        )
    stated = str(data.get("schema", ""))
    keys = {str(key) for key in data}
    if stated.startswith("planner/plan/") or {"verdict", "rows"} <= keys:
        return "plan"
    if stated.startswith("planner/scenario/") or len(keys & {"pools", "consortiums", "jobs"}) > 1:
        return "scenario"
    if stated.startswith("planner/constants/") or {"stacks", "families"} <= keys:
        return "constants"
    if keys & {"model_type", "architectures"}:
        return "model config"
    if "models" in keys or {"layers", "hidden"} <= keys:
        return "model sheet"
    if keys & _HARDWARE_KEYS:
        return "hardware sheet"
    raise InputError(
        Diagnostic(
            "unknown-document",
            "nothing that is read here has such keys",
            Where(document.path),
            found=", ".join(sorted(keys)[:8]) or "no keys",
            expected="a scenario, a hardware sheet, a model sheet or a plan",
            hint="`planner schema NAME` prints the form of each",
        )
    )


Findings = tuple[Iterable[Diagnostic], dict[str, Any]]


def findings_of(document: Document, kind: str) -> Findings:
    """
    Warnings of a document of this kind, and what else is told of it by name.

    Raises
    ------
    InputError
        Every error and warning, where one is an error.
    """
    return _RULES[kind](document)


def _hardware_findings(document: Document) -> Findings:
    from hardware.overlay import Catalogue, lay_over

    lay_over(Catalogue(), document)
    return (), {}


def _model_findings(document: Document) -> Findings:
    from planner.workload import sheets_in, table_of

    table_of(sheets_in(document).values())
    return (), {}


def _scenario_findings(document: Document) -> Findings:
    from planner.case import build_case
    from planner.scenario_check import base_path_of, check_document
    from planner.unfinishable import unfinishable

    scenario, warnings = check_document(document)
    case = build_case(scenario, base_path_of(document), document=document)
    told = {} if case.periods is None else {"periods": case.periods.to_dict()}
    return (*warnings, *unfinishable(case, document)), told


def _constants_findings(document: Document) -> Findings:
    from planner.stack import tables

    tables(document.data, document)
    return (), {}


def _plan_findings(document: Document) -> Findings:
    from planner.cli.plan_form import PlanForm

    parse_document(document, PlanForm)
    return (), {}


_RULES: dict[str, Callable[[Document], Findings]] = {
    "scenario": _scenario_findings,
    "plan": _plan_findings,
    "constants": _constants_findings,
    "hardware sheet": _hardware_findings,
    "model sheet": _model_findings,
    "model config": _model_findings,
}


def sorted_files(files: Iterable[str]) -> tuple[list[str], list[str]]:
    """
    Sheets of a user by what they hold: of hardware, and of models.

    Raises
    ------
    InputError
        A file cannot be read, or is no sheet.
    """
    hardware: list[str] = []
    models: list[str] = []
    for path in files:
        document = read_document(path)
        kind = kind_of(document)
        if kind in ("scenario", "plan", "constants"):
            raise InputError(
                Diagnostic(
                    "not-a-sheet",
                    f"this is a {kind}",
                    Where(path),
                    expected="a hardware or model sheet",
                )
            )
        (hardware if kind == "hardware sheet" else models).append(path)
    return hardware, models
