"""Client and AsyncClient: an API as an object, whose attributes are its operations and tags."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache, wraps
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from dynclient._call import Hook
from dynclient._client.drivers import AsyncDispatcher, Dispatcher
from dynclient._client.operation_method import Namespace, OperationMethod, Operations, Summary, allow_completion
from dynclient._client.shown_methods import ShownClassMethod, of_options, outermost, shown_as
from dynclient._client.state import (
    SECONDS,
    ClientState,
    DocumentSource,
    LoadedDocument,
    Watcher,
    attributes_near,
    no_such_operation,
    variant,
)
from dynclient._client.state import document_headers as headers_of_document
from dynclient._escaping import counted, one_line
from dynclient._identifiers import near
from dynclient._request import CallOptions, ServerChoice, hidden_defaults, hidden_headers, listed, with_numbers
from dynclient._secrets import SECRET_HEADERS
from dynclient.exceptions import ArgumentError, UnreadableDocument
from dynclient.model import API
from dynclient.options import (
    TLS,
    Conversion,
    Limits,
    Rate,
    RateLimiter,
    Redirects,
    Retry,
    Secret,
    Timeout,
    ValidationChoice,
)
from dynclient.security import concealed

if TYPE_CHECKING:
    from http.cookiejar import CookieJar
    from typing import Self  # for type checkers only; not needed at run time

    from dynclient._call.http_cache import HTTPCache
    from dynclient.changes import Changes


_P = ParamSpec("_P")
_R = TypeVar("_R")
# The number of operations that are listed one by one: they fit on a screen or two.
_MANY = 100
# auth, cookies, defaults and query may hold secrets, the others anything.
_NOT_PICKLED = frozenset({"auth", "cookies", "defaults", "hooks", "query", "upload_progress"})


_MEANT = {
    "access_token": "auth=",
    "api_key": "auth=",
    "cert": "tls=TLS(certificate=...)",
    "max_retries": "retry=",
    "params": "query= of with_options()",
    "proxies": "proxy=",
    "session": "transport=Urllib3Transport(session)",
    "token": "auth=",
    "uds": "unix_socket=",
    "verify": "tls=TLS(ca_file=...) to trust an authority, TLS(insecure_skip_verify=True) to accept any certificate",
}
"""Names that other libraries have for an option -> its name here."""


def _no_option(name: str) -> ArgumentError:
    """Return the error about an option that ``load`` does not have, with similar names."""
    import inspect

    matches = near(name, list(inspect.signature(_BaseClient.load).parameters))
    hint = f"use {_MEANT[name]}" if name in _MEANT else ""
    return ArgumentError(f"load() has no option {name}", argument=name, matches=() if hint else matches, hint=hint)


def _with_known_options(load: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorate ``load``: an unknown option is an ArgumentError with a hint, not a bare TypeError."""

    @wraps(load)
    def called(*args: _P.args, **options: _P.kwargs) -> _R:
        for name in options:
            if name != "source" and name not in (load.__kwdefaults__ or ()):
                options.clear()  # their values may be secrets, which tracebacks would show
                raise _no_option(name)
        try:
            return load(*args, **options)
        except BaseException:
            options.clear()
            raise

    return called


