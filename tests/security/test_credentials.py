"""What auth= may be, and that a secret stays one."""

from __future__ import annotations

import copy
import pickle

import pytest

from dynclient import exceptions
from dynclient.security import Secret, Security, concealed

REFUSED = [
    (("Basic",), 5, "int", 'auth={"Basic": ("user", "password")}'),
    (("Basic",), ("canary",), "tuple", "Basic"),
    (("Basic",), ("a", "b", "canary"), "tuple", "Basic"),
    (("Basic",), ("a", 5), "tuple", "Basic"),
    (("Basic",), "canary", "no security scheme", 'auth={"Basic": ("user", "password")}'),
    (("Basic",), b"canary", "bytes", "Basic"),
    (("HeaderKey",), ("canary", "canary"), "no security scheme", 'auth={"HeaderKey": "key"}'),
    (("HeaderKey", "Bearer"), "canary", "2 security schemes", '"HeaderKey": "key", "Bearer": "token"'),
    (("Certificate",), "canary", "no security scheme", "Certificate"),
    (("Certificate",), {"Certificate": "canary"}, "tls=TLS", "certificate"),
    (("HeaderKey", "Basic"), {"HeaderKye": "canary"}, "'HeaderKye'", "did you mean 'HeaderKey'?"),
    (("HeaderKey", "Basic"), {5: "canary"}, "no security scheme 5", "HeaderKey, Basic"),
    (("HeaderKey",), {"HeaderKey": ("canary", "canary")}, "HeaderKey", '"key"'),
    (("HeaderKey",), {"HeaderKey": None}, "HeaderKey", "NoneType"),
    (("Basic",), {"Basic": "canary"}, "Basic", '("user", "password")'),
    (("OAuth",), {"OAuth": ("canary", "canary")}, "OAuth", '"token"'),
]


@pytest.mark.parametrize(("names", "auth", "fault", "hint"), REFUSED)
def test_refused_when_it_is_given(names, auth, fault, hint, api):
    with pytest.raises(exceptions.ArgumentError) as caught:
        Security(api(*names), auth)
    assert fault in str(caught.value)
    assert hint in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.argument == "auth"


def test_a_document_without_schemes(api):
    none = api()._replace(security_schemes={})
    assert Security(none)
    with pytest.raises(exceptions.ArgumentError, match="the document has none"):
        Security(none, "canary")


AUTHS = [
    (("Basic",), ("canary-user", "canary")),
    (("Basic",), ["u", Secret("canary")]),
    (("Bearer",), "canary"),
    (("Bearer", "Basic"), {"Bearer": "canary", "Basic": ("u", "canary")}),
]


@pytest.mark.parametrize(("names", "auth"), AUTHS)
def test_security_shows_nothing(names, auth, api):
    security = Security(api(*names), auth)
    shown = repr(security) + str(security) + repr([getattr(security, name) for name in security.__slots__])
    assert "canary" not in shown.replace("canary-user", "")
    for thing in (security, copy.copy(concealed(auth))):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(thing)


@pytest.mark.parametrize(("names", "auth"), AUTHS)
def test_what_is_kept_concealed_is_the_same_credential(authorized, names, auth, api, operation, request_to):
    kept = concealed(auth)
    assert "canary" not in repr(kept).replace("canary-user", "")
    first, second = (
        authorized(Security(api(*names), given), request_to(), operation(*names)) for given in (auth, kept)
    )
    assert first == second


@pytest.mark.parametrize("auth", [None, print, 5])
def test_what_is_no_secret_is_kept_as_it_is(auth):
    assert concealed(auth) is auth


def test_secret():
    secret = Secret("canary")
    assert (secret, secret.reveal()) == (Secret("canary"), "canary")
    assert secret != Secret("other")
    assert secret != "canary"
    assert {secret: 1}[Secret("canary")] == 1
    assert (repr(secret), str(secret), f"{secret:>5}", "%s" % secret) == ("***", "***", "  ***", "***")  # noqa: UP031  # every way to show it
    assert copy.deepcopy({"a": secret}) == {"a": secret}
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(secret)
