"""Mocks and proxies behind a socket: werkzeug's threaded server, by default on a free loopback port.

This module needs werkzeug, and is imported only when a server is started.
Rule: closing the server frees its port, its threads and its connections.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Self

from dynclient import model
from dynclient._deferred import needing
from dynclient._load import load
from dynclient._mock.mock import Mock, Source, app
from dynclient.exceptions import ArgumentError
from dynclient.messages import Request, Response
from dynclient.testing.traffic import Proxy
from dynclient.transports import Transport

with needing(ArgumentError, "MockTransport needs no package, but a mock server and a proxy need", "testing"):
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    from dynclient._mock.wsgi import HEADER_LINES, HOSTS, bare_host


class _Handler(WSGIRequestHandler):
    """One connection: keeps the header lines as received, and writes no log."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _ThreadedServer

    def make_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().make_environ()
        environ[HEADER_LINES] = self.headers.items()
        # A server on all addresses is bound to the one of the connection.
        environ[HOSTS] = {*self.server.allowed_hosts, self.connection.getsockname()[0]}
        return environ

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # werkzeug's name for it
        """Log nothing: the mock keeps the exchanges."""


class _NotBound(Exception):
    """The server can't listen on the address; ``args`` has the OSError.

    Without this class, werkzeug would end the process.
    """


class _ThreadedServer(ThreadedWSGIServer):
    """A threaded server that closes kept-alive connections and waits for their threads; werkzeug's own does neither."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, host: str, port: int, app: Any, allow_hosts: Iterable[str]) -> None:
        self.allowed_hosts = {"localhost", *map(bare_host, (host, *allow_hosts))}
        self._open: set[socket.socket] = set()
        super().__init__(host, port, app, handler=_Handler)

    def server_bind(self) -> None:
        try:
            super().server_bind()
        except OSError as error:
            raise _NotBound(error) from error

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: clients may disconnect."""

    def server_close(self) -> None:
        for connection in self._open.copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class RunningServer:
    """A WSGI application that is served in a thread. ``url`` is its base URL; close it, or use it in a ``with``."""

    def __init__(self, app: Any, host: str, port: int, allow_hosts: Iterable[str] = ()) -> None:
        """Listen, and start the thread.

        Raises:
            OSError: the server can't listen on the address.
        """
        shown = f"[{host}]" if ":" in host else host
        try:
            self._server = _ThreadedServer(host, port, app, allow_hosts)
        except _NotBound as error:
            (cause,) = error.args
            raise OSError(cause.errno, cause.strerror, f"{shown}:{port}") from None
        self.url = f"http://{shown}:{self._server.port}"
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.05,), name="dynclient-mock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and free the port. Closing it twice is allowed."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Wait until the server is closed."""
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Server(RunningServer):
    """A running mock. ``url`` is its base URL; close it, or use it in a ``with``.

    ``responses`` are those sent, and ``callbacks`` the responses to the callbacks that were sent, each with its
    ``request``.
    """

    def __init__(self, mock: Mock, host: str, port: int, allow_hosts: Iterable[str] = ()) -> None:
        """Listen, and start the thread."""
        self.mock = mock
        self.responses: list[Response] = mock.responses
        self.callbacks: list[Response] = mock.callbacks
        super().__init__(mock, host, port, allow_hosts)

    @property
    def requests(self) -> list[Request]:
        """The received requests, each with its ``operation_id``."""
        return self.mock.requests


class ProxyServer(RunningServer):
    """A running proxy. ``url`` is its base URL; close it, or use it in a ``with``."""

    def __init__(
        self, proxy: Proxy, transport: Transport, host: str, port: int, allow_hosts: Iterable[str] = ()
    ) -> None:
        """Listen, and start the thread."""
        self.proxy = proxy
        self._transport = transport
        super().__init__(proxy, host, port, allow_hosts)

    def close(self) -> None:
        """Stop, and free the port and the connections to the server."""
        super().close()
        self._transport.close()


def proxy(
    document: Source | model.API,
    upstream: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_hosts: Iterable[str] = (),
    overlays: Sequence[Any] = (),
    **options: Any,
) -> ProxyServer:
    """Pass requests on to ``upstream``, a base URL, and report where they and their responses differ from a document.

    ``allow_hosts`` are names that requests may use for it, and ``overlays`` change the document, as for :func:`serve`.
    ``options``: ``fail`` refuses messages that differ; ``mock_missing`` answers from the document
    where the server answers 501 or refuses the connection; ``observer`` is called with each
    response and its differences.

    Raises:
        DocumentError: the document can't be read.
        OSError: the port is taken.
    """
    from dynclient.transports import HTTPTransport

    api = document if isinstance(document, model.API) else load(document, overlays=overlays)
    transport = HTTPTransport()
    return ProxyServer(Proxy(api, upstream, transport, **options), transport, host, port, allow_hosts)


def serve(
    document: Source | model.API,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_hosts: Iterable[str] = (),
    **options: Any,
) -> Server:
    """Serve a document's operations over HTTP: on a free loopback port, unless one is named.

    Use it as a context manager. A request whose Host names neither loopback, nor ``host``, nor one of ``allow_hosts``
    ("*": any) is refused with 421, so that no web page can reach the mock under another name (DNS rebinding).
    ``options``:

    * ``credentials``: the accepted ones, as ``("user", "password")``, a token, or a mapping of scheme name to either.
      Without it any credential of the right form is valid.
    * ``authenticate``, ``validate``: whether credentials are required, and requests validated (True).
    * ``stateful``: created items are stored; others are 404 (False).
    * ``dynamic``: responses are generated from schemas, not taken from examples (False).
    * ``fake``: generated values look realistic, with the extra ``fake`` (default with ``dynamic``, if it is installed).
    * ``overlays``: OpenAPI Overlays that change the document, as for ``dynclient.load``.
    * ``seed``: the same seed gives the same responses.
    * ``delay``: seconds before each response; ``chaos``: the fraction of requests that fail, from 0 to 1.
    * ``cors``: pages of any origin may call it (False); ``watch``: a changed document is reloaded (False).
    * ``callbacks``: the document's callbacks are sent, to loopback and to ``callback_origins`` (False).
    * ``observer``: called with each response, which has its ``request``.

    Raises:
        DocumentError: the document can't be read.
        OSError: the port is taken.
    """
    return Server(app(document, **options), host, port, allow_hosts)
