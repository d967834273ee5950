"""What a caller says of itself: secrets, and how to get a token.

Rule 1: a secret shows itself only when asked to: not in a repr, a log, a traceback or a pickle.
Rule 2: nothing here does anything: the flows are in :mod:`dynclient.security`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Literal, NoReturn, Protocol
from urllib.parse import parse_qsl, unquote_plus

MASK = "***"
LONG = 8
"""Characters that make a secret no common word: so many are looked for anywhere, fewer only as a whole text."""


# RFC 6749, 2.3.1, 4.1.3, 4.3.2 and 6; RFC 7636, 4.5; RFC 7521, 4; RFC 8628, 3.4: what a request for a token proves by.
_SECRET_FIELDS = frozenset(
    {
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "device_code",
        "password",
        "refresh_token",
        "token",
    }
)


class Secret:
    """A text that shows itself only when asked to. It is compared in constant time, and not pickled."""

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
    """A plain value, text or bytes, with every secret in it replaced by ``***``; itself where it holds none.

    A short secret is looked for as a whole text, and in bytes between quotes: the word may be there by chance.
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
    """What of a secret header's value is secret by itself: each cookie, what follows the scheme's word, a password."""
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
    # RFC 6749, 2.3.1: a client's secret is form-encoded in there.
    return {rest, pair, password, unquote_plus(password)}


def in_form(body: bytes) -> set[str]:
    """What of a request for a token is secret by itself."""
    return {value for name, value in parse_qsl(body.decode("latin-1")) if name in _SECRET_FIELDS}


class TokenStore(Protocol):
    """Keeps tokens beyond the life of a client. Its methods may block: no event loop waits for them."""

    def load(self, key: str) -> Mapping[str, Any] | None:
        """What was saved under a key, or None."""

    def save(self, key: str, tokens: Mapping[str, Any]) -> None:
        """Keep tokens: a mapping of texts and numbers, all of it secret."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person needs to log in on another device (RFC 8628, 3.2): an address, and the code to type there.

    ``complete_uri`` is an address that has the code in it already, or None; ``expires_in`` is in seconds.
    """

    uri: str
    code: str
    complete_uri: str | None
    expires_in: float


@dataclass(frozen=True, slots=True, init=False)
class OAuth2:
    """How to get a token for an ``oauth2`` or ``openIdConnect`` scheme.

    What is given decides on the grant: ``username`` and ``password`` (RFC 6749, 4.3), ``open_browser`` (authorization
    code with PKCE, 4.1 and RFC 7636), ``show_code`` (device code, RFC 8628), ``client_secret`` (client credentials,
    4.4), in this order; a ``refresh_token`` is used first, and is enough.
    """

    client_id: str
    client_secret: Secret | None
    username: str | None
    password: Secret | None
    refresh_token: Secret | None
    scopes: tuple[str, ...] | None
    open_browser: Callable[[str], object] | None
    show_code: Callable[[DeviceCode], object] | None
    redirect_uri: str
    token_url: str | None
    authorization_url: str | None
    device_authorization_url: str | None
    client_auth: Literal["basic", "post"] | None
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    login_timeout: float
    store: str | PathLike[str] | TokenStore | None

    def __init__(
        self,
        client_id: str,
        client_secret: str | Secret | None = None,
        *,
        username: str | None = None,
        password: str | Secret | None = None,
        refresh_token: str | Secret | None = None,
        scopes: str | Iterable[str] | None = None,
        open_browser: Callable[[str], object] | None = None,
        show_code: Callable[[DeviceCode], object] | None = None,
        redirect_uri: str = "http://127.0.0.1/",
        token_url: str | None = None,
        authorization_url: str | None = None,
        device_authorization_url: str | None = None,
        client_auth: Literal["basic", "post"] | None = None,
        parameters: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        login_timeout: float = 300.0,
        store: str | PathLike[str] | TokenStore | None = None,
    ) -> None:
        """Take what the authorization server knows the client, and its user, by.

        Args:
            client_id: the client's name at the authorization server.
            client_secret: its password there; a client without one is a public client.
            username: the person's name.
            password: the person's password.
            refresh_token: one that was got before.
            scopes: what tokens are asked for; without it, what the called operation needs.
            open_browser: shows a person the address where to log in: ``webbrowser.open``, or a function like it.
            show_code: shows a person the address and the code of the device grant.
            redirect_uri: where the browser is sent back to: http on a loopback address. Without a port any free one
                is taken.
            token_url: in place of the document's. The caller who gives an address vouches for its origin.
            authorization_url: likewise.
            device_authorization_url: likewise.
            client_auth: how the client shows its secret: in the Authorization header (``"basic"``, which is what
                servers have to take) or in the body (``"post"``).
            parameters: further fields of each request for a token, such as ``audience`` or ``resource``.
            login_timeout: seconds that a person has for logging in. The call's own time begins anew afterwards.
            store: a file in which tokens are kept, readable by nobody else, or a TokenStore. Without one, they are
                kept as long as the client.
        """
        pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
        values = {
            "client_id": client_id,
            "client_secret": _secret(client_secret),
            "username": username,
            "password": _secret(password),
            "refresh_token": _secret(refresh_token),
            "scopes": tuple(scopes.split() if isinstance(scopes, str) else scopes) if scopes is not None else None,
            "open_browser": open_browser,
            "show_code": show_code,
            "redirect_uri": redirect_uri,
            "token_url": token_url,
            "authorization_url": authorization_url,
            "device_authorization_url": device_authorization_url,
            "client_auth": client_auth,
            "parameters": tuple((str(name), str(value)) for name, value in pairs),
            "login_timeout": login_timeout,
            "store": store,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)


def _secret(value: str | Secret | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value
