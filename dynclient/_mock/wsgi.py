"""WSGI (PEP 3333) in front of a mock or a proxy, by werkzeug's Request and Response."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Request as WSGIRequest
from werkzeug.wrappers import Response as WSGIResponse

from dynclient._mock.responses import HTTPError, error_response
from dynclient.messages import Headers, Request, Response

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

MAX_BODY = 32 * 1024 * 1024

HEADER_LINES = "dynclient.headers"
"""The key of the environment under which our own server puts the header lines as they came."""


class _Response(WSGIResponse):
    default_mimetype = None


def answer(
    respond: Callable[[Request], Response], environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer one request of a WSGI server."""
    try:
        response = respond(_request(environ))
    except HTTPError as error:
        response = error_response(error)
    body = response.body if isinstance(response.body, bytes) else b""
    # PEP 3333: a header value is its bytes, UTF-8 where it is not ASCII, each as one character.
    headers = [(name, value.encode("utf-8").decode("latin-1")) for name, value in response.headers.pairs()]
    return _Response(body, response.status, headers)(environ, start_response)


def _request(environ: WSGIEnvironment) -> Request:
    """Read a request from a WSGI environment.

    Raises:
        HTTPError: 413 for a body over 32 MiB; 400 for a body that was cut off, or whose length is invalid or ambiguous.
    """
    incoming = WSGIRequest(environ)
    incoming.max_content_length = MAX_BODY
    if not (environ.get("CONTENT_LENGTH") or "0").isdecimal():
        raise HTTPError(400, "Content-Length is not a number")
    headers = Headers(list(environ.get(HEADER_LINES) or incoming.headers))
    # RFC 9112, 6.3: what could be read in two ways is refused, as nobody knows where the request ends.
    lengths = set(headers.get_list("content-length"))
    if len(lengths) > 1 or (lengths and "transfer-encoding" in headers):
        raise HTTPError(400, "the request has two lengths, or Content-Length and Transfer-Encoding")
    try:
        body = incoming.get_data(cache=False)
    except RequestEntityTooLarge:
        raise HTTPError(413, f"the body may have {MAX_BODY} bytes") from None
    except ClientDisconnected:
        raise HTTPError(400, "the request ended before its body did") from None
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI") or _target(environ)
    if not target.startswith("/"):
        # RFC 9112, 3.2.2: the absolute form is accepted too.
        target = "/" + target.partition("://")[2].partition("/")[2]
    return Request(incoming.method, f"{incoming.scheme}://{incoming.host}{target}", headers, body)


def _target(environ: WSGIEnvironment) -> str:
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    query = environ.get("QUERY_STRING")
    return quote(path, safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")
