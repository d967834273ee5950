"""Where credentials are sent: kinds of schemes, locations, choices, missing ones, and ones that can't be written."""

from __future__ import annotations

import base64

import pytest

import dynclient
from dynclient import exceptions
from dynclient.messages import Request
from dynclient.options import Secret
from dynclient.security import CredentialRequest

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


def added(request: Request) -> dict[str, str]:
    """The headers in addition to those of every request."""
    return {name: value for name, value in request.headers.items() if name not in {"Accept", "User-Agent"}}


@pytest.mark.parametrize("by", ["alone", "name", "function", "function by name"])
@pytest.mark.parametrize("row", PLACES)
def test_place(sent, by, row):
    name, credential, headers, query = row
    auth = {
        "alone": credential,
        "name": {name: credential},
        "function": lambda _: credential,
        "function by name": {name: lambda _: credential},
    }[by]
    request = sent(auth, name, schemes=[name])
    assert added(request) == headers
    assert request.url == URL + query


SECRETS = [
    ("Basic", ("me", "canary"), ("header", "authorization")),
    ("HeaderKey", "canary", ("header", "x-api-key")),
    ("QueryKey", "canary", ("query", "api key")),
    ("CookieKey", "canary", ("header", "cookie")),
]


@pytest.mark.parametrize(("name", "credential", "place"), SECRETS)
def test_the_request_knows_what_is_secret_in_it(sent, name, credential, place):
    request = sent(credential, name, schemes=[name])
    assert request.secrets == {place}
    assert "canary" not in repr(request)
    assert "canary" not in request.to_curl()
    assert "canary" not in repr(request.with_no_secrets())


def test_what_the_request_has_beside_it_stays(sent):
    auth = {"QueryKey": "k", "CookieKey": "c", "HeaderKey": "h"}
    arguments = {"api key": "given", "session": "old"}
    headers = {"Cookie": "other=1", "X-Other": "a"}
    request = sent(auth, "QueryKey CookieKey HeaderKey", arguments=arguments, headers=headers)
    assert request.url == URL + "?api%20key=k"
    assert added(request) == {"Cookie": "other=1; session=c", "X-Other": "a", "X-API-Key": "h"}


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
    (("Bearer",), None, set()),
    (("Bearer HeaderKey", "Basic"), None, set()),
]


@pytest.mark.parametrize(("choices", "auth", "written"), CHOICES)
def test_choice(sent, choices, auth, written):
    assert {name.lower() for name in added(sent(auth, *choices))} == written


MISSING = [
    (("Basic",), ..., ("Basic",), 'auth={"Basic": ("user", "password")}'),
    (("HeaderKey", "OAuth"), ..., ("HeaderKey", "OAuth"), 'auth={"HeaderKey": "key"}'),
    (("Basic HeaderKey",), {"Basic": ("a", "b")}, ("Basic", "HeaderKey"), '"HeaderKey": "key"'),
    (("Basic",), {"HeaderKey": "k"}, ("Basic",), "Basic"),
    (("Bearer",), lambda _: None, ("Bearer",), "Bearer"),
    (("Certificate",), ..., ("Certificate",), "TLS(certificate="),
    (("Certificate HeaderKey",), {"HeaderKey": "k"}, ("Certificate", "HeaderKey"), "TLS(certificate="),
]


@pytest.mark.parametrize("row", MISSING)
def test_missing(sent, row):
    choices, auth, schemes, text = row
    with pytest.raises(exceptions.MissingCredential) as caught:
        sent(auth, *choices)
    assert caught.value.schemes == schemes
    assert caught.value.operation_id == "getX"
    assert text in str(caught.value)


