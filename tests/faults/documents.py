"""Malicious and broken documents: from files, from memory, and from the network."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from urllib.parse import unquote

from case import AUTH, HEADER_KEY, Case, Place, answer, document, head, ok, things

from dynclient import exceptions
from dynclient.options import Timeout

UNSAFE, INVALID = exceptions.UnsafeDocument, exceptions.InvalidDocument
UNREADABLE, SCOPE = exceptions.UnreadableDocument, exceptions.CredentialScopeError
GET = ("get_thing", {})
GOOD = (("ask", ok()),)
WORD = (("ask", ok(b'{"id": "' + b"a" * 40 + b'!"}')),)


def with_schema(schema, **named):
    """A document in which the response has this schema."""

    def source(place: Place):
        made = document(place.url)
        made["paths"]["/thing"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = (
            schema(place) if callable(schema) else schema
        )
        made["components"]["schemas"] = named
        return made

    return source


def with_names_by_pattern(media_type):
    """A document whose response has this media type, and property names by a pattern that backtracks."""
    schema = {"type": "object", "patternProperties": {"^" + "a?" * 40 + "c$": {"type": "integer"}}}

    def change(made, place):
        content = made["paths"]["/thing"]["get"]["responses"]["200"]["content"]
        content.clear()
        content[media_type] = {"schema": schema}

    return with_changes(change)


def with_changes(change):
    def source(place: Place):
        made = document(place.url)
        return change(made, place) or made

    return source


def text(words):
    """A document with this text."""
    return lambda place: words if isinstance(words, bytes) else words.encode()


def file(words, name="api.json", folder="here"):
    """A document in a file of a folder, beside a symbolic link that leads out of it."""

    def source(place: Place):
        here = place.folder / folder
        here.mkdir()
        (place.folder / "secret.json").write_text('{"type": "object"}')
        (here / "link.json").symlink_to(place.folder / "secret.json")
        made = with_schema({"$ref": words})(place)
        (here / name).write_text(json.dumps(made))
        return here / name

    return source


def remote(place: Place) -> str:
    """A document from the network, which can refer to the second server."""
    return f"{place.url}/openapi.json?other={place.other}"


def served(change):
    """A script that serves the document with an attacker's changes, and a thing for other requests."""

    def reply(request: bytes) -> bytes:
        line = request.split(b"\r\n")[0].decode()
        if "openapi.json" not in line:
            return ok()
        host = re.search(rb"(?i)host: (\S+)", request)[1].decode()
        other = unquote(line.split("other=")[1].split()[0])
        made = document(f"http://{host}")
        change(made, Place(f"http://{host}", other, Path()))
        return ok(json.dumps(made).encode())

    return ((("answers", reply),),)


def ref_elsewhere(made, place):
    made["paths"]["/thing"]["get"]["parameters"] = [{"$ref": place.other + "/p.json"}]


def servers_elsewhere(made, place):
    made["servers"] = [{"url": place.other}]


def open_servers_elsewhere(made, place):
    made["servers"] = [{"url": place.other}]
    made["security"] = []


def oauth(made, place):
    flows = {"clientCredentials": {"tokenUrl": place.other + "/token", "scopes": {}}}
    made["components"]["securitySchemes"] = {"Login": {"type": "oauth2", "flows": flows}}
    made["security"] = [{"Login": []}]


def discovery(made, place):
    scheme = {"type": "openIdConnect", "openIdConnectUrl": place.other + "/.well-known/openid-configuration"}
    made["components"]["securitySchemes"] = {"Login": scheme}
    made["security"] = [{"Login": []}]


def path(template):
    def change(made, place):
        made["paths"] = {template: made["paths"]["/thing"]}

    return with_changes(change)


def variable(made, place):
    port = place.url.rpartition(":")[2]
    made["servers"] = [{"url": f"http://127.0.0.1:{port}/{{v}}", "variables": {"v": {"default": "a", "enum": ["a"]}}}]


def open_variable(made, place):
    variable(made, place)
    del made["servers"][0]["variables"]["v"]["enum"]


