"""Load an API from a document's source, and compile it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from dynclient._document.cache import cache_of
from dynclient._document.overlays import read_overlays
from dynclient._document.references import Document, open_document
from dynclient._document.source import local_path
from dynclient._readers.api import read
from dynclient._readers.listings import noted
from dynclient._secrets import Secret
from dynclient.messages import Headers, Response, Send, origin
from dynclient.model import API
from dynclient.options import TLS, Limits, Timeout
from dynclient.transports import Transport


def load(
    source: Any,
    *,
    limits: Limits = Limits(),
    references: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    transport: Transport | None = None,
    tls: TLS = TLS(),
    proxy: str | Secret | None = None,
    timeout: Timeout = Timeout(),
    block_private: bool = False,
    cache: bool | str | os.PathLike[str] = True,
    overlays: Sequence[Any] = (),
) -> API:
    """Load a document as far as the list of its operations.

    ``source`` is a path, a URL, text, bytes, a file object or a mapping. ``references`` are the folders, origins or URL
    prefixes that a ``$ref`` may lead to in addition to the document's own location. A URL is fetched by ``transport``,
    or else by one made for each fetch, with ``tls``, ``proxy`` and ``block_private``. ``cache`` is the folder of
    compiled forms; True is the folder of the environment variable ``DYNCLIENT_CACHE``, or the user's own; False
    disables the cache. ``overlays`` are Overlays that are applied to the document in this order, each given as a
    document is.

    Raises:
        DocumentError: the document can't be read.
        TransportError: its server can't be reached.
    """
    references = (references,) if isinstance(references, str | os.PathLike) else tuple(references)
    held: tuple[Any, ...] | None = None
    if transport is None and not isinstance(source, Mapping | tuple):  # a Source, which is a Record, is a tuple
        held = (limits, tuple(map(os.path.abspath, references)), tls, proxy, block_private)
    if transport is None:
        transport = OneShotTransport(limits, tls, proxy, timeout, block_private=block_private, source=source)
    applied = read_overlays(overlays, limits, transport) if overlays else None
    if held is not None and applied is not None:
        held = (*held, applied.key, *(file.uri for file in applied.files))
    path = local_path(source) if held is not None else None
    if held is not None and path is not None:
        held = (os.path.abspath(os.path.expanduser(path)), path, *held)  # noqa: PTH100, PTH111  # pathlib's does not normalise
        document = _HELD.get(held)
        if document is not None and document.is_current():
            return _api(document)
    network: dict[str, Any] = {"limits": limits, "references": references, "transport": transport}
    document = open_document(source, **network, cache=cache_of(cache), overlays=applied)
    if document.is_shipped:
        # A form could claim the name and fingerprint of any document, so only its file identifies it.
        held = held if path is not None and document.is_current() else None
    elif held is not None and path is None:
        held = (document.source_uri, document.uri, document.fingerprint, *held)
        before = _HELD.get(held)
        if before is not None and before.is_current(root=False):
            return _api(before)
    api = _api(document)
    if held is not None and not api.faults:
        _HELD[held] = document
    return api


def _api(document: Document) -> API:
    """Return the API of a document, which is read once."""
    if document.api is None:
        document.api = read(document)
        if document.is_kept and not document.was_listed:
            document.keep(noted(document.api))
    api: API = document.api
    return api


def compiled(
    source: Any,
    *,
    limits: Limits = Limits(),
    references: Iterable[str | os.PathLike[str]] = (),
    overlays: Sequence[Any] = (),
) -> bytes:
    """Return the compiled form of a document and of all that it refers to; :func:`load` takes it as a source.

    Raises:
        DocumentError: the document can't be read.
        TransportError: its server can't be reached.
    """
    transport = OneShotTransport(limits, TLS(), None, Timeout())
    applied = read_overlays(overlays, limits, transport) if overlays else None
    document = open_document(source, limits=limits, references=references, transport=transport, overlays=applied)
    return b"".join(document.compiled(noted(read(document))))


# All clients of a document in a process share it, as long as one of them exists.
_HELD: WeakValueDictionary[tuple[Any, ...], Document] = WeakValueDictionary()


class OneShotTransport:
    """A transport that keeps no connection open, since no one would close it after the document was fetched."""

    def __init__(
        self,
        limits: Limits,
        tls: TLS,
        proxy: str | Secret | None,
        timeout: Timeout,
        *,
        block_private: bool = False,
        source: Any = None,
        headers: Mapping[str, str] = {},
    ) -> None:
        """``source`` is the document's: if it is a URL, the client's certificate is sent only to its origin.

        ``headers`` are sent only there too, and never to the target of a redirect or a reference elsewhere.
        """
        self._network: dict[str, Any] = {"limits": limits, "tls": tls, "proxy": proxy, "block_private": block_private}
        self._timeout = timeout
        self._headers = headers
        self._origin = None
        if isinstance(source, str) and local_path(source) is None:
            with suppress(ValueError):
                self._origin = origin(source.strip())

    def send(self, send: Send) -> Response:
        from dynclient.transports import HTTPTransport

        transport = HTTPTransport(**self._network)
        try:
            request = send.request
            is_own = False
            with suppress(ValueError):  # a redirect to a malformed URL, which the transport refuses
                is_own = request.origin == self._origin
            if is_own and self._headers:
                pairs = [*request.headers.pairs(), *self._headers.items()]
                secrets = frozenset(("header", name.lower()) for name in self._headers)
                request = replace(request, headers=Headers(pairs), secrets=request.secrets | secrets)
            return transport.send(send._replace(request=request, timeout=self._timeout, certificate=is_own))
        finally:
            transport.close()

    def close(self) -> None:
        """Nothing is open."""
