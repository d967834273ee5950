"""Read the values of a command line by their schemas: parameters, and a body given whole, by properties or by fields.

Rule 1: where there is no schema, JSON is read as JSON, and everything else is text.
Rule 2: ``@FILE`` is the content of a file, ``@@`` text that begins with ``@``. A file that is sent unchanged is not
read into memory.

Words of a body may be shorthand: ``title: A bug, labels[]: bug, assignee{login: me}``. Its grammar is that of restish's
without patches and queries: JSON is shorthand; quotes, commas at line ends and outer braces may be left out; ``a.b`` is
a member of a member, ``a[0]`` an item of an array, and ``a[]`` the next one; ``//`` begins a comment.
Rule 3: quoted text is a string. The type of unquoted text depends on the schema.
Rule 4: an index beyond the end fills the array with null, up to a limit; two values that contradict each other are an
error.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from dynclient._records import Record
from dynclient._schemas import from_text, is_binary, read_json, shape, typed
from dynclient.cli import output
from dynclient.cli.commands import Decorated, colour_option, plain_line, with_options
from dynclient.cli.output import FileWithProgress
from dynclient.exceptions import escaped
from dynclient.inspection.arguments import Argument, arguments, body_schema, preferred
from dynclient.inspection.docstrings import constraints
from dynclient.model import Operation, Schema

_STEP = re.compile(r"([^.\[\]]+)|\[(\d*)\]")
_FIELD = re.compile(r"([^\s:={}\",@]+)(:?=)")
_MEMBER = re.compile(r"[^\s:={}\",@]+(?::\s|\{)\s*\S")
_OPEN = {":", ",", "{", "["}


def argument_value(argument: Argument, text: str | tuple[str, ...]) -> Any:
    """Read the value of an argument from its text, or from the texts of a repeated option.

    Raises:
        UsageError: it is not JSON, but has to be; or a file does not exist.
    """
    schema = argument.schema
    texts = [text] if isinstance(text, str) else list(text)
    is_list = not isinstance(text, str) and not (len(texts) == 1 and texts[0].lstrip().startswith("["))
    if argument.kind == "parameter":
        if schema is None:
            return texts if is_list else texts[0]
        if is_list:
            return typed(schema, texts)
        return _by_schema(schema, texts[0])
    items = shape(schema).items if is_list and schema is not None else schema
    found = [_property_value(items, one) for one in texts]
    return found if is_list else found[0]


def _property_value(schema: Schema | None, text: str) -> Any:
    if _is_file(text):
        return _file_value(schema, text[1:])
    text = _unescaped(text)
    return _json(text) if schema is None else _by_schema(schema, text)


def _file(name: str) -> Path:
    path = Path(name)
    if not name or path.is_dir() or not path.exists():
        raise click.UsageError(f"@{name}: there is no such file; write @@ for a value that begins with @")
    return path


def _file_value(schema: Schema | None, name: str) -> Any:
    """The content of a file, by its schema; without one, JSON of a file of that name, else its text."""
    path = _file(name)
    if schema is not None and is_binary(schema):
        return path
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    if schema is None:
        return _json(text, strict=True) if path.suffix == ".json" else text
    return _by_schema(schema, text)


def _by_schema(schema: Schema, text: str) -> Any:
    try:
        return from_text(schema, text)
    except ValueError as error:
        raise click.UsageError(f"a value is not JSON: {error}") from None


def whole_body(operation: Operation | None, text: str, content_type: str | None) -> Any:
    """The body that ``--body`` gives: JSON or text, ``@FILE``, or ``-`` for standard input.

    Raises:
        OSError: the file can't be read.
        UsageError: the body has to be JSON, and the text is not.
    """
    codec = _codec_name(operation, content_type)
    if codec == "binary":
        if text == "-":
            return sys.stdin.buffer
        return FileWithProgress(_file(text[1:])) if _is_file(text) else _unescaped(text).encode()
    data = sys.stdin.buffer.read() if text == "-" else _file(text[1:]).read_bytes() if _is_file(text) else None
    if data is not None:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            if codec == "json":
                raise click.UsageError("the body is not UTF-8 text, as JSON is") from None
            return data
    if codec in {"text", "xml", "yaml"} and text.lstrip()[:1] not in {"{", "["}:
        return _unescaped(text)
    return _json(text, strict=codec == "json" and _must_be_json(operation, text))


def _must_be_json(operation: Operation | None, text: str) -> bool:
    """Whether a JSON body can't be a plain string: it looks like an object or array, or its schema has no strings."""
    media_type = preferred(operation.body) if operation is not None and operation.body is not None else None
    types = shape(media_type.schema).types if media_type is not None and media_type.schema is not None else frozenset()
    return "string" not in types and bool(types or text.lstrip()[:1] in {"{", "[", '"'})


