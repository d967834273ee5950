"""A credential that a server repeats is masked in every form, or the text is withheld."""

from __future__ import annotations

import base64
import html
import json
import logging
import pickle
import random
import traceback
from urllib.parse import quote, quote_plus

import pytest

import dynclient
from dynclient._secrets import WITHHELD, Mask
from dynclient.exceptions import ResponseError, ResponseTooLarge, ResponseValidationError
from dynclient.options import Limits

SECRET = "abcd/efgh+ijkl&mnop<qr"
ANSWER = {"description": "d", "content": {"*/*": {}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/x": {"get": {"operationId": "go", "responses": {"200": ANSWER, "400": ANSWER}}}},
    "components": {
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "basic": {"type": "http", "scheme": "basic"},
        }
    },
    "security": [{"key": []}, {"basic": []}],
}


def by_code(text, form):
    return "".join(form.format(ord(character)) for character in text)


FORMS = {
    "as it is": lambda text: text,
    "PHP's JSON": lambda text: text.replace("/", "\\/"),
    "JSON escapes": lambda text: by_code(text, "\\u{:04x}"),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text}).replace("/", "\\/")),
    "Python's bytes": lambda text: by_code(text, "\\x{:02x}"),
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded in part": lambda text: text.replace("/", "%2f").replace("<", "%3C"),
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "all of it percent-encoded": lambda text: by_code(text, "%{:02x}"),
    "a form's field": quote_plus,
    "HTML": html.escape,
    "HTML by numbers": lambda text: by_code(text, "&#{};"),
    "HTML by hexadecimal numbers": lambda text: by_code(text, "&#x{:X};"),
    "HTML of a URL": lambda text: html.escape(quote(text, safe="/")),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 from within": lambda text: b"\0" + text.encode("utf-16-be"),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 of more": lambda text: base64.b64encode(f"x{text}yz".encode()),
    "base64 of a URL": lambda text: base64.urlsafe_b64encode(f"xy{text}".encode()),
    "base64 of a pair": lambda text: base64.b64encode(f"user:{text}".encode()),
    "base64, folded": lambda text: base64.encodebytes(b"-" * 60 + text.encode()),
    "hexadecimal": lambda text: text.encode().hex(),
}


def shown(error):
    """Everything that an error shows, its escapes undone once, without the zeros of UTF-16."""
    texts = (str(error), "".join(traceback.format_exception(error)), repr(error.response.body), repr(error.data))
    text = " ".join((*texts, repr(pickle.dumps(error)), repr(error.headers)))
    return text.replace("\\\\", "\\").replace("\\x00", "").replace("\\n", "")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("auth", [{"key": SECRET}, {"basic": ("user", SECRET)}], ids=["key", "basic"])
def test_a_repeated_credential(form, auth, httpserver):
    repeated = FORMS[form](SECRET)
    body = repeated if isinstance(repeated, bytes) else repeated.encode()
    httpserver.expect_request("/x").respond_with_data(b"was: " + body + b" .", status=400, content_type="text/plain")
    client = dynclient.load(DOCUMENT, base_url=httpserver.url_for(""), auth=auth, retry=1)
    with client, pytest.raises(ResponseError) as caught:
        client.go()
    text = shown(caught.value)
    looked_for = body.decode("latin-1").replace("\0", "").replace("\n", "").strip("ÿþ=")
    assert looked_for not in text
    assert not any(FORMS[form](SECRET[at : at + 6]) in text for at in range(10) if form.startswith("as it"))
    assert "***" in text


def test_any_mixture_of_forms_is_masked_or_withheld():
    chance = random.Random(3)
    for _ in range(400):
        secret = "".join(chance.choices("abcXYZ019/+=_-.&<>'\"%\\: ~", k=chance.randint(8, 24)))
        mask = Mask([secret])
        ways = [
            lambda c: c,
            lambda c: quote(c, safe=""),
            html.escape,
            lambda c: f"&#{ord(c)};",
            lambda c: f"%{ord(c):02x}",
        ]
        ways = [*ways, lambda c: f"\\u{ord(c):04x}"] if "\\" not in secret else ways[:1]
        if "%" in secret or "&" in secret:
            ways = [lambda c: f"%25{ord(c):02X}", lambda c: f"&#x{ord(c):x};"]
        written = "".join(chance.choice(ways)(character) for character in secret)
        text = f"before {written} behind"
        assert mask.apply(text) in {"before *** behind", WITHHELD}, (secret, written)
        assert mask.apply({"a": [text.encode()]})["a"][0] in {b"before *** behind", WITHHELD.encode()}


