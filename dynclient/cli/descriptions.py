"""``dynclient show``: a document, a schema, or an operation with an example for the shell.

A document is shown without the modules that read operations and schemas.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from inspect import Parameter, Signature
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from dynclient._escaping import counted
from dynclient._identifiers import near
from dynclient.cli import documents
from dynclient.cli.commands import Command, plain_text
from dynclient.cli.output import FORMATS, fitted, write
from dynclient.exceptions import DocumentError, NoSuchOperation, escaped
from dynclient.inspection.tables import aligned, columns
from dynclient.model import API, Operation, SecurityScheme
from dynclient.security.schemes import kind_of

if TYPE_CHECKING:
    from dynclient.inspection.arguments import Argument

_LONGEST_VALUE = 2000
_WIDTH = 100
_SECTION = re.compile(r"\n\n(?:Args|Body|Returns|Raises|Server|Security|Links|Callbacks|Pages|Waits)\b[^\n]*:\n    ")


@click.command(cls=Command)
@documents.document_argument()
@click.argument("name", required=False, shell_complete=documents.complete_operations)
@documents.format_option("text", "json", "yaml")
@click.option("--schema", is_flag=True, help="Show only the JSON Schema of the operation's body.")
def show(document: str, name: str | None, output: str, *, schema: bool) -> None:
    """Describe DOCUMENT, or with NAME one of its operations or schemas.

    An operation's NAME is one such as create-call, an operationId, or "POST /accounts/{accountId}/calls". The output
    has its arguments, bodies, responses, security, servers, and an example. A schema is shown as JSON Schema with
    everything that it refers to.
    """
    width = columns(sys.stdout)
    as_data = FORMATS["json" if output == "text" else output]
    if name is None:
        api = documents.api_of(document)
        text = fitted(document_text(api, width), width)
        write(text if output == "text" else as_data(document_data(api)))
        return
    client = documents.client_of(document)
    try:
        method = documents.method_of(client, name)
    except NoSuchOperation as error:
        found = schema_data(client.api, name)
        if found is None:
            schemas = near(name, client.api.schemas)
            if schemas:
                error.hint = f"did you mean the schema {' or '.join(schemas)}?"
            elif not error.matches:
                error.hint = "dynclient ls lists the operations; show without a NAME shows the rest"
            raise
        write(as_data(found))
        return
    _ = method.operation  # raises if it can't be called
    if output == "text" and not schema:
        write(operation_text(document, method, width))
    else:
        write(as_data(method.schema if schema else method.describe()))
    if method.fault is not None:
        raise method.fault


def document_data(api: API) -> dict[str, Any]:
    """A summary of a document, as data."""
    tags: dict[str, int] = {}
    for row in api.rows:
        for tag in row.tags[:1]:
            tags[tag] = tags.get(tag, 0) + 1
    return {
        "title": api.title,
        "version": api.version,
        "description": api.description,
        "document": api.document_name,
        "servers": [{"url": server.url, "description": server.description} for server in api.servers],
        "securitySchemes": dict(_schemes(api.security_schemes)),
        "operations": len(api.rows),
        "tags": tags,
        "schemas": list(api.schemas),
    }


def _schemes(schemes: Mapping[str, SecurityScheme]) -> Iterator[tuple[str, str]]:
    for name in schemes:
        text = "broken"
        with suppress(DocumentError):
            scheme = schemes[name]
            where = f"{scheme.parameter} in {scheme.in_}" if scheme.parameter else scheme.scheme
            text = ", ".join(filter(None, [scheme.type, where, kind_of(scheme).typed]))
        yield name, text


def document_text(api: API, width: int | None) -> str:
    """A summary of a document: title, servers, security schemes and tags."""
    data = document_data(api)
    parts = [f"{api.title} {api.version}", plain_text(api.description, width or _WIDTH)]
    servers = [[server["url"], " ".join(server["description"].split())] for server in data["servers"]]
    tags = [[tag, str(number)] for tag, number in data["tags"].items()]
    for title, lines in (
        ("Servers", servers),
        ("Security schemes", [list(pair) for pair in data["securitySchemes"].items()]),
        (f"{counted(data['operations'], 'operation')}, by tag", tags),
    ):
        if lines:
            parts.append("\n".join([f"{title}:", *(f"    {line}" for line in aligned(lines).splitlines())]))
    if data["schemas"]:
        parts.append(f"{counted(len(data['schemas']), 'schema')}; `show DOCUMENT SCHEMA` prints one.")
    return "\n\n".join(filter(None, parts))


def schema_data(api: API, name: str) -> Any:
    """The JSON Schema with a name, with everything that it refers to; None if the document has no such schema.

    Raises:
        DocumentError: the schema is broken.
    """
    from dynclient._schemas import bundle

    found = next((each for each in (name, *api.schemas) if each in api.schemas and each.lower() == name.lower()), None)
    return bundle(api.schemas[found], "response").schema if found is not None else None


def operation_text(document: str, method: Any, width: int | None) -> str:
    """The page of an operation, with an example for the shell; of a partly broken one, its readable parts."""
    from dynclient.examples import arguments_example
    from dynclient.inspection.docstrings import docstring, sequel

    name, operation = method.__name__, method.operation
    try:
        call = shell_example(document, documents.command_name(name), operation, arguments_example(operation))
        text = docstring(operation, name, call="...", more=sequel(method, whole=True)).rpartition("\n\nExample:")[0]
    except DocumentError:
        return fitted(escaped(f"{name}\n\n{method.__doc__}"), width)
    text = f"{_signature(name, method.__signature__, width)}\n\n{_filled(text, width)}"
    # The example is not wrapped, so that it can be copied.
    return f"{escaped(text)}\n\nExample:\n    {escaped(call)}"


def _signature(name: str, signature: Signature, width: int | None) -> str:
    """A signature; if it is longer than a line of the terminal, with one parameter per line."""
    text = f"{name}{signature}"
    if width is None or len(text) <= width:
        return text
    lines = [f"    {parameter},".replace(" = Ellipsis", " = ...") for parameter in signature.parameters.values()]
    named = [parameter.kind is Parameter.KEYWORD_ONLY for parameter in signature.parameters.values()]
    if True in named:
        lines.insert(named.index(True), "    *,")
    return fitted("\n".join([f"{name}(", *lines, str(signature.replace(parameters=()))[1:]]), width)


def _filled(text: str, width: int | None) -> str:
    """A docstring, wrapped again for the width of a terminal: the description, and the entries of each section."""
    first = _SECTION.search(text)
    if width is None or first is None:
        return text
    sections = re.sub(r"\n {8}(?=\S)", " ", text[first.start() :])
    return plain_text(text[: first.start()], width) + fitted(sections, width)


def shell_example(document: str, command: str, operation: Operation, values: Mapping[str, Any]) -> str:
    """The command line of a call with these arguments, quoted for a POSIX shell."""
    from dynclient.cli.input_values import option_flags
    from dynclient.inspection.arguments import arguments

    words = ["dynclient", "call", quote(document), command]
    options: list[str] = []
    flags = option_flags(operation)
    found = arguments(operation)
    properties = {argument.wire: argument for argument in found if argument.kind == "property"}
    for argument in found:
        if argument.name not in values:
            continue
        value = values[argument.name]
        if argument.kind == "parameter" and argument.required:
            words.append(quote(_word(value)))
        elif argument.kind == "body" and isinstance(value, dict) and value and set(value) <= set(properties):
            for wire, member in value.items():
                options += _options(flags[properties[wire].name], member)
        elif argument.kind == "body":
            options += ["--body", quote(_body_word(argument, value))]
        else:
            options += _options(flags[argument.name], value)
    return " ".join([*words, *options])


def _options(flag: tuple[str, bool], value: Any) -> Iterator[str]:
    """The words of an option; a repeatable one is written before each item."""
    for each in value if isinstance(value, list) and flag[1] else [value]:
        yield from (flag[0], quote(_word(each)))


def _word(value: Any) -> str:
    if isinstance(value, str):
        return f"@{value}" if value.startswith("@") else value
    return "@FILE" if isinstance(value, bytes | Path) else json.dumps(value, default=str, ensure_ascii=False)


def _body_word(argument: Argument, value: Any) -> str:
    """A whole body as a word: JSON, except for strings of other media types; a large one is a file."""
    from dynclient import codecs

    content_type = argument.media_type.media_range if argument.media_type is not None else "application/json"
    is_text = isinstance(value, str) and codecs.find(content_type).name != "json"
    text = _word(value) if is_text or isinstance(value, bytes) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else "@FILE"
