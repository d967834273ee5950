"""HTTP digest authentication (RFC 7616), for clients.

Rule 1: a challenge is answered with the strongest algorithm that both sides support, and with ``qop=auth``, or without
``qop`` as in RFC 2069. A challenge with only ``auth-int`` is not answered: a body may be a stream.
Rule 2: a challenge is cached for its origin; later requests answer it, with a count.
Rule 3: only a hash of the password is sent, and only to the origin of the request itself.
Rule 4: a WWW-Authenticate header is read word by word (RFC 9110, 11.6.1): challenges and parameters are separated by
the same comma, and several header lines are one list. Malformed text ends the reading; challenges before it count.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient._secrets import Secret
from dynclient.http_grammar import TOKEN
from dynclient.messages import Request
from dynclient.security.auth import AuthContext, SchemeAuth, write

# RFC 7616, 6.1: the registered algorithms, the strongest first. Each also has a -sess variant.
_ALGORITHMS = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
_SESSION = "-SESS"
# Separators, then a parameter (its name, its value between quotes or without) or a scheme, perhaps with a token68.
_ITEM = expression(
    rf"""[ \t,]*(?:({TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",=]+))[ \t]*(?=,|$)"""
    rf"""|({TOKEN})(?:[ \t]+[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$))?)"""
)
_UNAUTHORIZED = 401
_UNFIT = expression(r"[\x00-\x1f\x7f]")


class Challenge(Record):
    """One challenge: its scheme in lower case, and its parameters by name in lower case.

    The value of a quoted parameter is the text between the quotes, with its backslashes.
    """

    scheme: str
    parameters: Mapping[str, str]


def challenges(lines: Iterable[str]) -> list[Challenge]:
    """Read the lines of a WWW-Authenticate header."""
    found: list[Challenge] = []
    for line in lines:
        parameters: dict[str, str] | None = None
        item = _ITEM.match(line)
        while item is not None:
            name, quoted, plain, scheme = item.groups()
            if scheme is not None:
                parameters = {}
                found.append(Challenge(scheme.lower(), parameters))
            elif parameters is not None:
                parameters.setdefault(name.lower(), quoted if quoted is not None else plain)
            item = _ITEM.match(line, item.end())
    return found


class DigestSession(Record):
    """A challenge in use (RFC 7616, 3.6), the client's nonce, and the count of the answers.

    A session uses one client nonce, so that the session key of ``-sess`` is the same for servers that compute it once
    and for those that compute it for each request.
    """

    algorithm: str
    parameters: Mapping[str, str]
    cnonce: str
    counts: Iterator[int]


def session(challenges: Iterable[Challenge], entropy: Callable[[int], bytes]) -> DigestSession | None:
    """Begin a session with the strongest challenge that can be answered; None if there is none."""
    found = []
    for challenge in challenges:
        algorithm = challenge.parameters.get("algorithm", "MD5").upper()
        name = algorithm.removesuffix(_SESSION)
        if (
            challenge.scheme == "digest"
            and _is_answerable(challenge.parameters)
            and _ALGORITHMS.get(name) in hashlib.algorithms_available
        ):
            found.append((list(_ALGORITHMS).index(name), algorithm, challenge.parameters))
    if not found:
        return None
    _, algorithm, parameters = min(found, key=lambda one: one[0])
    return DigestSession(algorithm, parameters, entropy(16).hex(), itertools.count(1))


class DigestAuth(SchemeAuth):
    """HTTP digest authentication (RFC 7616): only a hash of user and password is sent."""

    __slots__ = ("_password", "_user")

    def __init__(self, user: str, password: str | Secret) -> None:
        """Take the user's name and password."""
        self._user = user
        self._password = password if isinstance(password, Secret) else Secret(password)

    def flow(self, request: Request, context: AuthContext, /) -> Generator[Request, Any, None]:
        """Answer the origin's last challenge; after a 401, answer the new one once."""
        sessions, key = context.cache.sessions, (context.scheme.name, self._user, self._password, request.origin)
        known: DigestSession | None = sessions.get(key)
        response = yield self._answered(known, request, context) if known is not None else request
        if response.status != _UNAUTHORIZED:
            return
        begun = session(challenges(response.headers.get_list("www-authenticate")), context.random)
        if begun is not None:
            sessions[key] = begun
            response = yield self._answered(begun, request, context)
            if response.status != _UNAUTHORIZED:
                return
        sessions.pop(key, None)

    def _answered(self, to: DigestSession, request: Request, context: AuthContext) -> Request:
        proof = answer(to, self._user, self._password, request)
        return write(request, context.scheme, f"Digest {proof.reveal()}")


def answer(to: DigestSession, user: str, password: Secret, request: Request) -> Secret:
    """The credentials in the Authorization header of a request, without the word ``Digest``."""
    known = to.parameters
    name = _ALGORITHMS[to.algorithm.removesuffix(_SESSION)]

    def hashed(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    parts = urlsplit(request.url)
    uri = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    count = f"{next(to.counts):08x}"
    realm, nonce = known.get("realm", ""), known["nonce"]
    key = hashed(f"{user}:{realm}:{password.reveal()}")
    if to.algorithm.endswith(_SESSION):
        # RFC 7616, 3.4.2
        key = hashed(f"{key}:{nonce}:{to.cnonce}")
    act = hashed(f"{request.method}:{uri}")
    fields = {**_user(user, realm, known, hashed), "realm": f'"{realm}"', "uri": f'"{uri}"'}
    fields |= {"algorithm": known["algorithm"]} if "algorithm" in known else {}
    fields |= {"nonce": f'"{nonce}"'}
    if "qop" in known:
        # RFC 7616, 3.4.1
        digest = hashed(f"{key}:{nonce}:{count}:{to.cnonce}:auth:{act}")
        fields |= {"nc": count, "cnonce": f'"{to.cnonce}"', "qop": "auth"}
    else:
        digest = hashed(f"{key}:{nonce}:{act}")
        fields |= {"cnonce": f'"{to.cnonce}"'} if to.algorithm.endswith(_SESSION) else {}
    fields |= {"response": f'"{digest}"'}
    fields |= {"opaque": f'"{known["opaque"]}"'} if "opaque" in known else {}
    return Secret(", ".join(f"{name}={value}" for name, value in fields.items()))


def _is_answerable(parameters: Mapping[str, str]) -> bool:
    words = [word.strip().lower() for word in parameters.get("qop", "auth").split(",")]
    return "auth" in words and "nonce" in parameters and not any(map(_UNFIT.search, parameters.values()))


def _user(user: str, realm: str, known: Mapping[str, str], hashed: Callable[[str], str]) -> dict[str, str]:
    """The user's name: hashed if the server asks for that (RFC 7616, 3.4.4), extended if it is not ASCII (3.4)."""
    if known.get("userhash", "").lower() == "true":
        return {"username": f'"{hashed(f"{user}:{realm}")}"', "userhash": "true"}
    if user.isascii():
        escaped = re.sub(r'(["\\])', r"\\\1", user)
        return {"username": f'"{escaped}"'}
    return {"username*": "UTF-8''" + quote(user, safe="!#$&+-.^_`|~")}
