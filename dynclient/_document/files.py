"""The files of a document: the root, and the others that its references lead to, each read once, by the same rules."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urlsplit

from dynclient import __version__
from dynclient._deferred import cached_property
from dynclient._document import source as sources
from dynclient._document.cache import Cache, Stamp, fingerprint_of, stamp_of
from dynclient._document.compiled import HEAD, Compiled, CompiledFile, LazyMapping, LazyTree, Writer, broken
from dynclient._document.identifiers import NONE, Identifiers, declares, identifiers, joined
from dynclient._document.source import Source, path_of
from dynclient._document.text import damaged, unreadable, unsafe, utf8
from dynclient._escaping import logger
from dynclient.exceptions import DocumentError, DynclientError
from dynclient.json_pointer import split
from dynclient.messages import origin
from dynclient.options import Limits

if TYPE_CHECKING:
    from dynclient._document.data import LineFinder  # a warm load reads no text
    from dynclient._document.overlays import Overlays
    from dynclient.transports import Transport

_log = logger("dynclient.document")
# Fewer files are accepted from the network than from disk.
_REMOTE_FILES = 50
# The number of times that a percent-encoded path is decoded before it is checked.
_ENCODINGS = 3


class File:
    """One file. ``uri`` is its location after redirects; its references are relative to ``base``."""

    def __init__(
        self,
        source: Source,
        limits: Limits,
        *,
        root: bool = False,
        identified: bool = True,
        described: CompiledFile | None = None,
        overlays: Overlays | None = None,
    ) -> None:
        """Read the file of a source. For a compiled form, ``described`` is the file in it."""
        self.uri = source.uri
        self.name = source.name
        self.remote = source.remote
        self.kept = source.kept
        self.tree: Any
        self._source = source._replace(data=b"")
        self._limits = limits
        self._was_damaged = False
        self._lines: LineFinder | None = None
        self.overlays = overlays
        # OAS 3.0.4 and earlier have no identifiers in schemas.
        self.identified = identified
        form = source.kept.form if source.kept is not None else None
        if form is not None:
            self._take(form, described or form.files[0], root=root)
            return
        if isinstance(source.data, Mapping):
            self.fingerprint = ""
            from dynclient._document.trees import copied

            self.tree = copied(source.data, source.name, limits)
            self._may_declare = True
        else:
            from dynclient._document.data import read

            self.tree = read(source.data, source.name, limits, json_only=source.json_only, root=root)
            if isinstance(self.tree, LazyMapping):
                # The text is kept, so these are computed when they are needed.
                self._source = source
            else:
                self.fingerprint = source.fingerprint
                self._may_declare = declares(utf8(source.data, source.name))
        if overlays is not None:
            self.fingerprint, self._source = source.fingerprint, source._replace(data=b"")
            self._may_declare = True
            applied = overlays.applied(self.tree, self.uri)
            self.tree = applied.tree
            for warning in applied.warnings:
                _log.warning("%s", warning)

    def _take(self, form: Compiled, described: CompiledFile, *, root: bool) -> None:
        """Take the tree from a compiled form."""
        self.fingerprint = described.fingerprint
        # Text that was not validated is at the start of a form: in the cache, each file has its own form.
        bounds = None if described.validated else self._limits
        tree = LazyTree(form.bytes, self.name, limits=bounds, start=len(HEAD), recover=self._again)
        self.tree = tree.value(described.entry, "")
        self._may_declare = described.declares
        if root and not isinstance(self.tree, Mapping):
            raise unreadable("contains no document", self.name)
        if self.overlays is not None:
            self.overlays.take(form, self._again)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal digits; empty for a mapping."""
        return self._source.fingerprint

    @cached_property
    def _may_declare(self) -> bool:
        data = self._source.data
        return not isinstance(data, Mapping) and declares(utf8(data, self.name))

    @property
    def _declares(self) -> bool:
        return self.identified and self._may_declare

    def _again(self) -> Any:
        """Read the tree from the document itself, since its compiled form is damaged."""
        self._was_damaged = True
        if self.kept is not None:
            self.kept.drop()
        data = self._bytes()
        if data is None:
            message = "can't be read: its compiled form is damaged"
            raise damaged(message, self.name, hint="load the document again")
        from dynclient._document.data import read

        tree = read(data, self.name, self._limits, json_only=self._source.json_only)
        return tree if self.overlays is None else self.overlays.applied(tree, self.uri).tree

    def _bytes(self) -> bytes | None:
        """Return the document as it was received; None if it is gone or has changed."""
        data = self._source.again()
        if self._source.data:
            return data if data == self._source.data else None
        return data if data is not None and fingerprint_of(data) == self.fingerprint else None

    def add_to(self, writer: Writer, uri: str | None = None) -> None:
        """Add this file to a compiled form; ``uri`` replaces its own URI and name."""
        # Searching a long text for identifiers costs more than it may save.
        declares = self._may_declare if self.identified or not isinstance(self.tree, LazyMapping) else True
        names = uri or self.uri, uri or self.name
        writer.add(*names, self.fingerprint, self.tree, declares=declares, remote=self.remote)

    def keep(self, listing: bytes | None = None, **about: Any) -> None:
        """Keep the compiled form in the cache, with a reader's list of operations."""
        if self.kept is None or self.kept.cache is None or not isinstance(self.tree, Mapping) or self._was_damaged:
            return
        if self.kept.form is not None:
            # The form is current, even if parts that were not used yet are invalid.
            self.kept.keep(self.kept.form.noted(listing, **{**self.kept.noted(), **about}))
            return
        writer = Writer(as_text=True)
        try:
            self.add_to(writer)
            about |= self.overlays.noted(writer) if self.overlays is not None else {}
            self.kept.keep(writer.finished(listing, **self.kept.noted(), **about))
        except (ValueError, TypeError, RecursionError, MemoryError):
            # A tree that JSON can't express is not kept.
            return

    def broken(self) -> Iterator[DocumentError]:
        """Yield the errors in all parts, also in those that were not used yet."""
        return broken(self.tree) if isinstance(self.tree, LazyMapping) else iter(())

    @property
    def stamp(self) -> Stamp | None:
        """The stamp of the file when it was read."""
        if self.kept is None:
            return None
        about = self.kept.about or (self.kept.form.about if self.kept.form is not None else {})
        return about.get("stamp")

    def is_current(self) -> bool:
        """Return whether the file is unchanged: a local file by its bytes, a document in memory always, a URL never."""
        if self.remote or self.uri.startswith("memory:"):
            return not self.remote
        path = path_of(self.uri)
        if self.stamp is not None and stamp_of(path) == self.stamp:
            return True
        data = self._source.again()
        return data is not None and fingerprint_of(data) == self.fingerprint

    @cached_property
    def base(self) -> str:
        """The base URI at the top of the file."""
        # OAS 3.2.0, 4.1.2.2.1: `$self` is resolved against the retrieval URI of the document.
        own = self.tree.get("$self") if isinstance(self.tree, Mapping) else None
        if not isinstance(own, str):
            return self.uri
        try:
            return urldefrag(joined(self.uri, own)).url
        except ValueError:
            return self.uri

    @property
    def names(self) -> bool:
        """Whether the file, or a schema in it, may have another URI than the file's."""
        return self._declares or self.base != self.uri

    @cached_property
    def identifiers(self) -> Identifiers:
        """The identifiers of the schemas in the file."""
        return identifiers(self.tree, self.base) if self._declares else NONE

    def scope(self, pointer: str) -> str:
        """Return the base URI at a pointer."""
        return self.identifiers.scopes.get(self.top(pointer), self.base)

    def top(self, pointer: str) -> str:
        """Return the pointer of the innermost schema around a pointer that is a resource; empty: the file."""
        return self.identifiers.top(pointer) if self._declares else ""

    def anchor(self, top: str, name: str) -> str | None:
        """Return the pointer of the schema with this anchor, in the resource whose schema is at ``top``."""
        return self.identifiers.anchors.get((self.scope(top), name))

    def line(self, pointer: str) -> int | None:
        """Return the line of a pointer, from 1; None if the text is gone or has changed."""
        try:
            if self._lines is None:
                from dynclient._document.data import lines

                data = self._bytes()
                self._lines = lines(utf8(data, self.name), self._limits) if data is not None else None
            return self._lines.line(split(pointer)) if self._lines is not None else None
        except Exception:  # noqa: BLE001  # an error without a line is still useful; it must not be replaced by another one
            return None


