"""Open a connection: try addresses in turn, within one time budget; TLS; a proxy if one was given.

Rule 1: the steps are written once. All waiting is in a transport's streams, which block a thread or suspend a task.
Rule 2: a proxy is used only if the caller passes its URL, or asks for those of the environment.
Rule 3: no variable holds a proxy's URL or its credential as a string: some tracebacks print local variables.
"""

from __future__ import annotations

import base64
import errno
import ipaddress
import os
import socket
import ssl
import warnings
from collections.abc import Callable, Generator
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from dynclient._records import Record
from dynclient._secrets import Secret
from dynclient.exceptions import ArgumentError, BlockedAddress
from dynclient.http_grammar import SUCCESS
from dynclient.messages import Body, Request
from dynclient.options import TLS, Limits
from dynclient.transports.body_reader import Content
from dynclient.transports.clock import Clock
from dynclient.transports.http11 import (
    Framing,
    HiddenBytes,
    HiddenLines,
    IncompleteResponse,
    RemoteProtocolError,
    Target,
    target_of,
)
from dynclient.transports.pool import Pool, ThreadWaiter, Waiter


class Proxy(Record):
    """A proxy, with ``user:password`` for it."""

    target: Target
    userinfo: Secret | None = None

    @property
    def headers(self) -> HiddenLines[tuple[bytes, bytes]]:
        """The header fields for the proxy itself (RFC 9110, 11.7.2)."""
        if self.userinfo is None:
            return HiddenLines()
        value = b"Basic " + base64.b64encode(self.userinfo.reveal().encode())
        return HiddenLines([(b"Proxy-Authorization", value)])

    def __repr__(self) -> str:
        return f"Proxy({self.target.scheme}://{self.target.authority})"


def proxy_of(url: Secret) -> Proxy:
    """Read a proxy's URL; user information in it is the credential.

    Raises:
        ArgumentError: it is not an http, https or socks5 URL.
    """
    place, userinfo = _split(url)
    if place is None:
        raise ArgumentError("proxy: the URL's host is malformed", argument="proxy", hint="http://host:port")
    scheme, _, rest = place.partition(":")
    socks = scheme in {"socks5", "socks5h"}
    try:
        target = target_of(f"http:{rest}" if socks else place)
    except ArgumentError as error:
        raise ArgumentError(f"proxy: {error.message}", argument="proxy", hint="http://host:port") from None
    if socks:
        if find_spec("socksio") is None:
            install = 'pip install "dynclient[socks]"'
            raise ArgumentError("a SOCKS proxy needs socksio", argument="proxy", hint=install)
        target = target._replace(scheme=scheme, port=target.port if urlsplit(place).port else 1080)
    return Proxy(target, userinfo)


