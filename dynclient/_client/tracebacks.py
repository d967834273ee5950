"""Remove the frames of dynclient, which do not help a caller, from the tracebacks of errors.

Rule 1: the frames of a caller's own code stay, also below ours: of a hook, a credential or a body that is read.
Rule 2: the causes of an error lose our frames too.
Rule 3: with ``DYNCLIENT_TRACEBACK=full`` in the environment nothing is left out.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import TypeVar

_OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120  # pathlib takes time to load
_Error = TypeVar("_Error", bound=BaseException)


def shortened(error: _Error) -> _Error:
    """Drop the frames of dynclient from the traceback of an error and of its causes; returns the error.

    Raising it again adds that frame.
    """
    if os.environ.get("DYNCLIENT_TRACEBACK") == "full":
        return error
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        here = waiting.pop()
        if here is not None and id(here) not in seen:
            seen.add(id(here))
            here.__traceback__ = _without_own(here.__traceback__)
            waiting += [here.__cause__, here.__context__]
    return error


def _without_own(traceback: TracebackType | None) -> TracebackType | None:
    kept = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_OWN):
            kept.append(traceback)
        traceback = traceback.tb_next
    for found in reversed(kept):
        traceback = TracebackType(traceback, found.tb_frame, found.tb_lasti, found.tb_lineno)
    return traceback
