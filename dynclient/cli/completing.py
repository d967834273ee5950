"""``dynclient completion``: what a shell needs to complete dynclient's command lines. The rest is click's."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class


@click.command(short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    bash, in ~/.bashrc: `eval "$(dynclient completion bash)"`; zsh, in ~/.zshrc: `eval "$(dynclient completion zsh)"`;
    fish: `dynclient completion fish > ~/.config/fish/completions/dynclient.fish`.
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.ClickException(f"click can't complete in {shell}")
    root = ctx.find_root()
    source = made(root.command, {}, "dynclient", "_DYNCLIENT_COMPLETE")
    # click's bash class looks for a bash of its own first, which a script that is only printed does not need.
    sys.stdout.write(source.source_template % source.source_vars() + "\n")
