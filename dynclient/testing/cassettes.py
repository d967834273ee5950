"""A transport that records exchanges: real responses are stored in a file, and replayed without a network.

::

    with dynclient.load("openapi/voice.yaml", transport=Recorder("calls.jsonl")) as voice: ...

Rule 1: a request is matched by its operation and arguments, in any order; without the document by method, path, query
and body. Origin, credentials and idempotency keys are ignored. Equal requests get their responses in the recorded
order.
Rule 2: no secret is written: no credential, even if a server repeats it, no token, and no password, by its name or by
the document's schemas.
Rule 3: the client validates a recorded response like any other, so changes of the document are noticed.
"""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

from dynclient import codecs, model
from dynclient._deferred import expression
from dynclient._load import load
from dynclient._negotiation import match
from dynclient._response import match_status
from dynclient._secrets import MASK, SECRET_BODY
from dynclient.exceptions import ArgumentError, DynclientError
from dynclient.http_grammar import IDEMPOTENCY_KEYS
from dynclient.messages import Headers, Request, Response, Send
from dynclient.model import MediaType, Operation
from dynclient.options import Limits
from dynclient.testing.recordings import Recording, read, write
from dynclient.testing.stubs import UnexpectedCall
from dynclient.testing.traffic import TrafficCheck
from dynclient.testing.transport import AwaitableResponse, BufferedTransport

Mode = Literal["once", "new_episodes", "none", "all"]

# Members of bodies that are always secret, whatever a document says (RFC 6749, 2.3.1, 4.3.2 and 5.1; RFC 7521, 4.2).
_SECRET_NAMES = frozenset(
    {"access_token", "assertion", "client_assertion", "client_secret", "id_token", "password", "refresh_token"}
)
_ANY_NAME = "|".join(sorted(_SECRET_NAMES))
# With the signatures of storage services, to which redirects lead.
_SECRET_FIELD = expression(
    rf"(?i)([?&#](?:{_ANY_NAME}|sig|(?:x-(?:amz|goog)-)?(?:credential|security-token|signature))=)[^&#]*"
)
_FIELD = rf"\1{MASK}"
_SECRET_ELEMENT = expression(rf"(<(?:{_ANY_NAME})>)[^<]*".encode())


