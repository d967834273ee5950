"""Reload a document while its client is in use: changes are reported, and calls in progress are not affected."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import dynclient
from dynclient.exceptions import ArgumentError, DocumentError, NoSuchOperation, UnreadableDocument


def document(*names: str, server: str = "https://api.example", required: bool = False) -> dict[str, Any]:
    parameter = {"name": "q", "in": "query", "required": required, "schema": {"type": "string"}}
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "integer"}}}}}
    paths = {
        f"/{name}": {"get": {"operationId": name, "parameters": [parameter], "responses": answer}} for name in names
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": str(len(names))},
        "servers": [{"url": server}],
        "paths": paths,
    }


def write(path: Path, *names: str, **options: Any) -> None:
    path.write_text(json.dumps(document(*names, **options)), encoding="utf-8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "api.json", "one")
    return tmp_path / "api.json"


def test_a_file_that_is_the_same_has_no_changes(path: Path):
    with dynclient.load(path) as client:
        api = client.api
        changes = client.reload()
        assert (list(changes), client.api) == ([], api)
        assert repr(changes) == "no changes"
        path.write_bytes(path.read_bytes())
        assert not client.reload()


def test_a_changed_file_is_taken_by_all_that_share_it(path: Path):
    with dynclient.load(path) as client:
        other = client.with_options(timeout=5)
        held, listed = client.one, client.operations
        write(path, "one", "two", required=True)
        changes = client.reload()
        assert [change.id for change in changes.breaking] == ["parameter-became-required"]
        assert {change.id for change in changes} == {
            "parameter-became-required", "operation-added", "api-version-changed",
        }  # fmt: skip
        assert changes.by_operation["two"][0].id == "operation-added"
        assert client.two.prepare("x").url == other.two.prepare("x").url == "https://api.example/two?q=x"
        # What was made before goes on with what it was made from.
        assert held.prepare().url == "https://api.example/one"
        assert list(listed) == ["one"]
        assert list(client.operations) == ["one", "two"]
        with pytest.raises(ArgumentError):
            client.one.prepare()


def test_removed_operations_are_gone_from_the_client_but_held_ones_go_on(path: Path):
    with dynclient.load(path) as client:
        held = client.one
        write(path, "two")
        assert [change.id for change in client.reload().breaking] == ["operation-removed"]
        assert "one" not in dir(client)
        with pytest.raises(NoSuchOperation):
            client.one  # noqa: B018  # it is the look that fails
        assert held.prepare(q="x").url == "https://api.example/one?q=x"


def test_an_operation_with_another_name_is_named_in_the_error(path: Path):
    text = path.read_text().replace('"/one"', '"/things"')
    path.write_text(text)
    with dynclient.load(path) as client:
        path.write_text(text.replace('"operationId": "one"', '"operationId": "getEverything"'))
        client.reload()
        with pytest.raises(NoSuchOperation, match=r"no operation one; did you mean get_everything\?"):
            _ = client.one
        path.write_text(text)
        client.reload()
        assert client.one.operation.id == "one"


@pytest.mark.parametrize("text", ["{", "[]", '{"openapi": "9.0.0"}', '{"openapi": "3.1.0", "paths": 5}'])
def test_a_broken_document_leaves_the_old_one(path: Path, text: str):
    with dynclient.load(path) as client:
        api = client.api
        path.write_text(text, encoding="utf-8")
        for _ in range(2):
            with pytest.raises(DocumentError):
                client.reload()
        assert client.api is api
        assert client.one.prepare().url == "https://api.example/one"
        write(path, "two")
        assert client.reload().breaking
        assert client.two.prepare().method == "GET"


def test_a_file_that_is_gone_leaves_the_old_one(path: Path):
    with dynclient.load(path) as client:
        path.unlink()
        with pytest.raises(UnreadableDocument):
            client.reload()
        assert client.one.prepare()


def test_credentials_that_do_not_fit_leave_the_old_one(path: Path):
    made = document("one")
    made["components"] = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    path.write_text(json.dumps(made), encoding="utf-8")
    with dynclient.load(path, auth={"key": "secret"}) as client:
        write(path, "one", "two")
        with pytest.raises(ArgumentError):
            client.reload()
        assert "two" not in client.operations


@pytest.mark.parametrize("given", [document("one"), json.dumps(document("one"), indent=1)], ids=["mapping", "text"])
def test_a_value_can_not_be_read_again(given: Any):
    with dynclient.load(given) as client, pytest.raises(ArgumentError):
        client.reload()
    with pytest.raises(ArgumentError):
        dynclient.load(given, watch=True)


def test_a_file_is_found_from_another_folder(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any):
    monkeypatch.chdir(path.parent)
    with dynclient.load(path.name) as client:
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        write(path, "two")
        assert client.reload()


def test_files_that_are_referred_to_count(tmp_path: Path):
    root, part = tmp_path / "api.json", tmp_path / "part.json"
    made = document()
    made["paths"] = {"/one": {"$ref": "part.json"}}
    root.write_text(json.dumps(made), encoding="utf-8")
    item = document("one")["paths"]["/one"]
    part.write_text(json.dumps(item), encoding="utf-8")
    with dynclient.load(root) as client:
        assert client.one.prepare().url.endswith("/one")
        part.write_text(json.dumps({"get": {**item["get"], "deprecated": True}}), encoding="utf-8")
        assert [change.id for change in client.reload()] == ["operation-deprecated"]


VALIDATORS = {
    "etag": ({"ETag": '"v{}"'}, "If-None-Match"),
    "last-modified": ({"Last-Modified": "Mon, 0{} Jun 2026 10:00:00 GMT"}, "If-Modified-Since"),
    "neither": ({}, ""),
}


@pytest.mark.parametrize(("headers", "condition"), VALIDATORS.values(), ids=VALIDATORS)
def test_a_url_is_asked_for_a_newer_version(httpserver: HTTPServer, headers: dict[str, str], condition: str):
    state = {"version": 1, "text": json.dumps(document("one"))}

    def answer(request: Request) -> Response:
        made = {name: value.format(state["version"]) for name, value in headers.items()}
        if condition and request.headers.get(condition) == next(iter(made.values())):
            return Response(status=304)
        return Response(state["text"], headers=made, content_type="application/json")

    httpserver.expect_request("/api.json").respond_with_handler(answer)
    with dynclient.load(httpserver.url_for("/api.json")) as client:
        assert not client.reload()
        asked, answered = httpserver.log[-1]
        assert answered.status_code == (304 if condition else 200)
        assert bool(condition) == (condition in asked.headers)
        state.update(version=2, text="{")
        for _ in range(2):
            with pytest.raises(DocumentError):
                client.reload()
            assert httpserver.log[-1][1].status_code == 200
        state.update(version=3, text=json.dumps(document("one", "two")))
        assert {change.id for change in client.reload()} == {"operation-added", "api-version-changed"}
        assert not client.reload()
        assert client.two.prepare().method == "GET"


def test_an_asynchronous_client_reloads(path: Path):
    async def run() -> list[str]:
        async with dynclient.AsyncClient.load(path) as client:
            write(path, "one", "two")
            changes = await client.reload()
            assert client.two.prepare()
            return sorted(change.id for change in changes)

    assert asyncio.run(run()) == ["api-version-changed", "operation-added"]


def test_threads_in_calls_notice_nothing(path: Path, httpserver: HTTPServer):
    httpserver.expect_request("/one").respond_with_json(1)
    server = httpserver.url_for("").rstrip("/")
    write(path, "one", server=server)
    stop = threading.Event()
    faults: list[BaseException] = []
    calls: list[int] = []

    def work(client: dynclient.Client) -> None:
        try:
            while not stop.is_set():
                calls.append(client.one(q="x"))
                assert "one" in client.operations
        except BaseException as error:  # noqa: BLE001  # told below
            faults.append(error)

    with dynclient.load(path) as client:
        threads = [threading.Thread(target=work, args=(client,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(20):
            # The first row is another one each time, so an index of one edition fits no session of the other.
            write(path, *(["zero", "one"] if number % 2 else ["one"]), server=server)
            assert client.reload() or number == 0
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == []
    assert set(calls) == {1}


class Seen:
    """A hook that keeps its events."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.told = threading.Event()

    def on_reload(self, event: Any) -> None:
        self.events.append(event)
        self.told.set()

    def wait(self) -> Any:
        assert self.told.wait(20)
        self.told.clear()
        return self.events[-1]


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "dynclient-watch"]


