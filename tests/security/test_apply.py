"""Which credential goes where: each type of scheme and place, choices, what is missing, what can't be written."""

from __future__ import annotations

import base64

import pytest

from dynclient import exceptions
from dynclient.messages import Request
from dynclient.model import Operation, SecurityScheme
from dynclient.security import CredentialRequest, Secret, Security

ASCII = "Basic " + base64.b64encode(b"me:pass word").decode()
UTF8 = "Basic " + base64.b64encode("me:pä€s".encode()).decode()
URL = "https://api.test/v1/x"

PLACES = [
    ("Basic", ("me", "pass word"), {"Authorization": ASCII}, ""),
    ("Basic", ["me", "pass word"], {"Authorization": ASCII}, ""),
    ("Basic", ("me", "pä€s"), {"Authorization": UTF8}, ""),
    ("Basic", ("me", ""), {"Authorization": "Basic bWU6"}, ""),
    ("Basic", ("me", Secret("pass word")), {"Authorization": ASCII}, ""),
    ("Bearer", "abc.def-_~+/=", {"Authorization": "Bearer abc.def-_~+/="}, ""),
    ("Bearer", Secret("abc"), {"Authorization": "Bearer abc"}, ""),
    ("Digest", 'username="me", uri="/x"', {"Authorization": 'Digest username="me", uri="/x"'}, ""),
    ("Shared", "valid-key", {"Authorization": "SharedAccessKey valid-key"}, ""),
    ("HeaderKey", "a key", {"X-API-Key": "a key"}, ""),
    ("AuthorizationKey", "raw key", {"Authorization": "raw key"}, ""),
    ("CookieKey", "a=b", {"Cookie": "session=a=b"}, ""),
    ("QueryKey", "a&b=c d/é+%", {}, "?api%20key=a%26b%3Dc%20d%2F%C3%A9%2B%25"),
    ("OAuth", "abc", {"Authorization": "Bearer abc"}, ""),
    ("OpenID", "abc", {"Authorization": "Bearer abc"}, ""),
]


@pytest.mark.parametrize("by", ["alone", "name", "function", "function by name"])
@pytest.mark.parametrize("row", PLACES)
def test_place(authorized, by, row, api, operation):
    name, credential, headers, query = row
    auth = {
        "alone": credential,
        "name": {name: credential},
        "function": lambda _: credential,
        "function by name": {name: lambda _: credential},
    }[by]
    plain = Request("GET", URL)
    request = authorized(Security(api(name), auth), plain, operation(name))
    assert dict(request.headers) == headers
    assert request.url == URL + query
    assert plain == Request("GET", URL)


SECRETS = [
    ("Basic", ("me", "canary"), ("header", "authorization")),
    ("HeaderKey", "canary", ("header", "x-api-key")),
    ("QueryKey", "canary", ("query", "api key")),
    ("CookieKey", "canary", ("header", "cookie")),
]


@pytest.mark.parametrize(("name", "credential", "place"), SECRETS)
def test_the_request_knows_what_is_secret_in_it(*, authorized, name, credential, place, api, operation, request_to):
    request = authorized(Security(api(name), credential), request_to(), operation(name))
    assert request.secrets == {place}
    assert "canary" not in repr(request)
    assert "canary" not in request.to_curl()
    assert "canary" not in repr(request.with_no_secrets())


def test_what_the_request_has_beside_it_stays(authorized, api, operation, request_to):
    security = Security(api(), {"QueryKey": "k", "CookieKey": "c", "HeaderKey": "h"})
    request = request_to(URL + "?a=%2f&b[]=1", Cookie="other=1; session=old", Accept="a/b")
    done = authorized(security, request, operation("QueryKey CookieKey HeaderKey"))
    assert done.url == URL + "?a=%2f&b[]=1&api%20key=k"
    assert done.headers.pairs() == (
        ("Cookie", "other=1; session=c"),
        ("Accept", "a/b"),
        ("X-API-Key", "h"),
    )


