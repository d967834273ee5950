"""What an operation asks of its caller: security requirements, and the Security Scheme Object of OpenAPI 3.

Rule 1: an operation's ``security`` replaces the document's; an empty array asks for nothing.
Rule 2: a requirement that names a scheme which isn't there, or is broken, breaks the operations that have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urljoin

from dynclient._readers.nodes import Node, spelled
from dynclient.json_pointer import escape, unescape
from dynclient.model import OAuthFlow, SecurityRequirement, SecurityScheme

_TYPES = ("apiKey", "http", "mutualTLS", "oauth2", "openIdConnect")
_KEY_PLACES = ("query", "header", "cookie")
# OAS 3.2.0, OAuth Flows Object.
_FLOWS = ("authorizationCode", "clientCredentials", "deviceAuthorization", "implicit", "password")


def requirements(
    operation: Node, root: Node, schemes: Mapping[str, SecurityScheme], prefix: str
) -> tuple[SecurityRequirement, ...]:
    """The security of an operation: a choice of requirements, or none.

    ``prefix`` is the pointer under which the document's schemes stand.

    Raises:
        InvalidDocument: a scheme is not defined, or not as OpenAPI wants it.
    """
    source = operation if "security" in operation.value else root
    return tuple(
        dict(_requirement(member.object("a Security Requirement Object"), schemes, prefix))
        for member in source.members("security")
    )


def _requirement(
    node: Node, schemes: Mapping[str, SecurityScheme], prefix: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key in node.value:
        scopes = tuple(text for scope in node.members(key) if (text := spelled(scope.value)) is not None)
        name = key if key in schemes else _referred(key, node, prefix)
        if name in schemes:
            yield schemes[name].name, scopes
        else:
            node.refuse(node.fault(f"the security scheme {key!r} is not defined"), None)


def _referred(key: str, node: Node, prefix: str) -> str:
    # OAS 3.2.0, Security Requirement Object: a key that is no component's name is a URI of a Security Scheme Object.
    if not node.since("3.2") or "#" not in key:
        return key
    uri, _ = node.source.references.resolve(key, node.uri)
    document, _, pointer = uri.partition("#")
    name = unescape(unquote(pointer).removeprefix(f"{prefix}/"))
    return name if document == node.source.uri and pointer == f"{prefix}/{escape(name)}" else key


def scheme(name: str, node: Node) -> SecurityScheme:
    """Read a Security Scheme Object of OpenAPI 3.

    Raises:
        InvalidDocument: its type is not known, or the words that its type needs are missing.
    """
    type_ = one_of(node, "type", _TYPES)
    in_ = one_of(node, "in", _KEY_PLACES) if type_ == "apiKey" else ""
    return SecurityScheme(
        name=name,
        type=type_,
        in_=in_,
        parameter=node.text("name") if type_ == "apiKey" else "",
        scheme=node.text("scheme").lower() if type_ == "http" else "",
        bearer_format=node.note("bearerFormat"),
        flows=_flows(node) if type_ == "oauth2" else (),
        open_id_connect_url=address(node, "openIdConnectUrl") or "",
        oauth2_metadata_url=address(node, "oauth2MetadataUrl") or "",
        description=node.note("description"),
        deprecated=node.flag("deprecated"),
        pointer=node.pointer,
        word=node.text("scheme") if type_ == "http" else "",
    )


def one_of(node: Node, key: str, known: tuple[str, ...]) -> str:
    """The text under a key, which has to be one of those that are known.

    Raises:
        InvalidDocument: it is not, or it is missing.
    """
    text = node.text(key)
    for word in known:
        if word.lower() == text.lower():
            return word
    return node.refuse(node.fault(f"`{key}` must be one of {', '.join(known)}, not {text!r}"), known[0])


def _flows(node: Node) -> tuple[OAuthFlow, ...]:
    return tuple(
        OAuthFlow(
            type=type_,
            authorization_url=address(flow, "authorizationUrl"),
            token_url=address(flow, "tokenUrl"),
            refresh_url=address(flow, "refreshUrl"),
            device_authorization_url=address(flow, "deviceAuthorizationUrl"),
            scopes=scopes(flow),
        )
        for type_, flow in node.entries("flows")
        if type_ in _FLOWS and flow.object("an OAuth Flow Object")
    )


def scopes(flow: Node) -> dict[str, str]:
    """The scopes of a flow with their descriptions."""
    return {name: spelled(text.value) or "" for name, text in flow.entries("scopes")}


def address(node: Node, key: str) -> str | None:
    """The URL under a key, absolute where the document's own is known; None where there is none.

    Raises:
        InvalidDocument: it is no URL.
    """
    text = node.text(key, "").strip()
    if not text or node.base_url is None:
        return text or None
    try:
        return urljoin(node.base_url, text)
    except ValueError as error:
        fault = node.fault(f"`{key}` is no URL")
        fault.__cause__ = error
        return node.refuse(fault, None)
