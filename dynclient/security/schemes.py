"""The kinds of security schemes, and the Auth that each makes from the value of ``auth=``.

``("user", "password")`` for HTTP basic or digest authentication, ``"token"`` where exactly one scheme takes one,
``OAuth2(...)`` or ``("client_id", "client_secret")`` where a token is to be fetched, an :class:`Auth`, a function that
is called at each call, or ``{"schemeName": any of these}`` for several.

Rule 1: :data:`KINDS` is the only table of kinds. A new kind is a row there, and its Auth.
Rule 2: an Auth that is given by the name of a scheme is used for it, for any kind of scheme.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from dynclient._deferred import expression, function
from dynclient._identifiers import near
from dynclient._records import Record
from dynclient._request_export import variable
from dynclient._secrets import Secret
from dynclient.exceptions import ArgumentError
from dynclient.http_grammar import AUTHENTICATION_SCHEMES
from dynclient.messages import Request
from dynclient.model import SecurityScheme
from dynclient.options import OAuth2
from dynclient.security.auth import UNDECLARED, Auth, AuthContext, CredentialRequest, SchemeAuth, write

Function = Callable[[CredentialRequest], Any]
Given = Mapping[str, Auth | Function]
"""Scheme name -> its Auth, or the function that is called for a credential."""

_CONTROL = expression(r"[\x00-\x1f\x7f]")
_NOT_IN_COOKIE = expression(r"[\x00-\x20\x7f;,]")


class StaticAuth(SchemeAuth):
    """An Auth whose credential is a fixed text."""

    __slots__ = ()
    signs = False

    def text(self, scheme: SecurityScheme) -> str:
        """The credential in the form of the scheme's header, query field or cookie.

        Raises:
            ArgumentError: it contains characters that are not allowed there.
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
        # RFC 7617, 2: a user-id contains no colon, and neither part contains a control character.
        password = self._password.reveal()
        if ":" in self._user or _CONTROL.search(self._user + password):
            raise _unfit(scheme, "has a colon in the user name, or contains a control character")
        return f"Basic {base64.b64encode(f'{self._user}:{password}'.encode()).decode('ascii')}"


class _TextAuth(StaticAuth):
    __slots__ = ("_secret",)

    def __init__(self, secret: str | Secret) -> None:
        """Take the token or the key."""
        self._secret = as_secret(secret)

    def _checked(self, scheme: SecurityScheme) -> str:
        value = self._secret.reveal()
        if not value or _CONTROL.search(value) or value != value.strip():
            raise _unfit(scheme, "is empty, begins or ends with a space, or contains a control character")
        return value


class BearerAuth(_TextAuth):
    """A token in the Authorization header, after the word of its HTTP scheme: ``Bearer`` (RFC 6750), or another."""

    __slots__ = ()

    def text(self, scheme: SecurityScheme) -> str:
        """The scheme's word, and the token."""
        token, word = self._checked(scheme), word_of(scheme)
        if token.lower().startswith(f"{word.lower()} "):
            raise _unfit(scheme, f"begins with {word}, which is added to it")
        if word == "Bearer" and " " in token:
            raise _unfit(scheme, "contains a space")
        return f"{word} {token}"


class APIKeyAuth(_TextAuth):
    """An API key in the header, query field or cookie that the scheme names."""

    __slots__ = ()

    def text(self, scheme: SecurityScheme) -> str:
        """The key as it is."""
        key = self._checked(scheme)
        # RFC 6265, 4.1.1: characters that are not allowed in a cookie's value could begin another cookie.
        if scheme.in_ == "cookie" and _NOT_IN_COOKIE.search(key):
            raise _unfit(scheme, "contains a space, a comma or a semicolon")
        return key


class HeaderAuth(_TextAuth):
    """The Authorization header of a scheme that the document does not declare; a bare token is sent as Bearer."""

    __slots__ = ()

    def text(self, scheme: SecurityScheme) -> str:
        """The text, after ``Bearer`` if it has no scheme itself."""
        text = self._checked(scheme)
        return text if " " in text else f"Bearer {text}"


def _oauth2(auth: OAuth2, scheme: SecurityScheme) -> Auth:
    fault = _fault_of(auth, scheme)
    if fault:
        form = kind_of(scheme).form
        raise ArgumentError(f"the security scheme {scheme.name} takes {form}: {fault}", argument="auth")
    return _OAUTH2(auth)


