"""Undocumented requests, ``client.request(method, path)``, with the client's server, credentials and limits.

Rule 1: the document does not describe such a request, so nothing is validated. Its body is encoded by the value's type,
or by ``content_type``; the response is read by its own Content-Type. Errors follow the status.
Rule 2: it goes to the origin of the client's server. Only ``base_url`` can name another origin; a path can't, since it
may be a link that a server sent.
Rule 3: it uses the credentials that the document requires at its top level, or else any credential that was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dynclient._client.shown_methods import outermost
from dynclient._deferred import expression
from dynclient._request import FOREIGN_NAMES, Bound, CallOptions, Plan, server_url
from dynclient.exceptions import ArgumentError
from dynclient.http_grammar import is_token
from dynclient.messages import Request, origin
from dynclient.model import MediaType, Operation, OperationRow, RequestBody
from dynclient.security.trust import text_of

if TYPE_CHECKING:
    from dynclient._client.drivers import Dispatcher

_NAME = "request"
_ANY = RequestBody({"*/*": MediaType("*/*")})
_ABSOLUTE = expression(r"[A-Za-z][A-Za-z0-9+.-]*:")


class RawRequests:
    """Makes requests that the document does not describe; called, it returns an HTTPResult."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Take the dispatcher of a client."""
        self._dispatcher = dispatcher

    @outermost
    def __call__(self, method: str, url: str, /, **more: Any) -> Any:
        """Send a request; returns an HTTPResult (on an AsyncClient, an awaitable of one).

        Args:
            method: the HTTP method.
            url: a path, which is added to the server's URL, or a URL of the same origin; either may have a query.
            more: ``body``, a value that is encoded by its type (mappings and lists as JSON, text, bytes, files);
                ``content_type`` of the body; ``query``, ``headers`` and ``accept``, as in ``with_options``.

        Raises:
            ArgumentError: the URL is of another origin, or an argument is wrong.
            ApiError: the status is an error.
        """
        dispatcher, plan, bound, options = self._bound(method, url, more)
        return dispatcher.send(plan, bound, options, data_only=False)

    @outermost
    def stream(self, method: str, url: str, /, **more: Any) -> Any:
        """Send a request as a call does, and leave the body unread: ``with client.request.stream(...) as answer``."""
        from dynclient._client.streaming import streamed

        dispatcher, plan, bound, options = self._bound(method, url, more)
        return streamed(dispatcher, plan, bound, options)

    @outermost
    def prepare(self, method: str, url: str, /, **more: Any) -> Request:
        """The Request that a call would send. A missing credential is shown as ``$NAME``."""
        dispatcher, plan, bound, options = self._bound(method, url, more)
        return dispatcher.prepare(plan, bound, options)

    def __repr__(self) -> str:
        return "<request(method, path, *, query, headers, body, content_type, accept): an undocumented request>"

    def _bound(self, method: str, url: str, more: dict[str, Any]) -> tuple[Dispatcher, Plan, Bound, CallOptions]:
        body = more.pop("body", None)
        for name in more:
            if name not in {"query", "headers", "content_type", "accept"}:
                hint = FOREIGN_NAMES.get(name, f"with_options({name}=...).request(...)?")
                raise ArgumentError(f"unknown argument {name}", argument=name, hint=hint)
        if not isinstance(method, str) or not is_token(method) or method.upper() == "CONNECT":
            raise ArgumentError(f"{method!r} is not an HTTP method that can be sent", argument="method")
        dispatcher = self._dispatcher.changed(more) if more else self._dispatcher
        api = dispatcher.document.api
        base = server_url(api.servers, dispatcher.options.base_url, dispatcher.options.server)
        base, path = _target(url, base)
        row = OperationRow(f"{method.upper()} ", method.upper(), "", _NAME, _NAME)
        operation = Operation(row, body=_ANY, security=dispatcher.security_of_any())
        plan = Plan(operation, dispatcher.state.limits, path)
        return dispatcher, plan, Bound({}, ... if body is None else body), dispatcher.options._replace(base_url=base)


def _target(url: str, base: str) -> tuple[str, str]:
    """The URL of the server, and the path after it.

    Raises:
        ArgumentError: the URL is of another origin.
    """
    if not isinstance(url, str):
        raise ArgumentError(f"a request takes a path or a URL, not a {type(url).__name__}", argument="url")
    url = url.partition("#")[0]
    if not _ABSOLUTE.match(url.partition("/")[0]):
        return base, url if url[:1] in {"/", "?"} else f"/{url}"
    try:
        parts, there = urlsplit(url), origin(url)
    except ValueError:
        raise ArgumentError("the URL has no valid host", argument="url") from None
    if "@" in parts.netloc or there != origin(base):
        raise ArgumentError(
            f"the URL has another origin, {text_of(there)}, than the client's server, {text_of(origin(base))}",
            argument="url",
            hint=f'with_options(base_url="{text_of(there)}").request(...) sends it there',
        )
    return f"{parts.scheme}://{parts.netloc}", url[len(parts.scheme) + 3 + len(parts.netloc) :] or "/"
