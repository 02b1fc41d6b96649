"""The fewest members that meet every one of some sets."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["hitting_set"]


def hitting_set(sets: Sequence[frozenset[int]], *, steps: int = 200_000) -> tuple[int, ...] | None:
    """
    A smallest set of numbers with a member in common with each of the sets.

    Parameters
    ----------
    sets : sequence of frozenset
        None of them empty.
    steps : int
        Branches to look at before giving up.

    Returns
    -------
    tuple of int or None
        Ascending; of several the one that comes first when branching on the smallest set
        not met yet. None when it was not found in so many steps.

    Examples
    --------
    >>> hitting_set([frozenset({1, 2}), frozenset({2, 3}), frozenset({4})])
    (2, 4)
    >>> hitting_set([])
    ()
    """
    ordered = sorted({*sets}, key=lambda one: (len(one), sorted(one)))
    left = [steps]
    for size in range(_apart(ordered), len(ordered) + 1):
        found = _within(ordered, size, (), left)
        if found is not None:
            return tuple(sorted(found))
        if left[0] <= 0:
            return None
    return None


def _apart(sets: Sequence[frozenset[int]]) -> int:
    """How many of the sets, taken in order, share no member: each needs a number of its own."""
    seen: set[int] = set()
    count = 0
    for one in sets:
        if not seen & one:
            count += 1
            seen |= one
    return count


def _within(
    sets: Sequence[frozenset[int]], size: int, chosen: tuple[int, ...], left: list[int]
) -> tuple[int, ...] | None:
    """Numbers that meet all of the sets, at most `size` more; None when there are none."""
    missed = [one for one in sets if not one.intersection(chosen)]
    if not missed:
        return chosen
    left[0] -= 1
    if left[0] <= 0 or _apart(missed) > size:
        return None
    for member in sorted(missed[0]):
        found = _within(missed, size - 1, (*chosen, member), left)
        if found is not None:
            return found
    return None
