"""What ``auth=`` may be, held to the document's security schemes.

``("user", "password")`` for HTTP basic or digest authentication, ``"token"`` where exactly one scheme takes one,
``OAuth2(...)`` or ``("client_id", "client_secret")`` where a token is to be fetched, ``{"schemeName": credential}`` for
several, or a function that is asked at each call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dynclient._identifiers import near
from dynclient._records import Record
from dynclient._secrets import OAuth2, Secret
from dynclient.exceptions import ArgumentError
from dynclient.model import SecurityScheme


class Pair(Record):
    """A user and a password."""

    user: str
    password: Secret


class CredentialRequest(Record):
    """What a function given as ``auth=`` is asked: a credential for a scheme, at one call.

    It returns a text, a pair of user and password, a Secret, or None where it has none. ``scopes`` are those that the
    operation asks for, ``origin`` is where the credential will go: scheme, host, port.
    """

    scheme: SecurityScheme
    scopes: tuple[str, ...]
    operation_id: str
    origin: tuple[str, str, int]


Credential = Pair | Secret
Asked = Callable[[CredentialRequest], Any]
Given = Mapping[str, Credential | OAuth2 | Asked]
"""Scheme name -> its credential, or what is asked for it."""


def concealed(auth: Any) -> Any:
    """What was given as ``auth=``, its texts made Secrets: a thing that can be kept without being shown."""
    if isinstance(auth, str):
        return Secret(auth)
    if isinstance(auth, Mapping):
        return {name: concealed(value) for name, value in auth.items()}
    if _is_pair(auth):
        return auth[0], concealed(auth[1])
    return auth


def takes(scheme: SecurityScheme) -> str:
    """How a scheme's credential is given, as a caller writes it; empty where it takes none."""
    return _FORMS[_kind(scheme)]


def given(auth: Any, schemes: Mapping[str, SecurityScheme]) -> Given:
    """Sort what was given as ``auth=`` by scheme.

    Raises:
        ArgumentError: it is none of the forms, or no scheme, or more than one, can take it.
    """
    if auth is None:
        return {}
    if callable(auth):
        return dict.fromkeys(schemes, auth)
    if isinstance(auth, Mapping):
        return {_known(name, schemes): _one(value, schemes[name]) for name, value in auth.items()}
    forms = _forms(auth)
    if not forms:
        raise ArgumentError(f"auth can't be a value of {type(auth)}", argument="auth", hint=hint(schemes.values()))
    takers = next(filter(None, (_takers(auth, form, schemes) for form in forms)), [])
    if len(takers) != 1:
        fault = f"{len(takers)} security schemes" if takers else "no security scheme of the document"
        raise ArgumentError(
            f"{fault} can take {_in_words(auth)}; the document has {_listed(schemes)}",
            argument="auth",
            hint=hint(takers or schemes.values()),
        )
    return {takers[0].name: _one(auth, takers[0])}


def _forms(auth: Any) -> tuple[frozenset[str], ...]:
    """The kinds of schemes that can take something, those first that are meant where there are several."""
    if isinstance(auth, OAuth2):
        return (_TOKEN_GRANTING,)
    if _is_pair(auth):
        return frozenset({"basic"}), frozenset({"digest"}), _TOKEN_GRANTING
    return (_TOKEN_KINDS,) if isinstance(auth, (str, Secret)) else ()


def _takers(auth: Any, kinds: frozenset[str], schemes: Mapping[str, SecurityScheme]) -> list[SecurityScheme]:
    found = [scheme for scheme in schemes.values() if _kind(scheme) in kinds]
    if kinds is not _TOKEN_GRANTING or (len(found) == 1 and isinstance(auth, OAuth2)):
        return found
    return [scheme for scheme in found if not _fault_of(_oauth2(auth), scheme)]


def _in_words(auth: Any) -> str:
    if isinstance(auth, OAuth2):
        return "OAuth2(...)"
    return "a pair of user and password" if _is_pair(auth) else "a token"


def _oauth2(auth: Any) -> OAuth2:
    """A pair as what it is short for: client credentials."""
    return auth if isinstance(auth, OAuth2) else OAuth2(_text(auth[0]), _text(auth[1]))


def _fault_of(auth: OAuth2, scheme: SecurityScheme) -> str:
    from dynclient.security.oauth2 import fault_of

    try:
        hash(auth)
    except TypeError:
        return "its parts, the store among them, have to be hashable"
    return fault_of(auth, scheme)


def credential(value: Any, scheme: SecurityScheme) -> Credential:
    """Make a scheme's credential of what a caller gave, or a function returned.

    Raises:
        ArgumentError: the scheme can't take it.
    """
    kind = _kind(scheme)
    if kind in _PAIR_KINDS and _is_pair(value):
        user, password = value
        return Pair(_text(user), Secret(_text(password)))
    if kind in _TOKEN_KINDS and isinstance(value, (str, Secret)):
        return Secret(_text(value))
    form = takes(scheme)
    wanted = f"takes {form}" if form else "takes no credential here: it is the client's certificate, tls=TLS(...)"
    raise ArgumentError(f"the security scheme {scheme.name} {wanted}, not a {type(value).__name__}", argument="auth")


def hint(schemes: Any) -> str:
    """How to give credentials for these schemes."""
    pairs = [f'"{scheme.name}": {takes(scheme)}' for scheme in schemes if takes(scheme)]
    return f"pass auth={{{', '.join(pairs)}}}" if pairs else ""


def _one(value: Any, scheme: SecurityScheme) -> Credential | OAuth2 | Asked:
    if callable(value):
        return value  # type: ignore[no-any-return]  # what a callable returns is looked at when it has
    if _kind(scheme) not in _TOKEN_GRANTING or not (isinstance(value, OAuth2) or _is_pair(value)):
        return credential(value, scheme)
    given = _oauth2(value)
    fault = _fault_of(given, scheme)
    if fault:
        form = takes(scheme)
        raise ArgumentError(f"the security scheme {scheme.name} takes {form}: {fault}", argument="auth")
    return given


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


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _kind(scheme: SecurityScheme) -> str:
    return scheme.scheme if scheme.type == "http" and scheme.scheme in _PAIR_KINDS else scheme.type


_FORMS = {
    "basic": '("user", "password")',
    "digest": '("user", "password")',
    "http": '"token"',
    "apiKey": '"key"',
    "oauth2": '"token" or OAuth2(...)',
    "openIdConnect": '"token" or OAuth2(...)',
    "mutualTLS": "",
}
_PAIR_KINDS = frozenset({"basic", "digest"})
_TOKEN_GRANTING = frozenset({"oauth2", "openIdConnect"})
_TOKEN_KINDS = frozenset({"http", "apiKey", "oauth2", "openIdConnect", "digest"})
