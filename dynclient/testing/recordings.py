"""Files of recorded exchanges: JSON Lines and HAR 1.2, for reading and writing, and vcrpy's YAML, for reading only.

A body is text if it is UTF-8, else base64, as in HAR. Files of other programs contain responses as a browser or vcrpy
saw them: this module decodes their content codings, and leaves out what only concerns a browser.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from dynclient import __version__, codecs
from dynclient.exceptions import ArgumentError
from dynclient.messages import Headers, Request, Response
from dynclient.model import MediaType
from dynclient.options import Limits


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
        found = list(reader(path.read_text(encoding="utf-8-sig")))
        return [one for one in found if urlsplit(one.request.url).scheme in {"http", "https"}]
    except OSError as error:
        what = error.strerror or str(error)
    except UnicodeDecodeError:
        what = f"it is not {name}: it is not text in UTF-8"
    except KeyError as error:
        what = f"it is not {name}: {error} is missing"
    except (ValueError, RecursionError) as error:
        what = f"it is not {name}: {error}"
    except (TypeError, AttributeError):
        what = f"it is not {name}: its members have other types"
    hint = "recordings are .jsonl, .har, or vcrpy's .yaml; Recorder(..., mode='all') writes a new file"
    raise ArgumentError(f"{path} can't be read: {what}", argument="path", hint=hint)


def write(path: Path, recordings: list[Recording], *, append: bool) -> None:
    """Write recordings, of which the last one is new: JSON Lines grow by it with ``append``, HAR is rewritten.

    Raises:
        OSError: the file can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".har":
        from dynclient._client.downloads import AtomicFile

        with AtomicFile(path) as file:
            file.write(_har(recordings).encode())
        return
    line = json.dumps(_line(recordings[-1]), ensure_ascii=False) + "\n"
    # In a single call, so that lines of several processes do not mix.
    with path.open("ab" if append else "wb", buffering=0) as lines:
        lines.write(line.encode())


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
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number}, column {error.colno}: {error.msg}") from None
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


# It got no response, changed the protocol, or had the response already.
_OF_THE_BROWSER = frozenset({0, HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.NOT_MODIFIED})


def _read_har(text: str) -> Iterator[Recording]:
    for entry in json.loads(text)["log"]["entries"]:
        asked, given = entry["request"], entry["response"]
        headers = _headers((one["name"], one["value"]) for one in asked["headers"])
        is_preflight = asked["method"] == "OPTIONS" and "access-control-request-method" in headers
        if is_preflight or given["status"] in _OF_THE_BROWSER:
            continue
        posted = asked.get("postData") or {}
        body = _bytes(posted.get("text"), posted.get("_base64"))
        kind = headers.get("content-type", posted.get("mimeType", ""))
        if body is None and posted.get("params"):
            fields = [(one["name"], one.get("value") or "") for one in posted["params"]]
            values = {name: [value for other, value in fields if other == name] for name, _ in fields}
            encoded = codecs.find(kind).encode(values, MediaType(kind), kind)
            body, kind = cast("bytes", encoded.body), encoded.content_type
        if kind:
            headers = headers.replace("content-type", kind)
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
    """Undo content codings; vcrpy may have done so already."""
    from dynclient.transports.body_reader import CodingError, TooLarge, decoded

    codings = [each.strip().lower() for each in coding.split(",") if body and each.strip()]
    try:
        return b"".join(filter(None, decoded(iter([body]), codings, Limits(), "response_bytes")))
    except (CodingError, TooLarge):
        return body


# The name of a format, and its reader, by the suffix of its files; other files are JSON Lines.
_FORMATS: dict[str, tuple[str, Callable[[str], Iterator[Recording]]]] = {
    ".har": ("HAR", _read_har),
    **dict.fromkeys((".yaml", ".yml"), ("a cassette of vcrpy", _read_vcr)),
}
