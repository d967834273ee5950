"""Files of recorded exchanges: JSON Lines and HAR 1.2, for reading and writing, and vcrpy's YAML, for reading only.

A body is text if it is UTF-8, else base64, as in HAR. Files of other programs contain responses as a browser or vcrpy
saw them: this module decodes their content codings.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dynclient import __version__
from dynclient.exceptions import ArgumentError
from dynclient.messages import Headers, Request, Response


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded request and its response, without their secrets."""

    request: Request
    response: Response


def read(path: Path) -> list[Recording]:
    """Read a file of recordings, by its suffix.

    Raises:
        ArgumentError: it can't be read, or is not in its format.
    """
    name, reader = _FORMATS.get(path.suffix, ("JSON Lines", _read_lines))
    try:
        return list(reader(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else f"it is not {name} ({error})"
        hint = "recordings are .jsonl, .har, or vcrpy's .yaml"
        raise ArgumentError(f"{path} can't be read: {what}", argument="path", hint=hint) from None


def write(path: Path, recordings: list[Recording], *, new: int) -> None:
    """Write recordings, of which the last ``new`` are not in the file yet: JSON Lines grow, HAR is rewritten.

    Raises:
        OSError: the file can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".har":
        from dynclient._client.downloads import AtomicFile

        with AtomicFile(path) as file:
            file.write(_har(recordings).encode())
        return
    lines = [json.dumps(_line(recording), ensure_ascii=False) + "\n" for recording in recordings[-new:]]
    with path.open("a" if new < len(recordings) else "w", encoding="utf-8", newline="\n") as file:
        file.write("".join(lines))


# JSON Lines.


def _line(recording: Recording) -> dict[str, Any]:
    request, response = recording.request, recording.response
    return {
        "operation": request.operation_id,
        "request": {"method": request.method, "url": request.url, **_message(request)},
        "response": {"status": response.status, **_message(response)},
    }


def _message(message: Request | Response) -> dict[str, Any]:
    return {"headers": message.headers.pairs(), **_text(message.body, "body", "base64")}


def _read_lines(text: str) -> Iterator[Recording]:
    for line in filter(None, map(str.strip, text.splitlines())):
        data = json.loads(line)
        asked, given = data["request"], data["response"]
        body = _bytes(asked.get("body"), asked.get("base64"))
        request = Request(asked["method"], asked["url"], _headers(asked["headers"]), body, data.get("operation"))
        body = _bytes(given.get("body"), given.get("base64")) or b""
        yield Recording(request, Response(int(given["status"]), _headers(given["headers"]), body, request))


def _text(body: Any, name: str, encoded: str) -> dict[str, str]:
    if not isinstance(body, bytes):
        return {}
    try:
        return {name: body.decode("utf-8")}
    except UnicodeDecodeError:
        return {encoded: base64.b64encode(body).decode("ascii")}


def _bytes(text: str | None, encoded: str | None) -> bytes | None:
    if encoded is not None:
        return base64.b64decode(encoded)
    return text.encode("utf-8", "surrogatepass") if text is not None else None


def _headers(pairs: Iterable[tuple[str, str]]) -> Headers:
    # A browser writes the pseudo-header fields of HTTP/2 among the others (RFC 9113, 8.3).
    return Headers([(str(name), str(value)) for name, value in pairs if not str(name).startswith(":")])


# HAR 1.2.


def _har(recordings: Iterable[Recording]) -> str:
    creator = {"name": "dynclient", "version": __version__}
    log = {"version": "1.2", "creator": creator, "entries": [_entry(one) for one in recordings]}
    return json.dumps({"log": log}, indent=1, ensure_ascii=False) + "\n"


def _entry(recording: Recording) -> dict[str, Any]:
    request, response = recording.request, recording.response
    body = request.body if isinstance(request.body, bytes) else None
    kind = request.headers.get("content-type", "application/octet-stream")
    encoded = _text(response.body, "text", "base64")
    content = {"text": encoded["base64"], "encoding": "base64"} if "base64" in encoded else encoded
    common = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1}
    query = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    sent = {} if body is None else {"postData": {"mimeType": kind, **_text(body, "text", "_base64")}}
    return {
        "startedDateTime": datetime.now(UTC).isoformat(),
        "time": response.elapsed * 1000,
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": _fields(request.headers.pairs()),
            "queryString": _fields(query),
            "bodySize": len(body or b""),
            **common,
            **sent,
        },
        "response": {
            "status": response.status,
            "statusText": "",
            "headers": _fields(response.headers.pairs()),
            "content": {"size": len(response.body), "mimeType": response.content_type or "", **content},
            "redirectURL": response.headers.get("location", ""),
            "bodySize": -1,
            **common,
        },
        "cache": {},
        "timings": {"send": 0, "wait": response.elapsed * 1000, "receive": 0},
        "_operation": request.operation_id,
    }


def _fields(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _read_har(text: str) -> Iterator[Recording]:
    for entry in json.loads(text.removeprefix("\ufeff"))["log"]["entries"]:
        asked, given = entry["request"], entry["response"]
        if not given["status"]:
            continue  # The browser got no response, or sent no request.
        posted = asked.get("postData") or {}
        sent = posted.get("text")
        if sent is None and posted.get("params"):
            from urllib.parse import urlencode

            sent = urlencode([(one["name"], one.get("value", "")) for one in posted["params"]])
        headers = _headers((one["name"], one["value"]) for one in asked["headers"])
        body = _bytes(sent, posted.get("_base64"))
        request = Request(asked["method"], asked["url"], headers, body, entry.get("_operation"))
        content = given["content"]
        received = content.get("text")
        is_encoded = content.get("encoding") == "base64"
        body = _bytes(None if is_encoded else received, received if is_encoded else None) or b""
        headers = _headers((one["name"], one["value"]) for one in given["headers"]).without("content-encoding")
        yield Recording(request, Response(int(given["status"]), headers, body, request))


# vcrpy.


def _read_vcr(text: str) -> Iterator[Recording]:
    import yaml

    try:
        interactions = yaml.safe_load(text)["interactions"]
    except yaml.YAMLError as error:
        raise ValueError(str(error).partition("\n")[0]) from None
    for entry in interactions:
        asked, given = entry["request"], entry["response"]
        request = Request(asked["method"], asked["uri"], _listed(asked.get("headers")), _vcr_body(asked.get("body")))
        headers = _listed(given["headers"])
        body = _decoded(_vcr_body(given.get("body")) or b"", headers.get("content-encoding", ""))
        status = given["status"]["code"] if isinstance(given["status"], Mapping) else given["status"]
        yield Recording(request, Response(int(status), headers.without("content-encoding"), body, request))


def _listed(headers: Mapping[str, Any] | None) -> Headers:
    found = ((name, values if isinstance(values, list) else [values]) for name, values in (headers or {}).items())
    return _headers((name, value) for name, values in found for value in values)


def _vcr_body(body: Any) -> bytes | None:
    if isinstance(body, Mapping):
        return _bytes(None, body["base64_string"]) if "base64_string" in body else _vcr_body(body.get("string"))
    return body if isinstance(body, bytes) else _bytes(body, None)


def _decoded(body: bytes, coding: str) -> bytes:
    """Undo gzip and deflate; vcrpy may have done so already."""
    if coding not in {"gzip", "deflate"} or not body:
        return body
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body)
    except zlib.error:
        return body


# The name of a format, and its reader, by the suffix of its files; other files are JSON Lines.
_FORMATS: dict[str, tuple[str, Callable[[str], Iterator[Recording]]]] = {
    ".har": ("HAR", _read_har),
    **dict.fromkeys((".yaml", ".yml"), ("a cassette of vcrpy", _read_vcr)),
}
