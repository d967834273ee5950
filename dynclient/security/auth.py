"""The protocol of authentication: Auth, the context of its flow, and the credentials that a client caches.

An :class:`Auth` is one method, ``flow(request, context)``: a generator that yields requests and is sent responses. It
does no I/O itself, so the same Auth serves threads, asyncio and trio.

Rule 1: a yielded request with the method and the address of the call's own request is that request, authenticated. Any
other request is an auth sub-request, such as one for a token: it may go to trusted origins only.
Rule 2: a flow runs again for each attempt of a call, and after a redirect within the origin.
Rule 3: a flow may send the call's request again after a 4xx response; after any other response, the flow has to end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Protocol, TypeVar
from urllib.parse import quote, unquote_plus

from dynclient._secrets import SecretLocation
from dynclient.exceptions import DynclientError
from dynclient.messages import Await, Request, RunBlocking, Send, Sleep
from dynclient.model import Operation, SecurityScheme
from dynclient.options import Limits, Timeout
from dynclient.security.trust import Origin, Trust
from dynclient.transports.clock import Environment

T = TypeVar("T")

Step = Request | Sleep | RunBlocking | Await
Steps = Generator[Step, Any, T]
"""A step of a flow: a request to send, a time to sleep, a function that may block, or an awaitable."""


def called(function: Callable[[], Any]) -> Steps[Any]:
    """Call the caller's function in a thread, since it may block; if it is async, await it."""
    from inspect import iscoroutinefunction

    return (yield Await(function()) if iscoroutinefunction(function) else RunBlocking(function))


class Auth(Protocol):
    """Authenticates calls (OAS 3.2, Security Scheme Object). Pass one as ``auth=``, or in a mapping of scheme names."""

    def flow(self, request: Request, context: AuthContext, /) -> Generator[Any, Any, Any]:
        """Yield the request with its credentials; further requests may follow its response.

        Args:
            request: the complete request: method, URL, headers and body, as it would be sent without this Auth.
            context: the security scheme that the Auth is used for, the scopes, the clock and random bytes.
        """


class SchemeAuth:
    """Base class of the built-in Auths whose credential is one text in the scheme's location.

    ``signs`` means that the text depends on the request: such an Auth runs after the others.
    """

    __slots__ = ()
    signs = True


class CallClock:
    """The clock and the limits of one call. Its deadline moves only while a person logs in."""

    __slots__ = ("_timeout", "deadline", "environment", "limits")

    def __init__(self, environment: Environment, timeout: Timeout, limits: Limits, deadline: float | None) -> None:
        """Take the options of the call; ``deadline`` is a reading of the monotonic clock, or None."""
        self.environment = environment
        self.limits = limits
        self.deadline = deadline
        self._timeout = timeout

    def send(self, request: Request, *, stream: bool = False, certificate: bool = True) -> Send:
        """The step that sends a request before the call's deadline; it may show the client's certificate."""
        return Send(request, self._timeout, self.limits, self.deadline, stream, False, certificate)

    def wait_for_a_person(self, seconds: float) -> None:
        """Move the deadline to this many seconds from now."""
        self.deadline = self.environment.clock() + seconds

    def restart(self) -> None:
        """Count the call's time from now."""
        total = self._timeout.total
        self.deadline = self.environment.clock() + total if total is not None else None


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """The argument of a function given as ``auth=``: which credential is needed, and for which request.

    The function returns a string, a pair of user and password, a Secret or an Auth; or None if it has none. ``scopes``
    are those that the operation requires, ``origin`` is the destination of the credential: scheme, host and port.
    ``request`` is the request with everything but its credentials, for a signature over its method, URL, headers or
    body.
    """

    scheme: SecurityScheme
    scopes: tuple[str, ...]
    operation_id: str
    origin: tuple[str, str, int]
    request: Request | None = None


@dataclass(slots=True, eq=False)
class PendingCall:
    """A token fetch that is under way. ``error`` is its error, or None; ``is_personal``: a person has to log in."""

    error: DynclientError | None = None
    is_done: bool = False
    is_personal: bool = False


class CredentialCache:
    """The tokens, authorization server metadata and digest sessions of a client. Threads and tasks share it.

    Rule 1: the lock is held for a few lines of Python, never during a wait.
    Rule 2: of several calls that need the same token, one fetches it and the others wait, in their own steps: an event
    loop is not blocked, and a cancelled call does not leave others waiting.
    Rule 3: after a fork, a child process has the tokens of its parent, but not its lock and pending calls.
    """

    __slots__ = ("_lock", "_pending", "_process", "metadata", "sessions", "tokens")

    def __init__(self) -> None:
        """Start empty."""
        self.tokens: dict[Hashable, Any] = {}
        self.metadata: dict[str, Mapping[str, Any]] = {}
        self.sessions: dict[Hashable, Any] = {}
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[Hashable, PendingCall] = {}
        self._process = os.getpid()

    def join(self, key: Hashable) -> tuple[PendingCall, bool]:
        """Join the pending fetch of a token, or begin one.

        Returns the fetch, and whether the caller has to perform it.
        """
        if self._process != os.getpid():
            self._reset()
        with self._lock:
            pending = self._pending.get(key)
            if pending is not None:
                return pending, False
            pending = self._pending[key] = PendingCall()
            return pending, True

    def leave(self, key: Hashable, pending: PendingCall) -> None:
        """End a fetch that this caller began."""
        with self._lock:
            if self._pending.get(key) is pending:
                del self._pending[key]
        pending.is_done = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.tokens)} tokens>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled")


