"""Security requirements and security schemes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dynclient
from dynclient.exceptions import DocumentError, InvalidDocument
from dynclient.model import API, OAuthFlow, SecurityScheme


def load(source: Any, **options: Any) -> API:
    """Load a document as far as the list of its operations, by way of a client."""
    return dynclient.load(source, **options).api


SCHEMES = "{a: {type: http, scheme: basic}, b: {type: http, scheme: bearer}, bad: {type: nonsense}}"

# The document's security, the operation's; what the operation asks for.
REQUIREMENTS = [
    (None, None, ()),
    ("[{a: []}]", None, ({"a": ()},)),
    ("[{a: []}]", "[]", ()),
    ("[{a: []}]", "null", ({"a": ()},)),
    ("null", None, ()),
    ("[{a: []}]", "[{}]", ({},)),
    ("[{a: []}]", "[{a: [], b: [x, y]}, {b: []}, {}]", ({"a": (), "b": ("x", "y")}, {"b": ()}, {})),
    (None, "[{b: [5]}]", ({"b": ("5",)},)),
    ("[{a: []}]", "[{none: [x]}]", ({"none": ("x",)},)),
    ("[{a: []}]", "[{bad: []}, {a: []}]", ({"bad": ()}, {"a": ()})),
]


@pytest.mark.parametrize(("documents", "own", "expected"), REQUIREMENTS)
def test_requirements(api_of: Callable[..., API], documents: str | None, own: str | None, expected: Any) -> None:
    root = f"security: {documents}\n" if documents else ""
    operation = f"{{security: {own}}}" if own else "{}"
    api = api_of(f"{root}paths: {{/x: {{get: {operation}}}}}\ncomponents: {{securitySchemes: {SCHEMES}}}")
    assert api.read(api.rows[0]).security == expected


@pytest.mark.parametrize("own", ["[{a: x}]", "[[]]", "{}", "[null]"])
def test_a_requirement_that_can_not_be_met_is_told(api_of: Callable[..., API], own: str) -> None:
    api = api_of(
        f"security: [{{a: []}}]\npaths: {{/x: {{get: {{security: {own}}}, put: {{}}}}}}\n"
        f"components: {{securitySchemes: {SCHEMES}}}"
    )
    with pytest.raises(InvalidDocument):
        api.read(api.rows[0])
    assert api.read(api.rows[1]).security == ({"a": ()},)


def test_a_requirement_may_be_a_reference_since_3_2(api_of: Callable[..., API]) -> None:
    document = {
        "paths": {"/x": {"get": {"security": [{"#/components/securitySchemes/a~1b": []}]}}},
        "components": {"securitySchemes": {"a/b": {"type": "http", "scheme": "basic"}}},
    }
    api = api_of(document, openapi="3.2.0")
    assert api.read(api.rows[0]).security == ({"a/b": ()},)
    old = api_of(document, openapi="3.1.0")
    assert old.read(old.rows[0]).security == ({"#/components/securitySchemes/a~1b": ()},)


FLOW = "{tokenUrl: /t, refreshUrl: /r, authorizationUrl: /a, deviceAuthorizationUrl: /d, scopes: {x: X, y: null}}"

# A Security Scheme Object of OpenAPI 3 named `s`, and what the model has beside name and pointer.
SCHEMES_OF_3: list[tuple[str, dict[str, Any]]] = [
    ("{type: http, scheme: Basic}", {"type": "http", "scheme": "basic", "word": "Basic"}),
    (
        "{type: HTTP, scheme: JWT, bearerFormat: a}",
        {"type": "http", "scheme": "jwt", "word": "JWT", "bearer_format": "a"},
    ),
    ("{type: apiKey, in: cookie, name: k}", {"type": "apiKey", "in_": "cookie", "parameter": "k"}),
    ("{type: apikey, in: header, name: k}", {"type": "apiKey", "in_": "header", "parameter": "k"}),
    (
        "{type: mutualTLS, description: ' Two ', deprecated: true}",
        {"type": "mutualTLS", "description": "Two", "deprecated": True},
    ),
    (
        "{type: openIdConnect, openIdConnectUrl: 'https://a/b'}",
        {"type": "openIdConnect", "open_id_connect_url": "https://a/b"},
    ),
    (
        f"{{type: oauth2, oauth2MetadataUrl: /m, flows: {{x-a: 1, clientCredentials: {FLOW}, nonsense: {{}}}}}}",
        {
            "type": "oauth2",
            "oauth2_metadata_url": "/m",
            "flows": (OAuthFlow("clientCredentials", "/a", "/t", "/r", "/d", {"x": "X", "y": ""}),),
        },
    ),
]


@pytest.mark.parametrize(("text", "expected"), SCHEMES_OF_3, ids=[text for text, _ in SCHEMES_OF_3])
def test_scheme_of_3(api_of: Callable[..., API], text: str, expected: dict[str, Any]) -> None:
    api = api_of(f"components: {{securitySchemes: {{s: {text}, t: {{$ref: '#/components/securitySchemes/s'}}}}}}")
    pointer = "/components/securitySchemes/s"
    assert api.security_schemes["s"] == SecurityScheme(name="s", pointer=pointer, **expected)
    assert api.security_schemes["t"] == SecurityScheme(name="t", pointer=pointer, **expected)


# The same for 2.0.
SCHEMES_OF_2: list[tuple[str, dict[str, Any]]] = [
    ("{type: basic}", {"type": "http", "scheme": "basic"}),
    ("{type: apiKey, in: query, name: k}", {"type": "apiKey", "in_": "query", "parameter": "k"}),
    *(
        (
            f"{{type: oauth2, flow: {flow}, authorizationUrl: /a, tokenUrl: /t, scopes: {{x: X}}}}",
            {"type": "oauth2", "flows": (OAuthFlow(name, "/a", "/t", scopes={"x": "X"}),)},
        )
        for flow, name in {
            "accessCode": "authorizationCode",
            "application": "clientCredentials",
            "implicit": "implicit",
            "password": "password",
        }.items()
    ),
]


@pytest.mark.parametrize(("text", "expected"), SCHEMES_OF_2, ids=[text for text, _ in SCHEMES_OF_2])
def test_scheme_of_2(api_of: Callable[..., API], text: str, expected: dict[str, Any]) -> None:
    api = api_of(f"swagger: '2.0'\npaths: {{}}\nsecurityDefinitions: {{s: {text}}}")
    expected = {"name": "s", "pointer": "/securityDefinitions/s", **expected}
    assert api.security_schemes["s"] == SecurityScheme(**expected)


BROKEN = ["5", "{}", "{type: http}", "{type: apiKey, in: path, name: a}", "{type: apiKey, in: query}", "{$ref: '#/no'}"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_scheme_is_told_when_it_is_asked_for(api_of: Callable[..., API], text: str) -> None:
    api = api_of(f"components: {{securitySchemes: {{s: {text}}}}}")
    assert "s" in api.security_schemes
    assert list(api.security_schemes) == ["s"]
    with pytest.raises(DocumentError):
        api.security_schemes["s"]
    with pytest.raises(KeyError):
        api.security_schemes["t"]


@pytest.mark.parametrize("components", ["5", "null", "[]", "{securitySchemes: 5, schemas: []}"])
def test_components_that_are_none_have_no_names(api_of: Callable[..., API], components: str) -> None:
    api = api_of(f"components: {components}")
    assert (dict(api.security_schemes), dict(api.schemas)) == ({}, {})


def test_the_schemes_of_the_rich_document_are_whole(rich: dict[str, dict[str, Any]]) -> None:
    for document in rich.values():
        api = load(document)
        assert [scheme.name for scheme in api.security_schemes.values()] == list(api.security_schemes)
