"""Moves and pauses of the jobs of a plan, in words."""

from __future__ import annotations

from typing import Any

from planner.plan_path import paths


def row(job: str, pool: str, nodes: int, first: str, last: str) -> dict[str, Any]:
    return {"job": job, "pool": pool, "nodes": nodes, "from": first, "to": last}


def test_a_job_of_one_row_has_no_path() -> None:
    assert paths([row("aurora", "north", 8, "2026-01-01", "2026-01-31")]) == {}


def test_moves_are_told_in_the_order_of_their_days() -> None:
    rows = [
        row("aurora", "south", 64, "2026-10-01", "2026-12-31"),
        row("aurora", "north", 64, "2026-01-01", "2026-06-30"),
        row("boreal", "north", 8, "2026-01-01", "2026-06-30"),
        row("aurora", "north", 128, "2026-07-01", "2026-09-30"),
    ]
    assert paths(rows) == {
        "aurora": "moves twice: 64 -> 128 nodes on 2026-07-01, "
        "128 nodes of north -> 64 of south on 2026-10-01"
    }


def test_a_job_that_pauses_is_not_said_to_move() -> None:
    rows = [
        row("cedar", "north", 8, "2026-01-08", "2026-01-28"),
        row("cedar", "north", 8, "2026-02-12", "2026-02-27"),
    ]
    assert paths(rows) == {"cedar": "pauses once: from 2026-01-29 to 2026-02-11"}


def test_rows_side_by_side_are_other_node_ids() -> None:
    days = [
        ("2026-01-01", "2026-01-31"),
        ("2026-02-01", "2026-02-28"),
        ("2026-03-01", "2026-03-31"),
    ]
    rows = [row("dune", "north", 8, *span) for span in days]
    assert paths(rows) == {"dune": "goes on in 3 rows with other node ids"}
    moved = [{**one, "nodes": 8 + at} for at, one in enumerate([*rows, rows[0]])]
    assert paths(moved)["dune"].startswith("moves 3 times: ")
