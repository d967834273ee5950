"""``dynclient validate`` warns of fields that OpenAPI does not know.

In the documents each is marked in its line: ``#! words of the warning``. Fields without a mark are known.
"""

from __future__ import annotations

import json

import pytest

V3 = """\
openapi: VERSION
info: {title: t, version: "1", x-info: 1, contact: {mail: a}}   #! `mail` is not a field of a Contact Object
server: [{url: "https://a.test"}]                        #! did you mean `servers`?
tags: [{name: a, sumary: b}]                             #! `sumary` is not a field of a Tag Object
paths:
  x-path: {gett: 1}
  /a:
    gett: {}                                             #! not a field of a Path Item Object; did you mean `get`?
    get:
      operationID: getA                                  #! did you mean `operationId`?
      paramters: []                                      #! did you mean `parameters`?
      parameters:
        - {name: q, in: query, requred: true, schema: {type: string, minLenght: 1}}  #! `requred` #! `minLength`?
        - {$ref: "#/x-shared/q"}
      consumes: [a/b]                                    #! it exists in OpenAPI 2.0
      respones: {}                                       #! did you mean `responses`?
      responses:
        x-response: {desc: 1}
        "200":
          description: d
          contents: {}                                   #! did you mean `content`?
          headers: {x-odd: {stile: simple, schema: {}}}  #! did you mean `style`?
          content:
            a/b: {schemas: {}, example: {requred: 1}}    #! did you mean `schema`?
            c/d: {examples: {e: {valeu: 1, value: {tpye: 1}}}}  #! did you mean `value`?
          links: {l: {operationid: getA}}                #! did you mean `operationId`?
      callbacks: {done: {"{$request.body}": {post: {tag: [a], responses: {}}}}}  #! did you mean `tags`?
      security: [{anything: []}]
x-shared: {q: {name: p, in: query, stlye: form}}         #! did you mean `style`?
components:
  schema: {}                                             #! did you mean `schemas`?
  schemas:
    requred:
      type: object
      properties: {requred: {}, x-odd: {propertes: {}}}  #! did you mean `properties`?
      default: {requred: 1}
      enum: [{requred: 1}]
      x-more: {requred: 1}
      allOf: [{not: {additonalProperties: false}}]       #! did you mean `additionalProperties`?
    Round: {items: {$ref: "#/components/schemas/Round"}}
    Beside: {$ref: "#/components/schemas/Round", requred: [a]}  BESIDE
SCHEMAS
    Pet: {discriminator: {mapping: {requred: a}, propertyname: b}}  #! did you mean `propertyName`?
    Cat: {xml: {atribute: true}}                         #! did you mean `attribute`?
  securitySchemes:
    Login: {type: oauth2, flows: {implicit: {tokenURL: a, scopes: {requred: a}}}}  #! did you mean `tokenUrl`?
  requestBodies: {b: {content: {a/b: {encoding: {e: {contenttype: a}}}}}}  #! did you mean `contentType`?
"""
OPEN = """\
    Open: {const: 1, anybodys: 1, if: {patternproperties: {}}}  #! did you mean `patternProperties`?
    Null: {nullable: true}                               #! was removed in OpenAPI 3.1
"""
MORE = """\
  pathItems: {i: {serves: []}}                           #! did you mean `servers`?
webhooks: {w: {post: {response: {}}}}                    #! did you mean `responses`?
"""
CLOSED = """\
    Closed: {const: 1, anybodys: 1, nullable: true} #! it exists in OpenAPI 3.2 #! names of extensions begin with `x-`
"""
V2 = """\
swagger: "2.0"
info: {title: t, version: "1", licence: {name: a}}       #! did you mean `license`?
basepath: /a                                             #! did you mean `basePath`?
servers: []                                              #! it exists in OpenAPI 3.2
paths:
  /a:
    get:
      requestBody: {}                                    #! not a field of an Operation Object; it exists in OpenAPI 3.2
      parameters: [{name: a, in: query, type: array, items: {tipe: string, fromat: a}}]  #! `type`? #! `format`?
      responses: {"200": {description: d, shema: {}, headers: {A: {type: string, patern: a}}}}  #! `schema` #! `pattern`
definitions: {A: {propertys: {}, readOnly: true}}        #! did you mean `properties`?
securityDefinitions: {k: {type: apiKey, nam: a, in: header}}  #! did you mean `name`?
"""
SEEN = "#! did you mean `required`?"
DOCUMENTS = {
    "2.0": V2,
    "3.0": V3.replace("VERSION", "3.0.4").replace("BESIDE", "").replace("SCHEMAS\n", CLOSED),
    "3.1": V3.replace("VERSION", "3.1.1").replace("BESIDE", SEEN).replace("SCHEMAS\n", OPEN) + MORE,
}
DOCUMENTS["3.2"] = DOCUMENTS["3.1"].replace("3.1.1", "3.2.0")


