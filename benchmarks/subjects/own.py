"""dynclient itself, and in the same process its limit, so that both are measured under the same conditions."""

from __future__ import annotations

from benchmarks.exchange import ACCOUNT, GIVEN, LISTED, STATE, document

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def imported(task: dict[str, Any]) -> None:
    """Import the package; except for ``bare``, with the name that everybody uses first."""
    import dynclient

    if not task.get("bare"):
        _ = dynclient.load


def loaded(task: dict[str, Any]) -> Any:
    """Load a document, and prepare an operation up to ``task["ready"]``: not at all, read, or ready to call."""
    import dynclient

    # A document may name no server.
    server = None if task.get("auth") else "http://127.0.0.1"
    auth = ("user", "password") if task.get("auth") else None
    cache = task["cache"]
    if task.get("apart"):
        import os

        # Each process finds a cache that is empty.
        cache = f"{cache}/{os.getpid()}"
    client = dynclient.load(task["path"], cache=cache, auth=auth, base_url=server)
    if task.get("ready") in {"read", "callable"}:
        operation = client.operations[task["operation"]]
        _ = operation.operation
        if task["ready"] == "callable":
            operation.prepare(**task["arguments"])
    return client


def called(client: Any, _task: dict[str, Any]) -> object:
    """Get the state of one phone call."""
    return client.get_call_state(ACCOUNT, STATE["callId"])


def calls(task: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """The two calls and the validation of an answer, with one engine, and the limits of each."""
    import dynclient
    from benchmarks.subjects import limit

    if task["engine"] == "jsonschema":
        import sys

        sys.modules["jsonschema_rs"] = None  # type: ignore[assignment]  # Python's way to say: not installed
    client = dynclient.load(document(task["url"]))
    limits = {f"limit-{name}": call for name, call in limit.calls(task).items()}
    return {
        "get": lambda: client.list_calls(ACCOUNT, to="+19195551234", page_size=5),
        "post": lambda: client.create_call(ACCOUNT, GIVEN),
        "validate": _validation(client),
        "limit-validate": _bare_validation(task),
        **limits,
    }


def _validation(client: Any) -> Callable[[], object]:
    """An answer that has arrived, validated as each call does it."""
    from dynclient._validation import validator

    schema = client.operations["listCalls"].operation.responses["200"].content["application/json"].schema
    check = validator(schema, "response")
    return lambda: check.faults(LISTED)


def _bare_validation(task: dict[str, Any]) -> Callable[[], object]:
    """The engine by itself: yes or no, by the schema as it stands."""
    whole = document(task["url"])
    answer = whole["paths"]["/accounts/{accountId}/calls"]["get"]["responses"]["200"]["content"]["application/json"]
    schema = {**answer["schema"], "components": whole["components"]}
    if task["engine"] == "jsonschema":
        import jsonschema

        validator: Any = jsonschema.Draft202012Validator(schema)
    else:
        import jsonschema_rs

        validator = jsonschema_rs.Draft202012Validator(schema)
    return lambda: validator.is_valid(LISTED)
