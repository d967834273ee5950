"""``call --wait`` and ``dynclient wait``."""

from __future__ import annotations

import json

import pytest
from werkzeug import Response

from dynclient._client import jobs

ANY = {"200": {"description": "", "content": {"application/json": {}}}, "202": {"description": ""}}


@pytest.fixture
def make(httpserver, tmp_path, monkeypatch):
    """A document of a job that is pending twice; the words that call it, up to its operations."""
    monkeypatch.setattr(jobs, "SHORTEST", 0.0)
    monkeypatch.setattr(jobs, "FIRST", 0.001)
    answers = []

    def handler(request):
        if request.method == "POST":
            return Response(status=202, headers={"Operation-Location": "/op"})
        state = answers.pop(0) if len(answers) > 1 else answers[0]
        return Response(json.dumps(state), content_type="application/json")

    for path in ("/a", "/op"):
        httpserver.expect_request(path).respond_with_handler(handler)

    def make(*states, **post):
        answers[:] = states
        paths = {"/a": {"post": {"operationId": "go", "responses": ANY, **post}}}
        paths["/op"] = {"get": {"operationId": "look", "responses": {"200": ANY["200"]}}}
        document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
        path = tmp_path / "d.json"
        path.write_text(json.dumps(document))
        return path, ("--base-url", httpserver.url_for("").rstrip("/"))

    return make


def test_wait(run, make):
    path, base = make({"status": "Running"}, {"status": "Succeeded", "result": {"n": 1}})
    status, out, err = run("call", path, "go", *base, "--wait", "--timeout", "1m")
    assert (status, json.loads(out)) == (0, {"n": 1})
    assert "Running after 0 s" in err
    path, base = make({"n": 1}, {"n": 3})
    words = ("--wait", "--until", "n=3", "--until", "n=4", "--include")
    status, out, _ = run("call", path, "look", *base, *words)
    assert (status, "200" in out, '"n": 3' in out) == (0, True, True)


def test_a_wait_that_ends_early_goes_on(run, make):
    path, base = make({"status": "Running"})
    status, out, err = run("call", path, "go", *base, "--wait", "--timeout", "0.2s")
    assert (status, out) == (1, "")
    assert "not over yet, the state is Running" in err
    assert "dynclient.resume" not in err
    words = next(line for line in err.splitlines() if "to continue" in line).partition("dynclient ")[2].split()
    make({"status": "Running"}, {"status": "Succeeded", "result": 7})
    assert run(*words, *base, "--timeout", "10m")[:2] == (0, "7\n")
    make({"status": "Failed"})
    status, _, err = run(*words, *base)
    assert (status, "it ended as Failed" in err) == (1, True)


def test_an_interrupt_tells_how_to_go_on(run, make, monkeypatch):
    path, base = make({"status": "Running"})

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    status, _, err = run("call", path, "go", *base, "--wait")
    assert (status, f"dynclient wait {path} w1." in err) == (130, True)


WRONG = {
    "no wait": (("go", "--until", "a=1"), "need --wait"),
    "no value": (("look", "--wait", "--until", "a"), "--until takes PATH=VALUE"),
    "no time": (("go", "--wait", "--timeout", "soon"), "is not a time such as"),
    "all": (("look", "--wait", "--all"), "combined with --all or -o raw"),
    "unclear": (("look", "--wait"), "it is unclear which state ends the wait"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_wrong_words(case, run, make, httpserver):
    words, message = case
    path, base = make({})
    status, _, err = run("call", path, *words, *base)
    assert (status in {1, 2}, message in err) == (True, True), err
    assert httpserver.log == []


def test_a_text_that_no_wait_told(run, make):
    path, base = make({})
    status, _, err = run("wait", path, "w1.x", *base)
    assert (status, "TEXT is not from a wait" in err) == (2, True)


def test_the_document_s_own_option_keeps_its_name(run, make):
    path, base = make({"status": "done"}, parameters=[{"name": "wait", "in": "query", "schema": {"type": "string"}}])
    assert run("call", path, "go", *base, "--wait", "x", "--wait-wait")[0] == 0
    help_text = run("call", path, "go", "--help")[1]
    assert "--wait-wait" in help_text
    assert "Waiting" not in run("call", path, "look", "--help")[1]


def test_a_parameter_with_the_name_of_an_option_hides_it_from_nobody(run, make):
    own = {"name": "until", "in": "query", "schema": {"type": "string"}}
    path, base = make({"status": "ready"}, parameters=[own])
    status, _, err = run("call", path, "go", *base, "--until", "x", "--wait", "--wait-until", "status=ready")
    assert (status, err.count("TypeError")) == (0, 0), err
