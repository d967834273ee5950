"""The command ``dynclient``.

Rule 1: data goes to standard output, everything else to standard error.
Rule 2: the exit status is 0 for success, 1 for an error of the document, the caller or the network, 2 for wrong usage,
3, 4 or 5 for the class of an HTTP status (3 also where `diff --fail-on` finds such a change), 130 when interrupted.
Rule 3: click is imported by :func:`main`, everything else by the command that needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

USAGE, INTERRUPTED, TERMINATED = 2, 130, 143
_PROMPT = ">>> "


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        import click  # noqa: F401  # only to see whether it is installed
    except ImportError:
        if words == ["demo"]:
            demo_session(lambda line: sys.stdout.write(f"{line}\n"))
            return 0
        sys.stderr.write("dynclient's commands need click: pip install 'dynclient[cli]'\n")
        return USAGE
    from dynclient.cli.application import run

    return run(words)


def demo_session(write: Callable[[str], Any]) -> None:
    """Show a first session with the document that comes with dynclient, as a prompt does. It needs no extra."""
    from pathlib import Path

    names: dict[str, Any] = {}
    for line in Path(__file__).with_name("demo.txt").read_text("utf-8").splitlines():
        write(line)
        if not line.startswith(_PROMPT):
            continue
        statement = line.removeprefix(_PROMPT)
        try:
            write(repr(eval(statement, names)))  # noqa: S307  # a line of our own file
        except SyntaxError:
            exec(statement, names)  # noqa: S102  # a line of our own file
        except names["dynclient"].DynclientError as error:
            write(f"{type(error).__name__}: {error}")
