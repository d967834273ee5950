"""What goes over the wire, and what a call asks of its driver.

Rule 1: messages are frozen; a change returns a new one.
Rule 2: a body is ``None``, bytes, or something that is read once (:data:`Body`); text is encoded before it comes here.
Rule 3: nothing here knows of OpenAPI. A room that has a Request needs no document to send it.
Rule 4: what is secret in a message is named by it (:attr:`Request.secrets`), so that whoever shows it can mask it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import GenericAlias
from typing import IO, TYPE_CHECKING, Any, Generic
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from dynclient import _secrets
from dynclient._expressions import expression
from dynclient._records import Record
from dynclient.http_grammar import DEFAULT_PORTS
from dynclient.options import Limits, Timeout

if TYPE_CHECKING:
    from dynclient import _pasting

Body = None | bytes | Iterator[bytes] | AsyncIterator[bytes] | IO[bytes]
"""A message's body: nothing, bytes, or a stream of bytes that is read once."""

SecretLocation = tuple[str, str]
"""Where a request has a secret, as location and wire name: ``("header", "authorization")``, ``("query", "key")``."""

MASK = _secrets.MASK
SECRET_BODY: SecretLocation = ("body", "")
"""The location of a secret that is the whole body, such as that of a request for a token."""

# RFC 9110, 11.6.2, 11.7.2; RFC 6265, 4.1.1 and 4.2.1: always secret, whatever a document says.
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


def variable(name: str) -> str:
    """The variable that stands for a secret of this name: ``$API_KEY`` for ``api-key``."""
    from dynclient._pasting import variable as named

    return named(name)


