"""Tokens from a real authorization server on a socket, with both clients, on asyncio and on trio."""

from __future__ import annotations

import io
import json
import logging
import pickle
import threading
import traceback
import urllib.request
from dataclasses import replace

import anyio
import anyio.lowlevel
import pytest
from authorization_server import CLIENT, USER, error, reply

import dynclient
from dynclient import exceptions
from dynclient.options import OAuth2, Timeout

CONFIDENTIAL = OAuth2(*CLIENT)


def browse(url: str) -> threading.Thread:
    """A person's browser: goes where it is sent, and follows redirects."""
    thread = threading.Thread(target=lambda: urllib.request.urlopen(url, timeout=10).read())
    thread.start()
    return thread


GRANTS = {
    "pair": (CLIENT, "client_credentials", {"scope": "read"}),
    "pair by name": ({"Login": CLIENT}, "client_credentials", {"scope": "read"}),
    "client credentials": (CONFIDENTIAL, "client_credentials", {"scope": "read"}),
    "secret in the body": (OAuth2(*CLIENT, client_auth="post"), "client_credentials", {"client_secret": CLIENT[1]}),
    "own scopes": (OAuth2(*CLIENT, scopes="a b"), "client_credentials", {"scope": "a b"}),
    "parameters": (OAuth2(*CLIENT, parameters={"audience": "x"}), "client_credentials", {"audience": "x"}),
    "password": (OAuth2(*CLIENT, username=USER[0], password=USER[1]), "password", {"username": "ann"}),
    "password, public": (OAuth2("public", username=USER[0], password=USER[1]), "password", {"client_id": "public"}),
    "refresh token": (OAuth2("public", refresh_token="refresh-0"), "refresh_token", {"refresh_token": "refresh-0"}),
    "code": (OAuth2("public", open_browser=browse), "authorization_code", {"client_id": "public"}),
    "code, confidential": (OAuth2(*CLIENT, open_browser=browse), "authorization_code", {"code": "code-1"}),
    "device": (OAuth2("public", show_code=print), "urn:ietf:params:oauth:grant-type:device_code", {}),
}


@pytest.mark.parametrize("discovered", [False, True], ids=["flows", "openIdConnect"])
@pytest.mark.parametrize("case", GRANTS.values(), ids=GRANTS)
def test_grant(client, authorization, case, discovered):
    auth, grant, fields = case
    authorization.refresh.add("refresh-0")
    document = authorization.document(**({} if discovered else authorization.flows))
    assert client(document, auth=auth).results("get_thing", 2) == [{"by": "token-1"}] * 2
    asked = authorization.asked[-1]
    assert asked["grant_type"] == grant
    assert fields.items() <= asked.items()
    assert sum(one.get("grant_type") == grant for one in authorization.asked) == 1


@pytest.mark.parametrize("discovered", [False, True])
def test_fifty_at_once_make_one_request_for_a_token(client, authorization, discovered):
    authorization.delay = 0.2
    document = authorization.document(**({} if discovered else authorization.flows))
    assert client(document, auth=CLIENT).at_once("get_thing", 50) == [{"by": "token-1"}] * 50
    assert len(authorization.asked) == 1


def test_fifty_rejected_at_once_make_one_refresh(client, authorization):
    made = client(authorization.document(**authorization.flows), auth=CLIENT)

    def revoke():
        authorization.access.clear()
        authorization.delay = 0.2

    first, rest = made.at_once_after("get_thing", 50, revoke)
    assert first == {"by": "token-1"}
    assert rest == [{"by": "token-2"}] * 50
    assert len(authorization.asked) == 2


def test_fifty_share_a_failure(client, authorization):
    authorization.delay = 0.2
    document = authorization.document(**authorization.flows)
    outcomes = client(document, auth=("client id", "canary"), retry=1).at_once("get_thing", 50)
    assert {(type(one), one.error, one.status, one.operation_id) for one in outcomes} == {
        (exceptions.AuthorizationError, "invalid_client", 401, "getThing")
    }
    assert len(authorization.asked) <= 2
    assert authorization.things == []


def test_a_401_that_stays_is_given_after_one_renewal(client, authorization):
    made = client(authorization.document(**authorization.flows), auth=CLIENT)
    (outcome,) = made.results("get_thing", 1, before=lambda: setattr(authorization, "access", Nothing()))
    assert isinstance(outcome, exceptions.Unauthorized)
    assert (outcome.attempts, authorization.things) == (2, ["token-1", "token-2"])


class Nothing(set):
    def add(self, _):
        """Keep nothing."""


def test_a_stream_is_not_sent_twice_and_the_next_call_has_the_new_token(client, authorization):
    made = client(authorization.document(**authorization.flows), auth=OAuth2(*CLIENT, scopes="read"))
    get, put = ("get_thing", {}), ("put_thing", {"body": io.BytesIO(b"read once")})
    first, refused, last = made.each(get, authorization.access.clear, put, get)
    assert (first, last) == ({"by": "token-1"}, {"by": "token-2"})
    assert isinstance(refused, exceptions.Unauthorized)
    assert authorization.things == ["token-1", "token-1", "token-2"]


