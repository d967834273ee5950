"""Secret texts, and how they are found and masked in what is shown.

Rule: a secret shows itself only when asked to: not in a repr, a log, a traceback or a pickle.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote_plus

MASK = "***"
LONG = 8
"""Characters of a secret that is masked wherever it occurs. A shorter one is masked only where it is a whole text."""

# RFC 6749, 2.3.1, 4.1.3, 4.3.2 and 6; RFC 7636, 4.5; RFC 7521, 4; RFC 8628, 3.4: the secret fields of token requests.
_SECRET_FIELDS = frozenset(
    {"assertion", "client_assertion", "client_secret", "code", "code_verifier", "device_code"}
    | {"password", "refresh_token", "token"}
)


class Secret:
    """A text that shows itself as ``***``. It is compared in constant time, and refuses to be pickled."""

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


def in_header(name: str, value: str) -> set[str]:
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


def in_form(body: bytes) -> set[str]:
    """The secret parts of the body of a token request."""
    return {value for name, value in parse_qsl(body.decode("latin-1")) if name in _SECRET_FIELDS}
