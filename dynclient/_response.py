"""Reading a response: match the status, choose the media type, decode, validate.

Rule 1: no received data is lost: an error has the response, and the data as far as they could be decoded.
Rule 2: an error status raises the :class:`~dynclient.exceptions.ApiError` of that status, documented or not, with any
body. The body's fault is the error's ``__cause__`` and in its text.
Rule 3: a body that the document does not describe is decoded by its Content-Type, or returned as bytes.
Rule 4: if no success is documented at all, any success is accepted, and its body decoded in the same way.
Rule 5: an undocumented success is accepted, with a warning, if its body matches that of a documented success.
Rule 6: ``warn`` logs the errors that ``strict`` raises, ``record`` notes them, and ``off`` does nothing. An error
status raises in each. Headers that do not match their schema cause a warning, not an error.
Rule 7: an error about a success says where the data is, which option accepts it, and that the server has done the work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

from dynclient import codecs, model
from dynclient._escaping import logger
from dynclient._negotiation import match
from dynclient._records import Record
from dynclient._schemas import event_form, shape
from dynclient._secrets import Mask, masked
from dynclient._validation import body_faults, item_faults, validator
from dynclient.exceptions import (
    DecodeError,
    DocumentError,
    Fault,
    ResponseError,
    ResponseValidationError,
    UndocumentedStatus,
    UnexpectedMediaType,
    api_error,
    undocumented,
)
from dynclient.http_grammar import BODILESS, SAFE, SUCCESS, status_text
from dynclient.media_types import OCTETS, TEXT, essence, find, parse
from dynclient.messages import HTTPResult, Request, Response
from dynclient.options import Limits, ValidationEngine, ValidationMode
from dynclient.transports.clock import INLINE_BYTES, look

log = logger()

_ERROR = 400
_NOT_MODIFIED = 304
# Servers send these content types if they do not know the type of a body.
_UNSPECIFIC = frozenset({TEXT, "text/html", OCTETS, "binary/octet-stream"})


# The pseudo keywords of faults without a schema.
_KEYWORDS = {UnexpectedMediaType: "content-type", DecodeError: "decode", UndocumentedStatus: "status"}


class Recorder(Protocol):
    """Counts differences from the document."""

    def note(self, operation: model.Operation, response: Response, faults: Sequence[Fault], data: Any) -> None:
        """Note the faults of one response; ``data`` is its decoded body, if it is known."""


class ResponseReader(Record):
    """Reads the responses of one operation. ``mode`` is the mode of validation, ``convert`` a Converter or None.

    ``recorder`` notes faults in the mode ``record``.
    """

    operation: model.Operation
    limits: Limits
    mode: ValidationMode = "strict"
    engine: ValidationEngine = "auto"
    convert: Any = None
    recorder: Recorder | None = None

    @property
    def reading(self) -> Limits:
        """The limits of decoding a body that is then converted: its numbers may have to keep their digits."""
        return self.limits if self.convert is None else self.convert.limits(self.limits)

    def read(self, response: Response) -> HTTPResult:
        """Read a whole response: its data, status and headers.

        Raises:
            ApiError: the status is an error; if the operation does not document it, also an UndocumentedStatus.
            UndocumentedStatus: the operation documents no such success, or redirection.
            UnexpectedMediaType: the Content-Type is not documented.
            DecodeError: the body does not match its Content-Type.
            ResponseValidationError: the decoded body does not match its schema.
        """
        documented = match_status(self.operation, response.status)
        if documented is None:
            return self._undocumented(response)
        data, wrong = self._data(documented, response)
        if self.recorder is not None:
            self._note(response, wrong, self._header_faults(documented, response))
        if response.status >= _ERROR:
            raise self._api_error(documented, response, data, wrong) from wrong
        if self.recorder is None:
            if wrong is not None:
                self._take_or_raise(wrong)
            if documented.headers:
                self._warn_of_headers(documented, response)
        return _result(data, response)

    def open(self, response: Response) -> StreamedResponse:
        """Validate the head of a streamed response. An error response, whose body has been read, is read completely.

        Raises:
            ResponseError: as :meth:`read`, except for faults of the body.
        """
        if response.status not in SUCCESS:
            self.read(response)
            return StreamedResponse(response, None, response.content_type or "", self)
        head = replace(response, body=b"")
        media_type, content_type = None, response.content_type or ""
        documented = match_status(self.operation, response.status)
        if documented is None:
            documented = next((each for each in self._alike(response) if self._has_type(each, response)), None)
            if documented is None:
                self._undocumented(head)
                return StreamedResponse(response, media_type, content_type, self)
            self._warn_of_status(documented, response)
        try:
            media_type, content_type = self._media_type(documented, response)
        except UnexpectedMediaType as error:
            self._take_or_raise(self._completed(error, head))
        self._warn_of_headers(documented, head)
        return StreamedResponse(response, media_type, content_type, self)

    def differences(self, response: Response) -> list[Fault]:
        """All differences of a response from the document, including an undocumented status."""
        documented = match_status(self.operation, response.status)
        wrong: ResponseError | None = None
        found: list[Fault] = []
        if documented is not None:
            _, wrong = self._data(documented, response)
            found = self._header_faults(documented, response)
        elif not self._takes_any(response.status):
            found = [self._status_fault(response)]
        self._note(response, wrong, found)
        return [*found, *_faults_of(wrong)]

    def item_faults(self, opened: StreamedResponse, item: Any, index: int) -> None:
        """Validate one item of a streamed body.

        Raises:
            ResponseValidationError: it does not match its schema; ``data`` is the item.
        """
        schema = item_schema(opened.media_type, index) if self.mode != "off" else None
        if schema is None:
            return
        media_type = opened.media_type or model.MediaType("")
        faults = item_faults(media_type, schema, item, "response", self.limits, self.engine, path=f"$[{index}]")
        if faults:
            wrong = self._broken(faults, replace(opened.response, body=b""))
            wrong.data = _without_secrets(item, opened.response)
            self._take_or_raise(wrong)

    def converted(self, opened: StreamedResponse, item: Any, index: int) -> Any:
        """An item of a streamed body, converted by ``convert``.

        Raises:
            DecodeError: a class or a function refuses a value.
        """
        if self.convert is None:
            return item
        return self.convert.value(item_schema(opened.media_type, index), item, f"$[{index}]")

    def _note(self, response: Response, wrong: ResponseError | None, found: Sequence[Fault] = ()) -> None:
        faults = [*found, *_faults_of(wrong)]
        if self.recorder is not None and faults:
            self.recorder.note(self.operation, response, faults, wrong.data if wrong is not None else None)

    def _status_fault(self, response: Response) -> Fault:
        return Fault("", self._not_described(response.status), "status")

    def _take_or_raise(self, wrong: ResponseError) -> None:
        if self.recorder is not None and wrong.response is not None:
            self._note(wrong.response, wrong)
        if self.mode == "strict":
            raise wrong
        if self.mode == "warn":
            log.warning("accepted in spite of validation: %s", wrong)

    def _undocumented(self, response: Response) -> HTTPResult:
        """Read a response whose status the operation does not document."""
        status, statuses = response.status, list(self.operation.responses)
        data = best_effort(response, self.limits)
        if self._takes_any(status):
            return _result(data, response)
        if status == _NOT_MODIFIED and response.request is not None and _is_conditional(response.request):
            # RFC 9110, 15.4.5: the caller has requested this response with a header that need not be documented.
            return _result(None, response)
        for documented in self._alike(response):
            data, wrong = self._data(documented, response)
            if wrong is None:
                self._warn_of_status(documented, response)
                return _result(data, response)
        if self.recorder is not None:
            self._note(response, None, [self._status_fault(response)])
        kind = undocumented(status)
        error = self._completed(
            kind(self._not_described(status), statuses=statuses, response=response, data=data), response
        )
        if status not in SUCCESS:
            raise error
        if self.recorder is None:
            self._take_or_raise(error)
        return _result(data, response)

    def _takes_any(self, status: int) -> bool:
        """Whether any success is allowed, since none is documented."""
        return status in SUCCESS and not any(key.startswith("2") for key in self.operation.responses)

    def _not_described(self, status: int) -> str:
        statuses = ", ".join(self.operation.responses)
        described = f": the document does not describe this status, only {statuses}" if statuses else ""
        return status_text(status) + described

    def _alike(self, response: Response) -> Iterator[model.Response]:
        """The documented successes that an undocumented success may match, such as 201 for 200."""
        if response.status not in SUCCESS:
            return
        is_head = response.request is not None and response.request.method == "HEAD"
        for status, documented in self.operation.responses.items():
            if status.startswith("2") and (is_head or not documented.content or response.status not in BODILESS):
                yield documented

    def _has_type(self, documented: model.Response, response: Response) -> bool:
        try:
            self._media_type(documented, response)
        except UnexpectedMediaType:
            return False
        return True

    def _warn_of_status(self, documented: model.Response, response: Response) -> None:
        if self.recorder is not None:
            self._note(response, None, [self._status_fault(response)])
        elif self.mode != "off":
            log.warning(
                "%s: the document does not list %s; accepted as its %s",
                self.operation.id,
                status_text(response.status),
                documented.status,
            )

    def _warn_of_headers(self, documented: model.Response, response: Response) -> None:
        """Log the faults of headers, which are no reason to refuse a valid body."""
        if self.recorder is not None:
            self._note(response, None, self._header_faults(documented, response))
            return
        for fault in self._header_faults(documented, response):
            log.warning("%s: accepted although %s", self.operation.id, fault)

    def _api_error(
        self, documented: model.Response, response: Response, data: Any, wrong: ResponseError | None
    ) -> ResponseError:
        text = documented.description.strip().partition("\n")[0]
        message = status_text(response.status) + (f": {text}" if text else "")
        hint = ""
        if wrong is not None and self.mode != "off":
            faults = "; ".join(map(str, getattr(wrong, "errors", ())[:3]))
            hint = f"its body is not as documented: {faults or wrong.message}"
        return api_error(response.status)(
            message, response=response, data=data, operation_id=self.operation.id, hint=hint
        )

    def _data(self, documented: model.Response, response: Response) -> tuple[Any, ResponseError | None]:
        """The decoded body, and its error."""
        wrong: ResponseError | None = None
        data: Any = None
        faults: list[Fault] = []
        media_type: model.MediaType | None = None
        try:
            media_type, content_type = self._media_type(documented, response)
            if media_type is None:
                data = best_effort(response, self.limits) if content_type is not None else None
            else:
                data = codecs.find(content_type).decode(response.body, media_type, content_type, self.limits)
                if len(response.body) > INLINE_BYTES:
                    look()
            if self.mode != "off":
                faults = self._faults(documented, media_type, data, content_type)
        except (DecodeError, UnexpectedMediaType) as error:
            # Outside the handler, since the error's context would be the decoder's error, with the whole text.
            error.__context__ = None
            wrong = self._completed(error, response)
            data = error.data = self._guessed(documented, response)
            if wrong.response is not None and wrong.response.body != response.body:
                error.data = self._guessed(documented, wrong.response)
        if faults:
            wrong = self._broken(faults, response)
            wrong.data = _without_secrets(data, response)
        elif wrong is None and media_type and find(content_type).codec == "events" and event_form(media_type).is_data:
            wrong = self._is_to_be_streamed(response)
            wrong.data = _without_secrets(data, response)
        elif self.convert is not None and wrong is None and media_type is not None and response.status < _ERROR:
            try:
                data = self._converted(media_type, data, response.body, content_type)
            except DecodeError as error:
                error.data = _without_secrets(data, response)
                wrong = self._completed(error, response)
        return data, wrong

    def _converted(self, media_type: model.MediaType, data: Any, body: bytes, content_type: str) -> Any:
        limits = self.reading
        if limits is not self.limits:
            data = codecs.find(content_type).decode(body, media_type, content_type, limits)
        return self.convert.body(media_type, data)

    def _is_to_be_streamed(self, response: Response) -> ResponseError:
        # Only the data of events is described, so the request asked for a stream.
        message = "the response is a stream of server-sent events"
        error = self._completed(ResponseValidationError(message), response)
        name = self.operation.row.name
        error.hint = (
            f"read it by `with client.{name}.stream(...) as answer: for item in answer: ...`. All items are in "
            "error.data; with_options(validate=Validation(responses='warn')) returns them"
        )
        return error

    def _faults(
        self, documented: model.Response, media_type: model.MediaType | None, data: Any, content_type: str
    ) -> list[Fault]:
        """The faults of a body; a broken schema is a fault itself."""
        if media_type is None:
            return [_unchecked("$", documented.fault)] if documented.fault is not None and data is not None else []
        try:
            return body_faults(media_type, data, "response", self.limits, self.engine, content_type=content_type)
        except DocumentError as error:
            return [_unchecked("$", error)]

    def _guessed(self, documented: model.Response, response: Response) -> Any:
        """A body of a wrong type, or one that its decoder refuses, decoded as far as possible."""
        content_type = essence(response.content_type or "")
        if content_type in _UNSPECIFIC and len(documented.content) == 1:
            # JSON declared as text: try the document's type.
            (media_type,) = documented.content.values()
            try:
                return codecs.find(media_type.media_range).decode(
                    response.body, media_type, media_type.media_range, self.limits
                )
            except (DecodeError, ValueError):
                pass
        data = best_effort(response, self.limits)
        if self.mode != "strict" and data is response.body and find(content_type).name == "json":
            # NaN, names that occur twice: as Python's own reader decodes them.
            try:
                return json.loads(response.body)
            except (ValueError, RecursionError):
                pass
        return data

    def _broken(self, faults: list[Fault], response: Response) -> ResponseError:
        faults = [fault._replace(value=self._shown(fault.value, response)) for fault in faults]
        plural = "faults" if len(faults) > 1 else "fault"
        message = f"the response does not match the document: {len(faults)} {plural}"
        return self._completed(ResponseValidationError(message, errors=faults), response)

    def _shown(self, value: str, response: Response) -> str:
        """A fault's value, unless the server repeats a secret in it."""
        secrets = response.request.secret_values(1) if value and response.request is not None else ()
        return "" if any(secret in value for secret in secrets) else value

    def _completed(self, error: ResponseError, response: Response) -> ResponseError:
        """Add the request, the response, and a hint to an error."""
        error.operation_id = self.operation.id
        error.response = response.with_no_secrets()
        error.request = error.response.request
        # A Content-Type or the name of a member may repeat a credential.
        mask = Mask(response.request.secret_values() if response.request is not None else ())
        error.message = mask.apply(error.message)
        if isinstance(error, ResponseValidationError):
            error.errors = tuple(
                fault._replace(path=mask.apply(fault.path), message=mask.apply(fault.message)) for fault in error.errors
            )
        if response.status not in SUCCESS:
            return error
        done = ""
        if self.operation.method not in SAFE:
            done = f"the server has carried out the {self.operation.method}, do not send it again; "
        name = json.dumps(self.operation.id, ensure_ascii=False)
        error.hint = (
            f"{error.hint}{'. ' if error.hint else ''}"
            f'{done}the received data is in error.data. validate="warn" returns it with a warning; '
            f'for this operation alone, validate=Validation(by={{{name}: "warn"}})'
        )
        return error

    def _media_type(self, documented: model.Response, response: Response) -> tuple[model.MediaType | None, str]:
        """The documented media type, or None, and the concrete content type."""
        head = response.request is not None and response.request.method == "HEAD"
        if head or response.status in BODILESS or not (documented.content or response.body):
            return None, ""
        sent = response.content_type
        if not documented.content or (not response.body and sent is None and response.status >= _ERROR):
            return None, sent or ""
        if sent is None:
            # RFC 9110, 8.3: without a Content-Type the recipient may guess: the only documented type.
            if len(documented.content) == 1 and response.body:
                media_type = next(iter(documented.content.values()))
                return media_type, media_type.media_range
            raise self._unexpected(
                documented, "the response has no Content-Type" if response.body else "the response is empty"
            )
        if sent in documented.content:
            return documented.content[sent], sent
        try:
            parse(sent)
        except ValueError as error:
            raise self._unexpected(documented, f"the Content-Type is malformed: {sent!r}") from error
        media_range = match(sent, documented.content)
        if media_range is None:
            raise self._unexpected(documented, f"the response is {sent}")
        return documented.content[media_range], sent

    def _unexpected(self, documented: model.Response, message: str) -> UnexpectedMediaType:
        ranges = list(documented.content)
        return UnexpectedMediaType(f"{message}, but the document has {', '.join(ranges)}", media_types=ranges)

    def _header_faults(self, documented: model.Response, response: Response) -> list[Fault]:
        found: list[Fault] = []
        for name, header in documented.headers.items() if self.mode != "off" else ():
            # OAS 3.1.1, Response Object: a header named Content-Type is ignored.
            if name.lower() == "content-type":
                continue
            text = response.headers.get(name)
            if text is not None and header.schema is not None:
                try:
                    value = _header_value(header, header.schema, text)
                    check = validator(header.schema, "response", limits=self.limits)
                    found += check.faults(value, path=f"header.{name}", engine=self.engine)
                except DocumentError as error:
                    found.append(_unchecked(f"header.{name}", error))
            elif text is None and header.required:
                found.append(Fault(f"header.{name}", "is required", "required"))
        return found


