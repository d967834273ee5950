"""Find the document of a site: where the site links it, or at the usual paths.

Rule 1: the URL itself may be a document. Then its Link header is read (RFC 8631, ``service-desc``), its API catalog
(RFC 9727, ``application/linkset+json`` only), and last the usual paths.
Rule 2: requests go only to the origin that the caller named, or to the same host over https. A URL of a response at
another origin is not fetched, but named in an error, since the server that answers could choose it.
Rule 3: no credentials are sent, and the number, size and time of requests are bounded.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import click

from dynclient._deferred import expression
from dynclient.exceptions import DynclientError, escaped
from dynclient.http_grammar import QUOTED_STRING, REDIRECTS, SUCCESS, TOKEN
from dynclient.media_types import essence
from dynclient.messages import Headers, Request, Response, Send, origin
from dynclient.options import Limits, Timeout
from dynclient.transports import HTTPTransport

CATALOG = "/.well-known/api-catalog"
USUAL_PATHS = (
    "openapi.json", "openapi.yaml", "openapi.yml", "swagger.json", "swagger.yaml", "v3/api-docs", "v2/api-docs",
    "api-docs", "openapi/v1.json", "swagger/v1/swagger.json", "api/openapi.json", ".well-known/openapi.json",
)  # fmt: skip
_MOST_REQUESTS = 40
_SECONDS, _SECONDS_EACH = 30.0, 10.0
_BYTES = 32 * 1024 * 1024
_BEGINNING = 65_536
_ACCEPT = "application/vnd.oai.openapi+json, application/json, application/yaml, application/linkset+json, */*;q=0.5"
_DOCUMENT = expression(
    rb"(?m)^[ \t]{0,20}\{?[ \t]{0,20}[\"']?(?:openapi|swagger)[\"']?[ \t]{0,20}:[ \t]{0,20}[\"']?[23]\."
)
# RFC 8288, 3: a link-value and its parameters.
_LINK = expression(rf"<([^<>]*)>((?:\s*;\s*{TOKEN}\*?\s*(?:=\s*(?:{QUOTED_STRING}|{TOKEN}))?)*)")
_REL = expression(rf";\s*rel\s*=\s*({QUOTED_STRING}|{TOKEN})", re.IGNORECASE)


def discovered(url: str) -> str:
    """Return the URL of the document of the site at a URL.

    Raises:
        ClickException: no document was found, or the responses name one of another origin, or several.
        TransportError: the site can't be reached.
    """
    search = _Search(url)
    try:
        return search.run()
    finally:
        search.transport.close()


class _Search:
    """One search: the requested URLs, and the documents named at other origins."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.transport = HTTPTransport(limits=Limits(response_bytes=_BYTES, encoded_response_bytes=_BYTES))
        self._deadline = time.monotonic() + _SECONDS
        self._asked: dict[str, Response | None] = {}
        self._elsewhere: list[str] = []

    def run(self) -> str:
        first = self._get(self.url)
        if first is None:
            raise click.ClickException(escaped(f"{self.url} can't be searched: it is not an http or https URL"))
        if _is_document(first):
            return self.url
        for documents in (self._linked(first), self._of_catalog(), self._usual()):
            found = list(dict.fromkeys(documents))
            if len(found) > 1:
                raise click.ClickException(
                    escaped(f"{self.url} has several documents: {', '.join(found)}\nHint: name one with --spec")
                )
            if found:
                return found[0]
        if self._elsewhere:
            raise click.ClickException(
                escaped(
                    f"{self.url} names {self._elsewhere[0]}, which has another origin and was not fetched\n"
                    f"Hint: to use it, add --spec {self._elsewhere[0]}"
                )
            )
        raise click.ClickException(
            escaped(
                f"no OpenAPI document was found at {self.url}: it is not one, and neither a service-desc link, "
                f"{CATALOG} nor a usual path leads to one\nHint: name it with --spec PATH_OR_URL"
            )
        )

    def _linked(self, response: Response) -> Iterator[str]:
        targets = [
            target
            for target, parameters in _LINK.findall(", ".join(response.headers.get_list("link")))
            if (rel := _REL.search(parameters)) is not None and "service-desc" in rel[1].strip('"').lower().split()
        ]
        yield from self._documents(targets, self.url)

    def _of_catalog(self) -> Iterator[str]:
        # RFC 9727, 2 and 4: the catalog is at a well-known path, as a linkset in JSON (RFC 9264, 4.2).
        url = urljoin(self.url, CATALOG)
        response = self._get(url)
        if response is None or essence(response.content_type or "") != "application/linkset+json":
            return
        try:
            contexts = json.loads(response.body)["linkset"]
            links = [
                (urljoin(url, str(context.get("anchor", ""))), str(link["href"]))
                for context in contexts
                for link in context.get("service-desc", ())
            ]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        for base, target in links:
            yield from self._documents([target], base)

    def _usual(self) -> Iterator[str]:
        folder = self.url if self.url.endswith("/") else f"{self.url}/"
        for base in dict.fromkeys((folder, urljoin(self.url, "/"))):
            for path in USUAL_PATHS:
                if found := list(self._documents([path], base)):
                    yield found[0]
                    return

    def _documents(self, targets: list[str], base: str) -> Iterator[str]:
        """The targets that are documents of the same origin."""
        for target in targets:
            try:
                url = urljoin(base, target)
                is_near = _is_near(url, self.url)
            except ValueError:
                continue
            if not is_near:
                self._elsewhere.append(url)
            elif (response := self._get(url)) is not None and _is_document(response):
                yield url

    def _get(self, url: str) -> Response | None:
        """Request a URL, once; None if there is nothing, or the number of requests is used up.

        Raises:
            TransportError: the site itself can't be reached.
        """
        if url not in self._asked:
            self._asked[url] = None
            self._asked[url] = self._fetched(url)
        return self._asked[url]

    def _fetched(self, url: str) -> Response | None:
        for _ in range(4):
            left = self._deadline - time.monotonic()
            parts = urlsplit(url)
            if left <= 0 or len(self._asked) > _MOST_REQUESTS or "@" in parts.netloc:
                return None
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                return None
            seconds = min(left, _SECONDS_EACH)
            timeout = Timeout(seconds, seconds, seconds, seconds, seconds)
            send = Send(
                Request("GET", url, Headers({"Accept": _ACCEPT})), timeout, Limits(), time.monotonic() + seconds
            )
            try:
                response = self.transport.send(send)
            except DynclientError:
                if len(self._asked) > 1:
                    return None
                raise
            if response.status not in REDIRECTS:
                return response
            try:
                url = urljoin(url, response.headers.get("location", ""))
                if not _is_near(url, self.url):
                    self._elsewhere.append(url)
                    return response
            except ValueError:
                return response
        return None


def _is_near(url: str, site: str) -> bool:
    """Whether a URL has the site's origin, or the same host over https."""
    there, here = origin(url), origin(site)
    return there == here or (there[:2] == ("https", here[1]) and here[0] == "http" and there[2] == 443)  # noqa: PLR2004  # RFC 9110, 4.2.2


def _is_document(response: Response) -> bool:
    """Whether a response looks like an OpenAPI document in JSON or YAML."""
    if response.status not in SUCCESS:
        return False
    if _DOCUMENT.search(response.body[:_BEGINNING]):
        return True
    try:
        value: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and any(isinstance(value.get(key), str) for key in ("openapi", "swagger"))
