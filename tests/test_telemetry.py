"""Spans and metrics as OpenTelemetry's own SDK sees them, and the headers that servers receive, with both clients."""

from __future__ import annotations

import subprocess
import sys
import threading

import anyio
import pytest
import werkzeug
from opentelemetry import context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pytest_httpserver import HTTPServer

import dynclient
from dynclient import exceptions
from dynclient.options import OAuth2, Retry
from dynclient.telemetry import ExchangeSpan, OpenTelemetry

ANSWER = {"200": {"description": "ok", "content": {"application/json": {}}}, "404": {"description": "none"}}
ROWS = {"200": {"description": "ok", "content": {"application/jsonl": {}}}}
FLOW = {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}}
DOCUMENT = {
    "openapi": "3.2.0",
    "info": {"title": "Traced", "version": "1"},
    "paths": {
        "/a/{id}": {
            "get": {
                "operationId": "get",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "q", "in": "query", "schema": {"type": "string"}},
                ],
                "responses": ANSWER,
            },
            "additionalOperations": {
                "PURGE": {
                    "operationId": "purge",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": ANSWER,
                }
            },
        },
        "/rows": {"get": {"operationId": "rows", "responses": ROWS}},
        "/guarded": {"get": {"operationId": "guarded", "responses": ANSWER, "security": [{"OAuth": []}]}},
        "/keyed": {"get": {"operationId": "keyed", "responses": ANSWER, "security": [{"Key": []}]}},
    },
    "components": {
        "securitySchemes": {
            "OAuth": {"type": "oauth2", "flows": FLOW},
            "Key": {"type": "apiKey", "in": "query", "name": "key"},
        }
    },
}


class Traced:
    """A client of either kind with an exporter of its own, and what came out."""

    def __init__(self, way, url):
        self.way, self.url = way, url
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = tracers.get_tracer("test")
        self.hook = OpenTelemetry(tracer_provider=tracers, meter_provider=MeterProvider([self.reader]))

    def call(self, name, *arguments, stream=False, **options):
        given = {"base_url": self.url, "hooks": self.hook, "retry": Retry(base=0), **options}
        if self.way == "async":
            return anyio.run(self._awaited, name, arguments, stream, given)
        with dynclient.load(DOCUMENT, **given) as client:
            if not stream:
                return getattr(client, name)(*arguments)
            with getattr(client, name).stream(*arguments) as answer:
                return self.spans, list(answer.iter_items())

    async def _awaited(self, name, arguments, stream, given):
        async with dynclient.AsyncClient.load(DOCUMENT, **given) as client:
            if not stream:
                return await getattr(client, name)(*arguments)
            async with getattr(client, name).stream(*arguments) as answer:
                return self.spans, [item async for item in answer.iter_items()]

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    @property
    def points(self):
        metrics = self.reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
        return {metric.name: (metric.unit, metric.data.data_points) for metric in metrics}


@pytest.fixture(params=["sync", "async"])
def traced(request, httpserver):
    return Traced(request.param, httpserver.url_for(""))


def told(httpserver):
    """The traces that the server was told of, by its requests; a new version may set further flags."""
    heard = [request.headers.get("traceparent") for request, _ in httpserver.log]
    return [text and text.rpartition("-")[0] for text in heard]


def traceparent(span):
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}"


def test_a_span_has_what_the_conventions_ask_for(traced, httpserver):
    httpserver.expect_request("/a/1").respond_with_json(7)
    assert traced.call("get", "1") == 7
    (span,) = traced.spans
    assert (span.name, span.kind, span.status.status_code) == ("GET /a/{id}", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "server.address": "localhost",
        "server.port": httpserver.port,
        "url.full": httpserver.url_for("/a/1"),
        "url.scheme": "http",
        "url.template": "/a/{id}",
        "http.response.status_code": 200,
        "dynclient.operation_id": "get",
    }
    assert span.instrumentation_scope.name == "dynclient"
    assert told(httpserver) == [traceparent(span)]


