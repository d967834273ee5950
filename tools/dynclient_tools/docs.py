"""A document's pages: an index, one page for each tag, one for each schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dynclient import Client
from dynclient.inspection import text
from dynclient_tools import facts, requests, snippets
from dynclient_tools.files import MARK
from dynclient_tools.python_text import literal
from dynclient_tools.rendering import pages
from dynclient_tools.types_text import type_link
from dynclient_tools.views import INDEX, OperationPage, is_none, server_url, site


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
        security=lambda page: facts.security(page, shown),
        repeating=facts.repeating,
        links=lambda view: facts.links(view, shown),
        curl=requests.curl,
        bodies=requests.bodies,
        answers=requests.answers,
        example=facts.example,
        type_text=text,
    )
    written = {INDEX: environment.get_template("index.md.jinja").render()}
    for page in shown.tags:
        written[page.file] = environment.get_template("api.md.jinja").render(page=page)
    users, parents = facts.users(shown), facts.parents(shown)
    for schema in shown.schemas:
        uri = schema.view.uri
        written[schema.file] = environment.get_template("schema.md.jinja").render(
            page=schema, users=users.get(uri, []), parents=parents.get(uri, [])
        )
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
