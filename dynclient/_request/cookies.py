"""The cookies of a client (RFC 6265), in a jar of the standard library's http.cookiejar.

Rule 1: cookies are credentials. A call sends and stores cookies only if its request goes to a trusted origin; among
trusted origins, a cookie's domain, path, ``Secure`` and expiry decide.
Rule 2: a cookie that the request has already, by a parameter or as a credential, is not replaced.
Rule 3: the jar is bounded, in the number of cookies and the size of each (RFC 6265, 6.1).
"""

from __future__ import annotations

import email.message
from dataclasses import replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import Request as Asked

from dynclient.exceptions import ArgumentError
from dynclient.messages import Request, Response

_MOST, _LONGEST = 3000, 4096


class Cookies:
    """The cookies that servers have set. Threads may share it."""

    def __init__(self, jar: CookieJar | None = None) -> None:
        """Take a jar, or make one."""
        if jar is None:
            # RFC 6265, 5.3: a cookie without a Domain is only for the host that set it; the default policy sends it to
            # more hosts.
            alone = DefaultCookiePolicy.DomainStrictNonDomain
            jar = CookieJar(DefaultCookiePolicy(strict_domain=True, strict_ns_domain=alone))
        self.jar = jar

    def added(self, request: Request) -> Request:
        """Return the request with the cookies that go with it."""
        asked = Asked(request.url)  # noqa: S310  # nothing is opened
        self.jar.add_cookie_header(asked)
        found = asked.get_header("Cookie")
        if not found:
            return request
        given = request.headers.get("cookie", "")
        names = {_name(pair) for pair in given.split(";")}
        pairs = [given, *(pair for pair in found.split("; ") if _name(pair) not in names)]
        return replace(request, headers=request.headers.replace("Cookie", "; ".join(filter(None, pairs))))

    def keep(self, response: Response, request: Request) -> None:
        """Keep the cookies that the response to a request sets."""
        lines = response.headers.get_list("set-cookie")
        if not lines:
            return
        fields = email.message.Message()
        for line in lines:
            if len(line) <= _LONGEST:
                fields["Set-Cookie"] = line
        asked = Asked(request.url)  # noqa: S310  # nothing is opened
        self.jar.extract_cookies(_Answer(fields), asked)  # type: ignore[arg-type]  # what it uses of a response
        for cookie in list(self.jar)[: max(len(self.jar) - _MOST, 0)]:
            self.jar.clear(cookie.domain, cookie.path, cookie.name)

    def __repr__(self) -> str:
        return f"<{len(self.jar)} cookies>"


class _Answer:
    """An adapter with the part of a response that http.cookiejar reads."""

    def __init__(self, fields: email.message.Message) -> None:
        self._fields = fields

    def info(self) -> email.message.Message:
        return self._fields


def _name(pair: str) -> str:
    return pair.partition("=")[0].strip()


def cookies_of(value: Any) -> Cookies | None:
    """Return the cookies of the option's value: True, False, None, or a jar.

    Raises:
        ArgumentError: it has another type.
    """
    if value is None or value is False:
        return None
    if isinstance(value, Cookies):
        return value
    if value is True:
        return Cookies()
    if isinstance(value, CookieJar):
        return Cookies(value)
    message = f"cookies must be True, False or an http.cookiejar.CookieJar, not {type(value).__name__}"
    raise ArgumentError(message, argument="cookies")
