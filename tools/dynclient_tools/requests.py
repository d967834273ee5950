"""What an operation sends, for its page: bodies as our own encoder writes them, and a command line of curl.

Rule 1: a request is made by the operation itself, with the credentials left open; it is not put together here.
Rule 2: what an example can't be sent as is not shown.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dynclient import DynclientError, Request
from dynclient.examples import media_example
from dynclient_tools.secrets import masked_arguments
from dynclient_tools.views import OperationPage

_LANGUAGES = {"json": "json", "xml": "xml"}
_LONGEST = 4000
_BOUNDARY = "example"  # Pages are the same each time.


class Sent(NamedTuple):
    """A body as it is sent in a media type; ``language`` is what it is written in."""

    content_type: str
    body: str
    language: str


def prepared(page: OperationPage, media_range: str | None = None) -> Request | None:
    """The request of a call with examples for its arguments, in one of the body's media types."""
    options: dict[str, Any] = {} if "://" in page.base_url else {"base_url": "https://example.com"}
    try:
        arguments = page.method.example()
        if media_range is not None:
            boundary = f"; boundary={_BOUNDARY}" if media_range.startswith("multipart/") else ""
            options["content_type"] = f"{media_range}{boundary}"
            media_type = page.method.operation.body.content[media_range]
            arguments.update(dict.fromkeys(page.body_name, media_example(media_type)))
        shown = masked_arguments(page.method.operation, arguments)
        if shown != arguments:
            # What stands for a secret need not be valid.
            arguments, options = shown, {**options, "validate": "off"}
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
    found = []
    for media_range in page.view.content_types:
        request = prepared(page, media_range) if "*" not in media_range else None
        if request is not None and isinstance(request.body, bytes) and len(request.body) <= _LONGEST:
            content_type = request.headers.get("content-type", media_range)
            text = _text(request.body)
            if text:
                found.append(Sent(content_type, text, _language(content_type)))
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8").rstrip("\n")
    except UnicodeDecodeError:
        return ""


def _language(content_type: str) -> str:
    subtype = content_type.partition(";")[0].strip().lower().partition("/")[2]
    return _LANGUAGES.get(subtype.rpartition("+")[2], "text")
