"""aiopenapi3, with one session for all calls; by default it opens one for each."""

from __future__ import annotations

from benchmarks.exchange import ACCOUNT, GIVEN, QUERY, STATE

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def imported(_task: dict[str, Any]) -> None:
    """Import the package."""
    import aiopenapi3  # noqa: F401  # importing it is the work


def loaded(task: dict[str, Any]) -> Any:
    """Load a document."""
    from pathlib import Path

    import httpx2
    from aiopenapi3 import FileSystemLoader, OpenAPI

    sessions: list[Any] = []

    client: Any = httpx2.Client  # the library has types only where something else has installed it

    class Session(client):  # type: ignore[misc]  # likewise
        def close(self) -> None:
            """Stay open: the next call takes it again."""

    def session(**options: Any) -> Any:
        if not sessions:
            sessions.append(Session(**options))
        return sessions[0]

    # It asks the annotation whether calls are to wait, and takes no text for one.
    session.__annotations__["return"] = httpx2.Client
    path = Path(task["path"])
    url = f"{task.get('url', 'http://127.0.0.1')}/{path.name}"
    api = OpenAPI.load_file(url, path.name, session_factory=session, loader=FileSystemLoader(path.parent))
    if task.get("auth"):
        api.authenticate(Basic=("user", "password"))
    return api


def called(api: Any, _task: dict[str, Any]) -> object:
    """Get the state of one phone call."""
    return api._.getCallState(parameters={"accountId": ACCOUNT, "callId": STATE["callId"]})


def calls(task: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """The two calls; both are validated by pydantic."""
    api = loaded(task)
    get, post = api._.listCalls, api.createRequest("createCall")
    parameters = {"accountId": ACCOUNT, **QUERY}
    return {
        "get": lambda: get(parameters=parameters),
        "post": lambda: post(parameters={"accountId": ACCOUNT}, data=GIVEN),
    }
