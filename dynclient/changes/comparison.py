"""Compare two APIs: the whole API, then each operation with its bodies, responses and access.

Operations are paired by method and path, and the remaining ones by operationId. A parameter may have another name or
location in the new document, so parameters are paired, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from dynclient import model
from dynclient._document.references import Document
from dynclient._negotiation import match
from dynclient._readers.checking import incoming
from dynclient._response import match_status
from dynclient._schemas import shape
from dynclient.changes.facts import take_pairs
from dynclient.changes.judge import Judge
from dynclient.changes.kinds import Severity, Side
from dynclient.changes.report import APIPair, Change, Changes, Findings
from dynclient.changes.schemas import compare_schemas
from dynclient.exceptions import DocumentError
from dynclient.inspection.arguments import Argument, arguments, positional
from dynclient.media_types import find

Rows = tuple[model.OperationRow, model.OperationRow]
Incoming = Mapping[str, Callable[[], model.Operation]]
"""The functions that read the operations of webhooks and callbacks."""

_EXPRESSION = re.compile(r"\{[^{}]*\}")


def compare(
    old: model.API, new: model.API, *, today: date | None = None, severities: Mapping[str, Severity] = {}
) -> Changes:
    """Compare two documents from a Python caller's point of view. The comparison runs at the first use of the result.

    ``today`` decides whether a sunset has passed; it defaults to the current day in UTC. ``severities`` maps ids of
    kinds to severities that replace those of the comparison.
    """

    def found() -> list[Change]:
        changes = _compare(APIPair(old, new, Judge(), {}), today or datetime.now(UTC).date())
        return [change._replace(severity=severities.get(change.id, change.severity)) for change in changes]

    return Changes(found)


def _compare(apis: APIPair, today: date) -> list[Change]:
    pairs = _partners(apis)
    kept = {row.key for row, _ in pairs}
    known = {row.key for _, row in pairs}
    findings = [_compare_whole(apis)]
    findings += [_compare_operation(apis, rows) for rows in pairs]
    findings += [_removed(apis, row, today) for row in apis.old.rows if row.key not in kept]
    for row in apis.new.rows:
        if row.key not in known:
            findings.append(Findings(apis, None, row))
            findings[-1].add("operation-added", after=row.key)
    return [change for found in findings for change in found.changes]


def _compare_whole(apis: APIPair) -> Findings:
    findings = Findings(apis)
    old, new = apis.old, apis.new
    findings.differ("api-version-changed", old.version, new.version, old="/info", new="/info")
    compare_servers(findings, old.servers, new.servers)
    compare_schemes(findings, old.security_schemes, new.security_schemes)
    for name, schema in old.schemas.items():
        if name not in new.schemas:
            findings.add("component-removed", before=name, old=schema)
    for name, schema in new.schemas.items():
        if name not in old.schemas:
            findings.add("component-added", after=name, new=schema)
    before, after = ([namespace for row in api.rows for namespace, _ in row.names_by_tag] for api in (old, new))
    findings.add_members("namespace", before, after)
    try:
        called = [incoming(api.references) if isinstance(api.references, Document) else {} for api in (old, new)]
    except DocumentError as error:  # a compiled file was overwritten
        findings.add("operation-not-compared", "webhooks and callbacks", after=error)
    else:
        _compare_incoming(findings, *called)
    return findings


def _compare_incoming(findings: Findings, old: Incoming, new: Incoming) -> None:
    before, after = ([key for key in found if key.startswith("webhook ")] for found in (old, new))
    findings.add_members("webhook", before, after)
    for key in old:
        try:
            if key in new:
                _compare_called(findings, key, old[key](), new[key]())
        except DocumentError as error:
            findings.add("operation-not-compared", key, after=error)


def _compare_called(findings: Findings, key: str, old: model.Operation, new: model.Operation) -> None:
    """Compare two operations that the server calls: requests are received, and responses are sent."""
    before, after = (operation.body.content if operation.body is not None else {} for operation in (old, new))
    compare_contents(findings, "response", f"{key} body", before, after)
    compare_responses(findings, old, new, "request", f"{key} ")
    findings.differ("callback-url-changed", old.path, new.path, key, old=old.row, new=new.row)
    if old.row.deprecated != new.row.deprecated:
        findings.add("operation-deprecated" if new.row.deprecated else "operation-undeprecated", key)
    if old.body is not None and new.body is not None and old.body.required != new.body.required:
        # Received without a body, it may not be what the caller's code expects.
        word = "required" if new.body.required else "optional"
        findings.add(f"request-body-became-{word}", key, severity="info" if new.body.required else "breaking")


def _partners(apis: APIPair) -> list[Rows]:
    """Pair operations by method and path, also if path parameters have other names; the rest by operationId.

    Several operations may have paths that differ in the names of their parameters only.
    """
    found: dict[str, model.OperationRow] = {}
    left = list(apis.new.rows)
    rules: tuple[Callable[[model.OperationRow], Any], ...] = (
        lambda row: row.key,
        lambda row: row.operation_id and (*_place(row), row.operation_id),
        _place,
        lambda row: row.operation_id,
    )
    for rule in rules:
        waiting: dict[Any, list[model.OperationRow]] = {}
        for row in left:
            waiting.setdefault(rule(row), []).append(row)
        for row in apis.old.rows:
            if row.key not in found and rule(row) and waiting.get(rule(row)):
                found[row.key] = waiting[rule(row)].pop(0)
        left = [row for rows in waiting.values() for row in rows]
    return [(row, found[row.key]) for row in apis.old.rows if row.key in found]


def _place(row: model.OperationRow) -> tuple[str, str]:
    return row.method, _EXPRESSION.sub("{}", row.path)


def _removed(apis: APIPair, row: model.OperationRow, today: date) -> Findings:
    findings = Findings(apis, row)
    operation, _ = _read(apis.old, row)
    sunset = sunset_day(operation.extensions.get("x-sunset")) if operation is not None else None
    announced = row.deprecated and sunset is not None and sunset <= today
    kind = "operation-removed-after-sunset" if announced else "operation-removed"
    findings.add(kind, before=row.key)
    return findings


def _compare_operation(apis: APIPair, rows: Rows) -> Findings:
    findings = Findings(apis, *rows)
    _compare_rows(findings, *rows)
    (old, old_error), (new, new_error) = _read(apis.old, rows[0]), _read(apis.new, rows[1])
    if old is not None and new is not None:
        compare_operations(findings, old, new)
    if new_error is not None:
        findings.add("operation-not-compared" if old_error is not None else "operation-broken", after=new_error)
    elif old_error is not None:
        findings.add("operation-mended")
    return findings


def _read(api: model.API, row: model.OperationRow) -> tuple[model.Operation | None, DocumentError | None]:
    """An operation, and the first error of reading it: broken optional parameters and responses leave it usable."""
    try:
        operation = api.read(row)
    except DocumentError as error:
        return None, error
    broken = (one.fault for status, one in operation.responses.items() if status.startswith("2"))
    return operation, next(filter(None, (*operation.left_out, *broken)), None)


def _compare_rows(findings: Findings, old: model.OperationRow, new: model.OperationRow) -> None:
    if _place(old) != _place(new):
        findings.add("operation-moved", before=old.key, after=new.key)
    findings.differ("operation-renamed", old.name, new.name)
    if old.name == new.name and old.operation_id is not None:
        findings.differ("operation-id-changed", old.operation_id, new.operation_id or "none")
    before, after = ([".".join(pair) for pair in row.names_by_tag] for row in (old, new))
    for name in (name for name in before if name not in after):
        findings.add("operation-namespace-changed", before=name)
    for name in (name for name in after if name not in before):
        findings.add("operation-namespace-added", after=name)
    if old.deprecated != new.deprecated:
        findings.add("operation-deprecated" if new.deprecated else "operation-undeprecated")


Content = Mapping[str, model.MediaType]
Styled = model.Parameter | model.Header
Key = tuple[str, str]
"""The location of an argument and its wire name."""

_BODY: Key = ("body", "")
_ANONYMOUS: frozenset[str] = frozenset()
_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def compare_operations(findings: Findings, old: model.Operation, new: model.Operation) -> None:
    """Add the changes of an operation that both documents have."""
    apis = findings.apis
    try:
        _compare_sunsets(findings, old.extensions.get("x-sunset"), new.extensions.get("x-sunset"))
        pairs, removed, added = _matched(old, new, apis.judge)
        _compare_parameters(findings, pairs)
        for parameter in removed:
            findings.add("parameter-removed", _label(parameter), old=parameter)
        for parameter in added:
            kind = "required-parameter-added" if parameter.required else "optional-parameter-added"
            findings.add(kind, _label(parameter), new=parameter)
        _compare_arguments(findings, old, new, pairs)
        _compare_request_bodies(findings, old.body, new.body)
        compare_responses(findings, old, new)
        _compare_security(findings, old.security, new.security)
        # Servers of the API are compared once.
        if old.servers != apis.old.servers or new.servers != apis.new.servers:
            compare_servers(findings, old.servers, new.servers)
    except DocumentError as error:
        findings.add("operation-not-compared", after=str(error))
    findings.add_members("callback", old.callbacks, new.callbacks)


def _compare_sunsets(findings: Findings, before: Any, after: Any) -> None:
    if before == after:
        return
    if before is None:
        findings.add("sunset-set", after=after)
    elif after is None:
        findings.add("sunset-removed", before=before)
    else:
        first, second = sunset_day(before), sunset_day(after)
        word = "changed" if first is None or second is None else "earlier" if second < first else "later"
        findings.add(f"sunset-{word}", before=before, after=after)


def sunset_day(sunset: Any) -> date | None:
    """The day of ``x-sunset``: a date, or a date and time as in RFC 3339. None for any other text."""
    found = _DATE.match(str(sunset))
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


# Parameters, which may have another name or location in the new document, and the arguments of the method.


Pairs = list[tuple[model.Parameter, model.Parameter]]


def _matched(
    old: model.Operation, new: model.Operation, judge: Judge
) -> tuple[Pairs, list[model.Parameter], list[model.Parameter]]:
    """Pair the parameters that are the same in both documents; returns those without a partner, too.

    The first rule that applies decides: the same name and location; for a path parameter, the same place in the path;
    the same name in another location; the only removed and the only added parameter of a location, if they are alike.
    """
    removed, added = list(old.parameters), list(new.parameters)
    before, after = _TEMPLATE.findall(old.path), _TEMPLATE.findall(new.path)
    places = set(zip(before, after, strict=True)) if len(before) == len(after) else set()

    def is_only(one: model.Parameter, other: model.Parameter) -> bool:
        counts = [sum(it.in_ == one.in_ for it in found) for found in (removed, added)]
        return one.in_ == other.in_ != "path" and counts == [1, 1] and _is_alike(one, other, judge)

    rules: tuple[Callable[[model.Parameter, model.Parameter], bool], ...] = (
        lambda one, other: _name_key(one) == _name_key(other),
        lambda one, other: one.in_ == other.in_ == "path" and (one.name, other.name) in places,
        lambda one, other: one.name == other.name,
        is_only,
    )
    return [pair for rule in rules for pair in take_pairs(removed, added, rule)], removed, added


def _name_key(parameter: model.Parameter) -> Key:
    # RFC 9110, 5.1: names of header fields are case-insensitive.
    return parameter.in_, parameter.name.lower() if parameter.in_ == "header" else parameter.name


def _is_alike(one: model.Parameter, other: model.Parameter, judge: Judge) -> bool:
    """Whether two parameters differ only in their names."""
    if one.schema is None or other.schema is None or one.required != other.required:
        return False
    return judge.proves(one.schema, other.schema, "request") and judge.proves(other.schema, one.schema, "request")


def _compare_parameters(findings: Findings, pairs: Pairs) -> None:
    for old, new in pairs:
        where = _label(old)
        if _name_key(old) != _name_key(new):
            findings.differ("parameter-renamed", old.name, new.name, where, old=old, new=new)
        for value, kind in _VALUES:
            findings.differ(kind, value(old), value(new), where, old=old, new=new)
        if old.in_ == new.in_:
            _compare_styles(findings, "parameter-style-changed", where, old, new)
        _compare_flags(findings, "parameter", where, old, new)
        compare_schemas(findings, "parameter", where, _schema(old), _schema(new))


# Flags of parameters, headers and request bodies -> the end of the kind if the flag is set now, or no longer is.
_FLAGS = (
    ("required", "became-required", "became-optional"),
    ("allow_empty", "empty-allowed", "empty-forbidden"),
    ("deprecated", "deprecated", "undeprecated"),
)


def _compare_flags(findings: Findings, kind: str, where: str, old: Any, new: Any) -> None:
    for name, on, off in _FLAGS:
        was, is_ = getattr(old, name, False), getattr(new, name, False)
        if was != is_:
            findings.add(f"{kind}-{on if is_ else off}", where, old=old, new=new)


def _label(parameter: model.Parameter) -> str:
    return f"{parameter.in_} parameter {parameter.name}"


def _compare_styles(findings: Findings, kind: str, where: str, old: Styled, new: Styled) -> None:
    types = [shape(schema).types if (schema := _schema(it)) is not None else frozenset() for it in (old, new)]
    # OAS 3.1.1, Parameter Object: `explode` has no effect on other types than arrays and objects.
    is_plain = any(found and found.isdisjoint(("array", "object")) for found in types)
    is_alike = is_plain and _style(old._replace(explode=False)) == _style(new._replace(explode=False))
    severity: Severity | None = "info" if is_alike else None
    findings.differ(kind, _style(old), _style(new), where, old=old, new=new, severity=severity)


def _style(found: Styled | model.Encoding) -> str:
    if not isinstance(found, model.Encoding) and found.media_type is not None:
        return ""
    style = "simple" if isinstance(found, model.Header) else found.style
    return f"{style}{', exploded' if found.explode else ''}" if style else ""


def _media_range(found: Styled) -> str:
    return found.media_type.media_range if found.media_type else "none"


# Attributes of a parameter that are compared as they are -> the kind of a difference.
_VALUES: tuple[tuple[Callable[[model.Parameter], Any], str], ...] = (
    (lambda it: it.in_, "parameter-location-changed"),
    (lambda it: it.allow_reserved, "parameter-reserved-changed"),
    (_media_range, "parameter-media-type-changed"),
)


def _schema(found: Styled) -> model.Schema | None:
    return found.media_type.schema if found.media_type is not None else found.schema


def _compare_arguments(findings: Findings, old: model.Operation, new: model.Operation, pairs: Pairs) -> None:
    """Add the changes of the arguments that both methods have: their Python names, and which are positional."""
    before, after = ({(it.in_, it.wire): it for it in arguments(operation)} for operation in (old, new))
    partners: dict[Key, Key] = {(one.in_, one.name): (other.in_, other.name) for one, other in pairs}
    labels: dict[Key, str] = {(one.in_, one.name): _label(one) for one, _ in pairs}
    for key in before:
        if key[0] == "body" and key[1]:
            partners[key], labels[key] = key, f"body property {key[1]}"
    for key, partner in partners.items():
        if key in before and partner in after:
            findings.differ("argument-renamed", before[key].name, after[partner].name, labels[key])
    had, has = (any(key[0] == "body" and key[1] for key in found) for found in (before, after))
    if had and not has and new.body is not None:
        findings.add("body-arguments-removed")
    one, other = before.get(_BODY), after.get(_BODY)
    # `body=` means the body in every method that has no other argument of that name.
    is_taken = one is None or one.name != "body" or any("body" in (it.name, it.wire) for it in after.values())
    if one is not None and other is not None and is_taken:
        findings.differ("body-argument-renamed", one.name, other.name)
    was, is_ = ([key for key, it in found.items() if positional(it)] for found in (before, after))
    _compare_positions(findings, [partners.get(key, key) for key in was], is_, after)


def _compare_positions(findings: Findings, before: list[Key], after: list[Key], new: Mapping[Key, Argument]) -> None:
    """Compare the arguments that may be given by position, in their order."""
    for key in before:
        if key not in after and key in new:
            findings.add("argument-became-keyword-only", after=new[key].name)
    kept = [key for key in before if key in after]
    moved = [key for key in after if key in kept]
    if kept != moved:
        olds, news = (tuple(new[key].name for key in keys) for keys in (kept, moved))
        findings.add("argument-moved", before=olds, after=news)


# Bodies and responses.


def _compare_request_bodies(findings: Findings, old: model.RequestBody | None, new: model.RequestBody | None) -> None:
    if old is not None and new is not None:
        _compare_flags(findings, "request-body", "", old, new)
        compare_contents(findings, "request", "body", old.content, new.content)
    elif new is not None:
        findings.add("required-request-body-added" if new.required else "optional-request-body-added", new=new)
    elif old is not None:
        findings.add("request-body-removed", old=old)


def compare_responses(
    findings: Findings, old: model.Operation, new: model.Operation, side: Side = "response", where: str = ""
) -> None:
    """Add the changes of an operation's responses; ``side`` is "request" where the caller sends them."""
    for status in dict.fromkeys((*old.responses, *new.responses)):
        kind = f"{'success' if status in _successes(old) | _successes(new) else 'error'}-response"
        label, one, other = f"{where}response {status}", match_status(old, status), match_status(new, status)
        if one is not None and other is not None:
            _compare_response(findings, side, label, one, other)
        if one is not None and status not in new.responses:
            findings.add(f"{kind}-removed", label, old=one, severity="info" if other is not None else None)
        elif other is not None and status not in old.responses:
            findings.add(f"{kind}-added", label, new=other)


