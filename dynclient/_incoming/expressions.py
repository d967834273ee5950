"""Runtime expressions: values that links and callbacks take from a request and its response (OAS 3.2.0).

Rule 1: a text that begins with ``$`` and a letter is an expression, and has the type of its target. Expressions in
``{$...}`` are written into the text around them. Everything else is a constant.
Rule 2: values of the request's path and query are decoded strings, without types.
Rule 3: a header, query field or cookie that carries a credential has no value here: results go to other operations, and
to other servers.
Rule 4: an error names the expression and why it has no value, never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from dynclient import json_pointer
from dynclient._deferred import expression
from dynclient._incoming.requests import path_texts
from dynclient._records import Record
from dynclient._secrets import MASK, SECRET_BODY
from dynclient.exceptions import ExpressionError
from dynclient.http_grammar import is_token
from dynclient.json_pointer import MISSING
from dynclient.messages import Headers, Request

_LONGEST = 2000
"""Characters of a text with expressions. Real ones have fewer than 100."""
_MOST = 32
"""Expressions in one text."""
_DEEPEST = 32
_SHOWN = 80
_WHOLE = expression(r"\$[A-Za-z]")
# OAS 3.1.1, Runtime Expressions: embedded expressions are surrounded with curly braces.
_EMBEDDED = expression(r"\{(\$[^{}]*)\}")
_SOURCE = expression(r"\$(request|response)\.(?:(header|query|path)\.(.+)|body(?:#(.*))?)")
_GRAMMAR = (
    "$url, $method, $statusCode, or $request or $response with .header.NAME, .query.NAME, .path.NAME, .body or "
    ".body#/POINTER"
)


class ExpressionContext(Record):
    """A request and its response, for expressions. Bodies are decoded; ``MISSING`` if there is none.

    ``path`` has the values of the path's parameters, decoded. ``status`` is None if there is no response yet.
    """

    url: str
    method: str
    request_headers: Headers = Headers()
    request_body: Any = MISSING
    path: Mapping[str, str] = {}
    status: int | None = None
    response_headers: Headers = Headers()
    response_body: Any = MISSING


def context_of(template: str, request: Request, body: Any = MISSING) -> ExpressionContext:
    """The context of a request for a path template; secrets are masked. ``body`` is decoded."""
    shown = request.with_no_secrets()
    texts = path_texts(template, urlsplit(shown.url).path)
    path = {name: unquote(text) for name, text in texts.items()}
    if SECRET_BODY in request.secrets:
        body = MISSING
    return ExpressionContext(shown.url, shown.method, shown.headers, body, path)


def evaluate(value: Any, context: ExpressionContext, depth: int = 0) -> Any:
    """The value of a constant, an expression, or a text with expressions, also within objects and arrays.

    Raises:
        ExpressionError: it is malformed, or refers to a missing part of the request or response.
    """
    if isinstance(value, str):
        return _text(value, context)
    if depth >= _DEEPEST:
        raise ExpressionError(f"a constant is nested deeper than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        return {name: evaluate(member, context, depth + 1) for name, member in value.items()}
    if isinstance(value, list):
        return [evaluate(member, context, depth + 1) for member in value]
    return value


def _text(text: str, context: ExpressionContext) -> Any:
    embedded = "{$" in text
    if not embedded and not _WHOLE.match(text):
        return text
    if len(text) > _LONGEST:
        raise ExpressionError(f"{text[:_SHOWN]}: an expression has at most {_LONGEST} characters")
    if not embedded:
        return _value(text, context)
    if text.count("{$") > _MOST:
        raise ExpressionError(f"{text[:_SHOWN]}: a text has at most {_MOST} expressions")
    if text.count("{$") != len(_EMBEDDED.findall(text)):
        raise ExpressionError(f"{text[:_SHOWN]}: a brace before $ is not closed")
    return _EMBEDDED.sub(lambda found: _spelled(found[1], _value(found[1], context)), text)


def _spelled(source: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ExpressionError(f"{source}: only a string, number or boolean can be written into a text")


def _value(source: str, context: ExpressionContext) -> Any:
    plain = {"$url": context.url, "$method": context.method, "$statusCode": context.status}
    if source in plain:
        value: Any = plain[source]
    else:
        found = _SOURCE.fullmatch(source)
        if found is None:
            raise ExpressionError(f"{source}: it is not a runtime expression: use {_GRAMMAR}")
        message, kind, name, pointer = found.groups()
        value = (
            _body(source, message, pointer, context) if kind is None else _named(source, message, kind, name, context)
        )
    if value is None and source == "$statusCode":
        raise ExpressionError(f"{source}: there is no response")
    if source.startswith(("$url", "$request")) and isinstance(value, str) and MASK in value:
        raise ExpressionError(f"{source}: it refers to a credential, which is not passed on")
    return value


def _named(source: str, message: str, kind: str, name: str, context: ExpressionContext) -> Any:
    if message == "response" and kind != "header":
        # OAS 3.1.1, Runtime Expressions: query and path are of requests.
        raise ExpressionError(f"{source}: a response has no {kind}")
    if kind == "header":
        # OAS 3.1.1, Runtime Expressions: header names are case-insensitive, and tokens.
        if not is_token(name):
            raise ExpressionError(f"{source}: it names no header")
        headers = context.request_headers if message == "request" else context.response_headers
        value = headers.get(name)
    elif kind == "path":
        value = context.path.get(name)
    else:
        pairs = parse_qsl(urlsplit(context.url).query, keep_blank_values=True)
        value = next((text for key, text in pairs if key == name), None)
    if value is None:
        where = {"header": "header", "query": "query parameter", "path": "path parameter"}[kind]
        raise ExpressionError(f"{source}: the {message} has no {where} {name!r}")
    return value


def _body(source: str, message: str, pointer: str | None, context: ExpressionContext) -> Any:
    body = context.request_body if message == "request" else context.response_body
    if body is MISSING or isinstance(body, bytes):
        raise ExpressionError(f"{source}: the {message} has no body that could be read")
    if not pointer:
        return body
    if not pointer.startswith("/"):
        raise ExpressionError(f"{source}: a JSON Pointer begins with a slash: #/id")
    plain, value = json_pointer.of_fragment(body, pointer)
    if value is json_pointer.MISSING:
        raise ExpressionError(f"{source}: the body of the {message} has nothing at {plain}")
    return value
