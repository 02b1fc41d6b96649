"""Runs every benchmark and prints what it measured, beside what is asked of it."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import shlex
import sys
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.page import page

# A benchmark is a module with `measure(quick) -> list of Figure`.
REGISTRY = (
    "benchmarks.start",
    "benchmarks.pricing",
    "benchmarks.end_to_end",
    "benchmarks.allocation",
    "benchmarks.flexible",
)


def main() -> int:
    """Print the figures as a table, or as JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these, such as `start`; all by default")
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it still run?")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--page", type=Path, help="write the figures and K-AI's policies here")
    given = parser.parse_args()
    wanted = [f"benchmarks.{name}" for name in given.names] or list(REGISTRY)
    if not given.json:
        sys.stdout.write(f"Python {platform.python_version()}, {platform.machine()}\n")
    groups: list[tuple[str, list[Figure]]] = []
    for module in wanted:
        groups.append((module.removeprefix("benchmarks."), []))
        for figure in importlib.import_module(module).measure(given.quick):
            groups[-1][1].append(figure)
            asked = f"  asked: {figure.asked}" if figure.asked else ""
            shown = f"{figure.value:,.4g} {figure.unit}"
            line = f"{figure.name:<58} {shown:>16}{asked}"
            if given.json:
                line = json.dumps(figure._asdict(), ensure_ascii=False)
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    if given.page:
        command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
        given.page.write_text(page(groups, command), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
