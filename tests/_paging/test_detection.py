"""The rule that is detected for an operation: a table of requests and responses, and the extensions that declare it."""

from __future__ import annotations

import pytest

import dynclient
from dynclient._paging.rules import LINK

S, N, B = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
LIST = {"type": "array", "items": {"type": "object", "properties": {"id": S, "name": S}}}
BARE = {"type": "array", "items": S}


def obj(**members):
    return {"type": "object", "properties": members}


def described(kind, text):
    return {**kind, "description": text}


# Parameters, the schema of the answer -> next, confidence, items, and what else is known.
RULES = [
    # Tokens that are named alike.
    ({"cursor": S}, obj(data=LIST, next_cursor=S), ("query cursor <- $.next_cursor", "certain", "$.data")),
    ({"pageToken": S}, obj(files=LIST, nextPageToken=S), ("query pageToken <- $.nextPageToken", "certain", "$.files")),
    ({"NextToken": S}, obj(Users=LIST, NextToken=S), ("query NextToken <- $.NextToken", "certain", "$.Users")),
    (
        {"continue": S, "limit": N},
        obj(items=LIST, metadata={"properties": {"continue": S}}),
        ("query continue <- $.metadata.continue", "certain", "$.items"),
    ),
    (
        {"cursor": S},
        obj(items=LIST, response_metadata=obj(next_cursor=S)),
        ("query cursor <- $.response_metadata.next_cursor", "certain", "$.items"),
    ),
    (
        {"page": N},
        obj(items=LIST, next_page={**N, "nullable": True}),
        ("query page <- $.next_page", "likely", "$.items"),
    ),
    ({"page": S}, obj(items=LIST, next_page=S), ("query page <- $.next_page", "certain", "$.items")),
    (
        {"continuation": S},
        obj(entries=LIST, continuation=S),
        ("query continuation <- $.continuation", "certain", "$.entries"),
    ),
    # Tokens whose names are often used together.
    (
        {"pagination[cursor]": S},
        obj(data=LIST, pagination=obj(cursor=S)),
        ("query pagination[cursor] <- $.pagination.cursor", "likely", "$.data"),
    ),
    (
        {"after": S},
        obj(data=LIST, paging=obj(next=obj(after=S))),
        ("query after <- $.paging.next.after", "likely", "$.data"),
    ),
    ({"after": S}, obj(data=LIST, cursors=obj(after=S)), ("query after <- $.cursors.after", "likely", "$.data")),
    (
        {"after": S},
        obj(data=LIST, pageInfo=obj(endCursor=S, hasNextPage=B)),
        ("query after <- $.pageInfo.endCursor", "likely", "$.data"),
    ),
    ({"after": S}, obj(data=LIST, last_id=S, has_more=B), ("query after <- $.last_id", "likely", "$.data")),
    ({"marker": S}, obj(Items=LIST, NextMarker=S), ("query marker <- $.NextMarker", "certain", "$.Items")),
    # URLs.
    ({"limit": N}, obj(results=LIST, next={**S, "format": "uri"}), ("url <- $.next", "certain", "$.results")),
    ({"page": N}, obj(results=LIST, count=N, next=S, previous=S), ("url <- $.next", "likely", "$.results")),
    ({}, obj(value=LIST, **{"@odata.nextLink": S}), ("url <- $['@odata.nextLink']", "certain", "$.value")),
    ({}, obj(value=LIST, nextLink=S), ("url <- $.nextLink", "certain", "$.value")),
    (
        {},
        obj(_links=obj(next=obj(href=S)), _embedded=obj(dogs=LIST)),
        ("url <- $._links.next.href", "likely", "$._embedded.dogs"),
    ),
    ({"limit": N}, obj(links=obj(next=S), data=LIST), ("url <- $.links.next", "likely", "$.data")),
    (
        {"cursor": S},
        obj(meta=obj(links=obj(next=obj(href=S))), data=LIST),
        ("url <- $.meta.links.next.href", "likely", "$.data"),
    ),
    ({"limit": N}, obj(messages=LIST, next_page_uri=S), ("url <- $.next_page_uri", "certain", "$.messages")),
    ({"limit": N}, obj(messages=BARE, next_page_uri=S), ("url <- $.next_page_uri", "certain", None)),
    # The last id.
    ({"starting_after": S}, obj(data=LIST, has_more=B), ("query starting_after <- $.data[-1].id", "certain", "$.data")),
    ({"after": S}, obj(data=LIST, has_more=B), ("query after <- $.data[-1].id", "likely", "$.data")),
    ({"after": S}, LIST, ("query after <- $[-1].id", "guess", "$")),
    ({"since_id": S}, LIST, ("query since_id <- $[-1].id", "guess", "$")),
    # Numbers.
    ({"page": N, "per_page": N}, LIST, ("query page + 1", "likely", "$")),
    ({"pageNumber": N}, obj(content=LIST, totalPages=N, last=B), ("query pageNumber + 1", "likely", "$.content")),
    ({"offset": N, "limit": N}, obj(items=LIST, total=N), ("query offset + items", "likely", "$.items")),
    ({"startAt": N, "maxResults": N}, obj(issues=LIST, total=N), ("query startAt + items", "likely", "$.issues")),
    ({"skip": N}, LIST, ("query skip + items", "guess", "$")),
    # Vendors' manners.
    ({"api-version": S, "$top": N}, obj(value=LIST, nextLink=S), ("url <- $.nextLink", "certain", "$.value")),
    (
        {"api-version": S, "$skipToken": S},
        obj(data=LIST, count=N, **{"$skipToken": S}),
        ("query $skipToken <- $.$skipToken", "certain", "$.data"),
    ),
    (
        {"$top": N, "$skip": N},
        {"allOf": [obj(**{"@odata.count": N, "@odata.nextLink": S}), obj(value=LIST)]},
        ("url <- $['@odata.nextLink']", "certain", "$.value"),
    ),
    (
        {"Marker": S, "MaxItems": N},
        obj(Users=LIST, IsTruncated=B, Marker=S),
        ("query Marker <- $.Marker", "certain", "$.Users"),
    ),
    (
        {"ExclusiveStartTableName": S, "Limit": N},
        obj(TableNames=BARE, LastEvaluatedTableName=S),
        ("query ExclusiveStartTableName <- $.LastEvaluatedTableName", "certain", "$.TableNames"),
    ),
    (
        {"cursor": S, "limit": N},
        obj(ok=B, members=LIST, response_metadata=obj(next_cursor=S, warnings=BARE)),
        ("query cursor <- $.response_metadata.next_cursor", "certain", "$.members"),
    ),
    (
        {"page": S, "limit": N},
        obj(object=S, data=LIST, has_more=B, next_page=S, total_count=N),
        ("query page <- $.next_page", "certain", "$.data"),
    ),
    (
        {"Page": N, "PageToken": S},
        obj(services=LIST, meta=obj(page=N, next_page_url={**S, "format": "uri"})),
        ("url <- $.meta.next_page_url", "certain", "$.services"),
    ),
    (
        {"page[number]": N, "page[size]": N},
        obj(data=LIST, included=LIST, links=obj(first=S, next=S), meta=obj(total=N)),
        ("url <- $.links.next", "likely", "$.data"),
    ),
    (
        {"page[cursor]": S},
        obj(data=LIST, links=obj(next=S), meta=obj(page=obj(after=S))),
        ("url <- $.links.next", "likely", "$.data"),
    ),
    (
        {"page[offset]": N, "page[limit]": N},
        obj(data=LIST, meta=obj(total=N)),
        ("query page[offset] + items", "likely", "$.data"),
    ),
    (
        {"q": S},
        obj(totalSize=N, done=B, nextRecordsUrl=S, records=LIST),
        ("url <- $.nextRecordsUrl", "certain", "$.records"),
    ),
    (
        {"scroll_id": S, "scroll": S},
        obj(_scroll_id=S, hits=obj(total=obj(value=N), hits=LIST)),
        ("query scroll_id <- $._scroll_id", "certain", "$.hits.hits"),
    ),
    (
        {"limit": N, "after": S},
        obj(data=LIST, paging=obj(cursors=obj(before=S, after=S), next=S)),
        ("query after <- $.paging.cursors.after", "likely", "$.data"),
    ),
    (
        {"starting_after": S},
        obj(data=LIST, pages=obj(page=N, next=obj(page=N, starting_after=S))),
        ("query starting_after <- $.pages.next.starting_after", "likely", "$.data"),
    ),
    ({"offset": S, "pageSize": N}, obj(records=LIST, offset=S), ("query offset <- $.offset", "certain", "$.records")),
    (
        {"start": N, "limit": N},
        obj(values=LIST, isLastPage=B, start=N, nextPageStart=N),
        ("query start <- $.nextPageStart", "likely", "$.values"),
    ),
    (
        {"_count": N},
        obj(entry=LIST, link={"type": "array", "items": obj(relation=S, url=S)}),
        ("url <- $.link[relation=next].url", "likely", "$.entry"),
    ),
    ({"cursor": S}, obj(errors=LIST, customers=LIST, cursor=S), ("query cursor <- $.cursor", "certain", "$.customers")),
    # What is no page, or unclear.
    ({"after": {**S, "format": "date-time"}}, LIST, ("None", "unclear", "$")),
    ({"since": described(S, "Only those updated after this date.")}, LIST, None),
    ({"limit": N}, LIST, ("None", "unclear", "$")),
    ({"id": S}, LIST, None),
    ({"page": N}, obj(name=S), None),
    ({"cursor": S}, obj(next_cursor=S, ids=BARE, names=BARE), ("query cursor <- $.next_cursor", "certain", None)),
    (
        {"cursor": S},
        obj(next_cursor=S, errors=LIST, users=LIST),
        ("query cursor <- $.next_cursor", "certain", "$.users"),
    ),
    ({"cursor": S}, obj(next_cursor=S, tags=BARE, users=LIST), ("query cursor <- $.next_cursor", "certain", "$.users")),
    (
        {"cursor": S},
        obj(meta=obj(cursor=S), result=obj(rows=LIST)),
        ("query cursor <- $.meta.cursor", "certain", "$.result.rows"),
    ),
]


