"""Secret texts, which parts of a request are secret, and how messages are shown without them.

A :class:`Secret` is shown only on explicit request: not in a repr, a log, a traceback or a pickle.

Rule 1: a secret in one of its common forms is replaced in the text: unchanged, percent-encoded, escaped for JSON or
HTML, in base64 and in hexadecimal digits.
Rule 2: the text is then decoded until nothing is left to decode (JSON and HTML escapes, percent-encoding, UTF-16). If a
secret appears, or if decoding takes too long, the whole text is withheld.
Rule 3: a text is masked before it is cut; if it may end with the beginning of a secret, that end is removed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlsplit, urlunsplit

from dynclient._deferred import expression

if TYPE_CHECKING:
    import re

SecretLocation = tuple[str, str]
"""Where a request has a secret, as location and wire name: ``("header", "authorization")``, ``("query", "key")``.

In a path it is a segment's index, counted from the end, and if only a part of it is secret its template:
``("path", "-2")``, ``("path", "-1/{token}.json")``.
"""

MASK = "***"
LONG = 8
"""The length from which a secret is searched anywhere in a text; a shorter one may occur by chance."""

SECRET_BODY: SecretLocation = ("body", "")
"""The location of a secret that is the whole body, such as that of a request for a token."""

# RFC 9110, 11.6.2, 11.7.2; RFC 6265, 4.1.1 and 4.2.1: always secret, whatever a document says.
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})

# RFC 6749, 2.3.1, 4.1.3, 4.3.2 and 6; RFC 7636, 4.5; RFC 7521, 4; RFC 8628, 3.4: the secret fields of token requests.
_SECRET_FIELDS = frozenset(
    {"assertion", "client_assertion", "client_secret", "code", "code_verifier", "device_code"}
    | {"password", "refresh_token", "token"}
)


WITHHELD = f"{MASK} (withheld: it repeats a secret of the request in another form)"
_JSON_ESCAPE = expression(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|[\"\\'/bfnrt])")
_PERCENT_ENCODED = expression(r"(?:%[0-9A-Fa-f]{2})+")
_JSON_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
# Base64 has two alphabets and may be folded, a form writes a blank as a plus, and UTF-16 is ASCII with zeros between.
_ALIKE = {"+": " ", "-": " ", "\t": " ", "_": "/", "\0": "", "\r": "", "\n": ""}
_MOST_LAYERS = 8
_MOST_ESCAPES = 500_000
_LONGEST_ESCAPE = 12
_DELIMITER = expression(r"[^A-Za-z0-9_%]")
_DELIMITERS = 8


class Secret:
    """A string that is shown as ``***``. It is compared in constant time, and can't be pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Take the text."""
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac

        return hmac.compare_digest(self._encoded(), other._encoded())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce_ex__(self, _: Any) -> NoReturn:
        raise TypeError("a Secret is not pickled, so that credentials do not end up in files")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: Any) -> Secret:
        return self

    def _encoded(self) -> bytes:
        return self._value.encode("utf-8", "surrogatepass")


# Words that occur in the names of headers and query fields with credentials.
_CREDENTIAL_WORDS = frozenset(
    {"apikey", "auth", "authentication", "authorization", "bearer", "cookie", "credential", "credentials", "jwt", "key"}
    | {"passwd", "password", "secret", "session", "signature", "token"}
)


def names_credential(name: str) -> bool:
    """Return whether the name of a header or a query field says that it contains a credential."""
    lower = name.lower()
    return not _CREDENTIAL_WORDS.isdisjoint(lower.replace("_", "-").split("-")) and lower != "idempotency-key"


def is_secret_header(name: str, secrets: frozenset[SecretLocation]) -> bool:
    """Return whether a header of a request with these secrets may not be shown."""
    return name.lower() in SECRET_HEADERS or ("header", name.lower()) in secrets


def masked_url(url: str, secrets: frozenset[SecretLocation]) -> str:
    """The URL without user information, each secret in its path and query replaced by ``***``."""
    return "".join(text if name is None else MASK for text, name in url_pieces(url, secrets))


