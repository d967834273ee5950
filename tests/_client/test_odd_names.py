"""Names that are unusual in Python or URLs: calls accept them, and they are sent unchanged."""

from __future__ import annotations

import inspect
import json
import pickle

import pytest

import dynclient
from dynclient import cli
from dynclient.exceptions import ArgumentError


def client_of(paths, url="https://api.example"):
    return dynclient.load({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}, base_url=url)


WAYS = {
    "call": lambda method, given: method(**given),
    "prepare": lambda method, given: method.prepare(**given),
    "stream": lambda method, given: method.stream(**given),
    "explain": lambda method, given: method.explain(**given),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_parameter_may_be_called_self(httpserver, way):
    httpserver.expect_request("/a", query_string="self=s").respond_with_data("")
    parameter = {"name": "self", "in": "query", "schema": {"type": "string"}}
    operation = {"operationId": "one", "parameters": [parameter], "responses": {"200": {"description": "d"}}}
    with client_of({"/a": {"get": operation}}, httpserver.url_for("")) as client:
        assert list(inspect.signature(client.one).parameters) == ["self"]
        WAYS[way](client.one, {"self": "s"})


PATHS = {
    "/sp ace/é": "/sp%20ace/%C3%A9",
    "/e/{}": "/e/%7B%7D",
    '/"<>^`|/{a}': "/%22%3C%3E%5E%60%7C/%20%22",
    "/%7Bkept%7D/%2F/{a}:go;v=1,2": "/%7Bkept%7D/%2F/%20%22:go;v=1,2",
    "/q?x=é y#Action=1": "/q?x=%C3%A9%20y",
    "/w h y/{a b}": "/w%20h%20y/%20%22",
}


@pytest.mark.parametrize("path", PATHS)
def test_what_a_url_can_not_hold_is_encoded_in_a_path_of_the_document(path):
    names = [name for name in ("a", "a b") if f"{{{name}}}" in path]
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    operation = {"operationId": "one", "parameters": parameters, "responses": {"200": {"description": "d"}}}
    client = client_of({path: {"get": operation}})
    assert client.one.prepare(*[' "' for _ in names]).url == "https://api.example" + PATHS[path]


def test_an_error_names_its_operation_also_where_the_name_is_part_of_a_word():
    body = {"required": True, "content": {"application/json": {}}}
    operation = {"operationId": "plain", "requestBody": body, "responses": {"200": {"description": "d"}}}
    with pytest.raises(ArgumentError, match=r"^plain: \$: a value of type object can.t be converted to JSON"):
        client_of({"/a": {"post": operation}}).plain(object())


def operation_of(parameters=(), properties=None, media_type="application/json"):
    """An operation with query parameters, and a body with properties."""
    made = {"operationId": "one", "responses": {"200": {"description": "d"}}}
    made["parameters"] = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in parameters]
    if properties is not None:
        made["requestBody"] = {"content": {media_type: {"schema": {"type": "object", "properties": properties}}}}
    return made


TEXT = {"type": "string"}
FORM = "application/x-www-form-urlencoded"
# Parameters in the query, properties of the body, keywords; what is sent.
OWN = {
    "a parameter's own name": (["_a", "a"], None, {"a": "1"}, "?a=1"),
    "a parameter's name that is made": (["_a", "a"], None, {"a_2": "1"}, "?_a=1"),
    "a name that is no identifier": (["user-id", "user_id"], None, {"user-id": "1"}, "?user-id=1"),
    "names that differ in case": (["Limit", "limit"], None, {"limit": "1", "Limit": "2"}, "?limit=1&Limit=2"),
    "a property's own name": ([], {"_id": TEXT, "id": TEXT}, {"id": "1"}, {"id": "1"}),
    "a property's name that is made": ([], {"_id": TEXT, "id": TEXT}, {"id_2": "1"}, {"_id": "1"}),
    "a property's own name before a parameter's that is made": (["X-A"], {"x_a": TEXT}, {"x_a": "1"}, {"x_a": "1"}),
    "a text for a property body": ([], {"body": TEXT, "title": TEXT}, {"body": "1"}, {"body": "1"}),
    "a property body beside others": ([], {"body": TEXT, "t": TEXT}, {"t": "1", "body": "2"}, {"t": "1", "body": "2"}),
    "a property Body by its Python name": ([], {"Body": TEXT}, {"body": "1"}, {"Body": "1"}),
    "a property Body by its own name": ([], {"Body": TEXT}, {"Body": "1"}, {"Body": "1"}),
    "a mapping is the whole body": ([], {"body": TEXT}, {"body": {"body": "1"}}, {"body": "1"}),
    "nullable, by 3.1": ([], {"body": {"anyOf": [TEXT, {"type": "null"}]}}, {"body": {"body": "1"}}, {"body": "1"}),
    "a list for a property body": ([], {"body": {"type": "array"}}, {"body": ["1"]}, {"body": ["1"]}),
    "an object for a property body": ([], {"body": {"type": "object"}}, {"body": {"a": "1"}}, {"body": {"a": "1"}}),
    "a body without its own name": ([], {"body": {}}, {"request_body": {"body": {}}}, {"body": {}}),
    "a parameter called body": (["body"], {"a": TEXT}, {"body": "1"}, "?body=1"),
}