def load(parameters, schema, version="3.1.0", *, path="/things", method="get", **members):
    query = [
        {
            "name": name,
            "in": "header" if name.startswith("x-") else "query",
            "schema": {k: v for k, v in kind.items() if k != "description"},
            **{k: v for k, v in kind.items() if k == "description"},
        }
        for name, kind in parameters.items()
    ]
    operation = {"operationId": "listThings", "parameters": query, **members}
    response = {"description": "", "content": {"application/json": {"schema": schema}}}
    operation.setdefault("responses", {"200": response})
    root = {key: value for key, value in members.items() if key == "x-root"}
    document = {"openapi": version, "info": {"title": "t", "version": "1"}, "servers": [{"url": "https://a.test"}]}
    return dynclient.load({**document, **root.get("x-root", {}), "paths": {path: {method: operation}}}).list_things


@pytest.mark.parametrize("index", range(len(RULES)))
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_the_rule_of_an_operation(index, version):
    parameters, schema, expected = RULES[index]
    found = load(parameters, schema, version).pagination
    assert (found and (str(found.next), found.confidence, found.items)) == expected


# The member of a body that repeats a token, or the number; the schema of the body, that of the answer.
SEARCHES = {
    "body start_cursor <- $.next_cursor": (obj(start_cursor=S), obj(results=LIST, next_cursor=S, has_more=B)),
    "body after <- $.paging.next.after": (obj(filter=S, after=S), obj(results=LIST, paging=obj(next=obj(after=S)))),
    "body scroll_id <- $._scroll_id": (obj(scroll=S, scroll_id=S), obj(_scroll_id=S, hits=obj(hits=LIST))),
    "body $.options.$skipToken <- $.$skipToken": (
        obj(query=S, options=obj(**{"$skipToken": S})),
        obj(data=LIST, **{"$skipToken": S}),
    ),
    "body $.pagination.page + 1": (obj(pagination=obj(page=N, size=N)), obj(items=LIST, pagination=obj(total=N))),
    "body NextToken <- $.NextToken": (obj(NextToken=S), obj(Things=LIST, NextToken=S)),
}


