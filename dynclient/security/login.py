"""The authorization code grant with PKCE for a native app (RFC 6749, 4.1; RFC 7636; RFC 8252; RFC 9700).

A person logs in with a browser, which then returns to a listener on this machine.

Rule 1: the listener is on a loopback address, and accepts one response, which must have the state that was sent with
the browser. Anything else is refused and changes nothing. The code is useless without the verifier.
Rule 2: a connection that sends nothing does not block others: browsers open some in advance. Their number is limited.
Rule 3: the pages are fixed texts, and repeat nothing of a request.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from dynclient.exceptions import ArgumentError, AuthorizationError, escaped
from dynclient.messages import Sleep
from dynclient.security.auth import Steps, called
from dynclient.security.tokens import TokenRequest

_PAUSE = 0.1
_LONGEST_REQUEST = 30.0
_MOST_CONNECTIONS = 64
_PAGE = (
    "<!doctype html><meta charset=utf-8><title>Logged in</title>"
    "<p>You are logged in. You can close this window; the program continues.</p>"
)
_WRONG = "This is not the requested login."


def authorization_code(
    request: TokenRequest, address: str, issuer: str, scope: str | None
) -> Steps[Mapping[str, str | None]]:
    """Send a person's browser to ``address``, wait for it to return, and return the fields for exchanging the code.

    Raises:
        AuthorizationError: the person or the server refused, or the browser did not return.
        ArgumentError: the listener can't use the redirect URI.
    """
    # RFC 7636, 4.1: 32 random bytes make a verifier of 43 characters.
    state, verifier = (_text64(request.context.random(32)) for _ in range(2))
    listener = Listener(request.given.redirect_uri, state)
    try:
        query = {
            "response_type": "code",
            "client_id": request.given.client_id,
            "redirect_uri": listener.redirect_uri,
            **({"scope": scope} if scope else {}),
            "state": state,
            "code_challenge": _text64(hashlib.sha256(verifier.encode("ascii")).digest()),
            "code_challenge_method": "S256",
            **dict(request.given.parameters),
        }
        # RFC 6749, 3.1: the address may have its own query, which is kept.
        parts = urlsplit(address)
        parts = parts._replace(query="&".join(filter(None, (parts.query, urlencode(query)))), fragment="")
        answer = yield from _returned(request, listener, parts.geturl())
    finally:
        listener.close()
    request.clock.restart()
    # RFC 9207, 2.4: a response from another authorization server is refused.
    if "iss" in answer and issuer and answer["iss"] != issuer:
        raise AuthorizationError("the browser returned from another authorization server than the one it was sent to")
    if "code" not in answer:
        error, why = (escaped(answer.get(name, "")[:200]) for name in ("error", "error_description"))
        reason = ": ".join(filter(None, (error, why))) or "no reason"
        raise AuthorizationError(f"the authorization server refused the login: {reason}", error=error)
    return {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": listener.redirect_uri,
        "code_verifier": verifier,
    }


def _returned(request: TokenRequest, listener: Listener, url: str) -> Steps[Mapping[str, str]]:
    """Open the browser, and wait for it to return."""
    patience = request.given.login_timeout
    request.clock.wait_for_a_person(patience)
    clock = request.clock.environment.clock
    end = clock() + patience
    opener = request.given.open_browser
    if opener is not None and (yield from called(partial(opener, url))) is False:
        raise AuthorizationError("no browser could be opened for the login")
    while listener.query is None:
        if clock() >= end:
            raise AuthorizationError(f"nobody logged in within {patience:g} seconds")
        yield Sleep(_PAUSE)
    return dict(parse_qsl(listener.query, keep_blank_values=True))


def _text64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    # The port of the last login may still be in TIME_WAIT. Outside of POSIX the option means something else.
    allow_reuse_address = os.name == "posix"
    request_queue_size = 128

    def __init__(self, *given: Any) -> None:
        # The open connections, oldest first.
        self._open: deque[Any] = deque()
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread. If too many are open, the oldest is ended."""
        self._open.append(request)
        if len(self._open) > _MOST_CONNECTIONS:
            with suppress(OSError):
                self._open.popleft().shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        """Close a connection."""
        with suppress(ValueError):
            self._open.remove(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing: a browser may close a connection at any time."""


class Listener:
    """The listener that a browser returns to after a login (RFC 8252, 7.3).

    ``query`` is the received query, or None.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        """Listen in a thread, until :meth:`close` is called.

        Raises:
            ArgumentError: the URI is not http on a loopback address, or its port is taken.
        """
        host, port, path = _address(redirect_uri)
        self.query: str | None = None
        listener = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _LONGEST_REQUEST
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # http.server's name
                """Take the query if its state is right."""
                asked, _, query = self.path.partition("?")
                if asked != path:
                    self._answer(404, "")
                elif not hmac.compare_digest("\n".join(parse_qs(query).get("state", ())).encode(), state.encode()):
                    self._answer(400, _WRONG)
                else:
                    listener.query = query if listener.query is None else listener.query
                    self._answer(200, _PAGE)

            def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
                """Answer without repeating the request."""
                del message, explain
                self._answer(code, "")

            def log_message(self, *_: Any) -> None:
                """Write nothing."""

            def _answer(self, status: int, page: str) -> None:
                body = page.encode()
                self.send_response_only(status)
                headers = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
                headers |= {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Connection": "close"}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        server = type("Server", (_Server,), {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET})
        try:
            self._server = server(("127.0.0.1" if host == "localhost" else host, port), Handler)
        except OSError as error:
            raise ArgumentError(f"can't listen at {redirect_uri}: {error.strerror}", argument="redirect_uri") from None
        shown = f"[{host}]" if ":" in host else host
        self.redirect_uri = f"http://{shown}:{self._server.server_address[1]}{path}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_PAUSE,), name="dynclient-login", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop, and free the port and the thread."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _address(redirect_uri: str) -> tuple[str, int, str]:
    """The host, port and path to listen at."""
    try:
        parts = urlsplit(redirect_uri)
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        host, port = "", 0
    if not host or parts.scheme != "http" or host not in {"127.0.0.1", "::1", "localhost"}:
        raise ArgumentError(
            f"redirect_uri {redirect_uri!r} is not http on this machine",
            argument="redirect_uri",
            hint='use "http://127.0.0.1/" with the port and path that are registered for the client',
        )
    return host, port, parts.path or "/"
