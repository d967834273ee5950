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

USAGE = 2
_SESSION = (
    "import dynclient",
    "from dynclient.testing import DEMO, MockTransport",
    "todo = dynclient.load(DEMO, transport=MockTransport(DEMO, stateful=True))",
    "todo.operations",
    'milk = todo.create_todo(title="Buy milk", due="2026-12-01")',
    "milk",
    'todo.update_todo(milk["id"], done=True)',
    'todo.list_todos(done="yes")',
    "todo.get_todo(99)",
)
_AFTERWARDS = """
Commands take the same document by the name demo (pip install 'dynclient[cli,explore,testing]'):
  dynclient explore demo --mock --open   # find, fill in and call operations in the browser
  dynclient mock demo --port 4010        # a server that answers
  dynclient call demo list-todos --base-url http://127.0.0.1:4010
  dynclient shell demo                   # a Python prompt with a client"""


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
    names: dict[str, Any] = {}
    for line in _SESSION:
        write(f">>> {line}")
        try:
            write(repr(eval(line, names)))  # noqa: S307  # a line of the table above
        except SyntaxError:
            exec(line, names)  # noqa: S102  # a line of the table above
        except names["dynclient"].DynclientError as error:
            write(f"{type(error).__name__}: {error}")
    write(_AFTERWARDS)
