"""A client as a pickle: what it was loaded from, the document's hash and the options; neither sockets nor secrets.

Rule 1: a credential is not pickled, nor a hook or a transport: ``with_options(auth=...)`` gives the copy its own.
Rule 2: the copy is of the same document, or is not made at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dynclient.exceptions import UnreadableDocument
from dynclient.messages import SECRET_HEADERS

if TYPE_CHECKING:
    from dynclient._client._origin import Origin
    from dynclient._client._settings import Settings

_NOT_PICKLED = frozenset({"auth", "hooks"})


def reduced(face: type[Any], origin: Origin, fingerprint: str, settings: Settings) -> tuple[Any, ...]:
    """What ``pickle`` is to call, and with what."""
    told = {name: value for name, value in settings._asdict().items() if name not in _NOT_PICKLED}
    told["headers"] = {name: text for name, text in settings.headers.items() if name.lower() not in SECRET_HEADERS}
    source, options = origin.recipe()
    if options["proxy"] is not None:
        parts = urlsplit(options["proxy"].reveal())
        options["proxy"] = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return revived, (face, source, fingerprint, {**options, **told})


def revived(face: Any, source: Any, fingerprint: str, options: dict[str, Any]) -> Any:
    """Make the client again.

    Raises:
        UnreadableDocument: the document is not what it was.
    """
    later = {name: options.pop(name) for name in ("content_type", "accept")}
    client = face.load(source, **options)
    if client.api.fingerprint != fingerprint:
        raise UnreadableDocument(
            "the document has changed since the client was pickled", hint="load() makes a client of the new one"
        )
    return client.with_options(**later) if any(later.values()) else client