def test_the_duration_is_measured(traced, httpserver):
    httpserver.expect_request("/a/1").respond_with_json(7)
    traced.call("get", "1")
    unit, (point,) = traced.points["http.client.request.duration"]
    assert (unit, point.count, point.explicit_bounds[:2]) == ("s", 1, (0.005, 0.01))
    assert 0 < point.sum < 30
    assert point.attributes["http.response.status_code"] == 200
    assert point.attributes["url.template"] == "/a/{id}"
    assert "url.full" not in point.attributes


def test_each_attempt_is_a_span_of_its_own(traced, httpserver):
    httpserver.expect_ordered_request("/a/1").respond_with_data(status=503)
    httpserver.expect_ordered_request("/a/1").respond_with_json(7)
    with traced.tracer.start_as_current_span("outer") as outer:
        traced.call("get", "1")
    first, second, _ = traced.spans
    assert {span.parent.span_id for span in (first, second)} == {outer.get_span_context().span_id}
    assert (first.attributes["error.type"], first.status.status_code) == ("503", StatusCode.ERROR)
    assert first.status.description is None
    assert "http.request.resend_count" not in first.attributes
    assert second.attributes["http.request.resend_count"] == 1
    assert told(httpserver) == [traceparent(first), traceparent(second)]


def test_an_error_status_is_an_error(traced, httpserver):
    httpserver.expect_request("/a/1").respond_with_data(status=404)
    with pytest.raises(exceptions.NotFound):
        traced.call("get", "1")
    (span,) = traced.spans
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "404")
    assert span.attributes["http.response.status_code"] == 404


def test_an_exchange_that_fails_is_an_error(traced):
    with pytest.raises(exceptions.ConnectError):
        traced.call("get", "1", base_url="http://127.0.0.1:9", retry=1)
    (span,) = traced.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ConnectError")
    assert span.attributes["error.type"] == "ConnectError"
    assert (span.attributes["server.address"], span.attributes["server.port"]) == ("127.0.0.1", 9)
    assert [event.name for event in span.events] == ["exception"]
    assert "http.response.status_code" not in span.attributes


def test_a_redirect_is_a_span_without_a_template(traced, httpserver):
    httpserver.expect_request("/a/1").respond_with_data(status=302, headers={"Location": "/b?x=canary"})
    httpserver.expect_request("/b").respond_with_json(7)
    traced.call("get", "1")
    first, second = traced.spans
    assert (first.name, first.status.status_code) == ("GET /a/{id}", StatusCode.UNSET)
    assert (second.name, second.attributes["http.request.resend_count"]) == ("GET", 1)
    assert second.attributes["url.full"] == httpserver.url_for("/b?x=REDACTED")
    assert told(httpserver) == [traceparent(first), traceparent(second)]


def test_another_origin_is_not_told(traced, httpserver):
    with HTTPServer() as other:
        other.expect_request("/b").respond_with_json(7)
        httpserver.expect_request("/a/1").respond_with_data(status=302, headers={"Location": other.url_for("/b")})
        assert traced.call("get", "1", redirects="any") == 7
        assert told(other) == [None]
    assert [span.attributes["server.port"] for span in traced.spans] == [httpserver.port, other.port]


def test_a_request_for_a_token_is_a_span_and_tells_no_secret(traced, httpserver):
    httpserver.expect_request("/token").respond_with_json({"access_token": "canary-token", "token_type": "bearer"})
    httpserver.expect_request("/guarded").respond_with_json(7)
    auth = OAuth2("me", "canary-secret", token_url=httpserver.url_for("/token"))
    traced.call("guarded", auth=auth)
    token, call = traced.spans
    assert (token.name, call.name) == ("POST", "GET /guarded")
    assert told(httpserver) == [traceparent(token), traceparent(call)]
    assert "canary" not in "".join(span.to_json() for span in traced.spans)


def test_a_secret_of_the_query_is_redacted(traced, httpserver):
    httpserver.expect_request("/keyed").respond_with_data(status=404)
    with pytest.raises(exceptions.NotFound):
        traced.call("keyed", auth={"Key": "canary"})
    (span,) = traced.spans
    assert span.attributes["url.full"] == httpserver.url_for("/keyed?key=REDACTED")
    assert "canary" not in span.to_json()