def url_pieces(url: str, secrets: frozenset[SecretLocation]) -> list[tuple[str, SecretLocation | None]]:
    """The URL without user information as pieces: a text and None, or a secret and its location."""
    parts = urlsplit(url)
    templates = _path_templates(secrets)
    pieces: list[tuple[str, SecretLocation | None]] = [
        (parts._replace(netloc=parts.netloc.rpartition("@")[2], path="", query="", fragment="").geturl(), None)
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
    names = {name for in_, name in secrets if in_ == "query"}
    for index, field in enumerate(parts.query.split("&") if parts.query else []):
        name, equals, value = field.partition("=")
        pieces.append((f"{'&' if index else '?'}{name}{equals}", None))
        pieces.append((value, ("query", unquote_plus(name)) if equals and unquote_plus(name) in names else None))
    return [*pieces, (f"#{parts.fragment}" if parts.fragment else "", None)]


def logged_url(url: str, secrets: frozenset[SecretLocation] = frozenset()) -> str:
    """The URL as a log may show it: without user information and secrets of the path, and ``...`` for query values."""
    parts = urlsplit(masked_url(url, frozenset(location for location in secrets if location[0] == "path")))
    fields = (field.partition("=") for field in parts.query.split("&"))
    shown = (f"{name}=..." if equals else name for name, equals, _ in fields if name)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "&".join(shown), ""))


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


def _path_templates(secrets: frozenset[SecretLocation]) -> dict[int, str]:
    """Index of a segment with a secret, counted from the end -> its template."""
    found = (name.partition("/") for in_, name in secrets if in_ == "path")
    return {int(index): template for index, _, template in found}


def _in_segment(segment: str, template: str | None) -> tuple[str, str, str]:
    """The text before a secret in a segment, the secret, and the text after it."""
    if template is None:
        return segment, "", ""
    before, after = (template.partition("{")[0], template.rpartition("}")[2]) if "{" in template else ("", "")
    if len(segment) < len(before + after) or not (segment.startswith(before) and segment.endswith(after)):
        return "", segment, ""
    return before, segment[len(before) : len(segment) - len(after)], after


def masked(value: Any, secrets: Sequence[str]) -> Any:
    """Return a plain value, text or bytes with every secret in it replaced by ``***``, or withheld as a whole.

    A short secret is replaced only where it is a whole text, or in bytes between quotes: elsewhere it may be a word.
    """
    return Mask(secrets).apply(value) if secrets else value


class Mask:
    """Some secrets in each form in which a server may repeat them."""

    __slots__ = ("_beyond_ascii", "_canonical", "_long", "_margin", "_short")

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets."""
        secrets = list(secrets)
        self._short = {form for text in secrets if len(text) < LONG for form in _forms(text)}
        long = {text for text in secrets if len(text) >= LONG}
        self._long = sorted({form for text in long for form in _forms(text)}, key=len, reverse=True)
        # A text that contains another one need not be searched for.
        least = [text for text in long if not any(other in text for other in long if other != text)]
        # Together with the text that follows, the last character might be an escape.
        decoded = {(_canonical(form) or "").rstrip("\\%&") for text in least for form in (text, *_encoded(text))}
        self._canonical = [text for text in decoded if len(text) >= LONG // 2]
        self._beyond_ascii = not all(map(str.isascii, self._canonical))
        self._margin = 8 * max(map(len, long), default=0)

    def apply(self, value: Any) -> Any:
        """Return a plain value, text or bytes without the secrets."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes):
            return self._bytes(value)
        if isinstance(value, dict):
            return {self.apply(name): self.apply(member) for name, member in value.items()}
        return [self.apply(member) for member in value] if isinstance(value, list) else value

    def beginning(self, body: bytes, size: int) -> bytes:
        """The first bytes of a body of which the end is not known, without the secrets."""
        shown = self._bytes(body)
        last = (_canonical(shown[-self._margin :].decode("utf-8", "replace")) or "") if self._margin else ""
        # The last characters may be part of an escape.
        ends = [last[: len(last) - cut] for cut in range(_LONGEST_ESCAPE)]
        if any(_ends_with_start(end, secret) for end in ends for secret in self._canonical):
            shown = shown[: max(0, len(shown) - self._margin)]
        return shown[:size]

    def _text(self, text: str) -> str:
        if text in self._short:
            return MASK
        if not self._is_repeated(text):
            return text
        for secret in self._long:
            text = text.replace(secret, MASK)
        return WITHHELD if self._is_repeated(text) else text

    def _bytes(self, body: bytes) -> bytes:
        for secret in self._short:
            body = body.replace(f'"{secret}"'.encode("utf-8", "surrogatepass"), f'"{MASK}"'.encode())
        # Latin-1 shows ASCII as it is, and is fast.
        charsets = ("latin-1", "utf-8", "utf-16-le", "utf-16-be") if self._beyond_ascii else ("latin-1",)
        if not any(self._is_repeated(body.decode(charset, "replace")) for charset in charsets):
            return body
        for secret in self._long:
            body = body.replace(secret.encode("utf-8", "surrogatepass"), MASK.encode())
        return (
            WITHHELD.encode()
            if any(self._is_repeated(body.decode(charset, "replace")) for charset in charsets)
            else body
        )

    def _is_repeated(self, text: str) -> bool:
        if not self._canonical or len(text) < LONG:
            return False
        decoded = _canonical(text)
        return decoded is None or any(secret in decoded for secret in self._canonical)


