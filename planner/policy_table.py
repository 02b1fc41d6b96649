"""Policies side by side: what each gives and costs, and how fair it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ConsortiumRow", "Policies", "PolicyRow"]

NEAR = 1e-6


@dataclass(frozen=True)
class ConsortiumRow:
    """
    What one consortium gets under a policy.

    `value` is of its work, without the weight; `satisfaction_frac` that over what it could
    get alone. `has_equal_part` tells whether it is at least what an equal part would give;
    `envies` names those whose nodes would be worth more to it, None where that was not
    computed in time. `finish_ratio` is of the mean days to the ends of its jobs, over those
    alone with an equal part; None for one without a weight or work that can be done.
    """

    consortium: str
    value: float
    satisfaction_frac: float | None
    has_equal_part: bool | None
    envies: tuple[str, ...] | None
    finish_ratio: float | None
    cost: float
    node_months: float


@dataclass(frozen=True)
class PolicyRow:
    """
    One policy: `work` is weighted, `lost_frac` the part of the most work that it gives up.

    `gap_frac` is of the policy's own aim, as proved; None where no bound is.
    """

    policy: str
    status: str
    work: float | None
    lost_frac: float | None
    cost: float | None
    idle_frac: float | None
    gap_frac: float | None
    words: str
    consortiums: tuple[ConsortiumRow, ...]

    @property
    def worst(self) -> ConsortiumRow | None:
        """The consortium with the least satisfaction, the first of equals."""
        known = [one for one in self.consortiums if one.satisfaction_frac is not None]
        return min(known, key=lambda one: one.satisfaction_frac or 0.0, default=None)

    @property
    def slowest(self) -> ConsortiumRow | None:
        """The consortium with the largest ratio of days to those alone, the first of equals."""
        known = [one for one in self.consortiums if one.finish_ratio is not None]
        return max(known, key=lambda one: one.finish_ratio or 0.0, default=None)

    @property
    def with_equal_part(self) -> int | None:
        """Consortiums that get at least what an equal part would give them."""
        known = [one.has_equal_part for one in self.consortiums]
        return None if not known or None in known else sum(map(bool, known))

    @property
    def envy(self) -> int | None:
        """Ordered pairs of consortiums in which the first would rather have the second's nodes."""
        known = [one.envies for one in self.consortiums]
        if not known or None in known:
            return None
        return sum(len(one) for one in known if one is not None)


@dataclass(frozen=True)
class Policies:
    """The policies of one scenario, with what every consortium could get otherwise."""

    name: str
    currency: str
    consortiums: tuple[str, ...]
    alone_value: tuple[float | None, ...]  # [consortium] that can be had alone
    alone_is_proved: tuple[bool, ...]  # [consortium]
    equal_value: tuple[float | None, ...]  # [consortium] with an equal part
    rows: tuple[PolicyRow, ...]
    seconds: float
    allocation: str = "fixed"  # or flexible: what the scenario, or who asked, said

    @property
    def sentence(self) -> str:
        """How much fairness costs at most and gives at best, in one sentence."""
        found = [row for row in self.rows if row.work is not None]
        if not found:
            return f"no plan under any of {len(self.rows)} policies"
        text = f"{len(found)} of {len(self.rows)} policies have a plan"
        lost = [row for row in found if row.lost_frac is not None]
        if lost:
            most = max(lost, key=lambda row: row.lost_frac or 0.0)
            part = 100 * (most.lost_frac or 0.0)
            text += (
                f"; {most.policy} gives up the most work, {part:.2g} %"
                if part > 100 * NEAR
                else "; none gives up work"
            )
        worst = [(row, row.worst) for row in found if row.worst is not None]
        if worst:
            row, one = max(worst, key=lambda pair: _satisfaction(pair[1]))
            text += f"; the worst-off is best off under {row.policy}, "
            text += f"with {100 * _satisfaction(one):.3g} % of what it could get alone"
        return text

    def to_frame(self) -> Any:
        """
        A pandas frame with one row a policy and consortium, in the order of both.

        What is of the policy alone, such as `work` and `idle_frac`, stands in each of its rows;
        None where nothing is known, and one row without a consortium where there is no plan.
        """
        import pandas

        frame = pandas.DataFrame([line for row in self.rows for line in _lines(row)])
        for name in ("policy", "status", "consortium"):
            frame[name] = frame[name].astype("category")
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Plain types: SI units, null where unknown."""
        return {
            "schema": "planner/policies/1",
            "scenario": self.name,
            "allocation": self.allocation,
            "currency": self.currency,
            "alone": [
                {"consortium": name, "value": value, "is_proved": proved, "equal_part_value": part}
                for name, value, proved, part in zip(
                    self.consortiums, self.alone_value, self.alone_is_proved, self.equal_value,
                    strict=True,
                )
            ],
            "policies": [_plain(row) for row in self.rows],
            "seconds": self.seconds,
        }  # fmt: skip


def _satisfaction(one: ConsortiumRow | None) -> float:
    return 0.0 if one is None or one.satisfaction_frac is None else one.satisfaction_frac


def _lines(row: PolicyRow) -> list[dict[str, Any]]:
    """One record a consortium, with what is of the policy."""
    policy = {key: value for key, value in _plain(row).items() if key != "consortiums"}
    policy["policy_cost"] = policy.pop("cost")
    if not row.consortiums:
        return [{**policy, "consortium": None}]
    return [
        {**policy, **one, "envies": None if one["envies"] is None else len(one["envies"])}
        for one in _plain(row)["consortiums"]
    ]


def _plain(row: PolicyRow) -> dict[str, Any]:
    worst, slow = row.worst, row.slowest
    return {
        "policy": row.policy,
        "status": row.status,
        "work": row.work,
        "lost_frac": row.lost_frac,
        "worst_off": None if worst is None else worst.consortium,
        "worst_off_frac": None if worst is None else worst.satisfaction_frac,
        "cost": row.cost,
        "idle_frac": row.idle_frac,
        "with_equal_part": row.with_equal_part,
        "envious_pairs": row.envy,
        "slowest": None if slow is None else slow.consortium,
        "slowest_ratio": None if slow is None else slow.finish_ratio,
        "gap_frac": row.gap_frac,
        "sentence": row.words,
        "consortiums": [
            {
                "consortium": one.consortium,
                "value": one.value,
                "satisfaction_frac": one.satisfaction_frac,
                "has_equal_part": one.has_equal_part,
                "envies": None if one.envies is None else list(one.envies),
                "finish_ratio": one.finish_ratio,
                "cost": one.cost,
                "node_months": one.node_months,
            }
            for one in row.consortiums
        ],
    }


def is_at_least(value: float, other: float) -> bool:
    """Whether a value is no less than another, but for float noise."""
    return bool(value >= other - NEAR * max(abs(other), float(np.finfo(np.float64).tiny)))
