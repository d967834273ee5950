"""The four versions of one API have no changes; and what a comparison returns."""

from __future__ import annotations

import itertools
import json
import pickle
from pathlib import Path

import pytest

import dynclient
from dynclient.changes import KINDS, REPORTS, SEVERITIES, Changes, compare

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"
VERSIONS = ["voice.2.0.yaml", "voice.3.0.yaml", "voice.3.1.yaml", "voice.3.2.yaml", "voice.yaml"]
HOSTILE = "|`<b>`\n::error::%0A\x1b[31m,file=x"


@pytest.mark.parametrize(("one", "other"), [*itertools.permutations(VERSIONS, 2)])
def test_the_versions_of_an_api_have_no_changes(one: str, other: str):
    changes = compare(dynclient.load(OPENAPI / one).api, dynclient.load(OPENAPI / other).api)
    assert list(changes) == []
    assert repr(changes) == "no changes"


@pytest.fixture
def changes() -> Changes:
    old = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}}
    operation = {"operationId": HOSTILE, "responses": {"200": {"description": "ok"}}}
    new = {**old, "info": {"title": "T", "version": HOSTILE}, "paths": {"/x": {"get": operation}}}
    return compare(dynclient.load(new).api, dynclient.load(old).api)


def test_changes_are_the_worst_first(changes: Changes):
    ranks = [SEVERITIES.index(change.severity) for change in changes]
    assert ranks == sorted(ranks)
    assert "operation-removed" in [change.id for change in changes.breaking]
    assert changes.reach("breaking")
    assert pickle.loads(pickle.dumps(changes))[0].message == changes[0].message


@pytest.mark.parametrize("name", REPORTS)
def test_text_of_a_document_cannot_leave_its_place(changes: Changes, name: str):
    text = REPORTS[name](changes)
    lines = text.splitlines()
    assert "\x1b" not in text
    if name == "json":
        assert {change["id"] for change in json.loads(text)} <= KINDS.keys()
    elif name == "github":
        assert len(lines) == len(changes)
        assert all(line.startswith(("::error title=", "::notice title=")) for line in lines)
    elif name == "markdown":
        assert all(line.count("|") - line.count("\\|") == 5 for line in lines if line.startswith("|"))
    else:
        assert len(lines) == len(changes) + 2
