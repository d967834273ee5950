"""Actions of overlays and their results: tables, test suites of others, and actions beyond the limits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from dynclient._document.overlays import located
from dynclient._overlays.json_path import Paths
from dynclient._overlays.overlay import apply, read_overlay
from dynclient.exceptions import DynclientError, InvalidDocument, UnsafeDocument, UnsupportedVersion
from dynclient.json_pointer import at, join
from dynclient.options import Limits

CASES = Path(__file__).parents[1] / "cases"


def overlay(*actions, version="1.1.0", **more):
    tree = {"overlay": version, "info": {"title": "t", "version": "1"}, "actions": list(actions), **more}
    return read_overlay(tree, "fix.yaml", len, 1_000), tree


def applied(document, *actions, limits=Limits()):
    return apply(json.loads(json.dumps(document)), [overlay(*actions)[0]], limits)


def update(target, value):
    return {"target": target, "update": value}


def copy(target, path):
    return {"target": target, "copy": path}


def remove(target):
    return {"target": target, "remove": True}


@pytest.mark.parametrize(
    ("document", "actions", "expected"),
    [
        ({"a": {"b": 1}}, [update("$.a", {"c": 2})], {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}}, [update("$", {"a": {"b": 2}})], {"a": {"b": 2}}),
        ({"a": {"b": {"c": 1}}}, [update("$.a", {"b": {"d": [1]}})], {"a": {"b": {"c": 1, "d": [1]}}}),
        ({"a": {"b": [1]}}, [update("$.a", {"b": [2, 3]})], {"a": {"b": [1, 2, 3]}}),
        ({"a": [1]}, [update("$.a", [2, [3]])], {"a": [1, 2, [3]]}),
        ({"a": [1]}, [update("$.a", {"b": 2})], {"a": [1, {"b": 2}]}),
        ({"a": [1]}, [update("$.a", None)], {"a": [1, None]}),
        ({"a": 1, "b": [2]}, [update("$.a", "x"), update("$.b[0]", False)], {"a": "x", "b": [False]}),
        ({"a": None}, [update("$.a", 1)], {"a": 1}),
        ({"a": {"b": None}}, [update("$.a", {"b": True})], {"a": {"b": True}}),
        ({"a": [{"n": 1}, {"n": 2}]}, [update("$.a[?@.n==2]", {"m": 3})], {"a": [{"n": 1}, {"n": 2, "m": 3}]}),
        ({"a": [1, 1]}, [update("$.a[0,0]", 2)], {"a": [2, 1]}),
        ({"a": [[1]]}, [update("$['a','a']", [2])], {"a": [[1], 2]}),
        ({"a": 1}, [update("$.b", 2)], {"a": 1}),
        ({"a": 1}, [{"target": "$.a"}], {"a": 1}),
        ({"a": [1, 2, 3, 4]}, [remove("$.a[0,2]")], {"a": [2, 4]}),
        ({"a": [1, 2, 3]}, [remove("$.a[?@ == 2]")], {"a": [1, 3]}),
        ({"a": {"b": {"c": 1}}}, [remove("$..[?@.c, 'c']")], {"a": {}}),
        ({"a": {"b": 1}}, [remove("$.a.b"), update("$.a", {"b": [2]})], {"a": {"b": [2]}}),
        ({"a": {"b": 1}}, [{**remove("$.a.b"), "update": 2, "copy": "$"}], {"a": {}}),
        ({"a": {"b": 1}, "c": {"d": 2}}, [copy("$.c", "$.a")], {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ({"a": {"b": 1}, "c": {"b": 2}}, [copy("$.c", "$.a")], {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a": [1], "c": [2]}, [copy("$.c", "$.a")], {"a": [1], "c": [2, 1]}),
        ({"a": [1]}, [copy("$.a", "$.a")], {"a": [1, 1]}),
        ({"a": 1, "c": [2]}, [copy("$.c[0]", "$.a")], {"a": 1, "c": [1]}),
        ({"a": {"b": {}}}, [copy("$.a.b", "$")], {"a": {"b": {"a": {"b": {}}}}}),
        ({"a": {"get": 1}}, [update("$", {"z": {}}), copy("$.z", "$.a"), remove("$.a")], {"z": {"get": 1}}),
        ({"a": ["xy", "b"]}, [remove("$.a[?match(@, 'x.')]")], {"a": ["b"]}),
        ({"a": ["xy", "b"]}, [remove("$.a[?search(@, '^x') || length(@) == 1]")], {"a": []}),
    ],
)
def test_a_document_after_its_actions(document, actions, expected):
    assert applied(document, *actions).tree == expected


def test_two_places_share_nothing_after_an_update_of_both():
    tree = applied({"a": {}, "b": {}}, update("$.*", {"c": {"d": []}}), update("$.a.c.d", 1)).tree
    assert tree == {"a": {"c": {"d": [1]}}, "b": {"c": {"d": []}}}


@pytest.mark.parametrize(
    ("document", "action", "reason"),
    [
        ({"a": {}}, update("$.a", 1), "an object at #/a can't take a primitive"),
        ({"a": 1}, update("$.a", {}), "a primitive at #/a can't take an object"),
        ({"a": 1, "b": []}, update("$.*", 1), "it selects a primitive at #/a and an array at #/b; they must be all"),
        ({"a": {"b": {}}}, update("$.a", {"b": []}), "the member 'b' is an object, and the new value an array"),
        ({"a": {"b": []}}, update("$.a", {"b": None}), "the member 'b' is an array, and the new value a primitive"),
        ({"a": {}}, copy("$.a", "$.b"), "`copy: $.b` selects no node, not one"),
        ({"a": {}, "b": [1, 2]}, copy("$.a", "$.b[*]"), "`copy: $.b[*]` selects several nodes, not one"),
        ({"a": {}}, remove("$"), "the document itself can't be removed"),
    ],
)
def test_an_action_that_does_not_fit_its_target(document, action, reason):
    with pytest.raises(InvalidDocument) as caught:
        applied(document, update("$", {"x": 1}), action)
    assert caught.value.message.startswith(f"fix.yaml: action 2 can't be applied to {action['target']}: {reason}")
    assert caught.value.location == ("fix.yaml", "/actions/1", len("/actions/1"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"overlay": "1.2.0"}, "says `overlay: 1.2.0`, which is not supported"),
        ({"overlay": 1.1}, "says `overlay: 1.1`, which is not supported"),
        ({"overlay": None}, "is not an Overlay"),
        ({"info": []}, "fix.yaml: `info` must be of type object"),
        ({"info": {"title": "t"}}, "has no `version`"),
        ({"actions": []}, "has no action"),
        ({"actions": [1]}, "action 1 must be an object"),
        ({"extra": 1}, "has the unknown field `extra`; the fields are overlay, info, extends, actions"),
        ({"actions": [remove("$.a"), remove("$.a")]}, "action 2 is given twice"),
        ({"actions": [{"target": "$", "updates": 1}]}, "action 1 has the unknown field `updates`"),
        ({"actions": [{"target": "$", "update": 1, "copy": "$.a"}]}, "has both `update` and `copy`"),
        ({"actions": [remove("$.a[")]}, "action 1 `target: $.a[` is not a JSONPath of RFC 9535"),
        ({"actions": [remove("$.a[?@.x-y]")]}, "is not a JSONPath of RFC 9535"),
        ({"actions": [remove("$" + "[?(" * 5_000)]}, "has 15,001 characters"),
        ({"actions": [remove("$[?" + "(" * 4_000 + "@.a" + ")" * 4_000 + "]")]}, "nests too deep"),
        ({"actions": [copy("$.a", "a")]}, "`copy: a` is not a JSONPath"),
        ({"actions": [copy("$.a", "$")], "overlay": "1.0.0"}, "unknown field `copy`"),
    ],
)
def test_an_overlay_that_is_wrong(change, message):
    tree = overlay(update("$", {}))[1] | change
    with pytest.raises((InvalidDocument, UnsupportedVersion)) as caught:
        read_overlay(tree, "fix.yaml", lambda _: 7, 1_000)
    assert message in str(caught.value)
    assert "fix.yaml" in str(caught.value)


BIG = {"a": {f"k{number}": {"b": [1] * 40} for number in range(50)}}


@pytest.mark.parametrize(
    ("document", "actions", "limits", "option"),
    [
        (BIG, [remove("$..*")], {"overlay_nodes": 1_000}, "overlay_nodes"),
        (BIG, [update("$.a.*", {"x": {str(n): 1 for n in range(40)}})], {"overlay_nodes": 1_000}, "overlay_nodes"),
        ({"a": [1]}, [copy("$.a", "$.a")] * 30, {}, "overlay_nodes"),
        ({"a": {}}, [copy("$", "$")], {}, ""),
        (BIG, [remove("$" + "[?$..*" * 6 + "]" * 6)], {"overlay_seconds": 0.2}, "overlay_seconds"),
        (
            BIG,
            [remove("$" + "[*,*,*,*,*,*,*,*]" * 4)],
            {"overlay_seconds": 0.2, "overlay_nodes": None},
            "overlay_seconds",
        ),
        ({"a": ["x" * 300]}, [remove("$.a[?match(@, '(x+x+)+y')]")], {}, ""),
        ({"a": {}}, [update("$.a", {"b": {}}), copy("$.a.b", "$.a")], {"document_depth": 3}, "document_depth"),
        ({"a": {}}, [update("$.a", {str(n): 1 for n in range(99)})], {"document_nodes": 50}, "document_nodes"),
    ],
)
def test_actions_that_want_too_much(document, actions, limits, option):
    actions = [{**action, "x-number": number} for number, action in enumerate(actions)]
    if not option:
        applied(document, *actions)
        return
    with pytest.raises(UnsafeDocument) as caught:
        applied(document, *actions, limits=replace(Limits(), **limits))
    assert f"limits=Limits({option}=...)" in caught.value.hint
    assert "fix.yaml: action " in caught.value.message


def test_too_many_actions():
    with pytest.raises(UnsafeDocument, match="has 1,001 actions, 1,000 are allowed"):
        overlay(*(update("$", {"n": number}) for number in range(1_001)))


def test_each_member_knows_where_it_came_from():
    document = {"a": {"k": 1, "l": [10, 20, 30]}, "b": {}}
    actions = [
        update("$.a", {"m": {"n": [5]}, "k": 2}),
        remove("$.a.l[0]"),
        update("$.a.l", [{"o": 40}]),
        copy("$.b", "$.a"),
        update("$.b.l", 50),
        remove("$.a.k"),
        update("$.a", {"k": {"q": 3}}),
    ]
    found = applied(document, *actions)
    sources = [document, overlay(*actions)[1]]

    def check(pointer, value):
        number, place = located(found.origins, pointer)
        if not isinstance(value, dict | list):
            assert at(sources[number], place) == value, (pointer, number, place)
        for key, below in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            check(f"{pointer}/{key}", below)

    check("", found.tree)
    assert located(found.origins, "/b/m/n/0") == (1, "/actions/0/update/m/n/0")
    assert located(found.origins, "/b/l/1") == (0, "/a/l/2")
    assert located(found.origins, "/a/k/q") == (1, "/actions/6/update/k/q")


def test_the_compliant_sets(shared):
    sets = sorted((shared / "overlay" / "compliant-sets").iterdir())
    assert len(sets) == 8
    for one in sets:
        document, given, expected = (
            yaml.load((one / f"{name}.yaml").read_text(), yaml.BaseLoader) for name in ("openapi", "overlay", "output")
        )
        for action in given["actions"]:
            action["remove"] = action.get("remove") == "true"
        found = apply(document, [read_overlay(given, one.name, lambda _: None, 1_000)], Limits())
        assert found.tree == expected, one.name


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_the_tests_of_the_schemas(shared, version):
    files = sorted((shared / "overlay" / "tests" / version).glob("*/*.yaml"))
    assert len(files) > 30
    for file in files:
        # The schema does not look into paths; this one is not of RFC 9535, which the text requires.
        expected = "fail" if file.stem == "actions-traits-example" else file.parent.name
        try:
            read_overlay(yaml.safe_load(file.read_text()), file.name, lambda _: None, 1_000)
            found = "pass"
        except DynclientError:
            found = "fail"
        assert found == expected, file


PATHS = [
    pytest.param(group["document"], case, id=case["path"])
    for group in yaml.safe_load((CASES / "json_paths.yaml").read_text("utf-8"))
    for case in group["cases"]
]


@pytest.mark.parametrize(("document", "case"), PATHS)
def test_a_path_selects_what_the_specification_says(document, case):
    if case.get("error"):
        with pytest.raises(InvalidDocument, match="is not a JSONPath of RFC 9535"):
            overlay(remove(case["path"]))
        return
    selected = [join("", *found.location) for found in Paths(None).select(case["path"], document)]
    # RFC 9535, 2.5.2.2: the order of descendants is fixed in part only.
    order = sorted if ".." in case["path"] else list
    assert order(selected) == order(case["selects"])
    done = applied(document, remove(case["path"]))
    assert done.results[0].selected == len(selected)
    assert bool(done.warnings or done.results[0].warning) == (not selected)
    if "after" in case:
        assert done.tree == case["after"]
