"""Plans that change at borders: all of them are listed, and they are what they say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from planner.allocation.offer.block import blocks
from planner.allocation.offer.chain import chains_of, take_chains
from planner.allocation.offer.enumeration import chain_points, every_chain
from planner.allocation.offer.option import Options, enumerate_options, plan_keys, some_plans
from planner.case import Case
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.drawn import optimum
from tests.planner.allocation.drawn_flexible import drawn_flexible
from tests.planner.allocation.oracle import ways

MANY = 10**6


def flexible_case(**job: object) -> Case:
    """Two pools of two sizes, one job."""
    pools = [P([(0, 28, 4)]), P([(7, 28, 2)], rate=2.0, price=3.0)]
    return build(Spec(pools, [J(**{"tokens": 30.0, "nodes": (1, 2), "flexible": True, **job})]))


def told(options: Options) -> list[tuple[object, ...]]:
    """Chains as the oracle tells them."""
    chains, links = options.chains, options.links
    found = []
    for at in range(len(chains)):
        mine = np.flatnonzero(links.chain == at)
        held = tuple(
            zip(
                links.pool[mine].tolist(),
                links.nodes[mine].tolist(),
                links.start_day[mine].tolist(),
                links.end_day[mine].tolist(),
                strict=True,
            )
        )
        amounts = (chains.done_frac[at], chains.value[at], chains.cost[at])
        found.append((int(chains.job[at]), held, *(round(float(a), 6) for a in amounts)))
    return sorted(found)


@pytest.mark.parametrize("first", range(0, 240, 40))
def test_every_chain_is_listed_and_nothing_else(first: int) -> None:
    many = 0
    for seed in range(first, first + 40):
        case = build(drawn_flexible(seed))
        expected = sorted(
            (
                way.job,
                tuple((h.pool, h.nodes, h.start, h.end) for h in way.holds),
                *(round(a, 6) for a in (way.done, way.value, way.cost)),
            )
            for job in np.flatnonzero(case.job_flexible).tolist()
            for way in ways(case, job)
            if len(way.holds) > 1
        )
        assert told(enumerate_options(case, keeps_all=True)) == expected
        many += len(expected)
    assert many > 100


def test_a_needless_point_is_left_out_and_the_optimum_stays() -> None:
    fewer = 0
    for seed in range(80):
        case = build(drawn_flexible(seed))
        # A second price for the same nodes: half of the points are dearer and slower.
        case = dataclasses.replace(
            case,
            point_tokens_per_s=case.point_tokens_per_s * np.where(case.point_nodes > 1, 0.45, 1.0),
        )
        every, some = (enumerate_options(case, keeps_all=keeps) for keeps in (True, False))
        one, two = optimum(case, every), optimum(case, some)
        fewer += len(every.chains) - len(some.chains)
        assert one.status == two.status
        if one.objective is not None:
            assert two.objective == pytest.approx(one.objective, rel=1e-6, abs=1e-9)
            assert two.cost == pytest.approx(one.cost, rel=1e-6, abs=1e-6)
    assert fewer > 50


def test_a_slower_point_that_is_enough_for_a_whole_run_stays_for_links() -> None:
    """A run on two nodes takes as many whole days as on three; a part of the work does not."""
    case = flexible_case(tokens=14.0, nodes=(2, 3), move=0)
    rate = np.array([0.7, 0.95, 0.7, 0.95]) / 86400.0
    case = dataclasses.replace(case, point_tokens_per_s=rate)
    case = dataclasses.replace(case, job_tokens=np.array([0.6]))
    runs = enumerate_options(case).runs
    assert set(runs.nodes.tolist()) == {2}
    assert sorted(case.point_nodes[chain_points(case, blocks(case), 0)].tolist()) == [2, 2, 3, 3]


def test_days_value_and_cost_of_one_chain_by_hand() -> None:
    """One node for a week, then two faster ones: 7 done, a day lost, 23 left at 2 x 2^0.9 a day."""
    case = flexible_case(soft=(10, 0.1), value=5.0)
    point = [int(np.flatnonzero((case.point_pool == p) & (case.point_nodes == n))[0])
             for p, n in ((0, 1), (1, 2))]  # fmt: skip
    chains, links = chains_of(
        case, np.array([0]), np.array([0, 0]), np.array(point), np.array([0, 7])
    )
    days = int(np.ceil(23 / (2 * 2**0.9)))
    end = 7 + 1 + days
    assert (chains.start_day[0], chains.end_day[0]) == (0, end)
    assert links.end_day.tolist() == [7, end]
    assert links.lost_days.tolist() == [0, 1]
    assert chains.cost[0] == pytest.approx(7 * 1 + 2 * 3.0 * (1 + days))
    assert chains.value[0] == pytest.approx(5.0 * (1 - 0.1 * (end - 10)))
    assert chains.done_frac[0] == 1.0


@pytest.mark.parametrize(
    ("tokens", "starts", "chain", "words"),
    [
        (30.0, [0], [0], "two links"),
        (5.0, [0, 7], [0, 0], "before its last link"),
        (7.0, [0, 7], [0, 0], "before its last link"),
        (900.0, [0, 7], [0, 0], "does not finish"),
        (30.0, [0, 26], [0, 0], "does not finish"),
        (30.0, [0, 27], [0, 0], "more days than its move"),
        (30.0, [7, 7], [0, 0], "more days than its move"),
    ],
)
def test_what_is_no_chain_is_refused(
    tokens: float, starts: list[int], chain: list[int], words: str
) -> None:
    case = flexible_case(tokens=tokens)
    with pytest.raises(ValueError, match=words):
        chains_of(case, np.array([0]), np.array(chain), np.array([0, 3])[: len(starts)],
                  np.array(starts))  # fmt: skip


def test_more_chains_than_the_limit_are_not_listed() -> None:
    case = flexible_case()
    found = every_chain(case, blocks(case), MANY)
    assert found is not None
    many = len(found[0])
    assert many > 10
    assert every_chain(case, blocks(case), many) is not None
    assert every_chain(case, blocks(case), many - 1) is None
    cut = enumerate_options(case, chain_limit=many - 1)
    assert not cut.is_whole
    assert (len(cut.chains), len(cut.links)) == (0, 0)
    assert len(cut.runs) > 0
    assert enumerate_options(case, chain_limit=many).is_whole


def test_one_pool_and_one_count_leave_nothing_to_change() -> None:
    spec = Spec([P([(0, 28, 4)])], [J(tokens=9, nodes=(2,), flexible=True, move=0)])
    fixed = dataclasses.replace(spec, jobs=[dataclasses.replace(spec.jobs[0], flexible=False)])
    one, two = enumerate_options(build(spec)), enumerate_options(build(fixed))
    assert len(one.chains) == 0
    assert plan_keys(one) == plan_keys(two)


def test_some_plans_are_those_asked_for() -> None:
    options = enumerate_options(flexible_case())
    keys = plan_keys(options)
    columns = np.arange(0, len(keys), 3)
    some = some_plans(options, columns)
    assert plan_keys(some) == [keys[at] for at in columns.tolist()]
    assert not some.is_whole
    rows = np.array([5, 2])
    chains, links = take_chains(options.chains, options.links, rows)
    assert chains.cost.tolist() == options.chains.cost[rows].tolist()
    assert links.start_day[links.chain == 0].tolist() == (
        options.links.start_day[options.links.chain == 5].tolist()
    )


def test_fixed_jobs_and_those_that_pause_have_no_chains() -> None:
    jobs = [J(flexible=True), J(), J(preemptible=True)]
    chains = enumerate_options(build(Spec([P([(0, 28, 4)])], jobs, [T()]))).chains
    assert set(chains.job.tolist()) == {0}
