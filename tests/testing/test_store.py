"""What one request creates, another one finds."""

from __future__ import annotations

import json

JSON = {"Content-Type": "application/json"}


def made(ask, **body):
    response = ask("POST", "/things", JSON, json.dumps({"name": "ab", **body}).encode())
    assert response.status == 201
    return json.loads(response.body)


def test_what_is_created_is_found(ask):
    thing = made(ask, name="Mine", size=7)
    assert (thing["name"], thing["size"]) == ("Mine", 7)
    found = ask("GET", f"/things/{thing['id']}")
    assert (found.status, json.loads(found.body)) == (200, thing)
    assert ask("GET", f"/v1/things/{thing['id']}").status == 200


def test_what_was_not_created_is_not_there(ask):
    response = ask("GET", "/things/thing-00af")
    assert response.status == 404
    assert "/things/thing-00af" in json.loads(response.body)["message"]
    assert ask("GET", "/things/thing-00af/picture").status == 404


def test_each_thing_has_an_id_of_its_own(ask):
    first, second, third = made(ask), made(ask), made(ask)
    assert [first["id"], second["id"], third["id"]] == ["thing-00af", "thing-00b0", "thing-00b1"]
    assert second["self"] == "/things/thing-00b0"


def test_what_is_never_shown_is_not_shown(ask):
    assert "secret" not in made(ask, secret="x")


def test_the_location_is_that_of_what_was_created(ask):
    response = ask("POST", "/v1/things", JSON, b'{"name":"ab"}')
    assert response.headers["location"] == f"/things/{json.loads(response.body)['id']}"
    assert ask("GET", response.headers["location"]).status == 200


def test_what_is_changed_stays_changed(ask):
    thing = made(ask)
    changed = ask("PATCH", f"/things/{thing['id']}", {"Content-Type": "application/merge-patch+json"}, b'{"size":9}')
    assert json.loads(changed.body)["size"] == 9
    assert json.loads(ask("GET", f"/things/{thing['id']}").body)["size"] == 9


def test_a_change_that_does_not_fit_is_not_shown(ask):
    thing = made(ask, size=3)
    ask("PATCH", f"/things/{thing['id']}", {"Content-Type": "application/merge-patch+json"}, b'{"size":"big"}')
    assert json.loads(ask("GET", f"/things/{thing['id']}").body)["size"] == 3


def test_what_is_deleted_is_gone(ask):
    thing = made(ask)
    path = f"/things/{thing['id']}"
    assert [ask(method, path).status for method in ("GET", "DELETE", "GET", "DELETE")] == [200, 204, 404, 404]


def test_a_list_shows_what_is_there(ask):
    first, second = made(ask, name="one"), made(ask, name="two")
    assert json.loads(ask("GET", "/things").body) == [first, second]
    ask("DELETE", f"/things/{first['id']}")
    assert json.loads(ask("GET", "/things").body) == [second]


def test_a_path_that_is_no_item_is_left_alone(ask):
    assert ask("GET", "/things/mine").status == 200


def test_without_state_everything_is_there(ask_with):
    ask = ask_with()
    assert ask("GET", "/things/any-thing").status == 200
    assert made(ask)["id"] == made(ask)["id"]
