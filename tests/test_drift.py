"""Drift: the counted differences of responses from the document, and the overlay with which a strict client works."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

import dynclient
from dynclient import drift
from dynclient.exceptions import ApiError, ArgumentError, ResponseValidationError

THING = {
    "type": "object",
    "required": ["id", "name"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string", "maxLength": 5},
        "state": {"type": "string", "enum": ["on", "off"]},
        "when": {"type": "string", "format": "date"},
        "size": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]},
        "api_key": {"type": "string", "enum": ["k"]},
    },
}


def document(version, schema=THING, **operation):
    """A document of one operation, ``getThing``, whose response is a thing."""
    if version == "2.0":
        response = {"description": "ok", "schema": {"$ref": "#/definitions/Thing"}}
        more = {"swagger": "2.0", "definitions": {"Thing": schema}, "produces": ["application/json"]}
    else:
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
        response = {"description": "ok", "content": content}
        more = {"openapi": version, "components": {"schemas": {"Thing": schema}}}
    get = {"operationId": "getThing", "responses": {"200": response}, **operation}
    return {"info": {"title": "Vendor", "version": "1"}, "paths": {"/thing": {"get": get}}, **more}


VALID = {"id": 1, "name": "n"}
VERSIONS = ["2.0", "3.0.3", "3.1.0", "3.2.0"]


def answering(httpserver, body, path="/thing", **more):
    httpserver.clear()
    if isinstance(body, str | bytes):
        httpserver.expect_request(path).respond_with_data(body, **{"content_type": "application/json", **more})
    else:
        httpserver.expect_request(path).respond_with_json(body, **more)


def called(client, name="get_thing"):
    try:
        return getattr(client, name)()
    except ApiError as error:
        return error


@pytest.mark.parametrize("body", [{"kind": "cow"}, {}, None, {"kind": "Cat", "lives": "nine"}])
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_what_a_discriminator_does_not_know(version, body, httpserver):
    cat = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}},
    }
    either = {"oneOf": [{"$ref": "#/components/schemas/Cat"}], "discriminator": {"propertyName": "kind"}}
    made = document(version, either)
    made["components"]["schemas"]["Cat"] = cat
    answering(httpserver, body)
    options = {"base_url": httpserver.url_for("/"), "retry": 1}
    client = dynclient.load(made, validate="record", **options)
    assert client.get_thing() == body
    overlay = drift.report(client).to_overlay()
    assert dynclient.load(made, overlays=[overlay], **options).get_thing() == body


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (VALID | {"state": "broken"}, [("enum", "broken")]),
        (VALID | {"id": None}, [("type", "null")]),
        (VALID | {"id": 1.5}, [("type", "number")]),
        (VALID | {"id": "1"}, [("type", "string")]),
        ({"id": 1}, [("required", "name")]),
        ({}, [("required", "id"), ("required", "name")]),
        (VALID | {"name": "longer than five"}, [("maxLength", "")]),
        (VALID | {"more": 1}, [("additionalProperties", "")]),
        (VALID | {"when": "yesterday"}, [("format", "")]),
        (VALID | {"size": None}, [("oneOf", "null")]),
        (VALID | {"size": "big"}, [("oneOf", "string")]),
        (VALID | {"state": None}, [("enum", None), ("type", "null")]),
        (VALID | {"api_key": "secret-value"}, [("enum", "…")]),
        ([], [("type", "array")]),
    ],
)
def test_a_relaxation_of_each_kind(version, body, kinds, httpserver):
    answering(httpserver, body)
    options = {"base_url": httpserver.url_for("/"), "retry": 1}
    client = dynclient.load(document(version), validate="record", **options)
    assert [client.get_thing(), client.get_thing()] == [body, body]
    report = drift.report(client)
    assert sorted(((one.kind, one.detail) for one in report), key=repr) == sorted(kinds, key=repr)
    assert all(one.count == 2 and one.operation == "getThing" and one.status == 200 for one in report)
    with pytest.raises(ResponseValidationError):
        dynclient.load(document(version), **options).get_thing()
    overlay = report.to_overlay()
    assert all(action["x-evidence"] >= 2 for action in overlay["actions"])
    assert "secret-value" not in json.dumps(overlay)
    strict = dynclient.load(document(version), overlays=[overlay], **options)
    assert strict.get_thing() == body
    answering(httpserver, VALID)
    assert strict.get_thing() == VALID
    from dynclient.cli.document_commands import find_faults

    assert [str(fault) for fault in find_faults(strict.api) if not fault.warning] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        ({"status": 201}, "status", 201),
        ({"status": 418}, "status", 418),
        ({"content_type": "text/plain"}, "content-type", "text/plain"),
        ({"content_type": "application/vnd.x+json; a=b"}, "content-type", "application/vnd.x+json"),
    ],
)
def test_statuses_and_media_types(version, answer, kind, detail, httpserver):
    answering(httpserver, json.dumps(VALID), **answer)
    options = {"base_url": httpserver.url_for("/"), "retry": 1}
    client = dynclient.load(document(version), validate="record", **options)
    called(client)
    (one,) = drift.report(client)
    assert (one.kind, one.detail, one.count) == (kind, detail, 1)
    again = dynclient.load(
        document(version), overlays=[drift.report(client).to_overlay()], validate="record", **options
    )
    called(again)
    assert not len(drift.report(again))
    assert str(drift.report(again)) == "all responses matched the document"


def test_headers(httpserver):
    headers = {"X-Left": {"required": True, "schema": {"type": "integer"}}, "X-Kind": {"schema": {"enum": ["a"]}}}
    made = document("3.1.0")
    made["paths"]["/thing"]["get"]["responses"]["200"]["headers"] = headers
    answering(httpserver, VALID, headers={"X-Kind": "b"})
    client = dynclient.load(made, base_url=httpserver.url_for("/"), validate="record")
    client.get_thing()
    report = drift.report(client)
    assert [(one.path, one.kind) for one in report] == [("header.X-Left", "required"), ("header.X-Kind", "enum")]
    again = dynclient.load(made, base_url=httpserver.url_for("/"), validate="record", overlays=[report.to_overlay()])
    again.get_thing()
    assert not len(drift.report(again))


def test_requests_stay_as_strict_as_they_were(httpserver):
    made = document("3.1.0", {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Inner"}}})
    made["components"]["schemas"]["Inner"] = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"enum": ["x"]}, "next": {"$ref": "#/components/schemas/Inner"}},
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    post = {"operationId": "postThing", "requestBody": body, "responses": {"200": {"description": "ok"}}}
    made["paths"]["/thing"]["post"] = post
    wrong = {"inner": {"a": "y", "next": {"a": "z", "next": {}}}}
    answering(httpserver, wrong)
    options = {"base_url": httpserver.url_for("/"), "retry": 1}
    client = dynclient.load(made, validate="record", **options)
    client.get_thing()
    strict = dynclient.load(made, overlays=[drift.report(client).to_overlay()], **options)
    assert strict.get_thing() == wrong
    with pytest.raises(dynclient.RequestValidationError) as caught:
        strict.post_thing.prepare(body={"inner": {"a": "y", "next": {}}})
    assert {fault.path for fault in caught.value.errors} == {"$.inner.next.a", "$.inner.a"}
    answering(httpserver, {"inner": {"a": 5}})
    with pytest.raises(ResponseValidationError):
        strict.get_thing()


def test_what_is_recorded_and_for_which_operations(httpserver):
    answering(httpserver, {"id": 1})
    options = {"base_url": httpserver.url_for("/"), "retry": 1}
    strict = dynclient.load(document("3.1.0"), **options)
    with pytest.raises(ResponseValidationError):
        strict.get_thing()
    assert not len(drift.report(strict))
    for validate in ({"getThing": "record"}, dynclient.Validation(responses="record")):
        recording = strict.with_options(validate=validate)
        assert recording.get_thing() == {"id": 1}
    assert [one.count for one in drift.report(strict)] == [2]
    with pytest.raises(ArgumentError, match="a report needs a client or a proxy, not a int"):
        drift.report(1)
    with pytest.raises(ArgumentError, match="only responses are recorded"):
        dynclient.load(document("3.1.0"), validate=dynclient.Validation(requests="record"))
    with pytest.raises(ArgumentError, match="no overlay is needed"):
        drift.report(dynclient.load(document("3.1.0"))).to_overlay()
    assert pickle.loads(pickle.dumps(recording)).get_thing() == {"id": 1}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_clients_of_event_loops_record_too(backend, httpserver):
    import anyio

    answering(httpserver, {"id": 1})
    made = document("3.1.0")

    async def run():
        options = {"base_url": httpserver.url_for("/"), "retry": 1}
        async with dynclient.AsyncClient.load(made, validate={"getThing": "record"}, **options) as client:
            assert await client.get_thing() == {"id": 1}
            report = drift.report(client)
        assert [(one.kind, one.detail) for one in report] == [("required", "name")]
        async with dynclient.AsyncClient.load(made, overlays=[report.to_overlay()], **options) as strict:
            assert await strict.get_thing() == {"id": 1}

    anyio.run(run, backend=backend)


def test_streams_are_recorded(httpserver):
    made = document("3.2.0")
    made["paths"]["/thing"]["get"]["responses"]["200"]["content"] = {
        "application/jsonl": {"itemSchema": {"$ref": "#/components/schemas/Thing"}}
    }
    answering(httpserver, '{"id": 1}\n{"id": 2}\n', content_type="application/jsonl")
    client = dynclient.load(made, base_url=httpserver.url_for("/"), validate="record")
    with client.get_thing.stream() as answer:
        assert len(list(answer)) == 2
    assert [(one.kind, one.detail, one.count) for one in drift.report(client)] == [("required", "name", 2)]


def test_the_table(httpserver, tmp_path):
    (tmp_path / "d.json").write_text(json.dumps(document("3.1.0"), indent=1))
    answering(httpserver, {"id": None, "name": "n"})
    client = dynclient.load(tmp_path / "d.json", base_url=httpserver.url_for("/"), validate="record")
    client.get_thing()
    lines = str(drift.report(client)).splitlines()
    assert lines[0].split() == ["COUNT", "OPERATION", "STATUS", "KIND", "PLACE", "FAULT"]
    assert lines[1].startswith("1      getThing   200     type  ")
    assert lines[1].endswith("$.id: must be an integer, not null")
    assert "d.json:" in lines[1]


def test_counts_are_bounded_and_exact_with_many_threads(httpserver):
    count = iter(range(10**6))
    httpserver.expect_request("/thing").respond_with_handler(
        lambda _: __import__("werkzeug").Response(
            json.dumps(VALID | {"state": f"s{next(count)}"}), mimetype="application/json"
        )
    )
    client = dynclient.load(document("3.1.0"), base_url=httpserver.url_for("/"), validate="record")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.get_thing(), range(120)))
    report = drift.report(client)
    assert len(report) == 51
    assert sum(one.count for one in report) == 120
    assert report.deviations[0].detail == "…"
    (action,) = report.to_overlay()["actions"]
    assert action["remove"]


def test_a_proxy_reports_drift_too(httpserver):
    answering(httpserver, {"id": 1, "name": "n", "state": "broken"})
    with dynclient.testing.proxy(dynclient.load(document("3.1.0")).api, httpserver.url_for("/")) as server:
        client = dynclient.load(document("3.1.0"), base_url=server.url, validate="off")
        client.get_thing()
        for source in (server, server.proxy):
            overlay = drift.report(source).to_overlay()
    target = "$.components.schemas.Thing.properties.state.enum"
    assert [(one["target"], one["update"], one["x-evidence"]) for one in overlay["actions"]] == [
        (target, ["broken"], 1)
    ]
