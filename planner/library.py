"""What the names of a scenario mean: devices, nodes, models and stacks, with files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hardware.catalog import Catalogue, accelerator, node, node_names, open_catalogue, resolve
from hardware.errors import Diagnostic, InputError, near_match
from hardware.sheet import Document, Path_, read_document, where_is
from hardware.spec import Accelerator
from hardware.table import TRAINING
from planner.lookup import file_meant, index_by_spelling, spelling, unknown_model
from planner.scenario import Scenario
from planner.stack import load_constants
from planner.workload import ModelSheet, catalogue, load_sheets

__all__ = ["Library", "read_library"]

_MODEL_KEYS = {"models", "layers", "hidden", "model_type", "architectures"}


@dataclass(frozen=True)
class Library:
    """Records behind the names of one scenario; names that mean nothing are absent."""

    hardware: Catalogue
    devices: Mapping[str, str]
    """Device as written anywhere in the scenario -> its one name."""
    accelerators: Mapping[str, Accelerator]
    """One name of a device -> its record."""
    models: Mapping[str, ModelSheet]
    """Model as written -> its sheet."""
    hardware_files: tuple[Path, ...] = ()
    """Sheets of accelerators and nodes that the scenario names."""

    @property
    def training(self) -> dict[str, int]:
        """Code of `hardware.table.TRAINING`, by the one name of each device."""
        return {name: TRAINING[record.training] for name, record in self.accelerators.items()}

    @property
    def model_names(self) -> dict[str, str]:
        """Model as written -> its one name."""
        return {written: sheet.name for written, sheet in self.models.items()}


def read_library(
    scenario: Scenario, base_path: str | Path, document: Document | None = None
) -> tuple[Library, list[Diagnostic]]:
    """
    Look up every device, node, model and stack that a scenario names.

    Parameters
    ----------
    scenario : Scenario
        As written.
    base_path : path
        Folder that the scenario's paths are relative to.
    document : Document, optional
        Gives the faults their places.

    Returns
    -------
    (Library, list of Diagnostic)
        What was found, and a fault for each name and file that was not.
    """
    written = document or Document("", {})
    base = Path(base_path)
    hardware_files, model_files, faults = _sorted_files(scenario, base, written)
    hardware = Catalogue()
    try:
        hardware = open_catalogue(hardware_files)
    except InputError as error:
        faults += error.diagnostics
    devices: dict[str, str] = {}
    records: dict[str, Accelerator] = {}
    for name, places in _device_places(scenario).items():
        try:
            full, record = accelerator(name, hardware)
        except InputError as error:
            faults += _placed(error, written, places)
        else:
            devices[name], records[full] = full, record
    models = _read_models(scenario, base, written, model_files, faults)
    library = Library(hardware, devices, records, models, tuple(hardware_files))
    faults += _check_nodes(scenario, written, library)
    faults += _check_stacks(scenario, written)
    return library, faults


def _placed(
    error: InputError, document: Document, places: list[tuple[Path_, bool]]
) -> Iterator[Diagnostic]:
    """Faults of a look-up, at each place of the scenario that asks for it."""
    for diagnostic in error.diagnostics:
        for path, key in places:
            yield replace(diagnostic, where=where_is(document, path, key=key))


def _sorted_files(
    scenario: Scenario, base: Path, document: Document
) -> tuple[list[Path], list[Path], list[Diagnostic]]:
    """Files of the scenario: sheets of hardware, sheets of models, and faults."""
    hardware: list[Path] = []
    models: list[Path] = []
    faults: list[Diagnostic] = []
    for at, name in enumerate(scenario.files):
        try:
            keys = read_document(base / name).data
        except InputError as error:
            faults += _of_file(error, document, ("files", at))
            continue
        is_model = isinstance(keys, dict) and bool(_MODEL_KEYS & set(map(str, keys)))
        (models if is_model else hardware).append(base / name)
    return hardware, models, faults


def _of_file(error: InputError, document: Document, path: Path_) -> Iterator[Diagnostic]:
    """Faults of a file that is named here: at this place when the file cannot be opened at all."""
    for diagnostic in error.diagnostics:
        if diagnostic.where.line:
            yield diagnostic
        else:
            found = diagnostic.where.path or diagnostic.found
            yield replace(diagnostic, where=where_is(document, path), found=found)


def _device_places(scenario: Scenario) -> dict[str, list[tuple[Path_, bool]]]:
    """Every device name with the places where it stands, and whether as a key."""
    places: dict[str, list[tuple[Path_, bool]]] = {}
    for name, pool in scenario.pools.items():
        places.setdefault(pool.device, []).append((("pools", name, "device"), False))
    for name, job in scenario.jobs.items():
        for at, device in enumerate(job.devices or ()):
            places.setdefault(device, []).append((("jobs", name, "devices", at), False))
        for device in job.rates:
            places.setdefault(device, []).append((("jobs", name, "rates", device), True))
    for device in scenario.rules.equivalence:
        places.setdefault(device, []).append((("rules", "equivalence", device), True))
    return places


def _read_models(
    scenario: Scenario,
    base: Path,
    document: Document,
    files: list[Path],
    faults: list[Diagnostic],
) -> dict[str, ModelSheet]:
    """Sheet of each model named by a job; files are read once."""
    sheets = dict(catalogue())
    for path in files:
        try:
            sheets |= {sheet.name: sheet for sheet in load_sheets(path)}
        except InputError as error:
            faults += error.diagnostics
    index = index_by_spelling(((s.name, *s.aliases), s) for s in sheets.values())
    places: dict[str, list[tuple[Path_, bool]]] = {}
    for name, job in scenario.jobs.items():
        places.setdefault(job.model, []).append((("jobs", name, "model"), False))
    found: dict[str, ModelSheet] = {}
    for model, jobs in places.items():
        try:
            found[model] = _model(model, base, index, sheets)
        except InputError as error:
            for place, _ in jobs:
                faults += _of_file(error, document, place)
    return found


def _model(
    name: str, base: Path, index: Mapping[str, ModelSheet], sheets: Mapping[str, ModelSheet]
) -> ModelSheet:
    """The sheet of one model: a file beside the scenario, or a name of the catalogue."""
    relative = file_meant(name, index)
    path = None if relative is None else base / relative
    if path is None and spelling(name) in index:
        return index[spelling(name)]
    if path is None and (base / name).exists():
        path = file_meant(base / name, {})
    if path is None:
        names = [spelt for sheet in sheets.values() for spelt in (sheet.name, *sheet.aliases)]
        raise InputError(unknown_model(name, names))
    inside = load_sheets(path)
    if len(inside) != 1:
        raise InputError(
            Diagnostic(
                "several-models",
                "the file holds more than one model",
                found=", ".join(f"`{sheet.name}`" for sheet in inside),
                expected="a file of one model",
                hint="name the file under `files`, and one of its models here",
            )
        )
    return inside[0]


def _check_nodes(scenario: Scenario, document: Document, library: Library) -> Iterator[Diagnostic]:
    """Node presets that are unknown, or that do not hold the pool's device."""
    for name, pool in scenario.pools.items():
        place = where_is(document, ("pools", name, "node"))
        if pool.node is None:
            continue
        try:
            record = node(pool.node, library.hardware)
        except InputError as error:
            hint = near_match(pool.node, node_names(library.hardware))
            yield from (replace(d, where=place, hint=hint) for d in error.diagnostics)
            continue
        device = library.devices.get(pool.device)
        holds = {resolve(each, library.hardware) or each for each in record.holds}
        if device is not None and holds and device not in holds:
            yield Diagnostic(
                "wrong-node", f"the node does not hold `{pool.device}`", place,
                found=f"`{pool.node}` holds {', '.join(sorted(holds))}",
                expected=f"a node for `{device}`",
                hint=f"leave `node` out for `{library.accelerators[device].node}`",
            )  # fmt: skip


def _check_stacks(scenario: Scenario, document: Document) -> Iterator[Diagnostic]:
    """Software stacks that no profile describes."""
    asked = [(name, job.stack) for name, job in scenario.jobs.items() if job.stack is not None]
    if not asked:
        return
    known = load_constants()[0].names
    for name, stack in asked:
        if stack not in known:
            yield Diagnostic(
                "unknown-stack", f"no software stack is called `{stack}`",
                where_is(document, ("jobs", name, "stack")), found=f"`{stack}`",
                expected=", ".join(known), hint=near_match(stack, known),
            )  # fmt: skip
