"""Lists with many kinds of pagination, and servers that lie, with clients of each kind over a real socket."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from itertools import pairwise

import anyio
import pytest

import dynclient

sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120  # tests are no package
from conftest import ITEMS, document

# Way -> the rule that is found, its confidence, the number of requests.
WAYS = {
    "link": ("Link rel=next", "certain", 3),
    "header": ("header Continuation-Token <- header Continuation-Token", "certain", 3),
    "named": ("query page_token <- $.next_page_token", "certain", 3),
    "around": ("query cursor <- $.meta.pagination.next_cursor", "certain", 3),
    "url": ("url <- $.next", "certain", 3),
    "path": ("url <- $.next_page_uri", "certain", 3),
    "last_id": ("query starting_after <- $.data[-1].id", "certain", 3),
    "page": ("query page + 1", "likely", 4),
    "offset": ("query offset + items", "likely", 3),
    "body": ("body cursor <- $.next_cursor", "certain", 3),
    "markers": (
        "query key-marker <- $.NextKeyMarker; query upload-id-marker <- $.NextUploadIdMarker",
        "certain",
        3,
    ),
    "declared": ("query wo <- $.weiter", "certain", 3),
    "zero_based": ("query page + 1", "likely", 3),
    "one_based": ("query startIndex + items", "likely", 3),
    "records": ("url <- $.nextRecordsUrl", "certain", 3),
    "relations": ("url <- $.link[relation=next].url", "likely", 3),
    "scroll": ("body scroll_id <- $._scroll_id", "certain", 4),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_items_come_once_and_in_order(caller, server, way):
    found, error = caller.run(f"ways_{way}")
    assert (found, error) == (ITEMS, None)
    assert len(server.seen) == WAYS[way][2]


# What a server remembers can't be asked for again.
@pytest.mark.parametrize("way", sorted(WAYS.keys() - {"scroll"}))
def test_pages_can_be_resumed_after_each(caller, way):
    pages, _ = caller.run(f"ways_{way}", what="pages")
    filled = [page for page in pages if page.items]
    assert [(page.number, len(page.items), page.status) for page in filled] == [(1, 10, 200), (2, 10, 200), (3, 5, 200)]
    assert pages[-1].resume is None
    for before, page in pairwise(pages):
        rest, error = caller.run(f"ways_{way}", what="pages", resume=before.resume)
        assert error is None
        assert rest[0].items == page.items
        assert rest[0].number == page.number
    assert caller.run(f"ways_{way}", resume=pages[1].resume_at(3))[0] == ITEMS[13:]


@pytest.mark.parametrize("way", WAYS)
def test_prefetching_gives_the_same(caller, server, way):
    assert caller.run(f"ways_{way}", prefetch=1) == (ITEMS, None)
    assert len(server.seen) == WAYS[way][2]


@pytest.mark.parametrize("most", [0, 1, 10, 13, 25, 99])
def test_no_more_pages_are_asked_for_than_are_needed(caller, server, most):
    pages, _ = caller.run("ways_named", what="pages", max_items=most)
    assert [item for page in pages for item in page.items] == ITEMS[:most]
    assert len(server.seen) == -(-min(most, 25) // 10)
    if 0 < most < 25:
        assert caller.run("ways_named", resume=pages[-1].resume)[0] == ITEMS[most:]


def test_the_rest_of_the_request_stays_and_credentials_are_added_anew(caller, server):
    caller.run("ways_url", limit=10, option={"headers": {"X-Own": "yes"}})
    queries = [path.partition("?")[2] for _, path, _, _ in server.seen]
    assert queries == ["limit=10&key=secret-key", "from=10&key=secret-key", "from=20&key=secret-key"]
    assert all(
        headers["X-Own"] == "yes" and headers["Accept"] == "application/json" for _, _, headers, _ in server.seen
    )


def test_no_resume_text_has_a_credential(caller):
    pages, _ = caller.run("ways_url", what="pages")
    text = base64.urlsafe_b64decode(pages[0].resume + "==").decode()
    assert "key" not in text
    assert "http" not in text


def test_a_body_keeps_its_other_members(caller, server):
    assert caller.run("ways_body", body={"filter": "all"}) == (ITEMS, None)
    assert [json.loads(body) for *_, body in server.seen] == [
        {"filter": "all"},
        {"filter": "all", "cursor": "t10"},
        {"filter": "all", "cursor": "t20"},
    ]


SIZES = {5: "per_page=5", "max": "per_page=20"}


@pytest.mark.parametrize("size", SIZES)
def test_the_size_of_a_page(caller, server, size):
    assert caller.run("ways_page", page_size=size) == (ITEMS, None)
    assert SIZES[size] in server.seen[0][1]


def test_unique_leaves_out_what_was_there_before(caller):
    pages, _ = caller.run("lies_shrinking", what="pages", unique="id")
    assert [page.dropped for page in pages] == [0, 2, 1, 0]
    assert [item for page in pages for item in page.items] == ITEMS[:3]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"unique": "nmber"}, r"no item of the page has \$\.nmber"),
        ({"by": {"items": "$.dta"}}, r"neither the answer nor the document has \$\.dta"),
    ],
)
def test_a_misspelled_member_does_not_pass_silently(caller, arguments, text):
    found, error = caller.run("ways_last_id", **arguments)
    assert found == []
    assert type(error) is PAGING
    assert re.search(text, str(error))
    assert (error.page_number, caller.run("ways_last_id", resume=error.resume)[0]) == (1, ITEMS)


# Lie -> the error's class and a part of its text, the items before it, the page that was not read.
PAGING = dynclient.PaginationError
LIES = {
    "repeats": (PAGING, "repeats the position of the next page", 4, 3),
    "cycle": (PAGING, "repeats the position of the next page", 6, 4),
    "other_origin": (PAGING, "another origin, http://other.test:80", 2, 2),
    "other_scheme": (PAGING, "another origin, https://127.0.0.1", 2, 2),
    "script": (PAGING, "no valid http or https URL", 2, 2),
    "user_info": (PAGING, "no valid http or https URL", 2, 2),
    "conflict": (dynclient.Conflict, "at page 3", 2, 3),
    "broken": (dynclient.ServerError, "at page 3", 2, 3),
    "long": (PAGING, "has 65,536 characters", 2, 2),
    "itself": (PAGING, "repeats the position of the next page", 2, 2),
    "object": (PAGING, "token for cursor is a dict", 2, 2),
    "no_list": (PAGING, "not a list of items", 0, 1),
}


@pytest.mark.parametrize("prefetch", [0, 1])
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_ends_the_list_with_an_error_and_loses_nothing(caller, server, lie, prefetch):
    kind, text, count, number = LIES[lie]
    found, error = caller.run(f"lies_{lie}", prefetch=prefetch)
    assert isinstance(error, kind)
    assert text in str(error)
    assert len(found) == count
    assert error.page_number == number
    assert "secret" not in str(error)
    assert error.operation_id == f"lies_{lie}"
    sent = len(server.seen)
    # It goes on where it ended: the same request, or the same refusal.
    again = caller.run(f"lies_{lie}", resume=error.resume)[1]
    if kind is not PAGING:
        assert isinstance(again, kind)
        assert server.seen[sent][1] == server.seen[sent - 1][1]


HARMLESS = {"empty_with_token": (4, 25), "number": (3, 6), "shrinking": (4, 6), "results": (3, 6)}


@pytest.mark.parametrize("lie", HARMLESS)
def test_what_is_odd_but_no_lie_goes_on(caller, server, lie):
    requests, count = HARMLESS[lie]
    found, error = caller.run(f"lies_{lie}")
    assert (error, len(found), len(server.seen)) == (None, count, requests)


BY = {"items": "$.data", "next": "query page + 1"}
# Lie, options of the call -> the items, the number of requests, and a part of the error's text.
FURTHER = [
    ("holes", {"by": {**BY, "last": "$.last"}}, [1, 4, 5], 5, ""),
    ("more", {"by": {**BY, "more": "$.more"}}, [1, 4, 5], 5, ""),
    ("holes", {"by": BY}, [1], 2, ""),
    ("no_items", {"by": {**BY, "next": "query offset + items", "more": "$.more"}}, [], 1, "has no items, which"),
    ("empty", {}, [], 6, "6 pages in a row have no items"),
    ("moved", {"by": {"items": "$.data", "next": "url <- $.next_cursor"}}, [0, 1, 2], 4, ""),
    ("text", {"with_options": {"validate": "off"}}, [], 1, "is not a list of items but a str"),
]


@pytest.mark.parametrize("index", range(len(FURTHER)))
def test_what_is_empty_or_elsewhere(caller, server, monkeypatch, index):
    monkeypatch.setattr("dynclient._paging.stepping._EMPTY_PAGES", 5)
    lie, options, numbers, requests, text = FURTHER[index]
    found, error = caller.run(f"lies_{lie}", **options)
    assert ([ITEMS.index(item) for item in found], len(server.seen)) == (numbers, requests)
    assert text in str(error) if text else error is None


@pytest.mark.parametrize("lie", ["repeats", "cycle", "itself"])
def test_a_repetition_may_be_the_end(caller, lie):
    assert caller.run(f"lies_{lie}", on_repeat="stop")[1] is None


def test_a_server_that_ignores_the_page_is_found_out(caller):
    rule = {"items": "$.data", "next": "query page + 1"}
    found, error = caller.run("lies_number", by=rule, what="pages")
    assert len(found) == 2
    assert re.search("ignores page: page 2 is the same", str(error))
    assert caller.run("lies_number", by=rule, on_repeat="stop")[1] is None


def test_a_secret_of_the_call_stays_and_is_in_no_resume_text(caller, server):
    secret = {"query": {"api_key": "hush"}}
    pages, error = caller.run("ways_path", what="pages", PageSize=10, with_options=secret)
    assert error is None
    assert [path.count("api_key=hush") for _, path, _, _ in server.seen] == [1, 1, 1]
    assert "hush" not in base64.urlsafe_b64decode(pages[0].resume + "==").decode()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_first_items_are_awaited_and_a_loop_may_end_early(server, backend):
    async def awaited():
        # With one connection, one that is not given back would stop the next call.
        limits = dynclient.Limits(pool_size=1)
        async with dynclient.AsyncClient.load(document(server.url), auth=None, limits=limits) as client:
            operation = client.ways_named
            assert await operation.paginate().first(3) == ITEMS[:3]
            assert await operation.paginate().to_list(max_items=12) == ITEMS[:12]
            for options in ({}, {"prefetch": 1}):
                async for page in operation.paginate(**options).pages():
                    assert page.number == 1
                    break
            return "done"

    assert anyio.run(awaited, backend=backend) == "done"


def test_a_list_is_iterated_over_again_and_a_loop_may_end_early(server):
    with dynclient.load(document(server.url), auth=None) as client:
        pages = client.ways_page.paginate(prefetch=1)
        assert next(iter(pages)) == ITEMS[0]
        assert list(pages) == list(pages) == ITEMS


def test_a_body_that_is_read_once_is_refused(server):
    with dynclient.load(document(server.url), auth=None) as client:
        operation = client.ways_body.with_options(validate="off", content_type="application/octet-stream")
        with pytest.raises(dynclient.DynclientError):
            operation.paginate(body=iter([b"x"])).first(1)