def test_scopes_are_gathered(client, authorization):
    made = client(authorization.document(**authorization.flows), auth=CLIENT)
    made.each(("get_thing", {}), ("put_thing", {"body": b"x"}), ("get_thing", {}))
    assert [one["scope"] for one in authorization.asked] == ["read", "read write"]


LIVES = [(3600, 1), ("3600", 1), (None, 1), ("soon", 1), (0, 3)]


@pytest.mark.parametrize(("expires_in", "requests"), LIVES)
def test_life(client, authorization, expires_in, requests):
    authorization.expires_in = expires_in
    outcomes = client(authorization.document(**authorization.flows), auth=CLIENT).results("get_thing", 3)
    assert outcomes == [{"by": f"token-{min(number, requests)}"} for number in (1, 2, 3)]
    assert len(authorization.asked) == requests


@pytest.mark.parametrize("rotates", [False, True])
def test_refresh_tokens_are_used_and_replaced(client, authorization, rotates):
    authorization.expires_in, authorization.gives_refresh, authorization.rotates = 0, True, rotates
    auth = OAuth2("public", username=USER[0], password=USER[1])
    outcomes = client(authorization.document(**authorization.flows), auth=auth).results("get_thing", 3)
    assert outcomes == [{"by": f"token-{number}"} for number in (1, 2, 3)]
    assert [one["grant_type"] for one in authorization.asked] == ["password", "refresh_token", "refresh_token"]
    assert [one.get("refresh_token") for one in authorization.asked[1:]] == [
        "refresh-1",
        "refresh-2" if rotates else "refresh-1",
    ]


def test_a_refresh_token_that_is_no_longer_good(client, authorization):
    document = authorization.document(**authorization.flows)
    (outcome,) = client(document, auth=OAuth2("public", refresh_token="canary")).results("get_thing", 1)
    assert isinstance(outcome, exceptions.MissingCredential)
    assert "canary" not in told(outcome)
    again = OAuth2("public", refresh_token="canary", username=USER[0], password=USER[1])
    assert client(document, auth=again).results("get_thing", 1) == [{"by": "token-1"}]


