"""An operation as a click command: its required parameters are positional, all else are options.

The help's texts are the document's. A value is taken as text, and read by its schema when the call is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from dynclient._schemas import shape, typed
from dynclient.cli import bodies, credentials
from dynclient.cli.answers import NAMES
from dynclient.exceptions import escaped
from dynclient.inspection import Argument, arguments, constraints
from dynclient.model import API, Operation

_MODES = ("strict", "warn", "off")
_LONGEST_CHOICE = 80

SHARED: tuple[Callable[[], click.Option], ...] = (
    lambda: click.Option(["--body", "body_text"], help="The body: JSON or text, @FILE, or - for standard input."),
    lambda: click.Option(["--body-field"], multiple=True, metavar="A.B=VALUE", help="A field of the body."),
    lambda: click.Option(["--content-type"], help="The body's media type, where there is a choice."),
    lambda: click.Option(["--accept"], help="The answer's media type, where there is a choice."),
    lambda: click.Option(["-o", "--format", "format"], type=click.Choice(list(NAMES)), help="How the data is shown."),
    lambda: click.Option(["--filter"], metavar="JMESPATH", help="Show what this selects of status, headers and body."),
    lambda: click.Option(["--include", "-i"], is_flag=True, help="Show status and headers too."),
    lambda: click.Option(["--output"], type=click.Path(dir_okay=False), help="Write the data to a file."),
    lambda: click.Option(["--dry-run"], is_flag=True, help="Send nothing; show the request."),
    lambda: click.Option(["--curl"], is_flag=True, help="Send nothing; show the curl command that would."),
    lambda: click.Option(["--auth"], multiple=True, metavar="SCHEME=env:VAR|-", help="A credential; - asks for it."),
    lambda: click.Option(["--header", "-H"], multiple=True, metavar="NAME:VALUE", help="One more header field."),
    lambda: click.Option(["--server"], multiple=True, help="A server's index, name or URL, or its VARIABLE=VALUE."),
    lambda: click.Option(["--base-url"], help="A server in place of the document's."),
    lambda: click.Option(["--timeout"], type=float, help="Seconds for the whole call."),
    lambda: click.Option(["--retries"], type=click.IntRange(0), help="How often the call may be repeated."),
    lambda: click.Option(["--validate"], type=click.Choice(_MODES), help="Hold the call to the document.  [strict]"),
)


class ValueType(click.ParamType):  # type: ignore[type-arg]  # it takes arguments in some of click's versions only
    """A value of an argument, still text."""

    name = "value"

    def __init__(self, argument: Argument) -> None:
        """Take the argument, whose schema names its type and its values."""
        seen = shape(argument.schema) if argument.schema is not None else None
        self.values = [_text(value) for value in (seen.enum if seen is not None else None) or () if value is not None]
        kinds = sorted(seen.types - {"null"}) if seen is not None else []
        if not self.values and kinds == ["boolean"]:
            self.values = ["true", "false"]
        choices = "|".join(self.values)
        kind = kinds[0].upper() if len(kinds) == 1 and kinds[0] != "string" else "TEXT"
        self.shown = escaped(f"[{choices}]") if choices and len(choices) <= _LONGEST_CHOICE else kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The values of an enum; a file after ``@``."""
        del ctx, param
        if incomplete.startswith("@"):
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(value) for value in self.values if value.startswith(incomplete)]


class OperationCommand(click.Command):
    """A command whose help has the operation's arguments and options apart from those that all have."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, the operation's options, and then the others."""
        own = [param for param in self.params if isinstance(param.type, ValueType)]
        told: dict[str, list[tuple[str, str]]] = {"Arguments": [], "The operation's options": [], "Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, Positional):
                told["Arguments"].append((param.metavar or "", param.described))
            elif record is not None:
                told["The operation's options" if param in own else "Options"].append(record)
        for title, records in told.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Positional(click.Argument):
    """A required parameter, with the text that click's arguments lack."""

    described: str = ""


def operation_command(api: API, operation: Operation, name: str, callback: Callable[..., int]) -> click.Command:
    """The command of an operation.

    Raises:
        DocumentError: the operation is broken.
    """
    shared = [make() for make in SHARED]
    taken = {option for parameter in shared for option in parameter.opts} | {"--help"}
    params: list[click.Parameter] = []
    for index, argument in enumerate(arguments(operation)):
        if argument.kind == "parameter" and argument.required:
            params.append(_positional(index, argument))
        elif argument.kind != "body":
            params.append(_option(index, argument, taken))
    head = f"{operation.method} {operation.path}"
    texts = (operation.row.summary, operation.description, "Deprecated." if operation.row.deprecated else "", head)
    return OperationCommand(
        name,
        callback=callback,
        params=[*params, *shared],
        help=escaped("\n\n".join(dict.fromkeys(filter(None, texts)))),
        epilog=escaped(credentials.in_words(api, operation)),
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def values(found: Iterable[Argument], given: Mapping[str, Any]) -> tuple[dict[tuple[str, str], Any], dict[str, Any]]:
    """The parameters that a command line gives, by location and wire name, and the body's properties."""
    parameters: dict[tuple[str, str], Any] = {}
    properties: dict[str, Any] = {}
    for index, argument in enumerate(found):
        text = given.get(_key(index))
        if text is None or text == ():
            continue
        if argument.kind == "parameter":
            parameters[argument.in_, argument.wire] = _value(argument, text, files=False)
        else:
            properties[argument.wire] = _value(argument, text, files=True)
    return parameters, properties


def _value(argument: Argument, text: str | tuple[str, ...], *, files: bool) -> Any:
    texts = [text] if isinstance(text, str) else list(text)
    schema = argument.schema
    is_list = not isinstance(text, str) and not (len(texts) == 1 and texts[0].lstrip().startswith("["))
    if is_list and schema is not None and not files:
        return typed(schema, texts)
    items = shape(schema).items if is_list and schema is not None else schema
    read = [bodies.value(items, one) if files else _typed(items, one) for one in texts]
    return read if is_list else read[0]


def _typed(schema: Any, text: str) -> Any:
    if schema is None:
        return text
    if text.lstrip()[:1] in {"{", "["} and "string" not in shape(schema).types:
        return bodies.strict_json(text)
    return typed(schema, text)


def _key(index: int) -> str:
    return f"argument_{index}"


def _positional(index: int, argument: Argument) -> click.Argument:
    made = Positional([_key(index)], metavar=argument.name.upper(), type=ValueType(argument))
    made.described = _described(argument)
    return made


def _option(index: int, argument: Argument, taken: set[str]) -> click.Option:
    flag = "--" + argument.name.strip("_").replace("_", "-")
    while flag in taken:
        flag = f"--{argument.kind}-{flag[2:]}"
    taken.add(flag)
    seen = shape(argument.schema) if argument.schema is not None else None
    kind = ValueType(argument)
    return click.Option(
        [flag, _key(index)],
        type=kind,
        metavar=kind.shown,
        multiple=seen is not None and "array" in seen.types,
        help=_described(argument),
    )


def _described(argument: Argument) -> str:
    said = "; ".join(constraints(argument.schema))
    marks = [f"({said})" if said else "", "Deprecated." if argument.deprecated else ""]
    marks.append("[required]" if argument.required else "")
    return escaped(" ".join(" ".join([*argument.description.split(), *marks]).split()))


def _text(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
