"""Small paths and the Link header, as tables."""

from types import SimpleNamespace

import pytest

from dynclient._paging.rules import MISSING, path_keys, path_text, value_at
from dynclient.http_grammar import web_links

VALUE = {
    "a": [{"id": 1}, {"id": 2}],
    "@odata.nextLink": "x",
    "it's": {"b": None},
    "links": [1, {"rel": "next", "href": "y"}],
}

PATHS = {
    "$": VALUE,
    "$.a[-1].id": 2,
    "a[0].id": 1,
    "$['@odata.nextLink']": "x",
    '$["it\'s"].b': None,
    "$.a[2].id": MISSING,
    "$.a[-3]": MISSING,
    "$.a.id": MISSING,
    "$.b.c": MISSING,
    "$[0]": MISSING,
    "$.a[id=2]": MISSING,
    "$.links[rel=next].href": "y",
    "$.links[rel=last]": MISSING,
    "$.it[rel=next]": MISSING,
    "$['@odata.nextLink'].count": MISSING,
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_leads_to_a_value_or_is_missing(path):
    assert value_at(VALUE, path_keys(path)) == PATHS[path]
    assert path_keys(path_text(path_keys(path))) == path_keys(path)


def test_a_path_goes_into_objects_of_classes_but_not_into_their_private_names():
    assert value_at(SimpleNamespace(id=1), path_keys("$.id")) == 1
    assert value_at(SimpleNamespace(id=1), path_keys("$.__class__")) is MISSING
    assert value_at(VALUE["a"], path_keys("$.index")) is MISSING


@pytest.mark.parametrize(
    "text", ["$a", "$.", "$..a", "$.a[*]", "$.a[", "$.a b", "$.a[?@.b]", "$['a", "$.a[99999999999]"]
)
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match="is not a path"):
        path_keys(text)


LINKS = {
    '<https://a/b?x=1,2>; rel="next"': [("https://a/b?x=1,2", ("next",))],
    "<a>;rel=next, <b> ; REL = last": [("a", ("next",)), ("b", ("last",))],
    '<a>; rel="prev  NEXT"; rel=last': [("a", ("prev", "next"))],
    r'<a>; title="x, \"<y>; rel=last\""; rel=next': [("a", ("next",))],
    '<a>; rel=next; anchor="#part", <b>; rel=last': [("b", ("last",))],
    "junk, <a>; rel=next; ; <b>": [("a", ("next",)), ("b", ())],
    "<>; rel=self": [("", ("self",))],
    "<a; rel=next": [],
    "": [],
}


@pytest.mark.parametrize("header", LINKS)
def test_links_of_a_header(header):
    assert [(link.target, link.relations) for link in web_links(header)] == LINKS[header]


def test_a_header_is_read_in_linear_time():
    assert web_links("<" * 50_000 + "a" * 50_000) == ()
    assert len(web_links("<a>" + ";" * 50_000 + "<b>;x" * 20_000)) == 20_001
