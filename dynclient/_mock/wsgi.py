"""WSGI (PEP 3333) for a mock or a proxy, with werkzeug's Request and Response."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Request as WSGIRequest
from werkzeug.wrappers import Response as WSGIResponse

from dynclient._incoming.requests import HTTPError
from dynclient._mock.responses import error_response
from dynclient.messages import Headers, Request, Response
from dynclient.security.trust import is_loopback

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

MAX_BODY = 32 * 1024 * 1024

HEADER_LINES = "dynclient.headers"
"""The key of the environment for the received header lines, set by dynclient's own server."""


HOSTS = "dynclient.hosts"
"""The key of the environment for the allowed hosts, set by dynclient's own server."""


class _Response(WSGIResponse):
    default_mimetype = None


def answer(
    respond: Callable[[Request], Response], environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer one request of a WSGI server."""
    try:
        request = _request(environ)
        if HOSTS in environ:
            _check_host(urlsplit(request.url).netloc, environ[HOSTS])
        response = respond(request)
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
    # RFC 9112, 6.3: an ambiguous length is refused, since the end of the request is unknown.
    lengths = set(headers.get_list("content-length"))
    if len(lengths) > 1 or (lengths and "transfer-encoding" in headers):
        raise HTTPError(400, "the request has two lengths, or Content-Length and Transfer-Encoding")
    try:
        body = incoming.get_data(cache=False)
    except RequestEntityTooLarge:
        raise HTTPError(413, f"the body may have at most {MAX_BODY} bytes") from None
    except ClientDisconnected:
        raise HTTPError(400, "the request ended before its body did") from None
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI") or _target(environ)
    if not target.startswith("/"):
        # RFC 9112, 3.2.2: the absolute form is accepted too.
        target = "/" + target.partition("://")[2].partition("/")[2]
    return Request(incoming.method, f"{incoming.scheme}://{incoming.host}{target}", headers, body)


def _check_host(netloc: str, allowed: Collection[str]) -> None:
    """Check that a page has not reached this server under another name (DNS rebinding).

    Raises:
        HTTPError: 421 for a host that is neither a loopback one nor allowed.
    """
    host = bare_host(netloc)
    if host in allowed or "*" in allowed or is_loopback(host):
        return
    shown = ascii(host[:80])
    # RFC 9110, 15.5.20: the request was directed at a server that does not answer for this host.
    raise HTTPError(
        421, f"this server does not answer for the host {shown}; --allow-host or allow_hosts= allows others"
    )


def bare_host(netloc: str) -> str:
    """A host for comparison: without port, brackets and a final dot, in lower case."""
    host = netloc.strip().lower()
    host = (
        host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0] if host.count(":") == 1 else host
    )
    return host.removesuffix(".")


def _target(environ: WSGIEnvironment) -> str:
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    query = environ.get("QUERY_STRING")
    return quote(path, safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")
