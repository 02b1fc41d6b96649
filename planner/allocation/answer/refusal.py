"""Why a job is not placed: what it lacked, or what it would displace and at which loss."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.answer.placement import PlacementTable
from planner.allocation.offer.run import days_needed, start_days
from planner.allocation.program.incidence import Incidence, incidence
from planner.allocation.program.register import Register, kept_frac
from planner.allocation.program.row import Program, Row
from planner.eligibility import REASONS
from planner.plan_text import money_text

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["CODES", "Refusal", "refusals"]

CODES = (
    "nodes-taken", "over-budget", "over-cap", "over-share", "owner-first", "equal-support",
    "same-workload", "predecessor-late", "no-room", "worth-nothing", "not-found",
    "no-usable-pool", "no-layout", "window-too-short", "nodes-leave",
)  # fmt: skip
"""Every code that a refusal can have."""


@dataclass(frozen=True)
class Refusal:
    """Why one job is not placed: a code, a sentence, and what would help."""

    code: str
    sentence: str
    hint: str = ""


def refusals(
    register: Register, program: Program, point: Floats, placed: PlacementTable
) -> dict[int, Refusal]:
    """
    Why each job without nodes has none.

    Parameters
    ----------
    register, program : Register, Program
        What there was to choose from.
    point : ndarray [column]
        What was chosen.
    placed : PlacementTable
        The same as nodes and days.

    Returns
    -------
    dict of int to Refusal
        By row of the job: with everything else as planned, the plan of the job that lacks
        least, and what it lacks.
    """
    terms = incidence(program)
    scale = _scale(program, terms)
    activity = terms.activity(point)
    plans, modes = register.plans, register.options.modes
    absent = sorted(set(range(len(register.case.job_names))) - set(placed.job.tolist()))
    found = {}
    for job in absent:
        plan = _nearest_plan(register, scale, terms, activity, job)
        moves = ([] if plan is None else [plan]) + _mode_moves(register, job)
        if moves:
            found[job] = _lacked(register, program, scale, terms, activity, placed, job, moves)
        elif (plans.job == job).any() or (modes.job == job).any():
            found[job] = _worthless(register, job)
        else:
            found[job] = _no_option(register.case, job)
            if not _is_sure(register, job, found[job].code):
                found[job] = _NOT_LOOKED_AT
    return found


_NOT_LOOKED_AT = Refusal(
    "not-found", "none of its plans was among those that the search looked at",
    "a longer time limit, or coarser periods",
)  # fmt: skip


def _is_sure(register: Register, job: int, code: str) -> bool:
    """Whether a job without a plan in the program has none at all, and for that reason."""
    case = register.case
    if register.options.is_whole or code == "no-usable-pool":
        return True
    may_change = bool(case.job_flexible.any() and case.job_flexible[job])
    return code in ("no-layout", "window-too-short") and not may_change


Place = tuple[int, int, int, int]  # pool, nodes, start, end
Move = tuple[list[int], list[float], list[Place]]


@dataclass(frozen=True)
class _Scale:
    """How what a row lacks is counted, the same for every job."""

    counted: Bools  # [row] whether a plan of one job alone can lack something of it
    size: Floats  # [row] what an excess is measured by
    group: Ints  # [row] number of its group
    groups: int


def _scale(program: Program, terms: Incidence) -> _Scale:
    """The rows of a program as refusals count them."""
    known: dict[str, int] = {}
    group = [known.setdefault(row.group, len(known)) for row in program.rows]
    return _Scale(
        np.array([row.family not in _SKIPPED for row in program.rows], dtype=np.bool_),
        np.maximum(np.abs(terms.bound), 1.0),
        np.array(group, dtype=np.int64),
        max(len(known), 1),
    )


def _nearest_plan(
    register: Register, scale: _Scale, terms: Incidence, activity: Floats, job: int
) -> Move | None:
    """The run or chain of a job that is worth something and lacks least; the first of equals."""
    plans, spans = register.plans, register.spans
    mine = np.flatnonzero((plans.job == job) & (plans.value > 0))
    if len(mine) == 0:
        return None
    which, owner = terms.terms(mine)
    row = terms.row[which]
    over = activity[row] + terms.coefficient[which] - terms.bound[row]
    over = np.where(terms.is_equal[row], np.abs(over), over)
    over = np.where(scale.counted[row] & (over > terms.slack[row]), over, 0.0)
    score = np.bincount(owner, over / scale.size[row], minlength=len(mine))
    broken = np.unique((owner * scale.groups + scale.group[row])[over > 0]) // scale.groups
    score = score + 10.0 * np.bincount(broken, minlength=len(mine))
    best = int(mine[np.flatnonzero(score <= score.min() + 1e-12)[0]])
    held = np.flatnonzero(spans.column == best)
    columns = (spans.pool, spans.nodes, spans.start_day, spans.end_day)
    places = zip(*(column[held].tolist() for column in columns), strict=True)
    return [best], [1.0], list(places)


def _mode_moves(register: Register, job: int) -> list[Move]:
    """Ways of placing a job that pauses which are worth something: pieces in a row."""
    modes, pieces, at = register.options.modes, register.options.pieces, register.offsets
    moves: list[Move] = []
    for mode in np.flatnonzero(modes.job == job).tolist():
        rows = np.flatnonzero(pieces.mode == mode)
        days = pieces.end_day[rows] - pieces.start_day[rows]
        for first in range(len(rows)):
            total = np.cumsum(days[first:])
            enough = np.flatnonzero(total >= modes.need_days[mode])
            if len(enough) == 0:
                break
            used = rows[first : first + int(enough[0]) + 1]
            before = int(total[int(enough[0]) - 1]) if enough[0] > 0 else 0
            end = int(pieces.start_day[used[-1]] + modes.need_days[mode]) - before
            if float(kept_frac(register.case, job, end)) <= 0:
                break
            columns = [at["mode"] + mode, *(at["piece"] + used).tolist()]
            amounts = [1.0] * len(columns)
            for part in np.flatnonzero(register.part_modes == mode).tolist():
                columns.append(at["days"] + part)
                amounts.append(float(modes.need_days[mode]))
            days_held = (int(pieces.start_day[used[0]]), end)
            place = (int(modes.pool[mode]), int(modes.nodes[mode]), *days_held)
            moves.append((columns, amounts, [place]))
    return moves


_SKIPPED = {"one_plan_a_job", "pieces_in_mode", "work_covered", "last_piece",
            "work_in_proportion", "above_floor", "used_by_day", "days_in_time"}  # fmt: skip


def _lacked(
    register: Register,
    program: Program,
    scale: _Scale,
    terms: Incidence,
    activity: Floats,
    placed: PlacementTable,
    job: int,
    moves: list[Move],
) -> Refusal:
    """The move that lacks least, in words."""
    best: tuple[float, int, Floats] | None = None
    for at, (columns, amounts, _) in enumerate(moves):
        excess = terms.excess(terms.shift(activity, columns, amounts))
        excess = np.where(scale.counted, excess, 0.0)
        score = float((excess / scale.size).sum())
        score += 10.0 * len(np.unique(scale.group[np.flatnonzero(excess)]))
        if best is None or score < best[0] - 1e-12:
            best = (score, at, excess)
    if best is None:
        return _no_option(register.case, job)
    _, at, excess = best
    broken = np.flatnonzero(excess)
    if len(broken) == 0:
        return _worthless(register, job)
    families: dict[str, int] = {}
    for row in broken.tolist():
        family = program.rows[row].family
        if family not in families or excess[row] > excess[families[family]]:
            families[family] = row
    said = [
        _words(register, terms, activity, placed, job, moves[at], program.rows[row], row, excess)
        for row in families.values()
    ]
    code = said[0][0]
    return Refusal(code, "; ".join(text for _, text, _ in said), _hint(register, placed, job, said))


def _words(
    register: Register,
    terms: Incidence,
    activity: Floats,
    placed: PlacementTable,
    job: int,
    move: Move,
    row: Row,
    at: int,
    excess: Floats,
) -> tuple[str, str, list[int]]:
    """Code, sentence, and the jobs in the way, of one row that a move would break."""
    case = register.case
    pool, nodes, start, end = _place(case, move, row)
    team = int(case.job_consortium[job])
    peers = [other for other in dict.fromkeys(placed.job.tolist())
             if case.job_consortium[other] == team]  # fmt: skip
    short, free = float(excess[at]), float(row.bound - abs(activity[at]))
    if row.family in ("within_pool", "within_blocks"):
        there = (placed.pool == pool) & (placed.start_day < end) & (placed.end_day > start)
        at_most = max(round(nodes - short), 0)
        text = (
            f"needs {nodes} nodes of `{case.pool_names[pool]}` from {_day(case, start)} to "
            f"{_day(case, end - 1)}; at most {at_most} are free"
        )
        return "nodes-taken", text, list(dict.fromkeys(placed.job[there].tolist()))
    if row.family == "within_budget":
        left = max(free, 0.0)
        text = (
            f"costs {money_text(left + short, case.currency, 4)}; "
            f"{money_text(left, case.currency, 4)} is left in the budget of "
            f"`{case.consortium_names[team]}`"
        )
        return "over-budget", text, peers
    if row.family == "below_cap":
        return "over-cap", f"goes {short:.4g} device-equivalents over {row.group}", peers
    if row.family == "within_share":
        text = f"`{case.consortium_names[team]}` would get more than the share limit"
        return "over-share", text, peers
    if row.family == "owner_first":
        return "owner-first", row.sentence, []
    if row.family == "equal_support":
        return "equal-support", f"would break equal support: {row.sentence}", []
    if row.family == "no_workload_twice":
        twins = [
            other
            for other in dict.fromkeys(placed.job.tolist())
            if case.job_identity[other] == case.job_identity[job]
        ]
        names = ", ".join(f"`{case.job_names[other]}`" for other in twins)
        return "same-workload", f"the same workload is funded as {names}", twins
    if row.family == "after_predecessors":
        waits = [
            f"`{case.job_names[before]}`"
            for before, then in zip(case.after_before, case.after_then, strict=True)
            if then == job
        ]
        return "predecessor-late", f"waits for {' and '.join(waits)}, not finished in time", []
    return "no-room", row.sentence, []


def _place(case: Case, move: Move, row: Row) -> Place:
    """What of a move a row of a pool speaks of: the link there with as many nodes."""
    here = [place for place in move[2] if f"`{case.pool_names[place[0]]}`" in row.group]
    own = row.coefficients[row.columns == move[0][0]]
    same = [place for place in here if place[1] in own]
    return (same or here or move[2])[0]


def _hint(
    register: Register,
    placed: PlacementTable,
    job: int,
    said: list[tuple[str, str, list[int]]],
) -> str:
    """What the job would displace, and at which loss."""
    case = register.case
    weight = case.consortium_weight[case.job_consortium]
    worth = case.job_value * weight
    rivals = {other for code, _, others in said if code != "same-workload" for other in others}
    if not rivals:
        return ""
    least = min(rivals, key=lambda other: (worth[other], case.job_names[other]))
    return (
        f"in the way, among others: `{case.job_names[least]}`, worth {worth[least]:.4g} "
        f"against {worth[job]:.4g} (weight times value)"
    )


def _worthless(register: Register, job: int) -> Refusal:
    """A job that fits but was left out."""
    case = register.case
    weight = case.consortium_weight[case.job_consortium[job]]
    if weight <= 0 or case.job_value[job] <= 0:
        what = "weight of its consortium" if weight <= 0 else "value"
        return Refusal(
            "worth-nothing", f"adds nothing to the objective: the {what} is 0",
            f"give it a {what.split()[0]} above 0",
        )  # fmt: skip
    plans = register.plans
    if not (plans.value[plans.job == job] > 0).any() and not _mode_moves(register, job):
        return Refusal("worth-nothing", "every run ends so late that no value is left",
                       "move the soft deadline, or lower its loss a week")  # fmt: skip
    return Refusal(
        "not-found", "fits into the plan, but the search stopped before it was placed",
        "a longer time limit or a smaller gap",
    )  # fmt: skip


def _no_option(case: Case, job: int) -> Refusal:
    """Why a job has nothing to choose from."""
    pairs = np.flatnonzero(case.pair_job == job)
    usable = [int(pair) for pair in pairs if case.pair_reason[pair] == 0]
    if usable:
        return max((_too_long(case, pair) for pair in usable), key=lambda item: item[0])[1]
    reasons: dict[int, list[str]] = {}
    for pair in pairs.tolist():
        name = case.pool_names[case.pair_pool[pair]]
        reasons.setdefault(int(case.pair_reason[pair]), []).append(f"`{name}`")
    text = "; ".join(
        f"{REASONS[code]} ({', '.join(names[:4])}{' and others' if len(names) > 4 else ''})"
        for code, names in sorted(reasons.items())
    )
    return Refusal("no-usable-pool", f"no pool can serve it: {text}")


def _too_long(case: Case, pair: int) -> tuple[float, Refusal]:
    """Why no run of a usable pair fits: too slow, or too few nodes that stay."""
    job, pool = int(case.pair_job[pair]), int(case.pair_pool[pair])
    name = case.pool_names[pool]
    points: Ints = np.flatnonzero(
        (case.point_job == job) & (case.point_pool == pool) & (case.point_tokens_per_s > 0)
    )
    starts = start_days(case, pair)
    if len(points) == 0 or len(starts) == 0:
        return -1e18, Refusal("no-layout", f"no number of nodes of `{name}` can do the work")
    need = days_needed(case.job_tokens[job], case.point_tokens_per_s[points])
    fastest = int(points[int(np.argmin(need))])
    days = int(need.min())
    room = int(case.pair_due_day[pair]) - int(starts[0])
    if days > room:
        hint = "more nodes, or less work"
        if days < 3650:
            hint = f"a last day of {_day(case, int(starts[0]) + days - 1)} or later would do"
        return float(room - days), Refusal(
            "window-too-short",
            f"takes {days} days on {case.point_nodes[fastest]} nodes of `{name}`, its fastest; "
            f"{room} days lie between {_day(case, int(starts[0]))} and "
            f"{_day(case, int(case.pair_due_day[pair]) - 1)}",
            hint,
        )  # fmt: skip
    return 0.0, Refusal(
        "nodes-leave",
        f"no {int(case.point_nodes[points].min())} nodes or more of `{name}` stay available "
        f"for a whole run",
    )


def _day(case: Case, day: int) -> str:
    """A day number as a date."""
    return (case.first_day + datetime.timedelta(days=day)).isoformat()
