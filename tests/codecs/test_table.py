"""The table says of each codec what its module says, before that module is loaded."""

from importlib import import_module

import pytest

from dynclient import codecs


@pytest.mark.parametrize(
    ("media_range", "module", "constant"),
    [
        ("application/json", "json", "CODEC"),
        ("application/xml", "xml", "CODEC"),
        ("application/x-www-form-urlencoded", "form", "CODEC"),
        ("multipart/*", "multipart", "CODEC"),
        ("application/jsonl", "sequence", "LINES"),
        ("application/json-seq", "sequence", "RECORDS"),
        ("text/event-stream", "sequence", "EVENTS"),
        ("text/*", "text", "CODEC"),
        ("*/*", "binary", "CODEC"),
    ],
)
def test_the_table_tells_the_truth(media_range, module, constant):
    told, found = codecs.CODECS[media_range], getattr(import_module(f"dynclient.codecs.{module}"), constant)
    assert (told.name, told.files, told.split is None) == (found.name, found.files, found.split is None)
