"""What goes over the wire, for an operation's page: bodies as our own encoder writes them, and a command line of curl.

Rule 1: a request is made by the operation itself, with the credentials left open; it is not put together here.
Rule 2: what an example can't be written as is not shown.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from dynclient import DynclientError, Request, codecs
from dynclient.examples import media_example, unrevealing
from dynclient.inspection import text
from dynclient.media_types import essence
from dynclient.model import MediaType
from dynclient_tools.views import OperationPage

_LANGUAGES = {"json": "json", "xml": "xml"}
_LONGEST = 4000
_BOUNDARY = "example"  # Pages are the same each time.


class Sent(NamedTuple):
    """A body as it is written in a media type; ``language`` is what it is written in."""

    content_type: str
    body: str
    language: str


class Received(NamedTuple):
    """The body of a response, and the status that it comes with."""

    status: str
    sent: Sent


def prepared(page: OperationPage, media_range: str | None = None) -> Request | None:
    """The request of a call with examples for its arguments, in one of the body's media types."""
    options: dict[str, Any] = {} if "://" in page.base_url else {"base_url": "https://example.com"}
    try:
        arguments = page.method.example()
        if media_range is not None:
            boundary = f"; boundary={_BOUNDARY}" if media_range.startswith("multipart/") else ""
            options["content_type"] = f"{media_range}{boundary}"
            media_type = page.method.operation.body.content[media_range]
            value = unrevealing(media_type.schema, media_example(media_type))
            arguments.update(dict.fromkeys(page.body_name, value))
        request: Request = page.method.with_options(**options).prepare(**arguments)
    except DynclientError:
        return None
    return request


def curl(page: OperationPage) -> str:
    """The call as a command line; empty where there is none, or where it would be another one each time."""
    multipart = next((known for known in page.view.content_types[:1] if known.startswith("multipart/")), None)
    made = [prepared(page, multipart) for _ in range(2)]
    commands = {request.to_curl() if request is not None else "" for request in made}
    command = commands.pop()
    return command if not commands and len(command) <= _LONGEST else ""


def bodies(page: OperationPage) -> list[Sent]:
    """An example of the body in each of its media types."""
    requests = ((known, prepared(page, known)) for known in page.view.content_types if "*" not in known)
    found = (
        _written(request.headers.get("content-type", known), request.body)
        for known, request in requests
        if request is not None
    )
    return [sent for sent in found if sent is not None]


def answers(page: OperationPage) -> list[Received]:
    """An example of each kind of body that comes back, once in each of its media types: first what a call returns."""
    found: list[Received] = []
    shown: set[tuple[str, str]] = set()
    content = page.method.operation.responses
    for response in sorted(page.view.responses, key=lambda known: known.error != ""):
        for view in response.content:
            kind = (view.hint.schema.uri if view.hint.schema is not None else text(view.hint), view.media_range)
            known = kind in shown or "*" in view.media_range
            sent = None if known else _answer(content[response.status].content[view.media_range])
            if sent is not None:
                shown.add(kind)
                found.append(Received(response.status, sent))
    return found


def _answer(media_type: MediaType) -> Sent | None:
    """What a server would send, by the document's example or else by the schema; our own encoder writes it."""
    content_type = media_type.media_range
    try:
        value = unrevealing(media_type.schema, media_example(media_type, "response"), "response")
        encoded = codecs.find(content_type).encode(value, media_type, content_type)
    except DynclientError:
        return None
    return _written(encoded.content_type, encoded.body)


def _written(content_type: str, body: Any) -> Sent | None:
    if not isinstance(body, bytes) or len(body) > _LONGEST:
        return None
    try:
        written = body.decode("utf-8").rstrip("\n")
    except UnicodeDecodeError:
        return None
    language = _language(content_type)
    return Sent(content_type, _indented(written) if language == "json" else written, language) if written else None


def _indented(written: str) -> str:
    """JSON with a line for each member; left as it is where that would write it otherwise."""
    try:
        value = json.loads(written)
    except ValueError:
        return written
    same = json.dumps(value, ensure_ascii=False, separators=(",", ":")) == written
    return json.dumps(value, ensure_ascii=False, indent=2) if same else written


def _language(content_type: str) -> str:
    subtype = essence(content_type).partition("/")[2]
    return _LANGUAGES.get(subtype.rpartition("+")[2], "text")
