"""The docstring of an operation's method in Google's style, for ``help()`` and a notebook's ``?``."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dynclient._escaping import counted, one_line
from dynclient._identifiers import identifier
from dynclient._schemas import MISSING, shape
from dynclient._schemas.shapes import bounded_depth
from dynclient.exceptions import DocumentError, api_error, escaped
from dynclient.inspection.arguments import Argument, arguments, secret
from dynclient.inspection.hints import text
from dynclient.inspection.signatures import argument_hint, body_hint, response_hint, returns, successes
from dynclient.model import Example, Link, Operation, Response, Schema, SecurityRequirement

_WIDTH = 100
_EXAMPLE_LENGTH = 300


@bounded_depth("a schema of an operation")
def docstring(
    operation: Operation, name: str, *, call: str | None = None, more: Mapping[str, Iterable[str]] = {}
) -> str:
    """Write the docstring of an operation's method.

    ``name`` is the method's name. ``call`` is a valid call for the example; without it, the call has the document's
    own examples. ``more`` has further sections, as :func:`sequel` gives them.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    found = arguments(operation)
    parts = [
        " ".join(clean(operation.row.summary).split()) or one_line(f"{operation.method} {operation.path}"),
        "Deprecated." if operation.row.deprecated else "",
        clean(operation.description) if operation.description.strip() != operation.row.summary.strip() else "",
        one_line(f"Sends ``{operation.method} {operation.path}``."),
        _section("Args", map(_argument_lines, found)),
        _section("Body", _body_lines(operation)),
        _section("Returns", [_returns_lines(operation)]),
        _section("Raises", _raises(operation)),
        _section("Server", [one_line(server.url) for server in operation.servers]),
        _section("Security", _security(operation.security)),
        *(_section(title, map(one_line, lines)) for title, lines in more.items()),
        _section("Example", [call or example_call(operation, found, name)]),
    ]
    return escaped("\n\n".join(part for part in parts if part))


def sequel(method: Any, *, whole: bool = False) -> dict[str, list[str]]:
    """The sections about what may follow a call: links, callbacks, pages and waits.

    ``method`` is the method of the operation. With ``whole``, as in the shell, the evidence is included.
    """
    operation: Operation = method.operation
    # An AttributeError is raised for a partly broken operation.
    pages, waits = getattr(method, "pagination", None), getattr(method, "waiter", None)
    callbacks = getattr(method, "callbacks", {}) if operation.callbacks else {}
    return {
        "Links": [_link(status, link) for status, link in links(operation)],
        "Callbacks": [f"{name}: {', '.join(received.expressions)}" for name, received in callbacks.items()],
        "Pages (call --all)" if whole else "Pages (paginate)": _rule(pages, whole=whole),
        "Waits (call --wait)" if whole else "Waits (wait, start)": _rule(waits, whole=whole),
    }


def _rule(rule: Any, *, whole: bool) -> list[str]:
    lines = str(rule).splitlines() if rule else []
    return lines if whole else [line for line in lines if not line.startswith(" ")]


def links(operation: Operation) -> Iterator[tuple[str, Link]]:
    """The links of all responses, each with the status of its response."""
    for response in operation.responses.values():
        yield from ((response.status, link) for link in response.links)


def _link(status: str, link: Link) -> str:
    given = ", ".join(f"{name}={value}" for name, value in link.parameters.items())
    described = " ".join(clean(link.description).split())
    target = f"{link.operation_id or link.operation_ref}({given})"
    return ", ".join(filter(None, (f"{link.name}: {status}, {target}", described)))


def broken(fault: DocumentError) -> str:
    """Write the section that says what is broken in an operation."""
    return _section("Broken", [escaped(str(fault))])


def client_name(document_name: str) -> str:
    """The variable name for a client of a document: ``voice`` for ``openapi/voice.yaml``."""
    stem = re.split(r"[/\\]", document_name.rstrip("/\\"))[-1].partition(".")[0]
    return identifier(stem) if stem.isascii() and re.search(r"[A-Za-z0-9]", stem) else "client"


def clean(described: str) -> str:
    """Strip indentation, surrounding blanks and control characters from a text of the document; line breaks stay."""
    lines = textwrap.dedent(described).strip().splitlines()
    return "\n".join("".join(c if c.isprintable() else " " for c in line).rstrip() for line in lines)


