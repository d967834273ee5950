"""Any document, body or header ends in a value or a DynclientError, and within its time limit.

``HYPOTHESIS_PROFILE=nightly`` looks for longer.
"""

from __future__ import annotations

import json
import os
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from case import AUTH, document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynclient
from dynclient import exceptions
from dynclient.messages import Headers, Response, Send

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "20000")) if NIGHTLY else 100
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not NIGHTLY,
)
URL = "https://things.example"
BASE = document(URL)
OPERATIONS = ("get_thing", "get_csv", "get_any", "get_xml", "get_bytes", "get_open")
TYPES = (
    "application/json",
    "application/problem+json",
    "text/csv",
    "application/xml",
    "multipart/form-data; boundary=a",
    "application/x-www-form-urlencoded",
    "text/plain; charset=utf-16",
    "application/jsonl",
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PIECES = st.sampled_from(
    [
        '{"id": 1}',
        '{"id": ',
        "[",
        "]",
        "}",
        "<a>",
        "</a>",
        "<!DOCTYPE a>",
        "&#0;",
        "\ufeff",
        "--a\r\n",
        "a=b&",
        "%ff",
        "\\ud800",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=200),
    PLAIN.map(lambda value: json.dumps(value).encode()),
    st.lists(PIECES, max_size=8).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["Content-Type", "Retry-After", "Location", "WWW-Authenticate", "Date", "Link", "x-should-retry"]
        ),
        st.sampled_from(TYPES) | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30),
    ),
    max_size=5,
)
KEYWORDS = (
    "type", "properties", "items", "$ref", "allOf", "anyOf", "oneOf", "not", "enum", "const", "required", "pattern",
    "format", "$id", "$anchor", "$dynamicRef", "discriminator", "xml", "if", "prefixItems", "patternProperties",
    "minimum", "uniqueItems", "nullable", "default", "additionalProperties", "unevaluatedProperties",
)  # fmt: skip  # words of a kind
SCHEMAS = st.recursive(
    PLAIN | st.sampled_from(["#/components/schemas/A", "#", "#/paths", "string", "object", "^(a+)+$"]),
    lambda inner: st.dictionaries(st.sampled_from(KEYWORDS), inner | st.lists(inner, max_size=3), max_size=4),
    max_leaves=15,
)


class Canned:
    """A transport with one response for every request."""

    def __init__(self, response: Response) -> None:
        self.response = response

    def send(self, send: Send) -> Response:
        return replace(self.response, request=send.request)

    def close(self) -> None:
        """Do nothing: there are no connections."""


def call(source: Any, response: Response, names: tuple[str, ...] = OPERATIONS) -> None:
    """Make all calls; any exception but ours fails the test."""
    try:
        client = dynclient.load(source, auth=AUTH, retry=1, transport=Canned(response), cache=False)
    except exceptions.DynclientError as error:
        assert len(str(error)) <= 2000
        return
    for name in names:
        try:
            getattr(client, name)()
        except exceptions.DynclientError as error:  # each call by itself is the point
            assert len(str(error)) <= 2000


@QUIET
@given(st.sampled_from([200, 200, 204, 302, 404, 500, 503]), HEADERS, BODIES)
def test_any_answer(status, headers, body):
    call(BASE, Response(status, Headers(headers), body))


@QUIET
@given(SCHEMAS, PLAIN)
def test_any_schema(schema, value):
    made = document(URL)
    made["paths"]["/thing"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = schema
    made["components"]["schemas"] = {"A": schema}
    body = json.dumps(value).encode()
    call(made, Response(200, Headers({"Content-Type": "application/json"}), body), ("get_thing",))


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, member in inner for place in _places(member, (*path, key)))]


PLACES = [place for place in _places(BASE) if place]


@QUIET
@given(st.lists(st.tuples(st.sampled_from(PLACES), PLAIN), min_size=1, max_size=3))
def test_any_document(changes):
    made = deepcopy(BASE)
    for place, value in changes:
        node: Any = made
        for key in place[:-1]:
            node = node[key] if isinstance(node, dict) and key in node else {}
        if isinstance(node, dict):
            node[place[-1]] = value
    call(made, Response(200, Headers({"Content-Type": "application/json"}), b'{"id": 1}'))


@QUIET
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: "openapi: 3.1.0\n" + text))
def test_any_bytes_as_a_document(data):
    call(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"), Response(200))


@QUIET
@given(st.dictionaries(st.sampled_from(["q", "x_note", "crumb", "name"]), PLAIN | st.binary(max_size=9), max_size=3))
def test_any_argument(arguments):
    client = dynclient.load(BASE, auth=AUTH, retry=1, transport=Canned(Response(200)), cache=False)
    for name in ("get_thing", "get_file"):
        with pytest.raises(exceptions.DynclientError) as caught:
            getattr(client, name)(**arguments)
        assert len(str(caught.value)) <= 2000