@dataclass(slots=True, eq=False, repr=False)
class AuthContext:
    """The context of a flow, in addition to the request: one for each call and security scheme.

    ``scheme`` is the document's security scheme, ``scopes`` are those that the operation requires of it.
    """

    scheme: SecurityScheme
    scopes: tuple[str, ...]
    operation: Operation
    clock: CallClock
    trust: Trust
    cache: CredentialCache
    is_renewed: bool = False

    @property
    def operation_id(self) -> str:
        """The operationId, or else ``METHOD path``."""
        return self.operation.id

    def now(self) -> float:
        """The time of day: seconds since the epoch."""
        return self.clock.environment.now()

    def random(self, count: int) -> bytes:
        """Random bytes, for a nonce."""
        return self.clock.environment.entropy(count)

    def check(self, origin: Origin) -> None:
        """Make sure that credentials may go to an origin.

        Raises:
            CredentialScopeError: the origin is not trusted.
        """
        self.trust.check(origin, self.operation.servers, self.operation.id)


_PLAIN = frozenset({"accept", "content-length", "content-type", "date", "host", "user-agent"})
"""Header fields whose values are not secret; errors that masked them would be useless."""

UNDECLARED = "undeclared"
"""The type of a security scheme that an operation requires but the document does not declare."""


def location_of(scheme: SecurityScheme) -> SecretLocation | None:
    """The location and wire name of a scheme's credential in a request; None if it is not in the request."""
    if scheme.type == "mutualTLS":
        return None
    if scheme.type != "apiKey":
        return "header", "authorization"
    # RFC 9110, 5.1: names of header fields match without regard to case.
    return scheme.in_, scheme.parameter.lower() if scheme.in_ == "header" else scheme.parameter


def secret_at(location: SecretLocation) -> SecretLocation:
    """The secret part of a request with a credential there; for a cookie, the whole header."""
    return ("header", "cookie") if location[0] == "cookie" else location


def has_credential(request: Request, scheme: SecurityScheme) -> bool:
    """Whether a request has a value in the location of a scheme's credential."""
    location = location_of(scheme)
    if location is None:
        return False
    in_, name = location
    if in_ == "header":
        return name in request.headers
    if in_ == "cookie":
        return any(pair.partition("=")[0].strip() == name for pair in request.headers.get("cookie", "").split(";"))
    return any(unquote_plus(field.partition("=")[0]) == name for field in _query(request.url)[1])


def write(request: Request, scheme: SecurityScheme, text: str) -> Request:
    """Return the request with a text in the location of the scheme's credential, marked as secret."""
    in_, name = (scheme.in_, scheme.parameter) if scheme.type == "apiKey" else ("header", "Authorization")
    if in_ == "query":
        url, fields = _query(request.url)
        kept = [field for field in fields if unquote_plus(field.partition("=")[0]) != name]
        # RFC 3986, 3.4: a query may contain $, which begins a placeholder.
        kept.append(f"{quote(name, safe='')}={quote(text, safe='$')}")
        return replace(request, url=f"{url}?{'&'.join(kept)}", secrets=request.secrets | {("query", name)})
    if in_ == "cookie":
        others = [pair.strip() for pair in request.headers.get("cookie", "").split(";")]
        kept = [pair for pair in others if pair and pair.partition("=")[0] != name]
        name, text = "Cookie", "; ".join([*kept, f"{name}={text}"])
    secrets = request.secrets | {("header", name.lower())}
    return replace(request, headers=request.headers.replace(name, text), secrets=secrets)


def added(before: Request, after: Request) -> frozenset[SecretLocation]:
    """The headers and query fields that an Auth has added or changed, any of which may be secret."""
    old_lines, old_fields = before.headers.pairs(), _query(before.url)[1]
    lines = [name.lower() for name, value in after.headers.pairs() if (name, value) not in old_lines]
    fields = [field.partition("=")[0] for field in _query(after.url)[1] if field not in old_fields]
    headers = {("header", name) for name in lines if name not in _PLAIN}
    return frozenset(headers | {("query", unquote_plus(name)) for name in fields})


def _query(url: str) -> tuple[str, list[str]]:
    before, _, query = url.partition("#")[0].partition("?")
    return before, query.split("&") if query else []
