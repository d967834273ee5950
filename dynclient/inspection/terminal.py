"""The list of operations in a terminal: in colour, as wide as the terminal is. By rich, where it is installed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, Any

from dynclient.exceptions import escaped
from dynclient.inspection.rows import HEAD, LOST, Row, groups

_METHODS = {"GET": "green", "POST": "yellow", "PUT": "blue", "PATCH": "cyan", "DELETE": "red"}


def is_coloured(stream: IO[str]) -> bool:
    """Whether what is written to a stream may have colours: it is a terminal, and nobody has asked for none."""
    # https://no-color.org: when present and not an empty string, whatever its value.
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def as_coloured(table: Iterable[Row], faults: Iterable[str], stream: IO[str]) -> str | None:
    """The table with a terminal's escape sequences; None where rich is not installed."""
    try:
        from rich.console import Console
    except ImportError:
        return None
    console = Console(file=stream, force_terminal=True, highlight=False, emoji=False, markup=False)
    with console.capture() as captured:
        console.print(as_rich(table))
        for fault in faults:
            console.print(f"{LOST}: {escaped(fault)}", style="red")
    return captured.get().rstrip("\n")


def as_rich(table: Iterable[Row]) -> Any:
    """The table as rich has tables."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column(HEAD[0], no_wrap=True)
    made.add_column(HEAD[1])
    made.add_column(HEAD[2], overflow="fold")
    made.add_column(HEAD[3], overflow="ellipsis", no_wrap=True)
    for tag, members in groups(table).items():
        if tag:
            made.add_row(Text(escaped(" ".join(tag.split())), style="bold magenta"))
        for row in members:
            made.add_row(
                Text(
                    ("  " if tag else "") + row.name, style="red" if row.broken else "strike" if row.deprecated else ""
                ),
                Text(escaped(row.method), style=_METHODS.get(row.method, "")),
                Text(escaped(row.path)),
                Text(escaped(" ".join(row.marks.split())), style="red" if row.broken else ""),
            )
    return made
