"""Settings of clients and calls: frozen values, each with finite defaults.

``None`` means "no limit", and has to be said. Times are in seconds, sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dynclient._secrets import DeviceCode, OAuth2, Secret, TokenStore

__all__ = [
    "TLS",
    "DeviceCode",
    "Limits",
    "MiB",
    "OAuth2",
    "Redirects",
    "Retry",
    "Secret",
    "Timeout",
    "TokenStore",
    "Validation",
    "ValidationEngine",
    "ValidationMode",
]

ValidationMode = Literal["strict", "warn", "off"]
ValidationEngine = Literal["auto", "jsonschema"]

Redirects = Literal["same-origin", "any", "none"]
"""Which redirects of a GET or HEAD are followed. To another origin goes nothing of the caller's."""

MiB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds for each phase of a call, and for the whole of it.

    ``total`` is one deadline over everything that a call does: connecting, writing, reading, waiting, repeating.
    ``pool`` is how long a call may wait for a free connection. Looking up a host's name can't be interrupted in
    a thread: the deadline is checked right after it.
    """

    connect: float | None = 5.0
    read: float | None = 30.0
    write: float | None = 30.0
    total: float | None = 60.0
    pool: float | None = 30.0


@dataclass(frozen=True, slots=True)
class Retry:
    """When a call is repeated, and how long it waits before.

    ``attempts`` counts the first one too: 1 means never again. Only what can be repeated without doing it twice is
    (RFC 9110, 9.2.2): GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and any method when nothing was sent.
    The wait is ``random() * min(base * 2**n, max_delay)``; ``throttle_base`` stands for ``base`` after 429 and 503.
    ``idempotency_key`` names a header in which every other method carries a key, the same one on each attempt, so that
    it can be repeated too; it is for servers that know the header. ``idempotent`` says of any method that doing it
    twice is doing it once. Repeating is paid from ``budget`` tokens, which a client has for each origin and which
    successes give back: servers in trouble are left alone.
    """

    attempts: int = 3
    base: float = 0.05
    throttle_base: float = 1.0
    max_delay: float = 20.0
    max_retry_after: float = 60.0
    statuses: frozenset[int] = frozenset({408, 425, 429, 500, 502, 503, 504})
    idempotency_key: str | None = None
    idempotent: bool = False
    budget: int = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what comes from outside. Every one is finite unless the caller says None."""

    document_bytes: int | None = 64 * MiB
    remote_document_bytes: int | None = 32 * MiB
    document_depth: int = 512
    yaml_alias_nodes: int = 1_000_000
    reference_depth: int = 64
    reference_files: int = 10_000
    response_bytes: int | None = 32 * MiB
    encoded_response_bytes: int | None = 32 * MiB
    ratio: int = 100
    codings: int = 2
    header_lines: int = 100
    header_line_bytes: int = 65_536
    informational_responses: int = 10
    body_depth: int = 128
    integer_digits: int = 4300
    schema_depth: int = 128
    validation_steps: int = 1_000_000
    errors: int = 20
    pattern_length: int = 512
    redirects: int = 5
    pool_size: int = 10


@dataclass(frozen=True, slots=True)
class Validation:
    """How requests and responses are held to the document.

    ``strict`` raises, ``warn`` logs and goes on, ``off`` does neither.

    With ``engine="auto"`` jsonschema-rs checks each value first, and jsonschema decides and reports where that does not
    say that the value is valid. With ``engine="jsonschema"`` jsonschema alone does both.
    """

    requests: ValidationMode = "strict"
    responses: ValidationMode = "strict"
    engine: ValidationEngine = "auto"

    @classmethod
    def of(cls, value: Validation | ValidationMode) -> Validation:
        """Take ``"strict"``, ``"warn"`` or ``"off"`` for both directions, or a Validation as it is."""
        if isinstance(value, cls):
            return value
        if value not in {"strict", "warn", "off"}:
            raise ValueError(f"validate must be 'strict', 'warn', 'off' or a Validation, not {value!r}")
        return cls(value, value)


@dataclass(frozen=True, slots=True)
class TLS:
    """How servers prove who they are.

    The system's trust store is used unless ``ca_file`` names a PEM file. ``certificate`` is the client's own: a PEM
    file with certificate and key, or a pair of files.
    """

    ca_file: str | None = None
    certificate: str | tuple[str, str] | None = None
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    insecure_skip_verify: bool = False
