"""Predicts what training costs on an accelerator, and divides a shared pool of accelerators."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardware.errors import (
        Diagnostic,
        Infeasible,
        InputError,
        PlanningError,
        PlanningWarning,
        SolverFailure,
        UnknownName,
        Unproven,
    )
    from planner.audit import AuditReport
    from planner.comparison import Comparison, compare
    from planner.estimation import estimate
    from planner.forecast import Estimate
    from planner.verification import verify

# Name -> where it lives. Loaded at first use, so that importing the package costs nothing.
_ROOMS = {
    "AuditReport": "planner.audit",
    "Comparison": "planner.comparison",
    "Diagnostic": "hardware.errors",
    "Estimate": "planner.forecast",
    "Infeasible": "hardware.errors",
    "InputError": "hardware.errors",
    "PlanningError": "hardware.errors",
    "PlanningWarning": "hardware.errors",
    "SolverFailure": "hardware.errors",
    "UnknownName": "hardware.errors",
    "Unproven": "hardware.errors",
    "compare": "planner.comparison",
    "estimate": "planner.estimation",
    "verify": "planner.verification",
}

__all__ = [
    "AuditReport",
    "Comparison",
    "Diagnostic",
    "Estimate",
    "Infeasible",
    "InputError",
    "PlanningError",
    "PlanningWarning",
    "SolverFailure",
    "UnknownName",
    "Unproven",
    "compare",
    "estimate",
    "verify",
]


def __getattr__(name: str) -> Any:
    """A public name, loaded from its room when first asked for."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)
