"""Redirects: which are followed, which headers are sent along, and which are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynclient import exceptions
from dynclient.messages import Headers, Request, Response
from dynclient.options import Limits, Retry

BASE = "https://h/v1/a?x=1"
SECRETS = {"Accept": "application/json", "Authorization": "Bearer t", "X-Api-Key": "k", "User-Agent": "u"}


def to(location, status=302):
    return Response(status, Headers({"Location": location}))


OK = Response(200)

# Location, policy -> the URL that is asked next, or the text about it
CASES = {
    "absolute": ("https://h/b", "same-origin", "https://h/b"),
    "a path": ("/b?y=2", "same-origin", "https://h/b?y=2"),
    "relative": ("b/../c", "same-origin", "https://h/v1/c"),
    "a query": ("?y", "same-origin", "https://h/v1/a?y"),
    "with a fragment": ("/b#f", "same-origin", "https://h/b"),
    "the port in full": ("https://H:443/b", "same-origin", "https://H:443/b"),
    "beyond ASCII": ("/\xe4 b", "same-origin", "https://h/%E4%20b"),
    "another host": ("https://other/b", "same-origin", "another origin, https://other:443"),
    "another host, asked for": ("https://other/b", "any", "https://other/b"),
    "another port": ("https://h:444/b", "same-origin", "another origin"),
    "without a scheme": ("//other/b", "same-origin", "another origin"),
    "http": ("http://h/b", "same-origin", "another origin"),
    "http, asked for": ("http://h/b", "any", "from https to http"),
    "not at all": ("/b", "none", "not followed"),
    "a file": ("file:///etc/passwd", "any", "not a valid http or https URL"),
    "a script": ("javascript:alert(1)", "any", "not a valid http or https URL"),
    "user information": ("https://u:p@h/b", "any", "not a valid http or https URL"),
    "a broken port": ("https://h:x/b", "any", "not a valid http or https URL"),
    "a broken host": ("https://[h/b", "any", "not a valid http or https URL"),
    "empty": ("", "any", "no Location"),
    "itself": ("?x=1#f", "any", "loop"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_following(case, drive):
    location, redirects, expected = case
    driven = drive(Request("GET", BASE, Headers(SECRETS)), [to(location), OK], redirects=redirects)
    if "://" in expected.partition(" ")[0]:
        assert (driven.sent[1].url, driven.outcome) == (expected, 200)
    else:
        assert isinstance(driven.end, exceptions.RedirectError)
        assert expected in str(driven.end)
        assert (len(driven.sent), driven.outcome) == (1, 302)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_each_kind_of_redirect(status, drive):
    driven = drive(Request("HEAD", BASE), [to("/b", status), OK])
    assert [sent.method for sent in driven.sent] == ["HEAD", "HEAD"]


@pytest.mark.parametrize("status", [300, 304, 305, 306, 399])
def test_what_is_no_redirect_is_not_followed(status, drive):
    assert drive(Request("GET", BASE), [to("/b", status), OK]).outcome == status


def test_another_origin_gets_nothing_of_ours_and_giving_back_does_not_return_it(drive):
    driven = drive(Request("GET", BASE, Headers(SECRETS)), [to("https://o/b"), to("https://h/c"), OK], redirects="any")
    assert driven.sent[0].headers == Headers(SECRETS)
    assert [dict(sent.headers) for sent in driven.sent[1:]] == [{"Accept": "application/json", "User-Agent": "u"}] * 2


def test_the_same_origin_gets_the_same_request(drive):
    request = Request("GET", BASE, Headers(SECRETS), secrets=frozenset({("header", "x-api-key")}))
    assert drive(request, [to("/b"), OK]).sent[1] == replace(request, url="https://h/b")


@pytest.mark.parametrize(("method", "body"), [("POST", b"{}"), ("DELETE", None), ("GET", b"{}"), ("QUERY", None)])
def test_nothing_else_is_sent_elsewhere(method, body, drive):
    driven = drive(Request(method, BASE, body=body), [to("/b", 307), OK], redirects="any")
    assert (type(driven.end), len(driven.sent)) == (exceptions.RedirectError, 1)


@pytest.mark.parametrize("responses", [("302",), ("3XX",), ("302", "default")])
def test_a_documented_redirect_is_the_answer(responses, drive):
    driven = drive(Request("GET", BASE), [to("https://o/b"), OK], responses=responses, redirects="any")
    assert (driven.outcome, driven.end.headers["Location"], len(driven.sent)) == (302, "https://o/b", 1)


@pytest.mark.parametrize("limit", [0, 1, 5])
def test_no_more_than_so_many(limit, drive):
    hops = [to(f"/{number}") for number in range(20)]
    driven = drive(Request("GET", BASE), hops, limits=Limits(redirects=limit))
    assert (type(driven.end), len(driven.sent)) == (exceptions.RedirectError, limit + 1)


def test_a_longer_circle(drive):
    driven = drive(Request("GET", BASE), [to("/b"), to("/c"), to("/b")])
    assert (type(driven.end), len(driven.sent)) == (exceptions.RedirectError, 3)


def test_several_locations_are_none(drive):
    twice = Response(302, Headers([("Location", "/b"), ("Location", "/c")]))
    assert "several" in str(drive(Request("GET", BASE), [twice]).end)


def test_retries_go_on_behind_a_redirect(drive):
    driven = drive(Request("GET", BASE), [to("/b"), Response(503), OK], retry=Retry(throttle_base=2))
    assert ([sent.url for sent in driven.sent][1:], driven.waits, driven.outcome) == (["https://h/b"] * 2, [1.0], 200)


def test_the_error_holds_no_query_of_the_target(drive):
    error = drive(Request("GET", "https://h/a"), [to("https://other/b?token=canary")]).end
    assert "canary" not in str(error)
