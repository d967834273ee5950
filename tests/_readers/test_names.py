"""Python names of operations and tags."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient._readers.names import RESERVED, Named, names

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


@pytest.mark.parametrize(("operation_id", "method", "path", "name"), SINGLE)
def test_flat_name(operation_id: str | None, method: str, path: str, name: str) -> None:
    assert names([Named(operation_id, method, path, ())]).flat == (name,)


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
        [[("pets", "list")], [("pets", "list_2")]],
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
        ["close_", "close_2"],
        [[], []],
    ),
}


@pytest.mark.parametrize("case", MANY)
def test_names_of_several(case: str) -> None:
    operations, flat, by_tag = MANY[case]
    found = names([Named(operation_id, "GET", "/", tuple(tags)) for operation_id, tags in operations])
    assert list(found.flat) == flat
    assert [list(pairs) for pairs in found.by_tag] == by_tag


def test_declared_tags_come_first() -> None:
    found = names([Named("a", "GET", "/", ("new", "two"))], ["one", "two"])
    assert found.namespaces == {"one": "one", "two": "two", "new": "new"}


TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from([*RESERVED, "a", "a_with_http_info", "a_2", "A", "a b", "from", "__init__"])
)
OPERATIONS = st.lists(st.tuples(st.one_of(st.none(), TEXTS), st.lists(TEXTS, max_size=3)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(OPERATIONS)
def test_no_name_hides_another(operations: list[tuple[str | None, list[str]]]) -> None:
    found = names([Named(one, "GET", f"/{n}", tuple(tags)) for n, (one, tags) in enumerate(operations)])
    variants = [f"{name}_with_http_info" for name in found.flat]
    public = [*found.flat, *variants, *set(found.namespaces.values()), *RESERVED]
    assert len(public) == len(set(public))
    assert all(name.isidentifier() and name.isascii() and not name.startswith("__") for name in public)
    for namespace in set(found.namespaces.values()):
        there = [name for pairs in found.by_tag for space, name in pairs if space == namespace]
        assert len({*there, *(f"{name}_with_http_info" for name in there)}) == 2 * len(there)


def test_what_clients_have_is_reserved() -> None:
    from dynclient import AsyncClient, Client

    public = {name for client in (Client, AsyncClient) for name in dir(client) if not name.startswith("_")}
    assert public <= RESERVED
