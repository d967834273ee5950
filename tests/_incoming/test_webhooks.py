"""Webhooks and callbacks received: signatures of vendors, refusals in their order, events, and real servers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import standardwebhooks
import uvicorn

import dynclient
from dynclient import (
    ArgumentError,
    Headers,
    InvalidWebhook,
    ReplayedWebhook,
    SignatureError,
    UnknownWebhook,
    Validation,
    WebhookError,
)
from dynclient.testing import serve as mock_of
from dynclient.webhooks import HMACSignature, asgi, github, receive, shopify, slack, standard, stripe, wsgi

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
NOW = 1_700_000_000
JSON = {"Content-Type": "application/json"}

SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)

# Signatures that the vendors publish: what verifies, the secret, the time, the headers and the body.
PUBLISHED = {
    "github": (
        github,
        "It's a Secret to Everybody",
        NOW,
        {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
    ),
    "slack": (
        slack,
        "8f742231b10e8888abcd99yyyzzz85a5",
        1531420618,
        {
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            "X-Slack-Request-Timestamp": "1531420618",
        },
        SLACK_BODY,
    ),
    "standard": (
        standard,
        SECRET,
        1614265330,
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
    ),
}


def keyed(secret: str, text: bytes, how: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), text, how).digest()


# Schemes whose vendors publish the rule: signed here by the standard library alone.
BODY = b'{"a": "\xc3\xa4"}'
MADE = {
    "stripe": (
        stripe,
        "whsec_test",
        NOW,
        {"Stripe-Signature": f"t={NOW},v1=00ff,v1={keyed('whsec_test', b'%d.' % NOW + BODY).hex()},v0=aa"},
        BODY,
    ),
    "shopify": (
        shopify,
        "hush",
        NOW,
        {"X-Shopify-Hmac-Sha256": base64.b64encode(keyed("hush", BODY)).decode()},
        BODY,
    ),
    "generic": (
        lambda secret, **more: HMACSignature(
            secret, header="X-Sig", template="{header:X-Id}|{body}", algorithm="sha512", **more
        ),
        "hush",
        NOW,
        {"X-Sig": keyed("hush", b"7|" + BODY, "sha512").hex().upper(), "X-Id": "7"},
        BODY,
    ),
}
SIGNED = {**PUBLISHED, **MADE}


@pytest.mark.parametrize("name", SIGNED)
def test_signatures_of_vendors_are_verified(name):
    make, secret, now, headers, body = SIGNED[name]
    message = make(secret, now=lambda: now).verify(Headers(headers), body)
    assert len(message) == 64
    assert secret not in repr(make(secret))


@pytest.mark.parametrize("name", SIGNED)
def test_forged_late_early_and_repeated_messages_are_refused(name):
    make, secret, now, headers, body = SIGNED[name]
    headers = Headers(headers)
    for changed in (body + b" ", body[:-1]):
        with pytest.raises(SignatureError, match="is wrong"):
            make(secret, now=lambda: now).verify(headers, changed)
    with pytest.raises(SignatureError, match="is wrong"):
        make(OTHER, now=lambda: now).verify(headers, body)
    for header in headers:
        with pytest.raises(SignatureError):
            make(secret, now=lambda: now).verify(headers.without(header), body)
        with pytest.raises(SignatureError) as caught:
            make(secret, now=lambda: now).verify(headers.replace(header, "é\x00,;="), body)
        assert secret not in str(caught.value)
    if name in {"slack", "standard", "stripe"}:
        for moment, words in ((now + 301, "301 s ago"), (now - 301, "301 s ahead")):
            with pytest.raises(SignatureError, match=words):
                make(secret, now=lambda: moment).verify(headers, body)  # noqa: B023  # called at once
        make(secret, now=lambda: now + 299).verify(headers, body)
    verifier = make(secret, now=lambda: now)
    message = verifier.verify(headers, body)
    with pytest.raises(ReplayedWebhook):
        verifier.verify(headers, body)
    verifier.forget(message)
    assert verifier.verify(headers, body) == message


def test_the_memory_of_messages_is_bounded():
    verifier = github("hush", replays=3)
    signed = [
        (Headers({"X-Hub-Signature-256": f"sha256={keyed('hush', b'%d' % n).hex()}"}), b"%d" % n) for n in range(9)
    ]
    for headers, body in signed:
        verifier.verify(headers, body)
    assert len(verifier._seen) <= 4
    with pytest.raises(ReplayedWebhook):
        verifier.verify(*signed[-1])


@pytest.mark.parametrize("secrets", [(SECRET,), (OTHER, SECRET), (SECRET, OTHER)])
def test_the_standardwebhooks_package_signs_what_is_verified(secrets):
    body = '{"type": "paid", "ä": 1}'
    moment = datetime.fromtimestamp(NOW, tz=UTC)
    signature = standardwebhooks.Webhook(SECRET).sign("msg_1", moment, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": f"v1a,x v1,{OTHER} {signature}",
    }
    assert standard(*secrets, now=lambda: NOW).verify(Headers(headers), body.encode())


WRONG = {
    "no secret": github,
    "an unset variable": lambda: github(None),
    "an unset variable of standard": lambda: standard(None),
    "empty": lambda: github(""),
    "not base64": lambda: standard("whsec_???"),
    "field": lambda: HMACSignature("s", header="x", template="{body}{other}"),
    "no body": lambda: HMACSignature("s", header="x", template="{timestamp}"),
    "algorithm": lambda: HMACSignature("s", header="x", algorithm="sha9"),
    "encoding": lambda: HMACSignature("s", header="x", encoding="rot13"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_of_a_signature_are_refused(name):
    with pytest.raises(ArgumentError):
        WRONG[name]()


def event_of(properties: dict, **more) -> dict:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"post": {"requestBody": body, "responses": {"202": {"description": "taken"}}, **more}}


NUMBER = {"type": "integer"}
WEBHOOKS = {
    "invoice.paid": event_of({"amount": NUMBER}),
    "invoice.void": event_of({"reason": {"type": "string"}}),
    "issues-opened": event_of({"action": {"enum": ["opened"]}, "number": NUMBER}),
    "issues-closed": event_of({"action": {"enum": ["closed"]}, "number": NUMBER}),
    "ping": event_of({}, parameters=[{"name": "X-Count", "in": "header", "schema": NUMBER}]),
}
CALLBACKS = {"done": {"{$request.body#/url}": event_of({"ok": {"type": "boolean"}})}}
VERSIONS = {"3.0.3": "x-webhooks", "3.1.0": "webhooks", "3.2.0": "webhooks"}


def document(version: str = "3.1.0") -> dict:
    start = {"operationId": "start", "responses": {"200": {"description": "ok"}}, "callbacks": CALLBACKS}
    info = {"title": "t", "version": "1"}
    return {"openapi": version, "info": info, "paths": {"/a": {"post": start}}, VERSIONS[version]: WEBHOOKS}


@pytest.fixture(params=VERSIONS)
def client(request):
    with dynclient.load(document(request.param)) as client:
        yield client


# Headers beside the Content-Type, the body, options; the name of the event, or the refusal.
EVENTS = [
    ({}, {"amount": 1, "reason": "r", "type": "invoice.paid"}, {}, "invoice.paid"),
    ({}, {"amount": 1, "reason": "r", "type": "invoice_void"}, {}, "invoice.void"),
    ({"X-GitHub-Event": "issues"}, {"action": "closed", "number": 1}, {}, "issues-closed"),
    ({"X-GitHub-Event": "ping", "X-Count": "3"}, {}, {}, "ping"),
    ({"X-Kind": "ping"}, {"amount": 1}, {"event_header": "X-Kind"}, "ping"),
    ({}, {"amount": 1}, {"event": "ping"}, "ping"),
    ({}, {"amount": 1}, {}, UnknownWebhook),  # ping fits too
    ({"X-GitHub-Event": "stars"}, {}, {}, UnknownWebhook),
    ({}, {}, {"method": "PUT"}, UnknownWebhook),
    ({"X-GitHub-Event": "issues"}, {"action": "other", "number": 1}, {}, InvalidWebhook),
    ({"X-GitHub-Event": "ping", "X-Count": "many"}, {}, {}, InvalidWebhook),
    ({}, {"amount": "one"}, {"event": "invoice.paid"}, InvalidWebhook),
    ({}, [1], {"event": "invoice.paid"}, InvalidWebhook),
    ({}, b"{", {"event": "invoice.paid"}, InvalidWebhook),
    ({}, b"", {"event": "invoice.paid"}, InvalidWebhook),
    ({"Content-Type": "text/plain"}, {"amount": 1}, {"event": "invoice.paid"}, InvalidWebhook),
]


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_the_event_is_found_by_name_header_body_or_schema(client, number):
    headers, body, options, expected = EVENTS[number]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if isinstance(expected, str):
        event = receive(client, {**JSON, **headers}, raw, verify=None, **options)
        assert (event.name, event.data, event.operation.method) == (expected, body, "POST")
        assert event.headers["content-type"] == "application/json"
        assert event.parameters.get(("header", "X-Count")) == (3 if "X-Count" in headers else None)
    else:
        with pytest.raises(expected) as caught:
            receive(client, {**JSON, **headers}, raw, verify=None, **options)
        assert caught.value.status == (415 if "Content-Type" in headers else 400)


def test_a_callback_of_an_operation_is_received(client):
    callback = client.start.callbacks["done"]
    assert callback.receive(JSON, b'{"ok": true}', verify=None).data == {"ok": True}
    with pytest.raises(InvalidWebhook, match="ok"):
        callback.receive(JSON, b'{"ok": 1}', verify=None)


def test_several_candidates_say_what_is_wrong_with_the_body(client):
    for headers, body, words, status in ((JSON, b"{", "not application/json", 400), ({}, b"{}", "no media type", 415)):
        with pytest.raises(InvalidWebhook, match=words) as caught:
            receive(client, headers, body, verify=None)
        assert caught.value.status == status


def test_headers_may_be_those_of_asgi(client):
    assert receive(client, [(b"content-type", b"application/json")], b"{}", verify=None, event="ping").data == {}


def test_invalid_data_pass_if_the_client_says_so(client, caplog):
    lenient = client.with_options(validate=Validation(responses="warn"))
    assert receive(lenient, JSON, b'{"amount": "x"}', verify=None, event="invoice.paid").data == {"amount": "x"}
    assert "invoice.paid: received although $.amount: must be an integer" in caplog.text
    assert lenient.start.callbacks["done"].receive(JSON, b'{"ok": 1}', verify=None).data == {"ok": 1}
    with pytest.raises(InvalidWebhook):
        receive(lenient, JSON, b"{", verify=None, event="invoice.paid")


def test_refusals_come_in_their_order():
    """Each request has all the faults from one on; it is refused for the first of them."""
    secret, parts = "hush", {"event": "invoice.paid"}

    def refused(body: bytes, moment: int = NOW, *, signed: bool = True, verify=None, **more):
        key = secret if signed else "other"
        headers = {**JSON, "Stripe-Signature": f"t={moment},v1={keyed(key, b'%d.' % moment + body).hex()}"}
        with pytest.raises(WebhookError) as caught:
            receive(client, headers, body, verify=verify or stripe(secret, now=lambda: NOW), **parts, **more)
        return type(caught.value), caught.value.status, str(caught.value)

    with dynclient.load(document()) as client:
        assert refused(b"{", 1, signed=False, max_bytes=0)[:2] == (WebhookError, 413)
        assert "is wrong" in refused(b"{", 1, signed=False)[2]
        assert "tolerance" in refused(b"{", 1)[2]
        verify = stripe(secret, now=lambda: NOW)
        good = b'{"amount": 1}'
        headers = {**JSON, "Stripe-Signature": f"t={NOW},v1={keyed(secret, b'%d.' % NOW + good).hex()}"}
        assert receive(client, headers, good, verify=verify, **parts).message
        assert refused(good, verify=verify)[:2] == (ReplayedWebhook, 401)
        assert refused(b"{")[:2] == (InvalidWebhook, 400)
        assert "amount" in refused(b'{"amount": "x"}')[2]


def test_a_function_may_verify_and_no_verification_has_to_be_written(client):
    assert receive(client, JSON, b"{}", verify=lambda headers, body: body == b"{}", event="ping").message == ""
    with pytest.raises(SignatureError):
        receive(client, JSON, b"{}", verify=lambda headers, body: None, event="ping")
    with pytest.raises(TypeError):
        receive(client, JSON, b"{}", event="ping")
    for body, options in (("{}", {}), (b"{}", {"event": "pong"})):
        with pytest.raises(ArgumentError):
            receive(client, JSON, body, verify=None, **options)
    for handlers in ({"pong": print}, {"ping": 1}):
        with pytest.raises(ArgumentError):
            asgi(client, handlers, verify=None)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(params=["asgi", "asgi-sync", "wsgi"])
def serve(request):
    """Serve an application on a real server; gives the port and the events that its handler got."""
    stops = []

    def start(client, **options):
        events: list = []

        def take(event):
            if event.data.get("amount") == 0:
                raise RuntimeError("the handler fails")
            events.append(event)

        async def take_later(event):
            take(event)

        if request.param == "wsgi":
            server = make_server("127.0.0.1", 0, wsgi(client, {"invoice.paid": take}, **options), handler_class=Quiet)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            stops.append(server.shutdown)
            stops.append(server.server_close)
            port = server.server_port
            thread.start()
        else:
            handler = take_later if request.param == "asgi" else take
            app = asgi(client, {"invoice.paid": handler}, **options)
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
            # It listens already: what comes before the server has started waits.
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            stops.append(lambda: setattr(server, "should_exit", True))
        stops.append(thread.join)
        return port, events

    yield start
    for stop in stops:
        stop()


def post(port: int, body: bytes, headers: dict, method: str = "POST") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, "/hook?x=1", body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def signed(body: bytes, secret: str = "hush") -> dict:
    moment = int(time.time())
    return {**JSON, "Stripe-Signature": f"t={moment},v1={keyed(secret, b'%d.' % moment + body).hex()}"}


def test_real_servers_answer_only_after_the_handler(serve, caplog):
    body = b'{"amount": 5}'
    with dynclient.load(document()) as client:
        port, events = serve(client, verify=stripe("hush"), event=None, max_bytes=500)
        headers = signed(body)
        typed = {**headers, "X-Event-Type": "invoice.paid"}
        assert post(port, body, typed) == (202, b"")
        assert [event.data for event in events] == [{"amount": 5}]
        assert post(port, body, typed) == (401, b"")  # repeated
        assert post(port, body, {**typed, **signed(body, "forged")}) == (401, b"")
        assert post(port, b"x" * 501, typed) == (413, b"")
        other = b'{"reason": "r"}'
        assert post(port, other, {**signed(other), "X-Event-Type": "invoice.void"}) == (400, b"")  # no handler
        assert post(port, other, {**signed(other), "X-Event-Type": "unheard.of"}) == (400, b"")
        assert post(port, other, {**signed(other), "X-Event-Type": "invoice.paid"}) == (400, b"")
        failing = b'{"amount": 0}'
        typed = {**signed(failing), "X-Event-Type": "invoice.paid"}
        # The handler failed: the same message may come again.
        assert [post(port, failing, typed)[0] for _ in range(2)] == [500, 500]
    assert len(events) == 1
    assert "hush" not in caplog.text


SENDER = """
import http.client, sys, datetime
import standardwebhooks
port, secret, body = int(sys.argv[1]), sys.argv[2], sys.argv[3]
moment = datetime.datetime.now(datetime.timezone.utc)
signature = standardwebhooks.Webhook(secret).sign("msg_9", moment, body)
headers = {"Content-Type": "application/json", "webhook-id": "msg_9", "webhook-signature": signature,
    "webhook-timestamp": str(int(moment.timestamp()))}
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
connection.request("POST", "/", body, headers)
print(connection.getresponse().status)
"""


def test_another_process_sends_a_webhook(serve):
    body = json.dumps({"type": "invoice.paid", "amount": 3})
    with dynclient.load(document()) as client:
        port, events = serve(client, verify=standard(OTHER, SECRET))
        command = [sys.executable, "-c", SENDER, str(port), SECRET, body]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "202"
    assert [(event.name, event.data["amount"]) for event in events] == [("invoice.paid", 3)]


def test_an_asgi_application_ends_when_its_sender_goes(client):
    import anyio

    sent: list = []
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def read():
        return next(messages)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "query_string": b"", "headers": []}
    anyio.run(asgi(client, print, verify=None), scope, read, send, backend="trio")
    assert sent == []


def test_sha256_is_what_names_a_message():
    headers = Headers({"X-Hub-Signature-256": f"sha256={keyed('s', b'b').hex()}"})
    assert github("s").verify(headers, b"b") == hashlib.sha256(b"b").hexdigest()


def test_the_mock_calls_back(serve):
    start = {
        "operationId": "start",
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {"200": {"description": "ok"}},
        "callbacks": {
            "invoice.paid": {"{$request.body#/url}": event_of({"amount": {"type": "integer", "minimum": 1}})}
        },
    }
    source = {**document(), "paths": {"/a": {"post": start}}}
    with mock_of(source, callbacks=True) as mock, dynclient.load(source, base_url=mock.url) as client:
        port, events = serve(client.start.callbacks["invoice.paid"], verify=None)
        client.start(body={"url": f"http://127.0.0.1:{port}/hook"})
        until = time.monotonic() + 30
        while not events and time.monotonic() < until:
            threading.Event().wait(0.01)
    assert [event.name for event in events] == ["invoice.paid"]
