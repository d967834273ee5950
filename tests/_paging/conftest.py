"""A server on loopback with many kinds of pagination, correct and false ones, and a client of each kind.

``/ways/NAME`` pages as its function says, ``/lies/NAME`` lies about the next page.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

import dynclient

ITEMS = [{"id": f"item{number:02}"} for number in range(25)]
JSON = {"Content-Type": "application/json"}
Answer = tuple[int, dict[str, str], Any]


def _cut(start: int, size: int = 10) -> tuple[list[Any], int | None]:
    """Items from a position on, and the position of those after them, or None."""
    return ITEMS[start : start + size], start + size if start + size < len(ITEMS) else None


def _link(query: dict[str, str], **_: Any) -> Answer:
    page = int(query.get("page", 1))
    items, more = _cut((page - 1) * 10)
    links = {"Link": f'</ways/link?page={page + 1}>; rel="next", </ways/link?page=3>; rel="last"'} if more else {}
    return 200, links, items


def _header(headers: Any, **_: Any) -> Answer:
    items, more = _cut(int(headers.get("Continuation-Token") or 0))
    return 200, {"Continuation-Token": str(more)} if more else {}, items


def _named(query: dict[str, str], **_: Any) -> Answer:
    items, more = _cut(int(query.get("page_token", "t0")[1:]))
    return 200, {}, {"issues": items, "next_page_token": f"t{more}" if more else ""}


def _around(query: dict[str, str], **_: Any) -> Answer:
    items, more = _cut(int(query.get("cursor", "t0")[1:]))
    return 200, {}, {"data": items, "meta": {"pagination": {"next_cursor": f"t{more}" if more else None}}}


def _url(query: dict[str, str], url: str, **_: Any) -> Answer:
    items, more = _cut(int(query.get("from", 0)))
    return 200, {}, {"results": items, "next": f"{url}/ways/url?from={more}&key=echoed" if more else None}


def _path(query: dict[str, str], **_: Any) -> Answer:
    items, more = _cut(int(query.get("Page", 0)) * 10)
    following = f"/ways/path?Page={int(query.get('Page', 0)) + 1}&PageSize=10"
    return 200, {}, {"calls": items, "next_page_uri": following if more else None}


def _last_id(query: dict[str, str], **_: Any) -> Answer:
    after = query.get("starting_after")
    items, more = _cut(1 + [item["id"] for item in ITEMS].index(after) if after else 0)
    return 200, {}, {"object": "list", "data": items, "has_more": more is not None}


def _page(query: dict[str, str], **_: Any) -> Answer:
    size = int(query.get("per_page", 10))
    return 200, {}, _cut((int(query.get("page", 1)) - 1) * size, size)[0]


def _offset(query: dict[str, str], **_: Any) -> Answer:
    size = int(query.get("limit", 10))
    return 200, {}, {"total": len(ITEMS), "items": _cut(int(query.get("offset", 0)), size)[0]}


def _body(body: Any, **_: Any) -> Answer:
    items, more = _cut(int((body or {}).get("cursor", "t0")[1:]))
    return 200, {}, {"results": items, "next_cursor": f"t{more}" if more else None, "has_more": more is not None}


def _markers(query: dict[str, str], **_: Any) -> Answer:
    start = int(query.get("key-marker", 0))
    if start and query.get("upload-id-marker") != f"u{start}":
        return 400, {}, {"message": "both markers are needed"}
    items, more = _cut(start)
    markers = {"NextKeyMarker": str(more), "NextUploadIdMarker": f"u{more}"} if more else {}
    return 200, {}, {"IsTruncated": more is not None, "Uploads": items, **markers}


def _declared(query: dict[str, str], **_: Any) -> Answer:
    items, more = _cut(int(query.get("wo", 0)))
    return 200, {}, {"dinge": items, "andere": [1], "weiter": more}


def _zero_based(query: dict[str, str], **_: Any) -> Answer:
    page = int(query.get("page", 0))
    return 200, {}, {"content": _cut(page * 10)[0], "number": page, "totalPages": 3}


def _one_based(query: dict[str, str], **_: Any) -> Answer:
    start = int(query.get("startIndex", 1))
    return 200, {}, {"Resources": _cut(start - 1)[0], "startIndex": start, "totalResults": len(ITEMS)}


def _records(query: dict[str, str], **_: Any) -> Answer:
    items, more = _cut(int(query.get("from", 0)))
    following = {"nextRecordsUrl": f"/ways/records?from={more}"} if more else {}
    return 200, {}, {"totalSize": len(ITEMS), "done": more is None, "records": items, **following}


def _relations(query: dict[str, str], url: str, **_: Any) -> Answer:
    items, more = _cut(int(query.get("from", 0)))
    following = [{"relation": "next", "url": f"{url}/ways/relations?from={more}"}] if more else []
    return 200, {}, {"entry": items, "link": [{"relation": "self", "url": url}, *following]}


_scrolled = [0]


def _scroll(body: Any, **_: Any) -> Answer:
    """One name from the first page to the empty one; the server remembers where it is."""
    start = _scrolled[0] = _scrolled[0] + 10 if (body or {}).get("scroll_id") else 0
    return 200, {}, {"_scroll_id": "c2Nyb2xs", "hits": {"hits": _cut(start)[0]}}


WAYS: dict[str, Callable[..., Answer]] = {
    "zero_based": _zero_based,
    "one_based": _one_based,
    "records": _records,
    "relations": _relations,
    "scroll": _scroll,
    "link": _link,
    "header": _header,
    "named": _named,
    "around": _around,
    "url": _url,
    "path": _path,
    "last_id": _last_id,
    "page": _page,
    "offset": _offset,
    "body": _body,
    "markers": _markers,
    "declared": _declared,
}


def _said(token: Any, items: Any = ITEMS[:2], **headers: str) -> Answer:
    return 200, headers, {"data": items, "next_cursor": token}


def _third(status: int) -> Callable[..., Answer]:
    def answer(token: int, **_: Any) -> Answer:
        return (status, {}, {"message": "no"}) if token == 2 else _said(str(token + 1), [{"id": token}])

    return answer


def _numbered(page: int, **members: Any) -> Answer:
    return 200, {}, {"data": [] if page in {2, 3} else ITEMS[page : page + 1], **members}


def _moved(path: str, token: int) -> Answer:
    if path == "/lies/moved":
        return 302, {"Location": "/lies/moved/there"}, {}
    return (
        200,
        {},
        {"data": ITEMS[token : token + 1], "next_cursor": f"there?cursor={token + 1}" if token < 2 else None},
    )


LIES: dict[str, Callable[..., Answer]] = {
    "repeats": lambda **_: _said("same"),
    "cycle": lambda token, **_: _said("A" if token % 2 else "B"),
    "other_origin": lambda **_: _said(None, Link='<http://other.test/items>; rel="next"'),
    "other_scheme": lambda url, **_: _said(url.replace("http:", "https:") + "/lies/other_scheme"),
    "script": lambda **_: _said(None, Link='<javascript:alert(1)>; rel="next"'),
    "user_info": lambda url, **_: _said(url.replace("//", "//user:secret@") + "/lies/user_info"),
    "empty_with_token": lambda token, **_: _said(str(token + 1) if token < 3 else None, [] if token < 3 else ITEMS),
    "number": lambda token, **_: _said(token + 1 if token < 2 else None),
    "conflict": _third(409),
    "broken": _third(500),
    "shrinking": lambda token, **_: _said(str(token + 1) if token < 3 else None, ITEMS[: 3 - token]),
    "long": lambda **_: _said("x" * 65536),
    "itself": lambda path, **_: _said(None, Link=f'<{path}>; rel="next"'),
    "endless": lambda token, **_: _said(str(token + 1), [{"id": token}]),
    "object": lambda **_: _said({"a": 1}),
    "no_list": lambda **_: _said(None, {"id": "x"}),
    "text": lambda **_: (200, {}, "no object"),
    "holes": lambda query, **_: _numbered(int(query.get("page", 1)), last=5),
    "more": lambda query, **_: _numbered(int(query.get("page", 1)), more=int(query.get("page", 1)) < 5),
    "no_items": lambda **_: (200, {}, {"data": [], "more": True}),
    "empty": lambda token, **_: _said(str(token + 1), []),
    "moved": lambda path, token, **_: _moved(path, token),
    "results": lambda token, **_: _said(
        None, Link=f'</lies/results?cursor={token + 1}>; rel="next"; results="{"true" if token < 2 else "false"}"'
    ),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        """Keep silent."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers), raw))
        kind, name = parts.path.split("/")[1:3]
        token = query.get("cursor", "0")
        status, headers, data = {"ways": WAYS, "lies": LIES}[kind][name](
            query=query,
            headers=self.headers,
            body=json.loads(raw) if raw else None,
            path=self.path,
            url=self.server.url,
            token=int(token) if token.isdigit() else int(token == "B"),
        )
        body = json.dumps(data).encode()
        self.send_response(status)
        for header, value in {**JSON, **headers, "Content-Length": str(len(body))}.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_POST = _answer  # noqa: N815  # the standard library's names


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.daemon_threads = True
    made.seen = []
    made.url = f"http://127.0.0.1:{made.server_port}"
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def _query(**schemas: Any) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": {"type": kind}} for name, kind in schemas.items()]


