"""Client and AsyncClient: an API as an object, whose attributes are its operations and tags."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dynclient._call import Hook
from dynclient._client import _typed
from dynclient._client._caller import AsyncCaller, Caller
from dynclient._client._connections import Connections
from dynclient._client._current import Current
from dynclient._client._index import WITH_HTTP_INFO, Index, Named, attributes_near, no_such_operation
from dynclient._client._ipython import allow_completion
from dynclient._client._method import OperationMethod
from dynclient._client._operations import Operations
from dynclient._client._origin import Origin
from dynclient._client._session import Session
from dynclient._client._settings import Settings, given_headers
from dynclient._request import ServerChoice
from dynclient.exceptions import ArgumentError, escaped
from dynclient.model import API, OperationRow
from dynclient.options import TLS, Limits, Redirects, Retry, Timeout, Validation, ValidationMode
from dynclient.security import concealed

if TYPE_CHECKING:
    from typing import Self  # type checkers know it; nothing of it is needed at run time

    from dynclient.changes import Changes


class Namespace:
    """The operations of one tag."""

    __slots__ = ("_caller", "_index", "_name")

    def __init__(self, name: str, index: Index, caller: Caller) -> None:
        self._name = name
        self._index = index
        self._caller = caller

    def __getattr__(self, name: str) -> OperationMethod:
        found = self._index.member(self._name, name)
        if found is None:
            raise no_such_operation(name, attributes_near(name, self._rows), self._name)
        return _method(self._caller, found)

    @property
    def _rows(self) -> Mapping[str, OperationRow]:
        return self._index.names.by_namespace.get(self._name, {})

    def __dir__(self) -> list[str]:
        return _with_variants(self._rows)

    def __repr__(self) -> str:
        return repr(self._listed()) if hasattr(sys, "ps1") else f"<{self._name}: {', '.join(self._rows)}>"

    def _repr_mimebundle_(self, **formats: Any) -> dict[str, str]:
        return self._listed()._repr_mimebundle_(**formats)  # IPython's name for it

    def _listed(self) -> Operations:
        """What is shown: the operations by the names that they have here."""
        caller = self._caller
        index = Index([row._replace(name=name) for name, row in self._rows.items()])
        return Operations(caller.session, index, lambda row: OperationMethod(caller, row), part=True)


class _Face:
    """What both clients have; an operation or tag of one of these names gets a trailing underscore."""

    _caller_class: type[Caller]

    def __init__(self, caller: Caller, current: Current) -> None:
        self._made = caller
        self._current = current
        allow_completion(type(self), Namespace)

    def _now(self) -> tuple[Caller, Index]:
        """The caller and the index of the document as it is now, which belong together."""
        edition = self._current.edition
        caller = self._made
        if caller.session is not edition.session:
            self._made = caller = type(caller)(edition.session, caller.settings)
        return caller, edition.operations

    @property
    def _caller(self) -> Caller:
        return self._now()[0]

    @property
    def _index(self) -> Index:
        return self._current.edition.operations

    @classmethod
    def load(
        cls,
        source: Any,
        *,
        base_url: str | None = None,
        server: ServerChoice = None,
        auth: Any = None,
        allow_origins: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
        timeout: Timeout | float | None = Timeout(),
        retry: Retry | int | None = Retry(),
        limits: Limits = Limits(),
        validate: Validation | ValidationMode = "strict",
        references: Iterable[str] = (),
        tls: TLS = TLS(),
        proxy: str | None = None,
        block_private: bool = False,
        redirects: Redirects = "same-origin",
        hooks: Hook | Iterable[Hook] = (),
        transport: Any = None,
        cache: bool | str | os.PathLike[str] = True,
        watch: bool | float = False,
    ) -> Self:
        """Make a client of an OpenAPI document.

        Args:
            source: a path, a URL, bytes, text, a file object, or the document as a mapping.
            base_url: an absolute URL that goes before every path, in place of the document's servers.
            server: which of the document's servers: its index, its name or URL, or a mapping of its variables, in which
                ``"server"`` may name one.
            auth: ``("user", "password")``, a token, an OAuth2, ``{"scheme name": credential}``, or a callable.
            allow_origins: further origins (``https://host:port``) that credentials may go to.
            headers: sent with every request.
            timeout: a Timeout, or seconds for the whole call and each of its phases; None for no limit at all.
            retry: a Retry, or how many attempts a call has; None for one.
            limits: bounds on the document and on what servers send.
            validate: ``"strict"``, ``"warn"``, ``"off"``, or a Validation with a mode for each direction.
            references: URL prefixes that the document's ``$ref`` may also lead to.
            tls: how servers prove who they are.
            proxy: the URL of an HTTP proxy. None is taken from the environment.
            block_private: connect to public addresses only, for calls, redirects, tokens, the document and its
                references: for URLs that others choose. Not with a proxy or a transport.
            redirects: which redirects of a GET or HEAD are followed: ``"same-origin"``, ``"none"``, or ``"any"``, which
                takes nothing of yours to another origin.
            hooks: objects with any of ``on_request``, ``on_response``, ``on_retry``, ``on_exchange`` and ``on_reload``.
            transport: what sends requests, in place of ours: a Transport, or for an AsyncClient an AsyncTransport.
            cache: whether the compiled form of the document is kept for the next load, or the folder that keeps it.
            watch: reload when the document's file changes, and call the hooks' ``on_reload``: True, or the seconds
                between two looks.

        Raises:
            DocumentError: the document can't be read.
            ArgumentError: an option is wrong.
        """
        auth, headers, proxy = concealed(auth), given_headers(headers), concealed(proxy)  # tracebacks may show them
        options = {
            "base_url": base_url,
            "server": server,
            "auth": auth,
            "allow_origins": allow_origins,
            "headers": headers,
            "timeout": timeout,
            "retry": retry,
            "validate": validate,
            "redirects": redirects,
            "hooks": hooks,
        }
        settings = Settings().changed(options)
        way = {"limits": limits, "tls": tls, "proxy": proxy, "block_private": block_private}
        _checked(block_private, proxy, transport)
        origin = Origin(source, references=tuple(references), timeout=settings.timeout, cache=cache, **way)
        if watch and not origin.local:
            raise ArgumentError("only a file can be watched", argument="watch", hint="reload() reads a URL again")
        api = origin.read()
        _typed.compare(source, api)
        connections = Connections(lambda: cls._transport(**way) if transport is None else transport)
        session = Session(api, limits, connections, certificate=tls.certificate is not None)
        caller, current = cls._caller_class(session, settings), Current(session, origin)
        _watched(current, caller, watch)
        return cls(caller, current)

    @classmethod
    def _transport(cls, **way: Any) -> Any:
        raise NotImplementedError

    @property
    def operations(self) -> Operations:
        """The operations, as a mapping that prints as a table."""
        caller, index = self._now()
        return Operations(caller.session, index, lambda row: OperationMethod(caller, row))

    @property
    def api(self) -> API:
        """The API as the document describes it: for programs that inspect it."""
        return self._caller.session.api

    def with_options(self, **options: Any) -> Self:
        """Return a client with other options on the same connections.

        Takes ``base_url``, ``server``, ``auth``, ``allow_origins``, ``headers`` (added to those that are there),
        ``timeout``, ``retry``, ``validate``, ``redirects``, ``hooks``, and ``content_type`` and ``accept``: the media
        types of bodies and of responses, where operations offer a choice.
        """
        return type(self)(self._caller.changed(options), self._current)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        caller, index = self._now()
        found = index.attribute(name)
        if found is None:
            own = (one for one in dir(type(self)) if not one.startswith("_"))
            names = index.names
            raise no_such_operation(name, attributes_near(name, names.by_name, [*names.by_namespace, *own]))
        return Namespace(name, index, caller) if isinstance(found, str) else _method(caller, found)

    def _fits(self) -> Callable[[Session], object]:
        """What raises where a new document's session does not fit this client."""
        made, settings = type(self._made), self._made.settings
        return lambda session: made(session, settings)

    def __reduce__(self) -> tuple[Any, ...]:
        from dynclient._client._pickling import reduced

        caller = self._caller
        return reduced(type(self), self._current.origin, caller.session.api.fingerprint, caller.settings)

    def __dir__(self) -> list[str]:
        own = [name for name in super().__dir__() if not name.startswith("_") or name.startswith("__")]
        names = self._index.names
        return [*own, *_with_variants(names.by_name), *names.by_namespace]

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.operations!r}" if hasattr(sys, "ps1") else self._head()

    def _repr_mimebundle_(self, **formats: Any) -> dict[str, str]:
        shown = self.operations._repr_mimebundle_(**formats)  # IPython's name for it
        from html import escape

        return {
            "text/plain": f"{self._head()}\n{shown['text/plain']}",
            "text/html": f"<p>{escape(self._head())}</p>{shown['text/html']}",
        }

    def _head(self) -> str:
        api = self.api
        count = len(self._index.names.by_name)
        text = f"<{type(self).__name__} of {api.title} {api.version}: {count} operation{'s' if count != 1 else ''}>"
        return escaped(text)


