"""Failures of connections and messages."""

from __future__ import annotations

from dataclasses import replace

from case import (
    AGAIN,
    BROKEN,
    LATE,
    LOST,
    SHORT,
    TIMED_OUT,
    Case,
    answer,
    head,
    ok,
)

from dynclient import exceptions
from dynclient.options import Limits, Retry, Timeout

CHUNKED = head(200, b"Content-Type: application/json", b"Transfer-Encoding: chunked")
GET, POST = ("get_thing", {}), ("post_thing", {"body": {"a": 1}})
UNKNOWN, KNOWN = {"outcome_unknown": True}, {"outcome_unknown": False}
THING = {"id": 1}
UPLOAD = ("upload", {"body": b"x" * 30_000_000})
JSON = b"Content-Type: application/json"
DATE = b"Date: Mon, 23 Nov 2026 08:00:00 GMT"


def bad(name, *said, row="T6", expect=BROKEN, attempts=1, **more):
    """A GET with this response each time."""
    return Case(row, name, expect, (("ask", *said),), attempts=attempts, **more)


def again(row, name, status, *lines, call=GET, attempts=2, **more):
    """A first response with this status, and a second one that is successful."""
    return Case(row, name, THING, (("ask", answer(status, b"{}", JSON, *lines)), ("ask", ok())), call, attempts, **more)


def ever(row, name, status, expect, *lines, call=GET, attempts=3, **more):
    """The same status each time."""
    return Case(row, name, expect, (("ask", answer(status, b"{}", JSON, *lines)),), call, attempts, **more)


def early(*lines):
    return b"".join(head(status) for status in lines)


