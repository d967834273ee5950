"""Authentication: add the credentials that an operation requires to its requests, for trusted origins only.

Rule 1: a credential is sent only where the operation's security requires it.
Rule 2: a credential goes only to trusted origins: scheme, host and port (:mod:`.trust`).
Rule 3: no credential is in a repr, a pickle or the text of an error; a Request records where its credentials are.

An :class:`Auth` authenticates a call: it is a generator over requests and responses. Basic, bearer, API key, digest and
OAuth 2 are built in; :class:`HMACAuth` and :class:`SigV4` sign requests; you can write others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred
from dynclient._secrets import Secret
from dynclient.security.auth import Auth, AuthContext, CallClock, CredentialCache, CredentialRequest
from dynclient.security.authorization import AuthFlow, Outcome, Security, Sender
from dynclient.security.schemes import APIKeyAuth, BasicAuth, BearerAuth, concealed

if TYPE_CHECKING:
    from dynclient.security.signing import DigestAuth, HMACAuth, SigV4

__all__ = [
    "APIKeyAuth", "Auth", "AuthContext", "AuthFlow", "BasicAuth", "BearerAuth", "CallClock", "CredentialCache",
    "CredentialRequest", "DigestAuth", "HMACAuth", "Outcome", "Secret", "Security", "Sender", "SigV4", "concealed",
]  # fmt: skip

__getattr__ = deferred(__name__, {"signing": ("DigestAuth", "HMACAuth", "SigV4")})
