"""The source of a client's document, so that it can be read again: a file by its stamp, a URL by its validators."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dynclient._document import is_url, local_path
from dynclient._load import OneShotTransport
from dynclient._load import load as load_api
from dynclient._request import HiddenHeaders, hidden_headers
from dynclient.exceptions import ArgumentError
from dynclient.http_grammar import CONNECTION_FIELDS, REDIRECTS, is_field_value, is_token
from dynclient.messages import Headers, Response, Send
from dynclient.model import API

_NETWORK = ("limits", "tls", "proxy", "timeout", "block_private")
_NOT_MODIFIED = 304
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})


class DocumentSource:
    """A document's source, with the options that it is read with."""

    def __init__(self, source: Any, headers: Mapping[str, str] = {}, **options: Any) -> None:
        """Take the arguments of :func:`dynclient._load.load`, and the headers for requests to its URL."""
        self.given = source
        self._overlays = tuple(map(_Located, options.pop("overlays", ())))
        self._headers = headers
        self._options = options
        self._source = _Located(source)
        self._path, self._absolute = self._source.path, self._source.absolute
        self._validators = Validators() if _is_url(source) else None

    @property
    def is_local(self) -> bool:
        """Whether it is a file, which can be watched."""
        return self._path is not None

    def recipe(self) -> tuple[Any, dict[str, Any]]:
        """The source, so that it can be read from any folder, and the options that it is read with.

        Raises:
            TypeError: it is a file object, which can be read only once; or a secret is needed to read it.
        """
        if self._headers:
            raise TypeError("a client with document_auth or document_headers is not pickled: they may hold secrets")
        if hasattr(self.given, "read"):
            raise TypeError("a client of a file object is not pickled: load() a path, or the content of the file")
        overlays = [one.absolute if one.path is not None else one.given for one in self._overlays]
        return self._absolute if self._path is not None else self.given, {**self._options, "overlays": overlays}

    def stamps(self, api: API) -> tuple[object, ...]:
        """The current stamps of the document's files (:func:`stamps`)."""
        return stamps((self._absolute, *getattr(api.references, "paths", ())))

    def read(self) -> API:
        """Read the document.

        Raises:
            DocumentError: it can't be fetched, or can't be read.
            TransportError: its server can't be reached.
        """
        options: dict[str, Any] = {**self._options, "overlays": [one.now() for one in self._overlays]}
        if self._validators is None:
            return load_api(self._source.now(), **options)
        if self._overlays:
            # The overlays may have changed even if the document has not.
            network = {name: options[name] for name in _NETWORK}
            transport = OneShotTransport(**network, source=self.given, headers=self._headers)
            return load_api(self.given, transport=transport, **options)
        fetching = _ConditionalTransport(self._validators, source=self.given, headers=self._headers, **self._options)
        api = load_api(self.given, transport=fetching, **self._options)
        # A document that can't be read is fetched again.
        self._validators = fetching.found
        return api

    def again(self, old: API) -> API | None:
        """Read the document again; None if it has not changed.

        Raises:
            ArgumentError: it came from memory.
            DocumentError: it can't be fetched, or can't be read.
            TransportError: its server can't be reached.
        """
        can_change = [one.path is not None or _is_url(one.given) for one in (self._source, *self._overlays)]
        if not any(can_change):
            raise ArgumentError(
                "the document was given as a value, so it can't be read again",
                hint="load() from a path or a URL, or load() the new document",
            )
        try:
            new = self.read()
        except _NotModifiedError:
            return None
        same = new is old or (self._path is None and new.fingerprint == old.fingerprint)
        return None if same else new


class _Located:
    """A document or an overlay, as given by the caller. If it is not a file, ``path`` is None."""

    def __init__(self, given: Any) -> None:
        self.given = given
        self.path = local_path(given)
        self.absolute = _absolute(self.path) if self.path is not None else ""

    def now(self) -> Any:
        """The source as given by the caller, or its absolute path if the current folder has changed."""
        return self.given if self.path is None or _absolute(self.path) == self.absolute else self.absolute


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  # pathlib has no normalising `abspath`


def _is_url(source: Any) -> bool:
    return isinstance(source, str) and is_url(source)


def document_headers(
    source: Any, headers: Mapping[str, str] | None, auth: Any, allow_origins: Iterable[str]
) -> Mapping[str, str]:
    """The headers for requests to a document's URL: those of ``document_headers`` and ``document_auth``.

    Raises:
        ArgumentError: one can't be sent, or the document does not come from a URL.
        CredentialScopeError: they would go over plain http to another machine.
    """
    found = dict(hidden_headers(headers))
    name = "document_headers" if headers else "document_auth"
    if not found and auth is None:
        return {}
    if not _is_url(source):
        raise ArgumentError(f"{name} applies only to a document that is loaded from a URL", argument=name)
    from dynclient.security.trust import check_document

    check_document(source.strip(), allow_origins, name)
    if auth is not None:
        from dynclient.security.schemes import authorization_header

        found = {**{key: text for key, text in found.items() if key.lower() != "authorization"}}
        found["Authorization"] = authorization_header(auth, "document_auth")
    for key, text in found.items():
        if key.lower() in CONNECTION_FIELDS or not is_token(key) or not is_field_value(text):
            raise ArgumentError(f"document_headers: {key!r} can't be set, or contains a line break", argument=name)
    return HiddenHeaders(found)


def stamps(paths: Iterable[str]) -> tuple[object, ...]:
    """The stamps of files: equal stamps mean, in all likelihood, the same contents."""
    return tuple(map(_stamp, dict.fromkeys(paths)))


def _stamp(path: str) -> object:
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path is not needed for it
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class Validators(dict[str, tuple[str, str]]):
    """URL -> ETag and Last-Modified of the version that was read; either may be empty."""

    def conditions(self, url: str) -> dict[str, str]:
        """The headers that ask for a newer version only."""
        etag, modified = self.get(url, ("", ""))
        # RFC 9110, 13.1.3: If-Modified-Since is ignored if If-None-Match is present.
        return {**({"If-None-Match": etag} if etag else {}), **({"If-Modified-Since": modified} if modified else {})}


class _NotModifiedError(Exception):
    """The server has no newer version."""


class _ConditionalTransport(OneShotTransport):
    """A transport for one document: conditional for its URL and the redirects from there, plain for ``$ref``."""

    def __init__(self, validators: Validators, *, source: Any, headers: Mapping[str, str], **options: Any) -> None:
        """``options`` are those of :func:`dynclient._load.load`."""
        super().__init__(**{name: options[name] for name in _NETWORK}, source=source, headers=headers)
        self.found = Validators()
        self._validators = validators
        self._is_root_fetched = False

    def send(self, send: Send) -> Response:
        if self._is_root_fetched:
            return super().send(send)
        request, url = send.request, send.request.url
        conditions = self._validators.conditions(url)
        if conditions:
            # A cached compiled form may be of another version than the one that this client has read.
            others = [pair for pair in request.headers.pairs() if pair[0].lower() not in _CONDITIONS]
            request = replace(request, headers=Headers([*others, *conditions.items()]))
        response = super().send(send._replace(request=request))
        if response.status == _NOT_MODIFIED and conditions:
            raise _NotModifiedError
        if response.status not in REDIRECTS:
            self._is_root_fetched = True
            # RFC 9110, 15.4.5: a 304 has the ETag that a 200 would have; a date may be left out.
            modified = response.headers.get("last-modified") or request.headers.get("if-modified-since", "")
            self.found[url] = (response.headers.get("etag", ""), modified)
        return response
