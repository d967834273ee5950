"""Read documents: the only module of this package that reads files or, through a Transport, URLs.

Rule 1: no more bytes than the limit are kept.
Rule 2: a URL is fetched only with the credentials given for it, and no redirect to a weaker scheme is followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from dynclient import media_types
from dynclient._document.cache import Cache, CachedForm, cached, fingerprint_of, shipped, stamp_of
from dynclient._document.text import unreadable, unsafe
from dynclient._escaping import logger
from dynclient._records import Record
from dynclient.exceptions import ArgumentError, BlockedAddress, ResponseTooLarge, TransportError
from dynclient.http_grammar import REDIRECTS
from dynclient.messages import Headers, Request, Send
from dynclient.options import Limits, Timeout

if TYPE_CHECKING:
    from dynclient.transports import Transport

_log = logger("dynclient.document")
_MAX_REDIRECTS = 3
_OK = 200
_NOT_MODIFIED = 304
_LOGIN = (
    'for a document behind a login, pass document_auth=("user", "password") or "token", or document_headers={...}; '
    "auth= and headers= apply only to calls"
)
_HINTS = {401: _LOGIN, 403: _LOGIN}
_SCHEMES = ("http://", "https://")
_LONGEST_PATH = 4096
_IS_WINDOWS = os.name == "nt"
_COUNTER = count(1)
_ACCEPT = "application/vnd.oai.openapi+json, application/json, application/yaml, text/yaml;q=0.9, */*;q=0.5"


class Source(Record):
    """A received document. ``data`` is bytes, or the caller's mapping.

    ``folder`` is the real path of a local file's folder, below which it may refer to others. ``again`` reads the bytes
    once more, or returns None if they are gone. ``kept`` is the place in the cache; if that has a compiled form,
    ``data`` is not used. ``named`` is the requested URL, if it differs from ``uri``. ``sibling`` reads the file of a
    URI and a name instead of the disk, for a document that is from an archive or a revision.
    """

    data: bytes | Mapping[Any, Any]
    uri: str
    name: str
    remote: bool = False
    folder: str | None = None
    json_only: bool = False
    again: Callable[[], bytes | None] = lambda: None
    kept: CachedForm | None = None
    named: str = ""
    sibling: Callable[[str, str], Any] | None = None

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal digits; empty for a mapping."""
        if self.kept is not None and self.kept.form is not None:
            return self.kept.form.files[0].fingerprint
        return fingerprint_of(self.data) if isinstance(self.data, bytes) else ""


def from_source(source: Any, limits: Limits, transport: Transport | None, cache: Cache | None = None) -> Source:
    """Read the document that a caller passes: a path, URL, text, bytes, file object or mapping.

    Raises:
        UnreadableDocument: it can't be read.
        UnsafeDocument: it is larger than the limit.
        ArgumentError: it has another type.
        TransportError: its server can't be reached.
    """
    if isinstance(source, str):
        path = local_path(source)
        if path is not None:
            return from_path(path, limits, cache)
        if is_url(source):
            return from_url(source.strip(), limits, transport, cache=cache)
        return from_bytes(source.encode("utf-8", "surrogatepass"), "<text>", limits, cache)
    if isinstance(source, os.PathLike):
        return from_path(os.fsdecode(source), limits, cache)
    if isinstance(source, bytes | bytearray | memoryview):
        return from_bytes(bytes(source), "<bytes>", limits, cache)
    if isinstance(source, Mapping):
        return Source(source, f"memory://document/mapping-{next(_COUNTER)}", "<mapping>")
    if isinstance(source, Source):
        return source
    if hasattr(source, "read"):
        return _from_file(source, limits, cache)
    raise ArgumentError(
        f"a document can't be read from {type(source).__name__}",
        hint="pass a path, a URL, bytes, text, a file object or a mapping",
    )


def from_bytes(data: bytes, name: str, limits: Limits, cache: Cache | None = None) -> Source:
    """Return the source of a document in memory, which may not refer to files."""
    _check_size(len(data), limits.document_bytes, name)
    fingerprint = fingerprint_of(data)
    location = shipped(data) or cached(cache, limits, "bytes", fingerprint, size=len(data))
    if location is not None:
        location = location.of(data)
    return Source(data, f"memory://document/{fingerprint}", name, again=lambda: data, kept=location)


