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
    from planner.architecture import ModelTable
    from planner.audit import AuditReport
    from planner.comparison import Comparison, compare
    from planner.division import allocate
    from planner.estimation import estimate
    from planner.false_report import FalseReports, false_reports
    from planner.forecast import Estimate
    from planner.memory import MemoryTable
    from planner.plan import Plan
    from planner.policy_table import Policies
    from planner.profile import calibrate
    from planner.scenario import Scenario
    from planner.scenario_check import load_scenario
    from planner.side_by_side import policies
    from planner.step import StepTable
    from planner.strategy import StrategyTable
    from planner.trial import backtest
    from planner.verification import verify
    from planner.workload import load_models

# Name -> where it lives. Loaded at first use, so that importing the package costs nothing.
_ROOMS = {
    "AuditReport": "planner.audit",
    "Comparison": "planner.comparison",
    "Diagnostic": "hardware.errors",
    "Estimate": "planner.forecast",
    "FalseReports": "planner.false_report",
    "Infeasible": "hardware.errors",
    "InputError": "hardware.errors",
    "MemoryTable": "planner.memory",
    "ModelTable": "planner.architecture",
    "Plan": "planner.plan",
    "Policies": "planner.policy_table",
    "PlanningError": "hardware.errors",
    "PlanningWarning": "hardware.errors",
    "Scenario": "planner.scenario",
    "SolverFailure": "hardware.errors",
    "StepTable": "planner.step",
    "StrategyTable": "planner.strategy",
    "UnknownName": "hardware.errors",
    "Unproven": "hardware.errors",
    "allocate": "planner.division",
    "backtest": "planner.trial",
    "calibrate": "planner.profile",
    "compare": "planner.comparison",
    "estimate": "planner.estimation",
    "false_reports": "planner.false_report",
    "load_models": "planner.workload",
    "load_scenario": "planner.scenario_check",
    "policies": "planner.side_by_side",
    "verify": "planner.verification",
}

__all__ = [
    "AuditReport",
    "Comparison",
    "Diagnostic",
    "Estimate",
    "FalseReports",
    "Infeasible",
    "InputError",
    "MemoryTable",
    "ModelTable",
    "Plan",
    "PlanningError",
    "PlanningWarning",
    "Policies",
    "Scenario",
    "SolverFailure",
    "StepTable",
    "StrategyTable",
    "UnknownName",
    "Unproven",
    "allocate",
    "backtest",
    "calibrate",
    "compare",
    "estimate",
    "false_reports",
    "load_models",
    "load_scenario",
    "policies",
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