def body_words(operation: Operation | None, words: Sequence[str], content_type: str | None) -> Any:
    """The body from words of a command line: ``a=1`` and ``a:=JSON``, or shorthand; or a single ``-`` or ``@FILE``.

    Values are read by their schemas; ``operation`` is None if there is no schema.

    Raises:
        UsageError: the words are malformed, or contradict each other.
        OSError: a file can't be read.
    """
    is_whole = len(words) == 1 and (words[0] == "-" or _is_file(words[0]))
    if is_whole or _codec_name(operation, content_type) in {"binary", "text"}:
        return whole_body(operation, " ".join(words), content_type)
    if _FIELD.match(words[0]):
        return body_fields(operation, words)

    def meaning(path: Steps, bare: Bare) -> Any:
        schema = _schema_at(operation, path)
        if bare.is_file:
            return _file_value(schema, bare.text)
        is_json = schema is None or not (shape(schema).types or shape(schema).enum)
        return coerced(bare.text) if is_json else _property_value(schema, bare.text)

    # A quoted word that begins as a member does is one: 'title: a' 'labels[]: b'.
    text = words[0]
    for word in words[1:]:
        text += (", " if _MEMBER.match(word) and text[-1:] not in _OPEN else " ") + word
    try:
        made = read_shorthand(text, meaning)
    except ShorthandError as error:
        what = "" if "=" in text or ":" in text else "; give name=value, or name: value"
        raise click.UsageError(f"the body is not shorthand, {error}{what}") from None
    return made


def body_fields(operation: Operation | None, given: Iterable[str], option: str = "") -> Any:
    """The object that ``a.b=1`` builds, each field read by its schema; ``a.b:=1`` is JSON.

    ``[0]`` is the first item of an array, ``[]`` the next one.

    Raises:
        UsageError: a field is not ``NAME=VALUE``, or two fields contradict each other.
    """
    made: dict[str, Any] = {}
    for word in given:
        found = _FIELD.match(word)
        path = found[1] if found is not None else ""
        steps = tuple(name or (int(index) if index else NEXT) for name, index in _STEP.findall(path))
        if found is None or "".join(step[0] for step in _STEP.finditer(path)) != path.replace(".", ""):
            shown = word.partition("=")[0]
            raise click.UsageError(f"{option or 'a field'} takes NAME=VALUE, such as a.b=1 or tags[]=x, not {shown!r}")
        schema = _schema_at(operation, steps)
        text = word[found.end() :]
        value = _json(text, strict=True) if found[2] == ":=" else _property_value(schema, text)
        try:
            put(made, ("", *steps), value)
        except ShorthandError as error:
            raise click.UsageError(f"{option} {path} contradicts those before it: {error}".strip()) from None
    return made.get("", {})


def _schema_at(operation: Operation | None, steps: Steps) -> Schema | None:
    """The schema of a part of the body; None if there is none."""
    schema = body_schema(operation.body) if operation is not None and operation.body is not None else None
    for step in steps:
        if schema is None:
            break
        seen = shape(schema)
        found = seen.items if isinstance(step, int) else seen.properties.get(step, seen.additional)
        schema = found if isinstance(found, Schema) else None
    return schema


