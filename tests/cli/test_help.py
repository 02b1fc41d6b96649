"""Every command has help, an example and environment twins; the root help imports nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from planner.cli.main import COMMANDS, root

HEAVY = ("numpy", "scipy", "pydantic", "ruamel", "rich", "pulp", "highspy", "hardware.sheet")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_as_kept(name, cli, golden):
    answer = cli(name, "--help")
    assert (answer.code, answer.err) == (0, "")
    golden(f"help-{name}.txt", answer.out)


def test_root_help_is_as_kept(cli, golden):
    answer = cli("--help")
    assert (answer.code, answer.err) == (0, "")
    golden("help.txt", answer.out)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help_example_and_the_line_of_the_root_help(name):
    module, line = COMMANDS[name]
    command = importlib.import_module(module).command
    assert command.name == name
    assert command.help.strip().splitlines()[0] == line
    assert "Example" in command.help
    assert f"planner {name}" in command.help


@pytest.mark.parametrize("name", COMMANDS)
def test_option_has_help_an_environment_twin_and_a_kebab_case_name(name):
    for option in importlib.import_module(COMMANDS[name][0]).command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.show_envvar, option.name
            assert all("_" not in spelling for spelling in option.opts), option.opts


def loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True)  # fmt: skip
    return set(done.stderr.split())


def test_root_help_imports_nothing_heavy():
    loaded = loaded_by("from planner.cli.main import run; run(['--help'])")
    assert "click" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("line", [["chekc"], ["check", "--no-such"], ["schema", "nothing"]])
def test_usage_errors_import_nothing_heavy(line):
    assert not loaded_by(f"from planner.cli.main import run; run({line!r})") & set(HEAVY)


def test_the_packages_import_nothing_heavy():
    loaded = loaded_by("import planner, hardware, planner.cli.main; planner.InputError")
    assert not loaded & set(HEAVY)


def test_a_misspelt_command_names_a_near_one(cli):
    answer = cli("chekc")
    assert (answer.code, answer.out) == (2, "")
    assert "did you mean `check`?" in answer.err


def test_a_misspelt_option_names_a_near_one(cli):
    answer = cli("check", "--strct", "x.yaml")
    assert answer.code == 2
    assert "--strict" in answer.err


def test_completion_of_names_imports_no_command(process):
    answer = process(_PLANNER_COMPLETE="bash_complete", COMP_WORDS="planner c", COMP_CWORD="1")
    names = {line.partition(",")[2] for line in answer.out.splitlines()}
    assert {"check", "catalog", "completion"} <= names
    assert answer.code == 0


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("estimate --device b2", "b200_sxm_180gb"),
        ("estimate --model k-exa", "K-EXAONE-236B-A23B"),
        ("compare h1", "h100_sxm5_80gb"),
        ("catalog hgx_b2", "hgx_b200"),
        ("explain unit", "unit-mismatch"),
        ("schema sc", "scenario"),
        ("allocate --so", "--solver"),
    ],
)
def test_a_shell_completes_names(words, offered, process):
    line = f"planner {words}"
    count = str(len(line.split()) - 1)
    answer = process(_PLANNER_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=count)
    assert offered in [text.partition(",")[2] for text in answer.out.splitlines()]


def test_environment_twin_stands_in_for_an_option(process):
    answer = process("catalog", "stacks", PLANNER_CATALOG_FORMAT="json")
    assert answer.out.startswith("{")


def test_version_is_one_line(cli):
    answer = cli("--version")
    assert answer.code == 0
    assert answer.out.startswith("planner ")


def test_every_command_is_in_a_section_of_the_root_help():
    shown = root.get_help(click.Context(root, info_name="planner"))
    for name, (_, line) in COMMANDS.items():
        assert f"\n  {name} " in shown, name
        assert line.split()[0] in shown
