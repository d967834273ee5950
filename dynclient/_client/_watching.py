"""A thread that looks at a document's file and reloads the client when it has changed.

Rule 1: it ends with the client, closed or forgotten, and never keeps the process alive.
Rule 2: a file that is still being written is left alone: it is read when it looks the same twice.
Rule 3: nothing that a new document or a hook does ends the watch; it is logged.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from threading import Event, Thread, current_thread
from typing import TYPE_CHECKING

from dynclient._call import Hook, ReloadEvent
from dynclient._document import Document
from dynclient.exceptions import DynclientError
from dynclient.model import API

if TYPE_CHECKING:
    from dynclient._client._caller import Caller
    from dynclient._client._current import Current
    from dynclient.changes import Changes

log = logging.getLogger("dynclient")

SECONDS = 1.0
"""Between two looks."""


Reload = Callable[["Current"], "Changes"]


def watch(current: Current, caller: Caller, how: bool | float) -> None:  # noqa: FBT001  # as load() takes it
    """Start to watch: ``how`` is True, or seconds between two looks. What is watched ends it."""
    seconds = SECONDS if how is True else how
    stop = Event()
    made, settings = type(caller), caller.settings

    def reload(watched: Current) -> Changes:
        return watched.reload(lambda session: made(session, settings))

    api = current.edition.session.api
    # What has changed since it was read, before anybody watched, is seen at the first look.
    seen = current.origin.stamps(api) if _is_current(api) else ()
    arguments = (weakref.ref(current), reload, settings.hooks, seconds, seen, stop)
    thread = Thread(target=_look, args=arguments, name="dynclient-watch", daemon=True)

    def end() -> None:
        stop.set()
        if thread is not current_thread():
            thread.join(timeout=5)

    current.stop_watching = end
    thread.start()


def _look(
    held: weakref.ref[Current], reload: Reload, hooks: tuple[Hook, ...], seconds: float, seen: object, stop: Event
) -> None:
    before = seen
    while not stop.wait(seconds):
        now = _stamps(held)
        if now is None:
            return
        if now != seen and now == before:
            seen = now
            _reload(held, reload, hooks)
        before = now


def _is_current(api: API) -> bool:
    return isinstance(api.references, Document) and api.references.is_current()


def _stamps(held: weakref.ref[Current]) -> object:
    """How the files of the document look; None when nobody holds the client any more."""
    current = held()
    return None if current is None else current.origin.stamps(current.edition.session.api)


def _reload(held: weakref.ref[Current], reload: Reload, hooks: tuple[Hook, ...]) -> None:
    current = held()
    if current is None:
        return
    edition = current.edition
    name = edition.session.api.document_name
    try:
        event = ReloadEvent(name, reload(current))
        if current.edition is edition:
            return
        log.info("%s: read again", name)
    except DynclientError as error:
        log.warning("%s: not taken, the client goes on with what it had: %s", name, error)
        event = ReloadEvent(name, error=error)
    except Exception:  # rule 3
        log.exception("%s: could not be read again", name)
        return
    for hook in hooks:
        method = getattr(hook, "on_reload", None)
        if method is not None:
            try:
                method(event)
            except Exception:  # rule 3
                log.exception("on_reload of %s failed", type(hook).__name__)
