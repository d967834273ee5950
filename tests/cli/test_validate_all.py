"""``dynclient validate``: every fault of one operation, of components, callbacks and webhooks, in each version.

In the documents each fault is marked in the line where it has to be reported: ``#! words of the message``.
"""

from __future__ import annotations

import json

import pytest
import yaml

V3 = """\
openapi: VERSION
info: {title: Faulty, version: "1"}
security: [{Gone: []}]                                   #! scheme 'Gone' is not defined
servers:
  - {url: "http://[", description: x}                    #! URL 'http://[' is not a URL
paths:
  a:                                                     #! must begin with one `/`
    get: {responses: {"200": {description: fine}}}
  /things/{id}/{sub}:
    parameters:
      - {name: id, in: path, schema: {type: string}}     #! must have `required: true`
    post:                                                #! {sub} in the path is not declared as a parameter
      operationId: makeThing
      deprecated: "maybe"
      parameters:
        - {in: query, schema: {type: string}}            #! `name` is missing
        - {name: a, in: nowhere}                         #! `in` must be one of
        - {name: b, in: query, required: "yes"}          #! `required` must be a boolean
        - {name: c, in: query, style: fancy}             #! `style` must be one of
        - {name: d, in: query, schema: 5}                #! a schema must be an object
        - 7                                              #! must be an object, not a number
        - {$ref: "#/components/parameters/Gone"}         #! leads nowhere
        - {name: e, in: path, required: true, schema: {type: string}}  #! has no {e}
        - {name: f, in: query, schema: {type: integer}, example: many}  #! must be an integer
      requestBody:
        required: 1                                      #! `required` must be a boolean
        content:
          application/json: {schema: [1]}                #! a schema must be an object
          application/x-www-form-urlencoded:
            schema: {type: object}
            encoding: {a: {style: fancy}, b: 5}          #! must be an object, not a number
      security: [{Nowhere: []}, 5]                       #! 'Nowhere' is not defined #! must be an object, not a number
      servers: 5                                         #! `servers` must be an array
      responses:
        "20": {description: twenty}                      #! is not a status
        "200": {}                                        #! `description` is missing
        "201": {description: a, headers: {X: {schema: 1}}}  #! a schema must be an object
        "400": {description: b, content: 5}              #! `content` must be an object
        "401": {$ref: "#/components/responses/Gone"}     #! leads nowhere
      callbacks:
        done:
          "{$request.body#/url}":
            post:
              parameters: [{in: query}]                  #! `name` is missing
              responses: {"204": {description: c}}
  /again:
    get:
      operationId: makeThing                             #! is also that of POST /things/{id}/{sub}
      parameters: [{name: q, in: query}, {name: q, in: query}]
      responses: {"204": {description: d}}
components:
  parameters:
    Unused: {name: u, in: nowhere}                       #! `in` must be one of
  responses:
    Unused: {description: e, content: {a/b: {schema: 3}}}  #! a schema must be an object
  headers:
    Unused: {schema: true, deprecated: 5}                #! `deprecated` must be a boolean
  requestBodies:
    Unused: {content: [1]}                               #! `content` must be an object
  securitySchemes:
    Basic: {type: http}                                  #! `scheme` is missing
    Key: {type: apiKey, in: body, name: k}               #! `in` must be one of
    Odd: {type: odd}                                     #! `type` must be one of
  schemas:
    Unused: {type: object, properties: {a: {type: odd}, b: {$ref: "#/no"}}}  #! is malformed #! leads nowhere
"""

WEBHOOK = """\
webhooks:
  new:
    post:
      requestBody: {content: {a/b: {schema: {type: integer}, example: x}}}  #! must be an integer
      responses: {"200": {$ref: 5}}                      #! `$ref` must be a string
"""

V2 = """\
swagger: "2.0"
info: {title: Faulty, version: "1"}
host: a.test
schemes: [1]                                             #! must contain strings
paths:
  /things/{id}:
    post:                                                #! {id} in the path is not declared as a parameter
      operationId: make
      consumes: [5]                                      #! must contain strings
      parameters:
        - {name: a, in: nowhere, type: string}           #! `in` must be one of
        - {name: b, in: query, type: array, items: {type: string}, collectionFormat: odd}  #! `collectionFormat` must
        - {name: c, in: body, schema: 5}                 #! a schema must be an object
        - {name: d, in: formData, type: string}          #! can't have both a form field and a body
        - {in: header, type: string}                     #! `name` is missing
      responses: {"200": {schema: 5}, "x": {}}           #! a schema must #! is not a status #! `description` is missing
    get: {operationId: make}                       #! is also that of POST #! `responses` is missing #! {id} in the path
securityDefinitions:
  Odd: {type: odd}                                       #! `type` must be one of
  Flow: {type: oauth2, flow: odd}                        #! `flow` must be one of
parameters:
  Unused: {name: u, in: nowhere}                         #! `in` must be one of
responses:
  Unused: {description: b, schema: 1}                    #! a schema must be an object
"""


def marked(text):
    """Line and words of each fault that a document is marked with."""
    lines = enumerate(text.splitlines(), 1)
    return [(number, said.strip()) for number, line in lines for said in line.split("#!")[1:]]


DOCUMENTS = {
    "2.0": V2,
    "3.0": V3.replace("VERSION", "3.0.3"),
    "3.1": V3.replace("VERSION", "3.1.1") + WEBHOOK,
    "3.2": V3.replace("VERSION", "3.2.0").replace("#! `description` is missing", "") + WEBHOOK,
}


@pytest.mark.parametrize("version", DOCUMENTS)
def test_each_fault_is_reported_in_its_line(run, tmp_path, monkeypatch, version):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faulty.yaml").write_text(DOCUMENTS[version])
    status, out, _ = run("validate", "faulty.yaml", "-o", "json")
    found = json.loads(out)
    assert status == 1
    for line, words in marked(DOCUMENTS[version]):
        assert [one for one in found if one["line"] == line and words in one["message"]], (line, words, found)


@pytest.mark.parametrize("version", DOCUMENTS)
def test_faults_in_json_and_in_several_files(run, tmp_path, monkeypatch, version):
    monkeypatch.chdir(tmp_path)
    document = yaml.safe_load(DOCUMENTS[version])
    path = next(path for path in document["paths"] if path.startswith("/things"))
    (tmp_path / "item.json").write_text(json.dumps(document["paths"][path], indent=1))
    document["paths"][path] = {"$ref": "item.json"}
    (tmp_path / "faulty.json").write_text(json.dumps(document, indent=1))
    (tmp_path / "whole.yaml").write_text(DOCUMENTS[version])
    whole = json.loads(run("validate", "whole.yaml", "-o", "json")[1])
    found = json.loads(run("validate", "faulty.json", "-o", "json")[1])
    assert {one["document"] for one in found} == {"faulty.json", "item.json"}
    assert all(one["line"] for one in found)
    # `#/components/…` would be looked for in the other file; all other faults are those of one file.
    reported = {one["message"] for one in whole if "leads nowhere" not in one["message"]}
    assert reported <= {one["message"] for one in found}


def test_nothing_is_reported_twice(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = DOCUMENTS["3.1"]
    (tmp_path / "faulty.yaml").write_text(text)
    lines = run("validate", "faulty.yaml")[1].splitlines()
    assert len(lines) == len(set(lines))
    reported = {int(line.split(":")[1]) for line in lines}
    # A duplicate parameter is a fault of the operation; the encoding's style is marked by the other fault of its line.
    unmarked = reported - {line for line, _ in marked(text)}
    assert {text.splitlines()[line - 1].split()[0] for line in unmarked} <= {"get:"}