def evil_headers(made, place):
    names = ("Host", "Content-Length", "Transfer-Encoding", "Connection")
    made["paths"]["/thing"]["get"]["parameters"] = [
        {"name": name, "in": "header", "schema": {"type": "string"}} for name in names
    ]


def evil_names(made, place):
    good = made["paths"]["/thing"]["get"]
    for number, name in enumerate(["__class__", "close", "class", "operations", "x" * 5000, "\u202ea", "a b", "a-b"]):
        made["paths"][f"/evil/{number}"] = {"get": {**good, "operationId": name}}


def many_operations(place):
    made = document(place.url)
    good = made["paths"]["/thing"]["get"]
    made["paths"] |= {f"/more/{n}/{{id}}": {"get": {**good, "operationId": f"more{n}"}} for n in range(5000)}
    return json.dumps(made).encode()


def chain(length, end):
    named = {f"L{n}": {"$ref": f"#/components/schemas/L{n + 1}"} for n in range(length)}
    return with_schema({"$ref": "#/components/schemas/L0"}, **named, **{f"L{length}": end})


def fan(word, levels):
    named = {f"L{n}": {word: [{"$ref": f"#/components/schemas/L{n + 1}"}] * 2} for n in range(levels)}
    return with_schema({"$ref": "#/components/schemas/L0"}, **named, **{f"L{levels}": {}})


def nested(levels):
    schema = {"type": "integer"}
    for _ in range(levels):
        schema = {"properties": {"id": schema}}
    return with_schema(schema)


def zeros(size):
    made = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(made.compress(bytes(1 << 20)) for _ in range(size >> 20)), made.flush()])


BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30))])
NORWAY = """
openapi: 3.1.0
info: {{title: Norway, version: 1.10}}
servers: [{{url: "{url}"}}]
paths:
  /thing:
    get:
      operationId: getThing
      responses:
        200:
          description: on
          content: {{application/json: {{schema: {{properties: {{id: {{enum: [no, 1]}}}}}}}}}}
"""
TREE = {"properties": {"id": {"type": "integer"}, "next": {"$ref": "#/components/schemas/Tree"}}}
LATE = Timeout(connect=2, read=2, write=2, total=0.3, pool=2)


def at_load(row, name, expect, source, **more):
    """A document that is refused when it is loaded, without any request."""
    return Case(row, name, expect, call=None, attempts=0, source=source, **more)


def at_call(row, name, expect, source, **more):
    """A document of which one operation is refused when it is first used."""
    return Case(row, name, expect, attempts=0, source=source, **more)


def fetched(row, name, expect, script, attempts=1, **more):
    """A document from the network that is refused when it is loaded."""
    return Case(row, name, expect, (script,), None, attempts, source=remote, **more)