@pytest.mark.parametrize("case", OWN)
def test_the_name_that_the_document_gives_goes_first(case):
    parameters, properties, given, sent = OWN[case]
    method = client_of({"/a": {"post": operation_of(parameters, properties)}}).one
    request = method.prepare(**given)
    assert (request.url.removeprefix("https://api.example/a") or json.loads(request.body)) == sent


def test_a_property_called_body_in_a_form_and_by_position():
    method = client_of({"/a": {"post": operation_of([], {"To": TEXT, "Body": TEXT}, FORM)}}).one
    assert method.prepare(to="+1", body="hi").body == b"To=%2B1&Body=hi"
    assert method.prepare({"Body": "hi"}).body == b"Body=hi"
    with pytest.raises(ArgumentError, match="given as a whole, and by its properties too: To"):
        method.prepare(to="+1", body={"Body": "hi"})


def test_a_body_of_version_2_that_is_named_as_its_property():
    schema = {"type": "object", "properties": {"payload": TEXT}}
    operation = {"operationId": "one", "responses": {"200": {"description": "d"}}, "consumes": ["application/json"]}
    operation["parameters"] = [{"name": "payload", "in": "body", "schema": schema}]
    document = {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "host": "h.example"}
    method = dynclient.load({**document, "paths": {"/a": {"post": operation}}}).one
    for given in ({"payload": "p"}, {"payload": {"payload": "p"}}, {"body": {"payload": "p"}}):
        assert method.prepare(**given).body == b'{"payload":"p"}'


def test_an_operation_is_found_by_the_id_that_it_has_itself():
    paths = {
        f"/{name}": {"get": {"operationId": name, "responses": {"200": {"description": "d"}}}}
        for name in ("GetPets", "get_pets", "get_pets_2")
    }
    client = client_of(paths)
    assert [
        client.operations[name].prepare().url.removeprefix("https://api.example/")
        for name in ("GetPets", "get_pets", "get_pets_2")
    ] == [name[1:] for name in paths]
    assert [
        getattr(client, name).prepare().url.removeprefix("https://api.example/")
        for name in ("get_pets_3", "get_pets", "get_pets_2")
    ] == [name[1:] for name in paths]


def test_names_in_other_scripts_are_identifiers(tmp_path):
    text = {"type": "string"}
    parameters = [{"name": name, "in": "query", "schema": text} for name in ("Размер", "\uff26ull", "名前")]
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"имя": text, "@тип": text}}}}}
    operation = {"operationId": "получитьВсе", "tags": ["用户"], "parameters": parameters, "requestBody": body}
    path = tmp_path / "документ.json"
    info = {"title": "Пример", "version": "1"}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": {"/a": {"post": operation}}}))
    client = dynclient.load(path, base_url="https://api.example")
    assert list(inspect.signature(client.用户.получить_все).parameters) == [
        *("body", "размер", "full", "名前", "имя", "тип"),
    ]
    request = client.получить_все.prepare(Размер="1", full="2", 名前="3", имя="4", **{"@тип": "5"})
    assert (request.url, json.loads(request.body)) == (
        "https://api.example/a?%D0%A0%D0%B0%D0%B7%D0%BC%D0%B5%D1%80=1&%EF%BC%A6ull=2&%E5%90%8D%E5%89%8D=3",
        {"имя": "4", "@тип": "5"},
    )
    assert "client.用户.получить_все(" in client.用户.получить_все.__doc__
    for command in ("docs", "stubs"):
        assert cli.main([command, str(path), "--out", str(tmp_path / command)]) == 0
    assert all(found.name.isascii() for found in (tmp_path / "docs").iterdir())
    (stub,) = (tmp_path / "stubs").rglob("_operations_1.pyi")
    assert "*, размер: str=..., full: str=..., 名前: str=..., имя: str=..., тип: str=..." in stub.read_text("utf-8")


