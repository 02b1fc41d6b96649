"""Cases with flexible jobs, drawn by a seed: small enough to try every plan, every rule at work."""

from __future__ import annotations

import random

from tests.planner.allocation.conftest import J, P, Spec, T

NESTED = ((0, 99, 3),), ((0, 99, 2),), ((0, 99, 2), (7, 99, 2)), ((0, 99, 2), (0, 14, 2))
APART = ((0, 12, 2), (5, 99, 2)), ((0, 10, 2), (10, 99, 3)), ((0, 7, 1), (3, 99, 2), (3, 14, 1))


def drawn_flexible(seed: int) -> Spec:
    """
    A small case; most of its jobs may change pool and nodes at borders.

    Every other case is one in which changing pays: nodes come later, or go, and a finish
    later than some day is worth less.
    """
    dice = random.Random(seed)
    days, tied = dice.choice([14, 19, 21]), dice.random() < 0.2
    pays = seed % 2 == 0
    pools = [_pool(dice, days, tied=tied, pays=pays) for _ in range(dice.choice([1, 1, 2]))]
    teams = [_team(dice, days, pays=pays) for _ in range(dice.choice([1, 2]))]
    lends = dice.random() < 0.15
    jobs = []
    for at in range(dice.randint(1, 3)):
        flexible = dice.random() < 0.8
        lending = dice.choice([{}, {"borrows": (0,)}, {"goes_first": (0,)}]) if lends else {}
        jobs.append(
            J(
                team=dice.randrange(len(teams)),
                tokens=dice.choice([8.0, 11.0, 17.0, 26.0] if pays else [3.0, 8.0, 17.0, 40.0]),
                value=dice.choice([0.0, 1.0, 2.0, 3.7]),
                nodes=dice.choice([(1, 2, 3), (1, 2), (1, 3)] if pays else [(1,), (1, 2), (2, 3)]),
                pools=dice.choice([None, None, (0,)]),
                window=dice.choice([None, None, None, (4, days), (0, 13), (2, 12)]),
                soft=dice.choice([(6, 0.05), (8, 0.1), None] if pays else [None, (8, 0.2)]),
                partial=dice.random() < 0.3,
                preemptible=not flexible and dice.random() < 0.3,
                identity=dice.choice([None, None, 7]),
                after=tuple(before for before in range(at) if dice.random() < 0.2),
                flexible=flexible,
                move=dice.choice([0, 1] if pays else [0, 1, 2, 4]),
                one_block=tied and dice.random() < 0.6,
                **lending,
            )
        )
    equal = dice.choice([-1.0] * 5 + [0.2])
    return Spec(
        pools, jobs, teams, days, dice.choice([5, 7]), dice.choice([0, 0, 0.4]), equal=equal
    )


def _pool(dice: random.Random, days: int, *, tied: bool, pays: bool) -> P:
    """One pool; where jobs stay in one block of a fabric, deliveries fill whole blocks."""
    kinds = (((0, 99, 4),), ((0, 99, 2), (7, 99, 2))) if tied else (*NESTED, *APART)
    if pays and not tied:
        kinds = ((0, 7, 1), (7, 99, 3)), ((0, 99, 1), (7, 99, 2)), ((0, 7, 3), (7, 99, 1))
    deliveries = [(first, min(end, days), nodes) for first, end, nodes in dice.choice(kinds)]
    return P(
        deliveries,
        price=dice.choice([0.0, 1.0, 1.5, 3.0]),
        equivalent=dice.choice([0.5, 1.0, 2.0]),
        shared=dice.random() < 0.5,
        rate=dice.choice([0.7, 1.0, 1.6]),
        block=dice.choice([1, 2]) if tied else 0,
    )


def _team(dice: random.Random, days: int, *, pays: bool) -> T:
    """One consortium."""
    uses = ((dice.randint(5, days), dice.choice([1.0, 4.0])),)
    return T(
        weight=dice.choice([0.0, 1.0, 1.0, 2.5]),
        budget=dice.choice([-1.0] * (7 if pays else 3) + [0.0, 20.0, 45.0]),
        floor=dice.choice([0.0] * 8 + [0.4, 1.1]),
        cap=dice.choice([0.0, 0.0, 2.0, 3.5]),
        days=dice.choice([None, None, None, (3, days)]),
        uses=dice.choice([()] * 6 + [uses]),
    )
