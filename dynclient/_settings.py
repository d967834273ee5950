"""Settings of APIs by short name: the user's ``apis.toml``, and a project's pyproject.toml.

    [tool.dynclient.apis.github]          # in apis.toml: [github]
    document = "https://api.example.com/openapi.json"
    overlays = ["github.overlay.yaml"]
    base_url = "https://api.example.com"
    auth = { token = "env:GITHUB_TOKEN" }

    [tool.dynclient.apis.github.profiles.staging]
    base_url = "https://staging.example.com"

Rule 1: a project's names take precedence over the user's. Rule 2: a project may come from anyone. Its settings that
decide where credentials go, and its names that hide one of the user's, count only after the user has trusted them in
their present form (:func:`trust`).
Rule 3: a file of settings contains references to secrets, never secrets.
Rule 4: a file is read only if a word may be a short name, and nothing else is imported before that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient.exceptions import ArgumentError

PROJECT = "pyproject.toml"
_TABLE = "[tool.dynclient]"
REFERENCE = expression(r"(?s)(env|file|keyring):(?!//)(\S.*)")
Check = tuple[Callable[[Any], object], str]


class APISettings(Record):
    """The settings of one API. ``document`` and ``overlays`` are paths from the current folder, or URLs.

    ``site`` is the URL at which the document was found. ``headers`` and ``auth`` have references in place of secrets.
    ``file`` is their file, and ``table`` the table as it was read.
    """

    name: str
    document: str
    file: str = ""
    overlays: tuple[str, ...] = ()
    site: str = ""
    base_url: str | None = None
    server: Any = None
    headers: Mapping[str, str] = {}
    auth: Mapping[str, str] = {}
    timeout: float | None = None
    rate: Any = None
    paginate: Mapping[str, Any] = {}
    profiles: Mapping[str, Mapping[str, Any]] = {}
    table: Mapping[str, Any] = {}

    def with_profile(self, profile: str | None) -> APISettings:
        """The settings of a profile: its headers and credentials are added, the others replaced.

        Raises:
            ArgumentError: there is no such profile.
        """
        if not profile:
            return self
        if profile not in self.profiles:
            known = f"the profiles are {', '.join(self.profiles)}" if self.profiles else "it has no profiles"
            raise ArgumentError(f"{self.name} has no profile {profile}: {known}", argument="profile")
        changes = dict(self.profiles[profile])
        for name in ("headers", "auth"):
            changes[name] = {**getattr(self, name), **_mapping(changes.get(name, {}))}
        return self._replace(**changes)


class Project(Record):
    """The table ``[tool.dynclient]`` of a pyproject.toml. ``generate`` has the settings of ``dynclient generate``."""

    file: str
    names: Mapping[str, str]
    apis: Mapping[str, Mapping[str, Any]]
    generate: Mapping[str, Any]
    table: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """The folder of the file."""
        return os.path.dirname(self.file)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_auth(value: Any) -> bool:
    return is_reference(value) or (isinstance(value, dict) and all(map(is_reference, value.values())))


def is_reference(text: Any) -> bool:
    """Return whether a value is a reference to a secret."""
    return isinstance(text, str) and REFERENCE.fullmatch(text) is not None


def reference_in(text: str) -> str:
    """The reference that a header's value is, or ends in, like ``Bearer env:TOKEN``; empty without one."""
    return next(filter(is_reference, (text.strip(), *text.split()[-1:])), "")


def _are_headers(value: Any) -> bool:
    from dynclient._secrets import SECRET_HEADERS
    from dynclient.http_grammar import is_token

    return isinstance(value, dict) and all(
        isinstance(text, str) and is_token(name) and (name.lower() not in SECRET_HEADERS or reference_in(text) != "")
        for name, text in value.items()
    )


def _is_below(value: Any) -> bool:
    """Whether a value is a folder within the project.

    Files are written there, and the project may come from a stranger.
    """
    return _is_text(value) and not os.path.isabs(value) and ".." not in value.replace(os.sep, "/").split("/")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_server(value: Any) -> bool:
    return isinstance(value, str | dict) or (isinstance(value, int) and not isinstance(value, bool))


