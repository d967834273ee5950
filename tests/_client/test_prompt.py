"""Output at the prompt: signatures, help, names, completion, tables, and requests that are not sent."""

from __future__ import annotations

import inspect
import json
import pickle
import pydoc
import shlex
import subprocess
import sys

import pytest

import dynclient
from dynclient import Request

BODY = {
    "to": "+19195551234",
    "from": "+19195554321",
    "applicationId": "1234-qwer-5679-tyui",
    "answerUrl": "https://example.com/answer",
}


@pytest.fixture(scope="module")
def client(voice_path):
    with dynclient.load(voice_path) as client:
        yield client


def test_signature(client):
    signature = inspect.signature(client.create_call)
    kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
    assert list(kinds)[:4] == ["account_id", "create_call", "to", "from_"]
    assert [name for name, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD] == [
        "account_id",
        "create_call",
    ]
    assert {kind for name, kind in kinds.items() if name not in {"account_id", "create_call"}} == {
        inspect.Parameter.KEYWORD_ONLY
    }
    assert {"application_id", "answer_url", "machine_detection", "tag", "priority"} <= set(kinds)
    assert signature.parameters["account_id"].default is inspect.Parameter.empty
    assert signature.parameters["tag"].default is ...
    assert signature.parameters["account_id"].annotation is str
    assert signature.parameters["priority"].annotation == (int | None)
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.parameters.values())
    assert signature.return_annotation.__name__ == "CreateCallResponse"
    assert inspect.signature(client.update_call_bxml).return_annotation is None
    assert inspect.signature(client.get_call_state_with_http_info).return_annotation is dynclient.HTTPResult


def test_a_property_whose_name_a_parameter_has_gets_a_number():
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/things/{id}": {
                "put": {
                    "operationId": "putThing",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "requestBody": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
                                }
                            }
                        }
                    },
                    "responses": {"204": {"description": "done"}},
                }
            }
        },
    }
    with dynclient.load(document, base_url="http://127.0.0.1") as client:
        assert list(inspect.signature(client.put_thing).parameters) == ["id", "body", "id_2", "name"]
        assert client.put_thing.prepare("a", id_2=5, name="n").body == b'{"id":5,"name":"n"}'
        assert "id_2" in client.put_thing.__doc__
        assert "id_2" in repr(client.put_thing.explain("a", id_2=5))
        assert client.put_thing.prepare("a", name="n").body == b'{"name":"n"}'
        assert client.put_thing.prepare("a", {"id": 5}).body == b'{"id":5}'


def test_help_says_signature_and_docstring(voice_path):
    code = f"import dynclient; help(dynclient.load({str(voice_path)!r}).create_call)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    # Python 3.13 gives a long signature a line for each parameter.
    assert "create_call(account_id: str" in "".join(shown.split()).replace("account_id:str", "account_id: str")
    assert inspect.getdoc(dynclient.load(voice_path).create_call).splitlines()[0] in shown


def test_names(client):
    assert {"create_call", "get_call_state", "update_call", "update_call_bxml", "calls", "operations"} <= set(
        dir(client)
    )
    assert "create_call" in dir(client.calls)
    for each in (client, client.calls):
        assert each.create_call_with_http_info == each.create_call.with_http_info
        assert not [name for name in dir(each) if name.endswith("_with_http_info")]
    assert list(client.operations) == ["create_call", "get_call_state", "update_call", "update_call_bxml"]
    for name in ("create_call", "createCall", "calls.create_call", "POST /accounts/{accountId}/calls"):
        assert client.operations[name] == client.operations["create_call"]
        assert name in client.operations
    assert client.create_call.__name__ == "create_call"
    assert not hasattr(client, "_repr_html_")
    assert not hasattr(client, "__wrapped__")


def test_printed(client):
    table = repr(client.operations)
    for text in ("create_call", "POST", "/accounts/{accountId}/calls/{callId}/bxml"):
        assert text in table
    assert "create_call(account_id: str" in repr(client.create_call)
    assert repr(client) == "<Client of Voice Calls API 1.0.0: 4 operations>" or "4 operations" in repr(client)
    assert "update_call" in repr(client.calls)


def test_prepare_sends_nothing_and_asks_for_nothing(client):
    request = client.create_call.prepare("9900000", BODY)
    assert isinstance(request, Request)
    assert request.method == "POST"
    assert request.url == "https://voice.bandwidth.com/api/v2/accounts/9900000/calls"
    assert json.loads(request.body) == BODY
    assert "$" in request.headers["authorization"]


