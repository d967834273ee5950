"""The files of one document: the root, and the others that its references lead to, each read once by the same rules."""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urlsplit

from dynclient._document import source as sources
from dynclient._document.cache import Cache
from dynclient._document.compiled import Described
from dynclient._document.faults import unreadable, unsafe
from dynclient._document.file import File
from dynclient._document.identifiers import joined
from dynclient._document.source import Source
from dynclient.exceptions import DynclientError
from dynclient.messages import origin
from dynclient.options import Limits

if TYPE_CHECKING:
    from dynclient.transports import Transport

# From the network fewer files are taken than from a disk.
_REMOTE_FILES = 50


class Files:
    """The files by their URIs, and what may become one of them."""

    def __init__(
        self,
        source: Source,
        limits: Limits,
        references: Iterable[str | os.PathLike[str]],
        transport: Transport | None,
        cache: Cache | None = None,
    ) -> None:
        """Read the root."""
        self.limits = limits
        self._cache = cache
        form = source.kept.form if source.kept is not None and source.kept.cache is None else None
        source = _relocated(source, form.files[0]) if form is not None else source
        self.root = File(source, limits, root=True)
        self.remote = self.root.remote
        self._identified = _knows_identifiers(self.root.tree)
        # The version shows only when the file is read.
        self.root.identified = self._identified
        self._files = {self.root.uri: self.root}
        # Those that name themselves, or schemas in them.
        self._named = [self.root]
        for described in form.files[1:] if form is not None else ():
            other = _relocated(source, described)
            self._add(other.uri, File(other, limits, identified=self._identified, described=described))
        self._transport = transport
        self._folders, self._allowed = _places(references)
        if source.folder is not None:
            self._folders = (source.folder, *self._folders)
        self._lock = threading.Lock()

    def known(self, uri: str) -> File | None:
        """The file that was had from a URI, if it has been read."""
        return self._files.get(uri)

    def scope(self, document: str, pointer: str) -> str:
        """The base URI at a place."""
        file = self._files.get(document)
        return file.scope(pointer) if file is not None else document

    def find(self, uri: str) -> tuple[File, str]:
        """The file that a URI without fragment names, and the pointer of the schema in it that it names.

        Raises:
            UnsafeDocument: it is none that may be read.
            UnreadableDocument: it can't be read.
            TransportError: the way to its server failed.
        """
        found = self._had(uri)
        if found is not None:
            return found
        with self._lock:
            found = self._had(uri)
            if found is None:
                self._add(uri, self._read(self._local(uri)))
                found = self._files[uri], ""
        return found

    def _add(self, uri: str, file: File) -> None:
        # Where it was had may be spelled in several ways, or be reached by a redirect.
        self._files[uri] = self._files.setdefault(file.uri, file)
        if file.names:
            self._named.append(file)

    @property
    def others(self) -> list[File]:
        """The files that were read beside the root."""
        return [file for uri, file in tuple(self._files.items()) if file is not self.root and uri == file.uri]

    def _had(self, uri: str) -> tuple[File, str] | None:
        file = self._files.get(uri)
        if file is not None:
            return file, ""
        # What was read tells what it is called, after all that was really had from there.
        for other in tuple(self._named):
            if other.base == uri:
                return other, ""
            pointer = other.identifiers.resources.get(uri)
            if pointer is not None:
                return other, pointer
        return None

    def _local(self, uri: str) -> str:
        """Where the file is that stands beside the root by the name that the root gives itself."""
        base, own = self.root.base, self.root.uri
        folder = base.rpartition("/")[0] + "/"
        if base == own or not own.startswith("file:") or not uri.startswith(folder):
            return uri
        return joined(own, uri[len(folder) :])

    def _read(self, uri: str) -> File:
        scheme = urlsplit(uri).scheme.lower()
        if scheme == "file":
            self._count(self.limits.reference_files, uri)
            found = sources.below(uri, self._name(uri), self._folders, self.limits, self._cache)
        elif scheme in ("http", "https"):
            if not self._may_ask(uri):
                raise unsafe(
                    "no other host may be asked", uri, hint="references= takes the URLs that a $ref may lead to"
                )
            self._count(min(self.limits.reference_files, _REMOTE_FILES), uri)
            found = sources.from_url(uri, self.limits, self._transport, self._may_ask, self._cache)
        else:
            raise unsafe("only a document that is a local file may refer to files", uri)
        known = self._files.get(found.uri)
        if known is not None:
            return known
        file = File(found, self.limits, identified=self._identified)
        if found.kept is not None and found.kept.form is None:
            file.keep()
        return file

    def _count(self, maximum: int, uri: str) -> None:
        if len(self._files) > maximum:
            raise unsafe(f"the document refers to more than {maximum} files", uri)

    def _may_ask(self, url: str) -> bool:
        return any(_is_below(url, prefix) for prefix in self._allowed)

    def _name(self, uri: str) -> str:
        """What a person calls a file: by the root's name and the way from there."""
        path = unquote(urlsplit(uri).path)
        start = unquote(urlsplit(self.root.uri).path)
        if not start or not self.root.uri.startswith("file:"):
            return path
        way = posixpath.relpath(path, posixpath.dirname(start))
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.root.name), way))


def _relocated(source: Source, described: Described) -> Source:
    """A file of a shipped form: a relative URI means that it stands as if beside that."""
    remote = described.about.get("remote") is True
    try:
        uri = urldefrag(joined(source.uri, described.uri)).url
    except ValueError:
        raise unreadable("has a file whose URI is none", source.name) from None
    return source._replace(uri=uri, name=described.name, remote=remote)


def _knows_identifiers(root: Mapping[str, Any]) -> bool:
    return "swagger" not in root and not str(root.get("openapi", "")).startswith("3.0")


def _places(references: Iterable[str | os.PathLike[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folders, and the URL prefixes, that a caller allows."""
    folders: list[str] = []
    urls: list[str] = []
    for place in [references] if isinstance(references, str) else references:
        text = os.fspath(place)
        if text.lower().startswith(("http://", "https://")):
            urls.append(text)
        else:
            path = unquote(urlsplit(text).path) if text.lower().startswith("file:") else text
            folders.append(os.path.realpath(Path(path).expanduser()))
    return tuple(folders), tuple(urls)


def _is_below(url: str, prefix: str) -> bool:
    """Tell whether a URL has the prefix's origin and stands at its path or below."""
    parts, allowed = urlsplit(url), urlsplit(prefix)
    try:
        if "@" in parts.netloc or origin(url) != origin(prefix):
            return False
    except (ValueError, DynclientError):
        return False
    # A server may undo percent-encoding before it looks for dot segments.
    if any(unquote(segment) in (".", "..") for segment in parts.path.split("/")):
        return False
    path = allowed.path.rstrip("/")
    return parts.path == path or parts.path.startswith(f"{path}/")
