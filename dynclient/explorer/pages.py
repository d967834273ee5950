"""The explorer's pages: an API's operations as HTML.

Rule: the templates escape every text; the document's Markdown is rendered without its HTML and images.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markupsafe import Markup

from dynclient import media_types
from dynclient._escaping import escaped
from dynclient._schemas import shape
from dynclient.exceptions import ArgumentError, DocumentError
from dynclient.inspection.arguments import preferred, secret
from dynclient.inspection.hints import text as type_text
from dynclient.inspection.views import ArgumentView, OperationView, operation_view

if TYPE_CHECKING:
    from dynclient._client import Client

FOUND = 500
_MARKDOWN_LONGEST = 20_000


class Pages:
    """Writes the pages of a client's API."""

    def __init__(self, client: Client, *, has_mock: bool, read_only: bool) -> None:
        """``has_mock``: the pages have a switch for the mock.

        ``read_only``: they can't send requests that change data.
        """
        self._client = client
        self._options = {"has_mock": has_mock, "read_only": read_only}
        environment = Environment(
            loader=PackageLoader(__package__),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # Characters that reorder or hide the text around them are shown as escapes.
            finalize=lambda value: escaped(value) if type(value) is str else value,
        )
        environment.filters |= {
            "markdown": markdown,
            "type": type_text,
            "file_name": lambda name: re.split(r"[/\\]", name)[-1] or name,
        }
        self._templates = environment

    def _write(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(**self._options, **values)

    def locked(self, root: str) -> str:
        """The page for a browser without a session."""
        return self._write("locked.html", root=root)

    def page(self, root: str, name: str, *, everything: bool = False) -> str:
        """A whole page: the start page, an operation, or with ``everything`` the list of all operations."""
        rows = self.listing()
        return self._write(
            "page.html",
            root=root,
            api=self._client.api,
            server=self._server(),
            count=len(rows),
            rows=rows if everything or not name else [],
            everything=everything,
            content=Markup(self.operation(name)) if name else "",  # noqa: S704  # a template has escaped it
            name=name,
        )

    def _server(self) -> str:
        """The URL of the first operation's first server; empty if there is none."""
        with suppress(DocumentError, IndexError):
            return str(self._client.operations[self._client.api.rows[0].name].operation.servers[0].url)
        return ""

    def listing(self) -> list[list[Any]]:
        """The rows of the list: name, method, path, summary, tag, and whether the operation is deprecated."""
        return [
            [row.name, row.method, *map(escaped, (row.path, row.summary, *(row.tags or ("",))[:1])), row.deprecated]
            for row in self._client.api.rows
        ]

    def find(self, words: str) -> list[str]:
        """The names of the operations that a search finds, best first."""
        return list(self._client.operations.search(words))[:FOUND]

    def warm(self) -> None:
        """Load what the first page and the first search need: templates, modules, and the search index."""
        for name in list(self._client.operations)[:1]:
            self.operation(name)
        self.find("a")

    def operation(self, name: str) -> str:
        """The part of a page that shows an operation."""
        method = self._client.operations[name]
        try:
            operation = method.operation
            view = operation_view(operation)
        except DocumentError as error:
            return self._write("broken.html", name=name, fault=str(error))
        example = _example(method)
        body = preferred(operation.body) if operation.body is not None else None
        return self._write(
            "operation.html",
            view=view,
            call=f"{method.__qualname__}{method.__signature__}",
            parameters=[(one, _field(one, example)) for one in view.arguments if one.kind == "parameter"],
            properties=[one for one in view.arguments if one.kind == "property"],
            body=_body(view, example, body.media_range if body is not None else ""),
            security=[" and ".join(choice) or "nothing" for choice in operation.security],
            has_credentials=method._dispatcher.has_credentials(operation),  # noqa: SLF001  # it reveals no secret
            safe=operation.method in {"GET", "HEAD", "OPTIONS", "QUERY", "TRACE"},
            items=any(media_types.find(one).sequential for one in view.accepts),
            location=method.explain().location,
            pagination=method.pagination,
            waiter=method.waiter,
        )


def _example(method: Any) -> dict[str, Any]:
    with suppress(ArgumentError, DocumentError):
        return dict(method.example())
    return {}


def _field(view: ArgumentView, example: dict[str, Any]) -> dict[str, Any]:
    """A field of the form for an argument: its choices, its first value, and whether the browser hides the value."""
    seen = shape(view.schema) if view.schema is not None else None
    values = [one for one in (seen.enum or ()) if one is not None] if seen is not None else []
    if not values and seen is not None and seen.types - {"null"} == {"boolean"}:
        values = [True, False]
    hidden = secret(view.schema)
    value = example.get(view.name, "") if view.required and not hidden else ""
    return {
        "choices": [_text(one) for one in values],
        "value": _text(value),
        "secret": hidden,
    }


def _text(value: Any) -> str:
    """A value as the text of a field."""
    if isinstance(value, bytes):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _body(view: OperationView, example: dict[str, Any], preferred_range: str) -> dict[str, Any] | None:
    """The body as a field of the form; None if there is none."""
    body = next((one for one in view.arguments if one.kind == "body"), None)
    if body is None:
        return None
    value = example.get(body.name, "")
    if isinstance(value, bytes):
        # The example of a media range such as */* is JSON as bytes.
        with suppress(ValueError):
            value = json.loads(value)
    is_text = isinstance(value, (str, bytes)) and not (value and media_types.is_parsed(preferred_range))
    # Each binary property of an example becomes a file input.
    files = [key for key, one in value.items() if isinstance(one, bytes)] if isinstance(value, dict) else []
    shown = {key: one for key, one in value.items() if key not in files} if files else value
    text = _text(value) if is_text else json.dumps(shown, indent=2, ensure_ascii=False, default=str)
    is_range = "*" in preferred_range and not isinstance(value, bytes)
    whole = bool(preferred_range) and media_types.find(preferred_range).codec == "binary" and not is_range
    return {
        "name": body.name,
        "required": body.required,
        "preferred": preferred_range,
        "text": text,
        "binary": whole,
        "files": [] if whole else files,
    }


class _Links(RendererHTML):
    """Renders links so that they open in a new tab, which has no access to this page."""

    def link_open(self, tokens: Any, index: int, options: Any, environment: Any) -> str:
        """Write the beginning of a link."""
        tokens[index].attrSet("rel", "noopener noreferrer nofollow")
        tokens[index].attrSet("target", "_blank")
        return self.renderToken(tokens, index, options, environment)


@lru_cache(1)
def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}, renderer_cls=_Links).enable("table").disable("image")


# The most frequent HTML in descriptions, as Markdown. All other HTML is shown as text.
_HTML = tuple(
    (re.compile(pattern, re.IGNORECASE), written)
    for pattern, written in (
        (r"""<a [^<>]{0,999}?href=["']([^"'<>\s]*)["'][^<>]{0,999}>([^<>\[\]]*)</a>""", r"[\2](\1)"),
        (r"</?(?:p|div|ul|ol|table|tbody|tr)>", "\n\n"),
        (r"<br ?/?>", "  \n"),
        (r"<li>", "\n* "),
        (r"</?(?:strong|b)>", "**"),
        (r"</?(?:em|i)>", "*"),
        (r"</?code>", "`"),
        (r"<a(?: [^<>]{0,1000})?>|</(?:a|li|span)>|<span>", ""),
    )
)


def markdown(text: str) -> Markup:
    """A document's Markdown (CommonMark and tables) as HTML."""
    if len(text) > _MARKDOWN_LONGEST:
        text = text[:_MARKDOWN_LONGEST] + " …"
    text = escaped(text)
    for pattern, written in _HTML:
        text = pattern.sub(written, text)
    return Markup(_renderer().render(text))  # noqa: S704  # its HTML and images are written as text
