"""URL-encoded forms by the Encoding Object, both ways."""

import json
from pathlib import Path

import pytest
import yaml

from dynclient import codecs
from dynclient.exceptions import EncodeError
from dynclient.options import Limits

CASES = yaml.safe_load((Path(__file__).parent.parent / "cases" / "codecs" / "form.yaml").read_text())
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_both_ways(media_type, case):
    media = media_type(FORM, case, version=case.get("version", "3.1"))
    assert codecs.find(FORM).encode(case["value"], media, FORM) == codecs.Encoded(case["body"].encode(), FORM)
    read = codecs.find(FORM).decode(case["body"].encode(), media, FORM, Limits())
    assert json.dumps(read, sort_keys=True) == json.dumps(case.get("read", case["value"]), sort_keys=True)


def test_reads_without_a_schema():
    assert codecs.find(FORM).decode(b"a=1&b=%26&a=2&c&=d", None, FORM, Limits()) == {
        "a": ["1", "2"],
        "b": "&",
        "c": "",
        "": "d",
    }


def test_text_is_a_form_already(media_type):
    assert codecs.find(FORM).encode("a=1&b=2", media_type(FORM, {}), FORM).body == b"a=1&b=2"


@pytest.mark.parametrize(
    ("value", "case", "fault"),
    [
        ([1], {}, "mapping of its fields, not a list"),
        ({"a": "\ud800"}, {}, r"U\+D800"),
        ({"a": float("inf")}, {}, "infinite"),
        ({"a": {"b": [1]}}, {"encoding": {"a": {"style": "form", "explode": False}}}, "'a'"),
    ],
)
def test_refuses_to_write(media_type, value, case, fault):
    with pytest.raises(EncodeError, match=fault):
        codecs.find(FORM).encode(value, media_type(FORM, case), FORM)
