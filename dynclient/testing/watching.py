"""The files of a document, watched: a mock takes the changed document with its next request.

Rule: no thread and no timer. Who asks, asks the file system, which costs microseconds.
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dynclient import model
from dynclient._load import load
from dynclient.exceptions import DynclientError

log = logging.getLogger("dynclient.testing")

SUFFIXES = frozenset({".json", ".yaml", ".yml"})


class Watch:
    """Tells when a document, or a file beside or below it that a reference may lead to, has changed."""

    def __init__(self, api: model.API) -> None:
        """Take an API that was read from a file; any other never changes."""
        uri = urlsplit(api.document_uri)
        self._path = Path(unquote(uri.path)) if uri.scheme == "file" else None
        self._seen = self._stamps()

    def changed(self) -> model.API | None:
        """The document read anew, if it has changed since this was last asked and can be read; else None."""
        stamps = self._stamps()
        if self._path is None or stamps == self._seen:
            return None
        self._seen = stamps
        try:
            api = load(self._path)
        except DynclientError as error:
            log.error("the changed document can't be read, the old one stays: %s", error)  # noqa: TRY400  # says it all
            return None
        log.warning("%s was read again", self._path.name)
        return api

    def _stamps(self) -> dict[str, tuple[int, int]]:
        if self._path is None:
            return {}
        found = {}
        for path in (self._path, *self._path.parent.iterdir()):
            if path == self._path or path.suffix in SUFFIXES:
                try:
                    stat = path.stat()
                except OSError:
                    continue
                found[path.name] = (stat.st_mtime_ns, stat.st_size)
        return found
