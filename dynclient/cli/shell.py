"""``dynclient shell``: a Python prompt with a document's client; ``dynclient demo``: a first session, shown and run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from dynclient._tables import is_coloured
from dynclient.cli.calls import client_for, shared_options
from dynclient.cli.commands import Command
from dynclient.cli.documents import document_argument, located
from dynclient.cli.output import write
from dynclient.inspection.docstrings import client_name

_LONGEST_HISTORY = 10_000


@click.command(cls=Command)
@document_argument()
@click.option("--plain", is_flag=True, help="Use the standard prompt even if IPython is installed.")
@shared_options("auth", "base_url", "validate", "profile")
def shell(document: str, *, plain: bool, **given: Any) -> None:
    """Open a Python prompt with DOCUMENT's client in a variable: `voice` for openapi/voice.yaml.

    It uses IPython if that is installed, else the standard prompt. Both complete operations; IPython also completes
    their arguments.
    """
    ipython = None if plain or not sys.stdin.isatty() else _ipython()
    client = client_for(document, given)
    source = located(document)
    name = client_name(source) if isinstance(source, str) else "client"
    banner = f"{client.api.title} {client.api.version} is {name}: {name}.operations lists it, help({name}.…) explains"
    with client:
        (ipython or _standard)({name: client}, "".join(c for c in banner if c.isprintable()))


def _ipython() -> Any:
    try:
        from IPython import start_ipython
        from traitlets.config import Config
    except ImportError:
        return None

    def run(names: dict[str, Any], banner: str) -> None:
        config = Config()
        config.TerminalInteractiveShell.banner1 = f"{banner}\n"
        config.TerminalInteractiveShell.confirm_exit = False
        if not is_coloured(sys.stdout):
            config.TerminalInteractiveShell.colors = "nocolor"
        start_ipython(argv=[], user_ns=names, config=config)

    return run


def _standard(names: dict[str, Any], banner: str) -> None:
    import code

    if not sys.stdin.isatty():
        sys.ps1 = sys.ps2 = ""  # Piped input needs no prompt, and piped output is data.
    with _readline(names):
        code.interact(banner=banner, local=names, exitmsg="")


@contextmanager
def _readline(names: dict[str, Any]) -> Iterator[None]:
    """Complete names and attributes at the prompt, and keep its history; do nothing without readline."""
    try:
        import readline
        import rlcompleter
    except ImportError:
        yield
        return
    import platformdirs

    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
    file = platformdirs.user_state_path("dynclient") / "history"
    # The prompt also works without a history.
    with suppress(OSError):
        readline.read_history_file(file)
    try:
        yield
    finally:
        readline.set_history_length(_LONGEST_HISTORY)
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            # Only its owner may read it: people type secrets.
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
            file.chmod(0o600)  # a file from an older release may have other permissions
            readline.write_history_file(file)


@click.command
def demo() -> None:
    """Show a first session with a small API: a mock answers; nothing is sent.

    The document comes with dynclient; other commands take it by the name demo, if nothing else has that name.
    """
    from dynclient.testing import demo as session

    session.run(write)
