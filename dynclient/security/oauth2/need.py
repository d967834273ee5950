"""What a token is needed for, and by what right it may be asked for."""

from __future__ import annotations

from collections.abc import Hashable
from urllib.parse import urljoin, urlsplit

from dynclient._records import Record
from dynclient._secrets import OAuth2
from dynclient.exceptions import InvalidDocument
from dynclient.messages import origin
from dynclient.model import Operation, SecurityScheme
from dynclient.security.trust import Trust


class Need(Record):
    """A scheme's token for an operation. ``url`` is that of the request which the token is for."""

    scheme: SecurityScheme
    given: OAuth2
    scopes: tuple[str, ...]
    operation: Operation
    url: str
    trust: Trust

    @property
    def key(self) -> Hashable:
        """What tokens are kept under: every operation of a scheme may use the same one."""
        return self.scheme.name, self.given

    def allowed(self, url: str) -> str:
        """An authorization server's URL, absolute, once it is sure that credentials may go there.

        Raises:
            CredentialScopeError: the caller has not vouched for its origin.
            InvalidDocument: it is no URL.
        """
        try:
            # OAS 3.1, Relative References in URLs: they are relative to the server.
            whole = urljoin(self.url, url)
            place = origin(whole)
            sane = place[0] in {"http", "https"} and bool(place[1]) and "@" not in urlsplit(whole).netloc
        except ValueError:
            sane = False
        if not sane:
            raise InvalidDocument(f"the security scheme {self.scheme.name} has a URL that is none: {url[:200]!r}")
        trusted = self.trust
        given = (self.given.token_url, self.given.authorization_url, self.given.device_authorization_url)
        if url in given:
            trusted = trusted._replace(origins=trusted.origins | {place})
        trusted.check(place, self.operation.servers, self.operation.id)
        return whole