@pytest.mark.parametrize("rule", SEARCHES)
def test_the_rule_of_a_search_by_post(rule):
    body, answer = ({"content": {"application/json": {"schema": schema}}} for schema in SEARCHES[rule])
    responses = {"200": {"description": "", **answer}}
    found = load({}, LIST, path="/things/search", method="post", requestBody=body, responses=responses).pagination
    assert (found.next, found.is_usable) == (rule, True)


# Parameter, its description or schema, a member of the answer -> the number of the first page or item.
STARTS = [
    ("page", N, {}, 1),
    ("page", described(N, "Zero-based."), {"number": N}, 0),
    ("page", {**N, "minimum": 0}, {}, 0),
    ("page", {**N, "default": 1}, {"page": N}, 1),
    ("page", N, {"number": N, "totalPages": N}, "$.number"),
    ("pageNumber", N, {"meta": obj(page=N)}, "$.meta.page"),
    ("offset", N, {"offset": N}, None),
    ("startIndex", N, {"startIndex": N}, "$.startIndex"),
    ("startIndex", described(N, "The first one, 1-based."), {}, 1),
]


@pytest.mark.parametrize("index", range(len(STARTS)))
def test_the_number_of_the_first_page(index):
    name, schema, members, start = STARTS[index]
    assert load({name: schema, "count": N}, obj(items=LIST, total=N, **members)).pagination.start == start


