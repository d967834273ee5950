"""The operation that a received request, or the URL in a response, is for; and checks of the request against it.

Rule 1: a path with fewer templates takes precedence (OAS 3.1.1, Paths Object: concrete before templated).
Rule 2: paths match with the base path of the document's servers, and without it.
Rule 3: paths that differ only in the names of their templates or in their queries are all found; the caller tries each.
Rule 4: values stay percent-encoded, so that an encoded slash stays in its segment. werkzeug's router finds only one
rule for a path (rule 3 needs all), and its variables must have Python identifiers as names.

Rule 5: every fault of parameters, headers and body is found before a request is refused.
Rule 6: parameters and headers that the document does not name are ignored, as in HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

from dynclient import codecs, model
from dynclient._negotiation import match
from dynclient._records import Record
from dynclient._schemas import branches, is_binary, typed
from dynclient._styles import deserialize
from dynclient._validation import body_faults, validator
from dynclient.exceptions import DocumentError, DynclientError, Fault
from dynclient.inspection.arguments import may_be_empty
from dynclient.json_pointer import MISSING
from dynclient.media_types import OCTETS
from dynclient.messages import Request
from dynclient.options import Limits

_TEMPLATE = re.compile(r"\{([^{}]+)\}")
_ENCODED = re.compile("%([0-9A-Fa-f]{2})")
_LITERAL_SAFE = "/:@!$&'()*+,;=~-._"


class HTTPError(Exception):
    """A request that is answered with an error: its status, one sentence, every fault, and headers."""

    def __init__(
        self, status: int, detail: str, *, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    @property
    def message(self) -> str:
        """The sentence and all the faults, in one line."""
        return "; ".join([self.detail, *(str(fault) for fault in self.faults)])


class Match(Record):
    """An operation, the path without the server's base, and the texts of its templates, percent-encoded."""

    row: model.OperationRow
    path: str
    texts: dict[str, str]


Literals = tuple[tuple[str, ...], ...]
"""The texts around the templates of a segment, one more than it has templates, each in the forms that it may have."""


class Route(Record):
    """A path with its operations by method."""

    template: str
    segments: tuple[Literals, ...]
    names: tuple[str, ...]
    rank: tuple[int, ...]
    rows: dict[str, list[model.OperationRow]]


class Router:
    """Finds the operation for a method and a path."""

    def __init__(self, api: model.API) -> None:
        """Take the operations of a document; servers of single operations are read when nothing else matches."""
        self._api = api
        by_path: dict[str, dict[str, list[model.OperationRow]]] = {}
        for row in api.rows:
            by_path.setdefault(bare(row.path), {}).setdefault(row.method, []).append(row)
        self.routes = {template: _route(template, rows) for template, rows in by_path.items()}
        self._by_length: dict[int, list[Route]] = {}
        for route in sorted(self.routes.values(), key=lambda route: route.rank):
            self._by_length.setdefault(route.template.count("/"), []).append(route)
        self._bases = _bases(api.servers)
        self._has_all_bases = False

    def find(self, method: str, path: str, query: str = "") -> list[Match]:
        """Find the operations that a request may be for, usually one, in the document's order.

        Raises:
            HTTPError: 404 where no path matches, 405 (with Allow) where no matching path has the method.
        """
        found: list[Match] = []
        allowed: set[str] = set()
        rank: tuple[int, ...] | None = None
        # RFC 3986, 6.2.2.2: characters that need no percent-encoding are the same without it.
        path = _ENCODED.sub(_unreserved, path)
        for route, rest, texts in self._matches(path):
            allowed.update(route.rows)
            rows = route.rows.get(method) or (route.rows.get("GET", []) if method == "HEAD" else [])
            if rows and rank in {None, route.rank}:
                rank = route.rank
                named = dict(zip(route.names, texts, strict=True))
                found += [Match(row, rest, named) for row in rows if _has_query(row.path, query)]
        if found:
            return found
        if not allowed or method in allowed:
            raise HTTPError(404, f"the document has no path for {path}")
        allow = sorted({*allowed, "OPTIONS", *(["HEAD"] if "GET" in allowed else [])})
        raise HTTPError(405, f"{path} has no {method}", headers={"Allow": ", ".join(allow)})

    def _matches(self, path: str) -> Iterator[tuple[Route, str, tuple[str, ...]]]:
        found = False
        parts = path.split("/")
        bases = (len(base) for base in self._bases if _values(base, parts[: len(base)], least=0) is not None)
        for rest in (path, *("/" + "/".join(parts[length:]) for length in bases)):
            for route in self._by_length.get(rest.count("/"), ()):
                texts = _values(route.segments, rest.split("/"))
                if texts is None:
                    texts = _values(route.segments, rest.split("/"), least=0)
                    if texts is None or not self._may_be_empty(route, texts):
                        continue
                found = True
                yield route, rest, texts
        if not found and not self._has_all_bases:
            self._has_all_bases = True
            self._bases += _bases(server for row in self._api.rows for server in self._servers(row))
            yield from self._matches(path)

    def _may_be_empty(self, route: Route, texts: tuple[str, ...]) -> bool:
        """Whether the document shows that the templates without a text may be empty."""
        empty = {name for name, text in zip(route.names, texts, strict=True) if not text}
        for row in (row for rows in route.rows.values() for row in rows):
            with suppress(DocumentError):
                parameters = self._api.read(row).parameters
                if empty <= {one.name for one in parameters if one.in_ == "path" and may_be_empty(one)}:
                    return True
        return False

    def _servers(self, row: model.OperationRow) -> tuple[model.Server, ...]:
        try:
            return self._api.read(row).servers
        except DocumentError:
            return ()


