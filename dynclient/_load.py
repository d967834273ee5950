"""From whatever a person calls a document to an API: source, document, reader.

The way by the compiled form of a document, once there is one, begins and ends in :func:`load` too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynclient._document import open_document
from dynclient._readers import read
from dynclient.messages import Response, Send
from dynclient.model import API
from dynclient.options import TLS, Limits, Timeout
from dynclient.transports import Transport


def load(
    source: Any,
    *,
    limits: Limits = Limits(),
    references: Iterable[str] = (),
    transport: Transport | None = None,
    tls: TLS = TLS(),
    proxy: str | None = None,
    timeout: Timeout = Timeout(),
) -> API:
    """Load a document as far as the list of its operations.

    ``source`` is a path, a URL, text, bytes, a file object or a mapping. ``references`` are the folders, origins or URL
    prefixes that a ``$ref`` may lead to beside the document's own place. A document from the network is fetched by
    ``transport``, or else by one made for each fetch, with ``tls`` and ``proxy``.

    Raises:
        DocumentError: it can't be had, or can't be read.
        TransportError: the way to its server failed.
    """
    if transport is None:
        transport = _Fetching(limits, tls, proxy, timeout)
    return read(open_document(source, limits=limits, references=references, transport=transport))


class _Fetching:
    """A transport that keeps no connection: a document is fetched once, and nobody is there to close it later."""

    def __init__(self, limits: Limits, tls: TLS, proxy: str | None, timeout: Timeout) -> None:
        self._limits = limits
        self._timeout = timeout
        self._tls = tls
        self._proxy = proxy

    def send(self, send: Send) -> Response:
        from dynclient.transports import Urllib3Transport

        transport = Urllib3Transport(limits=self._limits, tls=self._tls, proxy=self._proxy)
        try:
            return transport.send(send._replace(timeout=self._timeout))
        finally:
            transport.close()

    def close(self) -> None:
        """Nothing is open."""
