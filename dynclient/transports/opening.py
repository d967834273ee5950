"""Opening a connection: every address of the host in turn, within one budget; TLS; a proxy where one was given."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

from urllib3.connection import ProxyConfig
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util import parse_url

from dynclient.options import Limits
from dynclient.transports import addresses
from dynclient.transports._connection import Connection, SecureConnection
from dynclient.transports.clock import Clock
from dynclient.transports.outgoing import Target
from dynclient.transports.proxies import Proxy


class Opener(NamedTuple):
    """What opening takes; ``context`` is the TLS context of the servers, None where no TLS is needed.

    ``public``: only to addresses that are.
    """

    target: Target
    proxy: Proxy | None
    context: Any
    clock: Clock
    limits: Limits
    public: bool = False

    def connections(self) -> list[Connection | SecureConnection]:
        """A connection, not yet open, for each address at which the server, or the proxy, may be.

        Raises:
            OSError: the host's name can't be resolved.
            BlockedAddress: it is at an address that is not public.
            Expired: looking it up took all the time.
        """
        place = self.proxy.target if self.proxy else self.target
        # A proxy's certificate is held to the name that the connection is made to.
        found = [place.host] if self.proxy and place.scheme == "https" else _addresses(place.host, place.port)
        if self.public:
            found = addresses.public(place.host, found)
        self.clock.left()
        return [self._connection(address, place) for address in found]

    def _connection(self, address: str, place: Target) -> Connection | SecureConnection:
        secure = self.target.scheme == "https"
        more: dict[str, Any] = {}
        if self.proxy:
            more["proxy"] = parse_url(f"{place.scheme}://{place.authority}")
            more["proxy_config"] = ProxyConfig(self.context, False, None, None)  # a tuple of urllib3's
        connection: Connection | SecureConnection
        if secure or (self.proxy and place.scheme == "https"):
            name = self.target.host if secure else None
            connection = SecureConnection(address, place.port, ssl_context=self.context, server_hostname=name, **more)
        else:
            connection = Connection(address, place.port, **more)
        if self.proxy and secure:
            connection.set_tunnel(self.target.host, self.target.port, self.proxy.headers, scheme=place.scheme)
        connection.clock, connection.limits = self.clock, self.limits
        connection.response_class = connection.answering()  # type: ignore[assignment]  # a maker will do as the class
        return connection


def connect(connection: Connection | SecureConnection, clock: Clock, remaining: int) -> bool:
    """Connect; tell whether it came about. The time is shared with the addresses that remain.

    Raises:
        OSError, HTTPError: it did not, and no address remains; or the address answers, but not as it should.
    """
    left = clock.left()
    connection.timeout = left if left is None else left / remaining
    try:
        connection.connect()
    except (NewConnectionError, ConnectTimeoutError):
        connection.close()
        if remaining == 1:
            raise
        return False
    except BaseException:
        connection.close()
        raise
    return True


def _addresses(host: str, port: int) -> list[str]:
    """The host's addresses, each once, in the resolver's order; a literal address stays as it is."""
    if ":" in host:
        return [host]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found)) or [host]
