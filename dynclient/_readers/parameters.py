"""Parameters, as both readers merge and check them, and the Parameter Object of OpenAPI 3.

Rule 1: an operation's parameter replaces its path's of the same name and location, in that one's position. Of two alike
in one list the first counts.
Rule 2: a parameter ``in: path`` is required, and there is one for each name in the path's template: what is not
declared is added as a string, what the template lacks is dropped.
Rule 3: headers that a message's own framing needs, or that OpenAPI keeps for itself, are no parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from dynclient._readers import content
from dynclient._readers.nodes import Node
from dynclient._readers.paths import template_names
from dynclient.http_grammar import CONNECTION_FIELDS
from dynclient.json_pointer import escape
from dynclient.model import Location, Parameter

# OAS 3.1.1, Parameter Object, `name`: definitions of Accept, Content-Type and Authorization are ignored.
# The others belong to the message or the connection, never to a caller.
_NO_PARAMETERS = CONNECTION_FIELDS | {"accept", "authorization", "content-type"}

# OAS 3.2.0, Parameter Object, Style Values; the first of each location is its default.
STYLES_IN: dict[str, tuple[str, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "querystring": ("form",),
    "header": ("simple",),
    "cookie": ("form", "cookie"),
}
_EXPLODED = frozenset({"form", "cookie"})


def declared(operation: Node, items: Sequence[Node]) -> list[Node]:
    """The parameters of an operation as they stand in the document: its path's first, then its own.

    ``items`` are the Path Items, the nearest first.
    """
    by_place: dict[tuple[str, str], Node] = {}
    for level in (*reversed(items), operation):
        here: dict[tuple[str, str], Node] = {}
        for member in level.members("parameters"):
            node = member.followed("a Parameter Object")
            # Where there is no name, which can only be while faults are gathered, none is like another.
            here.setdefault((node.text("in"), node.text("name") or node.uri), node)
        by_place.update(here)
    return list(by_place.values())


def sendable(path: str, operation: Node, parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """The parameters that a caller gives: without reserved headers, and with just those in the path that it has."""
    names = template_names(path)
    kept = [
        parameter._replace(required=True) if parameter.in_ == "path" else parameter
        for parameter in parameters
        if not _is_reserved(parameter) and (parameter.in_ != "path" or parameter.name in names)
    ]
    known = {parameter.name for parameter in kept if parameter.in_ == "path"}
    return (*(_implied(name, operation) for name in names if name not in known), *kept)


def _is_reserved(parameter: Parameter) -> bool:
    return parameter.in_ == "header" and parameter.name.lower() in _NO_PARAMETERS


def _implied(name: str, operation: Node) -> Parameter:
    schema = operation.synthesized(f"x-path/{escape(name)}", {"type": "string"})
    return Parameter(name, "path", required=True, schema=schema, style="simple", pointer=operation.pointer)


def parameter(node: Node) -> Parameter:
    """Read a Parameter Object of OpenAPI 3."""
    in_ = location(node)
    return Parameter(
        name=node.text("name"),
        in_=in_,
        required=node.flag("required"),
        schema=node.schema_at("schema"),
        media_type=content.only(content.content(node)),
        **_style(node, in_),
        allow_reserved=node.flag("allowReserved"),
        allow_empty=in_ == "query" and node.flag("allowEmptyValue"),
        description=node.note("description"),
        deprecated=node.flag("deprecated"),
        examples=content.examples(node),
        pointer=node.pointer,
        extensions=node.extensions(),
    )


def location(node: Node) -> Location:
    """Where a parameter is sent.

    Raises:
        InvalidDocument: ``in`` is missing, or no location.
    """
    in_ = node.text("in")
    for known in get_args(Location):
        if in_ == known:
            return known  # type: ignore[no-any-return]  # get_args has no type of its own
    return node.refuse(node.fault(f"`in` must be one of {', '.join(STYLES_IN)}, not {in_!r}"), "query")


def _style(node: Node, in_: Location) -> dict[str, Any]:
    """Style and explode. A known style that the location doesn't have counts as the location's default."""
    allowed = STYLES_IN[in_]
    style = node.text("style", allowed[0])
    if not any(style in styles for styles in STYLES_IN.values()):
        node.refuse(node.fault(f"`style` must be one of {', '.join(allowed)}, not {style!r}"), None)
    style = style if style in allowed else allowed[0]
    # OAS 3.1.1, Parameter Object: explode is true by default where the style is `form`; 3.2.0: or `cookie`.
    return {"style": style, "explode": node.flag("explode", default=style in _EXPLODED)}