def test_a_watched_file_is_taken(path: Path):
    seen = Seen()
    with dynclient.load(path, watch=0.01, hooks=seen) as client:
        assert [thread.daemon for thread in watchers()] == [True]
        write(path, "one", "two")
        event = seen.wait()
        assert event.document == str(path)
        assert {change.id for change in event.changes} == {"operation-added", "api-version-changed"}
        assert client.two.prepare()
        path.write_text("{", encoding="utf-8")
        event = seen.wait()
        assert isinstance(event.error, DocumentError)
        assert event.changes is None
        assert client.two.prepare()
        write(path, "three")
        assert seen.wait().changes.breaking
        assert client.three.prepare()
    assert watchers() == []
    assert len(seen.events) == 3


def test_a_hook_that_fails_does_not_end_the_watch(path: Path):
    class Failing(Seen):
        def on_reload(self, event: Any) -> None:
            super().on_reload(event)
            raise ValueError

    seen = Failing()
    with dynclient.load(path, watch=0.01, hooks=seen):
        write(path, "two")
        seen.wait()
        write(path, "three")
        seen.wait()


def test_a_hook_may_close_the_client(path: Path):
    class Closing(Seen):
        def on_reload(self, event: Any) -> None:
            client.close()
            super().on_reload(event)

    seen = Closing()
    client = dynclient.load(path, watch=0.01, hooks=seen)
    (thread,) = watchers()
    write(path, "two")
    seen.wait()
    thread.join(20)
    assert not thread.is_alive()


def test_a_forgotten_client_is_not_watched(path: Path):
    client = dynclient.load(path, watch=0.01)
    (thread,) = watchers()
    del client
    import gc

    gc.collect()
    thread.join(20)
    assert not thread.is_alive()


def test_an_asynchronous_client_is_watched_and_ends_it(path: Path):
    seen = Seen()

    async def run() -> None:
        async with dynclient.AsyncClient.load(path, watch=0.01, hooks=seen) as client:
            write(path, "two")
            await asyncio.get_running_loop().run_in_executor(None, seen.wait)
            assert client.two.prepare()

    asyncio.run(run())
    assert watchers() == []


def test_a_closed_client_reads_no_more(path: Path):
    client = dynclient.load(path)
    held = client.one
    client.reload()
    client.close()
    with pytest.raises(dynclient.exceptions.ClientClosed):
        held()
