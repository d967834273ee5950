"""Serialize plain values as text and read them back, by the table of styles.

A row of :data:`STYLES` is an expression of RFC 6570 (3.2.1) as data, with OpenAPI's delimiters added. With ``explode``
the items of an array and the pairs of an object are joined by ``separator``; without it, by ``delimiter``. Each
location has an :class:`Escaping`: percent-encoding, form encoding, or none. To add a style, add a row for each location
that has it, and its name to the reader of parameters (``_readers``).

Rule 1: a value becomes pairs of a name and a text (the name is None where the style writes none), and these are joined.
Rule 2: values that RFC 6570 (2.3) calls undefined are left out: None within an array or an object, and an array or an
object with nothing defined in it. None as the whole value is written as in the specification's table of styles.
Rule 3: a text that the other side would read differently is an error.
Rule 4: reading splits first and decodes afterwards, so that an encoded delimiter stays within its value. Scalars stay
text; a schema converts them (``_schemas.typed``). Reading never raises for what arrives: a parameter that is missing is
:data:`MISSING`, and a malformed one is read as far as possible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import cache, lru_cache
from typing import Any, Literal, NoReturn
from urllib.parse import unquote, unquote_plus

from dynclient._deferred import expression
from dynclient._json_types import decimal_text, is_decimal
from dynclient._records import Record
from dynclient.exceptions import ArgumentError, InvalidDocument
from dynclient.json_pointer import MISSING

Pair = tuple["str | None", str]
Kind = Literal["primitive", "array", "object"]

MAX_DEPTH = 64
_TRIPLE = expression(r"(%[0-9A-Fa-f]{2})")
# RFC 3986, 2.3: these are never encoded. Most texts have no others.
_UNRESERVED = expression(r"[A-Za-z0-9_.~-]*")
_EXACT_INTEGERS = 2**53
_LONGEST_PLAIN = 1e21
_SHORTEST_PLAIN = 1e-6


def scalar(value: Any) -> str:
    """Write a scalar as JSON does, but a string without quotes, and None as the empty string.

    Raises:
        ValueError: it is not a scalar, not finite, or an integer too long to write.
    """
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _float(value)
    if is_decimal(value):
        return decimal_text(value)
    kind = "an object" if isinstance(value, dict) else "an array" if isinstance(value, list) else type(value).__name__
    raise ValueError(f"has {kind} within its value, where only text, numbers, booleans and null can be written")


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        raise ValueError("has more digits than Python converts to text") from None


def _float(value: float) -> str:
    # ECMA-262, Number::toString: the shortest digits that read back, plain from 1e-6 up to 1e21.
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - only NaN differs from itself
        raise ValueError("is NaN or infinite")
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    text = float.__repr__(value)
    if "e" not in text:
        return text
    if _SHORTEST_PLAIN <= abs(value) < _LONGEST_PLAIN:
        from decimal import Decimal

        return format(Decimal(text), "f")
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"


class Escaping(Record):
    """How one location encodes a text, and decodes it again.

    ``write`` takes the text and the reserved characters to keep, or None to encode everything but unreserved ones. It
    raises ValueError for a text that is not possible in the location; the message never shows the value.
    """

    write: Callable[[str, str | None], str]
    read: Callable[[str], str]


def _is_unreserved(text: str) -> bool:
    # Letters and digits are most texts.
    return (text.isalnum() and text.isascii()) or _UNRESERVED.fullmatch(text) is not None


def _percent(text: str, keep: str | None) -> str:
    return text if _is_unreserved(text) else _encoded(text, keep or "")


def _encoded(text: str, keep: str) -> str:
    """Percent-encode everything but unreserved characters and those to keep (RFC 3986, 2.1 and 2.3)."""
    if not text.isascii():
        text = text.encode("utf-8").decode("latin-1")
    return text.translate(_triples(keep))


@cache
def _triples(keep: str) -> dict[int, str]:
    """Byte -> its percent-encoded triple, for bytes to encode. Cached: few sets of characters to keep are in use."""
    return {byte: f"%{byte:02X}" for byte in range(256) if chr(byte) not in keep and not _is_unreserved(chr(byte))}


def _with_triples(text: str, keep: str | None) -> str:
    if _is_unreserved(text):
        return text
    # OAS 3.1.1, allowReserved: percent-encoded triples pass through unchanged, any other % does not.
    if keep is None:
        return _encoded(text, "")
    return "".join(part if _TRIPLE.fullmatch(part) else _encoded(part, keep) for part in _TRIPLE.split(text))


def _form(text: str, keep: str | None) -> str:
    # OAS 3.2, URL Percent-Encoding: in a form, ~ is encoded too; WHATWG URL, 5: a space is +.
    return _with_triples(text, keep).replace("%20", "+").replace("~", "%7E")


def _header(text: str, _: str | None) -> str:
    # RFC 9110, 5.5: CR, LF and NUL are dangerous; other control characters except the tab are not allowed either.
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
        raise ValueError("has a control character, such as a line break, which would break the header")
    if any(ord(character) > 255 for character in text):  # noqa: PLR2004 - the end of latin-1
        raise ValueError("has a character outside latin-1, which a header can't have: escape it first")
    return text


def _cookie(text: str, _: str | None) -> str:
    # OAS 3.2, Style Values, cookie: no escaping is applied. RFC 6265, 4.1.1: the characters of a cookie's value.
    if not text.isascii() or re.search(r"[\x00-\x1f\x7f;]", text):
        raise ValueError(
            "has a semicolon, a control character or non-ASCII, which a cookie can't have: escape it first"
        )
    return text


def _as_is(text: str, _: str | None = None) -> str:
    return text


PERCENT = Escaping(_percent, unquote)
QUERY = Escaping(_with_triples, unquote_plus)
FORM = Escaping(_form, unquote_plus)
HEADER = Escaping(_header, str.strip)
COOKIE = Escaping(_with_triples, unquote)
RAW_COOKIE = Escaping(_cookie, _as_is)
RAW = Escaping(_as_is, _as_is)


class Delimiter(Record):
    """The delimiter between items without ``explode``: as written, and the pattern that splits at it when reading.

    ``guard`` is a character that no item may have: it would be written exactly like the delimiter.
    """

    text: str
    cut: re.Pattern[str]
    guard: str = ""


COMMA = Delimiter(",", expression(","))
# OAS 3.2, appendix E: these have to be percent-encoded even as delimiters, so a value can't have them.
SPACE = Delimiter("%20", expression(r"%20|[+ ]"), " ")
PIPE = Delimiter("%7C", expression(r"%7[Cc]|\|"), "|")
TAB = Delimiter("%09", expression(r"%09|\t"), "\t")
# In a header, a raw cookie and a part of a form nothing is encoded.
PLAIN_COMMA = Delimiter(",", expression(","), ",")
PLAIN_SPACE = Delimiter(" ", expression(" "), " ")
PLAIN_PIPE = Delimiter("|", expression(r"\|"), "|")
PLAIN_TAB = Delimiter("\t", expression("\t"), "\t")


class Style(Record):
    """One row of the table: how parameters of a location and a style are written.

    ``first`` is written before everything. ``named`` writes the parameter's name before its value; ``bare`` leaves out
    the ``=`` where the value is empty. ``reserved`` are the characters that ``allowReserved`` keeps. ``deep`` is true
    of deepObject alone.
    """

    escaping: Escaping
    separator: str
    first: str = ""
    named: bool = False
    bare: bool = False
    delimiter: Delimiter = COMMA
    reserved: str = ""
    deep: bool = False


# RFC 3986, 3.3 and 3.4: the characters of a path segment and of a query. Of those, a query that is a form keeps neither
# & nor + (WHATWG URL, 5), and # [ ] are not allowed in it at all.
_IN_PATH = "@:!$&'()*+"
_IN_QUERY = ":/?@!$'()*,;="
# RFC 6265, 4.1.1: a cookie's value has no comma and no semicolon.
_IN_COOKIE = ":/?#[]@!$&'()*+="

_PATH_SIMPLE = Style(PERCENT, ",", reserved=_IN_PATH + ",;=")
_LABEL = Style(PERCENT, ".", first=".", reserved=_IN_PATH)
_MATRIX = Style(PERCENT, ";", first=";", named=True, bare=True, reserved=_IN_PATH)
_QUERY = Style(QUERY, "&", named=True, reserved=_IN_QUERY)
_FORM = Style(FORM, "&", named=True, reserved=_IN_QUERY)
_HEADER = Style(HEADER, ",", delimiter=PLAIN_COMMA)
_COOKIE = Style(COOKIE, "; ", named=True, reserved=_IN_COOKIE)
_FIELD = Style(RAW, "&", named=True, delimiter=PLAIN_COMMA)

# OAS 2.0, Parameter Object, collectionFormat: ssv, pipes and tsv are for any location.
STYLES: dict[tuple[str, str], Style] = {
    ("path", "matrix"): _MATRIX,
    ("path", "label"): _LABEL,
    ("path", "simple"): _PATH_SIMPLE,
    ("path", "spaceDelimited"): _PATH_SIMPLE._replace(delimiter=SPACE),
    ("path", "pipeDelimited"): _PATH_SIMPLE._replace(delimiter=PIPE),
    ("path", "tabDelimited"): _PATH_SIMPLE._replace(delimiter=TAB),
    ("query", "form"): _QUERY,
    ("query", "spaceDelimited"): _QUERY._replace(delimiter=SPACE),
    ("query", "pipeDelimited"): _QUERY._replace(delimiter=PIPE),
    ("query", "tabDelimited"): _QUERY._replace(delimiter=TAB),
    ("query", "deepObject"): _QUERY._replace(deep=True),
    ("form", "form"): _FORM,
    ("form", "spaceDelimited"): _FORM._replace(delimiter=SPACE),
    ("form", "pipeDelimited"): _FORM._replace(delimiter=PIPE),
    ("form", "tabDelimited"): _FORM._replace(delimiter=TAB),
    ("form", "deepObject"): _FORM._replace(deep=True),
    ("header", "simple"): _HEADER,
    ("header", "spaceDelimited"): _HEADER._replace(delimiter=PLAIN_SPACE),
    ("header", "pipeDelimited"): _HEADER._replace(delimiter=PLAIN_PIPE),
    ("header", "tabDelimited"): _HEADER._replace(delimiter=PLAIN_TAB),
    # OAS 3.2, Serialization and Examples: for cookies, neither & nor ? are ever correct.
    ("cookie", "form"): _COOKIE,
    ("cookie", "cookie"): _COOKIE._replace(escaping=RAW_COOKIE, delimiter=PLAIN_COMMA),
    # OAS 3.2, Encoding Object: in multipart/form-data a name and a value are written as they are.
    ("field", "form"): _FIELD,
    ("field", "spaceDelimited"): _FIELD._replace(delimiter=PLAIN_SPACE),
    ("field", "pipeDelimited"): _FIELD._replace(delimiter=PLAIN_PIPE),
    ("field", "tabDelimited"): _FIELD._replace(delimiter=PLAIN_TAB),
    ("field", "deepObject"): _FIELD._replace(deep=True),
}


# -- writing -----------------------------------------------------------------------------------------------------------


def serialize(
    value: Any,
    *,
    name: str,
    in_: str,
    style: str,
    explode: bool,
    allow_reserved: bool = False,
    allow_empty: bool = False,
) -> str:
    """Write a parameter: for a path its segment, for a query or form ``a=1&a=2``, for a cookie ``a=1; b=2``.

    The text is percent-encoded where its location requires that, ready to send. It is empty if nothing is to be sent.
    ``allow_empty`` sends an empty array or object in a query as an empty text, and lets a path value be empty.

    Raises:
        ArgumentError: the style or the location can't write the value.
        InvalidDocument: the location has no such style.
    """
    row = STYLES.get((in_, style)) or _no_style(in_, style)
    keep = row.reserved if allow_reserved else None
    try:
        if row.deep or isinstance(value, (list, dict)):
            pairs = _pairs(row, value, name, explode=explode, keep=keep)
            if not pairs and allow_empty:
                # OAS 3.1.1, allowEmptyValue: a zero-length string in place of parameters that would be omitted.
                pairs = [(row.escaping.write(name, None), "")]
            text = _joined(row, pairs)
        else:
            key = _name(row.escaping.write, name) if row.named else None
            text = row.first + _pair(row, key, _text(row, value, keep))
    except ValueError as error:
        raise _refused(in_, name, error) from None
    if in_ == "path" and text in _NOT_A_SEGMENT and (text or not allow_empty):
        # RFC 3986, 5.2.4: dots are removed together with the segment before them, and an empty one changes the path.
        hint = "" if text else "if the server has an empty segment there, pass validate='off' to with_options"
        raise ArgumentError(
            f"path parameter {name!r} is {_NOT_A_SEGMENT[text]}, which would change the path", argument=name, hint=hint
        )
    return text


def fields(value: Any, *, name: str, style: str = "form", explode: bool = True) -> list[tuple[str, str]]:
    """Write a property of a multipart/form-data body: pairs of a part's name and its text, not encoded.

    Raises:
        ArgumentError: the style can't write the value.
        InvalidDocument: there is no such style.
    """
    row = STYLES.get(("field", style)) or _no_style("field", style)
    try:
        pairs = _pairs(row, value, name, explode=explode, keep=None)
    except ValueError as error:
        raise _refused("form", name, error) from None
    return [(key or name, text) for key, text in pairs]


class _Ambiguous(ValueError):
    """An item contains its delimiter."""


_AS_IT_IS = {
    "header": "with_options(headers={name: text}) sends a text as it is",
    "cookie": "with_options(headers={'Cookie': text}) sends a text as it is",
    "query": "with_options(query={name: text}) sends your own text",
}
_DELIMITERS = {",": "a comma", " ": "a space", "|": "a vertical bar", "\t": "a tab"}
_NOT_A_SEGMENT = {"": "empty", ".": "a dot segment", "..": "a dot segment"}


def _no_style(in_: str, style: str) -> NoReturn:
    raise InvalidDocument(f"a parameter in {in_} can't have the style {style!r}")


def _refused(in_: str, name: str, error: ValueError) -> ArgumentError:
    why = "has a lone surrogate, which is not Unicode text" if isinstance(error, UnicodeError) else str(error)
    hint = "" if "control character, such" in str(error) else _AS_IT_IS.get(in_, "")
    if isinstance(error, _Ambiguous):
        first = "encode the items first, in the way that the server decodes them"
        hint = f"{first}; {hint}" if hint else first
    return ArgumentError(f"{in_} parameter {name!r} {why}", argument=name, hint=hint)


def _pairs(row: Style, value: Any, name: str, *, explode: bool, keep: str | None) -> list[Pair]:
    """Make the pairs of a value; empty where it is undefined."""
    if row.deep:
        return _deep_pairs(row, value, name, keep)
    key = _name(row.escaping.write, name) if row.named else None
    if not isinstance(value, (list, dict)):
        return [(key, _text(row, value, keep))]
    between = row.separator if explode else row.delimiter.text
    if keep is not None:
        # The separator has to be encoded within a member.
        keep = keep.replace(between, "")
    guard = row.delimiter.guard if not explode or between == row.delimiter.guard else ""
    if isinstance(value, list):
        texts = [_text(row, item, keep, guard) for item in value if item is not None]
        if explode:
            return [(key, text) for text in texts]
    else:
        defined = [(member, item) for member, item in value.items() if item is not None]
        members = [(_text(row, member, None, guard), _text(row, item, keep, guard)) for member, item in defined]
        if explode:
            return list(members)
        texts = [text for member in members for text in member]
    return [(key, between.join(texts))] if texts else []


@lru_cache(maxsize=1024)
def _name(write: Callable[[str, str | None], str], name: str) -> str:
    """A parameter's name as written. Cached, since it is the same in each call."""
    return write(name, None)


