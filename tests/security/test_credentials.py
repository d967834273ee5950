"""The values of auth=, and that secrets stay secret."""

from __future__ import annotations

import copy
import pickle

import pytest

import dynclient
from dynclient import exceptions
from dynclient.options import Secret

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
    (("HeaderKey", "Basic"), {"HeaderKye": "canary"}, "'HeaderKye'", "did you mean HeaderKey?"),
    (("HeaderKey", "Basic"), {5: "canary"}, "no security scheme 5", "HeaderKey, Basic"),
    (("HeaderKey",), {"HeaderKey": ("canary", "canary")}, "HeaderKey", '"key"'),
    (("HeaderKey",), {"HeaderKey": None}, "HeaderKey", "NoneType"),
    (("Basic",), {"Basic": "canary"}, "Basic", '("user", "password")'),
    (("OAuth",), {"OAuth": ("canary", "canary")}, "OAuth", '"token"'),
]


@pytest.mark.parametrize(("names", "auth", "fault", "hint"), REFUSED)
def test_refused_when_it_is_given(document, names, auth, fault, hint):
    with pytest.raises(exceptions.ArgumentError) as caught:
        dynclient.load(document(schemes=names), auth=auth)
    assert fault in str(caught.value)
    assert hint in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.argument == "auth"


def test_a_document_without_schemes(document):
    assert dynclient.load(document(schemes=[]))
    with pytest.raises(exceptions.ArgumentError, match="the document has none"):
        dynclient.load(document(schemes=[]), auth="canary")


AUTHS = [
    (("Basic",), ("canary-user", "canary")),
    (("Basic",), ["u", Secret("canary")]),
    (("Bearer",), "canary"),
    (("Bearer", "Basic"), {"Bearer": "canary", "Basic": ("u", "canary")}),
]


@pytest.mark.parametrize(("names", "auth"), AUTHS)
def test_a_client_shows_nothing_and_pickles_without_it(document, names, auth):
    client = dynclient.load(document(*names, schemes=names), auth=auth)
    operation = client.operations["getX"]
    shown = f"{client!r} {vars(client) if hasattr(client, '__dict__') else ''!r} {operation!r}"
    assert "canary" not in shown.replace("canary-user", "")
    assert b"canary" not in pickle.dumps(client)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(operation)


@pytest.mark.parametrize(("names", "auth"), AUTHS)
def test_other_options_keep_the_credential(document, sent, names, auth):
    given = sent(auth, *names, schemes=names)
    client = dynclient.load(document(*names, schemes=names)).with_options(auth=auth).with_options(timeout=5)
    assert client.get_x.prepare().headers == given.headers


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
