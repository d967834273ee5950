"""A Model Context Protocol (MCP) server: four tools with which a language model uses an API of any size.

::

    dynclient.mcp.server(dynclient.load("openapi/voice.yaml"), allow_write=["create_call"])

``search`` finds operations, ``describe`` explains one, ``call_read`` and ``call_write`` call one. Needs the official
SDK (``dynclient[mcp]``). Rule 1: texts of documents and servers appear only in the results of tools.
Rule 2: the options of the server decide which operations may be called, never arguments of a tool.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynclient._client import Client

__all__ = ["server"]


def server(
    client: Client | Mapping[str, Client],
    *,
    allow: Iterable[str] = (),
    deny: Iterable[str] = (),
    allow_write: Iterable[str] = (),
    max_result_bytes: int = 16_384,
    max_calls: int = 200,
    log: str | os.PathLike[str] | None = None,
    files: str | os.PathLike[str] | None = None,
) -> Any:
    """Make an MCP server for a client: a ``mcp.server.lowlevel.Server``, for any transport of the SDK.

    A pattern is a name of an operation (``issues_*``, ``issues.create``) or ``METHOD /path`` (``GET /repos/*``), where
    ``*`` and ``?`` match any characters.

    Args:
        client: a Client, or a mapping of names to Clients; a name is the prefix of that client's operations:
            ``github/issues_create``.
        allow: patterns of the operations to offer; all of them by default.
        deny: patterns of operations to hide, even if ``allow`` or ``allow_write`` match them.
        allow_write: patterns of the operations other than GET, HEAD and QUERY that may be called. A DELETE needs a
            pattern that is its whole name or begins with ``DELETE``.
        max_result_bytes: the largest result in bytes; longer ones are continued with a cursor.
        max_calls: the largest number of calls that the server sends.
        log: a file to which each tool call is appended, as a line of JSON without any values.
        files: the folder for binary responses; without it they are refused.

    Raises:
        ArgumentError: ``mcp`` or ``jmespath`` is not installed, or a limit is too small.
        OSError: the log can't be written.
    """
    from dynclient.mcp.permissions import Permissions
    from dynclient.mcp.serving import made
    from dynclient.mcp.tools import Toolbox

    clients = client if isinstance(client, Mapping) else {"": client}
    permissions = Permissions(tuple(allow), tuple(deny), tuple(allow_write))
    return made(
        Toolbox(clients, permissions, max_result_bytes=max_result_bytes, max_calls=max_calls, log=log, files=files)
    )
