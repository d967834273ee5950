"""The device authorization grant (RFC 8628): a person logs in on another device, and meanwhile the server is asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from dynclient._secrets import DeviceCode
from dynclient.exceptions import AuthorizationError
from dynclient.messages import Response, Run, Sleep
from dynclient.security.oauth2.endpoints import Endpoints
from dynclient.security.oauth2.need import Need
from dynclient.security.oauth2.tokens import answer_of, form_request
from dynclient.security.steps import Steps, Way

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL = 5.0
_WAITING = frozenset({"authorization_pending", "slow_down"})


def device_code(need: Need, to: Endpoints, scope: str | None, way: Way) -> Steps[Response]:
    """Show a person a code, and ask the server until the person has used it: the response that has the token.

    Raises:
        AuthorizationError: the person said no, or did nothing in time.
    """
    fields = {"client_id": need.given.client_id, "scope": scope}
    response = yield way.send(form_request(to.own, fields, need.given, to.auth))
    device, shown = _shown(answer_of(response, way.limits), response)
    patience = min(need.given.login_timeout, shown.expires_in)
    way.wait_for_a_person(patience)
    end = way.world.clock() + patience
    interval = _number(answer_of(response, way.limits).get("interval"), _INTERVAL)
    if need.given.show_code is not None:
        yield Run(partial(need.given.show_code, shown))
    fields = {"grant_type": _GRANT, "device_code": device, "client_id": need.given.client_id}
    while True:
        if way.world.clock() + interval >= end:
            raise AuthorizationError(f"nobody logged in within {patience:g} seconds", error="expired_token")
        yield Sleep(interval)
        response = yield way.send(form_request(to.token, fields, need.given, to.auth))
        error = _error(response, way)
        if error not in _WAITING:
            way.begin_anew()
            return response  # type: ignore[no-any-return]  # what a step brings is untyped
        # RFC 8628, 3.5: five seconds more, for this and all that follow.
        interval += _INTERVAL if error == "slow_down" else 0.0


def _shown(answer: Mapping[str, Any], response: Response) -> tuple[str, DeviceCode]:
    device, code = answer.get("device_code"), answer.get("user_code")
    # Some servers still use the name that the address had in a draft.
    uri, complete = (
        answer.get("verification_uri", answer.get("verification_url")),
        answer.get("verification_uri_complete"),
    )
    if not (isinstance(device, str) and isinstance(code, str) and isinstance(uri, str)):
        raise AuthorizationError("the authorization server gave no code for a device", response=response)
    expires_in = _number(answer.get("expires_in"), 600.0)
    return device, DeviceCode(uri, code, complete if isinstance(complete, str) else None, expires_in)


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) and value > 0 else default


def _error(response: Response, way: Way) -> str:
    try:
        answer_of(response, way.limits)
    except AuthorizationError as error:
        return error.error
    return ""