@pytest.mark.parametrize(
    "text", ["nothing of it", "100% \\n &amp; <b>", "%41%42", "\\u0041", "a" * 5000, "&#1" + "0" * 30]
)
def test_other_texts_stay(text):
    assert Mask([SECRET]).apply(text) == text
    assert Mask([SECRET]).apply(text.encode()) == text.encode()


@pytest.mark.parametrize(
    "text", ["\\" * 600, "&#" + "9" * 5000 + ";", "%25" * 600_000], ids=["layers", "number", "size"]
)
def test_what_can_not_be_decoded_is_withheld(text):
    assert Mask([SECRET]).apply(text) == WITHHELD


def read(client):
    with client.go.stream() as answer:
        answer.read()


@pytest.mark.parametrize("way", ["stream", "call"])
@pytest.mark.parametrize("form", ["as it is", "percent-encoded", "JSON escapes", "base64"])
@pytest.mark.parametrize("at", [0, 1, 9, 21])
def test_an_excerpt_ends_before_a_secret(way, form, at, httpserver):
    """A body that is too large: a secret that stands across the excerpt's end, or across that of what has come."""
    written = FORMS[form](SECRET)
    written = written.decode() if isinstance(written, bytes) else written
    body = "x" * (1024 - len(written) + at) + written + "y" * 100_000
    httpserver.expect_request("/x").respond_with_data(body, content_type="text/plain")
    limits = Limits(response_bytes=2000)
    client = dynclient.load(DOCUMENT, base_url=httpserver.url_for(""), auth={"key": SECRET}, retry=1, limits=limits)
    with client, pytest.raises(ResponseTooLarge) as caught:
        read(client) if way == "stream" else client.go()
    text = shown(caught.value)
    assert not any(written[start : start + 5] in text for start in range(len(written) - 5))


@pytest.mark.parametrize("cut", range(3, len(SECRET)))
def test_the_beginning_of_a_body_that_goes_on(cut):
    for form in ("as it is", "percent-encoded", "all of it percent-encoded", "HTML by numbers", "JSON escapes"):
        written = FORMS[form](SECRET[:cut]).encode()
        for partly in (b"", b"%", b"\\u00", b"&#4"):
            assert SECRET[:3].encode() not in Mask([SECRET]).beginning(b"before " * 100 + written + partly, 1024)
    assert Mask([SECRET]).beginning(b"before", 1024) == b"before"


def test_a_secret_as_a_member_or_a_content_type(httpserver, caplog):
    """Names of members and types of content are in messages."""
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    content = {"application/json": {"schema": schema}}
    document = {
        **DOCUMENT,
        "paths": {"/x": {"get": {"operationId": "go", "responses": {"200": {**ANSWER, "content": content}}}}},
    }
    secret = "abcd-efgh-ijkl"
    httpserver.expect_ordered_request("/x").respond_with_json({secret: "x"})
    httpserver.expect_ordered_request("/x").respond_with_data(b"{}", content_type=f"text/{secret}")
    httpserver.expect_ordered_request("/x").respond_with_json({secret: "x"})
    with dynclient.load(document, base_url=httpserver.url_for(""), auth={"key": secret}, retry=1) as client:
        for kind in (ResponseValidationError, ResponseError):
            with pytest.raises(kind) as caught:
                client.go()
            assert secret not in str(caught.value) + repr(pickle.dumps(caught.value))
        with caplog.at_level(logging.DEBUG, "dynclient"):
            client.with_options(validate="warn").go()
    assert secret not in caplog.text
    assert "accepted" in caplog.text


def test_a_pickled_client_has_no_header_of_a_scheme():
    with dynclient.load(DOCUMENT, headers={"x-KEY": SECRET, "X-Other": "kept", "authorization": SECRET}) as client:
        kept = pickle.dumps(client)
    assert SECRET.encode() not in kept
    assert b"kept" in kept
