"""Why there is no plan: the smallest conflict of named promises, and the cheapest repair."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.column import Floats
from hardware.errors import SolverFailure
from planner.allocation.conflict.elastic import alone, asking_groups, elastic, within_support
from planner.allocation.conflict.hitting import hitting_set
from planner.allocation.conflict.repair import Repair, cheapest_repair
from planner.allocation.program.row import Program, Row
from planner.allocation.program.settle import broken_rows, settle
from planner.allocation.solver.task import Answer, Engine, Task

__all__ = ["Conflict", "conflict"]

NAMED = 8  # promises that a sentence names before it counts the rest
ROUGH = 0.3  # gap at which a point with few broken promises is good enough
LEAST = 0.01  # a repair this near the least is called that
PRICED = 1e-7  # price of a row, in parts of the bends, that counts as none


@dataclass(frozen=True)
class Conflict:
    """Promises that cannot all be kept, and the least change that would allow a plan."""

    groups: tuple[str, ...]
    is_smallest: bool
    repair: tuple[str, ...]
    repair_over_frac: float = 0.0  # by how much of the repair the least may be smaller
    is_alone: bool = True  # False: with all of it that is repaired given up, others remain

    @property
    def sentences(self) -> tuple[str, ...]:
        """The conflict and its repair in words."""
        said = [self._conflict()]
        over = self.repair_over_frac
        least = "the least change that allows a plan"
        if over > LEAST:
            least = f"a change that allows a plan (the least may be {100 * over:.3g} % smaller)"
        *first, last = self.repair or ("",)
        gifts = f"{', '.join(first)} and {last}" if first else last
        if not self.is_alone:
            said.append("other promises cannot all be kept either, even with these mended")
        return (*said, f"{least}: {gifts}") if gifts else tuple(said)

    def _conflict(self) -> str:
        """The conflict in words."""
        if not self.groups:
            return "no conflict was isolated in time"
        named = list(self.groups[:NAMED])
        if len(self.groups) > NAMED:
            named.append(f"{len(self.groups) - NAMED} more")
        *most, last = named
        text = (
            f"cannot all be kept: {', '.join(most)} and {last}"
            if most
            else f"cannot be kept with any choice of the work that is asked: {last}"
        )
        return text if self.is_smallest else f"{text} (a conflict, perhaps not the smallest)"


@dataclass(frozen=True)
class _Question:
    """What the search asks about: the promises by number, the solver, and when to stop."""

    program: Program
    groups: tuple[str, ...]
    ask: Engine
    ends: float  # on the monotonic clock

    @property
    def left_s(self) -> float:
        """Time left. [s]"""
        return self.ends - time.monotonic()


def conflict(program: Program, ask: Engine, *, time_limit_s: float = 20.0) -> Conflict:
    """
    The promises that an infeasible program cannot keep together.

    Parameters
    ----------
    program : Program
        A program proved infeasible.
    ask : Engine
        The solver.
    time_limit_s : float
        For the whole search. [s]

    Returns
    -------
    Conflict
        The fewest groups of rows (a floor, a budget, the nodes of a pool, the work asked for)
        that no choice keeps together; or a conflict, where the time ends before it is known
        that none is smaller. The repair is the least sum of relative changes.

    Notes
    -----
    A point breaks some groups, and every conflict has one of these, or the point would keep
    all of it. So a smallest set of groups with a member among those that each point found so
    far breaks is no larger than any conflict; where no choice keeps that set, it is a
    smallest conflict. Each question has few rows that must hold, and is quickly answered
    [1]_. Before, the prices of the relaxed program with rows that bend name groups that not
    even fractional choices keep: a conflict at once, and the end where it is no larger.

    References
    ----------
    .. [1] A. Ignatiev, A. Previti, M. Liffiton, J. Marques-Silva, "Smallest MUS extraction
       with minimal hitting set dualization," CP 2015.
    """
    began = time.monotonic()
    groups = tuple(dict.fromkeys(row.group for row in program.rows))
    empty = _without_terms(program)
    repair = cheapest_repair(program, ask, time_limit_s=0.2 * time_limit_s)
    question = _Question(program, groups, ask, began + time_limit_s)
    if empty:
        is_alone = not _others_remain(question, (empty[0],), repair)
        return Conflict((empty[0],), True, repair.words, repair.over_frac, is_alone)
    found, is_smallest = _of_one(question)
    if not (is_smallest and len(found) <= 2):
        known = found
        points = [] if repair.point is None else [repair.point]
        found, is_smallest = _searched(question, points, known)
    names = tuple(groups[at] for at in found)
    is_alone = not names or not _others_remain(question, names, repair)
    return Conflict(names, is_smallest, repair.words, repair.over_frac, is_alone)


def _others_remain(question: _Question, named: Sequence[str], repair: Repair) -> bool:
    """Whether the rest is proved hopeless when the conflict is mended, whatever that takes."""
    program = question.program
    given = {gift for gift, _ in repair.amounts}
    mended = {row.group for row in program.rows if row.group in named and row.repair in given}
    gifts = {row.repair for row in program.rows if row.group in mended}
    if not mended or given <= gifts:
        return False
    rest = tuple(row for row in program.rows if row.group not in mended and row.repair not in gifts)
    if broken_rows([row for row in rest if len(row.columns) == 0], _nothing(question)):
        return True
    task = Task(Program(program.columns, rest), _nothing(question))
    answer = _answer(question, task, 0.5)
    return answer is not None and answer.says_infeasible


def _without_terms(program: Program) -> list[str]:
    """Groups of rows that no choice can change, and that do not hold."""
    rows = [row for row in program.rows if len(row.columns) == 0]
    return [row.group for row, _ in broken_rows(rows, np.zeros(len(program.columns.names)))]


def _of_one(question: _Question) -> tuple[tuple[int, ...], bool]:
    """
    A smallest conflict among those with one group that asks for something, such as a floor.

    Without such a group there is no conflict, and with two it has two members at least; so
    what is found is a smallest of all where it has no more than two. The other groups only
    set limits, and what does not serve the one is left out: these programs are small.
    """
    numbers = {group: at for at, group in enumerate(question.groups)}
    asks = asking_groups(question.program)
    best: tuple[int, ...] = ()
    decided = True
    for at, group in enumerate(asks):
        part = alone(question.program, group, asks)
        groups = tuple(dict.fromkeys(row.group for row in part.rows))
        ends = time.monotonic() + 0.7 * question.left_s / (len(asks) - at)
        asked = _Question(part, groups, question.ask, ends)
        found, is_smallest = _searched(asked, [], (), below=len(best))
        decided = decided and (is_smallest or not found)
        names = tuple(sorted(numbers[groups[one]] for one in found))
        if names and (is_smallest or len(names) < len(groups)):
            best = names if not best or len(names) < len(best) else best
    return best, decided and bool(best)


def _searched(
    question: _Question, points: Sequence[Floats], known: tuple[int, ...], *, below: int = 0
) -> tuple[tuple[int, ...], bool]:
    """
    Numbers of the groups of a conflict, and whether none has fewer; none where there is none.

    `points` are choices known, `known` is a conflict, if there is one. Conflicts of `below`
    groups and more are of no interest, where it is not 0.
    """
    if not known and not 0 < below <= 2:  # a question or two is quicker than prices
        known = _of_prices(question)
    zero = np.zeros(len(question.program.columns.names))
    met = [_broken(question, point, ()) for point in (zero, *points)]
    if not all(met):
        return (), False
    while question.left_s > 0:
        few = hitting_set(met)
        if few is None:
            break
        if known and len(few) >= len(known):
            return known, True
        if 0 < below <= len(few):
            return (), True
        state, point = _kept(question, few)
        if state is False:
            return few, True
        if point is None:
            break
        broken = _broken(question, point, few)
        if not broken:  # the program has a point after all
            return (), False
        met.append(broken)
    return known or tuple(range(len(question.groups))), False


def _broken(question: _Question, point: Floats, kept: Sequence[int]) -> frozenset[int]:
    """Numbers of the groups that a point breaks; those kept within a solver's tolerance aside."""
    numbers = {group: at for at, group in enumerate(question.groups)}
    found = broken_rows(question.program.rows, point)
    return frozenset(numbers[row.group] for row, _ in found) - frozenset(kept)


