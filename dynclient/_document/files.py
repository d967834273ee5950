"""The files of a document: the root, and the others that its references lead to, each read once by the same rules."""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urlsplit

from dynclient._document import source as sources
from dynclient._document.cache import Cache, Stamp, fingerprint_of, stamp_of
from dynclient._document.compiled import HEAD, CompiledFile, Writer
from dynclient._document.identifiers import NONE, Identifiers, declares, identifiers, joined
from dynclient._document.lazy import LazyMapping, LazyTree, broken
from dynclient._document.source import Source
from dynclient._document.text import unreadable, unsafe, utf8
from dynclient._version import __version__
from dynclient.exceptions import DocumentError, DynclientError
from dynclient.json_pointer import split
from dynclient.messages import origin
from dynclient.options import Limits

if TYPE_CHECKING:
    from dynclient._document.data import Lines  # a warm load reads no text
    from dynclient.transports import Transport

_SHORT = 1 << 20
"""Bytes of text that are held beside its tree, which takes many times as much, for whoever asks for its SHA-256."""
# From the network fewer files are taken than from a disk.
_REMOTE_FILES = 50


class File:
    """One file. ``uri`` is where it was had; ``base`` is what its references are relative to."""

    def __init__(
        self,
        source: Source,
        limits: Limits,
        *,
        root: bool = False,
        identified: bool = True,
        described: CompiledFile | None = None,
    ) -> None:
        """Read what the source holds. Of a compiled form, ``described`` is the file that is meant."""
        self.uri = source.uri
        self.name = source.name
        self.remote = source.remote
        self.kept = source.kept
        self.tree: Any
        self._source = source._replace(data=b"")
        self._limits = limits
        self._was_damaged = False
        # OAS 3.0.4 and earlier know no identifiers in schemas.
        self.identified = identified
        form = source.kept.form if source.kept is not None else None
        if form is not None:
            described = described or form.files[0]
            self.fingerprint = described.fingerprint
            # Text that nobody has looked at is the first that stands in a form: in the cache, each file has its own.
            bounds = None if described.validated else limits
            tree = LazyTree(form.bytes, self.name, limits=bounds, start=len(HEAD), recover=self._again)
            self.tree = tree.value(described.entry, "")
            self._may_declare = described.declares
            if root and not isinstance(self.tree, Mapping):
                raise unreadable("holds no document", source.name)
        elif isinstance(source.data, Mapping):
            self.fingerprint = ""
            from dynclient._document.trees import copied

            self.tree = copied(source.data, source.name, limits)
            self._may_declare = True
        else:
            from dynclient._document.data import read

            self.tree = read(source.data, source.name, limits, json_only=source.json_only, root=root)
            if isinstance(self.tree, LazyMapping) or len(source.data) < _SHORT:
                # The text is held, and can be asked later.
                self._source = source
            else:
                self.fingerprint = source.fingerprint
                self._may_declare = declares(utf8(source.data, source.name))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the bytes, in hexadecimal digits; empty for a mapping."""
        return self._source.fingerprint

    @cached_property
    def _may_declare(self) -> bool:
        data = self._source.data
        return isinstance(data, Mapping) or declares(utf8(data, self.name))

    @property
    def _declares(self) -> bool:
        return self.identified and self._may_declare

    def _again(self) -> Any:
        """The tree from the document itself, for want of what is damaged in its compiled form."""
        self._was_damaged = True
        if self.kept is not None:
            self.kept.drop()
        data = self._bytes()
        if data is None:
            message = "can't be read any more: its compiled form is damaged"
            raise unreadable(message, self.name, hint="load the document again")
        from dynclient._document.data import read

        return read(data, self.name, self._limits, json_only=self._source.json_only)

    def _bytes(self) -> bytes | None:
        """The document as it came; None where it is gone, or has changed."""
        data = self._source.again()
        if self._source.data:
            return data if data == self._source.data else None
        return data if data is not None and fingerprint_of(data) == self.fingerprint else None

    def add_to(self, writer: Writer, uri: str | None = None) -> None:
        """Write the compiled form of this file; with ``uri``, it is called that, and nothing else."""
        # To look for identifiers in a long text that is not known to have any costs more than it may save somebody.
        declares = self._may_declare if self.identified or not isinstance(self.tree, LazyMapping) else True
        called = uri or self.uri, uri or self.name
        writer.add(*called, self.fingerprint, self.tree, declares=declares, remote=self.remote)

    def keep(self, listing: bytes | None = None, **about: Any) -> None:
        """Keep the compiled form in the cache, with what a reader has noted of the operations."""
        if self.kept is None or self.kept.cache is None or not isinstance(self.tree, Mapping) or self._was_damaged:
            return
        if self.kept.form is not None:
            # It is the document's, whatever is wrong with parts that nobody has come to yet.
            self.kept.keep(self.kept.form.noted(listing, **{**self.kept.noted(), **about}))
            return
        writer = Writer(as_text=True)
        try:
            self.add_to(writer)
            self.kept.keep(writer.finished(listing, **self.kept.noted(), **about))
        except (ValueError, TypeError, RecursionError, MemoryError):
            # What JSON can't say is read anew each time.
            return

    def broken(self) -> Iterator[DocumentError]:
        """What is wrong with the text of the parts that nobody has come to yet, and of the others."""
        return broken(self.tree) if isinstance(self.tree, LazyMapping) else iter(())

    @property
    def stamp(self) -> Stamp | None:
        """What the file system said of the file when it was read."""
        if self.kept is None:
            return None
        about = self.kept.about or (self.kept.form.about if self.kept.form is not None else {})
        return about.get("stamp")

    def is_current(self) -> bool:
        """Whether a local file is what it was; what is in memory always is. Of a URL nobody knows."""
        if self.remote or self.uri.startswith("memory:"):
            return not self.remote
        path = unquote(urlsplit(self.uri).path)
        if self.stamp is not None and stamp_of(path) == self.stamp:
            return True
        data = self._source.again()
        return data is not None and fingerprint_of(data) == self.fingerprint

    @cached_property
    def base(self) -> str:
        """The base URI at the top of the file."""
        # OAS 3.2.0, 4.1.2.2.1: `$self` is resolved against the URI that the document was had from.
        own = self.tree.get("$self") if isinstance(self.tree, Mapping) else None
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
        data = self._bytes()
        if data is None:
            return None
        from dynclient._document.data import lines

        return lines(utf8(data, self.name), self._limits)


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

    def shipped(self, resolve: Callable[[str, str], Any], listing: bytes | None) -> list[bytes]:
        """Return one compiled form of all files, to be shipped with an application.

        Every reference is followed by ``resolve`` first. No path of this machine goes into the form: local files are
        named relative to the root's folder.
        """
        writer = Writer()
        done: set[str] = set()
        waiting = [self.root]
        while waiting:
            file = waiting.pop(0)
            if file.uri in done:
                continue
            done.add(file.uri)
            for reference in dict.fromkeys(_leaving(file.tree)):
                # The operation that needs a file which can't be read reports that.
                with suppress(DynclientError):
                    resolve(reference, f"{file.uri}#")
            waiting += self.others
            file.add_to(writer, _relative(file, self.root))
        # The list says where operations are, and those in other files are elsewhere once the form has moved.
        own = listing if len(done) == 1 else None
        return writer.finished(own, release=__version__, depends={})

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


def _relocated(source: Source, described: CompiledFile) -> Source:
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


def _leaving(tree: Any) -> Iterator[str]:
    """Yield the references of a file that may lead out of it."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            reference = node.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                yield reference
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def _relative(file: File, root: File) -> str:
    """Return a file's URI, relative to the root's folder if both are local."""
    if file.remote or root.remote:
        return file.uri
    start = posixpath.dirname(urlsplit(root.uri).path)
    return posixpath.relpath(urlsplit(file.uri).path, start)
