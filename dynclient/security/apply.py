"""Choosing what an operation's security asks for, and writing it into a Request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dynclient._records import Record
from dynclient._secrets import OAuth2, Secret
from dynclient.exceptions import InvalidDocument, MissingCredential
from dynclient.messages import Request
from dynclient.model import API, Operation, SecurityRequirement, SecurityScheme
from dynclient.security import credentials
from dynclient.security.credentials import Credential, CredentialRequest, Pair
from dynclient.security.memory import Memory
from dynclient.security.places import PLACES, Place, has, name_of, place_of, placeholder_of, secret_in, text_of
from dynclient.security.steps import Steps, Way
from dynclient.security.trust import Trust, trust

if TYPE_CHECKING:  # these rooms are entered by those who need them
    from dynclient.security.oauth2 import Need


class Choice(Record):
    """The credentials that a call was given, by scheme, and the requirement that they meet."""

    answers: Mapping[str, Credential | None]
    requirement: SecurityRequirement


_NOTHING = Choice({}, {})


class Security:
    """The credentials of a client, and where they may go. Immutable; threads may share it."""

    __slots__ = ("_certificate", "_given", "_schemes", "_trust", "memory")

    def __init__(
        self,
        schemes: Mapping[str, SecurityScheme],
        auth: Any,
        trusted: Trust,
        *,
        certificate: bool = False,
        memory: Memory | None = None,
    ) -> None:
        """Take the document's schemes, what the caller gave, and whether TLS shows a certificate of the client.

        ``memory`` is what others have learned of their credentials; clients of one document share it.

        Raises:
            ArgumentError: ``auth`` is none that the schemes can take.
        """
        self._schemes = schemes
        # What a traceback shows of this object has to be there also where what is given is refused.
        self._given: credentials.Given = {}
        self._given = credentials.given(auth, schemes)
        self._trust = trusted
        self._certificate = certificate
        self.memory = memory if memory is not None else Memory()

    @classmethod
    def of(
        cls,
        api: API,
        auth: Any = None,
        *,
        base_url: str | None = None,
        allow_origins: Iterable[str] = (),
        certificate: bool = False,
        memory: Memory | None = None,
    ) -> Security:
        """Make it for an API, trusting what the caller has vouched for.

        Raises:
            ArgumentError: ``auth`` is none that the schemes can take, or ``allow_origins`` holds what is no origin.
        """
        trusted = trust(api, base_url, allow_origins)
        return cls(api.security_schemes, auth, trusted, certificate=certificate, memory=memory)

    def choose(self, request: Request, operation: Operation, way: Way) -> Steps[Choice]:
        """Gather the credentials that the operation asks for.

        The first choice of its security whose schemes all have a credential is taken. A header, query field or cookie
        that the request has already counts as its scheme's credential.

        Raises:
            MissingCredential: no choice can be met.
            CredentialScopeError: the credential would go where the caller has not vouched for.
            AuthorizationError: the authorization server gives no token.
        """
        asked: dict[str, Credential | None] = {}
        for requirement in operation.security:
            if requirement and self._can_meet(requirement, request):
                self._trust.check(request.origin, operation.servers, operation.id)
                answers: dict[str, Credential | None] = {}
                for name, scopes in requirement.items():
                    need = self.need(name, scopes, request, operation)
                    if need is None:
                        answers[name] = self._asked(name, scopes, request, operation, asked)
                    else:
                        answers[name] = yield from self._token(need, way)
                if all(answers[name] or self._is_met(name, request) for name in answers):
                    return Choice(answers, requirement)
        if not operation.security or any(not requirement for requirement in operation.security):
            return _NOTHING
        raise self._missing(operation)

    def need(self, name: str, scopes: tuple[str, ...], request: Request, operation: Operation) -> Need | None:
        """What a scheme's token is needed for; None where none is to be fetched."""
        given = self._given.get(name)
        if not isinstance(given, OAuth2):
            return None
        from dynclient.security.oauth2 import Need

        # Scopes that the caller names are those of every token.
        return Need(
            self.scheme(name), given, scopes if given.scopes is None else (), operation, request.url, self._trust
        )

    def _token(self, need: Need, way: Way) -> Steps[Secret]:
        from dynclient.security.oauth2 import obtain

        token = yield from obtain(need, self.memory, way)
        return token.access

    def placeholder(self, request: Request, operation: Operation) -> Request:
        """Return the request as :meth:`authorize` would, but for a ``$NAME`` where a credential is not at hand.

        No function is asked for one.

        Raises:
            CredentialScopeError, ArgumentError: as :meth:`authorize`.
        """
        choices = [choice for choice in operation.security if choice]
        if not choices:
            return request
        ready = [choice for choice in choices if all(self._at_hand(name, request) for name in choice)]
        possible = [choice for choice in choices if self._can_meet(choice, request)]
        if not ready and not possible and len(choices) < len(operation.security):
            return request
        answers = {name: self._static(name) for name in (ready or possible or choices)[0]}
        if any(answers.values()):
            self._trust.check(request.origin, operation.servers, operation.id)
        for name, answer in answers.items():
            if isinstance(answer, Pair) and self.scheme(name).scheme == "digest":
                answers[name] = None
        return self.written(request, operation, answers, hold_places=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {', '.join(self._given) or 'nobody'}>"

    def __reduce__(self) -> Any:
        # An operation and a namespace hold these; a client leaves them out.
        raise TypeError("credentials are not pickled, nor an operation, which holds them: pickle the client")

    def _can_meet(self, requirement: SecurityRequirement, request: Request) -> bool:
        return all(name in self._given or self._is_met(name, request) for name in requirement)

    def _is_met(self, name: str, request: Request) -> bool:
        """Whether a scheme needs nothing more than the request, or the connection, has."""
        scheme = self.scheme(name)
        if scheme.type == "mutualTLS":
            return self._certificate
        return has(request, place_of(scheme))

    def _at_hand(self, name: str, request: Request) -> bool:
        return self._static(name) is not None or self._is_met(name, request)

    def _static(self, name: str) -> Credential | None:
        held = self._given.get(name)
        return held if isinstance(held, (Pair, Secret)) else None

    def _asked(
        self,
        name: str,
        scopes: tuple[str, ...],
        request: Request,
        operation: Operation,
        asked: dict[str, Credential | None],
    ) -> Credential | None:
        """A scheme's credential; a function is asked for it once for each call."""
        held = self._given.get(name)
        if held is None or isinstance(held, (Pair, Secret)):
            return held
        if isinstance(held, OAuth2):  # pragma: no cover  # its token is fetched, and this not asked
            raise TypeError(name)
        if name not in asked:
            scheme = self.scheme(name)
            answer = held(CredentialRequest(scheme, scopes, operation.id, request.origin))
            asked[name] = None if answer is None else credentials.credential(answer, scheme)
        return asked[name]

    def written(
        self,
        request: Request,
        operation: Operation,
        answers: Mapping[str, Credential | None],
        *,
        hold_places: bool = False,
    ) -> Request:
        """Write each scheme's credential, or a placeholder, in its place.

        Raises:
            ArgumentError: a credential can't be written in its place.
        """
        filled: set[Place] = set()
        for name, answer in answers.items():
            scheme = self.scheme(name)
            place = place_of(scheme)
            if place is None:
                continue
            if place in filled and not hold_places:
                raise InvalidDocument(
                    f"{operation.id}: its security asks for two credentials in one place, the {' '.join(place)}",
                    operation_id=operation.id,
                )
            request = replace(request, secrets=request.secrets | {secret_in(place)})
            shown = answer
            if isinstance(answer, Pair) and scheme.scheme == "digest":
                shown = self._proof(scheme, answer, request)
            if place not in filled and (shown is not None or (hold_places and not has(request, place))):
                value = text_of(scheme, shown) if shown is not None else placeholder_of(scheme)
                request = PLACES[place[0]](request, name_of(scheme), value)
            filled.add(place)
        return request

    def _proof(self, scheme: SecurityScheme, pair: Pair, request: Request) -> Secret | None:
        """Answer the last digest challenge of an origin; None where there was none."""
        from dynclient.security import digest

        session = self.memory.sessions.get(digest.key_of(scheme, pair, request))
        return digest.answer(session, pair, request) if session is not None else None

    def scheme(self, name: str) -> SecurityScheme:
        """The security scheme of a name.

        Raises:
            InvalidDocument: the document defines none.
        """
        scheme = self._schemes.get(name)
        if scheme is None:
            raise InvalidDocument(f"the document defines no security scheme {name!r}")
        return scheme

    def _missing(self, operation: Operation) -> MissingCredential:
        names = list(dict.fromkeys(name for requirement in operation.security for name in requirement))
        choices = " or ".join(" and ".join(requirement) for requirement in operation.security)
        wanted = [self.scheme(name) for name in next(iter(operation.security))]
        certificate = any(scheme.type == "mutualTLS" for scheme in wanted) and not self._certificate
        hints = [credentials.hint(wanted), "pass tls=TLS(certificate=...)" if certificate else ""]
        return MissingCredential(
            f"{operation.id} needs a credential: {choices}",
            schemes=names,
            operation_id=operation.id,
            hint="; ".join(text for text in hints if text),
        )
