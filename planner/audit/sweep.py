"""The whole audit: every check in turn, on facts read afresh from the scenario."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from planner.audit.claim import (
    consortiums_as_stated,
    has_no_plan,
    inputs_unchanged,
    jobs_as_stated,
    nothing_to_verify,
    totals_as_stated,
    verdict_supported,
)
from planner.audit.fabric import ids_side_by_side, inside_blocks
from planner.audit.facts import facts_of
from planner.audit.ledger import Ledger, ledger_of, named_as_in_scenario
from planner.audit.lending import lent_on_terms
from planner.audit.link import allocation_as_asked, changes_at_borders, days_lost_at_changes
from planner.audit.machine import look_up
from planner.audit.money import (
    costs_as_priced,
    floors_met,
    one_programme_an_organisation,
    within_budgets,
    within_caps,
    within_share_limit,
)
from planner.audit.near import no_near_workload
from planner.audit.node import (
    ids_inside_deliveries,
    no_node_twice,
    nodes_as_counted,
    within_capacity,
)
from planner.audit.place import (
    after_predecessors,
    allowed_node_counts,
    before_deadlines,
    eligible,
    in_windows,
    one_run_a_job,
    while_supported,
)
from planner.audit.plan_record import PlanRecord
from planner.audit.rate import Point, Prediction, predictions
from planner.audit.report import AuditReport, Checked
from planner.audit.support import support_equal, used_by_dates
from planner.audit.work import (
    efficiency_as_predicted,
    layout_on_nodes,
    no_workload_twice,
    rates_as_predicted,
    tokens_add_up,
    work_done,
)
from planner.scenario import Scenario

__all__ = ["audit", "check_plan", "report_of"]

_LEDGER_CHECKS = (
    named_as_in_scenario,
    no_node_twice,
    nodes_as_counted,
    ids_inside_deliveries,
    within_capacity,
    inside_blocks,
    ids_side_by_side,
    eligible,
    in_windows,
    while_supported,
    before_deadlines,
    allowed_node_counts,
    one_run_a_job,
    changes_at_borders,
    after_predecessors,
    tokens_add_up,
    days_lost_at_changes,
    work_done,
    costs_as_priced,
    within_budgets,
    floors_met,
    within_caps,
    within_share_limit,
    support_equal,
    used_by_dates,
    one_programme_an_organisation,
    jobs_as_stated,
    consortiums_as_stated,
    totals_as_stated,
    verdict_supported,
    allocation_as_asked,
)


def audit(
    scenario: Scenario, plan: PlanRecord, *, base_path: str | Path, scenario_sha256: str = ""
) -> AuditReport:
    """
    Check a plan against its scenario, without the program that made it.

    Parameters
    ----------
    scenario : Scenario
        As written.
    plan : PlanRecord
        As its file states it.
    base_path : str or Path
        Folder that the scenario's own paths, and the plan's inputs, are relative to.
    scenario_sha256 : str, optional
        Hash of the scenario's file, compared with those that the plan names.

    Returns
    -------
    AuditReport
        Every violation and warning, and how many items each check looked at.

    Raises
    ------
    InputError
        The scenario names a device, node or model that is not known.

    Notes
    -----
    Throughput is predicted anew by the same performance model, since no other witness
    of it exists; dates, money, identities and node ids share nothing with the program.
    """
    base = Path(base_path)
    lookup = look_up(scenario, base)
    facts = facts_of(scenario, lookup.machines, lookup.model_flop, lookup.device_names)
    ledger = ledger_of(facts, plan)
    points = ((e.row.job, e.row.pool, e.row.nodes) for e in ledger.entries)
    predicted = predictions(scenario, lookup, points)
    checks = check_plan(ledger, predicted, lookup.model_names)
    if not has_no_plan(plan):
        checks.append(no_near_workload(ledger, lookup.model_names, lookup.shapes()))
    checks.append(inputs_unchanged(ledger, base, scenario_sha256))
    return report_of(checks)


def check_plan(
    ledger: Ledger, predicted: Mapping[Point, Prediction], model_names: Mapping[str, str]
) -> list[Checked]:
    """Every check that needs no file, in the order in which a reader asks them."""
    if has_no_plan(ledger.plan):
        return [nothing_to_verify(ledger), verdict_supported(ledger), allocation_as_asked(ledger)]
    checks = [check(ledger) for check in _LEDGER_CHECKS]
    checks.append(rates_as_predicted(ledger, predicted))
    checks.append(efficiency_as_predicted(ledger, predicted))
    checks.append(layout_on_nodes(ledger, predicted))
    checks.append(no_workload_twice(ledger, model_names))
    checks.append(lent_on_terms(ledger, model_names))
    return checks


def report_of(checks: list[Checked]) -> AuditReport:
    """The report of checks that have been made."""
    findings = [finding for check in checks for finding in check.findings]
    violations = tuple(f for f in findings if f.severity == "error")
    warnings = tuple(f for f in findings if f.severity != "error")
    counts = tuple((check.name, check.looked_at) for check in checks)
    return AuditReport(not violations, violations, warnings, counts)
