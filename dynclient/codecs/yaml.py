"""YAML (RFC 9512), and every media type with the suffix ``+yaml``.

Rule 1: YAML is read as OpenAPI documents are: the core schema of YAML 1.2, a single document, no language-specific
tags, no duplicate keys, within the limits of a body.
Rule 2: text, bytes and files are YAML already, and are sent as they are.
Rule 3: the written text means the same in YAML 1.1 and 1.2: a string that either version would read as another type is
quoted.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from dynclient import _schemas
from dynclient._json_types import decimal_text
from dynclient._negotiation import decode_text, encode_text
from dynclient.codecs.codec import Codec, Encoded, is_content, raw_body, too_many
from dynclient.exceptions import DecodeError, DocumentError, EncodeError, UnsafeDocument
from dynclient.media_types import charset_of
from dynclient.model import MediaType
from dynclient.options import Limits

# Some readers take a text that begins with one of these for a number.
_NUMERIC = frozenset("+-.0123456789")


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Write a plain value as YAML, in block style.

    Raises:
        EncodeError: the value has a type that YAML's core schema lacks, or is nested too deep.
    """
    if is_content(value):
        return Encoded(raw_body(value), content_type)
    text = value if isinstance(value, str) else _dumped(value)
    return Encoded(encode_text(text, charset_of(content_type) or "utf-8"), content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read YAML as a plain value; the text itself, if the schema is a string.

    Raises:
        DecodeError: it is not YAML, or exceeds a limit.
    """
    text = decode_text(body, charset_of(content_type) or "utf-8")
    if is_text(media_type):
        return text
    from dynclient._document import yaml_text

    # PyYAML needs more memory for a value than the reader of JSON, so the limit for documents applies too.
    nodes = min(filter(None, (limits.body_values, limits.document_nodes)), default=None)
    bounds = replace(limits, document_depth=limits.body_depth, document_nodes=nodes)
    try:
        return yaml_text.read(text.encode("utf-8"), "the body", bounds)
    except DocumentError as error:
        if isinstance(error, UnsafeDocument) and nodes == limits.body_values and "values" in error.message:
            raise too_many(nodes) from None
        reason = error.message.removeprefix("the body: ").removeprefix("is not YAML: ")
        at = f" (line {error.location.line})" if error.location is not None and error.location.line else ""
        raise DecodeError(f"the body can't be read as YAML: {reason}{at}", hint=error.hint) from None


def is_text(media_type: MediaType | None) -> bool:
    """Whether the value of a media type is the text of the YAML, by its schema."""
    schema = media_type.schema if media_type is not None else None
    return schema is not None and "string" in _schemas.shape(schema).types and not _schemas.is_structured(schema)


def _dumped(value: Any) -> str:
    import yaml

    try:
        text: str = yaml.dump(value, Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=10**6)
    except (yaml.YAMLError, ValueError) as error:
        raise EncodeError(f"the body can't be written as YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise EncodeError("the body is nested too deeply to be written as YAML") from None
    return text.removesuffix("...\n")


@cache
def _dumper() -> Any:
    """A dumper for plain values, without aliases. It is made at its first use, since importing PyYAML takes time."""
    from decimal import Decimal

    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return not isinstance(data, float)

    def text(dumper: Any, value: str) -> Any:
        is_quoted = value[:1] in _NUMERIC or not value.isprintable()
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if is_quoted else None)

    def number(dumper: Any, value: Decimal) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:float", decimal_text(value))

    Dumper.add_representer(str, text)
    Dumper.add_representer(Decimal, number)
    return Dumper


CODEC = Codec("yaml", encode, decode)
