"""One file of a document: its tree, what it was had from, and what schemas in it call themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urlsplit

from dynclient._document import stamps
from dynclient._document.charsets import utf8
from dynclient._document.compiled import HEAD, Described, Writer
from dynclient._document.faults import unreadable
from dynclient._document.identifiers import NONE, Identifiers, declares, identifiers, joined
from dynclient._document.kept import fingerprint_of
from dynclient._document.parts import Parts, broken
from dynclient._document.slices import Tree
from dynclient._document.source import Source
from dynclient._document.stamps import Stamp
from dynclient.exceptions import DocumentError
from dynclient.json_pointer import split
from dynclient.options import Limits

if TYPE_CHECKING:  # a warm load reads no text
    from dynclient._document.places import Lines

_SHORT = 1 << 20
"""Bytes of text that are held beside its tree, which takes many times as much, for whoever asks for its SHA-256."""


class File:
    """One file. ``uri`` is where it was had; ``base`` is what its references are relative to."""

    def __init__(
        self,
        source: Source,
        limits: Limits,
        *,
        root: bool = False,
        identified: bool = True,
        described: Described | None = None,
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
            bounds = None if described.checked else limits
            self.tree = Tree(form.bytes, self._again, self.name, bounds, len(HEAD)).value(described.entry, "")
            self._may_declare = described.declares
            if root and not isinstance(self.tree, dict):
                raise unreadable("holds no document", source.name)
        elif isinstance(source.data, Mapping):
            self.fingerprint = ""
            from dynclient._document.trees import copied

            self.tree = copied(source.data, source.name, limits)
            self._may_declare = True
        else:
            from dynclient._document.data import read

            self.tree = read(source.data, source.name, limits, json_only=source.json_only, root=root)
            if isinstance(self.tree, Parts) or len(source.data) < _SHORT:
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
        declares = self._may_declare if self.identified or not isinstance(self.tree, Parts) else True
        called = uri or self.uri, uri or self.name
        writer.add(*called, self.fingerprint, self.tree, declares=declares, remote=self.remote)

    def keep(self, listing: bytes | None = None, **about: Any) -> None:
        """Keep the compiled form in the cache, with what a reader has noted of the operations."""
        if self.kept is None or self.kept.cache is None or not isinstance(self.tree, dict) or self._was_damaged:
            return
        if self.kept.form is not None:
            # It is the document's, whatever is wrong with parts that nobody has come to yet.
            self.kept.keep(self.kept.form.noted(listing, **{**self.kept.noted(), **about}))
            return
        writer = Writer(as_cut=True, short=bool(self._source.data))
        try:
            self.add_to(writer)
            self.kept.keep(writer.finished(listing, **self.kept.noted(), **about))
        except (ValueError, TypeError, RecursionError, MemoryError):
            # What JSON can't say is read anew each time.
            return

    def broken(self) -> Iterator[DocumentError]:
        """What is wrong with the text of the parts that nobody has come to yet, and of the others."""
        return broken(self.tree) if isinstance(self.tree, Parts) else iter(())

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
        if self.stamp is not None and stamps.of(path) == self.stamp:
            return True
        data = self._source.again()
        return data is not None and fingerprint_of(data) == self.fingerprint

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
        data = self._bytes()
        if data is None:
            return None
        from dynclient._document.places import lines

        return lines(utf8(data, self.name), self._limits)
