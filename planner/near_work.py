"""Jobs that look like the same work under another name, found for a warning with its reasons."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from planner.architecture import ModelTable
from planner.eligibility import same_name
from planner.scenario import Job, Scenario
from planner.workload import ModelSheet, table_of

__all__ = [
    "NEAR_TOKENS_FRAC",
    "Alike",
    "Shape",
    "alike_jobs",
    "funded_alike",
    "model_shapes",
    "near_words",
]

NEAR_TOKENS_FRAC = 0.05
"""Part of the larger amount of tokens by which two jobs that look alike may differ."""

_COMPARED = 64  # nearest jobs by tokens that a job is compared with, for each thing in common
_SHAPE = (
    "layers", "hidden", "ffn_hidden", "heads", "kv_heads", "head_dim", "experts", "top_k",
    "moe_ffn_hidden", "shared_experts", "kv_lora",
)  # fmt: skip
_IDLE_WORDS = frozenset({"and", "corpora", "corpus", "data", "dataset", "for", "of", "the", "with"})

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Alike:
    """A job, and jobs before it in the file that it looks like, each with the reasons."""

    job: str
    others: tuple[tuple[str, tuple[str, ...]], ...]


def model_shapes(models: Mapping[str, ModelSheet]) -> dict[str, Shape]:
    """
    Numbers that two models of one architecture share, by the name as written.

    Layers, widths, heads and experts; the vocabulary is left out, since another tokenizer
    makes no other architecture.
    """
    names = list(models)
    if not names:
        return {}
    table: ModelTable = table_of([models[name] for name in names])
    columns = [getattr(table, field).tolist() for field in _SHAPE]
    return {name: tuple(column[at] for column in columns) for at, name in enumerate(names)}


def near_words(data: str) -> frozenset[str]:
    """
    Words by which the names of two data sets are compared, versions and years aside.

    Examples
    --------
    >>> sorted(near_words("Korean-Web corpus v2"))
    ['korean', 'web']
    """
    words = re.split(r"[\W_]+", same_name(data))
    return frozenset(
        word
        for word in words
        if word and word not in _IDLE_WORDS and not re.fullmatch(r"v\d+|(19|20)\d\d", word)
    )


def alike_jobs(
    scenario: Scenario, identities: Mapping[str, tuple[str, str, str]], shapes: Mapping[str, Shape]
) -> tuple[Alike, ...]:
    """
    Jobs that look like an earlier job of the file though their identity differs.

    Parameters
    ----------
    scenario : Scenario
        Jobs and consortiums whose names are known.
    identities : mapping of str to (model, data, objective)
        Identity of each job; jobs of equal identity fall under the rule against funding a
        workload twice, and are not told here.
    shapes : mapping of str to tuple of int
        Shape of each model as written; jobs of other models are passed over.

    Returns
    -------
    tuple of Alike
        At most one a job, in the order of the file, as are its others.

    Notes
    -----
    Two jobs look alike when their kind and the shape of their models are equal, their tokens
    differ by at most 5 % of the larger, and they have something in common: three quarters of
    the words of the shorter name of data, or, between two consortiums, a member. Jobs that
    have one such thing in common are sorted by tokens and compared with their nearest
    neighbours only, at most 64 upwards, so that the work grows with the number of jobs. Of
    more than 64 equal ones each is still told, beside a neighbour.
    """
    jobs = list(scenario.jobs.items())
    words = [near_words(job.data) for _, job in jobs]
    members = _members(scenario)
    lists: dict[tuple[object, ...], list[tuple[float, int]]] = defaultdict(list)
    for at, (_, job) in enumerate(jobs):
        shape = shapes.get(job.model)
        if shape is None:
            continue
        keys = [("data", word) for word in words[at]]
        keys += [("member", member) for member in members.get(job.consortium, ())]
        for key in keys:
            lists[(job.kind, shape, *key)].append((job.tokens.value, at))
    found: dict[int, dict[int, tuple[str, ...]]] = defaultdict(dict)
    for entries in lists.values():
        entries.sort()
        for place, (tokens, one) in enumerate(entries):
            end = bisect_right(entries, (tokens / (1 - NEAR_TOKENS_FRAC), len(jobs)))
            for _, two in entries[place + 1 : min(end, place + 1 + _COMPARED)]:
                low, high = sorted((one, two))
                if low in found[high] or identities[jobs[low][0]] == identities[jobs[high][0]]:
                    continue
                common = _in_common(jobs[low][1], jobs[high][1], (words[low], words[high]), members)
                if common:
                    found[high][low] = (*_alike(jobs[low][1], jobs[high][1]), *common)
    return tuple(
        Alike(jobs[at][0], tuple((jobs[low][0], others[low]) for low in sorted(others)))
        for at, others in sorted(found.items())
        if others
    )


def _members(scenario: Scenario) -> dict[str, dict[str, str]]:
    """Members of each consortium: spelling for comparing -> as written."""
    return {
        name: {same_name(member): member for member in consortium.members}
        for name, consortium in scenario.consortiums.items()
    }


def _alike(one: Job, two: Job) -> tuple[str, ...]:
    """What two jobs of one kind and shape agree in, in words."""
    low, high = sorted((one.tokens.value, two.tokens.value))
    apart = 100 * (1 - low / high) if high else 0.0
    model = f"both {one.kind} of one architecture"
    return (model, "as many tokens" if apart == 0 else f"tokens within {max(apart, 0.01):.2g} %")


def _in_common(
    one: Job,
    two: Job,
    words: tuple[frozenset[str], frozenset[str]],
    members: Mapping[str, Mapping[str, str]],
) -> tuple[str, ...]:
    """Data and members that two jobs share, in words; empty when nothing counts."""
    common: list[str] = []
    shared = words[0] & words[1]
    if shared and 4 * len(shared) >= 3 * min(map(len, words)):
        common.append(f"data `{one.data}` and `{two.data}`")
    if one.consortium != two.consortium:
        mine, other = (members.get(job.consortium, {}) for job in (one, two))
        both = [other[key] for key in mine if key in other]
        if both:
            common.append(f"`{one.consortium}` and `{two.consortium}` share {both[0]}")
    return tuple(common)


def funded_alike(alike: tuple[Alike, ...], funded: frozenset[str]) -> tuple[str, ...]:
    """Sentences about funded jobs that look like another funded one, one a job."""
    found = []
    for entry in alike:
        beside = [(name, why) for name, why in entry.others if name in funded]
        if entry.job in funded and beside:
            name, reasons = beside[0]
            found.append(
                f"`{name}` and `{entry.job}` look like one workload, and both are funded: "
                + "; ".join(reasons)
            )
    return tuple(found)
