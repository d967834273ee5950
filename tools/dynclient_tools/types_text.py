"""Types as Markdown, with links to the pages of the schemas that they name."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from dynclient.inspection import Hint, text
from dynclient_tools import markdown


def type_link(hint: Hint, files: Mapping[str, str]) -> Markup:
    """A type in bold; a schema's name is a link to its page."""
    if hint.kind == "named" and hint.schema is not None and hint.schema.uri in files:
        return Markup(f"[**{hint.name}**]({files[hint.schema.uri]})")  # noqa: S704  # both are names of our making
    if not any(node.kind == "named" for node in hint.walk()):
        return Markup(f"**{markdown.text(text(hint))}**")  # noqa: S704  # escaped just here
    members = [type_link(member, files) for member in hint.members]
    if hint.kind == "union":
        return Markup(r" \| ").join(members)
    return _AROUND[hint.kind].format(members[0]) if hint.kind in _AROUND else Markup("**{}**").format(hint.name)


_AROUND = {"list": Markup(r"list\[{}\]"), "dict": Markup(r"dict\[str, {}\]")}
