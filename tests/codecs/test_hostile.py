"""Bodies that a broken or hostile server sends: always a DecodeError, and soon."""

import pickle
import time

import pytest

from dynclient import codecs
from dynclient.codecs import json as json_codec
from dynclient.exceptions import DecodeError
from dynclient.options import Limits

JSON, XML, FORM, TEXT = "application/json", "application/xml", "application/x-www-form-urlencoded", "text/plain"
MIXED = "multipart/mixed; boundary=b"
LIMITS = Limits()
BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 20))

# The body, its Content-Type, a word of the fault, and the offset if it is known.
CASES = {
    "nothing": (b"", JSON, "empty", 0),
    "blanks": (b" \n", JSON, "empty", 0),
    "cut": (b'{"a": [1, 2', JSON, "delimiter", 11),
    "a cut string": (b'{"a": "x', JSON, "unterminated", 6),
    "something after the value": (b'{"a":1} {"a":2}', JSON, "extra data", 8),
    "a comma too many": (b"[1,]", JSON, "", None),
    "single quotes": (b"{'a':1}", JSON, "double quotes", 1),
    "an HTML page": (b"<html>", JSON, "expecting value", 0),
    "a name twice": (b'{"a":1,"b":2,"a":3}', JSON, "'a' occurs twice", None),
    "a name twice, deep within": (b'[{"a":{"x:":1,"y":2,"x:":3}}]', JSON, "occurs twice", None),
    "a name twice, where another has a space after it": (b'{"a" :1,"b":2,"b":3}', JSON, "'b' occurs twice", None),
    "a name twice, where another has a line after it": (b'{"a" \n\t:1,"b":2,"b":3}', JSON, "'b' occurs twice", None),
    "a name twice, escaped": (b'{"a":1,"\\u0061":2}', JSON, "'a' occurs twice", None),
    "NaN": (b'{"NaN":NaN}', JSON, "NaN", 7),
    "Infinity": (b"[Infinity]", JSON, "Infinity", 1),
    "minus Infinity": (b"[-Infinity]", JSON, "Infinity", 1),
    "a float too large": (b"[1, 1e400]", JSON, "too large", 4),
    "a float too small": (b"[-1e400]", JSON, "too large", 1),
    "100,000 digits": (b"[" + b"9" * 100_000 + b"]", JSON, "4300 digits", 1),
    "100,000 arrays": (b"[" * 100_000 + b"]" * 100_000, JSON, "deeper than 128", 128),
    "100,000 arrays, never closed": (b"[" * 100_000, JSON, "deeper than 128", 128),
    "100,000 objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON, "deeper than 128", 640),
    "brackets among strings": (b'["]]]",' * 200 + b"1" + b"]" * 200, JSON, "deeper than 128", 896),
    "129 levels": (b"[" * 129 + b"]" * 129, JSON, "deeper than 128", 128),
    "half a surrogate pair": (b'["x", "\\ud800"]', JSON, "surrogate", 7),
    "the other half": (b'"\\udc00\\ud800"', JSON, "surrogate", 1),
    "bytes that are not UTF-8": (b'{"a":"\xff"}', JSON, "not text in utf-8", 6),
    "UTF-16 that does not say so": ('{"a":1}'.encode("utf-16"), JSON, "not text in utf-8", 0),
    "UTF-32 that does not say so": ('{"a":1}'.encode("utf-32-le"), JSON, "", None),
    "an unknown charset": (b'{"a":1}', f"{JSON}; charset=klingon", "'klingon' is not known", None),
    "a codec that is no charset": (b"a", f"{TEXT}; charset=rot13", "not known", None),
    "a codec that unpacks": (b"a", f"{TEXT}; charset=zip", "not known", None),
    "an unknown charset of a text": (b"a", f"{TEXT}; charset=x", "not known", None),
    "text that is not in its charset": (b"\xff", f"{TEXT}; charset=ascii", "not text", 0),
    "entities of entities": (f'<!DOCTYPE b [<!ENTITY e0 "x">{BOMB}]><b>&e19;</b>'.encode(), XML, "DOCTYPE", None),
    "one long entity": (
        f'<!DOCTYPE b [<!ENTITY e "{"x" * 10_000}">]><b>{"&e;" * 10_000}</b>'.encode(), XML, "DOCTYPE", None),
    "a file as an entity": (
        b'<!DOCTYPE b [<!ENTITY e SYSTEM "file:///etc/passwd">]><b>&e;</b>', XML, "DOCTYPE", None),
    "another host as an entity": (
        b'<!DOCTYPE b [<!ENTITY e SYSTEM "http://169.254.169.254/">]><b>&e;</b>', XML, "DOCTYPE", None),
    "a parameter entity": (b'<!DOCTYPE b [<!ENTITY % p SYSTEM "http://x/"> %p;]><b/>', XML, "DOCTYPE", None),
    "a DTD elsewhere": (b'<!DOCTYPE b SYSTEM "http://x/b.dtd"><b/>', XML, "DOCTYPE", None),
    "a DOCTYPE alone": (b"<!DOCTYPE html><html/>", XML, "DOCTYPE", None),
    "a DOCTYPE in UTF-16": ("<!DOCTYPE b []><b/>".encode("utf-16"), XML, "DOCTYPE", None),
    "an entity that nothing defines": (b"<b>&e;</b>", XML, "not well-formed", 3),
    "100,000 elements": (b"<a>" * 100_000 + b"</a>" * 100_000, XML, "deeper than 128", None),
    "XML that is cut": (b"<a><b>1</b>", XML, "not well-formed", 11),
    "XML that is empty": (b" ", XML, "empty", 0),
    "a control character in XML": (b"<a>\x01</a>", XML, "not well-formed", 3),
    "XML that lies about its charset": (b'<?xml version="1.0" encoding="utf-8"?><a>\xff</a>', XML, "not text", 41),
    "XML in no known charset": (b'<?xml version="1.0" encoding="klingon"?><a/>', XML, "not known", None),
    "a form that is not UTF-8": (b"a=%ff", FORM, "not text", None),
    "parts without a boundary": (b"--b\r\n\r\n\r\n--b--", "multipart/mixed", "no boundary", None),
    "parts that are cut": (b"--b\r\n\r\nx\r\n--b\r\n\r\ny", MIXED, "cut", 18),
    "no parts at all": (b"", MIXED, "cut", 0),
    "a part without the end of its headers": (b"--b\r\nA: b\r\nx\r\n--b--", MIXED, "blank line", 5),
    "a header of a part that is none": (b"--b\r\nA b\r\n\r\nx\r\n--b--", MIXED, "malformed", 5),
    "too many headers of a part": (b"--b\r\n" + b"A: b\r\n" * 101 + b"\r\nx\r\n--b--", MIXED, "too many headers", 5),
    "a header of a part that is too long": (
        b"--b\r\nA: " + b"b" * 70_000 + b"\r\n\r\nx\r\n--b--", MIXED, "too long", 5),
    "200,000 parts": (b"--b\r\n\r\n\r\n" * 200_000 + b"--b--", MIXED, "more than 100000 parts", None),
    "a part in an unknown transfer encoding": (
        b"--b\r\nContent-Transfer-Encoding: x-uue\r\n\r\nx\r\n--b--", MIXED, "not known", None),
    "a part that says base64": (
        b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n***\r\n--b--", MIXED, "base64", None),
    "a part of a form without a name": (
        b"--b\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", "no name", None),
    "a line that is no JSON": (b'{"a":1}\n{"b":\n', "application/jsonl", "expecting value", 13),
    "a record that is cut": (b"\x1e[1]\n\x1e12", "application/json-seq", "cut", 6),
    "records without a separator": (b"[1]\n", "application/json-seq", "separator", 0),
    "events that are not UTF-8": (b"data: \xff\n\n", "text/event-stream", "not text", 6),
}  # fmt: skip


@pytest.mark.parametrize("msgspec", [True, False], ids=["msgspec", "json"])
@pytest.mark.parametrize(("body", "content_type", "fault", "offset"), CASES.values(), ids=CASES)
def test_is_refused(monkeypatch, body, content_type, fault, offset, msgspec):
    if not msgspec:
        monkeypatch.setattr(json_codec, "_msgspec", lambda: None)
    start = time.process_time()
    with pytest.raises(DecodeError) as raised:
        codecs.find(content_type).decode(body, None, content_type, LIMITS)
    assert fault in str(raised.value)
    assert raised.value.offset == offset or offset is None
    assert len(str(raised.value)) <= 2000
    assert time.process_time() - start < 3
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_nested_parts_end_at_the_limit():
    body, content_type = b"x", "text/plain"
    for level in range(200):
        head = f"--b{level}\r\nContent-Type: {content_type}\r\n\r\n".encode()
        body, content_type = head + body + f"\r\n--b{level}--".encode(), f"multipart/mixed; boundary=b{level}"
    with pytest.raises(DecodeError, match="too deep"):
        codecs.find(content_type).decode(body, None, content_type, LIMITS)


@pytest.mark.parametrize("limit", [3, 4299, 4301])
def test_the_limit_of_digits_is_the_callers(limit):
    limits = Limits(integer_digits=limit)
    if limit <= 4300:
        assert json_codec.load(b"[-" + b"9" * limit + b"]", limits) == [-int("9" * limit)]
    with pytest.raises(DecodeError, match="digits"):
        json_codec.load(b"9" * (limit + 1), limits)


def test_128_levels_are_read():
    body = b'[{"a":' * 64 + b"1" + b"}]" * 64
    value = json_codec.load(body, LIMITS)
    assert json_codec.dump(value).encode() == body


@pytest.mark.parametrize("blanks", [b" ", b"\t", b"\r\n "])
def test_a_header_of_a_part_that_is_mostly_blank(blanks):
    head = b"X: a" + blanks * (60_000 // len(blanks)) + b"b"
    body = b"--b\r\n" + head + b"\r\n\r\nx\r\n--b--\r\n"
    started = time.thread_time()
    assert codecs.find(MIXED).decode(body, None, MIXED, LIMITS) == ["x"]
    assert time.thread_time() - started < 1
