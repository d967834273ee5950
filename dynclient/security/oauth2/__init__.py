"""Tokens of OAuth 2.0 and OpenID Connect: fetched, kept and renewed, and stored in a file. Each is loaded when used."""

from __future__ import annotations

from dynclient._deferred import deferred

__getattr__ = deferred(__name__, {"renewal": ("OAuth2Auth", "obtain", "renew"), "store": ("FileStore",)})
