"""Who fetches a token, who waits, and for how long: the generators are driven by hand, on a faked clock."""

from __future__ import annotations

import json
import os
from urllib.parse import parse_qs

import pytest

from dynclient import exceptions
from dynclient.messages import Headers, Request, Response, RunBlocking, Sleep
from dynclient.model import OAuthFlow, Operation, OperationRow, SecurityScheme, Server
from dynclient.options import Limits, OAuth2, Secret, Timeout
from dynclient.security import AuthContext, CallClock, CredentialCache
from dynclient.security.oauth2.flows import obtain, renew
from dynclient.security.tokens import Token, TokenRequest
from dynclient.security.trust import Trust

FLOWS = tuple(
    OAuthFlow(type_, "https://id.test/authorize", "https://id.test/token", None, "https://id.test/device")
    for type_ in ("clientCredentials", "password", "deviceAuthorization", "authorizationCode")
)
SCHEME = SecurityScheme("Login", "oauth2", flows=FLOWS)
ROW = OperationRow("GET /x", "GET", "/x", "getX", "get_x", (), "", (), deprecated=False, pointer="", path_pointer="")
CONFIDENTIAL = OAuth2("id", "secret")
TRUST = Trust(frozenset({("https", "id.test", 443)}), servers=(Server("https://api.test"),))


class World:
    """A clock that stands still until a test moves it; the time of day begins at 1,000,000."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def now(self) -> float:
        return 1_000_000 + self.seconds

    def entropy(self, count: int) -> bytes:
        return b"\1" * count


@pytest.fixture
def world():
    return World()


@pytest.fixture
def start(world):
    """Begin to obtain a token, on one memory for all of a test."""
    cache = CredentialCache()

    def begin(given=CONFIDENTIAL, *, scopes=(), rejected=None, total=60.0):
        begin.clock = CallClock(world, Timeout(total=total), Limits(), world.seconds + total)
        context = AuthContext(SCHEME, scopes, Operation(ROW), begin.clock, TRUST, cache)
        needed = TokenRequest(given, context, "https://api.test/x")
        return renew(needed, Secret(rejected)) if rejected is not None else obtain(needed)

    begin.cache = cache
    return begin


def reply(**members):
    return Response(members.pop("status", 200), Headers(), json.dumps({"token_type": "Bearer", **members}).encode())


def ends(steps, answer=None):
    """The value that a generator returns when it is sent this."""
    with pytest.raises(StopIteration) as stop:
        steps.send(answer)
    value = stop.value.value
    return (value.access if isinstance(value, Token) else value).reveal()


def form(step):
    assert isinstance(step, Request)
    return {name: values[0] for name, values in parse_qs(step.body.decode()).items()}


def test_one_fetches_and_the_others_wait(start):
    leader, followers = start(), [start() for _ in range(3)]
    assert isinstance(next(leader), Request)
    assert {type(next(follower)) for follower in followers} == {Sleep}
    assert ends(leader, reply(access_token="t", expires_in=3600)) == "t"
    assert [ends(follower) for follower in followers] == ["t"] * 3
    assert ends(start()) == "t"


def test_waits_grow_to_a_tenth_of_a_second(start):
    leader, follower = start(), start()
    next(leader)
    assert [next(follower).seconds for _ in range(7)] == [0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.1]


def test_a_minute_before_the_end_one_renews_and_the_others_go_on(start, world):
    first = start()
    next(first)
    assert ends(first, reply(access_token="old", expires_in=3600)) == "old"
    world.seconds = 3539
    assert ends(start()) == "old"
    world.seconds = 3541
    leader, follower = start(), start()
    assert form(next(leader))["grant_type"] == "client_credentials"
    assert ends(follower) == "old"
    assert ends(leader, reply(access_token="new", expires_in=3600)) == "new"
    assert ends(start()) == "new"


def test_an_early_renewal_that_fails_is_tried_again_later(start, world):
    first = start()
    next(first)
    ends(first, reply(access_token="old", expires_in=3600))
    world.seconds = 3541
    early = start()
    next(early)
    assert ends(early, reply(status=503, error="temporarily_unavailable")) == "old"
    assert ends(start()) == "old"
    world.seconds = 3552
    again = start()
    next(again)
    assert ends(again, reply(access_token="new")) == "new"


@pytest.mark.parametrize("fault", [GeneratorExit, KeyboardInterrupt, "timeout"])
def test_a_leader_that_is_given_up_leaves_nobody_waiting(start, fault):
    leader, follower = start(), start()
    next(leader)
    next(follower)
    if fault is GeneratorExit:
        leader.close()
    else:
        error = exceptions.TimeoutError("late", phase="total") if fault == "timeout" else fault()
        with pytest.raises(type(error)):
            leader.throw(error)
    assert isinstance(follower.send(None), Request)
    assert ends(follower, reply(access_token="t")) == "t"


def test_a_failure_is_shared_each_with_its_own_error(start):
    leader, followers = start(), [start(), start()]
    for steps in (leader, *followers):
        next(steps)
    refused = reply(status=400, error="invalid_client")
    caught = []
    for steps, answer in ((leader, refused), (followers[0], None), (followers[1], None)):
        with pytest.raises(exceptions.AuthorizationError, match="invalid_client") as fault:
            steps.send(answer)
        caught.append(fault.value)
    assert len({id(error) for error in caught}) == 3
    assert isinstance(next(start()), Request)


def test_who_waits_has_a_deadline(start, world):
    leader, follower = start(), start(total=5.0)
    next(leader)
    next(follower)
    world.seconds = 6.0
    with pytest.raises(exceptions.TimeoutError) as caught:
        follower.send(None)
    assert caught.value.phase == "total"


def test_a_token_that_another_call_renewed_is_taken(start):
    first = start()
    next(first)
    ends(first, reply(access_token="old"))
    leader, follower = start(rejected="old"), start(rejected="old")
    next(leader)
    next(follower)
    ends(leader, reply(access_token="new"))
    assert ends(follower) == "new"
    assert ends(start(rejected="old")) == "new"


def test_a_child_process_waits_for_nobody(start):
    next(start())
    start.cache._process = os.getpid() + 1
    assert isinstance(next(start()), Request)


DEVICE = {"device_code": "d", "user_code": "u", "verification_uri": "https://id.test/go", "expires_in": 900}
PENDING = reply(status=400, error="authorization_pending")


def test_device(start, world):
    shown = []
    given = OAuth2("id", show_code=shown.append)
    steps = start(given)
    clock, follower = start.clock, start(given, total=5.0)
    assert form(next(steps)) == {"client_id": "id"}
    next(follower)
    run = steps.send(reply(**DEVICE, interval=7))
    assert isinstance(run, RunBlocking)
    run.function()
    assert (shown[0].uri, shown[0].code, shown[0].complete_uri) == ("https://id.test/go", "u", None)
    assert steps.send(None).seconds == 7
    world.seconds = 120
    assert isinstance(follower.send(None), Sleep), "a person may take longer than a call"
    asked = steps.send(None)
    assert form(asked)["device_code"] == "d"
    assert clock.deadline == 300
    assert steps.send(PENDING).seconds == 7
    steps.send(None)
    assert steps.send(reply(status=400, error="slow_down")).seconds == 12
    steps.send(None)
    assert ends(steps, reply(access_token="t")) == "t"
    assert ends(follower) == "t"


@pytest.mark.parametrize("error", ["access_denied", "expired_token"])
def test_device_refused(start, error):
    steps = start(OAuth2("id", show_code=print))
    next(steps)
    steps.send(reply(**DEVICE))
    steps.send(None)
    steps.send(None)
    with pytest.raises(exceptions.AuthorizationError) as caught:
        steps.send(reply(status=400, error=error))
    assert caught.value.error == error


def test_device_that_nobody_uses(start, world):
    steps = start(OAuth2("id", show_code=print))
    next(steps)
    steps.send(reply(**DEVICE | {"expires_in": 20}))
    assert steps.send(None).seconds == 5
    world.seconds = 16
    steps.send(None)
    with pytest.raises(exceptions.AuthorizationError, match="within 20 seconds"):
        steps.send(PENDING)


@pytest.mark.parametrize("missing", ["device_code", "user_code", "verification_uri"])
def test_device_without_a_code(start, missing):
    steps = start(OAuth2("id", show_code=print))
    next(steps)
    with pytest.raises(exceptions.AuthorizationError, match="no code"):
        steps.send(reply(**{name: value for name, value in DEVICE.items() if name != missing}))


class Store:
    """A TokenStore in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, dict] = {}

    def load(self, key):
        return self.kept.get(key)

    def save(self, key, tokens):
        self.kept[key] = tokens


