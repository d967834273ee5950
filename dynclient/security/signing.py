"""Auths that compute a credential for each request: HTTP digest, HMAC, AWS Signature Version 4.

Rule 1: a credential is computed for the final request: such an Auth runs last, and again for each attempt and redirect.
Rule 2: a body is signed as bytes. A file or another stream is read when it is sent, so it can't be signed; only S3
accepts an unsigned body.
Rule 3: no secret is shown: keys and passwords are Secrets, and botocore's signer logs nothing.
Rule 4: a digest challenge (RFC 7616) is answered with the strongest algorithm that both sides support, and with
``qop=auth``, or without ``qop`` as in RFC 2069. One with only ``auth-int`` is not answered: a body may be a stream.
Rule 5: a challenge is cached for its origin; later requests answer it, with a count. Only a hash of the password is
sent, and only to the origin of the request itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import logging
import re
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from dynclient._deferred import expression, needing
from dynclient._records import Record
from dynclient._secrets import Secret
from dynclient.exceptions import ArgumentError
from dynclient.http_grammar import TOKEN
from dynclient.messages import Headers, Request, Response, RunBlocking
from dynclient.security.auth import AuthContext, SchemeAuth, write
from dynclient.security.schemes import as_secret
from dynclient.security.trust import text_of

_NONCE = 16
_ENCODINGS: Mapping[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda data: base64.b64encode(data).decode("ascii"),
}
_FIELDS = frozenset(
    {"method", "url", "scheme", "host", "path", "query", "target", "header", "body", "body_hash"}
    | {"timestamp", "milliseconds", "date", "nonce", "key_id"}
)


class HMACAuth:
    """Signs requests with a shared key: an HMAC (RFC 2104) over a text that ``template`` describes.

    The fields of templates are ``{method}``, ``{url}``, ``{scheme}``, ``{host}`` (with a port that is not the default
    one), ``{path}``, ``{query}``, ``{target}`` (path and query), ``{header:NAME}``, ``{body}``, ``{body_hash}``,
    ``{timestamp}`` and ``{milliseconds}`` (since the epoch), ``{date}`` (as in the Date header), ``{nonce}`` and
    ``{key_id}``; in ``value`` and ``headers`` also ``{signature}``.
    """

    def __init__(
        self,
        key: str | bytes | Secret,
        *,
        header: str,
        template: str,
        algorithm: str = "sha256",
        encoding: Literal["hex", "base64"] = "hex",
        value: str = "{signature}",
        headers: Mapping[str, str] | None = None,
        key_id: str = "",
    ) -> None:
        r"""Take the key, and how to use it.

        Args:
            key: the shared secret: bytes, or a text in UTF-8.
            header: the header that the signature is sent in, such as ``"X-Signature"``.
            template: the text that is signed, such as ``"{method}\n{target}\n{timestamp}\n{body_hash}"``.
            algorithm: the hash function, by its name in hashlib, for the signature and ``{body_hash}``.
            encoding: how the signature and ``{body_hash}`` are written.
            value: the template of the header's value, such as ``"Signature {key_id}:{signature}"``.
            headers: templates of further headers, such as ``{"X-Timestamp": "{timestamp}"}``, which the server needs.
            key_id: the public name of the key.

        Raises:
            ArgumentError: a template has an unknown field, or the algorithm or the encoding is unknown.
        """
        data = key if isinstance(key, bytes) else (key.reveal() if isinstance(key, Secret) else key).encode()
        self._key = Secret(data.hex())
        self._message = _checked(template, _FIELDS)
        texts = {**(headers or {}), header: value}
        self._headers = {name: _checked(text, _FIELDS | {"signature"}) for name, text in texts.items()}
        self._key_id = key_id
        self._algorithm = algorithm
        if encoding not in _ENCODINGS:
            raise ArgumentError(
                f"encoding must be one of {', '.join(_ENCODINGS)}, not {encoding!r}", argument="encoding"
            )
        self._encode = _ENCODINGS[encoding]
        try:
            hmac.new(b"", b"", algorithm)
        except ValueError:
            raise ArgumentError(f"hashlib has no algorithm {algorithm!r}", argument="algorithm") from None

    def flow(self, request: Request, context: AuthContext, /) -> Generator[Any, Any, None]:
        """Send the request with its signature."""
        body = b""
        if any("{body" in template for template in (self._message, *self._headers.values())):
            body = _signable(request, "HMACAuth")
        fields = {
            **_fields_of(request),
            "body": body.decode("utf-8", "surrogateescape"),
            "body_hash": self._encode(hashlib.new(self._algorithm, body).digest()),
            "timestamp": str(int(context.now())),
            "milliseconds": str(int(context.now() * 1000)),
            "date": formatdate(context.now(), usegmt=True),
            "nonce": context.random(_NONCE).hex(),
            "key_id": self._key_id,
        }
        # Bytes of the body that are not UTF-8 pass through the text unchanged.
        message = self._message.format_map(fields).encode("utf-8", "surrogateescape")
        signature = hmac.digest(bytes.fromhex(self._key.reveal()), message, self._algorithm)
        fields["signature"] = self._encode(signature)
        headers = request.headers
        for name, template in self._headers.items():
            headers = headers.replace(name, template.format_map(fields))
        yield replace(request, headers=headers)


class SigV4:
    """Signs requests for AWS services: Signature Version 4, by botocore's own signer (``dynclient[aws]``)."""

    def __init__(self, service: str, region: str, credentials: Any) -> None:
        """Take the service, the region and the credentials.

        Args:
            service: the service's signing name, such as ``"execute-api"`` or ``"s3"``.
            region: the region, such as ``"eu-central-1"``.
            credentials: a tuple of access key and secret key, or of those and a session token; or credentials of
                botocore, such as ``botocore.session.Session().get_credentials()``, which are renewed when they expire.

        Raises:
            ArgumentError: botocore is not installed, or the credentials are neither.
        """
        with needing(ArgumentError, "SigV4 needs", "aws", argument="auth"):
            import botocore.auth
        botocore.auth.logger.addFilter(_is_shown)  # an existing filter is not added again
        self._service, self._region = service, region
        if hasattr(credentials, "get_frozen_credentials"):
            self._credentials: Callable[[], Any] | tuple[Secret, ...] = credentials.get_frozen_credentials
        elif isinstance(credentials, tuple) and len(credentials) in {2, 3}:
            self._credentials = tuple(map(as_secret, credentials))
        else:
            raise ArgumentError(
                f"credentials must be a tuple of access key and secret key, or credentials of botocore, "
                f"not {type(credentials).__name__}",
                argument="credentials",
            )

    def flow(self, request: Request, context: AuthContext, /) -> Generator[Any, Any, None]:
        """Send the request with its signature."""
        del context  # botocore has its own clock
        if isinstance(self._credentials, tuple):
            yield self._signed(request)
        else:
            # Renewing credentials may block.
            yield (yield RunBlocking(partial(self._signed, request)))

    def _signed(self, request: Request) -> Request:
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        if isinstance(self._credentials, tuple):
            frozen = Credentials(*(secret.reveal() for secret in self._credentials)).get_frozen_credentials()
        else:
            frozen = self._credentials()
        is_s3, is_stream = self._service == "s3", not isinstance(request.body, (bytes, type(None)))
        signer = S3SigV4Auth if is_s3 and not is_stream else SigV4Auth
        if is_stream and is_s3 and request.url.startswith("https:"):
            unsigned = AWSRequest(request.method, request.url)
            unsigned.context["payload_signing_enabled"] = False
        else:
            unsigned = AWSRequest(request.method, request.url, data=_signable(request, "SigV4"))
        for name, value in request.headers.pairs():
            unsigned.headers[name] = value  # botocore keeps lines of one name apart
        _SIGNING.active = True
        try:
            signer(frozen, self._service, self._region).add_auth(unsigned)
        finally:
            _SIGNING.active = False
        return replace(request, headers=Headers(unsigned.headers.items()))


