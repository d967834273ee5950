"""OAuth 2.0 and OpenID Connect: tokens, and how they are got, kept and renewed (RFC 6749, 7636, 8252, 8414, 8628).

Rule 1: everything that an authorization server is sent goes to an origin that the caller vouched for.
Rule 2: a token is renewed a minute before it expires, by one call for all; the others go on with the one they have.
Rule 3: nothing of a token, a password or a client's secret is in an error: neither sent bodies nor received ones.
"""

from __future__ import annotations

from dynclient.security.oauth2.endpoints import fault_of
from dynclient.security.oauth2.need import Need
from dynclient.security.oauth2.obtaining import obtain, renew
from dynclient.security.oauth2.tokens import Token

__all__ = ["Need", "Token", "fault_of", "obtain", "renew"]
