"""The table of codecs agrees with the codecs' modules, which it does not import."""

from importlib import import_module

import pytest

from dynclient import codecs
from dynclient.media_types import MEDIA_TYPES


@pytest.mark.parametrize(
    ("name", "module", "constant"),
    [
        ("json", "json", "CODEC"),
        ("xml", "xml", "CODEC"),
        ("form", "form", "CODEC"),
        ("multipart", "multipart", "CODEC"),
        ("json-lines", "sequence", "LINES"),
        ("json-records", "sequence", "RECORDS"),
        ("events", "sequence", "EVENTS"),
        ("text", "text", "TEXT"),
        ("binary", "text", "BINARY"),
    ],
)
def test_the_table_agrees_with_the_modules(name, module, constant):
    listed, found = codecs.CODECS[name], getattr(import_module(f"dynclient.codecs.{module}"), constant)
    assert (listed.name, listed.files, listed.split is None) == (found.name, found.files, found.split is None)


def test_every_media_type_has_a_codec():
    assert {kind.codec for kind in MEDIA_TYPES.values()} == codecs.CODECS.keys()
