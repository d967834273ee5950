"""The pages of a document: an index, a page for each tag, and a page for each schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dynclient import Client, DynclientError, Retry
from dynclient._escaping import one_line
from dynclient._schemas.shapes import bounded_depth
from dynclient.examples import example as example_of
from dynclient.examples import unrevealing
from dynclient.inspection.docstrings import sequel
from dynclient.inspection.hints import Direction, Hint, text
from dynclient.inspection.views import OperationView, Repeating, ResponseView
from dynclient.model import Link, SecurityScheme
from dynclient_tools import markdown, snippets
from dynclient_tools.rendering import MARK, literal, pages, uncollected
from dynclient_tools.views import INDEX, OperationPage, SchemaPage, Site, TagPage, is_none, server_url, site


@uncollected()
@bounded_depth("a schema, or an example,")
def docs(client: Client, source: str, templates: Path | None = None, *, llms: bool = False) -> dict[str, str]:
    """Write the pages of an API, by file name. ``source`` is the name of its document in the examples.

    With ``llms``, also an ``llms.txt`` (https://llmstxt.org) that leads to a short text about each tag.
    """
    shown = site(client, source, check=True)
    by_id: dict[str | None, tuple[TagPage, OperationPage]] = {
        operation.view.id: (page, operation) for page, operation in reversed(shown.operations)
    }
    environment = pages(templates)
    environment.globals.update(
        site=shown,
        head=Markup("<!-- {} from a document with the SHA-256 {} -->").format(MARK, shown.api.fingerprint),
        index=INDEX,
        type_link=lambda hint: markdown.type_link(hint, shown.files),
        is_none=is_none,
        server_url=server_url,
        signature=_signature,
        snippet=lambda page: snippets.snippet(shown, page),
        all_properties=lambda page: snippets.all_properties(shown, page),
        http_info_snippet=lambda page: snippets.http_info_snippet(shown, page),
        loading=snippets.loading(shown),
        literal=literal,
        security=lambda page: _security(page, shown),
        repeating=_repeating,
        links=lambda view: _links(view, by_id),
        sequel=_sequel,
        curl=snippets.curl,
        bodies=snippets.bodies,
        answers=snippets.answers,
        example=_example,
        type_text=text,
        response_row=_once(lambda view: sections.response_cells(view)),  # noqa: PLW0108  # read below
        llms_name=_llms_name,
    )
    sections: Any = environment.get_template("operation.md.jinja").module
    environment.globals["operation_section"] = sections.operation_section
    index, of_tag, of_schema = (environment.get_template(f"{name}.md.jinja") for name in ("index", "api", "schema"))
    for template in (of_tag, of_schema):
        template.globals = {**template.globals}  # copied for each page, which takes long for jinja2's ChainMap
    written = {INDEX: index.render()} | {page.file: of_tag.render(page=page) for page in shown.tags}
    users, parents = _users(shown), _parents(shown)
    for page in shown.schemas:
        uri = page.view.uri
        written[page.file] = of_schema.render(page=page, users=users.get(uri, []), parents=parents.get(uri, []))
    if llms:
        template = environment.get_template("llms.txt.jinja")
        written["llms.txt"] = template.render(page=None)
        written |= {_llms_name(page): template.render(page=page) for page in shown.tags}
    # UTF-8 has no lone surrogates.
    return {name: text.encode("utf-8", "backslashreplace").decode() for name, text in written.items()}


def _once(render: Callable[[ResponseView], Markup]) -> Callable[[ResponseView], Markup]:
    """Write each view once: operations share responses. All views are kept until the end, so an id is that of one."""
    known: dict[int, Markup] = {}

    def written(view: ResponseView) -> Markup:
        if id(view) not in known:
            known[id(view)] = render(view)
        return known[id(view)]

    return written


def _llms_name(page: TagPage) -> str:
    return f"{page.file.removesuffix('.md')}.llms.txt"


@bounded_depth("a schema, or an example,")
def navigation(client: Client, source: str, folder: str, theme: str | None = None) -> str:
    """Write the configuration of mkdocs for the pages in a folder.

    ``theme`` is the name of an installed one; the default is mkdocs-material if that is installed. The pages
    load nothing from other sites.
    """
    shown = site(client, source, check=True)
    nav: list[dict[str, Any]] = [{"Overview": INDEX}, *({_as_html(page.title): page.file} for page in shown.tags)]
    if shown.schemas:
        schemas = sorted(shown.schemas, key=lambda page: page.view.class_name)
        nav.append({"Schemas": [{page.view.class_name: page.file} for page in schemas]})
    chosen = theme or ("material" if find_spec("material") is not None else "mkdocs")
    settings = {
        "site_name": _as_html(shown.api.title),
        "docs_dir": folder,
        "theme": _THEMES.get(chosen, {"name": chosen}),
        "extra_css": [STYLES.name],
        "markdown_extensions": [*_EXTENSIONS, *(_MATERIAL if chosen == "material" else ["fenced_code"])],
        "nav": nav,
    }
    lines = [f"{key}: {json.dumps(value, indent=2, ensure_ascii=False)}" for key, value in settings.items()]
    return "\n".join([f"# {MARK}", *lines, ""])


def _palette(media: str, scheme: str, icon: str, following: str) -> dict[str, Any]:
    toggle = {"icon": f"material/{icon}", "name": f"Switch to {following}"}
    return {"media": f"(prefers-color-scheme: {media})", "scheme": scheme, "toggle": toggle}


# Theme -> its settings. Material's fonts and mkdocs' highlighter would come from other sites.
_THEMES: dict[str, dict[str, Any]] = {
    "material": {
        "name": "material",
        "font": False,
        "features": ["navigation.top", "search.highlight", "content.code.copy", "toc.follow"],
        "palette": [
            _palette("light", "default", "weather-night", "dark mode"),
            _palette("dark", "slate", "weather-sunny", "light mode"),
        ],
    },
    "mkdocs": {"name": "mkdocs", "color_mode": "auto", "user_color_mode_toggle": True, "highlightjs": False},
}
STYLES = Path(__file__).parent / "templates" / "pages.css"
_EXTENSIONS: list[Any] = ["md_in_html", "tables", {"toc": {"permalink": True, "toc_depth": 2}}]
_MATERIAL = ["pymdownx.highlight", "pymdownx.inlinehilite", "pymdownx.superfences"]


def _as_html(title: str) -> str:
    """A title for mkdocs, whose themes write it into the page as it is; YAML holds printable characters only."""
    return escape(one_line(title))


def _signature(page: OperationPage, *, info: bool = False) -> str:
    """The call and the type of its result on one line."""
    name = f"{page.view.name}_with_http_info" if info else page.view.name
    returned = text(page.view.returns)
    names = ", ".join(argument.name for argument in page.given)
    return f"{name}({names}) -> {f'HTTPResult({returned}, int, Headers)' if info else returned}"


_RETRY = Retry()
_STATUSES = ", ".join(str(status) for status in sorted(_RETRY.statuses))
_RETRIED = Markup("Retried when the connection fails, and after {}: ").format(_STATUSES)
_REPEATED = {
    "method": _RETRIED + Markup("{method} is idempotent."),
    "key": _RETRIED + Markup("the call has an idempotency key."),
    "document": _RETRIED + Markup("the document declares the operation idempotent."),
    "": Markup(
        "Retried only if nothing was sent, and after 429: a {method} that is sent twice could take effect twice."
    ),
}


@cache
def _repeating(method: str, repeated: Repeating) -> Markup:
    """When a call is repeated, as two sentences."""
    rule = _REPEATED[repeated].format(method=markdown.text(method))
    return rule + Markup(" At most {} attempts, unless `retry=` sets another number.").format(_RETRY.attempts)


def _security(page: OperationPage, shown: Site) -> Markup:
    """The security schemes: those of a choice joined by ``and``, choices by ``or``, each a link to its description."""
    known = shown.api.security_schemes
    choices = [
        Markup(" and ").join(_scheme(name, scopes, known.get(name)) for name, scopes in choice) or Markup("none")
        for choice in page.view.security
    ]
    return Markup(" or ").join(choices) or Markup("No authorization required")


def _scheme(name: str, scopes: tuple[str, ...], known: SecurityScheme | None) -> Markup:
    label = markdown.link(name, f"{INDEX}#{markdown.slug(name)}") if known is not None else markdown.text(name)
    notes = [Markup(", ").join(markdown.code(scope) for scope in scopes)] if scopes else []
    tokens = dict.fromkeys(flow.token_url for flow in known.flows if flow.token_url) if known is not None else {}
    if tokens:
        notes.append(Markup("token from {}").format(Markup(" or ").join(markdown.code(url) for url in tokens)))
    return Markup("{} ({})").format(label, Markup("; ").join(notes)) if notes else label


def _sequel(page: OperationPage) -> dict[str, list[str]]:
    """The callbacks, pages and waits of an operation; its links are a table."""
    return {title: lines for title, lines in sequel(page.method).items() if lines and title != "Links"}


def _links(
    view: OperationView, by_id: Mapping[str | None, tuple[TagPage, OperationPage]]
) -> Iterator[tuple[str, Link, Markup]]:
    """The links of all responses: the status, the link, and the operation that it calls."""
    for status, link in ((response.status, link) for response in view.responses for link in response.links):
        target = markdown.code(link.operation_id or link.operation_ref or "")
        if link.operation_id in by_id:
            page, operation = by_id[link.operation_id]
            target = markdown.link(operation.view.name, f"{page.file}#{markdown.slug(operation.view.name)}")
        yield status, link, target


def _example(page: SchemaPage) -> Any:
    """An example of a schema: the document's, or else one that is made; None for secrets and plain values."""
    view = page.view
    if view.secret or (view.kind in {"enum", "value"} and not view.examples):
        return None
    try:
        direction: Direction = "request" if page.sent else "response"
        shown = view.examples[0] if view.examples else example_of(view.schema, direction)
        return unrevealing(view.schema, shown, direction)
    except DynclientError:
        return None


def _users(shown: Site) -> dict[str, list[tuple[str, str]]]:
    """The operations that use each schema directly, as pairs of page and operation, by the schema's URI."""
    found: dict[str, list[tuple[str, str]]] = {}
    for page, operation in shown.operations:
        for uri in _named(hint for hint, _ in operation.view.hints()):
            found.setdefault(uri, []).append((page.file, operation.view.name))
    return found


def _parents(shown: Site) -> dict[str, list[tuple[str, str]]]:
    """The schemas that use each schema directly, as pairs of page and class, by the schema's URI."""
    found: dict[str, list[tuple[str, str]]] = {}
    for page in shown.schemas:
        view = page.view
        for uri in _named([*(prop.hint for prop in view.properties), *view.branches, view.hint]):
            if uri != view.uri:
                found.setdefault(uri, []).append((page.file, view.class_name))
    return found


def _named(hints: Iterable[Hint]) -> dict[str, None]:
    """The URIs of the schemas in types, without repetition, in their order."""
    nodes = (node for hint in hints for node in hint.walk())
    return dict.fromkeys(node.schema.uri for node in nodes if node.kind == "named" and node.schema is not None)
