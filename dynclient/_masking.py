"""Masking: which parts of a request are secret, and how messages are shown without them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit, urlunsplit

from dynclient._expressions import expression

SecretLocation = tuple[str, str]
"""Where a request has a secret, as location and wire name: ``("header", "authorization")``, ``("query", "key")``.

In a path it is a segment's index, counted from the end, and if only a part of it is secret its template:
``("path", "-2")``, ``("path", "-1/{token}.json")``.
"""

MASK = "***"
LONG = 8
"""The length from which a secret is looked for anywhere in a text; a shorter one may be there by chance."""

SECRET_BODY: SecretLocation = ("body", "")
"""The location of a secret that is the whole body, such as that of a request for a token."""

# RFC 9110, 11.6.2, 11.7.2; RFC 6265, 4.1.1 and 4.2.1: always secret, whatever a document says.
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})

# RFC 6749, 2.3.1, 4.1.3, 4.3.2 and 6; RFC 7636, 4.5; RFC 7521, 4; RFC 8628, 3.4: the secret fields of token requests.
_SECRET_FIELDS = frozenset(
    {"assertion", "client_assertion", "client_secret", "code", "code_verifier", "device_code"}
    | {"password", "refresh_token", "token"}
)


_DELIMITER = expression(r"[^A-Za-z0-9_%]")
_DELIMITERS = 8


def is_secret_header(name: str, secrets: frozenset[SecretLocation]) -> bool:
    """Tell whether a header of a request with these secrets may not be shown."""
    return name.lower() in SECRET_HEADERS or ("header", name.lower()) in secrets


def masked_url(url: str, secrets: frozenset[SecretLocation]) -> str:
    """The URL without user information, each secret in its path and query replaced by ``***``."""
    return "".join(text if name is None else MASK for text, name in url_pieces(url, secrets))


def url_pieces(url: str, secrets: frozenset[SecretLocation]) -> list[tuple[str, SecretLocation | None]]:
    """The URL without user information as pieces: a text and None, or a secret and its location."""
    parts = urlsplit(url)
    templates = _path_templates(secrets)
    pieces: list[tuple[str, SecretLocation | None]] = [
        (parts._replace(netloc=_host(parts.netloc), path="", query="", fragment="").geturl(), None)
    ]
    segments = parts.path.split("/")
    for index, segment in enumerate(segments):
        from_end = index - len(segments)
        before, secret, after = _in_segment(segment, templates.get(from_end))
        pieces.append((f"{'/' if index else ''}{before}", None))
        if secret:
            name = templates[from_end].replace("{}", "").partition("{")[2].partition("}")[0]
            pieces.append((secret, ("path", name)))
        pieces.append((after, None))
    names = _query_names(secrets)
    for index, field in enumerate(parts.query.split("&") if parts.query else []):
        name, equals, value = field.partition("=")
        pieces.append((f"{'&' if index else '?'}{name}{equals}", None))
        pieces.append((value, ("query", unquote_plus(name)) if equals and unquote_plus(name) in names else None))
    return [*pieces, (f"#{parts.fragment}" if parts.fragment else "", None)]


def logged_url(url: str, secrets: frozenset[SecretLocation] = frozenset()) -> str:
    """The URL as a log may show it: without user information, secrets of the path and any query value."""
    parts = urlsplit(masked_url(url, frozenset(location for location in secrets if location[0] == "path")))
    names = [name for name, _, _ in (field.partition("=") for field in parts.query.split("&")) if name]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "&".join(names), ""))


def secret_values(
    url: str,
    headers: Iterable[tuple[str, str]],
    body: object,
    secrets: frozenset[SecretLocation],
    shortest: int = LONG,
) -> tuple[str, ...]:
    """The secrets of a request, in each form in which a server may repeat them, the longest first.

    Secrets of fewer than ``shortest`` characters are left out.
    """
    found: set[str] = set()
    for name, value in headers:
        if is_secret_header(name, secrets):
            found |= {value, *_in_header(name.lower(), value)}
    for text, location in url_pieces(url, secrets):
        if location is not None:
            parts = _parts_of_segment(text) if location[0] == "path" else {text}
            found |= {form for value in parts for form in (value, unquote(value), unquote_plus(value))}
    if SECRET_BODY in secrets and isinstance(body, bytes):
        found |= _in_form(body)
    return tuple(sorted((text for text in found if len(text) >= shortest), key=len, reverse=True))


def _host(netloc: str) -> str:
    return netloc.rpartition("@")[2]


def _path_templates(secrets: frozenset[SecretLocation]) -> dict[int, str]:
    """Index of a segment with a secret, counted from the end -> its template."""
    found = (name.partition("/") for in_, name in secrets if in_ == "path")
    return {int(index): template for index, _, template in found}


def _in_segment(segment: str, template: str | None) -> tuple[str, str, str]:
    """What stands before a secret in a segment, the secret, and what stands behind it."""
    if template is None:
        return segment, "", ""
    before, after = (template.partition("{")[0], template.rpartition("}")[2]) if "{" in template else ("", "")
    if len(segment) < len(before + after) or not (segment.startswith(before) and segment.endswith(after)):
        return "", segment, ""
    return before, segment[len(before) : len(segment) - len(after)], after


def _query_names(secrets: frozenset[SecretLocation]) -> set[str]:
    return {name for in_, name in secrets if in_ == "query"}


def masked(value: Any, secrets: Sequence[str]) -> Any:
    """Return a plain value, text or bytes with every secret in it replaced by ``***``.

    A short secret is replaced only where it is a whole text, or in bytes between quotes: elsewhere it may be a word.
    """
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK) if len(secret) >= LONG else MASK if value == secret else value
    elif isinstance(value, bytes):
        for secret in secrets:
            mark = "" if len(secret) >= LONG else '"'
            value = value.replace(
                f"{mark}{secret}{mark}".encode("utf-8", "surrogatepass"), f"{mark}{MASK}{mark}".encode()
            )
    elif isinstance(value, dict):
        return {masked(name, secrets): masked(member, secrets) for name, member in value.items()}
    elif isinstance(value, list):
        return [masked(member, secrets) for member in value]
    return value


def _in_header(name: str, value: str) -> set[str]:
    """The secret parts of a secret header's value: each cookie, the text after the scheme's word, a password."""
    if name == "cookie":
        values = {pair.partition("=")[2].strip() for pair in value.split(";")}
        return values | {unquote_plus(text) for text in values}
    word, _, rest = value.partition(" ")
    if word.lower() != "basic":
        return {rest}
    try:
        pair = base64.b64decode(rest, validate=True).decode("utf-8", "replace")
    except ValueError:
        return {rest}
    password = pair.partition(":")[2]
    # RFC 6749, 2.3.1: a client's secret is form-encoded there.
    return {rest, pair, password, unquote_plus(password)}


def _parts_of_segment(text: str) -> set[str]:
    """A secret segment, and its parts that stand between delimiters.

    A path parameter of the styles label and matrix begins with a delimiter, and a segment may have several parameters.
    """
    bounds = [match.start() for match in _DELIMITER.finditer(text)][:_DELIMITERS]
    return {text, *(text[i + 1 : j] for i in (-1, *bounds) for j in (*bounds, len(text)) if i + 1 < j)}


def _in_form(body: bytes) -> set[str]:
    """The secret parts of the body of a token request."""
    return {value for name, value in parse_qsl(body.decode("latin-1")) if name in _SECRET_FIELDS}