# What a document's security asks for, with Gone a scheme that it does not declare and Broken one that it declares
# wrongly; auth; headers; the headers that are written
UNDECLARED = {
    "beside a good one": (("Gone", "Basic"), ("u", "p"), {}, {"Authorization": "Basic dTpw"}),
    "after a good one": (("Basic", "Gone"), ("u", "p"), {}, {"Authorization": "Basic dTpw"}),
    "beside nothing": (("Gone", ""), ..., {}, {}),
    "a broken one beside a good one": (("Broken", "Basic"), ("u", "p"), {}, {"Authorization": "Basic dTpw"}),
    "a header": (("Gone",), ..., {"Authorization": "Negotiate x"}, {"Authorization": "Negotiate x"}),
    "a header of another name": (("Gone",), ..., {"X-Auth-Token": "canary"}, {"X-Auth-Token": "canary"}),
    "by name": (("Gone",), {"Gone": "Negotiate x"}, {}, {"Authorization": "Negotiate x"}),
    "a token by name": (("Gone",), {"Gone": "x"}, {}, {"Authorization": "Bearer x"}),
    "a pair by name": (("Broken",), {"Broken": ("u", "p")}, {}, {"Authorization": "Basic dTpw"}),
    "a function by name": (("Gone",), {"Gone": lambda _: "x"}, {}, {"Authorization": "Bearer x"}),
    "a pair": (("Gone",), ("u", "p"), {}, {"Authorization": "Basic dTpw"}),
    "nothing on purpose": (("Gone",), None, {}, {}),
    "with a good one": (
        ("Gone HeaderKey",), {"Gone": "x", "HeaderKey": "k"}, {}, {"Authorization": "Bearer x", "X-API-Key": "k"}
    ),
}  # fmt: skip
SPREAD = ("of the document", "of the operation")


def undeclared(document, *choices, level):
    described = document(*choices, schemes=[name for name in ("Basic", "HeaderKey") if name in " ".join(choices)])
    if "Broken" in choices:
        described["components"]["securitySchemes"]["Broken"] = {"type": "basic"}
    operation = described["paths"]["/x"]["get"]
    if level == "of the document":
        described["security"] = operation.pop("security")
    return described


@pytest.mark.parametrize("level", SPREAD)
@pytest.mark.parametrize("case", UNDECLARED.values(), ids=UNDECLARED)
def test_a_scheme_that_is_not_declared_is_one_choice_that_can_not_be_met(sent, document, case, level):
    choices, auth, headers, written = case
    if auth == ("u", "p") and len(choices) == 1 and level == "of the operation":
        auth = {choices[0]: auth}
    request = sent(auth, described=undeclared(document, *choices, level=level), headers=headers)
    assert added(request) == written
    assert "canary" not in repr(request)


@pytest.mark.parametrize("level", SPREAD)
def test_a_missing_credential_of_an_undeclared_scheme_says_what_gets_through(document, level):
    client = dynclient.load(undeclared(document, "Gone", level=level))
    with pytest.raises(exceptions.MissingCredential, match="does not declare Gone") as caught:
        client.get_x()
    for way in ("headers=", 'auth={"Gone": "the Authorization header"}', "auth=None"):
        assert way in str(caught.value)
    with pytest.raises(exceptions.ArgumentError, match="no security scheme 'Gon'") as slip:
        client.with_options(auth={"Gon": "x"})
    assert slip.value.matches == ("Gone",)


def test_a_certificate_of_the_client_meets_mutual_tls(sent, tmp_path):
    tls = dynclient.options.TLS(certificate=tmp_path / "client.pem")
    assert added(sent({"HeaderKey": "k"}, "Certificate", tls=tls)) == {}
    assert added(sent({"HeaderKey": "k"}, "Certificate HeaderKey", tls=tls)) == {"X-API-Key": "k"}


def test_what_the_caller_wrote_into_the_request_counts(sent):
    given = {
        "arguments": {"api key": "canary"},
        "headers": {"Authorization": "Bearer canary", "Cookie": "a=b; session=canary"},
    }
    request = sent(None, "Bearer QueryKey CookieKey", **given)
    assert request.url == URL + "?api%20key=canary"
    assert added(request) == {"Authorization": "Bearer canary", "Cookie": "a=b; session=canary"}
    assert "canary" not in repr(request)
    assert sent({"Bearer": "given"}, "Bearer", **given).headers["Authorization"] == "Bearer given"


