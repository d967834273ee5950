"""The standard prompt's completion and history, for where IPython is not installed.

Completion offers names and attributes, and within an operation's parentheses its arguments. Nothing is called for it.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dynclient._client import OperationMethod

_CALL = re.compile(r"([A-Za-z_][\w.]*)\(([^()]*)\Z")
_LONGEST_HISTORY = 10_000


class Completer:
    """Completes what readline has: names, attributes, and arguments of operations."""

    def __init__(self, names: dict[str, Any]) -> None:
        """Take the prompt's names."""
        import rlcompleter

        self._names = names
        self._plain = rlcompleter.Completer(names)
        self._found: list[str] = []

    def complete(self, text: str, state: int) -> str | None:
        """The state-th proposal for a text, as readline asks for it."""
        if state == 0:
            import readline

            self._found = self.proposals(readline.get_line_buffer()[: readline.get_endidx()], text)
        return self._found[state] if state < len(self._found) else None

    def proposals(self, line: str, text: str) -> list[str]:
        """Everything that the last word of a line may become."""
        found = [f"{name}=" for name in self._arguments(line) if name.startswith(text)]
        for index in range(_LONGEST_HISTORY):
            plain = self._plain.complete(text, index)
            if plain is None:
                break
            # Which attributes are called is seen by their signatures, so rlcompleter's "(" is theirs to type.
            found.append(plain.rstrip("()"))
        return list(dict.fromkeys(found))

    def _arguments(self, line: str) -> list[str]:
        """The arguments of the operation in whose parentheses the line ends."""
        call = _CALL.search(line)
        if call is None or call[2].rpartition(",")[2].count("="):
            return []
        head, *attributes = call[1].split(".")
        found: Any = self._names.get(head)
        for attribute in attributes:
            found = getattr(found, attribute, None)
        if not isinstance(found, OperationMethod):
            return []
        return list(inspect.signature(found).parameters)


@contextmanager
def history(names: dict[str, Any]) -> Iterator[None]:
    """A prompt's completion, and its history, kept from one to the next; nothing where there is no readline."""
    try:
        import readline
    except ImportError:
        yield
        return
    readline.set_completer(Completer(names).complete)
    readline.set_completer_delims(" \t\n\"'`@$><=;|&{(,")
    readline.parse_and_bind("tab: complete")
    file = _file()
    # There may be none yet, or one that can't be read: a prompt works without.
    with suppress(OSError):
        readline.read_history_file(file)
    try:
        yield
    finally:
        _keep(file)


def _keep(file: Path) -> None:
    """Write the history where only its owner reads it: people type secrets."""
    import readline

    readline.set_history_length(_LONGEST_HISTORY)
    # A prompt ends well also where nothing can be written.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
        readline.write_history_file(file)


def _file() -> Path:
    import platformdirs

    return platformdirs.user_state_path("dynclient") / "history"
