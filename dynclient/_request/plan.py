"""Per-call state of an operation, computed at its first use: it makes the Requests of the operation.

A value is bound to a parameter, made plain, validated, serialized, and written in its location.
Rule 1: all faults of a request are found before it is refused.
Rule 2: a value can't change other parts of a request: path values stay in their segment, header values in their line,
and the origin of the URL is compared with that of the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import copy
from functools import partial
from typing import Any
from urllib.parse import quote, unquote_plus

from dynclient import codecs, media_types
from dynclient._deferred import expression, function
from dynclient._escaping import logger
from dynclient._identifiers import near
from dynclient._negotiation import accept, match
from dynclient._records import Record
from dynclient._request.binding import Binder, Bound
from dynclient._request.options import CallOptions
from dynclient._request.servers import server_url
from dynclient._schemas.keywords import Direction
from dynclient._secrets import names_credential
from dynclient._styles import serialize
from dynclient._validation import Validator, validator
from dynclient.codecs import Encoded
from dynclient.exceptions import (
    ArgumentError,
    DocumentError,
    DynclientError,
    EncodeError,
    Fault,
    InvalidDocument,
    RequestValidationError,
)
from dynclient.http_grammar import CONNECTION_FIELDS, is_field_value, is_token
from dynclient.inspection.arguments import Argument, arguments, body_schema, may_be_empty, secret
from dynclient.messages import Body, Headers, Request, origin
from dynclient.model import MediaType, Operation, Parameter, Response, Schema
from dynclient.options import Limits, ValidationMode

log = logger()

_TEMPLATE = expression(r"(\{[^{}]*\})")
_BEYOND_ASCII = expression(r"[^ -~]")
_BASES = 64
_IN_URL = "/?#:@!$&'()*+,;=%[]"


_PLAIN = frozenset({str, int, bool, type(None)})


_made_plain = function("dynclient._plain_values", "plain_value")
_settled = function("dynclient._schemas", "settled")


class _Field(Record):
    """A parameter, with the function that settles its values (``plain_value``), or None if it has no schema.

    ``location`` is its name in faults.
    """

    parameter: Parameter
    name: str
    schema: Schema | None
    location: str
    settle: Callable[[Any], Any] | None = None


class Plan:
    """Makes the Requests of one operation."""

    __slots__ = (
        "_accept", "_answers_checked", "_bases", "_fields", "_limits", "_path", "_query", "_ranges", "_secrets",
        "_validators", "arguments", "binder", "operation",
    )  # fmt: skip

    def __init__(self, operation: Operation, limits: Limits, path: str | None = None) -> None:
        """Compute the state that each call needs. ``path`` replaces the operation's path."""
        self.operation = operation
        self.arguments: tuple[Argument, ...] = arguments(operation)
        self.binder = Binder(self.arguments, operation.id, operation.body.name if operation.body is not None else None)
        self._limits = limits
        self._bases: dict[str | None, str] = {}
        self._answers_checked = False
        # Made at the first value, since an unused parameter may be broken.
        self._validators: dict[tuple[str, str], Validator] = {}
        self._fields = {
            (argument.in_, argument.wire): _field(argument, argument.parameter)
            for argument in self.arguments
            if argument.parameter is not None
        }
        path = _sendable(
            operation.path if path is None else path, {wire for in_, wire in self._fields if in_ == "path"}
        )
        self._path, _, self._query = path.partition("#")[0].partition("?")
        own = _credentials(unquote_plus(field.partition("=")[0]) for field in self._query.split("&"))
        self._secrets = own.union(_secret_locations(self.arguments, self._path))
        self._ranges = _response_ranges(operation)
        self._accept = accept(self._ranges) if self._ranges else ""

    def check_answers(self) -> list[DocumentError]:
        """Compile the validators of a success: a request is not sent if no success could be validated.

        The first time, the errors of its broken parts are returned, which are not checked.

        Raises:
            DocumentError: the schemas of all successes are broken.
        """
        if self._answers_checked:
            return []
        wrong: DocumentError | None = None
        found: list[Validator] = []
        for response in self._successes():
            try:
                found = self._answer(response)
            except DocumentError as error:
                wrong = wrong or error
            else:
                wrong = None
                break
        if wrong is not None:
            wrong.operation_id = wrong.operation_id or self.operation.id
            wrong.hint = wrong.hint or 'validate=Validation(responses="warn") sends the request anyway'
            raise wrong
        self._answers_checked = True
        return [error for check in found for error in check.bundle.broken]

    def check_all(self) -> None:
        """Compile the validators of parameters, bodies and successes.

        Raises:
            DocumentError: a schema is broken, or a part of one, which stops only the requests that use it.
        """
        self.check_answers()
        found = self._compiled(self.operation.body.content if self.operation.body is not None else {}, "request")
        for argument in self.arguments:
            if argument.parameter is not None and argument.schema is not None:
                found.append(validator(argument.schema, "request", limits=self._limits))
        for response in self._successes():
            with suppress(DocumentError):  # another success is valid
                found += self._answer(response)
        broken = [error for check in found for error in check.bundle.broken]
        broken += [server.fault for server in self.operation.servers if server.fault is not None]
        for error in (*broken, *self.operation.left_out):
            raise copy(error)

    def _successes(self) -> list[Response]:
        responses = self.operation.responses
        good = [response for status, response in responses.items() if status[:1] == "2"]
        return good or [response for status, response in responses.items() if status == "default"]

    def _compiled(self, content: Mapping[str, MediaType], direction: Direction) -> list[Validator]:
        schemas = [schema for each in content.values() for schema in (each.schema, each.item_schema)]
        return [validator(schema, direction, limits=self._limits) for schema in schemas if schema is not None]

    def _answer(self, response: Response) -> list[Validator]:
        if response.fault is not None:
            raise copy(response.fault)
        return self._compiled(response.content, "response")

    def _validator(self, key: tuple[str, str], schema: Schema) -> Validator:
        check = self._validators[key] = validator(schema, "request", limits=self._limits)
        return check

    def streaming(self, options: CallOptions) -> CallOptions:
        """The options of a streamed call: unless the caller chose a media type, sequences are requested first."""
        if options.accept or len(self._ranges) < 2:  # noqa: PLR2004  # nothing to order
            return options
        return options._replace(accept=accept(self._ranges, streaming=True))

    def request(self, bound: Bound, options: CallOptions) -> Request:
        """Make the Request of one call.

        Raises:
            ArgumentError: an argument has the wrong type, or can't be written in its location.
            RequestValidationError: arguments or body do not match the document.
            EncodeError: the body can't be encoded in its media type.
            UnsupportedMediaType: the operation has no body of that type.
        """
        self.binder.check_complete(bound, options.validate.requests)
        return self.incomplete_request(bound, options)

    def incomplete_request(self, bound: Bound, options: CallOptions) -> Request:
        """Make the Request even if required arguments are missing."""
        try:
            return self._request(bound, options)
        except DynclientError as error:
            error.operation_id = error.operation_id or self.operation.id
            raise

    def _request(self, bound: Bound, options: CallOptions) -> Request:
        if options.coerce:
            bound = self._read(bound)
        values, found = self._checked(bound.parameters, options)
        encode: Callable[[], Encoded] | None = None
        if bound.body is not ...:
            # Half of all operations have no body.
            from dynclient._request import body as bodies

            given = bodies.rooted(bound.body)
            choice = bodies.choose(self.operation, given, options.content_type, options.validate.requests)
            value = bodies.to_plain(choice, given)
            if options.validate.requests != "off":
                try:
                    found += bodies.faults(choice, value, self._limits, options.validate.engine)
                except DocumentError as error:
                    self._leave_unchecked(error, options.validate.requests)
            encode = partial(bodies.encode, choice, value, options.validate.requests)
        if found:
            self._report(found, options.validate.requests, _hint(found, bound.body))
        encoded = encode() if encode is not None else None
        url = self._url(values, options)
        headers = self._headers(values, options, encoded.content_type if encoded is not None else None)
        body: Body = encoded.body if encoded is not None else None
        secrets = self._secrets
        if options.query:
            secrets |= _credentials(options.query)
        return Request(self.operation.method, url, headers, body, self.operation.id, secrets)

    def _read(self, bound: Bound) -> Bound:
        """The arguments, with strings converted by their schemas, as in the shell."""
        from dynclient._schemas import read

        schemas = {(one.in_, one.wire): one.schema for one in self.arguments}
        parameters = {
            key: value if (schema := schemas.get(key)) is None else read(schema, value)
            for key, value in bound.parameters.items()
        }
        schema = body_schema(self.operation.body) if self.operation.body is not None else None
        schema = schema or schemas.get(("body", ""))
        is_data = schema is not None and isinstance(bound.body, (dict, list, str))
        return Bound(parameters, read(schema, bound.body) if is_data and schema is not None else bound.body)

    def _checked(
        self, given: Mapping[tuple[str, str], Any], options: CallOptions
    ) -> tuple[dict[tuple[str, str], Any], list[Fault]]:
        values: dict[tuple[str, str], Any] = {}
        found: list[Fault] = []
        for key, value in given.items():
            field = self._fields.get(key)
            if field is None:
                matches = near(key[1], [wire for _, wire in self._fields])
                raise ArgumentError(f"it has no parameter {key[1]} in {key[0]}", argument=key[1], matches=matches)
            values[key] = value if type(value) in _PLAIN else _plain(field, value)
            # OAS 3.1.1, Parameter Object, allowEmptyValue: clients may pass a zero-length string value.
            if value == "" and field.parameter.allow_empty:
                continue
            if options.validate.requests != "off" and field.schema is not None:
                try:
                    check = self._validators.get(key) or self._validator(key, field.schema)
                except DocumentError as error:
                    self._leave_unchecked(error, options.validate.requests)
                else:
                    faults = check.faults(values[key], path=field.location, engine=options.validate.engine)
                    if faults and secret(field.schema):
                        faults = [fault._replace(value="") for fault in faults]
                    found += faults
        return values, found

    def _leave_unchecked(self, error: DocumentError, mode: ValidationMode) -> None:
        """Handle a value whose schema is broken: strict mode does not send it."""
        if mode == "strict":
            error.hint = error.hint or 'validate=Validation(requests="warn") sends the value unchecked'
            raise error
        log.warning("%s: sent unchecked, since the document is invalid: %s", self.operation.id, error)

    def _report(self, found: list[Fault], mode: ValidationMode, hint: str) -> None:
        if mode == "warn":
            for fault in found:
                log.warning("%s: sent although %s", self.operation.id, fault)
            return
        plural = "faults" if len(found) > 1 else "fault"
        ill_typed = {f"{in_}.{wire}": field.name for (in_, wire), field in self._fields.items()}
        for fault in found:
            if fault.keyword == "type" and fault.path in ill_typed:
                raise ArgumentError(
                    f"argument {ill_typed[fault.path]} {fault.message}",
                    argument=ill_typed[fault.path],
                    errors=found,
                    hint=hint,
                )
        raise RequestValidationError(f"the request was not sent: {len(found)} {plural}", errors=found, hint=hint)

    def _url(self, values: Mapping[tuple[str, str], Any], options: CallOptions) -> str:
        base = self._base(options)
        path, queries = self._path, [self._query]
        for (in_, wire), value in values.items():
            parameter = self._fields[in_, wire].parameter
            if in_ == "path":
                empty = value == "" and (options.validate.requests == "off" or may_be_empty(parameter))
                path = path.replace(f"{{{wire}}}", serialized(parameter, value, allow_empty=empty))
            elif in_ in {"query", "querystring"} and wire not in options.query:
                queries.append(serialized(parameter, value))
        query = "&".join([part for part in (*queries, *options.query.values()) if part])
        url = base + path + (f"?{query}" if query else "")
        # RFC 3986, 3.2: a slash ends the authority.
        if not path.startswith("/") and origin(url) != origin(base):
            raise ArgumentError("the path leads to another origin than the server's", argument="path")
        return url

    def _base(self, options: CallOptions) -> str:
        """The base URL of the path; computed once if the caller chose no server."""
        if options.server is not None:
            return server_url(self.operation.servers, options.base_url, options.server)
        base = self._bases.get(options.base_url)
        if base is None:
            base = server_url(self.operation.servers, options.base_url)
            # Many different base URLs must not fill the memory.
            if len(self._bases) < _BASES:
                self._bases[options.base_url] = base
        return base

    def _headers(
        self, values: Mapping[tuple[str, str], Any], options: CallOptions, content_type: str | None
    ) -> Headers:
        pairs: list[tuple[str, str]] = []
        accepted = options.accept or self._accept
        if (
            options.accept
            and self._ranges
            and match(options.accept, self._ranges) is None
            and "*" not in options.accept
        ):
            log.debug("%s documents no response of type %s", self.operation.id, options.accept)
        if accepted:
            pairs.append(("Accept", accepted))
        if content_type:
            pairs.append(("Content-Type", content_type))
        cookies = []
        for (in_, wire), value in values.items():
            if in_ not in {"header", "cookie"}:
                continue
            text = serialized(self._fields[in_, wire].parameter, value)
            # RFC 6570, 3.2.1: an empty list or object is undefined, and undefined values are not written.
            if in_ == "header" and (text or value not in ([], {})):
                pairs.append((wire, text))
            elif in_ == "cookie" and text:
                cookies.append(text)
        if cookies:
            pairs.append(("Cookie", "; ".join(cookies)))
        headers = Headers(pairs)
        for name, text in options.headers.items():
            headers = headers.replace(name, text)
        return _safe(headers)