def _text(row: Style, value: Any, keep: str | None, guard: str = "") -> str:
    """Write one scalar; it may not have the delimiter's own character, which would be encoded exactly like it."""
    text = scalar(value)
    if guard and guard in text:
        raise _Ambiguous(f"has {_DELIMITERS[guard]} within an item, and the style separates items by it")
    return row.escaping.write(text, keep)


def _joined(row: Style, pairs: list[Pair]) -> str:
    if not pairs:
        return ""
    return row.first + row.separator.join([_pair(row, key, text) for key, text in pairs])


def _pair(row: Style, key: str | None, text: str) -> str:
    if key is None:
        return text
    if "=" in key:
        raise ValueError("has = in a name, which its location can't encode")
    return key if row.bare and not text else f"{key}={text}"


# -- deepObject --------------------------------------------------------------------------------------------------------


def _deep_pairs(row: Style, value: Any, name: str, keep: str | None) -> list[Pair]:
    # OAS 3.1.1, Style Values: deepObject is defined for objects with scalar properties. For what is nested further,
    # this is what servers agree on most: a[b][c]=1, an array's items by repeating a[b]=1&a[b]=2, and by their index
    # where they are objects or arrays themselves, or where the whole value is an array: a[0]=1. A scalar, where the
    # schema allows one as well as an object, is a=1.
    if value is None:
        return []
    members = _deep_members(value, name, 1)
    return [(row.escaping.write(key, None), row.escaping.write(scalar(item), keep)) for key, item in members]


