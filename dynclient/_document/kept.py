"""Where the compiled form of one source is kept, and whether it still is that of the source.

Rule 1: a form counts for a file whose stamp is the one that was noted, or for bytes of its fingerprint; for a URL
that is told to be unchanged, or can't be reached.
Rule 2: what is read as fast as its form would be is not kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dynclient._document import stamps
from dynclient._document.cache import Cache, cache_of, key_of, made_by
from dynclient._document.compiled import NAME, Compiled, opened
from dynclient._document.slices import Bytes
from dynclient._document.stamps import Stamp
from dynclient._records import Record

if TYPE_CHECKING:  # whoever asks for a listing alone has no limits but the usual ones
    from dynclient.options import Limits

__all__ = ["ENDING", "Cache", "Kept", "cache_of", "kept", "kept_listing", "listing_of", "shipped"]

ENDING = ".dync"
SMALLEST_JSON = 32_768
SMALLEST = 2_048


class Kept(Record):
    """A place in the cache. ``form`` is what is there, if that is current; ``about`` is to be noted with a new one.

    Without a cache, the form is a shipped one: ``file`` is the path of the file that holds it, and its stamp, if it is
    in one and that has a stamp.
    """

    cache: Cache | None
    key: str
    form: Compiled | None = None
    about: Mapping[str, Any] = {}
    file: tuple[str, Stamp] | None = None

    @property
    def url(self) -> str:
        """The URL that the form was had from in the end; empty where there is none."""
        url = self.form.about.get("url") if self.form is not None else None
        return url if isinstance(url, str) else ""

    @property
    def conditions(self) -> dict[str, str]:
        """Header fields that ask for a document only if it has changed (RFC 9110, 13.1)."""
        validators = self.form.about.get("validators") if self.form is not None else None
        names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
        if not isinstance(validators, dict):
            return {}
        return {names[name]: value for name, value in validators.items() if name in names and isinstance(value, str)}

    def is_current(self, stamp: Stamp | None) -> bool:
        """Whether the form is that of a file with this stamp."""
        return stamp is not None and self.form is not None and self.form.about.get("stamp") == stamp

    def is_there(self) -> bool:
        """Whether the file of a shipped form is what it was; what the form says of itself does not count for that."""
        return self.file is not None and stamps.of(self.file[0]) == self.file[1]

    def of(self, data: bytes, stamp: Stamp | None = None, **about: Any) -> Kept | None:
        """The same place once the bytes are known; None where they are not worth keeping."""
        if self.cache is None:
            return self
        start = data[:1024].lstrip()[:1]
        if "url" not in about and len(data) < (SMALLEST_JSON if start in (b"{", b"[") else SMALLEST):
            return None
        noted = {**about, "stamp": stamp}
        if self.form is None or self.form.files[0].fingerprint != fingerprint_of(data):
            return self._replace(form=None, about=noted)
        if any(self.form.about.get(key) != value for key, value in noted.items()):
            self.cache.keep(self.key, self.form.noted(**noted))
        return self._replace(about=noted)

    def keep(self, chunks: list[bytes]) -> None:
        """Keep a new form."""
        if self.cache is not None:
            self.cache.keep(self.key, chunks)

    def drop(self) -> None:
        """Let the next load make a new form."""
        if self.cache is not None:
            self.cache.drop(self.key)

    def noted(self) -> dict[str, Any]:
        """What a new form has to say of itself."""
        return {
            **(self.form.about if self.form is not None else {}),
            **self.about,
            "made_by": made_by(),
            "key": self.key,
        }


def fingerprint_of(data: bytes) -> str:
    """SHA-256 of a document's bytes, in hexadecimal digits."""
    from hashlib import sha256

    return sha256(data).hexdigest()


def kept(cache: Cache | None, limits: Limits, *parts: object, size: int | None = None) -> Kept | None:
    """The place of a source; None without a cache, or where the source is too small."""
    if cache is None or (size is not None and size < SMALLEST):
        return None
    from dynclient.options import Limits

    bounds, usual = _bounds(limits), _bounds(Limits())
    key = key_of(*parts, *(bounds if bounds != usual else ()))
    return Kept(cache, key, cache.find(key))


def _bounds(limits: Limits) -> tuple[int | None, ...]:
    return limits.document_bytes, limits.remote_document_bytes, limits.document_depth, limits.yaml_alias_nodes


def listing_of(form: Compiled, references: Sequence[str] | None) -> bytes | None:
    """What a reader has noted of the operations, if the files that it noted it of are what they were; else None.

    ``references`` is what the document may refer to beside its own place; of a shipped form that does not count.
    """
    depends = form.about.get("depends")
    own = references is None or form.about.get("references") == list(references)
    if not isinstance(depends, dict) or not own:
        return None
    current = all(stamp is not None and stamps.of(path) == stamp for path, stamp in depends.items())
    return form.listing if current else None


def kept_listing(path: str) -> bytes | None:
    """The same of a local file, without the file being read; None where the cache does not have it."""
    cache = cache_of(choice=True)
    path = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  # pathlib is slow to import
    found = Kept(cache, "", cache.find(key_of("file", path))) if cache is not None else None
    if found is None or found.form is None or not found.is_current(stamps.of(path)):
        return None
    return listing_of(found.form, ())


def shipped(source: bytes | str) -> Kept | None:
    """A compiled form that a caller gives for a document, as bytes or by its path; None where it is none.

    Raises:
        UnreadableDocument: it is one, but damaged, or of another version.
        OSError: it can't be read.
    """
    stamp = None
    if isinstance(source, str):
        if not source.lower().endswith(ENDING):
            return None
        file = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        data, stamp = Bytes(file), stamps.of(file)
    elif source.startswith(NAME):
        data = Bytes(source)
    else:
        return None
    form = opened(data)
    if form is None:
        name = source if isinstance(source, str) else "<bytes>"
        from dynclient._document.faults import unreadable

        hint = "make it again: dynclient compile"
        raise unreadable("is no compiled document, is damaged, or is of another version", name, hint=hint)
    return Kept(None, "", form, file=(source, stamp) if isinstance(source, str) and stamp is not None else None)
