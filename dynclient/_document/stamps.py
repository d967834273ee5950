"""Whether a file is still what it was, asked of the file system, which costs microseconds."""

from __future__ import annotations

import os
import time

Stamp = list[int]
"""Device, inode, size, and the times of the last change to content and to state, in nanoseconds."""

_YOUNG = 2_000_000_000
"""File systems tell times in steps of up to two seconds: a younger file may change and look the same."""


def of(path: str | int) -> Stamp | None:
    """The stamp of a file; None where there is none, or the file is so young that its stamp proves nothing."""
    try:
        found = os.stat(path)  # noqa: PTH116  # it may be a descriptor
    except (OSError, ValueError):
        return None
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    if not -1 < newest < time.time_ns() - _YOUNG:
        return None
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
