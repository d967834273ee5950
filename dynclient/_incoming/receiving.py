"""Receive webhooks and callbacks: identify a request, and read its data.

Rule 1: a request is refused by the first of these that fails: size, signature, freshness, replay, parsing, validation.
The body is not parsed before its signature is verified.
Rule 2: the event is named by the caller, a header of ``EVENT_HEADERS``, or a member of the body; else it is the only
one whose schema the body matches. An ambiguous request is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dynclient._escaping import logger
from dynclient._identifiers import near
from dynclient._incoming.requests import HTTPError, check_request
from dynclient._incoming.signatures import Verifier
from dynclient.exceptions import ArgumentError, Fault, InvalidWebhook, SignatureError, UnknownWebhook, WebhookError
from dynclient.messages import Headers, Request
from dynclient.model import Incoming, Operation
from dynclient.options import Limits, ValidationMode

log = logger()

MAX_BYTES = 1024 * 1024

EVENT_HEADERS = (
    "x-github-event", "x-gitlab-event", "x-gitea-event", "x-shopify-topic", "x-event-key", "x-event-type",
    "x-event-name", "x-webhook-event", "webhook-event", "ce-type",
)  # fmt: skip
"""Headers that name an event; ``event_header=`` is checked before them."""
EVENT_MEMBERS = ("type", "event", "event_type", "eventType", "event_name", "topic")
"""Members of a body that may name an event."""

_SEPARATORS = re.compile(r"[^a-z0-9]+")

Verify = Verifier | Callable[[Headers, bytes], Any] | None
"""Verifies requests: a Verifier, or a function that returns whether a request is genuine. None: no verification."""


@dataclass(frozen=True, slots=True)
class Event:
    """A webhook or callback that was received and is valid.

    ``name`` is its key in the document, ``data`` its decoded body, ``operation`` its Operation in the document.
    ``headers`` has all headers, ``parameters`` the documented headers and query parameters, decoded, by location and
    name. ``message`` identifies this message; it is empty without verification.
    """

    name: str
    data: Any = field(repr=False)
    operation: Operation = field(repr=False)
    headers: Headers = field(repr=False)
    parameters: Mapping[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    message: str = field(default="", repr=False)


class Receiver:
    """Receives the webhooks of a document, or the callbacks of an operation."""

    def __init__(self, incoming: Sequence[Incoming], limits: Limits, mode: ValidationMode = "strict") -> None:
        """Take the expected requests, the limits for decoding them, and the reaction to invalid data."""
        self._incoming, self._limits, self._mode = tuple(incoming), limits, mode

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {', '.join(self.names) or 'nothing'}>"

    @property
    def names(self) -> list[str]:
        """The names of the webhooks or callbacks, in the document's order."""
        return list(dict.fromkeys(one.name for one in self._incoming))

    @property
    def expressions(self) -> list[str]:
        """The runtime expressions of the URLs that callbacks are sent to; empty for webhooks."""
        return [one.expression for one in self._incoming if one.expression]

    @property
    def operations(self) -> list[Operation]:
        """The Operation of each, from the document."""
        return [one.operation for one in self._incoming]

    def receive(
        self,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]],
        body: bytes,
        *,
        verify: Verify,
        event: str | None = None,
        event_header: str | None = None,
        method: str | None = None,
        query: str = "",
        max_bytes: int = MAX_BYTES,
    ) -> Event:
        """Verify, decode and validate a request.

        Args:
            headers: the headers of the request: a mapping, or pairs, also those of an ASGI scope, which are bytes.
            body: the raw body, in bytes.
            verify: verifies the signature; an explicit None accepts requests without one.
            event: the name of the webhook or callback, if the URL identifies it.
            event_header: a header that names it.
            method: the method of the request, if more than one is possible.
            query: the query of the request's URL, for documented parameters.
            max_bytes: the largest accepted body, in bytes.

        Raises:
            WebhookError: the request is refused; the class says why, and ``status`` is the status to answer with.
            ArgumentError: an argument is wrong.
        """
        if not isinstance(body, bytes | bytearray | memoryview):
            hint = "the signature is over the raw bytes: pass the body before it is decoded"
            raise ArgumentError(f"body must be bytes, not {type(body).__name__}", argument="body", hint=hint)
        body, headers = bytes(body), headers if isinstance(headers, Headers) else Headers(texts(headers))
        self.named(event)
        check_size(len(body), max_bytes)
        message = _verified(verify, headers, body)
        try:
            return self._read(headers, body, message, (event, event_header, method), query)
        except BaseException:
            forget(verify, message)
            raise

    def named(self, name: str | None) -> None:
        """Check the name of an event that a caller gives.

        Raises:
            ArgumentError: the document has no webhook or callback of that name.
        """
        if name is not None and name not in self.names:
            meant = near(name, self.names)
            raise ArgumentError(f"there is no webhook or callback {name!r}", argument="event", matches=meant)

    def _read(
        self, headers: Headers, body: bytes, message: str, which: tuple[str | None, str | None, str | None], query: str
    ) -> Event:
        event, event_header, method = which
        found = [one for one in self._incoming if event in {None, one.name}]
        found = [one for one in found if method in {None, one.operation.method}]
        found = found if event is not None else _by_name(found, headers, body, event_header)
        if not found:
            raise UnknownWebhook("it matches no webhook or callback of the document")
        fitting: list[Event] = []
        refusal: HTTPError | None = None
        for one in found:
            request = Request(one.operation.method, f"http://localhost/?{query}", headers, body)
            try:
                values = check_request(one.operation, {}, request, self._limits)
            except HTTPError as error:
                refusal = error
            else:
                fitting.append(Event(one.name, values.body, one.operation, headers, values.parameters, message))
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            names = ", ".join(one.name for one in fitting[:5])
            raise UnknownWebhook(f"it matches more than one: {names}", hint="pass event= or event_header= to name it")
        if refusal is None or (len(found) > 1 and refusal.faults):
            raise InvalidWebhook("it matches none of the possible webhooks or callbacks", status=400)
        if refusal.faults and self._mode != "strict":
            self._warn(found[0].name, refusal.faults)
            values = check_request(found[0].operation, {}, request, self._limits, strict=False)
            return Event(found[0].name, values.body, found[0].operation, headers, values.parameters, message)
        status = refusal.status if refusal.status in {400, 415} else 400
        raise InvalidWebhook(refusal.detail, errors=refusal.faults, event=found[0].name, status=status)

    def _warn(self, name: str, faults: Sequence[Fault]) -> None:
        for fault in faults if self._mode == "warn" else ():
            log.warning("%s: received although %s", name, fault)


