"""The mock's responses: negotiated content, its values, errors, and intentional failures.

Rule 1: the status is the lowest documented 2xx, or the one that the request prefers (``Prefer: code=404``, RFC 7240).
Rule 2: an example of the document is preferred to a value generated from the schema. A range such as ``image/*`` is
replaced by a concrete media type.
Rule 3: an error has HTTP's status, and the body that the operation documents for it, else problem details (RFC 9457).
The message is put into a generated body where a string is expected and the body stays valid. Documented examples of
errors are not changed; the header Dynclient-Detail has the message too.
Rule 4: headers that frame the message are the server's own; all other documented ones are sent.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from dynclient import codecs, model
from dynclient._escaping import logger, one_line
from dynclient._incoming.requests import HTTPError
from dynclient._negotiation import match
from dynclient._plain_values import plain_value
from dynclient._records import Record
from dynclient._response import match_status
from dynclient._schemas import DONE, MISSING, cache, event_form, is_binary, says_done, shape
from dynclient._styles import serialize
from dynclient._validation import body_faults
from dynclient.examples import documented_example, example, media_example
from dynclient.exceptions import DynclientError, EncodeError, Fault
from dynclient.http_grammar import BODILESS, CONNECTION_FIELDS
from dynclient.media_types import OCTETS, concrete, essence, find, parse
from dynclient.messages import Headers, Response
from dynclient.options import Limits

log = logger("dynclient.testing")


class Preference(Record):
    """The preferences of a request: a status code, an example by name, a generated value, a seed.

    ``fake`` is the seed of realistic generated values, or None.
    """

    code: str | None = None
    example: str | None = None
    dynamic: bool = False
    seed: int = 0
    fake: int | None = None


NO_PREFERENCE = Preference()


class Offer(Record):
    """A documented media type, and the concrete content type to send; ``end`` follows the body."""

    media_type: model.MediaType
    content_type: str
    end: bytes = b""

    @property
    def codec(self) -> codecs.Codec:
        """The codec of the media type."""
        return codecs.find(self.content_type)

    def response(self, status: int, headers: Iterable[tuple[str, str]], value: Any) -> Response:
        """Make a response with a value as its body.

        Raises:
            EncodeError: the codec can't encode the value.
        """
        if self.codec.name in {"text", "binary"} and isinstance(value, (dict, list)):
            # Without a codec, such a value can only be written as JSON.
            value = json.dumps(value, ensure_ascii=False)
        if self.codec.name == "binary" and not isinstance(value, bytes):
            value = str(value).encode("utf-8")
        encoded = self.codec.encode(value, self.media_type, self.content_type)
        body = encoded.body or b""
        whole = body if isinstance(body, bytes) else b"".join(cast("Iterator[bytes]", body))
        return Response(status, Headers((*headers, ("Content-Type", encoded.content_type))), whole + self.end)

    def is_valid(self, value: Any) -> bool:
        """Whether a value is valid by the media type's schema, if it has one."""
        return not _faults(self.media_type, value)


def _faults(media_type: model.MediaType, value: Any) -> list[Fault]:
    return body_faults(media_type, value, "response", Limits(), "auto")


def offers(response: model.Response) -> list[Offer]:
    """The media types of a response, in the document's order."""
    return [
        Offer(media_type, concrete(media_range, (OCTETS,) if _is_file(media_type) else ()))
        for media_range, media_type in response.content.items()
    ]


def _is_file(media_type: model.MediaType) -> bool:
    return media_type.schema is not None and is_binary(media_type.schema)


def negotiate(accept: str, offered: Sequence[Offer], status: int) -> Offer | None:
    """Choose the offer that an Accept header prefers; of equals, the document's first one.

    Returns None if the client accepts none of them. An error is sent anyway: in a media type with the same syntax as an
    accepted one, else in the document's first one.
    """
    weights = _weights(accept)
    if not weights:
        return offered[0]

    def weight(offer: Offer) -> float:
        found = match(offer.content_type, weights)
        return weights[found] if found is not None else 0.0

    best = max(offered, key=weight)
    if weight(best) > 0:
        return best
    if status < HTTPStatus.BAD_REQUEST:
        return None
    # RFC 9110, 15.5.7: a server may ignore Accept; an error needs a body to explain it.
    subtypes = {parse(media_range).subtype for media_range in weights}
    alike = (offer for offer in offered if essence(offer.content_type).rpartition("+")[2] in subtypes)
    return next(alike, offered[0])