def _successes(operation: model.Operation) -> set[str]:
    found = {status for status in operation.responses if status.startswith(("1", "2", "3"))}
    # Without another one, the default is that of successes.
    return found or operation.responses.keys() & {"default"}


def _compare_response(findings: Findings, side: Side, where: str, old: model.Response, new: model.Response) -> None:
    at: dict[str, Any] = {"old": old, "new": new}
    if bool(old.content) != bool(new.content):
        findings.add("response-content-added" if new.content else "response-content-removed", where, **at)
    else:
        compare_contents(findings, side, where, old.content, new.content)
    if side == "response":
        _compare_headers(findings, where, old, new)
    before, after = ({link.name: link for link in one.links} for one in (old, new))
    for one, other in findings.shared(lambda _, word: f"link-{word}", lambda it: f"{where} {it.name}", before, after):
        findings.differ("link-changed", _link(one), _link(other), f"{where} {one.name}", old=one, new=other)


def _link(found: model.Link) -> list[Any]:
    server = [found.server.url] if found.server is not None else []
    return [found.operation_id or found.operation_ref, dict(found.parameters), found.request_body, *server]


def compare_contents(findings: Findings, side: Side, where: str, old: Content, new: Content) -> None:
    """Add the changes of the media types of a body."""
    before, after = ({_normalized(name): found for name, found in content.items()} for content in (old, new))

    for name in dict.fromkeys((*before, *after)):
        one, other = (found.get(name) or found.get(match(name, found) or "") for found in (before, after))
        exact = (after if name in after else before)[name]
        label = f"{where} ({exact.media_range})"
        if one is not None and other is not None:
            xml = find(name).name == "xml"
            compare_schemas(findings, side, label, one.schema, other.schema, xml=xml)
            if one.item_schema is not None or other.item_schema is not None:
                compare_schemas(findings, side, f"{label} items", one.item_schema, other.item_schema, xml=xml)
            _compare_encodings(findings, side, label, one, other)
        if name not in after:
            severity: Severity | None = "info" if other is not None else None
            findings.add(f"{side}-media-type-removed", label, old=exact, severity=severity)
        elif name not in before:
            findings.add(f"{side}-media-type-added", label, new=exact)


