"""``dynclient completion``: the scripts that complete command lines in shells, and how proposals are quoted.

Proposals come from documents, so they may hold anything: they are quoted for bash and PowerShell, which insert them as
they are; zsh and fish quote them. Proposals with control characters are left out.
"""

from __future__ import annotations

import os
import re
import sys
from shlex import quote

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
)

from dynclient.cli.commands import Command

_POWERSHELL_SCRIPT = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = $commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object {
        if ($_.Value -is [string]) { $_.Value } else { $_.Extent.Text }
    }
    $env:COMP_WORDS = $words -join "`n"
    $env:COMP_WORD = $wordToComplete
    $env:%(complete_var)s = "powershell_complete"
    %(prog_name)s | ForEach-Object {
        $fields = $_ -split "`t"
        [System.Management.Automation.CompletionResult]::new($fields[0], $fields[1], "ParameterValue", $fields[2])
    }
    Remove-Item Env:COMP_WORDS, Env:COMP_WORD, Env:%(complete_var)s
}
"""
# about_Parsing, about_Quoting_Rules: a bare word of these is one argument, and means itself. In single quotes, only a
# quote has to be doubled; PowerShell takes typographic ones for quotes too.
_BARE = re.compile(r"[A-Za-z0-9_./:\\][A-Za-z0-9_./:\\=+-]*|-[-A-Za-z0-9_]+")
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


class QuotingBash(BashComplete):
    """bash, with proposals quoted."""

    def format_completion(self, item: CompletionItem) -> str:
        """One line of the script's input."""
        value = item.value
        if item.type == "plain":
            # click's script reads a backslash as an escape.
            value = "" if "\\" in value else quote(value)
        return f"{item.type},{value}"


class PowerShell(ShellComplete):
    """PowerShell 5 and later. It completes files itself if nothing is proposed."""

    name = "powershell"
    source_template = _POWERSHELL_SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and that one."""
        return os.environ.get("COMP_WORDS", "").split("\n")[1:], os.environ.get("COMP_WORD", "")

    def format_completion(self, item: CompletionItem) -> str:
        """A line with the inserted text, the listed text, and the explanation."""
        if item.type != "plain":
            return ""
        value = str(item.value)
        inserted = value if _BARE.fullmatch(value) else f"'{_QUOTES.sub(lambda found: found[0] * 2, value)}'"
        return "\t".join([inserted, value, item.help or value])

    def complete(self) -> str:
        """All lines, without those of files."""
        return "\n".join(filter(None, super().complete().splitlines()))


def add_shells() -> None:
    """Have click complete by these classes."""
    add_completion_class(QuotingBash, "bash")
    add_completion_class(PowerShell)


@click.command(cls=Command)
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    bash, in ~/.bashrc: `eval "$(dynclient completion bash)"`; zsh, in ~/.zshrc: `eval "$(dynclient completion zsh)"`;
    fish: `dynclient completion fish > ~/.config/fish/completions/dynclient.fish`; PowerShell, in $PROFILE:
    `dynclient completion powershell | Out-String | Invoke-Expression`.
    """
    add_shells()
    made = get_completion_class(shell)
    if made is None:
        raise click.ClickException(f"click can't complete in {shell}")
    source = made(ctx.find_root().command, {}, "dynclient", "_DYNCLIENT_COMPLETE")
    # click's bash class first looks for an installed bash, which is not needed to print a script.
    sys.stdout.write(source.source_template % source.source_vars() + "\n")
