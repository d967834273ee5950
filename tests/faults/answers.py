"""Responses that a client must not accept as they are."""

from __future__ import annotations

import gzip
import zlib
from functools import partial

from case import AUTH, DECODE, TOO_LARGE, Case, answer, document, head, ok

from dynclient import exceptions
from dynclient.options import Limits

GZIP, DEFLATE = b"Content-Encoding: gzip", b"Content-Encoding: deflate"
ONCE = {"retry": 1}
MiB = 1024 * 1024


def bomb(size: int) -> bytes:
    """``size`` zeros, compressed, without holding them all in memory."""
    made = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(made.compress(bytes(MiB)) for _ in range(size // MiB)), made.flush()])


BOMB = bomb(64 * MiB)
CSV = gzip.compress(b"a,b\n" * 5000, mtime=0)
BAD_CRC = CSV[:-8] + b"\0\0\0\0" + CSV[-4:]
ECHO = f'{{"seen": "{AUTH["Header"]} {AUTH["Query"]} {AUTH["Cookie"]} {AUTH["Basic"][1]}"}}'.encode()
PROBLEM = b'{"type": "urn:x", "title": 5, "status": "no", "detail": "why", "instance": null}'
BILLION = b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'
FILE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
WEB = b'<!DOCTYPE a [<!ENTITY b SYSTEM "http://127.0.0.1:9/x">]><a>&b;</a>'
EXTERNAL = b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>'
QUADRATIC = b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 100_000 + b'">]><a>' + b"&b;" * 10_000 + b"</a>"
DEEP_XML = b"<a>" * 100_000 + b"</a>" * 100_000

_get = ("get_any", {})
_csv = ("get_csv", {})
_xml = ("get_xml", {})


def body(row, name, expect, body, *lines, call=_get, **more):
    """A case whose server responds 200 with this body."""
    kind = {"get_csv": b"text/csv", "get_xml": b"application/xml"}.get(call[0], b"application/json")
    return Case(row, name, expect, (("ask", ok(body, *lines, content_type=kind)),), call, **more)


def code(row, name, expect, status, body=b"", *lines, call=_get, **more):
    """A case whose server responds with this status."""
    lines = lines or (b"Content-Type: application/json",)
    return Case(row, name, expect, (("ask", answer(status, body, *lines)),), call, **more)


json = partial(body, expect=DECODE)
xml = partial(body, "R17", expect=DECODE, call=_xml, text="DOCTYPE")

CASES = [
    # Rows R1, bombs
    body("R1", "gzip_bomb", TOO_LARGE, BOMB, GZIP, data={"limit": "ratio"}, memory=128, seconds=5),
    body("R1", "deflate_bomb", TOO_LARGE, zlib.compress(bytes(60 * MiB), 1), DEFLATE, memory=128),
    body("R1", "bomb_in_a_bomb", TOO_LARGE, gzip.compress(BOMB), b"Content-Encoding: gzip, gzip", memory=128,
         seconds=5),
    body("R1", "bomb_where_any_ratio_may_be", TOO_LARGE, BOMB, GZIP, data={"limit": "response_bytes"}, memory=128,
         options={"limits": Limits(ratio=10_000)}),
    Case("R1", "bomb_behind_a_redirect", TOO_LARGE, (("ask", answer(302, BOMB, b"Location: /open", GZIP)),), _get,
         memory=128, seconds=5),
    Case("R1", "bomb_in_an_error", TOO_LARGE, (("ask", answer(500, BOMB, GZIP)),), ("post_thing", {"body": {}}),
         memory=128, seconds=5),
    # Rows R2, codings
    body("R2", "gzip_chain", TOO_LARGE, b"x", b"Content-Encoding: gzip, gzip, gzip", data={"limit": "codings"}),
    body("R2", "coding_that_was_not_accepted", DECODE, b"x", b"Content-Encoding: lzma", options=ONCE),
    # Rows R3, cut and damaged codings
    body("R3", "truncated_gzip_csv", DECODE, CSV[:-20], GZIP, call=_csv, attempts=3),
    body("R3", "gzip_without_its_end", DECODE, CSV[:-1], GZIP, call=_csv, attempts=3),
    body("R3", "gzip_bad_crc", DECODE, BAD_CRC, GZIP, call=_csv, attempts=3),
    body("R3", "deflate_cut", DECODE, zlib.compress(b"a,b\n" * 500)[:-3], DEFLATE, call=_csv, attempts=3),
    body("R3", "rubbish_after_gzip", DECODE, CSV + b"more", GZIP, call=_csv, attempts=3),
    Case("R3", "whole_at_the_second_try", "a,b\n" * 5000, (("ask", ok(CSV[:-20], GZIP, content_type=b"text/csv")),
         ("ask", ok(CSV, GZIP, content_type=b"text/csv"))), _csv, attempts=2),
    # Rows R4 and R5, over a limit
    Case("R4", "huge_content_length", TOO_LARGE, (("ask", answer(200, length=10**12), "until_closed"),), _get,
         memory=64, data={"limit": "encoded_response_bytes"}),
    Case("R4", "length_of_forty_digits", exceptions.ProtocolError, (("ask", head(200, b"Content-Length: " + b"9" * 40),
         "until_closed"),), _get),
    Case("R5", "endless_body", TOO_LARGE, (("ask", head(200), ("repeat", b"x" * 65_536)),), _get, memory=128,
         seconds=6),
    Case("R5", "endless_chunks", TOO_LARGE, (("ask", head(200, b"Transfer-Encoding: chunked"),
         ("repeat", b"10000\r\n" + b"x" * 65_536 + b"\r\n")),), _get, memory=128, seconds=6),
    # Rows R6, a large error
    code("R6", "huge_error_body", exceptions.ServerError, 501, b"x" * (8 * MiB), memory=80, seconds=15),
    code("R6", "error_page_beyond_the_limit", TOO_LARGE, 501, b"x" * (33 * MiB), memory=64),
    # R7, R8, R9: types
    code("R7", "html_for_json", exceptions.UnexpectedMediaType, 200, b"<html>", b"Content-Type: text/html",
         text="text/html"),
    code("R7", "json_as_text_plain", exceptions.UnexpectedMediaType, 200, b"{}", b"Content-Type: text/plain"),
    code("R8", "missing_content_type", {"id": 1}, 200, b'{"id": 1}', b"X-Y: z"),
    code("R8", "missing_content_type_and_invalid_json", DECODE, 200, b"<html>", b"X-Y: z"),
    code("R8", "malformed_content_type", exceptions.UnexpectedMediaType, 200, b"{}", b"Content-Type: json"),
    code("R9", "upper_case_and_parameters", {"id": 1}, 200, b'{"id": 1}', b"Content-Type: APPLICATION/Json; q=1"),
    code("R9", "suffix_that_is_not_documented", exceptions.UnexpectedMediaType, 200, b"{}",
         b"Content-Type: application/x+json"),
    # Rows R10 to R16, JSON
    json("R10", "cut", body=b'{"id": ', data={"offset": 7}),
    json("R10", "empty", body=b""),
    json("R10", "trailing_garbage", body=b'{"id": 1} x'),
    json("R10", "two_values", body=b"{}{}"),
    json("R11", "duplicate_keys", body=b'{"a": 1, "a": 2}', text="twice"),
    json("R12", "nan", body=b'{"a": NaN}'),
    json("R12", "minus_infinity", body=b"[-Infinity]"),
    json("R12", "float_overflow", body=b"[1e400]"),
    body("R13", "big_int", 2**64 + 1, b"18446744073709551617"),
    json("R13", "int_of_100000_digits", body=b"9" * 100_000),
    json("R14", "deep_arrays", body=b"[" * 100_000 + b"]" * 100_000),
    json("R14", "deep_objects_cut", body=b'{"a":' * 100_000),
    json("R15", "lone_surrogate", body=b'["\\ud800"]'),
    json("R15", "not_utf_8", body=b'["\xff"]'),
    body("R15", "byte_order_mark", [1], b"\xef\xbb\xbf[1]"),
    json("R15", "utf_16", body="[1]".encode("utf-16-be")),
    code("R16", "unknown_charset", DECODE, 200, b"a,b", b"Content-Type: text/csv; charset=klingon", call=_csv),
    code("R16", "charset_that_is_not_for_text", DECODE, 200, b"a,b", b"Content-Type: text/csv; charset=zlib_codec",
         call=_csv),
    # Rows R17 and R18, XML
    xml("entity_bomb", body=BILLION),
    xml("quadratic_blow_up", body=QUADRATIC),
    xml("file_entity", body=FILE),
    xml("web_entity", body=WEB),
    xml("external_dtd", body=EXTERNAL),
    body("R18", "deep_elements", DECODE, DEEP_XML, call=_xml, memory=128),
    # Rows R19 to R21, undocumented responses, and problem details
    body("R19", "schema_violation", exceptions.ResponseValidationError, b'{"id": "x", "secret": "' +
         AUTH["Header"].encode() + b'"}', call=("get_thing", {}), text="$.id"),
    body("R19", "missing_property", exceptions.ResponseValidationError, b"{}", call=("get_thing", {}), text="id"),
    code("R20", "undocumented_success", exceptions.UndocumentedStatus, 202, b"<p>", b"Content-Type: text/html"),
    code("R20", "undocumented_307_body", exceptions.RedirectError, 307, b"{}"),
    code("R20", "range_honoured", exceptions.ApiError, 418, b"{}"),
    code("R20", "undocumented_500_is_repeated", exceptions.undocumented(500), 500, b"{}", attempts=3,
         source=lambda place: _without_errors(place.url)),
    code("R21", "problem", exceptions.NotFound, 404, PROBLEM, b"Content-Type: application/problem+json",
         data={"problem": exceptions.Problem("urn:x", None, None, "why", None)}),
    code("R21", "problem_as_an_array", exceptions.NotFound, 404, b"[1]", b"Content-Type: application/problem+json",
         data={"problem": None}),
    # Rows R22 and R23, the texts of errors
    code("R22", "control_characters", exceptions.BadRequest, 400, b'"\x1b[31m\\u0007\r\n"', text="x1b[31m"),
    code("R22", "bidi_and_ansi_in_a_page", exceptions.BadRequest, 400, "\x1b]0;x\x07\u202e".encode(),
         b"Content-Type: text/html", text="u202e"),
    code("R23", "secrets_echoed_in_an_error", exceptions.BadRequest, 400, ECHO),
    code("R23", "secrets_echoed_in_a_header", exceptions.BadRequest, 400, b"{}", b"X-Echo: " + AUTH["Header"].encode(),
         b"Content-Type: application/json"),
    body("R23", "secrets_echoed_in_broken_json", DECODE, ECHO[:-1]),
    # Rows R24, redirects that are not followed
    code("R24", "redirect_to_itself", exceptions.RedirectError, 302, b"", b"Location: /any?api_key=" +
         AUTH["Query"].encode(), text="loop"),
    Case("R24", "redirect_without_end", exceptions.RedirectError, tuple(("ask", answer(302, b"", b"Location: /%d" % n))
         for n in range(9)), _get, attempts=6, text="more than 5"),
    code("R24", "redirect_without_location", exceptions.RedirectError, 301, b"", text="no Location"),
    code("R24", "redirect_to_a_file", exceptions.RedirectError, 302, b"", b"Location: file:///etc/passwd"),
    code("R24", "redirect_to_user_info", exceptions.RedirectError, 302, b"", b"Location: http://a:b@127.0.0.1/"),
    code("R24", "redirect_to_an_invalid_url", exceptions.RedirectError, 302, b"", b"Location: http://[::1"),
    code("R24", "redirect_of_a_post", exceptions.RedirectError, 307, b"", b"Location: /open",
         call=("post_thing", {"body": {}})),
    code("R24", "redirect_of_a_delete", exceptions.RedirectError, 303, b"", b"Location: /open",
         call=("delete_thing", {})),
    Case("R24", "redirect_within_the_origin", {"id": 1}, (("ask", answer(302, b"", b"Location: /open")), ("ask", ok())),
         _get, attempts=2),
]  # fmt: skip  # a case reads best on one line, or two


def _without_errors(url):
    """The document without its error responses."""
    made = document(url)
    for methods in made["paths"].values():
        for operation in methods.values():
            operation["responses"] = {key: value for key, value in operation["responses"].items() if key[0] == "2"}
    return made
