"""What a shell offers to complete: names of devices, models, codes."""

from __future__ import annotations

import click

__all__ = ["catalogue_names", "code_names", "device_names", "model_names"]


def _begun(names: list[str], incomplete: str) -> list[str]:
    wanted = incomplete.casefold()
    return [name for name in names if name.casefold().startswith(wanted)]


def device_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of devices that begin so."""
    from hardware.catalog import device_names as known

    return _begun(list(known()), incomplete)


def model_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of models that begin so."""
    from planner.workload import catalogue

    return _begun(list(catalogue()), incomplete)


def catalogue_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Everything that `planner catalog` knows by a name that begins so."""
    from hardware.catalog import node_names

    kinds = ["devices", "nodes", "models", "stacks"]
    return [
        *_begun([*kinds, *node_names()], incomplete),
        *device_names(ctx, param, incomplete),
        *model_names(ctx, param, incomplete),
    ]


def code_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Codes that begin so."""
    from planner.code_pages import code_pages

    return _begun(list(code_pages()), incomplete)
