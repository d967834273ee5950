"""Redirects: their targets, and whether to follow them.

Rule 1: a redirect that the operation documents (its status, or ``3XX``) is returned as the response, unless the caller
follows all redirects.
Rule 2: only GET and HEAD without a body are redirected; no other request is ever sent again elsewhere.
Rule 3: within the origin (scheme, host, port) the request stays as it is. To another one it goes only if the caller
allows that, and then without the caller's data: only the headers Accept and User-Agent are kept.
Rule 4: redirects from https to http are not followed, nor are loops, nor more than ``Limits.redirects``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urlsplit

from dynclient._secrets import masked
from dynclient.exceptions import RedirectError
from dynclient.http_grammar import REDIRECTS
from dynclient.messages import Headers, Request, Response, joined_url, origin
from dynclient.model import Operation
from dynclient.options import Redirects, Secret

_METHODS = frozenset({"GET", "HEAD"})
_SEE_OTHER = 303
_SAFE_HEADERS = ("Accept", "User-Agent")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def redirected(
    response: Response, request: Request, operation: Operation, redirects: Redirects, seen: Sequence[Secret], limit: int
) -> Request | None:
    """The request that a redirect leads to; None if the response does not redirect, or is documented.

    ``seen`` are the URLs of the call so far, as secrets: a traceback may show local variables.

    Raises:
        RedirectError: the redirect may not be followed.
    """
    is_documented = not {str(response.status), "3XX"}.isdisjoint(operation.responses)
    if response.status not in REDIRECTS or (is_documented and redirects != "all"):
        return None
    fault = "" if redirects != "none" else "redirects are not followed"
    if request.method not in _METHODS or request.body is not None:
        fault = f"a {request.method} is not redirected"
    if not fault and len(seen) > limit:
        fault = f"there were more than {limit} redirects (Limits.redirects)"
    if fault:
        raise _error(fault, response)
    target = Secret(_target(response, request))
    if target in seen:
        raise _error("it is a redirect loop", response)
    there = scheme, host, port = origin(target.reveal())
    if there == request.origin:
        return replace(request, url=target.reveal())
    if redirects not in {"any", "all"}:
        hint = 'redirects="any" follows it, without credentials and headers'
        raise _error(f"it leads to another origin, {scheme}://{host}:{port}", response, hint)
    if scheme == "http" and request.origin[0] == "https":
        raise _error("it leads from https to http", response)
    headers = Headers((name, request.headers[name]) for name in _SAFE_HEADERS if name in request.headers)
    return replace(request, url=target.reveal(), headers=headers)


def _target(response: Response, request: Request) -> str:
    """The absolute URL that Location names (RFC 9110, 10.2.2), without its fragment."""
    locations = response.headers.get_list("location")
    if len(set(locations)) != 1 or not locations[0]:
        raise _error("it has no Location" if not any(locations) else "it has several Locations", response)
    # RFC 9110, 5.5: beyond ASCII a header's bytes are just bytes; in a URL those are percent-encoded.
    location = quote(locations[0].encode("latin-1", "replace"), safe=_PRINTABLE)
    url = joined_url(request.url, location.partition("#")[0])
    if url is None:
        raise _error("its Location is not a valid http or https URL", response)
    return url


def _error(fault: str, response: Response, hint: str = "") -> RedirectError:
    where, advice = _destination(response)
    return RedirectError(
        f"the server answered {response.status}{where}: {fault}", response=response, hint=hint or advice
    )


def _destination(response: Response) -> tuple[str, str]:
    """Where a redirect leads, without its query, and what a caller can do about it."""
    location, request = response.headers.get("location") or "", response.request
    if not location or request is None:
        return "", ""
    shown = masked(location.partition("?")[0].partition("#")[0], request.secret_values(1))
    # A URL's user information is a credential.
    shown = re.sub(r"//[^/]*@", "//***@", shown)
    url = joined_url(request.url, location.partition("#")[0])
    if url is None:
        return f" (to {shown})", ""
    target, asked, advice = urlsplit(url), urlsplit(request.url), ""
    if (target.scheme, target.netloc) != (asked.scheme, asked.netloc):
        advice = f'the API may be elsewhere: base_url="{target.scheme}://{target.netloc}"'
    elif target.path != asked.path:
        # RFC 9110, 15.4.4: after 303, the answer is read at the other URL.
        method = "GET" if response.status == _SEE_OTHER else request.method
        body = ", body=..." if method == request.method and request.body is not None else ""
        url = masked(f"{target.scheme}://{target.netloc}{target.path}", request.secret_values(1))
        why = "the path differs by a slash: " if target.path.rstrip("/") == asked.path.rstrip("/") else ""
        advice = f'{why}client.request("{method}", "{url}"{body}) asks there'
    return f" (to {shown})", advice