def _normalized(media_range: str) -> str:
    """A media range without ``charset=utf-8``, which is the default."""
    name, *parameters = "".join(media_range.lower().split()).split(";")
    return ";".join([name, *(it for it in parameters if it not in ("charset=utf-8", 'charset="utf-8"'))])


def _compare_encodings(
    findings: Findings,
    side: Side,
    where: str,
    old: model.MediaType | model.Encoding,
    new: model.MediaType | model.Encoding,
) -> None:
    """Compare how the parts of a form are encoded, by name and by position."""
    before, after = (
        {**it.encoding, **{f"[{at}]": part for at, part in enumerate((*it.prefix_encoding, it.item_encoding)) if part}}
        for it in (old, new)
    )
    for name in dict.fromkeys((*before, *after)):
        one, other = (found.get(name) or model.Encoding() for found in (before, after))
        findings.differ(f"{side}-encoding-changed", _encoding(one), _encoding(other), f"{where} {name}")
        _compare_encodings(findings, side, f"{where} {name}", one, other)
        for header in one.headers.keys() & other.headers.keys():
            schemas = _schema(one.headers[header]), _schema(other.headers[header])
            compare_schemas(findings, side, f"{where} {name} header {header}", *schemas)


def _encoding(found: model.Encoding) -> str:
    headers = (f"{name} (required)" if header.required else name for name, header in sorted(found.headers.items()))
    reserved = "reserved" if found.allow_reserved else ""
    return " ".join(filter(None, (found.content_type, _style(found), reserved, *headers))) or "none"


