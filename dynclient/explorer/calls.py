"""Make calls from a form: convert its texts to arguments, and responses to text for display.

A form is the JSON of a POST: ``arguments`` by their Python names, as text, ``body`` as text, ``files`` in base64 by the
body's properties (or ``""`` for the whole body), ``content_type``, ``accept``, ``mock``, and ``confirmed``.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pprint import pformat
from textwrap import indent
from typing import TYPE_CHECKING, Any

from dynclient import media_types
from dynclient._secrets import MASK, Mask, is_secret_header
from dynclient.exceptions import ArgumentError, DynclientError, Fault, RequestError, ResponseError
from dynclient.http_grammar import SAFE, status_text
from dynclient.inspection.arguments import arguments, preferred, secret
from dynclient.inspection.docstrings import client_name
from dynclient.messages import HTTPResult, Request

if TYPE_CHECKING:
    from dynclient._client import Client

KEPT = 100
LONGEST = 1_000_000
LONGEST_WAIT = 3600
_LINE = 88
_EXPORTS = ("curl", "httpie", "python")


class Calls:
    """Checks and makes calls with a client or its mock, and keeps a history."""

    def __init__(
        self, client: Client, mock: Client | None, *, read_only: bool, command_line: Callable[..., str] | None
    ) -> None:
        """See :func:`dynclient.explorer.app`."""
        self._client, self._mock = client, mock
        self._read_only = read_only
        self._command_line = command_line
        self._lock = threading.Lock()
        self._history: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._count = 0

    def _method(self, name: str, form: Mapping[str, Any]) -> Any:
        client = self._mock if form.get("mock") and self._mock is not None else self._client
        method = client.operations[name]
        options = {key: form[key] for key in ("content_type", "accept") if isinstance(form.get(key), str) and form[key]}
        return method.with_options(**options) if options else method

    def refusal(self, name: str, form: Mapping[str, Any]) -> dict[str, Any] | None:
        """Say why a call is refused: this explorer is read-only, or the user has not confirmed the call.

        None if it is allowed.
        """
        verb = self._client.operations[name].operation.method
        if verb in SAFE or (form.get("mock") and self._mock is not None):
            return None
        if self._read_only:
            return {"forbidden": True, "error": {"message": f"this explorer is read-only: {verb} is not sent"}}
        if form.get("confirmed") is not True:
            return {"error": {"message": f"{verb} may change data: confirm it first"}}
        return None

    def check(self, name: str, form: Mapping[str, Any]) -> dict[str, Any]:
        """Check a call without sending it: its faults, the locations of its arguments, and equivalent commands."""
        method = self._method(name, form)
        given, faults = _arguments(method, form)
        faults += [fault for fault in _missing(method, given) if fault["path"] not in _paths(faults)]
        shown: dict[str, Any] = {"where": []}
        try:
            explained = method.explain(**given)
            faults += [fault for fault in map(_fault, explained.faults) if fault["path"] not in _paths(faults)]
            shown["where"] = [
                [f"{way.in_} {way.wire}".strip(), way.text[:200], str(way.location or "")] for way in explained.ways
            ]
            if explained.refused and not faults:
                faults.append({"path": "", "message": explained.refused, "where": ""})
        except DynclientError as error:
            faults.append({"path": "", "message": error.message, "where": ""})
        return {**shown, "faults": faults, "exports": self._exports(method, given) if not faults else {}}

    def _exports(self, method: Any, given: dict[str, Any]) -> dict[str, str]:
        try:
            request = method.prepare(**given)
        except DynclientError:
            return {}
        exported = {form: getattr(request, f"to_{form}")() for form in _EXPORTS}
        client = client_name(self._client.api.document_name)
        found = {"dynclient": _code(f"{client}.{method.__qualname__}", _shown(method, given))}
        if self._command_line is not None:
            found["shell"] = self._command_line(method.operation, given)
        return {**found, **exported}

    def send(self, name: str, form: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call: return the response as text, or the error."""
        method = self._method(name, form)
        given, faults = _arguments(method, form)
        if faults:
            return {"faults": faults}
        started = time.monotonic()
        try:
            answer = _sent(method, given, form.get("resume"))
        except ResponseError as error:
            answer = _failed(error)
        except DynclientError as error:
            answer = {"error": _error(error), "faults": [_fault(each) for each in getattr(error, "errors", ())]}
        answer["ms"] = round(1000 * (time.monotonic() - started))
        if not isinstance(answer.get("error", {}).get("unsent"), bool):
            self._remember(name, method, form, answer)
        return answer

    def items(self, name: str, form: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Make a call that returns a sequence: yield its items as they arrive, and last the end or an error."""
        method = self._method(name, form)
        given, faults = _arguments(method, form)
        if faults:
            yield {"faults": faults}
            return
        try:
            if form.get("wait"):
                for state in method.wait(
                    **given, **{_option(method, "timeout"): LONGEST_WAIT, _option(method, "follow"): True}
                ):
                    yield {"item": _pretty(_mask(state.request).apply(state.data)), "status": state.status}
            else:
                with method.stream(**given) as answer:
                    mask = _mask(answer.request)
                    yield {"status": answer.status, "headers": _headers(answer.headers.pairs(), answer.request)}
                    for item in answer:
                        yield {"item": _pretty(mask.apply(item))}
            yield {"end": True}
        except DynclientError as error:
            yield {"error": _error(error)}

    def _remember(self, name: str, method: Any, form: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        hidden = {one.name for one in arguments(method.operation) if secret(one.schema)}
        given = {key: value for key, value in (form.get("arguments") or {}).items() if key not in hidden}
        kept = {key: form.get(key) for key in ("body", "content_type", "accept", "mock")}
        with self._lock:
            self._count += 1
            self._history.appendleft(
                {
                    "id": self._count,
                    "name": name,
                    "key": method.operation.row.key,
                    "at": time.strftime("%H:%M:%S"),
                    "status": answer.get("status", 0),
                    "ms": answer["ms"],
                    "form": {"arguments": given, **kept},
                }
            )

    def history(self) -> list[dict[str, Any]]:
        """The last calls, newest first."""
        with self._lock:
            return list(self._history)

    def test(self, number: int) -> dict[str, str]:
        """Write a call of the history as a pytest test that uses the document's mock."""
        call = next((call for call in self.history() if call["id"] == number), None)
        if call is None:
            raise ArgumentError("the history has no such call")
        method = self._method(call["name"], call["form"])
        given, _ = _arguments(method, call["form"])
        document, called = self._client.api.document_name, f"client.{method.__qualname__}.with_http_info"
        lines = [
            "import dynclient",
            "from dynclient.testing import MockTransport",
            "",
            "",
            f"def test_{method.__name__}():",
            f"    document = {document!r}",
            "    with dynclient.load(document, transport=MockTransport(document)) as client:",
            *indent(f"result = {_code(called, _shown(method, given))}", " " * 8).splitlines(),
            f"    assert result.status == {call['status']}",
        ]
        return {"text": "\n".join(lines) + "\n"}


def _arguments(method: Any, form: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The keyword arguments of a form, and the faults of texts that can't be read."""
    given: dict[str, Any] = {}
    faults: list[dict[str, str]] = []
    found = {one.name: one for one in arguments(method.operation)}
    texts = form.get("arguments")
    for name, text in texts.items() if isinstance(texts, dict) else ():
        if text in (None, "") or name not in found:
            continue
        try:
            given |= method.from_strings({name: str(text)})
        except RequestError as error:
            one = found[name]
            faults.append({"path": f"{one.in_}.{one.wire}", "message": error.message, "where": ""})
    body = next((one for one in found.values() if one.kind == "body"), None)
    if body is not None:
        try:
            value = _body(method, form)
        except ValueError as error:
            faults.append({"path": "$", "message": str(error), "where": ""})
        else:
            given |= {} if value is ... else {body.name: value}
    return given, faults


def _body(method: Any, form: Mapping[str, Any]) -> Any:
    """The value of a form's body; ``...`` if there is none.

    Raises:
        ValueError: the text is not JSON, or a file not base64.
    """
    files = form.get("files") or {}
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        raise ValueError("files must be base64, by their names")
    decoded = {name: base64.b64decode(text, validate=True) for name, text in files.items()}
    if "" in decoded:
        return decoded[""]
    text = form.get("body")
    if not isinstance(text, str) or (not text.strip() and not decoded):
        return ...
    offered = preferred(method.operation.body)
    media_range = form.get("content_type") or (offered.media_range if offered is not None else "application/json")
    if not media_types.is_parsed(media_range) and "*" not in media_range:
        return text
    try:
        value = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        if "*" in media_range:
            return text
        raise ValueError(f"line {error.lineno}, column {error.colno}: this is not JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    return {**value, **decoded} if decoded and isinstance(value, dict) else value


def _missing(method: Any, given: Mapping[str, Any]) -> list[dict[str, str]]:
    """A fault for each required argument that the form lacks."""
    return [
        {"path": f"{one.in_}.{one.wire}" if one.kind == "parameter" else "$", "message": "is required", "where": ""}
        for one in arguments(method.operation)
        if one.required and one.kind != "property" and one.name not in given
    ]


def _paths(faults: list[dict[str, str]]) -> set[str]:
    return {fault["path"] for fault in faults}


def _fault(fault: Fault) -> dict[str, str]:
    return {"path": fault.path, "message": fault.message, "where": str(fault.location or "")}


def _error(error: DynclientError) -> dict[str, Any]:
    shown: dict[str, Any] = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
    if isinstance(error, RequestError):
        shown["unsent"] = True
    return shown


def _mask(request: Request | None) -> Mask:
    return Mask(request.secret_values() if request is not None else ())


def _option(method: Any, name: str) -> str:
    """The keyword of an option; an underscore is appended if the call has an argument of that name."""
    return f"{name}_" if name in {one.name for one in arguments(method.operation)} else name


def _sent(method: Any, given: Mapping[str, Any], resume: Any) -> dict[str, Any]:
    """Make a call; for a paginated list, read one page, and return the text that continues after it."""
    rule = method.pagination
    if rule is None or not rule.is_usable:
        return _result(method.with_http_info(**given))
    options = {_option(method, "resume"): resume} if isinstance(resume, str) else {}
    page = next(iter(method.paginate(**given, **options).pages()))
    result = HTTPResult(page.data, page.status, page.headers, request=page.request)
    return {**_result(result), "page": page.number, "next": page.resume}


def _result(result: HTTPResult[Any, Any]) -> dict[str, Any]:
    """A response for display."""
    mask = _mask(result.request)
    return {
        **_about(result.status, result.headers.pairs(), result.request),
        "attempts": result.attempts,
        **_content(mask.apply(result.data), result.headers.get("content-type", "")),
    }


def _failed(error: ResponseError) -> dict[str, Any]:
    """An error for display, with its faults."""
    response = error.response
    body = response.body if response is not None and isinstance(response.body, bytes) else b""
    data = error.data if error.data is not None else body
    return {
        **_about(error.status, error.headers.pairs(), error.request),
        "attempts": error.attempts,
        **_content(data, error.headers.get("content-type", "")),
        "error": _error(error),
        "faults": [_fault(each) for each in getattr(error, "errors", ())],
    }


def _about(status: int, headers: Any, request: Request | None) -> dict[str, Any]:
    shown = {"status": status, "line": status_text(status), "headers": _headers(headers, request)}
    if request is not None:
        sent = request.with_no_secrets()
        shown["request"] = {"line": f"{sent.method} {sent.url}", "headers": _headers(sent.headers.pairs(), request)}
    return shown


def _headers(pairs: Any, request: Request | None) -> list[list[str]]:
    secrets = request.secrets if request is not None else frozenset()
    return [[name, MASK if is_secret_header(name, secrets) else value] for name, value in pairs]


def _content(data: Any, content_type: str) -> dict[str, Any]:
    """A body for display: text, the size of binary data, or a picture as a data URL."""
    if data is None or data in (b"", ""):
        return {"text": "", "empty": True}
    if isinstance(data, bytes):
        kind = media_types.essence(content_type) if content_type else ""
        try:
            return _cut(data.decode("utf-8"))
        except UnicodeDecodeError:
            pass
        picture = kind in {"image/png", "image/jpeg", "image/gif", "image/webp"} and len(data) <= LONGEST
        url = f"data:{kind};base64,{base64.b64encode(data).decode()}" if picture else ""
        return {"text": "", "bytes": len(data), "picture": url}
    return _cut(data if isinstance(data, str) else _pretty(data)) | {"json": not isinstance(data, str)}


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _cut(text: str) -> dict[str, Any]:
    return {"text": text[:LONGEST], "cut": max(0, len(text) - LONGEST)}


def _code(function: str, given: Mapping[str, Any]) -> str:
    """A call as Python, on one line if it is short."""
    line = f"{function}({', '.join(f'{name}={value!r}' for name, value in given.items())})"
    if len(line) <= _LINE:
        return line
    values = {name: pformat(value, width=_LINE - len(name) - 6, sort_dicts=False) for name, value in given.items()}
    words = (f"    {name}={value.replace(chr(10), chr(10) + ' ' * (len(name) + 5))}," for name, value in values.items())
    return "\n".join([f"{function}(", *words, ")"])


def _shown(method: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments to show in code, without secret ones."""
    hidden = {one.name for one in arguments(method.operation) if secret(one.schema)}
    return {name: MASK if name in hidden else value for name, value in given.items()}


__all__ = ["Calls"]