_LIST = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}}


def _object(**members: Any) -> dict[str, Any]:
    kinds = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in members.items()}
    return {"type": "object", "properties": kinds}


_NULLABLE = {"type": ["string", "null"]}
OPERATIONS: dict[str, dict[str, Any]] = {
    "link": {
        "parameters": _query(page="integer"),
        "schema": _LIST,
        "headers": {"Link": {"schema": {"type": "string"}}},
    },
    "header": {
        "parameters": [{"name": "Continuation-Token", "in": "header", "schema": {"type": "string"}}],
        "schema": _LIST,
        "headers": {"Continuation-Token": {"schema": {"type": "string"}}},
    },
    "named": {"parameters": _query(page_token="string"), "schema": _object(issues=_LIST, next_page_token="string")},
    "around": {
        "parameters": _query(cursor="string"),
        "schema": _object(data=_LIST, meta=_object(pagination=_object(next_cursor=_NULLABLE))),
    },
    "url": {
        "parameters": _query(limit="integer"),
        "schema": _object(results=_LIST, next={**_NULLABLE, "format": "uri"}),
        "security": [{"Key": []}],
    },
    "path": {"parameters": _query(PageSize="integer"), "schema": _object(calls=_LIST, next_page_uri=_NULLABLE)},
    "last_id": {
        "parameters": _query(starting_after="string", limit="integer"),
        "schema": _object(object="string", data=_LIST, has_more="boolean"),
    },
    "page": {
        "parameters": [
            *_query(page="integer"),
            {"name": "per_page", "in": "query", "schema": {"type": "integer", "maximum": 20}},
        ],
        "schema": _LIST,
    },
    "offset": {
        "parameters": _query(offset="integer", limit="integer"),
        "schema": _object(total="integer", items=_LIST),
    },
    "body": {
        "method": "post",
        "requestBody": {"content": {"application/json": {"schema": _object(cursor="string", filter="string")}}},
        "schema": _object(results=_LIST, next_cursor=_NULLABLE, has_more="boolean"),
    },
    "markers": {
        "parameters": _query(**{"key-marker": "string", "upload-id-marker": "string"}),
        "schema": _object(IsTruncated="boolean", Uploads=_LIST, NextKeyMarker="string", NextUploadIdMarker="string"),
    },
    "zero_based": {
        "parameters": _query(page="integer"),
        "schema": _object(content=_LIST, number="integer", totalPages="integer"),
    },
    "one_based": {
        "parameters": _query(startIndex="integer", count="integer"),
        "schema": _object(Resources=_LIST, startIndex="integer", totalResults="integer"),
    },
    "records": {
        "parameters": _query(q="string"),
        "schema": _object(records=_LIST, totalSize="integer", done="boolean", nextRecordsUrl="string"),
    },
    "relations": {
        "parameters": _query(_count="integer"),
        "schema": _object(entry=_LIST, link={"type": "array", "items": _object(relation="string", url="string")}),
    },
    "scroll": {
        "method": "post",
        "requestBody": {"content": {"application/json": {"schema": _object(scroll_id="string")}}},
        "schema": _object(_scroll_id="string", hits=_object(hits=_LIST)),
    },
    "declared": {
        "parameters": _query(wo="integer"),
        "schema": _object(dinge=_LIST, andere={"type": "array"}, weiter={"type": ["integer", "null"]}),
        "x-pagination": {"items": "$.dinge", "next": "query wo <- $.weiter"},
    },
}
_LYING = {
    "parameters": _query(cursor="string"),
    "schema": {"type": "object", "properties": {"data": {}, "next_cursor": {}}},
}