class Files:
    """The files by their URIs; reads others, if they are allowed."""

    def __init__(
        self,
        source: Source,
        limits: Limits,
        references: Iterable[str | os.PathLike[str]],
        transport: Transport | None,
        cache: Cache | None = None,
        overlays: Overlays | None = None,
    ) -> None:
        """Read the root."""
        self.limits = limits
        self._cache = cache
        # A compiled form has its own source URI, and a URL may have been redirected.
        self.source_uri = source.named or source.uri
        form = source.kept.form if source.kept is not None and source.kept.cache is None else None
        source = _relocated(source, form.files[0]) if form is not None else source
        if form is not None and form.about.get("overlays"):
            from dynclient._document.overlays import Overlays

            overlays = Overlays.of_form(form, limits)
        self.root = File(source, limits, root=True, overlays=overlays)
        self.remote = self.root.remote
        version = self.root.tree.get("openapi", "") if "swagger" not in self.root.tree else "2.0"
        # The version shows only when the file is read.
        self.root.identified = self._identified = not str(version).startswith(("2.0", "3.0"))
        self._files = {self.root.uri: self.root}
        # Those that name themselves, or schemas in them.
        self._named = [self.root]
        for described in form.files[1:] if form is not None else ():
            other = _relocated(source, described)
            self._add(other.uri, File(other, limits, identified=self._identified, described=described))
        self._transport = transport
        self._folders, self._allowed = _allowed(references)
        if source.folder is not None:
            self._folders = (source.folder, *self._folders)
        self._sibling = source.sibling

    def known(self, uri: str) -> File | None:
        """Return the file of a URI, if it has been read."""
        return self._files.get(uri)

    def scope(self, document: str, pointer: str) -> str:
        """Return the base URI at a location."""
        file = self._files.get(document)
        return file.scope(pointer) if file is not None else document

    def find(self, uri: str) -> tuple[File, str]:
        """Return the file that a URI without fragment identifies, and the pointer of the schema in it.

        Raises:
            UnsafeDocument: the file may not be read.
            UnreadableDocument: it can't be read.
            TransportError: its server can't be reached.
        """
        found = self._read_before(uri)
        if found is None:
            self._add(uri, self._read(self._local(uri)))
            found = self._files[uri], ""
        return found

    def _add(self, uri: str, file: File) -> None:
        # If two threads have read the same file, both use the first one's. No lock, since a child process could inherit
        # it locked. A file may have several URIs: by spelling, or by a redirect.
        self._files[uri] = known = self._files.setdefault(file.uri, file)
        if known is file and file.names:
            self._named.append(file)

    @property
    def others(self) -> list[File]:
        """The files that were read other than the root."""
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
            for reference in dict.fromkeys(leaving(file.tree)):
                # Each operation that needs an unreadable file reports it.
                with suppress(DynclientError):
                    resolve(reference, f"{file.uri}#")
            waiting += self.others
            file.add_to(writer, _relative(file, self.root))
        # The list says where operations are; after the form is moved, operations in other files are no longer there.
        own = listing if len(done) == 1 else None
        overlays = self.root.overlays.noted(writer) if self.root.overlays is not None else {}
        return writer.finished(own, release=__version__, depends={}, **overlays)

    def _read_before(self, uri: str) -> tuple[File, str] | None:
        file = self._files.get(uri)
        if file is not None:
            return file, ""
        # URIs that files were read from take precedence over names that files and schemas declare.
        for other in tuple(self._named):
            if other.base == uri:
                return other, ""
            pointer = other.identifiers.resources.get(uri)
            if pointer is not None:
                return other, pointer
        return None

    def _local(self, uri: str) -> str:
        """Return the location of a file whose URI is relative to the name that the root gives itself."""
        base, own = self.root.base, self.root.uri
        folder = base.rpartition("/")[0] + "/"
        if base == own or not own.startswith("file:") or not uri.startswith(folder):
            return uri
        return joined(own, uri[len(folder) :])

    def _read(self, uri: str) -> File:
        scheme = urlsplit(uri).scheme.lower()
        if scheme == "file":
            self._count(self.limits.reference_files, uri)
            name = self._name(uri)
            if self._sibling is not None:
                found = self._sibling(uri, name)
            else:
                found = sources.below(uri, name, self._folders, self.limits, self._cache)
        elif scheme in ("http", "https"):
            if not self._may_ask(uri):
                raise unsafe("other URLs are not allowed", uri, hint="references= allows further URLs for $ref")
            self._count(min(self.limits.reference_files, _REMOTE_FILES), uri)
            found = sources.from_url(uri, self.limits, self._transport, self._may_ask, self._cache)
        else:
            raise unsafe("only a local document may refer to files", uri)
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
        """Return the name of a file in errors: its path relative to the root's name."""
        path = unquote(urlsplit(uri).path)
        start = unquote(urlsplit(self.root.uri).path)
        if not start or not self.root.uri.startswith("file:"):
            return path
        relative = posixpath.relpath(path, posixpath.dirname(start))
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.root.name), relative))


