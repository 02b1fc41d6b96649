"""The answer: who holds which nodes from when to when, how good that is, and what is left out."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from hardware.errors import (
    Diagnostic,
    Infeasible,
    InputError,
    UnknownName,
    Unproven,
    Where,
    near_match,
    word_for,
)
from planner.period import Periods, read_periods
from planner.plan_aim import PlanAim, read_aim, written_aim
from planner.plan_bind import Binding, read_bindings, written_bindings
from planner.plan_table import (
    PlanJobTable,
    PlanRowTable,
    PlanShareTable,
    Verdict,
    read_tables,
    written_tables,
)
from planner.plan_text import plan_html, plan_text

__all__ = ["SCHEMA", "Plan", "PlanJobTable", "PlanRowTable", "PlanShareTable", "Verdict"]

SCHEMA = "planner/plan/1"


@dataclass(frozen=True, repr=False)
class Plan:
    """
    A plan, or the answer that there is none, with where it comes from.

    `rows` says who holds what, `jobs` what became of each job, `consortiums` what each one
    gets. `inputs` are (path, sha256) of the files read. `certificate` has prices of the
    program's rows, from which `planner.allocation.proof.witness` recomputes `certified_bound`, the
    most weighted work that any plan can do; `binds` what more of each scarce thing is worth
    at these prices. `aim` has the goals of the policy with what proves each. `periods` is the
    resolution, stated or chosen. `value_unit` is empty where jobs state their values. Money is
    in `currency`, everything else in SI units.
    """

    verdict: Verdict
    rows: PlanRowTable
    jobs: PlanJobTable
    consortiums: PlanShareTable
    currency: str
    tool: tuple[str, str]
    inputs: tuple[tuple[str, str], ...] = ()
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    certificate: tuple[tuple[str, float], ...] = ()
    certified_bound: float | None = None
    binds: tuple[Binding, ...] = ()
    periods: Periods | None = None
    aim: PlanAim | None = None
    value_unit: str = ""

    def require(self) -> Plan:
        """
        The plan itself when there is one.

        Raises
        ------
        Infeasible
            Proved that there is none; the diagnostic holds the conflict and its repair.
        Unproven
            Stopped before any was found.
        """
        status = self.verdict.status
        if status in ("optimal", "feasible"):
            return self
        hint = "; ".join(self.warnings)
        if status == "infeasible":
            raise Infeasible(Diagnostic("no-plan", self.verdict.sentence, hint=hint))
        raise Unproven(Diagnostic("no-plan-found", self.verdict.sentence, hint=hint))

    def why(self, job: str) -> str:
        """
        Why a job runs as it does, or why it does not.

        Raises
        ------
        UnknownName
            The scenario has no such job.
        """
        if job not in self.jobs.job:
            raise UnknownName(
                Diagnostic("unknown-job", f"no job `{job}` in the plan", found=job,
                           hint=near_match(job, self.jobs.job))
            )  # fmt: skip
        at = self.jobs.job.index(job)
        text, hint = self.jobs.sentence[at], self.jobs.hint[at]
        return f"{text}\nhint: {hint}" if hint else text

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain types, as its file holds it; None where nothing is known."""
        return {
            "schema": SCHEMA,
            "tool": {"name": self.tool[0], "version": self.tool[1]},
            "inputs": [{"path": path, "sha256": digest} for path, digest in self.inputs],
            "currency": self.currency,
            "value_unit": self.value_unit or None,
            "periods": None if self.periods is None else self.periods.to_dict(),
            "verdict": {f.name: getattr(self.verdict, f.name) for f in fields(Verdict)},
            **written_tables(self.rows, self.jobs, self.consortiums),
            "assumed": list(self.assumed),
            "warnings": list(self.warnings),
            "certificate": None
            if self.certified_bound is None
            else {"bound": self.certified_bound, "prices": dict(self.certificate)},
            "binds": written_bindings(self.binds),
            "aim": written_aim(self.aim),
        }

    def to_json(self) -> str:
        """The plan file: JSON, raw SI units, null for unknown, keys in a fixed order."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """
        The plan that a file holds.

        Raises
        ------
        InputError
            Not JSON, another schema, or fields that are missing or of another kind.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            where = Where("", error.lineno, error.colno)
            raise InputError(
                Diagnostic("json-syntax", "the text is not JSON", where, expected=error.msg)
            ) from error
        except ValueError as error:
            raise InputError(Diagnostic("json-syntax", "the text is not JSON", found=str(error)))\
                from error  # fmt: skip
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            found = data.get("schema") if isinstance(data, dict) else word_for(data)
            raise InputError(
                Diagnostic("unknown-schema", "not a plan of a version that can be read",
                           found=str(found), expected=SCHEMA)
            )  # fmt: skip
        try:
            rows, jobs, shares = read_tables(data)
            return cls(
                verdict=Verdict(**data["verdict"]),
                rows=rows,
                jobs=jobs,
                consortiums=shares,
                currency=data["currency"],
                tool=(data["tool"]["name"], data["tool"]["version"]),
                inputs=tuple((item["path"], item["sha256"]) for item in data["inputs"]),
                assumed=tuple(data["assumed"]),
                warnings=tuple(data["warnings"]),
                certificate=_prices(data.get("certificate")),
                certified_bound=_certified(data.get("certificate")),
                binds=read_bindings(data.get("binds")),
                periods=read_periods(data.get("periods")),
                aim=read_aim(data.get("aim")),
                value_unit=str(data.get("value_unit") or ""),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                Diagnostic("not-a-plan", "the plan cannot be read",
                           found=f"{type(error).__name__}: {error}")
            ) from error  # fmt: skip

    def to_columns(self) -> dict[str, Any]:
        """Columns of the rows by name: dates as dates, marks joined."""
        columns = {field.name: getattr(self.rows, field.name) for field in fields(PlanRowTable)}
        return {**columns, "marks": tuple("; ".join(marks) for marks in self.rows.marks)}

    def to_frame(self) -> Any:
        """The rows as a pandas frame, names as categories, sorted by job and first day."""
        import pandas

        frame = pandas.DataFrame(self.to_columns())
        for name in ("job", "consortium", "pool", "device"):
            frame[name] = frame[name].astype("category")
        return frame

    def __repr__(self) -> str:
        said = () if self.periods is None else (self.periods.sentence,)
        return plan_text(
            self.verdict, self.rows, self.jobs, self.consortiums, (*said, *self.warnings)
        )

    def _repr_html_(self) -> str:
        return plan_html(self.verdict, self.rows, self.jobs)


def _prices(data: Any) -> tuple[tuple[str, float], ...]:
    """Prices of a certificate as written; ValueError or TypeError where they are none."""
    if data is None:
        return ()
    return tuple((str(name), float(price)) for name, price in data["prices"].items())


def _certified(data: Any) -> float | None:
    """Bound of a certificate as written; None where the plan has none."""
    return None if data is None else float(data["bound"])