def _codec_name(operation: Operation | None, content_type: str | None) -> str:
    """The codec of the body's media type; JSON's if the media types have different ones."""
    from dynclient import codecs  # completion of options does not need it

    content: Mapping[str, Any] = operation.body.content if operation is not None and operation.body is not None else {}
    if not content_type and content and all(one.schema and is_binary(one.schema) for one in content.values()):
        return "binary"
    found = {codecs.find(media_range).name for media_range in ([content_type] if content_type else content)}
    return found.pop() if len(found) == 1 else "json"


def _json(text: str, *, strict: bool = False) -> Any:
    """The value of JSON; of other text, unless ``strict``, the text itself."""
    try:
        return read_json(text)
    except ValueError as error:
        if strict:
            fault = f"malformed JSON: {error}" if text.strip() else "empty: JSON is expected"
            raise click.UsageError(f"the body, or a value of it, is {fault}") from None
        return _unescaped(text)


def _is_file(text: str) -> bool:
    return text.startswith("@") and not text.startswith("@@")


def _unescaped(text: str) -> str:
    return text[1:] if text.startswith("@@") else text


Steps = tuple[str | int, ...]
"""The path to a value: names of members, and indices of items; -1 is the next one."""

NEXT = -1
LARGEST_INDEX = 1000
_DEEPEST = 64
_BLANK = re.compile(r"[ \t]*")
_SEPARATOR = re.compile(r"(?:[\s,]|//[^\n]*)*")
_NAME = re.compile(r"(?:\\.|[^\\.:\[\]{},\"\n])+")
_INDEX = re.compile(r"\[(\d{0,9})\]")
_PATH_FIRST = re.compile(r"(?:(?:\[\d*\])+|\"(?:[^\"\\]|\\.)*\")[ \t]*[.:{\[]")
_ENDS = {"": ",\n", "}": ",\n}", "]": ",\n]"}


class ShorthandError(ValueError):
    """A text that is not shorthand; the message says where."""


class Bare(Record):
    """A value without quotes: ``text`` is the text itself, or the name of a file."""

    text: str
    is_file: bool = False


def read_shorthand(text: str, meaning: Callable[[Steps, Bare], Any]) -> Any:
    """Read a body; ``meaning`` returns the value of a text without quotes, at its path.

    Raises:
        ShorthandError: the text is malformed, or contradicts itself.
    """
    return _Reader(text, meaning).whole()


def coerced(text: str) -> Any:
    """The value of unquoted text without a schema: null, true, false, a number, or the text itself."""
    try:
        value = read_json(text)
    except ValueError:
        return text
    return value if value is None or isinstance(value, bool | int | float) else text


def put(made: Any, steps: Steps, value: Any) -> None:
    """Set a value below an object or array, which is extended.

    Raises:
        ShorthandError: an index is too large, or there is another value.
    """
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        empty: Any = value if following is None else [] if isinstance(following, int) else {}
        key: Any = step
        if isinstance(step, int):
            if not isinstance(made, list):
                raise ShorthandError("an index needs an array")
            key = len(made) if step == NEXT else step
            if key > LARGEST_INDEX:
                raise ShorthandError(f"the index {key} is larger than {LARGEST_INDEX}")
            made.extend([None] * (key + 1 - len(made)))
            is_there = made[key] is not None
        elif not isinstance(made, dict):
            raise ShorthandError(f"{step} needs an object")
        else:
            is_there = step in made
        if is_there and following is None:
            raise ShorthandError(f"{step} has two values")
        if not is_there:
            made[key] = empty
        made = made[key]