def _kept(question: _Question, few: Sequence[int]) -> tuple[bool | None, Floats | None]:
    """Whether some choice keeps a few groups, with one that breaks little else."""
    hard = {question.groups[at] for at in few}
    wider, minimise = elastic(question.program, question.groups, _group, hard)
    relaxed = _answer(question, Task(wider, minimise, is_relaxed=True), 0.5)
    if relaxed is not None and relaxed.says_infeasible:
        return False, None
    if relaxed is not None and relaxed.point is not None:  # few columns first: mostly enough
        narrow = within_support(wider, relaxed.point)
        answer = _answer(question, Task(narrow, minimise, gap_frac=ROUGH), 0.2)
        point = None if answer is None else _settled(question, answer, hard)
        if point is not None:
            return True, point
    answer = _answer(question, Task(wider, minimise, gap_frac=ROUGH), 0.5)
    if answer is None:
        return None, None
    if answer.says_infeasible:
        return False, None
    point = _settled(question, answer, hard)
    return (None if point is None else True), point


def _settled(question: _Question, answer: Answer, hard: set[str]) -> Floats | None:
    """The choice of an answer, where it is whole and keeps what it must."""
    if answer.point is None or answer.says_infeasible:
        return None
    columns = len(question.program.columns.names)
    point = settle(question.program, np.asarray(answer.point[:columns], dtype=np.float64))
    if point is None or any(
        is_far and row.group in hard for row, is_far in broken_rows(question.program.rows, point)
    ):
        return None
    return point


