"""The formats of the OpenAPI registry that the JSON Schema Test Suite does not know, and what it leaves open."""

import pytest

from dynclient._validation import validator
from dynclient._validation.formats import NUMBERS, TEXTS, format_fault

TEXT_CASES = {
    "base64url": (["", "YQ", "YQ==", "-_8"], ["YQ=", "a", "+/", "Y Q"]),
    "byte": (["", "YQ==", "YWI=", "YWJj\r\nYWJj", "YQ", "-_8="], ["YQ=", "a", "$"]),
    "char": (["a", "\U0001f600"], ["", "ab"]),
    "date": (["2024-02-29"], ["2023-02-29", "2023-13-01", "2023-1-1", "\u0662023-01-01", "2023-01-01\n", "202+-02-21"]),
    "date-time": (
        ["2030-01-01T00:00:00Z", "2030-01-31t23:59:59.123+14:00", "1998-12-31T23:59:60Z", "1998-12-31T15:59:60-08:00"],
        [
            "2030-01-01T00:00:00",
            "2030-01-01 00:00:00Z",
            "2030-01-01T24:00:00Z",
            "1998-12-31T22:59:60Z",
            "20/0-01-01T23:59:00Z",
        ],
    ),
    "date-time-local": (["2030-01-01T00:00:00", "2030-01-01T00:00:00.5"], ["2030-01-01T00:00:00Z", "2030-01-01"]),
    "decimal": (["1", "-1.5", "+.5", "1e10"], ["", "1,5", "NaN", "0x1"]),
    "decimal128": (["1.5", "NaN", "-Infinity"], ["x"]),
    "duration": (["P1D", "PT1.5S", "P1Y2M", "PT1H30S", "P4W", "-P1D"], ["P", "1D", "PT", "P1S", "P1W2D", "p1d"]),
    "email": (
        ["a@b.c", "a.b+c@example.com", '"a b"@example.com', "a@[127.0.0.1]"],
        ["a", "a@", "@b", "a b@c.d", "a@b@c", "\ud800@b.c"],
    ),
    "hostname": (["a", "example.com", "xn--nxasmq6b"], ["", "-a", "a-", "a_b", "a" * 64, "a..b", "example.com."]),
    "http-date": (
        ["Sun, 06 Nov 1994 08:49:37 GMT"],
        ["Sun, 31 Feb 1994 08:49:37 GMT", "Mon, 06 Nov 1994 08:49:37 GMT", "1994-11-06", "Sun Nov  6 08:49:37 1994"],
    ),
    "int64": (["0", "-9223372036854775808"], ["9223372036854775808", "1.0", "x"]),
    "media-range": (["*/*", "text/*", "text/html;level=1", 'a/b; q="x y"'], ["text", "text/", "a/b;c"]),
    "regex": (["^a$", r"\d+"], ["(", r"\Z", "a{2,1}"]),
    "sf-boolean": (["?0", "?1"], ["true", "?2"]),
    "sf-decimal": (["1.5", "-0.125"], ["1", "1.2345"]),
    "sf-integer": (["42", "-1"], ["1.5", "1" * 16]),
    "sf-string": (['"a"', "a"], ["\u00e9"]),
    "sf-token": (["foo/bar", "*x"], ["1a", "a b"]),
    "time": (["23:59:00", "23:59:00.5z", "23:59:60-00:00"], ["23:59", "24:00:00Z", "23:59:0-Z", "22:59:60"]),
    "time-local": (["23:59:00"], ["23:59:00Z", "24:00:00"]),
    "uri": (
        ["https://a/b?c#d", "urn:x:y", "http://[::1]:80/", "mailto:a@b.c"],
        ["/a", "?a:b", "#a:b", "a b:c", "http://[::1/", "http://a/\u00e9", "http://a:b/"],
    ),
    "uuid": (["2EB8AA08-AA98-11EA-B4AA-73B441D16380"], ["2eb8aa08-aa98-11ea-b4aa-73b441d1638", "{}"]),
}
CASES = [
    *((name, text, True) for name, (good, _) in TEXT_CASES.items() for text in good),
    *((name, text, False) for name, (_, bad) in TEXT_CASES.items() for text in bad),
]


@pytest.mark.parametrize(("name", "text", "valid"), CASES)
def test_texts(name, text, valid):
    assert (format_fault(name, text) is None) is valid


@pytest.mark.parametrize("engine", ["jsonschema", "auto"])
def test_each_engine_tells_texts_alike(make, engine):
    for name, text, valid in CASES:
        faults = validator(make({"format": name}), "request").faults(text, engine=engine)
        assert (not faults) is valid, (name, text)


NUMBER_CASES = [
    ("int8", [-128, 127, 1.0], [-129, 128, 1.5]),
    ("uint8", [0, 255], [-1, 256]),
    ("int16", [-(2**15), 2**15 - 1], [2**15]),
    ("uint16", [2**16 - 1], [2**16]),
    ("int32", [-(2**31), 2**31 - 1], [2**31, 0.5]),
    ("uint32", [2**32 - 1], [2**32]),
    ("int64", [-(2**63), 2**63 - 1], [2**63]),
    ("uint64", [2**64 - 1], [2**64, -1]),
    ("double-int", [2**53 - 1], [2**53]),
    ("float", [3.4e38, -1.5, 0.1], [3.5e38]),
    ("double", [1e308], []),
]


@pytest.mark.parametrize(("name", "good", "bad"), NUMBER_CASES)
def test_numbers(name, good, bad):
    assert [value for value in good if format_fault(name, value)] == []
    assert [value for value in bad if not format_fault(name, value)] == []


@pytest.mark.parametrize("name", sorted(TEXTS | NUMBERS))
def test_a_format_says_nothing_of_other_types(name):
    for value in (None, True, [], {}, b"bytes"):
        assert format_fault(name, value) is None


@pytest.mark.parametrize("name", ["binary", "password", "html", "commonmark", "my-own", "", "unixtime", "double"])
def test_other_formats_are_notes(name):
    assert format_fault(name, "anything") is None
    assert format_fault(name, -1.5) is None
