"""The cache: a folder of compiled forms. Whatever is wrong with it, documents load as without one.

Rule 1: a file of it is written whole under another name, then renamed: readers see the old one or the new one.
Rule 2: what belongs to somebody else, or could have been written by somebody else, is not read.
Rule 3: it has bounds; what was not used for the longest time goes first.
"""

from __future__ import annotations

import os
import stat
import sys
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

from dynclient._document.compiled import Compiled, opened
from dynclient._document.slices import Bytes
from dynclient._escaping import escaped
from dynclient._records import Record
from dynclient._version import __version__

VARIABLE = "DYNCLIENT_CACHE"
_OFF = frozenset({"0", "off", "false", "no", "none"})
_ENDING = ".dync"
_MAX_BYTES = 256 << 20
_MAX_FILES = 1_000
_USED_AGAIN = 3_600.0
_ABANDONED = 3_600.0
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Entry(Record):
    """One file of the cache. ``used`` is when, in seconds since 1970."""

    path: str
    size: int
    used: float


class Cache:
    """A folder of compiled forms."""

    def __init__(self, folder: str) -> None:
        """Take the folder; it is made when the first form is kept."""
        self.folder = folder

    def find(self, key: str) -> Compiled | None:
        """The form of a key; None where there is none, or none that can be used."""
        form = self._form(self._path(key))
        return form if form is not None and form.about.get("key") == key else None

    def _form(self, path: str) -> Compiled | None:
        """The form in a file; None where that is none of ours, or none of this release."""
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
        """Write a form; where that fails, there is none."""
        temporary = os.path.join(self.folder, f".{_stem(key)}.{os.getpid()}.{os.urandom(4).hex()}")  # noqa: PTH118  # pathlib is slow to import
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
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108  # as above
        self.trim()

    def drop(self, key: str) -> None:
        """Remove the form of a key."""
        with suppress(OSError, ValueError):
            os.unlink(self._path(key))  # noqa: PTH108  # as above

    def entries(self) -> list[Entry]:
        """What is in the folder, the last used first."""
        return sorted(self._files(_ENDING), key=lambda entry: entry.used, reverse=True)

    def source(self, entry: Entry) -> str:
        """What a person calls the document of an entry; a dash where it is of no use any more."""
        form = self._form(entry.path)
        return escaped(form.files[0].uri) if form is not None else "-"

    def clear(self) -> int:
        """Remove everything; returns how many forms that were."""
        entries = self.entries()
        for entry in [*entries, *self._files("")]:
            with suppress(OSError):
                os.unlink(entry.path)  # noqa: PTH108  # as above
        return len(entries)

    def trim(self, maximum: int = _MAX_BYTES, files: int = _MAX_FILES) -> None:
        """Remove what goes beyond the bounds, and what a process that died has left half written."""
        size = 0
        for number, entry in enumerate(self.entries(), 1):
            size += entry.size
            if size > maximum or number > files:
                with suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108  # as above
        for entry in self._files(""):
            if entry.used < time.time() - _ABANDONED:
                with suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108  # as above

    def _files(self, ending: str) -> list[Entry]:
        """Finished forms by their ending; with none, those that are being written. Other people's files stay."""
        found = []
        with suppress(OSError), os.scandir(self.folder) as files:
            for file in files:
                stem = file.name.removesuffix(_ENDING) if ending else file.name[1:].partition(".")[0]
                starts = file.name.endswith(_ENDING) if ending else file.name.startswith(".")
                if starts and _is_stem(stem):
                    with suppress(OSError):
                        about = file.stat(follow_symlinks=False)
                        found.append(Entry(file.path, about.st_size, about.st_mtime))
        return found

    def _path(self, key: str) -> str:
        return os.path.join(self.folder, _stem(key) + _ENDING)  # noqa: PTH118  # as above


def cache_of(choice: bool | str | os.PathLike[str]) -> Cache | None:  # noqa: FBT001  # the option of that name
    """The cache of a choice: False is none, a path its folder, True what the environment says, or the user's own."""
    if choice is False:
        return None
    if choice is not True:
        return Cache(os.path.abspath(os.path.expanduser(os.fspath(choice))))  # noqa: PTH100, PTH111  # as above
    told = os.environ.get(VARIABLE, "").strip()
    if told.lower() in _OFF:
        return None
    if told and told.lower() not in {"1", "on", "true", "yes"}:
        return Cache(os.path.abspath(os.path.expanduser(told)))  # noqa: PTH100, PTH111  # as above
    return Cache(_users())


@lru_cache(1)
def _users() -> str:
    # What platformdirs says too; but to load it takes longer than to list a large document from the cache.
    if sys.platform == "linux" and "ANDROID_ROOT" not in os.environ:
        told = os.environ.get("XDG_CACHE_HOME", "").strip()
        home = told if os.path.isabs(told) else os.path.expanduser("~/.cache")  # noqa: PTH111, PTH117  # as above
        return os.path.join(home, "dynclient")  # noqa: PTH118  # as above
    from platformdirs import user_cache_dir

    return user_cache_dir("dynclient", appauthor=False)


def key_of(*parts: object) -> str:
    """The key of whatever tells one document, read in one way, from another."""
    return repr(parts)


def _stem(key: str) -> str:
    """What the file of a key is called. It need not be the only one of that name: a form has its key in it.

    Checksums will do for that, and hashlib takes longer to load than a list of operations to be read.
    """
    data = key.encode("utf-8", "surrogatepass")
    return "".join(f"{check:08x}" for check in (zlib.crc32(data), zlib.crc32(data[::-1]), zlib.adler32(data)))


def _is_stem(text: str) -> bool:
    return len(text) == len(_stem("")) and set(text) <= set("0123456789abcdef")


def _is_ours(found: os.stat_result) -> bool:
    if not stat.S_ISREG(found.st_mode):
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


@lru_cache(1)
def made_by() -> str:
    """Which code makes forms: a release, or the times of the files of what is being worked on."""
    here = os.path.dirname(__file__)  # noqa: PTH120  # as above
    package = os.path.dirname(here)  # noqa: PTH120  # as above
    times = [0]
    for folder in (package, here, os.path.join(package, "_readers")):  # noqa: PTH118  # as above
        with suppress(OSError):
            times += [file.stat().st_mtime_ns for file in os.scandir(folder) if file.name.endswith(".py")]
    return f"{__version__} {max(times)}"
