"""The cache: a folder of compiled forms. If it fails in any way, documents load as without a cache.

Rule 1: a file is written whole under another name, then renamed: readers see the old one or the new one.
Rule 2: files that belong to another user, or that others could have written, are not read.
Rule 3: its size is bounded; the least recently used form is removed first.
Rule 4: a form is used for a file with the recorded stamp, or for bytes with its fingerprint; for a URL if the server
says that it has not changed, or can't be reached.
Rule 5: a document that decodes as fast as its form is not cached, unless it has overlays.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from dynclient import __version__
from dynclient._deferred import expression
from dynclient._document.compiled import NAME, Bytes, Compiled, opened
from dynclient._escaping import escaped
from dynclient._records import Record

if TYPE_CHECKING:  # a list of operations only needs the default limits
    from dynclient.options import Limits

VARIABLE = "DYNCLIENT_CACHE"
ENDING = ".dync"
SMALLEST_JSON = 32_768
"""Bytes of JSON below which a document is not kept."""
SMALLEST = 2_048
"""The same for YAML, which takes longer to decode."""

_OFF = frozenset({"0", "off", "false", "no", "none"})
_FINISHED = expression(r"[0-9a-f]{32}\.dync")
_UNFINISHED = expression(r"\.[0-9a-f]{32}\..*")
_MAX_BYTES = 256 << 20
_MAX_FILES = 1_000
_USED_AGAIN = 3_600.0
_ABANDONED = 3_600.0
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# pathlib is slow to import, so this module uses os.path.
_join, _absolute, _expanded = os.path.join, os.path.abspath, os.path.expanduser

Stamp = list[int]
"""Device, inode, size, and the times of the last change to content and to state, in nanoseconds."""

_YOUNG = 2_000_000_000
"""Nanoseconds.

File systems record times in steps of up to two seconds: a more recent file may change and have the same stamp.
"""


def stamp_of(path: str | int) -> Stamp | None:
    """Return the stamp of a file, which shows in microseconds whether it has changed.

    None if there is no such file, or if it is too new for its stamp to be reliable.
    """
    try:
        found = os.stat(path)  # noqa: PTH116  # it may be a descriptor
    except (OSError, ValueError):
        return None
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    if not -1 < newest < time.time_ns() - _YOUNG:
        return None
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def fingerprint_of(data: bytes) -> str:
    """Return the SHA-256 of a document's bytes, in hexadecimal digits."""
    return sha256(data).hexdigest()


class CacheEntry(Record):
    """One file of the cache. ``used`` is the time of its last use, in seconds since 1970."""

    path: str
    size: int
    used: float


