"""A progress bar on standard error, for large bodies in both directions; none where that is no terminal."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynclient._tables import is_coloured

if TYPE_CHECKING:
    from typing import Self  # type checkers know it; nothing of it is needed at run time

_LARGE = 1024 * 1024


class Bar:
    """Tells how much of a body has passed, once it is known to be large."""

    def __init__(self, what: str) -> None:
        """Take what it is that passes, in a word or two."""
        self._what = what
        self._shown: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int | None) -> None:
        """Take how many bytes have passed, and how many there are, None where nobody knows."""
        if self._shown is None and sys.stderr.isatty() and max(done, total or 0) >= _LARGE:
            self._start(total)
        if self._shown is not None:
            self._shown.update(self._task, completed=done)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._shown is not None:
            self._shown.stop()

    def _start(self, total: int | None) -> None:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
        except ImportError:
            return
        console = Console(file=sys.stderr, no_color=not is_coloured(sys.stderr))
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._shown = Progress(*columns, console=console)
        self._task = self._shown.add_task(self._what, total=total)
        self._shown.start()


class Reading(io.BufferedReader):
    """A file that tells a bar how much of it has been read."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        super().__init__(io.FileIO(path))
        self._bar = Bar("sent")
        self._size = path.stat().st_size

    def read(self, size: int | None = -1) -> bytes:
        """Read, and tell."""
        data = super().read(size)
        self._bar(self.tell(), self._size)
        return data

    def close(self) -> None:
        """Close the file, and take the bar away."""
        self._bar.__exit__()
        super().close()
