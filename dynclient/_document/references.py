"""A document with all files that it refers to, and the targets of its ``$ref``.

Rule 1: a location is the URL of a file, and a JSON pointer in it. A schema's own identifier (``$id``) only helps to
find it.
Rule 2: a document does not decide what may be read. A local file may refer to files below its folder, and any document
to the locations that the caller allows; everything else is refused before it is opened.
Rule 3: chains are followed by a loop.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote, urldefrag

from dynclient import __version__
from dynclient._deferred import cached_property
from dynclient._document import source as sources
from dynclient._document.cache import Cache, fingerprint_of, listing_of
from dynclient._document.files import File, Files, leaving
from dynclient._document.identifiers import joined
from dynclient._escaping import one_line
from dynclient._identifiers import near
from dynclient.exceptions import ArgumentError, DocumentError, DocumentLocation, UnresolvableReference, UnsafeDocument
from dynclient.json_pointer import MISSING, join, of_fragment, split, walk
from dynclient.options import Limits

if TYPE_CHECKING:
    from dynclient._document.overlays import Overlays  # few documents have any
    from dynclient.transports import Transport

_SHOWN = 6
_MANY = 5_000


def open_document(
    source: Any,
    *,
    limits: Limits | None = None,
    references: Iterable[str | os.PathLike[str]] = (),
    transport: Transport | None = None,
    cache: Cache | None = None,
    overlays: Overlays | None = None,
) -> Document:
    """Read a document: from a path, a URL, bytes, text, a file object or a mapping.

    ``references`` are the origins, URL prefixes and folders beyond the document's own folder that ``$ref`` may lead to.

    Raises:
        UnreadableDocument: it can't be read, or is neither JSON nor YAML.
        UnsafeDocument: it exceeds the limits.
        TransportError: its server can't be reached.
    """
    limits = Limits() if limits is None else limits
    its_cache = Cache(cache.folder, overlays.key) if cache is not None and overlays is not None else cache
    found = sources.from_source(source, limits, transport, its_cache)
    if overlays is not None and found.kept is not None and found.kept.cache is None:
        hint = "dynclient compile DOCUMENT --overlay ... makes one with overlays"
        raise ArgumentError("a compiled document takes no overlays", argument="overlays", hint=hint)
    references = (references,) if isinstance(references, str) else tuple(references)
    return Document(Files(found, limits, references, transport, cache, overlays), references)


class Document:
    """A document, and the others that it refers to. It implements :class:`dynclient.model.References`.

    ``uri`` is absolute and has no fragment; ``name`` is what errors call the document; ``root`` is its tree. ``remote``
    means that it came from the network; ``source_uri`` is where the caller said that it is.
    """

    def __init__(self, files: Files, references: tuple[str | os.PathLike[str], ...] = ()) -> None:
        """``files`` has read the root; ``references`` are the other locations that it may refer to."""
        self._files = files
        self._references = [os.fspath(location) for location in references]
        self._limits = files.limits
        self._resolved: dict[tuple[str, str], tuple[str, Any]] = {}
        self.uri = files.root.uri
        self.source_uri = files.source_uri
        self.name = files.root.name
        self.root: Mapping[str, Any] = files.root.tree
        self.remote = files.remote
        self.overlays = files.root.overlays
        self.api: Any = None
        """The API that a reader has made of this document, so that it is made once."""
        self.was_listed = False
        """Whether the list of operations came from a compiled form."""

    def __repr__(self) -> str:
        return one_line(f"<Document {self.name}>")

    @property
    def base(self) -> str:
        """The base URI of references: the document's URI, or ``$self`` (OAS 3.2)."""
        return self._files.root.base

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the root document as it was received, and of its overlays, in hexadecimal digits."""
        if self._files.root.fingerprint:
            own = self._files.root.fingerprint
            return own if self.overlays is None else fingerprint_of(f"{own} {self.overlays.key}".encode())
        return fingerprint_of(json.dumps(self.root, sort_keys=True).encode())

    @property
    def listing(self) -> bytes | None:
        """The list of operations in the compiled form; None if a file that it was made of has changed."""
        kept = self._files.root.kept
        form = kept.form if kept is not None else None
        # A shipped form may come from another release.
        if kept is None or form is None or (kept.cache is None and form.about.get("release") != __version__):
            return None
        found = listing_of(form, None if kept.cache is None else self._references)
        self.was_listed = found is not None
        return found

    def keep(self, listing: bytes | None) -> None:
        """Keep the compiled form of this document in the cache, if there is one, with the list of operations."""
        others = self._files.others
        depends = {sources.path_of(file.uri): file.stamp for file in others}
        if any(file.remote for file in others) or None in depends.values():
            listing, depends = None, {}
        kept = self._files.root.kept
        if kept is not None and (kept.form is None or listing is not None):
            self._files.root.keep(listing, depends=depends, references=self._references)

    @property
    def is_kept(self) -> bool:
        """Whether the cache keeps this document."""
        kept = self._files.root.kept
        return kept is not None and kept.cache is not None

    @property
    def is_shipped(self) -> bool:
        """Whether this was read from a compiled form that the caller passed."""
        kept = self._files.root.kept
        return kept is not None and kept.cache is None

    @property
    def paths(self) -> tuple[str, ...]:
        """The local files that were read so far."""
        files = (self._files.root, *self._files.others)
        own = tuple(sources.path_of(file.uri) for file in files if file.uri.startswith("file:"))
        return own if self.overlays is None else (*own, *self.overlays.paths)

    @property
    def refers_elsewhere(self) -> bool:
        """Whether a reference in the root document leads to another file."""
        return next(iter(leaving(self.root)), None) is not None

    def compiled(self, listing: bytes | None) -> list[bytes]:
        """Return the compiled form of this document and of all files that it refers to, to be shipped."""
        return self._files.shipped(self.resolve, listing)

    def broken(self) -> list[DocumentError]:
        """Return the errors in the text of the files that were read so far, also in parts that were not used yet."""
        return [error for file in (self._files.root, *self._files.others) for error in file.broken()]

    def is_current(self, *, root: bool = True) -> bool:
        """Return whether the files that were read so far are unchanged; without ``root``, only the others."""
        kept = self._files.root.kept
        if kept is not None and kept.cache is None:
            return kept.is_unchanged() or not root
        if self.overlays is not None and not self.overlays.is_current():
            return False
        return all(file.is_current() for file in [*([self._files.root] if root else []), *self._files.others])

    def resolve(self, reference: str, base: str) -> tuple[str, Any]:
        """Return the target of a ``$ref`` that is at ``base``: its absolute URI (with a JSON pointer) and its value.

        If the target is only a ``$ref``, it is followed; a target with other members is returned.

        Raises:
            UnresolvableReference: the target does not exist, or the references are circular.
            UnsafeDocument: it leads to a file or URL that is not allowed.
            UnreadableDocument: the file that it leads to can't be read.
        """
        document, _, pointer = base.partition("#")
        file = self._files.known(document)
        key = (reference, f"{document}#{file.top(pointer)}" if file is not None else document)
        found = self._resolved.get(key)
        if found is None:
            found = self._resolved[key] = self._chain(reference, base)
        return found

    def location(self, uri: str) -> tuple[str, str, int | None]:
        """Return a URI's document (as errors call it), JSON pointer, and line from 1, or None."""
        document, _, pointer = uri.partition("#")
        file = self._files.known(document)
        if file is None:
            return document, pointer, None
        if file is self._files.root and self.overlays is not None:
            number, pointer = self.overlays.origin(pointer)
            if number:
                return self.overlays.location(number, pointer)
        return file.name, pointer, file.line(pointer)

    def strangers(self, uri: str, *members: str) -> tuple[str, ...]:
        """The URLs of the files from the network that define members of an object, at ``uri`` or below.

        The file that contains the object is an empty string; an overlay is its URL, as the caller spelled it.
        """
        document, _, pointer = uri.partition("#")
        file = self._files.known(document)
        if file is not self._files.root or self.overlays is None:
            return ("",) if file is not None and file.remote else ()
        authors = set().union(*(self.overlays.authors(f"{pointer}/{member}") for member in members))
        urls = {0: ""} if self.remote else {}
        urls |= {number: one.named for number, one in enumerate(self.overlays.files, 1) if one.remote}
        return tuple(urls[author] for author in sorted(authors) if author in urls)

    def _chain(self, reference: str, base: str) -> tuple[str, Any]:
        """Follow references as long as their target is only another reference."""
        seen: dict[str, None] = {}
        crossed = 0
        at = base
        while True:
            uri, node = self._step(reference, at)
            if not (isinstance(node, Mapping) and len(node) == 1 and isinstance(node.get("$ref"), str)):
                return uri, node
            if uri in seen:
                circle = list(seen)[list(seen).index(uri) :]
                shown = [f"#{one.partition('#')[2]}" if one.startswith(f"{self.uri}#") else f"#{one}" for one in circle]
                start = [*shown[: _SHOWN - 1], "#…"] if len(shown) > _SHOWN else shown
                way = " -> ".join([*start, shown[0]])
                raise self._fault(f"$ref is circular: {way}, and leads to nothing else", base)
            seen[uri] = None
            crossed += uri.partition("#")[0] != at.partition("#")[0]
            if crossed > self._limits.reference_depth:
                message = f"$ref leads through more than {self._limits.reference_depth} documents"
                raise UnsafeDocument(message, location=DocumentLocation(*self.location(base)))
            reference, at = node["$ref"], uri

    def _step(self, reference: str, at: str) -> tuple[str, Any]:
        """Follow one reference."""
        document, _, pointer = at.partition("#")
        here = self._files.known(document)
        if here is not None and reference.startswith("#"):
            return self._within(here, here.top(pointer), reference[1:], reference, at)
        scope = self._files.scope(document, pointer)
        try:
            target, fragment = urldefrag(joined(scope, reference))
        except ValueError:
            raise self._fault(f"$ref {reference!r} is not a URI reference", at) from None
        try:
            file, top = self._files.find(target)
        except DocumentError as error:
            if error.location is not None and error.location.line is not None:
                raise
            # The error is this reference, not something in the other document.
            message = f"$ref {reference!r} can't be followed: {error.message}"
            raise type(error)(message, location=DocumentLocation(*self.location(at)), hint=error.hint) from None
        return self._within(file, top, fragment, reference, at)

    def _within(self, file: File, top: str, fragment: str, reference: str, at: str) -> tuple[str, Any]:
        """Return the target of a fragment, in the file or in the schema at ``top`` that has its own identifier."""
        if fragment and not fragment.startswith(("/", "%2F", "%2f")):
            named = file.anchor(top, unquote(fragment))
            if named is None:
                raise self._fault(f"$ref {reference!r} leads nowhere: there is no such $anchor", at)
            return f"{file.uri}#{named}", walk(file.tree, split(named))[0]
        # JSON Schema 2020-12, 8.2.1: a pointer starts at the schema with the `$id`. Many authors mean the document.
        for start in dict.fromkeys((top, "")):
            tree, _ = walk(file.tree, split(start))
            pointer, node = of_fragment(tree, fragment)
            if node is not MISSING:
                return f"{file.uri}#{start}{pointer}", node
        return self._through(file, split(pointer)) or self._nowhere(reference, file.tree, split(pointer), at)

    def _through(self, file: File, keys: list[str]) -> tuple[str, Any] | None:
        """Return the last ``$ref`` on the way of a pointer, extended by the rest of it; None if there is none.

        RFC 6901 doesn't look into references, but resolvers of other tools do, so documents rely on it.
        """
        _, depth = walk(file.tree, keys)
        node, _ = walk(file.tree, keys[:depth])
        reference = node.get("$ref") if isinstance(node, Mapping) else None
        target, _, fragment = reference.partition("#") if isinstance(reference, str) else ("", "", "none")
        if fragment and not fragment.startswith("/"):
            return None
        onward = join(f"{target}#{fragment}", *keys[depth:])
        return f"{file.uri}#{join('', *keys[:depth])}", {"$ref": onward}

    def _nowhere(self, reference: str, start: Any, keys: list[str], at: str) -> NoReturn:
        _, depth = walk(start, keys)
        parent, _ = walk(start, keys[:depth])
        where = join("", *keys[:depth])
        close = near(keys[depth], parent) if isinstance(parent, Mapping) and len(parent) < _MANY else []
        hint = f"did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
        raise self._fault(f"$ref {reference!r} leads nowhere: there is no {keys[depth]!r} in #{where}", at, hint)

    def _fault(self, message: str, at: str, hint: str = "") -> UnresolvableReference:
        return UnresolvableReference(message, location=DocumentLocation(*self.location(at)), hint=hint)
