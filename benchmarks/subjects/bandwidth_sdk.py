"""The SDK that openapi-generator made for the Voice API's vendor: it has no document to load."""

from __future__ import annotations

from benchmarks.exchange import ACCOUNT, GIVEN, STATE

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ONLY = "voice.yaml"
"""The one document that there is code for."""


def imported(_task: dict[str, Any]) -> None:
    """Import the package."""
    import bandwidth  # noqa: F401  # importing it is the work


def loaded(task: dict[str, Any]) -> Any:
    """Make the client: there is nothing to load."""
    import bandwidth

    url = task.get("url", "http://127.0.0.1")
    configuration = bandwidth.Configuration(
        username="user",
        password="password",  # noqa: S106  # that of nobody
        host=url,
        ignore_operation_servers=True,
    )
    return bandwidth.CallsApi(bandwidth.ApiClient(configuration))


def called(api: Any, _task: dict[str, Any]) -> object:
    """Get the state of one phone call."""
    return api.get_call_state(ACCOUNT, STATE["callId"])


def calls(task: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """The two calls; both are validated by pydantic."""
    from bandwidth import CreateCall

    imported(task)
    api = loaded(task)
    return {
        "get": lambda: api.list_calls(ACCOUNT, to="+19195551234", page_size=5),
        "post": lambda: api.create_call(ACCOUNT, CreateCall.from_dict(GIVEN)),
    }