def _watched(current: Current, caller: Caller, how: bool | float) -> None:  # noqa: FBT001  # as load() takes it
    if how:
        from dynclient._client._watching import watch

        watch(current, caller, how)


class Client(_Face):
    """A client whose calls return when they are done. It is immutable, and threads may share it."""

    _caller_class = Caller

    @classmethod
    def _transport(cls, **way: Any) -> Any:
        from dynclient.transports import HTTPTransport

        return HTTPTransport(**way)

    def close(self) -> None:
        """Close the connections. Clients that ``with_options`` made share them, and are closed too."""
        transport = self._current.end()
        if transport is not None:
            transport.close()

    def reload(self) -> Changes:
        """Read the document again, and go on with it if it is another one; returns what changed.

        A file is read if it is not what it was, a URL is asked for a newer version. Operations that somebody holds go
        on with what they were made from, and so do calls on their way. Clients that ``with_options`` made follow.

        Raises:
            DocumentError: it can't be had, or can't be read; the client goes on with what it had.
            TransportError: the way to its server failed; likewise.
            ArgumentError: it was given as a value; or ``auth`` names no security scheme of the new one.
        """
        return self._current.reload(self._fits())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncClient(_Face):
    """A client whose calls are awaited, on asyncio or trio. Loading a document from a URL blocks."""

    _caller_class = AsyncCaller

    @classmethod
    def _transport(cls, **way: Any) -> Any:
        from dynclient.transports import AsyncHTTPTransport

        return AsyncHTTPTransport(**way)

    async def aclose(self) -> None:
        """Close the connections. Clients that ``with_options`` made share them, and are closed too."""
        transport = self._current.end()
        if transport is not None:
            await transport.aclose()

    async def reload(self) -> Changes:
        """Read the document again in a worker thread, as :meth:`Client.reload` does."""
        import anyio

        return await anyio.to_thread.run_sync(self._current.reload, self._fits())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


def _checked(block_private: bool, *others: Any) -> None:  # noqa: FBT001  # as load has it
    """Refuse to promise what can't be held: others than our own transport look up names themselves."""
    if block_private and any(other is not None for other in others):
        raise ArgumentError(
            "block_private can't look at the addresses that a proxy or a transport connects to",
            argument="block_private",
            hint="have those block them",
        )


def _method(caller: Caller, found: Named) -> OperationMethod:
    return OperationMethod(caller, found.row, name=found.name, with_http_info=found.with_http_info)


def _with_variants(names: Iterable[str]) -> list[str]:
    return [variant for name in names for variant in (name, name + WITH_HTTP_INFO)]


load = Client.load