def _relocated(source: Source, described: CompiledFile) -> Source:
    """Return the source of a file in a shipped form, whose URI may be relative to that of the form."""
    remote = described.about.get("remote") is True
    try:
        uri = urldefrag(joined(source.uri, described.uri)).url
    except ValueError:
        raise unreadable("has a file whose URI is malformed", source.name) from None
    return source._replace(uri=uri, name=described.name, remote=remote)


def _allowed(references: Iterable[str | os.PathLike[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folders, and the URL prefixes, that a caller allows."""
    folders: list[str] = []
    urls: list[str] = []
    for location in [references] if isinstance(references, str) else references:
        text = os.fspath(location)
        if text.lower().startswith(("http://", "https://")):
            urls.append(text)
        else:
            path = path_of(text) if text.lower().startswith("file:") else text
            folders.append(os.path.realpath(Path(path).expanduser()))
    return tuple(folders), tuple(urls)


def _is_below(url: str, prefix: str) -> bool:
    """Return whether a URL has the prefix's origin, and its path or one below."""
    parts, allowed = urlsplit(url), urlsplit(prefix)
    try:
        if "@" in parts.netloc or origin(url) != origin(prefix):
            return False
    except (ValueError, DynclientError):
        return False
    if any(segment in (".", "..") for segment in _segments(parts.path)):
        return False
    path = allowed.path.rstrip("/")
    return parts.path == path or parts.path.startswith(f"{path}/")


def _segments(path: str) -> Iterator[str]:
    """Yield the segments of a path as the most lenient server would split it.

    A server may undo percent-encoding before it looks for slashes and dot segments, and so may a proxy in front of it.
    Some treat a backslash as a slash, and text after a semicolon as parameters.
    """
    for _ in range(_ENCODINGS):
        path = unquote(path)
    return (segment.partition(";")[0].strip() for segment in path.replace("\\", "/").split("/"))


def leaving(tree: Any) -> Iterator[str]:
    """Yield the references of a file that may leave it."""
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
