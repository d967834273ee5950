"""Watching files in a thread, and reloading a client when its document's file has changed.

Rule 1: the thread ends with what it works for, closed or forgotten, and never keeps the process alive.
Rule 2: a file that is still being written is left alone: it is read when it looks the same twice.
Rule 3: an exception of a reload or of a hook does not end the watch; it is logged.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from threading import Event, Thread, current_thread

from dynclient._call import Hook, ReloadEvent
from dynclient._client.operation_method import Dispatcher
from dynclient._client.state import ClientState
from dynclient._document import Document
from dynclient.exceptions import DynclientError

log = logging.getLogger("dynclient")

SECONDS = 1.0
"""Between two looks."""


class FileWatcher:
    """Calls a function when files have changed, in a daemon thread."""

    def __init__(
        self, look: Callable[[], object], changed: Callable[[], object], seconds: float = SECONDS, seen: object = None
    ) -> None:
        """Start to watch.

        Args:
            look: returns the stamps of the files (:func:`dynclient._client.source.stamps`); None ends the watch.
            changed: called after the stamps have changed and were the same twice.
            seconds: the time between two looks.
            seen: the stamps that count as known; those of a first look if None.
        """
        self._look = look
        self._changed = changed
        self._seconds = seconds
        self._seen = look() if seen is None else seen
        self._stopped = Event()
        self._thread = Thread(target=self._watch, name="dynclient-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch; waits for a change that is being handled, for 5 seconds at most."""
        self._stopped.set()
        if self._thread is not current_thread():
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        before = self._seen
        while not self._stopped.wait(self._seconds):
            now = self._look()
            if now is None:
                return
            if now != self._seen and now == before:
                self._seen = now
                try:
                    self._changed()
                except Exception:  # rule 3
                    log.exception("a watched file changed, and could not be taken")
            before = now


def watch(state: ClientState, dispatcher: Dispatcher, how: bool | float) -> None:  # noqa: FBT001  # as load() takes it
    """Reload a client when its document's files change: ``how`` is True, or the seconds between two looks."""
    held = weakref.ref(state)
    made, options = type(dispatcher), dispatcher.options
    references = state.document.api.references

    def look() -> object:
        state = held()
        return None if state is None else state.source.stamps(state.document.api)

    def changed() -> None:
        state = held()
        if state is not None:
            _reload(state, lambda document: made(state, options, document), options.hooks)

    # A change between the reading of the document and now is found at the first look.
    is_current = isinstance(references, Document) and references.is_current()
    state.stop_watching = FileWatcher(look, changed, SECONDS if how is True else how, None if is_current else ()).stop


def _reload(state: ClientState, check: Callable[..., object], hooks: tuple[Hook, ...]) -> None:
    document = state.document
    name = document.api.document_name
    try:
        event = ReloadEvent(name, state.reload(check))
        if state.document is document:
            return
        log.info("%s: read again", name)
    except DynclientError as error:
        log.warning("%s: not taken, the client goes on with what it had: %s", name, error)
        event = ReloadEvent(name, error=error)
    for hook in hooks:
        method = getattr(hook, "on_reload", None)
        if method is not None:
            try:
                method(event)
            except Exception:  # rule 3
                log.exception("on_reload of %s failed", type(hook).__name__)