def _weights(accept: str) -> dict[str, float]:
    # RFC 9110, 12.5.1: each range has a weight q, by default 1. Malformed ranges are ignored.
    weights: dict[str, float] = {}
    for member in accept.split(","):
        media_range, _, weight = member.strip().partition(";q=")
        try:
            parse(media_range)
            weights[media_range.strip()] = float(weight.partition(";")[0] or 1)
        except ValueError:
            continue
    return weights


def content_value(media_type: model.MediaType, preference: Preference = NO_PREFERENCE, *, status: int = 0) -> Any:
    """The value of a response's body: the document's example, else one generated from the schema.

    ``preference`` may name an example, or request a generated value. ``status`` is the response's status code.
    """
    key = (id(media_type), preference)
    found = _values.get(key)
    if found is None or found[0] is not media_type:
        if len(_values) >= _MOST_VALUES:
            _values.clear()
        found = _values[key] = (media_type, _value(media_type, preference, status))
    value = copy.deepcopy(found[1])
    if status >= HTTPStatus.BAD_REQUEST and isinstance(value, dict) and isinstance(value.get("status"), int):
        # RFC 9457, 3.1.2: the member `status` is the status code of this response.
        changed = {**value, "status": status}
        return changed if Offer(media_type, "").is_valid(changed) else value
    return value


# Generated values by the identity of their media type, which is stored with them to keep the identity valid.
_values: dict[tuple[int, Preference], tuple[model.MediaType, Any]] = {}
_MOST_VALUES = 1000


def _value(media_type: model.MediaType, preference: Preference, status: int) -> Any:
    if preference.example is not None or not preference.dynamic:
        examples = tuple(map(partial(_read_example, media_type), _usable_examples(media_type)))
        named = [entry for entry in examples if entry.name == preference.example]
        shown = media_type._replace(examples=(*named, *examples))
        value = documented_example(shown, "response")
        if examples and (value is MISSING or value != shown.examples[0].value):
            _warn_of_invalid_example(shown, status)
        if value is not MISSING:
            return value
    generated = media_type._replace(examples=())
    return media_example(generated, "response", preference.seed, shown=not preference.dynamic, fake=preference.fake)


def _usable_examples(media_type: model.MediaType) -> list[model.Example]:
    return [entry for entry in media_type.examples if entry.has_value or entry.serialized is not None]


def _read_example(media_type: model.MediaType, entry: model.Example) -> model.Example:
    """An example, parsed from its text if the document has only the text."""
    if entry.has_value or entry.serialized is None:
        return entry
    value, content_type = entry.serialized, concrete(media_type.media_range)
    with suppress(DynclientError):
        value = codecs.find(content_type).decode(value.encode("utf-8"), media_type, content_type, Limits())
    return entry._replace(value=value, has_value=True)


def _warn_of_invalid_example(media_type: model.MediaType, status: int) -> None:
    """Log that the document's first example is invalid by its own schema."""
    faults = _faults(media_type, media_type.examples[0].value)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        log.warning(
            "the document's example for %s at #%s is invalid, so the mock sends a valid value instead: %s%s",
            status or "a response",
            media_type.pointer,
            faults[0],
            more,
        )


DETAIL_HEADER = "Dynclient-Detail"
_LONGEST_DETAIL = 1000

PROBLEM = Offer(model.MediaType("application/problem+json"), "application/problem+json")

# The members of an error's body that commonly have the message, best first.
MESSAGE_NAMES = ("detail", "description", "message", "error_description", "error", "reason", "title", "msg", "text")


