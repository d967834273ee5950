"""The addresses of an authorization server: the caller's, the document's, or those of its metadata.

Metadata is that of OpenID Connect Discovery 1.0 and of RFC 8414, which name the same things alike. It is asked for when
an address is missing, and kept as long as the client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynclient._records import Record
from dynclient._secrets import OAuth2
from dynclient.exceptions import AuthorizationError
from dynclient.messages import Headers, Request
from dynclient.model import OAuthFlow, SecurityScheme
from dynclient.security.memory import Memory
from dynclient.security.oauth2.need import Need
from dynclient.security.oauth2.tokens import answer_of
from dynclient.security.steps import Steps, Way

_OWN_URL = {"authorizationCode": "authorization_url", "deviceAuthorization": "device_authorization_url"}
"""Flow -> the address that it has beside the token's."""


class Endpoints(Record):
    """Where an authorization server is asked. ``own`` is the address where a person, or a device, begins."""

    token: str
    own: str = ""
    refresh: str = ""
    auth: str = "basic"
    issuer: str = ""


def flow_of(given: OAuth2) -> str:
    """The flow that what the caller gave is for, as OpenAPI names it; "" where a refresh token is all there is."""
    if given.username is not None and given.password is not None:
        return "password"
    if given.open_browser is not None:
        return "authorizationCode"
    if given.show_code is not None:
        return "deviceAuthorization"
    return "clientCredentials" if given.client_secret is not None and given.refresh_token is None else ""


def fault_of(given: OAuth2, scheme: SecurityScheme) -> str:
    """Why a scheme can't get a token by what the caller gave; "" where it can."""
    type_ = flow_of(given)
    if not type_ and given.refresh_token is None:
        return "OAuth2 needs client_secret, username and password, refresh_token, open_browser or show_code"
    if _metadata_url(scheme):
        return ""
    flow = _flow(scheme, type_)
    missing = [name for name in ("token_url", _OWN_URL.get(type_, "")) if name and not _address(name, given, flow)]
    return f"the document names no {' and no '.join(missing)} for {type_ or 'any'} flow of it" if missing else ""


def endpoints(need: Need, memory: Memory, way: Way) -> Steps[Endpoints]:
    """Find the addresses that the caller's flow needs.

    Raises:
        CredentialScopeError: one is of an origin that the caller has not vouched for.
        AuthorizationError: the metadata can't be had, or lacks one.
    """
    given, scheme = need.given, need.scheme
    type_ = flow_of(given)
    flow = _flow(scheme, type_)
    own = _OWN_URL.get(type_, "")
    token, first = _address("token_url", given, flow), _address(own, given, flow) if own else ""
    metadata: Mapping[str, Any] = {}
    if _metadata_url(scheme) and (not token or (own and not first)):
        metadata = yield from _metadata(need, memory, way)
        token = token or _named(metadata, "token_endpoint")
        first = first or (_named(metadata, own.replace("_url", "_endpoint")) if own else "")
    return Endpoints(
        need.allowed(token),
        need.allowed(first) if first else "",
        need.allowed(given.token_url or (flow.refresh_url if flow else None) or token),
        given.client_auth or _auth(metadata),
        str(metadata.get("issuer", "")),
    )


def _metadata(need: Need, memory: Memory, way: Way) -> Steps[Mapping[str, Any]]:
    url = need.allowed(_metadata_url(need.scheme))
    if url not in memory.metadata:
        response = yield way.send(Request("GET", url, Headers({"Accept": "application/json"})))
        memory.metadata[url] = answer_of(response, way.limits)
    return memory.metadata[url]


def _metadata_url(scheme: SecurityScheme) -> str:
    return scheme.open_id_connect_url or scheme.oauth2_metadata_url


def _flow(scheme: SecurityScheme, type_: str) -> OAuthFlow | None:
    """The scheme's flow of a type; without a type, one that has an address for refreshing."""
    if type_:
        return next((flow for flow in scheme.flows if flow.type == type_), None)
    return next((flow for flow in scheme.flows if flow.refresh_url or flow.token_url), None)


def _address(name: str, given: OAuth2, flow: OAuthFlow | None) -> str:
    return getattr(given, name) or (getattr(flow, name) if flow is not None else None) or ""


def _named(metadata: Mapping[str, Any], name: str) -> str:
    value = metadata.get(name)
    if not isinstance(value, str) or not value:
        raise AuthorizationError(f"the authorization server's metadata has no {name}")
    return value


def _auth(metadata: Mapping[str, Any]) -> str:
    """How the client shows its secret. RFC 8414, 2: where nothing is said, in the header."""
    methods = metadata.get("token_endpoint_auth_methods_supported")
    known = methods if isinstance(methods, list) else ["client_secret_basic"]
    return "post" if "client_secret_post" in known and "client_secret_basic" not in known else "basic"
