"""The list of operations: their order, and the fields that are known before they are read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dynclient
from dynclient.exceptions import InvalidDocument
from dynclient.model import API, Operation


def load(source: Any, **options: Any) -> API:
    """Load a document as far as the list of its operations, by way of a client."""
    return dynclient.load(source, **options).api


METHODS = "get put post delete options head patch trace query"
ITEM = {method: {} for method in METHODS.split()} | {
    "GET": {}, "x-post": {}, "parameters": [], "additionalOperations": {"LINK": {}, "copy": {}, "POST": {}}
}  # fmt: skip

KEYS = {
    "2.0": "GET PUT POST DELETE OPTIONS HEAD PATCH",
    "3.0.0": "GET PUT POST DELETE OPTIONS HEAD PATCH TRACE",
    "3.1.0": "GET PUT POST DELETE OPTIONS HEAD PATCH TRACE",
    "3.2.0": "GET PUT POST DELETE OPTIONS HEAD PATCH TRACE QUERY LINK copy",
}


@pytest.mark.parametrize(("version", "methods"), KEYS.items())
def test_methods_of_each_version(version: str, methods: str) -> None:
    key = "swagger" if version == "2.0" else "openapi"
    api = load({key: version, "info": {}, "paths": {"/x": ITEM}})
    assert [row.method for row in api.rows] == methods.split()
    assert all(api.read(row).method == row.method for row in api.rows)


def test_rows_are_in_the_document_s_order(api_of: Callable[..., API]) -> None:
    api = api_of("paths: {/b: {post: {}, get: {}}, x-a: {get: {}}, /a: {get: {}}}")
    assert [row.key for row in api.rows] == ["POST /b", "GET /b", "GET /a"]


def test_a_row_tells_what_names_and_lists_an_operation(api_of: Callable[..., API]) -> None:
    api = api_of(
        "paths: {'/a/{b}': {summary: ' path ', get: {operationId: ' getA ', tags: [T, 5, T], deprecated: true},"
        " put: {summary: own, tags: no, operationId: 7, deprecated: yes please}}}"
    )
    first, second = api.rows
    assert (first.operation_id, first.tags, first.summary, first.deprecated) == ("getA", ("T", "5"), "path", True)
    assert (second.operation_id, second.tags, second.summary, second.deprecated) == ("7", (), "own", False)
    assert (first.pointer, first.path_pointer) == ("/paths/~1a~1{b}/get", "/paths/~1a~1{b}")


ROOT = """
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /books:
    $ref: items/books.yaml
  /both:
    $ref: items/books.yaml
    parameters: [{name: own, in: query}]
    get: {operationId: mine}
  /op:
    get: {$ref: "items/books.yaml#/get"}
"""
BOOKS = """
parameters:
  - {$ref: "parts.yaml#/limit"}
  - {name: own, in: query, description: theirs}
get:
  operationId: theirs
  responses: {"200": {$ref: "parts.yaml#/ok"}}
post: {}
"""
PARTS = """
limit: {name: limit, in: query, schema: {$ref: "#/number"}}
number: {type: integer}
ok: {description: Fine}
"""


@pytest.fixture
def books(tmp_path: Path) -> API:
    (tmp_path / "items").mkdir()
    (tmp_path / "root.yaml").write_text(ROOT)
    (tmp_path / "items/books.yaml").write_text(BOOKS)
    (tmp_path / "items/parts.yaml").write_text(PARTS)
    return load(tmp_path / "root.yaml")


def test_path_items_may_stand_in_other_files(books: API, tmp_path: Path) -> None:
    uri = (tmp_path / "items/books.yaml").as_uri()
    keys = ["GET /books", "POST /books", "GET /both", "POST /both", "GET /op"]
    assert [row.key for row in books.rows] == keys
    assert books.rows[0].pointer == f"{uri}#/get"
    assert books.rows[0].path_pointer in {uri, f"{uri}#"}
    operation = books.read(books.rows[0])
    limit = operation.parameters[0]
    assert (limit.name, limit.pointer) == ("limit", f"{tmp_path.as_uri()}/items/parts.yaml#/limit")
    assert limit.schema is not None
    assert limit.schema.uri == f"{tmp_path.as_uri()}/items/parts.yaml#/limit/schema"
    assert operation.responses["200"].description == "Fine"


def test_what_stands_beside_a_path_item_s_reference_is_nearer(books: API) -> None:
    row = books.rows[2]
    assert (row.operation_id, row.pointer, row.path_pointer) == ("mine", "/paths/~1both/get", "/paths/~1both")
    described = {parameter.name: parameter.description for parameter in books.read(row).parameters}
    assert described == {"limit": "", "own": ""}


def test_an_operation_may_be_a_reference(books: API) -> None:
    row = books.rows[4]
    assert (row.operation_id, row.pointer) == ("theirs", books.rows[0].pointer)
    assert books.read(row).responses["200"].description == "Fine"


BAD_PATHS = [
    "x",
    "",
    "//evil/x",
    "/../admin",
    "/a/./b",
    "/a/%2e%2E/b",
    "@127.0.0.1:81/x",
    "/a\\b",
    "/a\nb",
    "http://x/",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_that_lead_elsewhere_are_refused_when_read(api_of: Callable[..., API], path: str) -> None:
    api = api_of({"paths": {path: {"get": {}}, "/good": {"get": {}}}})
    with pytest.raises(InvalidDocument, match="the path"):
        api.read(api.rows[0])
    assert api.read(api.rows[1]).path == "/good"


GOOD_PATHS = [
    "/",
    "/#Action=X",
    "/?x=y",
    "/path?a={b}#c",
    "/{key}:action",
    "/{a}.{b}",
    "/a//b",
    "/a/",
    "/…",
    "/.well-known",
]


@pytest.mark.parametrize("path", GOOD_PATHS)
def test_odd_paths_are_kept(operation_of: Callable[..., Operation], path: str) -> None:
    assert operation_of("{}", path=path).path == path


def test_a_method_that_is_no_token_is_refused_when_read() -> None:
    extra = {"additionalOperations": {"BAD METHOD": {}, "A\r\nB": {}}}
    api = load({"openapi": "3.2.0", "info": {}, "paths": {"/x": extra}})
    for row in api.rows:
        with pytest.raises(InvalidDocument, match="is not an HTTP method"):
            api.read(row)


def test_reading_is_pure(rich: dict[str, dict[str, Any]]) -> None:
    api = load(rich["v3"])
    assert [api.read(row) for row in api.rows] == [api.read(row) for row in api.rows]


def test_five_thousand_operations_are_listed_at_once() -> None:
    paths = {f"/things/{n}": {"get": {"operationId": f"getThing{n}", "tags": [f"tag{n % 50}"]}} for n in range(5000)}
    started = time.thread_time()
    api = load({"openapi": "3.1.0", "info": {}, "paths": paths})
    assert len(api.rows) == 5000
    assert time.thread_time() - started < 2
    assert api.read(api.rows[4999]).id == "getThing4999"