class Kind(Record):
    """A kind of security scheme: the values that ``auth=`` takes for it, and the Auth made from them.

    ``form`` is how a credential is written in Python, "" if none can be given; ``typed`` is how a person types one as a
    single string. ``takes`` has a function for each of ``text``, ``pair`` and ``OAuth2`` that can be given. A pair
    without a name is for the scheme of the lowest ``rank``.
    """

    form: str
    typed: str = "a token"
    takes: Mapping[str, Callable[[Any, SecurityScheme], Auth]] = {}
    rank: int = 0


_PAIR = '("user", "password")'
_OAUTH2: Callable[[OAuth2], Auth] = function("dynclient.security.oauth2.flows", "OAuth2Auth")
_fault_of: Callable[[OAuth2, SecurityScheme], str] = function("dynclient.security.oauth2.flows", "fault_of")
_DIGEST: Callable[..., Auth] = function("dynclient.security.signing", "DigestAuth")
_BEARER: Mapping[str, Callable[[Any, SecurityScheme], Auth]] = {"text": lambda token, _: BearerAuth(token)}
_GRANTING = Kind(
    '"token" or OAuth2(...)',
    "a token, or client_id:client_secret",
    {**_BEARER, "pair": lambda pair, scheme: _oauth2(OAuth2(*pair), scheme), "OAuth2": _oauth2},
    rank=2,
)

KINDS: Mapping[tuple[str, str], Kind] = {
    ("http", "basic"): Kind(_PAIR, "user:password", {"pair": lambda pair, _: BasicAuth(*pair)}),
    ("http", "digest"): Kind(_PAIR, "user:password", {**_BEARER, "pair": lambda pair, _: _DIGEST(*pair)}, rank=1),
    ("http", ""): Kind('"token"', takes=_BEARER),
    ("apiKey", ""): Kind('"key"', takes={"text": lambda key, _: APIKeyAuth(key)}),
    ("oauth2", ""): _GRANTING,
    ("openIdConnect", ""): _GRANTING,
    ("mutualTLS", ""): Kind(""),
    (UNDECLARED, ""): Kind(
        '"the Authorization header"',
        "the Authorization header, or user:password",
        {"text": lambda text, _: HeaderAuth(text), "pair": lambda pair, _: BasicAuth(*pair)},
    ),
}
"""Type of a security scheme, and its HTTP scheme if that has its own kind -> its kind."""


def kind_of(scheme: SecurityScheme) -> Kind:
    """The kind of a security scheme."""
    return KINDS.get((scheme.type, scheme.scheme)) or KINDS[scheme.type, ""]


def word_of(scheme: SecurityScheme) -> str:
    """The word before the credential in the Authorization header."""
    if scheme.type != "http":
        # RFC 6750, 2.1: OAuth and OpenID Connect issue bearer tokens.
        return "Bearer"
    return AUTHENTICATION_SCHEMES.get(scheme.scheme.lower()) or scheme.word or scheme.scheme


def placeholder_of(scheme: SecurityScheme) -> str:
    """The placeholder of a missing credential: ``Basic $YOUR_BASIC_CREDENTIALS``, ``$YOUR_API_KEY``."""
    if scheme.type == "apiKey":
        return f"${variable(scheme.parameter)}"
    return f"{word_of(scheme)} ${variable(f'{word_of(scheme)}_credentials')}"


def concealed(auth: Any) -> Any:
    """Return the value of ``auth=`` with its strings as Secrets, so that it can be stored without being shown."""
    if isinstance(auth, str):
        return Secret(auth)
    if isinstance(auth, Mapping):
        return {name: concealed(value) for name, value in auth.items()}
    if _is_pair(auth):
        return auth[0], concealed(auth[1])
    return auth


def given_auths(auth: Any, schemes: Mapping[str, SecurityScheme]) -> Given:
    """Sort the value of ``auth=`` by scheme. Without a name, declared schemes are tried before undeclared ones.

    Raises:
        ArgumentError: it has none of the forms, or no scheme, or more than one, can use it.
    """
    form = _form_of(auth)
    if isinstance(auth, Mapping):
        return {_known(name, schemes): _auth_or_function(value, schemes[name]) for name, value in auth.items()}
    if auth is None or form == "function":
        return dict.fromkeys(schemes, auth) if auth is not None else {}
    if not form:
        raise ArgumentError(f"auth can't be a {type(auth).__name__}", argument="auth", hint=hint(schemes.values()))
    takers = _takers(auth, form, schemes)
    if not takers or (len(takers) > 1 and form != "Auth"):
        count = f"{len(takers)} security schemes" if takers else "no security scheme of the document"
        given = _NAMES.get(form) or f"{type(auth).__name__}(...)"
        raise ArgumentError(
            f"{count} can use {given}; the document has {_listed(schemes)}",
            argument="auth",
            hint=hint(takers or schemes.values())
            or 'pass headers={"Authorization": "..."}: it is sent to the servers that auth= would be sent to',
        )
    return {scheme.name: auth_of(auth, scheme) for scheme in takers}


