"""The `allocate` command: the plan of a scenario, audited before it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from planner.cli.allocation_option import allocation_word
from planner.cli.output import Output, option, output_options
from planner.cli.solving_option import POLICY_NAMES, solving_options
from planner.cli.unit import BYTES

if TYPE_CHECKING:
    from planner.plan import Plan

__all__ = ["command"]

NO, OUR_FAULT, INTERRUPTED = 1, 3, 130


@click.command("allocate")
@click.argument("scenario", metavar="SCENARIO")
@option("--policy", type=click.Choice(POLICY_NAMES),
        help="What the plan is best at; as the scenario says by default.")  # fmt: skip
@solving_options(
    time_limit="For the solver; the best plan found by then counts.",
    gap="Stop when no plan can be better by more than this.",
)
@option("--memory-limit", type=BYTES, default="0 B", metavar="BYTES",
        help="For the solver, beside what is held at its start; on Linux.")  # fmt: skip
@option("--start", type=click.Path(), metavar="PLAN",
        help="An earlier plan file, not to fall behind.")  # fmt: skip
@option("--require-optimal", is_flag=True, help="Exit code 1 for a plan not proven the best.")
@output_options
def command(scenario: str, require_optimal: bool, output: Output, **limits: Any) -> int:
    """
    Divide the pools of a scenario among those who ask.

    \b
    Examples:
      planner allocate scenario.yaml
      planner allocate scenario.yaml -o plan.json
      planner allocate scenario.yaml --policy max-min
      planner allocate scenario.yaml --time-limit 20s --gap 1% --format json

    With -o the plan file is written (JSON, what `planner verify` reads; CSV if its
    name ends so) and the plan is shown all the same, unless --quiet. Exit code 0
    for a plan, proven the best or not, 1 when there is none. Interrupted with
    Ctrl-C, it answers with the best plan so far and exit code 130. A solver that
    crashes, hangs or runs out of memory costs its own process alone; another one, if
    installed, goes on from the best plan that it had told.
    """
    from planner.allocation.solver.interrupt import held
    from planner.cli.plan_report import plan_report
    from planner.division import allocate

    with held(is_early=True) as interrupt, output.working("solving") as note:
        plan = allocate(
            scenario,
            solver=limits["solver"],
            time_limit_s=limits["time_limit"],
            gap_frac=limits["gap"],
            threads=limits["threads"],
            seed=limits["seed"],
            policy=limits["policy"],
            work_frac=limits["least_work"],
            allocation=allocation_word(limits["flexible"]),
            start=limits["start"],
            on_progress=_teller(note),
            memory_limit_bytes=limits["memory_limit"],
        )
        report = plan_report(plan.to_dict(), verbose=output.verbose)
        failure = output.keep(report, kept="json")
    output.show_kept(report, failure)
    code = _exit_code(plan, require_optimal, output)
    return INTERRUPTED if interrupt.was_interrupted else code


def _teller(note: Callable[[str], None]) -> Callable[[Any], None]:
    """Turn what the solver tells on its way into a remark on the progress line."""

    def tell(state: Any) -> None:
        if state.objective is None:
            note("no plan yet")
            return
        found = abs(state.objective)  # the solver minimises, so that work is negative
        text = f"best plan so far {found:.4g}"
        if state.bound is not None and state.bound:
            gap = abs(state.bound - state.objective) / abs(state.bound)
            text += f", within {100 * gap:.2g} % of the best possible"
        note(text)

    return tell


def _was_interrupted(plan: Plan) -> bool:
    """Whether the solver was stopped by hand; the verdict says so in its last words."""
    return plan.verdict.sentence.rstrip(")").endswith(", interrupted")


def _exit_code(plan: Plan, require_optimal: bool, output: Output) -> int:
    status = plan.verdict.status
    if _was_interrupted(plan):
        return INTERRUPTED
    if status == "failed":
        return OUR_FAULT
    if status == "feasible" and require_optimal:
        output.say("not proven the best, and --require-optimal asks for proof")
        return NO
    return 0 if status in ("optimal", "feasible") else NO
