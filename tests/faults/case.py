"""A case of the table, as data.

``row`` is its row in SECURITY.md. Each case makes a call through the public API, with secrets that must not be found
anywhere afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dynclient import exceptions
from dynclient.options import Retry, Timeout

HEADER_KEY, QUERY_KEY, COOKIE_KEY = "canary-header-4711", "canary-query-4712", "canary-cookie-4713"
USER, PASSWORD = "user", "canary-password-4714"
AUTH = {"Header": HEADER_KEY, "Query": QUERY_KEY, "Cookie": COOKIE_KEY, "Basic": (USER, PASSWORD)}

QUICK = Timeout(connect=2, read=2, write=2, total=10, pool=2)
SHORT = Timeout(connect=2, read=0.2, write=0.2, total=10, pool=2)
LATE = Timeout(connect=2, read=2, write=2, total=0.3, pool=2)
AGAIN = Retry(base=0.001, throttle_base=0.001)

LOST, BROKEN, DECODE = exceptions.ConnectionLost, exceptions.ProtocolError, exceptions.DecodeError
TOO_LARGE, TIMED_OUT = exceptions.ResponseTooLarge, exceptions.TimeoutError


class Place(NamedTuple):
    """The surroundings of a case: the URLs of two servers, and an empty folder."""

    url: str
    other: str
    folder: Path


Source = Callable[[Place], Any]


def things(place: Place, **more: Any) -> dict[str, Any]:
    """The document of most cases."""
    return document(place.url, **more)


class Case(NamedTuple):
    """One case. ``expect`` is the value that the call returns, or the exact class of the exception that it raises.

    ``scripts`` are those of the first server, ``others`` those of the second one; ``attempts`` and ``elsewhere`` count
    their requests. ``data`` has attributes of the error, ``text`` is a part of its text. ``seconds`` limits the time
    of the call, ``memory`` the memory that it adds to a process of its own, in MiB.
    """

    row: str
    name: str
    expect: Any
    scripts: tuple[tuple[Any, ...], ...] = ()
    call: tuple[str, Mapping[str, Any]] | None = ("get_thing", {})
    attempts: int = 1
    text: str = ""
    data: Mapping[str, Any] = {}
    options: Mapping[str, Any] = {}
    others: tuple[tuple[Any, ...], ...] = ()
    elsewhere: int = 0
    source: Source = things
    seconds: float = 4.0
    memory: int | None = None
    sent: tuple[bytes, ...] = ()
    unsent: tuple[bytes, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.row}-{self.name}"


def ok(body: bytes = b'{"id": 1}', *lines: bytes, content_type: bytes = b"application/json") -> bytes:
    return answer(200, body, b"Content-Type: " + content_type, *lines)


def answer(status: int, body: bytes = b"", *lines: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return head(status, b"Content-Length: %d" % size, *lines) + body


def head(status: int, *lines: bytes) -> bytes:
    # Each script is for one connection; without this a client might use it again in the moment in which it closes.
    return b"\r\n".join([b"HTTP/1.1 %d Status" % status, b"Connection: close", *lines, b"", b""])


PARAMETERS = [
    {"name": "q", "in": "query", "schema": {"type": "string"}},
    {"name": "X-Note", "in": "header", "schema": {"type": "string"}},
    {"name": "crumb", "in": "cookie", "schema": {"type": "string"}},
]
JSON_BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
SCHEMES = {
    "Header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "Cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "Basic": {"type": "http", "scheme": "basic"},
}
THING = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "secret": {"type": "string", "format": "password"}},
    "required": ["id"],
}


def document(url: str, **more: Any) -> dict[str, Any]:
    """An API with an operation for each kind of body."""
    problem = {"description": "Wrong", "content": {"application/json": {}, "application/problem+json": {}}}

    def operation(name: str, media_type: str | None, schema: Any = None, **rest: Any) -> dict[str, Any]:
        described: dict[str, Any] = {"description": "Good"}
        if media_type is not None:
            described["content"] = {media_type: {"schema": schema} if schema is not None else {}}
        return {"operationId": name, "responses": {"200": described, "4XX": problem, "5XX": problem}, **rest}

    post = operation("postThing", "application/json", THING, requestBody=JSON_BODY)
    created = {"201": {"description": "Made"}, "4XX": problem}
    upload = {"required": True, "content": {"application/octet-stream": {}}}
    file_name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": url}],
        "security": [{name: [] for name in SCHEMES}],
        "paths": {
            "/thing": {
                "get": operation("getThing", "application/json", THING, parameters=PARAMETERS),
                "post": post,
                "put": operation("putThing", "application/json", THING, requestBody=JSON_BODY),
                "patch": operation("patchThing", "application/json", THING, requestBody=JSON_BODY),
                "delete": {"operationId": "deleteThing", "responses": {"204": {"description": "Gone"}, "5XX": problem}},
                "head": operation("headThing", None),
            },
            "/csv": {"get": operation("getCsv", "text/csv")},
            "/any": {"get": operation("getAny", "application/json", {})},
            "/xml": {"get": operation("getXml", "application/xml")},
            "/bytes": {"get": operation("getBytes", "application/octet-stream")},
            "/upload": {
                "post": {**operation("upload", None, requestBody=upload), "responses": {**created, "4XX": problem}}
            },
            "/open": {"get": operation("getOpen", "application/json", {}, security=[])},
            "/files/{name}": {"get": operation("getFile", "application/json", {}, parameters=[file_name])},
        },
        "components": {"securitySchemes": SCHEMES},
        **more,
    }
