"""The version of this program, as the installed distribution states it."""

from __future__ import annotations

__all__ = ["model_version", "version"]


def version() -> str:
    """Version of the installed distribution; ``unknown`` when run without installing it."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as stated

    try:
        return stated("accelerator-planner")
    except PackageNotFoundError:
        return "unknown"


def model_version() -> str:
    """
    Version with a digest of the constants of the performance model.

    Returns
    -------
    str
        Such as ``0.1.0+8c1d3a90``: two plans with the same text were predicted alike.
    """
    import hashlib

    from planner.stack import CONSTANTS

    return f"{version()}+{hashlib.sha256(CONSTANTS.read_bytes()).hexdigest()[:8]}"
