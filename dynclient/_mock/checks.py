"""Checks of a request against its operation: preferences, credentials, parameters and body.

Rule 1: every fault is found before a request is refused.
Rule 2: parameters and headers that the document does not name are ignored, as HTTP has it.
Rule 3: any credential of the right form is valid, unless the mock's owner gives some; then one of those is required.
Rule 4: an error names the schemes that would do, and never the credential that was sent.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from dynclient import codecs, model
from dynclient._mock.responses import Preference
from dynclient._negotiation import match
from dynclient._records import Record
from dynclient._routing import HTTPError
from dynclient._schemas import shape, typed
from dynclient._styles import ABSENT, deserialize
from dynclient._validation import body_faults, validator
from dynclient.exceptions import DynclientError, Fault
from dynclient.messages import Request
from dynclient.options import Limits

# OAS 3.1.1, Parameter Object: header parameters of these names are ignored.
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})

PREFERENCES = ("code", "example", "dynamic", "seed")

Credentials = Any
"""Valid credentials: ``("user", "password")``, a token, or a mapping of scheme name to either; None: any are valid."""

Kind = Literal["primitive", "array", "object"]


class RequestValues(Record):
    """The plain values of a request: parameters by location and name, and the body, None if there is none."""

    parameters: Mapping[tuple[str, str], Any]
    body: Any = None


def read_preference(request: Request, default: Preference) -> Preference:
    """Read the preferences of a request: Prism's ``Prefer`` header, and ``__code``, ``__example`` etc. in the query.

    The query goes before the header, and the header before ``default``.

    Raises:
        HTTPError: 400 for a preference that can't be read.
    """
    given: dict[str, str] = {}
    if "prefer" in request.headers:
        # RFC 7240, 2: preferences are separated by commas; their values may be quoted.
        members = request.headers["prefer"].replace(";", ",").split(",")
        pairs = (member.strip().partition("=") for member in members)
        given = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name}
    query = urlsplit(request.url).query
    if "__" in query:
        given |= {name[2:]: value for name, value in parse_qsl(query, keep_blank_values=True) if name[:2] == "__"}
    read = {name: _preferred(name, given[name]) for name in PREFERENCES if name in given}
    return default._replace(**read) if read else default


def _preferred(name: str, text: str) -> Any:
    is_number = text.isascii() and text.isdecimal()
    # RFC 9110, 15: a status has three digits, the first of which is 1 to 5; 1xx are no final responses.
    if name == "code" and not (is_number and len(text) == 3 and "2" <= text[0] <= "5"):  # noqa: PLR2004  # see above
        raise HTTPError(400, "the preferred code is not a status of a final response")
    if name == "seed" and not (is_number and len(text) < 10):  # noqa: PLR2004  # a larger seed has no use
        raise HTTPError(400, "the preferred seed is not a number of at most 9 digits")
    if name == "dynamic" and text.lower() not in {"true", "false", ""}:
        raise HTTPError(400, "the preference dynamic is true or false")
    return text.lower() != "false" if name == "dynamic" else int(text) if name == "seed" else text


def check_credentials(api: model.API, operation: model.Operation, request: Request, valid: Credentials) -> None:
    """Check that a request satisfies one of the operation's security requirements.

    Raises:
        HTTPError: 401, with a WWW-Authenticate for each scheme that would do.
    """
    schemes = api.security_schemes
    if not operation.security or any(
        # A scheme that the document does not declare can't be checked.
        all(name not in schemes or _is_authorized(schemes[name], request, valid) for name in requirement)
        for requirement in operation.security
    ):
        return
    names = dict.fromkeys(name for requirement in operation.security for name in requirement if name in schemes)
    challenges = dict.fromkeys(_challenge(schemes[name], api.title) for name in names)
    raise HTTPError(
        401,
        f"no valid credential for {' or '.join(names) or 'this operation'}",
        # RFC 9110, 11.6.1: a 401 carries at least one challenge.
        headers={"WWW-Authenticate": ", ".join(challenges) or "Unknown"},
    )


def _challenge(scheme: model.SecurityScheme, realm: str) -> str:
    known = {"http": scheme.scheme.title(), "oauth2": "Bearer", "openIdConnect": "Bearer"}
    name = known.get(scheme.type, scheme.type[:1].upper() + scheme.type[1:])
    quotable = "".join(c for c in realm if " " <= c <= "~" and c not in '"\\')
    return f'{name} realm="{quotable}"'


def _is_authorized(scheme: model.SecurityScheme, request: Request, valid: Credentials) -> bool:
    if scheme.type == "mutualTLS":
        return True
    sent = _api_key(scheme, request) if scheme.type == "apiKey" else _authorization(scheme, request)
    if not sent:
        return False
    # The valid credential of this scheme, or None where any is.
    if isinstance(valid, Mapping):
        valid = valid.get(scheme.name)
    elif isinstance(valid, (tuple, list)) != (scheme.type == "http" and scheme.scheme == "basic"):
        valid = None
    expected = tuple(valid) if isinstance(valid, list) else valid
    return expected is None or (
        isinstance(sent, type(expected)) and hmac.compare_digest(repr(sent).encode(), repr(expected).encode())
    )


def _api_key(scheme: model.SecurityScheme, request: Request) -> str | None:
    if scheme.in_ == "header":
        sent: str | None = request.headers.get(scheme.parameter)
        return sent
    if scheme.in_ == "query":
        return _first(urlsplit(request.url).query, scheme.parameter, "&")
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[scheme.parameter].value if scheme.parameter in cookies else None


def _authorization(scheme: model.SecurityScheme, request: Request) -> str | tuple[str, str] | None:
    # RFC 9110, 11.1 and 11.4: scheme names match without regard to case.
    name, _, rest = request.headers.get("authorization", "").partition(" ")
    expected = scheme.scheme if scheme.type == "http" else "bearer"
    if name.lower() != expected:
        return None
    if expected != "basic":
        return str(rest).strip()
    try:
        user, colon, password = b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def check_request(
    operation: model.Operation, texts: Mapping[str, str], request: Request, limits: Limits, *, strict: bool = True
) -> RequestValues:
    """Read parameters and body, and validate them against the document.

    ``texts`` are the path's parameters by name, percent-encoded. Unless ``strict``, nothing is refused, and as much is
    read as possible.

    Raises:
        HTTPError: 400 with every fault, or 415.
    """
    parameters: dict[tuple[str, str], Any] = {}
    faults: list[Fault] = []
    for parameter in _read_parameters(operation):
        value, found = _parameter(parameter, texts, request, limits)
        faults += found
        if value is not ABSENT:
            parameters[parameter.in_, parameter.name] = value
    try:
        body, found = _body(operation, request, limits)
    except HTTPError:
        if strict:
            raise
        body, found = None, []
    faults += found
    if faults and strict:
        raise HTTPError(400, "the request breaks the document", faults=faults)
    return RequestValues(parameters, body)


def used_parameters(operation: model.Operation, request: Request) -> list[str]:
    """The documented parameters that a request has, as location and name; those of its path are always there."""
    used = []
    for parameter in _read_parameters(operation):
        text = _text(parameter, {parameter.name: ""}, request)
        with suppress(DynclientError):  # what can't be read is there
            if text is None or (parameter.in_ != "path" and _value(parameter, text, Limits()) is ABSENT):
                continue
        used.append(f"{parameter.in_} {parameter.name}")
    return used


def _read_parameters(operation: model.Operation) -> list[model.Parameter]:
    """The parameters that are read: all but headers that OpenAPI ignores."""
    return [one for one in operation.parameters if one.in_ != "header" or one.name.lower() not in IGNORED_HEADERS]


def _text(parameter: model.Parameter, texts: Mapping[str, str], request: Request) -> str | None:
    """The text of a parameter's location, in which it may be absent; None where that is absent itself."""
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
    parameter: model.Parameter, texts: Mapping[str, str], request: Request, limits: Limits
) -> tuple[Any, list[Fault]]:
    path = f"{parameter.in_}.{parameter.name}"
    text = _text(parameter, texts, request)
    try:
        value = ABSENT if text is None else _value(parameter, text, limits)
    except DynclientError as error:
        return ABSENT, [Fault(path, error.message)]
    if value is ABSENT:
        return ABSENT, [Fault(path, "is required", "required")] if parameter.required else []
    schema = parameter.schema or (parameter.media_type.schema if parameter.media_type is not None else None)
    if schema is None or (value == "" and parameter.allow_empty):
        return value, []
    return value, validator(schema, "request", limits=limits).faults(value, path=path)


