"""Orders in JSON and XML, in both directions: the media type sent and requested, and that the value is the same."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import anyio
import pytest
from werkzeug import Response

import dynclient
from dynclient import exceptions

ANY_PATH = re.compile(".*")
ORDER = {
    "customer": {"name": "Ada & Co", "email": "ada@example.com"},
    "note": None,
    "labels": ["gift", "fragile"],
    "items": [{"sku": "PEN-02", "quantity": 12, "price": 19.99}, {"sku": "INK-01", "quantity": 1, "price": 7}],
}
XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<o:order xmlns:o="https://orders.example/xml">'
    "<customer><name>Ada &amp; Co</name><email>ada@example.com</email></customer>"
    '<note xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    "<label>gift</label><label>fragile</label>"
    '<items><item sku="PEN-02"><quantity>12</quantity><price>19.99</price></item>'
    '<item sku="INK-01"><quantity>1</quantity><price>7</price></item></items></o:order>'
)
JSON = json.dumps(ORDER, separators=(",", ":"))
PLACED = {"id": 4711, **ORDER, "status": "new", "placed": "2026-03-01T12:30:00Z", "total": 246.88}
PLACED_XML = (
    '<order xmlns="https://orders.example/xml" id="4711">'
    '<customer xmlns=""><name>Ada &amp; Co</name><email>ada@example.com</email></customer>'
    '<note xmlns="" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    '<label xmlns="">gift</label><label xmlns="">fragile</label>'
    '<items xmlns=""><item sku="PEN-02"><quantity>12</quantity><price>19.99</price></item>'
    '<item sku="INK-01"><quantity>1</quantity><price>7</price></item></items>'
    '<status xmlns="">new</status><placed xmlns="">2026-03-01T12:30:00Z</placed><total xmlns="">246.88</total></order>'
)

BOTH = "application/json, application/xml;q=0.9"

# name: body, options, Content-Type and body that go out, Accept that goes out
SENT = {
    "a dict goes as JSON": (ORDER, {}, "application/json", JSON, BOTH),
    "a dict as XML when told": (ORDER, {"content_type": "application/xml"}, "application/xml", XML, BOTH),
    "text of XML goes as it is": (XML, {}, "application/xml", XML, BOTH),
    "an element goes as XML": (ET.fromstring(XML), {}, "application/xml", None, BOTH),
    "XML asked for": (ORDER, {"accept": "application/xml"}, "application/json", JSON, "application/xml"),
    "XML both ways": (
        ORDER, {"accept": "application/xml", "content_type": "application/xml"}, "application/xml", XML,
        "application/xml",
    ),
}  # fmt: skip
ANSWERS = {
    "json": ("application/json", json.dumps(PLACED)),
    "json with a charset": ("Application/JSON; charset=UTF-8", json.dumps(PLACED)),
    "xml": ("application/xml", PLACED_XML),
    "xml in UTF-16": ("application/xml; charset=utf-16", PLACED_XML.encode("utf-16")),
}


def canonical(text):
    return ET.canonicalize(text, strip_text=True, rewrite_prefixes=True)


def send(kind, httpserver, operation, parameters, body, options):
    given = {"base_url": httpserver.url_for(""), "auth": "key"}
    source = "openapi/orders.yaml"
    if kind == "sync":
        with dynclient.load(source, **given) as client:
            return client.operations[operation].send(parameters, body=body, **options)

    async def call():
        async with dynclient.AsyncClient.load(source, **given) as client:
            return await client.operations[operation].send(parameters, body=body, **options)

    return anyio.run(call)


@pytest.fixture(autouse=True)
def in_the_project(root, monkeypatch):
    monkeypatch.chdir(root)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_order_is_created(kind, httpserver, sent, answer):
    body, options, content_type, written, accept = sent
    httpserver.expect_request(ANY_PATH).respond_with_response(
        Response(answer[1], 201, content_type=answer[0], headers={"Location": "/orders/4711"})
    )

    result = send(kind, httpserver, "createOrder", {}, body, options)

    assert (result.data, result.status, result.headers["location"]) == (PLACED, 201, "/orders/4711")
    (request, _) = httpserver.log[0]
    assert request.headers["Content-Type"] == content_type
    assert request.headers["Accept"] == accept
    assert request.headers["X-Api-Key"] == "key"
    text = request.get_data().decode()
    assert text == written if written is not None else canonical(text) == canonical(XML)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/problem+json", '{"type":"about:blank","title":"no","status":409,"detail":"sent"}'),
        (
            "application/problem+xml",
            (
                '<problem xmlns="urn:ietf:rfc:7807"><type>about:blank</type><title>no</title>'
                "<status>409</status><detail>sent</detail></problem>"
            ),
        ),
    ],
)
def test_a_problem_is_the_same_in_both(httpserver, content_type, body):
    httpserver.expect_request(ANY_PATH).respond_with_data(body, 409, content_type=content_type)
    with pytest.raises(exceptions.Conflict) as caught:
        send("sync", httpserver, "replaceOrder", {("path", "orderId"): 4711}, ORDER, {})
    assert caught.value.problem == ("about:blank", "no", 409, "sent", None)
    assert caught.value.data == {"type": "about:blank", "title": "no", "status": 409, "detail": "sent"}


def test_a_body_that_no_media_type_takes(httpserver):
    with pytest.raises(exceptions.UnsupportedMediaType) as caught:
        send("sync", httpserver, "createOrder", {}, ORDER, {"content_type": "text/csv"})
    assert caught.value.offered == ("application/json", "application/xml")


@pytest.mark.parametrize("content_type", ["application/json", "application/xml"])
def test_faults_are_the_same_in_both(httpserver, content_type):
    broken = {**ORDER, "items": [], "labels": [""], "customer": {}}
    with pytest.raises(exceptions.RequestValidationError) as caught:
        send("sync", httpserver, "createOrder", {}, broken, {"content_type": content_type})
    assert {fault.path for fault in caught.value.errors} == {"$.items", "$.labels[0]", "$.customer.name"}


def test_faults_of_text_are_found_before_it_is_sent(httpserver):
    with pytest.raises(exceptions.RequestValidationError) as caught:
        send("sync", httpserver, "createOrder", {}, XML.replace(">12<", ">dozen<"), {})
    assert [fault.path for fault in caught.value.errors] == ["$.items[0].quantity"]


def test_query_and_header(httpserver):
    httpserver.expect_request(ANY_PATH).respond_with_json({"total": 0, "orders": []})
    parameters = {
        ("query", "status"): ["new", "paid"],
        ("query", "limit"): 5,
        ("header", "X-Trace-Id"): "0b6a1c2d-3f7c-4d1e-9c3e-4a51a2000001",
    }
    assert send("sync", httpserver, "listOrders", parameters, ..., {}).data == {"total": 0, "orders": []}
    (request, _) = httpserver.log[0]
    assert request.environ["REQUEST_URI"] == "/orders?status=new&status=paid&limit=5"
    assert request.headers["X-Trace-Id"] == "0b6a1c2d-3f7c-4d1e-9c3e-4a51a2000001"
    assert "X-Api-Key" not in request.headers