def path_texts(template: str, path: str) -> dict[str, str]:
    """The texts of a path template in the path of a URL, percent-encoded; empty if it does not match."""
    route = _route(bare(template), {})
    texts = _values(route.segments, ["", *path.split("/")[-len(route.segments) + 1 :]], least=0)
    return dict(zip(route.names, texts or (), strict=False))


def _unreserved(encoded: re.Match[str]) -> str:
    character = chr(int(encoded[1], 16))
    return character if character.isascii() and (character.isalnum() or character in "-._~") else encoded[0]


def bare(path: str) -> str:
    """A path key without the query or fragment that some documents add to it to distinguish operations."""
    return path.partition("#")[0].partition("?")[0]


def _has_query(path: str, query: str) -> bool:
    """Whether a request has the query that its path key ends with, if any."""
    fixed = path.partition("#")[0].partition("?")[2]
    return not fixed or set(fixed.split("&")) <= set(query.split("&"))


def _route(template: str, rows: dict[str, list[model.OperationRow]]) -> Route:
    rank = tuple(
        0 if not _TEMPLATE.search(segment) else 2 if _TEMPLATE.fullmatch(segment) else 1
        for segment in template.split("/")
    )
    return Route(template, _segments(template), tuple(_TEMPLATE.findall(template)), rank, rows)


def _segments(template: str) -> tuple[Literals, ...]:
    return tuple(tuple(map(_spellings, _TEMPLATE.split(segment)[::2])) for segment in template.split("/"))


def _spellings(text: str) -> tuple[str, ...]:
    """A literal of a path as the document writes it, and percent-encoded."""
    return tuple(dict.fromkeys((text, quote(text, safe=_LITERAL_SAFE, errors="surrogatepass"))))


def _values(segments: tuple[Literals, ...], parts: list[str], least: int = 1) -> tuple[str, ...] | None:
    """The texts of the templates, each at least so long, if the parts of a path match."""
    if len(parts) != len(segments):
        return None
    found: list[str] = []
    for literals, part in zip(segments, parts, strict=True):
        values = _values_in_segment(literals, part, least)
        if values is None:
            return None
        found += values
    return tuple(found)


def _values_in_segment(literals: Literals, text: str, least: int) -> list[str] | None:
    """Match from the end, so that each literal is found once: the first template takes as much as it can."""
    first, *between = literals
    if not between:
        return [] if text in first else None
    start = next((len(form) for form in first if text.startswith(form)), None)
    stop = next((len(text) - len(form) for form in between.pop() if text.endswith(form)), None)
    if start is None or stop is None:
        return None
    values: list[str] = []
    for forms in reversed(between):
        at, form = max((text.rfind(form, start + least, max(stop - least, 0)), form) for form in forms)
        if at < 0:
            return None
        values.append(text[at + len(form) : stop])
        stop = at
    return [text[start:stop], *reversed(values)] if stop - start >= least else None


def _bases(servers: Iterable[model.Server]) -> tuple[tuple[Literals, ...], ...]:
    paths = dict.fromkeys(_base_path(server.url) for server in servers)
    return tuple(_segments(path) for path in paths if path)


def _base_path(url: str) -> str:
    rest = url.partition("://")[2]
    path = "/" + rest.partition("/")[2] if rest else urlsplit(url).path
    return path.rstrip("/")


# OAS 3.1.1, Parameter Object: header parameters of these names are ignored.
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})

Kind = Literal["primitive", "array", "object"]


class RequestValues(Record):
    """The plain values of a request: parameters by location and name, and the body, None if there is none."""

    parameters: Mapping[tuple[str, str], Any]
    body: Any = None


def check_request(
    operation: model.Operation, texts: Mapping[str, str], request: Request, limits: Limits, *, strict: bool = True
) -> RequestValues:
    """Read parameters and body, and validate them against the document.

    ``texts`` are the path's parameters by name, percent-encoded. Unless ``strict``, nothing is refused, and as much as
    possible is read.

    Raises:
        HTTPError: 400 with every fault, or 415.
    """
    parameters: dict[tuple[str, str], Any] = {}
    faults: list[Fault] = []
    for parameter in _read_parameters(operation):
        value, found = _parameter(operation, parameter, texts, request, limits)
        faults += found
        if value is not MISSING:
            parameters[parameter.in_, parameter.name] = value
    try:
        body, found = _body(operation, request, limits)
    except HTTPError:
        if strict:
            raise
        body, found = None, []
    faults += found
    if faults and strict:
        raise HTTPError(400, "the request violates the document", faults=faults)
    return RequestValues(parameters, body)


