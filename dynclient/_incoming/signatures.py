"""Signatures of webhooks: an HMAC (RFC 2104) over the raw body, and over a time and an id if present.

Rule 1: one class verifies all of them; a vendor is a row of ``SCHEMES``.
Rule 2: every signature is compared with that of every secret, in constant time, before any other check.
Rule 3: a time too far in the past or in the future is refused.
Rule 4: received messages are remembered, up to a number, and refused when repeated. A retry by the sender has another
time, so it counts as another message.
Rule 5: errors say which check failed, without any secret or signature.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import time
import tomllib
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol

from dynclient._secrets import Secret
from dynclient.exceptions import ArgumentError, ReplayedWebhook, SignatureError
from dynclient.messages import Headers

_FIELD = re.compile(r"\{([^{}]+)\}")
_MOST = 16
"""The largest number of signatures of one message: one for each secret of the sender."""
_DIGITS = 12
_TOLERANCE = 300.0

Encoding = Literal["hex", "base64"]


class Verifier(Protocol):
    """Verifies requests: it raises a SignatureError, or returns a text that identifies the message.

    ``forget`` is called with that text if the message could not be handled, so that it is accepted again.
    """

    def verify(self, headers: Headers, body: bytes) -> str:
        """Verify a request by its headers and its raw body."""

    def forget(self, message: str) -> None:
        """Accept a message again that was verified before."""


class HMACSignature:
    """Verifies requests whose header has an HMAC over a text that ``template`` describes."""

    def __init__(
        self,
        *secrets: str | bytes | Secret,
        header: str,
        template: str = "{body}",
        value: str = "{signature}",
        separator: str = "",
        timestamp_header: str = "",
        algorithm: str = "sha256",
        encoding: Encoding = "hex",
        tolerance: float = _TOLERANCE,
        replays: int = 10_000,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the secrets, and the form of the signature.

        Args:
            secrets: the shared secrets: texts in UTF-8, or bytes. A message that matches any of them is valid.
            header: the header that has the signature.
            template: what is signed: a text with ``{body}``, ``{timestamp}`` and ``{header:NAME}``.
            value: the header's value: a text with ``{signature}``, and ``{timestamp}`` if the header has the time.
            separator: the separator of the value's parts, which may be repeated; "" if it has only one part.
            timestamp_header: the header that has the time, in seconds since the epoch.
            algorithm: the hash function, by its name in hashlib.
            encoding: how the signature is written.
            tolerance: the allowed difference between the time and now, in seconds.
            replays: the number of messages that are remembered to refuse repetitions; 0: none.
            now: a function that returns the time, for tests.

        Raises:
            ArgumentError: there is no secret, or an argument is wrong.
        """
        if not secrets or not all(map(_key, secrets)):
            raise ArgumentError("at least one secret is needed, and none may be empty", argument="secrets")
        unknown = [name for name in _FIELD.findall(template) if name not in _FIELDS and not name.startswith("header:")]
        unknown += [name for name in _FIELD.findall(value) if name not in {"signature", "timestamp"}]
        if unknown or "{body}" not in template or "{signature}" not in value:
            message = f"a template has an unknown field {unknown[0]!r}" if unknown else "a template lacks a field"
            hint = "template has {body}, and may have {timestamp} and {header:NAME}; value has {signature}"
            raise ArgumentError(message, argument="template", hint=hint)
        if algorithm not in hashlib.algorithms_available:
            raise ArgumentError(f"hashlib has no algorithm {algorithm!r}", argument="algorithm")
        if encoding not in {"hex", "base64"}:
            raise ArgumentError(f"encoding must be hex or base64, not {encoding!r}", argument="encoding")
        self._secrets = tuple(Secret(_key(secret).hex()) for secret in secrets)
        self._header, self._timestamp_header, self._template = header, timestamp_header, template
        self._parts = [_pattern(part) for part in (value.split(separator) if separator else [value])]
        self._separator, self._algorithm, self._encoding = separator, algorithm, encoding
        self._is_timed = bool(timestamp_header) or "{timestamp}" in value
        self._tolerance, self._replays, self._now = tolerance, replays, now
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {self._header}, secrets: {len(self._secrets)}>"

    def verify(self, headers: Headers, body: bytes) -> str:
        """Verify a request, and return a text that identifies the message.

        Raises:
            SignatureError: the signature is missing or wrong, or the time is too far from now.
            ReplayedWebhook: the message was received before.
        """
        signatures, timestamp = self._read(headers)
        signed = self._signed(headers, body, timestamp)
        keys = [bytes.fromhex(secret.reveal()) for secret in self._secrets]
        expected = [hmac.digest(key, signed, self._algorithm) for key in keys]
        # All of them are compared, so that timing does not reveal which one matches.
        if not sum(hmac.compare_digest(one, other) for one in signatures for other in expected):
            raise SignatureError(f"the signature in the header {self._header} is wrong")
        if self._is_timed:
            late = self._now() - int(timestamp)
            if abs(late) > self._tolerance:
                when = f"{late:.0f} s ago" if late > 0 else f"{-late:.0f} s ahead"
                raise SignatureError(f"it was signed {when}, more than the tolerance of {self._tolerance:.0f} s")
        message = hashlib.sha256(signed).hexdigest()
        self._remember(message)
        return message

    def forget(self, message: str) -> None:
        """Accept a message again that was verified before."""
        with self._lock:
            self._seen.pop(message, None)

    def _read(self, headers: Headers) -> tuple[list[bytes], str]:
        """The signatures and the time that a request has."""
        text = headers.get(self._header)
        if text is None:
            raise SignatureError(f"the header {self._header} is missing")
        signatures: list[bytes] = []
        timestamp = headers.get(self._timestamp_header, "") if self._timestamp_header else ""
        for part in text.split(self._separator, 4 * _MOST) if self._separator else [text]:
            found = next(filter(None, (pattern.fullmatch(part.strip()) for pattern in self._parts)), None)
            fields = found.groupdict() if found is not None else {}
            timestamp = fields.get("timestamp", timestamp)
            signature = _decoded(fields.get("signature", ""), self._encoding)
            if signature and len(signatures) < _MOST:
                signatures.append(signature)
        if not signatures:
            raise SignatureError(f"the header {self._header} has no signature of the expected form")
        if self._is_timed and not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _DIGITS):
            raise SignatureError("its time is missing, or not a number of seconds")
        return signatures, timestamp

    def _signed(self, headers: Headers, body: bytes, timestamp: str) -> bytes:
        pieces: list[bytes] = []
        for index, piece in enumerate(_FIELD.split(self._template)):
            name = piece.removeprefix("header:")
            if not index % 2:
                pieces.append(piece.encode())
            elif piece == "body":
                pieces.append(body)
            elif piece == "timestamp":
                pieces.append(timestamp.encode())
            else:
                value = headers.get(name)
                if value is None:
                    raise SignatureError(f"the header {name} is missing")
                pieces.append(value.encode("utf-8", "surrogateescape"))
        return b"".join(pieces)

    def _remember(self, message: str) -> None:
        """Remember a message as long as its time is valid."""
        if not self._replays:
            return
        now = self._now()
        with self._lock:
            while self._seen and (len(self._seen) > self._replays or next(iter(self._seen.values())) < now):
                self._seen.popitem(last=False)
            if message in self._seen:
                raise ReplayedWebhook("the message was received before")
            self._seen[message] = now + 2 * self._tolerance if self._is_timed else float("inf")


