"""The files of one document: the root, and the others that its references lead to, each read once by the same rules."""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urlsplit

from dynclient._document import source as sources
from dynclient._document.charsets import utf8
from dynclient._document.data import read
from dynclient._document.faults import unsafe
from dynclient._document.identifiers import NONE, Identifiers, declares, identifiers, joined
from dynclient._document.places import Lines, lines
from dynclient._document.pointers import split
from dynclient._document.source import Source
from dynclient._document.trees import copied
from dynclient.exceptions import DynclientError
from dynclient.messages import origin
from dynclient.options import Limits

if TYPE_CHECKING:
    from dynclient.transports import Transport

# From the network fewer files are taken than from a disk.
_REMOTE_FILES = 50


class File:
    """One file. ``uri`` is where it was had; ``base`` is what its references are relative to."""

    def __init__(self, source: Source, limits: Limits, *, root: bool = False, identified: bool = True) -> None:
        """Read what the source holds."""
        self.uri = source.uri
        self.name = source.name
        self.remote = source.remote
        self.tree: Any
        if isinstance(source.data, Mapping):
            self.tree = copied(source.data, source.name, limits)
        else:
            self.tree = read(source.data, source.name, limits, json_only=source.json_only, root=root)
        self.fingerprint = source.fingerprint
        self._source = source._replace(data=b"")
        self._limits = limits
        # OAS 3.0.4 and earlier know no identifiers in schemas.
        self._declares = identified and (not isinstance(source.data, bytes) or declares(source.data))

    @cached_property
    def base(self) -> str:
        """The base URI at the top of the file."""
        # OAS 3.2.0, 4.1.2.2.1: `$self` is resolved against the URI that the document was had from.
        own = self.tree.get("$self") if isinstance(self.tree, dict) else None
        if not isinstance(own, str):
            return self.uri
        try:
            return urldefrag(joined(self.uri, own)).url
        except ValueError:
            return self.uri

    @property
    def names(self) -> bool:
        """Whether something in the file may be known by another URI than the file's."""
        return self._declares or self.base != self.uri

    @cached_property
    def identifiers(self) -> Identifiers:
        """What the schemas in the file call themselves."""
        return identifiers(self.tree, self.base) if self._declares else NONE

    def scope(self, pointer: str) -> str:
        """The base URI at a pointer."""
        return self.identifiers.scopes.get(self.top(pointer), self.base)

    def top(self, pointer: str) -> str:
        """The pointer of the innermost schema around a place that is a resource of its own; empty: the file."""
        return self.identifiers.top(pointer) if self._declares else ""

    def anchor(self, top: str, name: str) -> str | None:
        """The pointer of the schema that has this anchor, in the resource whose schema stands at ``top``."""
        return self.identifiers.anchors.get((self.scope(top), name))

    def line(self, pointer: str) -> int | None:
        """The line of what stands at a pointer, from 1; None where the text is gone, or is not what it was."""
        try:
            found = self._lines
            return found.line(split(pointer)) if found is not None else None
        except Exception:  # noqa: BLE001  # a line is a courtesy to the reader of an error; nothing may come in its way
            return None

    @cached_property
    def _lines(self) -> Lines | None:
        from hashlib import sha256

        data = self._source.again()
        if data is None or sha256(data).hexdigest() != self.fingerprint:
            return None
        return lines(utf8(data, self.name), self._limits)


class Files:
    """The files by their URIs, and what may become one of them."""

    def __init__(
        self,
        source: Source,
        limits: Limits,
        references: Iterable[str | os.PathLike[str]],
        transport: Transport | None,
    ) -> None:
        """Read the root."""
        self.limits = limits
        self.root = File(source, limits, root=True)
        self.remote = source.remote
        self._identified = _knows_identifiers(self.root.tree)
        if not self._identified:
            self.root._declares = False  # noqa: SLF001  # the version shows only when the file is read
        self._files = {self.root.uri: self.root}
        # Those that name themselves, or schemas in them.
        self._named = [self.root]
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
                file = self._read(self._local(uri))
                # Where it was had may be spelled in several ways, or be reached by a redirect.
                self._files[uri] = self._files.setdefault(file.uri, file)
                if file.names:
                    self._named.append(file)
                found = self._files[uri], ""
        return found

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
            found = sources.below(uri, self._name(uri), self._folders, self.limits)
        elif scheme in ("http", "https"):
            if not self._may_ask(uri):
                raise unsafe(
                    "no other host may be asked", uri, hint="references= takes the URLs that a $ref may lead to"
                )
            self._count(min(self.limits.reference_files, _REMOTE_FILES), uri)
            found = sources.from_url(uri, self.limits, self._transport, self._may_ask)
        else:
            raise unsafe("only a document that is a local file may refer to files", uri)
        known = self._files.get(found.uri)
        return known or File(found, self.limits, identified=self._identified)

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
