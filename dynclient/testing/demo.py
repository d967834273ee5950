"""A first session with the document that comes with dynclient: ``dynclient demo``. It needs no extra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def run(write: Callable[[str], Any]) -> None:
    """Run the session, and write each line and its result as a prompt does."""
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
