"""``wait`` and ``start``: servers that continue their work after the response in various ways, and some that lie."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import anyio
import pytest
from werkzeug import Response

import dynclient
from dynclient._client import jobs
from dynclient.transports.clock import Environment

JSON = {"200": {"description": "", "content": {"application/json": {}}}}
ANY = {**JSON, "201": JSON["200"], "202": {"description": ""}, "204": {"description": ""}}
AZURE = "x-ms-long-running-operation"
WORDS = ["validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"]
BATCH = {"type": "object", "properties": {"id": {"type": "string"}, "status": {"enum": WORDS}}}


def _operation(name, responses=ANY, **more):
    return {"operationId": name, "responses": responses, **more}


def _vm(via=None):
    options = {f"{AZURE}-options": {"final-state-via": via}} if via else {}
    parameters = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
    return {"put": _operation("create", parameters=parameters, **{AZURE: True}, **options)}


WAITER = {"poll": "look", "arguments": {"id": "$.job.id"}, "status": "$.state", "result": "$.output", "cancel": "stop"}
ID = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
BATCHED = {"200": {"description": "", "content": {"application/json": {"schema": BATCH}}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        **{f"/vms{n}/{{name}}": _vm(via) for n, via in enumerate((None, "azure-async-operation", "original-uri"))},
        "/exports": {"post": _operation("export", requestBody={"content": {"application/json": {}}})},
        "/reports": {
            "post": _operation("report", **{AZURE: True, f"{AZURE}-options": {"final-state-via": "location"}})
        },
        "/query": {"get": _operation("query", {**JSON, "202": {"description": ""}})},
        "/plain": {"post": _operation("plain", JSON)},
        "/batches/{id}": {"get": _operation("retrieveBatch", BATCHED, parameters=ID)},
        "/batches/{id}/cancel": {"post": _operation("cancelBatch", BATCHED, parameters=ID)},
        "/tables/{id}": {"get": _operation("describe", JSON, parameters=ID)},
        "/jobs": {"post": _operation("begin", JSON, **{"x-waiter": WAITER})},
        "/jobs/{id}": {"get": _operation("look", JSON, parameters=ID), "delete": _operation("stop", parameters=ID)},
    },
}
for number in range(3):
    DOCUMENT["paths"][f"/vms{number}/{{name}}"]["put"]["operationId"] = f"create{number}"

NAMES = {"create0": ("n",), "create1": ("n",), "create2": ("n",), "retrieve_batch": ("b1",), "describe": ("t1",)}
UNTIL = {"until": {"status": "completed"}, "failed": {"status": ["failed", "expired"]}}
ACTIVE = {"until": {"Table.TableStatus": "ACTIVE"}}
GET = "GET /op"


# operation, options of wait, {request: answers in turn (status, headers, data)}, the result
SERVERS = {
    "Operation-Location, then the resource": (
        "create0", {},
        {
            "PUT /vms0/n": [(201, {"Operation-Location": "/op"}, {"a": 0})],
            GET: [(200, {}, {"status": "InProgress"}), (200, {}, {"status": "Succeeded"})],
            "GET /vms0/n": [(200, {}, {"a": 1})],
        },
        {"a": 1},
    ),
    "Azure-AsyncOperation, whose last answer is the result": (
        "create1", {},
        {
            "PUT /vms1/n": [(202, {"Azure-AsyncOperation": "/op"}, None)],
            GET: [(202, {}, {"status": "Running"}), (200, {}, {"status": "Succeeded", "properties": {"a": 1}})],
        },
        {"status": "Succeeded", "properties": {"a": 1}},
    ),
    "Location with original-uri": (
        "create2", {},
        {
            "PUT /vms2/n": [(202, {"Location": "/op"}, None)],
            GET: [(202, {}, None), (202, {"Location": "/op2"}, None)],
            "GET /op2": [(202, {}, None), (204, {}, None)],
            "GET /vms2/n": [(200, {}, {"a": 1})],
        },
        {"a": 1},
    ),
    "the state in the body of a PUT": (
        "create0", {},
        {
            "PUT /vms0/n": [(201, {}, {"properties": {"provisioningState": "Creating"}})],
            "GET /vms0/n": [
                (200, {}, {"properties": {"provisioningState": "Creating"}}),
                (200, {}, {"properties": {"provisioningState": "Succeeded"}}),
            ],
        },
        {"properties": {"provisioningState": "Succeeded"}},
    ),
    "a PUT that is done at once": (
        "create0", {}, {"PUT /vms0/n": [(200, {}, {"properties": {"provisioningState": "Succeeded"}})]},
        {"properties": {"provisioningState": "Succeeded"}},
    ),
    "Operation-Location of an action, with its result": (
        "export", {},
        {
            "POST /exports": [(202, {"Operation-Location": "/op"}, None)],
            GET: [(200, {}, {"status": "Running"}), (200, {}, {"status": "Succeeded", "result": {"a": 1}})],
        },
        {"a": 1},
    ),
    "a resourceLocation in the status": (
        "export", {},
        {
            "POST /exports": [(202, {"Operation-Location": "/op"}, None)],
            GET: [(200, {}, {"status": "Succeeded", "resourceLocation": "/things/1"})],
            "GET /things/1": [(200, {}, {"a": 1})],
        },
        {"a": 1},
    ),
    "both headers, final-state-via location": (
        "report", {},
        {
            "POST /reports": [(202, {"Azure-AsyncOperation": "/op", "Location": "/result"}, None)],
            GET: [(200, {}, {"status": "Succeeded"})],
            "GET /result": [(202, {}, None), (200, {}, {"a": 1})],
        },
        {"a": 1},
    ),
    "Location alone": (
        "export", {},
        {"POST /exports": [(202, {"Location": "/op"}, None)], GET: [(202, {}, None), (200, {}, {"a": 1})]},
        {"a": 1},
    ),
    "Location that leads elsewhere at the end": (
        "export", {},
        {
            "POST /exports": [(202, {"Location": "/op"}, None)],
            GET: [(202, {}, None), (303, {"Location": "/result"}, None)],
            "GET /result": [(200, {}, {"a": 1})],
        },
        {"a": 1},
    ),
    "a 202 that nobody documented": (
        "plain", {}, {"POST /plain": [(202, {"Location": "/op"}, None)], GET: [(202, {}, None), (200, {}, [1])]}, [1],
    ),
    "nothing to wait for": ("plain", {}, {"POST /plain": [(200, {}, {"a": 1})]}, {"a": 1}),
    "not yet there": (
        "export", {},
        {"POST /exports": [(202, {"Location": "/op"}, None)], GET: [(404, {}, None), (404, {}, None), (200, {}, 1)]},
        1,
    ),
    "the same GET": ("query", {}, {"GET /query": [(202, {}, None), (202, {}, None), (200, {}, 5)]}, 5),
    "a batch until completed": (
        "retrieve_batch", UNTIL,
        {"GET /batches/b1": [(200, {}, {"status": word}) for word in ("validating", "in_progress", "completed")]},
        {"status": "completed"},
    ),
    "a batch until its final state": (
        "retrieve_batch", {"until": "final"},
        {"GET /batches/b1": [(200, {}, {"status": word}) for word in ("finalizing", "completed")]},
        {"status": "completed"},
    ),
    "a table that is created": (
        "describe", ACTIVE,
        {"GET /tables/t1": [(200, {}, {"Table": {"TableStatus": word}}) for word in ("CREATING", "ACTIVE")]},
        {"Table": {"TableStatus": "ACTIVE"}},
    ),
    "x-waiter": (
        "begin", {},
        {
            "POST /jobs": [(200, {}, {"job": {"id": "j/1"}})],
            "GET /jobs/j%2F1": [(200, {}, {"state": "running"}), (200, {}, {"state": "done", "output": [7]})],
        },
        [7],
    ),
}  # fmt: skip
FAILURES = {
    "a failure in the words of the monitor": (
        "export", {},
        {"POST /exports": [(202, {"Operation-Location": "/op"}, None)], GET: [(200, {}, {"status": "Failed", "e": 1})]},
        "Failed",
    ),
    "a failure by the caller's words": (
        "retrieve_batch", UNTIL, {"GET /batches/b1": [(200, {}, {"status": "expired"})]}, "expired",
    ),
    "a failure by the document's words": (
        "retrieve_batch", {"until": "final"}, {"GET /batches/b1": [(200, {}, {"status": "cancelled"})]}, "cancelled",
    ),
    "cancelled provisioning": (
        "create0", {}, {"PUT /vms0/n": [(200, {}, {"properties": {"provisioningState": "Canceled"}})]}, "Canceled",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_time(monkeypatch):
    """Pauses that a server asks for with Retry-After: 0 take none here, and neither do others."""
    monkeypatch.setattr(jobs, "SHORTEST", 0.0)
    monkeypatch.setattr(jobs, "FIRST", 0.001)
    monkeypatch.setattr(jobs, "LONGEST", 0.002)


@pytest.fixture
def serve(httpserver):
    """Answer requests by a table, the last answer of each over and over; returns the requests."""

    def start(table):
        asked, left = [], {key: list(answers) for key, answers in table.items()}

        def handler(request):
            path = re.sub(r"^https?://[^/]+", "", request.environ["REQUEST_URI"])
            key = f"{request.method} {path}"
            asked.append(key)
            answers = left.get(key) or left.get(key.partition("?")[0])
            if not answers:
                return Response(f"{key} was not expected", 500)
            status, headers, data = answers.pop(0) if len(answers) > 1 else answers[0]
            body = "" if data is None else json.dumps(data)
            more = {} if data is None else {"Content-Type": "application/json"}
            return Response(body, status, {**headers, **more})

        httpserver.clear()
        httpserver.expect_request(re.compile(".*")).respond_with_handler(handler)
        return asked

    return start


@pytest.fixture
def client(httpserver):
    with dynclient.load(DOCUMENT, base_url=httpserver.url_for("").rstrip("/")) as made:
        yield made


@pytest.mark.parametrize("case", SERVERS.values(), ids=SERVERS)
def test_wait(case, serve, client):
    name, options, table, expected = case
    asked = serve(table)
    assert getattr(client, name).wait(*NAMES.get(name, ()), timeout=20, **options) == expected
    assert len(asked) == sum(map(len, table.values())), "each answer was asked for once"


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_wait_that_fails(case, serve, client):
    name, options, table, state = case
    serve(table)
    with pytest.raises(dynclient.WaitFailed, match=f"it ended as {state}") as failed:
        getattr(client, name).wait(*NAMES.get(name, ()), timeout=20, **options)
    assert (failed.value.state.status, failed.value.result) == (state, next(reversed(table.values()))[-1][2])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_wait_as_threads_do(backend, serve, httpserver):
    async def main():
        async with dynclient.AsyncClient.load(DOCUMENT, base_url=httpserver.url_for("").rstrip("/")) as client:
            for name, options, table, expected in SERVERS.values():
                serve(table)
                assert await getattr(client, name).wait(*NAMES.get(name, ()), timeout=20, **options) == expected
            for name, options, table, state in FAILURES.values():
                serve(table)
                with pytest.raises(dynclient.WaitFailed, match=f"it ended as {state}"):
                    await getattr(client, name).wait(*NAMES.get(name, ()), timeout=20, **options)
            serve(SERVERS["x-waiter"][2])
            job = await client.begin.start()
            assert [str(state) async for state in job.states(timeout=9)] == ["pending (200)", "running", "done"]
            assert (await job.poll(), await job.result(timeout=9)) == (job.state, [7])
            serve(SERVERS["a batch until completed"][2])
            states = client.retrieve_batch.wait("b1", timeout=9, follow=True, **UNTIL)
            assert [state.status async for state in states] == ["validating", "in_progress", "completed"]
            serve({"GET /batches/b1": [(200, {}, {"status": "validating"})]} | CANCELLED)
            job = dynclient.resume(client, (await client.retrieve_batch.start("b1", **UNTIL)).resume)
            assert await job.cancel() == {"status": "cancelling"}

    anyio.run(main, backend=backend)


CANCELLED = {"POST /batches/b1/cancel": [(200, {}, {"status": "cancelling"})]}


def test_a_job_is_polled_cancelled_and_goes_on(serve, client):
    words = ("validating", "in_progress", "completed")
    serve({"GET /batches/b1": [(200, {}, {"status": word}) for word in words]} | CANCELLED)
    job = client.retrieve_batch.start("b1", **UNTIL)
    assert (job.status, job.done, job.state.polls) == ("validating", False, 0)
    assert job.cancel() == {"status": "cancelling"}
    assert (job.poll().status, job.done, job.state.polls) == ("in_progress", False, 1)
    copy = dynclient.resume(client, job.resume)
    assert (copy.state, copy.status, copy.done) == (None, None, False)
    assert copy.result(timeout=9) == {"status": "completed"}
    assert "completed" in repr(copy)
    assert [state.status for state in job.states(timeout=9)] == ["in_progress", "completed"]
    serve({"POST /jobs": [(200, {}, {"job": {"id": "1"}})], "DELETE /jobs/1": [(204, {}, None)]})
    assert client.begin.start().cancel() is None
    serve({"POST /exports": [(202, {"Location": "/op"}, None)]})
    with pytest.raises(dynclient.NoSuchOperation, match="does not say how POST /exports is cancelled"):
        client.export.start().cancel()


def test_states_as_they_come(serve, client):
    serve(SERVERS["Operation-Location, then the resource"][2])
    states = list(client.create0.wait("n", timeout=9, follow=True))
    assert [(state.status, state.verdict) for state in states] == [
        (None, "pending"), ("InProgress", "pending"), ("Succeeded", "pending"), (None, "done"),
    ]  # fmt: skip


def test_with_http_info(serve, client):
    serve(SERVERS["Operation-Location of an action, with its result"][2])
    result = client.export_with_http_info.wait(timeout=9)
    assert (result.data, result.status) == ({"a": 1}, 200)


# What documents say.

WAITERS = {
    "create0": ("body", None, "certain", "x-ms-long-running-operation"),
    "create1": ("body", "answer", "certain", "x-ms-long-running-operation with final-state-via azure-async-operation"),
    "create2": ("body", "original", "certain", "x-ms-long-running-operation with final-state-via original-uri"),
    "report": ("header", "location", "certain", "x-ms-long-running-operation with final-state-via location"),
    "export": ("header", None, "likely", "it has a 202, which may name the URL to poll"),
    "query": ("same", None, "likely", "the 202 of a GET"),
    "begin": ("look", "$.output", "certain", "x-waiter says so"),
    "retrieve_batch": ("same", None, "guess", f"status is one of {', '.join(WORDS)}"),
}


@pytest.mark.parametrize("name", WAITERS)
def test_waiter(name, client):
    waiter = getattr(client, name).waiter
    evidence = waiter.evidence[0]
    assert (waiter.poll, waiter.result, waiter.confidence, evidence.reason) == WAITERS[name]
    assert evidence.location.pointer.startswith("/paths/")
    assert str(waiter).startswith(f"{waiter.poll} ({waiter.confidence})")


def test_operations_without_a_waiter(client):
    assert [client.plain.waiter, client.describe.waiter] == [None, None]
    assert not hasattr(client.plain, "waiters")


def test_documented_headers_are_certain():
    headers = {"Operation-Location": {"schema": {"type": "string"}}}
    document = {
        **DOCUMENT,
        "paths": {"/a": {"post": _operation("go", {"202": {"description": "", "headers": headers}})}},
    }
    waiter = dynclient.load(document).go.waiter
    assert (waiter.confidence, waiter.evidence[0].reason) == ("certain", "its 202 has Operation-Location")


BROKEN = {
    "no mapping": ([], "it is not a mapping"),
    "unknown": ({"pol": "look"}, "it has pol; allowed are poll, "),
    "no text": ({"poll": 5}, "poll is not a text"),
    "no path": ({"poll": "look", "status": "$..a"}, "is not a path"),
    "no argument path": ({"poll": "look", "arguments": {"id": 5}}, "5 in arguments is not a path"),
    "no operation": ({"poll": "gone"}, "no operation gone"),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_a_broken_x_waiter_stops_a_call_before_it_is_sent(case, serve, httpserver):
    declared, message = case
    asked = serve({})
    paths = {**DOCUMENT["paths"], "/a": {"post": _operation("go", **{"x-waiter": declared})}}
    with dynclient.load({**DOCUMENT, "paths": paths}, base_url=httpserver.url_for("").rstrip("/")) as client:
        with pytest.raises(dynclient.RequestError, match=message):
            client.go.wait(timeout=9)
        with pytest.raises(dynclient.RequestError, match=message):
            client.go.start()
    assert asked == []


def test_an_answer_without_what_x_waiter_needs(serve, client):
    serve({"POST /jobs": [(200, {}, {"a": 1})]})
    with pytest.raises(dynclient.WaitFailed, match="can't be called with the values of the answer") as failed:
        client.begin.wait(timeout=9)
    assert failed.value.result == {"a": 1}


VERSIONS = {
    "2.0": {"swagger": "2.0", "responses": {"202": {"description": ""}, "200": {"description": "", "schema": {}}}},
    "3.0": {"openapi": "3.0.3", "responses": ANY},
    "3.2": {"openapi": "3.2.0", "responses": ANY},
}


@pytest.mark.parametrize("case", VERSIONS.values(), ids=VERSIONS)
def test_every_version(case, serve, httpserver):
    version = {name: value for name, value in case.items() if name != "responses"}
    put = _operation("make", case["responses"], **{AZURE: True, f"{AZURE}-options": {"final-state-via": "location"}})
    post = _operation("go", case["responses"], **{"x-waiter": {"poll": "make2", "until": {"n": 1}}})
    document = {
        **version,
        "info": DOCUMENT["info"],
        "paths": {"/a": {"put": put, "post": post}, "/b": {"get": _operation("make2", case["responses"])}},
    }
    serve(
        {
            "PUT /a": [(202, {"Location": "/op", "Operation-Location": "/b"}, None)],
            "GET /b": [(200, {}, {"status": "Succeeded", "n": 1})],
            GET: [(200, {}, 1)],
            "POST /a": [(202, {}, None)],
        }
    )
    with dynclient.load(document, base_url=httpserver.url_for("").rstrip("/")) as client:
        assert client.make.waiter.result == "location"
        assert client.make.wait(timeout=9) == 1
        assert client.go.wait(timeout=9) == {"status": "Succeeded", "n": 1}


PLACES = ["/op x", "/öp", "/o{p}", "op", "?a=1", "//localhost:9/op", "/op#x", "/./op", "/" + "a" * 5000]


@pytest.mark.parametrize("location", PLACES, ids=lambda place: place[:9])
def test_odd_locations(location, serve, client):
    serve({"POST /exports": [(202, {"Operation-Location": location.encode().decode("latin-1")}, None)]})
    with pytest.raises(dynclient.DynclientError) as failed:
        client.with_options(retry=1).export.wait(timeout=2)
    assert isinstance(failed.value, (dynclient.ServerError, dynclient.WaitFailed)), failed.value


def test_unknown_words_are_not_guessed():
    schema = {"type": "object", "properties": {"status": {"enum": ["done", "frobnicated"]}}}
    responses = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    client = dynclient.load({**DOCUMENT, "paths": {"/a": {"get": _operation("look", responses)}}})
    assert client.look.waiter.confidence == "unclear"
    with pytest.raises(dynclient.ArgumentError, match="the meaning of frobnicated is unknown"):
        client.look.wait(until="final", timeout=9)


# Wrong arguments, before anything is sent.

WRONG = {
    "no timeout": ("export", {}, "a wait needs timeout="),
    "a timeout of a text": ("export", {"timeout": "10m"}, "timeout is a positive number of seconds"),
    "nothing to wait for": ("describe", {"timeout": 9}, "it is unclear which state ends the wait"),
    "a guess unasked": ("retrieve_batch", {"timeout": 9}, "it is unclear which state ends the wait"),
    "no words": ("describe", {"timeout": 9, "until": "final"}, 'does not say what until="final" means'),
    "a text": ("describe", {"timeout": 9, "until": "done"}, "until: it is a mapping of paths to values, not 'done'"),
    "a path": ("describe", {"timeout": 9, "until": {"$..a": 1}}, "until: .* is not a path"),
    "no condition": ("describe", {"timeout": 9, "until": {}}, "until has no condition"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_wrong_arguments(case, serve, client):
    name, options, message = case
    asked = serve({})
    with pytest.raises(dynclient.ArgumentError, match=message):
        getattr(client, name).wait(*NAMES.get(name, ()), **options)
    assert asked == []


def test_an_argument_goes_before_an_option_of_its_name(serve, httpserver):
    parameters = [{"name": "timeout", "in": "query", "schema": {"type": "integer"}}]
    document = {**DOCUMENT, "paths": {"/a": {"post": _operation("go", parameters=parameters)}}}
    asked = serve({"POST /a?timeout=5": [(200, {}, 1)]})
    with dynclient.load(document, base_url=httpserver.url_for("").rstrip("/")) as client:
        assert client.go.wait(timeout=5, timeout_=9) == 1
        assert list(client.go.wait.__signature__.parameters) == ["timeout", "until", "failed", "timeout_", "follow"]
    assert asked == ["POST /a?timeout=5"]


# Servers that lie.

LIES = {
    "another origin": ({"Location": "http://127.0.0.1:9/op"}, "has another origin, http://127.0.0.1:9"),
    "another scheme": ({"Operation-Location": "javascript:alert(1)"}, "it has another origin"),
    "a user": ({"Location": "http://a:b@localhost/op"}, "it contains a user name"),
    "no host": ({"Operation-Location": "http://[/op"}, "malformed"),
    "nothing": ({}, "does not say which URL to poll"),
}


@pytest.mark.parametrize("case", LIES.values(), ids=LIES)
def test_where_a_server_sends_us_is_not_believed(case, serve, client):
    headers, message = case
    asked = serve({"POST /exports": [(202, headers, {"a": 1})]})
    with pytest.raises(dynclient.WaitFailed, match=message) as failed:
        client.export.wait(timeout=9)
    assert failed.value.result == {"a": 1}, "nothing that came is lost"
    assert asked == ["POST /exports"]


def test_another_origin_may_be_allowed(serve, client, httpserver):
    other = f"http://127.0.0.1:{httpserver.port}"
    serve({"POST /exports": [(202, {"Location": f"{other}/op"}, None)], GET: [(200, {}, 1)]})
    assert client.with_options(allow_origins=(other,)).export.wait(timeout=9) == 1


def test_a_poll_that_fails_says_how_to_go_on(serve, client):
    serve({"POST /exports": [(202, {"Location": "/op"}, None)], GET: [(202, {}, None), (403, {}, {}), (200, {}, 1)]})
    with pytest.raises(dynclient.Forbidden) as failed:
        client.export.wait(timeout=9)
    assert dynclient.resume(client, failed.value.resume).result(timeout=9) == 1


def test_answers_are_validated_by_the_operation_at_the_location(serve, client):
    serve(
        {"POST /exports": [(202, {"Location": "/batches/b1"}, None)], "GET /batches/b1": [(200, {}, {"status": "odd"})]}
    )
    with pytest.raises(dynclient.ResponseValidationError, match="retrieveBatch"):
        client.export.wait(timeout=9)


@pytest.mark.parametrize("text", ["", "w1.", "w1.!!", "w1.e30", "w2.e30", None, 5, "w1." + "A" * 1000], ids=repr)
def test_what_is_not_of_a_job_is_not_resumed(text, client):
    with pytest.raises(dynclient.ArgumentError, match="resume takes the text"):
        dynclient.resume(client, text)


def test_what_is_no_client_resumes_nothing(client):
    with pytest.raises(dynclient.ArgumentError, match="resume takes a client, not a str"):
        dynclient.resume("client", "w1.")


def test_objects_of_classes_are_read_too(serve, client):
    serve(SERVERS["Operation-Location of an action, with its result"][2])
    assert client.with_options(convert=["dates", "decimals"]).export.wait(timeout=9) == {"a": 1}


def test_a_job_that_disappears(serve, client):
    answers = [(200, {}, {"status": "validating"}), (404, {}, None)]
    asked = serve({"GET /batches/b1": answers})
    with pytest.raises(dynclient.NotFound):
        client.retrieve_batch.wait("b1", until="final", timeout=9)
    assert len(asked) == 2


def test_a_forged_text_leads_nowhere_else(client):
    task = jobs.Task("GET /query", "same", "http://127.0.0.1:9/x", "http://127.0.0.1:9/x")
    with pytest.raises(dynclient.WaitFailed, match="another origin"):
        dynclient.resume(client, task.text(())).poll()
    with pytest.raises(dynclient.ArgumentError, match="no operation GET /gone"):
        dynclient.resume(client, task._replace(key="GET /gone").text(()))


def test_no_credential_is_in_the_text_nor_doubled_in_a_request(serve, httpserver):
    schemes = {
        "k": {"type": "apiKey", "in": "query", "name": "api_key"},
        "b": {"type": "http", "scheme": "bearer"},
    }
    document = {**DOCUMENT, "components": {"securitySchemes": schemes}, "security": [{"k": [], "b": []}]}
    location = {"Location": "/op?api_key=hunter2&t=1"}
    asked = serve({"POST /exports": [(202, location, None)], "GET /op": [(202, location, None), (200, {}, 1)]})
    auth = {"k": "hunter2", "b": "hunter3"}
    with dynclient.load(document, base_url=httpserver.url_for("").rstrip("/"), auth=auth) as client:
        job = client.with_options(headers={"X-Token": "hunter4"}).export.start()
        assert "hunter" not in str(jobs.Task.read(job.resume)) + repr(job)
        assert dynclient.resume(client, job.resume).result(timeout=9) == 1
    assert asked[1:] == ["GET /op?t=1&api_key=hunter2"] * 2
    assert {request.headers["Authorization"] for request, _ in httpserver.log} == {"Bearer hunter3"}


# Time, without any: a job is driven by hand.


def _timeline(monkeypatch, client, answers, timeout, **options):
    """The pauses of a wait, and how it ends."""
    now = [0.0]
    monkeypatch.setattr(jobs, "ENVIRONMENT", Environment(lambda: now[0], lambda: 0.5))
    for name, value in {"SHORTEST": 0.1, "FIRST": 1.0, "LONGEST": 30.0}.items():
        monkeypatch.setattr(jobs, name, value)
    task = jobs.Task("GET /query", "same", f"{client.with_options().api.servers[0].url}/query", **options)
    job, pauses, answers = jobs.Job(client._dispatcher, task), [], iter(answers)
    flow, answer = job.finished(timeout), None
    try:
        while True:
            step = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            answer = None
            if isinstance(step, jobs.Sleep):
                pauses.append(step.seconds)
                now[0] += step.seconds
            elif isinstance(step, jobs.Ask):
                assert step.options.timeout.total <= max(timeout - now[0], 0.1)
                answer = next(answers, None) or (202, {})
                if not isinstance(answer, Exception):
                    answer = dynclient.HTTPResult(None, answer[0], dynclient.Headers(answer[1]))
    except StopIteration:
        return pauses, "done"
    except dynclient.DynclientError as error:
        return pauses, error


# the answers, and the pauses before each of them but the first
PAUSES = {
    "no word of the server": (
        [(202, {})] * 10 + [(200, {})], [1, 1.5, 2.25, 3.375, 5.0625, 7.59375, 11.390625, 17.0859375, 25.62890625, 30],
    ),
    "Retry-After": ([(202, {"Retry-After": "7"}), (202, {"Retry-After": "0"}), (200, {})], [7, 0.1]),
    "a negative Retry-After": ([(202, {"Retry-After": "-5"}), (200, {})], [1]),
    "garbage": ([(202, {"Retry-After": "soon"}), (202, {"Retry-After": "1e9"}), (200, {})], [1, 1.5]),
}  # fmt: skip


@pytest.fixture
def still(monkeypatch):
    """A client whose server receives no request."""
    with dynclient.load({**DOCUMENT, "servers": [{"url": "http://localhost:9"}]}) as made:
        yield made


@pytest.mark.parametrize("case", PAUSES.values(), ids=PAUSES)
def test_pauses(case, monkeypatch, still):
    answers, pauses = case
    assert _timeline(monkeypatch, still, answers, 1000) == (pytest.approx(pauses), "done")


def test_a_wait_ends_with_a_last_look(monkeypatch, still):
    pauses, error = _timeline(monkeypatch, still, [], 10)
    assert pauses == pytest.approx([1, 1.5, 2.25, 3.375, 1.6875, 0.16875])
    assert isinstance(error, dynclient.WaitTimeout)
    assert isinstance(error, TimeoutError)
    assert (error.state.verdict, error.state.polls) == ("pending", 7)
    assert "not over yet, the state is pending (202): the timeout of 10 s has passed" in str(error)
    assert jobs.Task.read(error.resume).key == "GET /query"


def test_a_server_that_asks_for_more_time_than_is_left(monkeypatch, still):
    pauses, error = _timeline(monkeypatch, still, [(202, {"Retry-After": "9" * 12})], 10)
    assert (pauses, type(error)) == ([], dynclient.WaitTimeout)
    assert "the server asks to wait 1e+12 s, but only 10 s are left" in str(error)


def test_a_404_counts_after_ten_seconds(monkeypatch, still):
    missing = dynclient.NotFound("gone")
    pauses, error = _timeline(monkeypatch, still, [(202, {}), missing], 100)
    assert (pauses, error) == ([1], missing), "it was there before"
    assert error.resume


def test_a_function_decides(serve, client):
    serve({"GET /tables/t1": [(200, {}, {"n": n}) for n in (1, 2, 3)]})
    job = client.describe.start("t1", until=lambda data: data["n"] == 3)
    again = dynclient.resume(client, job.resume, until=lambda data: data["n"] == 2)
    assert again.result(timeout=9) == {"n": 2}
    assert job.result(timeout=9) == {"n": 3}


def test_a_function_is_not_asked_about_an_acceptance_without_data(serve, client):
    serve({"POST /plain": [(202, {"Location": "/op"}, None)], GET: [(202, {}, None), (200, {}, {"n": 1})]})
    assert client.plain.wait(until=lambda data: data["n"] == 1, timeout=9) == {"n": 1}


# Another process.

PROCESS = """
import json, os, signal, sys
import dynclient
client = dynclient.load(json.loads(sys.argv[1]), base_url=sys.argv[2])
if sys.argv[3] == "start":
    job = client.retrieve_batch.start("b1", until={"status": "completed"})
    print(job.resume, flush=True)
    job.result(timeout=60)
else:
    print(dynclient.resume(client, sys.argv[3]).result(timeout=60))
"""


def test_a_wait_goes_on_after_a_kill(serve, httpserver):
    command = [sys.executable, "-c", PROCESS, json.dumps(DOCUMENT), httpserver.url_for("").rstrip("/")]
    asked = serve({"GET /batches/b1": [(200, {"Retry-After": "0"}, {"status": "in_progress"})]})
    with subprocess.Popen([*command, "start"], stdout=subprocess.PIPE, text=True) as process:
        resume = process.stdout.readline().strip()
        while len(asked) < 3:
            assert process.poll() is None
        process.kill()
    serve({"GET /batches/b1": [(200, {}, {"status": "completed"})]})
    done = subprocess.run([*command, resume], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "{'status': 'completed'}\n"
