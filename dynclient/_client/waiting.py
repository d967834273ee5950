"""Long-running operations: how a document declares them, which URL to poll, and when they have ended.

Nothing here does I/O. The first of these rules that applies decides which URL to poll:
Rule 1: ``x-waiter``, dynclient's own extension; or ``x-ms-long-running-operation`` with its ``final-state-via``.
Rule 2: an Operation-Location or Azure-AsyncOperation of a 201 or 202: a resource with the status.
Rule 3: the Location of a 202: it answers 202 until the result exists.
Rule 4: the 202 of a GET, or a GET with ``until=``: the same request again.
Words of a status, such as "failed", count only where rules 1 and 2 say that it is one, or with ``until="final"``.
"""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote_plus, urljoin, urlsplit

from dynclient._client.state import LoadedDocument
from dynclient._escaping import escaped, one_line
from dynclient._paging.rules import Confidence, Evidence, path_keys, value_at
from dynclient._records import Record
from dynclient._schemas import location_at, shape
from dynclient._secrets import SECRET_HEADERS, names_credential
from dynclient.exceptions import (
    ArgumentError,
    DynclientError,
    UndocumentedStatus,
)
from dynclient.json_pointer import MISSING, escape
from dynclient.messages import Headers, HTTPResult, Request, origin
from dynclient.model import API, Operation, OperationRow, Schema

Kind = Literal["monitor", "location", "same", "body"]
Verdict = Literal["pending", "done", "failed"]
Conditions = tuple[tuple[str, tuple[Any, ...]], ...]
"""Paths to values, each with the values that fulfil the condition."""
Until = Conditions | Callable[[Any], object] | None

ACCEPTED, SEE_OTHER = 202, 303
MONITORS = ("operation-location", "azure-asyncoperation")
_WORDS = tomllib.loads(Path(__file__).with_name("states.toml").read_text("utf-8"))
DONE, FAILED, _RUNNING = (frozenset(_WORDS[name].split()) for name in ("done", "failed", "running"))
_STATUS_NAMES = ("status", "state", "provisioningState", "phase")
_STATUS_PATHS = ("status", "properties.provisioningState", "properties.status", "state")
_RESULTS = {"azure-async-operation": "answer", "operation-location": "answer", "location": "location"}
_DECLARED = ("poll", "arguments", "status", "until", "failed", "result", "cancel")
_PREFIX = "w1."


@dataclass(frozen=True, slots=True)
class Waiter:
    """How an operation is waited for.

    ``poll`` says what is polled: ``"header"`` the URL in a header of its answer, ``"same"`` the same request again,
    ``"body"`` its URL by GET, or the name of an operation, whose parameters ``arguments`` maps to paths in the answer.
    ``status`` is the path of the state; ``until`` and ``failed`` map paths to the values of success and failure.
    ``result`` is what the wait returns: a path in the last answer, or one more request: ``"location"``, the Location of
    the first answer, or ``"original"``, the URL of the operation; ``"answer"`` is the last answer as it is. ``cancel``
    is an operation that cancels it.

    ``confidence`` is ``certain`` or ``likely``, or ``guess``: used only with ``until="final"``.
    """

    key: str
    poll: str = "header"
    arguments: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None
    until: Mapping[str, Any] = field(default_factory=dict)
    failed: Mapping[str, Any] = field(default_factory=dict)
    result: str | None = None
    cancel: str | None = None
    confidence: Confidence = "certain"
    evidence: tuple[Evidence, ...] = ()

    def __str__(self) -> str:
        known = ((name, getattr(self, name)) for name in _DECLARED[1:])
        first = ", ".join([f"{self.poll} ({self.confidence})", *(f"{name} {value}" for name, value in known if value)])
        return "\n".join(map(one_line, [first, *(f"  {each}" for each in self.evidence)]))


@dataclass(frozen=True, slots=True)
class State:
    """The last answer of a wait.

    ``status`` is the state in the server's words, or None. ``verdict`` is ``pending``, ``done`` or ``failed``.
    ``data`` and ``headers`` are those of the answer to ``request``, ``http_status`` its status code. ``polls`` counts
    the requests after the first one, ``seconds`` is the time since it.
    """

    status: str | None
    verdict: Verdict
    data: Any
    http_status: int
    headers: Headers
    polls: int
    seconds: float
    request: Request | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return escaped(self.status) if self.status else f"{self.verdict} ({self.http_status})"


