"""``result.links`` and ``result.follow``: call the operations that a response links to.

Rule 1: a link is evaluated when it is read. One that can't be followed carries an error; the others still work.
Rule 2: a link goes to an operation of the same document, with the credentials and options of the client. Its server is
chosen as for any operation: ``base_url`` takes precedence, and credentials go only to trusted origins.
Rule 3: a Location is followed only within the origin of the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from dynclient import codecs, json_pointer
from dynclient._client.paging import fitted
from dynclient._client.shown_methods import outermost
from dynclient._deferred import cached_property
from dynclient._identifiers import did_you_mean, near
from dynclient._incoming.expressions import ExpressionContext, context_of, evaluate
from dynclient._incoming.requests import check_request, path_texts
from dynclient._negotiation import match
from dynclient._request import Bound, Plan
from dynclient._response import match_status
from dynclient.exceptions import DynclientError, LinkError
from dynclient.json_pointer import MISSING
from dynclient.messages import HTTPResult, Request, origin
from dynclient.model import API, Link, Operation, OperationRow, Parameter


@dataclass(frozen=True, slots=True)
class ResultLink:
    """A documented link of a response (OAS 3.2, Link Object), evaluated.

    ``operation`` is the operationId of the linked operation, or its ``METHOD path``. ``parameters`` are its arguments,
    keyed by location and wire name; ``body`` is ``...`` where the link has none. ``server`` is the URL template of the
    link's own server. ``error`` says why the link can't be followed; None if it can.
    """

    name: str
    operation: str | None = None
    parameters: Mapping[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    body: Any = field(default=..., repr=False)
    server: str | None = None
    description: str = ""
    error: DynclientError | None = None


class Following:
    """Follows the links of one result."""

    def __init__(self, dispatcher: Any, plan: Plan, result: HTTPResult) -> None:
        """``dispatcher`` made the call, and makes those of the links; ``plan`` is that of the call."""
        self._dispatcher, self._plan, self._result = dispatcher, plan, result

    def __repr__(self) -> str:
        return f"<follow(name), follow.location(): links {', '.join(self._documented) or 'none'}>"

    @cached_property
    def _documented(self) -> dict[str, Link]:
        response = match_status(self._plan.operation, self._result.status)
        return {link.name: link for link in response.links} if response is not None else {}

    @property
    def links(self) -> dict[str, ResultLink]:
        """The links, by name."""
        return {name: self._evaluated(link) for name, link in self._documented.items()}

    @outermost
    def __call__(self, name: str, /, **keywords: Any) -> Any:
        """Call the operation of a link; keywords are further arguments, which replace those of the link.

        Raises:
            LinkError: there is no such link, or it can't be followed; an ExpressionError where the response lacks what
                the link refers to.
            DynclientError: as the call does.
        """
        link = self._documented.get(name)
        if link is None:
            known, hint = ", ".join(self._documented) or "none", did_you_mean(str(name), self._documented)
            message = f"the document has no link {name!r} for status {self._result.status}; its links: {known}"
            raise LinkError(message, operation_id=self._plan.operation.id, hint=hint)
        plan: Plan = self._dispatcher.document.plan(self._row(link))
        parameters, body = self._arguments(link, plan.operation)
        if link.server is not None:
            plan = Plan(plan.operation._replace(servers=(link.server,)), self._dispatcher.state.limits)
        bound = plan.binder.bind((), keywords, self._dispatcher.options.defaults)
        bound = Bound({**parameters, **bound.parameters}, body if bound.body is ... else bound.body)
        return self._dispatcher.send(plan, bound, data_only=False)

    @outermost
    def location(self, method: str = "GET") -> Any:
        """Call the operation at the URL of the header Location, usually the resource that was created.

        Raises:
            LinkError: there is no Location, it is of another origin, or no operation of the document has such a path.
            DynclientError: as the call does.
        """
        request, document = self._sent(), self._dispatcher.document
        text = self._result.headers.get("location")
        if text is None:
            raise LinkError("the response has no header Location", operation_id=self._plan.operation.id)
        try:
            # RFC 9110, 10.2.2: a Location is relative to the URL of the request.
            url = urldefrag(urljoin(request.url, text))[0]
            is_same = origin(url) == request.origin
        except ValueError:
            raise LinkError("the header Location is not a URL") from None
        if not is_same:
            hint = "client.request(method, url) with base_url= sends a request there, if you trust it"
            raise LinkError("the header Location leads to another origin", hint=hint)
        path, base = urlsplit(url).path, self._dispatcher.options.base_url or ""
        operation = document.operation_at(method, url, base)
        if operation is None:
            raise LinkError(f"the document has no {method} operation for the path of the header Location, {path}")
        plan, limits = document.plan(operation.row), self._dispatcher.state.limits
        values = check_request(operation, path_texts(operation.path, path), Request(method, url), limits, strict=False)
        made = plan.request(Bound(dict(values.parameters)), self._dispatcher.options_of(operation))
        # Its query may have fields that the document does not describe.
        return self._dispatcher.send(plan, replace(made, url=url), data_only=False)

    def _sent(self) -> Request:
        if self._result.request is None:
            raise LinkError("the result has no request", operation_id=self._plan.operation.id)
        return self._result.request

    def _evaluated(self, link: Link) -> ResultLink:
        server = link.server.url if link.server is not None else None
        found = ResultLink(link.name, server=server, description=link.description)
        fields = dict[str, Any]()
        try:
            row = self._row(link)
            fields["operation"] = row.operation_id or row.key
            operation = self._dispatcher.document.operation(row)
            fields["parameters"], fields["body"] = self._arguments(link, operation)
        except DynclientError as error:
            fields["error"] = error
        return replace(found, **fields)

    def _row(self, link: Link) -> OperationRow:
        """The operation of a link."""
        rows: Sequence[OperationRow] = self._dispatcher.document.api.rows
        if link.operation_id is not None:
            row = next((row for row in rows if row.operation_id == link.operation_id), None)
            if row is None:
                ids = [row.operation_id for row in rows if row.operation_id]
                meant = near(link.operation_id, ids)
                hint = f"did the document mean {' or '.join(meant)}?" if meant else ""
                raise self._error(link, f"the document has no operationId {link.operation_id!r}", hint)
            return row
        if link.operation_ref is None:
            raise self._error(link, "it has neither operationId nor operationRef")
        return self._referenced(link, link.operation_ref)

    def _referenced(self, link: Link, reference: str) -> OperationRow:
        # OAS 3.1.1, Link Object: operationRef is a URI reference to an Operation Object.
        api: API = self._dispatcher.document.api
        base = link.pointer.partition("#")[0] if "#" in link.pointer else api.document_uri
        uri, _, fragment = (base + reference if reference[:1] == "#" else urljoin(base, reference)).partition("#")
        pointers = {fragment, unquote(fragment)}
        if uri != api.document_uri:
            pointers = {f"{uri}#{pointer}" for pointer in pointers}
        for row in api.rows:
            listed = json_pointer.join("", "paths", row.path, row.method.lower())
            if row.pointer in pointers or (uri == api.document_uri and listed in pointers):
                return row
        where = "the document" if uri == api.document_uri else "another document, whose operations are not loaded"
        hint = "" if uri == api.document_uri else "load that document, and call the operation"
        raise self._error(link, f"its operationRef {reference!r} leads to no operation: it is in {where}", hint)

    def _error(self, link: Link, message: str, hint: str = "") -> LinkError:
        return LinkError(f"link {link.name!r}: {message}", operation_id=self._plan.operation.id, hint=hint)

    def _arguments(self, link: Link, operation: Operation) -> tuple[dict[tuple[str, str], Any], Any]:
        context = self._context
        parameters = dict[tuple[str, str], Any]()
        for name, constant in link.parameters.items():
            parameter = self._parameter(link, operation, name)
            value = evaluate(constant, context)
            parameters[parameter.in_, parameter.name] = fitted(value, parameter.schema)
        body = ... if link.request_body is None else evaluate(link.request_body, context)
        return parameters, body

    def _parameter(self, link: Link, operation: Operation, name: str) -> Parameter:
        # OAS 3.1.1, Link Object: the parameter name can be qualified using the parameter location, as in path.id.
        in_, dot, wire = name.partition(".")
        found = [one for one in operation.parameters if dot and (one.in_, one.name) == (in_, wire)]
        found = found or [one for one in operation.parameters if one.name == name]
        if not found:
            raise self._error(link, f"{operation.id} has no parameter {name!r}")
        if len(found) > 1:
            which = " or ".join(f"{one.in_}.{one.name}" for one in found)
            raise self._error(link, f"the parameter {name!r} may be {which}: the document has to say which")
        return found[0]

    @cached_property
    def _context(self) -> ExpressionContext:
        """The values that expressions refer to."""
        sent, result, operation = self._sent(), self._result, self._plan.operation
        body: Any = MISSING
        if isinstance(sent.body, bytes) and operation.body is not None:
            content_type = sent.headers.get("content-type", "")
            media_range = match(content_type, operation.body.content)
            if media_range is not None:
                media_type, limits = operation.body.content[media_range], self._dispatcher.state.limits
                body = codecs.find(content_type).decode(sent.body, media_type, content_type, limits)
        return context_of(operation.path, sent, body)._replace(
            status=result.status, response_headers=result.headers, response_body=result.data
        )
