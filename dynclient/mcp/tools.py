"""The four tools and their results, independent of the protocol.

Rule 1: a failure is a result with ``is_error``: what is wrong, and what to do.
Rule 2: nothing is sent before the operation is known, permitted, valid and, if it writes, confirmed.
Rule 3: the result of a call is a line about status and size, then a line of JSON. Credentials in the server's responses
are masked.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import IO, TYPE_CHECKING, Any

from dynclient._escaping import counted, logger
from dynclient._identifiers import near
from dynclient._paging.stepping import Page
from dynclient._rows import OperationRow
from dynclient._secrets import masked
from dynclient.exceptions import (
    ArgumentError,
    DocumentError,
    DynclientError,
    MissingCredential,
    NoSuchOperation,
    RequestError,
    ResponseError,
    TransportError,
)
from dynclient.http_grammar import status_text
from dynclient.mcp.descriptions import described, found
from dynclient.mcp.excerpts import Excerpts, as_json, line, selected
from dynclient.mcp.permissions import READ, Confirmations, Permissions, check_method
from dynclient.media_types import essence
from dynclient.messages import HTTPResult, Request

if TYPE_CHECKING:
    from dynclient._client import Client
    from dynclient._paging.rules import Pagination

_LEAST_RESULT = 1024
_LONGEST_SIGNATURE = 600
_LONGEST_BODY = 2000
_SHORTEST_SECRET = 4
_MOST_FOLLOWING = 64

_SEARCH = "search finds operations by words"
_ADVICE = (
    (MissingCredential, "the operator of this server has to provide credentials: dynclient auth login"),
    (NoSuchOperation, _SEARCH),
    (DocumentError, "use another operation: the document is invalid here"),
)

_TOOLS: Mapping[str, dict[str, Any]] = {
    tool["name"]: tool for tool in json.loads(Path(__file__).with_name("tools.json").read_text("utf-8"))
}
"""Each tool as the protocol describes it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a tool. With a ``token``, nothing was sent: the token confirms the request."""

    text: str
    is_error: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """An operation that may be called: its name in this server, and its method."""

    name: str
    row: OperationRow
    method: Any
    allowed: bool

    @property
    def pages(self) -> Pagination | None:
        """How the operation paginates its list; None if that is unknown."""
        rule = getattr(self.method, "pagination", None) if self.row.method in READ else None
        return rule if rule is not None and rule.is_usable else None


@dataclass(frozen=True, slots=True)
class _Following:
    """The next page of a list: the call that read the first page, and the position."""

    name: str
    arguments: Mapping[str, Any]
    select: str | None
    resume: str


class Toolbox:
    """The tools for one or more clients. It is safe for threads."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        permissions: Permissions,
        *,
        max_result_bytes: int,
        max_calls: int,
        log: str | os.PathLike[str] | None,
        files: str | os.PathLike[str] | None,
    ) -> None:
        """The arguments are those of :func:`dynclient.mcp.server`.

        Raises:
            ArgumentError: ``max_result_bytes`` is below 1,024, or a client's name can't be a prefix of operations.
            OSError: the log can't be written.
        """
        if max_result_bytes < _LEAST_RESULT:
            raise ArgumentError(f"max_result_bytes is at least {_LEAST_RESULT}", argument="max_result_bytes")
        wrong = [name for name in clients if len(clients) > 1 and (not name or not set(name).isdisjoint("/ "))]
        if wrong:
            raise ArgumentError(
                f"a client can't be named {wrong[0]!r}: its name is the prefix of its operations, before a slash",
                argument="client",
            )
        self._clients = clients
        self._permissions = permissions
        self._calls_left = max_calls
        self._max_calls = max_calls
        self._excerpts = Excerpts(max_result_bytes)
        self._confirmations = Confirmations()
        # Cursor -> the position in the list of an operation.
        self._following: OrderedDict[str, _Following] = OrderedDict()
        self._log = log
        if log is not None:
            self._opened_log().close()
        self._files = Path(files) if files is not None else None
        self._lock = threading.Lock()
        run = (self._search, self._describe, self._call_read, self._call_write)
        self._run: Mapping[str, Callable[..., tuple[Answer, dict[str, Any]]]] = dict(zip(_TOOLS, run, strict=True))

    def tools(self) -> list[dict[str, Any]]:
        """The tools as MCP lists them."""
        return [tool for name, tool in _TOOLS.items() if name != "call_write" or self._permissions.allow_write]

    def use(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Call a tool with its arguments; a failure is an Answer too."""
        started = time.monotonic()
        entry: dict[str, Any] = {"tool": tool if tool in _TOOLS else "unknown"}
        try:
            arguments = self._checked(tool, arguments)
            answer, facts = self._run[tool](**arguments)
            entry |= facts
        except DynclientError as error:
            entry |= {"error": type(error).__name__, "status": getattr(error, "status", None)}
            answer = self._failure(error, arguments)
        except Exception as error:  # noqa: BLE001  # only the class of an unexpected error is shown: its text may contain anything
            entry["error"] = type(error).__name__
            answer = Answer(as_json({"error": f"a bug in dynclient: {type(error).__name__}"}), is_error=True)
        self._write_log(entry, answer, started)
        return answer

    def _checked(self, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments of a tool. Agents write null or an empty text for none, and JSON as text."""
        from jsonschema import Draft202012Validator

        schema = next((one["inputSchema"] for one in self.tools() if one["name"] == tool), None)
        if schema is None:
            raise ArgumentError(f"there is no tool {line(tool, 60)}", hint=f"the tools are {', '.join(_TOOLS)}")
        required, properties = schema["required"], schema["properties"]
        read = {name: v for name, v in arguments.items() if name in required or not (v is None or v == "")}
        for name, value in read.items():
            if isinstance(value, str) and properties.get(name, {}).get("type", "string") != "string":
                with suppress(ValueError, RecursionError):
                    read[name] = json.loads(value)
        for fault in Draft202012Validator(schema).iter_errors(read):
            where = f"{fault.absolute_path[0]}: " if fault.absolute_path else ""
            raise ArgumentError(where + line(fault.message), hint=f"{tool} takes {', '.join(properties)}")
        return read

    def _search(self, query: str, limit: int = 8) -> tuple[Answer, dict[str, Any]]:
        rows = []
        lists = {name: self._ranked(client, query) for name, client in self._clients.items()}
        # The results of several documents alternate, since their scores can't be compared.
        for rank in range(max(map(len, lists.values()), default=0)):
            for document, ranked in lists.items():
                row = ranked[rank] if rank < len(ranked) else None
                if row is not None and self._permissions.shows(document, row):
                    rows.append((self._name(document, row), row, self._permissions.permits(document, row)))
        return Answer(found(rows, limit)), {}

    def _name(self, document: str, row: OperationRow) -> str:
        return f"{document}/{row.name}" if len(self._clients) > 1 else row.name

    @staticmethod
    def _ranked(client: Client, query: str) -> list[OperationRow]:
        rows = {row.name: row for row in client.api.rows}
        return [rows[name] for name in client.operations.search(query)]

    def _describe(self, operation: str, part: str | None = None) -> tuple[Answer, dict[str, Any]]:
        one = self._find(operation)
        tool = ("call_read" if one.row.method in READ else "call_write") if one.allowed else ""
        text = described(one.name, tool, one.method.operation, one.pages, part)
        return Answer(text), {"operation": one.row.key}

    def _call_read(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        select: str | None = None,
        cursor: str | None = None,
    ) -> tuple[Answer, dict[str, Any]]:
        one = self._find(operation)
        if cursor is not None and (following := self._following.get(cursor)) and following.name == one.name:
            return self._send(one, following.arguments, following.select, following.resume)
        if cursor is not None:
            note, text = self._excerpts.next(one.name, cursor)
            return Answer(f"{note}\n{text}"), {"operation": one.row.key}
        if one.row.method not in READ:
            raise ArgumentError(
                f"{one.name} is a {one.row.method}, which call_read does not send: use call_write", argument="operation"
            )
        return self._send(one, _read(one, arguments or {}), select)

    def _call_write(
        self, operation: str, arguments: Mapping[str, Any] | None = None, confirm: str | None = None
    ) -> tuple[Answer, dict[str, Any]]:
        one = self._find(operation)
        if not one.allowed:
            raise _not_permitted(one.name, one.row)
        arguments = _read(one, arguments or {})
        request = one.method.prepare(**arguments)
        check_method(request, arguments)
        if confirm is None:
            token = self._confirmations.token(one.row.key, request, arguments)
            return Answer(_question(request), token=token), {"operation": one.row.key, "asked": True}
        if wrong := self._confirmations.take(confirm, one.row.key, request, arguments):
            raise ArgumentError(wrong, argument="confirm", hint="call without confirm= for a new token")
        return self._send(one, arguments, None)

    def _find(self, word: str) -> _Found:
        """Find an operation by its name; with several documents, the document's name is its prefix.

        Raises:
            NoSuchOperation: it does not exist, or the operator has denied it.
        """
        document, slash, name = word.partition("/")
        if not slash or document not in self._clients:
            document, name = next(iter(self._clients)), word
        client = self._clients[document]
        try:
            method = client.operations[name]
            row = method.operation.row
        except NoSuchOperation as error:
            names = [
                self._name(document, row)
                for document, client in self._clients.items()
                for row in client.api.rows
                if self._permissions.shows(document, row)
            ]
            raise NoSuchOperation(error.message, matches=near(word, names), name=word) from None
        if not self._permissions.shows(document, row):
            raise NoSuchOperation(f"the operator of this server does not allow {row.name}", name=word)
        return _Found(self._name(document, row), row, method, self._permissions.permits(document, row))

    def _send(
        self, one: _Found, arguments: Mapping[str, Any], select: str | None, resume: str | None = None
    ) -> tuple[Answer, dict[str, Any]]:
        """Make a call; for a paginated list, read one page, and give a cursor for the next one."""
        if not one.allowed:
            raise _not_permitted(one.name, one.row)
        check_method(one.method.prepare(**arguments), arguments)
        if select is not None:
            selected(select)  # raises before anything is sent
        with self._lock:
            self._calls_left -= 1
            if self._calls_left < 0:
                raise ArgumentError(
                    f"this server sends at most {self._max_calls} calls: its operator can raise --max-calls"
                )
        result: HTTPResult | Page[Any] = (
            next(one.method.paginate(**arguments, resume=resume).pages())
            if one.pages
            else one.method.with_http_info(**arguments)
        )
        facts = {"operation": one.row.key, "arguments": sorted(arguments), "status": result.status}
        if result.request is not None:
            facts["url"] = result.request.logged_url
        text = self._shown(one, result, select)
        if isinstance(result, Page) and result.resume is not None:
            cursor = token_hex(8)
            self._following[cursor] = _Following(one.name, arguments, select, result.resume)
            while len(self._following) > _MOST_FOLLOWING:
                self._following.popitem(last=False)
            text = text.replace("\n", f'; for the next page, call_read with cursor="{cursor}"\n', 1)
        return Answer(text), facts

    def _shown(self, one: _Found, result: HTTPResult | Page[Any], select: str | None) -> str:
        secrets = result.request.secret_values(_SHORTEST_SECRET) if result.request else ()
        data = masked(dict(result.headers) if one.row.method == "HEAD" else result.data, secrets)
        head = status_text(result.status)
        if isinstance(data, (bytes, bytearray)):
            data = self._saved(one, bytes(data), result)
        note, text = self._excerpts.first(one.name, selected(select, data) if select is not None else data)
        return f"{head}{f'; {note}' if note else ''}\n{text}"

    def _saved(self, one: _Found, data: bytes, result: HTTPResult | Page[Any]) -> dict[str, Any]:
        """Save a binary response; returns its path."""
        import mimetypes

        media_type = line(result.headers.get("content-type", ""), 80)
        facts = {"bytes": len(data), "media_type": media_type}
        if self._files is None:
            return {**facts, "not shown": "binary data is only saved if the server runs with --files DIR"}
        ending = mimetypes.guess_extension(essence(media_type)) or ".bin"
        # Neither the server nor the agent chooses the file's name.
        file = self._files / f"{one.row.name[:60]}-{token_hex(4)}{ending}"
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as opened:
                opened.write(data)
        except OSError as error:
            return {**facts, "not shown": f"it can't be saved: {error.strerror}"}
        return {"file": str(file), **facts}

    def _failure(self, error: DynclientError, arguments: Mapping[str, Any]) -> Answer:
        """An error as JSON: what is wrong, all faults, similar names, and what to do."""
        said: dict[str, Any] = {"error": type(error).__name__, "message": error.message}
        if isinstance(error, ResponseError):
            said["status"] = error.status
            data = as_json(error.data if not isinstance(error.data, bytes) else f"{len(error.data)} bytes")
            said["body"] = error.data if len(data) <= _LONGEST_BODY else data[:_LONGEST_BODY] + "…"
        if faults := [str(fault) for fault in getattr(error, "errors", ())]:
            said["faults"] = faults[:20]
        if matches := getattr(error, "matches", ()):
            said["near"] = list(matches)
        said["fix"] = self._fix(error, arguments)
        return Answer(as_json(said), is_error=True)

    def _fix(self, error: DynclientError, arguments: Mapping[str, Any]) -> str:
        """What to do about an error."""
        if isinstance(error, ResponseError) and (error.done or error.retry_after is not None):
            done = "the server has done the work, although its response is not as documented: do not repeat the call"
            return done if error.done else f"try again in {error.retry_after:.0f} seconds"
        if isinstance(error, TransportError):
            unknown = "; it may have been done: check before you repeat it" if error.outcome_unknown else ""
            return f"try again later{unknown}"
        for kind, advice in _ADVICE:
            if isinstance(error, kind):
                return advice
        if isinstance(error, ArgumentError) and error.hint and not (error.matches or getattr(error, "errors", ())):
            return error.hint
        try:
            one = self._find(str(arguments.get("operation")))
            return line(f"{one.name}{one.method.__signature__}", _LONGEST_SIGNATURE)
        except (DynclientError, ValueError):
            return _SEARCH

    def _write_log(self, entry: dict[str, Any], answer: Answer, started: float) -> None:
        """Append a call to the log, without values of arguments or responses."""
        if self._log is None:
            return
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry}
        entry |= {"bytes": len(answer.text.encode()), "ms": round((time.monotonic() - started) * 1000)}
        text = as_json({name: value for name, value in entry.items() if value is not None})
        try:
            with self._lock, self._opened_log() as file:
                file.write(text + "\n")
        except OSError as error:
            # The call has been made: after an error, the agent would repeat it.
            logger().warning("the log of the MCP server can't be written: %s", error.strerror)

    def _opened_log(self) -> IO[str]:
        return os.fdopen(os.open(self._log or "", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a", encoding="utf-8")


def _read(one: _Found, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call. Agents write numbers, arrays and objects as text; null is a value."""
    texts = {name: value for name, value in arguments.items() if isinstance(value, str)}
    others = {name: value for name, value in arguments.items() if name not in texts}
    return {**others, **one.method.from_strings(texts)}


def _not_permitted(name: str, row: OperationRow) -> RequestError:
    own = "its DELETE pattern" if row.method.upper() == "DELETE" else "a pattern"
    return ArgumentError(
        f"{name} is a {row.method}, which the operator of this server can allow with {own} in --allow-write"
    )


def _question(request: Request) -> str:
    """The question that asks the user to confirm a request."""
    shown = request.with_no_secrets()
    body = shown.body if isinstance(shown.body, bytes) else b""
    try:
        text = line(body.decode(), _LONGEST_BODY)
    except UnicodeDecodeError:
        text = counted(len(body), "byte")
    return f"Send {shown.method} {line(shown.url, 1000)}{f' with {text}' if body else ''}"
