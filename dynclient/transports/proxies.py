"""The proxy that was given: where it is, and what it wants to know of us.

Rule: no frame holds the URL or the credential in it as a text: some tracebacks print local variables.
"""

from __future__ import annotations

import base64
from urllib.parse import unquote, urlsplit

from dynclient._records import Record
from dynclient._secrets import Secret
from dynclient.exceptions import ArgumentError
from dynclient.transports.request_writer import Target, target_of


class Proxy(Record):
    """A proxy, and what it wants to know of us."""

    target: Target
    authorization: Secret | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The header lines that are the proxy's alone (RFC 9110, 11.7.2)."""
        return {} if self.authorization is None else {"Proxy-Authorization": self.authorization.reveal()}

    def __repr__(self) -> str:
        return f"Proxy({self.target.scheme}://{self.target.authority})"


def proxy_of(url: str | Secret | None, *, block_private: bool = False) -> Proxy | None:
    """Take a proxy's URL; user information in it is its credential.

    Raises:
        ArgumentError: it is no http or https URL, or private addresses can't be blocked behind it.
    """
    if url is None:
        return None
    url = Secret(url) if isinstance(url, str) else url
    if block_private:
        raise ArgumentError(
            "block_private can't look at the addresses that a proxy connects to",
            argument="block_private",
            hint="have the proxy block them, or leave one of the two out",
        )
    place, authorization = _parts(url)
    if place is None:
        raise ArgumentError("proxy: the URL's host is malformed", argument="proxy", hint="http://host:port")
    try:
        target = target_of(place)
    except ArgumentError as error:
        raise ArgumentError(f"proxy: {error.message}", argument="proxy", hint="http://host:port") from None
    return Proxy(target, authorization)


def _parts(url: Secret) -> tuple[str | None, Secret | None]:
    """The URL without user information, None where it can't be read; and what that is for a header."""
    try:
        parts = urlsplit(url.reveal())
        place = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        if parts.username is None:
            return place, None
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    except ValueError:
        return None, None
    return place, Secret(f"Basic {base64.b64encode(pair).decode('ascii')}")
