"""Who is calling: what an operation's security asks for is added to its Request, and only to origins that are trusted.

Rule 1: a credential goes where the operation's security asks for it, and nowhere else.
Rule 2: a credential goes only to origins (scheme, host, port) that the caller vouched for (:mod:`.trust`).
Rule 3: no credential is in a repr, a pickle or the text of an error; where one stands in a Request is named there.

A scheme's credential is a text, a pair, a function that is asked for one at each call, or an OAuth2 by which a token is
fetched. So authorizing a call is a generator (:mod:`.access`): it yields what has to be sent, slept or run for it.
"""

from __future__ import annotations

from dynclient._secrets import Secret
from dynclient.security.access import Access
from dynclient.security.apply import Security
from dynclient.security.credentials import CredentialRequest, concealed
from dynclient.security.memory import Memory
from dynclient.security.steps import Steps, Way

__all__ = ["Access", "CredentialRequest", "Memory", "Secret", "Security", "Steps", "Way", "concealed"]