def _faults_of(wrong: ResponseError | None) -> Sequence[Fault]:
    """The faults of a response from an error: those of its schema, or a single one."""
    if isinstance(wrong, ResponseValidationError) and wrong.errors:
        return wrong.errors
    keyword = next((name for kind, name in _KEYWORDS.items() if isinstance(wrong, kind)), "")
    return [Fault("", wrong.message, keyword)] if wrong is not None else []


class StreamedResponse(Record):
    """A response with a validated head and an unread body."""

    response: Response
    media_type: model.MediaType | None
    content_type: str
    reader: ResponseReader


def match_status(operation: model.Operation, status: int | str) -> model.Response | None:
    """Find the Response Object that documents a status code, or a range such as "4XX", or None."""
    # OAS 3.1.1, Responses Object: an explicit code definition takes precedence over the range definition for that code.
    for key in (str(status), f"{str(status)[0]}XX", "default"):
        if key in operation.responses:
            return operation.responses[key]
    return None


def best_effort(response: Response, limits: Limits) -> Any:
    """The body decoded only by its own Content-Type, or its bytes; None if it is empty."""
    if not response.body:
        return None
    if response.content_type is None:
        return response.body
    try:
        return codecs.find(response.content_type).decode(response.body, None, response.content_type, limits)
    except (DecodeError, ValueError):
        return response.body


