"""Proxies: one that was given by its URL, or those that the environment names.

Rule: no variable holds a proxy's URL or the credential in it as a text: some tracebacks print local variables.
"""

from __future__ import annotations

import base64
import os
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from dynclient._records import Record
from dynclient._secrets import Secret
from dynclient.exceptions import ArgumentError
from dynclient.transports.request_writer import HiddenLines, Target, target_of


class Proxy(Record):
    """A proxy, and the user's name and password for it, with a colon between them."""

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


class EnvironmentProxies:
    """The proxies that the environment names: ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, and ``NO_PROXY``.

    The standard library finds them, on Windows and macOS also in the system's settings. They are looked up once for
    each origin.
    """

    def __init__(self) -> None:
        """Begin with no origin looked up."""
        self._chosen: dict[tuple[str, str, int], Proxy | None] = {}

    def __call__(self, target: Target) -> Proxy | None:
        """Return the proxy on the way to a request's server, or None.

        Raises:
            ArgumentError: the environment names something that is not the URL of a proxy.
        """
        origin = target.origin
        if origin not in self._chosen:
            url = _environment_url(target)
            try:
                self._chosen[origin] = None if url is None else proxy_of(url)
            except ArgumentError as error:
                raise ArgumentError(
                    f"the environment's proxy for {target.scheme}: {error.message}", argument="proxy", hint=error.hint
                ) from None
        return self._chosen[origin]


def _environment_url(target: Target) -> Secret | None:
    from urllib.request import getproxies, proxy_bypass

    host = f"[{target.host}]" if ":" in target.host else target.host
    if proxy_bypass(f"{host}:{target.port}"):
        return None
    # No variable holds it: some tracebacks print those.
    found = (
        Secret(url if "://" in url else f"http://{url}") for url in map(getproxies().get, (target.scheme, "all")) if url
    )
    return next(found, None)


def unused_variables(scheme: str) -> str:
    """Name the variables of the environment with a proxy that nobody asked to use; empty if there is none."""
    names = [name for each in (f"{scheme}_proxy", "all_proxy") for name in (each.upper(), each) if os.environ.get(name)]
    return f'{names[0]} is set and was not used: proxy="environment" uses it' if names else ""


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
