"""``dynclient shell``: a Python prompt in which a document's client stands ready, with completion and history."""

from __future__ import annotations

import sys
from typing import Any

import click

from dynclient._tables import is_coloured
from dynclient.cli import credentials
from dynclient.cli.documents import client_of, document_argument, located
from dynclient.inspection import client_name
from dynclient.options import ValidationMode


@click.command(short_help="A Python prompt with a client.")
@document_argument()
@click.option("--base-url", help="A server in place of the document's.")
@click.option("--auth", multiple=True, metavar="SCHEME=env:VAR|-", help="A credential; - asks for it.")
@click.option("--validate", type=click.Choice(["strict", "warn", "off"]), default="strict", show_default=True)
@click.option("--plain", is_flag=True, help="The standard prompt, also where IPython is installed.")
def shell(document: str, base_url: str | None, auth: tuple[str, ...], validate: ValidationMode, *, plain: bool) -> None:
    """Open a Python prompt in which DOCUMENT's client has its name: `voice` for openapi/voice.yaml.

    IPython where it is installed, else the standard prompt; both complete operations and arguments.
    """
    ipython = None if plain or not sys.stdin.isatty() else _ipython()
    client = client_of(document, base_url=base_url, validate=validate)
    client = client.with_options(auth=credentials.gathered(client.api, auth))
    name = client_name(located(document))
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

    from dynclient.cli.prompt import history

    if not sys.stdin.isatty():
        sys.ps1 = sys.ps2 = ""  # What is piped in asks for no prompt, and what is piped out is data.
    with history(names):
        code.interact(banner=banner, local=names, exitmsg="")
