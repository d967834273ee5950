"""Reloading a client when its document's files have changed.

Rule 1: the thread ends when its client is closed or garbage-collected, and never keeps the process alive.
Rule 2: a file that is still being written is left alone: it is read once its stamp stays the same.
Rule 3: an exception of a reload or of a hook does not end the watch; it is logged.
"""

from __future__ import annotations

import weakref
from threading import Event, Thread, current_thread

from dynclient._call import ReloadEvent
from dynclient._client.operation_method import Dispatcher
from dynclient._client.state import ClientState
from dynclient._document import Document
from dynclient._escaping import logger
from dynclient.exceptions import DynclientError

log = logger()

SECONDS = 1.0
"""Seconds between two checks."""


class Watcher:
    """Reloads a client when its document's files change, in a daemon thread."""

    def __init__(self, state: ClientState, dispatcher: Dispatcher, seconds: float) -> None:
        """Start to watch; ``seconds`` is the time between two checks."""
        self._state = weakref.ref(state)
        self._made, self._options = type(dispatcher), dispatcher.options
        self._seconds = seconds
        references = state.document.api.references
        # A change between the reading of the document and now is found at the first check.
        is_current = isinstance(references, Document) and references.is_current()
        self._seen = state.source.stamps(state.document.api) if is_current else ()
        self._stopped = Event()
        self._thread = Thread(target=self._watch, name="dynclient-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch; waits for a reload that is under way, for 5 seconds at most."""
        self._stopped.set()
        if self._thread is not current_thread():
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        before = self._seen
        while not self._stopped.wait(self._seconds):
            state = self._state()
            if state is None:
                return
            now = state.source.stamps(state.document.api)
            if now != self._seen and now == before:
                self._seen = now
                self._reload(state)
            before = now
            del state

    def _reload(self, state: ClientState) -> None:
        document = state.document
        name = document.api.document_name
        try:
            event = ReloadEvent(name, state.reload(lambda new: self._made(state, self._options, new)))
            if state.document is document:
                return
            log.info("%s: read again", name)
        except DynclientError as error:
            log.warning("%s: not loaded, the client keeps its document: %s", name, error)
            event = ReloadEvent(name, error=error)
        except Exception:  # rule 3
            log.exception("%s: could not be reloaded", name)
            return
        for hook in self._options.hooks:
            method = getattr(hook, "on_reload", None)
            if method is not None:
                try:
                    method(event)
                except Exception:  # rule 3
                    log.exception("on_reload of %s failed", type(hook).__name__)
