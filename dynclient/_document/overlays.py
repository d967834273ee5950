"""The overlays of a document: apply them, and record which file each member came from.

Rule 1: the key of a document's form in the cache has the hash of its overlays. So a form is used as long as neither the
document nor an overlay has changed, and a warm load reads the overlays' bytes, but does not parse them.
Rule 2: an overlay from the network is not trusted, even for a local document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from dynclient._deferred import cached_property
from dynclient._document import source as sources
from dynclient._document.compiled import DamagedError, decoded, encoded
from dynclient._document.source import Source, path_of
from dynclient._document.text import unreadable, utf8
from dynclient.json_pointer import split
from dynclient.options import Limits

if TYPE_CHECKING:  # a warm load needs none of these
    from dynclient._document.compiled import Compiled, Writer
    from dynclient._document.data import LineFinder
    from dynclient._overlays.overlay import Applied, Overlay
    from dynclient.transports import Transport


class Overlays:
    """The overlays of one document, in the order in which they are applied."""

    def __init__(self, files: tuple[Source, ...], limits: Limits) -> None:
        """Take the overlays as they were received."""
        self.files = files
        self._limits = limits
        self._origins: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = {}
        self._lines: dict[int, LineFinder] = {}

    @classmethod
    def of_form(cls, form: Compiled, limits: Limits) -> Overlays | None:
        """Return the overlays that a shipped form was made with; None if there were none."""
        try:
            found = [(str(name), bool(remote)) for name, remote in form.about.get("overlays", ())]
        except (TypeError, ValueError):
            raise unreadable("is damaged: its overlays are not named", "<compiled>") from None
        files = tuple(Source(b"", name, name, remote=remote, named=name) for name, remote in found)
        return cls(files, limits) if files else None

    @cached_property
    def key(self) -> str:
        """A hash of all overlays."""
        found = sha256()
        for file in self.files:
            found.update(sha256(file.data if isinstance(file.data, bytes) else _encoded(file.data, file.name)).digest())
        return found.hexdigest()

    @property
    def is_remote(self) -> bool:
        """Whether one of them came from the network."""
        return any(file.remote for file in self.files)

    @property
    def paths(self) -> tuple[str, ...]:
        """The local files among them."""
        return tuple(path_of(file.uri) for file in self.files if file.uri.startswith("file:"))

    def is_current(self) -> bool:
        """Return whether the local files among them are unchanged."""
        return all(file.again() == file.data for file in self.files if file.uri.startswith("file:"))

    def read(self) -> list[Overlay]:
        """Read the overlays.

        Raises:
            DocumentError: one can't be read, or is not a valid Overlay.
            ArgumentError: jsonpath-rfc9535 is not installed.
        """
        from dynclient._document.data import read
        from dynclient._overlays.overlay import read_overlay

        found = []
        for number, file in enumerate(self.files, 1):
            data = file.data
            tree = read(data, file.name, self._limits) if isinstance(data, bytes) else data
            tree = json.loads(_encoded(tree, file.name))
            found.append(read_overlay(tree, file.name, partial(self._line, number), self._limits.overlay_actions))
        return found

    def applied(self, tree: Any, document: str) -> Applied:
        """Apply the overlays to a copy of a document's tree; ``document`` is its URI.

        Raises:
            DocumentError: an overlay can't be read, or can't be applied.
            ArgumentError: jsonpath-rfc9535 is not installed.
        """
        from dynclient._overlays.overlay import apply

        overlays = self.read()
        found = apply(json.loads(_encoded(tree, document)), overlays, self._limits)
        self._origins = found.origins
        warnings = [
            f"{result.overlay.location(result.action.pointer)}: {result.warning}"
            for result in found.results
            if result.warning
        ]
        for file, overlay in zip(self.files, overlays, strict=True):
            # Overlay 1.1.0, Overlay Object: `extends` names the intended document. The caller decides.
            base = file.uri if not file.uri.startswith("memory:") else document
            if overlay.extends and urljoin(base, overlay.extends) != document:
                what = f"it was made for {overlay.extends}, but is applied to {document}"
                warnings.append(f"{overlay.location('/extends')}: {what}")
        return found._replace(warnings=tuple(warnings))

    # Where members came from.

    def origin(self, pointer: str) -> tuple[int, str]:
        """The number of the overlay, or 0 for the document, that a member came from, and its pointer there."""
        return located(self.origins, pointer)

    @cached_property
    def origins(self) -> Mapping[str, Any]:
        """The origins of members, by their JSON pointers in the result."""
        return self._origins() if callable(self._origins) else self._origins

    def authors(self, pointer: str) -> set[int]:
        """The numbers of all that have written the value at a pointer, or something in it."""
        below = f"{pointer}/"
        return {self.origin(pointer)[0], *(to[0] for place, to in self.origins.items() if place.startswith(below))}

    def location(self, number: int, pointer: str) -> tuple[str, str, int | None]:
        """The name of an overlay, a pointer in it, and its line."""
        return self.files[number - 1].name, pointer, self._line(number, pointer)

    def _line(self, number: int, pointer: str) -> int | None:
        file = self.files[number - 1]
        try:
            if number not in self._lines:
                from dynclient._document.data import lines

                if not file.data or not isinstance(file.data, bytes):
                    return None
                self._lines[number] = lines(utf8(file.data, file.name), self._limits)
            return self._lines[number].line(split(pointer))
        except Exception:  # noqa: BLE001  # an error without a line is still useful; it must not be replaced by another one
            return None

    # The compiled form.

    def noted(self, writer: Writer) -> dict[str, Any]:
        """Write the origins into a compiled form; returns the notes that the form keeps about its overlays."""
        files = [[file.named or file.uri.rpartition("/")[2], file.remote] for file in self.files]
        return {"overlays": files, "origins": writer.put(encoded(dict(self.origins)))}

    def take(self, form: Compiled, again: Callable[[], object]) -> None:
        """Take the origins from a form; if they are damaged, ``again`` applies the overlays once more, or raises."""

        def origins() -> Mapping[str, Any]:
            found: object
            try:
                found = _checked(decoded(form.bytes.slice(form.about.get("origins"))), len(self.files))
            except DamagedError:
                again()
                found = self._origins
            return found if isinstance(found, Mapping) else {}

        self._origins = origins


def _checked(origins: Any, files: int) -> dict[str, Any]:
    """Check the origins in a form, which is not trusted."""
    try:
        sound = all(type(number) is int and 0 <= number <= files and type(to) is str for number, to in origins.values())
    except (AttributeError, TypeError, ValueError):
        sound = False
    if not sound:
        raise DamagedError
    return origins  # type: ignore[no-any-return]  # it has just been checked


def _encoded(tree: Any, name: str) -> bytes:
    """Encode a tree as JSON, so that a copy can be made that shares nothing.

    Raises:
        UnreadableDocument: a number has too many digits.
    """
    try:
        return encoded(tree)
    except (ValueError, RecursionError) as error:
        raise unreadable(f"can't take overlays, or be one: {error}", name) from None


def located(origins: Mapping[str, Any], pointer: str) -> tuple[int, str]:
    """Where the value at a JSON pointer came from: by the nearest member above that has an origin."""
    above = pointer
    while above:
        if above in origins:
            number, start = origins[above]
            return number, start + pointer[len(above) :]
        above = above.rpartition("/")[0]
    return 0, pointer


def read_overlays(given: Iterable[Any], limits: Limits, transport: Transport | None) -> Overlays | None:
    """Receive the overlays that a caller passes, each as a document is; None if there are none.

    Raises:
        UnreadableDocument: one can't be read.
        UnsafeDocument: one is larger than the limit.
        ArgumentError: one is of another type.
        TransportError: its server can't be reached.
    """
    found = []
    for each in given:
        source = sources.from_source(each, limits, transport)
        if isinstance(source.data, Mapping):
            from dynclient._document.trees import copied

            source = source._replace(data=copied(source.data, "<overlay>", limits), name="<overlay>")
        found.append(source)
    return Overlays(tuple(found), limits) if found else None
