"""Saving a body to a file that is there whole, or not at all.

What comes is written beside the file, under a name of its own, and takes its place at the end.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self  # type checkers know it; nothing of it is needed at run time


class Saving:
    """A file on its way to its place. It appears there when the ``with`` statement ends well, in place of an old one.

    What the operating system refuses is raised as it is: an OSError.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take where it goes to."""
        self.path = Path(path)
        # A link stays one: what it leads to is replaced.
        self._target = Path(os.path.realpath(self.path))
        if self._target.is_dir():
            raise IsADirectoryError(f"{self.path} is a directory")
        self._part = self._target.with_name(f".{self._target.name[:100]}.{secrets.token_hex(8)}.part")
        self._file = self._part.open("xb")
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Write what has come."""
        self._file.write(chunk)
        self.size += len(chunk)

    def keep(self) -> None:
        """It is whole."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._target)

    def discard(self) -> None:
        """It is not; nothing of it is left."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.keep()
        finally:
            self.discard()
