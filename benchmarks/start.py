"""How soon the command line answers, beside a bare interpreter."""

from __future__ import annotations

from benchmarks.figure import Figure, process_s


def measure(quick: bool) -> list[Figure]:
    """Help of the program and of a command, and the ratio of help to `python -c pass`."""
    repeat = 3 if quick else 15
    bare = process_s(["-c", "pass"], repeat)
    help_ = process_s(["-m", "planner", "--help"], repeat)
    check = process_s(["-m", "planner", "check", "--help"], repeat)
    imported = process_s(["-c", "import planner, hardware"], repeat)
    return [
        Figure("python -c pass", bare, "s"),
        Figure("import planner, hardware", imported, "s"),
        Figure("planner --help", help_, "s", "under 0.15"),
        Figure("planner check --help", check, "s", "under 0.15"),
        Figure("planner --help over python -c pass", help_ / bare, "", "under 7.5"),
    ]
