"""The mock's answers: valid by the document, whatever its examples are."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import re
import wave
import zipfile
from base64 import b64decode
from pathlib import Path

import PIL.Image
import pypdf
import pytest

import dynclient
from dynclient import testing
from dynclient.examples.scalars import FILES
from dynclient.messages import Request
from dynclient.testing.traffic import TrafficCheck

VENDORS = {
    "github": "github/api.github.com.json",
    "kubernetes": "kubernetes/swagger.json",
    "stripe": "stripe/spec3.json",
    "openai": "openai/openapi.yaml",
    "twilio": "twilio/twilio_api_v2010.json",
    "discord": "discord/openapi.json",
}
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
ITEM = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": NUMBER, "title": TEXT},
    "additionalProperties": False,
}


def document(content, version="3.1.0", **components):
    response = {"description": "", "content": content} if version != "2.0" else {"description": "", **content}
    first = {"swagger": "2.0"} if version == "2.0" else {"openapi": version}
    paths = {"/x": {"get": {"operationId": "x", "responses": {"200": response}}}}
    described = {**first, "info": {"title": "X", "version": "1"}, "paths": paths}
    return {**described, "components": components} if components else described


def as_json(schema=None, **more):
    return {"application/json": {**({"schema": schema} if schema is not None else {}), **more}}


# the document, and the answer
ANSWERS = {
    "an example": (document(as_json(ITEM, example={"id": 7})), {"id": 7}),
    "the first valid one": (
        document(as_json(ITEM, examples={"bad": {"value": {"id": "x"}}, "good": {"value": {"id": 8}}})),
        {"id": 8},
    ),
    "JSON in a text": (document(as_json(ITEM, example='{"id": 7}')), {"id": 7}),
    "a text that is valid as a text": (document(as_json(TEXT, example='{"id": 7}')), '{"id": 7}'),
    "a wrong member": (document(as_json(ITEM, example={"id": "x", "title": "t"})), {"id": 1, "title": "t"}),
    "a member too much": (document(as_json(ITEM, example={"id": 7, "more": 1})), {"id": 7}),
    "a missing member": (document(as_json(ITEM, example={"title": "t"})), {"id": 1, "title": "t"}),
    "items": (
        document(as_json({"type": "array", "items": ITEM}, example=[{"id": 7, "title": 1}, {"x": 1, "id": 8}])),
        [{"id": 7, "title": "string"}, {"id": 8}],
    ),
    "nothing of it": (document(as_json(ITEM, example=[1])), {"id": 1, "title": "string"}),
    "a reference": (
        document(
            as_json(ITEM, examples={"one": {"value": {"$ref": "#/components/examples/i"}}}),
            examples={"i": {"value": {"id": 9}}},
        ),
        {"id": 9},
    ),
    "a reference within": (
        document(
            as_json({"type": "array", "items": ITEM}, example=[{"$ref": "#/components/examples/i"}]),
            examples={"i": {"value": {"id": 9}}},
        ),
        [{"id": 9}],
    ),
    "an odd name": (
        document(as_json({**ITEM, "required": ["a'b.c"], "properties": {"a'b.c": NUMBER}}, example={"a'b.c": "x"})),
        {"a'b.c": 1},
    ),
    "2.0 without a schema": (document({"examples": {"application/json": {"id": 7}}}, "2.0"), {"id": 7}),
    "a property that can't be made": (
        document(as_json({**ITEM, "properties": {**ITEM["properties"], "odd": {**TEXT, "enum": []}}})),
        {"id": 1, "title": "string"},
    ),
    "null as the default": (
        document(as_json({"type": "object", "properties": {"a": {"type": ["string", "null"], "default": None}}})),
        {"a": None},
    ),
    "contains": (
        document(
            as_json(
                {
                    **ITEM,
                    "properties": {
                        **ITEM["properties"],
                        "tags": {"type": "array", "items": TEXT, "contains": {"const": "a"}},
                    },
                }
            )
        ),
        {"id": 1, "title": "string", "tags": ["string", "a"]},
    ),
}


@pytest.mark.parametrize(("described", "body"), ANSWERS.values(), ids=ANSWERS)
def test_the_answer(ask_with, described, body):
    response = ask_with(described)("GET", "/x")
    assert (response.status, json.loads(response.body)) == (200, body)


def post(content, **responses):
    body = {"content": {"application/json": {"schema": content}}}
    operation = {"operationId": "x", "requestBody": body, "responses": {"204": {"description": ""}, **responses}}
    return {"openapi": "3.1.0", "info": {"title": "X", "version": "1"}, "paths": {"/x": {"post": operation}}}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json", "text/plain"])
def test_an_optional_body_may_be_empty_whatever_its_content_type_is(ask_with, content_type):
    assert ask_with(post(ITEM))("POST", "/x", {"Content-Type": content_type}).status == 204


def test_the_documents_example_of_an_error_is_sent_and_a_header_says_what_is_wrong(ask_with):
    refused = {"400": {"description": "", "content": as_json(example={"error": {"message": "No such é", "code": 7}})}}
    response = ask_with(post(ITEM, **refused))("POST", "/x", {"Content-Type": "application/json"}, b'{"id":"x"}')
    assert (response.status, json.loads(response.body)["error"]["code"]) == (400, 7)
    assert json.loads(response.body)["error"]["message"] == "No such é"
    assert "$.id" in response.headers["dynclient-detail"]


@pytest.mark.parametrize(("key", "status"), [("409", 409), ("4XX", 400), ("default", 500)])
@pytest.mark.parametrize("stateful", [False, True])
def test_a_named_example_is_found_in_any_status(ask_with, key, status, stateful):
    examples = {"busy": {"value": {"code": 7}}}
    ask = ask_with(post(ITEM, **{key: {"description": "", "content": as_json(examples=examples)}}), stateful=stateful)
    headers = {"Content-Type": "application/json", "Prefer": "example=busy"}
    response = ask("POST", "/x", headers, b'{"id":1}')
    assert (response.status, json.loads(response.body)) == (status, {"code": 7})


def test_a_wrong_example_is_one_line_of_the_log(ask_with, caplog):
    ask = ask_with(document(as_json({"type": "array", "items": ITEM}, example=[{"id": "x"}, {"id": "y"}])))
    with caplog.at_level(logging.WARNING, "dynclient.testing"):
        for _ in range(3):
            ask("GET", "/x")
    assert len(caplog.messages) == 1
    assert "$[0].id" in caplog.messages[0]
    assert "1 more" in caplog.messages[0]


def image(data):
    with PIL.Image.open(io.BytesIO(data)) as found:
        found.load()
        return found.size == (1, 1)


def archive(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return file.testzip() is None and file.namelist()


def sound(data):
    with wave.open(io.BytesIO(data)) as file:
        return len(file.readframes(100)) == 8


READERS = {"image": image, "pdf": lambda data: len(pypdf.PdfReader(io.BytesIO(data), strict=True).pages) == 1}
READERS |= {"gzip": gzip.decompress, "zip": archive, "audio": sound}


@pytest.mark.parametrize("schema", [None, {"type": "string", "format": "binary"}, {"type": "string", "minLength": 999}])
@pytest.mark.parametrize("content_type", [*FILES, "image/*"])
def test_files_open_with_a_reader_of_their_kind(ask_with, content_type, schema):
    if schema is not None and "format" not in schema:
        schema = {**schema, "format": "binary"}
    response = ask_with(document({content_type: {"schema": schema} if schema else {}}, "3.0.3"))("GET", "/x")
    assert response.status == 200
    assert response.content_type == content_type.replace("*", "png")
    assert next(reads for kind, reads in READERS.items() if kind in content_type)(response.body)
    assert len(response.body) >= (schema or {}).get("minLength", 0)


def test_a_file_in_2_0_and_one_within_json_open_too(ask_with):
    old = {**document({"schema": {"type": "file"}}, "2.0"), "produces": ["image/png"]}
    assert image(ask_with(old)("GET", "/x").body)
    within = {"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"}
    new = document(as_json({"type": "object", "required": ["a"], "properties": {"a": within}}))
    assert image(b64decode(json.loads(ask_with(new)("GET", "/x").body)["a"]))


CHUNK = {"type": "object", "required": ["delta"], "properties": {"delta": TEXT}}
ONE_OF = {"oneOf": [{"type": "object", "required": [name], "properties": {name: NUMBER}} for name in "abcd"]}
BOTH = {**as_json(CHUNK), "text/event-stream": {"schema": CHUNK}}


def chat(content, description="", **schema):
    """A document of one operation, whose body may ask for a stream."""
    flag = {"type": "boolean", "description": description}
    sent = {"type": "object", "properties": {"stream": flag, "stream_format": TEXT}, **schema}
    described = post({"$ref": "#/components/schemas/Chat"}, **{"200": {"description": "", "content": content}})
    return {**described, "components": {"schemas": {"Chat": sent}}}


# the content of the response, its Operation in the documents end, the request's body and Accept; the data of the answer
ENDED = "The stream ends with a `data: [DONE]` message."
STREAMS = {
    "asked for in the body": (BOTH, "", {"stream": True}, "application/json", ["delta"] * 3),
    "not asked for": (BOTH, "", {"stream": False}, "*/*", None),
    "nothing said": (BOTH, "", {}, "*/*", None),
    "asked for by Accept": (BOTH, "", {}, "text/event-stream", ["delta"] * 3),
    "by another property": (BOTH, "", {"stream_format": "sse"}, "*/*", ["delta"] * 3),
    "no stream documented": (as_json(CHUNK), ENDED, {"stream": True}, "*/*", None),
    "with an end": (BOTH, ENDED, {"stream": True}, "*/*", ["delta", "delta", "delta", "[DONE]"]),
    "each kind of item": ({"text/event-stream": {"schema": ONE_OF}}, "", {}, "*/*", ["a", "b", "c", "d"]),
    "an example as a list": (
        {"text/event-stream": {"schema": CHUNK, "example": [{"delta": "Hel"}, {"delta": "lo"}]}},
        *("", {}, "*/*", ["delta", "delta"]),
    ),
    "an example as text": (
        {"text/event-stream": {"schema": CHUNK, "example": 'data: {"delta": "a"}\n\ndata: [DONE]\n\n'}},
        *("", {}, "*/*", ["delta", "[DONE]"]),
    ),
}


@pytest.mark.parametrize(("content", "description", "body", "accept", "names"), STREAMS.values(), ids=STREAMS)
def test_streams_have_several_events_and_the_end_that_the_document_names(
    ask_with, content, description, body, accept, names
):
    headers = {"Content-Type": "application/json", "Accept": accept}
    ask = ask_with(chat(content, description))
    response = ask("POST", "/x", headers, json.dumps(body).encode())
    assert response.status == 200
    if names is None:
        assert (response.content_type, list(json.loads(response.body))) == ("application/json", ["delta"])
        return
    assert response.content_type == "text/event-stream"
    data = [event.removeprefix("data: ") for event in response.body.decode().strip().split("\n\n")]
    assert [text if text == "[DONE]" else "".join(json.loads(text)) for text in data] == names


def test_the_strict_client_reads_the_stream():
    described = {**chat(BOTH, ENDED), "servers": [{"url": "http://mock.test"}]}
    transport = testing.MockTransport(described)
    with dynclient.load(described, transport=transport) as client:
        with client.x.stream(stream=True) as answer:
            assert [list(chunk) for chunk in answer] == [["delta"]] * 3
        assert transport.responses[-1].body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("content_type", ["application/jsonl", "application/json-seq"])
def test_sequences_of_json_have_several_items(ask_with, content_type):
    described = document({content_type: {"schema": {"type": "array", "items": CHUNK}}})
    assert ask_with(described)("GET", "/x").body.count(b"\n") == 3


def kind_of(names, **properties):
    """An operation at a path whose kind has one of a few names, and which answers with such a kind."""
    kind = {"type": "string", "enum": names}
    path = [{"name": name, "in": "path", "required": True, "schema": schema} for name, schema in properties.items()]
    path.append({"name": "kind", "in": "path", "required": True, "schema": kind})
    answer = {"type": "object", "required": ["kind"], "properties": {"kind": kind}}
    return {"parameters": path, "responses": {"200": {"description": "", "content": as_json(answer)}}}


ALIKE = {
    "openapi": "3.1.0",
    "info": {"title": "X", "version": "1"},
    "paths": {
        "/{kind}/{id}": {"get": {"operationId": "any", **kind_of(["sparse", "rank", "chat", "text"], id=TEXT)}},
        "/{kind}/{chatter}": {"get": {"operationId": "chatter", **kind_of(["chat", "text"], chatter=TEXT)}},
        "/{kind}/{ranker}": {"get": {"operationId": "ranker", **kind_of(["rank"], ranker=TEXT)}},
        "/{kind}/{number}": {"get": {"operationId": "number", **kind_of(["rank"], number={"enum": ["1", "2"]})}},
    },
}


@pytest.mark.parametrize(
    ("path", "kind"),
    {"/sparse/a": "sparse", "/rank/a": "rank", "/rank/1": "rank", "/chat/a": "chat", "/text/1": "chat"}.items(),
)
def test_of_operations_at_one_path_the_narrowest_answers(ask_with, path, kind):
    assert json.loads(ask_with(ALIKE)("GET", path).body) == {"kind": kind}


@pytest.mark.parametrize(("name", "kind"), {"any": "sparse", "chatter": "chat", "ranker": "rank"}.items())
def test_of_operations_at_one_path_that_of_the_client_in_the_same_process_answers(name, kind):
    transport = testing.MockTransport(ALIKE)
    with dynclient.load(ALIKE, transport=transport, base_url="http://mock.test") as client:
        assert client.operations[name]("x", kind="rank" if name != "chatter" else "text") == {"kind": kind}


# Operations that document no success at all: the mock gives the only answer that they have.
NO_SUCCESS = {"kubernetes": {"GET /logs/": 401, "GET /logs/{logpath}": 401}}


# the schema's keywords, or its type alone, by the property's name; what its values look like
FAKED = {
    "name": ("string", r"[A-Z]\S+ [A-Z]\S+"),
    "email": ({"type": "string", "format": "email"}, r"[a-z]+\.[a-z]+@example\.(com|net|org)"),
    "contactEmail": ("string", r"[a-z]+\.[a-z]+@example\.(com|net|org)"),
    "billing_city": ("string", r"[A-Z].*"),
    "unit-price": ("number", r"[0-9]+(\.[0-9]+)?"),
    "price": ({"type": "string", "pattern": r"^\d+\.\d\d$"}, r"[0-9]+\.[0-9]{2}"),
    "age": ("integer", r"1[89]|[2-8][0-9]|90"),
    "quantity": ({"type": "integer", "maximum": 3}, r"-?[0-9]+"),
    "phone": ({"type": "string", "maxLength": 20}, r"\+1[0-9]{3}55501[0-9]{2}"),
    "country_code": ({"type": "string", "minLength": 2, "maxLength": 2}, r"[A-Z]{2}"),
    "postcode": ("string", r"[0-9]{5}"),
    "createdAt": ({"type": "string", "format": "date-time"}, r"20[0-9-]+T[0-9:]+Z"),
    "website": ({"type": "string", "format": "uri"}, r"https://example\.com/[a-z-]+"),
    "uuid": ({"type": "string", "format": "uuid"}, r"[0-9a-f-]{36}"),
    "capacity": ("string", r"[a-z]+ [a-z]+"),
    "imageUrls": ({"type": "array", "items": TEXT}, r"\['https://example\.com/.*'\]"),
    "state": ({"enum": ["new", "sent"]}, "new|sent"),
}
USER = {name: {"type": found} if isinstance(found, str) else found for name, (found, _) in FAKED.items()}
USERS = document(as_json({"type": "array", "items": {"$ref": "#/components/schemas/User"}}))
USERS["components"] = {"schemas": {"User": {"type": "object", "required": [*USER], "properties": USER}}}


@pytest.mark.parametrize("options", [{"fake": True}, {"dynamic": True}])
def test_generated_data_look_real_and_differ(ask_with, options):
    users = json.loads(ask_with(USERS, **options)("GET", "/x").body)
    for name, (_, pattern) in FAKED.items():
        assert all(re.fullmatch(pattern, str(user[name])) for user in users), (name, [user[name] for user in users])
        assert len({str(user[name]) for user in users}) == len(users) or name in {"state", "quantity"}
    # What belongs to one person fits together.
    assert [user["email"].partition("@")[0].split(".") for user in users] == [
        user["name"].lower().split() for user in users
    ]


def test_data_that_look_real_are_the_same_in_every_run_for_the_same_url_and_seed(ask_with):
    def body(target, **options):
        return ask_with(USERS, fake=True, **options)("GET", target).body

    assert body("/x") == body("/x")
    assert len({body("/x"), body("/x?page=2"), body("/x", seed=1)}) == 3


@pytest.mark.parametrize("options", [{}, {"dynamic": True, "fake": False}])
def test_data_do_not_look_real_unless_that_is_asked_for(ask_with, options):
    assert json.loads(ask_with(USERS, **options)("GET", "/x").body)[0]["capacity"] == "string"


def test_without_faker_data_are_as_ever_and_asking_for_real_ones_names_the_extra(ask_with, monkeypatch):
    monkeypatch.setattr("dynclient.examples.realistic.find_spec", lambda name: None)
    assert json.loads(ask_with(USERS, dynamic=True)("GET", "/x").body)[0]["capacity"] == "string"
    with pytest.raises(dynclient.exceptions.ArgumentError, match=r"dynclient\[fake\]"):
        testing.app(USERS, fake=True)


FILE = {"type": "string", "format": "binary"}


@pytest.mark.parametrize("media_range", ["*/*", "application/*", "application/json", "multipart/*", "text/*"])
@pytest.mark.parametrize("schema", [ITEM, FILE], ids=["object", "file"])
def test_the_strict_client_sends_and_reads_examples_of_ranges(media_range, schema):
    content = {media_range: {"schema": ITEM if media_range == "multipart/*" else schema}}
    described = document(content, "3.0.3")
    described["paths"]["/x"]["put"] = {**described["paths"]["/x"].pop("get"), "requestBody": {"content": content}}
    with dynclient.load(described, base_url="http://a.test", transport=testing.MockTransport(described)) as client:
        example = client.x.example()
        answer = client.x(**example)
    assert media_range == "text/*" or isinstance(answer, dict) == isinstance(example["body"], dict)


def test_items_of_any_media_type_are_stored():
    """As documents of Java servers have them: ``*/*`` for each response."""
    content = {"*/*": {"schema": ITEM}}
    answers = {"200": {"description": "", "content": content}}
    body = {"content": {"application/json": {"schema": ITEM}}}
    one = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": NUMBER}]}
    paths = {
        "/pets": {"post": {"operationId": "create", "requestBody": body, "responses": answers}},
        "/pets/{id}": {**one, "get": {"operationId": "read", "responses": answers}},
    }
    described = {**document(content), "paths": paths}
    transport = testing.MockTransport(described, stateful=True)
    with dynclient.load(described, base_url="http://a.test", transport=transport) as client:
        pet = client.create({"id": 7, "title": "Eva"})
        assert client.read(pet["id"]) == pet == {"id": 7, "title": "Eva"}


@pytest.mark.large
@pytest.mark.parametrize("options", [{}, {"dynamic": True, "fake": True}], ids=["shown", "faked"])
@pytest.mark.parametrize("name", VENDORS.values(), ids=VENDORS)
def test_every_answer_of_a_vendor_is_valid(name, options):
    shared = os.environ.get("DYNCLIENT_SHARED")
    if shared is None:
        pytest.skip("DYNCLIENT_SHARED is not set")
    mock = testing.app(Path(shared) / "corpus" / name, authenticate=False, validate=False, **options)
    traffic = TrafficCheck(mock.api)
    refused = {}
    for row in mock.api.rows:
        target = re.sub(r"\{[^{}]*\}", "1", row.path)
        request = Request(row.method, f"http://mock.test{target}")
        response = mock.respond(request)
        if response.status >= 400:
            refused[row.key] = response.status
        assert [str(one) for one in traffic.response(mock.operation(row), request, response)] == [], row.key
    assert refused == NO_SUCCESS.get(name.partition("/")[0], {})