def _compare_headers(findings: Findings, where: str, old: model.Response, new: model.Response) -> None:
    # RFC 9110, 5.1: names of header fields are case-insensitive.
    before, after = ({name.lower(): header for name, header in one.headers.items()} for one in (old, new))

    def kind(header: model.Header, word: str) -> str:
        return f"{'required-' if header.required and word == 'removed' else ''}response-header-{word}"

    def label(header: model.Header) -> str:
        return f"{where} header {header.name}"

    for one, other in findings.shared(kind, label, before, after):
        _compare_flags(findings, "response-header", label(one), one, other)
        _compare_styles(findings, "response-header-style-changed", label(one), one, other)
        findings.differ("response-header-media-type-changed", _media_range(one), _media_range(other), label(one))
        compare_schemas(findings, "response-header", label(one), _schema(one), _schema(other))


# Security requirements and schemes.


def _compare_security(
    findings: Findings, old: Iterable[model.SecurityRequirement], new: Iterable[model.SecurityRequirement]
) -> None:
    """Add the changes of the credentials that an operation requires.

    OAS 3.1.1, Security Requirement Object: one of the requirements must be met, with all of its schemes and scopes.
    """
    before, after = (
        {frozenset(requirement): requirement for requirement in security} or {_ANONYMOUS: {}} for security in (old, new)
    )
    if (_ANONYMOUS in before) != (_ANONYMOUS in after):
        if _ANONYMOUS in before:
            findings.add("security-added", after=" or ".join(sorted(map(_names, after))))
        else:
            findings.add("security-dropped", before=" or ".join(sorted(map(_names, before))))
        return
    for schemes, requirement in before.items():
        for scheme, scopes in requirement.items() if schemes in after else ():
            findings.add_members("security-scope", sorted(scopes), sorted(after[schemes][scheme]), scheme)
    findings.add_members("security-choice", map(_names, before), map(_names, after))


