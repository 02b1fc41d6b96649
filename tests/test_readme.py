"""The README says what is so: its commands exist, its sample is real, its words are kept."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

import hardware
import planner
from planner.cli.main import COMMANDS

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_the_two_commands_stand_on_lines_of_their_own():
    for name in ("Main job", "Tests"):
        assert len(re.findall(rf"^{name}: `[^`]+`$", README, re.M)) == 1, name


def test_every_command_named_is_one_and_every_command_is_named():
    named = set(re.findall(r"planner ([a-z]+)\b", README)) - {"import", "as"}
    assert set(re.findall(r"^\| `planner ([a-z]+)", README, re.M)) >= set(COMMANDS)
    assert named <= set(COMMANDS), named - set(COMMANDS)


def test_files_and_options_named_exist():
    from importlib.resources import files

    for name in re.findall(r"planner/examples/([\w.-]+\.yaml)", README):
        assert files("planner").joinpath("examples", name).is_file(), name
    text = "".join(
        importlib.import_module(module).command.get_help(_context(name))
        for name, (module, _) in COMMANDS.items()
    )
    for option in re.findall(r"`(--[a-z-]+)", README):
        assert option in text or option == "--help", option
    for variable in re.findall(r"PLANNER_[A-Z_]+", README):
        assert variable in text, variable


def _context(name: str) -> object:
    import click

    parent = click.Context(
        importlib.import_module("planner.cli.main").root,
        info_name="planner",
        auto_envvar_prefix="PLANNER",
        help_option_names=["-h", "--help"],  # click keeps the first that it makes
    )
    command = importlib.import_module(COMMANDS[name][0]).command
    return click.Context(command, parent=parent, info_name=name, max_content_width=1000)


def test_sample_of_a_mistake_is_what_the_program_says(tmp_path):
    from importlib.resources import files

    text = files("planner").joinpath("examples", "first-minute.yaml").read_text("utf-8")
    wrong = text.replace("    tokens: 1 T\n", "    tokns: 1 T\n", 1)
    (tmp_path / "first-minute.yaml").write_text(wrong, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "planner", "check", "first-minute.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(Path(planner.__file__).parents[1])},
    )  # fmt: skip
    sample = re.search(r"```\n(error\[missing-field\].*?)```", README, re.S)
    assert sample is not None
    assert done.stdout.split("\n\n", 1)[1] == sample[1]


def glossary() -> dict[str, set[str]]:
    """Words of the glossary, and those that must not stand for them."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \| ?(.*?) ?\|$", README.split("## Words")[1], re.M)
    return {say: set(re.findall(r"`(\w+)`", never)) for say, _, never in rows}


def public_words() -> set[str]:
    """Names of columns, written fields and parameters of both packages."""
    words: set[str] = set()
    for package in (hardware, planner):
        for item in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if item.name.endswith("__main__"):
                continue
            module = importlib.import_module(item.name)
            for name in getattr(module, "__all__", ()):
                thing = getattr(module, name)
                if isinstance(thing, type) and issubclass(thing, BaseModel):
                    words |= set(thing.model_fields)
                elif dataclasses.is_dataclass(thing):
                    words |= {field.name for field in dataclasses.fields(thing)}
                elif inspect.isfunction(thing):
                    words |= set(inspect.signature(thing).parameters)
    return words


def test_glossary_words_are_the_ones_in_use():
    words, never = public_words(), set().union(*glossary().values())
    assert len(glossary()) >= 12
    assert {"tp", "pp", "cp", "ep", "dp", "micro_batch", "global_batch", "zero"} <= words
    assert never >= {"vpp", "act_ckpt", "batch_size"}
    assert words & never == set()


@pytest.mark.parametrize("name", ["estimate", "compare", "allocate", "verify"])
def test_verbs_of_the_notebook_are_public(name):
    assert callable(getattr(planner, name))
    assert f"planner.{name}(" in README
