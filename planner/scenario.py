"""What planners write: pools, consortiums, jobs, windows, budgets, rules and evaluations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hardware.quantity import (
    ByteRateFigure,
    CountFigure,
    Currency,
    DurationFigure,
    EnergyPriceFigure,
    Figure,
    FracFigure,
    MoneyFigure,
    NumberFigure,
    PriceFigure,
    Record,
    TokenRateFigure,
    TokensFigure,
)
from planner.scenario_count import (
    AnyCount,
    Count,
    OrPlain,
    SomeCount,
    count_forms,
    day_forms,
)
from planner.scenario_day import Day, Window
from planner.scenario_horizon import Horizon, Stretch
from planner.scenario_terms import Lend, UseBy

__all__ = [
    "TRAINING_KINDS",
    "WORK_KINDS",
    "Consortium",
    "Count",
    "Deadline",
    "Evaluation",
    "Horizon",
    "Job",
    "Lend",
    "Pool",
    "Programme",
    "Rules",
    "Scenario",
    "Stretch",
    "UseBy",
    "Window",
]

TRAINING_KINDS = ("pretraining", "continued-pretraining", "post-training")
WORK_KINDS = (*TRAINING_KINDS, "generation", "evaluation", "serving")
WorkKind = Literal[
    "pretraining", "continued-pretraining", "post-training", "generation", "evaluation", "serving"
]


class Programme(Record):
    """A funding programme; an organisation may be supported by one of them only."""

    name: str = ""
    """Full name."""
    about: str = ""
    """What a reviewer should know."""


class PoolWindow(Window):
    """When a pool can be used, and with how many nodes."""

    nodes: CountFigure | None = None
    """Nodes usable in this window; the pool's `nodes` when left out."""


class Fabric(Record):
    """What differs from the node preset's network."""

    scale_out: ByteRateFigure | None = None
    """Network bandwidth of a device, one direction."""
    scale_up_size: SomeCount | None = None
    """Devices inside one scale-up domain."""
    block_nodes: SomeCount | None = None
    """Nodes inside one block of the fabric, such as a rail group or a pod: ids 0 to
    `block_nodes` - 1 are the first block, and so on."""


class Pool(Record):
    """A set of like nodes that can be divided."""

    device: str
    """Accelerator, by its name in the catalogue or in a sheet of `files`."""
    nodes: CountFigure
    """Number of nodes; `windows` may give fewer at times."""
    price: PriceFigure
    """What use costs the programme; write `0 KRW / device-month` if it is free."""
    node: str | None = None
    """Node preset of the catalogue; the device's usual node when left out."""
    fabric: Fabric | None = None
    """Network figures that differ from the preset."""
    contiguous: bool = False
    """Give a run node ids side by side where that can be done; the plan says where it is not."""
    windows: tuple[PoolWindow, ...] = ()
    """When the nodes can be used; the whole horizon when left out. Windows may overlap:
    each is a delivery of nodes of its own, so overlapping windows add up."""
    owner: str = ""
    """Organisation that owns or leases out the nodes."""
    basis: Literal["leased", "bought", "own"] = "bought"
    """How the programme has it: leased from `owner`, bought, or a consortium's own."""
    programme: str | None = None
    """Programme that pays for it."""
    open_to: tuple[str, ...] | None = None
    """Consortiums that may use it; all when left out (an own pool: those with the owner in)."""
    lend: Lend | None = None
    """Of an own pool: who may borrow it, on which days and at which price."""
    kinds: tuple[WorkKind, ...] | None = None
    """Kinds of work allowed on it; all that the device can do when left out."""
    about: str = ""
    """What a reviewer should know."""


class Consortium(Record):
    """Who asks for compute."""

    name: str = ""
    """Full name."""
    members: tuple[str, ...] = ()
    """Member organisations; the same organisation in two consortiums makes them related."""
    kind: Literal["large", "small", "startup", "academia", "public", "mixed"] = "mixed"
    """Kind of the lead organisation."""
    programme: str | None = None
    """Programme that supports it."""
    joined: Day | None = None
    """First day of support."""
    left: Day | None = None
    """Last day of support; nodes go back `rules.handback` later at the latest."""
    floor: NumberFigure | None = None
    """Device-equivalents held on average over its days in the horizon, at least."""
    cap: NumberFigure | None = None
    """Device-equivalents held at any time, at most."""
    weight: NumberFigure = Figure(value=1.0)
    """Weight of its work in the objective."""
    budget: MoneyFigure | None = None
    """Most that its runs may cost; no limit when left out."""
    placeholder: bool = False
    """Stands for whoever remains after an undecided evaluation; not an organisation."""
    about: str = ""
    """What a reviewer should know."""


