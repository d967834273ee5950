"""A request's body as a command line gives it: whole, by its properties, or field by field.

Rule 1: a value is read by its schema; where the schema says nothing, JSON is JSON, and all else is text.
Rule 2: ``@FILE`` is what the file holds, ``@@`` a text that begins with ``@``. A file that goes as it is, is not read
into memory.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from dynclient._schemas import is_binary, shape, typed
from dynclient.cli.progress import Reading
from dynclient.exceptions import escaped
from dynclient.inspection import body_schema
from dynclient.model import Operation, Schema

_STEP = re.compile(r"([^.\[\]]+)|\[(\d*)\]")
_LARGEST_INDEX = 1000


def whole(operation: Operation, text: str, content_type: str | None) -> Any:
    """The body that ``--body`` gives: JSON or text, ``@FILE``, or ``-`` for standard input.

    Raises:
        OSError: the file can't be read.
    """
    kind = _codec(operation, content_type)
    if kind == "binary":
        return _octets(text)
    data = sys.stdin.buffer.read() if text == "-" else _file(text).read_bytes() if _is_file(text) else None
    if data is not None:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data
    return _unescaped(text) if kind in {"text", "xml"} and text.lstrip()[:1] not in {"{", "["} else _json(text)


def value(schema: Schema | None, text: str) -> Any:
    """One value, by its schema; ``@FILE`` is a file."""
    if _is_file(text):
        path = _file(text)
        if not path.is_file():
            raise click.UsageError(escaped(f"{path} is no file; @@ begins a text that begins with @"))
        if schema is None or is_binary(schema):
            return path
        text = path.read_text(encoding="utf-8")
    else:
        text = _unescaped(text)
    if schema is None:
        return _json(text)
    seen = shape(schema)
    if text.lstrip()[:1] in {"{", "["} and "string" not in seen.types:
        return strict_json(text)
    return typed(schema, text) if seen.types or seen.enum else _json(text)


def fields(operation: Operation, given: Iterable[str]) -> dict[str, Any]:
    """The object that ``--body-field a.b=1`` builds, each field by its schema.

    ``[0]`` is the first item of an array, ``[]`` the next one.

    Raises:
        UsageError: a field is no ``NAME=VALUE``, or two of them can't both be.
    """
    made: dict[str, Any] = {}
    top = body_schema(operation.body) if operation.body is not None else None
    for word in given:
        path, equals, text = word.partition("=")
        steps = [name or (int(index) if index else -1) for name, index in _STEP.findall(path)]
        if not equals or not steps or "".join(found[0] for found in _STEP.finditer(path)) != path.replace(".", ""):
            raise click.UsageError(escaped(f"--body-field takes NAME=VALUE, such as a.b=1 or tags[]=x, not {path!r}"))
        schema = top
        for step in steps:
            schema = _below(schema, step)
        try:
            _put(made, steps, value(schema, text))
        except (TypeError, IndexError):
            raise click.UsageError(escaped(f"--body-field {path} does not go with those before it")) from None
    return made


def strict_json(text: str) -> Any:
    """A value that has to be JSON.

    Raises:
        UsageError: it is none.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(escaped(f"{text[:40]!r} is no JSON: {error}")) from None


def _put(made: Any, steps: list[Any], value: Any) -> None:
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        empty: Any = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            at = len(made) if step < 0 else step
            if at > min(len(made), _LARGEST_INDEX) or not isinstance(made, list):
                raise IndexError(step)
            if at == len(made):
                made.append(empty)
            elif following is None:
                made[at] = value
            made = made[at]
        else:
            if not isinstance(made, dict):
                raise TypeError(step)
            made = made.setdefault(step, empty) if following is not None else made.update({step: value})


def _below(schema: Schema | None, step: str | int) -> Schema | None:
    if schema is None:
        return None
    seen = shape(schema)
    if isinstance(step, int):
        return seen.items
    found = seen.properties.get(step, seen.additional)
    return found if isinstance(found, Schema) else None


def _codec(operation: Operation, content_type: str | None) -> str:
    """The codec of the body: that of its media type, where all agree."""
    from dynclient import codecs  # a completion of options goes without

    content: Mapping[str, Any] = operation.body.content if operation.body is not None else {}
    ranges = [content_type] if content_type else list(content)
    found = {codecs.find(media_range).name for media_range in ranges}
    schemas = [media_type.schema for media_type in content.values()]
    if not content_type and schemas and all(schema is not None and is_binary(schema) for schema in schemas):
        return "binary"
    return found.pop() if len(found) == 1 else "json"


def _octets(text: str) -> Any:
    if text == "-":
        return sys.stdin.buffer
    return Reading(_file(text)) if _is_file(text) else _unescaped(text).encode()


def _is_file(text: str) -> bool:
    return text.startswith("@") and not text.startswith("@@")


def _file(text: str) -> Path:
    return Path(text[1:])


def _unescaped(text: str) -> str:
    return text[1:] if text.startswith("@@") else text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return _unescaped(text)
