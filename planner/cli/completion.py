"""The `completion` command: the line to add to a shell's start file."""

from __future__ import annotations

import click

from planner.cli.output import option
from planner.cli.place import write_stdout

__all__ = ["command"]

_LINES = {
    "bash": ('eval "$(_PLANNER_COMPLETE=bash_source planner)"', "~/.bashrc"),
    "zsh": ('eval "$(_PLANNER_COMPLETE=zsh_source planner)"', "~/.zshrc"),
    "fish": ("_PLANNER_COMPLETE=fish_source planner | source",
             "~/.config/fish/completions/planner.fish"),
}  # fmt: skip


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_LINES)))
@option("-q", "--quiet", is_flag=True, help="No remarks on standard error.")
def command(shell: str, quiet: bool) -> int:
    """
    Print the line that turns on shell completion.

    \b
    Examples:
      planner completion bash >> ~/.bashrc
      planner completion zsh
    """
    line, place = _LINES[shell]
    write_stdout(f"{line}\n")
    if not quiet:
        click.echo(f"add this line to {place} and open a new shell", err=True)
    return 0
