"""The kinds of security schemes, and the Auth that each makes of what ``auth=`` is given.

``("user", "password")`` for HTTP basic or digest authentication, ``"token"`` where exactly one scheme takes one,
``OAuth2(...)`` or ``("client_id", "client_secret")`` where a token is to be fetched, an :class:`Auth`, a function that
is called at each call, or ``{"schemeName": any of these}`` for several.

Rule 1: :data:`KINDS` is the only table of kinds. A new kind is a row there, and its Auth.
Rule 2: an Auth that is given by the name of a scheme is used for it, whatever the scheme's kind.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from dynclient._expressions import expression
from dynclient._identifiers import near
from dynclient._records import Record
from dynclient._request_export import variable
from dynclient._secrets import Secret
from dynclient.exceptions import ArgumentError
from dynclient.messages import Request
from dynclient.model import SecurityScheme
from dynclient.options import OAuth2
from dynclient.security.auth import Auth, AuthContext, CredentialRequest, SchemeAuth
from dynclient.security.locations import write

Function = Callable[[CredentialRequest], Any]
Given = Mapping[str, Auth | Function]
"""Scheme name -> its Auth, or the function that is called for a credential."""

# The registered names as their specifications write them (IANA, HTTP Authentication Schemes). Servers should match
# without regard to case, and some do not.
_REGISTERED = (
    "Basic Bearer Concealed Digest DPoP GNAP HOBA Mutual Negotiate OAuth PrivateToken SCRAM-SHA-1 SCRAM-SHA-256 vapid"
)
_WORDS = {word.lower(): word for word in _REGISTERED.split()}
_CONTROL = expression(r"[\x00-\x1f\x7f]")
_NOT_IN_COOKIE = expression(r"[\x00-\x20\x7f;,]")


class StaticAuth(SchemeAuth):
    """An Auth whose credential is a fixed text."""

    __slots__ = ()
    signs = False

    def text(self, scheme: SecurityScheme) -> str:
        """The credential as a scheme's header, query field or cookie has it.

        Raises:
            ArgumentError: it holds characters that can't stand there.
        """
        raise NotImplementedError

    def flow(self, request: Request, context: AuthContext, /) -> Generator[Request, Any, None]:
        """Send the request with the credential."""
        yield write(request, context.scheme, self.text(context.scheme))


class BasicAuth(StaticAuth):
    """HTTP basic authentication (RFC 7617): a user and a password."""

    __slots__ = ("_password", "_user")

    def __init__(self, user: str, password: str | Secret) -> None:
        """Take the user's name and password, which are sent in UTF-8."""
        self._user = user
        self._password = as_secret(password)

    def text(self, scheme: SecurityScheme) -> str:
        """``Basic`` and the pair in base64."""
        # RFC 7617, 2: a user-id holds no colon, and neither part a control character.
        password = self._password.reveal()
        if ":" in self._user or _CONTROL.search(self._user + password):
            raise _unfit(scheme, "has a colon in the user's name, or holds a control character")
        return f"Basic {base64.b64encode(f'{self._user}:{password}'.encode()).decode('ascii')}"


class BearerAuth(StaticAuth):
    """A token in the Authorization header, behind the word of its HTTP scheme: ``Bearer`` (RFC 6750), or another."""

    __slots__ = ("_token",)

    def __init__(self, token: str | Secret) -> None:
        """Take the token, without the scheme's word."""
        self._token = as_secret(token)

    def text(self, scheme: SecurityScheme) -> str:
        """The scheme's word, and the token."""
        token, word = _checked(self._token, scheme), word_of(scheme)
        if token.lower().startswith(f"{word.lower()} "):
            raise _unfit(scheme, f"begins with {word}, which is added to it")
        if word == "Bearer" and " " in token:
            raise _unfit(scheme, "holds a space")
        return f"{word} {token}"


class APIKeyAuth(StaticAuth):
    """An API key in the header, query field or cookie that the scheme names."""

    __slots__ = ("_key",)

    def __init__(self, key: str | Secret) -> None:
        """Take the key."""
        self._key = as_secret(key)

    def text(self, scheme: SecurityScheme) -> str:
        """The key as it is."""
        key = _checked(self._key, scheme)
        # RFC 6265, 4.1.1: what a cookie's value can't hold would begin another cookie.
        if scheme.in_ == "cookie" and _NOT_IN_COOKIE.search(key):
            raise _unfit(scheme, "holds a space, a comma or a semicolon")
        return key


def _digest(user: str, password: Secret, _: SecurityScheme) -> Auth:
    from dynclient.security.digest import DigestAuth

    return DigestAuth(user, password)