class _Reader:
    def __init__(self, text: str, meaning: Callable[[Steps, Bare], Any]) -> None:
        self._text = text
        self._meaning = meaning
        self._at = 0
        self._depth = 0

    def whole(self) -> Any:
        self._skip(_SEPARATOR)
        begins_path = _PATH_FIRST.match(self._text, self._at) is not None
        if self._text[self._at : self._at + 1] in {"{", "[", '"', "@"} and not begins_path:
            value = self._value((), "")
        else:
            value = self._members((), "").get("", {})
        self._skip(_SEPARATOR)
        if self._at < len(self._text):
            self._fail("unexpected text")
        return value

    def _members(self, path: Steps, end: str) -> dict[str, Any]:
        """Read the members up to ``end``, below a member ``""``: their paths may build an object or an array."""
        root: dict[str, Any] = {}
        while True:
            self._skip(_SEPARATOR)
            if self._text[self._at : self._at + 1] in {end, ""}:
                if end and self._at >= len(self._text):
                    self._fail(f"{end} is missing")
                return root
            steps = tuple(self._steps())
            self._skip(_BLANK)
            sign = self._text[self._at : self._at + 1]
            if sign == ":":
                self._at += 1
            elif sign != "{":
                self._fail("a name must be followed by : and its value")
            value = self._value((*path, *steps), end)
            if value is not ...:
                put(root, ("", *steps), value)

    def _steps(self) -> Iterator[str | int]:
        """The path before a value."""
        while True:
            if self._text.startswith('"', self._at):
                yield self._quoted()
            elif found := _NAME.match(self._text, self._at):
                self._at = found.end()
                yield re.sub(r"\\(.)", r"\1", found[0]).strip()
            elif not self._text.startswith("[", self._at):
                self._fail("a name is expected")
            while found := _INDEX.match(self._text, self._at):
                self._at = found.end()
                yield int(found[1]) if found[1] else NEXT
            if not self._text.startswith(".", self._at):
                return
            self._at += 1

    def _value(self, path: Steps, end: str) -> Any:
        self._skip(_BLANK)
        sign = self._text[self._at : self._at + 1]
        if sign == '"':
            return self._quoted()
        if sign in {"{", "["}:
            self._depth += 1
            if self._depth > _DEEPEST:
                self._fail(f"more than {_DEEPEST} levels")
            self._at += 1
            value: Any = self._members(path, "}").get("", {}) if sign == "{" else self._items(path)
            self._at += 1
            self._depth -= 1
            return value
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _ENDS[end]:
            self._at += 1
        text = self._text[start : self._at].strip()
        if text == "undefined":
            return ...
        return self._meaning(path, Bare(text[1:], is_file=True) if text.startswith("@") else Bare(text))

    def _items(self, path: Steps) -> list[Any]:
        found: list[Any] = []
        while True:
            self._skip(_SEPARATOR)
            if self._at >= len(self._text):
                self._fail("] is missing")
            if self._text[self._at] == "]":
                return found
            value = self._value((*path, len(found)), "]")
            found += [value] if value is not ... else []

    def _quoted(self) -> str:
        try:
            value, self._at = json.JSONDecoder().raw_decode(self._text, self._at)
        except ValueError:
            self._fail("the quotes are not closed")
        return str(value)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found is not None else self._at

    def _fail(self, fault: str) -> NoReturn:
        rest = " ".join(self._text[self._at : self._at + 20].split())
        where = f"before {rest!r}" if rest else "at the end"
        raise ShorthandError(f"{where}: {fault}")


