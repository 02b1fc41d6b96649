"""The examples in the documentation of the source give what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import hardware
import planner

ROOMS = [
    ".".join((package.__name__, *path.relative_to(folder).with_suffix("").parts))
    for package in (hardware, planner)
    for folder in (Path(package.__file__).parent,)
    for path in sorted(folder.rglob("*.py"))
    if ">>>" in path.read_text("utf-8")
]


@pytest.mark.parametrize("room", ROOMS)
def test_examples_hold(room: str) -> None:
    result = doctest.testmod(importlib.import_module(room), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
