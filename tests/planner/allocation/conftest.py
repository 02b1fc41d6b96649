"""Cases made by hand, small enough to be checked by trying every plan."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import numpy as np

import hardware
from hardware.column import take
from planner.case import Case
from planner.scenario import Scenario

DAY_S = 86400.0
FIRST = datetime.date(2026, 1, 1)


@dataclass
class P:
    """A pool: deliveries are (first day, end day, nodes)."""

    deliveries: list[tuple[int, int, int]]
    price: float = 1.0  # a node and day
    equivalent: float = 1.0
    shared: bool = True
    contiguous: bool = False
    block: int = 0  # nodes of a block of the fabric
    rate: float = 1.0  # tokens of a node and day, times nodes to the power of 0.9


@dataclass
class J:
    """A job; tokens in node-days at rate 1."""

    team: int = 0
    tokens: float = 10.0
    value: float = 1.0
    nodes: tuple[int, ...] = (1, 2, 4)
    pools: tuple[int, ...] | None = None
    window: tuple[int, int] | None = None
    soft: tuple[int, float] | None = None  # end day, loss a day
    partial: bool = False
    preemptible: bool = False
    identity: int | None = None
    after: tuple[int, ...] = ()
    one_block: bool = False
    borrows: tuple[int, ...] = ()  # pools that it borrows
    goes_first: tuple[int, ...] = ()  # lent pools in which it goes before borrowers
    flexible: bool = False  # pool and number of nodes may change at borders
    move: int = 1  # days without work after a change


@dataclass
class T:
    """A consortium."""

    weight: float = 1.0
    budget: float = -1.0
    floor: float = 0.0
    cap: float = 0.0
    days: tuple[int, int] | None = None
    group: int = 0  # compared with those of the same, where equal support holds
    uses: tuple[tuple[int, float], ...] = ()  # end day, device-equivalent days by then


@dataclass
class Spec:
    """A case in few words."""

    pools: list[P]
    jobs: list[J]
    teams: list[T] = field(default_factory=lambda: [T()])
    days: int = 28
    period: int = 7
    share: float = 0.0
    job_names: tuple[str, ...] | None = None
    equal: float = -1.0


def build(spec: Spec) -> Case:
    """The case that a specification describes."""
    ints, floats = (
        (lambda v: np.array(v, dtype=np.int64)),
        (lambda v: np.array(v, dtype=np.float64)),
    )
    borders = [*range(0, spec.days, spec.period), spec.days]
    deliveries = [(p, *d) for p, pool in enumerate(spec.pools) for d in pool.deliveries]
    nodes = np.zeros((len(spec.pools), len(borders) - 1), dtype=np.int64)
    for pool, first, end, count in deliveries:
        for at in range(len(borders) - 1):
            if first <= borders[at] and end >= borders[at + 1]:
                nodes[pool, at] += count
    pairs, points = [], []
    for j, job in enumerate(spec.jobs):
        for p, pool in enumerate(spec.pools):
            team = spec.teams[job.team]
            window, days = job.window or (0, spec.days), team.days or (0, spec.days)
            usable = job.pools is None or p in job.pools
            due = min(window[1], days[1])
            pairs.append((j, p, max(window[0], days[0]), due, 0 if usable else 2))
            if usable:
                points += [(j, p, n, pool.rate * n**0.9 / DAY_S, n * pool.price) for n in job.nodes]
    columns = list(zip(*points, strict=True)) if points else [[]] * 5
    pair = list(zip(*pairs, strict=True))
    after = [(b, j) for j, job in enumerate(spec.jobs) for b in job.after]
    zeros = np.zeros(len(points))
    device = take(hardware.load("h100_sxm5_80gb"), np.zeros(len(spec.pools), dtype=np.int64))
    return Case(
        scenario=Scenario.model_construct(),
        job_names=spec.job_names or tuple(f"job-{j}" for j in range(len(spec.jobs))),
        pool_names=tuple(f"pool-{p}" for p in range(len(spec.pools))),
        consortium_names=tuple(f"team-{t}" for t in range(len(spec.teams))),
        currency="USD",
        first_day=FIRST,
        days=spec.days,
        border_day=ints(borders),
        pool_device=device,
        pool_equivalent=floats([p.equivalent for p in spec.pools]),
        pool_cost_per_node_day=floats([p.price for p in spec.pools]),
        pool_shared=np.array([p.shared for p in spec.pools], dtype=np.bool_),
        pool_nodes=nodes,
        delivery_pool=ints([d[0] for d in deliveries]),
        delivery_first_day=ints([d[1] for d in deliveries]),
        delivery_end_day=ints([d[2] for d in deliveries]),
        delivery_nodes=ints([d[3] for d in deliveries]),
        job_consortium=ints([j.team for j in spec.jobs]),
        job_value=floats([j.value for j in spec.jobs]),
        job_tokens=floats([j.tokens for j in spec.jobs]),
        job_partial=np.array([j.partial for j in spec.jobs], dtype=np.bool_),
        job_preemptible=np.array([j.preemptible for j in spec.jobs], dtype=np.bool_),
        job_identity=ints(
            [1000 + at if j.identity is None else j.identity for at, j in enumerate(spec.jobs)]
        ),
        job_soft_due_day=ints([j.soft[0] if j.soft else spec.days for j in spec.jobs]),
        job_loss_per_day=floats([j.soft[1] if j.soft else 0.0 for j in spec.jobs]),
        after_before=ints([b for b, _ in after]),
        after_then=ints([t for _, t in after]),
        pair_job=ints(pair[0]),
        pair_pool=ints(pair[1]),
        pair_release_day=ints(pair[2]),
        pair_due_day=ints(pair[3]),
        pair_reason=ints(pair[4]),
        point_job=ints(columns[0]),
        point_pool=ints(columns[1]),
        point_nodes=ints(columns[2]),
        point_tokens_per_s=floats(columns[3]),
        point_cost_per_day=floats(columns[4]),
        point_power_w=zeros + 1e4,
        point_mfu_frac=zeros + 0.4,
        point_peak_bytes=zeros + 1e9,
        point_layout=("tp=1",) * len(points),
        point_low_frac=zeros + 0.9,
        point_high_frac=zeros + 1.1,
        consortium_weight=floats([t.weight for t in spec.teams]),
        consortium_budget=floats([t.budget for t in spec.teams]),
        consortium_floor=floats([t.floor for t in spec.teams]),
        consortium_cap=floats([t.cap for t in spec.teams]),
        consortium_first_day=ints([(t.days or (0, spec.days))[0] for t in spec.teams]),
        consortium_end_day=ints([(t.days or (0, spec.days))[1] for t in spec.teams]),
        share_limit_frac=spec.share,
        borrow_job=ints([at for at, j in enumerate(spec.jobs) for _ in j.borrows]),
        borrow_pool=ints([p for j in spec.jobs for p in j.borrows]),
        lend_job=ints([at for at, j in enumerate(spec.jobs) for _ in j.goes_first]),
        lend_pool=ints([p for j in spec.jobs for p in j.goes_first]),
        pool_block_nodes=ints([p.block for p in spec.pools]),
        pool_contiguous=np.array([p.contiguous for p in spec.pools], dtype=np.bool_),
        job_one_block=np.array([j.one_block for j in spec.jobs], dtype=np.bool_),
        job_flexible=np.array([j.flexible for j in spec.jobs], dtype=np.bool_),
        job_move_days=ints([j.move for j in spec.jobs]),
        equal_support_frac=spec.equal,
        support_group=ints([t.group for t in spec.teams]),
        use_consortium=ints([at for at, t in enumerate(spec.teams) for _ in t.uses]),
        use_end_day=ints([end for t in spec.teams for end, _ in t.uses]),
        use_least=floats([least for t in spec.teams for _, least in t.uses]),
        assumed=(),
    )