def environment_proxy(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy that the environment names for a server: ``HTTPS_PROXY``, ``NO_PROXY``, and so on.

    The standard library finds them; on Windows and macOS, it also reads the system's settings.

    Raises:
        ArgumentError: the environment names something that is not the URL of a proxy.
    """
    from urllib.request import getproxies, proxy_bypass

    if proxy_bypass(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"):
        return None
    # No variable holds it: some tracebacks print those.
    found = (Secret(url if "://" in url else f"http://{url}") for url in map(getproxies().get, (scheme, "all")) if url)
    url = next(found, None)
    try:
        return None if url is None else proxy_of(url)
    except ArgumentError as error:
        raise ArgumentError(
            f"the environment's proxy for {scheme}: {error.message}", argument="proxy", hint=error.hint
        ) from None


def unused_variables(scheme: str) -> str:
    """A hint about a proxy variable of the environment that was not used; empty if there is none."""
    names = [name for each in (f"{scheme}_proxy", "all_proxy") for name in (each.upper(), each) if os.environ.get(name)]
    return f'{names[0]} is set but was not used: to use it, pass proxy="environment"' if names else ""


def _split(url: Secret) -> tuple[str | None, Secret | None]:
    """Return the URL without user information, or None if it is malformed; and the user information."""
    try:
        parts = urlsplit(url.reveal())
        place = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        _ = parts.port
        if parts.username is None:
            return place, None
        return place, Secret(f"{unquote(parts.username)}:{unquote(parts.password or '')}")
    except ValueError:
        return None, None


T = TypeVar("T")

Address = tuple[int, Any]
"""An address family, and an address for ``socket.connect``."""

_TLS_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Stream(Protocol):
    """A stream of bytes in both directions; a clock bounds each wait."""

    async def receive(self, clock: Clock) -> bytes:
        """Wait for bytes; no bytes mean the end."""

    async def send(self, data: memoryview, clock: Clock) -> None:
        """Send all of it."""

    def is_idle(self) -> bool:
        """Whether neither bytes nor the end have arrived."""

    def close(self) -> None:
        """Close it; TLS sends no close_notify."""


class Connection:
    """An open connection, used by one exchange after another; each sets ``clock``.

    ``sent``: any byte of a request may have left; ``received``: any byte has arrived.
    """

    __slots__ = ("_open", "clock", "received", "sent", "stream")

    def __init__(self, stream: Stream, clock: Clock) -> None:
        """Take a connected stream."""
        self.stream = stream
        self.clock = clock
        self.sent = self.received = False
        self._open = True

    @property
    def is_connected(self) -> bool:
        """Whether it is open, with nothing to read from it."""
        return self._open and self.stream.is_idle()

    async def send(self, data: bytes) -> None:
        """Send all of it, each wait bounded by the clock."""
        self.clock.left()
        # After this line, it is unknown how much of the request was sent.
        self.sent = True
        await self.stream.send(memoryview(data), self.clock)

    async def receive(self) -> bytes:
        """Wait for bytes; no bytes mean the end."""
        if not self._open:
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
        data = await self.stream.receive(self.clock)
        if data:
            self.received = True
        return data

    def close(self) -> None:
        """Close it."""
        self._open = False
        self.stream.close()


async def fed(reading: Generator[None, None, T], framing: Framing, connection: Connection) -> T:
    """Receive bytes for ``framing`` until ``reading`` returns."""
    while True:
        framing.feed(await connection.receive())
        try:
            next(reading)
        except StopIteration as stop:
            result: T = stop.value
            return result


def check_ways(**ways: object) -> None:
    """Check that at most one of these options decides where connections go.

    Raises:
        ArgumentError: there are two.
    """
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise ArgumentError(
            f"{given[0]} and {given[-1]} exclude each other: each decides where connections go",
            argument=given[-1],
            hint="remove one of them",
        )


def context_of(tls: TLS, *, certificate: bool = True) -> ssl.SSLContext:
    """Make a TLS context: with the system's trust store, unless the options name another.

    ``certificate``: the client's certificate is sent to servers that request it.

    Raises:
        ArgumentError: a file is missing, or is not a PEM file of its kind.
    """
    try:
        context = _trusting(tls)
        context.minimum_version = _TLS_VERSIONS[tls.minimum_version]
        # Python 3.11.2 sets it: an end without close_notify would count as the end of the body.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        if certificate and tls.certificate is not None:
            context.load_cert_chain(*_pair(tls))
    except KeyError:
        raise ArgumentError(f"tls: minimum_version is one of {', '.join(_TLS_VERSIONS)}", argument="tls") from None
    except (OSError, ValueError) as error:
        files = " or ".join(str(file) for file in (tls.ca_file, *_pair(tls)) if file is not None)
        why = (
            error.strerror
            if isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
            else "it is not such a file"
        )
        raise ArgumentError(f"tls: a certificate can't be loaded from {files}: {why}", argument="tls") from None
    return context


def _pair(tls: TLS) -> tuple[str, ...]:
    """The files of the client's certificate."""
    return (tls.certificate,) if isinstance(tls.certificate, str) else tls.certificate or ()


def _trusting(tls: TLS) -> ssl.SSLContext:
    if tls.insecure_skip_verify:
        warnings.warn("TLS(insecure_skip_verify=True): certificates of servers are not verified", stacklevel=2)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if tls.ca_file is not None:
        return ssl.create_default_context(cafile=tls.ca_file)
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Connector:
    """The shared part of a transport's exchanges: its pool, its proxy, and how connections are opened.

    Proxies are used only on request: those of the environment with ``proxy="environment"``.
    """

    waiter: type[Waiter] = ThreadWaiter
    """The class of waiters for a place in the pool."""
    content: Callable[[Body], Content | None]
    """Returns a body in the form to send, or None if there is none; an ArgumentError if it can't be sent."""

    def __init__(
        self,
        *,
        limits: Limits = Limits(),
        tls: TLS = TLS(),
        proxy: str | Secret | None = None,
        block_private: bool = False,
        unix_socket: str | os.PathLike[str] | None = None,
    ) -> None:
        """Set the number of connections per origin, the trusted certificates, and how to reach servers.

        ``proxy`` is the URL of a proxy, or ``"environment"``. With ``unix_socket``, all connections go to that socket
        of this machine. With ``block_private``, connect only to servers whose addresses are all public.

        Raises:
            ArgumentError: the proxy's URL is invalid, or two of the options exclude each other.
        """
        proxy = Secret(proxy) if isinstance(proxy, str) else proxy  # some tracebacks print local variables
        self.proxy: Proxy | None = None
        self.choose_proxy: Callable[[str, str, int], Proxy | None] | None = None
        self.unix_socket = None if unix_socket is None else os.fspath(unix_socket)
        check_ways(proxy=proxy, unix_socket=unix_socket, block_private=block_private or None)
        if unix_socket is not None and not hasattr(socket, "AF_UNIX"):
            raise ArgumentError("this system has no Unix sockets", argument="unix_socket")
        if proxy is not None:
            if proxy.reveal() == "environment":
                self.choose_proxy = cache(environment_proxy)
            else:
                self.proxy = proxy_of(proxy)
        self.block_private = block_private
        self.pool = Pool(limits.pool_size, self.waiter)
        self._tls = tls
        self.has_certificate = tls.certificate is not None
        self._contexts: dict[bool, ssl.SSLContext] = {}

    async def context(self, *, certificate: bool) -> ssl.SSLContext:
        """Return the TLS context with the client's certificate or without; each is made at its first use."""
        raise NotImplementedError

    async def look_up(self, host: str, port: int, clock: Clock) -> list[Address]:
        """Return the host's addresses, in the resolver's order.

        Raises:
            socket.gaierror: the host's name can't be resolved.
            DeadlineExceeded: no time is left.
        """
        raise NotImplementedError

    async def dial(self, address: Address, seconds: float | None) -> Stream:
        """Connect to an address.

        Raises:
            OSError: the connection failed, or was not made within these seconds.
        """
        raise NotImplementedError

    async def secured(self, stream: Any, host: str, clock: Clock, *, certificate: bool) -> Stream:
        """Do the TLS handshake with a server of this name; returns the stream to use from then on.

        ``certificate``: the client's certificate may be sent to the server. It is never sent to a proxy.
        """
        raise NotImplementedError

    async def open(
        self, target: Target, proxy: Proxy | None, clock: Clock, limits: Limits, hold: Callable[[Connection], T]
    ) -> T:
        """Open a connection to a request's server; ``hold`` receives it as soon as it exists.

        Raises:
            OSError: there is no connection.
            BlockedAddress: an address is not public, and ``block_private`` is set.
            DeadlineExceeded: no time is left.
        """
        first = target if proxy is None else proxy.target
        if "https" in {first.scheme, target.scheme}:
            # Invalid options are reported before anything is sent.
            await self.context(certificate=target.certificate)
        connection = Connection(await self._connect(first, clock), clock)
        held = hold(connection)
        if first.scheme == "https":
            connection.stream = await self._secured(connection, first.host, certificate=first.certificate)
        if proxy is not None:
            if first.scheme.startswith("socks"):
                await _pass_socks(connection, target, proxy)
            elif target.scheme == "https":
                await _tunnel(connection, target, proxy, limits)
            if target.scheme == "https":
                connection.stream = await self._secured(connection, target.host, certificate=target.certificate)
        return held

    async def _connect(self, server: Target, clock: Clock) -> Stream:
        """Connect to the first address that answers; each gets a share of the remaining time."""
        if self.unix_socket is not None:
            return await self.dial((socket.AF_UNIX, self.unix_socket), clock.left())
        found = list(dict.fromkeys(await self.look_up(server.host, server.port, clock)))
        if self.block_private:
            _check_public(server.host, [str(address[0]) for _, address in found])
        for remaining in range(len(found), 0, -1):
            left = clock.left()
            try:
                return await self.dial(found[-remaining], left if left is None else left / remaining)
            except OSError:
                if remaining == 1:
                    raise
        raise socket.gaierror(socket.EAI_NONAME, "no address")

    async def _secured(self, connection: Connection, host: str, *, certificate: bool = False) -> Stream:
        # A certificate has neither a zone nor the final dot of an absolute name.
        name = host.partition("%")[0].rstrip(".")
        return await self.secured(connection.stream, name, connection.clock, certificate=certificate)


# Networks of IANA's special-purpose registries (RFC 6890) that ``ipaddress`` calls global in some version of Python;
# and a metadata service at a public address.
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32", "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.175.48.0/24", "224.0.0.0/4", "2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20",
        ),
    )
)  # fmt: skip
# RFC 4291, 2.4: IPv6 addresses outside of it are not globally reachable. RFC 6052, 2.1: it ends with an IPv4 address.
_GLOBAL6, _NAT64 = ipaddress.IPv6Network("2000::/3"), ipaddress.IPv6Network("64:ff9b::/96")


