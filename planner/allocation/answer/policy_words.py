"""What a policy reached and what of it is proved, in words for the verdict."""

from __future__ import annotations

import datetime
import math

import numpy as np

from planner.allocation.policy.figures import Figures
from planner.allocation.policy.finish_time import mean_days, ratios
from planner.allocation.policy.goal import Reached, shares_reached
from planner.allocation.policy.proportions import proportions
from planner.allocation.program.register import Register
from planner.allocation.proof.aim import Aim

__all__ = ["aim_gap_frac", "policy_words"]

J_PER_MWH = 3.6e9


def policy_words(aim: Aim, reached: Reached, figures: Figures, work_frac: float) -> str:
    """
    What the plan of a policy is best at, and how near the best it is proved to be.

    Parameters
    ----------
    aim : Aim
        A policy but weighted work, and what there was to choose from.
    reached : Reached
        What is reached of its goals, and the solver's bounds.
    figures : Figures
        Of the plan.
    work_frac : float
        Part of the most weighted work that had to be done. [1]

    Returns
    -------
    str
        A part of a sentence. Where the most work is not proved, it speaks of the most found.
    """
    policy = aim.policy
    if policy == "max-min":
        return _worst(aim, reached, figures)
    if policy == "finish-time":
        return _slowest(aim, reached, figures)
    if policy == "proportional":
        return _proportional(aim, reached, figures)
    found = "" if reached.is_proved(0) else " found"
    work = f"{100 * work_frac:.4g} % of the most work{found}"
    if policy == "min-makespan":
        return _last_day(aim.register, reached, work)
    what = "energy" if policy == "min-energy" else "cost"
    return _least(reached, work, what)


def aim_gap_frac(aim: Aim, reached: Reached) -> float | None:
    """
    How far from the best of its aim the plan of a policy can be, as a part. [1]

    Returns
    -------
    float or None
        Of the share or ratio of the worst-off; of the geometric mean of shares; of the cost,
        energy or days, or of the work that had to be done where that is more. None where no
        bound is proved.
    """
    policy = aim.policy
    if not reached.reached:
        return None
    first = reached.bounds[0]
    if first is None:
        return None
    if policy == "proportional":
        total = float(proportions(aim.register, aim.program).weight.sum())
        return math.expm1(max(reached.reached[0] - first, 0.0) / total) if total > 0 else 0.0
    told = aim.goals[0].told
    gaps = [_gap(told(reached.reached[0]), told(first))]
    if policy not in ("max-min", "finish-time"):
        second = reached.bounds[1] if len(reached.bounds) > 1 else None
        if second is None:
            return None
        bound = math.ceil(second - 1e-6) if policy == "min-makespan" else second
        gaps.append(_gap(reached.reached[1], bound))
    return max(gaps)


def _gap(value: float, bound: float) -> float:
    """Distance of a value from its bound, over the larger of the two in size."""
    size = max(abs(value), abs(bound))
    far = abs(value - bound)
    return far / size if far > 1e-8 * size and size > 1e-9 else 0.0  # float noise is no gap


def _worst(aim: Aim, reached: Reached, figures: Figures) -> str:
    """What the worst-off gets, and what is proved."""
    got, able = shares_reached(aim.register, aim.program, figures.value)
    if not able:
        return "nobody asks for work that can be done"
    team = able[int(np.argmin(got))]
    share = float(got.min()) * float(aim.case.consortium_weight[team])
    name = aim.case.consortium_names[team]
    text = f"the worst-off, `{name}`, gets {100 * share:.3g} % of the work that can be done for it"
    if reached.reached and reached.is_proved(0):
        return f"{text}, the most possible"
    bound = reached.bounds[0] if reached.bounds else None
    if bound is None or share <= 0:
        return f"{text}, not proved the most possible"
    short = 1.0 - reached.reached[0] / bound
    return f"{text}, within {_percent(short)} of the most possible"


