"""Who may call, and where: security requirements and schemes, servers and their variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dynclient.changes.findings import Findings
from dynclient.model import OAuthFlow, Operation, SecurityRequirement, SecurityScheme, Server, ServerVariable


def compare_security(findings: Findings, old: Operation, new: Operation) -> None:
    """Tell what changed in the credentials that an operation needs.

    OAS 3.1.1, Security Requirement Object: one of the requirements must be met, with all of its schemes and scopes.
    """
    before, after = _choices(old.security), _choices(new.security)
    at = {"old": old.row.pointer, "new": new.row.pointer}
    # An empty requirement: whoever calls needs nothing.
    open_before, open_after = _NOTHING in before, _NOTHING in after
    if open_before and not open_after:
        findings.add("security-added", after=_all(after), **at)
    elif open_after and not open_before:
        findings.add("security-dropped", before=_all(before), **at)
    else:
        _compare_choices(findings, before, after, at)


_NOTHING: frozenset[str] = frozenset()
Choices = dict[frozenset[str], SecurityRequirement]


def _choices(security: Iterable[SecurityRequirement]) -> Choices:
    """Requirements by their schemes; without any, that nothing is needed."""
    return {frozenset(requirement): requirement for requirement in security} or {_NOTHING: {}}


def _compare_choices(findings: Findings, before: Choices, after: Choices, at: Mapping[str, str]) -> None:
    for schemes, requirement in before.items():
        if schemes not in after:
            findings.add("security-choice-removed", before=_name(schemes), **at)
            continue
        for scheme in requirement:
            old, new = set(requirement[scheme]), set(after[schemes][scheme])
            for scope in sorted(old - new):
                findings.add("security-scope-removed", scheme, before=scope, **at)
            for scope in sorted(new - old):
                findings.add("security-scope-added", scheme, after=scope, **at)
    for schemes in after:
        if schemes not in before:
            findings.add("security-choice-added", after=_name(schemes), **at)


def _name(schemes: frozenset[str]) -> str:
    return " and ".join(sorted(schemes)) or "nothing"


def _all(choices: Choices) -> str:
    return " or ".join(sorted(map(_name, choices)))


def compare_schemes(findings: Findings, old: Mapping[str, SecurityScheme], new: Mapping[str, SecurityScheme]) -> None:
    """Tell what changed in the security schemes that both documents have."""
    for name, before in old.items():
        if name not in new:
            continue
        after = new[name]
        at = {"old": before.pointer or None, "new": after.pointer or None}
        if _sent(before) != _sent(after):
            findings.add("security-scheme-changed", name, before=_sent(before), after=_sent(after), **at)
        if after.deprecated and not before.deprecated:
            findings.add("security-scheme-deprecated", name, **at)
        _flows(findings, before, after)


def _sent(scheme: SecurityScheme) -> str:
    return " ".join(filter(None, (scheme.type, scheme.scheme, scheme.in_, scheme.parameter)))


def _flows(findings: Findings, old: SecurityScheme, new: SecurityScheme) -> None:
    before, after = ({flow.type: flow for flow in scheme.flows} for scheme in (old, new))
    at = {"old": old.pointer or None, "new": new.pointer or None}
    for type_, flow in before.items():
        if type_ not in after:
            findings.add("oauth-flow-removed", old.name, before=type_, **at)
        elif _urls(flow) != _urls(after[type_]):
            findings.add("oauth-url-changed", old.name, before=_urls(flow), after=_urls(after[type_]), **at)
    for type_ in after:
        if type_ not in before:
            findings.add("oauth-flow-added", old.name, after=type_, **at)


def _urls(flow: OAuthFlow) -> tuple[str, ...]:
    found = (flow.authorization_url, flow.token_url, flow.refresh_url, flow.device_authorization_url)
    return tuple(url for url in found if url)


def compare_servers(findings: Findings, old: tuple[Server, ...], new: tuple[Server, ...]) -> None:
    """Tell what changed in the servers of the API, or of one operation. The first one is the default."""
    if old and new and old[0].url != new[0].url:
        findings.add("default-server-changed", before=old[0].url, after=new[0].url)
    after = {server.url: server for server in new}
    before = {server.url: server for server in old}
    for url, server in before.items():
        if url not in after:
            findings.add("server-removed", url)
        else:
            _server(findings, server, after[url])
    for url in after:
        if url not in before:
            findings.add("server-added", url)


def _server(findings: Findings, old: Server, new: Server) -> None:
    # OAS 3.2.0, Server Object: only 3.2 has names; what is written in another version loses none.
    if old.name and new.name and old.name != new.name:
        findings.add("server-renamed", old.url, before=old.name, after=new.name)
    for name, variable in old.variables.items():
        if name in new.variables:
            _variable(findings, variable, new.variables[name])
        else:
            findings.add("server-variable-removed", name)
    for name in new.variables:
        if name not in old.variables:
            findings.add("server-variable-added", name)


def _variable(findings: Findings, old: ServerVariable, new: ServerVariable) -> None:
    if old.default != new.default:
        findings.add("server-variable-default-changed", old.name, before=old.default, after=new.default)
    if not new.enum:
        return
    if not old.enum:
        findings.add("server-variable-value-removed", old.name, before="any", after=new.enum)
        return
    for value in old.enum:
        if value not in new.enum:
            findings.add("server-variable-value-removed", old.name, before=value)
    for value in new.enum:
        if value not in old.enum:
            findings.add("server-variable-value-added", old.name, after=value)
