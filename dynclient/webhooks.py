"""Webhooks and callbacks: verify, decode and validate requests that an API sends, by its document.

::

    verify = dynclient.webhooks.standard(os.environ["WEBHOOK_SECRET"])
    event = dynclient.webhooks.receive(client, request.headers, request.body, verify=verify)

    app = dynclient.webhooks.asgi(client, {"invoice.paid": on_paid}, verify=verify)
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from dynclient._client import AsyncClient, Client
from dynclient._escaping import logger
from dynclient._incoming.receiving import MAX_BYTES, Event, Receiver, Verify, check_size, forget, texts
from dynclient._incoming.signatures import HMACSignature, Verifier, github, shopify, slack, standard, stripe
from dynclient.exceptions import ArgumentError, UnknownWebhook, WebhookError
from dynclient.messages import Headers

__all__ = [
    "Event", "HMACSignature", "Receiver", "Verifier", "asgi", "github", "receive", "shopify", "slack", "standard",
    "stripe", "wsgi",
]  # fmt: skip

Source = Client | AsyncClient | Receiver
"""A client, for the webhooks of its document, or ``operation.callbacks[name]``."""
Handlers = Callable[[Event], Any] | Mapping[str, Callable[[Event], Any]]
"""One function for all events, or functions by event name; ``"*"`` handles all others."""

log = logger()


def receive(
    client: Client | AsyncClient,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]],
    body: bytes,
    *,
    verify: Verify,
    **more: Any,
) -> Event:
    """Verify, decode and validate a webhook of the client's document.

    The webhooks are those of ``webhooks`` (OpenAPI 3.1 and later), or else of ``x-webhooks``. An explicit
    ``verify=None`` accepts requests without a signature. ``more`` are ``event``, ``event_header``, ``method``,
    ``query`` and ``max_bytes``, as in :meth:`Receiver.receive`.

    Raises:
        WebhookError: the request is refused; the class says why, and ``status`` is the status to answer with.
        DocumentError: the document is broken there.
    """
    return _receiver(client).receive(headers, body, verify=verify, **more)


def asgi(
    client: Source, handlers: Handlers, *, verify: Verify, max_bytes: int = MAX_BYTES, **more: Any
) -> Callable[..., Awaitable[None]]:
    """An ASGI application that receives webhooks, or callbacks, and calls a handler with each Event.

    Handlers may be coroutine functions; others run in a worker thread. The response is a success once the handler has
    returned. If it raises, the sender may send the message again. ``more`` is as in :func:`receive`.

    Raises:
        ArgumentError: a handler names no event of the document.
    """
    receiver, by_name = _receiver(client), _checked(client, handlers)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            status = await respond(scope, receive)
            if status is not None:
                await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
                await send({"type": "http.response.body", "body": b""})

    async def respond(scope: Any, read: Any) -> int | None:
        headers = Headers(texts(scope["headers"]))
        try:
            body = await _body(headers, read, max_bytes)
            if body is None:
                return None
            given = {"method": scope["method"], "query": scope["query_string"].decode("latin-1"), **more}
            event = receiver.receive(headers, body, verify=verify, max_bytes=max_bytes, **given)
            handler = _handler(by_name, event, verify)
        except WebhookError as error:
            return _refused(error)
        try:
            await _called(handler, event)
        except BaseException:  # also an interrupt: the event was not handled, and may be sent again
            forget(verify, event.message)
            raise
        return _success(event)

    return app


def wsgi(
    client: Source, handlers: Handlers, *, verify: Verify, max_bytes: int = MAX_BYTES, **more: Any
) -> Callable[[dict[str, Any], Any], list[bytes]]:
    """A WSGI application that receives webhooks, or callbacks, like :func:`asgi`; its handlers are not async.

    Raises:
        ArgumentError: a handler names no event of the document, or is a coroutine function.
    """
    receiver, by_name = _receiver(client), _checked(client, handlers)
    if any(map(inspect.iscoroutinefunction, by_name.values())):
        raise ArgumentError("a handler is a coroutine function", argument="handlers", hint="webhooks.asgi awaits it")

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        status = respond(environ)
        start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Length", "0")])
        return []

    def respond(environ: dict[str, Any]) -> int:
        headers = Headers(_environ_headers(environ))
        try:
            length = _length(headers, max_bytes)
            stream = environ["wsgi.input"]
            # PEP 3333: a server need not end the input where the body ends.
            body = stream.read(max_bytes + 1 if length is None else length)
            given = {"method": environ["REQUEST_METHOD"], "query": environ.get("QUERY_STRING", ""), **more}
            event = receiver.receive(headers, body, verify=verify, max_bytes=max_bytes, **given)
            handler = _handler(by_name, event, verify)
        except WebhookError as error:
            return _refused(error)
        try:
            handler(event)
        except BaseException:  # also an interrupt: the event was not handled, and may be sent again
            forget(verify, event.message)
            raise
        return _success(event)

    return app


def _receiver(source: Source) -> Receiver:
    if isinstance(source, Receiver):
        return source
    if not isinstance(source, Client | AsyncClient):
        raise ArgumentError("client must be a client, or one of operation.callbacks", argument="client")
    receiver: Receiver = source._webhooks  # noqa: SLF001  # the client's part of this module
    return receiver


def _checked(source: Source, handlers: Handlers) -> Mapping[str, Callable[[Event], Any]]:
    """The handlers by name of event."""
    by_name = handlers if isinstance(handlers, Mapping) else {"*": handlers}
    for name, handler in by_name.items():
        if name != "*":
            _receiver(source).named(name)
        if not callable(handler):
            raise ArgumentError(f"the handler of {name} is not a function", argument="handlers")
    return dict(by_name)


def _handler(by_name: Mapping[str, Callable[[Event], Any]], event: Event, verify: Verify) -> Callable[[Event], Any]:
    handler = by_name.get(event.name) or by_name.get("*")
    if handler is None:
        forget(verify, event.message)
        raise UnknownWebhook(f"there is no handler for {event.name}", event=event.name)
    return handler


def _refused(error: WebhookError) -> int:
    """The status of a refusal. Its reason is logged, but not sent to the sender."""
    log.warning("refused a webhook: %s", error)
    return error.status


def _success(event: Event) -> int:
    """The first success status in the document, or 204."""
    statuses = (status for status in event.operation.responses if status.startswith("2") and status.isdecimal())
    return int(next(statuses, HTTPStatus.NO_CONTENT))


async def _called(handler: Callable[[Event], Any], event: Event) -> None:
    if inspect.iscoroutinefunction(handler):
        await handler(event)
        return
    import anyio.to_thread

    result = await anyio.to_thread.run_sync(handler, event)
    if inspect.isawaitable(result):
        await result


async def _body(headers: Headers, read: Any, most: int) -> bytes | None:
    """The body of a request; None if the sender has disconnected."""
    _length(headers, most)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await read()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        check_size(size, most)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _length(headers: Headers, most: int) -> int | None:
    """The Content-Length; None if there is none.

    Raises:
        WebhookError: it exceeds the largest accepted body.
    """
    text = headers.get("content-length", "")
    if not (text.isascii() and text.isdecimal()):
        return None
    check_size(int(text[:18]), most)
    return int(text)


def _environ_headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        if key.startswith("HTTP_") or (key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value):
            yield key.removeprefix("HTTP_").replace("_", "-"), value
