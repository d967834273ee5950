"""Where a browser comes back to after a login: a listener on a loopback address (RFC 8252, 7.3).

Rule 1: it listens on loopback alone, takes one answer, and only with the state that the browser was sent off with:
anything else is refused and changes nothing.
Rule 2: a connection that says nothing holds up no other: browsers open some in advance.
Rule 3: what it says is fixed text: nothing that came in is in it.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import selectors
import socket
import threading
from urllib.parse import parse_qs, urlsplit

from dynclient._records import Record
from dynclient.exceptions import ArgumentError

_MAX_HEAD = 65_536
_MAX_CONNECTIONS = 64
_PAGE = (
    "<!doctype html><meta charset=utf-8><title>Logged in</title>"
    "<p>The login is done. This window can be closed, and the program goes on.</p>"
)


class _Place(Record):
    host: str
    port: int
    path: str


class Listener:
    """Listens from its making to its closing. ``query`` is what the browser brought back, or None so far."""

    def __init__(self, redirect_uri: str, state: str) -> None:
        """Begin to listen, in a thread.

        Raises:
            ArgumentError: the URI is not http on loopback, or its port is taken.
        """
        place = _place(redirect_uri)
        self.query: str | None = None
        self._state = state
        self._path = place.path
        self._heads: dict[socket.socket, bytes] = {}
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        address = "127.0.0.1" if place.host == "localhost" else place.host
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                # The port of the last login may still be in TIME_WAIT. Elsewhere the option means something else.
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address, place.port))
            self._socket.listen()
        except OSError as error:
            self._socket.close()
            raise ArgumentError(f"can't listen at {redirect_uri}: {error.strerror}", argument="redirect_uri") from None
        host = f"[{place.host}]" if ":" in place.host else place.host
        self.redirect_uri = f"http://{host}:{self._socket.getsockname()[1]}{place.path}"
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="dynclient-login", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and free the port and the thread."""
        with contextlib.suppress(OSError):
            self._waker.send(b"x")
        self._thread.join()
        self._waker.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            self._socket.setblocking(False)
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._woken in ready:
                    break
                for one in ready:
                    if one is self._socket:
                        self._accept(selector)
                    elif isinstance(one, socket.socket):
                        self._read(one, selector)
        for one in (*self._heads, self._socket, self._woken):
            one.close()

    def _accept(self, selector: selectors.BaseSelector) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._socket.accept()
            if len(self._heads) >= _MAX_CONNECTIONS:
                connection.close()
                return
            connection.setblocking(False)
            self._heads[connection] = b""
            selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket, selector: selectors.BaseSelector) -> None:
        try:
            data = connection.recv(_MAX_HEAD)
        except OSError:
            data = b""
        head = self._heads[connection] + data
        if data and b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
            self._heads[connection] = head
            return
        selector.unregister(connection)
        del self._heads[connection]
        with contextlib.suppress(OSError), connection:
            if data:
                connection.sendall(self._answer(head.partition(b"\r\n")[0].decode("latin-1")))

    def _answer(self, line: str) -> bytes:
        """Take the query of a request line, and say what is told to the browser."""
        method, _, rest = line.partition(" ")
        path, _, query = rest.rpartition(" ")[0].partition("?")
        if method != "GET" or path != self._path:
            return _response("404 Not Found", "")
        states = parse_qs(query).get("state", [""])
        if len(states) != 1 or not hmac.compare_digest(states[0].encode(), self._state.encode()):
            return _response("400 Bad Request", "This is not the login that was asked for.")
        if self.query is None:
            self.query = query
        return _response("200 OK", _PAGE)


def _response(status: str, page: str) -> bytes:
    body = page.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def _place(redirect_uri: str) -> _Place:
    try:
        parts = urlsplit(redirect_uri)
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        host, port = "", 0
    if not host or parts.scheme != "http" or host not in {"127.0.0.1", "::1", "localhost"}:
        raise ArgumentError(
            f"redirect_uri {redirect_uri!r} is not http on this machine",
            argument="redirect_uri",
            hint='say "http://127.0.0.1/", with the port and path that the client is registered with',
        )
    return _Place(host, port, parts.path or "/")
