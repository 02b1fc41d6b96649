"""The `schema` command: JSON Schema of every file format, for editors and other programs."""

from __future__ import annotations

from typing import Any

import click

from planner.cli.output import Output, output_options

__all__ = ["FORMATS", "command", "schema_of"]

# Format -> (module, model)
FORMATS: dict[str, tuple[str, str]] = {
    "scenario": ("planner.scenario", "Scenario"),
    "accelerators": ("hardware.spec", "HardwareSheet"),
    "models": ("planner.workload", "ModelFile"),
    "model": ("planner.workload", "ModelSheet"),
    "plan": ("planner.cli.plan_form", "PlanForm"),
}


@click.command("schema")
@click.argument("name", type=click.Choice(list(FORMATS)))
@output_options
def command(name: str, output: Output) -> int:
    """
    Print the JSON Schema of a file format, for editors.

    \b
    Examples:
      planner schema scenario -o scenario.schema.json
      planner schema accelerators
    \b
    An editor with the YAML language server then completes and checks a file whose
    first line is
      # yaml-language-server: $schema=scenario.schema.json
    """
    from planner.cli.output import json_text

    output.write(json_text(schema_of(name)))
    return 0


def schema_of(name: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of a file format by its name."""
    import importlib

    module, model = FORMATS[name]
    written: dict[str, Any] = getattr(importlib.import_module(module), model).model_json_schema()
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"planner/{name}/1",
    }
    return {**head, **written}
