"""Spans and a metric for each request, by OpenTelemetry's semantic conventions for HTTP clients (stable since 1.23).

Use ``dynclient.load(..., hooks=OpenTelemetry())``. It needs the extra ``otel``, which is OpenTelemetry's API alone: the
application configures where spans go.

Rule 1: each request that is sent has a span of its own, as the conventions require. Retries, redirects and requests for
tokens are siblings, numbered by ``http.request.resend_count``. A call has no span.
Rule 2: a span ends when the response has arrived; for a streamed response, when its head has arrived.
Rule 3: spans and metrics contain no secrets, no values of query parameters, and no bodies.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dynclient import __version__
from dynclient._call.instrumentation import ExchangeEnd, ExchangeEvent, ExchangeSpan
from dynclient._deferred import needing
from dynclient.exceptions import ArgumentError, DynclientError

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["Companion", "ExchangeSpan", "OpenTelemetry"]

Companion = ExchangeSpan
"""The former name of :class:`ExchangeSpan`."""

_SCHEMA = "https://opentelemetry.io/schemas/1.29.0"
# HTTP spans, http.request.method: any other method is _OTHER, so that there are few different values.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"})
_ERROR = 400
# HTTP metrics, http.client.request.duration: the bounds of its buckets, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
# The attributes of a span that a metric has as well.
_MEASURED = ("http.request.method", "server.address", "server.port", "url.scheme", "url.template")


class OpenTelemetry:
    """A hook that starts a span for each request, propagates it (``traceparent``), and measures the time."""

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        """Take providers of spans and metrics; by default those of the application.

        Raises:
            ArgumentError: OpenTelemetry is not installed.
        """
        with needing(ArgumentError, "this hook needs", "otel", argument="hooks"):
            from opentelemetry import metrics, trace
        self._tracer = trace.get_tracer("dynclient", __version__, tracer_provider, schema_url=_SCHEMA)
        meter = metrics.get_meter("dynclient", __version__, meter_provider, schema_url=_SCHEMA)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )

    def on_exchange(self, event: ExchangeEvent, /) -> ExchangeSpan | None:
        """Start a span; returns the headers that propagate its context."""
        from opentelemetry import context, propagate, trace

        # Exporters suppress the instrumentation of their own requests.
        if context.get_value("suppress_instrumentation") or context.get_value("suppress_http_instrumentation"):
            return None
        attributes = _attributes(event)
        span = self._tracer.start_span(_name(event), kind=trace.SpanKind.CLIENT, attributes=attributes)
        headers: dict[str, str] = {}
        propagate.inject(headers, context=trace.set_span_in_context(span))
        return ExchangeSpan(headers, partial(self._ended, span, attributes))

    def _ended(self, span: Span, attributes: dict[str, Any], end: ExchangeEnd) -> None:
        from opentelemetry.trace import StatusCode

        outcome: dict[str, Any] = {}
        if end.status is not None:
            outcome["http.response.status_code"] = end.status
        kind = _error_type(end)
        if kind is not None:
            outcome["error.type"] = kind
            # A description is set only if it says more than the status code.
            span.set_status(StatusCode.ERROR, None if end.error is None else kind)
        if isinstance(end.error, DynclientError):
            span.record_exception(end.error)
        span.set_attributes(outcome)
        span.end()
        measured = {name: attributes[name] for name in _MEASURED if name in attributes}
        self._duration.record(end.elapsed, {**measured, **outcome})


def _name(event: ExchangeEvent) -> str:
    """HTTP spans, name: method and template, or the method alone."""
    method = event.method if event.method in _METHODS else "HTTP"
    return f"{method} {event.template}" if event.template else method


def _attributes(event: ExchangeEvent) -> dict[str, Any]:
    scheme, host, port = event.origin
    known = event.method in _METHODS
    attributes: dict[str, Any] = {
        "http.request.method": event.method if known else "_OTHER",
        "server.address": host,
        "server.port": port,
        "url.full": _redacted(event.url),
        "url.scheme": scheme,
        "dynclient.operation_id": event.operation_id,
    }
    if not known:
        attributes["http.request.method_original"] = event.method
    if event.template:
        attributes["url.template"] = event.template
    if event.attempt > 1:
        attributes["http.request.resend_count"] = event.attempt - 1
    return attributes


def _redacted(url: str) -> str:
    """The URL of an event, with REDACTED for each value of its query, as the conventions require."""
    before, mark, query = url.partition("?")
    names = (field.partition("=")[0] for field in query.split("&"))
    return before + mark + "&".join(f"{name}=REDACTED" for name in names) if query else before


def _error_type(end: ExchangeEnd) -> str | None:
    if isinstance(end.error, GeneratorExit):
        return "cancelled"
    if end.error is not None:
        return type(end.error).__qualname__
    return str(end.status) if end.status is not None and end.status >= _ERROR else None