BOTH = {"Bearer": "t", "HeaderKey": "k"}
CHOICES = [
    ((), BOTH, set()),
    (("",), BOTH, set()),
    (("Bearer", "HeaderKey"), BOTH, {"authorization"}),
    (("HeaderKey", "Bearer"), BOTH, {"x-api-key"}),
    (("Bearer HeaderKey",), BOTH, {"authorization", "x-api-key"}),
    (("Basic", "HeaderKey"), BOTH, {"x-api-key"}),
    (("Basic HeaderKey", "Bearer"), BOTH, {"authorization"}),
    (("", "Bearer"), BOTH, {"authorization"}),
    (("", "Basic"), BOTH, set()),
    (("", "Basic"), None, set()),
    (("Basic", "Bearer"), {"Basic": lambda _: None, "Bearer": "t"}, {"authorization"}),
    (("Bearer", ""), lambda _: None, set()),
]


@pytest.mark.parametrize(("choices", "auth", "written"), CHOICES)
def test_choice(*, authorized, choices, auth, written, api, operation, request_to):
    request = authorized(Security(api(), auth), request_to(), operation(*choices))
    assert {name.lower() for name in request.headers} == written


MISSING = [
    (("Basic",), None, ("Basic",), 'auth={"Basic": ("user", "password")}'),
    (("HeaderKey", "OAuth"), None, ("HeaderKey", "OAuth"), 'auth={"HeaderKey": "key"}'),
    (("Basic HeaderKey",), {"Basic": ("a", "b")}, ("Basic", "HeaderKey"), '"HeaderKey": "key"'),
    (("Basic",), {"HeaderKey": "k"}, ("Basic",), "Basic"),
    (("Bearer",), lambda _: None, ("Bearer",), "Bearer"),
    (("Certificate",), None, ("Certificate",), "TLS(certificate="),
    (("Certificate HeaderKey",), {"HeaderKey": "k"}, ("Certificate", "HeaderKey"), "TLS(certificate="),
]


@pytest.mark.parametrize("row", MISSING)
def test_missing(authorized, row, api, operation, request_to):
    choices, auth, schemes, text = row
    with pytest.raises(exceptions.MissingCredential) as caught:
        authorized(Security(api(), auth), request_to(), operation(*choices))
    assert caught.value.schemes == schemes
    assert caught.value.operation_id == "getX"
    assert text in str(caught.value)


def test_a_certificate_of_the_client_meets_mutual_tls(authorized, api, operation, request_to):
    security = Security(api(), {"HeaderKey": "k"}, certificate=True)
    assert authorized(security, request_to(), operation("Certificate")) == request_to()
    request = authorized(security, request_to(), operation("Certificate HeaderKey"))
    assert request.headers["x-api-key"] == "k"


def test_what_the_caller_wrote_into_the_request_counts(authorized, api, operation, request_to):
    security = Security(api())
    request = request_to(URL + "?api+key=canary", Authorization="Bearer canary", Cookie="a=b; session=canary")
    done = authorized(security, request, operation("Bearer QueryKey CookieKey"))
    assert (done.url, done.headers) == (request.url, request.headers)
    assert "canary" not in repr(done)
    given = authorized(Security(api(), {"Bearer": "given"}), request, operation("Bearer"))
    assert given.headers["Authorization"] == "Bearer given"


def test_a_function_is_asked_with_what_it_may_want_to_know(authorized, api, operation, request_to):
    asked: list[CredentialRequest] = []

    def ask(wanted: CredentialRequest) -> str:
        asked.append(wanted)
        return "k"

    security = Security(api(), ask)
    authorized(security, request_to(), operation("HeaderKey Bearer", "Bearer"))
    assert asked == [
        CredentialRequest(scheme, ("scope",), "getX", ("https", "api.test", 443))
        for scheme in (api().security_schemes["HeaderKey"], api().security_schemes["Bearer"])
    ]


UNFIT = [
    ("Bearer", "canary\r\nX: y"),
    ("Bearer", "canary more"),
    ("Bearer", "Bearer canary"),
    ("Bearer", ""),
    ("Bearer", " canary"),
    ("Basic", ("can:ary", "canary")),
    ("Basic", ("me", "canary\n")),
    ("HeaderKey", "canary\0"),
    ("CookieKey", "canary; admin=1"),
    ("CookieKey", "canary, x"),
    ("QueryKey", "canary\n"),
    ("Digest", "Digest canary"),
]