def test_a_function_is_asked_with_what_it_may_want_to_know(sent):
    asked: list[CredentialRequest] = []

    def ask(wanted: CredentialRequest) -> str:
        asked.append(wanted)
        return "k"

    sent(ask, "HeaderKey Bearer", "Bearer")
    assert [(one.scheme.name, one.scopes, one.operation_id, one.origin) for one in asked] == [
        (name, ("scope",), "getX", ("https", "api.test", 443)) for name in ("HeaderKey", "Bearer")
    ]
    assert [(one.request.method, one.request.url) for one in asked] == [("GET", URL)] * 2


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
def test_what_cannot_be_written_is_refused_and_not_shown(sent, by, name, credential):
    auth = {name: credential if by == "value" else lambda _: credential}
    with pytest.raises(exceptions.ArgumentError, match=name) as caught:
        sent(auth, name)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("answer", [5, ("a", "b"), {"x": "y"}])
def test_a_function_that_returns_nonsense(sent, answer):
    with pytest.raises(exceptions.ArgumentError, match="HeaderKey"):
        sent(lambda _: answer, "HeaderKey")


def test_two_credentials_in_one_place(sent, document):
    with pytest.raises(exceptions.InvalidDocument, match="the same place"):
        sent({"Bearer": "t", "Basic": ("a", "b")}, "Basic Bearer")
    shown = dynclient.load(document("Basic Bearer")).get_x.prepare()
    assert shown.headers["authorization"] == "Basic $YOUR_BASIC_CREDENTIALS"


HELD = [
    (("Basic",), ..., {"Authorization": "Basic $YOUR_BASIC_CREDENTIALS"}, ""),
    (("Bearer",), ..., {"Authorization": "Bearer $YOUR_BEARER_CREDENTIALS"}, ""),
    (("Shared",), ..., {"Authorization": "SharedAccessKey $YOUR_SHAREDACCESSKEY_CREDENTIALS"}, ""),
    (("HeaderKey",), ..., {"X-API-Key": "$YOUR_X_API_KEY"}, ""),
    (("QueryKey",), ..., {}, "?api%20key=$YOUR_API_KEY"),
    (("CookieKey",), ..., {"Cookie": "session=$YOUR_SESSION"}, ""),
    (("OAuth", "HeaderKey"), ..., {"Authorization": "Bearer $YOUR_BEARER_CREDENTIALS"}, ""),
    (("OAuth", "HeaderKey"), {"HeaderKey": "k"}, {"X-API-Key": "k"}, ""),
    (
        ("Bearer HeaderKey",),
        {"HeaderKey": "k"},
        {"Authorization": "Bearer $YOUR_BEARER_CREDENTIALS", "X-API-Key": "k"},
        "",
    ),
    (("Certificate",), ..., {}, ""),
    (("", "Bearer"), ..., {}, ""),
    (("", "Bearer"), {"Bearer": "t"}, {"Authorization": "Bearer t"}, ""),
    ((), {"Bearer": "t"}, {}, ""),
    (("Basic",), None, {}, ""),
]


@pytest.mark.parametrize("row", HELD)
def test_placeholder(document, row):
    choices, auth, headers, query = row
    request = dynclient.load(document(*choices), auth=auth).get_x.prepare()
    assert added(request) == headers
    assert request.url == URL + query
    assert len(request.secrets) == len(headers) + bool(query)


def test_a_placeholder_asks_nobody(document):
    def ask(_: CredentialRequest) -> str:
        raise AssertionError("asked")

    request = dynclient.load(document("Bearer"), auth=ask).get_x.prepare()
    assert request.headers["Authorization"] == "Bearer $YOUR_BEARER_CREDENTIALS"


def test_a_placeholder_is_ready_for_a_shell(document):
    request = dynclient.load(document("Basic QueryKey")).get_x.prepare()
    assert "-H 'Authorization: Basic '\"$YOUR_BASIC_CREDENTIALS\"" in request.to_curl()
    assert "'https://api.test/v1/x?api%20key='\"$YOUR_API_KEY\"" in request.to_curl()


@pytest.mark.parametrize("type_", ["apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"])
def test_every_type_of_scheme_has_its_kind(document, type_):
    described = document("S", schemes=[])
    scheme = {"type": type_, "in": "header", "name": "p", "scheme": "unheard-of", "openIdConnectUrl": "/", "flows": {}}
    described["components"]["securitySchemes"]["S"] = scheme
    assert dynclient.load(described).get_x.prepare()