# Key -> the check of its value, and what values are valid. A profile has the same keys, except for the document.
_PROFILE_KEYS: Mapping[str, Check] = {
    "base_url": (_is_text, "a URL"),
    "server": (_is_server, "a server's index, name or URL, or a table of its variables"),
    "headers": (
        _are_headers,
        'a table of texts by header name; a credential is a reference, such as "Bearer env:TOKEN"',
    ),
    "auth": (_is_auth, "env:VARIABLE, file:PATH or keyring:SERVICE/USER, or a table of these by security scheme"),
    "timeout": (_is_number, "a number of seconds"),
    "rate": (
        lambda value: isinstance(value, dict) or _is_text(value),
        'a text such as "50/s", or a table of limit and burst',
    ),
    "paginate": (
        lambda value: isinstance(value, dict) and all(isinstance(one, dict) for one in value.values()),
        "a table of rules by operation",
    ),
}
_KEYS: Mapping[str, Check] = {
    "document": (_is_text, "a path or a URL"),
    "overlays": (lambda value: isinstance(value, list) and all(map(_is_text, value)), "a list of paths or URLs"),
    "site": (_is_text, "a URL"),
    **_PROFILE_KEYS,
    "profiles": (
        lambda value: isinstance(value, dict) and all(isinstance(one, dict) for one in value.values()),
        "tables",
    ),
}
_GENERATE_KEYS: Mapping[str, Check] = {
    "documents": (
        lambda value: isinstance(value, list) and value and all(isinstance(each, str) for each in value),
        "a list of paths, URLs or short names",
    ),
    "docs": (_is_below, "a folder within the project"),
    "stubs": (lambda value: isinstance(value, bool) or _is_below(value), "true, or a folder within the project"),
    "templates": (_is_text, "a folder"),
}
_SEVERITIES: Check = (
    lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    'a table of kinds of changes, such as operation-deprecated = "info"',
)
# Keys of an API that decide where credentials go, or which credentials are used.
_DECISIVE = ("auth", "base_url", "headers", "overlays", "server")


def find(word: str) -> APISettings | None:
    """Find the settings of a short name; None if there are none.

    Raises:
        ArgumentError: a file of settings is malformed, or a project's settings have to be trusted first.
    """
    project = project_here()
    if project is not None and (word in project.names or word in project.apis):
        decisive = decisive_settings(project, word)
        if decisive and not is_trusted(project):
            raise ArgumentError(
                f"{project.file} sets {', '.join(decisive)} of {word}, and you have not trusted that project",
                hint=f"look at the settings, then run: dynclient trust {relative(project.folder)}",
            )
        table = project.apis.get(word) or {"document": project.names[word]}
        return _settings(word, table, project.file)
    users = user_apis()
    return _settings(word, users[word], user_file()) if word in users else None


def all_settings() -> Iterator[APISettings]:
    """List the settings of all short names, those of the project first; they are neither checked for trust nor used.

    Raises:
        ArgumentError: a file of settings is malformed.
    """
    project = project_here()
    seen: set[str] = set()
    if project is not None:
        tables = {**{name: {"document": document} for name, document in project.names.items()}, **project.apis}
        for name, table in tables.items():
            seen.add(name)
            yield _settings(name, table, project.file)
    for name, table in user_apis().items():
        if name not in seen:
            yield _settings(name, table, user_file())


def own_documents() -> set[str]:
    """The documents that have a short name of the user, or of a project that the user trusts.

    Raises:
        ArgumentError: a file of settings is malformed.
    """
    project = project_here()
    is_own = {user_file(), *((project.file,) if project is not None and is_trusted(project) else ())}
    return {found.document for found in all_settings() if found.file in is_own}


def _settings(name: str, table: Mapping[str, Any], file: str) -> APISettings:
    given = {key: value for key, value in table.items() if key in APISettings._fields and key != "document"}
    given["auth"] = _mapping(given.get("auth", {}))
    given["overlays"] = tuple(located(each, os.path.dirname(file)) for each in given.get("overlays", ()))
    document = located(str(table["document"]), os.path.dirname(file))
    return APISettings(name, document, **given, file=file, table=table)


def _mapping(auth: Any) -> Mapping[str, str]:
    """Credentials by scheme; a single reference is for the only scheme."""
    return {"": auth} if isinstance(auth, str) else auth


def located(document: str, folder: str) -> str:
    """A document that a file names, as the current folder sees it; absolute paths stay so unless they are below it."""
    if "://" in document:
        return document
    path = os.path.expanduser(document)
    found = relative(os.path.join(folder, path))
    return path if os.path.isabs(path) and found.startswith("..") else found


def relative(path: str) -> str:
    """A path from the current folder, if that is near; else the path, or URL, itself."""
    try:
        found = path if "://" in path else os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if found.startswith(os.path.join("..", "..", "..")) else found


def project_here() -> Project | None:
    """The settings of the nearest pyproject.toml; None without one, or without the table.

    Raises:
        ArgumentError: it is malformed.
    """
    folder = os.getcwd()
    while True:
        file = os.path.join(folder, PROJECT)
        if os.path.isfile(file):
            return read_project(file)
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None


def read_project(file: str) -> Project | None:
    """Read the table ``[tool.dynclient]`` of a file; None if it has none.

    Raises:
        ArgumentError: it is not valid TOML, or has an unknown key or a wrong value.
    """
    text = _text(file)
    tool = _toml(text, file).get("tool", {}) if "dynclient" in text else {}
    table = tool.get("dynclient") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        return None
    names: dict[str, str] = {}
    for key, value in table.items():
        if key in _GENERATE_KEYS:
            _check(value, _GENERATE_KEYS[key], f"{file}: {key} in {_TABLE}", key)
        elif key == "apis":
            _check_apis(value, file, "tool.dynclient.apis.")
        elif key == "severities":
            _check(value, _SEVERITIES, f"{file}: {key} in {_TABLE}", key)
        elif isinstance(value, dict):
            raise ArgumentError(
                f"{file}: [tool.dynclient.{key}] is not used", argument=key, hint=f"[tool.dynclient.apis.{key}] is"
            )
        elif not _is_text(value):
            keys = ", ".join([*_GENERATE_KEYS, "apis", "severities"])
            raise ArgumentError(f"{file}: {_TABLE} has the unknown key {key}; the keys are {keys}", argument=key)
        else:
            names[key] = value
    generate = {key: value for key, value in table.items() if key in _GENERATE_KEYS}
    return Project(os.path.abspath(file), names, table.get("apis", {}), generate, table)


