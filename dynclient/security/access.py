"""The credentials of one call: chosen and written before it is sent, and once more if the server says 401.

Rule 1: a 401 is answered once: a token that was fetched is renewed, a digest challenge answered. No person is asked
for anything because of it.
Rule 2: an answer goes to the origin that the request was authorized for, and nowhere else, wherever redirects lead.
"""

from __future__ import annotations

from typing import Any

from dynclient._secrets import Secret
from dynclient.messages import Request, Response
from dynclient.model import Operation
from dynclient.security.apply import Choice, Security
from dynclient.security.credentials import Credential, Pair
from dynclient.security.steps import Steps, Way


class Access:
    """What one call is authorized by."""

    __slots__ = ("_answered", "_choice", "_operation", "_origin", "_renewed", "_security")

    def __init__(self, security: Security, operation: Operation) -> None:
        """Take the client's credentials and the call's operation."""
        self._security = security
        self._operation = operation
        self._choice: Choice | None = None
        self._origin: Any = None
        self._renewed = False
        self._answered: tuple[str, ...] = ()

    def authorize(self, request: Request, way: Way) -> Steps[Request]:
        """Return the request with the credentials that the operation asks for.

        Raises:
            MissingCredential: no choice of the operation's security can be met.
            CredentialScopeError: a credential would go where the caller has not vouched for.
            AuthorizationError: the authorization server gives no token.
            ArgumentError: a credential can't be written in its place.
        """
        self._choice = yield from self._security.choose(request, self._operation, way)
        self._origin = request.origin
        return self._security.written(request, self._operation, self._choice.answers)

    def answer(self, response: Response, request: Request, way: Way) -> Steps[Request | None]:
        """Return the request with new credentials after a 401; None where there are no others.

        Raises:
            AuthorizationError: the authorization server gives no new token.
        """
        choice = self._choice
        if choice is None or request.origin != self._origin:
            return None
        answers: dict[str, Credential | None] = dict(choice.answers)
        proven = False
        for name, old in choice.answers.items():
            if isinstance(old, Pair):
                proven = self._took_up(name, old, response, request, way) or proven
            elif isinstance(old, Secret):
                answers[name] = yield from self._renewed_token(name, old, request, way)
        if answers == choice.answers and not proven:
            return None
        self._choice = choice._replace(answers=answers)
        return self._security.written(request, self._operation, answers)

    def _took_up(self, name: str, pair: Pair, response: Response, request: Request, way: Way) -> bool:
        """Take up a digest challenge, unless this request was an answer to one already: then it is a refusal."""
        scheme = self._security.scheme(name)
        if scheme.scheme != "digest":
            return False
        from dynclient.security import digest
        from dynclient.security.challenges import challenges

        sessions, key = self._security.memory.sessions, digest.key_of(scheme, pair, request)
        begun = None
        if request.url not in self._answered:
            begun = digest.session(challenges(response.headers.get_list("www-authenticate")), way.world.entropy)
        self._answered += (request.url,)
        if begun is None:
            sessions.pop(key, None)
            return False
        sessions[key] = begun
        return True

    def _renewed_token(self, name: str, old: Secret, request: Request, way: Way) -> Steps[Secret]:
        """A new token in place of a fetched one that was rejected; the old one where there is none to be had."""
        choice = self._choice
        scopes = choice.requirement.get(name, ()) if choice is not None else ()
        need = self._security.need(name, scopes, request, self._operation)
        if need is None or self._renewed:
            return old
        self._renewed = True
        from dynclient.security.oauth2 import renew

        return (yield from renew(need, self._security.memory, way, old))
