"""The client that openapi-python-client generates from our documents when the benchmarks are installed."""

from __future__ import annotations

from benchmarks.exchange import ACCOUNT, GIVEN, STATE

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_TOKEN = "dXNlcjpwYXNzd29yZA=="  # noqa: S105  # that of nobody
ONLY = "voice.yaml"
"""The one document that there is code for."""


def imported(task: dict[str, Any]) -> None:
    """Import the generated package, and the function that is called."""
    import sys

    sys.path.insert(0, task["generated"])
    import voice_client.api.calls.get_call_state  # noqa: F401  # importing it is the work


def loaded(task: dict[str, Any]) -> Any:
    """Make the client: there is nothing to load."""
    from voice_client import AuthenticatedClient

    return AuthenticatedClient(base_url=task.get("url", "http://127.0.0.1"), token=_TOKEN, prefix="Basic")


def called(client: Any, _task: dict[str, Any]) -> object:
    """Get the state of one phone call."""
    from voice_client.api.calls.get_call_state import sync

    return sync(ACCOUNT, STATE["callId"], client=client)


def calls(task: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """The two calls; responses become attrs classes, and nothing is validated."""
    import sys

    sys.path.insert(0, task["generated"])
    from calls_client import Client
    from calls_client.api.calls import create_call, list_calls
    from calls_client.models import CreateCall

    client = Client(base_url=task["url"])
    return {
        "get": lambda: list_calls.sync(ACCOUNT, client=client, to="+19195551234", page_size=5),
        "post": lambda: create_call.sync(ACCOUNT, client=client, body=CreateCall.from_dict(GIVEN)),
    }
