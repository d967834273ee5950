"""From a call's arguments to a Request: bind, choose the media type, validate, encode, build.

The room knows nothing of credentials: :mod:`dynclient.security` adds them afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred
from dynclient._request.arguments import Bound
from dynclient._request.plan import Options, Plan
from dynclient._request.servers import ServerChoice, checked_base_url, server_url

if TYPE_CHECKING:
    from dynclient._request.explaining import Explanation, explain

__all__ = ["Bound", "Explanation", "Options", "Plan", "ServerChoice", "checked_base_url", "explain", "server_url"]

__getattr__ = deferred(__name__, {"explaining": ("Explanation", "explain")})