class Deadline(Record):
    """When the work is due."""

    day: Day
    """Last day on which the run may still be working."""
    kind: Literal["hard", "soft"] = "hard"
    """Hard: later is worthless. Soft: later loses value."""
    loss_per_week: FracFigure = Figure(value=0.0)
    """Part of the value lost for each week after a soft deadline."""


def _deadline(value: Any) -> Any:
    return value if isinstance(value, (dict, Deadline)) else {"day": value}


class NodeLimits(Record):
    """How many nodes a job may hold."""

    least: SomeCount = Field(Count(1), alias="min")
    """Fewest nodes."""
    most: SomeCount | None = Field(None, alias="max")
    """Most nodes; the pool's when left out."""
    choices: tuple[SomeCount, ...] = ()
    """Only these counts."""

    @model_validator(mode="after")
    def _ordered(self) -> NodeLimits:
        if self.most is not None and self.most < self.least:
            raise ValueError(f"found {self.least} to {self.most}, expected `max` not below `min`")
        return self


def _node_limits(value: Any) -> Any:
    if (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, dict) and "value" in value
    ):
        return {"min": value, "max": value}
    return value


class Job(Record):
    """One piece of work that a consortium asks for."""

    consortium: str
    """Who asks."""
    model: str
    """Catalogue name, path of a model sheet, or path of a Hugging Face config.json."""
    tokens: TokensFigure
    """Tokens to be processed."""
    kind: WorkKind = "pretraining"
    """Kind of work."""
    data: str = ""
    """Name of the data; with model and objective it identifies the workload."""
    objective: str = ""
    """What the run is for; the kind when left out."""
    devices: tuple[str, ...] | None = None
    """Devices allowed; all when left out."""
    pools: tuple[str, ...] | None = None
    """Pools allowed; all when left out."""
    window: Window = Field(default_factory=lambda: Window.model_validate({}))
    """Days in which the run may be held."""
    deadline: Annotated[Deadline, BeforeValidator(_deadline), OrPlain(day_forms)] | None = None
    """Day, or record with `kind: soft` and `loss_per_week`."""
    value: NumberFigure | None = None
    """Worth of the finished work; its FLOP in 1e21 when no job of the scenario states one."""
    after: tuple[str, ...] = ()
    """Jobs that must be finished before this one starts."""
    nodes: Annotated[NodeLimits, BeforeValidator(_node_limits), OrPlain(count_forms)] = Field(
        default_factory=lambda: NodeLimits.model_validate({})
    )
    """Node limits: a number, or `min`, `max`, `choices`."""
    topology: Literal["any", "one-block"] = "any"
    """one-block: all nodes of the run lie in one block of the fabric, where the pool states
    `fabric.block_nodes`; a pool that does not is one block."""
    preemptible: bool = False
    """May pause and go on later in the same pool with as many nodes."""
    allocation: Literal["fixed", "flexible"] | None = None
    """fixed: one pool and one number of nodes from start to end. flexible: both may change at
    the borders of periods, without a pause. `policy.allocation` when left out."""
    migration: DurationFigure | None = None
    """Time lost at each change of pool or nodes, in whole days rounded up: nodes are held and
    paid and no work is done. `policy.migration` when left out."""
    partial: bool = False
    """Counts in proportion when only part of the tokens is done."""
    precision: Literal["bf16", "fp16", "fp8", "fp8-block", "fp4"] | None = None
    """Compute type; bf16 when left out."""
    sequence: SomeCount | None = None
    """Tokens a sequence; the model's when left out."""
    global_batch: TokensFigure | None = None
    """Tokens a step."""
    stack: str | None = None
    """Software stack profile."""
    rates: dict[str, TokenRateFigure] = {}
    """Known tokens/s per device, by device name; used in place of the prediction."""
    what_if_training: bool = False
    """Allow training on devices that cannot train; every output marks it."""
    about: str = ""
    """What a reviewer should know."""