def error_response(error: HTTPError, operation: model.Operation | None = None, accept: str = "") -> Response:
    """Write an error in the documented form, in a media type of the Accept header; else as problem details."""
    headers: Iterable[tuple[str, str]] = error.headers.items()
    if operation is not None:
        # An invalid request is 400, or 422 if the operation documents only that.
        only_422 = "400" not in operation.responses and "422" in operation.responses
        status = 422 if error.status == HTTPStatus.BAD_REQUEST and only_422 else error.status
        documented = match_status(operation, status)
        offered = offers(documented) if documented is not None else []
        if offered:
            offer = negotiate(accept, offered, status) or offered[0]
            # The documentation of this status may be broken itself.
            with suppress(DynclientError):
                detail = error.message[:_LONGEST_DETAIL].encode("ascii", "backslashreplace").decode("ascii")
                headers = [*headers, (DETAIL_HEADER, one_line(detail))]
                return offer.response(status, headers, _with_message(offer, status, error.message))
        elif documented is not None:
            return Response(status, Headers(headers), b"")
    value: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
    }
    if error.faults:
        value["errors"] = [
            {"path": fault.path, "message": fault.message, **({"place": str(fault.location)} if fault.location else {})}
            for fault in error.faults
        ]
    return PROBLEM.response(error.status, headers, value)


def _with_message(offer: Offer, status: int, message: str) -> Any:
    """The documented value, with the message at the best path that keeps it valid."""
    value = content_value(offer.media_type, status=status)
    paths = _message_paths(value, offer.media_type.schema)
    if _usable_examples(offer.media_type):
        paths = [path for path in paths if isinstance(value, dict) and len(path) == 1 and path[0] not in value]
    changed = (_put(value, path, message) for path in paths)
    return next(filter(offer.is_valid, changed), value)


def _message_paths(value: Any, schema: model.Schema | None) -> list[tuple[str | int, ...]]:
    """The possible paths of a message, best first; documented ones may be missing in the value."""
    if isinstance(value, str):
        return [()]
    named = [path for path in _text_paths(value, ()) if path[-1] in MESSAGE_NAMES]
    if isinstance(value, dict) and schema is not None:
        properties = shape(schema).properties
        named += [(name,) for name in MESSAGE_NAMES if name in properties and name not in value]
    return sorted(named, key=lambda path: (len(path), MESSAGE_NAMES.index(str(path[-1]))))


def _text_paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        if isinstance(member, str):
            yield (*path, key)
        else:
            yield from _text_paths(member, (*path, key))


def _put(value: Any, path: Sequence[str | int], text: str) -> Any:
    if not path:
        return text
    changed = inner = copy.deepcopy(value)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = text
    return changed


# In addition to those of the connection.
SERVER_HEADERS = CONNECTION_FIELDS | {"content-type", "content-encoding", "date", "server"}


class Draft(Record):
    """A response before it is encoded.

    ``offer`` is None if it has no body; ``headers`` has values, by lower-case name, for documented headers; an empty
    one leaves its header out.
    """

    status: int
    response: model.Response
    offer: Offer | None = None
    value: Any = None
    headers: Mapping[str, str] = {}

    def is_valid(self, value: Any) -> bool:
        """Whether the response may have this value as its body."""
        return self.offer is None or self.offer.is_valid(value)


def choose(operation: model.Operation, accept: str, preference: Preference, body: Any = None) -> Draft:
    """Choose status, media type and value; ``body`` is that of the request.

    Raises:
        HTTPError: 406 if the client accepts none of the media types; 404 if the document has no such status or example.
    """
    code = preference.code
    if preference.example is not None and code is None:
        code = _status_of_example(operation, preference.example)
    draft = choose_content(operation, accept, code, body)
    if draft.offer is None:
        return draft
    media_type = draft.offer.media_type
    names = {entry.name for entry in _usable_examples(media_type)}
    if preference.example is not None and preference.example not in names:
        raise HTTPError(404, f"{operation.id} documents no example {preference.example[:80]!r} for {draft.status}")
    return draft._replace(value=content_value(media_type, preference, status=draft.status))


def _status_of_example(operation: model.Operation, name: str) -> str | None:
    """The status whose response has the named example, if any; the default one is tried first."""
    for status, response in [_documented_response(operation, None), *operation.responses.items()]:
        contents = response.content.values()
        if any(entry.name == name for media_type in contents for entry in _usable_examples(media_type)):
            # A range or "default" applies to statuses without their own response.
            likely = [str(status).replace("X", "0"), *map(str, range(500, 600)), *map(str, range(200, 500))]
            return next(
                (code for code in likely if code.isdecimal() and match_status(operation, int(code)) is response), None
            )
    return None