_MODES = ("strict", "warn", "off")
_LONGEST_CHOICE = 80
BODY_HELP = (
    "The body: name=value and name:=JSON, or shorthand such as 'title: A bug, labels[]: bug'; @FILE, or - for standard "
    "input."
)
_AUTH_HELP = (
    "A credential: env:VARIABLE, file:PATH, keyring:SERVICE/USER, or - for a prompt. SCHEME may be bearer "
    "or basic if the document names none."
)
_HEADER_HELP = "A further header; NAME=env:VARIABLE for a secret, since others can see arguments."
_RESUME_HELP = (
    "With --output: resume an interrupted download. With --all: continue at TEXT, which a stopped list printed."
)
_MAY_BE_EMPTY: dict[str, Any] = {"is_flag": False, "flag_value": ""}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Seconds(click.ParamType):  # type: ignore[type-arg]  # it is generic in some of click's versions only
    """The type of a duration: seconds, or ``90s``, ``10m``, ``1h``."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert it to seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        seconds = math.nan
        with suppress(ValueError):
            seconds = float(value) if value[-1:] not in _UNITS else float(value[:-1]) * _UNITS[value[-1:]]
        if not 0 < seconds < math.inf:
            self.fail(f"{value!r} is not a time such as 30, 90s, 10m or 1h", param, ctx)
        return seconds


SHARED_OPTIONS = (
    click.Option(["--body", "body_text"], help="The body: JSON or text, @FILE, or - for standard input."),
    click.Option(["--body-field"], multiple=True, metavar="A.B=VALUE", help="A field of the body."),
    click.Option(["--content-type"], help="The body's media type, if there is a choice."),
    click.Option(["--accept"], help="The response's media type, if there is a choice."),
    click.Option(
        ["-o", "--format", "format"], type=click.Choice(output.FORMAT_NAMES), help="The output format of the data."
    ),
    click.Option(
        ["--filter"], metavar="JMESPATH", help="Show only what this JMESPath selects of status, headers and body."
    ),
    click.Option(["--include", "-i"], is_flag=True, help="Show status and headers too."),
    click.Option(
        ["--output"],
        **_MAY_BE_EMPTY,
        metavar="[FILE]",
        help="Write the data to FILE; without FILE, the server gives the name.",
    ),
    click.Option(["--resume"], **_MAY_BE_EMPTY, metavar="[TEXT]", help=_RESUME_HELP),
    click.Option(["--follow"], is_flag=True, help="Follow redirects, also documented ones."),
    click.Option(["--verbose", "-v"], count=True, help="Show the requests and responses; -vv: bodies too."),
    click.Option(["--dry-run"], is_flag=True, help="Send nothing; show the request."),
    click.Option(["--curl"], is_flag=True, help="Send nothing; show the curl command for the request."),
    click.Option(["--auth"], multiple=True, metavar="SCHEME=env:VAR", help=_AUTH_HELP),
    click.Option(["--anonymous"], is_flag=True, help="Send no credentials, even if the document requires them."),
    click.Option(["--header", "-H"], multiple=True, metavar="NAME:VALUE", help=_HEADER_HELP),
    click.Option(["--server"], multiple=True, help="A server's index, name or URL, or its VARIABLE=VALUE."),
    click.Option(["--base-url"], help="The base URL, instead of the document's servers."),
    click.Option(["--proxy"], metavar="URL", help="The proxy, or environment for that of HTTPS_PROXY and NO_PROXY."),
    click.Option(["--timeout"], type=Seconds(), help="The time limit of the call: seconds, or such as 90s or 10m."),
    click.Option(["--retries"], type=click.IntRange(0), help="The number of retries."),
    click.Option(["--rate"], metavar="N/TIME", help="A rate limit, such as 50/s or 600/m; or auto."),
    click.Option(["--validate"], type=click.Choice(_MODES), help="Validation of the call.  [strict]"),
    click.Option(["--profile", "-p"], help="The profile of an API by short name.  [DYNCLIENT_PROFILE]"),
    colour_option(),
)


def shared_options(*names: str) -> Callable[[Decorated], Decorated]:
    """Add the options of these names, for other commands that make calls."""
    return with_options(*(option for option in SHARED_OPTIONS if option.name in names))


class ValueType(click.ParamType):  # type: ignore[type-arg]  # it is generic in some of click's versions only
    """The click type of an argument: its value stays text until the call is made."""

    name = "value"

    def __init__(self, argument: Argument) -> None:
        """Take the argument, whose schema names its type and its values."""
        seen = shape(argument.schema) if argument.schema is not None else None
        enum = (seen.enum if seen is not None else None) or ()
        self.values = [str(one).lower() if isinstance(one, bool) else str(one) for one in enum if one is not None]
        types = sorted(seen.types - {"null"}) if seen is not None else []
        if not self.values and types == ["boolean"]:
            self.values = ["true", "false"]
        choices = "|".join(self.values)
        type_name = types[0].upper() if len(types) == 1 and types[0] != "string" else "TEXT"
        self.metavar = escaped(f"[{choices}]") if choices and len(choices) <= _LONGEST_CHOICE else type_name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The values of an enum; a file after ``@``."""
        del ctx, param
        if incomplete.startswith("@"):
            return [CompletionItem(incomplete, type="file")]
        # A line break would begin another proposal, and an empty line be none.
        found = (value for value in self.values if value and value.isprintable())
        return [CompletionItem(value) for value in found if value.startswith(incomplete)]


