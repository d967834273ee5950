"""Which credentials an operation requires, and how a call is sent with them.

Rule 1: the first requirement of an operation's security whose schemes all have a credential is used. It is chosen once
for each call, and functions that return credentials are called once, too.
Rule 2: the flows of a requirement's Auths are nested: each sees the request and the response of the next. Those that
write a fixed text run first, so that an Auth that signs sees the complete request.
Rule 3: a credential goes only to the origin of the call's request, after that was checked (:mod:`.trust`).
Rule 4: a transport's error ends the flows: the retry policy decides whether to repeat the call, not an Auth.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from dynclient._records import Record
from dynclient._secrets import SECRET_BODY, SecretLocation
from dynclient.exceptions import (
    ArgumentError,
    DecodeError,
    DocumentError,
    DynclientError,
    InvalidDocument,
    MissingCredential,
    TransportError,
)
from dynclient.messages import Await, Request, Response, RunBlocking, Sleep, can_be_repeated
from dynclient.model import API, Operation, SecurityRequirement, SecurityScheme
from dynclient.security.auth import (
    UNDECLARED,
    Auth,
    AuthContext,
    CallClock,
    CredentialCache,
    CredentialRequest,
    SchemeAuth,
    added,
    has_credential,
    location_of,
    secret_at,
    write,
)
from dynclient.security.schemes import Given, StaticAuth, auth_of, given_auths, hint, is_auth, placeholder_of
from dynclient.security.trust import credential_headers, trust

_REFUSED = range(400, 500)

Outcome = Response | TransportError | DecodeError
"""The outcome of a sent request."""


class Sender(Protocol):
    """Sends the requests of a call."""

    def send(self, request: Request) -> Generator[Any, Any, Outcome]:
        """Send the call's own request once; return the response or the failure."""

    def fetch(self, request: Request) -> Generator[Any, Any, Response]:
        """Send an auth sub-request, with its own attempts.

        Raises:
            TransportError: there is no response.
        """


class Chosen(Record):
    """The Auths of a call, each with its context, and where other secrets are in the request."""

    auths: tuple[tuple[Auth, AuthContext], ...] = ()
    secrets: frozenset[SecretLocation] = frozenset()


