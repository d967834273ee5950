"""Texts and numbers of each format of the OpenAPI Format Registry and of JSON Schema.

Rule 1: addresses are those reserved for examples (RFC 2606, 5737, 3849), so that nobody is reached by them.
Rule 2: a format has a few values, and the seed picks one; what fits the schema's other bounds is for the caller.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, ...]] = {
    "base64url": ("ZXhhbXBsZQ", "dGV4dA"),
    "byte": ("ZXhhbXBsZQ==", "dGV4dA=="),
    "char": ("a", "z"),
    "commonmark": ("*example*", "**text**"),
    "date": ("2024-05-17", "2025-01-31", "2023-12-01"),
    "date-time": ("2024-05-17T12:30:00Z", "2025-01-31T08:00:00Z", "2023-12-01T23:59:59+01:00"),
    "date-time-local": ("2024-05-17T12:30:00", "2025-01-31T08:00:00"),
    "decimal": ("1.5", "12.25"),
    "decimal128": ("1.5", "12.25"),
    "duration": ("PT1H", "P1D", "P1Y2M10DT2H30M"),
    "email": ("user@example.com", "someone@example.org", "a@example.com"),
    "hostname": ("example.com", "api.example.org"),
    "html": ("<p>example</p>", "<p>text</p>"),
    "http-date": ("Fri, 17 May 2024 12:30:00 GMT", "Fri, 31 Jan 2025 08:00:00 GMT"),
    "idn-email": ("user@example.com", "someone@example.org"),
    "idn-hostname": ("example.com", "api.example.org"),
    "int64": ("1", "42"),
    "ipv4": ("192.0.2.1", "198.51.100.7"),
    "ipv6": ("2001:db8::1", "2001:db8::2:1"),
    "iri": ("https://example.com/", "https://example.org/a?b=c"),
    "iri-reference": ("/example", "https://example.org/"),
    "json-pointer": ("/example/0", "/a"),
    "media-range": ("application/json", "text/*"),
    "regex": ("^[a-z]+$", "^a$"),
    "relative-json-pointer": ("1/example", "0/a"),
    "sf-binary": (":ZXhhbXBsZQ==:", ":dGV4dA==:"),
    "sf-boolean": ("?1", "?0"),
    "sf-decimal": ("1.5", "12.25"),
    "sf-integer": ("1", "42"),
    "sf-string": ('"example"', '"text"'),
    "sf-token": ("example", "text"),
    "time": ("12:30:00Z", "08:00:00+01:00"),
    "time-local": ("12:30:00", "08:00:00"),
    "uint64": ("1", "42"),
    "uri": ("https://example.com/", "https://example.org/a?b=c", "http://a.example/"),
    "uri-reference": ("/example", "https://example.org/"),
    "uri-template": ("/examples/{id}", "/a/{b}"),
    "url": ("https://example.com/", "https://example.org/a"),
    "uuid": ("123e4567-e89b-42d3-a456-426614174000", "9f1c8e2a-3b4d-4f5a-8c6d-7e8f9a0b1c2d"),
}

RANGES: Mapping[str, tuple[int, int]] = {
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "double-int": (-(2**53) + 1, 2**53 - 1),
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "unixtime": (0, 2**31 - 1),
}
