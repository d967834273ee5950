"""Requests of the old client, given to the new one and a mock of the new document: no refusal counts as harmless.

The documents of a family differ in one field of an object of OpenAPI: each pair of them is a change.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

import pytest

import dynclient
from dynclient.changes import compare
from dynclient.testing import MockTransport

PAIRS = int(os.environ.get("DYNCLIENT_PAIRS", "150")) // 5
Document = dict[str, Any]
S, I = {"type": "string"}, {"type": "integer"}  # noqa: E741 - short, since there are many
LIST, OBJECT = {"type": "array", "items": S}, {"type": "object", "properties": {"k": S, "l": I}}
BODY = {"type": "object", "properties": {"p": S, "r": LIST, "o": OBJECT}}
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
COOKIE: Document = {"type": "apiKey", "in": "cookie", "name": "k"}


def document(operation: Document | None = None, path: str = "/a", **whole: Any) -> Document:
    made = {"operationId": "op", "responses": {"200": {"description": "ok"}}, **(operation or {})}
    head = {"openapi": "3.2.0", "info": {"title": "T", "version": "1"}, "servers": [{"url": "https://x.example"}]}
    return {**head, "paths": {path: {"post": made}}, **whole}


def swagger(*parameters: Document, **operation: Any) -> Document:
    made = {"operationId": "op", "parameters": [*parameters], "responses": {"200": {"description": "ok"}}, **operation}
    head = {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "host": "x.example", "schemes": ["https"]}
    return {**head, "paths": {"/a": {"post": made}}}


def parameters(in_: str, *variants: Document) -> list[Document]:
    path = "/a/{p}" if in_ == "path" else "/a"
    typed = [{"schema": schema} for schema in (S, LIST, OBJECT)]
    typed.append({"content": {JSON: {"schema": LIST}}})
    made = [{"name": "p", "in": in_, **more, **variant} for more in typed for variant in variants]
    # OAS 3.1.1, Parameter Object: `content` has neither `style` nor `explode`.
    valid = (each for each in made if "content" not in each or not {"style", "explode"} & {*each})
    return [document({"parameters": [each]}, path) for each in valid]


def named(*pairs: tuple[str, str, bool]) -> Document:
    made = [{"name": name, "in": in_, "required": required, "schema": S} for name, in_, required in pairs]
    return document({"parameters": made, "requestBody": {"content": {JSON: {"schema": BODY}}}})


def body(content: Document, **more: Any) -> Document:
    return document({"requestBody": {"content": content, **more}})


def response(responses: Document) -> Document:
    return document({"responses": {status: {"description": "", **each} for status, each in responses.items()}})


def header(**found: Any) -> Document:
    return response({"200": {"headers": {"X-H": found} if found else {}}})


def json(schema: Document, media_type: str = JSON) -> Document:
    return {"content": {media_type: {"schema": schema}}}


def secured(security: list[Any], **schemes: Document) -> Document:
    return document({"security": security}, components={"securitySchemes": schemes})


def key(in_: str, name: str = "k") -> Document:
    return {"type": "apiKey", "in": in_, "name": name}


PARTS = [
    {"contentType": "text/plain"},
    {"contentType": JSON},
    {"style": "form", "explode": False},
    {"style": "spaceDelimited"},
]
PARTS += [
    {"allowReserved": True},
    {"headers": {"X-A": {"schema": S}}},
    {"headers": {"X-A": {"schema": I, "required": True}}},
]
BASIC, BEARER = {"type": "http", "scheme": "basic"}, {"type": "http", "scheme": "bearer"}
FAMILIES: dict[str, tuple[list[Document], list[Document]]] = {
    "query": (
        [
            document(),
            *parameters(
                "query",
                {},
                {"required": True},
                {"explode": False},
                {"style": "spaceDelimited"},
                {"style": "pipeDelimited"},
                {"style": "deepObject"},
                {"allowEmptyValue": True},
                {"allowReserved": True},
                {"deprecated": True},
            ),
        ],
        [{"p": "a/b"}, {"p": ""}, {"p": ["x", "y"]}, {"p": {"k": "v"}}, {}],
    ),
    "path": (
        parameters(
            "path",
            *(
                {"required": True, **it}
                for it in (
                    {},
                    {"explode": True},
                    {"style": "label"},
                    {"style": "matrix"},
                    {"style": "matrix", "explode": True},
                )
            ),
        ),
        [{"p": "a"}, {"p": ["x", "y"]}, {"p": {"k": "v"}}],
    ),
    "header and cookie": (
        [
            document(),
            *parameters("header", {}, {"required": True}, {"explode": True}),
            *parameters("cookie", {}, {"required": True}, {"explode": False}, {"style": "cookie"}),
        ],
        [{"p": "a"}, {"p": ["x", "y"]}, {"p": {"k": "v"}}, {}],
    ),
    "names": (
        [
            named(*pair)
            for pair in itertools.product(
                [
                    ("p", "query", True),
                    ("q", "query", True),
                    ("a", "query", False),
                    ("r", "header", True),
                    ("body", "query", True),
                    ("p_2", "query", False),
                ],
                [("q", "header", True), ("p", "cookie", False), ("P", "header", False), ("a-b", "query", True)],
            )
            if pair[0][0] != pair[1][0]
        ],
        [
            {"p": "x", "q": "y"},
            {"p": "x", "p_2": "y"},
            {"a": "x", "p": "z"},
            {"r": "x", "q": "y"},
            {"body": {"p": "x"}, "q": "y"},
            {"q": "y", "a_b": "z", "p": "1"},
            {"*": ["x", "y"]},
            {"*": ["x"]},
            {"*": ["x", "y", {"p": "x"}]},
        ],
    ),
    "body": (
        [
            document(),
            document({"parameters": [{"name": "p", "in": "query", "schema": S}]}),
            named(("p", "query", False)),
            *(
                body({name: {"schema": BODY}})
                for name in (
                    JSON,
                    FORM,
                    MULTIPART,
                    "application/xml",
                    "application/*",
                    "*/*",
                    "application/vnd.x+json",
                    "application/json; charset=utf-8",
                    "application/merge-patch+json",
                )
            ),
            body({JSON: {"schema": BODY}}, required=True),
            body({JSON: {"schema": BODY}, FORM: {"schema": BODY}}),
            body({JSON: {}}),
            body({"text/plain": {"schema": S}}),
            body({"application/octet-stream": {}}),
            *(
                body({JSON: {"schema": it}})
                for it in (
                    {"type": "object", "properties": {"p": S, "body": S}},
                    {"type": "object", "properties": {"P": S}},
                    {"type": "array", "items": BODY},
                    {**BODY, "required": ["p"]},
                    {"oneOf": [BODY, S]},
                )
            ),
        ],
        [
            {"p": "x"},
            {"body": {"p": "x"}},
            {},
            {"r": ["x", "y"]},
            {"o": {"k": "v"}},
            {"body": "text"},
            {"*": [{"p": "x"}]},
        ],
    ),
    "encoding": (
        [
            body({name: {"schema": BODY, "encoding": {"r": it, "p": it if "contentType" in it else {}}}})
            for name in (FORM, MULTIPART)
            for it in ({}, *PARTS)
        ],
        [{"p": "x"}, {"r": ["x", "y z"]}, {"r": ["a/b"]}],
    ),
    "security": (
        [
            secured([{"s": []}], s=it)
            for it in (key("header"), key("header", "l"), key("query"), key("cookie"), BASIC, BEARER)
        ]
        + [
            secured(it, s=BASIC, t=key("query"))
            for it in (
                [],
                [{}],
                [{"s": []}, {}],
                [{"t": []}],
                [{"s": []}, {"t": []}],
                [{"t": []}, {"s": []}],
                [{"s": [], "t": []}],
            )
        ],
        [{}],
    ),
    "servers": (
        [
            document(servers=[{"url": url} for url in urls])
            for urls in (
                [],
                ["https://x.example"],
                ["https://y.example"],
                ["https://x.example/v1"],
                ["https://y.example", "https://x.example"],
            )
        ]
        + [
            document(servers=[{"url": "https://{h}.example", "variables": {"h": it}}])
            for it in ({"default": "x"}, {"default": "x", "enum": ["x", "y"]}, {"default": "y", "enum": ["y"]})
        ]
        + [document({"servers": [{"url": "https://z.example"}]})],
        [{}],
    ),
    "responses": (
        [
            response(it)
            for it in (
                {"200": {}},
                {"200": json(S)},
                {"200": json(I)},
                {"201": json(S)},
                {"2XX": json(S)},
                {"default": json(S)},
                {"204": {}},
                {"200": json(S), "201": json(I)},
                {"200": json(S, "text/plain")},
                {"200": json(S, "application/*")},
                {"302": {}},
                {"200": json(S, "application/octet-stream")},
                {"200": {"content": {JSON: {"schema": S}, "application/xml": {"schema": S}}}},
                {"200": {"content": {"application/jsonl": {"itemSchema": OBJECT}}}},
                {"200": json(LIST, "application/jsonl")},
                {"404": json(S)},
                {"200": json(S), "404": json(S)},
                {"200": json(S), "4XX": json(S)},
            )
        ]
        + [
            header(),
            *(
                header(required=required, **it)
                for required in (True, False)
                for it in (
                    {"schema": S},
                    {"schema": I},
                    {"schema": LIST},
                    {"schema": OBJECT},
                    {"schema": OBJECT, "explode": True},
                    json(LIST),
                )
            ),
        ],
        [{}],
    ),
    "Swagger 2.0": (
        [
            swagger(),
            *(
                swagger({"name": "p", "in": in_, **it})
                for in_ in ("query", "header", "formData")
                for it in (
                    S,
                    {**S, "required": True},
                    LIST,
                    *({**LIST, "collectionFormat": form} for form in ("ssv", "tsv", "pipes")),
                )
            ),
            swagger({"name": "p", "in": "query", **S, "allowEmptyValue": True}),
            swagger({"name": "p", "in": "formData", "type": "file"}),
            swagger({"name": "p", "in": "formData", **LIST}, consumes=[MULTIPART]),
            swagger({"name": "p", "in": "body", "schema": BODY}),
            swagger({"name": "body", "in": "body", "schema": BODY, "required": True}),
            swagger({"name": "body", "in": "body", "schema": BODY}, consumes=["application/xml"]),
        ],
        [{"p": "a b"}, {"p": ["x", "y"]}, {"body": {"p": "x"}}, {}, {"p": {"p": "x"}}],
    ),
}


def client_of(made: Document, transport: Any = None) -> dynclient.Client:
    schemes = made.get("components", {}).get("securitySchemes", {})
    auth = {name: ("u", "p") if scheme == BASIC else "k" for name, scheme in schemes.items()}
    return dynclient.load(made, auth=auth or None, transport=transport)


def refusals(
    old: dynclient.Client, sending: dynclient.Client, new: dynclient.Client, calls: list[Document]
) -> list[str]:
    """Calls of the old client that the new one refuses or sends elsewhere, or that the new document's mock refuses."""
    found = []
    for call in calls:
        given, keywords = call.get("*", ()), {name: value for name, value in call.items() if name != "*"}
        try:
            before = old.op.prepare(*given, **keywords)
        except dynclient.DynclientError:
            continue
        try:
            after = new.op.prepare(*given, **keywords)
            sending.op(*given, **keywords)
        except dynclient.DynclientError as error:
            found.append(f"{call}: {error}")
        else:
            # A credential in the URL depends on which choice is met first.
            is_moved = before.url != after.url and not old.api.security_schemes
            found += [f"{call}: {before.url} -> {after.url}"] if is_moved else []
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES)
def test_requests_that_are_refused_after_a_change(family):
    made, calls = FAMILIES[family]
    clients = [client_of(each) for each in made]
    mocks = [MockTransport(each) for each in made]
    pairs = list(itertools.permutations(range(len(made)), 2))
    for one, other in random.Random(0).sample(pairs, min(PAIRS, len(pairs))):
        old, new = clients[one], clients[other]
        refused = refusals(old, client_of(made[one], mocks[other]), new, calls)
        changes = compare(old.api, new.api) if refused else None
        assert changes is None or changes.reach("warning"), (
            refused[:3],
            changes,
            made[one]["paths"],
            made[other]["paths"],
        )
