"""Secrets that are common words are masked where a server repeats them as a whole, and nowhere else."""

from __future__ import annotations

import pytest
from case import QUICK, answer, document

import dynclient
from dynclient import exceptions


@pytest.mark.parametrize(
    ("secret", "body", "shown"),
    [
        ("s3cret", b'{"password": "s3cret", "why": "no"}', '{"password": "***", "why": "no"}'),
        ("s3cret", b'["s3cret","s3crets"]', '["***","s3crets"]'),
        ("invalid", b'{"error": "invalid-grant"}', '{"error": "invalid-grant"}'),
        ("abc", b'{"id": "abc"}', '{"id": "abc"}'),
        ("long-secret", b'{"why": "not long-secret, sorry"}', '{"why": "not ***, sorry"}'),
    ],
)
def test_a_repeated_secret_in_an_error(secret, body, shown, serve):
    server = serve(("ask", answer(404, body, b"Content-Type: application/json", b"X-Was: " + secret.encode())))
    source = document(server.url, security=[{"Header": []}])
    client = dynclient.load(source, auth={"Header": secret}, timeout=QUICK, retry=1)
    with client, pytest.raises(exceptions.NotFound) as caught:
        client.get_thing()
    assert shown in str(caught.value)
    assert caught.value.headers["x-was"] == ("***" if len(secret) > 3 else secret)


def test_data_is_left_to_programs(serve):
    server = serve(("ask", answer(404, b'{"error": "invalid"}', b"Content-Type: application/json")))
    source = document(server.url, security=[{"Header": []}])
    client = dynclient.load(source, auth={"Header": "invalid"}, timeout=QUICK, retry=1)
    with client, pytest.raises(exceptions.NotFound) as caught:
        client.get_thing()
    assert caught.value.data == {"error": "invalid"}
