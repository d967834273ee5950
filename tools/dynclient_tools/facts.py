"""What pages tell beside types: who may call, what is repeated, where links lead, and who uses a schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from dynclient import DynclientError, Retry
from dynclient.examples import example as example_of
from dynclient.examples import unrevealing
from dynclient.inspection import Direction, Hint, OperationView
from dynclient.model import Link, SecurityScheme
from dynclient_tools import markdown
from dynclient_tools.views import INDEX, OperationPage, SchemaPage, Site

_RETRY = Retry()
_STATUSES = ", ".join(str(status) for status in sorted(_RETRY.statuses))
_FAILED = Markup("Repeated when the connection fails, and after {}: ").format(_STATUSES)
_REPEATED = {
    "method": _FAILED + Markup("a {method} may be sent twice."),
    "key": _FAILED + Markup("the call carries an idempotency key."),
    "document": _FAILED + Markup("the document says that it may be sent twice."),
    "": Markup("Repeated only when nothing was sent, and after 429: a {method} sent twice might do its work twice."),
}


def repeating(view: OperationView) -> Markup:
    """When a call is sent again, in a sentence."""
    said = _REPEATED[view.repeated].format(method=markdown.text(view.method))
    return said + Markup(" At most {} attempts, unless `retry=` says otherwise.").format(_RETRY.attempts)


def security(page: OperationPage, shown: Site) -> Markup:
    """The ways in: schemes joined by ``and``, choices by ``or``, each a link to its description."""
    known = {scheme.name: scheme for scheme in shown.api.schemes}
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


def links(view: OperationView, shown: Site) -> list[tuple[str, Link, Markup]]:
    """The links of all responses: the status, the link, and the operation that it leads to."""
    return [(response.status, link, _target(link, shown)) for response in view.responses for link in response.links]


def _target(link: Link, shown: Site) -> Markup:
    for page, operation in shown.operations:
        if link.operation_id is not None and operation.view.id == link.operation_id:
            return markdown.link(operation.view.name, f"{page.file}#{markdown.slug(operation.view.name)}")
    return markdown.code(link.operation_id or link.operation_ref or "")


def example(page: SchemaPage) -> Any:
    """An example of a schema: the document's, or else one that is valid by it; None where none is to be shown."""
    view = page.view
    if view.secret or (view.kind in {"enum", "value"} and not view.examples):
        return None
    try:
        direction: Direction = "request" if page.sent else "response"
        shown = view.examples[0] if view.examples else example_of(view.schema, direction)
        return unrevealing(view.schema, shown, direction)
    except DynclientError:
        return None


def users(shown: Site) -> dict[str, list[tuple[str, str]]]:
    """The operations that name each schema themselves, as pairs of page and operation, by the schema's URI."""
    found: dict[str, list[tuple[str, str]]] = {}
    for page, operation in shown.operations:
        for uri in _named(hint for hint, _ in operation.view.hints()):
            found.setdefault(uri, []).append((page.file, operation.view.name))
    return found


def parents(shown: Site) -> dict[str, list[tuple[str, str]]]:
    """The schemas that name each schema themselves, as pairs of page and class, by the schema's URI."""
    found: dict[str, list[tuple[str, str]]] = {}
    for page in shown.schemas:
        view = page.view
        for uri in _named([*(prop.hint for prop in view.properties), *view.branches, view.hint]):
            if uri != view.uri:
                found.setdefault(uri, []).append((page.file, view.class_name))
    return found


def _named(hints: Iterable[Hint]) -> dict[str, None]:
    """The URIs of the schemas that types name, each once, in their order."""
    nodes = (node for hint in hints for node in hint.walk())
    return dict.fromkeys(node.schema.uri for node in nodes if node.kind == "named" and node.schema is not None)