def _operation(name: str, kind: str, described: dict[str, Any]) -> dict[str, Any]:
    members = dict(described)
    method, schema, headers = members.pop("method", "get"), members.pop("schema"), members.pop("headers", {})
    content = {"application/json": {"schema": schema}}
    responses = {"200": {"description": "", "headers": headers, "content": content}}
    return {method: {"operationId": f"{kind}_{name}", "responses": responses, **members}}


def document(url: str) -> dict[str, Any]:
    paths = {f"/ways/{name}": _operation(name, "ways", described) for name, described in OPERATIONS.items()}
    paths |= {
        f"/lies/{name}": _operation(name, "lies", {**_LYING, "x-pagination": {"items": "$.data"}}) for name in LIES
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lists", "version": "1"},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {"securitySchemes": {"Key": {"type": "apiKey", "in": "query", "name": "key"}}},
    }


class Caller:
    """Runs the same iterations on a Client, and on an AsyncClient with asyncio or trio."""

    def __init__(self, backend: str, source: Any, **options: Any) -> None:
        self.backend, self.source, self.options = backend, source, options

    def run(
        self, name: str, *, what: str = "items", option: dict[str, Any] | None = None, **arguments: Any
    ) -> tuple[list[Any], Any]:
        """What an operation's ``paginate`` gives, and the error that ends it, or None."""
        if self.backend == "sync":
            with dynclient.Client.load(self.source, **self.options, **(option or {})) as client:
                changes = arguments.pop("with_options", {})
                return self._collected(client.operations[name].with_options(**changes), what, arguments)
        return anyio.run(self._awaited, name, what, arguments, option or {}, backend=self.backend)

    def _collected(self, operation: Any, what: str, arguments: dict[str, Any]) -> tuple[list[Any], Any]:
        found: list[Any] = []
        pages = operation.paginate(**arguments)
        try:
            for one in pages if what == "items" else pages.pages():
                found.append(one)  # noqa: PERF402  # what came before an error stays
        except dynclient.DynclientError as error:
            return found, error
        return found, None

    async def _awaited(self, name: str, what: str, arguments: dict[str, Any], option: Any) -> tuple[list[Any], Any]:
        async with dynclient.AsyncClient.load(self.source, **self.options, **option) as client:
            found: list[Any] = []
            changes = arguments.pop("with_options", {})
            pages = client.operations[name].with_options(**changes).paginate(**arguments)
            try:
                async for one in pages if what == "items" else pages.pages():
                    found.append(one)  # noqa: PERF401  # likewise
            except dynclient.DynclientError as error:
                return found, error
            return found, None


@pytest.fixture(params=["sync", "asyncio", "trio"])
def caller(request: pytest.FixtureRequest, server: Any) -> Caller:
    server.seen.clear()
    return Caller(request.param, document(server.url), auth={"Key": "secret-key"}, retry=None)
