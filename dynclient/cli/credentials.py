"""Credentials of a command line: from the environment, a prompt, or stored by ``dynclient auth login``.

Rule 1: a credential is never an argument, which ``ps`` would show.
Rule 2: a file that only its owner can read lists the stored credentials, by document and security scheme. The
credentials themselves are in the system's keyring, if the library ``keyring`` is installed and has one, else in that
file.
Rule 3: a command line without a stored credential reads only that file.
Rule 4: command lines and settings contain references to secrets, never secrets: others can see command lines (``ps``),
and settings are shared.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from dynclient._identifiers import did_you_mean
from dynclient._records import Record
from dynclient._secrets import SECRET_HEADERS
from dynclient._settings import REFERENCE, is_reference, own_documents, reference_in
from dynclient.cli.commands import ask
from dynclient.exceptions import ArgumentError, DocumentError
from dynclient.http_grammar import is_token
from dynclient.model import API, Operation, SecurityScheme
from dynclient.options import OAuth2
from dynclient.security.schemes import auth_of, kind_of
from dynclient.security.trust import is_remote, text_of

# The schemes that --auth accepts if the document names none.
_AUTHORIZATION = frozenset({"authorization", "basic", "bearer"})
_SERVICE = "dynclient"
_IN_KEYRING = {"in": "keyring"}


def variable(api: API, scheme: SecurityScheme) -> str:
    """The environment variable of a scheme's credential: ``DYNCLIENT_VOICE_BASIC``."""
    words = (re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") for name in (api.title, scheme.name))
    return "_".join(["DYNCLIENT", *filter(None, words)])


def in_words(api: API, operation: Operation) -> str:
    """The variables that an operation's credentials are taken from, as a sentence."""
    is_own = is_configured(api)
    words = [
        f"{variable(api, scheme) if is_own else f'--auth {scheme.name}=env:VARIABLE'} ({kind_of(scheme).typed})"
        for scheme in _needed(api, operation)
    ]
    head = "Credentials are taken from the environment" if is_own else "Credentials"
    return f"{head}: {', '.join(words)}." if words else ""


def hint(api: API, operation: Operation) -> str:
    """How to provide an operation's missing credential."""
    needed = list(_needed(api, operation))
    if is_configured(api):
        text = "set " + "; or ".join(f"{variable(api, each)}, or give --auth {each.name}=-" for each in needed)
    else:
        text = "give " + "; or ".join(f"--auth {each.name}=env:VARIABLE, or --auth {each.name}=-" for each in needed)
    return f"{text}; or store one: dynclient auth login" if needed else ""


def is_configured(api: API) -> bool:
    """Whether variables of the environment apply to this document: all its files are local, or it has a short name.

    The variables are named after the document's title. A document from the network, or from a project that is not
    trusted, could claim the title of another.
    """
    overlays = getattr(api.references, "overlays", None)
    if not is_remote(api) and (overlays is None or not overlays.is_remote):
        return True
    with suppress(ArgumentError):
        return api.source_uri in own_documents()
    return False


def _needed(api: API, operation: Operation) -> Iterator[SecurityScheme]:
    """The schemes in an operation's security, each once."""
    for name in dict.fromkeys(name for choice in operation.security for name in choice):
        if name in api.security_schemes:
            yield api.security_schemes[name]


def gathered(api: API, asked: Iterable[str]) -> tuple[Any, dict[str, str]]:
    """The credentials by scheme, for ``auth=``: those of ``--auth``, else from the environment, else stored ones.

    A word of ``--auth`` that names no scheme of the document sets the header Authorization, which is the second value.

    Raises:
        UsageError: ``--auth`` names no scheme or no variable, or is itself a secret.
        ArgumentError: others can read the stored credentials.
    """
    found: dict[str, Any] = {}
    headers: dict[str, str] = {}
    for word in asked:
        name, source = _asked_name(api, word)
        if name.lower() in _AUTHORIZATION and name not in api.security_schemes:
            secret = ask(name, hidden=True) if source == "-" else looked_up(source, "--auth")
            headers["Authorization"] = authorization(name.lower(), secret)
            continue
        scheme = scheme_of(api.security_schemes, name, "--auth")
        found[scheme.name] = _credential(scheme, prompted(scheme) if source == "-" else looked_up(source, "--auth"))
    for scheme in api.security_schemes.values():
        if scheme.name not in found:
            text = os.environ.get(variable(api, scheme)) if is_configured(api) else None
            found[scheme.name] = _credential(scheme, text) if text else _kept(api, scheme)
    return {name: credential for name, credential in found.items() if credential is not None} or ..., headers


def scheme_of(schemes: Mapping[str, SecurityScheme], name: str, where: str) -> SecurityScheme:
    """Find a security scheme by its name; ``where`` names the source of the name, for errors.

    Raises:
        UsageError: there is none.
    """
    if name in schemes:
        return schemes[name]
    # The name may be a secret that was typed there, so it is shown only if it is nearly a scheme's name.
    known = f"the schemes are {', '.join(schemes)}" if schemes else "there are none; bearer=env:VARIABLE sends a token"
    hint = did_you_mean(name, schemes, known)
    raise click.UsageError(f"{where} names no security scheme of the document: {hint}")


def prompted(scheme: SecurityScheme) -> str:
    """Prompt for a scheme's credential."""
    return ask(f"{scheme.name} ({kind_of(scheme).typed})", hidden=True)


def checked(scheme: SecurityScheme, text: str) -> str:
    """Check a typed credential.

    Raises:
        ArgumentError: the scheme can't take it.
    """
    auth_of(_credential(scheme, text), scheme)
    return text


def headers(api: API, given: Iterable[str]) -> tuple[dict[str, str], frozenset[str]]:
    """The headers of a command line, and the names of the secret ones.

    ``given`` are the words of ``--header``: ``NAME:VALUE``, or ``NAME=REFERENCE``; a credential must be a reference,
    since others can see the arguments.

    Raises:
        UsageError: one is neither, contains a credential itself, or is a reference to nothing.
    """
    secret = set(SECRET_HEADERS)
    for name in api.security_schemes:
        with suppress(DocumentError):
            scheme = api.security_schemes[name]
            secret |= {scheme.parameter.lower()} if scheme.in_ == "header" else set()
    found: dict[str, str] = {}
    hidden: set[str] = set()
    for word in given:
        name, _, value = header(word)
        if reference := reference_in(value):
            value = value.removesuffix(reference) + looked_up(reference, f"--header {name}")
            hidden.add(name.lower())
        elif name.lower() in secret:
            raise click.UsageError(
                f"--header {name} would show a secret to others on this machine: use a reference, "
                f"--header {name}=env:VARIABLE, or --auth"
            )
        found[name] = value
    return found, frozenset(hidden)


def header(word: str) -> tuple[str, str, str]:
    """The name, the sign and the value of ``NAME:VALUE`` or ``NAME=REFERENCE``.

    Raises:
        UsageError: it is neither.
    """
    for sign in ("=", ":"):
        name, found, value = (part.strip() for part in word.partition(sign))
        if found and is_token(name) and (sign == ":" or reference_in(value)):
            return name, sign, value
    raise click.UsageError("--header takes NAME:VALUE, or NAME=env:VARIABLE for a secret")


def _asked_name(api: API, word: str) -> tuple[str, str]:
    """The scheme and the source that a word of ``--auth`` names.

    The scheme may be left out if there is one, or none.
    """
    name, equals, source = word.partition("=")
    if equals or not (is_reference(word) or word == "-"):
        return name, source
    names = list(api.security_schemes)
    if len(names) > 1:
        raise click.UsageError(f"--auth: name the scheme, {names[0]}={word}; the schemes are {', '.join(names)}")
    return (names or ["bearer"])[0], word


def _credential(scheme: SecurityScheme, text: str) -> Any:
    """A text as ``auth=`` takes it: a pair, if the scheme takes pairs and there is a colon."""
    user, colon, password = text.partition(":")
    return (user, password) if colon and "pair" in kind_of(scheme).takes else text


class Vault:
    """The stored credentials of a user. An entry is a mapping of strings and numbers, all of it secret."""

    def __init__(self) -> None:
        """Find the file."""
        import platformdirs

        from dynclient.security.oauth2.store import FileStore

        self.file: Path = platformdirs.user_data_path("dynclient") / "credentials.json"
        self._store = FileStore(self.file)

    def load(self, key: str) -> Mapping[str, Any] | None:
        """The entry of a key, or None.

        Raises:
            ArgumentError: the file can't be read, or others can read it.
        """
        entry = self._store.load(key)
        if entry != _IN_KEYRING:
            return entry or None
        try:
            entry = json.loads(_in_keyring("get_password", key) or "null")
        except ValueError:
            return None
        return entry if isinstance(entry, dict) and entry else None

    def save(self, key: str, entry: Mapping[str, Any]) -> str:
        """Store an entry; returns where: ``the keyring``, or the file's path.

        Raises:
            ArgumentError: the file can't be written.
        """
        text = json.dumps(dict(entry))
        _in_keyring("set_password", key, text)
        # A keyring that is locked, or stores only short strings, returns something else.
        kept = _in_keyring("get_password", key) == text
        self._store.save(key, _IN_KEYRING if kept else entry)
        return "the keyring" if kept else str(self.file)

    def forget(self, key: str) -> bool:
        """Delete the entry of a key; returns whether there was one.

        Raises:
            ArgumentError: the file can't be read or written.
        """
        entry = self._store.load(key)
        if not entry:
            return False
        if entry == _IN_KEYRING:
            _in_keyring("delete_password", key)
        self._store.save(key, {})
        return True


def key_of(api: API, name: str) -> str:
    """The key of a scheme's entry; the same scheme of another document has a different key.

    The document is the one that the user named: a compiled one could claim to be any other.
    """
    return f"{api.source_uri} {name}"


def _in_keyring(method: str, *words: str) -> Any:
    library = keyring()
    try:
        return getattr(library, method)(_SERVICE, *words) if library is not None else None
    except Exception:  # noqa: BLE001  # backends raise anything: locked, forbidden, gone
        return None


class StoredLogin(Record):
    """A TokenStore for the tokens of one login: one client, one address and one person."""

    key: str

    def load(self, key: str) -> Mapping[str, Any] | None:
        """The stored tokens."""
        del key
        return (Vault().load(self.key) or {}).get("tokens")

    def save(self, key: str, tokens: Mapping[str, Any]) -> None:
        """Replace the stored tokens."""
        del key
        vault = Vault()
        entry = vault.load(self.key)
        if entry:
            vault.save(self.key, {**entry, "tokens": dict(tokens)})


def login_of(key: str, entry: Mapping[str, Any]) -> OAuth2 | str | None:
    """A stored login, for ``auth=``; None if it has expired."""
    tokens = entry.get("tokens") or {}
    by_itself = entry["flow"] == "clientCredentials"
    if by_itself or tokens.get("refresh_token"):
        return OAuth2(
            entry["client_id"],
            entry["client_secret"],
            refresh_token=None if by_itself else tokens["refresh_token"],
            scopes=entry["scopes"],
            token_url=entry["token_url"],
            client_auth=entry["client_auth"],
            store=StoredLogin(key),
        )
    expires_at = tokens.get("expires_at")
    is_alive = bool(tokens.get("access_token")) and (expires_at is None or time.time() < expires_at)
    return str(tokens["access_token"]) if is_alive else None


def _kept(api: API, scheme: SecurityScheme) -> Any:
    """The stored credential of a scheme, for ``auth=``; None if there is none."""
    key = key_of(api, scheme.name)
    entry = Vault().load(key)
    if entry is None:
        return None
    if "text" in entry:
        return _credential(scheme, str(entry["text"]))
    found, server = login_of(key, entry), entry.get("server")
    # If each server has its own tokens, those of one server are not valid for another.
    return found if server is None else lambda request: found if text_of(request.origin) == server else None


FORMS = "env:VARIABLE, file:PATH or keyring:SERVICE/USER"
_LARGEST_FILE = 65_536


def looked_up(text: str, where: str) -> str:
    """Read the secret of a reference; ``where`` says what contains the reference, for errors.

    Raises:
        UsageError: the text is not a reference, or its target does not exist.
    """
    found = REFERENCE.fullmatch(text)
    if found is None:
        raise click.UsageError(f"{where} takes {FORMS}; never a secret itself")
    return _SOURCES[found[1]](found[2], where)


def authorization(kind: str, secret: str) -> str:
    """The value of Authorization for a secret: ``bearer`` and ``basic`` (RFC 6750, 2.1; RFC 7617, 2); else as it is."""
    if kind == "basic":
        return f"Basic {base64.b64encode(secret.encode()).decode('ascii')}"
    return f"Bearer {secret}" if kind == "bearer" else secret


def keyring() -> Any:
    """The library ``keyring``, if it is installed and has a working backend."""
    try:
        import keyring as library

        # The backends "null" and "fail", which store nothing, have the priorities -1 and 0.
        return library if library.get_keyring().priority > 0 else None
    except Exception:  # noqa: BLE001  # not installed, or a backend, which is others' code, that breaks
        return None


def _of_environment(name: str, where: str) -> str:
    if not os.environ.get(name):
        raise click.UsageError(f"{where}: the environment has no variable {name}")
    return os.environ[name]


def _of_file(name: str, where: str) -> str:
    path = Path(name).expanduser()
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise click.UsageError(f"{where}: {path} can't be read: {reason}") from None
    if not text.strip() or len(text) > _LARGEST_FILE:
        raise click.UsageError(f"{where}: {path} is empty, or too large for a secret")
    return text.strip()


def _of_keyring(name: str, where: str) -> str:
    service, slash, user = name.partition("/")
    library = keyring()
    if library is None or not slash:
        fault = "keyring: takes SERVICE/USER" if not slash else "there is no keyring: pip install 'dynclient[keyring]'"
        raise click.UsageError(f"{where}: {fault}")
    try:
        secret = library.get_password(service, user)
    except Exception:  # noqa: BLE001  # a backend, which is others' code: locked, forbidden, gone
        secret = None
    if not secret:
        raise click.UsageError(f"{where}: the keyring has nothing for {service}/{user}")
    return str(secret)


_SOURCES: Mapping[str, Callable[[str, str], str]] = {
    "env": _of_environment,
    "file": _of_file,
    "keyring": _of_keyring,
}
