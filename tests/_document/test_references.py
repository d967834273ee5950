"""Targets of references: within a document, in other files, identifiers of schemas, and missing ones."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import dynclient
from dynclient import cli
from dynclient._document.references import open_document
from dynclient.exceptions import DocumentLocation, UnreadableDocument, UnresolvableReference, UnsafeDocument
from dynclient.json_pointer import at, join
from dynclient.messages import Headers, Response
from dynclient.options import Limits

LOCAL = {
    "openapi": "3.1.0",
    "paths": {
        "/a/{b}": {"get": {"operationId": "get"}},
        "/~odd~1": {"get": {}},
        "/#Action=X": {"post": {}},
        "/50%": {"get": {}},
        "/a%20b": {"get": {}},
    },
    "list": [{"x": 0}, {"x": 1}],
    "components": {
        "schemas": {
            "A": {"type": "object", "properties": {"": {"type": "null"}, "$ref": {"type": "string"}}},
            "B": {"$ref": "#/components/schemas/A"},
            "C": {"$ref": "#/components/schemas/B"},
            "D": {"$ref": "#/components/schemas/A", "description": "more"},
            "E": {"$ref": "#/components/schemas/D"},
            "Foo Bar": True,
            "Größe": {"type": "number"},
            "F": {"$ref": "#/components/schemas/B"},
        }
    },
    "moved": {"$ref": "#/paths/~1a~1{b}"},
}

LEADS = [
    ("#", ""),
    ("#/moved/get", "/paths/~1a~1{b}/get"),
    ("#/moved/get/operationId", "/paths/~1a~1{b}/get/operationId"),
    ("#/components/schemas/F/properties/$ref", "/components/schemas/A/properties/$ref"),
    ("#/components/schemas/D/properties/", "/components/schemas/A/properties/"),
    ("", ""),
    ("#/components/schemas/A", "/components/schemas/A"),
    ("#/components/schemas/B", "/components/schemas/A"),
    ("#/components/schemas/C", "/components/schemas/A"),
    ("#/components/schemas/D", "/components/schemas/D"),
    ("#/components/schemas/E", "/components/schemas/D"),
    ("#/components/schemas/A/properties/", "/components/schemas/A/properties/"),
    ("#/components/schemas/A/properties/$ref", "/components/schemas/A/properties/$ref"),
    ("#/components/schemas/A/properties/%24ref", "/components/schemas/A/properties/$ref"),
    ("#%2Fcomponents/schemas/A", "/components/schemas/A"),
    ("#/components/schemas/Foo%20Bar", "/components/schemas/Foo Bar"),
    ("#/components/schemas/Foo Bar", "/components/schemas/Foo Bar"),
    ("#/components/schemas/Gr%C3%B6%C3%9Fe", "/components/schemas/Größe"),
    ("#/components/schemas/Größe", "/components/schemas/Größe"),
    ("#/paths/~1a~1{b}/get", "/paths/~1a~1{b}/get"),
    ("#/paths/~1a~1%7Bb%7D/get", "/paths/~1a~1{b}/get"),
    ("#/paths/~1~0odd~01", "/paths/~1~0odd~01"),
    ("#/paths/~1%23Action=X/post", "/paths/~1#Action=X/post"),
    ("#/paths/~150%25", "/paths/~150%"),
    ("#/paths/~150%", "/paths/~150%"),
    ("#/paths/~1a%20b", "/paths/~1a%20b"),
    ("#/list/1/x", "/list/1/x"),
]


@pytest.mark.parametrize(("reference", "pointer"), LEADS)
def test_local_references(reference, pointer):
    document = open_document(LOCAL)
    uri, node = document.resolve(reference, f"{document.uri}#/paths")
    assert uri == f"{document.uri}#{pointer}"
    assert node == at(document.root, pointer)
    # The answer's own URI leads to the same place again.
    again, same = document.resolve(document.uri + "#" + pointer.replace("%", "%25"), uri)
    assert (again, same is node) == (uri, True)


NOWHERE = [
    ("#/components/schemas/Aa", "there is no 'Aa' in #/components/schemas"),
    ("#/components/schema/A", "there is no 'schema' in #/components"),
    ("#/list/2", "there is no '2' in #/list"),
    ("#/list/-1", "there is no '-1' in #/list"),
    ("#/list/x", "there is no 'x' in #/list"),
    ("#/list/٢", "there is no"),
    ("#/openapi/x", "there is no 'x' in #/openapi"),
    ("#anchor", "there is no such $anchor"),
    ("http://[", "is not a URI reference"),
]


@pytest.mark.parametrize(("reference", "words"), NOWHERE)
def test_references_that_lead_nowhere(reference, words):
    document = open_document(LOCAL)
    with pytest.raises(UnresolvableReference) as caught:
        document.resolve(reference, f"{document.uri}#/paths/~1a~1{{b}}")
    assert words in str(caught.value)
    assert repr(reference) in str(caught.value)
    assert caught.value.location == DocumentLocation("<mapping>", "/paths/~1a~1{b}", None)


def test_the_usual_mistake_gets_a_hint_and_a_line():
    document = open_document("openapi: 3.1.0\nx:\n  $ref: '#/components/schemas/pet'\ncomponents: {schemas: {Pet: {}}}")
    with pytest.raises(UnresolvableReference) as caught:
        document.resolve("#/components/schemas/pet", f"{document.uri}#/x")
    assert "did you mean 'Pet'?" in str(caught.value)
    assert caught.value.location == DocumentLocation("<text>", "/x", 2)


def chain(length, end):
    schemas = {f"S{n}": {"$ref": f"#/s/S{n + 1}"} for n in range(length)}
    return {"openapi": "3.1.0", "s": {**schemas, f"S{length}": end}}


def test_a_chain_of_5000_references():
    document = open_document(chain(5000, {"type": "string"}))
    assert document.resolve("#/s/S0", document.uri) == (f"{document.uri}#/s/S5000", {"type": "string"})


@pytest.mark.parametrize("length", [0, 1, 2, 5000])
def test_a_circle_of_references_names_them(length):
    document = open_document(chain(length, {"$ref": "#/s/S0"}))
    with pytest.raises(UnresolvableReference, match=r"\$ref is circular: #/s/S0 -> .*#/s/S0, and"):
        document.resolve("#/s/S0", f"{document.uri}#/paths")


@pytest.mark.parametrize("end", ["#/s/S0/a", "#/s/S0", "#/s/S1/s/S0"])
def test_a_pointer_through_a_circle_of_references_leads_nowhere(end):
    document = open_document(chain(2, {"$ref": end}))
    with pytest.raises(UnresolvableReference):
        document.resolve("#/s/S0/a", document.uri)


def test_a_circle_through_a_schema_is_none():
    document = open_document({"openapi": "3.1.0", "s": {"Node": {"properties": {"next": {"$ref": "#/s/Node"}}}}})
    uri = f"{document.uri}#/s/Node"
    assert document.resolve("#/s/Node", f"{uri}/properties/next")[0] == uri


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


FILES = {
    "api/openapi.yaml": "openapi: 3.1.0\npaths:\n  /pets: {$ref: 'paths/pets.yaml#/~1pets'}\nx: {$ref: gone.yaml}\n",
    "api/paths/pets.yaml": "/pets:\n  get:\n    200: {$ref: '../schemas/my pet.json'}\n",
    "api/schemas/my pet.json": '{"type": "object", "x": {"$ref": "#/y"}, "y": [{"$ref": "../openapi.yaml#/openapi"}]}',
    "api/schemas/true.yaml": "true",
    "api/schemas/twice.yaml": "a: 1\n\na: 2\n",
    "api/loop/a.yaml": "$ref: b.yaml",
    "api/loop/b.yaml": "$ref: a.yaml#",
    "outside.yaml": "secret: hunter2\n",
}


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path, FILES)


@pytest.fixture
def document(folder):
    return open_document(folder / "api" / "openapi.yaml")


def test_references_to_other_files(document, folder):
    uri, item = document.resolve("paths/pets.yaml#/~1pets", f"{document.uri}#/paths/~1pets")
    assert uri == (folder / "api/paths/pets.yaml").as_uri() + "#/~1pets"
    reference = item["get"]["200"]["$ref"]
    schema_uri, schema = document.resolve(reference, f"{uri}/get/200")
    assert schema_uri == (folder / "api/schemas/my pet.json").as_uri() + "#"
    assert schema["type"] == "object"
    inner = document.resolve("#/y", f"{schema_uri}/x")
    assert inner == (f"{schema_uri}/y", schema["y"])
    # Back to the root, which is not read twice.
    assert document.resolve("../openapi.yaml#/openapi", f"{schema_uri}/y/0") == (f"{document.uri}#/openapi", "3.1.0")
    assert document.resolve("../openapi.yaml", schema_uri)[1] is document.root
    assert document.resolve("schemas/true.yaml", document.uri)[1] is True


@pytest.mark.parametrize(
    "reference",
    ["schemas/my pet.json", "./schemas/my%20pet.json", "x/../schemas/my%20pet.json#", "schemas//my pet.json"],
)
def test_a_file_has_one_uri_however_it_is_spelled(document, folder, reference):
    uri, _ = document.resolve(reference, document.uri)
    assert uri == (folder / "api/schemas/my pet.json").as_uri() + "#"


def test_places_in_other_files(document, folder):
    uri, _ = document.resolve("schemas/my pet.json", document.uri)
    name = str(folder / "api/schemas/my pet.json")
    assert document.location(f"{uri}/y/0") == (name, "/y/0", 1)
    pets, _ = document.resolve("paths/pets.yaml", document.uri)
    assert document.location(f"{pets}/~1pets/get/200") == (str(folder / "api/paths/pets.yaml"), "/~1pets/get/200", 3)
    assert document.location("file:///never/read#/x") == ("file:///never/read", "/x", None)


def test_names_follow_that_of_the_root(folder, monkeypatch):
    monkeypatch.chdir(folder)
    document = open_document("api/openapi.yaml")
    uri, _ = document.resolve("paths/pets.yaml", document.uri)
    assert document.location(uri) == ("api/paths/pets.yaml", "", 1)


def test_a_file_that_is_not_there(document):
    with pytest.raises(UnreadableDocument) as caught:
        document.resolve("gone.yaml", f"{document.uri}#/x")
    assert "'gone.yaml' can't be followed" in str(caught.value)
    assert "No such file" in str(caught.value)
    assert caught.value.location.line == 4


def test_a_broken_file_is_told_with_its_own_line(document, folder):
    with pytest.raises(UnreadableDocument, match="duplicate key 'a'") as caught:
        document.resolve("schemas/twice.yaml", f"{document.uri}#/x")
    assert caught.value.location == DocumentLocation(str(folder / "api/schemas/twice.yaml"), "/a", 3)


def test_a_circle_through_files(document):
    with pytest.raises(UnresolvableReference, match=r"circular: .*a\.yaml.* -> .*b\.yaml"):
        document.resolve("loop/a.yaml", f"{document.uri}#/x")


@pytest.mark.parametrize(
    "reference",
    [
        "../outside.yaml",
        "/etc/passwd",
        "file:///etc/passwd",
        "file:///proc/self/environ#/x",
        "file://server/share/x.yaml",
        "//server/share/x.yaml",
        "..%2Foutside.yaml",
        "link.yaml",
        "linked/outside.yaml",
        "http://169.254.169.254/latest/meta-data",
        "https://other.example/x.yaml#/y",
        "ftp://other.example/x",
        "data:application/json,{}",
        "javascript:x",
    ],
)
def test_what_a_file_may_not_refer_to(folder, reference):
    (folder / "api/link.yaml").symlink_to(folder / "outside.yaml")
    (folder / "api/linked").symlink_to(folder)
    document = open_document(folder / "api" / "openapi.yaml", transport=NoWeb())
    with pytest.raises(UnsafeDocument) as caught:
        document.resolve(reference, f"{document.uri}#/x")
    assert repr(reference) in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.location.pointer == "/x"


def test_pipes_and_folders_are_no_files_to_refer_to(folder, document):
    os.mkfifo(folder / "api" / "pipe")
    for reference in ("pipe", "schemas"):
        with pytest.raises((UnsafeDocument, UnreadableDocument), match="can't be followed"):
            document.resolve(reference, document.uri)


@pytest.mark.parametrize("allow", [str, os.fspath, lambda path: path, lambda path: path.as_uri()])
def test_a_folder_that_the_caller_allows(folder, allow):
    document = open_document(folder / "api" / "openapi.yaml", references=[allow(folder)])
    assert document.resolve("../outside.yaml#/secret", document.uri)[1] == "hunter2"


@pytest.mark.parametrize("make", [lambda path: path.read_text(), lambda path: path.read_bytes()])
def test_a_document_without_a_folder_refers_to_no_file(folder, make):
    document = open_document(make(folder / "api" / "openapi.yaml"))
    for reference in ("paths/pets.yaml", (folder / "outside.yaml").as_uri()):
        with pytest.raises(UnsafeDocument, match="can't be followed"):
            document.resolve(reference, f"{document.uri}#/x")


def test_an_open_file_refers_to_files_as_its_path_does(folder):
    with (folder / "api" / "openapi.yaml").open() as file:
        document = open_document(file)
    assert document.resolve("schemas/true.yaml", document.uri)[1] is True


def test_more_files_than_the_limit(folder):
    document = open_document(folder / "api" / "openapi.yaml", limits=replace(Limits(), reference_files=1))
    document.resolve("schemas/true.yaml", document.uri)
    with pytest.raises(UnsafeDocument, match="more than 1 files"):
        document.resolve("paths/pets.yaml", document.uri)


def test_a_chain_through_more_documents_than_the_limit(tmp_path):
    write(tmp_path, {f"f{n}.yaml": f"$ref: f{n + 1}.yaml" for n in range(70)} | {"f70.yaml": "type: string"})
    (tmp_path / "openapi.yaml").write_text("openapi: 3.1.0")
    document = open_document(tmp_path / "openapi.yaml")
    assert document.resolve("f10.yaml", document.uri)[1] == {"type": "string"}
    with pytest.raises(UnsafeDocument, match="more than 64 documents"):
        document.resolve("f0.yaml", document.uri)


class NoWeb:
    def send(self, send):
        raise AssertionError(send.request.url)

    def close(self):
        pass


class Web:
    def __init__(self, pages):
        self.pages = pages
        self.urls = []

    def send(self, send):
        self.urls.append(send.request.url)
        page = self.pages[send.request.url]
        if page.startswith("->"):
            return Response(302, Headers({"Location": page[2:]}), b"", send.request)
        return Response(200, Headers(), page.encode(), send.request)

    def close(self):
        pass


PAGES = {
    "https://api.example/v1/openapi.yaml": "openapi: 3.1.0",
    "https://api.example/v1/schemas/pet.yaml": "{type: object, x: {$ref: ../other.yaml}}",
    "https://api.example/v1/other.yaml": "{y: 1}",
    "https://api.example/v1/moved.yaml": "->https://intranet.example/secret",
    "https://intranet.example/secret": "{y: hunter2}",
}
ROOT_URL = "https://api.example/v1/openapi.yaml"


def test_a_document_from_the_network_refers_to_nothing_unless_allowed():
    web = Web(PAGES)
    document = open_document(ROOT_URL, transport=web)
    for reference in ("schemas/pet.yaml", "https://intranet.example/secret", "file:///etc/passwd"):
        with pytest.raises(UnsafeDocument):
            document.resolve(reference, f"{document.uri}#/x")
    assert web.urls == [ROOT_URL]


@pytest.mark.parametrize("allowed", ["https://api.example", "https://api.example/v1", "https://API.example:443/v1/"])
def test_what_is_allowed_is_asked_for_once(allowed):
    web = Web(PAGES)
    document = open_document(ROOT_URL, transport=web, references=[allowed])
    uri, _ = document.resolve("schemas/pet.yaml#", document.uri)
    assert document.resolve("../other.yaml#/y", f"{uri}/x")[1] == 1
    assert document.resolve("other.yaml#", document.uri)[1] == {"y": 1}
    assert web.urls == [ROOT_URL, "https://api.example/v1/schemas/pet.yaml", "https://api.example/v1/other.yaml"]


@pytest.mark.parametrize(
    "reference",
    [
        "https://intranet.example/secret",
        "http://api.example/v1/other.yaml",
        "https://api.example:8443/v1/other.yaml",
        "https://api.example/v10/other.yaml",
        "https://api.example/v1/../v0/other.yaml",
        "https://api.example/v1/%2e%2e/v0/other.yaml",
        "https://api.example/v1/..%2fv0/other.yaml",
        "https://api.example/v1/%2e%2e%2Fv0/other.yaml",
        "https://api.example/v1/%252e%252e%252fv0/other.yaml",
        "https://api.example/v1/..%5cv0/other.yaml",
        "https://api.example/v1/..;x=1/v0/other.yaml",
        "https://user@api.example/v1/other.yaml",
        "moved.yaml",
    ],
)
def test_what_is_not_allowed_is_not_asked_for(reference):
    web = Web(PAGES)
    document = open_document(ROOT_URL, transport=web, references=["https://api.example/v1/"])
    with pytest.raises(UnsafeDocument):
        document.resolve(reference, f"{document.uri}#/x")
    assert set(web.urls) <= {ROOT_URL, "https://api.example/v1/moved.yaml"}


NAMES = """
openapi: 3.1.0
components:
  schemas:
    Tree:
      $id: https://names.example/tree
      $anchor: tree
      $dynamicAnchor: node
      type: object
      $defs:
        leaf: {$anchor: leaf, type: string}
        inner: {$id: inner, $defs: {leaf: {type: number}}, x: {$ref: '#/$defs/leaf'}}
      properties:
        leaf: {$ref: '#/$defs/leaf'}
        $id: {$ref: '#leaf'}
    Here: {$anchor: here, type: boolean}
    Trap: {example: {$id: 'https://names.example/trap', $anchor: trap}, x-y: {$anchor: trap}, enum: [{$anchor: trap}]}
    Names: {properties: {example: {$anchor: found}, default: {$id: 'urn:uuid:1', $anchor: x}}}
    Twin: {$id: 'https://names.example/tree', $defs: {only: {}}, x: {$ref: '#/$defs/only'}}
    Hijack: {$id: 'https://names.example/openapi'}