class Task(Record):
    """Where and how to poll: everything that another process needs to continue, without credentials.

    ``key`` and ``method`` are those of the operation that began, ``original`` is its URL, and ``location`` the Location
    of its answer. ``url`` is polled next, with ``headers``. ``cancel`` is a method and a URL.
    """

    key: str
    kind: Kind
    url: str
    original: str = ""
    location: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    status: str | None = None
    until: Until = None
    failed: Until = None
    result: str | None = None
    is_final: bool = False

    def text(self, hidden: Iterable[str]) -> str:
        """Write it as text. Query fields with these names, and those of credentials, are removed from URLs."""
        values = self._asdict()
        for name in ("url", "original", "location"):
            values[name] = without_fields(values[name], hidden, credentials=True)
        for name in ("until", "failed"):
            values[name] = None if callable(values[name]) else values[name]
        known = {name: value for name, value in values.items() if value}
        written = json.dumps(known, separators=(",", ":"), default=str).encode()
        return _PREFIX + base64.urlsafe_b64encode(written).decode().rstrip("=")

    @classmethod
    def read(cls, text: Any) -> Task:
        """Read the text of a task.

        Raises:
            ArgumentError: it is not the text of a task.
        """
        try:
            encoded = text.removeprefix(_PREFIX)
            values = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
            for name in ("until", "failed"):
                values[name] = tuple((str(path), tuple(allowed)) for path, allowed in values.get(name) or ()) or None
            values["headers"] = tuple((str(name), str(value)) for name, value in values.get("headers", ()))
            task = cls(**values)
            texts = [task.key, task.kind, task.url, task.original, task.location, task.status or "", task.result or ""]
            is_right = text.startswith(_PREFIX) and all(isinstance(each, str) for each in texts)
        except (ValueError, TypeError, AttributeError):
            is_right = False
        if not is_right or task.kind not in {"monitor", "location", "same", "body"}:
            raise ArgumentError("resume takes the text that a job or a WaitTimeout gave as .resume", argument="resume")
        return task


def without_fields(url: str, hidden: Iterable[str], *, credentials: bool = False) -> str:
    """A URL without some of the fields of its query, and without those whose names are of credentials."""
    head, mark, query = url.partition("?")
    names = set(hidden)
    kept = [
        each
        for each in query.split("&")
        if (name := unquote_plus(each.partition("=")[0])) not in names and not (credentials and names_credential(name))
    ]
    return f"{head}?{'&'.join(kept)}" if mark and any(kept) else head


def kept_headers(request: Request, own: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The headers that a later request repeats, without the client's own, credentials, and those about a body."""
    left = {name.lower() for in_, name in request.secrets if in_ == "header"} | SECRET_HEADERS
    left |= {"content-type", "content-length", *(name.lower() for name in own)}
    return tuple(
        (name, value)
        for name, value in request.headers.pairs()
        if name.lower() not in left and not names_credential(name)
    )


# Conditions.


def conditions(value: Any, name: str) -> Until:
    """Read ``until=`` or ``failed=``: a mapping of paths to a value or a list of values, or a function of the data.

    Raises:
        ArgumentError: it is neither.
    """
    if value is None or callable(value):
        return value  # type: ignore[no-any-return]  # a function
    try:
        pairs = tuple(
            (str(path), tuple(allowed) if isinstance(allowed, (list, tuple, set, frozenset)) else (allowed,))
            for path, allowed in value.items()
        )
        for path, _ in pairs:
            path_keys(path)
    except (ValueError, AttributeError) as error:
        hint = f'{name}={{"status": "completed"}}' + ', or until="final"' * (name == "until")
        message = error if isinstance(error, ValueError) else f"it is a mapping of paths to values, not {value!r}"
        raise ArgumentError(f"{name}: {message}", argument=name, hint=hint) from None
    if not pairs:
        raise ArgumentError(f"{name} has no condition", argument=name, hint=f'{name}={{"status": "completed"}}')
    return pairs


def _holds(condition: Until, data: Any, *, every: bool) -> bool:
    if condition is None:
        return False
    if not isinstance(condition, tuple):
        return bool(condition(data))
    found = [value_at(data, path_keys(path)) in allowed for path, allowed in condition]
    return all(found) if every else any(found)


def _word(data: Any, path: str | None) -> str | None:
    """The state in an answer."""
    for each in (path,) if path is not None else _STATUS_PATHS:
        value = value_at(data, path_keys(each))
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value)[:200]
    return None


def _plain(word: str) -> str:
    """A word of a status as the tables spell it."""
    return word.lower().replace("-", "_")


