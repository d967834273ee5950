"""``dynclient api`` and ``dynclient trust``: short names and settings of APIs, and trust in a project's settings.

Rule 1: the user's file is edited as text, so that comments stay, and written only if the result has the intended
settings.
Rule 2: settings have references to secrets, never secrets.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from dynclient import _settings
from dynclient._escaping import counted
from dynclient._identifiers import did_you_mean
from dynclient._load import load
from dynclient._request.servers import checked_base_url, server_url
from dynclient._settings import APISettings, is_reference
from dynclient.cli.calls import chosen_server
from dynclient.cli.commands import Command, Group, inform, writing
from dynclient.cli.credentials import header
from dynclient.cli.documents import complete_documents, discovered, format_option
from dynclient.cli.input_values import shared_options
from dynclient.cli.output import FORMATS, narrowed, write
from dynclient.exceptions import escaped
from dynclient.inspection.tables import aligned, columns
from dynclient.model import API
from dynclient.options import Rate

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_HEAD = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+|\"[^\"]*\")\s*[.\]]")


@click.group(cls=Group)
def api() -> None:
    """Give APIs short names, with their documents, servers, headers and credentials.

    The names are kept in apis.toml in your configuration folder. A project's names are in its pyproject.toml, in
    [tool.dynclient.apis.NAME], with the same keys.
    """


@api.command(short_help="Add an API.")
@click.argument("name")
@click.argument("location", metavar="URL_OR_PATH")
@click.option("--spec", metavar="FILE", help="The document's path or URL; by default the site is searched for it.")
@shared_options("auth", "header", "server", "base_url", "timeout", "rate")
@click.option("--profile", "-p", help="Add these settings to NAME as a profile; URL_OR_PATH is its base URL.")
@click.option("--replace", is_flag=True, help="Replace the settings of NAME.")
def add(name: str, location: str, spec: str | None, profile: str | None, *, replace: bool, **given: Any) -> None:
    """Add the API at URL_OR_PATH, a document or a site that has one, as NAME.

    The document of a site is found by its Link header, its API catalog, or at the usual paths such as /openapi.json.
    """
    if not _NAME.fullmatch(name):
        raise click.BadParameter("letters, digits, - and _ only", param_hint="NAME")
    table = _options(given)
    apis = _settings.user_apis()
    if profile is not None:
        if name not in apis:
            raise click.UsageError(f"there is no API {name} to add a profile to")
        table["base_url"] = checked_base_url(location, "URL_OR_PATH")
        profiles = {**apis[name].get("profiles", {}), profile: table}
        _save(name, {**apis[name], "profiles": profiles})
        return
    if name in apis and not replace:
        raise click.UsageError(f"{name} already exists: --replace replaces its settings")
    table = {**_document(location, spec), **table}
    found = load(table["document"])
    if table.keys() & {"base_url", "server"}:
        server_url(found.servers, table.get("base_url"), table.get("server"))
    _save(name, table)
    _report(name, _settings.relative(table["document"]), found)


def _document(location: str, spec: str | None) -> dict[str, Any]:
    """The settings with the location of a document: given, or found at a site."""
    if spec is not None:
        document = spec if "://" in spec else str(Path(spec).resolve())
        return {"document": document, **({"base_url": location} if "://" in location else {})}
    if "://" not in location:
        if not Path(location).exists():
            raise click.ClickException(f"{location} is not a file; a URL begins with https://")
        return {"document": str(Path(location).resolve())}
    found = discovered(location)
    return {"document": found} if found == location else {"document": found, "site": location}


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings from the options of a command line.

    Raises:
        UsageError: an option contains a secret, or is malformed.
    """
    given = {**given, "server": chosen_server(given["server"])}
    table = {key: given[key] for key in ("base_url", "server", "timeout", "rate") if given[key] is not None}
    try:
        Rate(given["rate"] or "auto")
    except ValueError as error:
        raise click.UsageError(f"--rate: {error}") from None
    headers = {name: value for name, _, value in map(header, given["header"])}
    auth = {name: source for name, _, source in (_scheme(word).partition("=") for word in given["auth"])}
    if not all(map(is_reference, auth.values())):
        raise click.UsageError("--auth takes SCHEME=env:VARIABLE, file:PATH or keyring:SERVICE/USER; never a secret")
    return {**table, **({"headers": headers} if headers else {}), **({"auth": auth.get("", auth)} if auth else {})}


def _scheme(word: str) -> str:
    return f"={word}" if is_reference(word) else word


@api.command("list", short_help="List the APIs.")
@format_option("text", "json", "yaml", "names")
def list_(output: str) -> None:
    """List the short names of APIs, with their documents: the project's first."""
    found = list(_settings.all_settings())
    if not found:
        inform("no short names yet: dynclient api add NAME URL_OR_PATH adds one")
    if output in FORMATS:
        write(FORMATS[output]([{"name": each.name, "file": each.file, **each.table} for each in found]))
    elif found:
        lines = [[escaped(each.name), escaped(each.document), escaped(_settings.relative(each.file))] for each in found]
        write(
            "\n".join(each.name for each in found)
            if output == "names"
            else aligned(narrowed(lines, columns(sys.stdout)))
        )


