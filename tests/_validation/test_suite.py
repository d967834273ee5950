"""The JSON Schema Test Suite through the bundle, by jsonschema alone and with jsonschema-rs before it.

What is left out is in the table, and why; a case that begins to come out right has to leave it.
"""

import fnmatch
import importlib.util
import sys
from pathlib import Path

import pytest

from dynclient.dialects import OAS30, OAS31

_spec = importlib.util.spec_from_file_location("json_schema_suite", Path(__file__).with_name("suite.py"))
suite = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = suite
_spec.loader.exec_module(suite)

FOLDERS = {"draft2020-12": OAS31, "draft4": OAS30}
ENGINES = ["jsonschema", "auto"]

ASSERTED = "formats are asserted here, always"
NO_ID = "OpenAPI 3.0 has no `id`: where a schema stands is its only name"
ISO = "ISO 8601 and XML Schema allow it, so producers write it; the ABNF of RFC 3339 does not"
LEFT_OUT = {
    "draft2020-12/dynamicRef.json": {
        "$dynamicRef avoids the root of each schema, but scopes are still registered*": (
            "a $ref to nothing but a $ref is followed at once, so the resource between enters no scope"
        ),
    },
    "draft2020-12/format.json": {"*is only an annotation by default": ASSERTED},
    "draft2020-12/vocabulary.json": {"*no validation: invalid number*": "vocabularies can't be switched off"},
    "draft2020-12/optional/cross-draft.json": {"*": "its remote document is not at hand"},
    "draft2020-12/optional/unknownKeyword.json": {"*": "an $id within an unknown word is taken for one"},
    "draft2020-12/optional/format/duration.json": {
        "*fractional duration*": ISO,
        "*years and days*": ISO,
        "*hours and seconds*": ISO,
        "*leading sign*": ISO,
        "*comma*": ISO,
    },
    "draft2020-12/optional/format/time.json": {
        "*no time offset*": "a time of day without an offset is taken for a time"
    },
    "draft4/optional/format/hostname.json": {
        "*consecutive hyphens*": "2020-12 refuses them in the third and fourth place, and there is one table"
    },
    "draft4/optional/id.json": {"*": NO_ID},
    "draft4/optional/zeroTerminatedFloats.json": {"*": "1.0 is an integer, as in every later draft"},
    "draft4/ref.json": {
        "*sibling id*": NO_ID,
        "Recursive references between schemas": NO_ID,
        "Location-independent identifier*": NO_ID,
        "id must be resolved*": NO_ID,
    },
    "draft4/refRemote.json": {
        "base URI change*": NO_ID,
        "root ref in remote ref": NO_ID,
        "Location-independent*": NO_ID,
    },
}

SKIP = pytest.mark.skip(reason="DYNCLIENT_SHARED is not set")
FILES = [(name, dialect) for folder, dialect in FOLDERS.items() for name in suite.files(folder)]


def test_the_suite_is_there(shared):
    assert sum(len(group["tests"]) for name, _ in FILES for group in suite.groups(name)) > 2_500


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "dialect"),
    FILES or [pytest.param("", None, marks=SKIP)],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_suite(name, dialect, engine):
    failed = suite.failures(name, dialect, engine)
    expected = LEFT_OUT.get(name, {})
    unexpected = {case: why for case, why in failed.items() if not _matching(case, expected)}
    assert not unexpected
    assert {pattern for pattern in expected if not any(_matching(case, [pattern]) for case in failed)} == set()


def _matching(case, patterns):
    return any(fnmatch.fnmatchcase(case, pattern.replace("[", "[[]")) for pattern in patterns)