def used_parameters(operation: model.Operation, request: Request) -> list[str]:
    """The documented parameters that a request has, as location and name; those of its path are always present."""
    used = []
    for parameter in _read_parameters(operation):
        text = _text(parameter, {parameter.name: ""}, request)
        with suppress(DynclientError):  # what can't be read is present
            if text is None or (parameter.in_ != "path" and _value(operation, parameter, text, Limits()) is MISSING):
                continue
        used.append(f"{parameter.in_} {parameter.name}")
    return used


def _read_parameters(operation: model.Operation) -> list[model.Parameter]:
    """The parameters that are read: all but headers that OpenAPI ignores."""
    return [one for one in operation.parameters if one.in_ != "header" or one.name.lower() not in IGNORED_HEADERS]


def _text(parameter: model.Parameter, texts: Mapping[str, str], request: Request) -> str | None:
    """The text of a parameter's location, which may lack the parameter; None if the location itself is absent."""
    query = urlsplit(request.url).query
    found: dict[str, str | None] = {
        "path": texts.get(parameter.name),
        "query": query,
        "querystring": query or None,
        "header": request.headers.get(parameter.name),
        "cookie": request.headers.get("cookie"),
    }
    return found[parameter.in_]


def _parameter(
    operation: model.Operation, parameter: model.Parameter, texts: Mapping[str, str], request: Request, limits: Limits
) -> tuple[Any, list[Fault]]:
    path = f"{parameter.in_}.{parameter.name}"
    text = _text(parameter, texts, request)
    try:
        value = MISSING if text is None else _value(operation, parameter, text, limits)
    except DynclientError as error:
        return MISSING, [Fault(path, error.message)]
    if value is MISSING:
        return MISSING, [Fault(path, "is required", "required")] if parameter.required else []
    schema = parameter.schema or (parameter.media_type.schema if parameter.media_type is not None else None)
    if schema is None or (value == "" and parameter.allow_empty):
        return value, []
    return value, validator(schema, "request", limits=limits).faults(value, path=path)


def _value(operation: model.Operation, parameter: model.Parameter, text: str, limits: Limits) -> Any:
    if parameter.media_type is not None:
        written: str | None = text
        if parameter.in_ == "path":
            written = unquote(text)
        elif parameter.in_ in {"query", "cookie"}:
            written = first_value(text, parameter.name, "; " if parameter.in_ == "cookie" else "&")
        if written is None:
            return MISSING
        content_type = parameter.media_type.media_range
        codec = codecs.find(content_type)
        return codec.decode(written.encode("utf-8"), parameter.media_type, content_type, limits)
    kind, properties = ("primitive", ()) if parameter.schema is None else _kind(parameter.schema)
    value = deserialize(
        text,
        name=parameter.name,
        in_=parameter.in_,
        style=parameter.style,
        explode=parameter.explode,
        kind=kind,
        properties=properties,
        others={one.name for one in operation.parameters if one.in_ == parameter.in_ and one is not parameter},
    )
    return value if value is MISSING or parameter.schema is None else typed(parameter.schema, value)


def first_value(text: str, name: str, separator: str) -> str | None:
    """The first value of a name in a query or in a Cookie header."""
    values = parse_qs(text, keep_blank_values=True, separator=separator).get(name)
    return values[0] if values else None


def _kind(schema: model.Schema) -> tuple[Kind, tuple[str, ...]]:
    """The kind of a schema's values as a parameter, and an object's property names."""
    found = branches(schema)
    for each in found[:1] if found[0].types else found:
        if "array" in each.types or (not each.types and (each.items is not None or each.prefix_items)):
            return "array", ()
        if "object" in each.types or (not each.types and each.properties):
            return "object", tuple(name for one in found for name in one.properties)
    return "primitive", ()


def _body(operation: model.Operation, request: Request, limits: Limits) -> tuple[Any, list[Fault]]:
    documented = operation.body
    body = request.body if isinstance(request.body, bytes) else b""
    if documented is None or not documented.content:
        return None, []
    content_type = request.headers.get("content-type", "")
    if not body and (not content_type or not documented.required):
        return None, [Fault("$", "the body is required", "required")] if documented.required else []
    media_range = match(content_type, documented.content) if content_type else None
    if media_range is None:
        raise HTTPError(
            415, f"the body may be {', '.join(documented.content)}, and came as {content_type or 'no media type'}"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPError(415, "the body must not have a content coding", headers={"Accept-Encoding": "identity"})
    media_type = documented.content[media_range]
    # As the client sends them.
    is_raw = media_type.schema is not None and is_binary(media_type.schema)
    codec = codecs.find(OCTETS if is_raw else content_type)
    try:
        value = codec.decode(body, media_type, content_type, limits)
    except DynclientError as error:
        raise HTTPError(400, f"the body is not {content_type}: {error.message}") from error
    if codec.name == "binary":
        return value, []
    return value, body_faults(media_type, value, "request", limits, "auto", content_type=content_type)