def _deep_members(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for key, item in value.items():
            if "[" in key or "]" in key:
                raise ValueError("has a property with a bracket in its name, which the style deepObject can't write")
            repeated = isinstance(item, list) and not any(isinstance(part, dict | list) for part in item)
            for part in item if repeated else [item]:
                yield from _deep_members(part, f"{prefix}[{key}]", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _deep_members(item, f"{prefix}[{index}]", depth + 1)
    elif value is not None:
        yield prefix, value


# -- reading -----------------------------------------------------------------------------------------------------------


def deserialize(
    text: str | None,
    *,
    name: str,
    in_: str,
    style: str,
    explode: bool,
    kind: Kind,
    properties: Collection[str] = (),
    others: Collection[str] = (),
) -> Any:
    """Read a parameter: a str, a list or dict of str, or :data:`MISSING`.

    ``text`` is the whole query, form or Cookie header, or the parameter's own text; None stands for no text.
    ``properties`` are the names of an exploded object's properties, which are mixed with other parameters; without them
    every pair is taken, except for those of ``others``, the names of other parameters.

    Raises:
        InvalidDocument: the location has no such style.
    """
    row = STYLES.get((in_, style)) or _no_style(in_, style)
    if text is None:
        return MISSING
    if row.deep:
        return _deep(row, text, name, kind)
    if row.named:
        if explode and kind == "object":
            return {
                key: row.escaping.read(value)
                for key, value in _raw_pairs(row, text)
                if (key in properties if properties else key.partition("[")[0] not in others)
            } or MISSING
        return _named(row, text, name, explode=explode, kind=kind)
    text = text.removeprefix(row.first)
    if not text and kind != "primitive":
        return [] if kind == "array" else {}
    return _read(row, text, explode=explode, kind=kind)


def _named(row: Style, text: str, name: str, *, explode: bool, kind: Kind) -> Any:
    """Read a parameter from pairs of name and value."""
    values = [value for key, value in _raw_pairs(row, text) if key == name]
    if not values:
        return MISSING
    if explode and kind == "array":
        return [row.escaping.read(value) for value in values]
    return _read(row, values[0], explode=False, kind=kind)


def _read(row: Style, text: str, *, explode: bool, kind: Kind) -> Any:
    """Read the text of one parameter."""
    if kind == "primitive":
        return row.escaping.read(text)
    parts = text.split(row.separator) if explode else row.delimiter.cut.split(text)
    if kind == "array":
        return [row.escaping.read(part) for part in parts]
    alternating = zip(parts[::2], [*parts[1::2], ""], strict=False)
    pairs = [part.partition("=")[::2] for part in parts] if explode else alternating
    return {row.escaping.read(key): row.escaping.read(value) for key, value in pairs}


def _raw_pairs(row: Style, text: str) -> list[tuple[str, str]]:
    """Split into pairs of a decoded name and a value that is still encoded."""
    parts = (
        text.removeprefix("?").split(row.separator.strip()) if row.separator == "&" else text.split(row.separator[0])
    )
    pairs = [part.strip(" \t").partition("=") for part in parts]
    return [(row.escaping.read(key), value) for key, equals, value in pairs if key or equals]


def _deep(row: Style, text: str, name: str, kind: Kind) -> Any:
    tree: dict[str, Any] = {}
    for key, value in _raw_pairs(row, text):
        if key == name and kind == "primitive" and not tree:
            return row.escaping.read(value)
        steps = _steps(key, name)
        if steps:
            _put(tree, steps, row.escaping.read(value))
    return _with_lists(tree) if tree else MISSING


def _steps(key: str, name: str) -> list[str]:
    """The path in a key: ``a[b][c]`` -> b, c; empty for another parameter's key."""
    rest = key.removeprefix(name) if key.startswith(f"{name}[") else ""
    if not rest or not re.fullmatch(r"(?:\[[^\[\]]*\])+", rest) or rest.count("[") > MAX_DEPTH:
        return []
    return rest[1:-1].split("][")


def _put(tree: dict[str, Any], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return  # a[b]=1 and a[b][c]=2 contradict each other: the first one counts
        tree = inner
    last = steps[-1]
    if last == "":
        last = str(len(tree))
    before = tree.get(last)
    if before is None:
        tree[last] = value
    elif isinstance(before, list):
        before.append(value)
    elif isinstance(before, str):
        tree[last] = [before, value]


def _with_lists(value: Any) -> Any:
    """Make lists of dicts with the keys 0, 1, 2, …; a single ``a[b]=1`` stays text, for the schema to type."""
    if not isinstance(value, dict):
        return value
    members = {key: _with_lists(item) for key, item in value.items()}
    if all(key == str(index) for index, key in enumerate(members)):
        return list(members.values())
    return members