def test_curl_line(client):
    words = shlex.split(client.create_call.prepare("9900000", BODY).to_curl())
    assert words[:4] == ["curl", "-X", "POST", "https://voice.bandwidth.com/api/v2/accounts/9900000/calls"]
    assert json.loads(words[words.index("--data-raw") + 1]) == BODY
    assert "Content-Type: application/json" in words
    assert [word for word in words if word.startswith("Authorization: Basic $")]


def test_a_given_credential_is_shown_nowhere(voice_path):
    with dynclient.load(voice_path, auth=("user", "s3cret!")) as client:
        request = client.create_call.prepare("9900000", BODY)
        shown = " ".join([repr(request), request.to_curl(), repr(client), str(vars(client))])
    assert "s3cret" not in shown
    assert "dXNlcj" not in shown


@pytest.mark.parametrize("name", ["create_call", "get_call_state", "update_call", "update_call_bxml"])
def test_example_makes_a_valid_call(client, name):
    method = client.operations[name]
    request = method.prepare(**method.example())
    assert request.url.startswith("https://voice.bandwidth.com/api/v2/accounts/")
    assert method.example(3) == method.example(3)


def test_options_of_one_call(client):
    method = client.get_call_state.with_options(headers={"X-Trace": "1"}, base_url="http://127.0.0.1:1/v9")
    request = method.prepare("a", "b")
    assert (request.url, request.headers["x-trace"]) == ("http://127.0.0.1:1/v9/accounts/a/calls/b", "1")
    assert "x-trace" not in client.get_call_state.prepare("a", "b").headers
    with pytest.raises(dynclient.RequestError, match="time_out"):
        client.with_options(time_out=5)


@pytest.mark.parametrize("jedi", [True, False])
def test_ipython_completes_operations_and_arguments(voice_path, jedi, monkeypatch):
    # IPython says by this that somebody looks, also of what comes after this test.
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell(config=Config({"Completer": {"use_jedi": jedi}, "HistoryManager": {"enabled": False}}))
    shell.user_ns["voice"] = dynclient.load(voice_path)

    def offered(text):
        with provisionalcompleter():
            return {completion.text for completion in shell.Completer.completions(text, len(text))}

    assert "account_id=" in offered("voice.create_call(acc")
    assert "machine_detection=" in offered("voice.create_call(mach")
    assert {text.rpartition(".")[2] for text in offered("voice.update")} >= {"update_call", "update_call_bxml"}
    assert {text.rpartition(".")[2] for text in offered("voice.calls.cr")} >= {"create_call"}


def test_ipython_completes_values(voice_path, monkeypatch):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    settings = {"Completer": {"use_jedi": False}, "HistoryManager": {"enabled": False}}
    shell = InteractiveShell.instance(config=Config(settings))
    monkeypatch.setattr(InteractiveShell, "_instance", shell)
    shell.user_ns["voice"] = dynclient.load(voice_path)

    def offered(text):
        with provisionalcompleter():
            return {completion.text for completion in shell.Completer.completions(text, len(text))}

    try:
        assert {"active", "completed"} <= offered('voice.update_call("9", "c", state="')
        assert "completed" in offered("voice.calls.update_call('9', 'c', state='comp")
        assert '"completed"' in offered("voice.update_call(call_id=x, state=")
        assert "completed" not in offered('other.update_call(state="comp')
        assert "createCall" in {text.strip("'\"]") for text in offered('voice.operations["createC')}
    finally:
        InteractiveShell.clear_instance()


