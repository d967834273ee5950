"""HMACAuth and SigV4: published vectors, and requests that a real server verifies.

The vectors in ``sigv4.json`` are those of the AWS Signature Version 4 Test Suite (Apache License 2.0) that botocore's
own tests use. Left out are requests that no Request can be (a line that is folded, a path that is not percent-encoded)
and parameters of one name, which botocore does not sort.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import itertools
import json
import logging
import pickle
from datetime import datetime
from pathlib import Path

import pytest
from werkzeug import Response

import dynclient
from dynclient import exceptions
from dynclient.messages import Headers, Request
from dynclient.options import Retry, Secret
from dynclient.security import HMACAuth, SigV4

VECTORS = json.loads(Path(__file__).with_name("sigv4.json").read_text(encoding="utf-8"))
KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vector(vector, monkeypatch):
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime(2015, 8, 30, 12, 36))  # noqa: DTZ001  # as botocore's is
    credentials = (*KEYS, vector["token"]) if "token" in vector else KEYS
    url = f"https://example.amazonaws.com{vector['target']}"
    request = Request(vector["method"], url, Headers(vector["headers"]), vector["body"].encode() or None)
    signed = next(SigV4("service", "us-east-1", credentials).flow(request, None))
    assert signed.headers["Authorization"] == vector["authorization"]
    assert signed.headers["X-Amz-Date"] == "20150830T123600Z"
    assert (signed.method, signed.url, signed.body) == (request.method, request.url, request.body)


def document(url):
    operation = {
        "security": [{"Signed": []}],
        "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "", "content": {"application/json": {}}},
            "401": {"description": ""},
            "403": {"description": ""},
        },
    }
    put = {**operation, "operationId": "putThing", "requestBody": {"content": {"application/octet-stream": {}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": url}],
        "paths": {"/thing": {"get": {**operation, "operationId": "getThing"}, "put": put}},
        "components": {"securitySchemes": {"Signed": {"type": "apiKey", "in": "header", "name": "Authorization"}}},
    }


KEY = "canary-shared-key"


class Verifying:
    """Answers signed requests, and no signature twice; the first ``failures`` right ones with 503."""

    def __init__(self, httpserver, algorithm="sha256", *, failures=0):
        self.algorithm, self.failures = algorithm, failures
        self.signatures = []
        httpserver.expect_request("/thing").respond_with_handler(self.answer)
        self.url = httpserver.url_for("")

    def answer(self, request):
        body_hash = hashlib.new(self.algorithm, request.get_data()).hexdigest()
        target = request.environ["RAW_URI"]
        stamp, nonce = request.headers.get("X-Timestamp", ""), request.headers.get("X-Nonce", "")
        text = f"{request.method}\n{target}\n{request.host}\n{stamp}\n{nonce}\n{body_hash}"
        right = hmac.new(KEY.encode(), text.encode(), self.algorithm).hexdigest()
        if request.headers.get("X-Signature") != f"v1 my-key:{right}" or right in self.signatures:
            return Response(status=401)
        self.signatures.append(right)
        if len(self.signatures) <= self.failures:
            return Response(status=503)
        return Response('"in"', content_type="application/json")


def signer(algorithm="sha256", key=KEY):
    return HMACAuth(
        key,
        header="X-Signature",
        template="{method}\n{target}\n{host}\n{timestamp}\n{nonce}\n{body_hash}",
        algorithm=algorithm,
        value="v1 {key_id}:{signature}",
        headers={"X-Timestamp": "{timestamp}", "X-Nonce": "{nonce}"},
        key_id="my-key",
    )


@pytest.mark.parametrize("key", [KEY, KEY.encode(), Secret(KEY)], ids=["text", "bytes", "secret"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1"])
def test_hmac_on_a_server(client, httpserver, algorithm, key):
    server = Verifying(httpserver, algorithm)
    calls = [
        ("get_thing", {}),
        ("get_thing", {"q": "a b&c/é"}),
        ("put_thing", {"body": b"data"}),
    ]
    made = client(document(server.url), auth={"Signed": signer(algorithm, key)})
    assert made.each(*calls) == ["in"] * len(calls)


@pytest.mark.parametrize("body", [None, b"data"])
def test_each_attempt_is_signed_again(client, httpserver, body):
    server = Verifying(httpserver, failures=2)
    call = ("put_thing", {"body": body}) if body else ("get_thing", {})
    assert client(document(server.url), auth=signer(), retry=Retry(base=0, throttle_base=0)).each(call) == ["in"]
    assert len(server.signatures) == 3


def test_the_target_of_a_redirect_is_signed_again(client, httpserver):
    server = Verifying(httpserver)
    described = document(server.url)
    described["paths"]["/old"] = {"get": {**described["paths"]["/thing"]["get"], "operationId": "old"}}
    httpserver.expect_request("/old").respond_with_data("", 307, {"Location": "/thing?q=1"})
    assert client(described, auth=signer()).each(("old", {})) == ["in"]


def test_a_wrong_key_is_refused_once(client, httpserver):
    server = Verifying(httpserver)
    (outcome,) = client(document(server.url), auth=signer(key="canary-other")).results("get_thing", 1)
    assert isinstance(outcome, exceptions.Unauthorized)
    assert outcome.attempts == 1
    assert "canary" not in f"{outcome} {vars(outcome)!r}"


def test_a_stream_is_not_signed(client, httpserver):
    server = Verifying(httpserver)
    (outcome,) = client(document(server.url), auth=signer()).each(("put_thing", {"body": io.BytesIO(b"a file")}))
    assert isinstance(outcome, exceptions.ArgumentError)
    assert "must be bytes" in str(outcome)
    assert server.signatures == []


def test_a_template_of_body_date_and_header():
    auth = HMACAuth(b"\x00\xff", header="Sig", template="{header:Content-Type}|{date}|{body}", encoding="base64")
    request = Request("POST", "https://api.test", Headers({"Content-Type": "a/b"}), b"\xff\x00")

    class Context:
        now = staticmethod(lambda: 0)
        random = staticmethod(bytes)

    signed = next(auth.flow(request, Context()))
    text = b"a/b|Thu, 01 Jan 1970 00:00:00 GMT|\xff\x00"
    assert base64.b64decode(signed.headers["Sig"]) == hmac.digest(b"\x00\xff", text, "sha256")


MISTAKES = [
    ({"template": "{methods}"}, "unknown field 'methods'"),
    ({"template": "{signature}"}, "unknown field"),
    ({"template": "{method"}, "malformed"),
    ({"value": "{sig}"}, "unknown field"),
    ({"headers": {"Y": "{y}"}}, "unknown field"),
    ({"algorithm": "sha3"}, "no algorithm 'sha3'"),
    ({"encoding": "base32"}, "hex, base64"),
]


@pytest.mark.parametrize(("mistake", "text"), MISTAKES)
def test_mistakes_show_when_it_is_made(mistake, text):
    with pytest.raises(exceptions.ArgumentError, match=text) as caught:
        HMACAuth("canary", **({"header": "X", "template": "{method}"} | mistake))
    assert "canary" not in str(caught.value)


def test_signatures_are_masked_and_keys_not_shown(httpserver):
    server = Verifying(httpserver)
    auth = signer()
    with dynclient.load(document(server.url), auth=auth) as things:
        assert things.get_thing() == "in"
        assert things.get_thing.prepare().headers["Authorization"] == "$YOUR_AUTHORIZATION"
    assert KEY not in f"{auth!r} {vars(auth)!r}"
    assert KEY.encode().hex() not in f"{auth!r} {vars(auth)!r}"
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(auth)


class AWS:
    """Verifies Signature Version 4 as AWS documents it, by its own hand."""

    def __init__(self, httpserver, service):
        self.service = service
        self.requests = []
        self.statuses = iter(())
        httpserver.expect_request("/thing").respond_with_handler(self.answer)
        self.url = httpserver.url_for("")

    def answer(self, request):
        self.requests.append(request)
        word, _, rest = request.headers.get("Authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        access, day, *scope = parts["Credential"].split("/")
        names = parts["SignedHeaders"].split(";")
        payload = hashlib.sha256(request.get_data()).hexdigest()
        lines = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names)
        query = "&".join(sorted(request.query_string.decode().split("&")))
        canonical = "\n".join([request.method, request.path, query, lines, ";".join(names), payload])
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join([word, request.headers["X-Amz-Date"], "/".join([day, *scope]), hashed])
        key = f"AWS4{KEYS[1]}".encode()
        for piece in (day, *scope):
            key = hmac.digest(key, piece.encode(), "sha256")
        right = hmac.new(key, text.encode(), "sha256").hexdigest() == parts["Signature"]
        status = next(self.statuses, 200) if right and access == KEYS[0] else 403
        return Response('"in"', status, content_type="application/json")


@pytest.mark.parametrize("service", ["execute-api", "s3"])
def test_sigv4_on_a_server(client, httpserver, service):
    server = AWS(httpserver, service)
    server.statuses = iter([200, 503])
    calls = [
        ("get_thing", {"q": "a b&c/é"}),
        ("get_thing", {}),
        ("put_thing", {"body": b"data"}),
    ]
    auth = SigV4(service, "eu-central-1", (*KEYS, "canary-session-token"))
    made = client(document(server.url), auth=auth, retry=Retry(base=0, throttle_base=0))
    assert made.each(*calls) == ["in"] * len(calls)
    assert len(server.requests) == len(calls) + 1
    assert {request.headers["X-Amz-Security-Token"] for request in server.requests} == {"canary-session-token"}


def test_sigv4_takes_credentials_that_are_renewed(client, httpserver):
    from botocore.credentials import Credentials

    class Renewed(Credentials):
        count = itertools.count(1)

        def get_frozen_credentials(self):
            self.token = f"token-{next(self.count)}"
            return super().get_frozen_credentials()

    server = AWS(httpserver, "execute-api")
    made = client(document(server.url), auth=SigV4("execute-api", "eu-central-1", Renewed(*KEYS)))
    assert made.results("get_thing", 2) == ["in", "in"]
    assert [request.headers["X-Amz-Security-Token"] for request in server.requests][1] != "token-1"


def test_sigv4_shows_nothing(client, httpserver, caplog):
    caplog.set_level(logging.DEBUG)
    server = AWS(httpserver, "execute-api")
    auth = SigV4("execute-api", "eu-central-1", ("AKIDOTHER", "canary-secret", "canary-session"))
    (outcome,) = client(document(server.url), auth=auth).results("get_thing", 1)
    assert isinstance(outcome, exceptions.Forbidden)
    assert "canary" not in f"{outcome} {vars(outcome)!r} {auth!r} {vars(auth)!r} {caplog.text}"
    logging.getLogger("botocore.auth").debug("another's")
    assert "another's" in caplog.text


def test_s3_takes_a_stream_that_is_not_signed_over_tls_alone():
    auth = SigV4("s3", "us-east-1", KEYS)
    stream = iter([b"data"])
    signed = next(auth.flow(Request("PUT", "https://bucket.test/key", body=stream), None))
    assert signed.headers["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
    assert signed.body is stream
    for service, url in (("s3", "http://bucket.test/key"), ("execute-api", "https://api.test/")):
        with pytest.raises(exceptions.ArgumentError, match="must be bytes"):
            next(SigV4(service, "us-east-1", KEYS).flow(Request("PUT", url, body=stream), None))


@pytest.mark.parametrize("credentials", [None, "key", ("one",), ["a", "b"]])
def test_sigv4_refuses_other_credentials(credentials):
    with pytest.raises(exceptions.ArgumentError, match="access key"):
        SigV4("s3", "us-east-1", credentials)