class Security:
    """The credentials of a client, and their trusted origins. Immutable; threads may share it."""

    __slots__ = ("_certificate", "_given", "_is_anonymous", "_schemes", "_trust", "cache")

    def __init__(
        self,
        api: API,
        auth: Any = ...,
        *,
        base_url: str | None = None,
        allow_origins: Iterable[str] = (),
        certificate: bool = False,
        cache: CredentialCache | None = None,
    ) -> None:
        """Take an API, the value of ``auth=``, and the caller's trusted origins.

        If ``auth`` is None, missing credentials are left out; if it is ``...``, they are an error. ``certificate`` says
        that TLS shows a certificate of the client. ``cache`` is shared by clients of one document.

        Raises:
            ArgumentError: no scheme can take ``auth``, or ``allow_origins`` has something that is not an origin.
        """
        self._is_anonymous = auth is None
        auth = None if auth is ... else auth
        self._schemes = _schemes(api, auth if isinstance(auth, Mapping) else ())
        # A traceback shows this object even if the value of auth= is refused.
        self._given: Given = {}
        self._trust = trust(api, base_url, allow_origins)
        self._given = given_auths(auth, self._schemes)
        self._certificate = certificate
        self.cache = cache if cache is not None else CredentialCache()

    def choose(self, request: Request, operation: Operation, clock: CallClock) -> Generator[Await, Any, Chosen]:
        """Choose the Auths for an operation.

        A header, query field or cookie that is already in the request counts as its scheme's credential.

        Raises:
            MissingCredential: no requirement can be met.
            CredentialScopeError: the credential would go to an origin that is not trusted.
        """
        asked: dict[str, Auth | None] = {}
        for requirement in operation.security:
            if requirement and self._can_meet(requirement, request):
                self._trust.check(request.origin, operation.servers, operation.id)
                auths: dict[str, Auth | None] = {}
                for name, scopes in requirement.items():
                    found = self._given.get(name)
                    if found is not None and not is_auth(found):
                        if name not in asked:
                            asked[name] = yield from self._ask(name, scopes, request, operation)
                        found = asked[name]
                    auths[name] = found  # type: ignore[assignment]  # no function any more
                if all(auths[name] is not None or self._is_met(name, request) for name in auths):
                    return self._chosen(request, requirement, auths, operation, clock)
        if self._is_anonymous or not operation.security or any(not choice for choice in operation.security):
            return Chosen()
        raise self._missing(operation)

    def of_any(self, own: tuple[SecurityRequirement, ...]) -> tuple[SecurityRequirement, ...]:
        """The optional security of an undocumented request: the document's ``own``, or any given credential."""
        return (*(own or ({name: ()} for name in self._given)), {})

    def can_meet(self, request: Request, operation: Operation) -> bool:
        """Whether there is a credential for each scheme of one of the operation's requirements, or none is needed."""
        return (
            self._is_anonymous
            or not operation.security
            or any(self._can_meet(choice, request) for choice in operation.security)
        )

    def trusts(self, request: Request, operation: Operation) -> bool:
        """Whether a request goes to a trusted origin."""
        return not self._trust.fault(request.origin, operation.servers)

    def with_headers(self, names: Iterable[str], request: Request, operation: Operation) -> Request:
        """Return the request with those of the caller's headers marked as secret that carry a credential.

        Raises:
            CredentialScopeError: there is one, and the request's origin is not trusted.
        """
        found = list(credential_headers(names, self._schemes))
        if found and not self.trusts(request, operation):
            what = f"the header {found[0]}, which may be a credential,"
            self._trust.check(request.origin, operation.servers, operation.id, what)
        secrets = {("header", name.lower()) for name in found}
        return replace(request, secrets=request.secrets | secrets) if secrets else request

    def _ask(
        self, name: str, scopes: tuple[str, ...], request: Request, operation: Operation
    ) -> Generator[Await, Any, Auth | None]:
        """Call the caller's function for a credential; the result of an async one is awaited."""
        scheme = self.scheme(name)
        answer = self._given[name](CredentialRequest(scheme, scopes, operation.id, request.origin, request))  # type: ignore[operator]  # it is a function
        if hasattr(answer, "__await__"):
            answer = yield Await(answer)
        return None if answer is None else auth_of(answer, scheme)

    def _chosen(
        self,
        request: Request,
        requirement: SecurityRequirement,
        auths: Mapping[str, Auth | None],
        operation: Operation,
        clock: CallClock,
    ) -> Chosen:
        pairs: list[tuple[Auth, AuthContext]] = []
        filled: set[SecretLocation | None] = set()
        secrets: set[SecretLocation] = set()
        for name, scopes in requirement.items():
            scheme, auth = self.scheme(name), auths[name]
            location = location_of(scheme)
            if location is not None and location in filled:
                raise InvalidDocument(
                    f"{operation.id}: its security requires two credentials in the same place, the "
                    f"{' '.join(location)}",
                    operation_id=operation.id,
                )
            if location is not None and not isinstance(auth, SchemeAuth):
                secrets.add(secret_at(location))
                if scheme.type == UNDECLARED:
                    secrets |= {("header", header.lower()) for header in credential_headers(request.headers, {})}
            if auth is None or isinstance(auth, SchemeAuth):
                filled.add(location)
            elif any(auth is one for one, _ in pairs):
                continue  # it was given for several schemes, and runs once
            if auth is not None:
                pairs.append((auth, AuthContext(scheme, scopes, operation, clock, self._trust, self.cache)))
        pairs.sort(key=lambda pair: getattr(pair[0], "signs", True))
        return Chosen(tuple(pairs), frozenset(secrets))

    def placeholder(self, request: Request, operation: Operation) -> Request:
        """Return the request with its credentials, with ``$NAME`` for those that are not a fixed text.

        It calls no function, fetches no token and signs nothing.

        Raises:
            CredentialScopeError: a credential would go to an origin that is not trusted.
            ArgumentError: a credential has characters that are not allowed where it is sent.
        """
        choices = [choice for choice in operation.security if choice]
        if not choices:
            return request
        ready = [
            choice
            for choice in choices
            if all(is_auth(self._given.get(name)) or self._is_met(name, request) for name in choice)
        ]
        possible = [choice for choice in choices if self._can_meet(choice, request)]
        if not ready and (self._is_anonymous or (not possible and len(choices) < len(operation.security))):
            return request
        names = (ready or possible or choices)[0]
        if any(isinstance(self._given.get(name), StaticAuth) for name in names):
            self._trust.check(request.origin, operation.servers, operation.id)
        filled: set[SecretLocation] = set()
        for name in names:
            scheme, auth = self.scheme(name), self._given.get(name)
            location = location_of(scheme)
            if location is None:
                continue
            if location not in filled and isinstance(auth, StaticAuth):
                request = write(request, scheme, auth.text(scheme))
            elif location not in filled and not has_credential(request, scheme):
                request = write(request, scheme, placeholder_of(scheme))
            else:
                request = replace(request, secrets=request.secrets | {secret_at(location)})
            filled.add(location)
        return request

    def scheme(self, name: str) -> SecurityScheme:
        """The security scheme with a name, declared or not."""
        return self._schemes.get(name) or SecurityScheme(name, UNDECLARED)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {', '.join(self._given) or 'nobody'}>"

    def __reduce__(self) -> Any:
        # Operations and namespaces refer to this object; a pickled client leaves it out.
        raise TypeError("credentials can't be pickled, nor can an operation, which holds them: pickle the client")

    def _can_meet(self, requirement: SecurityRequirement, request: Request) -> bool:
        return all(name in self._given or self._is_met(name, request) for name in requirement)

    def _is_met(self, name: str, request: Request) -> bool:
        """Whether the request or the connection already has a scheme's credential."""
        scheme = self.scheme(name)
        if scheme.type == UNDECLARED:
            # Its location is unknown.
            return any(credential_headers(request.headers, {}))
        if location_of(scheme) is None:
            return self._certificate
        return has_credential(request, scheme)

    def _missing(self, operation: Operation) -> MissingCredential:
        names = list(dict.fromkeys(name for requirement in operation.security for name in requirement))
        choices = " or ".join(" and ".join(requirement) for requirement in operation.security)
        first = [self.scheme(name) for name in next(iter(operation.security))]
        certificate = any(location_of(scheme) is None for scheme in first) and not self._certificate
        unknown = [name for name in names if self.scheme(name).type == UNDECLARED]
        hints = [
            hint(first),
            "pass tls=TLS(certificate=...)" if certificate else "",
            'headers={"Authorization": ...} sends your own header' if unknown else "",
            "auth=None sends no credential",
        ]
        what = f"; the document does not declare {', '.join(unknown)}" if unknown else ""
        return MissingCredential(
            f"{operation.id} needs a credential: {choices}{what}",
            schemes=names,
            operation_id=operation.id,
            hint="; ".join(text for text in hints if text),
        )


