"""The `policies` command: what each policy would give, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.allocation_option import allocation_word
from planner.cli.output import Output, Report, Section, option, output_options
from planner.cli.solving_option import POLICY_NAMES, solving_options

if TYPE_CHECKING:
    from planner.cli.table import Table
    from planner.false_report import FalseReports
    from planner.policy_table import Policies

__all__ = ["command"]

SHORT = {"weighted-work": "work", "proportional": "prop.", "min-cost": "cost",
         "min-energy": "energy", "min-makespan": "makespan", "finish-time": "finish"}  # fmt: skip
_ALLOCATIONS = {
    "fixed": "allocation: fixed; no job changes pool or number of nodes, unless it says so itself.",
    "flexible": "allocation: flexible; jobs may change pool and number of nodes, unless they\n"
    "say that they do not, or may pause instead.",
}


@click.command("policies")
@click.argument("scenario", metavar="SCENARIO")
@option("--policy", "names", type=click.Choice(POLICY_NAMES), multiple=True,
        help="Only this policy; may be given again. All by default.")  # fmt: skip
@solving_options(
    time_limit="For the solver, shared among the policies; --reports takes it again.",
    gap="Stop each policy when no plan can be better by more than this.",
)
@option("--reports", is_flag=True,
        help="Also solve again with false reports, and tell what each would gain over the plans "
        "shown; the time limit counts once more.")  # fmt: skip
@output_options
def command(scenario: str, output: Output, **given: Any) -> int:
    """
    Put the policies side by side: work, shares, cost, fairness.

    \b
    Examples:
      planner policies scenario.yaml
      planner policies scenario.yaml --time-limit 30s --format json
      planner policies scenario.yaml --policy weighted-work --policy max-min
      planner policies scenario.yaml --reports --time-limit 300s

    Satisfaction is the value of a consortium's work over what it could get alone.
    Exit code 0 when every policy has a plan, 1 when one has none. The plan itself is
    made by `planner allocate --policy`.
    """
    from planner.side_by_side import policies

    with output.working("solving") as note:
        found = policies(
            scenario,
            solver=given["solver"],
            time_limit_s=given["time_limit"],
            gap_frac=given["gap"],
            threads=given["threads"],
            seed=given["seed"],
            names=given["names"] or POLICY_NAMES,
            work_frac=given["least_work"],
            allocation=allocation_word(given["flexible"]),
            on_policy=note,
        )
    false = _false_reports(scenario, output, found, given) if given["reports"] else None
    output.show(_report(found, false, output))
    return 0 if all(row.work is not None for row in found.rows) else 1


def _false_reports(
    scenario: str, output: Output, found: Policies, given: dict[str, Any]
) -> FalseReports:
    """What false reports would gain over what was found; the time limit counts once more."""
    from planner.false_report import false_reports

    with output.working("solving with false reports") as note:
        return false_reports(
            scenario,
            solver=given["solver"],
            time_limit_s=given["time_limit"],
            gap_frac=given["gap"],
            seed=given["seed"],
            names=given["names"] or POLICY_NAMES,
            work_frac=given["least_work"],
            allocation=allocation_word(given["flexible"]),
            honest=found,
            on_policy=note,
        )


def _report(found: Policies, false: FalseReports | None, output: Output) -> Report:
    from planner.cli.report_gain import report_blocks

    missing = tuple(f"{row.policy}: {row.status}" for row in found.rows if row.work is None)
    proved = tuple(f"{row.policy}: {row.words}" for row in found.rows if row.words)
    blocks = (
        _summary(found),
        _satisfaction(found),
        Section("no plan", missing),
        Section("proved", proved if output.verbose else ()),
        Section("", _notes(found)),
        *report_blocks(false),
    )
    document = found.to_dict()
    if false is not None:
        document["reports"] = false.to_dict()
    return Report(found.sentence, blocks, document, _sheet(found))


def _summary(found: Policies) -> Table:
    from planner.cli.table import Column, Table

    columns = (
        Column("policy", "policy"),
        Column("work", "work", kind="number"),
        Column("lost_frac", "lost", kind="percent"),
        Column("worst_off_frac", "worst", kind="percent"),
        Column("worst_off", "who"),
        Column("cost", "cost", found.currency, "big"),
        Column("idle_frac", "idle", kind="percent"),
        Column("with_equal_part", "equal"),
        Column("envious_pairs", "envy"),
        Column("slowest_ratio", "finish-time", kind="number"),
        Column("gap_frac", "gap", kind="percent"),
    )
    rows = []
    for row in found.rows:
        one, slow, many = row.worst, row.slowest, len(row.consortiums)
        rows.append(
            (row.policy, row.work, row.lost_frac, None if one is None else one.satisfaction_frac,
             None if one is None else one.consortium, row.cost, row.idle_frac,
             _of(row.with_equal_part, many), _of(row.envy, many * (many - 1)),
             None if slow is None else slow.finish_ratio, row.gap_frac)
        )  # fmt: skip
    return Table(columns, tuple(rows))


def _of(count: int | None, many: int) -> str | None:
    return None if count is None else f"{count} of {many}"


def _satisfaction(found: Policies) -> Table:
    """Satisfaction of each consortium under each policy."""
    from planner.cli.table import Column, Table

    policies = [row for row in found.rows if row.work is not None]
    columns = (
        Column("consortium", "consortium"),
        Column("alone_value", "alone", kind="number"),
        Column("equal_part_value", "equal part", kind="number"),
        *(
            Column(f"{row.policy}_frac", SHORT.get(row.policy, row.policy), kind="percent")
            for row in policies
        ),
    )
    rows = []
    for at, name in enumerate(found.consortiums):
        cells = [row.consortiums[at].satisfaction_frac for row in policies]
        rows.append((name, found.alone_value[at], found.equal_value[at], *cells))
    title = "value alone and with an equal part; what each policy gives, of the value alone"
    return Table(columns, tuple(rows), title=title)


def _notes(found: Policies) -> tuple[str, ...]:
    lines = [
        *_ALLOCATIONS[found.allocation].splitlines(),
        "lost: the price of fairness, work given up against the most; worst: what the worst-off",
        "gets of what it could get alone; idle: node-days of all pools that nobody holds; equal:",
        "the sharing incentive, consortiums that get at least what an equal part of each shared",
        "pool that they can use would give; envy: pairs in which one would rather have the",
        "other's nodes; finish-time: mean days to the ends of its jobs over those alone with an",
        "equal part, of the consortium for which that is most.",
        "gap: of each policy's own aim, proved; `-v` says what is.",
    ]
    if not all(found.alone_is_proved):
        lines.append("alone: the best found in time, not proved the most.")
    return tuple(lines)


def _sheet(found: Policies) -> Table:
    """One row a policy and consortium, for CSV."""
    from planner.cli.table import Column, Table

    names = ("policy", "status", "work", "lost_frac", "cost", "idle_frac", "gap_frac",
             "consortium", "value", "satisfaction_frac", "has_equal_part", "envies", "finish_ratio",
             "consortium_cost", "node_months")  # fmt: skip
    titled = {key: f"{key}_{found.currency.lower()}" for key in ("cost", "consortium_cost")}
    rows = tuple(
        (row.policy, row.status, row.work, row.lost_frac, row.cost, row.idle_frac, row.gap_frac,
         one.consortium, one.value, one.satisfaction_frac, one.has_equal_part,
         None if one.envies is None else " ".join(one.envies), one.finish_ratio, one.cost,
         one.node_months)
        for row in found.rows for one in row.consortiums
    )  # fmt: skip
    return Table(tuple(Column(titled.get(name, name), name) for name in names), rows)