def marked(text):
    lines = enumerate(text.splitlines(), 1)
    return sorted((number, said.strip()) for number, line in lines for said in line.split("#!")[1:])


@pytest.fixture
def warnings(run):
    """The warnings of a document, as data."""

    def warnings(path):
        found = json.loads(run("validate", path, "-o", "json")[1])
        return [one for one in found if one["severity"] == "warning"]

    return warnings


@pytest.mark.parametrize("version", DOCUMENTS)
def test_misspelt_fields_are_reported_with_their_lines(warnings, tmp_path, version):
    text = DOCUMENTS[version]
    (tmp_path / "odd.yaml").write_text(text)
    left = [(one["line"], one["message"]) for one in warnings(tmp_path / "odd.yaml")]
    for line, words in marked(text):
        fitting = [one for one in left if one[0] == line and words in one[1]]
        assert fitting, (line, words, left)
        left.remove(fitting[0])
    assert left == []


def test_a_misspelt_field_is_a_warning(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text('openapi: 3.1.0\ninfo: {title: t, version: "1"}\npahts: {}\npaths: {}\n')
    said = "a.yaml:3: #/pahts: warning: `pahts` is not a field of an OpenAPI Object; did you mean `paths`?\n"
    assert run("validate", "a.yaml") == (0, said, "a.yaml: 0 faults, 1 warning\n")
    assert run("validate", "a.yaml", "--strict")[0] == 1
    (found,) = json.loads(run("validate", "a.yaml", "-o", "json")[1])
    assert (found["severity"], found["line"], found["pointer"]) == ("warning", 3, "/pahts")


def test_misspelt_fields_in_another_file(warnings, tmp_path):
    (tmp_path / "item.yaml").write_text('get:\n  sumary: a\n  responses: {"200": {description: d}}\n')
    (tmp_path / "a.yaml").write_text(
        'openapi: 3.1.0\ninfo: {title: t, version: "1"}\npaths: {/a: {$ref: item.yaml}, /b: {$ref: item.yaml}}\n'
    )
    (found,) = warnings(tmp_path / "a.yaml")
    assert (found["document"], found["pointer"], found["line"]) == (str(tmp_path / "item.yaml"), "/get/sumary", 2)


def test_at_most_a_thousand_short_warnings(warnings, tmp_path):
    odd = {"y" * 1_000_000: 1} | {f"{number:x}" * 9: 1 for number in range(20_000)}
    (tmp_path / "a.json").write_text(json.dumps({"openapi": "3.0.0", "info": odd, "paths": {}}))
    found = warnings(tmp_path / "a.json")
    assert len(found) == 1_000
    assert all(len(one["message"]) < 200 for one in found)


@pytest.mark.large
def test_real_documents_have_few_warnings(shared):
    """One of them has misspelt fields; they are found, and nothing else is."""
    from dynclient._document.references import open_document
    from dynclient._readers.checking import misspelt

    found = {}
    for path in sorted((shared / "corpus").rglob("*")):
        if path.suffix in {".json", ".yaml", ".yml"} and b"paths" in path.read_bytes()[:20_000]:
            document = open_document(path)
            if document.root.keys() & {"openapi", "swagger"}:
                messages = {error.message.split("`")[1] for error in misspelt(document)}
                found |= {path.name: messages} if messages else {}
    assert found.pop("openapi.yaml") == {"nullable", "min_items", "max_items"}
    assert found == {}