def from_path(path: str, limits: Limits, cache: Cache | None = None) -> Source:
    """Read a local root document: anything that can be read to its end."""
    name = path
    path = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  # pathlib has no normalising `abspath`
    try:
        folder = os.path.realpath(os.path.dirname(path))  # noqa: PTH120  # as above
        location = shipped(path)
        if location is not None:
            return Source(b"", Path(path).as_uri(), name, kept=location)
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            data, location = _contents(file, path, name, limits, cache)
    except (OSError, ValueError) as error:
        raise _cant_read(error, name) from None
    return _local(data, path, name, location, lambda: _again(path, limits), folder)


def below(uri: str, name: str, folders: tuple[str, ...], limits: Limits, cache: Cache | None = None) -> Source:
    """Read a local file that a document refers to: a regular file below one of the folders, links followed.

    Raises:
        UnsafeDocument: it is something else, or elsewhere.
        UnreadableDocument: it can't be read.
    """
    parts = urlsplit(uri)
    try:
        path = os.path.realpath(path_of(uri))
    except ValueError as error:
        # The name contains a null character or a lone surrogate.
        raise _cant_read(error, name) from None
    if parts.netloc not in ("", "localhost") or not any(
        path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders
    ):
        raise unsafe("is outside the document's folder", name, hint="references= allows other folders")
    try:
        # Non-blocking, so that opening a pipe without a writer does not wait.
        with open(path, "rb", opener=_not_blocking) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise unsafe("is not a regular file", name)
            data, location = _contents(file, path, name, limits, cache)
    except (OSError, ValueError) as error:
        raise _cant_read(error, name) from None
    return _local(data, os.path.normpath(path_of(uri)), name, location, lambda: _again(path, limits))


def _contents(
    file: IO[bytes], path: str, name: str, limits: Limits, cache: Cache | None
) -> tuple[bytes, CachedForm | None]:
    """Return the bytes of an open file and its place in the cache; no bytes if the form there is current."""
    location, stamp = cached(cache, limits, "file", path), stamp_of(file.fileno())
    if location is not None and location.is_current(stamp):
        return b"", location
    data = _read(file, limits.document_bytes, name)
    return data, location and location.of(data, stamp if stamp == stamp_of(file.fileno()) else None)


def _local(
    data: bytes,
    path: str,
    name: str,
    location: CachedForm | None,
    again: Callable[[], bytes | None],
    folder: str | None = None,
) -> Source:
    json_only = path.lower().endswith(".json")
    return Source(data, Path(path).as_uri(), name, folder=folder, json_only=json_only, again=again, kept=location)


def from_url(
    url: str,
    limits: Limits,
    transport: Transport | None,
    allowed: Callable[[str], bool] | None = None,
    cache: Cache | None = None,
) -> Source:
    """Fetch a document. ``allowed`` checks each URL of a redirect.

    Raises:
        UnreadableDocument: the server does not return it.
        UnsafeDocument: it is too large, or a redirect leads to a URL that is not allowed.
        TransportError: the server can't be reached.
    """
    try:
        url = urldefrag(url).url
        parts = urlsplit(url)
        authority = parts.netloc if parts.hostname and parts.port != 0 else ""
    except ValueError:
        authority = ""
    if not authority:
        raise ArgumentError("the document's URL has no valid host and port", hint="https://host/openapi.json")
    if "@" in authority:
        raise ArgumentError(
            "a document's URL must not have a user name or password",
            hint="fetch it yourself, and pass its bytes with base_url=; without base_url=, every server in "
            "a document from memory gets the credentials of auth=",
        )
    from dynclient.transports import HTTPTransport

    own = transport is None
    way: Transport = HTTPTransport(limits=limits) if transport is None else transport
    try:
        return _fetched(url, limits, way, allowed, cached(cache, limits, "url", url))._replace(named=url)
    finally:
        if own:
            way.close()


def _fetched(
    url: str, limits: Limits, transport: Transport, allowed: Callable[[str], bool] | None, location: CachedForm | None
) -> Source:
    maximum = limits.remote_document_bytes
    bounds = replace(limits, response_bytes=maximum, encoded_response_bytes=maximum)
    known = location.url if location is not None and (allowed is None or allowed(location.url)) else ""
    for _ in range(_MAX_REDIRECTS + 1):
        headers = Headers({"Accept": _ACCEPT, **(location.conditions if location is not None and url == known else {})})
        try:
            response = transport.send(Send(Request("GET", url, headers), Timeout(), bounds))
        except ResponseTooLarge:
            raise _too_large(maximum, url) from None
        except BlockedAddress as error:
            raise unsafe(f"is not allowed: {error.message}", url, hint=error.hint) from None
        except TransportError:
            if not known:
                raise
            _log.warning("%s can't be reached: using the cached document", known)
            return Source(b"", known, known, remote=True, kept=location)
        if response.status == _NOT_MODIFIED and url == known:
            return Source(b"", known, known, remote=True, kept=location)
        if response.status not in REDIRECTS or "location" not in response.headers:
            break
        url = _redirected(url, response.headers["location"], allowed)
    else:
        raise unsafe(f"was redirected more than {_MAX_REDIRECTS} times", url)
    if response.status != _OK:
        raise unreadable(f"GET returned status {response.status}", url, hint=_HINTS.get(response.status, ""))
    _check_size(len(response.body), maximum, url)
    data = bytes(response.body)
    json_only = media_types.essence(response.content_type or "").endswith("json")
    if location is not None:
        validators = {name: response.headers[name] for name in ("etag", "last-modified") if name in response.headers}
        location = location.of(data, url=url, json_only=json_only, validators=validators)
    return Source(data, url, url, remote=True, json_only=json_only, again=lambda: data, kept=location)


