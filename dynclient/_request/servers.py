"""Choose the server of a call.

Rule 1: ``base_url`` takes precedence, then ``server`` (index, name or variables), then the document's servers.
Rule 2: a server's variables are the caller's, or their defaults; a caller's value can't change other parts of the URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from dynclient import model
from dynclient._deferred import expression
from dynclient._escaping import without_user
from dynclient._identifiers import near
from dynclient.exceptions import ArgumentError

_IN_PATH = "/%:@!$&'()*+,;=~"
_VARIABLE = expression(r"\{([^{}]+)\}")

ServerChoice = int | str | Mapping[str, Any] | None
"""An index, a server's name, or variables of the first server; with ``"server"``, of the one of that name or index."""


def server_url(servers: Sequence[model.Server], base_url: str | None, choice: ServerChoice = None) -> str:
    """The absolute URL that paths are appended to, without a slash at its end.

    Raises:
        ArgumentError: there is no such server, a variable is wrong, or the URL is not absolute.
        DocumentError: the servers are broken.
    """
    if base_url is not None:
        return checked_base_url(base_url)
    if not servers:
        raise ArgumentError("the document has no server", argument="base_url", hint="pass base_url=")
    variables = dict(choice) if isinstance(choice, Mapping) else {}
    server = _chosen(servers, variables.pop("server", 0) if isinstance(choice, Mapping) else choice)
    if server.fault is not None:
        broken = copy(server.fault)
        broken.hint = broken.hint or "base_url= needs no server of the document"
        raise broken
    return _absolute(_filled(server, variables), f"the document's server {without_user(server.url)!r}")


def checked_base_url(url: Any, what: str = "base_url") -> str:
    """A ``base_url``, without a slash at its end; ``what`` names it in errors.

    Raises:
        ArgumentError: it is not an absolute URL, or has user information, a query or a fragment.
    """
    return _absolute(url, what)


def _chosen(servers: Sequence[model.Server], choice: Any) -> model.Server:
    if choice is None:
        return servers[0]
    if isinstance(choice, int) and not isinstance(choice, bool) and 0 <= choice < len(servers):
        return servers[choice]
    named = {text: server for server in reversed(servers) for text in (server.url, server.name) if text}
    if isinstance(choice, str) and choice in named:
        return named[choice]
    known = [server.name or server.url for server in servers]
    raise ArgumentError(
        f"there is no server {choice!r}; the document has {', '.join(known)}",
        argument="server",
        matches=near(str(choice), known),
    )


def _filled(server: model.Server, given: Mapping[str, Any]) -> str:
    for name in given:
        if name not in server.variables and f"{{{name}}}" not in server.url:
            raise ArgumentError(
                f"server {server.url} has no variable {name}",
                argument="server",
                matches=near(name, list(server.variables)),
            )

    def value(match: re.Match[str]) -> str:
        variable = server.variables.get(match[1])
        if match[1] in given:
            return _checked(variable or model.ServerVariable(match[1], ""), str(given[match[1]]))
        if variable is None:
            hint = f'pass server={{"{match[1]}": ...}}, or base_url='
            raise ArgumentError(f"server {server.url} declares no variable {match[1]}", argument="server", hint=hint)
        return variable.default

    return _VARIABLE.sub(value, server.url)


def _checked(variable: model.ServerVariable, text: str) -> str:
    # OAS 3.1.1, Server Variable Object: enum limits the values. A value must not change other parts of the URL.
    if variable.enum and text not in variable.enum:
        raise ArgumentError(
            f"server variable {variable.name} must be one of {', '.join(variable.enum)}",
            argument="server",
            hint="base_url= sends to any other server",
            matches=near(text, list(variable.enum)),
        )
    if not variable.enum and re.search(r"[/?#@\\\s]", text):
        raise ArgumentError(f"server variable {variable.name} may not hold / ? # @ \\ or a space", argument="server")
    return text


@lru_cache(maxsize=256)
def _absolute(url: str, what: str) -> str:
    parts = _split(url)
    if parts is None or parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise ArgumentError(
            f"{what} is not an absolute http or https URL: {without_user(url)!r}",
            argument="base_url",
            hint="" if what.isupper() else "pass base_url='https://…'",
        )
    if parts.username is not None or parts.password is not None:
        raise ArgumentError(
            f"{what} contains user information", argument="base_url", hint="pass it as auth=(user, password)"
        )
    if parts.query or parts.fragment:
        raise ArgumentError(f"{what} must not have a query or a fragment", argument="base_url")
    if re.search(r"[\s\\<>\"^`{|}]", parts.netloc):
        raise ArgumentError(f"{what} has invalid characters in its host: {url!r}", argument="base_url")
    if not url.isascii() and any("\ud800" <= character <= "\udfff" for character in url):
        raise ArgumentError(f"{what} has half of a surrogate pair: {url!r}", argument="base_url")
    # RFC 3986, 2.1: other characters of a path are percent-encoded; encoded octets stay as they are.
    return f"{url[: len(url) - len(parts.path)]}{quote(parts.path, safe=_IN_PATH)}".rstrip("/")


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None if its host or port is malformed."""
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts
