"""The limit: the least cost of the same work, with urllib3, orjson and PyYAML, without validation or safety."""

from __future__ import annotations

from benchmarks.exchange import ACCOUNT, GIVEN, QUERY, STATE

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}


def imported(_task: dict[str, Any]) -> None:
    """Import what sends requests; of a load, nothing: its import is counted there."""
    if _task["what"] != "load":
        import urllib3  # noqa: F401  # importing it is the work


def loaded(task: dict[str, Any]) -> Any:
    """Parse the document, or, for a call, make the pool."""
    if task["what"] == "first":
        import orjson  # as above
        import urllib3

        return urllib3.PoolManager()
    with open(task["path"], "rb") as file:  # noqa: PTH123  # pathlib would be counted too
        data = file.read()
    if task["path"].endswith(".json"):
        import orjson

        return orjson.loads(data)
    import yaml

    return yaml.load(data, Loader=yaml.CSafeLoader)


def called(pool: Any, task: dict[str, Any]) -> object:
    """Get the state of one phone call."""
    import orjson

    url = f"{task['url']}/accounts/{ACCOUNT}/calls/{STATE['callId']}"
    return orjson.loads(pool.request("GET", url, headers=HEADERS).data)


def calls(task: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """The two calls."""
    import orjson
    import urllib3

    pool = urllib3.PoolManager(maxsize=32, block=True)
    url = f"{task['url']}/accounts/{ACCOUNT}/calls"
    query = {name: str(value) for name, value in QUERY.items()}

    def get() -> object:
        return orjson.loads(pool.request("GET", url, fields=query, headers=HEADERS).data)

    def post() -> object:
        return orjson.loads(pool.request("POST", url, body=orjson.dumps(GIVEN), headers=HEADERS).data)

    return {"get": get, "post": post}