def _oauth2(auth: OAuth2, scheme: SecurityScheme) -> Auth:
    from dynclient.security.oauth2 import OAuth2Auth

    fault = _fault_of(auth, scheme)
    if fault:
        form = kind_of(scheme).form
        raise ArgumentError(f"the security scheme {scheme.name} takes {form}: {fault}", argument="auth")
    return OAuth2Auth(auth)


class Kind(Record):
    """A kind of security scheme: what ``auth=`` takes for it, and the Auth that this makes.

    ``form`` is how a credential is written in Python, "" where there is none to give; ``typed`` how a person types one
    as a single text. Of a pair alone, the schemes of the lowest ``rank`` are meant.
    """

    form: str
    typed: str = "a token"
    text: Callable[[Secret], Auth] | None = None
    pair: Callable[[str, Secret, SecurityScheme], Auth] | None = None
    rank: int = 0
    oauth2: Callable[[OAuth2, SecurityScheme], Auth] | None = None

    @property
    def has_user(self) -> bool:
        """Whether a credential is a user's name and password."""
        return self.pair is not None and self.oauth2 is None


_PAIR = '("user", "password")'
_GRANTING = Kind(
    '"token" or OAuth2(...)',
    "a token, or client_id:client_secret",
    BearerAuth,
    lambda user, password, scheme: _oauth2(OAuth2(user, password), scheme),
    rank=2,
    oauth2=_oauth2,
)

KINDS: Mapping[tuple[str, str], Kind] = {
    ("http", "basic"): Kind(_PAIR, "user:password", pair=lambda user, password, _: BasicAuth(user, password)),
    ("http", "digest"): Kind(_PAIR, "user:password", BearerAuth, _digest, rank=1),
    ("http", ""): Kind('"token"', text=BearerAuth),
    ("apiKey", ""): Kind('"key"', text=APIKeyAuth),
    ("oauth2", ""): _GRANTING,
    ("openIdConnect", ""): _GRANTING,
    ("mutualTLS", ""): Kind(""),
}
"""Type of a security scheme, and its HTTP scheme where that is of a kind of its own -> its kind."""


def kind_of(scheme: SecurityScheme) -> Kind:
    """The kind of a security scheme."""
    return KINDS.get((scheme.type, scheme.scheme)) or KINDS[scheme.type, ""]


def word_of(scheme: SecurityScheme) -> str:
    """The word before the credential in the Authorization header."""
    if scheme.type != "http":
        # RFC 6750, 2.1: what OAuth and OpenID Connect give out is a bearer token.
        return "Bearer"
    return _WORDS.get(scheme.scheme.lower()) or scheme.word or scheme.scheme


def placeholder_of(scheme: SecurityScheme) -> str:
    """What stands for a credential that is not at hand: ``Basic $BASIC``, ``$API_KEY``."""
    if scheme.type == "apiKey":
        return variable(scheme.parameter)
    return f"{word_of(scheme)} {variable(scheme.name)}"


def concealed(auth: Any) -> Any:
    """Return the value of ``auth=`` with its texts made Secrets, so that it can be kept and not shown."""
    if isinstance(auth, str):
        return Secret(auth)
    if isinstance(auth, Mapping):
        return {name: concealed(value) for name, value in auth.items()}
    if _is_pair(auth):
        return auth[0], concealed(auth[1])
    return auth


def given_auths(auth: Any, schemes: Mapping[str, SecurityScheme]) -> Given:
    """Sort the value of ``auth=`` by scheme.

    Raises:
        ArgumentError: it has none of the forms, or no scheme, or more than one, can take it.
    """
    if auth is None:
        return {}
    if isinstance(auth, Mapping):
        return {_known(name, schemes): _auth_or_function(value, schemes[name]) for name, value in auth.items()}
    if callable(auth) and not is_auth(auth):
        return dict.fromkeys(schemes, auth)
    if not (is_auth(auth) or isinstance(auth, (str, Secret, OAuth2)) or _is_pair(auth)):
        raise ArgumentError(f"auth can't be a value of {type(auth)}", argument="auth", hint=hint(schemes.values()))
    takers = _takers(auth, schemes)
    if not takers or (len(takers) > 1 and not is_auth(auth)):
        fault = f"{len(takers)} security schemes" if takers else "no security scheme of the document"
        raise ArgumentError(
            f"{fault} can take {_in_words(auth)}; the document has {_listed(schemes)}",
            argument="auth",
            hint=hint(takers or schemes.values()),
        )
    return {scheme.name: auth_of(auth, scheme) for scheme in takers}