def texts(headers: Mapping[str, str] | Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    """Headers as pairs of text."""
    for pair in headers.items() if isinstance(headers, Mapping) else headers:
        name, value = (each.decode("latin-1") if isinstance(each, bytes) else each for each in pair)
        yield name, value


def check_size(size: int, most: int) -> None:
    """Refuse a body that is too large.

    Raises:
        WebhookError: with status 413.
    """
    if size > most:
        raise WebhookError(f"the body has more than {most} bytes (max_bytes)", status=413)


def forget(verify: Verify, message: str) -> None:
    """Accept a message again if it was verified, but not handled."""
    forgetting = getattr(verify, "forget", None)
    if forgetting is not None and message:
        forgetting(message)


def _verified(verify: Any, headers: Headers, body: bytes) -> str:
    if verify is None:
        return ""
    if hasattr(verify, "verify"):
        return str(verify.verify(headers, body))
    if not callable(verify):
        raise ArgumentError("verify must be a verifier, a function or None", argument="verify")
    if verify(headers, body) is not True:
        raise SignatureError("the function passed as verify= refused the request")
    return ""


def _by_name(found: list[Incoming], headers: Headers, body: bytes, event_header: str | None) -> list[Incoming]:
    """The candidates that a header or the body names; all if none is named.

    Raises:
        UnknownWebhook: a header names an event that the document does not have.
    """
    if len({one.name for one in found}) <= 1 and event_header is None:
        return found
    for header in (event_header, *EVENT_HEADERS) if event_header is not None else EVENT_HEADERS:
        if header is not None and header in headers:
            named = _alike(found, headers[header])
            if not named:
                raise UnknownWebhook(f"the document has no webhook or callback that the header {header} names")
            return named
    for member in _members(body, headers):
        named = _alike(found, member, exactly=True)
        if named:
            return named
    return found


def _alike(found: list[Incoming], text: str, *, exactly: bool = False) -> list[Incoming]:
    """The candidates with this name, regardless of word separators, or else those whose names begin with its words."""
    name = _words(text)
    same = [one for one in found if _words(one.name) == name]
    return same if same or exactly else [one for one in found if _words(one.name).startswith(f"{name} ")]


def _words(text: str) -> str:
    return _SEPARATORS.sub(" ", text[:200].lower()).strip()


def _members(body: bytes, headers: Headers) -> list[str]:
    if "json" not in headers.get("content-type", "").lower():
        return []
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return []
    values = [data.get(name) for name in EVENT_MEMBERS] if isinstance(data, dict) else []
    return [value for value in values if isinstance(value, str)]


def callbacks(incoming: Sequence[Incoming], limits: Limits, mode: ValidationMode) -> dict[str, Receiver]:
    """The callbacks of an operation, by name."""
    names = dict.fromkeys(one.name for one in incoming)
    return {name: Receiver([one for one in incoming if one.name == name], limits, mode) for name in names}
