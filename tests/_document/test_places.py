"""Line numbers of values in JSON and YAML, in all forms of the text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynclient
from dynclient._document.data import lines
from dynclient.json_pointer import join
from dynclient.options import Limits


def document_of(source: Any, **options: Any) -> Any:
    """Load a document; returns what resolves its references, which has its root too."""
    return dynclient.load(source, cache=False, **options).api.references


YAML = """\
openapi: 3.1.0
paths:
  /a/{b}:
    get:
      responses: {200: {description: fine},
        404: {$ref: '#/x'}}
      tags:
        - one
        -
          two: 2
base: &base
  left: 1
  right:
    deep: 1
more:
  <<: *base
  own: 1
same: *base
"""
YAML_LINES = {
    "": 1,
    "/openapi": 1,
    "/paths": 2,
    "/paths/~1a~1{b}": 3,
    "/paths/~1a~1{b}/get/responses/200/description": 5,
    "/paths/~1a~1{b}/get/responses/404": 6,
    "/paths/~1a~1{b}/get/tags/0": 8,
    "/paths/~1a~1{b}/get/tags/1": 10,
    "/paths/~1a~1{b}/get/tags/1/two": 10,
    "/more/own": 17,
    "/more/right/deep": 14,
    "/same/left": 12,
    # What is not there is shown where the way to it ends.
    "/paths/~1a~1{b}/get/parameters/0": 4,
    "/paths/~1a~1{b}/get/tags/7": 7,
}
JSON = """
{ "openapi" : "3.1.0",
  "a": {"b/c": [1, {"d": "]}\\"", "e":
     {"f": null}}, "x,:{[",
     true
  ], "": 2},

  "z": {}, "y": [],
  "\\u00e4": -1.5e3
}
"""
JSON_LINES = {
    "": 2,
    "/openapi": 2,
    "/a/b~1c/1/d": 3,
    "/a/b~1c/1/e": 3,
    "/a/b~1c/1/e/f": 4,
    "/a/b~1c/2": 4,
    "/a/b~1c/3": 5,
    "/a/": 6,
    "/z": 8,
    "/z/nothing": 8,
    "/y/0": 8,
    "/ä": 9,
}
CASES = [(YAML, *item) for item in YAML_LINES.items()] + [(JSON, *item) for item in JSON_LINES.items()]


@pytest.mark.parametrize(("text", "pointer", "line"), CASES)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_lines(text, pointer, line, charset):
    document = document_of(text.encode(charset))
    assert document.location(f"{document.uri}#{pointer}") == ("<bytes>", pointer, line)


def test_lines_of_a_file_that_has_changed_are_not_told(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(YAML)
    document = document_of(path)
    path.write_text("# new\n" + YAML)
    assert document.location(f"{document.uri}#/paths") == (str(path), "/paths", None)
    path.write_text(YAML)
    assert document_of(path).location(f"{document.uri}#/paths")[2] == 2


def test_a_place_never_fails(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(YAML)
    document = document_of(path)
    path.unlink()
    for uri in ("", "#", document.uri, f"{document.uri}#no pointer", f"{document.uri}#/x", "other#/x", "urn:x"):
        name, pointer, line = document.location(uri)
        assert isinstance(name, str)
        assert isinstance(pointer, str)
        assert line is None


TREES = st.recursive(
    st.none() | st.integers() | st.text(alphabet='a"\\{}[]:,\n', max_size=5),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text(alphabet='ab"/~\\', max_size=3), below, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="ascii"), max_size=4), TREES, min_size=1, max_size=4))
def test_json_lines_are_those_of_yaml(tree):
    # A JSON text is YAML too: two ways to the same lines.
    data = json.dumps(tree, indent=1).encode()
    stack = [("", tree)]
    as_json = lines(data, Limits())
    as_yaml = lines(b"# YAML\n" + data, Limits())
    while stack:
        pointer, node = stack.pop()
        keys = [] if not pointer else [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        assert as_json.line(keys) == as_yaml.line(keys) - 1
        entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        stack += [(join(pointer, key), child) for key, child in entries]