class _BaseClient:
    """The interface of both clients; an operation or tag of one of these names gets a trailing underscore."""

    _dispatcher_class: type[Dispatcher]
    _transport_class: str

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._state = dispatcher.state
        self._last = dispatcher
        allow_completion(type(self), Namespace)

    @property
    def _dispatcher(self) -> Dispatcher:
        """The dispatcher for the current version of the document: it changes with a reload."""
        dispatcher, document = self._last, self._state.document
        if dispatcher.document is not document:
            self._last = dispatcher = type(dispatcher)(self._state, dispatcher.options, document)
        return dispatcher

    @classmethod
    @outermost
    @_with_known_options
    def load(
        cls,
        source: Any,
        *,
        base_url: str | None = None,
        server: ServerChoice = None,
        auth: Any = ...,
        allow_origins: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
        timeout: Timeout | float | None = Timeout(),
        retry: Retry | int | None = Retry(),
        rate: Rate | RateLimiter | str | None = None,
        limits: Limits = Limits(),
        validate: ValidationChoice = "strict",
        references: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
        overlays: Any = (),
        document_headers: Mapping[str, str] | None = None,
        document_auth: Any = None,
        tls: TLS = TLS(),
        proxy: str | None = None,
        unix_socket: str | os.PathLike[str] | None = None,
        block_private: bool = False,
        redirects: Redirects = "same-origin",
        hooks: Hook | Iterable[Hook] = (),
        cookies: bool | CookieJar = False,
        http_cache: HTTPCache | None = None,
        coerce: bool = False,
        convert: Conversion = None,
        defaults: Mapping[str, object] | None = None,
        paginate: Mapping[str, Mapping[str, object]] | None = None,
        transport: Any = None,
        cache: bool | str | os.PathLike[str] = True,
        watch: bool | float = False,
    ) -> Self:
        """Make a client of an OpenAPI document.

        Args:
            source: a path, a URL, bytes, text, a file object, or the document as a mapping.
            base_url: an absolute URL, used instead of the document's servers: it is the prefix of every path.
            server: which of the document's servers to use: its index, name or URL, or a mapping of its variables, in
                which ``"server"`` may name one.
            auth: ``("user", "password")``, a token, an OAuth2, ``{"scheme name": credential}``, or a callable. None
                sends calls without the credentials that the document requires; without ``auth`` such a call is an
                error.
            allow_origins: further origins (``https://host:port``) that credentials may go to.
            headers: sent with every request.
            timeout: a Timeout, or seconds for the whole call and for each of its phases; None for no limit.
            retry: a Retry, or the number of attempts of a call; None for one.
            rate: limits the requests to each origin: ``"50/s"``, a Rate, or a RateLimiter; ``"auto"`` follows the
                server's rate limit headers.
            limits: bounds on the document and on what servers send.
            validate: ``"strict"``, ``"warn"``, ``"off"``, ``"record"``, which counts the faults of responses for
                ``dynclient.drift``, or a Validation with a mode for each direction; or a mapping of operations to
                these.
            references: further folders and URL prefixes that the document's ``$ref`` may refer to.
            overlays: OpenAPI Overlays (1.0 and 1.1) that change the document before it is read, in this order: each a
                path, a URL or a mapping.
            document_headers: sent when the document itself is fetched from its URL: to that origin only, also by
                ``reload()``, and never with a call.
            document_auth: for the same requests, a token or ``("user", "password")``, in the header Authorization.
            tls: a TLS: how the server's certificate is verified, and the client's own certificate.
            proxy: the URL of a proxy (``http``, ``https`` or ``socks5``), or ``"environment"`` for those of HTTP_PROXY,
                HTTPS_PROXY, ALL_PROXY and NO_PROXY. By default none is used.
            unix_socket: the path of a Unix socket that all calls connect to, whatever host ``base_url`` has.
            block_private: connect to public addresses only, for calls, redirects, tokens, the document and its
                references: for URLs that others choose. Not with a proxy or a transport.
            redirects: which redirects of GET and HEAD requests are followed: ``"same-origin"``, ``"none"``, ``"any"``,
                which sends no headers or credentials to another origin, or ``"all"``, documented ones too.
            hooks: objects with any of ``on_request``, ``on_response``, ``on_retry``, ``on_exchange`` and ``on_reload``.
            cookies: whether cookies of trusted servers are kept and sent back, or the ``http.cookiejar.CookieJar`` that
                keeps them.
            http_cache: an HTTPCache that stores responses to GET requests and reuses them by the rules of RFC 9111.
            coerce: convert strings in arguments by their schemas: ``"3"`` becomes 3 where the document has an integer.
            convert: Python types for data of responses: ``"dates"``, ``"uuids"``, ``"decimals"`` by their formats, a
                mapping of schema names to classes (pydantic, attrs, dataclass) or functions, or a list of these.
            defaults: values of parameters, such as ``{"owner": "me"}``, for the calls of all operations that have a
                parameter of that name and do not pass it. Positional arguments skip these parameters.
            paginate: how lists page where the document does not say so: operationId, Python name, ``"METHOD /path"``,
                or ``"*"`` for every list, to a mapping with any of ``items``, ``next``, ``more``, ``total``, ``last``,
                ``size`` and ``start``, as ``op.pagination`` shows them.
            transport: sends the requests instead of the built-in transport: a Transport, or an AsyncTransport for an
                AsyncClient.
            cache: whether to keep the compiled form of the document for the next load, or the folder for it.
            watch: reload when the document's file changes, and call the hooks' ``on_reload``: True, or the seconds
                between two checks.

        Raises:
            DocumentError: the document can't be read.
            ArgumentError: an option is wrong.
        """
        # Tracebacks may show them.
        auth, headers, proxy = concealed(auth), hidden_headers(headers), concealed(proxy)
        defaults = hidden_defaults(defaults)
        document_headers, document_auth = hidden_headers(document_headers), concealed(document_auth)
        given = locals()
        network = {"limits": limits, "tls": tls, "proxy": proxy, "block_private": block_private}
        _check_network(tls, block_private, proxy, unix_socket, transport)
        _check_kind("limits", limits, Limits)
        with_numbers(limits, "limits")
        _check_kind("cache", cache, bool | str | os.PathLike)
        call_options = CallOptions().changed({name: given[name] for name in CallOptions._fields if name in given})
        how: dict[str, Any] = {"references": listed("references", references), "overlays": listed("overlays", overlays)}
        fetched_with = headers_of_document(source, document_headers, document_auth, call_options.allow_origins)
        found = DocumentSource(source, fetched_with, timeout=call_options.timeout, cache=cache, **how, **network)
        return cls._of(found, transport, {**network, "unix_socket": unix_socket}, call_options, watch)

    if not TYPE_CHECKING:
        load = ShownClassMethod(load)

    @classmethod
    def _of(
        cls,
        source: DocumentSource,
        transport: Any,
        network: Mapping[str, Any],
        options: CallOptions,
        watch: bool | float,  # noqa: FBT001  # as load() takes it
    ) -> Self:
        """Read a document and make its client; ``network`` are the arguments of the built-in transport."""
        _check_transport(transport, is_async=cls._dispatcher_class.is_async)
        if watch and not source.is_local:
            raise ArgumentError("only a file can be watched", argument="watch", hint="reload() reads a URL again")
        api = source.read()
        if documents := _documents():
            from dynclient.inspection.emitted import check

            # Logs a warning once if the package was generated from another version of the document.
            check(documents, source.given, api)
        options = _with_base_url(options, transport, api)

        def make_transport() -> Any:
            if transport is not None:
                return transport
            return getattr(import_module("dynclient.transports"), cls._transport_class)(**network)

        state = ClientState(
            source,
            api,
            network["limits"],
            make_transport,
            certificate=network["tls"].certificate is not None,
            own_transport=transport is None,
            kept={"unix_socket": network["unix_socket"]},
        )
        dispatcher = cls._dispatcher_class(state, options)
        if watch:
            state.stop_watching = Watcher(state, dispatcher, SECONDS if watch is True else watch).stop
        return cls(dispatcher)

    @property
    def operations(self) -> Operations:
        """The operations, as a mapping that prints as a table."""
        dispatcher = self._dispatcher
        return Operations(dispatcher, dispatcher.document.names)

    @property
    def request(self) -> Any:
        """Send requests that the document does not describe, with the same server, credentials, retries and limits.

        ``client.request("GET", "/path", query={...})`` returns an HTTPResult, on an AsyncClient an awaitable of one.
        ``client.request.stream(...)`` leaves the body unread, ``client.request.prepare(...)`` sends nothing.
        """
        from dynclient._client.raw_requests import RawRequests

        return RawRequests(self._dispatcher)

    @property
    def api(self) -> API:
        """The API as described by the document, for programs that inspect it."""
        return self._state.document.api

    @shown_as(of_options)
    @outermost
    def with_options(self, **options: Any) -> Self:
        """Return a client with other options on the same connections.

        Takes ``base_url``, ``server``, ``auth``, ``allow_origins``, ``headers`` (added to the existing ones),
        ``timeout``, ``retry``, ``rate``, ``validate``, ``redirects``, ``hooks``, ``cookies``, ``http_cache``,
        ``coerce``, ``convert``, ``defaults`` and ``paginate`` as ``load`` does; ``content_type`` and ``accept``: the
        media types of bodies and of responses, where operations offer a choice; and ``upload_progress``: a function
        that is called with the number of bytes of a body sent so far, and the total or None. ``query`` has query fields
        that are missing in the document: a mapping of name to a string, number, boolean or list; they replace arguments
        of the same name.
        """
        return type(self)(self._dispatcher.changed(options))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        dispatcher = self._dispatcher
        names = dispatcher.document.names
        found = variant(names.by_name, name)
        if found is not None:
            return OperationMethod(dispatcher, *found)
        if name in names.by_namespace:
            return Namespace(name, dispatcher)
        if name in dispatcher.document.renamed:
            raise no_such_operation(name, [dispatcher.document.renamed[name]])
        own = (one for one in dir(type(self)) if not one.startswith("_"))
        raise no_such_operation(name, attributes_near(name, names.by_name, [*names.by_namespace, *own]))

    @property
    def _webhooks(self) -> Any:
        """The receiver for the document's webhooks."""
        from dynclient._incoming.receiving import Receiver

        mode = self._dispatcher.options.validate.responses
        return Receiver(self._state.document.webhooks, self._state.limits, mode)

    def _check(self) -> Callable[[LoadedDocument], object]:
        """A function that raises if a new document does not fit this client's options."""
        made, state, options = type(self._last), self._state, self._last.options
        return lambda document: made(state, options, document)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduced(type(self), self._dispatcher)

    def __dir__(self) -> list[str]:
        own = [name for name in super().__dir__() if not name.startswith("_") or name.startswith("__")]
        names = self._state.document.names
        return [*own, *names.by_name, *names.by_namespace]

    def __repr__(self) -> str:
        return f"{self._head()}\n{self._listed()!r}" if hasattr(sys, "ps1") else self._head()

    def _repr_mimebundle_(self, **formats: Any) -> dict[str, str]:
        shown = self._listed()._repr_mimebundle_(**formats)  # IPython's name for it
        from html import escape

        return {
            "text/plain": f"{self._head()}\n{shown['text/plain']}",
            "text/html": f"<p>{escape(self._head())}</p>{shown['text/html']}",
        }

    def _listed(self) -> Operations | Summary:
        """The members to list: the operations, or the namespaces if there are many operations."""
        names = self._state.document.names
        return Summary(self.api) if names.by_namespace and len(names.by_name) > _MANY else self.operations

    def _head(self) -> str:
        api = self.api
        operations = counted(len(self._state.document.names.by_name), "operation")
        return one_line(f"<{type(self).__name__} of {api.title} {api.version}: {operations}>")