def _group(row: Row) -> str:
    """The promise that a row belongs to."""
    return row.group


def _answer(question: _Question, task: Task, part: float) -> Answer | None:
    """The solver's answer within a part of the time left; None when it broke."""
    limit = max(part * question.left_s, 0.05)
    try:
        return question.ask(replace(task, time_limit_s=limit))
    except (SolverFailure, RuntimeError):
        return None


def _of_prices(question: _Question) -> tuple[int, ...]:
    """Groups that not even fractional choices keep, none of which is needless; or none."""
    wider, minimise = elastic(question.program, question.groups, _group, ())
    answer = _answer(question, Task(wider, minimise, is_relaxed=True), 0.3)
    if answer is None or answer.prices is None:
        return ()
    rows = [row for row in wider.rows if len(row.columns)]
    if len(rows) != len(answer.prices):
        return ()
    used = {row.group for row, price in zip(rows, answer.prices.tolist(), strict=True)
            if abs(price) * _bend(row) > PRICED}  # fmt: skip
    kept = [at for at, group in enumerate(question.groups) if group in used]
    if not kept or not _is_hopeless(question, kept):
        return ()
    for at in tuple(kept):
        rest = [other for other in kept if other != at]
        if question.left_s > 0 and rest and _is_hopeless(question, rest):
            kept = rest
    return tuple(kept)


def _bend(row: Row) -> float:
    """Size of the row as its bend has it: the last coefficient."""
    return float(abs(row.coefficients[-1]))


def _is_hopeless(question: _Question, few: Sequence[int]) -> bool:
    """Whether not even fractional choices keep a few groups."""
    answer = _answer(question, Task(_part(question, few), _nothing(question), is_relaxed=True), 0.3)
    return answer is not None and answer.says_infeasible


def _part(question: _Question, few: Sequence[int]) -> Program:
    """The program with the rows of a few groups alone."""
    wanted = {question.groups[at] for at in few}
    rows = tuple(row for row in question.program.rows if row.group in wanted)
    return Program(question.program.columns, rows)


def _nothing(question: _Question) -> Floats:
    """An objective that prefers nothing."""
    return np.zeros(len(question.program.columns.names))
