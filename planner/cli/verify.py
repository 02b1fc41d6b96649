"""The `verify` command: the independent audit of a plan file against its scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planner.cli.allocation_option import allocation_option, allocation_word
from planner.cli.check import fault_table
from planner.cli.output import Output, Report, Section, output_options

if TYPE_CHECKING:
    from planner.audit import AuditReport
    from planner.cli.table import Table

__all__ = ["command"]


@click.command("verify")
@click.argument("scenario", metavar="SCENARIO")
@click.argument("plan", metavar="PLAN.json")
@allocation_option
@output_options
def command(scenario: str, plan: str, output: Output, flexible: bool | None) -> int:
    """
    Check a plan against its scenario, without the solver.

    \b
    Examples:
      planner verify scenario.yaml plan.json
      planner allocate s.yaml -q --format json | planner verify s.yaml -

    Counts every node, day, unit of money and token of the plan anew, from the
    scenario alone. Exit code 0 when the plan holds, 1 with every violation listed.
    A plan that was made with --flexible or --fixed is checked with the same option.
    """
    from planner.verification import verify

    with output.working("checking"):
        report = verify(scenario, plan, allocation=allocation_word(flexible))
    output.show(_report(report, output))
    return 0 if report.ok else 1


def _report(audit: AuditReport, output: Output) -> Report:
    faults = [*audit.violations, *audit.warnings]
    word = Section("", (audit.word,) if audit.word else ())
    blocks = (output.told(faults), _checks(audit), word)
    return Report(_sentence(audit), blocks, audit.to_dict(), fault_table(faults), audit.ok)


def _sentence(audit: AuditReport) -> str:
    looked = sum(1 for _, count in audit.checks if count)
    idle = f", {len(audit.idle)} had nothing to look at" if audit.idle else ""
    if audit.ok:
        return f"the plan holds: {looked} checks passed{idle}"
    count = len(audit.violations)
    return f"the plan does not hold: {count} violation{'' if count == 1 else 's'}"


def _checks(audit: AuditReport) -> Table:
    from planner.cli.table import Column, Table

    columns = (Column("check", "check"), Column("looked_at", "items looked at", kind="count"))
    return Table(columns, audit.checks)