class Cache:
    """A folder of compiled forms."""

    def __init__(self, folder: str, overlays: str = "") -> None:
        """The folder is made when the first form is kept. ``overlays`` is the hash of the documents' overlays."""
        self.folder = folder
        self.overlays = overlays

    def find(self, key: str) -> Compiled | None:
        """Return the form of a key; None if there is none that can be used."""
        form = self._form(self._path(key))
        return form if form is not None and form.about.get("key") == key else None

    def _form(self, path: str) -> Compiled | None:
        """Open a file; None if it belongs to another user or release."""
        try:
            file = os.open(path, _FLAGS)
        except (OSError, ValueError):
            return None
        data = Bytes(file)
        try:
            found = os.fstat(file)
            if not _is_ours(found):
                return None
            if time.time() - found.st_mtime > _USED_AGAIN:
                os.utime(path)
        except OSError:
            return None
        form = opened(data)
        return form if form is not None and form.about.get("made_by") == made_by() else None

    def keep(self, key: str, chunks: Iterable[bytes]) -> None:
        """Write a form. If that fails, the document is not kept."""
        temporary = _join(self.folder, f".{_stem(key)}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)  # noqa: PTH103  # as above
            file = os.open(temporary, _NEW, 0o600)
        except (OSError, ValueError):
            return
        try:
            with open(file, "wb") as writing:  # noqa: PTH123  # a descriptor has no path
                writing.writelines(chunks)
            os.replace(temporary, self._path(key))  # noqa: PTH105  # as above
        except OSError:
            _remove(temporary)
        self.trim()

    def drop(self, key: str) -> None:
        """Remove the form of a key."""
        _remove(self._path(key))

    def entries(self) -> list[CacheEntry]:
        """List the forms, the last used first."""
        return sorted(self._files(_FINISHED), key=lambda entry: entry.used, reverse=True)

    def source(self, entry: CacheEntry) -> str:
        """Return where the document of an entry is from; a dash if the entry can't be used any more."""
        form = self._form(entry.path)
        return escaped(form.files[0].uri) if form is not None else "-"

    def clear(self) -> int:
        """Remove everything; returns the number of forms."""
        entries = self.entries()
        for entry in [*entries, *self._files(_UNFINISHED)]:
            _remove(entry.path)
        return len(entries)

    def trim(self, maximum: int = _MAX_BYTES, files: int = _MAX_FILES) -> None:
        """Remove the forms beyond the bounds, and files that a dead process has left half written."""
        size = 0
        for number, entry in enumerate(self.entries(), 1):
            size += entry.size
            if size > maximum or number > files:
                _remove(entry.path)
        for entry in self._files(_UNFINISHED):
            if entry.used < time.time() - _ABANDONED:
                _remove(entry.path)

    def _files(self, named: re.Pattern[str]) -> list[CacheEntry]:
        """List files by their names. Foreign files are ignored."""
        found = []
        with suppress(OSError), os.scandir(self.folder) as files:
            for file in files:
                if named.fullmatch(file.name):
                    with suppress(OSError):
                        about = file.stat(follow_symlinks=False)
                        found.append(CacheEntry(file.path, about.st_size, about.st_mtime))
        return found

    def _path(self, key: str) -> str:
        return _join(self.folder, _stem(key) + ENDING)


def _remove(path: str) -> None:
    with suppress(OSError, ValueError):
        os.unlink(path)  # noqa: PTH108  # as above


def cache_of(choice: bool | str | os.PathLike[str]) -> Cache | None:  # noqa: FBT001  # the option of that name
    """Return the cache of the option ``cache``: False disables it; a path is its folder; True: the usual folder.

    The environment variable is ``DYNCLIENT_CACHE``: a folder, or ``off``.
    """
    if choice is False:
        return None
    if choice is True:
        choice = os.environ.get(VARIABLE, "").strip()
        if choice.lower() in _OFF:
            return None
        if choice.lower() in {"", "1", "on", "true", "yes"}:
            return Cache(_users())
    return Cache(_absolute(_expanded(os.fspath(choice))))


@lru_cache(1)
def _users() -> str:
    # platformdirs returns the same folder, but importing it takes longer than listing a large document from the cache.
    if sys.platform == "linux" and "ANDROID_ROOT" not in os.environ:
        setting = os.environ.get("XDG_CACHE_HOME", "").strip()
        home = setting if os.path.isabs(setting) else _expanded("~/.cache")  # noqa: PTH117  # as above
        return _join(home, "dynclient")
    from platformdirs import user_cache_dir

    return user_cache_dir("dynclient", appauthor=False)


def key_of(*parts: object) -> str:
    """Return the key of a document with its options; ``parts`` are everything that distinguishes it from others."""
    return repr(parts)


def _stem(key: str) -> str:
    """Return the name of a key's file, without its ending.

    The form contains its key, so the name only has to be short.
    """
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _is_ours(found: os.stat_result) -> bool:
    if not stat.S_ISREG(found.st_mode):
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


@lru_cache(1)
def made_by() -> str:
    """Identify the code that makes forms: by its release, in a development checkout also by its files' times."""
    here = os.path.dirname(__file__)  # noqa: PTH120  # as above
    package = os.path.dirname(here)  # noqa: PTH120  # as above
    times = [0]
    for folder in (package, here, _join(package, "_readers")):
        with suppress(OSError):
            times += [file.stat().st_mtime_ns for file in os.scandir(folder) if file.name.endswith(".py")]
    return f"{__version__} {max(times)}"


class CachedForm(Record):
    """The place of a document in the cache.

    ``form`` is the compiled form there, if it is current; ``about`` is stored with a new one. Without a cache, ``form``
    was shipped with an application; ``file`` is then the path and the stamp of its file, if it has one.
    """

    cache: Cache | None
    key: str
    form: Compiled | None = None
    about: Mapping[str, Any] = {}
    file: tuple[str, Stamp] | None = None

    @property
    def url(self) -> str:
        """The URL that the form was fetched from, after redirects; empty if there is none."""
        url = self.form.about.get("url") if self.form is not None else None
        return url if isinstance(url, str) else ""

    @property
    def conditions(self) -> dict[str, str]:
        """Header fields for a conditional request (RFC 9110, 13.1)."""
        validators = self.form.about.get("validators") if self.form is not None else None
        names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
        if not isinstance(validators, dict):
            return {}
        return {names[name]: value for name, value in validators.items() if name in names and isinstance(value, str)}

    def is_current(self, stamp: Stamp | None) -> bool:
        """Return whether the form is that of a file with this stamp."""
        return stamp is not None and self.form is not None and self.form.about.get("stamp") == stamp

    def is_unchanged(self) -> bool:
        """Return whether the file of a shipped form is unchanged, regardless of the form's own notes."""
        return self.file is not None and stamp_of(self.file[0]) == self.file[1]

    def of(self, data: bytes, stamp: Stamp | None = None, **about: Any) -> CachedForm | None:
        """Return the same place for these bytes, without the form of other bytes; None if caching is not worthwhile."""
        if self.cache is None:
            return self
        start = data[:1024].lstrip()[:1]
        is_small = len(data) < (SMALLEST_JSON if start in (b"{", b"[") else SMALLEST)
        if is_small and "url" not in about and not self.cache.overlays:
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
        """Remove the form, so that the next load makes a new one."""
        if self.cache is not None:
            self.cache.drop(self.key)

    def noted(self) -> dict[str, Any]:
        """Return the notes that a new form has to keep about itself."""
        return {
            **(self.form.about if self.form is not None else {}),
            **self.about,
            "made_by": made_by(),
            "key": self.key,
        }


def cached(cache: Cache | None, limits: Limits, *parts: object, size: int | None = None) -> CachedForm | None:
    """Return the place of a source; None without a cache, or if the source has too few bytes."""
    if cache is None or (size is not None and size < SMALLEST and not cache.overlays):
        return None
    from dynclient.options import Limits

    bounds_of = attrgetter("document_bytes", "remote_document_bytes", "document_depth", "yaml_alias_nodes")
    bounds, usual = bounds_of(limits), bounds_of(Limits())
    key = key_of(*parts, *(bounds if bounds != usual else ()), *([cache.overlays] if cache.overlays else ()))
    return CachedForm(cache, key, cache.find(key))


def listing_of(form: Compiled, references: Sequence[str] | None) -> bytes | None:
    """Return the list of operations in a form; None if a file that the form was made from has changed since.

    ``references`` are the further places that the document may refer to; None for a shipped form, whose list always
    fits.
    """
    depends = form.about.get("depends")
    own = references is None or form.about.get("references") == list(references)
    if not isinstance(depends, dict) or not own:
        return None
    current = all(stamp is not None and stamp_of(path) == stamp for path, stamp in depends.items())
    return form.listing if current else None


def cached_listing(path: str) -> bytes | None:
    """Return the list of a local file's operations, without reading the file; None if the cache does not have it."""
    cache = cache_of(choice=True)
    path = _absolute(_expanded(path))
    found = CachedForm(cache, "", cache.find(key_of("file", path))) if cache is not None else None
    if found is None or found.form is None or not found.is_current(stamp_of(path)):
        return None
    return listing_of(found.form, ())


def shipped(source: bytes | str) -> CachedForm | None:
    """Open a compiled form that a caller gives for a document, as bytes or by its path; None for any other value.

    Raises:
        UnreadableDocument: it is damaged, or has another version.
        OSError: it can't be read.
    """
    stamp = None
    if isinstance(source, str):
        if not source.lower().endswith(ENDING):
            return None
        file = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        data, stamp = Bytes(file), stamp_of(file)
    elif source.startswith(NAME):
        data = Bytes(source)
    else:
        return None
    form = opened(data)
    if form is None:
        name = source if isinstance(source, str) else "<bytes>"
        from dynclient._document.text import unreadable

        hint = "compile it again: dynclient compile"
        raise unreadable("is not a compiled document, is damaged, or has another version", name, hint=hint)
    return CachedForm(None, "", form, file=(source, stamp) if isinstance(source, str) and stamp is not None else None)