def _without_secrets(data: Any, response: Response) -> Any:
    """The decoded body for an error, masked: a server may repeat the credentials of the request."""
    return masked(data, response.request.secret_values()) if response.request is not None else data


def item_schema(media_type: model.MediaType | None, index: int) -> model.Schema | None:
    """The schema of one item of a body that is a sequence: ``itemSchema``, or the schema of the array's items."""
    if media_type is None or media_type.item_schema is not None:
        return media_type.item_schema if media_type is not None else None
    from dynclient._schemas import shapes

    return shapes.item_schema(shapes.sole(media_type.schema), index) if media_type.schema else None


def _header_value(header: model.Header, schema: model.Schema, text: str) -> Any:
    from dynclient._schemas import typed
    from dynclient._styles import deserialize

    types = shape(schema).types
    kind: Literal["primitive", "array", "object"] = (
        "array" if "array" in types else "object" if "object" in types else "primitive"
    )
    value = deserialize(text, name=header.name, in_="header", style="simple", explode=header.explode, kind=kind)
    return typed(schema, value)


def _is_conditional(request: Request) -> bool:
    """Whether a request is conditional, which allows 304.

    A function, since a local variable would show the headers in tracebacks.
    """
    return "if-none-match" in request.headers or "if-modified-since" in request.headers


def _unchecked(path: str, error: DocumentError) -> Fault:
    return Fault(
        path, f"can't be validated, since the document's schema is broken: {error.message}", "", error.location
    )


def _result(data: Any, response: Response) -> HTTPResult[Any]:
    return HTTPResult(
        data,
        response.status,
        response.headers,
        response.attempts,
        response.request,
        response.elapsed,
        cached=response.cached,
    )
