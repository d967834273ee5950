"""Map all errors of an exchange to dynclient's errors, in one place.

The errors of ssl and sockets may contain secrets. Only the operating system's own texts are used, and no error is kept
as a cause.
"""

from __future__ import annotations

import builtins
import socket
import ssl
from typing import Any

from dynclient._records import Record
from dynclient.exceptions import (
    ClientClosed,
    ConnectError,
    ConnectionLost,
    DecodeError,
    DynclientError,
    PoolTimeout,
    ProtocolError,
    TimeoutError,  # noqa: A004  # dynclient's own; Python's is said in full
    TLSError,
    TransportError,
)
from dynclient.messages import Request, Response
from dynclient.options import Limits
from dynclient.transports.body_reader import CodingError, TooLarge, too_large
from dynclient.transports.clock import DeadlineExceeded
from dynclient.transports.http11 import IncompleteResponse, RemoteProtocolError
from dynclient.transports.pool import PoolClosed
from dynclient.transports.request_writer import BodyFailed

FOREIGN = (
    DeadlineExceeded,
    PoolClosed,
    RemoteProtocolError,
    IncompleteResponse,
    BodyFailed,
    OSError,
    ValueError,
)
"""The errors that an exchange may end with."""

_TIMES = (DeadlineExceeded, builtins.TimeoutError)


class ErrorContext(Record):
    """The progress of the exchange when the error occurred.

    ``connect_hint`` is the hint if there is no connection to the server. ``securing``: the connection was open, and its
    TLS handshake had begun; ``sent``: bytes of the request may have left; ``total``: the call's own deadline has
    passed; ``reused``: the connection had served another request, and no byte of this response has arrived;
    ``is_silent``: no byte has arrived on this connection at all.
    """

    request: Request
    host: str
    scheme: str
    connect_hint: str
    phase: str
    securing: bool
    sent: bool
    total: bool
    elapsed: float
    aborted: bool = False
    reused: bool = False
    is_silent: bool = False


def map_exception(error: BaseException, at: ErrorContext) -> BaseException:
    """Return dynclient's error for one of FOREIGN."""
    if isinstance(error, BodyFailed):
        return error.error
    if isinstance(error, PoolClosed):
        return ClientClosed("the client has been closed", operation_id=at.request.operation_id)
    if at.aborted:
        return _made(ConnectionLost, "the request was cancelled", at)
    made = _PHASES[at.phase](error, at)
    if isinstance(made, ConnectionLost):
        made.reused = at.reused
    return made


def _in_pool(_: BaseException, at: ErrorContext) -> DynclientError:
    return _made(PoolTimeout, f"no connection to {at.host} became free in time", at)


def _in_connect(error: BaseException, at: ErrorContext) -> DynclientError:
    if isinstance(error, _TIMES):
        if at.total:
            return _made(TimeoutError, f"the call's time ran out while connecting to {at.host}", at, phase="connect")
        if at.securing:
            return _made(TLSError, f"{at.host} did not finish the TLS handshake in time", at)
        return _made(ConnectError, f"{at.host} did not answer in time", at, hint=at.connect_hint)
    if isinstance(error, ssl.SSLError):
        return _made(
            TLSError, f"the TLS certificate or handshake of {at.host} failed{_reason(error)}", at, hint=tls_hint(error)
        )
    if isinstance(error, socket.gaierror):
        return _made(ConnectError, f"the host {at.host} can't be found", at, hint=at.connect_hint)
    return _made(ConnectError, f"can't connect to {at.host}{_reason(error)}", at, hint=at.connect_hint)


def _in_transfer(error: BaseException, at: ErrorContext) -> DynclientError:
    doing = "sending the request" if at.phase == "write" else "waiting for the response"
    if isinstance(error, _TIMES):
        whose = "the call's time" if at.total else "time"
        return _made(TimeoutError, f"{whose} ran out while {doing}", at, phase=at.phase)
    if isinstance(error, RemoteProtocolError):
        return _made(ProtocolError, f"the response is not HTTP: {error}", at)
    if isinstance(error, ssl.SSLEOFError):
        text = "TLS ended without close_notify before the whole response had arrived: it may have been cut off"
        return _made(ConnectionLost, text, at, hint="stream() yields the bytes received before")
    hint = ""
    if at.scheme == "http" and at.is_silent:
        hint = "nothing was received; if the server uses TLS at this port, use https:// in base_url"
    text = "the server closed the connection before the whole response had arrived"
    if not isinstance(error, IncompleteResponse):
        text = f"the connection broke while {doing}{_reason(error)}"
    return _made(ConnectionLost, text, at, hint=hint)


def refused(error: TooLarge | CodingError, response: Response, limits: Limits) -> DynclientError:
    """Return the error for a body that can't be accepted; ``response`` has its first bytes."""
    operation_id = response.request.operation_id if response.request is not None else None
    response = response.beginning()
    if isinstance(error, TooLarge):
        return too_large(error.limit, limits, response=response, operation_id=operation_id)
    return DecodeError(str(error), response=response, operation_id=operation_id)


_PHASES = {"pool": _in_pool, "connect": _in_connect, "write": _in_transfer, "read": _in_transfer}


def _made(kind: type[TransportError], message: str, at: ErrorContext, **more: Any) -> TransportError:
    return kind(
        message,
        request=at.request,
        operation_id=at.request.operation_id,
        outcome_unknown=at.sent,
        elapsed=at.elapsed,
        **more,
    )


_NO_TLS = frozenset({
    "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING",
    "UNKNOWN_PROTOCOL", "WRONG_VERSION_NUMBER",
})  # fmt: skip
"""OpenSSL's names of the reasons that a server without TLS causes."""


def tls_hint(error: ssl.SSLError) -> str:
    """Return the hint for a failed handshake."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "if the server does not use TLS at this port, use http:// in base_url" if error.reason in _NO_TLS else ""
    message = error.verify_message.lower()
    if "mismatch" in message:
        return "the certificate is for another host name than that of base_url"
    if "expired" in message:
        return ""
    return 'if you trust its authority, pass its PEM file: load(..., tls=dynclient.TLS(ca_file="ca.pem"))'


def _reason(error: BaseException) -> str:
    """Return the text of the operating system or of TLS; never a text that may contain a URL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f": {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return f": {error.reason.replace('_', ' ').lower()}"
    if isinstance(error, OSError) and error.strerror:
        return f": {error.strerror}"
    return f" ({type(error).__name__})"
