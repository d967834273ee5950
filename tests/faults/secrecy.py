"""Credentials that must not be sent elsewhere, and values that must not change other parts of a request."""

from __future__ import annotations

from case import AUTH, COOKIE_KEY, HEADER_KEY, PASSWORD, QUERY_KEY, Case, answer, document, ok

from dynclient import exceptions

ARGUMENT, SCOPE = exceptions.ArgumentError, exceptions.CredentialScopeError
SECRETS = tuple(text.lower().encode() for text in (HEADER_KEY, QUERY_KEY, COOKIE_KEY, PASSWORD))
HEADERS = (*SECRETS, b"authorization", b"cookie", b"x-api-key")
GET = ("get_thing", {})
GOOD = (("ask", ok()),)
ANYWHERE = {"redirects": "any"}


def elsewhere(request: bytes) -> bytes:
    """A redirect to the address in the request's note."""
    target = request.lower().split(b"x-note: ")[1].split(b"\r\n")[0]
    return answer(302, b"", b"Location: " + target + b"/there")


def refused(name, row="C12", call=GET, **more):
    """A value that would change other parts of the request: nothing is sent."""
    return Case(row, name, ARGUMENT, call=call, attempts=0, **more)


def note(text):
    return ("get_thing", {"x_note": text})


CASES = [
    # Rows C1 and C2, redirects to another origin (the second server has another port)
    Case("C1", "redirect_302_cross", exceptions.RedirectError, ((("answers", elsewhere),),), note("{other}"),
         text="another origin"),
    Case("C1", "redirect_302_cross_allowed", {"id": 1}, ((("answers", elsewhere),),), note("{other}"),
         options=ANYWHERE, others=GOOD, elsewhere=1, unsent=(*HEADERS, b"x-note")),
    Case("C1", "redirect_307_post_cross", exceptions.RedirectError, (("ask", answer(307, b"", b"Location: /x")),),
         ("post_thing", {"body": {}}), options=ANYWHERE),
    Case("C2", "redirect_to_another_scheme", exceptions.RedirectError,
         (("ask", answer(302, b"", b"Location: https://127.0.0.1:1/")),)),
    # Rows C5 to C8, where credentials are seen
    Case("C5", "query_key_in_a_reset", exceptions.ConnectionLost, (("ask", "reset"),), ("delete_thing", {}), 3),
    Case("C5", "query_key_in_a_refusal", exceptions.ConnectError, call=GET, attempts=0,
         options={"base_url": "http://127.0.0.1:9"}),
    Case("C5", "query_key_in_an_error", exceptions.NotFound, (("ask", answer(404, b"{}",
         b"Content-Type: application/json")),)),
    Case("C5", "query_key_in_a_redirect", exceptions.RedirectError, (("ask", answer(302, b"",
         b"Location: //x.example/?api_key=" + QUERY_KEY.encode())),)),
    Case("C6", "user_info_in_base_url", ARGUMENT, call=GET, attempts=0,
         options={"base_url": f"http://user:{PASSWORD}@127.0.0.1:9"}),
    Case("C6", "user_info_in_a_document_url", ARGUMENT, call=None, attempts=0,
         source=lambda place: f"http://user:{PASSWORD}@127.0.0.1:9/openapi.json"),
    Case("C7", "good_call_leaves_nothing", {"id": 1}, GOOD, sent=SECRETS[:3]),
    Case("C7", "missing_credential", exceptions.MissingCredential, attempts=0,
         options={"auth": {"Header": HEADER_KEY}}),
    Case("C8", "operation_without_security", 1, (("ask", ok(b"1")),), ("get_open", {})),
    # Rows C11, plain http to another machine
    Case("C11", "plain_http_elsewhere", SCOPE, attempts=0, options={"base_url": "http://192.0.2.1:9"}),
    Case("C11", "plain_http_elsewhere_in_the_document", SCOPE, attempts=0,
         source=lambda place: document("http://192.0.2.1:9")),
    # Rows C12, path values that would leave their segment
    *(refused(f"path_param_{name}", call=("get_file", {"name": text})) for name, text in (
        ("dot", "."), ("dots", ".."), ("empty", ""))),
    Case("C12", "path_param_traversal", 1, (("ask", ok(b"1")),), ("get_file", {"name": "../../admin?x#y"}),
         sent=(b"get /files/..%2f..%2fadmin%3fx%23y?",)),
    Case("C12", "path_param_encoded_already", 1, (("ask", ok(b"1")),), ("get_file", {"name": "%2e%2e"}),
         sent=(b"get /files/%252e%252e?",)),
    Case("C12", "query_param_adds_none", {"id": 1}, GOOD, ("get_thing", {"q": "a&api_key=x#y"}),
         sent=(b"q=a%26api_key%3dx%23y",)),
    # Rows C13, line ends in header values
    *(refused(f"header_param_{name}", "C13", note(text)) for name, text in (
        ("crlf", "a\r\nX-Evil: b"), ("lf", "a\nb"), ("nul", "a\0b"))),
    Case("C13", "cookie_param_crlf", {"id": 1}, GOOD, ("get_thing", {"crumb": "a\r\nb\0;c"}),
         sent=(b"crumb=a%0d%0ab%00%3bc",)),
    refused("header_option_crlf", "C13", options={"headers": {"X-A": "a\r\nb: c"}}),
    refused("header_option_name", "C13", options={"headers": {"X-A: b\r\nc": "a"}}),
    refused("credential_crlf", "C13", options={"auth": {**AUTH, "Header": "a\r\nb: c"}}),
]  # fmt: skip  # a case reads best on one line, or two
