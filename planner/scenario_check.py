"""What a scenario says, checked beyond its form: every fault and warning in one go."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hardware.errors import Diagnostic, InputError, PlanningWarning
from hardware.sheet import Document, parse_document, read_document, where_is
from planner.flexibility import with_allocation
from planner.library import read_library
from planner.near_work import model_shapes
from planner.scenario import Scenario
from planner.scenario_dates import (
    check_deliveries,
    check_evaluations,
    check_job_days,
    check_membership,
    check_resolution,
)
from planner.scenario_fabric import check_topology
from planner.scenario_fault import Written
from planner.scenario_flexible import check_flexible
from planner.scenario_lending import check_lending
from planner.scenario_mend import faults_beside
from planner.scenario_names import check_cycles, check_references, check_spellings
from planner.scenario_near import check_near_workloads
from planner.scenario_rules import (
    check_amounts,
    check_currencies,
    check_equivalence,
    check_programmes,
    check_values,
    check_workloads,
)
from planner.scenario_size import check_sizes, check_worth
from planner.scenario_support import check_equal_support, check_use_by
from planner.scenario_use import check_owners, check_placeable, check_unused

__all__ = [
    "Opened",
    "base_path_of",
    "check_document",
    "load_scenario",
    "open_scenario",
    "scenario_faults",
]

_CHECKS: tuple[Callable[[Written], Iterator[Diagnostic]], ...] = (
    check_spellings,
    check_references,
    check_cycles,
    check_resolution,
    check_membership,
    check_deliveries,
    check_job_days,
    check_evaluations,
    check_amounts,
    check_currencies,
    check_equivalence,
    check_programmes,
    check_values,
    check_workloads,
    check_sizes,
    check_worth,
    check_near_workloads,
    check_owners,
    check_equal_support,
    check_use_by,
    check_topology,
    check_lending,
    check_flexible,
)


@dataclass(frozen=True)
class Opened:
    """A scenario from a file or in hand, with the folder that its paths are relative to."""

    scenario: Scenario
    document: Document | None  # None for one in hand
    base_path: Path

    @property
    def sha256(self) -> str:
        """SHA-256 of the file; empty for a scenario in hand."""
        return "" if self.document is None else self.document.sha256


def open_scenario(
    scenario: str | Path | Scenario,
    base_path: str | Path | None = None,
    allocation: str | None = None,
) -> Opened:
    """
    A scenario as the verbs take it: a file or one in hand, under an allocation of the caller's.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A scenario file, or a scenario in hand.
    base_path : path, optional
        Folder that its paths are relative to; the file's, or the current one, when left out.
    allocation : str, optional
        ``fixed`` or ``flexible`` in place of the word of its policy.

    Returns
    -------
    Opened
        A scenario in hand is checked later, when it becomes a case.

    Raises
    ------
    InputError
        Every fault of a file at once, each with its place; an unknown allocation.
    """
    if isinstance(scenario, Scenario):
        base = Path() if base_path is None else Path(base_path)
        return Opened(with_allocation(scenario, allocation), None, base)
    found, document = load_scenario(scenario, allocation=allocation)
    base = base_path_of(document) if base_path is None else Path(base_path)
    return Opened(found, document, base)


def base_path_of(document: Document) -> Path:
    """Folder that the paths of a scenario are relative to; the current one for standard input."""
    is_file = document.path and not document.path.startswith("<")
    return Path(document.path).parent if is_file else Path()


def scenario_faults(
    scenario: Scenario, base_path: str | Path, document: Document | None = None
) -> tuple[Diagnostic, ...]:
    """
    Every fault and warning of a scenario whose form is right.

    Parameters
    ----------
    scenario : Scenario
        As written.
    base_path : path
        Folder that the scenario's paths are relative to.
    document : Document, optional
        Gives the faults their places.

    Returns
    -------
    tuple of Diagnostic
        In the order of the file; `severity` tells errors from warnings.
    """
    library, faults = read_library(scenario, base_path, document)
    written = Written(
        scenario,
        document or Document("", {}),
        library.devices,
        library.training,
        library.model_names,
        model_shapes(library.models),
    )
    for check in _CHECKS:
        faults += check(written)
    if not any(fault.code.startswith("unknown-") for fault in faults):  # else they would repeat
        unplaceable = list(check_placeable(written))
        faults += unplaceable
        faults += (f for f in check_unused(written) if not unplaceable or f.severity == "error")
    faults.sort(key=lambda fault: (fault.where.path, fault.where.line, fault.where.column))
    return tuple(faults)


def check_document(
    document: Document, *, allocation: str | None = None
) -> tuple[Scenario, tuple[Diagnostic, ...]]:
    """
    Read a scenario from a document in hand.

    Parameters
    ----------
    document : Document
        As read from a file.
    allocation : str, optional
        ``fixed`` or ``flexible`` in place of the word of its policy.

    Returns
    -------
    (Scenario, tuple of Diagnostic)
        The scenario, and warnings about it.

    Raises
    ------
    InputError
        Every fault of its form, with those of what it says that hold beside them; or else
        every fault of what it says, with warnings.
    """
    _check_kind(document)
    base_path = base_path_of(document)
    try:
        scenario = parse_document(document, Scenario)
    except InputError as error:
        beside = faults_beside(document, lambda it: scenario_faults(it, base_path, document))
        every = (*error.diagnostics, *beside)
        raise InputError(sorted(every, key=lambda it: (it.where.line, it.where.column))) from None
    scenario = with_allocation(scenario, allocation)
    faults = scenario_faults(scenario, base_path, document)
    if any(fault.severity == "error" for fault in faults):
        raise InputError(faults)
    if allocation == "fixed":  # asked for, so that what is for flexible jobs is no slip
        faults = tuple(fault for fault in faults if fault.code != "migration-unused")
    return scenario, faults


def _check_kind(document: Document) -> None:
    """Refuse a file that says it is something else, in place of a list of its wrong fields."""
    stated = document.data.get("schema") if isinstance(document.data, dict) else None
    if isinstance(stated, str) and stated.startswith("planner/"):
        kind = stated.split("/")[1]
        if kind != "scenario":
            raise InputError(
                Diagnostic("not-a-scenario", f"the file is a {kind}, not a scenario",
                           where_is(document, ("schema",)), found=stated,
                           expected="planner/scenario/1")
            )  # fmt: skip


def load_scenario(path: str | Path, *, allocation: str | None = None) -> tuple[Scenario, Document]:
    """
    Read and check a scenario file.

    Parameters
    ----------
    path : path
        YAML or JSON, or ``-`` for standard input. Paths inside it are relative to it.
    allocation : str, optional
        ``fixed`` or ``flexible`` in place of the word of its policy.

    Returns
    -------
    (Scenario, Document)
        What it says, and where each field stands.

    Raises
    ------
    InputError
        Every fault at once, each with its place.

    Warns
    -----
    PlanningWarning
        For each thing that is allowed and probably not meant; its one argument is the
        Diagnostic.
    """
    document = read_document(path)
    scenario, found = check_document(document, allocation=allocation)
    for warning in found:
        warnings.warn(PlanningWarning(warning), stacklevel=2)
    return scenario, document