def test_a_body_by_the_name_that_the_document_gives_it():
    document = {
        "swagger": "2.0",
        "info": {"title": "t", "version": "1"},
        "definitions": {"T": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        "paths": {
            "/a": {
                "post": {
                    "operationId": "make",
                    "parameters": [{"name": "theThing", "in": "body", "schema": {"$ref": "#/definitions/T"}}],
                    "responses": {"204": {"description": "done"}},
                }
            }
        },
    }
    with dynclient.load(document, base_url="http://127.0.0.1") as client:
        for keywords in ({"theThing": {"a": 1}}, {"t": {"a": 1}}, {"body": {"a": 1}}, {"a": 1}):
            assert client.make.prepare(**keywords).body == b'{"a":1}'
        assert client.make.prepare(body=None).body is None
        assert client.make.prepare(None).body is None


def test_a_malformed_base_url_is_refused_at_once(voice_path):
    with pytest.raises(dynclient.RequestError, match="not an absolute http or https URL"):
        dynclient.load(voice_path, base_url="nonsense")


def test_an_error_shows_no_query_values_and_keeps_no_body(root):
    with (
        dynclient.load(root / "openapi" / "orders.yaml", base_url="http://127.0.0.1:1", auth="key") as client,
        pytest.raises(dynclient.TransportError) as caught,
    ):
        client.list_orders.with_options(retry=None)(status=["paid"])
    assert "/orders?status=..." in str(caught.value)
    assert "paid" not in str(caught.value)
    assert caught.value.request.body is None


@pytest.fixture(scope="module", params=[dynclient.Client, dynclient.AsyncClient])
def either(request, voice_path):
    """A client of each kind; nothing is called, so nothing is open."""
    return request.param.load(voice_path)


@pytest.mark.parametrize(
    ("mistyped", "said"),
    [
        (lambda voice: voice.creat_call, "no operation creat_call; did you mean create_call?"),
        (lambda voice: voice.cals, "no operation cals; did you mean calls"),
        (lambda voice: voice.calls.creat_call, "no operation calls.creat_call; did you mean create_call?"),
        (lambda voice: voice.operations["creatCall"], "no operation creatCall; did you mean create_call?"),
        (lambda voice: voice.relaod, "no operation relaod; did you mean reload"),
        (lambda voice: voice.with_option, "did you mean with_options?"),
        (lambda voice: voice.creat_call_with_http_info, "did you mean create_call_with_http_info?"),
        (lambda voice: voice.calls.creat_call_with_http_info, "did you mean create_call_with_http_info?"),
        (
            lambda voice: voice.operations["GET /accounts/{accountId}/calls"],
            "did you mean POST /accounts/{accountId}/calls?",
        ),
        (lambda voice: voice.operations[5], "no operation 5: an operation is found by its name"),
        (lambda voice: voice.operations[None], "no operation None: an operation is found by its name"),
        (lambda voice: voice.create_call.prepare("9", acount_id="8"), "acount_id; did you mean account_id?"),
        (lambda voice: voice.create_call.prepare("9", aplication_id="8"), "did you mean application_id?"),
    ],
)
def test_a_mistyped_name_says_which_was_meant(either, mistyped, said):
    with pytest.raises(dynclient.DynclientError) as caught:
        mistyped(either)
    assert said in str(caught.value)


def test_both_clients_show_the_same(either, client):
    assert repr(either.operations) == repr(client.operations)
    assert repr(either.create_call) == repr(client.create_call)
    assert either.create_call.describe() == client.create_call.describe()
    assert either.create_call.schema == client.create_call.schema
    assert str(either.create_call.explain("9", to="x")) == str(client.create_call.explain("9", to="x"))
    assert either.create_call.prepare("9", BODY).to_python() == client.create_call.prepare("9", BODY).to_python()
    assert set(dir(either)) ^ set(dir(client)) <= {
        "close",
        "aclose",
        "__enter__",
        "__exit__",
        "__aenter__",
        "__aexit__",
    }
    assert not any(hasattr(each, "nothing") for each in (either, either.calls, either.create_call))


def test_a_tag_is_a_table_where_people_look(client, monkeypatch):
    monkeypatch.delattr(sys, "ps1", raising=False)
    assert repr(client.calls) == "<calls: create_call, get_call_state, update_call, update_call_bxml>"
    shown = client.calls._repr_mimebundle_()
    assert "<table" in shown["text/html"]
    assert shown["text/plain"].splitlines()[1].split() == [
        "create_call",
        "POST",
        "/accounts/{accountId}/calls",
        *["Create", "Call"],
    ]
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert repr(client.calls) == shown["text/plain"]


def test_what_takes_the_operations_arguments_shows_them(client):
    call = inspect.signature(client.get_call_state)
    for method in (client.get_call_state.prepare, client.get_call_state.stream, client.get_call_state.explain):
        assert inspect.signature(method).parameters == call.parameters
        assert f"{method.__name__}(account_id: str, call_id: str)" in pydoc.render_doc(method, renderer=pydoc.plaintext)
        assert inspect.getdoc(method)


def test_options_show_their_names_and_no_defaults(client):
    for method in (client.with_options, client.create_call.with_options):
        shown = str(inspect.signature(method))
        assert shown.startswith("(*, base_url=..., server=..., auth=...")
        assert "timeout=..." in pydoc.render_doc(method, renderer=pydoc.plaintext)


@pytest.mark.parametrize("load", [dynclient.load, dynclient.Client.load, dynclient.AsyncClient.load])
def test_load_shows_no_long_defaults(load):
    shown = str(inspect.signature(load))
    assert "limits: 'Limits' = ..., " in shown
    assert "Timeout(" not in shown
    assert "base_url" in pydoc.render_doc(load, renderer=pydoc.plaintext)
    assert pickle.loads(pickle.dumps(load))(b'{"openapi": "3.1.0"}').api.version == ""
