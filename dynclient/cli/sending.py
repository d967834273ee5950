"""What an operation's command does when it is run: the call is made of what was typed, sent, and its answer shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click

from dynclient import codecs
from dynclient._client import Client
from dynclient.cli import bodies, credentials
from dynclient.cli.answers import Printer, write
from dynclient.cli.operation_commands import values
from dynclient.cli.progress import Bar, Reading
from dynclient.exceptions import MissingCredential, ResponseError
from dynclient.inspection import arguments
from dynclient.messages import HTTPResult

REDIRECTION = 3


class Call:
    """What an operation's command does when it is run."""

    def __init__(self, client: Client, method: Any) -> None:
        self._client = client
        self._operation = method.operation
        self._method = method

    def __call__(self, **given: Any) -> int:
        """Make the call of what click has read; returns the exit status."""
        printer = Printer(output=given["format"], expression=given["filter"], include=given["include"])
        method = self._method.with_options(**_options(self._client, given))
        parameters, body = self._values(given)
        with closing(body) if isinstance(body, Reading) else nullcontext():
            return self._run(method, parameters, body, given, printer)

    def _run(self, method: Any, parameters: Any, body: Any, given: Mapping[str, Any], printer: Printer) -> int:
        if given["curl"] or given["dry_run"]:
            request = method.prepare(**self._keywords(parameters, body))
            write(request.to_curl() if given["curl"] else _written(request))
            return 0
        with _shown(printer), self._hinted():
            if given["output"] and given["format"] is None and given["filter"] is None:
                return self._save(method, parameters, body, given, printer)
            if given["format"] == "raw" and given["filter"] is None:
                return self._raw(method, parameters, body, given, printer)
            if given["format"] == "ndjson" and given["filter"] is None and self._is_sequence():
                return self._items(method, parameters, body, printer)
            result = method.send(parameters, body=body)
            printer.show(result, _file(given))
            return _status(result.status)

    @contextmanager
    def _hinted(self) -> Iterator[None]:
        """Say how a shell gives the credential that is missing."""
        try:
            yield
        except MissingCredential as error:
            error.hint = credentials.hint(self._client.api, self._operation)
            raise

    def _values(self, given: Mapping[str, Any]) -> tuple[dict[tuple[str, str], Any], Any]:
        parameters, properties = values(arguments(self._operation), given)
        properties |= bodies.fields(self._operation, given["body_field"])
        whole = given["body_text"]
        if whole is None:
            return parameters, properties or ...
        if properties:
            raise click.UsageError("the body is given whole by --body, and by its properties too")
        return parameters, bodies.whole(self._operation, whole, given["content_type"])

    def _keywords(self, parameters: Mapping[tuple[str, str], Any], body: Any) -> dict[str, Any]:
        found = arguments(self._operation)
        names = {(argument.in_, argument.wire): argument.name for argument in found}
        whole = next((argument.name for argument in found if argument.kind == "body"), "body")
        keywords = {names[key]: value for key, value in parameters.items()}
        return {**keywords, **({} if body is ... else {whole: body})}

    def _save(self, method: Any, parameters: Any, body: Any, given: Mapping[str, Any], printer: Printer) -> int:
        """The body to a file as it comes, however large."""
        with method.stream(**self._keywords(parameters, body)) as answer, Bar("received") as bar:
            if given["include"]:
                printer.head(answer.status, answer.headers)
            answer.save(given["output"], progress=bar)
            return _status(answer.status)

    def _raw(self, method: Any, parameters: Any, body: Any, given: Mapping[str, Any], printer: Printer) -> int:
        """The body as it came, neither decoded nor validated."""
        with method.stream(**self._keywords(parameters, body)) as answer:
            printer.show(HTTPResult(answer.read(), answer.status, answer.headers), _file(given))
            return _status(answer.status)

    def _items(self, method: Any, parameters: Any, body: Any, printer: Printer) -> int:
        """A sequence's items, each when it comes."""
        with method.stream(**self._keywords(parameters, body)) as answer:
            for item in answer.iter_items():
                printer.show(HTTPResult([item], answer.status, answer.headers))
            return _status(answer.status)

    def _is_sequence(self) -> bool:
        good = (response for status, response in self._operation.responses.items() if status.startswith("2"))
        ranges = [found for response in good for found in response.content]
        return bool(ranges) and all(codecs.find(found).name == "sequence" for found in ranges)


def _options(client: Client, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the call, as ``with_options`` takes them."""
    wanted = {
        "base_url": given["base_url"],
        "server": _server(given["server"]),
        "timeout": given["timeout"],
        "retry": given["retries"] + 1 if given["retries"] is not None else None,
        "content_type": given["content_type"],
        "accept": given["accept"],
        "validate": given["validate"],
        "auth": credentials.gathered(client.api, given["auth"]),
        "headers": credentials.headers(client.api, given["header"]) or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _server(words: tuple[str, ...]) -> Any:
    """An index, a name or URL, or variables as ``NAME=VALUE``."""
    choice: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and "://" not in name:
            choice[name] = value
        else:
            choice["server"] = int(word) if word.isdecimal() else word
    return choice if set(choice) - {"server"} else choice.get("server")


@contextmanager
def _shown(printer: Printer) -> Iterator[None]:
    """Print what the server said with an error: that is data too."""
    try:
        yield
    except ResponseError as error:
        response = error.response
        if response is not None and response.status // 100 in {4, 5}:
            data = error.data if error.data is not None else response.body
            printer.show(HTTPResult(data or None, response.status, response.headers))
        raise


def _written(request: Any) -> str:
    """A request as HTTP writes it, its secrets masked."""
    shown = request.with_no_secrets()
    body = shown.body
    if isinstance(body, bytes):
        try:
            body = body.decode("utf-8")
        except UnicodeDecodeError:
            body = f"<{len(shown.body)} bytes>"
    headers = [f"{name}: {value}" for name, value in shown.headers.pairs()]
    lines = [f"{shown.method} {shown.url}", *headers]
    return "\n".join([*lines, "", body if isinstance(body, str) else "<a stream>"] if body else lines)


def _file(given: Mapping[str, Any]) -> Path | None:
    return Path(given["output"]) if given["output"] else None


def _status(status: int) -> int:
    return REDIRECTION if status // 100 == REDIRECTION else 0