def user_file() -> str:
    """The path of the user's ``apis.toml``."""
    return os.path.join(_user_folder(), "apis.toml")


def _user_folder() -> str:
    import platformdirs

    return platformdirs.user_config_dir("dynclient")


def user_apis() -> Mapping[str, Mapping[str, Any]]:
    """The APIs of the user's file; empty if there is none.

    Raises:
        ArgumentError: it is malformed.
    """
    file = user_file()
    if not os.path.isfile(file):
        return {}
    return checked_apis(_text(file), file)


def checked_apis(text: str, file: str) -> Mapping[str, Mapping[str, Any]]:
    """Read the text of an ``apis.toml``.

    Raises:
        ArgumentError: it is malformed.
    """
    found = _toml(text, file)
    _check_apis(found, file, "")
    return found


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8") as opened:
            return opened.read()
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{file} can't be read: {getattr(error, 'strerror', None) or error}") from None


def _toml(text: str, file: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ArgumentError(f"{file} can't be read: {error}") from None


def _check_apis(tables: Any, file: str, head: str) -> None:
    for name, table in tables.items() if isinstance(tables, dict) else [("", tables)]:
        where = f"{file}: [{head}{name}]"
        if not isinstance(table, dict) or "document" not in table:
            raise ArgumentError(f"{where} has no document", argument=name, hint='document = "openapi.yaml"')
        _check_table(table, _KEYS, where)
        for profile, values in table.get("profiles", {}).items():
            _check_table(values, _PROFILE_KEYS, f"{where[:-1]}.profiles.{profile}]")


def _check_table(table: Mapping[str, Any], keys: Mapping[str, Check], where: str) -> None:
    for key, value in table.items():
        if key not in keys:
            raise ArgumentError(f"{where} has the unknown key {key}; the keys are {', '.join(keys)}", argument=key)
        _check(value, keys[key], f"{where}: {key}", key)


def _check(value: Any, check: Check, where: str, key: str) -> None:
    is_valid, expected = check
    if not is_valid(value):
        raise ArgumentError(f"{where} must be {expected}", argument=key)


# Trust.


def decisive_settings(project: Project, name: str | None = None) -> list[str]:
    """A project's settings that need the user's trust, for one API or all: keys, and names that hide the user's."""
    found: dict[str, None] = {}
    for each in [name] if name is not None else [*project.names, *project.apis]:
        table = project.apis.get(each, {})
        for values in (table, *table.get("profiles", {}).values()):
            found |= dict.fromkeys(key for key in _DECISIVE if _is_decisive(key, values))
        if each in user_apis():
            found["a name that is one of yours"] = None
    return list(found)


def _is_decisive(key: str, values: Mapping[str, Any]) -> bool:
    """Whether a key of a table decides where credentials go, or which ones."""
    if key == "headers":
        return any(map(reference_in, values.get(key, {}).values()))
    return key in values


def is_trusted(project: Project) -> bool:
    """Return whether the user trusts a project's settings as they are now."""
    return trusted().get(os.path.realpath(project.folder)) == _fingerprint(project)


def trust(project: Project, *, trusts: bool = True) -> None:
    """Trust a project's settings as they are, or trust them no longer.

    Raises:
        OSError: the user's file can't be written.
    """
    import json

    folders = dict(trusted())
    folders.pop(os.path.realpath(project.folder), None)
    if trusts:
        folders[os.path.realpath(project.folder)] = _fingerprint(project)
    write(os.path.join(_user_folder(), "trusted.json"), json.dumps(folders, indent=1) + "\n")


def trusted() -> Mapping[str, str]:
    """The folders of the projects that the user trusts, each with the SHA-256 of its settings."""
    import json

    try:
        with open(os.path.join(_user_folder(), "trusted.json"), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fingerprint(project: Project) -> str:
    import hashlib
    import json

    # TOML has dates, which no key here allows.
    text = json.dumps(project.table, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def write(file: str, text: str) -> None:
    """Write a file of settings, whole or not at all; only its owner can read it.

    Raises:
        OSError: it can't be written.
    """
    import tempfile

    folder = os.path.dirname(os.path.realpath(file))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    # In a folder that is the owner's alone, and is removed whatever happens.
    with tempfile.TemporaryDirectory(prefix=".dynclient.", dir=folder) as made:
        part = os.path.join(made, "part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text)
        os.replace(part, os.path.realpath(file))
