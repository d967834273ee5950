"""Hints of errors: each typical beginner's mistake, and the advice in its error."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

import dynclient
from dynclient import exceptions
from dynclient.options import Limits, Retry, Validation
from dynclient.transports import AsyncHTTPTransport

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "when": {"type": "string", "format": "date-time"},
        "size": {"type": "number"},
        "name": {"type": "string"},
    },
}
PET = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
EITHER = {
    "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
    "discriminator": {"propertyName": "kind"},
}
WHERE = {"name": "where", "in": "query", "schema": {"type": "array", "items": {}}}
VARIABLE = [{"url": "https://{region}.example"}]
QUERY = {"name": "page", "in": "query", "schema": {"type": "integer"}}


def operation(name, schema, **more):
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"post": {"operationId": name, "requestBody": body, "responses": {"200": {"description": ""}}, **more}}


DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/things": operation("create", SCHEMA, parameters=[QUERY]),
        "/pets": operation("adopt", EITHER),
        "/list": {"get": {"operationId": "list", "parameters": [WHERE], "responses": {"200": {"description": ""}}}},
        "/look": {"get": {"operationId": "look", "responses": {"200": {"description": ""}}}},
    },
    "components": {"schemas": {"Cat": PET, "Dog": PET}},
}
NAIVE = dt.datetime(2024, 1, 1)  # noqa: DTZ001  # that it has no zone is the mistake

MISTAKES = {
    "a naive datetime": (lambda api: api.create.prepare(name="x", when=NAIVE), r"time zone.*astimezone"),
    "a naive text": (lambda api: api.create.prepare(name="x", when="2024-01-01T00:00:00"), "time zone"),
    "not a number": (lambda api: api.create.prepare(name="x", size=float("nan")), "NaN or infinity"),
    "infinity": (lambda api: api.create.prepare(name="x", size=float("-inf")), "NaN or infinity"),
    "JSON text": (lambda api: api.create.prepare('{"name": "x"}'), r"a dict or a list; json\.loads"),
    "JSON bytes": (lambda api: api.create.prepare(b'{"name": "x"}'), r"json\.loads|bytes"),
    "timeout in a call": (lambda api: api.create.prepare(name="x", timeout=3), r"with_options\(timeout=\.\.\.\)"),
    "content type in a call": (lambda api: api.create.prepare(name="x", content_type="a/b"), r"with_options\(content"),
    "query in a call": (lambda api: api.create.prepare(name="x", query={"a": 1}), r"with_options\(query="),
    "no body": (lambda api: api.create.prepare(), r"name=, when=, size=; the first 1 are required"),
    "another content type": (
        lambda api: api.create.with_options(content_type="text/csv").prepare("a"),
        r'has application/json; with validate=Validation\(requests="warn"\) any content type is sent',
    ),
    "a body of an operation without one": (lambda api: api.look.prepare(body={}), r"client\.request\(method, path"),
    "requests' argument": (lambda api: api.create.prepare(json={"name": "x"}), "body= is the body"),
    "requests' argument of request": (lambda api: api.request("GET", "/x", params={}), r"query=\{\.\.\.\} adds"),
    "an object in a query": (lambda api: api.list.prepare(where=[{"a": 1}]), r"with_options\(query=\{name"),
    "accept is a list": (lambda api: api.create.with_options(accept=["a/b"]), "accept must be a string, not a list"),
    "base_url is a number": (lambda api: api.with_options(base_url=5), "base_url must be a string"),
    "no origins": (lambda api: api.with_options(allow_origins=5), "allow_origins must be a list"),
    "limits is a number": (lambda api: dynclient.load(DOCUMENT, limits=5), "limits must be Limits"),
    "cache is a number": (lambda api: dynclient.load(DOCUMENT, cache=5), "cache must be True, False or a folder"),
    "a limit is a text": (lambda api: dynclient.load(DOCUMENT, limits=Limits(ratio="9")), r"Limits\(ratio=\.\.\.\)"),
    "no connections": (lambda api: dynclient.load(DOCUMENT, limits=Limits(pool_size=0)), "a number from 1, not 0"),
    "a limit that is needed": (lambda api: dynclient.load(DOCUMENT, limits=Limits(codings=None)), "from 0, not None"),
    "attempts are a text": (lambda api: api.with_options(retry=Retry(attempts="3")), r"Retry\(attempts.*not '3'"),
    "one status": (lambda api: api.with_options(retry=Retry(statuses=503)), "a set of status codes, not 503"),
    "no name of a header": (lambda api: api.with_options(retry=Retry(idempotency_key=True)), "a string, or None"),
    "a mode of responses": (lambda api: api.with_options(validate=Validation(responses="no")), "'record', not 'no'"),
    "an engine": (lambda api: api.with_options(validate=Validation(engine="rust")), "'jsonschema', not 'rust'"),
    "no transport": (lambda api: dynclient.load(DOCUMENT, transport=5), r"method send\(\)"),
    "a transport of tasks": (lambda api: dynclient.load(DOCUMENT, transport=AsyncHTTPTransport()), "an AsyncClient"),
    "infinity in a query": (lambda api: api.with_options(query={"a": float("inf")}), "'a' is NaN or infinite"),
    "half a character in a query": (lambda api: api.with_options(query={"a": "\ud800"}), "lone surrogate"),
    "an object in a field": (lambda api: api.with_options(query={"a": {"b": 1}}), "an object within its value"),
    "a header that is ignored": (lambda api: api.look.prepare(authorization="x"), r"auth= of load\(\)"),
    "its own name": (lambda api: api.look.prepare(**{"Content-Type": "x"}), r"with_options\(content_type="),
    "a parameter of an unknown type": (lambda api: api.list.prepare(where=[object()]), r"query\.where\[0\]: a value"),
    "a variable that the document forgot": (
        lambda api: dynclient.load({**DOCUMENT, "servers": VARIABLE}).look.prepare(),
        r'server=\{"region": \.\.\.\}',
    ),
    "a value of the wrong type": (lambda api: api.create.prepare(name="x", page="3x"), r"page.*it is '3x'"),
    "no discriminator": (lambda api: api.adopt.prepare({"meow": 1}), r"\$\.kind: is required.*'Cat' and 'Dog'"),
    "the way past": (lambda api: api.create.prepare(name=5), r'validate=Validation\(requests="warn"\)'),
    "an operation that is not there": (
        lambda api: api.with_options(validate=Validation(by={"creat": "warn"})),
        "did you mean create",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_remedy(mistake):
    act, words = MISTAKES[mistake]
    with pytest.raises(exceptions.RequestError, match=f"(?s){words}"):
        act(dynclient.load(DOCUMENT, base_url="https://h"))


def test_what_strict_validation_refuses_passes_with_warn(caplog):
    client = dynclient.load({**DOCUMENT, "servers": VARIABLE}, server={"region": "eu"})
    lenient = client.with_options(validate=Validation(requests="warn"))
    assert lenient.create.prepare().url == "https://eu.example/things"
    csv = lenient.create.with_options(content_type="text/csv").prepare("a,b")
    assert (csv.headers["content-type"], csv.body) == ("text/csv", b"a,b")
    assert "it accepts no body of type text/csv" in caplog.text


def test_what_a_server_answers_late_names_the_time(httpserver):
    httpserver.expect_request("/look").respond_with_data("", 429, headers={"Retry-After": "3600"})
    with dynclient.load(DOCUMENT, base_url=httpserver.url_for("")) as client:
        with pytest.raises(exceptions.RateLimited, match="the server asks to wait 3600 s"):
            client.look()
        httpserver.clear()
        httpserver.expect_request("/look").respond_with_handler(lambda _: threading.Event().wait(0.4))
        with pytest.raises(exceptions.TimeoutError, match=r"timeout=Timeout\(read=\.\.\., total=\.\.\.\)"):
            client.with_options(timeout=0.1, retry=1).look()


# Location, path that was asked, words
REDIRECTS = [
    (
        "/things/",
        r'to /things/\).*differs by a slash: client\.request\("POST", "http://[^"]*/things/", body=\.\.\.\) asks',
    ),
    (
        "https://other.test/v2/things?token=canary",
        r'to https://other\.test/v2/things\).*base_url="https://other\.test"',
    ),
    ("/elsewhere?token=canary", r'to /elsewhere\).*: client\.request\("POST", "http://[^"]*/elsewhere", body=\.\.\.\)'),
    ("/things", r"a POST is not redirected\n[^\n]*$"),
    # Without advice: nothing can be requested there.
    ("http://me:canary@other.test/x", r"to http://\*\*\*@other\.test/x\): a POST is not redirected\n[^\n]*$"),
    ("ftp://other.test/x", r"to ftp://other\.test/x\): a POST is not redirected\n[^\n]*$"),
    ("javascript:alert(1)", r"a POST is not redirected\n[^\n]*$"),
]


@pytest.mark.parametrize(("location", "words"), REDIRECTS)
def test_a_redirected_post_is_told_where_to(httpserver, location, words):
    httpserver.expect_request("/things").respond_with_data("", status=307, headers={"Location": location})
    client = dynclient.load(DOCUMENT, base_url=httpserver.url_for(""))
    with client, pytest.raises(exceptions.RedirectError, match=f"(?s){words}") as caught:
        client.create(name="x")
    assert "canary" not in str(caught.value)


def test_a_base_url_is_percent_encoded(httpserver):
    httpserver.expect_request("/ä b%2Fc/things").respond_with_data("")
    url = httpserver.url_for("").rstrip("/") + "/ä b%252Fc"
    with dynclient.load(DOCUMENT, base_url=url) as client:
        assert client.create.prepare(name="x").url.endswith("/%C3%A4%20b%252Fc/things")
        client.create(name="x")
    assert httpserver.log[0][0].environ["RAW_URI"] == "/%C3%A4%20b%252Fc/things"
    for host in ("https://a b/x", "https://a|b/x", 'https://a"b/x'):
        with pytest.raises(exceptions.ArgumentError, match="base_url"):
            dynclient.load(DOCUMENT, base_url=host)


def test_a_function_can_sign_the_request():
    signed = {**DOCUMENT, "security": [{"Sign": []}]}
    scheme = {"type": "apiKey", "in": "header", "name": "X-Signature"}
    signed["components"] = {**DOCUMENT["components"], "securitySchemes": {"Sign": scheme}}
    seen = []

    class Sent:
        def send(self, send):
            seen.append(send.request.headers["X-Signature"])
            return dynclient.Response(200, request=send.request)

        def close(self):
            pass

    def sign(wanted):
        request = wanted.request
        return f"{request.method} {request.url} {len(request.body)}"

    with dynclient.load(signed, base_url="https://h", auth=sign, transport=Sent()) as client:
        client.create(name="x")
    assert seen == ["POST https://h/things 12"]