class Recorder(BufferedTransport):
    """A transport for a Client or an AsyncClient that records exchanges and replays recorded ones.

    ``mode`` is ``once`` (record if the file does not exist, else replay it), ``new_episodes`` (replay the file, record
    the rest), ``none`` (never send anything), or ``all`` (send and record everything again). The file is JSON Lines, or
    HAR 1.2 if its name ends with ``.har``. HAR files of browsers and ``.yaml`` files of vcrpy can be read too.

    ``document``, any source for :func:`dynclient.load`, lets it match by operation and arguments, and find secrets by
    the schemas. ``transport`` sends requests that are not recorded; by default one for the kind of client that sends
    first.
    """

    def __init__(self, path: str | Path, *, mode: Mode = "once", document: Any = None, transport: Any = None) -> None:
        """Read the file, unless it does not exist or is to be recorded again.

        Raises:
            ArgumentError: the mode is unknown, or the file can't be read, or can't be written in its format.
            DocumentError: the document can't be read.
        """
        self.path = Path(path)
        if mode not in get_args(Mode):
            raise ArgumentError(f"mode {mode!r} is unknown; it is {' or '.join(get_args(Mode))}", argument="mode")
        exists = self.path.is_file() and mode != "all"
        self._appends = mode != "all"
        self._records = mode in {"new_episodes", "all"} or (mode == "once" and not exists)
        if self._records and self.path.suffix in {".yaml", ".yml"}:
            raise ArgumentError("vcrpy's files are only read: record to a .jsonl or .har file", argument="path")
        self._traffic: TrafficCheck | None = None
        if document is not None:
            self._traffic = TrafficCheck(document if isinstance(document, model.API) else load(document))
        self._transport = transport
        self._lock = threading.Lock()
        self.recordings: list[Recording] = []
        """The exchanges of the file: those that were read, and those recorded since."""
        self._by_key: dict[str, list[Response]] = {}
        self._given: dict[str, int] = {}
        for recording in read(self.path) if exists else ():
            self._keep(recording)

    def _operation(self, request: Request) -> Operation | None:
        return self._traffic.operation(request)[0] if self._traffic is not None else None

    def _answer(self, send: Send, request: Request) -> Any:
        """The recorded response of a request; without one, the request is sent and its response recorded.

        Raises:
            UnexpectedCall: it is not recorded, or was sent more often than it was recorded.
        """
        shown = self._without_secrets(request)
        key = self._key(shown)
        with self._lock:
            recorded, given = self._by_key.get(key, []), self._given.get(key, 0)
            if given < len(recorded):
                self._given[key] = given + 1
                return AwaitableResponse.of(recorded[given], send, request)
        if not self._records:
            raise UnexpectedCall(self._difference(shown, len(recorded)))
        # As bytes, the body can be read twice: to send it and to record it.
        sent = self._sender().send(send._replace(request=request))
        if inspect.isawaitable(sent):
            return self._record_async(sent, send, shown, key)
        body = sent.body if isinstance(sent.body, bytes) else b"".join(sent.body)
        return self._record(replace(sent, body=body), send, shown, key)

    async def _record_async(self, sent: Awaitable[Response], send: Send, shown: Request, key: str) -> Response:
        response = await sent
        body = response.body
        if not isinstance(body, bytes):
            body = b"".join([chunk async for chunk in body])
        return self._record(replace(response, body=body), send, shown, key)

    def _record(self, response: Response, send: Send, shown: Request, key: str) -> AwaitableResponse:
        recording = Recording(shown, self._response_without_secrets(response))
        with self._lock:
            self._keep(recording, key)
            # It was just returned.
            self._given[key] = self._given.get(key, 0) + 1
            write(self.path, self.recordings, append=self._appends or len(self.recordings) > 1)
        return AwaitableResponse.of(response, send, send.request)

    def _keep(self, recording: Recording, key: str = "") -> None:
        self.recordings.append(recording)
        self._by_key.setdefault(key or self._key(recording.request), []).append(recording.response)

    def _sender(self) -> Any:
        """The transport for requests that are not recorded."""
        if self._transport is None:
            from dynclient.transports import AsyncHTTPTransport, HTTPTransport

            self._transport = AsyncHTTPTransport() if _in_task() else HTTPTransport()
        return self._transport

    # Matching.

    def _key(self, request: Request) -> str:
        operation = self._operation(request)
        if operation is not None and self._traffic is not None:
            with suppress(DynclientError):
                parameters, body = self._traffic.arguments(operation, request)
                named = {
                    f"{in_} {name}": value
                    for (in_, name), value in parameters.items()
                    if name.lower() not in IDEMPOTENCY_KEYS
                }
                sent = _comparable(request) if body is None else body
                return json.dumps([operation.id, named, sent], sort_keys=True, default=repr)
        parts = urlsplit(request.url)
        query = sorted(parse_qsl(parts.query, keep_blank_values=True))
        return json.dumps([request.method, parts.path, query, _comparable(request)], sort_keys=True, default=repr)

    def _difference(self, shown: Request, times: int) -> str:
        what = f"{shown.operation_id or 'a request'}: {shown.method} {shown.url}"
        if times:
            why = f"is recorded {times} time{'s' if times > 1 else ''}, and was requested once more"
        else:
            alike = [one.request for one in self.recordings if one.request.method == shown.method]
            same = [one for one in alike if urlsplit(one.url).path == urlsplit(shown.url).path]
            why = f"is not in {self.path}" + (" with these arguments; it has others" if same else "")
        return f"{what} {why}\nHint: record it with mode='new_episodes', or record everything again with mode='all'"

    # Secrets.

    def _without_secrets(self, request: Request) -> Request:
        shown = request.with_no_secrets()
        if SECRET_BODY in request.secrets:
            # Token requests are distinguished by the names of their fields; the values are secret.
            body = request.body if isinstance(request.body, bytes) else b""
            fields = [(name, MASK) for name, _ in parse_qsl(body.decode("latin-1"))]
            return replace(shown, body=urlencode(fields, safe="*").encode())
        operation = self._operation(request)
        content = operation.body.content if operation is not None and operation.body is not None else {}
        body = _masked_body(request.body, request.headers, content, "request")
        return replace(shown, url=_SECRET_FIELD.sub(_FIELD, shown.url), body=body)

    def _response_without_secrets(self, response: Response) -> Response:
        request = response.request
        shown = response.with_no_secrets()
        operation = self._operation(request) if request is not None else None
        documented = match_status(operation, response.status) if operation is not None else None
        content = documented.content if documented is not None else {}
        headers = Headers((name, _masked_header(name, value)) for name, value in shown.headers.pairs())
        return replace(shown, headers=headers, body=_masked_body(shown.body, headers, content, "response"))

    # Life.

    def close(self) -> None:
        """Close the transport for requests that are not recorded."""
        if self._transport is not None:
            self._transport.close()

    async def aclose(self) -> None:
        """Close the transport for requests that are not recorded."""
        if self._transport is not None:
            await self._transport.aclose()