def example_call(operation: Operation, found: tuple[Argument, ...], name: str) -> str:
    """Write a call with the document's examples for the required arguments and the body; ``...`` without an example."""
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


def _section(title: str, entries: Iterable[str]) -> str:
    lines = [textwrap.indent(entry, "    ") for entry in entries]
    return "\n".join([f"{title}:", *lines]) if lines else ""


def _argument_lines(argument: Argument) -> str:
    optional = ", optional" if not argument.required else ""
    if argument.required and argument.kind == "body" and argument.omittable:
        optional = ", or its properties"
    described = " ".join(clean(argument.description).split())
    sentences = [described, *_notes(argument)]
    head = f"{argument.name} ({text(argument_hint(argument))}{optional}): "
    return _wrapped(head + " ".join(sentence for sentence in sentences if sentence))


def _notes(argument: Argument) -> Iterator[str]:
    if argument.kind != "body":
        yield f"[{argument.in_} {argument.wire}]" if argument.wire != argument.name else f"[{argument.in_}]"
    if argument.deprecated:
        yield "Deprecated."
    if phrases := constraints(argument.schema):
        yield f"({'; '.join(clean(phrase) for phrase in phrases)})"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _body_lines(operation: Operation) -> list[str]:
    """The media types of a body with their types."""
    content = operation.body.content.values() if operation.body is not None else ()
    return [f"{clean(found.media_range)}: {text(body_hint(found))}" for found in content]


def _returns_lines(operation: Operation) -> str:
    found = [_outcome(text(response_hint(response)), response) for response in successes(operation)]
    return "\n".join(found) or f"{text(returns(operation))}: the data of the response."


def _raises(operation: Operation) -> Iterator[str]:
    for status, response in operation.responses.items():
        if not status.startswith(("1", "2", "3")) and response not in successes(operation):
            yield _outcome(error_name(status), response)


def _outcome(type_: str, response: Response) -> str:
    described = " ".join(clean(response.description).split())
    return _wrapped(f"{type_}: {response.status}, {described}".rstrip(", "))


def error_name(status: str) -> str:
    """The name of the error class that a documented status raises; ``status`` may be a range such as 5XX."""
    if status.isdigit():
        return api_error(int(status)).__name__
    return "ServerError" if status == "5XX" else "ApiError"


def _security(security: tuple[SecurityRequirement, ...]) -> Iterator[str]:
    """One line for each choice; a call needs all schemes of one line."""
    for number, choice in enumerate(security):
        schemes = [f"{name} ({', '.join(scopes)})" if scopes else name for name, scopes in choice.items()]
        yield ("or " if number else "") + one_line(" and ".join(schemes) or "none")


# JSON Schema 2020-12 Validation, 6: keyword -> the phrase for its value, in the order of the phrases.
_PHRASES: Mapping[str, Callable[[Any], str]] = {
    "minLength": lambda value: f"at least {counted(value, 'character')}",
    "maxLength": lambda value: f"at most {counted(value, 'character')}",
    "pattern": lambda value: f"matches {value}",
    "minimum": lambda value: f">= {value}",
    "exclusiveMinimum": lambda value: f"> {value}",
    "maximum": lambda value: f"<= {value}",
    "exclusiveMaximum": lambda value: f"< {value}",
    "multipleOf": lambda value: f"a multiple of {value}",
    "minItems": lambda value: f"at least {counted(value, 'item')}",
    "maxItems": lambda value: f"at most {counted(value, 'item')}",
    "uniqueItems": lambda value: "unique items" if value else "",
    "minProperties": lambda value: f"at least {counted(value, 'property')}",
    "maxProperties": lambda value: f"at most {counted(value, 'property')}",
}


def constraints(schema: Schema | None) -> tuple[str, ...]:
    """List the format, the bounds and the default of a schema's values, one phrase for each."""
    if schema is None:
        return ()
    seen = shape(schema)
    phrases = [f"format {seen.format}"] if seen.format else []
    phrases += [
        phrase(seen.constraints[key])
        for key, phrase in _PHRASES.items()
        # Keywords about arrays do not apply to other values.
        if key in seen.constraints and ("Items" not in key or not seen.types or "array" in seen.types)
    ]
    if seen.default is not MISSING and not secret(schema):
        phrases.append(f"default {seen.default!r}")
    return tuple(phrase for phrase in phrases if phrase)
