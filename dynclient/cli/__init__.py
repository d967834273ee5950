"""The command ``dynclient``.

Rule 1: data goes to standard output, everything else to standard error.
Rule 2: the exit status is 0 for success, 1 for an error of the document, the caller or the network, 2 for wrong usage,
3, 4 or 5 for the class of an HTTP status (3 also where `diff --fail-on` finds such a change), 130 when interrupted.
Rule 3: click is imported by :func:`main`, everything else by the command that needs it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

USAGE = 2
# A command is short: the garbage collector runs only once there are many objects.
_GC_THRESHOLD = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    before = gc.get_threshold()
    gc.set_threshold(_GC_THRESHOLD, *before[1:])
    try:
        return _main(arguments)
    finally:
        gc.set_threshold(*before)


def _main(arguments: Sequence[str] | None) -> int:
    try:
        import click  # noqa: F401  # only to see that it is there
    except ImportError:
        sys.stderr.write("dynclient's commands need click: pip install 'dynclient[cli]'\n")
        return USAGE
    from dynclient.cli.application import run

    return run(list(sys.argv[1:] if arguments is None else arguments))