def _ends_with_start(text: str, secret: str) -> bool:
    """Whether a text ends with the first characters of a secret, three at least."""
    at = text.find(secret[:3], max(0, len(text) - len(secret)))
    while at >= 0 and not secret.startswith(text[at:]):
        at = text.find(secret[:3], at + 1)
    return at >= 0


def _forms(text: str) -> Iterator[str]:
    """A text in its common forms."""
    import json
    from html import escape

    raw = text.encode("utf-8", "surrogatepass")
    yield text
    for escaped in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (escaped, escaped.replace("/", "\\/"))
    yield from (escape(text), escape(text, quote=False), escape(text).replace("&#x27;", "&#39;"))
    yield from (quote(raw, safe=safe) for safe in ("", "/", "/:@!$&'()*+,;="))
    yield quote_plus(raw)
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        yield encoded.decode("ascii").rstrip("=")
    yield from (raw.hex(), raw.hex().upper())


def _encoded(text: str) -> Iterator[str]:
    """A text in hexadecimal digits, and in base64 at each of its three possible alignments."""
    raw = text.encode("utf-8", "surrogatepass")
    yield from (raw.hex(), raw.hex().upper())
    for before, first in ((0, 0), (1, 2), (2, 3)):
        # Without the characters that depend on the adjacent bytes.
        encoded = base64.b64encode(bytes(before) + raw).decode("ascii")
        yield encoded[first : (before + len(raw)) * 8 // 6]


def _canonical(text: str) -> str | None:
    """A text with all its escapes decoded, repeatedly; None if that takes too long."""
    seen = 0
    for _ in range(_MOST_LAYERS):
        before = text
        seen += text.count("\\") + text.count("%") + text.count("&")
        if seen > _MOST_ESCAPES:
            return None
        if "\\" in text:
            text = _JSON_ESCAPE.sub(_unescaped, text)
        if "%" in text:
            text = _PERCENT_ENCODED.sub(lambda found: unquote(found[0]), text)
        if "&" in text:
            from html import unescape

            try:
                text = unescape(text)
            except ValueError:  # a number of more digits than Python converts
                return None
        if text == before:
            for character, alike in _ALIKE.items():
                text = text.replace(character, alike)
            return text
    return None


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2]
    return chr(int(digits, 16)) if digits else _JSON_LETTERS.get(escape[0][1:], escape[0][1:])


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
    """A secret segment, and its parts between delimiters.

    A path parameter of the styles label and matrix begins with a delimiter, and a segment may have several parameters.
    """
    bounds = [match.start() for match in _DELIMITER.finditer(text)][:_DELIMITERS]
    return {text, *(text[i + 1 : j] for i in (-1, *bounds) for j in (*bounds, len(text)) if i + 1 < j)}


def _in_form(body: bytes) -> set[str]:
    """The secret parts of the body of a token request."""
    return {value for name, value in parse_qsl(body.decode("latin-1")) if name in _SECRET_FIELDS}