@pytest.mark.parametrize("header", ["X-Ms-ContinuationToken", "Continuation-Token"])
def test_a_token_in_a_header_is_repeated_in_the_query(header):
    response = {"description": "", "headers": {header: {"schema": S}}}
    response["content"] = {"application/json": {"schema": LIST}}
    found = load({"continuationToken": S}, LIST, responses={"200": response}).pagination
    assert (found.next, found.confidence) == (f"query continuationToken <- header {header}", "certain")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("Page index of the results to return. First page is 0.", 0),
        ("The 0-based page", 0),
        ("The page number, 0-indexed", 0),
        ("The zero-indexed page", 0),
        ("0 is the first page", 0),
        ("Pages are counted from 0.", 0),
        ("Page to return, beginning with 0", 0),
        ("First page: 0", 0),
        ("Page number, starting at 1", 1),
        ("1 means the first page", 1),
        ("Page number. 10 is the first useful one", 1),
        ("The page", 1),
    ],
)
def test_a_description_says_where_pages_begin(text, start):
    assert load({"page": described(N, text)}, LIST).pagination.start == start


def test_a_vendor_s_header_is_repeated():
    response = {"description": "", "headers": {"x-ms-continuation": {"schema": S}}}
    response["content"] = {"application/json": {"schema": LIST}}
    found = load({"x-ms-continuation": S}, LIST, responses={"200": response}).pagination
    assert (found.next, found.confidence) == ("header x-ms-continuation <- header x-ms-continuation", "certain")


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"Link": {"schema": S}}, ""),
        ({}, "Pages are in the `Link` header, see RFC 8288."),
        ({}, 'Follow rel="next".'),
    ],
)
def test_a_link_header_is_documented_or_described(headers, text):
    response = {"description": "", "headers": headers, "content": {"application/json": {"schema": LIST}}}
    found = load({"page": N}, LIST, responses={"200": response}, description=text).pagination
    assert (found.next, found.confidence) == (LINK, "certain")