class Client(_BaseClient):
    """A synchronous client of an API: its operations are methods. It is immutable, and threads may share it."""

    _dispatcher_class = Dispatcher
    _transport_class = "HTTPTransport"

    def close(self) -> None:
        """Close the connections. Clients that ``with_options`` made share them, and are closed too."""
        transport = self._state.close()
        if transport is not None:
            transport.close()

    @outermost
    def reload(self) -> Changes:
        """Read the document again, and use it if it has changed; returns the changes.

        A file is read if its size or time has changed; a URL is fetched with a conditional request. Operations that a
        program holds, and calls in progress, keep the version that they were made from. Clients made by
        ``with_options`` use the new one too.

        Raises:
            DocumentError: the document can't be fetched or read; the client keeps the one that it has.
            TransportError: the connection to its server failed; the client keeps the document that it has.
            ArgumentError: the document was given as a value; or ``auth`` names no security scheme of the new document.
        """
        return self._state.reload(self._check())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncClient(_BaseClient):
    """An asynchronous client of an API, for asyncio and trio: its operations are coroutine methods.

    Loading a document from a URL blocks.
    """

    _dispatcher_class = AsyncDispatcher
    _transport_class = "AsyncHTTPTransport"

    async def aclose(self) -> None:
        """Close the connections. Clients that ``with_options`` made share them, and are closed too."""
        transport = self._state.close()
        if transport is not None:
            await transport.aclose()

    @outermost
    async def reload(self) -> Changes:
        """Read the document again in a worker thread, as :meth:`Client.reload` does."""
        import anyio

        return await anyio.to_thread.run_sync(self._state.reload, self._check())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


