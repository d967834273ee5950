"""Comparison of who may call and where: security requirements and schemes, servers and their variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dynclient.changes.findings import Findings, locations
from dynclient.model import OAuthFlow, Operation, SecurityRequirement, SecurityScheme, Server, ServerVariable

Choices = dict[frozenset[str], SecurityRequirement]
"""Requirements by the names of their schemes."""

_ANONYMOUS: frozenset[str] = frozenset()


def compare_security(findings: Findings, old: Operation, new: Operation) -> None:
    """Add the changes of the credentials that an operation requires.

    OAS 3.1.1, Security Requirement Object: one of the requirements must be met, with all of its schemes and scopes.
    """
    before, after = _choices(old.security), _choices(new.security)
    at = locations(old.row, new.row)
    if _ANONYMOUS in before and _ANONYMOUS not in after:
        findings.add("security-added", after=_names(after), **at)
        return
    if _ANONYMOUS in after and _ANONYMOUS not in before:
        findings.add("security-dropped", before=_names(before), **at)
        return
    for schemes, requirement in before.items():
        if schemes not in after:
            findings.add("security-choice-removed", before=_name(schemes), **at)
            continue
        for scheme, scopes in requirement.items():
            findings.add_members("security-scope", sorted(scopes), sorted(after[schemes][scheme]), scheme, **at)
    for schemes in after:
        if schemes not in before:
            findings.add("security-choice-added", after=_name(schemes), **at)


def _choices(security: Iterable[SecurityRequirement]) -> Choices:
    return {frozenset(requirement): requirement for requirement in security} or {_ANONYMOUS: {}}


def _name(schemes: frozenset[str]) -> str:
    return " and ".join(sorted(schemes)) or "nothing"


def _names(choices: Choices) -> str:
    return " or ".join(sorted(map(_name, choices)))


def compare_schemes(findings: Findings, old: Mapping[str, SecurityScheme], new: Mapping[str, SecurityScheme]) -> None:
    """Add the changes of the security schemes that both documents have."""
    for name, before in old.items():
        if name in new:
            _compare_scheme(findings, before, new[name])


def _compare_scheme(findings: Findings, old: SecurityScheme, new: SecurityScheme) -> None:
    at = locations(old, new)
    if _sent(old) != _sent(new):
        findings.add("security-scheme-changed", old.name, before=_sent(old), after=_sent(new), **at)
    if new.deprecated and not old.deprecated:
        findings.add("security-scheme-deprecated", old.name, **at)
    before, after = ({flow.type: flow for flow in scheme.flows} for scheme in (old, new))
    findings.add_members("oauth-flow", before, after, old.name, **at)
    for type_, flow in before.items():
        if type_ in after and _urls(flow) != _urls(after[type_]):
            findings.add("oauth-url-changed", old.name, before=_urls(flow), after=_urls(after[type_]), **at)


def _sent(scheme: SecurityScheme) -> str:
    return " ".join(filter(None, (scheme.type, scheme.scheme, scheme.in_, scheme.parameter)))


def _urls(flow: OAuthFlow) -> tuple[str, ...]:
    found = (flow.authorization_url, flow.token_url, flow.refresh_url, flow.device_authorization_url)
    return tuple(url for url in found if url)


def compare_servers(findings: Findings, old: tuple[Server, ...], new: tuple[Server, ...]) -> None:
    """Add the changes of the servers of the API, or of one operation. The first one is the default."""
    if old and new and old[0].url != new[0].url:
        findings.add("default-server-changed", before=old[0].url, after=new[0].url)
    before, after = ({server.url: server for server in servers} for servers in (old, new))
    for pair in findings.shared(lambda _, word: f"server-{word}", lambda it: it.url, before, after):
        _compare_server(findings, *pair)


def _compare_server(findings: Findings, old: Server, new: Server) -> None:
    # OAS 3.2.0, Server Object: only 3.2 has names, so a document of another version has not removed one.
    if old.name and new.name and old.name != new.name:
        findings.add("server-renamed", old.url, before=old.name, after=new.name)
    variables = old.variables, new.variables
    for pair in findings.shared(lambda _, word: f"server-variable-{word}", lambda it: it.name, *variables):
        _compare_variable(findings, *pair)


def _compare_variable(findings: Findings, old: ServerVariable, new: ServerVariable) -> None:
    if old.default != new.default:
        findings.add("server-variable-default-changed", old.name, before=old.default, after=new.default)
    if new.enum and not old.enum:
        findings.add("server-variable-value-removed", old.name, before="any", after=new.enum)
    elif new.enum:
        findings.add_members("server-variable-value", old.enum, new.enum, old.name)
