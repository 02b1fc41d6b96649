"""The version of this program, as the installed distribution states it."""

from __future__ import annotations

__all__ = ["version"]


def version() -> str:
    """Version of the installed distribution; ``unknown`` when run without installing it."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as stated

    try:
        return stated("accelerator-planner")
    except PackageNotFoundError:
        return "unknown"