def _schemes(api: API, named: Iterable[str]) -> dict[str, SecurityScheme]:
    """The security schemes of a document, and those that it requires but does not declare, or declares wrongly.

    The latter are listed if the document requires them at its top level, or if ``named`` names them.
    """
    names = dict.fromkeys([*api.security_schemes, *_names(api.security)])
    if any(name not in names for name in named):
        # The name may be required by a single operation, so all operations are read; or it is misspelled.
        names.update(dict.fromkeys(_names(choice for each in _readable(api) for choice in each.security)))
    found = {}
    for name in names:
        scheme = None
        with suppress(DocumentError):
            scheme = api.security_schemes.get(name)
        found[name] = scheme or SecurityScheme(name, UNDECLARED)
    return found


def _names(requirements: Iterable[SecurityRequirement]) -> Iterator[str]:
    return (name for requirement in requirements for name in requirement)


def _readable(api: API) -> Iterator[Operation]:
    for row in api.rows:
        with suppress(DocumentError):
            yield api.read(row)


class AuthFlow:
    """The authentication of one call. :meth:`send` sends each of its attempts; ``sent`` is its last request."""

    __slots__ = ("_chosen", "_operation", "_security", "sent")

    def __init__(self, security: Security, operation: Operation) -> None:
        """Take the client's credentials and the call's operation."""
        self._security = security
        self._operation = operation
        self._chosen: Chosen | None = None
        self.sent: Request | None = None

    def send(self, request: Request, sender: Sender, clock: CallClock) -> Generator[Any, Any, Outcome]:
        """Send a request with its credentials, as often as they require; return the last response or failure.

        Raises:
            MissingCredential: no requirement of the operation's security can be met.
            CredentialScopeError: a credential would go to an origin that is not trusted.
            AuthorizationError: the authorization server gives no token.
            ArgumentError: a credential has characters that are not allowed where it is sent.
        """
        chosen = self._chosen
        if chosen is None:
            chosen = self._chosen = yield from self._security.choose(request, self._operation, clock)
        if chosen.secrets:
            request = replace(request, secrets=request.secrets | chosen.secrets)
        return (yield from self._sent(chosen.auths, request, sender))

    def redirected(self, target: Request) -> Request:
        """Return the request that a redirect leads to, with its secrets named.

        The server chose the redirect's query, so no key is added to it.
        """
        if self._chosen is not None:
            auths = self._chosen.auths
            kept = (pair for pair in auths if not isinstance(pair[0], StaticAuth) or pair[1].scheme.in_ != "query")
            self._chosen = self._chosen._replace(auths=tuple(kept))
        return replace(target, secrets=target.secrets | self.sent.secrets) if self.sent is not None else target

    def _sent(
        self, auths: tuple[tuple[Auth, AuthContext], ...], request: Request, sender: Sender
    ) -> Generator[Any, Any, Outcome]:
        """Send a request through the flows of some Auths, the first of them outermost."""
        if not auths:
            self.sent = request
            return (yield from sender.send(request))
        auth, context = auths[0]
        steps = _begun(auth, request, context)
        outcome: Outcome | None = None
        answer: Any = None
        fault: DynclientError | None = None
        try:
            while True:
                try:
                    step = steps.send(answer) if fault is None else steps.throw(fault)
                except StopIteration:
                    if outcome is None:
                        raise _mistake(auth, "ended without yielding the request") from None
                    return outcome
                answer, fault = None, None
                if outcome is not None and not _may_go_on(outcome, step, request):
                    return outcome
                if isinstance(step, Request) and _is_own(step, request):
                    if not isinstance(auth, SchemeAuth):
                        step = replace(step, secrets=step.secrets | request.secrets | added(request, step))
                    answer = outcome = yield from self._sent(auths[1:], step, sender)
                    if not isinstance(outcome, Response):
                        return outcome
                    continue
                try:
                    answer = yield from _perform(step, context, sender)
                except DynclientError as error:
                    fault = error
        finally:
            steps.close()