def judged(task: Task, result: HTTPResult) -> tuple[str | None, Verdict]:
    """The state in an answer, and whether it is final."""
    word = _word(result.data, task.status)
    if result.status == ACCEPTED and result.data is None:
        return word, "pending"  # there is no state to look at
    if _holds(task.failed, result.data, every=False):
        return word, "failed"
    if task.until is not None:
        return word, "done" if _holds(task.until, result.data, every=True) else "pending"
    if result.status == SEE_OTHER:
        return word, "done"
    if task.kind in {"monitor", "body"} and word is not None:
        plain = _plain(word)
        return word, "done" if plain in DONE else "failed" if plain in FAILED else "pending"
    return word, "pending" if result.status == ACCEPTED else "done"


# URLs to poll.


def joined(base: str, url: str) -> str:
    """A URL that a server gave, as an absolute one; a malformed one as it is, since the request to it is refused."""
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def following(task: Task, result: HTTPResult, *, is_declared: bool = False) -> Task | None:
    """The task after a response that is not final, with the URLs that the response names; None if it names none."""
    location = result.headers.get("location")
    monitor = next(filter(None, (result.headers.get(name) for name in MONITORS)), None)
    task = task._replace(location=joined(task.url, location) if location else task.location)
    if monitor and (result.status in {201, ACCEPTED} or is_declared or task.kind == "monitor"):
        return task._replace(kind="monitor", url=joined(task.url, monitor))
    if location and result.status == ACCEPTED and task.kind != "monitor":
        return task._replace(kind="location", url=task.location)
    return None


def final_url(task: Task, data: Any, status: int) -> str:
    """The URL of the result, where one more request gets it; "" if the last answer has it."""
    if task.is_final:
        return ""
    if task.result in {"location", "original"}:
        found = task.location if task.result == "location" else task.original
        return found if found != task.url or task.kind == "monitor" else ""
    if status == SEE_OTHER:
        return task.location
    if task.kind != "monitor" or task.result is not None:
        return ""
    resource = value_at(data, ("resourceLocation",))
    if isinstance(resource, str) and resource:
        return joined(task.url, resource)
    method = task.key.partition(" ")[0]
    if method in {"PUT", "PATCH"}:
        return task.original
    return task.location if method == "POST" and task.location != task.url else ""


def extracted(task: Task, data: Any) -> Any:
    """The part of the last answer that a wait returns."""
    if task.result not in {None, "answer", "location", "original"}:
        found = value_at(data, path_keys(str(task.result)))
    else:
        found = value_at(data, ("result",)) if task.kind == "monitor" else MISSING
    return data if found is MISSING else found


def checked_url(url: str, trusted: Iterable[tuple[str, str, int]]) -> str | None:
    """Why a URL of a server is refused.

    None if it is allowed: at the origin of the first request, or another allowed one.
    """
    try:
        parts = urlsplit(url)
        there = origin(url)
    except ValueError:
        return "it is malformed"
    if parts.username is not None or parts.password is not None:
        return "it contains a user name"
    if there not in set(trusted):
        return f"it has another origin, {there[0]}://{there[1]}:{there[2]}"
    return None


# The declarations of a document.


def waiter_of(operation: Operation, api: API) -> Waiter | None:
    """How to wait for an operation, by its document; None if the document does not say.

    Raises:
        DocumentError: a schema of it is broken.
    """
    key, pointer = operation.row.key, f"/paths/{escape(operation.path)}/{operation.method.lower()}"

    def evidence(reason: str, where: str = "") -> tuple[Evidence, ...]:
        location = location_at(api.references, f"{api.document_uri}#{pointer}{where}") if api.references else None
        return (Evidence(reason, location),)

    if "x-waiter" in operation.extensions:
        try:
            known = _declared(operation.extensions["x-waiter"])
            return Waiter(key, **known, evidence=evidence("x-waiter says so", "/x-waiter"))
        except (ValueError, TypeError) as error:
            reason = f"x-waiter can't be read: {error}"
            return Waiter(key, confidence="unclear", evidence=evidence(reason, "/x-waiter"))
    accepted = operation.responses.get("202")
    is_get = operation.method == "GET"
    poll = "same" if is_get else "body" if operation.method in {"PUT", "PATCH"} else "header"
    if operation.extensions.get("x-ms-long-running-operation") is True:
        options = operation.extensions.get("x-ms-long-running-operation-options")
        via = options.get("final-state-via") if isinstance(options, Mapping) else None
        result = _RESULTS.get(str(via), "original" if via == "original-uri" else None)
        reason = "x-ms-long-running-operation" + f" with final-state-via {via}" * bool(result)
        return Waiter(key, poll, result=result, evidence=evidence(reason, "/x-ms-long-running-operation"))
    for response in (accepted, operation.responses.get("201")):
        names = {name.lower(): name for name in response.headers} if response is not None else {}
        found = next((names[name] for name in (*MONITORS, "location") if name in names), None)
        if response is not None and found and (response is accepted or found.lower() in MONITORS):
            return Waiter(key, evidence=evidence(f"its {response.status} has {found}", f"/responses/{response.status}"))
    if accepted is not None:
        what = "the 202 of a GET" if is_get else "it has a 202, which may name the URL to poll"
        return Waiter(
            key, "same" if is_get else "header", confidence="likely", evidence=evidence(what, "/responses/202")
        )
    return _by_words(operation, key, evidence) if is_get else None


