"""Checks a plan file against its scenario, for callers that have either as a file or in hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware.errors import Diagnostic, InputError, wrong_type
from planner.audit import AuditReport, audit, plan_record
from planner.audit.plan_file import read_both
from planner.audit.plan_record import PlanRecord
from planner.audit.report import AT_ITS_WORD
from planner.scenario import Scenario
from planner.scenario_check import open_scenario

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["verify"]


def verify(
    scenario: str | Path | Scenario,
    plan: Any,
    *,
    base_path: str | Path | None = None,
    allocation: str | None = None,
) -> AuditReport:
    """
    Check a plan against its scenario, without the program that made it.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A scenario file, or a scenario in hand.
    plan : str, Path, mapping or plan
        A plan file (``-`` is standard input), its plain data, or what `allocate` returned.
    base_path : str or Path, optional
        Folder that the scenario's own paths are relative to; the folder of the file when
        left out, or the current one for a scenario in hand.
    allocation : str, optional
        ``fixed`` or ``flexible`` in place of the word of the scenario's policy, for a plan that
        was made so; what the plan says of it is only compared.

    Returns
    -------
    AuditReport
        `ok`, every violation and warning, and how many items each check looked at.

    Raises
    ------
    InputError
        The scenario or the plan cannot be read; every fault at once.
    """
    opened = open_scenario(scenario, base_path, allocation)
    document, base = opened.document, opened.base_path
    record, data = _read(plan)
    report = audit(opened.scenario, record, base_path=base, scenario_sha256=opened.sha256)
    told = any(data.get(key) for key in ("certificate", "aim", "periods")) or "assumed" in data
    if not report.ok or not told or not data.get("rows"):
        return report
    from planner.case import build_case
    from planner.word_claim import word_faults

    case = build_case(opened.scenario, base, document=document)
    in_hand = None if document is None else partial(build_case, opened.scenario, base)
    looked, misworded = word_faults(case, data, record.path, in_hand)
    checks, found = _proofs(case, data)
    found = (*misworded, *found)
    checks = (("words", looked), *checks)
    return replace(
        report, ok=not found, violations=(*report.violations, *found),
        checks=(*report.checks, *checks), at_its_word=AT_ITS_WORD,
    )  # fmt: skip


def _proofs(
    case: Case, data: dict[str, Any]
) -> tuple[tuple[tuple[str, int], ...], tuple[Diagnostic, ...]]:
    """Bounds, worths and aim of a plan, each recomputed from what the file carries."""
    from planner.allocation.answer.binding import binding_faults
    from planner.allocation.proof.aim_witness import aim_faults
    from planner.allocation.proof.witness import witness_faults
    from planner.period_claim import period_faults

    stated, misnamed = period_faults(case, data)
    checks = [("periods", stated)] if stated else []
    looked, found = witness_faults(case, data)
    if data.get("certificate"):
        entries, wrong = (0, ()) if found else binding_faults(case, data)
        checks += [("certificate", looked), ("what binds", entries)]
        found = (*found, *wrong)
    goals, misstated = aim_faults(case, data)
    if data.get("aim"):
        checks.append(("aim of the policy", goals))
    return tuple(checks), (*misnamed, *found, *misstated)


def _read(plan: Any) -> tuple[PlanRecord, dict[str, Any]]:
    """A plan of any form as the audit reads it, always through its written form, and its data."""
    if isinstance(plan, PlanRecord):
        return plan, {}
    if isinstance(plan, (str, Path)):
        return read_both(plan)
    if isinstance(plan, Mapping):
        return plan_record(dict(plan)), dict(plan)
    if not hasattr(plan, "to_json"):
        raise InputError(wrong_type("plan", plan, "a path, plain data, or what `allocate` gave"))
    text = plan.to_json()
    written = text if isinstance(text, str) else json.dumps(text)
    digest = hashlib.sha256(written.encode()).hexdigest()
    data = json.loads(written)
    return plan_record(data, sha256=digest), data