def _value(parameter: model.Parameter, text: str, limits: Limits) -> Any:
    if parameter.media_type is not None:
        written: str | None = text
        if parameter.in_ == "path":
            written = unquote(text)
        elif parameter.in_ in {"query", "cookie"}:
            written = _first(text, parameter.name, "; " if parameter.in_ == "cookie" else "&")
        if written is None:
            return ABSENT
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
    )
    return value if value is ABSENT or parameter.schema is None else typed(parameter.schema, value)


def _first(text: str, name: str, separator: str) -> str | None:
    values = parse_qs(text, keep_blank_values=True, separator=separator).get(name)
    return values[0] if values else None


def _kind(schema: model.Schema, depth: int = 0) -> tuple[Kind, tuple[str, ...]]:
    """The kind of a schema's values as a parameter, and an object's property names."""
    found = shape(schema)
    if "array" in found.types or found.items is not None or found.prefix_items:
        return "array", ()
    if "object" in found.types or found.properties:
        return "object", tuple(found.properties)
    if not found.types and depth < 8:  # noqa: PLR2004  # a bound against schemas that contain themselves as a choice
        for choice in (*found.one_of, *found.any_of):
            kind, properties = _kind(choice, depth + 1)
            if kind != "primitive":
                return kind, properties
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
        raise HTTPError(415, "the body may have no content coding", headers={"Accept-Encoding": "identity"})
    media_type, codec = documented.content[media_range], codecs.find(content_type)
    try:
        value = codec.decode(body, media_type, content_type, limits)
    except DynclientError as error:
        raise HTTPError(400, f"the body is not {content_type}: {error.message}") from error
    if codec.name == "binary":
        return value, []
    return value, body_faults(
        media_type, value, "request", limits, "auto", files=codec.files, content_type=content_type
    )
