"""The stateful mock: requests create, change, list and delete items."""

from __future__ import annotations

import json

import pytest

import dynclient
from dynclient import exceptions
from dynclient.testing import MockTransport, app

JSON = {"Content-Type": "application/json"}


def made(ask, **body):
    response = ask("POST", "/things", JSON, json.dumps({"name": "ab", **body}).encode())
    assert response.status == 201
    return json.loads(response.body)


def test_created_items_are_found(ask):
    thing = made(ask, name="Mine", size=7)
    assert (thing["name"], thing["size"]) == ("Mine", 7)
    found = ask("GET", f"/things/{thing['id']}")
    assert (found.status, json.loads(found.body)) == (200, thing)
    assert ask("GET", f"/v1/things/{thing['id']}").status == 200


def test_other_items_are_404(ask):
    response = ask("GET", "/things/thing-00af")
    assert response.status == 404
    assert "/things/thing-00af" in json.loads(response.body)["message"]
    assert ask("GET", "/things/thing-00af/picture").status == 404


def test_each_item_has_its_own_id(ask):
    first, second, third = made(ask), made(ask), made(ask)
    assert [first["id"], second["id"], third["id"]] == ["thing-00af", "thing-00b0", "thing-00b1"]
    assert second["self"] == "/things/thing-00b0"


def test_write_only_properties_are_not_returned(ask):
    assert "secret" not in made(ask, secret="x")


def test_location_is_the_created_item(ask):
    response = ask("POST", "/v1/things", JSON, b'{"name":"ab"}')
    assert response.headers["location"] == f"/things/{json.loads(response.body)['id']}"
    assert ask("GET", response.headers["location"]).status == 200


def test_changes_are_stored(ask):
    thing = made(ask)
    changed = ask("PATCH", f"/things/{thing['id']}", {"Content-Type": "application/merge-patch+json"}, b'{"size":9}')
    assert json.loads(changed.body)["size"] == 9
    assert json.loads(ask("GET", f"/things/{thing['id']}").body)["size"] == 9


def test_an_invalid_change_is_not_returned(ask):
    thing = made(ask, size=3)
    ask("PATCH", f"/things/{thing['id']}", {"Content-Type": "application/merge-patch+json"}, b'{"size":"big"}')
    assert json.loads(ask("GET", f"/things/{thing['id']}").body)["size"] == 3


def test_deleted_items_are_404(ask):
    thing = made(ask)
    path = f"/things/{thing['id']}"
    assert [ask(method, path).status for method in ("GET", "DELETE", "GET", "DELETE")] == [200, 204, 404, 404]


def test_a_list_has_the_stored_items(ask):
    first, second = made(ask, name="one"), made(ask, name="two")
    assert json.loads(ask("GET", "/things").body) == [first, second]
    ask("DELETE", f"/things/{first['id']}")
    assert json.loads(ask("GET", "/things").body) == [second]


def test_other_paths_are_always_found(ask):
    assert ask("GET", "/things/mine").status == 200


def test_without_state_every_item_is_found(ask_with):
    ask = ask_with()
    assert ask("GET", "/things/any-thing").status == 200
    assert made(ask)["id"] == made(ask)["id"]


TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
FORM = "application/x-www-form-urlencoded"


def thing(*names, **properties):
    described = {**dict.fromkeys(names, TEXT), **properties}
    return {"type": "object", "required": list(described), "properties": described}


def api(collection, item, created, listed, *, media_type="application/json", sent=None, query=(), headers=None):
    """A document with a collection and its items, as a vendor describes them."""

    def answer(schema, **more):
        return {"200": {"description": "", "content": {"application/json": {"schema": schema}}, **more}}

    names = [part[1:].partition("}")[0] for part in item.split("/") if part.startswith("{")]
    place = [{"name": name, "in": "path", "required": True, "schema": {}} for name in names]
    asked = [{"name": name, "in": "query", "schema": schema} for name, schema in query]
    body = {"content": {media_type: {"schema": sent or {"type": "object"}}}}
    above = place[:-1]
    paths = {
        collection: {
            "get": {
                "operationId": "list",
                "parameters": [*above, *asked],
                "responses": answer(listed, headers=headers or {}),
            },
            "post": {"operationId": "create", "parameters": above, "requestBody": body, "responses": answer(created)},
        },
        item: {
            "get": {"operationId": "get", "parameters": place, "responses": answer(created)},
            "delete": {"operationId": "remove", "parameters": place, "responses": {"204": {"description": ""}}},
        },
    }
    return {"openapi": "3.1.0", "info": {"title": "V", "version": "1"}, "paths": paths}


def client_of(document, **options):
    transport = MockTransport(document, stateful=True, **options)
    return dynclient.load(document, base_url="http://vendor.example", transport=transport, retry=1)