_SIGNING = threading.local()


def _is_shown(_: logging.LogRecord) -> bool:
    """Whether a log record of botocore's signer is kept: not while it signs for this package."""
    return not getattr(_SIGNING, "active", False)


class _HeaderField:
    """The field ``header`` of a template: its format is the name of a header."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __format__(self, name: str) -> str:
        return self._headers.get(name, "")


def _checked(template: str, known: frozenset[str]) -> str:
    try:
        template.format_map({**dict.fromkeys(known, ""), "header": _HeaderField(Headers())})
    except KeyError as error:
        raise ArgumentError(
            f"the template {template!r} has the unknown field {error}; known are {', '.join(sorted(known))}",
            argument="template",
        ) from None
    except (ValueError, IndexError, AttributeError) as error:
        raise ArgumentError(f"the template {template!r} is malformed: {error}", argument="template") from None
    return template


def _fields_of(request: Request) -> dict[str, Any]:
    parts = urlsplit(request.url)
    path = parts.path or "/"
    scheme, _, host = text_of(request.origin).partition("://")
    return {
        "method": request.method,
        "url": request.url,
        "scheme": scheme,
        "host": host,
        "path": path,
        "header": _HeaderField(request.headers),
        "query": parts.query,
        "target": f"{path}?{parts.query}" if parts.query else path,
    }


def _signable(request: Request, auth: str) -> bytes:
    """The bytes of a request's body.

    Raises:
        ArgumentError: the body is a stream.
    """
    if request.body is None or isinstance(request.body, bytes):
        return request.body or b""
    raise ArgumentError(
        f"{auth} signs the body, which must be bytes, not a file or a stream",
        argument="body",
        hint="pass the file's bytes",
    )


# -- digest ------------------------------------------------------------------------------------------------------------

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
    """Read the lines of a WWW-Authenticate header word by word (RFC 9110, 11.6.1).

    Challenges and parameters are separated by the same comma. Reading stops at malformed text; the challenges before it
    count.
    """
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
    """A challenge in use (RFC 7616, 3.6), the nonces of client and server, and how often the latter was used.

    A session uses one client nonce, so that the session key of ``-sess`` is the same for servers that compute it once
    and for those that compute it for each request.
    """

    algorithm: str
    parameters: Mapping[str, str]
    cnonce: str
    nonce: str
    counts: Iterator[int]

    def after(self, response: Response) -> DigestSession:
        """The session with the nonce that a response names for the next request (RFC 7616, 3.5)."""
        (info,) = challenges([f"Digest {response.headers.get('authentication-info') or ''}"])
        nonce = info.parameters.get("nextnonce", "")
        return self if not nonce or _UNFIT.search(nonce) else self._replace(nonce=nonce, counts=itertools.count(1))


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
    return DigestSession(algorithm, parameters, entropy(16).hex(), parameters["nonce"], itertools.count(1))


class DigestAuth(SchemeAuth):
    """HTTP digest authentication (RFC 7616): only a hash of user and password is sent."""

    __slots__ = ("_password", "_user")

    def __init__(self, user: str, password: str | Secret) -> None:
        """Take the user's name and password."""
        self._user = user
        self._password = as_secret(password)

    def flow(self, request: Request, context: AuthContext, /) -> Generator[Request, Any, None]:
        """Answer the origin's last challenge; after a 401, answer the new one once."""
        sessions, key = context.cache.sessions, (context.scheme.name, self._user, self._password, request.origin)
        used: DigestSession | None = sessions.get(key)
        response = yield self._answered(used, request, context) if used is not None else request
        if response.status == _UNAUTHORIZED:
            used = session(challenges(response.headers.get_list("www-authenticate")), context.random)
            if used is not None:
                sessions[key] = used
                response = yield self._answered(used, request, context)
        if response.status == _UNAUTHORIZED:
            sessions.pop(key, None)
        elif used is not None:
            sessions[key] = used.after(response)

    def _answered(self, to: DigestSession, request: Request, context: AuthContext) -> Request:
        proof = answer(to, self._user, self._password, request)
        return write(request, context.scheme, f"Digest {proof.reveal()}")


def answer(to: DigestSession, user: str, password: Secret, request: Request) -> Secret:
    """The credentials in the Authorization header of a request, without the word ``Digest``."""
    known = to.parameters
    name = _ALGORITHMS[to.algorithm.removesuffix(_SESSION)]

    def hashed(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    uri = _fields_of(request)["target"]
    count = f"{next(to.counts):08x}"
    realm, nonce = known.get("realm", ""), to.nonce
    key = hashed(f"{user}:{realm}:{password.reveal()}")
    if to.algorithm.endswith(_SESSION):
        # RFC 7616, 3.4.2: the nonce is that of the challenge.
        key = hashed(f"{key}:{known['nonce']}:{to.cnonce}")
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
