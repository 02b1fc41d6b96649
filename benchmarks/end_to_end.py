"""The whole way from a scenario file to an audited plan, as a process of its own."""

from __future__ import annotations

from importlib.resources import files

from benchmarks.figure import Figure, process_time_and_memory


def measure(quick: bool) -> list[Figure]:
    """Wall time and peak memory of `planner allocate` on each shipped example."""
    examples = sorted(
        item.name
        for item in files("planner").joinpath("examples").iterdir()
        if item.name.endswith(".yaml")
    )
    figures = []
    for name in examples[-1:] if quick else examples:
        place = str(files("planner").joinpath("examples", name))
        seconds, peak, code = process_time_and_memory(["-m", "planner", "allocate", place])
        if code != 0:
            raise RuntimeError(f"planner allocate {name} ended with code {code}")
        figures += [
            Figure(f"planner allocate {name}", seconds, "s", "under 10"),
            Figure(f"planner allocate {name}, peak memory", peak / 1e6, "MB", "under 500"),
        ]
    return figures