def run(steps, step):
    assert isinstance(step, RunBlocking)
    return steps.send(step.function())


def test_a_401_asks_no_person_but_lets_the_next_call_ask(start):
    store = Store()
    given = OAuth2("id", show_code=print, store=store)
    issuer = (("https", "id.test", 443), "https://id.test/token")
    start.cache.tokens["Login", given, issuer] = Token(Secret("old"))
    steps = start(given, rejected="old")
    forget = run(steps, next(steps))
    assert isinstance(forget, RunBlocking)
    assert ends(steps, forget.function()) == "old"
    assert list(store.kept.values()) == [{}]
    again = start(given)
    assert run(again, next(again)).url == "https://id.test/device"


def test_a_store_is_looked_at_first_and_given_what_is_new(start, world):
    store = Store()
    given = OAuth2("id", "secret", store=store)
    steps = start(given)
    assert isinstance(run(steps, next(steps)), Request)
    save = steps.send(reply(access_token="t", refresh_token="r", expires_in=100))
    assert ends(steps, save.function()) == "t"
    assert store.kept == {
        "https://id.test/token id for https://api.test": {
            "access_token": "t",
            "refresh_token": "r",
            "expires_at": 1_000_100,
            "scopes": [],
        }
    }
    start.cache.tokens.clear()
    again = start(given)
    step = next(again)
    assert ends(again, step.function()) == "t"
    world.seconds = 99
    start.cache.tokens.clear()
    last = start(given)
    assert form(run(last, next(last)))["refresh_token"] == "r"


@pytest.mark.parametrize("newer", ["t2", "t1", None])
def test_a_refresh_token_that_another_process_has_used(start, newer):
    store = Store()
    given = OAuth2("id", "secret", store=store)
    key = "https://id.test/token id for https://api.test"
    entry = {"access_token": "t1", "refresh_token": "r1", "expires_at": 1_000_010, "scopes": []}
    store.save(key, entry)
    steps = start(given)
    assert form(run(steps, next(steps)))["refresh_token"] == "r1"
    store.save(key, {**entry, "access_token": newer, "refresh_token": "r2", "expires_at": 1_001_000})
    step = run(steps, steps.send(reply(status=400, error="invalid_grant")))
    if newer == "t2":
        assert ends(steps, step.function()) == "t2"
        assert store.load(key)["refresh_token"] == "r2"
    else:
        assert form(step)["grant_type"] == "client_credentials"
