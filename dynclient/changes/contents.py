"""Bodies: of requests and of responses, by media type; and the headers of responses."""

from __future__ import annotations

from collections.abc import Mapping

from dynclient.changes.findings import Findings
from dynclient.changes.kinds import Side
from dynclient.changes.schemas import compare_schemas
from dynclient.model import Encoding, Header, MediaType, Operation, RequestBody, Response

Content = Mapping[str, MediaType]


def compare_bodies(findings: Findings, old: RequestBody | None, new: RequestBody | None) -> None:
    """Tell what changed in the body of an operation's requests."""
    if old is None or new is None:
        if new is not None:
            kind = "required-request-body-added" if new.required else "optional-request-body-added"
            findings.add(kind, new=new.pointer)
        elif old is not None:
            findings.add("request-body-removed", old=old.pointer)
        return
    if old.required != new.required:
        kind = "request-body-became-required" if new.required else "request-body-became-optional"
        findings.add(kind, old=old.pointer, new=new.pointer)
    _content(findings, "request", "body", old.content, new.content)


def compare_responses(findings: Findings, old: Operation, new: Operation) -> None:
    """Tell what changed in the responses of an operation."""
    for status, response in old.responses.items():
        if status in new.responses:
            _response(findings, response, new.responses[status])
        else:
            kind = "success-response-removed" if _is_success(status) else "error-response-removed"
            findings.add(kind, f"response {status}", old=response.pointer)
    for status, response in new.responses.items():
        if status not in old.responses:
            kind = "success-response-added" if _is_success(status) else "error-response-added"
            findings.add(kind, f"response {status}", new=response.pointer)


def _is_success(status: str) -> bool:
    return status.startswith(("1", "2", "3"))


def _response(findings: Findings, old: Response, new: Response) -> None:
    where = f"response {old.status}"
    at = {"old": old.pointer, "new": new.pointer}
    if bool(old.content) != bool(new.content):
        findings.add("response-content-added" if new.content else "response-content-removed", where, **at)
    else:
        _content(findings, "response", where, old.content, new.content)
    _headers(findings, where, old, new)
    before, after = {link.name for link in old.links}, {link.name for link in new.links}
    for name in sorted(before - after):
        findings.add("link-removed", where, before=name, **at)
    for name in sorted(after - before):
        findings.add("link-added", where, after=name, **at)


def _content(findings: Findings, side: Side, where: str, old: Content, new: Content) -> None:
    partners = {_essence(media_range): media_type for media_range, media_type in new.items()}
    known = {_essence(media_range) for media_range in old}
    for media_range, media_type in old.items():
        partner = partners.get(_essence(media_range))
        label = f"{where} ({media_range})"
        if partner is None:
            findings.add(f"{side}-media-type-removed", label, old=media_type.pointer)
        else:
            _media_type(findings, side, label, media_type, partner)
    for media_range, media_type in new.items():
        if _essence(media_range) not in known:
            findings.add(f"{side}-media-type-added", f"{where} ({media_range})", new=media_type.pointer)


def _essence(media_range: str) -> str:
    return "".join(media_range.lower().split())


def _media_type(findings: Findings, side: Side, label: str, old: MediaType, new: MediaType) -> None:
    xml = "xml" in old.media_range.lower()
    compare_schemas(findings, side, label, old.schema, new.schema, xml=xml)
    if old.item_schema is not None or new.item_schema is not None:
        compare_schemas(findings, side, f"{label} items", old.item_schema, new.item_schema, xml=xml)
    if side == "request":
        for name in [*old.encoding, *(name for name in new.encoding if name not in old.encoding)]:
            before, after = (_encoding(found.encoding.get(name)) for found in (old, new))
            if before != after:
                findings.add(
                    "request-encoding-changed", f"{label} {name}", before=before, after=after,
                    old=old.pointer, new=new.pointer,
                )  # fmt: skip


def _encoding(found: Encoding | None) -> str:
    if found is None:
        return "none"
    style = f"{found.style}{', exploded' if found.explode else ''}" if found.style else ""
    return " ".join(filter(None, (found.content_type, style, *sorted(found.headers)))) or "none"


def _headers(findings: Findings, where: str, old: Response, new: Response) -> None:
    before = {name.lower(): header for name, header in old.headers.items()}
    after = {name.lower(): header for name, header in new.headers.items()}
    for name, header in before.items():
        label = f"{where} header {header.name}"
        if name not in after:
            kind = "required-response-header-removed" if header.required else "response-header-removed"
            findings.add(kind, label, old=header.pointer)
        else:
            _header(findings, label, header, after[name])
    for name, header in after.items():
        if name not in before:
            findings.add("response-header-added", f"{where} header {header.name}", new=header.pointer)


def _header(findings: Findings, label: str, old: Header, new: Header) -> None:
    at = {"old": old.pointer, "new": new.pointer}
    if old.required != new.required:
        kind = "response-header-became-required" if new.required else "response-header-became-optional"
        findings.add(kind, label, **at)
    if old.deprecated != new.deprecated:
        findings.add("response-header-deprecated" if new.deprecated else "response-header-undeprecated", label, **at)
    before, after = (found.media_type.schema if found.media_type else found.schema for found in (old, new))
    compare_schemas(findings, "response-header", label, before, after)
