"""Settings of clients and calls: frozen values, each with finite defaults.

``None`` means "no limit". Times are in seconds, sizes in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any, Literal, Protocol, get_args

from dynclient._deferred import expression
from dynclient._secrets import Secret

__all__ = [
    "TLS", "Conversion", "DeviceCode", "Limits", "MiB", "OAuth2", "Rate", "RateLimiter", "Redirects", "Retry", "Secret",
    "Timeout", "TokenStore", "Validation", "ValidationChoice", "ValidationEngine", "ValidationMode",
]  # fmt: skip

ValidationMode = Literal["strict", "warn", "off", "record"]
"""The result of an invalid request or response: an error, a warning, nothing, or (responses only) a count."""

ValidationEngine = Literal["auto", "jsonschema"]
"""Which library validates: jsonschema-rs first and jsonschema for the report, or only jsonschema."""

Redirects = Literal["same-origin", "any", "none", "all"]
"""Which redirects of a GET or HEAD are followed. Headers and credentials are not sent to another origin.

``all`` also follows redirects that an operation documents, which otherwise are its response.
"""

Converted = str | Mapping[str, Callable[..., object]]
Conversion = Converted | Iterable[Converted] | None
"""Values of ``convert``: ``"dates"``, ``"uuids"`` or ``"decimals"``, schema names with classes, or a list of these."""

MiB = 1024 * 1024
"""Bytes of a mebibyte, for :class:`Limits`."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds for each phase of a call, and for the whole call.

    ``total`` is one deadline for everything that a call does: connecting, writing, reading, waiting, retrying.
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
    """When a call is retried, and after how many seconds.

    ``attempts`` includes the first one: 1 means no retry. Only requests that are idempotent are retried (RFC 9110,
    9.2.2): GET, HEAD, OPTIONS, TRACE, QUERY, PUT and DELETE, and any method if nothing was sent. The wait is ``random()
    * min(base * 2**n, max_delay)``; ``throttle_base`` replaces ``base`` after 429 and 503. ``idempotency_key`` names a
    header: other methods then send a key in it, the same in each attempt, and are retried too. The server has to
    support the header. ``idempotent`` says that requests of any method can be repeated safely. Each retry costs one of
    the ``budget`` tokens that a client has for each origin; successes refill them. This protects servers in trouble.
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


_RATE = expression(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)/([0-9]{1,9})?\s*(s|sec|second|m|min|minute|h|hour|d|day)s?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit on the requests to each origin: ``Rate("50/s", burst=10)``.

    ``limit`` is a number and a time: ``50/s``, ``600/m``, ``5000/h``, ``1/day``, ``100/10s``; ``"auto"`` sets none.
    Requests are sent at equal intervals, but up to ``burst`` at once after an idle time. With ``auto`` (and with
    ``Rate("auto")``), calls also wait while the server's responses say that no request is left; they never exceed
    ``limit``. ``by`` has further limits for single operations and tags, in addition to that of the origin: operationId,
    Python name, ``"METHOD /path"`` or tag -> a Rate or its text.

    Raises:
        ValueError: the limit is not a number and a time, or ``burst`` is not a number from 1.
    """

    limit: str = "auto"
    burst: int = 1
    auto: bool = False
    by: Mapping[str, Rate | str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check the limit and the burst; a text in ``by`` becomes a Rate."""
        if self.limit != "auto" and not (isinstance(self.limit, str) and self.interval):
            raise ValueError(f"a rate is a number and a time, such as '50/s' or '600/m', or 'auto', not {self.limit!r}")
        if isinstance(self.burst, bool) or not isinstance(self.burst, int) or not 1 <= self.burst <= 10**9:
            raise ValueError(f"burst must be a number of requests from 1, not {self.burst!r}")
        own = {name: each if isinstance(each, Rate) else Rate(each) for name, each in self.by.items()}
        if any(each.by or each.auto or each.limit == "auto" for each in own.values()):
            raise ValueError("a Rate in by= has a limit and a burst, and nothing else")
        object.__setattr__(self, "auto", self.auto or self.limit == "auto")
        object.__setattr__(self, "by", own)

    @property
    def interval(self) -> float:
        """Seconds between two requests; 0 without a limit."""
        found = _RATE.fullmatch(self.limit)
        if found is None or not float(found[1]):
            return 0.0
        return int(found[2] or 1) * _SECONDS[found[3][0]] / float(found[1])


class RateLimiter(Protocol):
    """Says when calls may be sent, also across processes; ``rate=`` takes one instead of a Rate."""

    def reserve(self, key: str, n: int, now: float) -> float:
        """Take ``n`` places, and return the seconds until they may be used.

        ``key`` is the origin, such as ``https://api.example.com:443``; ``now`` is the time in seconds since the epoch.
        It may block: an AsyncClient calls it in a thread.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on documents, requests and responses; sizes are in bytes. Where None is allowed, it means no bound."""

    document_bytes: int | None = 64 * MiB
    remote_document_bytes: int | None = 32 * MiB
    document_depth: int = 512
    document_nodes: int | None = 1_000_000
    yaml_alias_nodes: int = 1_000_000
    reference_depth: int = 64
    reference_files: int = 10_000
    overlay_actions: int | None = 1_000
    overlay_nodes: int | None = 100_000
    overlay_seconds: float | None = 5.0
    response_bytes: int | None = 32 * MiB
    encoded_response_bytes: int | None = 32 * MiB
    streamed_response_bytes: int | None = 1024 * 1024 * MiB
    ratio: int = 100
    codings: int = 2
    header_lines: int = 100
    header_line_bytes: int = 65_536
    informational_responses: int = 10
    body_depth: int = 128
    body_values: int | None = 2_000_000
    integer_digits: int = 4300
    schema_depth: int = 128
    validation_steps: int = 1_000_000
    errors: int = 20
    pattern_length: int = 512
    redirects: int = 5
    pool_size: int = 100


@dataclass(frozen=True, slots=True)
class Validation:
    """How requests and responses are validated against the document.

    ``strict`` raises, ``warn`` logs, ``off`` does neither. ``record``, for responses only, lets them pass and counts
    their faults for :func:`dynclient.drift.report`; given as a single word it leaves requests strict.

    With ``engine="auto"`` jsonschema-rs checks each value first; if it does not find the value valid, jsonschema
    decides and reports. With ``engine="jsonschema"`` only jsonschema is used.

    ``by`` has other modes for single operations: operationId, Python name or ``"METHOD /path"`` -> a mode or a
    Validation.
    """

    requests: ValidationMode = "strict"
    responses: ValidationMode = "strict"
    engine: ValidationEngine = "auto"
    by: Mapping[str, Validation | ValidationMode] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, value: Validation | ValidationMode | Mapping[str, Validation | ValidationMode]) -> Validation:
        """A Validation of ``"strict"``, ``"warn"``, ``"off"`` or ``"record"``; a Validation unchanged.

        A mapping becomes ``by``.

        Raises:
            ValueError: a value is not allowed.
        """
        if isinstance(value, Mapping):
            value = cls(by=value)
        if not isinstance(value, cls):
            if value not in _MODES:
                raise ValueError(f"validate must be 'strict', 'warn', 'off', 'record' or a Validation, not {value!r}")
            return cls("strict" if value == "record" else value, value)
        for mode in (value.requests, value.responses):
            if mode not in _MODES:
                raise ValueError(f"the modes of a Validation are 'strict', 'warn', 'off', 'record', not {mode!r}")
        if value.engine not in get_args(ValidationEngine):
            raise ValueError(f"the engine of a Validation is 'auto' or 'jsonschema', not {value.engine!r}")
        if value.requests == "record":
            raise ValueError("only responses are recorded: Validation(responses='record')")
        if any(isinstance(each, Mapping) or getattr(each, "by", None) for each in value.by.values()):
            raise ValueError("a Validation in by= can't have another by=")
        return replace(value, by={name: cls.of(each) for name, each in value.by.items()}) if value.by else value


ValidationChoice = Validation | ValidationMode | Mapping[str, Validation | ValidationMode]
"""Values of ``validate=``; a mapping becomes :attr:`Validation.by`."""

_MODES = frozenset({"strict", "warn", "off", "record"})


@dataclass(frozen=True, slots=True)
class TLS:
    """How servers are authenticated (RFC 9110, 4.3.4).

    The system's trust store is used unless ``ca_file`` names a PEM file. ``certificate`` is the client's own: a PEM
    file with certificate and key, or a pair of files.
    """

    ca_file: str | None = None
    certificate: str | tuple[str, str] | None = None
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    insecure_skip_verify: bool = False


class TokenStore(Protocol):
    """Keeps tokens longer than a client lives. Its methods may block: an AsyncClient runs them in a thread."""

    def load(self, key: str) -> Mapping[str, Any] | None:
        """The tokens of a key, or None."""

    def save(self, key: str, tokens: Mapping[str, Any]) -> None:
        """Save the tokens of a key: a mapping of texts and numbers, all of it secret."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """The address and the code for a login on another device (RFC 8628, 3.2).

    ``complete_uri`` is an address that includes the code, or None; ``expires_in`` is in seconds.
    """

    uri: str
    code: str
    complete_uri: str | None
    expires_in: float


@dataclass(frozen=True, slots=True, init=False)
class OAuth2:
    """How to get a token for an ``oauth2`` or ``openIdConnect`` scheme (OAS 3.2, Security Scheme Object).

    The arguments decide which grant is used: ``username`` and ``password`` (RFC 6749, 4.3), ``open_browser``
    (authorization code with PKCE, 4.1 and RFC 7636), ``show_code`` (device code, RFC 8628), ``client_secret`` (client
    credentials, 4.4), in this order; a ``refresh_token`` is used first, and is enough.
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
        """Take the credentials of the client and its user at the authorization server.

        Args:
            client_id: the client's identifier.
            client_secret: the client's password; a client without one is a public client.
            username: the person's name.
            password: the person's password.
            refresh_token: a refresh token that was obtained before.
            scopes: the scopes of every token; by default those that the called operation requires.
            open_browser: opens the address where a person logs in: ``webbrowser.open``, or a function like it.
            show_code: shows a person the DeviceCode of the device grant.
            redirect_uri: the address that the browser returns to: http on a loopback address. Without a port, any
                free one is used.
            token_url: replaces the document's. The origin of an address that is given here is trusted.
            authorization_url: replaces the document's, in the same way.
            device_authorization_url: replaces the document's, in the same way.
            client_auth: where the client's secret is sent: in the Authorization header (``"basic"``, which every server
                has to support) or in the body (``"post"``).
            parameters: further fields of each request for a token, such as ``audience`` or ``resource``.
            login_timeout: seconds for a person to log in. The call's deadline restarts afterwards.
            store: a file of tokens that only its owner can read, or a TokenStore. By default tokens are kept as long
                as the client.
        """
        values = {name: value for name, value in locals().items() if name != "self"}
        values |= {"client_secret": _secret(client_secret), "password": _secret(password)}
        values["refresh_token"] = _secret(refresh_token)
        values["scopes"] = tuple(scopes.split() if isinstance(scopes, str) else scopes) if scopes is not None else None
        pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
        values["parameters"] = tuple((str(name), str(value)) for name, value in pairs)
        for name, value in values.items():
            object.__setattr__(self, name, value)


def _secret(value: str | Secret | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value