def _perform(step: Any, context: AuthContext, sender: Sender) -> Generator[Any, Any, Any]:
    """Carry out a step of a flow that is not the call's own request.

    Raises:
        CredentialScopeError: a sub-request would go to an origin that is not trusted.
        TransportError: a sub-request failed. The call's own request was not sent, so its outcome is known.
    """
    if isinstance(step, (Sleep, RunBlocking, Await)):
        return (yield step)
    if not isinstance(step, Request):
        raise ArgumentError(f"the flow of an Auth yielded a {type(step).__name__}, not a request", argument="auth")
    context.check(step.origin)
    hidden = added(Request(step.method, step.url.partition("?")[0]), step) | {SECRET_BODY}
    try:
        return (yield from sender.fetch(replace(step, secrets=step.secrets | hidden)))
    except TransportError as error:
        error.outcome_unknown = False
        raise


def _begun(auth: Auth, request: Request, context: AuthContext) -> Any:
    steps = auth.flow(request, context)
    if hasattr(steps, "__next__"):
        return steps
    if hasattr(steps, "__await__"):
        steps.close()  # a coroutine that was never awaited would warn
    raise _mistake(auth, "is not a generator; it must be a plain generator, not an async function")


def _is_own(step: Request, request: Request) -> bool:
    """Whether a flow has yielded the call's own request, with any changes to its query, headers and body."""
    if step.url is not request.url and step.url.partition("?")[0] != request.url.partition("?")[0]:
        return False
    return step.method == request.method


def _may_go_on(outcome: Outcome, step: Any, request: Request) -> bool:
    """Whether a flow may continue after a response."""
    if not isinstance(outcome, Response) or outcome.status not in _REFUSED:
        return False
    return can_be_repeated(request.body) or not (isinstance(step, Request) and _is_own(step, request))


def _mistake(auth: Auth, what: str) -> ArgumentError:
    return ArgumentError(f"the flow of {type(auth).__name__} {what}", argument="auth")
