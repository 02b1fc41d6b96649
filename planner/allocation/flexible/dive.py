"""Plans by diving: the mixture of plans is made whole, job by job, and priced anew in between."""

from __future__ import annotations

import time

from planner.allocation.flexible.board import ChainBoard
from planner.allocation.flexible.master import Master, path_terms
from planner.allocation.flexible.parts import Part
from planner.allocation.flexible.path import Path, best_paths
from planner.allocation.flexible.value import NEVER, chain_values
from planner.allocation.flexible.ways import Ways, costs_of
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["dive"]

WHOLE = 0.999  # part of a job from which a plan of the mixture is taken as it is


def dive(master: Master, board: ChainBoard, part: Part, *, time_limit_s: float) -> list[Path]:
    """
    A plan made from the best mixture of plans.

    Parameters
    ----------
    master : Master
        The relaxed program over plans, with absences; more plans are added.
    board : ChainBoard
        What each row has left; holds the plan in the end.
    part : Part
        Jobs that are to be served, where they can be, and jobs that are not.
    time_limit_s : float
        Time after which no more jobs are settled. [s]

    Returns
    -------
    list of Path
        All plans that were found on the way, those on the board among them.

    Notes
    -----
    The plan of which the mixture holds most is settled if what is left has room for it, and
    refused if not; then the jobs that are not settled look for the best plans in what is
    left, at the prices of the new mixture [1]_.

    References
    ----------
    .. [1] R. Sadykov, F. Vanderbeck, A. Pessoa, I. Tahiri, E. Uchoa, "Primal heuristics for
       branch and price: the assets of diving methods," INFORMS Journal on Computing, vol. 31,
       2019.
    """
    end, found = time.monotonic() + time_limit_s, list[Path]()
    board.clear()
    master.ask(part.served, part.refused)
    try:
        while time.monotonic() < end and not is_stopped():
            solved = master.prices(max(end - time.monotonic(), 0.1))
            if solved is None or not _settle(master, board):
                break
            solved = master.prices(max(end - time.monotonic(), 0.1))
            if solved is None:
                break
            board.set_prices(solved[1])
            fresh = _fitting(master, board, part)
            master.add(fresh)
            found += fresh
    finally:
        master.release()
    return [*found, *(path for path, _, _ in board.chosen.values())]


def _settle(master: Master, board: ChainBoard) -> bool:
    """Settle the plan of which the mixture holds most, and those it holds whole; whether any."""
    is_any = False
    mixed = [one for one in master.mixture() if one[1].job not in board.chosen]
    for share, path, column in sorted(mixed, key=lambda one: -one[0]):
        if is_any and share < WHOLE:
            break
        row, _, amount = path_terms(board.rows, [path])
        fits = bool(((amount <= 0) | (board.left[row] + board.slack[row] >= amount)).all())
        master.settle(column, chosen=fits)
        if fits:
            board.put((path, row, amount))
        is_any |= fits
    return is_any


def _fitting(master: Master, board: ChainBoard, part: Part) -> list[Path]:
    """The best plans, in what is left, of the jobs that are not settled."""
    rows, tariff = board.rows, board.tariff

    def best(one: Ways) -> list[Path]:
        end_most, release_most = board.room(one.job)
        costs = costs_of(rows.case, one, tariff, may_earn=False)
        values = chain_values(one, costs, board.buckets, is_bound=False, end_most=end_most,
                              release_most=release_most)  # fmt: skip
        if values.best <= 0.5 * NEVER:
            return []
        return best_paths(one, costs, values, end_most=end_most, release_most=release_most)

    ways = [one for one in master.chains.ways
            if one.job not in board.chosen and one.job not in part.refused]  # fmt: skip
    return [path for paths in master.chains.each(best, ways) for path in paths]
