"""What goes wrong, said on standard error in a line or two: what it is, and a hint."""

from __future__ import annotations

import sys

import click

from dynclient._escaping import escaped
from dynclient._tables import is_coloured


def show_usage(error: click.UsageError) -> None:
    """Say what is wrong with a command line, and how it should be; of one without any word, the help."""
    # Older releases of click have no class for that; they show the help by themselves.
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()
        return
    text = _line(error.format_message())
    if error.ctx is not None:
        how = " ".join(error.ctx.get_usage().split()).removeprefix("Usage: ")
        text += f"\nHint: {how}; --help tells more"
    click.echo(text, err=True)


def click_error(error: click.ClickException) -> str:
    """What a command says of itself, with its own hint."""
    return _line(error.format_message())


def other(error: Exception) -> str:
    """What any other error says. Of an answer that has been printed as data, no part is printed again."""
    from dynclient.exceptions import ApiError

    text = escaped(str(error)) or type(error).__name__
    if isinstance(error, ApiError) and error.response is not None and error.response.body:
        excerpt = escaped(error.details()[-1])
        text = text.replace(f"\n{excerpt}", "")
    return _line(text)


def _line(text: str) -> str:
    head = click.style("dynclient:", fg="red") if is_coloured(sys.stderr) else "dynclient:"
    return f"{head} {text}"
