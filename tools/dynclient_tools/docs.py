"""A document's pages: an index, one page for each tag, one for each schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dynclient import Client
from dynclient.inspection import Hint, text
from dynclient_tools import markdown, snippets
from dynclient_tools.files import MARK
from dynclient_tools.python_text import literal
from dynclient_tools.rendering import pages
from dynclient_tools.types_text import type_link
from dynclient_tools.views import INDEX, OperationPage, Site, is_none, server_url, site


def docs(client: Client, source: str, templates: Path | None = None) -> dict[str, str]:
    """Write the pages of an API, by file name; ``source`` is how its document is named in the examples."""
    shown = site(client, source)
    environment = pages(templates)
    environment.globals.update(
        site=shown,
        head=Markup("<!-- {} from a document with the SHA-256 {} -->").format(MARK, shown.api.fingerprint),
        index=INDEX,
        type_link=lambda hint: type_link(hint, shown.files),
        is_none=is_none,
        server_url=server_url,
        signature=_signature,
        snippet=lambda page: snippets.snippet(shown, page),
        http_info_snippet=lambda page: snippets.http_info_snippet(shown, page),
        loading=snippets.loading(shown),
        literal=literal,
        security=lambda page: _security(page, shown),
        type_text=text,
    )
    written = {INDEX: environment.get_template("index.md.jinja").render()}
    for page in shown.tags:
        written[page.file] = environment.get_template("api.md.jinja").render(page=page)
    for schema in shown.schemas:
        users = _users(shown, schema.view.uri)
        written[schema.file] = environment.get_template("schema.md.jinja").render(page=schema, users=users)
    return written


def navigation(client: Client, source: str, folder: str) -> str:
    """The configuration of mkdocs for the pages, which lie in a folder; JSON is YAML."""
    shown = site(client, source)
    nav: list[dict[str, Any]] = [{"Overview": INDEX}, *({page.title: page.file} for page in shown.tags)]
    if shown.schemas:
        nav.append({"Schemas": [{page.view.class_name: page.file} for page in shown.schemas]})
    settings = {"site_name": shown.api.title, "docs_dir": folder, "nav": nav}
    lines = [f"{key}: {json.dumps(value, indent=2)}" for key, value in settings.items()]
    return "\n".join([f"# {MARK}", *lines, ""])


def _signature(page: OperationPage, *, info: bool = False) -> str:
    """The call and what it returns, on a line."""
    name = f"{page.view.name}_with_http_info" if info else page.view.name
    returned = text(page.view.returns)
    names = ", ".join(argument.name for argument in page.given)
    return f"{name}({names}) -> {f'HTTPResult({returned}, int, Headers)' if info else returned}"


def _security(page: OperationPage, shown: Site) -> Markup:
    """The ways in: schemes joined by ``and``, choices by ``or``, each a link to its description."""
    known = {scheme.name for scheme in shown.api.schemes}
    choices = [
        Markup(" and ").join(_scheme(name, scopes, known) for name, scopes in choice) or Markup("none")
        for choice in page.view.security
    ]
    return Markup(" or ").join(choices) or Markup("No authorization required")


def _scheme(name: str, scopes: tuple[str, ...], known: set[str]) -> Markup:
    label = markdown.link(name, f"{INDEX}#{markdown.slug(name)}") if name in known else markdown.text(name)
    asked = Markup(", ").join(markdown.code(scope) for scope in scopes)
    return Markup("{} ({})").format(label, asked) if scopes else label


def _users(shown: Site, uri: str) -> list[tuple[str, str]]:
    """The operations that name a schema themselves, as pairs of page and operation."""
    return [
        (page.file, operation.view.name)
        for page, operation in shown.operations
        if any(_names(hint, uri) for hint, _ in operation.view.hints())
    ]


def _names(hint: Hint, uri: str) -> bool:
    return any(node.schema is not None and node.schema.uri == uri for node in hint.walk())
