"""Auths that sign requests: HMAC over a text from a template, and AWS Signature Version 4.

Rule 1: the signature is over the final request: an Auth that signs runs last, and again for each attempt and redirect.
Rule 2: a body is signed as bytes. A file or another stream is read when it is sent, so it can't be signed; only S3
accepts an unsigned body.
Rule 3: no secret is shown: keys are Secrets, and botocore's signer logs nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

from dynclient._secrets import Secret
from dynclient.exceptions import ArgumentError
from dynclient.messages import Headers, Request, RunBlocking
from dynclient.security.auth import AuthContext
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
        try:
            import botocore.auth
        except ImportError:
            raise ArgumentError("SigV4 needs botocore", argument="auth", hint="pip install 'dynclient[aws]'") from None
        botocore.auth.logger.addFilter(_is_shown)  # an existing filter is not added again
        self._service, self._region = service, region
        if hasattr(credentials, "get_frozen_credentials"):
            self._credentials: Callable[[], Any] | tuple[Secret, ...] = credentials.get_frozen_credentials
        elif isinstance(credentials, tuple) and len(credentials) in {2, 3}:
            self._credentials = tuple(one if isinstance(one, Secret) else Secret(one) for one in credentials)
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