REF = "$ref"
CASES = [
    # Rows S1 to S3, references to elsewhere
    at_call("S1", "ref_remote", UNSAFE, with_schema(lambda place: {REF: place.other + "/x.json"}), text="127.0.0.1"),
    at_call("S1", "ref_remote_of_a_parameter", UNSAFE, with_changes(ref_elsewhere)),
    Case("S1", "ref_of_a_remote_document", UNSAFE, served(ref_elsewhere), source=remote),
    Case("S1", "ref_elsewhere_allowed", {"id": 1}, GOOD,
         source=with_schema(lambda place: {REF: place.other + "/x.json"}), others=(("ask", ok(b'{"type": "object"}')),),
         elsewhere=1, options={"references": ["{other}"]}, unsent=(HEADER_KEY.encode(), b"cookie")),
    at_call("S2", "ref_file", UNSAFE, with_schema({REF: "file:///etc/passwd"})),
    at_call("S2", "ref_relative_traversal", UNSAFE, file("../secret.json")),
    at_call("S2", "ref_traversal_encoded", UNSAFE, file("%2e%2e/secret.json")),
    at_call("S2", "ref_by_a_link", UNSAFE, file("link.json")),
    at_call("S2", "ref_absolute", UNSAFE, file("/etc/passwd")),
    Case("S3", "no_credential_to_a_ref", {"id": 1}, GOOD,
         source=with_schema(lambda place: {REF: place.other + "/x.json"}), others=(("ask", ok(b'{"type": "object"}')),),
         elsewhere=1, options={"references": ["{other}"], "headers": {"X-More": "more"}},
         unsent=(HEADER_KEY.encode(), b"authorization", b"cookie", b"x-more")),
    # Rows S4, the identifiers of schemas
    Case("S4", "id_elsewhere", {"id": 1}, GOOD, source=with_schema(
        lambda place: {"$id": place.other + "/y.json", "properties": {"id": {"type": "integer"}}})),
    Case("S4", "schema_elsewhere", {"id": 1}, GOOD, source=with_schema(
        lambda place: {"$schema": place.other + "/y.json", "properties": {"id": {"type": "integer"}}})),
    at_call("S4", "ref_by_an_id_elsewhere", UNSAFE, with_schema(
        lambda place: {"$id": place.other + "/y.json", "properties": {"id": {REF: "z.json"}}})),
    # Rows S5, circles, chains and fans
    at_call("S5", "ref_cycle", exceptions.UnresolvableReference, chain(2, {REF: "#/components/schemas/L0"})),
    Case("S5", "ref_chain_5000", {"id": 1}, GOOD, source=chain(5000, {"type": "object"})),
    at_call("S5", "ref_fanout", UNSAFE, fan("allOf", 30)),
    Case("S5", "ref_recursive_ok", {"id": 1}, GOOD, source=with_schema({REF: "#/components/schemas/Tree"}, Tree=TREE)),
    # Rows S6 to S8, YAML
    at_load("S6", "yaml_bomb", UNSAFE, text(BOMB), memory=64),
    at_load("S6", "yaml_cycle", UNSAFE, text("a: &a [*a]")),
    at_load("S6", "yaml_merge_loop", UNSAFE, text("a: &a\n  <<: *a")),
    at_load("S7", "yaml_python_tag", UNREADABLE, text("openapi: 3.1.0\nx: !!python/object/apply:os.abort []")),
    Case("S8", "yaml_norway", {"id": "no"}, (("ask", ok(b'{"id": "no"}')),),
         source=lambda place: NORWAY.format(url=place.url), options={"auth": None}),
    # Rows S9, too large, too slow
    fetched("S9", "endless", UNSAFE, ("ask", head(200), ("repeat", b"a: 1\n" * 9000)), memory=128, seconds=8),
    fetched("S9", "gzip_bomb", UNSAFE, ("ask", answer(200, zeros(64 << 20), b"Content-Encoding: gzip")), memory=128,
            seconds=8),
    fetched("S9", "slow_drip", exceptions.TimeoutError, ("ask", answer(200, length=9999), ("drip", b" ")), seconds=2,
            options={"timeout": LATE}),
    fetched("S9", "never_answers", exceptions.TimeoutError, ("ask", "hang"), seconds=2, options={"timeout": LATE}),
    fetched("S9", "cut", exceptions.ConnectionLost, ("ask", answer(200, b"openapi", length=9999))),
    # Rows S10 to S12, texts that are not OpenAPI documents
    at_load("S10", "deep", UNSAFE, text('{"a":' * 100_000 + "1" + "}" * 100_000), memory=128),
    at_call("S10", "deep_schema_400", UNSAFE, nested(200)),
    at_load("S11", "duplicate_keys", UNREADABLE, text('{"openapi": "3.1.0", "openapi": "3.0.0"}'), text="openapi"),
    at_load("S11", "nan", UNREADABLE, text('{"openapi": "3.1.0", "x": NaN}')),
    at_load("S12", "html", UNREADABLE, text("<!DOCTYPE html>\x1b[31m"), text="HTML"),
    at_load("S12", "array", UNREADABLE, text("[1]")),
    at_load("S12", "version", exceptions.UnsupportedVersion, lambda place: {"openapi": "4.0.0", "paths": {}}),
    at_load("S12", "paths_not_object", INVALID, lambda place: things(place) | {"paths": 5}),
    fetched("S12", "not_found", UNREADABLE, ("ask", answer(404, HEADER_KEY.encode()))),
    # Rows S13 and S14, servers
    Case("S13", "servers_other_origin", SCOPE, served(servers_elsewhere), source=remote),
    Case("S13", "servers_other_origin_without_credentials", {"id": 1}, served(open_servers_elsewhere), source=remote,
         others=GOOD, elsewhere=1, unsent=(HEADER_KEY.encode(),)),
    Case("S13", "servers_other_origin_of_a_local_document", {"id": 1}, source=with_changes(servers_elsewhere),
         others=GOOD, attempts=0, elsewhere=1),
    at_call("S14", "variable_beyond_its_enum", exceptions.ArgumentError, with_changes(variable),
            options={"server": {"v": "b"}}),
    at_call("S14", "variable_leaves_its_place", exceptions.ArgumentError, with_changes(open_variable),
            options={"server": {"v": "x@127.0.0.1:1/"}}),
    # Rows S15, paths
    at_call("S15", "path_userinfo", INVALID, path("@127.0.0.1:81/x")),
    at_call("S15", "path_authority", INVALID, path("//evil.example/x")),
    at_call("S15", "path_dots", INVALID, path("/../admin")),
    at_call("S15", "path_encoded_dots", INVALID, path("/a/%2e%2e/admin")),
    # Rows S16, authorization servers
    at_call("S16", "oauth_token_url", SCOPE, with_changes(oauth), options={"auth": ("client", AUTH["Header"])}),
    at_call("S16", "open_id_connect_url", SCOPE, with_changes(discovery), options={"auth": ("client", AUTH["Header"])}),
    # Rows S17 to S19, schemas that cost, and patterns that are not checked
    Case("S17", "redos", exceptions.ResponseValidationError, WORD, source=with_schema(
        {"properties": {"id": {"type": "string", "pattern": "^(a+)+$"}}}), seconds=2),
    Case("S17", "redos_of_names", exceptions.ResponseValidationError, (("ask", ok(b'{"' + b"a" * 40 + b'!": 1}')),),
         source=with_schema({"patternProperties": {"^(a|a)*$": {}}, "additionalProperties": False}), seconds=2),
    Case("S17", "redos_of_names_in_a_form", {"a" * 40: "1"},
         (("ask", ok(b"a" * 40 + b"=1", content_type=b"application/x-www-form-urlencoded")),),
         source=with_names_by_pattern("application/x-www-form-urlencoded"), seconds=2),
    Case("S17", "redos_of_names_in_xml", {"a" * 40: "1"},
         (("ask", ok(b"<a><" + b"a" * 40 + b">1</" + b"a" * 40 + b"></a>", content_type=b"application/xml")),),
         source=with_names_by_pattern("application/xml"), seconds=2),
    Case("S17", "redos_that_nothing_bounds", {"id": "a" * 40 + "!"}, WORD, source=with_schema(
        {"properties": {"id": {"type": "string", "pattern": r"^(a+)+\1$"}}}), seconds=2),
    at_call("S18", "anyof_bomb", UNSAFE, fan("anyOf", 22), seconds=2),
    at_call("S18", "oneof_bomb", UNSAFE, fan("oneOf", 22), seconds=2),
    Case("S19", "bad_regex", {"id": 1}, GOOD, source=with_schema({"properties": {"id": {"pattern": "("}}})),
    # Rows S20 and S21, names
    Case("S20", "evil_names", {"id": 1}, GOOD, source=with_changes(evil_names)),
    Case("S20", "evil_name_called", {"id": 1}, GOOD, ("close_", {}), source=with_changes(evil_names)),
    at_call("S21", "evil_header_params", exceptions.ArgumentError, with_changes(evil_headers))._replace(
        call=("get_thing", {"content_length": "5"})),
    # S22, S24
    fetched("S22", "redirect_without_end", UNSAFE, ("ask", answer(302, b"", b"Location: /openapi.json?x")), 4),
    fetched("S22", "redirect_to_a_file", UNSAFE, ("ask", answer(302, b"", b"Location: file:///etc/passwd"))),
    Case("S24", "ops_5000", {"id": 1}, GOOD, source=many_operations, seconds=6, memory=200),
]  # fmt: skip  # a case reads best on one line, or two