def auth_of(value: Any, scheme: SecurityScheme) -> Auth:
    """The Auth that a scheme makes from a caller's value, or from a function's result.

    Raises:
        ArgumentError: the scheme can't take it.
    """
    form, kind = _form_of(value), kind_of(scheme)
    if form == "Auth":
        return value  # type: ignore[no-any-return]  # anything with a flow is one
    if form in kind.takes:
        return kind.takes[form](_pair(value) if form == "pair" else value, scheme)
    takes = kind.form or "no credential in auth=: it uses the client's certificate, tls=TLS(certificate=...)"
    problem = f"the security scheme {scheme.name} takes {takes}, not a {type(value).__name__}"
    raise ArgumentError(problem, argument="auth")


def authorization_header(value: Any, argument: str) -> str:
    """The Authorization header of a token, or of a pair of user and password, without a declared scheme.

    Raises:
        ArgumentError: the value is neither; ``argument`` is the name of the option.
    """
    scheme = SecurityScheme(argument, UNDECLARED)
    if _form_of(value) not in kind_of(scheme).takes:
        raise ArgumentError(
            f"{argument} takes a token or a pair of user and password, not a {type(value).__name__}", argument=argument
        )
    auth = auth_of(value, scheme)
    return auth.text(scheme) if isinstance(auth, StaticAuth) else ""


def hint(schemes: Iterable[SecurityScheme]) -> str:
    """How to give credentials for these schemes."""
    pairs = [f'"{scheme.name}": {form}' for scheme in schemes if (form := kind_of(scheme).form)]
    return f"pass auth={{{', '.join(pairs)}}}" if pairs else ""


def is_auth(value: Any) -> bool:
    """Whether a value is an Auth: it has a method ``flow``."""
    return callable(getattr(value, "flow", None))


def as_secret(value: str | Secret) -> Secret:
    """A text as a Secret."""
    return value if isinstance(value, Secret) else Secret(value)


_NAMES = {"OAuth2": "OAuth2(...)", "pair": "a pair of user and password", "text": "a token"}


def _form_of(value: Any) -> str:
    """The form of a credential; "" if it has no known form."""
    if is_auth(value):
        return "Auth"
    if _is_pair(value):
        return "pair"
    if isinstance(value, OAuth2):
        return "OAuth2"
    return "text" if isinstance(value, (str, Secret)) else "function" if callable(value) else ""


def _pair(value: Any) -> tuple[str, Secret]:
    return as_secret(value[0]).reveal(), as_secret(value[1])


def _auth_or_function(value: Any, scheme: SecurityScheme) -> Auth | Function:
    return value if _form_of(value) == "function" else auth_of(value, scheme)


def _takers(auth: Any, form: str, schemes: Mapping[str, SecurityScheme]) -> list[SecurityScheme]:
    """The schemes that can use a value given without a name."""
    every = schemes.values()
    if form == "Auth":
        return [scheme for scheme in every if kind_of(scheme).form]
    found = [scheme for scheme in every if form in kind_of(scheme).takes]
    found = [scheme for scheme in found if scheme.type != UNDECLARED] or found
    if form == "text" or (form == "OAuth2" and len(found) == 1):
        return found
    given = OAuth2(*_pair(auth)) if form == "pair" else auth
    found = [scheme for scheme in found if "OAuth2" not in kind_of(scheme).takes or not _fault_of(given, scheme)]
    rank = min((kind_of(scheme).rank for scheme in found), default=0)
    return [scheme for scheme in found if kind_of(scheme).rank == rank]


def _known(name: Any, schemes: Mapping[str, SecurityScheme]) -> str:
    if isinstance(name, str) and name in schemes:
        return name
    raise ArgumentError(
        f"the document has no security scheme {name!r}; it has {_listed(schemes)}",
        argument="auth",
        matches=near(str(name), list(schemes)),
    )


def _listed(schemes: Mapping[str, SecurityScheme]) -> str:
    return ", ".join(schemes) or "none"


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, (tuple, list))
        and len(value) == 2  # noqa: PLR2004  # user and password
        and all(isinstance(part, (str, Secret)) for part in value)
    )


def _unfit(scheme: SecurityScheme, why: str) -> ArgumentError:
    return ArgumentError(f"the credential of security scheme {scheme.name} {why}", argument="auth")