class Rules(Record):
    """Rules beside the two that always hold: no node twice, no workload funded twice."""

    equivalence: dict[str, NumberFigure] = {}
    """Device-equivalents of one device, by device name; 1 for all when left out."""
    lessor_excluded: bool = False
    """A consortium with a lessor among its members gets no leased pool."""
    one_programme_per_organisation: bool = True
    """An organisation may be in consortiums of one programme only."""
    share_limit: FracFigure | None = None
    """Largest part of the shared pools' device-equivalent time for one consortium."""
    equal_support: FracFigure | None = None
    """Part of the larger by which the device-equivalents that two consortiums hold, each on
    average over its own days, may differ: consortiums of one programme that ask for work are
    compared with each other, and placeholders with placeholders."""
    use_by: tuple[UseBy, ...] = ()
    """Days by which a part of the floor has been used: use it or lose it."""
    handback: DurationFigure = Figure(value=0.0)
    """Time after leaving or removal within which nodes go back."""


class Evaluation(Record):
    """A day on which teams are removed."""

    day: Day
    """Day of the result."""
    removes: AnyCount = Count(1)
    """How many teams are removed."""
    removed: tuple[str, ...] | None = None
    """Who was removed; left out while undecided. Undecided: no candidate may hold nodes
    longer than `rules.handback` after the day, since nobody knows who remains."""
    candidates: tuple[str, ...] | None = None
    """Who is evaluated; all consortiums in the programme that day when left out."""
    chances: dict[str, FracFigure] = {}
    """Assumed chance of removal, by consortium; shown, not planned with."""
    about: str = ""
    """What a reviewer should know."""


class Power(Record):
    """Figures for energy."""

    tariff: EnergyPriceFigure | None = None
    """Electricity price."""
    pue: NumberFigure | None = None
    """Facility power over IT power."""


class Policy(Record):
    """What the plan is best at."""

    objective: Literal[
        "weighted-work", "max-min", "proportional", "min-cost", "min-energy", "min-makespan",
        "finish-time",
    ] = "weighted-work"  # fmt: skip
    """weighted-work: weight of the consortium times value of the work finished. max-min: the
    worst-off consortium first. proportional: the largest product of shares. finish-time: nobody
    waits much longer than alone with an equal part. The others do the most weighted work at the
    least cost or energy, or by the earliest day."""
    ties: Literal["cost", "none"] = "cost"
    """Among equally good plans, the cheapest."""
    allocation: Literal["fixed", "flexible"] = "fixed"
    """Whether jobs may change pool or number of nodes at the borders of periods; a job's own
    word goes first, and a preemptible job that says nothing stays fixed."""
    migration: DurationFigure | None = None
    """Time that a job loses at each change; 1 day, assumed, when left out."""


class Scenario(Record):
    """One scenario file."""

    schema_: Literal["planner/scenario/1"] = Field("planner/scenario/1", alias="schema")
    """Version of the format."""
    editor_schema: str = Field("", alias="$schema")
    """Address of a JSON Schema for editors; ignored."""
    name: str
    """Name of the scenario."""
    about: str = ""
    """What it is, on top of every output."""
    currency: Currency
    """Currency of the plan."""
    exchange: dict[str, MoneyFigure] = {}
    """Value of one unit of another currency, by its code."""
    horizon: Horizon
    """The days planned."""
    files: tuple[str, ...] = ()
    """Sheets of own accelerators, nodes and models, relative to this file."""
    programmes: dict[str, Programme] = {}
    """Funding programmes, by id."""
    pools: Annotated[dict[str, Pool], Field(min_length=1)]
    """Pools, by id."""
    consortiums: Annotated[dict[str, Consortium], Field(min_length=1)]
    """Consortiums, by id."""
    jobs: Annotated[dict[str, Job], Field(min_length=1)]
    """Jobs, by id."""
    rules: Rules = Rules()
    """Rules of the programme."""
    evaluations: tuple[Evaluation, ...] = ()
    """Evaluations, by date."""
    power: Power = Power()
    """Figures for energy."""
    policy: Policy = Policy()
    """What the plan is best at."""
