"""The DOCUMENT of a command line, and shell completion of its contents.

Rule 1: a word is a short name of an API (:mod:`dynclient._settings`), or else a path, a URL, or a path at a revision of
git; ``-`` is standard input, and ``demo`` the document that comes with dynclient. A word with a slash is never a short
name, so no settings are read for it.
Rule 2: completion prompts for nothing and prints no errors; after an error there are no proposals.
"""

from __future__ import annotations

import io
import json
import os
import posixpath
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote, urljoin, urlsplit

import click

from dynclient._deferred import expression
from dynclient._document.text import unreadable, unsafe
from dynclient._escaping import escaped
from dynclient._readers.listings import listed
from dynclient._settings import APISettings, all_settings, find
from dynclient.cli.commands import Decorated, inform, show_warnings
from dynclient.exceptions import DocumentError, DynclientError, ResponseError
from dynclient.http_grammar import REDIRECTS, SUCCESS, web_links
from dynclient.media_types import essence
from dynclient.messages import Headers, Request, Response, Send, origin
from dynclient.options import Limits, Timeout

if TYPE_CHECKING:  # lists and completions do not need these
    from subprocess import CompletedProcess

    from click.shell_completion import CompletionItem

    from dynclient._client import Client
    from dynclient._document.source import Source
    from dynclient._readers.listings import Listing
    from dynclient.model import API


Loaded = TypeVar("Loaded")

STANDARD_INPUT = "-"
_OVERLAYS = "dynclient.overlays"


class _Piped(io.BytesIO):
    """Standard input as a document: it is read once, and may be loaded several times."""

    name = "<standard input>"


@cache
def _standard_input() -> bytes:
    return sys.stdin.buffer.read()


def settings_of(word: str, profile: str | None = None) -> APISettings | None:
    """The settings of a short name, with a profile (``profile`` or DYNCLIENT_PROFILE) applied; None for any other word.

    Raises:
        ArgumentError: there is no such profile, a file of settings is malformed, or a project's are not trusted.
    """
    found = _settings(word)
    if found is None:
        if profile:
            raise click.UsageError(f"--profile {profile}: {word} is not a short name, so it has no profiles")
        return None
    return found.with_profile(profile or os.environ.get("DYNCLIENT_PROFILE"))


def _settings(word: str) -> APISettings | None:
    return find(word) if "/" not in word and word != STANDARD_INPUT else None


def located(word: str) -> Any:
    """Resolve a word to a path or URL, else to a file object of standard input or a revision in git.

    Raises:
        ClickException: the word is not a short name, a file or a URL, or git does not have it.
        ArgumentError: a file of settings is malformed, or a project's are not trusted.
    """
    show_warnings()
    if word == STANDARD_INPUT:
        return _Piped(_standard_input())
    if ":" in word:
        revision = revision_of(word)
        if revision is not None:
            return source_at(word, *revision)
    if "/" in word:
        return word
    settings = _settings(word)
    if settings is not None:
        return settings.document
    if "." not in word and not os.path.exists(word):  # noqa: PTH110  # pathlib would be imported for it
        if word == "demo":
            from dynclient.testing import DEMO

            return str(DEMO)
        from dynclient._identifiers import did_you_mean

        names = [found.name for found in all_settings()]
        hint = did_you_mean(word, names, "dynclient api add NAME DOCUMENT adds one")
        known = f"the names are {', '.join(names)}" if names else "there are no names"
        text = f"{word} is neither a file nor the short name of an API: {known}\nHint: {hint}"
        raise click.ClickException(text)
    return word


def overlays_of(word: str) -> list[str]:
    """The overlays of a document: those of its short name, then those of ``--overlay``."""
    settings = _settings(word)
    ctx = click.get_current_context(silent=True)
    return [*(settings.overlays if settings is not None else ()), *(ctx.meta.get(_OVERLAYS, ()) if ctx else ())]


def client_of(word: str, **options: Any) -> Client:
    """Load the document that a word names, or that of a site if the word is the site's URL."""
    from dynclient._client import Client

    return loaded(lambda source: Client.load(source, overlays=overlays_of(word), **options), word)


def api_of(word: str) -> API:
    """Load the list of operations of the document that a word names, without a client."""
    from dynclient._load import load

    return loaded(lambda source: load(source, overlays=overlays_of(word)), word)


def source_of(word: str) -> Any:
    """The path, URL or file object that a word names; for the URL of a site, that of its document."""
    source = located(word)
    if not _is_url(source):
        return source
    from dynclient._load import load

    return loaded(lambda found: (load(found), found)[1], word)


def _is_url(source: Any) -> bool:
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def loaded(load: Callable[[Any], Loaded], word: str) -> Loaded:
    """Call a function with the source that a word names; if that is the URL of a site, with the site's document."""
    source = located(word)
    try:
        return load(source)
    except DocumentError:
        found = source
        with suppress(click.ClickException, DynclientError):
            found = discovered(source) if _is_url(source) else source
        if found == source:
            raise
    inform(f"the document is {found}")
    return load(found)


def listing_of(word: str) -> Listing | None:
    """The operations and tags of the document that a word names, if the cache has them."""
    source = located(word)
    return listed(source) if isinstance(source, str) and not overlays_of(word) else None