def choose_content(operation: model.Operation, accept: str, code: str | None, body: Any = None) -> Draft:
    """Choose status and media type; ``code`` is a status, None for the lowest documented 2xx.

    A body that requests a stream, as in several vendors' APIs, gets one for any Accept header.

    Raises:
        HTTPError: 406 if the client accepts none of the media types; 404 if the status is not documented.
    """
    status, response = _documented_response(operation, code)
    if response.fault is not None:
        raise copy.copy(response.fault)
    offered = offers(response)
    if not offered or status in BODILESS:
        return Draft(status, response)
    offer = negotiate(accept, offered, status)
    asked = _asks_for_stream(body)
    alike = [one for one in offered if find(one.content_type).sequential is asked]
    if asked and alike:
        offer = negotiate(accept, alike, status) or alike[0]
    elif asked is False and alike:
        offer = negotiate(accept, alike, status) or offer
    if offer is None:
        raise HTTPError(406, f"the response may be {', '.join(one.content_type for one in offered)}")
    if find(offer.content_type).codec == "events" and _ends_with_done(operation, offer.media_type):
        offer = offer._replace(end=f"data: {DONE}\n\n".encode("ascii"))
    return Draft(status, response, offer)


# Properties of a request's body that request a stream, and their value for it.
STREAMING: Mapping[str, Any] = {"stream": True, "stream_format": "sse"}


def _asks_for_stream(body: Any) -> bool | None:
    """Whether a request's body requests a stream; None if it does not say."""
    said = [body[name] == value for name, value in STREAMING.items() if name in body] if isinstance(body, dict) else []
    return any(said) if said else None


def _ends_with_done(operation: model.Operation, media_type: model.MediaType) -> bool:
    """Whether ``[DONE]`` ends the stream, by the document's descriptions and examples."""
    if not event_form(media_type).ends:
        return False
    key = (operation.id, media_type.pointer)
    item = media_type.item_schema or media_type.schema
    known = cache(item.references, "done") if item is not None else {}
    if key not in known:
        bodies = operation.body.content.values() if operation.body is not None else ()
        schemas = [one.schema for one in bodies if one.schema is not None]
        texts: list[Any] = [operation.description, operation.extensions]
        texts += [response.description for response in operation.responses.values()]
        texts += [each for entry in media_type.examples for each in (entry.value, entry.serialized, entry.description)]
        known[key] = says_done(texts, [*schemas, *([item] if item is not None else [])])
    return bool(known[key])


def _documented_response(operation: model.Operation, code: str | None) -> tuple[int, model.Response]:
    if code is not None:
        found = match_status(operation, int(code))
        if found is None:
            raise HTTPError(404, f"{operation.id} documents no {code}")
        return int(code), found
    responses = operation.responses
    for status in [*sorted(status for status in responses if status[:1] == "2"), "default", *sorted(responses)]:
        if status in responses:
            # A range such as 2XX becomes its first status, and "default" 200.
            concrete_status = "200" if status == "default" else status.replace("X", "0")
            return int(concrete_status), responses[status]
    return 200, model.Response("200")


def encode(draft: Draft, preference: Preference = NO_PREFERENCE) -> Response:
    """Make the response.

    Raises:
        HTTPError: 500 if the document's value can't be written in the media type.
    """
    headers = list(_headers(draft, preference))
    if draft.offer is None:
        return Response(draft.status, Headers(headers), b"")
    try:
        return draft.offer.response(draft.status, headers, draft.value)
    except EncodeError as error:
        message = f"the response can't be written as {draft.offer.content_type}: {error.message}"
        raise HTTPError(500, message) from error


def _headers(draft: Draft, preference: Preference) -> Iterator[tuple[str, str]]:
    for name, header in draft.response.headers.items():
        if name.lower() in SERVER_HEADERS:
            continue
        known = draft.headers.get(name.lower())
        if known == "" and not header.required:
            continue
        try:
            yield name, known or _header(header, preference)
        except DynclientError:
            if header.required:
                raise


def _header(header: model.Header, preference: Preference) -> str:
    if header.media_type is not None:
        media_type = header.media_type
        written = Offer(media_type, media_type.media_range).response(200, (), content_value(media_type, preference))
        return str(written.body, "utf-8")
    values = [] if preference.dynamic else [entry.value for entry in header.examples if entry.has_value]
    if not values:
        shown = not preference.dynamic
        values = ["" if header.schema is None else example(header.schema, "response", preference.seed, shown=shown)]
    return serialize(plain_value(values[0]), name=header.name, in_="header", style="simple", explode=header.explode)
