"""Python names of operations and tags."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynclient
from dynclient.model import API

CLIENTS = (dynclient.Client, dynclient.AsyncClient)
RESERVED = {name for client in CLIENTS for name in dir(client) if not name.startswith("_")}
FIXED = {"GET", "POST", "PUT"}

# operationId, method, path; the name.
SINGLE = [
    ("createCall", "POST", "/x", "create_call"),
    ("updateCallBXML", "PUT", "/x", "update_call_bxml"),
    ("repos/get", "GET", "/x", "repos_get"),
    ("import", "GET", "/x", "import_"),
    ("2fa", "GET", "/x", "_2fa"),
    ("reload", "GET", "/x", "reload_"),
    ("withOptions", "GET", "/x", "with_options_"),
    ("__class__", "GET", "/x", "class_"),
    (None, "GET", "/accounts/{accountId}/calls", "get_accounts_by_account_id_calls"),
    (None, "GET", "/{a}.{b}", "get_by_a_by_b"),
    (None, "POST", "/{key}:action", "post_by_key_action"),
    (None, "GET", "/#Action=X", "get_action_x"),
    (None, "GET", "/", "get_root"),
    (None, "LINK", "/a", "link_a"),
]


def api_of(operations: Sequence[tuple[str | None, str, str, Sequence[str]]], tags: Sequence[str] = ()) -> API:
    """An API with these operations, each with its operationId, method, path and tags; and with declared tags."""
    paths: dict[str, object] = {}
    for operation_id, method, path, own in operations:
        operation = {"tags": list(own), **({} if operation_id is None else {"operationId": operation_id})}
        paths[path] = {method.lower(): operation} if method in FIXED else {"additionalOperations": {method: operation}}
    info = {"title": "t", "version": "1"}
    document = {"openapi": "3.2.0", "info": info, "paths": paths, "tags": [{"name": name} for name in tags]}
    return dynclient.load(document).api


@pytest.mark.parametrize(("operation_id", "method", "path", "name"), SINGLE)
def test_flat_name(operation_id: str | None, method: str, path: str, name: str) -> None:
    assert [row.name for row in api_of([(operation_id, method, path, ())]).rows] == [name]


# operationIds with their tags; the flat names; the names by tag; the namespaces.
MANY = {
    "an id that begins with its tag loses that part there": (
        [("repos/get", ["repos"]), ("repos/import", ["repos"]), ("list", ["repos"])],
        ["repos_get", "repos_import", "list"],
        [[("repos", "get")], [("repos", "import_")], [("repos", "list")]],
    ),
    "unique only within a tag": (
        [("list", ["pets"]), ("list", ["users"]), ("list", ["pets"])],
        ["list", "list_2", "list_3"],
        [[("pets", "list")], [("users", "list")], [("pets", "list_2")]],
    ),
    "a collision after a tag's part is lost": (
        [("pets/list", ["pets"]), ("list", ["pets"])],
        ["pets_list", "list"],
        [[("pets", "list_2")], [("pets", "list")]],
    ),
    "own names come first": (
        [("GetPets", ["A_b"]), ("getPets", ["a_b"]), ("get_pets", ["a-b"])],
        ["get_pets_2", "get_pets_3", "get_pets"],
        [[("a_b", "get_pets")], [("a_b", "get_pets_2")], [("a_b_2", "get_pets")]],
    ),
    "a tag's own name goes before an operation's that is made": (
        [("Pets", ["pets"]), ("find", ["pets"])],
        ["pets_2", "find"],
        [[("pets", "pets")], [("pets", "find")]],
    ),
    "nothing is left of the name": ([("pets", ["pets"])], ["pets"], [[("pets_", "pets")]]),
    "several tags": (
        [("admin.apps.approve", ["admin.apps", "admin"])],
        ["admin_apps_approve"],
        [[("admin_apps", "approve"), ("admin", "apps_approve")]],
    ),
    "a tag named as an operation": (
        [("search", ["search"]), ("find", ["search"])],
        ["search", "find"],
        [[("search_", "search")], [("search_", "find")]],
    ),
    "a tag named as what a client has": ([("a", ["operations"])], ["a"], [[("operations_", "a")]]),
    "tags that differ in case only": (
        [("a", ["Pets"]), ("b", ["pets "]), ("c", ["PETS", "pets"])],
        ["a", "b", "c"],
        [[("pets", "a")], [("pets", "b")], [("pets", "c")]],
    ),
    "tags that come to one name": (
        [("a", ["my-pets"]), ("b", ["my pets"])],
        ["a", "b"],
        [[("my_pets", "a")], [("my_pets_2", "b")]],
    ),
    "an operation named as the variant of another": (
        [("createCall", []), ("create_call_with_http_info", [])],
        ["create_call", "create_call_with_http_info_"],
        [[], []],
    ),
    "variants of variants": (
        [("a", ["t"]), ("a_with_http_info", ["t"]), ("a_with_http_info_", ["t"])],
        ["a", "a_with_http_info_", "a_with_http_info_2"],
        [[("t", "a")], [("t", "a_with_http_info_")], [("t", "a_with_http_info_2")]],
    ),
    "a suffix that is taken": (
        [("a", []), ("a", []), ("a_2", [])],
        ["a", "a_3", "a_2"],
        [[], [], []],
    ),
    "a reserved name that is taken with its underscore": (
        [("close", []), ("close_", [])],
        ["close_2", "close_"],
        [[], []],
    ),
}


@pytest.mark.parametrize("case", MANY)
def test_names_of_several(case: str) -> None:
    operations, flat, by_tag = MANY[case]
    rows = api_of([(one, "GET", f"/{n}", tags) for n, (one, tags) in enumerate(operations)]).rows
    assert [row.name for row in rows] == flat
    assert [list(row.names_by_tag) for row in rows] == by_tag


# Paths of a document without tags, each read; the namespace and the name there.
BY_PATH = {
    "after what all share, and versions": (
        ["/v1/customers", "/v1/customers/{customer}", "/v1/customers/{customer}/sources", "/v1/charges"],
        [
            ("customers", "get"),
            ("customers", "get_by_customer"),
            ("customers", "get_by_customer_sources"),
            ("charges", "get"),
        ],
    ),
    "a version is no namespace": (
        ["/api/v2.1/users", "/api/v2.1/users/{id}", "/health"],
        [("users", "get"), ("users", "get_by_id"), ("health", "get")],
    ),
    "all below one": (["/todos", "/todos/{id}"], [("todos", "get"), ("todos", "get_by_id")]),
    "without a fixed segment": (["/{a}", "/{a}/b", "/"], [None, ("b", "get"), None]),
    "a name of the client": (["/reload", "/x"], [None, ("x", "get")]),
}


@pytest.mark.parametrize("case", BY_PATH)
def test_without_tags_the_paths_are_namespaces(case: str) -> None:
    paths, expected = BY_PATH[case]
    rows = api_of([(None, "GET", path, ()) for path in paths]).rows
    assert [row.names_by_tag for row in rows] == [() if pair is None else (pair,) for pair in expected]


def test_names_lose_the_segment_of_their_namespace() -> None:
    ids = ["GetCustomersCustomerSources", "listCustomers", "customers-import", "customers", "createCustomer"]
    rows = api_of(
        [(one, "GET", f"/v1/customers/{n}", ()) for n, one in enumerate(ids)] + [("x", "GET", "/v1/x/y", ())]
    ).rows
    assert [row.names_by_tag for row in rows[:5]] == [()] * 5  # an operation has the name
    rows = api_of(
        [(one, "GET", f"/v1/customers/{n}", ()) for n, one in enumerate(ids) if one != "customers"]
        + [("x", "GET", "/v1/x/y", ())]
    ).rows
    assert [dict(row.names_by_tag).get("customers") for row in rows] == [
        "get_customer_sources", "list", "import_", "create_customer", None,
    ]  # fmt: skip


LONG = "/api/opds/{apiKey}/series/{seriesId}/volume/{volumeId}/chapter/{chapterId}"


def test_a_long_name_loses_its_parameters_where_it_stays_the_only_one() -> None:
    def flat(*paths: str) -> list[str]:
        return [row.name for row in api_of([(None, "GET", path, ()) for path in paths]).rows]

    whole = "get_api_opds_by_api_key_series_by_series_id_volume_by_volume_id_chapter_by_chapter_id"
    assert flat(LONG, f"{LONG}/download") == [
        "get_api_opds_series_volume_chapter",
        "get_api_opds_series_volume_chapter_download",
    ]
    assert flat(LONG, "/api/opds/series/volume/chapter") == [whole, "get_api_opds_series_volume_chapter"]
    assert flat(LONG, LONG.replace("apiKey", "key")) == [whole, whole.replace("api_key", "key")]


def test_declared_tags_come_first() -> None:
    tags = api_of([("a", "GET", "/", ("new", "two"))], ["one", "two"]).tags
    assert [(tag.name, tag.namespace) for tag in tags] == [("one", "one"), ("two", "two"), ("new", "new")]


TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from([*RESERVED, "a", "a_with_http_info", "a_2", "A", "a b", "from", "__init__"])
)
OPERATIONS = st.lists(st.tuples(st.one_of(st.none(), TEXTS), st.lists(TEXTS, max_size=3)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(OPERATIONS)
def test_no_name_hides_another(operations: list[tuple[str | None, list[str]]]) -> None:
    api = api_of([(one, "GET", f"/{n}", tags) for n, (one, tags) in enumerate(operations)])
    flat, namespaces = [row.name for row in api.rows], {tag.namespace for tag in api.tags}
    public = [*flat, *(f"{name}_with_http_info" for name in flat), *namespaces, *RESERVED]
    assert len(public) == len(set(public))
    assert all(name.isidentifier() and not name.startswith("__") for name in public)
    for namespace in namespaces:
        there = [name for row in api.rows for space, name in row.names_by_tag if space == namespace]
        assert len({*there, *(f"{name}_with_http_info" for name in there)}) == 2 * len(there)
