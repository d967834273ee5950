"""The table of codecs agrees with the codecs' modules, which it does not import."""

from importlib import import_module

import pytest

from dynclient import codecs
from dynclient.media_types import MEDIA_TYPES

MODULES = [
    ("json", "json", "CODEC"),
    ("xml", "xml", "CODEC"),
    ("yaml", "yaml", "CODEC"),
    ("form", "form", "CODEC"),
    ("multipart", "multipart", "CODEC"),
    ("json-lines", "sequence", "LINES"),
    ("json-records", "sequence", "RECORDS"),
    ("events", "sequence", "EVENTS"),
    ("text", "codec", "TEXT"),
    ("binary", "codec", "BINARY"),
]


@pytest.mark.parametrize(("name", "module", "constant"), MODULES)
def test_the_table_agrees_with_the_modules(name, module, constant):
    listed, found = codecs.CODECS[name], getattr(import_module(f"dynclient.codecs.{module}"), constant)
    assert (listed.name, listed.files, listed.split is None) == (found.name, found.files, found.split is None)


def test_every_codec_is_compared():
    assert [name for name, _, _ in MODULES] == list(codecs.CODECS)


def test_every_media_type_has_a_codec():
    assert {kind.codec for kind in MEDIA_TYPES.values()} == codecs.CODECS.keys()