ISSUE = thing("title", id=NUMBER, number=NUMBER)
POD = thing(metadata=thing("name", "namespace"), spec=thing("image"))
DROPLET = thing("name", id=NUMBER)
MESSAGE = thing("sid", "friendly_name")
# paths, the item's schema, the list's, what is sent as which media type, what is found of it, keys to the id
VENDORS = {
    "issue_number and number": (
        ("/repos/{o}/issues", "/repos/{o}/issues/{issue_number}"),
        (ISSUE, {"type": "array", "items": ISSUE}),
        ({"title": "a"}, "application/json", {"title": "a"}),
        ("number",),
    ),
    "customer and id, a form": (
        ("/v1/customers", "/v1/customers/{customer}"),
        (thing("id", "email"), thing("object", data={"type": "array", "items": thing("id", "email")})),
        ({"email": "a@example.com"}, FORM, {"email": "a@example.com"}),
        ("id",),
    ),
    "company of companies": (
        ("/companies", "/companies/{company}"),
        (thing("id", "title"), {"type": "array", "items": thing("id", "title")}),
        ({"title": "a"}, "application/json", {"title": "a"}),
        ("id",),
    ),
    "metadata.name": (
        ("/namespaces/{namespace}/pods", "/namespaces/{namespace}/pods/{name}"),
        (POD, thing(items={"type": "array", "items": POD})),
        ({"metadata": {"name": "a"}, "spec": {"image": "b"}}, "application/json", {"spec": {"image": "b"}}),
        ("metadata", "name"),
    ),
    ".json, and names in another case": (
        ("/{AccountSid}/Messages.json", "/{AccountSid}/Messages/{Sid}.json"),
        (MESSAGE, thing("uri", messages={"type": "array", "items": MESSAGE})),
        ({"FriendlyName": "a"}, FORM, {"friendly_name": "a"}),
        ("sid",),
    ),
    "a wrapped item": (
        ("/v2/droplets", "/v2/droplets/{droplet_id}"),
        (thing(droplet=DROPLET), thing(droplets={"type": "array", "items": DROPLET})),
        ({"name": "a"}, "application/json", {"droplet": {"name": "a"}}),
        ("droplet", "id"),
    ),
}


def is_part(part, whole):
    return all(
        is_part(value, whole[name]) if isinstance(value, dict) else whole[name] == value for name, value in part.items()
    )


@pytest.mark.parametrize(("paths", "schemas", "body", "keys"), VENDORS.values(), ids=VENDORS)
def test_collections_of_vendors(paths, schemas, body, keys):
    created, listed = schemas
    sent, media_type, known = body
    described = thing(*sent) if all(isinstance(value, str) for value in sent.values()) else {"type": "object"}
    client = client_of(api(*paths, created, listed, media_type=media_type, sent=described))
    above = ["x"] * (paths[1].count("{") - 1)
    ids = []
    for number in range(3):
        if keys[0] == "metadata":
            sent = {**sent, "metadata": {"name": f"n{number}"}}
        made = client.create(*above, body=sent)
        assert is_part(known, made)
        for key in keys:
            made = made[key]
        ids.append(made)
    assert len(set(ids)) == 3
    assert is_part(known, client.get(*above, ids[1]))
    client.remove(*above, ids[1])
    with pytest.raises(exceptions.NotFound):
        client.get(*above, ids[1])
    listed = client.list(*above)
    items = listed if isinstance(listed, list) else next(value for value in listed.values() if isinstance(value, list))
    assert len(items) == 2


def test_an_item_that_exists_is_not_created_again():
    client = client_of(api("/pods", "/pods/{name}", POD, thing(items={"type": "array", "items": POD})))
    pod = {"metadata": {"name": "a"}, "spec": {"image": "b"}}
    client.create(body=pod)
    with pytest.raises(exceptions.Conflict):
        client.create(body=pod)


