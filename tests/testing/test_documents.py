"""The project's own documents as mocks: for another client over sockets, and for ours, which validates responses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import dynclient
from dynclient import exceptions, testing

OPENAPI = Path(__file__).parents[2] / "openapi"
DOCUMENTS = ["voice.yaml", "voice.2.0.yaml", "voice.3.0.yaml", "voice.3.1.yaml", "voice.3.2.yaml", "orders.yaml"]
AUTH = {"voice": ("user", "password"), "orders": "a key"}
CALLS = "/accounts/9900000/calls"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
BASIC = {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}
CREATE = {"to": "+19195551234", "from": "+19195554321", "applicationId": "1", "answerUrl": "https://a.example/b"}


def client_of(name, server):
    auth = AUTH[name.partition(".")[0]]
    return dynclient.load(OPENAPI / name, base_url=server.url, auth=auth, retry=1)


def statuses():
    """Every documented status of every operation."""
    for name in ("voice.yaml", "orders.yaml"):
        paths = yaml.safe_load((OPENAPI / name).read_text(encoding="utf-8"))["paths"]
        for path in paths.values():
            for method, operation in path.items():
                if method != "parameters":
                    for status in operation["responses"]:
                        yield name, operation["operationId"], "418" if status == "default" else status


@pytest.fixture(scope="module", params=DOCUMENTS)
def served(request):
    with testing.serve(OPENAPI / request.param) as server, client_of(request.param, server) as client:
        yield client


def test_every_operation_accepts_its_example_and_gives_a_documented_response(served):
    for name, operation in served.operations.items():
        for seed in range(3):
            result = getattr(served, f"{name}_with_http_info")(**operation.example(seed=seed))
            assert 200 <= result.status < 300


@pytest.fixture(scope="module")
def both():
    with (
        testing.serve(OPENAPI / "voice.yaml") as voice,
        testing.serve(OPENAPI / "orders.yaml") as orders,
        client_of("voice.yaml", voice) as voice_client,
        client_of("orders.yaml", orders) as orders_client,
    ):
        yield {"voice.yaml": voice_client, "orders.yaml": orders_client}


@pytest.mark.parametrize(("document", "operation_id", "status"), list(statuses()))
def test_every_documented_status_can_be_requested(both, document, operation_id, status):
    operation = both[document].operations[operation_id].with_options(headers={"Prefer": f"code={status}"})
    if status[0] == "2":
        assert operation.with_http_info(**operation.example()).status == int(status)
    else:
        with pytest.raises(exceptions.ApiError) as caught:
            operation(**operation.example())
        assert caught.value.status == int(status)


# the request: method, path, headers, body; the status and the type of the voice API's error body
ERRORS = {
    "no credential": ("GET", f"{CALLS}/c-1", {}, b"", 401, "authentication"),
    "nothing there": ("GET", f"{CALLS}/c-1", BASIC, b"", 404, "not-found"),
    "nothing there to change": ("POST", f"{CALLS}/c-1", {**BASIC, **JSON}, b'{"state":"completed"}', 404, "not-found"),
    "no BXML": ("PUT", f"{CALLS}/c-1/bxml", {**BASIC, "Content-Type": "application/xml"}, b"<Bxml>", 400, None),
    "no XML": ("PUT", f"{CALLS}/c-1/bxml", {**BASIC, "Content-Type": "text/plain"}, b"<Bxml/>", 415, None),
    "a form": ("POST", CALLS, {**BASIC, "Content-Type": "application/x-www-form-urlencoded"}, b"to=1", 415, None),
    "an invalid body": ("POST", CALLS, {**BASIC, **JSON}, b'{"to":"x"}', 400, None),
    "no JSON": ("POST", CALLS, {**BASIC, **JSON}, b"{", 400, None),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_voice_errors_are_the_documented_ones(http, case):
    method, path, headers, body, status, kind = case
    with testing.serve(OPENAPI / "voice.yaml", stateful=True) as server:
        response = http.request(method, server.url + path, headers=headers, body=body)
    assert response.status == status
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer["description"]
    assert kind is None or answer["type"] == kind
    if status == 401:
        assert response.headers["www-authenticate"] == 'Basic realm="Voice"'


def test_voice_with_another_client(http):
    with testing.serve(OPENAPI / "voice.yaml", stateful=True) as server:
        url = f"{server.url}/api/v2{CALLS}"
        made = http.request("POST", url, body=json.dumps(CREATE).encode(), headers={**BASIC, **JSON})
        assert made.status == 201
        call = made.json()
        assert (call["to"], call["accountId"]) == (CREATE["to"], "9900000")
        assert made.headers["location"].endswith(call["callId"])
        found = http.request("GET", f"{url}/{call['callId']}", headers=BASIC)
        assert (found.status, found.json()["callId"], found.json()["to"]) == (200, call["callId"], CREATE["to"])
        bxml = http.request(
            "PUT",
            f"{url}/{call['callId']}/bxml",
            body=b"<Bxml><Hangup/></Bxml>",
            headers={**BASIC, "Content-Type": "application/xml"},
        )
        assert (bxml.status, bxml.data) == (204, b"")


def test_orders_in_json_and_xml_are_the_same(both):
    operation = both["orders.yaml"].operations["createOrder"]
    body = operation.example()["order"]
    kinds = ("application/json", "application/xml")
    answers = [operation.send(body=body, content_type=sent, accept=taken).data for sent in kinds for taken in kinds]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("syntax", ["json", "xml"])
def test_an_error_has_the_accepted_syntax(http, syntax):
    with testing.serve(OPENAPI / "orders.yaml", stateful=True) as server:
        response = http.request("GET", f"{server.url}/orders/99", headers={"Accept": f"application/{syntax}"})
    assert (response.status, response.headers["content-type"]) == (404, f"application/problem+{syntax}")


def test_created_orders_are_found_and_listed():
    with testing.serve(OPENAPI / "orders.yaml", stateful=True) as server, client_of("orders.yaml", server) as orders:
        body = {"customer": {"name": "Eva"}, "items": [{"sku": "PEN-02", "quantity": 2, "price": 1.5}]}
        first = orders.create_order(body)
        second = orders.create_order(body)
        assert first["customer"] == {"name": "Eva"}
        assert first["id"] != second["id"]
        assert orders.get_order(second["id"])["customer"] == {"name": "Eva"}
        listed = orders.list_orders()
        assert (listed["total"], [order["id"] for order in listed["orders"]]) == (2, [first["id"], second["id"]])
        changed = orders.replace_order(first["id"], {**body, "customer": {"name": "Ida"}})
        assert (changed["id"], changed["customer"]) == (first["id"], {"name": "Ida"})
        with pytest.raises(exceptions.NotFound) as caught:
            orders.get_order(99)
        assert "/orders/99" in caught.value.problem.detail
        assert caught.value.problem.status == 404


def test_in_process_without_a_socket():
    transport = testing.MockTransport(OPENAPI / "voice.yaml", stateful=True)
    with dynclient.load(OPENAPI / "voice.yaml", auth=("user", "password"), transport=transport) as voice:
        call = voice.create_call("9900000", CREATE)
        assert voice.get_call_state("9900000", call["callId"])["callId"] == call["callId"]
    assert [request.operation_id for request in transport.requests] == ["createCall", "getCallState"]