def command_name(name: str) -> str:
    """An operation's name in the spelling of commands: ``create-call``."""
    return name.replace("_", "-") if not name.startswith("_") else name


def method_of(client: Client, word: str) -> Any:
    """The operation that a word names: ``create-call``, or any name that ``operations[...]`` accepts.

    Raises:
        NoSuchOperation: there is none.
    """
    operations = client.operations
    pythonic = word.replace("-", "_")
    return operations[pythonic if word not in operations and (pythonic in operations or " " not in word) else word]


def complete_documents(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The short names of documents, and files."""
    from click.shell_completion import CompletionItem

    del ctx, param
    names: list[str] = []
    with suppress(Exception):
        names = [found.name for found in all_settings() if found.name.startswith(incomplete)]
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]


def complete_operations(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the operations of the preceding document on the command line."""
    del param
    return operation_items(_document_word(ctx), incomplete)


def complete_tags(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the tags of the preceding document on the command line."""
    del param
    return [tag for tag in _listing(_document_word(ctx)).namespaces if tag.startswith(incomplete)]


def operation_items(document: str | None, incomplete: str) -> list[CompletionItem]:
    """The completions of an operation's name, with summaries for the shells that show them."""
    from click.shell_completion import CompletionItem

    spelled = str if "_" in incomplete else command_name
    return [
        # zsh's and fish's scripts cut at line breaks; zsh's also at a colon.
        CompletionItem(spelled(row.name), help=escaped(" ".join(row.summary.split())).replace(":", " ") or None)
        for row in _listing(document).rows
        if spelled(row.name).startswith(incomplete)
    ]


def _listing(word: str | None) -> Listing:
    """The operations and tags of the document that a word names, from the cache if possible; empty by rule 2."""
    from dynclient._readers.listings import Listing

    with suppress(Exception):
        if word is not None:
            cached = listing_of(word)
            if cached is not None:
                return cached
            api = api_of(word)
            return Listing(api.rows, {tag.name: tag.namespace for tag in api.tags})
    return Listing((), {})


def _document_word(ctx: click.Context) -> str | None:
    """The document of a command line that is being completed."""
    # If an option's value is being completed, click leaves the arguments as they are.
    words = [ctx.params.get("document"), *ctx.args]
    return next((str(word) for word in words if word), None)


def document_argument(name: str = "document") -> Callable[[Decorated], Decorated]:
    """The argument DOCUMENT of a command, a path, URL or short name, and the option for its overlays."""

    def decorated(command: Decorated) -> Decorated:
        if not any("--overlay" in param.opts for param in getattr(command, "__click_params__", ())):
            command = overlay_option(command)
        return click.argument(name, shell_complete=complete_documents)(command)

    return decorated


def _keep_overlays(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
    del param
    ctx.meta[_OVERLAYS] = value


overlay_option = click.option(
    "--overlay",
    multiple=True,
    metavar="FILE|URL",
    expose_value=False,
    callback=_keep_overlays,
    help="An OpenAPI Overlay to apply to the document first; may be repeated.",
)


def format_option(*formats: str, text: str = "The output format.") -> Callable[[Decorated], Decorated]:
    """The option ``-o`` of a command; the first format is the default."""
    choice = click.Choice(formats)
    return click.option("-o", "--format", "output", type=choice, default=formats[0], show_default=True, help=text)


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
    from dynclient.transports import HTTPTransport  # git needs no network

    try:
        urlsplit(url)
    except ValueError as error:
        raise click.ClickException(f"{url} is not a URL: {error}") from None
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
        """Request a URL once; None if it has no content, or the allowed number of requests is used up.

        Raises:
            TransportError: the site itself can't be reached.
        """
        if url not in self._asked:
            self._asked[url] = None
            self._asked[url] = self._fetched(url)
        return self._asked[url]

    def _fetched(self, url: str) -> Response | None:
        response: Response | None = None
        for _ in range(4):
            left = self._deadline - time.monotonic()
            parts = urlsplit(url)
            is_allowed = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
            if left <= 0 or len(self._asked) > _MOST_REQUESTS or not is_allowed:
                return response
            request = Request("GET", url, Headers({"Accept": _ACCEPT}))
            send = Send(request, Timeout(), Limits(), time.monotonic() + min(left, _SECONDS_EACH))
            try:
                response = self._transport.send(send)
            except ResponseError as error:  # it is too large, but may have links
                return error.response
            except DynclientError:
                if len(self._asked) > 1:
                    return None
                raise
            if response is None or response.status not in REDIRECTS:
                return response
            try:
                url = urljoin(url, response.headers.get("location", ""))
                if not _is_near(url, self.url):
                    self._elsewhere.append(url)
                    return response
            except ValueError:
                return response
        return response


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
"""A revision has at least two characters: a single one before a colon is a Windows drive."""


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
    from dynclient._document.source import from_bytes

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
            raise unsafe("is outside the document's folder", name)
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


def _git(*arguments: str) -> CompletedProcess[bytes]:
    import subprocess

    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)  # noqa: S603, S607  # the user's git
    except OSError as error:
        text = f"a document at a revision needs git, which can't be run: {error.strerror}"
        raise click.ClickException(text) from None
