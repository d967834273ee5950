"""A document with all that it refers to, and where its ``$ref`` lead.

Rule 1: a place is named by where it can be had: the URL or file, and the JSON pointer as it is in that file. What a
schema calls itself (``$id``) only helps to find it.
Rule 2: the document decides nothing about what may be read. A local file may refer to files below its folder, and
any document to what the caller allows; everything else is refused before it is touched.
Rule 3: chains are followed by a loop.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urlsplit

from dynclient._document import source as sources
from dynclient._document.cache import Cache, CachedForm, fingerprint_of, listing_of
from dynclient._document.compiled import Compiled
from dynclient._document.files import File, Files
from dynclient._document.identifiers import joined
from dynclient._identifiers import near
from dynclient._version import __version__
from dynclient.exceptions import DocumentError, Place, UnresolvableReference, UnsafeDocument
from dynclient.json_pointer import MISSING, join, of_fragment, split, walk
from dynclient.options import Limits

if TYPE_CHECKING:
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
) -> Document:
    """Read a document: from a path, a URL, bytes, text, a file object or a mapping.

    ``references`` are the origins, URL prefixes and folders beyond the document's own folder that ``$ref`` may lead to.

    Raises:
        UnreadableDocument: it can't be had, or is no JSON or YAML.
        UnsafeDocument: it is beyond the limits.
        TransportError: the way to its server failed.
    """
    limits = Limits() if limits is None else limits
    found = sources.from_source(source, limits, transport, cache)
    references = (references,) if isinstance(references, str) else tuple(references)
    return Document(Files(found, limits, references, transport, cache), references)


def _trusted(kept: CachedForm, form: Compiled) -> bool:
    """Whether a reader's notes are those of this release: a shipped form may come from another one."""
    return kept.cache is not None or form.about.get("release") == __version__


