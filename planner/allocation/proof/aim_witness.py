"""Checks what a plan file says of its policy's aim: reached, proved by prices, put into words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.errors import Diagnostic, Where
from planner.allocation.answer.policy_words import policy_words
from planner.allocation.answer.sentence import cheap_words, near_words, verdict_sentence
from planner.allocation.offer.option import Options, enumerate_options
from planner.allocation.policy.fair_bound import band_bound, is_fair_large, outline
from planner.allocation.policy.figures import Figures, figures_of_plan
from planner.allocation.policy.finish_time import FinishTerms, finish_terms, servable
from planner.allocation.policy.goal import POLICIES
from planner.allocation.policy.refutation import goal_bound
from planner.allocation.program.families import build_program
from planner.allocation.proof.aim import Aim, aim_of, keeps_all, reached_by
from planner.allocation.proof.alone_witness import alone_faults
from planner.allocation.proof.stated import alone_days, held_values, reached_of
from planner.plan_aim import AimedGoal, PlanAim, read_aim

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["TOLERANCE", "aim_faults"]

TOLERANCE = 1e-6
"""Part by which a stated amount may differ from the recomputed one: float sums in another order."""


def aim_faults(case: Case, data: Mapping[str, Any]) -> tuple[int, tuple[Diagnostic, ...]]:
    """
    Check the aim of a plan file that has passed the audit.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    data : mapping
        The plan as plain types.

    Returns
    -------
    (int, tuple of Diagnostic)
        Number of goals looked at, and faults: goals of another policy, amounts that the plan
        does not reach, bounds that the prices do not prove, a plan beyond a bound, stand-alone
        plans that are none, a sentence with other figures. What the solver said beyond the
        prices is only held against the plan.
    """
    if data.get("aim") is None:
        return 0, ()
    try:
        stated = read_aim(data["aim"])
        figures = figures_of_plan(case, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        fault = Diagnostic(
            "bad-value",
            "the aim cannot be read",
            Where(field="aim"),
            f"{type(error).__name__}: {error}",
            "goals as `allocate` writes them",
        )
        return 0, (fault,)
    if stated is None or not np.isfinite(list(_numbers(stated))).all():
        return 0, (Diagnostic("bad-value", "the aim holds no finite numbers", Where(field="aim")),)
    policy = str(data["verdict"].get("policy"))
    if policy not in POLICIES:
        return 0, (_misstated("verdict.policy", policy, ", ".join(POLICIES)),)
    if not 0 < stated.work_frac <= 1:
        return 0, (_misstated("aim.work_frac", f"{stated.work_frac:.9g}", "above 0, at most 1"),)
    if not isinstance(data["verdict"].get("seconds"), (int, float)):
        return 0, (_misstated("verdict.seconds", "no number", "the time taken"),)
    with np.errstate(over="ignore", invalid="ignore"):  # prices too high to prove anything
        return len(stated.goals), tuple(_faults(case, data, policy, stated, figures))


def _faults(
    case: Case, data: Mapping[str, Any], policy: str, stated: PlanAim, figures: Figures
) -> Iterator[Diagnostic]:
    """Every fault of an aim that can be read."""
    if policy == "weighted-work":  # its certificate is that of the whole plan
        yield from _work_faults(data, stated)
        yield from _sentence_faults(data, _work_words(data, stated))
        return
    options = enumerate_options(case, keeps_all=keeps_all(policy))
    terms: FinishTerms | None = None
    if policy == "finish-time":
        terms = finish_terms(case, servable(case, options))
        wrong = tuple(alone_faults(case, terms, stated.alone))
        if wrong:
            yield from wrong
            return
    elif stated.alone:
        yield _misstated("aim.alone", f"{len(stated.alone)} plans", "none for this policy")
    is_large = is_fair_large(options)
    program, register = outline(case, options) if is_large else build_program(case, options)
    days = alone_days(case, stated)
    aim = aim_of(register, program, policy, stated.work_frac, terms=terms, alone_days=days)
    names = tuple(goal.name for goal in aim.goals)
    found = tuple(one.name for one in stated.goals)
    if not found or found != names[: len(found)]:
        yield _misstated("aim.goals", ", ".join(found) or "none", ", ".join(names))
        return
    reached, held = reached_by(aim, figures), held_values(aim, stated, figures)
    for at, one in enumerate(stated.goals):
        goal = aim.goals[at]
        if goal.give_frac > 0 and reached[at] > (1 - goal.give_frac) * held[at] * (1 - TOLERANCE):
            part = goal.told((1 - goal.give_frac) * held[at])
            yield _misstated(f"aim.goals[{at}]", f"{goal.told(reached[at]):.9g}", f"{part:.9g}")
        yield from _goal_faults(aim, at, one, held, options if is_large else None)
    words = policy_words(aim, reached_of(aim, stated), figures, stated.work_frac)
    yield from _sentence_faults(data, words)


def _work_faults(data: Mapping[str, Any], stated: PlanAim) -> Iterator[Diagnostic]:
    """Faults of the goals of weighted work, whose amounts the audit has recomputed."""
    verdict = data["verdict"]
    right = (("work", verdict["objective"], verdict["bound"]), ("cost", verdict["cost"], None))
    if tuple(one.name for one in stated.goals) != ("work", "cost") or stated.alone:
        yield _misstated("aim.goals", ", ".join(one.name for one in stated.goals), "work, cost")
        return
    for at, (one, (name, amount, bound)) in enumerate(zip(stated.goals, right, strict=True)):
        field = f"aim.goals[{at}]"
        if abs(one.reached - amount) > TOLERANCE * max(abs(amount), 1e-9):
            yield _misstated(f"{field}.reached", f"{one.reached:.9g}", f"{amount:.9g}")
        if one.bound is not None or one.prices:
            yield _misstated(f"{field}.bound", str(one.bound), "none: the certificate is its proof")
        if name == "work" and one.said != bound:
            yield _misstated(f"{field}.said", str(one.said), str(bound))
        if name == "cost" and one.said is not None and one.said > amount * (1 + TOLERANCE) + 1e-9:
            yield Diagnostic(
                "bound-contradicted",
                "the plan is cheaper than is called possible",
                Where(field=f"{field}.said"),
                f"{one.said:.9g}",
                f"at most {amount:.9g}",
            )


def _work_words(data: Mapping[str, Any], stated: PlanAim) -> str:
    """How near the best the plan of weighted work is, in words."""
    verdict, said = data["verdict"], {one.name: one.said for one in stated.goals}
    return near_words(verdict["gap_frac"]) + cheap_words(verdict["cost"], said.get("cost"))


def _goal_faults(
    aim: Aim, at: int, one: AimedGoal, reached: tuple[float, ...], runs: Options | None
) -> Iterator[Diagnostic]:
    """Faults of one goal."""
    goal, field = aim.goals[at], f"aim.goals[{at}]"
    told = goal.told(reached[at])
    size = max(abs(told), abs(goal.shift), 1e-9)
    if abs(one.reached - told) > TOLERANCE * size:
        yield _misstated(f"{field}.reached", f"{one.reached:.9g}", f"{told:.9g}")
    if one.bound is not None:
        prices, touch = dict(one.prices), dict(one.touch)
        bound = goal.told(_bound(aim, at, reached, prices, touch, runs))
        far = abs(one.bound - bound) > TOLERANCE * max(size, abs(bound))
        if far or not np.isfinite(bound):
            yield Diagnostic(
                "certificate-mismatch",
                "the prices prove another bound than stated",
                Where(field=f"{field}.bound"),
                f"{one.bound:.9g}",
                f"{bound:.9g}",
            )
    elif one.prices:
        yield _misstated(f"{field}.bound", "null", "what the prices prove")
    for name, amount in (("bound", one.bound), ("said", one.said)):
        # As minimised no plan is below a bound; a goal held may give up a little.
        slack = 1e-5 * size
        if amount is not None and goal.untold(amount) > reached[at] + slack:
            yield Diagnostic(
                "bound-contradicted",
                "the plan is beyond what is called possible",
                Where(field=f"{field}.{name}"),
                f"{amount:.9g}",
                f"no less good than {told:.9g}",
            )


def _bound(
    aim: Aim,
    at: int,
    reached: tuple[float, ...],
    prices: Mapping[str, float],
    touch: Mapping[str, float],
    runs: Options | None,
) -> float:
    """What prices prove: over the program, or over all runs where that has only a part of them."""
    if runs is None:
        return goal_bound(aim, at, reached, prices, touch)
    bound = band_bound(aim, runs, at, reached, prices, touch=touch)
    return -np.inf if bound is None else bound


def _sentence_faults(data: Mapping[str, Any], words: str) -> Iterator[Diagnostic]:
    """The verdict's sentence says what the fields of the file say."""
    verdict, jobs = data["verdict"], data["jobs"]
    placed = [job for job in jobs if job["placed"]]
    told = [
        verdict_sentence(
            len(placed),
            len(jobs),
            partly=sum(job["done_frac"] < 1.0 for job in placed),
            cost=float(verdict["cost"]),
            currency=str(data["currency"]),
            words=words,
            solver=str(verdict["solver"]),
            seconds=float(verdict["seconds"]),
            was_interrupted=was_interrupted,
        )
        for was_interrupted in (False, True)
    ]
    if verdict["sentence"] not in told:
        yield Diagnostic(
            "sentence-misstated",
            "the sentence is not that of the plan's figures",
            Where(field="verdict.sentence"),
            str(verdict["sentence"]),
            told[0],
        )


def _misstated(field: str, found: str, expected: str) -> Diagnostic:
    return Diagnostic(
        "aim-misstated",
        "the plan's aim is another than is stated",
        Where(field=field),
        found,
        expected,
    )


def _numbers(stated: PlanAim) -> Iterator[float]:
    """Every number of an aim."""
    yield stated.work_frac
    for one in stated.goals:
        yield one.reached
        yield from (number for number in (one.bound, one.said) if number is not None)
        yield from (amount for _, amount in (*one.prices, *one.touch))
    for plan in stated.alone:
        yield plan.days
        yield from (number for number in (plan.said,) if number is not None)
