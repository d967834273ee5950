"""Security requirements, and the Security Scheme Object of OpenAPI 3.

Rule 1: an operation's ``security`` replaces the document's; an empty array requires nothing.
Rule 2: a requirement that names a missing or broken scheme is kept as it is: it can't be met, but other alternatives
can. Only a check of the whole document reports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urljoin

from dynclient._readers.nodes import Node, spelled
from dynclient.json_pointer import escape, unescape
from dynclient.model import OAuthFlow, SecurityRequirement, SecurityScheme

_TYPES = ("apiKey", "http", "mutualTLS", "oauth2", "openIdConnect")
_KEY_LOCATIONS = ("query", "header", "cookie")
# OAS 3.2.0, OAuth Flows Object.
_FLOWS = ("authorizationCode", "clientCredentials", "deviceAuthorization", "implicit", "password")


def requirements(
    operation: Node, root: Node, schemes: Mapping[str, SecurityScheme], prefix: str
) -> tuple[SecurityRequirement, ...]:
    """Return the security of an operation: a choice of requirements; empty if nothing is required.

    ``prefix`` is the pointer of the object that has the document's schemes.

    Raises:
        InvalidDocument: a scheme is not defined, or invalid.
    """
    source = operation if operation.at("security") is not None else root
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
        if name not in schemes and node.source.faults is not None:
            node.refuse(node.fault(f"the security scheme {key!r} is not defined"), None)
        yield name, scopes


def _referred(key: str, node: Node, prefix: str) -> str:
    # OAS 3.2.0, Security Requirement Object: a key that is not a component's name is a URI of a Security Scheme Object.
    if not node.since("3.2") or "#" not in key:
        return key
    uri, _ = node.source.references.resolve(key, node.uri)
    document, _, pointer = uri.partition("#")
    name = unescape(unquote(pointer).removeprefix(f"{prefix}/"))
    return name if document == node.source.uri and pointer == f"{prefix}/{escape(name)}" else key


def scheme(name: str, node: Node) -> SecurityScheme:
    """Read a Security Scheme Object of OpenAPI 3.

    Raises:
        InvalidDocument: its type is unknown, or a field that its type requires is missing.
    """
    type_ = one_of(node, "type", _TYPES)
    in_ = one_of(node, "in", _KEY_LOCATIONS) if type_ == "apiKey" else ""
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
    """Return the text under a key, which has to be one of ``known``; case-insensitive.

    Raises:
        InvalidDocument: it is another one, or missing.
    """
    text = node.text(key)
    for word in known:
        if word.lower() == text.lower():
            return word
    return node.refuse(node.fault(f"`{key}` must be one of {', '.join(known)}, not {text!r}"), known[0])


def _flows(node: Node) -> tuple[OAuthFlow, ...]:
    named = ((name, flow) for name, flow in node.entries("flows") if name in _FLOWS)
    return tuple(_flow(name, flow.object("an OAuth Flow Object")) for name, flow in named)


def _flow(name: str, node: Node) -> OAuthFlow:
    return OAuthFlow(
        type=name,
        authorization_url=address(node, "authorizationUrl"),
        token_url=address(node, "tokenUrl"),
        refresh_url=address(node, "refreshUrl"),
        device_authorization_url=address(node, "deviceAuthorizationUrl"),
        scopes=scopes(node),
    )


def scopes(flow: Node) -> dict[str, str]:
    """Return the scopes of a flow with their descriptions."""
    return {name: spelled(text.value) or "" for name, text in flow.entries("scopes")}


def address(node: Node, key: str) -> str | None:
    """Return the URL under a key, absolute if the document's own is known; None if it is missing.

    Raises:
        InvalidDocument: it is not a URL.
    """
    text = node.text(key, "").strip()
    if not text or node.base_url is None:
        return text or None
    try:
        return urljoin(node.base_url, text)
    except ValueError as error:
        fault = node.fault(f"`{key}` is not a URL")
        fault.__cause__ = error
        return node.refuse(fault, None)