def _hint(found: list[Fault], body: Any) -> str:
    """A hint on how to send a refused request."""
    if isinstance(body, (str, bytes)) and any(fault.path == "$" and fault.keyword == "type" for fault in found):
        return "pass the body as a dict or a list; json.loads(text) converts JSON text"
    return 'validate=Validation(requests="warn") sends it anyway'


def _field(argument: Argument, parameter: Parameter) -> _Field:
    settle = partial(_settled, argument.schema) if argument.schema is not None else None
    return _Field(parameter, argument.name, argument.schema, f"{argument.in_}.{argument.wire}", settle)


def _plain(field: _Field, value: Any) -> Any:
    """The plain value of a parameter."""
    try:
        return _made_plain(value, settle=field.settle)
    except (ArgumentError, EncodeError) as error:
        # "$" is the value's own beginning.
        if error.message.startswith("$"):
            error.message = field.location + error.message[1:]
        raise


def serialized(parameter: Parameter, value: Any, *, allow_empty: bool = False) -> str:
    """The text of a parameter's plain value on the wire; with ``allow_empty`` that of a path may be empty."""
    if parameter.media_type is None:
        return serialize(
            value,
            name=parameter.name,
            in_=parameter.in_,
            style=parameter.style,
            explode=parameter.explode,
            allow_reserved=parameter.allow_reserved,
            allow_empty=allow_empty or parameter.allow_empty,
        )
    # OAS 3.2, Parameter Object: with `content`, the value is written in that media type, and then put in its place.
    media_range = parameter.media_type.media_range
    encoded = codecs.find(media_range).encode(value, parameter.media_type, media_range)
    if not isinstance(encoded.body, bytes):
        raise EncodeError(f"parameter {parameter.name} can't be a stream")
    text = encoded.body.decode("utf-8")
    if parameter.in_ == "querystring":
        return text
    if parameter.in_ in {"header", "cookie"} and media_types.find(media_range).name == "json":
        # RFC 8259, 7: any character may be escaped; RFC 9110, 5.5: new header values should be ASCII. All non-ASCII
        # characters are within the strings of a JSON text.
        text = _BEYOND_ASCII.sub(_escape, text)
    return serialize(text, name=parameter.name, in_=parameter.in_, style=parameter.style, explode=False)