def _check_public(host: str, addresses: list[str]) -> None:
    """Make sure that all addresses of a host are public: a public server has only public ones.

    The host is looked up once, and only these addresses are connected to (DNS rebinding).

    Raises:
        BlockedAddress: one is not public.
    """
    blocked = tuple(address for address in addresses if not is_public(address))
    if blocked:
        raise BlockedAddress(
            f"the host {host} has the address {blocked[0]}, which is not public",
            host=host,
            addresses=blocked,
            hint="block_private=True refuses it; nothing was sent",
        )


def is_public(text: str) -> bool:
    """Whether an address from the resolver is globally reachable."""
    try:
        # RFC 4007, 11: the part after "%" is a zone of this machine.
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            # Connections may reach the IPv4 address within it.
            return is_public(str(carried))
        if address not in _GLOBAL6:
            return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


async def _tunnel(connection: Connection, target: Target, proxy: Proxy, limits: Limits) -> None:
    """Ask an HTTP proxy for a tunnel to the server (RFC 9110, 9.3.6).

    urllib3 could, but its timeout applies to each read, so a proxy could stall by sending single bytes.
    """
    host = f"[{target.host}]" if ":" in target.host else target.host
    authority, framing = f"{host}:{target.port}", Framing("CONNECT", limits)
    fields = HiddenLines([(b"Host", authority.encode()), *proxy.headers])
    await connection.send(framing.request_head(Request("CONNECT", f"http://{target.authority}"), authority, fields))
    try:
        head = await fed(framing.response_head(), framing, connection)
    except (RemoteProtocolError, IncompleteResponse):
        raise OSError(None, "the proxy's answer is not HTTP") from None
    if head.status not in SUCCESS:
        raise OSError(None, f"the proxy answered {head.status}")
    if framing.has_more:
        raise OSError(None, "the proxy sent extra bytes after its answer")