def _names(schemes: frozenset[str]) -> str:
    return " and ".join(sorted(schemes)) or "nothing"


def compare_schemes(
    findings: Findings, old: Mapping[str, model.SecurityScheme], new: Mapping[str, model.SecurityScheme]
) -> None:
    """Add the changes of the security schemes that both documents have."""
    for before, after in findings.shared(lambda _, word: f"security-scheme-{word}", lambda it: it.name, old, new):
        name = before.name
        at: dict[str, Any] = {"old": before, "new": after}
        findings.differ("security-scheme-changed", _sent(before), _sent(after), name, **at)
        if after.deprecated != before.deprecated:
            findings.add(f"security-scheme-{'deprecated' if after.deprecated else 'undeprecated'}", name, **at)
        urls = [(it.open_id_connect_url, it.oauth2_metadata_url) for it in (before, after)]
        findings.differ("oauth-url-changed", urls[0], urls[1], name, **at)
        was, is_ = ({flow.type: flow for flow in scheme.flows} for scheme in (before, after))
        findings.add_members("oauth-flow", was, is_, name, **at)
        for type_, flow in was.items():
            if type_ in is_:
                findings.differ("oauth-url-changed", _urls(flow), _urls(is_[type_]), name, **at)
                findings.add_members("oauth-scope", flow.scopes, is_[type_].scopes, name, **at)