def _escape(found: re.Match[str]) -> str:
    """A character as a JSON escape, or as a surrogate pair above U+FFFF."""
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _credentials(fields: Iterable[str]) -> frozenset[tuple[str, str]]:
    """The query fields that are named as a credential, as secrets of the request."""
    return frozenset(("query", name) for name in fields if names_credential(name))


def _secret_locations(found: tuple[Argument, ...], path: str) -> Iterator[tuple[str, str]]:
    # OAS 3.1.1, Data Type Format: `password` is a hint to obscure the value.
    secrets = {(argument.in_, argument.wire) for argument in found if argument.parameter and secret(argument.schema)}
    for in_, wire in secrets:
        if in_ != "path":
            yield in_, wire.lower() if in_ == "header" else wire
    in_path = {wire for in_, wire in secrets if in_ == "path"}
    # The names of other templates do not count, nor does a slash within a name.
    named = _TEMPLATE.sub(lambda name: name[0].replace("/", "_") if name[0][1:-1] in in_path else "{}", path).split("/")
    yield from (
        ("path", f"{i - len(named)}/{segment}")
        for i, segment in enumerate(named)
        if segment.replace("{}", "").find("{") >= 0
    )


def _sendable(path: str, names: set[str]) -> str:
    """A path of the document, percent-encoded except for the templates of its parameters."""
    # RFC 3986, 2.1; encoded octets stay as they are.
    parts = _TEMPLATE.split(path)
    try:
        return "".join(p if p[:1] == "{" and p[1:-1] in names else quote(p, safe=_IN_URL) for p in parts)
    except UnicodeEncodeError:
        raise InvalidDocument("the path contains a lone surrogate, which is not allowed in URLs") from None


def _response_ranges(operation: Operation) -> list[str]:
    """The media types for Accept: those of success, or those of errors if there are none."""
    good = [r for status, response in operation.responses.items() if status[:1] == "2" for r in response.content]
    rest = [r for status, response in operation.responses.items() if status[:1] != "2" for r in response.content]
    return list(dict.fromkeys(good or rest))


def _safe(headers: Headers) -> Headers:
    # RFC 9110, 5.5: CR, LF and NUL in a field value are dangerous; RFC 9112, 6: one message has one length.
    for name, value in headers.pairs():
        if name.lower() in CONNECTION_FIELDS:
            raise ArgumentError(f"header {name} belongs to the connection and can't be set", argument=name)
        if not is_token(name) or not is_field_value(value):
            raise ArgumentError(f"header {name!r} contains characters that are not allowed in headers", argument=name)
    return headers