async def _pass_socks(connection: Connection, target: Target, proxy: Proxy) -> None:
    """Ask a SOCKS proxy to connect to the server; the proxy resolves the name (RFC 1928, RFC 1929)."""
    from socksio import SOCKS5AuthMethod as Method
    from socksio import SOCKSError, socks5

    protocol: Any = socks5.SOCKS5Connection()
    try:
        method = Method.NO_AUTH_REQUIRED if proxy.userinfo is None else Method.USERNAME_PASSWORD
        protocol.send(socks5.SOCKS5AuthMethodsRequest([method]))
        chosen = protocol.receive_data(await _socks_reply(connection, protocol, 2))
        if chosen.method != method:
            raise OSError(None, "the proxy does not support this authentication")
        if proxy.userinfo is not None:
            # No variable holds them: some tracebacks print those.
            user = socks5.SOCKS5UsernamePasswordRequest
            protocol.send(user(*proxy.userinfo.reveal().encode().partition(b":")[::2]))
            if not protocol.receive_data(await _socks_reply(connection, protocol, 2)).success:
                raise OSError(None, "the proxy refuses the user name or password")
        place = target.host.partition("%")[0], target.port
        protocol.send(socks5.SOCKS5CommandRequest.from_address(socks5.SOCKS5Command.CONNECT, place))
        reply = protocol.receive_data(await _socks_reply(connection, protocol, 5))
    except SOCKSError:
        raise OSError(None, "the proxy's answer is not SOCKS") from None
    if reply.reply_code != socks5.SOCKS5ReplyCode.SUCCEEDED:
        raise OSError(None, f"the proxy answered {reply.reply_code.name.lower().replace('_', ' ')}")


async def _socks_reply(connection: Connection, protocol: Any, size: int) -> bytes:
    """Send pending bytes, and receive a reply: 2 bytes, or at least 5, which determine its size (RFC 1928, 6)."""
    await connection.send(HiddenBytes(protocol.data_to_send()))
    reply, whole = b"", size
    while len(reply) < whole:
        data = await connection.receive()
        if not data:
            raise OSError(None, "the proxy closed the connection")
        reply += data
        if size > 2 and len(reply) >= size:  # noqa: PLR2004  # as above
            # Four bytes, an address of its type, and two of a port.
            whole = 6 + {1: 4, 3: 1 + reply[4], 4: 16}.get(reply[3], 0)
    if len(reply) > whole:
        raise OSError(None, "the proxy sent extra bytes after its answer")
    return reply
