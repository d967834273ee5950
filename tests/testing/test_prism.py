"""Prism's rules as data, each with our response."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from dynclient import testing
from dynclient.messages import Headers, Request

RULES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "prism.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", RULES, ids=[rule["rule"] for rule in RULES])
def test_response(ask_with, rule):
    asked, ours = rule["ask"], rule["ours"]
    body = asked.get("body", "").encode()
    response = ask_with()(asked.get("method", "GET"), asked["target"], asked.get("headers"), body)
    assert response.status == ours["status"], response.body
    assert ours.get("content_type", response.content_type) == response.content_type
    if "body" in ours:
        assert json.loads(response.body) == ours["body"]
    if response.status == 401:
        assert "www-authenticate" in response.headers


def test_every_deviation_has_a_reason():
    assert all(rule.get("same", True) != ("why" in rule) for rule in RULES)


def test_a_thousand_requests_take_less_than_a_second_of_one_core(voice_path):
    mock = testing.app(voice_path)
    headers = Headers({"Authorization": "Basic dXNlcjpwYXNzd29yZA==", "Content-Type": "application/json"})
    body = b'{"to":"+19195551234","from":"+19195554321","applicationId":"1","answerUrl":"https://a.example/b"}'
    request = Request("POST", "http://127.0.0.1/accounts/9/calls", headers, body)
    assert mock.respond(request).status == 201
    before = time.process_time()
    for _ in range(1000):
        mock.respond(request)
    assert time.process_time() - before < 1