def _sent(scheme: model.SecurityScheme) -> str:
    return " ".join(filter(None, (scheme.type, scheme.scheme, scheme.in_, scheme.parameter)))


def _urls(flow: model.OAuthFlow) -> tuple[str, ...]:
    return tuple(
        filter(None, (flow.authorization_url, flow.token_url, flow.refresh_url, flow.device_authorization_url))
    )


# Servers and their variables.


def compare_servers(findings: Findings, old: tuple[model.Server, ...], new: tuple[model.Server, ...]) -> None:
    """Add the changes of the servers of the API, or of one operation. The first server is the default."""
    if old and new:
        findings.differ("default-server-changed", old[0].url, new[0].url)
    before, after = ({server.url: server for server in servers} for servers in (old, new))
    for one, other in findings.shared(lambda _, word: f"server-{word}", lambda it: it.url, before, after):
        # OAS 3.2.0, Server Object: only 3.2 has names, so a document of another version has removed none.
        if one.name and other.name:
            findings.differ("server-renamed", one.name, other.name, one.url)
        variables = one.variables, other.variables
        for was, is_ in findings.shared(lambda _, word: f"server-variable-{word}", lambda it: it.name, *variables):
            findings.differ("server-variable-default-changed", was.default, is_.default, was.name)
            if is_.enum and not was.enum:
                findings.add("server-variable-value-removed", was.name, before="any", after=is_.enum)
            elif is_.enum:
                findings.add_members("server-variable-value", was.enum, is_.enum, was.name)
