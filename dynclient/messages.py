"""HTTP messages, and the steps that a call yields to its driver.

Rule 1: messages are frozen; a change returns a new one.
Rule 2: a body is ``None``, bytes, or a stream that is read once (:data:`Body`); text is already encoded.
Rule 3: nothing here depends on OpenAPI: a Request can be sent without its document.
Rule 4: a request names its secrets (:attr:`Request.secrets`), so that they are masked wherever it is shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import GenericAlias
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar, overload
from urllib.parse import urljoin, urlsplit

from dynclient import _secrets
from dynclient._deferred import expression
from dynclient._records import Record
from dynclient._secrets import MASK, SECRET_BODY, SECRET_HEADERS, SecretLocation, is_secret_header
from dynclient.http_grammar import DEFAULT_PORTS
from dynclient.options import Limits, Timeout

T = TypeVar("T")

Body = None | bytes | Iterator[bytes] | AsyncIterator[bytes] | IO[bytes]
"""A message's body: nothing, bytes, or a stream of bytes that is read once."""


class Headers(Mapping[str, str]):
    """Header fields in their order; names match without regard to case.

    A mapping of name to value; the values of a repeated field are joined with ``", "`` (RFC 9110, 5.3).
    :meth:`get_list` and :meth:`pairs` keep the lines separate, as ``Set-Cookie`` needs.
    """

    __slots__ = ("_index", "_pairs")

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        """Take a mapping, or pairs of name and value."""
        self._pairs = tuple(fields.items() if isinstance(fields, Mapping) else fields)
        index: dict[str, list[str]] = {}
        for name, value in self._pairs:
            index.setdefault(name.lower(), []).append(value)
        self._index = index

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._index[name.lower()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._index

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    @overload
    def get(self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a field, or the default if it is missing."""
        values = self._index.get(name.lower())
        return default if values is None else ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for name, _ in self._pairs:
            if name.lower() not in seen:
                seen.add(name.lower())
                yield name

    def __len__(self) -> int:
        return len(self._index)

    def __eq__(self, other: object) -> bool:
        return self._index == other._index if isinstance(other, Headers) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple((name.lower(), value) for name, value in self._pairs))

    def __reduce__(self) -> tuple[type[Headers], tuple[tuple[tuple[str, str], ...]]]:
        return Headers, (self._pairs,)

    def __repr__(self) -> str:
        shown = [(name, MASK if name.lower() in SECRET_HEADERS else value) for name, value in self._pairs]
        return f"Headers({shown!r})"

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every line as ``(name, value)``, in the received order."""
        return self._pairs

    def get_list(self, name: str) -> list[str]:
        """Every value of a field, one for each line; empty if the field is missing."""
        return list(self._index.get(name.lower(), ()))

    def replace(self, name: str, value: str) -> Headers:
        """Return headers in which the field has this one value, in its old place or at the end."""
        if name.lower() not in self._index:
            return Headers((*self._pairs, (name, value)))
        pairs: list[tuple[str, str]] = []
        done = False
        for old, kept in self._pairs:
            if old.lower() != name.lower():
                pairs.append((old, kept))
            elif not done:
                pairs.append((name, value))
                done = True
        return Headers(pairs)

    def without(self, name: str) -> Headers:
        """Return headers that lack the field."""
        return Headers(pair for pair in self._pairs if pair[0].lower() != name.lower())


def can_be_repeated(body: Body) -> bool:
    """Whether a body can be sent again: bytes, or contents that are read from paths."""
    return body is None or isinstance(body, bytes) or getattr(body, "can_be_repeated", False)


@dataclass(frozen=True, slots=True)
class Request:
    """One complete HTTP request (RFC 9110, 9): transports send it, errors and ``prepare()`` show it.

    ``url`` is absolute and percent-encoded; ``body`` is already encoded. ``secrets`` are the locations whose values are
    masked wherever the request is shown.
    """

    method: str
    url: str
    headers: Headers = Headers()
    body: Body = None
    operation_id: str | None = None
    secrets: frozenset[SecretLocation] = frozenset()

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454, 4): credentials are trusted per origin."""
        return origin(self.url)

    @property
    def shown_url(self) -> str:
        """The URL for display: without user information, with secrets of its path and query masked."""
        return _secrets.masked_url(self.url, self.secrets)

    @property
    def logged_url(self) -> str:
        """The URL for logs: without user information, secrets of its path, and query values."""
        return _secrets.logged_url(self.url, self.secrets)

    def with_no_secrets(self) -> Request:
        """Return the request for display: each secret masked, and no body if the body is secret."""
        secrets = self.secrets
        shown = ((name, MASK if is_secret_header(name, secrets) else value) for name, value in self.headers.pairs())
        body = None if SECRET_BODY in secrets else self.body
        return replace(self, url=self.shown_url, headers=Headers(shown), body=body)

    def secret_values(self, shortest: int = _secrets.LONG) -> tuple[str, ...]:
        """The secrets, in each form in which a server may repeat them.

        Secrets shorter than ``shortest`` characters are left out.
        """
        return _secrets.secret_values(self.url, self.headers.pairs(), self.body, self.secrets, shortest)

    def __repr__(self) -> str:
        body = f"<{len(self.body)} bytes>" if isinstance(self.body, bytes) else type(self.body).__name__
        return f"Request({self.method!r}, {self.shown_url!r}, headers={self.with_no_secrets().headers!r}, body={body})"

    def to_curl(self) -> str:
        """The curl command line that sends this request, for sh, bash, zsh and fish; a secret is ``$YOUR_…``."""
        return self._exported("curl")

    def to_httpie(self) -> str:
        """The HTTPie command line that sends this request, for sh, bash, zsh and fish; a secret is ``$YOUR_…``."""
        return self._exported("httpie")

    def to_python(self) -> str:
        """Python that sends this request with the standard library; a secret is read from ``os.environ``."""
        return self._exported("python")

    def _exported(self, form: str) -> str:
        from dynclient._request_export import export

        return export(form, self.method, self.url, self.headers.pairs(), self.body, self.secrets)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response (RFC 9110, 15), with its content codings decoded.

    ``body`` is bytes, or a stream if the call requested one. ``elapsed`` is in seconds, from the first byte of the
    request to the last one read; ``attempts`` counts the requests that the call has sent so far. ``cached`` says that
    it comes from the client's cache.
    """

    status: int
    headers: Headers = Headers()
    body: Any = b""
    request: Request | None = None
    elapsed: float = 0.0
    attempts: int = 1
    cached: bool = False

    @property
    def content_type(self) -> str | None:
        """The Content-Type header as received, or None."""
        return self.headers.get("content-type")

    def with_no_secrets(self) -> Response:
        """Return the response without the request's secrets, which a server may repeat in headers and body.

        A short secret is masked if it is a whole header value, or a whole string in quotes.
        """
        if self.request is None:
            return self
        secrets = self.request.secret_values(_SHORTEST_SECRET)
        request = self.request.with_no_secrets()
        if not secrets:
            return replace(self, request=request)
        mask = _secrets.Mask(secrets)
        headers = Headers((name, mask.apply(value)) for name, value in self.headers.pairs())
        return replace(self, request=request, headers=headers, body=mask.apply(self.body))

    def beginning(self) -> Response:
        """Return the response with the first kilobyte of its body, without the request's secrets.

        The body is incomplete: a partly received secret is left out too.
        """
        mask = _secrets.Mask(self.request.secret_values() if self.request is not None else ())
        return replace(self, body=mask.beginning(self.body, EXCERPT))

    def __repr__(self) -> str:
        size = f"{len(self.body)} bytes" if isinstance(self.body, bytes) else "a stream"
        return f"<Response {self.status} {self.content_type or 'without Content-Type'}, {size}>"


if TYPE_CHECKING:
    import typing_extensions

    # The type of the data, and the status where it decides that type. For type checkers the result is a named tuple,
    # the only type whose unpacked members they can distinguish.
    _Data = typing_extensions.TypeVar("_Data", default=Any)
    _Status = typing_extensions.TypeVar("_Status", bound=int, default=int)

    class _Unpackable(typing_extensions.NamedTuple, Generic[_Data, _Status]):
        data: _Data
        status: _Status
        headers: Headers

    class HTTPResult(_Unpackable[_Data, _Status]):
        """The result of ``*_with_http_info`` and ``send``; it unpacks into ``data, status, headers``."""

        attempts: int
        request: Request | None
        elapsed: float
        cached: bool

        links: Mapping[str, Any]
        follow: Any

        def __new__(
            cls,
            data: _Data,
            status: _Status,
            headers: Headers,
            attempts: int = 1,
            request: Request | None = None,
            elapsed: float = 0.0,
            *,
            cached: bool = False,
        ) -> HTTPResult[_Data, _Status]:
            """``attempts`` is the number of requests that the call has sent; ``cached``: the cache had the response."""

        @property
        def url(self) -> str:
            """The last requested URL, after redirects; it may contain secrets, which ``request.shown_url`` masks."""

else:

    @dataclass(frozen=True, slots=True)
    class HTTPResult:
        """The result of ``*_with_http_info`` and ``send``; it unpacks into ``data, status, headers``.

        ``attempts`` counts the requests that the call has sent, ``request`` is the last of them, and ``elapsed`` its
        duration in seconds, up to the last byte that was read. ``cached`` says that the client's cache had the
        response.
        """

        data: Any
        status: int
        headers: Headers
        attempts: int = 1
        request: Request | None = field(default=None, compare=False)
        elapsed: float = field(default=0.0, compare=False)
        cached: bool = field(default=False, compare=False)
        following: Callable[[HTTPResult], Any] | None = field(default=None, compare=False, repr=False)

        @property
        def links(self) -> Mapping[str, Any]:
            """The documented links of the response, by name (:class:`dynclient.types.ResultLink`)."""
            return self.follow.links if self.following is not None else {}

        @property
        def follow(self) -> Any:
            """``follow(name)`` calls the operation of a link, ``follow.location()`` that of the header Location.

            Each returns an HTTPResult, or an awaitable of one for an AsyncClient. Keywords are further arguments of the
            call. It is None for a result that no client has made, or that was pickled.
            """
            return self.following(self) if self.following is not None else None

        @property
        def url(self) -> str:
            """The last requested URL, after redirects; it may contain secrets, which ``request.shown_url`` masks."""
            return self.request.url if self.request is not None else ""

        def __repr__(self) -> str:
            data, kind = self.data, type(self.data).__name__
            size = f" of {len(data)}" if isinstance(data, (dict, list, str, bytes)) else ""
            return f"<HTTPResult {self.status}: {f'{kind}{size}' if data is not None else 'no data'}>"

        def __reduce__(self) -> tuple[Any, ...]:
            # A pickle contains no credential.
            request = self.request.with_no_secrets() if self.request is not None else None
            return type(self), (self.data, self.status, self.headers, self.attempts, request, self.elapsed, self.cached)

        __class_getitem__ = classmethod(GenericAlias)

        def __iter__(self) -> Iterator[Any]:
            return iter((self.data, self.status, self.headers))


class Send(Record):
    """Step: send a request. The driver returns its :class:`Response`.

    ``deadline`` is a reading of ``time.monotonic()`` after which the whole call has failed, or None. ``fresh`` asks for
    a new connection: the last one broke. ``certificate``: the client's certificate may be sent to the server, if the
    transport has one. ``progress`` is called with the number of the body's bytes sent so far, and the total or None.
    """

    request: Request
    timeout: Timeout
    limits: Limits
    deadline: float | None = None
    stream: bool = False
    fresh: bool = False
    certificate: bool = True
    progress: Callable[[int, int | None], object] | None = None


class Read(Record):
    """Step: read a streamed response to its end. The driver returns the Response with its body in bytes.

    The driver closes a streamed response that a call neither reads nor returns.
    """

    response: Response
    limits: Limits


class Sleep(Record):
    """Step: wait. The driver returns None."""

    seconds: float


class RunBlocking(Record):
    """Step: run a function that may block, outside any event loop. The driver returns its result."""

    function: Callable[[], Any]


class Await(Record):
    """Step: await an object. The driver returns the result. Only the driver of tasks can do this."""

    awaitable: Awaitable[Any]


EXCERPT = 1024
"""The bytes that an error keeps of an unfinished body."""
LOOKED_AT = 16 * EXCERPT
"""The bytes that are searched for secrets: a secret may be long, and in a longer form."""

# Shorter texts occur in many responses by chance.
_SHORTEST_SECRET = 4
_AUTHORITY = expression(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an absolute URL, in lower case, the port made explicit (RFC 6454, 4)."""
    # A call needs this several times, for few origins: the result is cached by the deciding part of the URL.
    authority = _AUTHORITY.match(url)
    return _origin(authority[0] if authority is not None else url)


def joined_url(base: str, reference: str) -> str | None:
    """The absolute URL of a reference; None unless a request can go there: http or https, a host, no user name."""
    try:
        url = urljoin(base, reference)
        parts, (scheme, host, _) = urlsplit(url), origin(url)
    except ValueError:
        return None
    return url if scheme in DEFAULT_PORTS and host and "@" not in parts.netloc else None


@lru_cache(maxsize=256)
def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(scheme, 0)
