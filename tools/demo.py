"""Make and show real calls to a mock server: ``make demo``.

Starts the mock server of the Voice Calls API on a free loopback port, makes its four calls over HTTP, makes one call of
the orders API as JSON and as XML, and shows calls that are refused before they are sent, and by the server.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import dynclient
from dynclient.exceptions import DynclientError, EncodeError, NotFound, RequestValidationError, Unauthorized
from dynclient.messages import Response
from dynclient.testing import Server, serve

OPENAPI = Path(os.path.relpath(Path(__file__).resolve().parent.parent / "openapi"))
ACCOUNT = "9900000"
USER, PASSWORD = "user", "a good password"
COLOURS = {"title": "1;36", "operation": "1", "good": "32", "bad": "33", "dim": "2"}
PRETTY = sys.stdout.isatty() and "NO_COLOR" not in os.environ

CALL = {
    "to": "+19195551234",
    "from": "+19195554321",
    "applicationId": "1234-qwer-5679-tyui",
    "answerUrl": "https://www.example.com/webhooks/answer",
}
BXML = '<?xml version="1.0" encoding="UTF-8"?><Bxml><SpeakSentence>Hello.</SpeakSentence></Bxml>'


def paint(text: str, colour: str) -> str:
    """The text in a colour, if the output is a terminal."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if PRETTY else text


def title(text: str) -> None:
    """Print a heading."""
    print("\n" + paint(text, "title"))


def shown(data: Any) -> str:
    """Data as JSON, indented below its operation."""
    return indented(json.dumps(data, indent=2, ensure_ascii=False), 4)


def indented(text: str, width: int = 13) -> str:
    """The lines, those after the first one indented."""
    return text.replace("\n", "\n" + " " * width)


def request_line(response: Response) -> str:
    """The request line that the server received."""
    request = response.request
    if request is None:
        return ""
    return f"{request.method} /{request.url.partition('://')[2].partition('/')[2]} HTTP/1.1"


def show_call(server: Server, data: Any) -> None:
    """Print the last exchange: operation, request line, status, data."""
    response = server.responses[-1]
    name = response.request.operation_id if response.request is not None else ""
    print(paint(f"  {name}", "operation"))
    print(f"    {request_line(response)}")
    print(f"    {paint(str(response.status), 'good')} {shown(data)}")


def refused(what: str, error: DynclientError) -> None:
    """Print an error that was expected."""
    print(f"  {what}")
    text = str(error).replace("\n", "\n    ")
    print(f"    {paint(type(error).__name__, 'bad')}: {text}")


def four_calls(voice: dynclient.Client, server: Server) -> None:
    """Create a call, get it, change it, and give it other instructions."""
    title("The four calls of the Voice Calls API")
    call = voice.create_call(ACCOUNT, CALL)
    show_call(server, call)
    show_call(server, voice.get_call_state(ACCOUNT, call["callId"]))
    show_call(server, voice.update_call(ACCOUNT, call["callId"], state="completed"))
    show_call(server, voice.update_call_bxml(ACCOUNT, call["callId"], BXML))


def both_ways() -> None:
    """Make one call as JSON and as XML."""
    title("One call, as JSON and as XML: other bytes, the same value")
    with serve(OPENAPI / "orders.yaml") as server:
        orders = dynclient.load(OPENAPI / "orders.yaml", base_url=server.url, auth="a key")
        operation = orders.operations["createOrder"]
        given = operation.example()
        with orders:
            answers = [sent_as(operation, given, f"application/{form}", server) for form in ("json", "xml")]
    if answers[0] != answers[1]:
        raise SystemExit("the two answers differ")
    print(f"  {paint('the value, both times', 'operation')}\n    {shown(answers[0])}")


def sent_as(operation: Any, given: dict[str, Any], content_type: str, server: Server) -> Any:
    """Make a call in one media type, and print the bytes of both bodies."""
    body = given.get("body", next(iter(given.values())))
    result = operation.send(body=body, content_type=content_type, accept=content_type)
    response = server.responses[-1]
    request = response.request
    sent = request.body if request is not None and isinstance(request.body, bytes) else b""
    print(f"  {paint(content_type, 'operation')}\n    {request_line(response)}")
    print(f"    {paint('sent', 'dim')}     {indented(sent.decode())}")
    print(f"    {paint('received', 'dim')} {indented(response.body.decode())}")
    return result.data


def refusals(voice: dynclient.Client, server: Server) -> None:
    """Show what is refused: by the client before anything is sent, or by the server."""
    title("Refused before it is sent")
    before = len(server.requests)
    wrong = {"to": 19195551234, "from": "+19195554321", "answerUrl": "https://www.example.com/a", "callTimeout": 0}
    expect(RequestValidationError, "a body with all its faults at once", lambda: voice.create_call(ACCOUNT, wrong))
    expect(
        EncodeError, "BXML that is not well-formed", lambda: voice.update_call_bxml(ACCOUNT, "c-1", "<Bxml><Hangup>")
    )
    if len(server.requests) != before:
        raise SystemExit("an invalid request was sent")
    title("Refused by the server")
    stranger = voice.with_options(auth=(USER, "a wrong password"))
    expect(Unauthorized, "a wrong password", lambda: stranger.create_call(ACCOUNT, CALL))
    expect(NotFound, "a call that does not exist", lambda: voice.get_call_state(ACCOUNT, "c-never-made"))


def expect(kind: type[DynclientError], what: str, call: Any) -> None:
    """Make a call that must raise this error."""
    try:
        call()
    except kind as error:
        refused(what, error)
    else:
        raise SystemExit(f"{what} was not refused")


def main() -> None:
    """Start the mock server and make all calls."""
    document = OPENAPI / "voice.yaml"
    with (
        serve(document, credentials=(USER, PASSWORD), stateful=True) as server,
        dynclient.Client.load(document, base_url=server.url, auth=(USER, PASSWORD)) as voice,
    ):
        print(f"{paint('dynclient', 'title')}: {voice.api.title} {voice.api.version}, a mock server at {server.url}")
        four_calls(voice, server)
        both_ways()
        refusals(voice, server)


if __name__ == "__main__":
    main()
