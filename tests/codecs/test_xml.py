"""XML by the XML Object: every case both ways, documents unchanged, and values that can't be written."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from dynclient import codecs
from dynclient.codecs import xml
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.options import Limits

CASES = yaml.safe_load((Path(__file__).parent.parent / "cases" / "codecs" / "xml.yaml").read_text())
ROWS = [
    pytest.param(case, version, id=f"{group}: {name} ({version})")
    for group, cases in CASES.items()
    for name, case in cases.items()
    for version in case.get("versions", ["3.0", "3.1", "3.2"])
]
XML = "application/xml"
LIMITS = Limits()
BXML = {"type": "string"}


def media(media_type, case, version):
    text = yaml.safe_dump(case.get("components", {}))
    schema = case["schema"]
    if version == "2.0":
        text = text.replace("#/components/schemas/", "#/definitions/")
    return media_type(XML, {"schema": schema}, yaml.safe_load(text), version)


@pytest.mark.parametrize(("case", "version"), ROWS)
def test_writes(media_type, case, version):
    encoded = xml.CODEC.encode(case["value"], media(media_type, case, version), XML)
    declaration, _, written = encoded.body.decode().partition("\n")
    assert declaration == '<?xml version="1.0" encoding="UTF-8"?>'
    if case.get("verbatim"):
        assert written == case["xml"]
    assert ET.canonicalize(written, strip_text=True) == ET.canonicalize(case["xml"], strip_text=True)


@pytest.mark.parametrize(("case", "version"), ROWS)
def test_reads(media_type, case, version):
    value = xml.CODEC.decode(case["xml"].encode(), media(media_type, case, version), XML, LIMITS)
    # As text, since 1, 1.0 and True are equal in Python.
    assert json.dumps(value, sort_keys=True) == json.dumps(case.get("read", case["value"]), sort_keys=True)


OBJECT = {"xml": {"name": "v"}, "type": "object", "properties": {"a": {"type": "integer"}, "s": {"type": "string"}}}
READ = {
    "pretty-printed, with comments and instructions": (b"<?p?><v>\n  <!-- c -->\n  <a> 1 </a>\n</v>", {"a": 1}),
    "namespaces that are not documented": (b'<x:v xmlns:x="urn:x"><x:a>1</x:a></x:v>', {"a": 1}),
    "a declared charset": ('<?xml version="1.0" encoding="iso-8859-1"?><v><s>é</s></v>'.encode("latin-1"), {"s": "é"}),
    "a charset that expat does not know": (
        '<?xml version="1.0" encoding="shift_jis"?><v><s>日本</s></v>'.encode("shift_jis"), {"s": "日本"}),
    "UTF-16 with its mark": ('<?xml version="1.0" encoding="utf-16"?><v><s>é</s></v>'.encode("utf-16"), {"s": "é"}),
    "UTF-16 without": ('<?xml version="1.0" encoding="utf-16"?><v><s>é</s></v>'.encode("utf-16-be"), {"s": "é"}),
    "a mark before UTF-8": ("\ufeff<v><s>é</s></v>".encode(), {"s": "é"}),
    "a CDATA section among blanks": (b"<v><s>\n <![CDATA[ <x> ]]>\n</s></v>", {"s": " <x> "}),
    "XML's own forms of numbers": (b"<v><a>+05</a></v>", {"a": 5}),
    "an element that comes twice": (b"<v><a>1</a><a>2</a></v>", {"a": [1, 2]}),
    "elements and text that are not described": (b"<v>t<b>1</b><a>1</a></v>", {"a": 1, "b": "1", "#text": "t"}),
    "the schema's own hints for readers": (
        b'<v xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x" xml:lang="en"><a>1</a></v>', {"a": 1}),
    "a number that is none stays text": (b"<v><a>one</a></v>", {"a": "one"}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "value"), READ.values(), ids=READ)
def test_reads_only(media_type, body, value):
    assert xml.CODEC.decode(body, media_type(XML, {"schema": OBJECT}), XML, LIMITS) == value


def test_the_content_type_charset_goes_before_the_declaration(media_type):
    body = '<?xml version="1.0" encoding="utf-8"?><v><s>é</s></v>'.encode("latin-1")
    codec, media = xml.CODEC, media_type(XML, {"schema": OBJECT})
    assert codec.decode(body, media, "text/xml; charset=ISO-8859-1", LIMITS) == {"s": "é"}


def test_writes_the_content_types_charset(media_type):
    encoded = xml.CODEC.encode({"s": "é"}, media_type(XML, {"schema": OBJECT}), "text/xml; charset=iso-8859-1")
    assert encoded.body == '<?xml version="1.0" encoding="iso-8859-1"?>\n<v><s>é</s></v>'.encode("latin-1")


REFUSED = {
    "a control character": ({"s": "a\x00b"}, "U+0000"),
    "a lone surrogate": ({"s": "\ud800"}, "U+D800"),
    "a noncharacter": ({"s": "\ufffe"}, "U+FFFE"),
    "markup as a name": ({"a><b": 1}, "can't be the name"),
    "an empty name": ({"": 1}, "can't be the name"),
    "a name with a blank": ({"a b": 1}, "can't be the name"),
    "a declaration as a name": ({"@x y='1'": "1"}, "can't be the name"),
    "a mapping as an attribute": ({"@x": {"a": 1}}, "can't be"),
    "a number that is not finite": ({"a": float("nan")}, "NaN"),
}


@pytest.mark.parametrize(("value", "fault"), REFUSED.values(), ids=REFUSED)
def test_refuses_to_write(media_type, value, fault):
    with pytest.raises(EncodeError) as raised:
        xml.CODEC.encode(value, media_type(XML, {"schema": OBJECT}), XML)
    assert fault in str(raised.value)


def test_a_deep_value_is_an_error_of_ours(media_type):
    value = {}
    for _ in range(100_000):
        value = {"a": value}
    with pytest.raises(EncodeError, match="too deep"):
        xml.CODEC.encode(value, media_type(XML, {"schema": {"xml": {"name": "v"}, "type": "object"}}), XML)


def test_a_root_of_another_name_is_refused_if_the_document_names_it(media_type):
    with pytest.raises(DecodeError, match="'v' is documented"):
        xml.CODEC.decode(b"<error/>", media_type(XML, {"schema": OBJECT}), XML, LIMITS)
    nameless = media_type(XML, {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}})
    assert xml.CODEC.decode(b"<any><a>1</a></any>", nameless, XML, LIMITS) == {"a": "1"}


DOCUMENTS = {
    "text": ('<?xml version="1.0"?>\n<Bxml><Hangup/></Bxml>', b'<?xml version="1.0"?>\n<Bxml><Hangup/></Bxml>'),
    "text in the charset of its declaration": (
        '<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>',
        '<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode("latin-1")),
    "text with a prefix that nothing declares": ("<x:a/>", b"<x:a/>"),
    "bytes": (b"<a/>", b"<a/>"),
    "an element": (ET.fromstring("<a b='1'>é<c/></a>"), '<a b="1">é<c /></a>'.encode()),
}  # fmt: skip


@pytest.mark.parametrize("schema", [BXML, OBJECT, None], ids=["string", "object", "no schema"])
@pytest.mark.parametrize(("given", "sent"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_documents_are_sent_unchanged(media_type, schema, given, sent):
    media = media_type(XML, {"schema": schema} if schema else {})
    assert xml.CODEC.encode(given, media, XML) == codecs.Encoded(sent, XML)


MALFORMED = {
    "an element not closed": ("<Bxml>\n  <Speak>\n</Bxml>", 3, 3),
    "an attribute without quotes": ("<a b=1/>", 1, 6),
    "no markup at all": ("hello", 1, 1),
    "nothing": ("", 1, 1),
    "two roots": ("<a/>\n<b/>", 2, 1),
    "an undeclared entity": ("<a>&nbsp;</a>", 1, 4),
}


@pytest.mark.parametrize(("text", "line", "column"), MALFORMED.values(), ids=MALFORMED)
def test_text_that_is_not_well_formed_is_refused_with_its_place(media_type, text, line, column):
    with pytest.raises(EncodeError) as raised:
        xml.CODEC.encode(text, media_type(XML, {"schema": BXML}), XML)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(raised.value)


def test_a_string_schema_means_the_text(media_type):
    body = '<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode("latin-1")
    assert xml.CODEC.decode(body, media_type(XML, {"schema": BXML}), XML, LIMITS) == body.decode("latin-1")
    assert xml.CODEC.decode(body, None, XML, LIMITS) == body.decode("latin-1")


@pytest.mark.parametrize("schema", [BXML, {}])
def test_a_mapping_is_not_a_document(media_type, schema):
    with pytest.raises(EncodeError, match="dict"):
        xml.CODEC.encode({"a": 1}, media_type(XML, {"schema": schema}), XML)


def test_the_value_of_a_document_that_is_given(media_type):
    media = media_type(XML, {"schema": OBJECT})
    assert xml.value_of("<v><a>1</a></v>", media, XML, LIMITS) == {"a": 1}
    assert xml.value_of(ET.fromstring("<v><a>1</a></v>"), media, XML, LIMITS) == {"a": 1}
    with pytest.raises(EncodeError, match="DOCTYPE"):
        xml.value_of("<!DOCTYPE v []><v/>", media, XML, LIMITS)