def repository_of(**options):
    text = {"type": "string"}
    path = [{"name": name, "in": "path", "required": True, "schema": text} for name in ("owner", "repo")]
    query = [{"name": "X-Api-Version", "in": "header", "schema": text}]
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"owner": text}}}}}
    operation = {"operationId": "edit", "parameters": path + query, "requestBody": body, "responses": {}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}}
    paths = {"/{owner}/{repo}": {"post": operation}, "/other": {"get": {"operationId": "other", "responses": {}}}}
    return dynclient.load({**document, "paths": paths}, base_url="https://api.example", **options)


MINE = {"owner": "me", "X-Api-Version": "7"}
DEFAULTS = {
    "by keyword": (MINE, (), {"repo": "r"}, "/me/r", "7"),
    "by position": (MINE, ("r",), {}, "/me/r", "7"),
    "with a body by position": (MINE, ("r", {}), {}, "/me/r", "7"),
    "all by position": (MINE, ("you", "r", {}), {}, "/you/r", "7"),
    "another one by keyword": (MINE, ("r",), {"owner": "you", "x_api_version": "8"}, "/you/r", "8"),
    "by the Python name": ({"x_api_version": "9"}, ("you", "r"), {}, "/you/r", "9"),
    "none": (None, ("you", "r"), {}, "/you/r", None),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_defaults_fill_parameters_of_their_name(case):
    defaults, args, keywords, path, version = DEFAULTS[case]
    for client in (repository_of(defaults=defaults), repository_of().with_options(defaults=defaults)):
        request = client.edit.prepare(*args, **keywords)
        assert (request.url.removeprefix("https://api.example"), request.headers.get("X-Api-Version")) == (
            path,
            version,
        )
        assert client.other.prepare().url == "https://api.example/other"


def test_defaults_are_in_the_signature_and_nowhere_in_a_repr():
    client = repository_of(defaults={"owner": "me"})
    assert str(inspect.signature(client.edit)).startswith(
        "(repo: str, body: dict[str, typing.Any] = ..., *, owner: str = 'me'"
    )
    assert "owner='me'" not in repr(client) + repr(client._dispatcher.options)
    assert client.with_options(defaults=None).edit.prepare("o", "r").url.endswith("/o/r")
    assert [way.text for way in client.edit.explain("r").ways] == ["me", "r"]
    with pytest.raises(ArgumentError, match="defaults must be a mapping"):
        repository_of(defaults=["owner"])
    with pytest.raises(ArgumentError, match="missing argument: repo"):
        client.edit.prepare()


def test_a_result_says_what_was_asked_and_how_long_it_took(httpserver):
    httpserver.expect_request("/other").respond_with_json([1, 2])
    with repository_of() as client:
        result = client.with_options(base_url=httpserver.url_for(""), validate="off").other_with_http_info()
    assert (result.data, result.url, result.request.method) == ([1, 2], httpserver.url_for("/other"), "GET")
    assert 0 < result.elapsed < 60
    assert (repr(result), result.cached) == ("<HTTPResult 200: list of 2>", False)


def test_the_pickle_of_a_result_holds_no_credential(httpserver):
    httpserver.expect_request("/other").respond_with_json([])
    with repository_of(headers={"Authorization": "Bearer canary-4711"}) as client:
        method = client.with_options(base_url=httpserver.url_for(""), validate="off").other_with_http_info
        kept = pickle.dumps(method())
    assert b"canary" not in kept
    assert pickle.loads(kept).request.method == "GET"
