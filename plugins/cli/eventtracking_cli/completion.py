"""Print the script with which a shell completes commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes commands.

    It completes commands, options and files. In ~/.bashrc or ~/.zshrc:

        eval "$(eventtracking completion bash)"

    For fish, write it to ~/.config/fish/completions/eventtracking.fish.
    """
    script = get_completion_class(shell)
    if script is None:  # a shell that click no longer knows
        raise click.ClickException(f"there is no completion for {shell}")
    complete = script(context.find_root().command, {}, "eventtracking", "_EVENTTRACKING_COMPLETE")
    click.echo(complete.source_template % complete.source_vars())
