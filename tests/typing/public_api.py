"""Only type-checked: what type checkers see of the public API of its types."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from typing_extensions import assert_type

import dynclient
from dynclient import exceptions, options, security
from dynclient.messages import Headers, Request, Response, Send


def load() -> None:
    client = dynclient.load("voice.yaml", auth=("user", "password"), timeout=5, retry=2, validate="warn")
    assert_type(client, dynclient.Client)
    assert_type(client.with_options(timeout=dynclient.Timeout(connect=1)), dynclient.Client)
    with dynclient.Client.load(b"{}", validate=dynclient.Validation(responses="off")) as entered:
        assert_type(entered, dynclient.Client)
    assert_type(len(client.operations), int)
    assert_type(list(client.operations), list[str])
    dynclient.load({"openapi": "3.1.0"}, retry=dynclient.Retry(attempts=1), limits=options.Limits(body_depth=64))
    dynclient.load("voice.yaml", validate="never")  # type: ignore  # no such mode


class OwnAuth:
    def flow(self, request: Request, context: security.AuthContext) -> Generator[Request, Response, None]:
        response = yield request
        assert_type(response.status, int)
        assert_type(context.scopes, tuple[str, ...])


async def credential(wanted: security.CredentialRequest) -> str:
    return wanted.scheme.name


def authentication() -> None:
    own: security.Auth = OwnAuth()
    signed: security.Auth = security.HMACAuth("key", header="X-Signature", template="{method}")
    dynclient.load("voice.yaml", auth=own)
    dynclient.load("voice.yaml", auth={"Signed": signed, "Basic": security.BasicAuth("user", "password")})
    dynclient.AsyncClient.load("voice.yaml", auth=credential)


def results(result: dynclient.HTTPResult) -> None:
    data, status, headers = result
    assert_type(data, Any)
    assert_type(status, int)
    assert_type(headers, Headers)
    assert_type(result.status, int)
    assert_type(headers["content-type"], str)
    assert_type(headers.get_list("set-cookie"), list[str])


def messages(request: dynclient.Request, response: dynclient.Response) -> None:
    assert_type(request.method, str)
    assert_type(request.to_curl(), str)
    assert_type(response.status, int)
    assert_type(response.content_type, str | None)


def errors(client: dynclient.Client) -> None:
    try:
        client.create_call()
    except exceptions.NotFound as error:
        assert_type(error.status, int)
    except exceptions.RequestValidationError as error:
        assert_type(error.errors, tuple[exceptions.Fault, ...])
    except dynclient.ApiError as error:
        assert_type(error.problem, exceptions.Problem | None)
    except dynclient.TransportError as error:
        assert_type(error.outcome_unknown, bool)
    except dynclient.DynclientError as error:
        assert_type(error.operation_id, str | None)


class Recorder:
    """A transport of a user's own: any class of this form is one."""

    def send(self, send: Send) -> dynclient.Response:
        return dynclient.Response(204, request=send.request)

    def close(self) -> None:
        return None


def transports() -> None:
    dynclient.load("voice.yaml", transport=Recorder())


async def asynchronous() -> None:
    async with dynclient.AsyncClient.load("voice.yaml") as client:
        assert_type(client, dynclient.AsyncClient)
        await client.create_call()