class Document:
    """A document, and the others that it refers to. It implements :class:`dynclient.model.References`.

    ``uri`` is absolute and has no fragment; ``name`` is what a person calls the document; ``root`` is a plain tree.
    ``remote`` tells that it came from the network.
    """

    def __init__(self, files: Files, references: tuple[str | os.PathLike[str], ...] = ()) -> None:
        """Take the files, of which the root is read already, and what else may be referred to."""
        self._files = files
        self._references = [os.fspath(place) for place in references]
        self._limits = files.limits
        self._resolved: dict[tuple[str, str], tuple[str, Any]] = {}
        self.uri = files.root.uri
        self.name = files.root.name
        self.root: Mapping[str, Any] = files.root.tree
        self.remote = files.remote
        self.api: Any = None
        """What a reader has made of this document: held here, so that it is made once."""
        self.was_listed = False
        """Whether there was a list when a reader asked for it: it is long, and not held."""

    def __repr__(self) -> str:
        return f"<Document {self.name}>"

    @property
    def base(self) -> str:
        """The base URI of what the document refers to: its own URI, or ``$self`` (OAS 3.2)."""
        return self._files.root.base

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the root document as it came, in hexadecimal digits."""
        if self._files.root.fingerprint:
            return self._files.root.fingerprint
        return fingerprint_of(json.dumps(self.root, sort_keys=True).encode())

    @property
    def listing(self) -> bytes | None:
        """What a reader has noted of the operations, if the files that it noted it of are what they were."""
        kept = self._files.root.kept
        form = kept.form if kept is not None else None
        if kept is None or form is None or not _trusted(kept, form):
            return None
        found = listing_of(form, None if kept.cache is None else self._references)
        self.was_listed = found is not None
        return found

    def keep(self, listing: bytes | None) -> None:
        """Keep the compiled form of this document in the cache, if there is one, with a reader's notes of it."""
        others = self._files.others
        depends = {unquote(urlsplit(file.uri).path): file.stamp for file in others}
        if any(file.remote for file in others) or None in depends.values():
            listing, depends = None, {}
        kept = self._files.root.kept
        if kept is not None and (kept.form is None or listing is not None):
            self._files.root.keep(listing, depends=depends, references=self._references)

    @property
    def is_kept(self) -> bool:
        """Whether there is a place in the cache for this document."""
        kept = self._files.root.kept
        return kept is not None and kept.cache is not None

    @property
    def is_shipped(self) -> bool:
        """Whether this was read from a compiled form that a caller gave for the document."""
        kept = self._files.root.kept
        return kept is not None and kept.cache is None

    @property
    def paths(self) -> tuple[str, ...]:
        """The local files that were read so far."""
        files = (self._files.root, *self._files.others)
        return tuple(unquote(urlsplit(file.uri).path) for file in files if file.uri.startswith("file:"))

    def compiled(self, listing: bytes | None) -> list[bytes]:
        """The compiled form of this document and of all that it refers to, to be shipped."""
        return self._files.shipped(self.resolve, listing)

    def broken(self) -> list[DocumentError]:
        """What is wrong with the text of the files that were read so far, beyond what was told when they were read."""
        return [error for file in (self._files.root, *self._files.others) for error in file.broken()]

    def is_current(self, *, root: bool = True) -> bool:
        """Whether the files that were read so far are what they were; without ``root``, only the others."""
        kept = self._files.root.kept
        if kept is not None and kept.cache is None:
            return kept.is_unchanged() or not root
        return all(file.is_current() for file in [*([self._files.root] if root else []), *self._files.others])

    def resolve(self, reference: str, base: str) -> tuple[str, Any]:
        """Find what a ``$ref`` found at ``base`` leads to: its absolute URI (with a JSON pointer) and the node.

        A node that is nothing but a ``$ref`` is followed; one that says more is what is returned.

        Raises:
            UnresolvableReference: it leads nowhere, or in a circle.
            UnsafeDocument: it leads where the caller does not allow.
            UnreadableDocument: the document that it leads to can't be read.
        """
        document, _, pointer = base.partition("#")
        file = self._files.known(document)
        key = (reference, f"{document}#{file.top(pointer)}" if file is not None else document)
        found = self._resolved.get(key)
        if found is None:
            found = self._resolved[key] = self._chain(reference, base)
        return found

    def place(self, uri: str) -> tuple[str, str, int | None]:
        """Tell a URI's document (as a person names it), JSON pointer, and line from 1 where it can be found."""
        document, _, pointer = uri.partition("#")
        file = self._files.known(document)
        if file is None:
            return document, pointer, None
        return file.name, pointer, file.line(pointer)

    def _chain(self, reference: str, base: str) -> tuple[str, Any]:
        """Follow references as long as they lead to nothing but another one."""
        seen: dict[str, None] = {}
        crossed = 0
        at = base
        while True:
            uri, node = self._step(reference, at)
            if not (isinstance(node, Mapping) and len(node) == 1 and isinstance(node.get("$ref"), str)):
                return uri, node
            if uri in seen:
                circle = list(seen)[list(seen).index(uri) :]
                raise self._fault(f"{self._circle(circle)}, and to nothing else", base)
            seen[uri] = None
            crossed += uri.partition("#")[0] != at.partition("#")[0]
            if crossed > self._limits.reference_depth:
                message = f"$ref leads through more than {self._limits.reference_depth} documents"
                raise UnsafeDocument(message, place=Place(*self.place(base)))
            reference, at = node["$ref"], uri

    def _step(self, reference: str, at: str) -> tuple[str, Any]:
        """One reference to what it names."""
        document, _, pointer = at.partition("#")
        here = self._files.known(document)
        if here is not None and reference.startswith("#"):
            return self._within(here, here.top(pointer), reference[1:], reference, at)
        scope = self._files.scope(document, pointer)
        try:
            target, fragment = urldefrag(joined(scope, reference))
        except ValueError:
            raise self._fault(f"$ref {reference!r} is no URI reference", at) from None
        try:
            file, top = self._files.find(target)
        except DocumentError as error:
            if error.place is not None and error.place.line is not None:
                raise
            # What is wrong is not within the other document, but that it is asked for.
            message = f"$ref {reference!r} can't be followed: {error.message}"
            raise type(error)(message, place=Place(*self.place(at)), hint=error.hint) from None
        return self._within(file, top, fragment, reference, at)

    def _within(self, file: File, top: str, fragment: str, reference: str, at: str) -> tuple[str, Any]:
        """What a fragment names, in the file or in the schema at ``top`` that has an identifier of its own."""
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
        raise self._nowhere(reference, file.tree, split(pointer), at)

    def _nowhere(self, reference: str, start: Any, keys: list[str], at: str) -> UnresolvableReference:
        _, depth = walk(start, keys)
        parent, _ = walk(start, keys[:depth])
        where = join("", *keys[:depth])
        close = near(keys[depth], parent) if isinstance(parent, Mapping) and len(parent) < _MANY else []
        hint = f"did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
        return self._fault(f"$ref {reference!r} leads nowhere: there is no {keys[depth]!r} in #{where}", at, hint)

    def _circle(self, uris: list[str]) -> str:
        shown = [uri.partition("#")[2] if uri.startswith(f"{self.uri}#") else uri for uri in uris]
        if len(shown) > _SHOWN:
            shown = [*shown[: _SHOWN - 1], "…"]
        return "$ref leads in a circle: " + " -> ".join([*(f"#{text}" for text in shown), f"#{shown[0]}"])

    def _fault(self, message: str, at: str, hint: str = "") -> UnresolvableReference:
        return UnresolvableReference(message, place=Place(*self.place(at)), hint=hint)