_FIELDS = frozenset({"body", "timestamp"})


def _key(secret: str | bytes | Secret) -> bytes:
    given = secret.reveal() if isinstance(secret, Secret) else secret
    if not isinstance(given, str | bytes):
        raise ArgumentError(f"a secret must be text or bytes, not {type(given).__name__}", argument="secrets")
    return given if isinstance(given, bytes) else given.encode()


def _pattern(part: str) -> re.Pattern[str]:
    pieces = _FIELD.split(part)
    return re.compile(
        "".join(f"(?P<{piece}>[^,;\\s]+)" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))
    )


def _decoded(text: str, encoding: str) -> bytes:
    """A signature as bytes; empty if it does not have the encoding."""
    try:
        return bytes.fromhex(text) if encoding == "hex" else b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


SCHEMES: Mapping[str, Mapping[str, Any]] = tomllib.loads(Path(__file__).with_name("vendors.toml").read_text("utf-8"))
"""The arguments of HMACSignature for each vendor."""


def standard(*secrets: str | bytes | Secret, **more: Any) -> HMACSignature:
    """Verify signatures of Standard Webhooks; ``secrets`` are in base64, with ``whsec_`` before it or without.

    Pass several secrets during a rotation. ``more`` are ``tolerance``, ``replays`` and ``now`` of
    :class:`HMACSignature`.

    Raises:
        ArgumentError: a secret is not base64.
    """
    try:
        keys = [b64decode(_key(secret).removeprefix(b"whsec_"), validate=True) for secret in secrets]
    except (ValueError, binascii.Error):
        raise ArgumentError("a secret of Standard Webhooks is base64", argument="secrets") from None
    return HMACSignature(*keys, **SCHEMES["standard"], **more)


def github(*secrets: str | bytes | Secret, **more: Any) -> HMACSignature:
    """Verify ``X-Hub-Signature-256`` of GitHub. Its messages have no time."""
    return HMACSignature(*secrets, **SCHEMES["github"], **more)


def stripe(*secrets: str | bytes | Secret, **more: Any) -> HMACSignature:
    """Verify ``Stripe-Signature``; the secrets are used as they are, with ``whsec_``."""
    return HMACSignature(*secrets, **SCHEMES["stripe"], **more)


def slack(*secrets: str | bytes | Secret, **more: Any) -> HMACSignature:
    """Verify ``X-Slack-Signature``."""
    return HMACSignature(*secrets, **SCHEMES["slack"], **more)


def shopify(*secrets: str | bytes | Secret, **more: Any) -> HMACSignature:
    """Verify ``X-Shopify-Hmac-Sha256``. Its messages have no time."""
    return HMACSignature(*secrets, **SCHEMES["shopify"], **more)