def auth_of(value: Any, scheme: SecurityScheme) -> Auth:
    """The Auth that a scheme makes of a caller's value, or of what a function returned.

    Raises:
        ArgumentError: the scheme can't take it.
    """
    kind = kind_of(scheme)
    if is_auth(value):
        return value  # type: ignore[no-any-return]  # whatever has a flow is one
    if kind.pair is not None and _is_pair(value):
        return kind.pair(as_secret(value[0]).reveal(), as_secret(value[1]), scheme)
    if kind.text is not None and isinstance(value, (str, Secret)):
        return kind.text(as_secret(value))
    if kind.oauth2 is not None and isinstance(value, OAuth2):
        return kind.oauth2(value, scheme)
    takes = (
        f"takes {kind.form}" if kind.form else "takes no credential here: it is the client's certificate, tls=TLS(...)"
    )
    raise ArgumentError(f"the security scheme {scheme.name} {takes}, not a {type(value).__name__}", argument="auth")


def hint(schemes: Iterable[SecurityScheme]) -> str:
    """How to give credentials for these schemes."""
    pairs = [f'"{scheme.name}": {form}' for scheme in schemes if (form := kind_of(scheme).form)]
    return f"pass auth={{{', '.join(pairs)}}}" if pairs else ""


def is_auth(value: Any) -> bool:
    """Whether a value is an Auth: whether it has a method ``flow``."""
    return callable(getattr(value, "flow", None))


def as_secret(value: str | Secret) -> Secret:
    """A text as a Secret."""
    return value if isinstance(value, Secret) else Secret(value)


def _auth_or_function(value: Any, scheme: SecurityScheme) -> Auth | Function:
    if callable(value) and not is_auth(value):
        return value  # type: ignore[no-any-return]  # what a function returns is checked when it has
    return auth_of(value, scheme)


def _takers(auth: Any, schemes: Mapping[str, SecurityScheme]) -> list[SecurityScheme]:
    """The schemes that can take something which was given without a name."""
    kinds = [(scheme, kind_of(scheme)) for scheme in schemes.values()]
    if is_auth(auth):
        return [scheme for scheme, kind in kinds if kind.form]
    if isinstance(auth, (str, Secret)):
        return [scheme for scheme, kind in kinds if kind.text is not None]
    if isinstance(auth, OAuth2):
        found = [scheme for scheme, kind in kinds if kind.oauth2 is not None]
        return found if len(found) == 1 else [scheme for scheme in found if not _fault_of(auth, scheme)]
    ranks = sorted({kind.rank for _, kind in kinds if kind.pair is not None})
    client = OAuth2(as_secret(auth[0]).reveal(), as_secret(auth[1]))
    for rank in ranks:
        found = [scheme for scheme, kind in kinds if kind.pair is not None and kind.rank == rank]
        found = [scheme for scheme in found if kind_of(scheme).oauth2 is None or not _fault_of(client, scheme)]
        if found:
            return found
    return []


def _fault_of(auth: OAuth2, scheme: SecurityScheme) -> str:
    from dynclient.security.grants import fault_of

    try:
        hash(auth)
    except TypeError:
        return "its parts, the store among them, have to be hashable"
    return fault_of(auth, scheme)


def _in_words(auth: Any) -> str:
    if isinstance(auth, OAuth2):
        return "OAuth2(...)"
    if is_auth(auth):
        return f"{type(auth).__name__}(...)"
    return "a pair of user and password" if _is_pair(auth) else "a token"


def _known(name: Any, schemes: Mapping[str, SecurityScheme]) -> str:
    if isinstance(name, str) and name in schemes:
        return name
    matches = near(str(name), list(schemes))
    raise ArgumentError(
        f"the document has no security scheme {name!r}; it has {_listed(schemes)}",
        argument="auth",
        matches=matches,
        hint=f"did you mean {matches[0]!r}?" if matches else "",
    )


def _listed(schemes: Mapping[str, SecurityScheme]) -> str:
    return ", ".join(schemes) or "none"


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, (tuple, list))
        and len(value) == 2  # noqa: PLR2004  # user and password
        and all(isinstance(part, (str, Secret)) for part in value)
    )


def _checked(secret: Secret, scheme: SecurityScheme) -> str:
    value = secret.reveal()
    if not value or _CONTROL.search(value) or value != value.strip():
        raise _unfit(scheme, "is empty, begins or ends with a space, or holds a control character")
    return value


def _unfit(scheme: SecurityScheme, why: str) -> ArgumentError:
    return ArgumentError(f"the credential of security scheme {scheme.name} {why}", argument="auth")