def _in_task() -> bool:
    """Whether this runs in a task of asyncio or trio, that is, for an AsyncClient."""
    import anyio

    try:
        anyio.get_current_task()
    except RuntimeError:
        return False
    return True


def _comparable(request: Request) -> Any:
    """A body for comparison: its value, regardless of order, if it can be read, else its text."""
    content_type = request.headers.get("content-type", "")
    body = request.body if isinstance(request.body, bytes) else b""
    with suppress(DynclientError, ValueError, RecursionError):
        return codecs.find(content_type).decode(body, MediaType(content_type), content_type, Limits())
    return body.decode("utf-8", "backslashreplace")


def _masked_header(name: str, value: str) -> str:
    """A response's header; of a cookie, only the value is masked."""
    if name.lower() != "set-cookie":
        return _SECRET_FIELD.sub(_FIELD, value) if name.lower() == "location" else value
    pair, semicolon, attributes = value.partition(";")
    return f"{pair.partition('=')[0]}={MASK}{semicolon}{attributes}"


def _masked_body(body: Any, headers: Headers, content: Mapping[str, MediaType], direction: Any) -> Any:
    """A body without secrets by name, and by the schema of its media type; unchanged if it has none."""
    content_type = headers.get("content-type", "")
    media_range = match(content_type, content) if content else None
    media_type = content[media_range] if media_range is not None else MediaType(content_type)
    codec = codecs.find(content_type)
    if not isinstance(body, bytes) or codec.name in {"text", "binary"}:
        return body
    from dynclient.examples import unrevealing

    if codec.name == "xml":
        body = _SECRET_ELEMENT.sub(rb"\1***", body)
    try:
        value = codec.decode(body, media_type, content_type, Limits())
        masked = _masked_members(value)
        if media_type.item_schema is not None and isinstance(masked, list):
            masked = [unrevealing(media_type.item_schema, item, direction) for item in masked]
        masked = unrevealing(media_type.schema, masked, direction)
        written = codec.encode(masked, media_type, content_type).body if masked != value else body
    except (DynclientError, ValueError, RecursionError):
        return body
    return written if isinstance(written, bytes) else b"".join(cast("Iterable[bytes]", written))


def _masked_members(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: MASK if name in _SECRET_NAMES and isinstance(member, str) else _masked_members(member)
            for name, member in value.items()
        }
    return [_masked_members(member) for member in value] if isinstance(value, list) else value
