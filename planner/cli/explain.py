"""The `explain` command: the page of a code, or the story of one job of a plan."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click

from planner.cli.complete import code_names
from planner.cli.output import Output, Report, Section, option, output_options

__all__ = ["command", "job_report"]

NOISE = 1e-8  # part of all work below which the worth of a node is rounding of the solver


@click.command("explain")
@click.argument("name", metavar="CODE|JOB", required=False, default="", shell_complete=code_names)
@option("--plan", metavar="PLAN.json", default=None,
        help="Explain a job of this plan in place of a code; - is standard input.")  # fmt: skip
@output_options
def command(name: str, plan: str | None, output: Output) -> int:
    """
    Say what a code means, or why a job was placed so.

    \b
    Examples:
      planner explain                         all codes
      planner explain unit-mismatch           the page of one
      planner explain ember --plan plan.json  where the job runs, or why it does not
    """
    if plan is not None:
        output.show(job_report(name, plan))
    elif name:
        output.show(_page_report(name))
    else:
        output.show(_index_report())
    return 0


def _page_report(code: str) -> Report:
    from planner.code_pages import code_page

    page = code_page(code)
    document = {"schema": "planner/explain/1", "code": code, "page": page}
    return Report(code, (Section("", (page,)),), document)


def _index_report() -> Report:
    from planner.cli.table import Column, Table
    from planner.code_pages import code_pages

    firsts = {code: page.split("\n\n")[0].replace("\n", " ") for code, page in code_pages().items()}
    columns = (Column("code", "code"), Column("meaning", "meaning"))
    short = tuple((code, _cut(meaning)) for code, meaning in firsts.items())
    entries = [{"code": code, "meaning": meaning} for code, meaning in firsts.items()]
    document = {"schema": "planner/explain/1", "codes": entries}
    sentence = f"{len(firsts)} codes; `planner explain CODE` shows the page"
    return Report(sentence, (Table(columns, short),), document,
                  sheet=Table(columns, tuple(firsts.items())))  # fmt: skip


def _cut(text: str, width: int = 66) -> str:
    return text if len(text) <= width else text[: width - 2].rstrip() + " …"


def job_report(name: str, plan_path: str, *, with_prices: bool = False) -> Report:
    """The story of a job of a plan file; with the days on which nodes of its pools are scarce."""
    from hardware.errors import Diagnostic, InputError, UnknownName, Where, near_match
    from hardware.sheet import read_document

    if not name:
        raise InputError(Diagnostic("missing-argument", "no job is named", Where(plan_path),
                                    expected="`planner explain JOB --plan PLAN.json`"))  # fmt: skip
    data = read_document(plan_path).data
    if not isinstance(data, dict) or not isinstance(data.get("jobs"), list):
        raise InputError(Diagnostic("not-a-plan", "the file is not a plan", Where(plan_path),
                                    expected="what `planner allocate -o` wrote"))  # fmt: skip
    jobs = {str(job.get("job")): job for job in data["jobs"] if isinstance(job, dict)}
    if name not in jobs:
        raise UnknownName(Diagnostic("unknown-job", f"no job `{name}` in the plan",
                                     Where(plan_path), hint=near_match(name, jobs)))  # fmt: skip
    rows = [row for row in data.get("rows", []) if row.get("job") == name]
    document: dict[str, Any] = {"schema": "planner/explain/1", "job": jobs[name], "rows": rows}
    blocks = [Section("", _story(jobs[name], rows))]
    if with_prices:
        pools = {row.get("pool") for row in rows}
        noise = NOISE * abs(float((data.get("verdict") or {}).get("objective") or 0.0))
        scarce = [
            one
            for one in data.get("binds") or []
            if one.get("kind") == "period"
            and (one.get("name") in pools or not pools)
            and float(one["value"]) > noise
        ]
        document["binds"] = scarce
        blocks.append(Section("when nodes are scarce", _scarce(scarce)))
    return Report(_verdict(name, jobs[name]), tuple(blocks), document)


def _scarce(binds: list[dict[str, Any]]) -> tuple[str, ...]:
    """The periods in which one more node would be worth most."""
    from planner.cli.table import significant

    shown = sorted(binds, key=lambda one: -float(one["value"]))[:5]
    return tuple(
        f"{one['name']}, {one['from']} to {one['to']}: one more node is worth up to "
        f"{significant(float(one['value']))} of work"
        for one in shown
    )


def _verdict(name: str, job: dict[str, Any]) -> str:
    done = job.get("done_frac")
    if not job.get("placed"):
        return f"{name} is not placed"
    part = f" with {100 * done:.3g} % of its work done" if done is not None and done < 1 else ""
    return f"{name} is placed{part}"


def _story(job: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Each row, what happens between them, and what is said of the job."""
    from planner.plan_path import paths

    lines = [
        f"{row.get('nodes')} nodes of {row.get('pool')} ({row.get('device')}), ids "
        f"{row.get('node_ids')}, {row.get('from')} to {row.get('to')}, layout {row.get('layout')}"
        for row in rows
    ]
    with suppress(KeyError, TypeError, ValueError):  # rows of a file that is not quite a plan
        lines += paths(rows).values()
    if job.get("sentence"):
        lines.append(str(job["sentence"]))
    if job.get("hint"):
        lines.append(f"hint: {job['hint']}")
    return tuple(lines)
