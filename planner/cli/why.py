"""The `why` command: why a job of a plan runs where it does, or why it does not run."""

from __future__ import annotations

import click

from planner.cli.output import Output, output_options

__all__ = ["command"]


@click.command("why")
@click.argument("job", metavar="JOB")
@click.argument("plan", metavar="PLAN.json")
@output_options
def command(job: str, plan: str, output: Output) -> int:
    """
    Say why a job runs where it does, or why it does not.

    \b
    Examples:
      planner why ember plan.json
      planner allocate scenario.yaml -q --format json | planner why ember -

    Shows where the job runs, what the next best would have been or what it lacked, and
    when nodes of its pools are scarce. Exit code 0 when the job is placed, 1 when not.
    """
    from planner.cli.explain import job_report

    report = job_report(job, plan, with_prices=True)
    output.show(report)
    return 0 if report.document["job"].get("placed") else 1