@api.command("show", short_help="Show an API's settings.")
@click.argument("name", shell_complete=complete_documents)
@click.option("--profile", "-p", help="Apply the settings of this profile.")
@format_option("text", "json", "yaml")
def show(name: str, profile: str | None, output: str) -> None:
    """Show the settings of the API NAME, with its profile applied. Credentials are shown as references."""
    found = _named(name)
    chosen = found.with_profile(profile or os.environ.get("DYNCLIENT_PROFILE"))
    keys = ("document", "overlays", "site", "base_url", "server", "headers", "auth", "timeout", "rate")
    table = {key: getattr(chosen, key) for key in keys}
    settings = {key: value for key, value in table.items() if value or value == 0}
    if not profile and found.profiles:
        settings["profiles"] = found.profiles
    text = _block(name, settings) if output == "text" else FORMATS[output](settings)
    write(text.rstrip("\n"))
    inform(f"from {_settings.relative(found.file)}")


@api.command(short_help="Reload an API's document.")
@click.argument("name", shell_complete=complete_documents)
def sync(name: str) -> None:
    """Reload the document of the API NAME; if it was found at a site, search for it again."""
    found = _named(name)
    if found.site and found.file == _settings.user_file():
        document = discovered(found.site)
        if document != found.document:
            _save(name, {**_settings.user_apis()[name], "document": document})
            found = found._replace(document=document)
    _report(name, found.document, load(found.document, overlays=found.overlays))


@api.command(short_help="Remove an API.")
@click.argument("name", shell_complete=complete_documents)
@click.option("--profile", "-p", help="Remove only this profile.")
def remove(name: str, profile: str | None) -> None:
    """Remove the API NAME from your apis.toml; its document is not deleted."""
    apis = _settings.user_apis()
    if name not in apis:
        raise click.UsageError(f"{_settings.user_file()} has no {name}; {_near(name, apis)}")
    table = dict(apis[name])
    if profile is not None:
        profiles = dict(table.pop("profiles", {}))
        if profiles.pop(profile, None) is None:
            raise click.UsageError(f"{name} has no profile {profile}")
        table |= {"profiles": profiles} if profiles else {}
    _save(name, table if profile is not None else None)


def _named(name: str) -> APISettings:
    found = _settings.find(name)
    if found is None:
        names = [each.name for each in _settings.all_settings()]
        raise click.UsageError(f"there is no API {name}; {_near(name, names)}")
    return found


def _near(name: str, names: Iterable[str]) -> str:
    known = f"the names are {', '.join(names)}" if names else "dynclient api add NAME URL_OR_PATH adds one"
    return did_you_mean(name, names, known)


def _report(name: str, document: str, found: API) -> None:
    """Print the title and the location of a document."""
    inform(f"{name}: {found.title} {found.version}, {counted(len(found.rows), 'operation')}, {document}")


# The user's file.


def _save(name: str, table: Mapping[str, Any] | None) -> None:
    """Write one API's settings into the user's file, or remove them; the rest of its text stays as it is.

    Raises:
        ClickException: the file can't be written, or can't be edited in its present form.
    """
    apis = {each: values for each, values in _settings.user_apis().items() if each != name}
    apis |= {name: table} if table is not None else {}
    file = _settings.user_file()
    before = ""
    with writing(file):
        if Path(file).exists():
            before = Path(file).read_text(encoding="utf-8")
    lines, is_ours = [], False
    for line in before.splitlines(keepends=True):
        head = _HEAD.match(line)
        is_ours = head[1].strip('"') == name if head is not None else is_ours
        if not is_ours:
            lines.append(line)
    text = "".join(lines).rstrip("\n")
    if name in apis:
        text = f"{text}\n\n{_block(name, apis[name])}" if text else _block(name, apis[name])
    text = text.rstrip("\n") + "\n"
    if _settings.checked_apis(text, file) != apis:
        raise click.ClickException(f"{file} can't be edited by this command: edit it by hand")
    with writing(file):
        _settings.write(file, text)


def _block(name: str, table: Mapping[str, Any]) -> str:
    """An API's settings as TOML: a profile is a separate table."""
    lines = [f"[{_key(name)}]", *(f"{_key(key)} = {_toml(value)}" for key, value in table.items() if key != "profiles")]
    for profile, values in table.get("profiles", {}).items():
        lines += ["", f"[{_key(name)}.profiles.{_key(profile)}]"]
        lines += [f"{_key(key)} = {_toml(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else _toml(name)


def _toml(value: Any) -> str:
    """A value as TOML. A JSON string is a valid TOML string, except that DEL must be escaped (TOML 1.0, String)."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(member)}" for key, member in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@click.command(cls=Command)
@click.argument("folder", default=".")
@click.option("--remove", is_flag=True, help="Stop trusting it.")
@click.option("--list", "list_them", is_flag=True, help="List the trusted folders.")
def trust(folder: str, *, remove: bool, list_them: bool) -> None:
    """Trust the current settings of the project in FOLDER, in its pyproject.toml.

    A cloned project may decide where your credentials are sent, so such settings apply only when you trust them. When
    they change, they have to be trusted again.
    """
    if list_them:
        for each in _settings.trusted():
            click.echo(escaped(each))
        return
    file = Path(folder, _settings.PROJECT)
    project = _settings.read_project(str(file)) if file.is_file() else None
    if project is None:
        raise click.ClickException(f"{file} does not exist, or has no settings for dynclient")
    with writing("the list of trusted projects"):
        _settings.trust(project, trusts=not remove)
    if remove:
        inform(f"{project.folder} is no longer trusted")
        return
    for name in [*project.names, *project.apis]:
        decisive = _settings.decisive_settings(project, name)
        inform(f"{name}: {', '.join(decisive) or 'nothing that decides where credentials go'}")
    inform(f"{project.folder} is trusted until these settings change")
