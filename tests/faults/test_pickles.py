"""A client in another process: its configuration is pickled, sockets and secrets are not."""

from __future__ import annotations

import multiprocessing
import pickle
from operator import attrgetter

import pytest
from calling import CANARIES
from case import AUTH, PASSWORD, document, ok

import dynclient
from dynclient.options import Retry, Timeout


@pytest.mark.parametrize("kind", [dynclient.Client, dynclient.AsyncClient])
def test_a_pickled_client(kind, voice_path, monkeypatch, tmp_path):
    options = {
        "timeout": Timeout(total=7),
        "retry": Retry(attempts=5),
        "headers": {"X-A": "b", "Authorization": PASSWORD},
    }
    made = kind.load(voice_path, auth=("user", PASSWORD), proxy=f"http://user:{PASSWORD}@127.0.0.1:9", **options)
    data = pickle.dumps(made)
    monkeypatch.chdir(tmp_path)
    copy = pickle.loads(data)
    assert type(copy) is kind
    settings = copy._dispatcher.options
    assert (settings.timeout, settings.retry, settings.headers) == (options["timeout"], options["retry"], {"X-A": "b"})
    assert settings.auth is ...
    assert list(copy.operations) == list(made.operations)
    assert [canary for canary in CANARIES if canary.encode() in data] == []


def test_a_copy_calls_as_soon_as_it_has_credentials(serve):
    server = serve(("ask", ok()))
    with dynclient.load(document(server.url), auth=AUTH) as client:
        copy = pickle.loads(pickle.dumps(client))
    with copy.with_options(auth=AUTH) as again:
        assert again.get_thing() == {"id": 1}


def test_a_document_that_has_changed_is_told(tmp_path):
    path = tmp_path / "api.json"
    path.write_text('{"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}}')
    data = pickle.dumps(dynclient.load(path))
    path.write_text('{"openapi": "3.1.0", "info": {"title": "b", "version": "1"}, "paths": {}}')
    with pytest.raises(dynclient.exceptions.UnreadableDocument, match="has changed"):
        pickle.loads(data)


@pytest.mark.parametrize("held", ["get_call_state", "calls"])
def test_what_holds_credentials_is_not_pickled_and_says_what_is(voice_path, held):
    client = dynclient.load(voice_path, auth=("user", PASSWORD))
    with pytest.raises(TypeError, match="pickle the client"):
        pickle.dumps(getattr(client, held))


def test_a_client_of_a_file_object_is_not_pickled(voice_path):
    with voice_path.open("rb") as file:
        client = dynclient.load(file)
        with pytest.raises(TypeError, match="a client of a file object is not pickled"):
            pickle.dumps(client)


def test_a_client_in_a_spawned_process(voice_path):
    client = dynclient.load(voice_path)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(attrgetter("api.title"), (client,)) == client.api.title