def _with_base_url(options: CallOptions, transport: Any, api: API) -> CallOptions:
    """The options with a mock's address, if neither the caller nor the document names a server."""
    base_url = getattr(transport, "default_base_url", None)
    if base_url is None or options.base_url is not None or any("//" in server.url for server in api.servers):
        return options
    path = api.servers[0].url if api.servers else "/"
    return options.changed({"base_url": f"{base_url}/{path.strip('/')}"})


def _check_kind(name: str, value: Any, kind: Any) -> None:
    if not isinstance(value, kind):
        wanted = getattr(kind, "__name__", None) or "True, False or a folder"
        raise ArgumentError(f"{name} must be {wanted}, not {value!r}", argument=name)


def _check_network(tls: Any, block_private: bool, *others: Any) -> None:  # noqa: FBT001  # as in load
    """Check the options of the network.

    A proxy or a transport looks up names itself, so ``block_private`` is refused with one.
    """
    proxy, unix_socket, _ = others
    if proxy is not None and not isinstance(proxy, Secret):
        hint = 'say proxy="http://host:port", or proxy="environment"'
        raise ArgumentError(f"proxy must be a URL, not a {type(proxy).__name__}", argument="proxy", hint=hint)
    if unix_socket is not None and not isinstance(unix_socket, str | os.PathLike):
        raise ArgumentError(f"unix_socket must be a path, not {unix_socket!r}", argument="unix_socket")
    if not isinstance(tls, TLS):
        hint = "TLS(insecure_skip_verify=True) accepts any certificate" if tls is False else ""
        raise ArgumentError(f"tls must be a TLS(...) of dynclient.options, not {tls!r}", argument="tls", hint=hint)
    if block_private and any(other is not None for other in others):
        raise ArgumentError(
            "block_private can't check the addresses that a proxy or a transport connects to",
            argument="block_private",
            hint="block them in the proxy or the transport instead",
        )


