"""``dynclient demo``: a first session, shown and run, with the document that comes with dynclient."""

from __future__ import annotations

from typing import Any

import click

from dynclient.cli.output import write
from dynclient.testing import DEMO

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


@click.command
def demo() -> None:
    """Show a first session with a small API: a mock answers, and nothing is sent.

    The document comes with dynclient; the last line names it, to try the other commands with.
    """
    names: dict[str, Any] = {}
    for line in _SESSION:
        write(f">>> {line}")
        try:
            _run(line, names)
        except names["dynclient"].DynclientError as error:
            write(f"{type(error).__name__}: {error}")
    lines = [
        "",
        f"The document: {DEMO}",
        f"  dynclient shell {DEMO}   # a Python prompt; here nothing answers",
        f"  dynclient mock {DEMO}    # a server that answers, for `dynclient call --base-url`",
    ]
    write("\n".join(lines))


def _run(line: str, names: dict[str, Any]) -> None:
    """Run a line of the session, and show its value as a prompt does."""
    try:
        code = compile(line, "<demo>", "eval")
    except SyntaxError:
        exec(compile(line, "<demo>", "exec"), names)  # noqa: S102  # a line of the table above
        return
    value = eval(code, names)  # noqa: S307  # a line of the table above
    write(repr(value))
