"""Who is calling: what an operation's security asks for is added to its Request, and only to origins that are trusted.

Rule 1: a credential goes where the operation's security asks for it, and nowhere else.
Rule 2: a credential goes only to origins (scheme, host, port) that the caller vouched for (:mod:`.trust`).
Rule 3: no credential is in a repr, a pickle or the text of an error; where one stands in a Request is named there.

A scheme's credential is a text, a pair, or a function that is asked for one at each call. A flow that fetches a token
will be a further kind of credential in :mod:`.credentials`, and a generator beside :meth:`Security.authorize`.
"""

from __future__ import annotations

from dynclient._credentials import Secret
from dynclient.security.apply import Security
from dynclient.security.credentials import CredentialRequest, concealed

__all__ = ["CredentialRequest", "Secret", "Security", "concealed"]
