"""The public names of both packages lead where they say, and no room hides a verb."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import hardware
import planner


@pytest.mark.parametrize("package", [hardware, planner], ids=lambda package: package.__name__)
def test_every_public_name_is_there_and_listed(package):
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))
    assert set(package._ROOMS) == set(package.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


@pytest.mark.parametrize("package", [hardware, planner], ids=lambda package: package.__name__)
def test_no_room_has_the_name_of_a_verb(package):
    rooms = {item.name for item in pkgutil.iter_modules(package.__path__)}
    assert rooms & set(package.__all__) == set()


def test_verbs_stay_verbs_when_every_room_is_loaded():
    for item in pkgutil.iter_modules(planner.__path__, "planner."):
        if not item.name.endswith("__main__"):
            importlib.import_module(item.name)
    for verb in ("allocate", "backtest", "calibrate", "compare", "estimate", "verify"):
        assert callable(getattr(planner, verb)), verb
