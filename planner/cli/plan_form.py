"""The written form of a plan file, for `planner check` and `planner schema plan`."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PlanForm"]

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
Frac = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    """Base of the parts: an unknown key is an error, since nothing would read it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Tool(_Part):
    """The program that made the plan."""

    name: str
    """Its name."""
    version: str
    """Its version."""


class Input(_Part):
    """A file that the plan was made from."""

    path: str
    """Where it stood."""
    sha256: str
    """Digest of its bytes, to tell whether it has changed since."""


class Verdict(_Part):
    """What the solver proved."""

    status: Literal["optimal", "feasible", "infeasible", "unsolved", "failed"]
    """optimal within the gap; feasible: a plan, not proven; no plan exists; none was found."""
    objective: float | None
    """Weighted work of the plan."""
    bound: float | None
    """No plan has more than this; null when the solver gave no bound."""
    gap_frac: float | None
    """How far the bound lies above the objective."""
    cost: float | None
    """Money of all runs, in the plan's currency."""
    policy: str
    """What the plan is best at."""
    solver: str | None = None
    """Solver."""
    solver_version: str | None = None
    """Version of the solver."""
    seconds: float | None = None
    """Time spent solving. [s]"""
    sentence: str
    """The verdict in words."""
    allocation: Literal["fixed", "flexible"] = "fixed"
    """Whether jobs that say nothing might change pool or number of nodes at borders."""


class Row(_Part):
    """Nodes of one pool held by one job from a day to a day."""

    job: str
    """Job."""
    consortium: str
    """Consortium of the job."""
    pool: str
    """Pool."""
    device: str
    """Device of the pool."""
    nodes: Count
    """Number of nodes."""
    node_ids: str
    """Which nodes, counted from 0 in their pool: `0-63,70`."""
    first: datetime.date = Field(alias="from")
    """First day held."""
    last: datetime.date = Field(alias="to")
    """Last day held, included."""
    days: Annotated[int, Field(ge=1)]
    """Days held."""
    layout: str
    """How the job is divided over the devices."""
    tokens: Amount
    """Tokens done."""
    tokens_per_s: Amount
    """On the wall clock, interruptions included. [token/s]"""
    mfu_frac: Frac | None
    """Model FLOP over dense peak times time; null where the rate was given."""
    cost: float
    """Money, in the plan's currency."""
    energy_j: Amount | None
    """Energy at the wall, facility included. [J]"""
    value: float
    """Worth of the work done in this row."""
    marks: tuple[str, ...] = ()
    """What a reader must know: assumed inputs, what-if training."""


class JobOutcome(_Part):
    """What became of one job."""

    job: str
    """Job."""
    consortium: str
    """Who asked."""
    placed: bool
    """Whether it runs."""
    done_frac: Frac
    """Part of its tokens that is done."""
    value: float
    """Worth of the work done."""
    reason: str | None = None
    """Code of why it does not run, or null."""
    sentence: str | None = None
    """The same in words."""
    hint: str | None = None
    """What would let it run."""


class ConsortiumOutcome(_Part):
    """What one consortium gets."""

    consortium: str
    """Id in the scenario."""
    name: str
    """Full name."""
    node_months: Amount
    """Nodes times months of 365.25/12 days."""
    equivalent_device_months: Amount
    """Device-equivalents times months."""
    cost: float
    """Money of its runs."""
    budget: float | None
    """Most that they may cost; null is no limit."""
    jobs_done: Count
    """Jobs placed."""
    jobs_asked: Count
    """Jobs asked."""
    value: float
    """Worth of the work done."""


class CertificateForm(_Part):
    """Prices that prove a bound on every plan; `planner verify` recomputes it."""

    bound: float
    """No plan has more weighted work than this."""
    prices: dict[str, float]
    """Value of one unit of each row of the program, by its name."""


