"""openapi-core, which sends nothing itself: with a session of requests, as its manual shows."""

from __future__ import annotations

from benchmarks.exchange import ACCOUNT, GIVEN, QUERY, STATE

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def imported(_task: dict[str, Any]) -> None:
    """Import both libraries."""
    import openapi_core  # noqa: F401  # importing it is the work
    import requests  # noqa: F401  # as above


def loaded(task: dict[str, Any]) -> Any:
    """Load a document."""
    from openapi_core import OpenAPI

    return OpenAPI.from_file_path(task["path"])


def called(api: Any, task: dict[str, Any]) -> object:
    """Get the state of one phone call."""
    return _send(api, _session(), "GET", f"{task['url']}/accounts/{ACCOUNT}/calls/{STATE['callId']}")


def calls(task: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """The two calls; both are validated by jsonschema."""
    api, session = loaded(task), _session()
    url = f"{task['url']}/accounts/{ACCOUNT}/calls"
    return {
        "get": lambda: _send(api, session, "GET", url, params=QUERY),
        "post": lambda: _send(api, session, "POST", url, json=GIVEN),
    }


def _session() -> Any:
    import requests

    session = requests.Session()
    session.auth = ("user", "password")
    return session


def _send(api: Any, session: Any, method: str, url: str, **given: Any) -> object:
    import requests
    from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

    request = session.prepare_request(requests.Request(method, url, **given))
    described = RequestsOpenAPIRequest(request)
    api.validate_request(described)
    return api.unmarshal_response(described, RequestsOpenAPIResponse(session.send(request))).data
