"""Between WSGI (PEP 3333) and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

from dynclient.messages import Headers, Request, Response
from dynclient.testing.refusals import Refusal, refuse

MAX_BODY = 32 * 1024 * 1024

HEADER_LINES = "dynclient.headers"
"""The key of the environment under which our own server puts the header lines as they came."""


class Responder(Protocol):
    """What answers a request."""

    def respond(self, request: Request) -> Response:
        """Answer one request."""


def answer(
    responder: Responder, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
) -> Iterable[bytes]:
    """Answer one request of a WSGI server."""
    try:
        request = to_request(environ)
        response = responder.respond(request)
    except Refusal as refusal:
        response = refuse(refusal, None, "")
    body = response.body if isinstance(response.body, bytes) else b""
    headers = [*response.headers.pairs()]
    # RFC 9110, 8.6: no Content-Length with 1xx and 204; with 304 it would be that of the 200.
    if response.status not in {204, 304}:
        headers.append(("Content-Length", str(len(body))))
    start_response(f"{response.status} {_phrase(response.status)}", [(n, _latin1(value)) for n, value in headers])
    return [] if environ.get("REQUEST_METHOD") == "HEAD" or not body else [body]


def to_request(environ: dict[str, Any]) -> Request:
    """Read a request from a WSGI environment.

    Raises:
        Refusal: 413 for a body over 32 MiB, 400 for a length that is none.
    """
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI") or _target(environ)
    if not target.startswith("/"):
        # RFC 9112, 3.2.2: the absolute form is taken too.
        target = "/" + target.partition("://")[2].partition("/")[2]
    host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}"
    url = f"{environ.get('wsgi.url_scheme', 'http')}://{host}{target}"
    return Request(environ["REQUEST_METHOD"].upper(), url, Headers(_headers(environ)), _body(environ))


def _target(environ: dict[str, Any]) -> str:
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    query = environ.get("QUERY_STRING")
    return quote(path, safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")


def _headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    if HEADER_LINES in environ:
        return list(environ[HEADER_LINES])
    names = {"CONTENT_TYPE": "Content-Type", "CONTENT_LENGTH": "Content-Length"}
    lines = [(name, environ[key]) for key, name in names.items() if environ.get(key)]
    return lines + [
        (key[5:].replace("_", "-").title(), value) for key, value in environ.items() if key.startswith("HTTP_")
    ]


def _body(environ: dict[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read(MAX_BODY + 1)
    else:
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal():
            raise Refusal(400, "Content-Length is no number")
        body = stream.read(int(length)) if int(length) <= MAX_BODY else b" " * (MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise Refusal(413, f"the body may have {MAX_BODY} bytes")
    return bytes(body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _latin1(value: str) -> str:
    """A header value as PEP 3333 wants it: its bytes, UTF-8 where they must be, each as one character."""
    return value.encode("utf-8").decode("latin-1")
