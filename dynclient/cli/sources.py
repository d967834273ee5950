"""Documents that are not simply at a path or a URL: that of a site, and one at a revision of git.

The document of a site is where the site links it, or at the usual paths.
Rule 1: the URL itself may be a document. Then its Link header is read (RFC 8631, ``service-desc``), its API catalog
(RFC 9727, ``application/linkset+json`` only), and last the usual paths.
Rule 2: requests go only to the origin that the caller named, or to the same host over https. A URL of a response at
another origin is not fetched, but named in an error, since the server that answers could choose it.
Rule 3: no credentials are sent, and the number, size and time of requests are bounded.

A revision is ``REV:PATH``, as ``git show`` takes it.
Rule 4: the path is that from the root of the repository; one that begins with ``./`` or ``../``, or that the root does
exist there, is relative to the current folder. A file with that name in the current folder wins over a revision.
Rule 5: referenced files are read at the same revision, below the document's folder, as for a file.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import click

from dynclient._deferred import expression
from dynclient._document.source import Source, from_bytes
from dynclient._document.text import unreadable, unsafe
from dynclient.exceptions import DynclientError
from dynclient.http_grammar import REDIRECTS, SUCCESS, web_links
from dynclient.media_types import essence
from dynclient.messages import Headers, Request, Response, Send, origin
from dynclient.options import Limits, Timeout

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


def discovered(url: str) -> str:
    """Return the URL of the document of the site at a URL.

    Raises:
        ClickException: no document was found, or the responses name one of another origin, or several.
        TransportError: the site can't be reached.
    """
    from dynclient.transports import HTTPTransport  # git does without

    limits = Limits(response_bytes=_BYTES, encoded_response_bytes=_BYTES)
    with closing(HTTPTransport(limits=limits)) as transport:
        return _Search(url, transport).run()


class _Search:
    """One search: the requested URLs, and the documents named at other origins."""

    def __init__(self, url: str, transport: Any) -> None:
        self.url = url
        self._transport = transport
        self._deadline = time.monotonic() + _SECONDS
        self._asked: dict[str, Response | None] = {}
        self._elsewhere: list[str] = []

    def run(self) -> str:
        first = self._get(self.url)
        if first is None:
            raise click.ClickException(f"{self.url} can't be searched: it is not an http or https URL")
        if _is_document(first):
            return self.url
        for documents in (self._linked(first), self._of_catalog(), self._usual()):
            found = list(dict.fromkeys(documents))
            if len(found) > 1:
                names = ", ".join(found)
                raise click.ClickException(f"{self.url} has several documents: {names}\nHint: name one with --spec")
            if found:
                return found[0]
        text = (
            f"no OpenAPI document was found at {self.url}: it is not one, and neither a service-desc link, "
            f"{CATALOG} nor a usual path leads to one\nHint: name it with --spec PATH_OR_URL"
        )
        if self._elsewhere:
            other = self._elsewhere[0]
            text = f"{self.url} names {other}, which has another origin and was not fetched"
            text += f"\nHint: to use it, add --spec {other}"
        raise click.ClickException(text)

    def _linked(self, response: Response) -> Iterator[str]:
        links = web_links(", ".join(response.headers.get_list("link")))
        return self._documents([link.target for link in links if "service-desc" in link.relations], self.url)

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
                response: Response = self._transport.send(send)
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


_REVISION_AND_PATH = re.compile(r"([^:\s][^:\s]+):(?!//)([^:\s].*)", re.DOTALL)
"""The shortest revision has two characters: a single one before a colon is a Windows drive."""


def revision_of(word: str) -> tuple[str, str] | None:
    """The revision and path of a word; None for any other word, and for the name of a file."""
    found = _REVISION_AND_PATH.fullmatch(word)
    if found is None or found[1].lower() == "file" or os.path.exists(word):  # noqa: PTH110  # takes any text
        return None
    return found[1], found[2]


def source_at(word: str, revision: str, path: str, limits: Limits = Limits()) -> Source:
    """Read a document at a revision.

    Raises:
        ClickException: git is not installed, this is not a repository, or it has no such revision or file.
        DocumentError: the document is too large.
    """
    prefix = _text(word, "", "rev-parse", "--show-prefix")
    why = f"{revision} is not a revision of this repository"
    tree = _text(word, why, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{tree}}")
    here = posixpath.normpath(posixpath.join(prefix, path))
    names = [here] if path.startswith(("./", "../")) else list(dict.fromkeys((posixpath.normpath(path), here)))
    known = next((name for name in names if not _git("cat-file", "-e", f"{tree}:{name}").returncode), None)
    if known is None:
        raise click.ClickException(f"{word}: {revision} has no file {' or '.join(names)}")
    root = f"/{tree}/"
    folder = posixpath.dirname(root + known) + "/"

    def read(uri: str, name: str) -> Source:
        where = unquote(urlsplit(uri).path)
        if not where.startswith(folder):
            raise unsafe("is outside of the document's folder", name)
        done = _git("cat-file", "blob", f"{tree}:{where.removeprefix(root)}")
        if done.returncode:
            raise unreadable(f"can't be read: {_said(done.stderr)}", name)
        found = from_bytes(done.stdout, name, limits)
        return found._replace(uri=uri, json_only=where.lower().endswith(".json"), sibling=read)

    return read(f"file://{quote(root + known)}", word)


def _text(word: str, why: str, *arguments: str) -> str:
    done = _git(*arguments)
    if done.returncode:
        raise click.ClickException(f"{word} can't be read: {why or _said(done.stderr)}")
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")


def _said(text: bytes) -> str:
    """Git's message about a failure, in one line."""
    lines = [line for line in text.decode(errors="replace").splitlines() if line]
    return lines[0].removeprefix("fatal: ") if lines else "git gives no reason"


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)  # noqa: S603, S607  # the user's git
    except OSError as error:
        text = f"a document at a revision needs git, which can't be run: {error.strerror}"
        raise click.ClickException(text) from None