def _redirected(url: str, location: str, allowed: Callable[[str], bool] | None) -> str:
    try:
        target = urldefrag(urljoin(url, location)).url
    except ValueError:
        raise unsafe("was redirected to a malformed URL", url) from None
    if not target.lower().startswith(_SCHEMES) or "@" in urlsplit(target).netloc:
        raise unsafe(f"was redirected to {target.partition(':')[0]}:, which is not a web address", url)
    if url.lower().startswith("https:") and not target.lower().startswith("https:"):
        raise unsafe("was redirected from https to http", url)
    if allowed is not None and not allowed(target):
        raise unsafe(f"was redirected to {target}, which is not allowed", url)
    return target


def local_path(source: Any) -> str | None:
    """Return the path that a caller passes for a document; None for any other source."""
    if isinstance(source, os.PathLike):
        return os.fsdecode(source)
    if not isinstance(source, str) or is_url(source):
        return None
    start = source.lstrip("\ufeff \t\r\n")
    if start[:5].lower() == "file:" and "\n" not in start:
        return path_of(start)
    is_text = "\n" in source or start[:1] in ("{", "[", "<", "%", "") or ": " in source or len(source) > _LONGEST_PATH
    return None if is_text else source


def path_of(uri: str) -> str:
    """Return the path that a ``file:`` URI names: on Windows ``C:/x`` for ``file:///C:/x`` (RFC 8089, E.2)."""
    path = unquote(urlsplit(uri).path)
    return path[1:] if _IS_WINDOWS and path[2:3] == ":" else path


def is_url(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n")[:8].lower().startswith(_SCHEMES)


def _from_file(file: IO[Any], limits: Limits, cache: Cache | None) -> Source:
    """Read a file object from its current position; an open file of the disk may refer to others, as by its path."""
    name = getattr(file, "name", None)
    shown = name if isinstance(name, str) else "<file>"
    data = _read(file, limits.document_bytes, shown)
    if not (isinstance(name, str) and _same_file(file, name)):
        return from_bytes(data, shown, limits, cache)
    path = os.path.abspath(name)  # noqa: PTH100  # as above
    folder = os.path.realpath(os.path.dirname(path))  # noqa: PTH120  # as above
    location = cached(cache, limits, "bytes", fingerprint_of(data), path.lower().endswith(".json"), size=len(data))
    return _local(data, path, name, location and location.of(data), lambda: data, folder)


def _same_file(file: IO[Any], name: str) -> bool:
    """Return whether a file object is the file of its name, which a member of an archive is not."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(name))  # noqa: PTH116  # as above
    except (OSError, ValueError, AttributeError):
        return False


def _read(file: IO[Any], maximum: int | None, name: str) -> bytes:
    pieces: list[bytes] = []
    left = maximum
    while left is None or left >= 0:
        piece = file.read(min(left + 1, 1 << 24) if left is not None else 1 << 24)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else bytes(piece))
        left = None if left is None else left - len(pieces[-1])
    raise _too_large(maximum, name)


def _again(path: str, limits: Limits) -> bytes | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            return _read(file, limits.document_bytes, path) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except Exception:  # noqa: BLE001  # an error without a line is still useful; it must not be replaced by another one
        return None


def _not_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_size(size: int, maximum: int | None, name: str) -> None:
    if maximum is not None and size > maximum:
        raise _too_large(maximum, name)


def _too_large(maximum: int | None, name: str) -> Exception:
    return unsafe(f"is larger than the limit of {maximum} bytes", name, hint="limits= sets a larger one")


def _cant_read(error: OSError | ValueError, name: str) -> Exception:
    reason = getattr(error, "strerror", None) or str(error)
    return unreadable(f"can't be read: {reason}", name)