def _slowest(aim: Aim, reached: Reached, figures: Figures) -> str:
    """How much longer than alone the slowest waits, what is proved, and who had nothing alone."""
    if aim.terms is None or aim.alone_days is None or not aim.terms.counts.any():
        return "nobody asks for work that can be done"
    case, alone = aim.case, aim.alone_days
    ratio = ratios(case, aim.terms, figures, alone)
    team = int(np.argmax(ratio * case.consortium_weight))
    days, nothing = mean_days(case, aim.terms, figures), aim.terms.unserved_days(case)
    name = f"`{case.consortium_names[team]}`"
    has_nothing = aim.terms.counts & (days >= nothing * (1 - 1e-12))
    than = f"{ratio[team]:.3g} times as long as with an equal part alone"
    if has_nothing[team]:
        text = f"the slowest, {name}, gets nothing, which counts as {than}"
    else:
        text = (
            f"the slowest, {name}, waits {than}, {days[team]:.3g} days in place of "
            f"{alone[team]:.3g}"
        )
    others = [case.consortium_names[at] for at in np.flatnonzero(has_nothing) if at != team]
    if others:
        text += f" ({', '.join(f'`{other}`' for other in others)} without any work)"
    bound = reached.bounds[0] if reached.bounds else None
    if bound is None:
        text += ", not proved the least possible"
    elif reached.is_proved(0):
        text += ", the least possible"
    else:
        top = aim.goals[0].told(reached.reached[0])
        over = top / max(aim.goals[0].told(bound), 1e-12) - 1
        text += f", within {_percent(over)} of the least possible"
    idle = np.flatnonzero(aim.terms.counts & (alone >= nothing * (1 - 1e-12)))
    if len(idle):
        names = ", ".join(f"`{case.consortium_names[at]}`" for at in idle.tolist())
        text += f"; with an equal part alone {names} could do nothing"
    return text


def _proportional(aim: Aim, reached: Reached, figures: Figures) -> str:
    """The geometric mean of the shares, and how much larger any plan's can be."""
    mine = proportions(aim.register, aim.program)
    if not mine.names:
        return "nobody asks for work that can be done"
    share = shares_reached(aim.register, aim.program, figures.value)[0] * mine.weight
    total = float(mine.weight.sum())
    left_out = int((share <= 0).sum())
    mean = "0"
    if not left_out:
        mean = f"{100 * math.exp(float(mine.weight @ np.log(share)) / total):.3g}"
    text = f"the geometric mean of the shares of the work that can be done is {mean} %"
    if left_out:
        text = f"{left_out} of {len(share)} consortiums get nothing"
    bound = reached.bounds[0] if reached.bounds else None
    if bound is None:
        return f"{text}, with no bound proved"
    over = math.expm1(max(reached.reached[0] - bound, 0.0) / total)
    if over <= 1e-4:
        return f"{text}, the largest product of shares possible"
    return f"{text}, and no plan's mean is more than {_percent(over)} above it"


def _last_day(register: Register, reached: Reached, work: str) -> str:
    """The last day, and how much earlier it could be."""
    if len(reached.reached) < 2 or not math.isfinite(reached.reached[1]):
        return f"done early for {work}"
    last = round(reached.reached[1])
    if last == 0:
        return "no work can be done"
    date = register.case.first_day + datetime.timedelta(days=last - 1)
    text = f"the last run ends on {date}"
    bound = reached.bounds[1]
    if bound is None:
        return f"{text}, for {work}, not proved the earliest"
    earlier = last - math.ceil(bound - 1e-6)
    if earlier <= 0:
        return f"{text}, the earliest for {work}"
    return f"{text}, at most {earlier} days after the earliest for {work}"


def _least(reached: Reached, work: str, what: str) -> str:
    """How near the least energy or cost for the work."""
    if len(reached.reached) < 2 or reached.bounds[1] is None:
        return f"little {what} for {work}, with no bound proved"
    amount, bound = reached.reached[1], reached.bounds[1]
    stated = f" ({amount / J_PER_MWH:.3g} MWh)" if what == "energy" else ""
    if reached.is_proved(1):
        return f"the least {what} for {work}{stated}"
    over = (amount - bound) / max(amount, 1e-300)
    return f"within {_percent(over)} of the least {what} for {work}{stated}"


def _percent(frac: float) -> str:
    """A part as percent to two digits, rounded up, so that it holds."""
    step = 10.0 ** (math.floor(math.log10(max(100 * frac, 1e-9))) - 1)
    return f"{math.ceil(100 * frac / step - 1e-9) * step:.6g} %"
