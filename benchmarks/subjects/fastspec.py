"""fastspec, with its blocking transport and one session for all calls. It validates nothing."""

from __future__ import annotations

from benchmarks.exchange import ACCOUNT, GIVEN, STATE

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

JSON = True
"""Give it JSON where there is YAML too."""


def imported(_task: dict[str, Any]) -> None:
    """Import the package."""
    import fastspec.oapi  # noqa: F401  # importing it is the work


def loaded(task: dict[str, Any]) -> Any:
    """Load a document: it takes one that is parsed, and has no parser for YAML."""
    import json

    import httpx2
    from fastcore.utils import dict2obj
    from fastspec.oapi import OpenAPIClient
    from fastspec.spec import SpecParser
    from fasttransport.core import SyncTransport

    with open(task["path"], "rb") as file:  # noqa: PTH123  # as the limit does it
        spec = SpecParser.from_openapi(dict2obj(json.loads(file.read())))
    return OpenAPIClient(spec, transport=SyncTransport(client=httpx2.Client()))


def called(client: Any, _task: dict[str, Any]) -> object:
    """Get the state of one phone call."""
    return client.func_dict["/accounts/{accountId}/calls/{callId}:GET"](accountId=ACCOUNT, callId=STATE["callId"])


def calls(task: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """The two calls."""
    client = loaded(task)
    operations = client.func_dict
    get, post = (operations[f"/accounts/{{accountId}}/calls:{method}"] for method in ("GET", "POST"))
    return {
        "get": lambda: get(accountId=ACCOUNT, to="+19195551234", pageSize=5),
        "post": lambda: post(accountId=ACCOUNT, body_=GIVEN),
    }
