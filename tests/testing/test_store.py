"""The stateful mock: requests create, change, list and delete items."""

from __future__ import annotations

import json

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