CASES = [
    # Rows T1 and T2, no answer
    bad("reset_before_response", "reset", row="T1", expect=LOST, attempts=3),
    bad("close_before_response", row="T1", expect=LOST, attempts=3),
    bad("close_in_headers", b"HTTP/1.1 200 OK\r\nConte", row="T1", expect=LOST, attempts=3),
    Case("T1", "good_at_the_third_try", THING, (("ask", "reset"), ("ask",), ("ask", ok())), attempts=3),
    Case("T2", "reset_before_response_post", LOST, (("ask", "reset"),), POST, data=UNKNOWN),
    Case("T2", "close_before_response_post", LOST, (("ask",),), POST, data=UNKNOWN),
    Case("T2", "reset_before_response_patch", LOST, (("ask", "reset"),), ("patch_thing", {"body": {}}), data=UNKNOWN),
    Case("T2", "reset_put_is_repeated", THING, (("ask", "reset"), ("ask", ok())), ("put_thing", {"body": {}}), 2),
    Case("T2", "keyed_post_is_repeated", THING, (("ask", "reset"), ("ask", ok())), POST, 2,
         options={"retry": replace(AGAIN, idempotency_key="Idempotency-Key")}, sent=(b"idempotency-key: ",)),
    # Rows T5, less than was promised
    bad("truncated_content_length", answer(200, b"abc", JSON, length=10), row="T5", expect=LOST, attempts=3),
    bad("truncated_valid_json", answer(200, b'{"id": 1}', JSON, length=10), row="T5", expect=LOST, attempts=3),
    bad("chunked_no_terminator", CHUNKED + b"9\r\n" + b'{"id": 1}' + b"\r\n", row="T5", expect=LOST, attempts=3),
    Case("T5", "truncated_post", LOST, (("ask", answer(200, b'{"id": 1}', JSON, length=10)),), POST, data=UNKNOWN),
    # Rows T6, invalid HTTP
    bad("garbage", b"\x00\xff" * 40 + b"\n"),
    bad("http_09", b"<html>hello</html>\n"),
    bad("two_content_lengths", head(200, b"Content-Length: 2", b"Content-Length: 3") + b"{}}"),
    bad("length_and_chunked", head(200, b"Content-Length: 2", b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n"),
    bad("chunked_behind_another_space", head(200, JSON, b"Transfer-Encoding: \x0bchunked") + b"2\r\n{}\r\n0\r\n\r\n"),
    bad("length_behind_another_space", head(200, JSON, b"Content-Length: \xa02") + b"{}"),
    bad("signed_length", head(200, JSON, b"Content-Length: +2") + b"{}"),
    bad("gzip_and_chunked", head(200, JSON, b"Transfer-Encoding: gzip, chunked") + b"2\r\n{}\r\n0\r\n\r\n"),
    bad("folded_length", head(200, JSON, b"Content-Length: 2", b" 0") + b"{}"),
    bad("space_in_a_name", head(200, JSON, b"A B: c") + b"{}"),
    bad("endless_chunk_extension", CHUNKED + b"2;a=", ("repeat", b"x" * 1000)),
    bad("bad_chunk_size", CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"),
    bad("signed_chunk_size", CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n"),
    bad("chunk_longer_than_told", CHUNKED + b"1\r\n{}\r\n0\r\n\r\n"),
    bad("space_before_colon", head(200, b"Content-Length : 2") + b"{}"),
    bad("nul_in_a_header", head(200, b"x: a\0b") + b"{}"),
    bad("header_without_colon", head(200, b"nonsense") + b"{}"),
    # Rows T7 and T8, too slow
    bad("slow_drip_headers", b"HTTP/1.1 200 OK\r\n", ("drip", b"x: y\r\n"), row="T7", expect=TIMED_OUT,
        options={"timeout": LATE}, seconds=2),
    bad("slow_drip_body", answer(200, b"", JSON, length=10**6), ("drip", b"x"), row="T7", expect=TIMED_OUT,
        options={"timeout": LATE}, seconds=2),
    bad("slow_drip_chunks", CHUNKED, ("drip", b"1\r\n \r\n"), row="T7", expect=TIMED_OUT, options={"timeout": LATE},
        seconds=2),
    bad("never_answers", "hang", row="T8", expect=TIMED_OUT, attempts=3, options={"timeout": SHORT}, seconds=2,
        data={"phase": "read"}),
    Case("T8", "never_answers_post", TIMED_OUT, (("ask", "hang"),), POST, data={"phase": "read", **UNKNOWN},
         options={"timeout": SHORT}, seconds=2),
    bad("deadline_over_all_attempts", "hang", row="T8", expect=TIMED_OUT, attempts=2, seconds=3,
        options={"timeout": Timeout(2, 0.5, 2, 0.9, 2)}),
    # Rows T9, no connection
    Case("T9", "refused", exceptions.ConnectError, call=("get_open", {}), attempts=0, data={"attempts": 3, **KNOWN},
         options={"base_url": "http://127.0.0.1:9"}),
    Case("T9", "refused_post", exceptions.ConnectError, call=POST, attempts=0, data={"attempts": 3, **KNOWN},
         options={"base_url": "http://127.0.0.1:9"}),
    Case("T9", "unknown_host", exceptions.ConnectError, call=("get_open", {}), attempts=0, data=KNOWN,
         options={"base_url": "http://nowhere.invalid"}),
    # Rows T10 and T11, uploads
    Case("T10", "never_reads_upload", TIMED_OUT, (("hang",),), UPLOAD, 0, data={"phase": "write", **UNKNOWN},
         options={"timeout": SHORT}),
    Case("T11", "early_413", exceptions.ApiError, (("ask_head", answer(413, b"{}", JSON), "finish"),), UPLOAD,
         data={"status": 413}, options={"timeout": SHORT}),
    # Rows T12 and T13, interim responses
    Case("T12", "early_hints_then_200", THING, (("ask", early(103, 102, 100), ok()),)),
    bad("switching_101", head(101), row="T12"),
    bad("endless_100", ("repeat", head(100)), row="T13"),
    bad("dripping_100", ("drip", head(100)), row="T13", expect=TIMED_OUT, options={"timeout": LATE}, seconds=2),
    # Rows T15, bodies where there are none
    Case("T15", "head_with_body", None, (("ask", answer(200, b"body")),), ("head_thing", {})),
    Case("T15", "no_content_with_body", None, (("ask", answer(204, b"body")),), ("delete_thing", {})),
    # Rows T16, too much of a head
    bad("huge_header_line", head(200, b"x: " + b"y" * 1_000_000), row="T16"),
    bad("many_headers", head(200, *[b"x: y"] * 10_000), row="T16"),
    bad("endless_trailers", CHUNKED + b"0\r\n", ("repeat", b"x: y\r\n"), row="T16"),
    # Rows T17, statuses
    again("T17", "status_503_then_200", 503),
    again("T17", "status_500_then_200", 500),
    again("T17", "status_408_then_200", 408),
    again("T17", "status_425_then_200", 425),
    again("T17", "status_502_then_200", 502),
    again("T17", "status_504_then_200", 504),
    again("T17", "status_429_of_a_post", 429, call=POST),
    ever("T17", "status_503_for_ever", 503, exceptions.ServerError, data={"attempts": 3}),
    ever("T17", "status_503_of_a_post", 503, exceptions.ServerError, call=POST, attempts=1),
    ever("T17", "status_500_of_a_patch", 500, exceptions.ServerError, call=("patch_thing", {"body": {}}), attempts=1),
    ever("T17", "status_501", 501, exceptions.ServerError, attempts=1),
    ever("T17", "status_505", 505, exceptions.ServerError, attempts=1),
    ever("T17", "status_409", 409, exceptions.Conflict, attempts=1),
    ever("T17", "asked_not_to_repeat", 503, exceptions.ServerError, b"x-should-retry: false", attempts=1),
    # Rows T18, Retry-After
    again("T18", "retry_after_0", 503, b"Retry-After: 0"),
    again("T18", "retry_after_1", 503, b"Retry-After: 1", seconds=4),
    again("T18", "retry_after_ms", 503, b"retry-after-ms: 5"),
    again("T18", "retry_after_garbage", 503, b"Retry-After: soon"),
    again("T18", "retry_after_a_date_that_has_passed", 503, DATE, b"Retry-After: Mon, 23 Nov 2026 07:00:00 GMT"),
    ever("T18", "retry_after_a_day", 503, exceptions.ServerError, b"Retry-After: 86400", attempts=1, seconds=2,
         data={"retry_after": 86400.0}),
    ever("T18", "retry_after_a_later_date", 503, exceptions.ServerError, DATE,
         b"Retry-After: Mon, 23 Nov 2026 10:00:00 GMT", attempts=1, seconds=2, data={"retry_after": 7200.0}),
    ever("T18", "retry_after_beyond_the_deadline", 503, exceptions.ServerError, b"Retry-After: 9", attempts=1,
         seconds=2, options={"timeout": Timeout(total=5)}, data={"retry_after": 9.0}),
    # Rows T19, storms
    ever("T19", "budget_is_spent", 503, exceptions.ServerError, attempts=1, data={"retry_suppressed": True},
         options={"retry": Retry(budget=0)}),
    # Rows L1, limits of the caller
    Case("L1", "limit_of_response_bytes", exceptions.ResponseTooLarge, (("ask", ok(b'{"id": 100}')),),
         options={"limits": Limits(response_bytes=10)}, data={"limit": "response_bytes"}),
    Case("L1", "limit_of_nesting", exceptions.DecodeError, (("ask", ok(b"[[[1]]]")),), ("get_any", {}),
         options={"limits": Limits(body_depth=2)}),
    Case("L1", "limit_of_header_lines", BROKEN, (("ask", ok()),), options={"limits": Limits(header_lines=1)}),
    Case("L1", "limit_of_digits", exceptions.DecodeError, (("ask", ok(b"12345")),), ("get_any", {}),
         options={"limits": Limits(integer_digits=4)}),
    Case("L1", "no_redirects", exceptions.RedirectError, (("ask", answer(302, b"", b"Location: /open")),),
         options={"redirects": "none"}),
]  # fmt: skip  # a case reads best on one line, or two
