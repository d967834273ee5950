"""Values of a command line, read by their schemas: parameters, and a body given whole, by properties or by fields.

Rule 1: where there is no schema, JSON is read as JSON, and everything else is text.
Rule 2: ``@FILE`` is the content of a file, ``@@`` a text that begins with ``@``. A file that is sent unchanged is not
read into memory.
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
from dynclient.cli.output import FileWithProgress
from dynclient.exceptions import escaped
from dynclient.inspection.arguments import Argument, body_schema, preferred
from dynclient.model import Operation, Schema

_STEP = re.compile(r"([^.\[\]]+)|\[(\d*)\]")
_LARGEST_INDEX = 1000


def argument_value(argument: Argument, text: str | tuple[str, ...]) -> Any:
    """The value of an argument from its text; of a repeated option, from its texts.

    Raises:
        UsageError: it has to be JSON, and is not; or a file does not exist.
    """
    schema = argument.schema
    texts = [text] if isinstance(text, str) else list(text)
    is_list = not isinstance(text, str) and not (len(texts) == 1 and texts[0].lstrip().startswith("["))
    if argument.kind == "parameter":
        if schema is None:
            return texts if is_list else texts[0]
        if is_list:
            return typed(schema, texts)
        return _json(texts[0], strict=True) if _is_json(schema, texts[0]) else typed(schema, texts[0])
    items = shape(schema).items if is_list and schema is not None else schema
    found = [_property_value(items, one) for one in texts]
    return found if is_list else found[0]


def _property_value(schema: Schema | None, text: str) -> Any:
    if _is_file(text):
        path = Path(text[1:])
        if not path.is_file():
            raise click.UsageError(escaped(f"{path} is not a file; @@ begins a text that begins with @"))
        if schema is None or is_binary(schema):
            return path
        text = path.read_text(encoding="utf-8")
    else:
        text = _unescaped(text)
    if schema is None:
        return _json(text)
    if _is_json(schema, text):
        return _json(text, strict=True)
    seen = shape(schema)
    return typed(schema, text) if seen.types or seen.enum else _json(text)


def _is_json(schema: Schema, text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["} and "string" not in shape(schema).types


def whole_body(operation: Operation, text: str, content_type: str | None) -> Any:
    """The body that ``--body`` gives: JSON or text, ``@FILE``, or ``-`` for standard input.

    Raises:
        OSError: the file can't be read.
        UsageError: the body is JSON, and the text is not.
    """
    codec = _codec_name(operation, content_type)
    if codec == "binary":
        if text == "-":
            return sys.stdin.buffer
        return FileWithProgress(Path(text[1:])) if _is_file(text) else _unescaped(text).encode()
    data = sys.stdin.buffer.read() if text == "-" else Path(text[1:]).read_bytes() if _is_file(text) else None
    if data is not None:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data
    if codec in {"text", "xml"} and text.lstrip()[:1] not in {"{", "["}:
        return _unescaped(text)
    return _json(text, strict=codec == "json" and _must_be_json(operation, text))


def _must_be_json(operation: Operation, text: str) -> bool:
    """Whether a JSON body can't be meant as a text: it begins like an object or array, or its schema has no texts."""
    media_type = preferred(operation.body) if operation.body is not None else None
    types = shape(media_type.schema).types if media_type is not None and media_type.schema is not None else frozenset()
    return "string" not in types and bool(types or text.lstrip()[:1] in {"{", "[", '"'})


def body_fields(operation: Operation, given: Iterable[str]) -> dict[str, Any]:
    """The object that ``--body-field a.b=1`` builds, each field read by its schema.

    ``[0]`` is the first item of an array, ``[]`` the next one.

    Raises:
        UsageError: a field is not ``NAME=VALUE``, or two fields contradict each other.
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
            _put(made, steps, _property_value(schema, text))
        except (TypeError, IndexError):
            raise click.UsageError(escaped(f"--body-field {path} contradicts those before it")) from None
    return made


def _put(made: Any, steps: list[Any], value: Any) -> None:
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        empty: Any = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            index = len(made) if step < 0 else step
            if index > min(len(made), _LARGEST_INDEX) or not isinstance(made, list):
                raise IndexError(step)
            if index == len(made):
                made.append(empty)
            elif following is None:
                made[index] = value
            made = made[index]
        else:
            if not isinstance(made, dict):
                raise TypeError(step)
            made = made.setdefault(step, empty) if following is not None else made.update({step: value})


def _below(schema: Schema | None, step: str | int) -> Schema | None:
    if schema is None:
        return None
    seen = shape(schema)
    found = seen.items if isinstance(step, int) else seen.properties.get(step, seen.additional)
    return found if isinstance(found, Schema) else None


def _codec_name(operation: Operation, content_type: str | None) -> str:
    """The codec of the body's media type; JSON's where the media types have different ones."""
    from dynclient import codecs  # completing options does without

    content: Mapping[str, Any] = operation.body.content if operation.body is not None else {}
    if not content_type and content and all(one.schema and is_binary(one.schema) for one in content.values()):
        return "binary"
    found = {codecs.find(media_range).name for media_range in ([content_type] if content_type else content)}
    return found.pop() if len(found) == 1 else "json"


def _json(text: str, *, strict: bool = False) -> Any:
    """The value of JSON; of other text, unless ``strict``, the text itself."""
    try:
        return json.loads(text)
    except ValueError as error:
        if strict:
            raise click.UsageError(escaped(f"{text[:40]!r} is malformed JSON: {error}")) from None
        return _unescaped(text)


def _is_file(text: str) -> bool:
    return text.startswith("@") and not text.startswith("@@")


def _unescaped(text: str) -> str:
    return text[1:] if text.startswith("@@") else text
