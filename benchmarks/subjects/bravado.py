"""bravado, which reads only OpenAPI 2.0, with its default client (requests) and its default configuration."""

from __future__ import annotations

from benchmarks.exchange import ACCOUNT, GIVEN, QUERY, STATE

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

OLD = True
"""Give it the document in OpenAPI 2.0 where there is one."""


def imported(_task: dict[str, Any]) -> None:
    """Import the client."""
    from bravado.client import SwaggerClient  # noqa: F401  # importing it is the work


def loaded(task: dict[str, Any]) -> Any:
    """Load a document."""
    from bravado.client import SwaggerClient
    from bravado.requests_client import RequestsClient
    from bravado.swagger_model import load_file

    http = RequestsClient()
    if task.get("auth"):
        http.set_basic_auth("127.0.0.1", "user", "password")
    return SwaggerClient.from_spec(load_file(task["path"]), origin_url=f"file://{task['path']}", http_client=http)


def called(client: Any, _task: dict[str, Any]) -> object:
    """Get the state of one phone call."""
    return client.Calls.getCallState(accountId=ACCOUNT, callId=STATE["callId"]).response().result


def calls(task: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """The two calls; both are validated by jsonschema."""
    tag = loaded(task).Calls
    return {
        "get": lambda: tag.listCalls(accountId=ACCOUNT, **QUERY).response().result,
        "post": lambda: tag.createCall(accountId=ACCOUNT, body=GIVEN).response().result,
    }
