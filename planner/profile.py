"""Profiles fitted to published rows, or to a user's own: from a file of rows to a table."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import Floats
from hardware.errors import Diagnostic, InputError, Where
from planner.calibration import Evidence, Tables, evidence, fit, log_error
from planner.leave_out import by_group, marked_measured, scored, with_spreads
from planner.measured import read_csv, read_measurements
from planner.profile_text import constants_text
from planner.stack import CONSTANTS, PRIORS, StackTable, load_constants, load_priors, stack_row
from planner.trial import summary

__all__ = ["Calibration", "calibrate"]


@dataclass(frozen=True)
class Calibration:
    """A fitted table of constants, and what it was fitted on."""

    tables: Tables
    known: Evidence
    before: Floats  # [row] log error with the constants that the fit started from
    after: Floats  # [row] with the fitted ones; not an accuracy, since they saw the rows
    unseen: Floats  # [row] with the row's source left out; empty where that was not asked for
    provenance: Mapping[str, str | int]

    @property
    def text(self) -> str:
        """The table as a document for `load_constants`."""
        return constants_text(*self.tables, self.provenance)

    def to_dict(self) -> dict[str, Any]:
        """Errors before and after by stack, and of unseen rows, in plain types."""
        names = np.array(self.tables[0].names)[self.known.stack]
        return {
            "schema": "planner/calibration/1",
            "provenance": dict(self.provenance),
            "stacks": {
                name: {
                    "before": summary(self.before[names == name], None, count=int(number)),
                    "after": summary(self.after[names == name], None, count=int(number)),
                }
                for name, number in zip(*np.unique(names, return_counts=True), strict=True)
            },
            "unseen": self._unseen(),
        }

    def _unseen(self) -> dict[str, Any] | None:
        if not len(self.unseen):
            return None
        fair = scored(self.known)
        return summary(self.unseen[fair], None, count=int(fair.sum()))


def calibrate(
    path: str | Path,
    *,
    constants: str | Path = CONSTANTS,
    everything: bool = False,
    priors: str | Path = PRIORS,
    note: Callable[[str], None] = lambda text: None,
) -> Calibration:
    """
    Fit constants to the rows of a file.

    Parameters
    ----------
    path : str or Path
        Rows in the columns of ``measurements.csv``.
    constants : str or Path
        Table to start from; what is not fitted stays as it is there.
    everything : bool
        Fit families of devices too, from the priors, and learn the intervals
        from sources left out in turn; this is how the shipped table is made.
        Otherwise only the stacks of the rows move, from where they stand.
    priors : str or Path
        Where `everything` starts.
    note : callable
        Told what is being left out, for progress.

    Returns
    -------
    Calibration
        With a profile for every stack that the rows name.

    Raises
    ------
    InputError
        The file cannot be read, or no row of it can be used.
    """
    lines = read_csv(path)
    start = load_priors(priors, constants) if everything else load_constants(constants)
    start = (_with_names(start[0], [line.get("stack", "") for line in lines]), start[1])
    known = evidence(read_measurements(lines, start[0]), start[1])
    if not len(known):
        raise InputError(
            Diagnostic(
                "no-usable-row",
                "no row states an architecture, a layout and a speed",
                Where(str(path)),
                hint="`planner backtest` says of each row what it lacks",
            )
        )
    fitted = fit(known, start, with_families=everything)
    unseen = np.zeros(0)
    if everything:
        fitted, unseen = _with_intervals(known, start, fitted, note)
    else:
        fitted = (marked_measured(fitted, known)[0], start[1])
        fitted = (_or_measured(fitted[0], start[0]), start[1])
    return Calibration(
        tables=fitted,
        known=known,
        before=log_error(known, start),
        after=log_error(known, fitted),
        unseen=unseen,
        provenance=_provenance(path, known, everything),
    )


def _with_intervals(
    known: Evidence, start: Tables, fitted: Tables, note: Callable[[str], None]
) -> tuple[Tables, Floats]:
    """The fitted tables with the spread of rows that a fit has not seen."""
    unseen = by_group(known, start, known.sources, near=fitted, note=note)
    names = [start[1].names[family] for family in known.family.tolist()]
    of_family = by_group(known, start, names, near=fitted, note=note)
    fitted = marked_measured(fitted, known)
    return with_spreads(fitted, known, unseen, of_family), unseen


def _with_names(stacks: StackTable, names: Sequence[str]) -> StackTable:
    """The table with a profile, equal to the default, for each stack that it does not know."""
    new = sorted({name for name in names if name and stack_row(stacks, name) == 0})
    new = [name for name in new if name != stacks.names[0]]
    if not new:
        return stacks
    columns: dict[str, Any] = {"names": (*stacks.names, *new)}
    for field in dataclasses.fields(stacks):
        if field.name != "names":
            column = getattr(stacks, field.name)
            columns[field.name] = np.concatenate([column, np.repeat(column[:1], len(new))])
    return StackTable(**columns)


def _or_measured(stacks: StackTable, start: StackTable) -> StackTable:
    return dataclasses.replace(stacks, measured=stacks.measured | start.measured)


def _provenance(path: str | Path, known: Evidence, everything: bool) -> dict[str, str | int]:
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return {
        "command": "planner calibrate" + (" --everything" if everything else ""),
        "rows": len(known),
        "sources": len(set(known.sources)),
        "sha256": digest,
    }