@pytest.mark.parametrize("by", ["value", "function"])
@pytest.mark.parametrize(("name", "credential"), UNFIT)
def test_what_cannot_be_written_is_refused_and_not_shown(
    *, authorized, by, name, credential, api, operation, request_to
):
    auth = {name: credential if by == "value" else lambda _: credential}
    security = Security(api(), auth)
    with pytest.raises(exceptions.ArgumentError, match=name) as caught:
        authorized(security, request_to(), operation(name))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("answer", [5, ("a", "b"), {"x": "y"}])
def test_a_function_that_returns_nonsense(authorized, answer, api, operation, request_to):
    with pytest.raises(exceptions.ArgumentError, match="HeaderKey"):
        authorized(Security(api(), lambda _: answer), request_to(), operation("HeaderKey"))


def test_two_credentials_in_one_place(authorized, api, operation, request_to):
    security = Security(api(), {"Bearer": "t", "Basic": ("a", "b")})
    with pytest.raises(exceptions.InvalidDocument, match="one place"):
        authorized(security, request_to(), operation("Basic Bearer"))
    shown = Security(api()).placeholder(request_to(), operation("Basic Bearer"))
    assert shown.headers["authorization"] == "Basic $BASIC"


def test_a_scheme_that_is_not_defined(authorized, api, operation, request_to):
    with pytest.raises(exceptions.InvalidDocument, match="Nowhere"):
        authorized(Security(api(), ("a", "b")), request_to(), operation("Nowhere"))


HELD = [
    (("Basic",), None, {"Authorization": "Basic $BASIC"}, ""),
    (("Bearer",), None, {"Authorization": "Bearer $BEARER"}, ""),
    (("Shared",), None, {"Authorization": "SharedAccessKey $SHARED"}, ""),
    (("HeaderKey",), None, {"X-API-Key": "$X_API_KEY"}, ""),
    (("QueryKey",), None, {}, "?api%20key=$API_KEY"),
    (("CookieKey",), None, {"Cookie": "session=$SESSION"}, ""),
    (("OAuth", "HeaderKey"), None, {"Authorization": "Bearer $OAUTH"}, ""),
    (("OAuth", "HeaderKey"), {"HeaderKey": "k"}, {"X-API-Key": "k"}, ""),
    (("Bearer HeaderKey",), {"HeaderKey": "k"}, {"Authorization": "Bearer $BEARER", "X-API-Key": "k"}, ""),
    (("Certificate",), None, {}, ""),
    (("", "Bearer"), None, {}, ""),
    (("", "Bearer"), {"Bearer": "t"}, {"Authorization": "Bearer t"}, ""),
    ((), {"Bearer": "t"}, {}, ""),
]


@pytest.mark.parametrize("row", HELD)
def test_placeholder(row, api, operation, request_to):
    choices, auth, headers, query = row
    request = Security(api(), auth).placeholder(request_to(), operation(*choices))
    assert dict(request.headers) == headers
    assert request.url == URL + query
    assert len(request.secrets) == len(headers) + bool(query)


def test_a_placeholder_asks_nobody(api, operation, request_to):
    def ask(_: CredentialRequest) -> str:
        raise AssertionError("asked")

    request = Security(api(), ask).placeholder(request_to(), operation("Bearer"))
    assert request.headers["Authorization"] == "Bearer $BEARER"


def test_a_placeholder_is_ready_for_a_shell(api, operation, request_to):
    request = Security(api()).placeholder(request_to(), operation("Basic QueryKey"))
    assert request.to_curl() == (
        'curl -X GET "https://api.test/v1/x?api%20key=$API_KEY" -H "Authorization: Basic $BASIC"'
    )


def test_every_type_of_scheme_has_its_row(api):
    types = {"apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"}
    for type_ in types:
        scheme = SecurityScheme("S", type_, in_="header", parameter="p", scheme="bearer")
        one = api()._replace(security_schemes={"S": scheme})
        assert Security(one).placeholder(Request("GET", URL), Operation(one.rows[0], security=({"S": ()},)))