"""
TREE = "/components/schemas/Tree"
NAMED = [
    ("https://names.example/tree", "", TREE),
    ("https://names.example/tree#", "", TREE),
    ("https://names.example/tree#tree", "", TREE),
    ("https://names.example/tree#node", "", TREE),
    ("https://names.example/tree#/$defs/leaf", "", f"{TREE}/$defs/leaf"),
    ("https://names.example/tree#leaf", "", f"{TREE}/$defs/leaf"),
    ("https://names.example/inner#/$defs/leaf", "", f"{TREE}/$defs/inner/$defs/leaf"),
    ("#here", "", "/components/schemas/Here"),
    ("#found", "", "/components/schemas/Names/properties/example"),
    ("urn:uuid:1#x", "", "/components/schemas/Names/properties/default"),
    ("#/$defs/leaf", f"{TREE}/properties/leaf", f"{TREE}/$defs/leaf"),
    ("#leaf", f"{TREE}/properties/$id", f"{TREE}/$defs/leaf"),
    ("#/$defs/leaf", f"{TREE}/$defs/inner/x", f"{TREE}/$defs/inner/$defs/leaf"),
    ("tree", f"{TREE}/$defs/inner/x", TREE),
    ("inner", TREE, f"{TREE}/$defs/inner"),
    # What a schema with a name of its own lacks is taken from the document, which is what authors mean.
    ("#/components/schemas/Here", f"{TREE}/properties/leaf", "/components/schemas/Here"),
    ("#/$defs/only", "/components/schemas/Twin/x", "/components/schemas/Twin/$defs/only"),
]


@pytest.mark.parametrize(("reference", "base", "pointer"), NAMED)
def test_names_that_schemas_give_themselves(reference, base, pointer):
    document = open_document(NAMES)
    assert document.resolve(reference, f"{document.uri}#{base}")[0] == f"{document.uri}#{pointer}"


@pytest.mark.parametrize(
    "reference", ["https://names.example/trap", "#trap", "#leaf", "https://names.example/tree#here"]
)
def test_names_that_are_none(reference):
    document = open_document(NAMES)
    with pytest.raises((UnresolvableReference, UnsafeDocument)):
        document.resolve(reference, document.uri)


def test_a_name_takes_the_place_of_no_file_that_was_had():
    document = open_document("https://names.example/openapi", transport=Web({"https://names.example/openapi": NAMES}))
    assert document.resolve("https://names.example/openapi#/openapi", document.uri)[1] == "3.1.0"


@pytest.mark.parametrize("version", ["openapi: 3.0.4", "swagger: '2.0'"])
def test_versions_before_3_1_know_no_names(version):
    document = open_document(NAMES.replace("openapi: 3.1.0", version) + "  leaf: 1\n$defs: {leaf: outer}\n")
    assert document.resolve("#/$defs/leaf", f"{document.uri}#{TREE}/properties/leaf")[1] == "outer"
    with pytest.raises(UnresolvableReference):
        document.resolve("#here", document.uri)


def test_a_document_that_names_itself(tmp_path):
    write(
        tmp_path,
        {
            "a/openapi.yaml": "openapi: 3.2.0\n$self: https://api.example/v2/openapi\nx: {y: 1}",
            "a/schemas/pet.yaml": "{$self: /v2/pets, x: {$ref: '#/y'}, y: 2, z: {$ref: openapi}}",
        },
    )
    document = open_document(tmp_path / "a/openapi.yaml")
    assert document.base == "https://api.example/v2/openapi"
    assert document.resolve("#/x", document.uri)[0] == f"{document.uri}#/x"
    assert document.resolve("openapi#/x/y", document.uri)[1] == 1
    uri, pet = document.resolve("schemas/pet.yaml", document.uri)
    assert uri == (tmp_path / "a/schemas/pet.yaml").as_uri() + "#"
    assert document.resolve(pet["x"]["$ref"], f"{uri}/x") == (f"{uri}/y", 2)
    with pytest.raises(UnsafeDocument):
        document.resolve("/v3/x.yaml", document.uri)


def test_threads_read_a_file_once(folder, document):
    found = []

    def work():
        found.append(document.resolve("paths/pets.yaml", document.uri)[1])

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len({id(tree) for tree in found}) == 1


def test_pointers():
    assert join("", "a/b", "~", 0, "") == "/a~1b/~0/0/"
    assert at(LOCAL, "/paths/~1a~1{b}/get/operationId") == "get"
    with pytest.raises(LookupError, match="/list/7"):
        at(LOCAL, "/list/7/x")


def test_real_documents_of_several_files(shared):
    petstore = shared / "corpus/oai/learn/v2.0/json/petstore-separate/spec/swagger.json"
    document = open_document(petstore)
    assert document.resolve("Pet.json", document.uri)[1]["type"]
    with pytest.raises(UnsafeDocument):
        document.resolve("../common/Error.json", document.uri)
    document = open_document(petstore, references=[petstore.parent.parent])
    assert document.resolve("../common/Error.json", document.uri)[1]["required"]
    books = shared / "corpus/fixtures/openapi-core/data/v3.0/parent-reference/openapi.yaml"
    document = open_document(books)
    uri, item = document.resolve("./paths/books.yaml", f"{document.uri}#/paths/~1books")
    assert document.resolve("../schemas/book.yaml#/Book", f"{uri}/get")[1]["type"] == "object"
    assert "get" in item


@pytest.mark.parametrize("reference", ["a\0b", "a%00b", "\ud800", "file:///\ud800", "file:///a%00b"])
def test_what_no_file_can_be_called(reference, tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"here": {"$ref": 5}}', encoding="utf-8")
    document = open_document(path)
    with pytest.raises((UnreadableDocument, UnsafeDocument), match="can't be followed") as caught:
        document.resolve(reference, f"{document.uri}#/here")
    assert caught.value.location.pointer == "/here"


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_identifiers_are_found_in_any_charset(charset):
    text = '{"openapi": "3.1.0", "components": {"schemas": {"A": {"$anchor": "a"}}}}'
    document = open_document(text.encode(charset))
    assert document.resolve("#a", f"{document.uri}#") == (f"{document.uri}#/components/schemas/A", {"$anchor": "a"})


@pytest.mark.parametrize("given", [str, Path, lambda folder: [str(folder)], lambda folder: [Path(folder)]])
def test_a_folder_is_allowed_by_its_path_alone_or_in_a_list(given, tmp_path):
    (tmp_path / "api").mkdir()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "path.yaml").write_text("get: {operationId: look, responses: {200: {description: ok}}}")
    document = tmp_path / "api" / "openapi.yaml"
    document.write_text("openapi: 3.0.3\npaths: {/a: {$ref: ../parts/path.yaml}}")
    assert list(dynclient.load(document, references=given(tmp_path / "parts")).operations) == ["look"]


def test_a_reference_in_place_of_a_map_is_followed(tmp_path):
    files = {
        "api.yaml": "{openapi: 3.0.3, paths: {$ref: paths.yaml}, components: {schemas: {$ref: schemas.yaml}}}",
        "paths.yaml": "/a: {get: {operationId: look, responses: {$ref: responses.yaml}}}",
        "responses.yaml": "200: {description: ok, content: {$ref: 'media.yaml#/types'}}",
        "media.yaml": "types: {application/json: {schema: {$ref: schemas.yaml#/It}}}",
        "schemas.yaml": "It: {type: object, properties: {a: {type: integer}}}",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    client = dynclient.load(tmp_path / "api.yaml", base_url="https://a.example")
    assert client.api.read(client.api.rows[0]).responses["200"].content.keys() == {"application/json"}
    assert (client.look.fault, list(client.api.schemas)) == (None, ["It"])
    (tmp_path / "api.yaml").write_text(
        "{openapi: 3.0.3, paths: {$ref: none.yaml}, components: {schemas: {$ref: '#/x'}}}"
    )
    broken = dynclient.load(tmp_path / "api.yaml")
    assert "none.yaml" in str(broken.api.faults[0])
    assert list(broken.api.schemas) == []


def test_a_reference_in_place_of_a_map_that_can_not_be_followed_is_reported(tmp_path, capsys):
    path = tmp_path / "api.yaml"
    path.write_text(
        "{openapi: 3.0.3, info: {title: t, version: v}, paths: {}, components: {schemas: {$ref: none.yaml}}}"
    )
    assert cli.main(["validate", str(path)]) == 1
    assert "none.yaml" in capsys.readouterr().out
    schema = "{properties: {$ref: ../private.yaml}}"
    body = f"{{content: {{application/json: {{schema: {schema}}}}}}}"
    operation = f"{{operationId: put, requestBody: {body}, responses: {{200: {{description: d}}}}}}"
    path.write_text(f"{{openapi: 3.0.3, paths: {{/x: {{put: {operation}}}}}}}")
    with pytest.raises(UnsafeDocument, match=r"outside the document's folder\n[^\n]*\nHint: references= allows"):
        dynclient.load(path, base_url="https://a.example").put.prepare(body={})
