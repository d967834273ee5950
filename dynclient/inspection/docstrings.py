"""An operation's docstring, in Google's manner: what ``help()`` and a notebook's ``?`` show."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from inspect import Signature

from dynclient._identifiers import identifier
from dynclient._schemas import shape
from dynclient.exceptions import api_error, escaped
from dynclient.inspection.arguments import Argument, arguments, secret
from dynclient.inspection.bounds import constraints
from dynclient.inspection.hints import NONE, union
from dynclient.inspection.security import in_words
from dynclient.inspection.signatures import argument_hint, body_hint, data_hint, omittable, returns, successes
from dynclient.inspection.typing_objects import text
from dynclient.model import Example, Operation, Response

_WIDTH = 100
_EXAMPLE_LENGTH = 300


def docstring(operation: Operation, name: str, *, call: str | None = None) -> str:
    """The docstring of an operation's method of that name.

    ``call`` is a call that works, for the example; without it, one is made of what the document shows.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    found = arguments(operation)
    parts = [
        clean(operation.row.summary) or f"{operation.method} {operation.path}",
        "Deprecated." if operation.row.deprecated else "",
        clean(operation.description) if operation.description.strip() != operation.row.summary.strip() else "",
        f"Sends ``{operation.method} {operation.path}``.",
        _section("Args", (_argument_lines(argument, found) for argument in found)),
        _section("Body", _body_lines(operation)),
        _section("Returns", [_returns_lines(operation)]),
        _section("Raises", _raises(operation)),
        _section("Server", [server.url for server in operation.servers]),
        _section("Security", in_words(operation.security)),
        _section("Example", [call or example_call(operation, found, name)]),
    ]
    return "\n\n".join(part for part in parts if part)


def page(operation: Operation, name: str, signature: Signature, *, call: str | None = None) -> str:
    """An operation as a prompt shows it: its signature, and below it what ``help()`` says."""
    return f"{name}{signature}\n\n{escaped(docstring(operation, name, call=call))}"


def client_name(document_name: str) -> str:
    """What a client of a document would be called: ``voice`` of ``openapi/voice.yaml``."""
    stem = re.split(r"[/\\]", document_name.rstrip("/\\"))[-1].partition(".")[0]
    return identifier(stem) if re.fullmatch(r"[A-Za-z][\w-]*", stem, re.ASCII) else "client"


def clean(described: str) -> str:
    """Text of the document without what surrounds it, and without control characters but line ends."""
    lines = textwrap.dedent(described).strip().splitlines()
    return "\n".join("".join(c if c.isprintable() else " " for c in line).rstrip() for line in lines)


def example_call(operation: Operation, found: tuple[Argument, ...], name: str) -> str:
    """A call with the document's own examples of what has to be given; ``...`` where it has none."""
    given = [
        f"{argument.name}={_documented(operation, argument)}"
        for argument in found
        if argument.kind != "property" and (argument.required or argument.kind == "body")
    ]
    return f"{name}({', '.join(given)})"


def _documented(operation: Operation, argument: Argument) -> str:
    if secret(argument.schema):
        return "..."
    examples = [example.value for example in _examples(operation, argument) if example.has_value]
    if not examples and argument.schema is not None:
        seen = shape(argument.schema)
        examples = [*seen.examples, *(seen.enum or ())]
    shown = ascii(examples[0]) if examples else "..."
    return shown if len(shown) <= _EXAMPLE_LENGTH else "..."


def _examples(operation: Operation, argument: Argument) -> tuple[Example, ...]:
    if argument.parameter is not None:
        return argument.parameter.examples
    content = operation.body.content.values() if operation.body is not None else ()
    return next((media_type.examples for media_type in content if media_type.examples), ())


def _section(title: str, entries: Iterator[str] | list[str]) -> str:
    lines = [textwrap.indent(entry, "    ") for entry in entries]
    return "\n".join([f"{title}:", *lines]) if lines else ""


def _argument_lines(argument: Argument, found: tuple[Argument, ...]) -> str:
    optional = _may_lack(argument, found)
    described = " ".join(clean(argument.description).split())
    sentences = [described, *_notes(argument)]
    head = f"{argument.name} ({text(argument_hint(argument))}{optional}): "
    return _wrapped(head + " ".join(sentence for sentence in sentences if sentence))


def _may_lack(argument: Argument, found: tuple[Argument, ...]) -> str:
    if not argument.required:
        return ", optional"
    return ", or its properties" if argument.kind == "body" and omittable(argument, found) else ""


def _notes(argument: Argument) -> Iterator[str]:
    if argument.kind == "parameter":
        yield f"[{argument.in_} {argument.wire}]" if argument.wire != argument.name else f"[{argument.in_}]"
    elif argument.kind == "property":
        yield f"[body {argument.wire}]" if argument.wire != argument.name else "[body]"
    if argument.deprecated:
        yield "Deprecated."
    said = constraints(argument.schema)
    if said:
        yield f"({'; '.join(clean(phrase) for phrase in said)})"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _body_lines(operation: Operation) -> list[str]:
    """The media types of a body that has a choice of them; where there is one, its type stands with the argument."""
    content = operation.body.content.values() if operation.body is not None else ()
    return [f"{clean(found.media_range)}: {text(body_hint(found))}" for found in content]


def _returns_lines(operation: Operation) -> str:
    answers = [_answer(response) for response in successes(operation)]
    hint = text(returns(operation))
    return "\n".join(answers) if answers else f"{hint}: whatever the server answers."


def _answer(response: Response) -> str:
    data = union(data_hint(media_type) for media_type in response.content.values()) if response.content else NONE
    described = " ".join(clean(response.description).split())
    return _wrapped(f"{text(data)}: {response.status}, {described}".rstrip(", "))


def _raises(operation: Operation) -> Iterator[str]:
    for status, response in operation.responses.items():
        if not status.startswith(("1", "2", "3")) and response not in successes(operation):
            described = " ".join(clean(response.description).split())
            yield _wrapped(f"{error_name(status)}: {status}, {described}".rstrip(", "))


def error_name(status: str) -> str:
    """The name of the error class that a documented status raises."""
    return api_error(int(status)).__name__ if status.isdigit() else _RANGES.get(status, "ApiError")


_RANGES = {"5XX": "ServerError"}
