"""Checks of references: every name leads to an entry, and no job waits for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hardware.errors import Diagnostic
from hardware.sheet import Path_
from planner.scenario import Evaluation, Job
from planner.scenario_fault import Written, unknown_name

__all__ = ["check_cycles", "check_references", "check_spellings"]


def check_spellings(written: Written) -> Iterator[Diagnostic]:
    """Names that nobody could read in a plan: empty, or with letters that do not print."""
    scenario = written.scenario
    for kind in ("programmes", "pools", "consortiums", "jobs"):
        for name in getattr(scenario, kind):
            if not name.strip() or not name.isprintable():
                yield written.fault(
                    (kind, name), "bad-value", "the name cannot be read",
                    found=repr(name), expected="letters that print", key=True,
                )  # fmt: skip


def check_references(written: Written) -> Iterator[Diagnostic]:
    """Names of consortiums, pools, programmes and jobs that stand for nothing in the file."""
    scenario = written.scenario
    for name, pool in scenario.pools.items():
        if pool.programme is not None:
            yield from _among(written, ("pools", name, "programme"), pool.programme,
                              "programme", scenario.programmes)  # fmt: skip
        yield from _each(written, ("pools", name, "open_to"), pool.open_to,
                         "consortium", scenario.consortiums)  # fmt: skip
    for name, consortium in scenario.consortiums.items():
        if consortium.programme is not None:
            yield from _among(written, ("consortiums", name, "programme"), consortium.programme,
                              "programme", scenario.programmes)  # fmt: skip
    for name, job in scenario.jobs.items():
        yield from _check_job(written, name, job)
    for at, evaluation in enumerate(scenario.evaluations):
        yield from _check_teams(written, ("evaluations", at), evaluation)


def _check_job(written: Written, name: str, job: Job) -> Iterator[Diagnostic]:
    scenario = written.scenario
    path: Path_ = ("jobs", name)
    yield from _among(
        written, (*path, "consortium"), job.consortium, "consortium", scenario.consortiums
    )
    yield from _each(written, (*path, "pools"), job.pools, "pool", scenario.pools)
    for at, before in enumerate(job.after):
        place = (*path, "after", at)
        if before == name:
            yield written.fault(place, "waits-for-itself", "the job waits for itself",
                                found=f"`{name}`", expected="another job")  # fmt: skip
        else:
            yield from _among(written, place, before, "job", scenario.jobs)


def _check_teams(written: Written, path: Path_, evaluation: Evaluation) -> Iterator[Diagnostic]:
    consortiums = written.scenario.consortiums
    yield from _each(written, (*path, "removed"), evaluation.removed, "consortium", consortiums)
    yield from _each(
        written, (*path, "candidates"), evaluation.candidates, "consortium", consortiums
    )
    for name in evaluation.chances:
        yield from _among(written, (*path, "chances", name), name, "consortium", consortiums)


def _among(
    written: Written, path: Path_, name: str, kind: str, known: Mapping[str, object]
) -> Iterator[Diagnostic]:
    if name not in known:
        yield unknown_name(written, path, kind, name, known)


def _each(
    written: Written,
    path: Path_,
    names: Iterable[str] | None,
    kind: str,
    known: Mapping[str, object],
) -> Iterator[Diagnostic]:
    for at, name in enumerate(names or ()):
        yield from _among(written, (*path, at), name, kind, known)


def check_cycles(written: Written) -> Iterator[Diagnostic]:
    """Jobs that wait for each other in a ring; each ring is named once, in order."""
    jobs = written.scenario.jobs
    state: dict[str, int] = {}  # 1 = on the current chain, 2 = done
    for start in jobs:
        chain: list[str] = []
        ahead: list[Iterator[str]] = [iter((start,))]
        while ahead:
            name = next(ahead[-1], None)
            if name is None:
                ahead.pop()
                if chain:
                    state[chain.pop()] = 2
            elif state.get(name) == 1:
                ring = chain[chain.index(name) :]
                if len(ring) > 1:
                    yield _ring(written, ring)
            elif name in jobs and name not in state:
                state[name] = 1
                chain.append(name)
                ahead.append(iter(jobs[name].after))


def _ring(written: Written, ring: list[str]) -> Diagnostic:
    last = ring[-1]
    at = written.scenario.jobs[last].after.index(ring[0])
    return written.fault(
        ("jobs", last, "after", at), "cycle", "jobs wait for each other",
        found=" after ".join(f"`{name}`" for name in [*ring, ring[0]]),
        expected="an order in which each job can start", hint="drop one of these `after`",
    )  # fmt: skip