def test_evidence_has_the_line_of_the_document(tmp_path):
    path = tmp_path / "lists.yaml"
    path.write_text("""\
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /things:
    get:
      operationId: listThings
      parameters:
      - {name: cursor, in: query, schema: {type: string}}
      responses:
        200:
          description: ''
          content:
            application/json:
              schema:
                properties:
                  next_cursor: {type: string}
                  data: {type: array, items: {type: object}}
""")
    found = dynclient.load(path).list_things.pagination
    assert [each.location.line for each in found.evidence] == [8, 17]
    assert "lists.yaml, line 8" in str(found)


def test_an_operation_of_version_2_has_a_rule():
    query = [{"name": "page", "in": "query", "type": "integer"}, {"name": "size", "in": "query", "type": "integer"}]
    operation = {"operationId": "list", "parameters": query, "responses": {"200": {"description": "", "schema": LIST}}}
    document = {
        "swagger": "2.0",
        "info": {"title": "t", "version": "1"},
        "host": "a.test",
        "paths": {"/x": {"get": operation}},
    }
    found = dynclient.load(document).list.pagination
    assert (found.next, found.size, found.items) == ("query page + 1", "query size", "$")


DIALECTS = [
    (
        {"x-pagination": {"items": "$.a", "next": "query page + 1", "size": "limit", "start": 0}},
        ("$.a", "query page + 1", "limit"),
    ),
    ({"x-pagination": False}, None),
    (
        {
            "x-speakeasy-pagination": {
                "type": "cursor",
                "inputs": [{"name": "c", "in": "parameters", "type": "cursor"}],
                "outputs": {"results": "$.a[*]", "nextCursor": "$.a[-1].id"},
            }
        },
        ("$.a", "query c <- $.a[-1].id", None),
    ),
    (
        {
            "x-speakeasy-pagination": {
                "type": "offsetLimit",
                "inputs": [
                    {"name": "offset", "in": "parameters", "type": "offset"},
                    {"name": "n", "in": "parameters", "type": "limit"},
                ],
                "outputs": {"results": "$.a"},
            }
        },
        ("$.a", "query offset + items", "query n"),
    ),
    (
        {"x-speakeasy-pagination": {"type": "url", "outputs": {"nextUrl": "$.b", "results": "$.a"}}},
        ("$.a", "url <- $.b", None),
    ),
    (
        {"x-fern-pagination": {"cursor": "$request.c", "next_cursor": "$response.b.c", "results": "$response.a"}},
        ("$.a", "query c <- $.b.c", None),
    ),
    ({"x-fern-pagination": {"offset": "$request.page", "results": "$response.a"}}, ("$.a", "query page + 1", None)),
    (
        {"x-fern-pagination": {"offset": "$request.offset", "step": "$request.n", "results": "$response.a"}},
        ("$.a", "query offset + items", "query n"),
    ),
    (
        {
            "x-fern-pagination": True,
            "x-root": {"x-fern-pagination": {"next_uri": "$response.b", "results": "$response.a"}},
        },
        ("$.a", "url <- $.b", None),
    ),
    ({"x-ms-pageable": {"nextLinkName": "b"}}, ("$.value", "url <- $.b", None)),
    ({"x-ms-pageable": {"nextLinkName": "p.next", "itemName": "a"}}, ("$.a", "url <- $.p.next", None)),
    ({"x-ms-pageable": {"nextLinkName": None}}, None),
    ({"x-kubernetes-action": "list"}, ("$.items", "query continue <- $.metadata.continue", "query limit")),
]


@pytest.mark.parametrize("index", range(len(DIALECTS)))
def test_a_declared_rule_is_read_in_each_dialect(index):
    members, expected = DIALECTS[index]
    answer = obj(a=LIST, other=LIST, b=obj(c=S), value=LIST)
    found = load({"page": N, "offset": N, "c": S}, answer, **members).pagination
    assert (found and (found.items, found.next, found.size)) == expected
    assert found is None or found.confidence == "certain"


