"""Reading any document returns an API, or raises a DocumentError with a location."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

import dynclient
from dynclient._readers.checking import check
from dynclient.exceptions import DocumentError, InvalidDocument, UnresolvableReference
from dynclient.model import API


def load(source: Any, **options: Any) -> API:
    """Load a document as far as the list of its operations, by way of a client."""
    return dynclient.load(source, **options).api


# The first few stand in for every node, the others by turns.
JUNK: tuple[Any, ...] = (None, [], {}, "junk", {"$ref": 5})
MORE: tuple[Any, ...] = (
    True,
    5,
    1.5,
    "",
    [None],
    [["x"]],
    {"a": None},
    {"": {"": []}},
    {"get": {"get": 1}},
    {"$ref": "#/nowhere"},
    {"$ref": "#"},
    {"$ref": "#/paths"},
    {"$ref": "http://["},
    {"$ref": "other.yaml"},
)


def keys_of(node: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each node of a tree."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in members:
        yield (*keys, key)
        yield from keys_of(value, (*keys, key))


def read_all(document: dict[str, Any]) -> tuple[API, list[DocumentError]]:
    """Read everything that can be read, and return the errors."""
    api = load(document)
    errors = list(api.faults)
    thunks: list[Callable[[], Any]] = [partial(api.read, row) for row in api.rows]
    thunks += [partial(api.security_schemes.__getitem__, name) for name in api.security_schemes]
    thunks += [partial(api.schemas.__getitem__, name) for name in api.schemas]
    for thunk in thunks:
        try:
            thunk()
        except DocumentError as error:  # each is on its own
            errors.append(error)
    return api, errors


def with_junk(document: dict[str, Any], keys: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    # What is not on the way to the junk may be shared: nobody writes in it.
    changed = parent = copy.copy(document)
    for key in keys[:-1]:
        parent[key] = copy.copy(parent[key])
        parent = parent[key]
    parent[keys[-1]] = junk
    return changed


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_rich_documents_are_whole(rich: dict[str, dict[str, Any]], version: str) -> None:
    assert read_all(rich[version])[1] == []


@pytest.mark.parametrize("version", ["v2", pytest.param("v3", marks=pytest.mark.large)])
def test_junk_anywhere_is_the_document_s_fault(rich: dict[str, dict[str, Any]], version: str) -> None:
    for index, keys in enumerate(keys_of(rich[version])):
        for junk in (*JUNK, MORE[index % len(MORE)]):
            try:
                errors = read_all(with_junk(rich[version], keys, junk))[1]
            except DocumentError as error:
                errors = [error]
            assert all("\n" not in error.message and len(str(error)) < 2001 for error in errors)


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_junk_in_one_operation_is_its_own_fault(rich: dict[str, dict[str, Any]], version: str) -> None:
    for keys in keys_of(rich[version]["paths"]["/things/{id}"]["post"]):
        document = with_junk(rich[version], ("paths", "/things/{id}", "post", *keys), None)
        told = {"things/post", "postThing", "POST /things/{id}"}
        assert {error.operation_id for error in read_all(document)[1]} <= told


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_anything_missing_is_the_document_s_fault(rich: dict[str, dict[str, Any]], version: str) -> None:
    for keys in keys_of(rich[version]):
        document = copy.deepcopy(rich[version])
        parent = document
        for key in keys[:-1]:
            parent = parent[key]
        del parent[keys[-1]]
        try:
            read_all(document)
        except DocumentError as error:
            assert keys[0] in {"openapi", "swagger", "paths"}, error


# What is broken, in the operation `bad`, the error's class and the end of the pointer at which it says so.
BROKEN = [
    ("parameters: [null]", InvalidDocument, "/get/parameters/0"),
    ("parameters: [{in: query, required: true, schema: {}}]", InvalidDocument, "/get/parameters/0"),
    ("parameters: [{name: a, in: body, schema: {}}]", InvalidDocument, "/get/parameters/0"),
    ("parameters: [{name: a, in: path, style: fancy}]", InvalidDocument, "/get/parameters/0"),
    ("parameters: [{name: a, in: query, required: true, schema: x}]", InvalidDocument, "/get/parameters/0/schema"),
    ("requestBody: {$ref: '#/components/requestBodies/No'}", UnresolvableReference, "/get/requestBody"),
    ("requestBody: {content: []}", InvalidDocument, "/get/requestBody/content"),
    ("requestBody: {content: {application/json: 5}}", InvalidDocument, "/content/application~1json"),
    ("security: [5]", InvalidDocument, "/get/security/0"),
    ("security: {}", InvalidDocument, "/get/security"),
]


@pytest.mark.parametrize(("text", "error", "pointer"), BROKEN, ids=[text for text, _, _ in BROKEN])
def test_a_broken_operation_leaves_the_others(
    api_of: Callable[..., API], text: str, error: type[DocumentError], pointer: str
) -> None:
    api = api_of(f"paths: {{/good: {{get: {{operationId: good}}}}, /x: {{get: {{operationId: bad, {text}}}}}}}")
    assert [row.name for row in api.rows] == ["good", "bad"]
    assert api.read(api.rows[0]).id == "good"
    with pytest.raises(error) as caught:
        api.read(api.rows[1])
    assert caught.value.operation_id == "bad"
    assert caught.value.location is not None
    assert caught.value.location.pointer.endswith(pointer)


def test_an_operation_that_is_no_object_is_listed(api_of: Callable[..., API]) -> None:
    api = api_of("paths: {/x: {get: [], put: text, post: {}}}")
    assert [row.key for row in api.rows] == ["GET /x", "PUT /x", "POST /x"]
    for row, kind in zip(api.rows[:2], ("an array", "a string"), strict=True):
        with pytest.raises(InvalidDocument, match=f"must be an object, not {kind}"):
            api.read(row)


def test_a_broken_path_item_is_told_and_leaves_the_others(api_of: Callable[..., API]) -> None:
    api = api_of("paths: {/a: 5, /b: {$ref: '#/no'}, /c: {get: {}}}")
    assert [row.key for row in api.rows] == ["GET /c"]
    assert [type(fault) for fault in api.faults] == [InvalidDocument, UnresolvableReference]


def test_references_in_a_circle_are_told(operation_of: Callable[..., Any]) -> None:
    circle = {"parameters": {"a": {"$ref": "#/components/parameters/b"}, "b": {"$ref": "#/components/parameters/a"}}}
    (told,) = operation_of("parameters: [{$ref: '#/components/parameters/a'}]", components=circle).left_out
    assert isinstance(told, UnresolvableReference)
    assert "circular" in told.message


def test_a_circle_of_references_with_words_beside_them_is_told(operation_of: Callable[..., Any]) -> None:
    one = {"$ref": "#/components/parameters/a", "description": "me again"}
    components = {"parameters": {"a": one}}
    (told,) = operation_of("parameters: [{$ref: '#/components/parameters/a'}]", components=components).left_out
    assert "circular" in told.message


def test_a_long_chain_of_references_is_followed(operation_of: Callable[..., Any]) -> None:
    chain: dict[str, Any] = {f"p{n}": {"$ref": f"#/components/parameters/p{n + 1}"} for n in range(5000)}
    chain["p5000"] = {"name": "end", "in": "query"}
    operation = operation_of("parameters: [{$ref: '#/components/parameters/p0'}]", components={"parameters": chain})
    assert [parameter.name for parameter in operation.parameters] == ["end"]


NOTHING = [
    "get: ",
    "get: {parameters: , requestBody: , responses: , security: , servers: , tags: , deprecated: , description: }",
    "get: {responses: {'204': }}",
    "get: {responses: {'200': {description: , headers: {X-A: }, content: {application/json: }}}}",
    "get: {responses: {'200': {content: {application/json: {schema: , examples: }}}}}",
    "get: {parameters: [{name: a, in: query, required: , explode: , allowReserved: , schema: , style: }]}",
    "get: {requestBody: {content: {application/json: {schema: {properties: {a: , b: {type: string, enum: }}}}}}}",
    "get: {requestBody: {content: {application/json: {schema: {allOf: , required: , items: , pattern: }}}}}",
]


@pytest.mark.parametrize("text", NOTHING)
def test_a_key_without_a_value_says_nothing(api_of: Callable[..., API], text: str) -> None:
    """YAML writes null for it; the operation can be read and called, and only a check of the document reports it."""
    client = dynclient.load(
        f"openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{/x: {{{text}}}}}", base_url="https://x.example"
    )
    assert client.operations["GET /x"].prepare().url == "https://x.example/x"
    assert client.operations["GET /x"].example() is not None


def test_a_check_reports_a_key_without_a_value() -> None:
    document = dynclient.load(
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/x: {get: {responses: {'200': }, security: }}}"
    )
    found = {fault.location.pointer for fault in check(document.api.references).faults if fault.location}
    assert found == {"/paths/~1x/get/responses/200", "/paths/~1x/get/security"}