class BindingForm(_Part):
    """Something of which more would allow more weighted work."""

    kind: str
    """pool, period, day, budget, floor or cap."""
    name: str
    """Pool or consortium."""
    first: datetime.date | None = Field(alias="from")
    """First day that it speaks of; null is all days."""
    last: datetime.date | None = Field(alias="to")
    """Last day, included."""
    unit: str
    """Of what there is one more."""
    value: float
    """Weighted work that one more adds at most."""
    money: float | None
    """The same at what a unit of value costs in the plan, in its currency."""


class StretchForm(_Part):
    """A part of the horizon whose periods have one length."""

    until: datetime.date
    """Last day, included."""
    every: Literal["week", "two-weeks", "month", "quarter", "half-year"]
    """Length of a period."""


class PeriodsForm(_Part):
    """The resolution: runs start at borders of periods."""

    chosen: Literal["stated", "auto"]
    """stated: as the scenario says; auto: chosen by the program."""
    stretches: tuple[StretchForm, ...] = Field(min_length=1)
    """Parts of the horizon, in order; the last one ends with it."""
    plans: int | None
    """Whole plans of single jobs at most; null where they were not counted."""
    sentence: str
    """The same in words."""


class GoalForm(_Part):
    """One goal of a policy: what is reached, and what is proved of it."""

    goal: str
    """Its name."""
    reached: float
    """What the plan reaches."""
    bound: float | None
    """What the prices prove; null where they prove nothing."""
    said: float | None
    """The solver's own bound, which the file cannot prove."""
    prices: dict[str, float]
    """Value of one unit of each row of the program, by its name."""
    touch: dict[str, float]
    """Of proportional shares: where logarithms are replaced by their tangents."""


class AloneRunForm(_Part):
    """What one job holds in a stand-alone plan."""

    job: str
    """Job."""
    pool: str
    """Pool."""
    nodes: Count
    """Number of nodes."""
    first: datetime.date = Field(alias="from")
    """First day held."""
    last: datetime.date = Field(alias="to")
    """Last day held, included."""


class AloneForm(_Part):
    """A consortium alone with an equal part of the pools."""

    consortium: str
    """Id in the scenario."""
    days: float
    """Mean days until its jobs are finished."""
    said: float | None
    """The solver's bound on them."""
    runs: tuple[AloneRunForm, ...]
    """The stand-alone plan."""


class AimForm(_Part):
    """The goals of the policy, most important first."""

    work_frac: Frac
    """Part of the most work that policies of the least have to do."""
    goals: tuple[GoalForm, ...]
    """Each goal."""
    alone: tuple[AloneForm, ...] = ()
    """Stand-alone plans, where finish times are compared with them."""


class PlanForm(_Part):
    """A plan file, as `planner allocate` writes it and `planner verify` reads it."""

    schema_: Literal["planner/plan/1"] = Field(alias="schema")
    """Version of the format."""
    editor_schema: str = Field("", alias="$schema")
    """Address of a JSON Schema for editors; ignored."""
    tool: Tool
    """What made it."""
    inputs: tuple[Input, ...]
    """What it was made from."""
    currency: str
    """Three-letter code of every amount of money."""
    value_unit: str | None = None
    """Unit of every value, where no job states its own: 1e21 FLOP of the model."""
    periods: PeriodsForm | None = None
    """The resolution that the plan is made with."""
    verdict: Verdict
    """What the solver proved."""
    rows: tuple[Row, ...]
    """Who holds what when."""
    jobs: tuple[JobOutcome, ...]
    """What became of each job."""
    consortiums: tuple[ConsortiumOutcome, ...]
    """What each consortium gets."""
    assumed: tuple[str, ...] = ()
    """Assumed inputs, in words."""
    warnings: tuple[str, ...] = ()
    """What a reader should know."""
    certificate: CertificateForm | None = None
    """What proves how good the plan is, without trust in the solver."""
    binds: tuple[BindingForm, ...] = ()
    """What binds, at the prices of the certificate."""
    aim: AimForm | None = None
    """What the policy is after, with what proves how near it came."""