ANSWERS = {
    "HTML": (reply("<html>"), ""),
    "a server's error": (error("temporarily_unavailable", 500), "temporarily_unavailable"),
    "an error with status 200": (error("bad_verification_code", 200), "bad_verification_code"),
    "no token": (reply({"token_type": "bearer", "refresh_token": "canary"}), ""),
    "another type": (reply({"access_token": "canary", "token_type": "mac"}), ""),
    "a token with a line break": (reply({"access_token": "canary\r\nX-Injected: 1"}), ""),
    "an error of another shape": (reply({"error": {"code": 7}, "message": "no such client"}, 400), ""),
    "nothing": (reply(None), ""),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_no_token(client, authorization, name):
    answer, code = ANSWERS[name]
    authorization.answers.append(answer)
    (outcome,) = client(authorization.document(**authorization.flows), auth=CLIENT).results("get_thing", 1)
    assert isinstance(outcome, exceptions.AuthorizationError)
    assert (outcome.error, outcome.status) == (code, answer.status_code)
    assert "canary" not in told(outcome)
    assert authorization.things == []


def told(fault: BaseException) -> str:
    """Everything that an error shows anywhere, its causes included."""
    shown = "".join(traceback.format_exception(type(fault), fault, fault.__traceback__))
    return shown + repr(fault) + repr(vars(fault)) + repr(pickle.dumps(fault))


def test_nothing_tells_a_secret(client, authorization, caplog):
    caplog.set_level(logging.DEBUG)
    auth = OAuth2("client id", "canary-secret", username="ann", password="canary-password")
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(auth)
    made = client(authorization.document(**authorization.flows), auth=auth)
    (outcome,) = made.results("get_thing", 1)
    assert isinstance(outcome, exceptions.AuthorizationError)
    assert "canary" not in told(outcome) + caplog.text + repr(auth) + repr(replace(auth, password="canary"))
    client(authorization.document(**authorization.flows), auth=CLIENT).results("get_thing", 1)
    assert "token-1" not in caplog.text
    assert "Basic Y2" not in caplog.text


def test_a_token_server_that_is_gone_leaves_no_doubt_about_the_call(client, authorization):
    document = authorization.document(clientCredentials={"tokenUrl": "http://127.0.0.1:9/token"})
    origin = "http://127.0.0.1:9"
    (outcome,) = client(document, auth=CLIENT, allow_origins=[origin], retry=1).results("get_thing", 1)
    assert isinstance(outcome, exceptions.ConnectError)
    assert not outcome.outcome_unknown
    assert outcome.request.body is None


# name: where the document says the token is, what is allowed, whether a token is asked for
SCOPES = {
    "the same origin": ("{url}token", {}, True),
    "relative": ("/token", {}, True),
    "another origin": ("{other}token", {}, False),
    "another origin, allowed": ("{other}token", {"allow_origins": True}, True),
    "another origin, named by the caller": ("{other}token", {"token_url": True}, True),
    "user information": ("http://x@{host}/token", {}, None),
    "no URL": ("http://[", {}, None),
}


@pytest.mark.parametrize("case", SCOPES.values(), ids=SCOPES)
def test_a_token_is_requested_from_trusted_origins_alone(client, authorization, other, case):
    url, allowed, asked = case
    authorization.access.add("token-1")
    address = url.format(url=authorization.url, other=other.url, host=authorization.url[7:].rstrip("/"))
    document = authorization.document(clientCredentials={"tokenUrl": address})
    options = {"allow_origins": [other.url.rstrip("/")]} if "allow_origins" in allowed else {}
    auth = OAuth2(*CLIENT, token_url=address) if "token_url" in allowed else CLIENT
    (outcome,) = client(document, auth=auth, **options).results("get_thing", 1)
    servers = [authorization, other]
    assert outcome == {"by": "token-1"} if asked else isinstance(outcome, exceptions.DynclientError)
    assert sum(len(server.asked) for server in servers) == (1 if asked else 0)
    if asked is False:
        assert isinstance(outcome, exceptions.CredentialScopeError)
        assert other.url.rstrip("/") in str(outcome)
    elif asked is None:
        assert isinstance(outcome, exceptions.InvalidDocument)


def test_metadata_may_not_send_a_secret_elsewhere(client, authorization, other):
    document = authorization.document()
    scheme = document["components"]["securitySchemes"]["Login"]
    scheme["openIdConnectUrl"] = other.url + ".well-known/openid-configuration"
    (outcome,) = client(document, auth=CLIENT).results("get_thing", 1)
    assert isinstance(outcome, exceptions.CredentialScopeError)
    assert other.server.log == []


REFUSED = {
    "nothing to get a token by": (OAuth2("public"), "client_secret, username and password"),
    "a flow that the document has not": (OAuth2("public", show_code=print), "device_authorization_url"),
    "no type of auth": ({"Login": 5}, "int"),
    "not hashable": (OAuth2(*CLIENT, store=[]), "hashable"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refused_when_it_is_given(authorization, case):
    auth, text = case
    document = authorization.document(clientCredentials={"tokenUrl": authorization.url + "token"})
    with pytest.raises(exceptions.ArgumentError, match=text):
        dynclient.load(document, auth=auth if isinstance(auth, dict) else {"Login": auth})


def test_other_options_share_the_token(authorization):
    with dynclient.load(authorization.document(**authorization.flows), auth=CLIENT) as things:
        things.get_thing()
        assert things.with_options(timeout=Timeout(total=9)).get_thing() == {"by": "token-1"}
        assert things.get_thing.with_options(headers={"X-A": "1"})() == {"by": "token-1"}
    assert len(authorization.asked) == 1


def test_prepare_fetches_nothing(authorization):
    with dynclient.load(authorization.document(**authorization.flows), auth=CLIENT) as things:
        assert things.get_thing.prepare().headers["Authorization"] == "Bearer $YOUR_BEARER_CREDENTIALS"
    assert authorization.asked == []


def test_a_store_keeps_tokens_for_others_of_the_same_owner(client, authorization, tmp_path):
    path = tmp_path / "new" / "tokens.json"
    document = authorization.document(**authorization.flows)
    auth = OAuth2(*CLIENT, store=path)
    assert client(document, auth=auth).results("get_thing", 1) == [{"by": "token-1"}]
    assert path.stat().st_mode & 0o777 == 0o600
    assert client(document, auth=auth).results("get_thing", 1) == [{"by": "token-1"}]
    assert len(authorization.asked) == 1
    assert json.loads(path.read_text()).popitem()[1]["access_token"] == "token-1"
    assert {file.name for file in path.parent.iterdir()} == {path.name, f".{path.name}.lock"}


@pytest.mark.parametrize(("mode", "text", "fault"), [(0o644, "{}", "others"), (0o600, "nonsense", "tokens")])
def test_a_store_that_is_not_to_be_trusted(client, authorization, tmp_path, mode, text, fault):
    path = tmp_path / "tokens.json"
    path.write_text(text)
    path.chmod(mode)
    document = authorization.document(**authorization.flows)
    (outcome,) = client(document, auth=OAuth2(*CLIENT, store=path)).results("get_thing", 1)
    assert isinstance(outcome, exceptions.ArgumentError)
    assert fault in str(outcome)
    assert authorization.asked == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_functions_show_a_person_where_to_log_in(authorization, backend):
    shown = []

    async def show(code):
        await anyio.lowlevel.checkpoint()
        shown.append(code.code)

    async def browse_later(url):
        await anyio.lowlevel.checkpoint()
        browse(url)

    async def run():
        document = authorization.document(**authorization.flows)
        for auth in (OAuth2("public", show_code=show), OAuth2("public", open_browser=browse_later)):
            async with dynclient.AsyncClient.load(document, auth=auth) as things:
                assert (await things.get_thing())["by"].startswith("token-")

    anyio.run(run, backend=backend)
    assert shown == ["WDJB-MJHT"]
