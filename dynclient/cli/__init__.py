"""The command ``dynclient``.

Rule 1: data goes to standard output, everything else to standard error.
Rule 2: the exit status is 0 for success, 1 for an error of the document, the caller or the network, 2 for wrong usage,
3, 4 or 5 for the class of an HTTP status (3 also where `diff --fail-on` finds such a change), 130 when interrupted.
Rule 3: click is imported by :func:`main`, everything else by the command that needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        import click  # noqa: F401  # only to see whether it is installed
    except ImportError:
        if words == ["demo"]:
            from dynclient.testing import demo

            demo.run(lambda line: sys.stdout.write(f"{line}\n"))
            return 0
        sys.stderr.write("dynclient's commands need click: pip install 'dynclient[cli]'\n")
        return USAGE
    from dynclient.cli.application import run

    return run(words)
