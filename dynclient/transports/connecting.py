"""Opening a connection: every address of the host in turn, within one budget; TLS; a proxy where one was given."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from urllib3.connection import ProxyConfig
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError
from urllib3.util import parse_url
from urllib3.util.ssl_match_hostname import CertificateError

from dynclient._records import Record
from dynclient.transports._connection import Connection, SecureConnection
from dynclient.transports.clock import Clock
from dynclient.transports.request_writer import Target

if TYPE_CHECKING:
    from dynclient.transports.proxies import Proxy


class Opener(Record):
    """What opening takes; ``context`` is the TLS context of the servers, None where no TLS is needed.

    ``public``: only to addresses that are.
    """

    target: Target
    proxy: Proxy | None
    context: Any
    clock: Clock
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
            from dynclient.transports import addresses

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
        connection.clock = self.clock
        connection.response_class = connection.answering()  # type: ignore[assignment]  # a maker will do as the class
        return connection


def connect(connection: Connection | SecureConnection, clock: Clock, remaining: int) -> bool:
    """Connect; tell whether it came about. The time is shared with the addresses that remain.

    Raises:
        OSError: it did not, and no address remains; or the address answers, but not as it should.
        Expired: no time is left.
    """
    left = clock.left()
    connection.timeout = left if left is None else left / remaining
    try:
        connection.connect()
        connection.settle()
    except (NewConnectionError, ConnectTimeoutError) as error:
        connection.close()
        if remaining == 1:
            raise _plain(error) from None
        return False
    except (HTTPError, HTTPException, CertificateError) as error:
        connection.close()
        raise _plain(error) from None
    except BaseException:  # also an interrupt: nobody else knows of the connection
        connection.close()
        raise
    return True


def _plain(error: BaseException) -> OSError:
    """What the operating system or TLS would have said, of an error of urllib3's or http.client's."""
    if isinstance(error, NameResolutionError):
        return socket.gaierror(socket.EAI_NONAME, "")
    # urllib3 2 derives NewConnectionError, which no time has run out for, from ConnectTimeoutError.
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return TimeoutError()
    if isinstance(error, CertificateError):
        return ssl.SSLError(0, type(error).__name__)
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__
    return cause or OSError(None, type(error).__name__)


def _addresses(host: str, port: int) -> list[str]:
    """The host's addresses, each once, in the resolver's order; a literal address stays as it is."""
    if ":" in host:
        return [host]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found)) or [host]
