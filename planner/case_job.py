"""The jobs of a scenario as columns, and what each asks of the performance model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.architecture import ModelTable, active_parameters
from planner.inference import EVALUATION, GENERATION, SERVING, TRAINING
from planner.library import Library
from planner.run import UNSTATED, RunTable
from planner.scenario import TRAINING_KINDS, Scenario
from planner.scenario_rules import workload_identity
from planner.stack import FamilyTable, StackTable, load_constants
from planner.strategy import ADAM_FP32, PRECISION_NAMES
from planner.timeline import day_number
from planner.workload import seq_len_of, table_of

__all__ = ["JobColumns", "Tables", "job_columns", "performance_tables", "value_unit"]

_WORK = {"generation": GENERATION, "evaluation": EVALUATION, "serving": SERVING}
_FLOP_A_PARAMETER = {True: 6.0, False: 2.0}  # forward and backward, or forward alone
_VALUE_FLOP = 1e21  # a job without a value is worth its work in these


def value_unit(scenario: Scenario) -> str:
    """The unit of jobs' values, where none states its own; empty where they do."""
    return "" if any(job.value is not None for job in scenario.jobs.values()) else "1e21 FLOP"


@dataclass(frozen=True)
class JobColumns:
    """Columns of `planner.case.Case` that jobs give."""

    consortium: Ints  # [job]
    value: Floats  # [job]
    tokens: Floats  # [job]
    partial: Bools  # [job]
    preemptible: Bools  # [job]
    identity: Ints  # [job]
    soft_due_day: Ints  # [job]
    loss_per_day: Floats  # [job]
    before: Ints  # [precedence]
    then: Ints  # [precedence]


def job_columns(
    scenario: Scenario, library: Library, models: ModelTable, model: Ints
) -> JobColumns:
    """
    Jobs as columns, in file order.

    Parameters
    ----------
    scenario : Scenario
        A scenario without faults.
    library : Library
        Models behind its names.
    models : ModelTable
        Shapes. [model]
    model : Ints [job]
        Row of each job's model.

    Returns
    -------
    JobColumns
        Tokens [token], days from the horizon's first [day].

    Notes
    -----
    Where no job states a value, a job is worth its model FLOP in 1e21: six times active
    parameters times tokens for training, two times for inference [1]_.

    References
    ----------
    .. [1] J. Kaplan et al., "Scaling laws for neural language models," arXiv 2001.08361, 2020.
    """
    jobs = list(scenario.jobs.values())
    row = {name: at for at, name in enumerate(scenario.consortiums)}
    job_row = {name: at for at, name in enumerate(scenario.jobs)}
    tokens = np.array([job.tokens.value for job in jobs])
    factor = np.array([_FLOP_A_PARAMETER[job.kind in TRAINING_KINDS] for job in jobs])
    worth = factor * active_parameters(models)[model] * tokens / _VALUE_FLOP
    if not value_unit(scenario):
        worth = np.array([0.0 if job.value is None else job.value.value for job in jobs])
    days = (scenario.horizon.last - scenario.horizon.first).days + 1
    identities: dict[tuple[str, str, str], int] = {}
    same = [
        identities.setdefault(
            workload_identity(job, library.models[job.model].name), len(identities)
        )
        for job in jobs
    ]
    soft = [job.deadline if job.deadline and job.deadline.kind == "soft" else None for job in jobs]
    pairs = [(job_row[before], at) for at, job in enumerate(jobs) for before in job.after]
    order = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
    return JobColumns(
        consortium=np.array([row[job.consortium] for job in jobs], dtype=np.int64),
        value=worth,
        tokens=tokens,
        partial=np.array([job.partial for job in jobs]),
        preemptible=np.array([job.preemptible for job in jobs]),
        identity=np.array(same, dtype=np.int64),
        soft_due_day=np.array(
            [min(day_number(d.day, scenario.horizon) + 1, days) if d else days for d in soft],
            dtype=np.int64,
        ),
        loss_per_day=np.array([d.loss_per_week.value / 7 if d else 0.0 for d in soft]),
        before=order[:, 0].copy(),
        then=order[:, 1].copy(),
    )


@dataclass(frozen=True)
class Tables:
    """What `planner.curve` is asked with: models, a row a job, and the constants."""

    models: ModelTable
    runs: RunTable  # [job]
    stacks: StackTable
    families: FamilyTable


def performance_tables(scenario: Scenario, library: Library) -> tuple[Tables, tuple[str, ...]]:
    """
    What the jobs ask of the performance model.

    Returns
    -------
    (Tables, tuple of str)
        The tables, and sentences on sequence lengths that are assumed.
    """
    stacks, families = load_constants()
    jobs = scenario.jobs
    names = list(dict.fromkeys(library.models[job.model].name for job in jobs.values()))
    sheets = {sheet.name: sheet for sheet in library.models.values()}
    models = table_of([sheets[name] for name in names])
    lengths, assumed = [], []
    for name, job in jobs.items():
        figure = seq_len_of(library.models[job.model])
        if job.sequence is None and job.kind in TRAINING_KINDS and figure.is_assumed:
            assumed.append(f"jobs.{name}.sequence: {figure.value:g} tokens, not stated")
        lengths.append(job.sequence or int(figure.value))
    runs = RunTable(
        model=np.array([names.index(library.models[j.model].name) for j in jobs.values()]),
        work=np.array([_WORK.get(job.kind, TRAINING) for job in jobs.values()]),
        seq_len=np.array(lengths, dtype=np.int64),
        global_batch_tokens=np.array(
            [job.global_batch.value if job.global_batch else 0.0 for job in jobs.values()]
        ),
        precision=np.array([_precision(job.precision) for job in jobs.values()]),
        optimizer=np.full(len(jobs), ADAM_FP32, dtype=np.int64),
        stack=np.array(
            [UNSTATED if j.stack is None else stacks.names.index(j.stack) for j in jobs.values()]
        ),
    )
    return Tables(models, runs, stacks, families), tuple(assumed)


def _precision(written: str | None) -> int:
    return UNSTATED if written is None else PRECISION_NAMES.index(written.replace("-", "_"))