def _declared(value: Any) -> dict[str, Any]:
    """The members of an ``x-waiter``.

    Raises:
        ValueError, TypeError: it has unknown members, or values of a wrong type.
    """
    if not isinstance(value, Mapping):
        raise TypeError("it is not a mapping")
    for name, member in value.items():
        if name not in _DECLARED:
            raise ValueError(f"it has {name}; allowed are {', '.join(_DECLARED)}")
        is_mapping = name in {"arguments", "until", "failed"}
        if not isinstance(member, Mapping if is_mapping else str):
            raise TypeError(f"{name} is not a {'mapping' if is_mapping else 'text'}")
        paths: Iterable[Any] = () if name in {"poll", "cancel"} else [member]
        if isinstance(member, Mapping):
            paths = member.values() if name == "arguments" else member
        for path in paths:
            if not isinstance(path, str):
                raise TypeError(f"{path!r} in {name} is not a path")
            path_keys(path)
    return dict(value)


def _by_words(operation: Operation, key: str, evidence: Callable[..., tuple[Evidence, ...]]) -> Waiter | None:
    """A GET whose answer has a status with only known words as values."""
    response = operation.responses.get("200")
    schemas = (media.schema for name, media in response.content.items() if "json" in name) if response else ()
    for schema in filter(None, schemas):
        properties = shape(schema).properties
        for name in filter(properties.__contains__, _STATUS_NAMES):
            words = _enum(properties[name])
            done, failed, running = (
                [word for word in words if _plain(word) in known] for known in (DONE, FAILED, _RUNNING)
            )
            if not done:
                continue
            left = [word for word in words if word not in {*done, *failed, *running}]
            found = evidence(f"{name} is one of {', '.join(words)}", "/responses/200")
            if left:
                found += (Evidence(f"the meaning of {', '.join(left)} is unknown"),)
            confidence: Confidence = "unclear" if left else "guess"
            fails = {name: failed} if failed else {}
            return Waiter(
                key, "same", {}, name, {name: done}, fails, confidence=confidence, evidence=found
            )  # in the fields' order
    return None


def _enum(schema: Schema) -> list[str]:
    values = shape(schema).enum or ()
    texts = [value for value in values if value is not None]
    return texts if all(isinstance(value, str) for value in texts) else []


def taken(error: DynclientError) -> HTTPResult | None:
    """The response of an undocumented success, which a wait accepts; None if the status is an error."""
    if not isinstance(error, UndocumentedStatus) or not error.done:
        return None
    return HTTPResult(error.data, error.status, error.headers, error.attempts, error.request)


def waiter_named(document: LoadedDocument, row: OperationRow) -> Waiter | None:
    """How an operation is waited for, as its document says."""
    return document.once("waiter", row, lambda: waiter_of(document.operation(row), document.api))


def wait_conditions(row: OperationRow, waiter: Waiter | None, until: Any, failed: Any) -> tuple[Until, Until]:
    """The conditions of a caller, or those that the document declares.

    Raises:
        ArgumentError: it is unclear which state ends the wait.
    """
    if until is None and waiter is not None and waiter.confidence == "unclear" and row.method != "GET":
        raise ArgumentError(
            f"it is unclear how to wait for it: {waiter.evidence[0]}",
            argument="until",
            hint="an overlay can correct it",
        )
    is_known = waiter is not None and waiter.confidence in {"certain", "likely"}
    if until is None and not is_known and row.method == "GET":
        raise ArgumentError(
            "it is unclear which state ends the wait",
            argument="until",
            hint='until={"status": "completed"}' + ', or until="final"' * (waiter is not None),
        )
    if until == "final":
        if row.method == "GET" and (waiter is None or waiter.confidence == "unclear"):
            why = f": {waiter.evidence[-1]}" if waiter is not None else ", since it has no status with known values"
            raise ArgumentError(
                f'the document does not say what until="final" means{why}',
                argument="until",
                hint='until={"status": "completed"}, failed={"status": ["failed"]}',
            )
        until = None
        is_known = True
    if waiter is not None and is_known:
        until = until if until is not None else waiter.until or None
        failed = failed if failed is not None else waiter.failed or None
    return conditions(until, "until"), conditions(failed, "failed")
