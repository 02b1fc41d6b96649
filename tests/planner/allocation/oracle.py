"""The best plan of a small case by trying all of them, written without the program's rooms."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

DAY_S = 86400.0


@dataclass(frozen=True)
class Hold:
    """Nodes of a pool held from a day until the day after the last."""

    pool: int
    nodes: int
    start: int
    end: int


@dataclass(frozen=True)
class Way:
    """One way to serve a job; of the days that it holds nodes `days` are paid, the first ones."""

    job: int
    holds: tuple[Hold, ...]
    days: int
    end: int
    done: float
    value: float
    cost: float

    @property
    def paid(self) -> list[tuple[int, Hold]]:
        """The days that are paid, each with what is held on it."""
        return [(day, h) for h in self.holds for day in range(h.start, h.end)][: self.days]


def ways(case: Any, job: int) -> list[Way]:
    """Every way to serve a job."""
    found: list[Way] = []
    if len(case.job_flexible) and case.job_flexible[job]:
        return flexible_ways(case, job)
    for pair in range(len(case.pair_job)):
        if case.pair_job[pair] != job or case.pair_reason[pair] != 0:
            continue
        pool = int(case.pair_pool[pair])
        release, due = max(0, int(case.pair_release_day[pair])), int(case.pair_due_day[pair])
        due = min(due, case.days)
        borders = [int(b) for b in case.border_day]
        starts = [
            d for d in sorted({release, *(b for b in borders[:-1] if b > release)}) if d < due
        ]
        for point in range(len(case.point_job)):
            if case.point_job[point] != job or case.point_pool[point] != pool:
                continue
            a_day = float(case.point_tokens_per_s[point]) * DAY_S / float(case.job_tokens[job])
            need = max(1, math.ceil(1 / a_day - 1e-9 * max(1.0, 1 / a_day)))
            args = (case, job, pool, point, need, a_day)
            if case.job_preemptible[job]:
                pieces = [(s, min(due, next(b for b in borders if b > s))) for s in starts]
                pieces = [
                    p for p in pieces if nodes_free(case, pool, *p) >= case.point_nodes[point]
                ]
                for count in range(1, len(pieces) + 1):
                    for chosen in itertools.combinations(pieces, count):
                        total = sum(e - s for s, e in chosen)
                        before = total - (chosen[-1][1] - chosen[-1][0])
                        least = before + 1 if case.job_partial[job] else need
                        for days in range(least, min(total, need) + 1):
                            if days > before:
                                found.append(
                                    way(*args, chosen, days, chosen[-1][0] + days - before)
                                )
                continue
            for start in starts:
                ends = {start + need}
                if case.job_partial[job]:
                    ends |= {e for e in [*borders, due] if start < e < start + need}
                for end in ends:
                    span = ((start, end),)
                    if end <= due and nodes_free(case, pool, start, end) >= case.point_nodes[point]:
                        found.append(way(*args, span, end - start, end))
    return found


def way(case, job, pool, point, need, a_day, spans, days, end) -> Way:
    done = 1.0 if days >= need else min(1.0, days * a_day)
    late = max(0, end - int(case.job_soft_due_day[job]))
    kept = max(0.0, 1 - float(case.job_loss_per_day[job]) * late)
    nodes = int(case.point_nodes[point])
    return Way(job, tuple(Hold(pool, nodes, s, e) for s, e in spans), days, end, done,
               float(case.job_value[job]) * done * kept,
               float(case.point_cost_per_day[point]) * days)  # fmt: skip


def flexible_ways(case: Any, job: int) -> list[Way]:
    """
    Every way to serve a job that may change at borders, day by day.

    A state is what is held since when, and the work done by now. Each day adds to it, or
    loses the day when the last change is too near. On a border the job may go over to any
    other point; there, and on the last day of its window, one that counts in part may stop.
    """
    borders = {int(b) for b in case.border_day}
    total, move = float(case.job_tokens[job]), int(case.job_move_days[job])
    window = {}
    for pair in range(len(case.pair_job)):
        if case.pair_job[pair] == job and case.pair_reason[pair] == 0:
            window[int(case.pair_pool[pair])] = (
                max(0, int(case.pair_release_day[pair])),
                min(int(case.pair_due_day[pair]), case.days),
            )
    points = [
        p for p in range(len(case.point_job))
        if case.point_job[p] == job and int(case.point_pool[p]) in window
        and fits_a_block(case, job, p)
    ]  # fmt: skip
    found: list[Way] = []

    def close(held: list[tuple[int, int]], day: int, done: float) -> None:
        ends = [start for _, start in held[1:]] + [day]
        holds = tuple(
            Hold(int(case.point_pool[p]), int(case.point_nodes[p]), start, end)
            for (p, start), end in zip(held, ends, strict=True)
        )
        if any(nodes_free(case, h.pool, h.start, h.end) < h.nodes for h in holds):
            return
        late = max(0, day - int(case.job_soft_due_day[job]))
        kept = max(0.0, 1 - float(case.job_loss_per_day[job]) * late)
        cost = sum(
            float(case.point_cost_per_day[p]) * (end - start)
            for (p, start), end in zip(held, ends, strict=True)
        )
        found.append(Way(job, holds, day - holds[0].start, day, done,
                         float(case.job_value[job]) * done * kept, cost))  # fmt: skip

    def live(held: list[tuple[int, int]], day: int, done: float) -> None:
        """What may follow the morning of a day, when the last of `held` goes on over it."""
        point, since = held[-1]
        due = window[int(case.point_pool[point])][1]
        if day >= due:
            return
        rate = float(case.point_tokens_per_s[point]) * DAY_S
        works = len(held) == 1 or day - since >= move
        after = done + rate if works else done
        # What is left over after the day counts as nothing below a billionth of a day's work.
        if works and total - after <= 1e-9 * rate * max(1.0, (total - done) / rate):
            close(held, day + 1, 1.0)
            return
        if works and case.job_partial[job] and (day + 1 in borders or day + 1 == due):
            close(held, day + 1, after / total)
        live(held, day + 1, after)
        if works and day + 1 in borders and day + 1 < case.days:
            for other in points:
                first, last = window[int(case.point_pool[other])]
                if other != point and first <= day + 1 < last:
                    live([*held, (other, day + 1)], day + 1, after)

    for point in points:
        first, due = window[int(case.point_pool[point])]
        for day in sorted({first, *(b for b in borders if first < b < case.days)}):
            if day < due:
                live([(point, day)], day, 0.0)
    return found


def fits_a_block(case: Any, job: int, point: int) -> bool:
    """Whether the nodes of a point can lie in one block of the fabric, where they must."""
    size = part_of(case, job, int(case.point_pool[point]))
    return size == 0 or int(case.point_nodes[point]) <= size


def id_days(case: Any, pool: int) -> list[set[int]]:
    """Days on which each node id is there: deliveries take the lowest run of free ids."""
    laid: list[tuple[int, int, int, int]] = []
    for at in range(len(case.delivery_pool)):
        if case.delivery_pool[at] != pool:
            continue
        first, end = int(case.delivery_first_day[at]), int(case.delivery_end_day[at])
        low, nodes = 0, int(case.delivery_nodes[at])
        while any(f < end and first < e and a < low + nodes and low < b for f, e, a, b in laid):
            low += 1
        laid.append((first, end, low, low + nodes))
    top = max((b for *_, b in laid), default=0)
    return [{d for f, e, a, b in laid if a <= i < b for d in range(f, e)} for i in range(top)]


def nodes_free(case: Any, pool: int, start: int, end: int) -> int:
    """Ids that stay from start to end."""
    span = set(range(start, end))
    return sum(span <= there for there in id_days(case, pool))


def can_colour(case: Any, chosen: list[Way]) -> bool:
    """Whether node ids can be given to all spans, by trying."""
    for pool in range(len(case.pool_names)):
        there = id_days(case, pool)
        spans = sorted(
            (
                ((h.start, h.end), h.nodes, part_of(case, w.job, pool))
                for w in chosen for h in w.holds if h.pool == pool
            ),
            key=lambda item: item[0],
        )  # fmt: skip
        if not _coloured(spans, there, [set() for _ in there]):
            return False
    return True


def part_of(case: Any, job: int, pool: int) -> int:
    """Nodes of the blocks of a pool one of which a job must stay in; 0 where it need not."""
    if not len(case.job_one_block) or not case.job_one_block[job]:
        return 0
    return int(case.pool_block_nodes[pool])


def _coloured(spans: list[Any], there: list[set[int]], busy: list[set[int]]) -> bool:
    if not spans:
        return True
    (start, end), nodes, part = spans[0]
    days = set(range(start, end))
    free = [i for i in range(len(there)) if days <= there[i] and not days & busy[i]]
    for ids in itertools.combinations(free, nodes):
        if part and len({i // part for i in ids}) > 1:
            continue
        after = [b | days if i in ids else b for i, b in enumerate(busy)]
        if _coloured(spans[1:], there, after):
            return True
    return False


def counts_fit(case: Any, chosen: list[Way]) -> bool:
    """Nodes of each pool by day, caps, budgets, share limit, workloads: all grow with choices."""
    for pool in range(len(case.pool_names)):
        there = id_days(case, pool)
        for day in range(case.days):
            used = sum(h.nodes for w in chosen for h in w.holds
                       if h.pool == pool and h.start <= day < h.end)  # fmt: skip
            if used > sum(day in days for days in there):
                return False
    identities = [int(case.job_identity[w.job]) for w in chosen]
    if len(set(identities)) < len(identities):
        return False
    offered = sum(
        float(case.pool_equivalent[case.delivery_pool[d]]) * int(case.delivery_nodes[d])
        * (min(int(case.delivery_end_day[d]), case.days) - max(int(case.delivery_first_day[d]), 0))
        for d in range(len(case.delivery_pool)) if case.pool_shared[case.delivery_pool[d]]
    )  # fmt: skip
    for team in range(len(case.consortium_names)):
        mine = [w for w in chosen if case.job_consortium[w.job] == team]
        budget, cap = float(case.consortium_budget[team]), float(case.consortium_cap[team])
        if budget >= 0 and sum(w.cost for w in mine) > budget * (1 + 1e-9):
            return False
        if case.share_limit_frac > 0:
            held = sum(float(case.pool_equivalent[h.pool]) * h.nodes
                       for w in mine for _, h in w.paid if case.pool_shared[h.pool])  # fmt: skip
            if held > case.share_limit_frac * offered * (1 + 1e-9):
                return False
        for day in range(case.days) if cap > 0 else ():
            held = sum(float(case.pool_equivalent[h.pool]) * h.nodes for w in mine
                       for h in w.holds if h.start <= day < h.end)  # fmt: skip
            if held > cap * (1 + 1e-9):
                return False
    return True


def all_fit(case: Any, chosen: list[Way]) -> bool:
    """What can only be told of a whole plan: floors, predecessors, node ids."""
    by_job = {w.job: w for w in chosen}
    for team in range(len(case.consortium_names)):
        days = int(case.consortium_end_day[team] - case.consortium_first_day[team])
        held = sum(float(case.pool_equivalent[h.pool]) * h.nodes for w in chosen
                   if case.job_consortium[w.job] == team for _, h in w.paid)  # fmt: skip
        if held < float(case.consortium_floor[team]) * days * (1 - 1e-9):
            return False
    if not support_fits(case, chosen) or not lent_after_owner(case, chosen):
        return False
    for before, then in zip(case.after_before, case.after_then, strict=True):
        if int(then) in by_job:
            first = by_job.get(int(before))
            if first is None or first.done < 1 or first.end > by_job[int(then)].holds[0].start:
                return False
    return can_colour(case, chosen)


def lent_after_owner(case: Any, chosen: list[Way]) -> bool:
    """Borrowers hold a pool only when the jobs that go first there are served."""
    served = {int(case.job_identity[w.job]) for w in chosen}
    borrowing = set(zip(case.borrow_job.tolist(), case.borrow_pool.tolist(), strict=True))
    used = {h.pool for w in chosen for h in w.holds if (w.job, h.pool) in borrowing}
    return all(
        int(case.job_identity[job]) in served
        for job, pool in zip(case.lend_job, case.lend_pool, strict=True)
        if int(pool) in used
    )


def support_fits(case: Any, chosen: list[Way]) -> bool:
    """Equal support and days of use."""

    def held(team: int, until: int) -> float:
        return sum(float(case.pool_equivalent[h.pool]) * h.nodes
                   for w in chosen if case.job_consortium[w.job] == team
                   for day, h in w.paid if day < until)  # fmt: skip

    teams = range(len(case.consortium_names))
    if case.equal_support_frac >= 0:
        means = [held(t, 10**6) / float(case.consortium_end_day[t] - case.consortium_first_day[t])
                 for t in teams]  # fmt: skip
        for a, b in itertools.combinations(teams, 2):
            if case.support_group[a] != case.support_group[b] or case.support_group[a] < 0:
                continue
            larger = max(means[a], means[b])
            if abs(means[a] - means[b]) > case.equal_support_frac * larger + 1e-9 * larger:
                return False
    return all(
        held(int(team), int(end)) >= float(least) * (1 - 1e-9)
        for team, end, least in zip(
            case.use_consortium, case.use_end_day, case.use_least, strict=True
        )
    )


def best(case: Any) -> tuple[float, float] | None:
    """Largest weighted value, and the least cost of it; None when no plan keeps all rules."""
    count = len(case.job_names)
    weight = [float(case.consortium_weight[t]) for t in case.job_consortium]
    choices = [sorted(ways(case, job), key=lambda w: -w.value) for job in range(count)]
    most = [max((w.value * weight[j] for w in choices[j]), default=0.0) for j in range(count)]
    rest = [sum(most[j:]) for j in range(count + 1)]
    record: list[tuple[float, float] | None] = [None]

    def descend(job: int, chosen: list[Way], value: float, cost: float) -> None:
        known = record[0]
        if known is not None and value + rest[job] < known[0] - 1e-9:
            return
        if job == count:
            better = known is None or value > known[0] + 1e-9 or (
                value > known[0] - 1e-9 and cost < known[1] - 1e-9)  # fmt: skip
            if better and all_fit(case, chosen):
                record[0] = (value, cost)
            return
        for w in choices[job]:
            if counts_fit(case, [*chosen, w]):
                descend(job + 1, [*chosen, w], value + weight[job] * w.value, cost + w.cost)
        descend(job + 1, chosen, value, cost)

    descend(0, [], 0.0, 0.0)
    return record[0]