def test_marks_of_typespec_are_read():
    items, token = {**LIST, "x-ms-list-page-items": True}, {**S, "x-ms-list-continuation-token": True}
    found = load(
        {"weiter": {**S, "x-ms-list-continuation-token": True}}, obj(dinge=items, marke=token, b=LIST)
    ).pagination
    assert (found.items, found.next, found.confidence) == ("$.dinge", "query weiter <- $.marke", "certain")


@pytest.mark.parametrize(
    "wrong", ["x", {"next": "somehow"}, {"nxt": "Link rel=next"}, {"items": "$.a[*]"}, {"start": "1"}]
)
def test_a_declaration_that_can_t_be_read_leaves_the_list_unclear(wrong):
    operation = load({"page": N}, LIST, **{"x-pagination": wrong})
    assert operation.pagination.confidence == "unclear"
    with pytest.raises(dynclient.PaginationUnclear, match="x-pagination can't be read"):
        operation.paginate()


def test_a_guess_is_not_used_unasked():
    operation = load({"after": S}, LIST)
    with pytest.raises(dynclient.PaginationUnclear) as caught:
        operation.paginate()
    assert caught.value.pagination == operation.pagination
    assert 'by={"items": "$", "next": "query after <- $[-1].id"}' in str(caught.value)
    assert "after may be the id of the last item" in str(caught.value)
    rule = operation.pagination.rule()
    assert operation.paginate(by=rule).pagination.confidence == "certain"


@pytest.mark.parametrize("name", ["listThings", "list_things", "GET /things", "*"])
def test_a_client_says_how_lists_page(name):
    operation = load({"after": S}, LIST).with_options(paginate={name: {"next": "query after <- $[-1].name"}})
    assert (operation.pagination.next, operation.pagination.confidence) == ("query after <- $[-1].name", "certain")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"by": {"next": "page++"}}, "by: next can't be read"),
        ({"by": "page"}, "by must be a mapping"),
        ({"page_size": 0}, "page_size must be a number from 1"),
        ({"page_size": "max"}, "no maximum of per_page"),
        ({"max_items": -1}, "max_items must be a number from 0"),
        ({"prefetch": 2}, "prefetch must be 0 or 1"),
        ({"on_repeat": "go"}, "on_repeat must be"),
        ({"resume": 1}, "resume must be the text"),
        ({"unique": 1}, "unique must be a member"),
        ({"nothing": 1}, "unknown argument nothing"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_sent(arguments, text):
    with pytest.raises(dynclient.ArgumentError, match=text):
        load({"page": N, "per_page": N}, LIST).paginate(**arguments)


@pytest.mark.parametrize("resume", ["", "x", "bm90IGpzb24", "WzEsMl0", "\x00", "é"])
def test_a_damaged_resume_text_is_refused(resume):
    with pytest.raises(dynclient.ArgumentError, match="resume"):
        load({"page": N}, LIST).paginate(resume=resume).first(1)


def test_an_operation_without_pages_says_so():
    with pytest.raises(dynclient.PaginationUnclear, match="does not show that the operation has pages"):
        load({}, LIST).paginate()


def test_the_document_s_own_name_wins_over_an_option():
    operation = load({"page": N, "by": S, "page_size": N}, LIST)
    assert operation.paginate(by="name", by_={"start": 0}).pagination.start == 0
    assert "by_" in str(operation.paginate.__signature__)


def test_a_rule_becomes_an_overlay():
    found = load({"page": N}, LIST, path="/it's/things").pagination
    overlay = found.to_overlay()
    assert overlay["overlay"] == "1.1.0"
    (action,) = overlay["actions"]
    assert action["target"] == r"$.paths['/it\'s/things'].get"
    assert action["update"] == {"x-pagination": {"items": "$", "next": "query page + 1", "start": 1}}