class Positional(click.Argument):
    """A required parameter with a help text, which click's arguments lack."""

    def __init__(self, names: list[str], help_text: str, **given: Any) -> None:
        """Take the names, the text, and the other arguments of ``click.Argument``."""
        super().__init__(names, **given)
        self._help_text = help_text

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """The name and the text."""
        del ctx
        return self.metavar or "", self._help_text


def parameter_key(index: int) -> str:
    """The name of an argument among those of click."""
    return f"argument_{index}"


def option_flags(operation: Operation) -> dict[str, tuple[str, bool]]:
    """The options of an operation's arguments, by their names, and whether they may be repeated.

    One that has the name of an option of every operation begins with ``--parameter-`` or ``--property-``.
    """
    taken = {flag for option in SHARED_OPTIONS for flag in option.opts} | {"--help"}
    found: dict[str, tuple[str, bool]] = {}
    for argument in arguments(operation):
        if argument.kind == "body" or (argument.kind == "parameter" and argument.required):
            continue
        flag = "--" + argument.name.strip("_").replace("_", "-")
        while flag in taken:
            flag = f"--{argument.kind}-{flag[2:]}"
        taken.add(flag)
        found[argument.name] = flag, argument.schema is not None and "array" in shape(argument.schema).types
    return found


def argument_help(argument: Argument) -> str:
    """The help text of an argument."""
    bounds = "; ".join(constraints(argument.schema))
    marks = f"({bounds}) " * bool(bounds) + "Deprecated. " * argument.deprecated + "[required]" * argument.required
    return escaped(plain_line(" ".join(f"{argument.description} {marks}".split())))


def given_arguments(
    operation: Operation, given: Mapping[str, Any]
) -> tuple[dict[tuple[str, str], Any], dict[str, Any]]:
    """The parameters by location and wire name, and the properties of the body that have options of their own."""
    parameters: dict[tuple[str, str], Any] = {}
    properties: dict[str, Any] = {}
    for index, argument in enumerate(arguments(operation)):
        text = given.get(parameter_key(index))
        if text is None or text == ():
            continue
        if argument.kind == "parameter":
            parameters[argument.in_, argument.wire] = argument_value(argument, text)
        else:
            properties[argument.wire] = argument_value(argument, text)
    return parameters, properties


def given_body(operation: Operation | None, given: Mapping[str, Any], fields: dict[str, Any]) -> Any:
    """The body that the command line gives by words, whole, or by its fields; ``...`` without one.

    Raises:
        UsageError: it is given in several ways.
    """
    text, words = given["body_text"], given.get("body_words") or ()
    known = arguments(operation) if operation is not None else ()
    named = next((one for one in known if one.kind == "property" and "body" in {one.name, one.wire}), None)
    if named is not None and text is not None and text != "-" and text.lstrip()[:1] not in {"{", "[", "@"}:
        # As in a call, a string for a body that has a property `body` is the value of that property.
        fields[named.wire], text = argument_value(named, text), None
    fields |= body_fields(operation, given["body_field"], "--body-field")
    if sum(map(bool, (words, fields, text is not None))) > 1:
        raise click.UsageError(
            "give words, the whole body with --body, or its fields: the body in only one of these ways"
        )
    if words:
        return body_words(operation, words, given["content_type"])
    return whole_body(operation, text, given["content_type"]) if text is not None else fields or ...