class Headers(Mapping[str, str]):
    """Header fields in their order; names match without regard to case.

    A mapping of name to value, where a field that came more than once is one value joined by ``", "`` (RFC 9110, 5.3).
    :meth:`get_list` and :meth:`pairs` keep the lines apart, as ``Set-Cookie`` needs.
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
        """Every line as ``(name, value)``, in the order in which they came."""
        return self._pairs

    def get_list(self, name: str) -> list[str]:
        """Every value of a field, a line each; empty where there is none."""
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


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, complete: what a transport sends, and what an error or ``prepare()`` shows.

    ``url`` is absolute and percent-encoded; ``body`` is already encoded. ``secrets`` are the places whose values are
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
        """Scheme, host and port: what a credential is trusted to (RFC 6454, 4)."""
        return origin(self.url)

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown: user information dropped and secret query values masked."""
        return self._url_with(MASK)

    @property
    def logged_url(self) -> str:
        """The URL as a log may have it: user information and every query value dropped."""
        parts = urlsplit(self.url)
        names = [name for name, _, _ in (field.partition("=") for field in parts.query.split("&")) if name]
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "&".join(names), ""))

    def with_no_secrets(self) -> Request:
        """Return the request with each secret masked, and without a body that is one: what may be shown."""
        shown = Headers((name, MASK if self._is_secret(name) else value) for name, value in self.headers.pairs())
        return replace(self, url=self.shown_url, headers=shown, body=None if SECRET_BODY in self.secrets else self.body)

    def secret_values(self, shortest: int = _secrets.LONG) -> tuple[str, ...]:
        """The secrets themselves, as a server may repeat them, the longest first; words that are shorter are none."""
        found: set[str] = set()
        for name, value in self.headers.pairs():
            if self._is_secret(name):
                found |= {value, *_secrets.in_header(name.lower(), value)}
        names = {name for in_, name in self.secrets if in_ == "query"}
        for field in urlsplit(self.url).query.split("&"):
            name, _, value = field.partition("=")
            if unquote_plus(name) in names:
                found |= {value, unquote_plus(value)}
        if SECRET_BODY in self.secrets and isinstance(self.body, bytes):
            found |= _secrets.in_form(self.body)
        return tuple(sorted((text for text in found if len(text) >= shortest), key=len, reverse=True))

    def __repr__(self) -> str:
        body = f"<{len(self.body)} bytes>" if isinstance(self.body, bytes) else type(self.body).__name__
        return f"Request({self.method!r}, {self.shown_url!r}, headers={self.with_no_secrets().headers!r}, body={body})"

    def to_curl(self) -> str:
        """The curl command line that sends this request; a secret stands there as ``$NAME``, never as it is.

        Copy it to a POSIX shell in which the named variables are set.
        """
        from dynclient._pasting import curl

        return curl(self._masked())

    def to_httpie(self) -> str:
        """The HTTPie command line that sends this request; a secret stands there as ``$NAME``, never as it is."""
        from dynclient._pasting import httpie

        return httpie(self._masked())

    def to_python(self) -> str:
        """Python that sends this request with the standard library; a secret is read from ``os.environ``."""
        from dynclient._pasting import python

        return python(self._masked())

    def _masked(self) -> _pasting.Masked:
        from dynclient import _pasting

        url = self._url_with("$")
        headers = (
            _pasting.Line(name, _pasting.header_variable(name, value) if self._is_secret(name) else value, secret)
            for name, value in self.headers.pairs()
            if name.lower() != "content-length"
            for secret in (self._is_secret(name),)
        )
        body = iter(()) if SECRET_BODY in self.secrets else self.body
        return _pasting.Masked(self.method, url, url != self._url_with(""), tuple(headers), body)

    def _is_secret(self, header: str) -> bool:
        return header.lower() in SECRET_HEADERS or ("header", header.lower()) in self.secrets

    def _url_with(self, mask: str) -> str:
        """The URL with its secret query values replaced: by the mask, or by ``$NAME`` where the mask is ``$``."""
        names = {name for in_, name in self.secrets if in_ == "query"}
        parts = urlsplit(self.url)
        fields = []
        for field in parts.query.split("&"):
            name, equals, _ = field.partition("=")
            secret = variable(unquote_plus(name)) if mask == "$" else mask
            fields.append(f"{name}={secret}" if equals and unquote_plus(name) in names else field)
        netloc = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=netloc, query="&".join(fields)))


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response as it arrived, with its content codings undone.

    ``body`` is bytes, or a stream when the call asked for one. ``elapsed`` is in seconds, from the first byte of the
    request to the last that was read; ``attempts`` counts the requests that the call has sent so far.
    """

    status: int
    headers: Headers = Headers()
    body: Any = b""
    request: Request | None = None
    elapsed: float = 0.0
    attempts: int = 1

    @property
    def content_type(self) -> str | None:
        """The Content-Type header as it came, or None."""
        return self.headers.get("content-type")

    def with_no_secrets(self) -> Response:
        """Return the response with the request's secrets masked, also where the server repeats them.

        A short one is masked where it is a whole header value, or a whole string in quotes.
        """
        if self.request is None:
            return self
        secrets = self.request.secret_values(_SHORTEST_SECRET)
        request = self.request.with_no_secrets()
        if not secrets:
            return replace(self, request=request)
        headers = Headers((name, _secrets.masked(value, secrets)) for name, value in self.headers.pairs())
        return replace(self, request=request, headers=headers, body=_secrets.masked(self.body, secrets))

    def __repr__(self) -> str:
        size = f"{len(self.body)} bytes" if isinstance(self.body, bytes) else "a stream"
        return f"<Response {self.status} {self.content_type or 'without Content-Type'}, {size}>"


if TYPE_CHECKING:
    import typing_extensions

    # The type of the data, and the status where it decides that type. For type checkers the result is a named tuple,
    # the only type whose unpacked members they can tell apart.
    _Data = typing_extensions.TypeVar("_Data", default=Any)
    _Status = typing_extensions.TypeVar("_Status", bound=int, default=int)

    class _Unpackable(typing_extensions.NamedTuple, Generic[_Data, _Status]):
        data: _Data
        status: _Status
        headers: Headers

    class HTTPResult(_Unpackable[_Data, _Status]):
        """The result of ``*_with_http_info`` and ``send``; it unpacks into ``data, status, headers``."""

        attempts: int

        def __new__(
            cls, data: _Data, status: _Status, headers: Headers, attempts: int = 1
        ) -> HTTPResult[_Data, _Status]:
            """``attempts`` is the number of requests that the call has sent."""

else:

    @dataclass(frozen=True, slots=True)
    class HTTPResult:
        """The result of ``*_with_http_info`` and ``send``; it unpacks into ``data, status, headers``.

        ``attempts`` counts the requests that the call has sent.
        """

        data: Any
        status: int
        headers: Headers
        attempts: int = 1

        __class_getitem__ = classmethod(GenericAlias)

        def __iter__(self) -> Iterator[Any]:
            return iter((self.data, self.status, self.headers))


class Send(Record):
    """A call asks its driver to send a request; it is sent a :class:`Response` back.

    ``deadline`` is a reading of ``time.monotonic()`` after which the whole call has failed, or None.
    """

    request: Request
    timeout: Timeout
    limits: Limits
    deadline: float | None = None
    stream: bool = False


class Read(Record):
    """A call asks its driver to read a streamed response to its end; it is sent the Response back, its body in bytes.

    A streamed response of which a call neither asks this nor returns it is closed by its driver.
    """

    response: Response
    limits: Limits


class Sleep(Record):
    """A call asks its driver to wait; it is sent None back."""

    seconds: float


class Run(Record):
    """A call asks its driver to run what may block, away from any event loop; it is sent back what that returns."""

    function: Callable[[], Any]


class Await(Record):
    """A call asks its driver to await something; it is sent back the result. Only a driver of tasks can do this."""

    awaitable: Awaitable[Any]


# A shorter text is in half of all answers by chance; to mask it would only tell that it is one.
_SHORTEST_SECRET = 4
_AUTHORITY = expression(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an absolute URL, in lower case, the port made explicit (RFC 6454, 4)."""
    # A call asks several times, always for the few origins that there are; so the part that says it is looked up.
    authority = _AUTHORITY.match(url)
    return _origin(authority[0] if authority is not None else url)


@lru_cache(maxsize=256)
def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(scheme, 0)