def _check_transport(transport: Any, *, is_async: bool) -> None:
    """Make sure that a transport has a ``send``, which a Client can't await."""
    if transport is None:
        return
    import inspect

    send = getattr(transport, "send", None)
    if not callable(send) or (inspect.iscoroutinefunction(send) and not is_async):
        name = type(transport).__name__
        hint = "an AsyncClient takes it" if callable(send) else "Urllib3Transport and HttpxTransport wrap other clients"
        raise ArgumentError(
            f"transport must have a method send(), not async, as {name} does not", argument="transport", hint=hint
        )


def _reduced(cls: type[Any], dispatcher: Dispatcher) -> tuple[Any, ...]:
    """The pickled form of a client: its source, the document's hash, and the options without connections or secrets.

    Credentials, query fields, hooks and a transport are not pickled: ``with_options`` gives the copy its own.
    """
    options, state = dispatcher.options, dispatcher.state
    given = {name: value for name, value in options._asdict().items() if name not in _NOT_PICKLED}
    if options.auth is None:
        given["auth"] = None
    given["cookies"] = options.cookies is not None
    schemes = dispatcher.document.api.security_schemes.values()
    hidden = SECRET_HEADERS | {scheme.parameter.lower() for scheme in schemes if scheme.in_ == "header"}
    given["headers"] = {name: text for name, text in options.headers.items() if name.lower() not in hidden}
    source, how = state.source.recipe()
    if how["proxy"] is not None:
        parts = urlsplit(how["proxy"].reveal())
        how["proxy"] = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return _revived, (cls, source, dispatcher.document.api.fingerprint, {**how, **state.kept, **given})


def _revived(cls: Any, source: Any, fingerprint: str, options: dict[str, Any]) -> Any:
    """Make a pickled client again.

    Raises:
        UnreadableDocument: the document has changed.
    """
    later = {name: options[name] for name in ("content_type", "accept")}
    client = cls.load(source, **{name: value for name, value in options.items() if name not in later})
    if client.api.fingerprint != fingerprint:
        raise UnreadableDocument(
            "the document has changed since the client was pickled", hint="load() makes a client of the new document"
        )
    return client.with_options(**later) if any(later.values()) else client


@cache
def _documents() -> Mapping[str, str]:
    """The documents of the project's ``dynclient_types`` with their hashes; empty without such a package."""
    spec = find_spec("dynclient_types")
    # The package of this name that dynclient installs has no code: it is for type checkers only.
    if spec is None or not spec.has_location or spec.origin is None:
        return {}
    from dynclient.inspection.emitted import documents

    return documents(spec.origin)


load = Client.load