def test_a_span_of_a_stream_ends_with_its_head(traced, httpserver):
    httpserver.expect_request("/rows").respond_with_data(b"1\n2\n", content_type="application/jsonl")
    within, items = traced.call("rows", stream=True)
    assert items == [1, 2]
    assert [span.name for span in within] == ["GET /rows"]
    assert len(traced.spans) == 1


def test_an_unknown_method_is_other(traced, httpserver):
    httpserver.expect_request("/a/1", method="PURGE").respond_with_json(7)
    traced.call("purge", "1")
    (span,) = traced.spans
    assert span.name == "HTTP /a/{id}"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "PURGE"


def test_a_body_that_can_not_be_decoded_is_an_error_with_its_status(traced, httpserver):
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    httpserver.expect_request("/a/1").respond_with_data(b"no gzip", headers=headers)
    with pytest.raises(exceptions.DecodeError):
        traced.call("get", "1", retry=1)
    (span,) = traced.spans
    assert span.attributes["error.type"] == "DecodeError"
    assert span.attributes["http.response.status_code"] == 200


def test_nothing_is_made_where_instrumentation_is_suppressed(traced, httpserver):
    httpserver.expect_request("/a/1").respond_with_json(7)
    token = context.attach(context.set_value("suppress_instrumentation", True))  # its own way
    try:
        traced.call("get", "1")
    finally:
        context.detach(token)
    assert traced.spans == ()
    assert told(httpserver) == [None]


def test_what_is_prepared_has_no_trace(httpserver):
    hook = Traced("sync", "").hook
    with dynclient.load(DOCUMENT, base_url=httpserver.url_for(""), hooks=hook) as client:
        assert "traceparent" not in client.get.prepare("1").headers


def test_a_cancelled_call_ends_its_span(httpserver):
    traced = Traced("async", httpserver.url_for(""))
    released = anyio.run(_cancelled, traced, httpserver)
    (span,) = traced.spans
    assert released
    assert span.attributes["error.type"] == "cancelled"


async def _cancelled(traced, httpserver):
    asked, go_on = threading.Event(), threading.Event()

    def slow(_):
        asked.set()
        go_on.wait(10)
        return werkzeug.Response("7", content_type="application/json")

    httpserver.expect_request("/a/1").respond_with_handler(slow)
    try:
        client = dynclient.AsyncClient.load(DOCUMENT, base_url=traced.url, hooks=traced.hook)
        async with client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, "1")
            await anyio.to_thread.run_sync(asked.wait, 10)
            tasks.cancel_scope.cancel()
    finally:
        go_on.set()
    return asked.is_set()


class Adds:
    """A hook that sends headers along, and is told how it ended."""

    def __init__(self, **headers):
        self.headers = {name.replace("_", "-"): text for name, text in headers.items()}
        self.ends = []

    def on_exchange(self, event):
        return ExchangeSpan(self.headers, self.ends.append)


def test_no_hook_replaces_a_credential(httpserver):
    httpserver.expect_request("/a/1").respond_with_json(7)
    document = {**DOCUMENT, "security": [{"Word": []}]}
    document["components"] = {"securitySchemes": {"Word": {"type": "http", "scheme": "bearer"}}}
    hook = Adds(Authorization="Bearer other", X_Note="here")
    with dynclient.load(document, base_url=httpserver.url_for(""), auth="canary", hooks=hook) as client:
        client.get("1")
    ((request, _),) = httpserver.log
    assert (request.headers["Authorization"], request.headers["X-Note"]) == ("Bearer canary", "here")
    (end,) = hook.ends
    assert (end.status, end.error) == (200, None)


def test_a_header_of_a_hook_can_not_end_its_line(httpserver):
    hook = Adds(X_Note="a\r\nX-Evil: b")
    client = dynclient.load(DOCUMENT, base_url=httpserver.url_for(""), hooks=hook)
    with client, pytest.raises(exceptions.ArgumentError, match="X-Note"):
        client.get("1")
    assert httpserver.log == []


def test_opentelemetry_is_imported_when_it_is_used():
    code = "import sys, dynclient, dynclient.telemetry; print([n for n in sys.modules if n.startswith('opentele')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(exceptions.ArgumentError, match=r"dynclient\[otel\]"):
        OpenTelemetry()