VARIABLE = thing("name", "value")
KEY = thing("key_id", id=NUMBER)
NOTE = thing("text", "kind", id=NUMBER)
SHORT = {"type": "object", "properties": {"id": NUMBER, "kind": {"enum": ["short"]}, "text": TEXT}}
UPLOAD = thing(file={"type": "string", "contentMediaType": "image/png"})
# The document's paths, what is created and listed, the body, and the item's id.
ODD = {
    "the response of a POST is empty, and the request names the item": (
        api("/variables", "/variables/{name}", VARIABLE, {"type": "array", "items": VARIABLE}, sent=VARIABLE),
        {"name": "a", "value": "b"},
        "a",
    ),
    "the id is a number as in the path": (
        api("/keys", "/keys/{pgp_key_id}", KEY, {"type": "array", "items": KEY}),
        {},
        1,
    ),
    "the list shows items in another way, next to other lists": (
        api(
            "/notes",
            "/notes/{note_id}",
            NOTE,
            thing(warnings={"type": "array"}, notes={"type": "array", "items": SHORT}, errors={"type": "array"}),
        ),
        {"text": "a"},
        1,
    ),
    "a file is not stored": (
        api(
            "/files", "/files/{id}", KEY, {"type": "array", "items": KEY}, media_type="multipart/form-data", sent=UPLOAD
        ),
        {"file": b"PNG"},
        1,
    ),
}
ODD["the response of a POST is empty, and the request names the item"][0]["paths"]["/variables"]["post"][
    "responses"
] = {"201": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
ODD["the id is a number as in the path"][0]["paths"]["/keys/{pgp_key_id}"]["get"]["parameters"][0]["schema"] = NUMBER


@pytest.mark.parametrize(("document", "body", "key"), ODD.values(), ids=ODD)
def test_odd_collections(document, body, key):
    client = client_of(document)
    client.create(body=body)
    found = client.get(key)
    assert {**found, **{name: value for name, value in body.items() if isinstance(value, str)}} == found
    listed = client.list()
    (item,) = listed if isinstance(listed, list) else listed["notes"]
    assert key in item.values()
    client.remove(key)
    with pytest.raises(exceptions.NotFound):
        client.get(key)


def test_ids_do_not_come_again():
    client = client_of(api("/issues", "/issues/{number}", ISSUE, {"type": "array", "items": ISSUE}))
    first = client.create(body={})["number"]
    client.remove(first)
    assert client.create(body={})["number"] != first


def test_the_collections_with_and_without_state():
    both = api("/issues", "/issues/{number}", ISSUE, {"type": "array", "items": ISSUE})
    both["paths"] |= api("/tags", "/tags/{x}", thing("text"), {"type": "array", "items": thing("text")})["paths"]
    for path, item in both["paths"].items():
        for method, operation in item.items():
            operation["operationId"] = f"{method}{path}"
    assert app(both, stateful=True).collections() == (["/issues"], ["/tags"])
    assert app(both).collections() is None


PAGED = {
    "limit and offset": ([("limit", NUMBER), ("offset", NUMBER)], None, lambda page, n: {"offset": 3 * n}),
    "page, with 1 first": ([("page", NUMBER), ("per_page", NUMBER)], None, lambda page, n: {"page": n + 1}),
    "page, with 0 first": (
        [("page", {**NUMBER, "default": 0}), ("page_size", NUMBER)],
        None,
        lambda page, n: {"page": n},
    ),
    "a cursor": (
        [("limit", NUMBER), ("cursor", TEXT)],
        {"next_cursor": {"type": ["string", "null"]}},
        lambda page, n: {"cursor": page["next_cursor"]} if page["next_cursor"] else None,
    ),
    "the id of the last": (
        [("limit", NUMBER), ("starting_after", TEXT)],
        {"has_more": {"type": "boolean"}},
        lambda page, n: {"starting_after": str(page["data"][-1]["number"])} if page["has_more"] else None,
    ),
    "a token within": (
        [("limit", NUMBER), ("pageToken", TEXT)],
        {"meta": thing(next_page_token={"type": ["string", "null"]})},
        lambda page, n: {"pageToken": page["meta"]["next_page_token"]} if page["meta"]["next_page_token"] else None,
    ),
    "a URL": (
        [("limit", NUMBER), ("offset", NUMBER)],
        {"next": {"type": ["string", "null"], "format": "uri"}},
        lambda page, n: {"offset": int(page["next"].rpartition("=")[2])} if page["next"] else None,
    ),
}


@pytest.mark.parametrize("stateful", [True, False])
@pytest.mark.parametrize(("query", "beside", "following"), PAGED.values(), ids=PAGED)
def test_pages_have_what_was_created_and_end(query, beside, following, stateful):
    items = {"type": "array", "items": ISSUE}
    listed = items if beside is None else thing(data=items, **beside)
    document = api("/issues", "/issues/{number}", ISSUE, listed, query=query)
    client = dynclient.load(
        document, base_url="http://v.example", transport=MockTransport(document, stateful=stateful), retry=1
    )
    for number in range(7):
        client.create(body={"title": str(number)})
    limit = next(name for name, _ in query if name in {"limit", "per_page", "page_size"})
    found, more = [], {}
    for number in range(10):
        page = client.list(**{limit: 3}, **more)
        shown = page if beside is None else page["data"]
        found += shown
        more = following(page, number + 1)
        if not shown or more is None:
            break
    else:
        pytest.fail("the pages do not end")
    assert not stateful or [one["title"] for one in found] == [str(number) for number in range(7)]


@pytest.mark.parametrize("stateful", [True, False])
def test_the_link_header_ends(stateful):
    link = {"Link": {"schema": TEXT, "example": '<https://v.example/issues?page=2>; rel="next"'}}
    listed = {"type": "array", "items": ISSUE}
    query = [("page", NUMBER), ("per_page", {**NUMBER, "default": 2})]
    document = api("/issues", "/issues/{number}", ISSUE, listed, query=query, headers=link)
    client = dynclient.load(
        document, base_url="http://v.example", transport=MockTransport(document, stateful=stateful), retry=1
    )
    for _ in range(3):
        client.create(body={})
    first = client.list_with_http_info()
    if stateful:
        assert len(first.data) == 2
        assert first.headers["link"] == '<http://v.example/issues?page=2>; rel="next"'
        first = client.list_with_http_info(page=2)
    assert len(first.data) == 1
    assert "link" not in first.headers
