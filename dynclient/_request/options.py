"""The options of calls from ``load`` and ``with_options``: frozen, and checked when they are set."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_args

from dynclient._identifiers import near
from dynclient._records import Record
from dynclient._request.servers import ServerChoice, checked_base_url
from dynclient.exceptions import ArgumentError
from dynclient.options import Rate, RateLimiter, Redirects, Retry, Timeout, Validation

T = TypeVar("T")

_LONGEST_TIME = 1e9
# The numbers that can't be 0.
_LEAST = {"attempts": 1, "pool_size": 1}

EVENTS = ("on_request", "on_response", "on_retry", "on_exchange", "on_reload")
"""The methods that a hook may have (:mod:`dynclient._call.instrumentation`)."""


class HiddenHeaders(dict[str, str]):
    """Headers of every request.

    The repr shows only names, since any value may be a secret, and tracebacks show variables.
    """

    what = "headers"

    def __repr__(self) -> str:
        return f"<{self.what} {', '.join(self)}>"


class HiddenQuery(HiddenHeaders):
    """Query fields of every request, by name: each as written in a URL, with all of its values."""

    what = "query fields"


class HiddenDefaults(HiddenHeaders):
    """Default values of parameters, by name."""

    what = "defaults"


class CallOptions(Record):
    """The options of a client's calls; ``with_options`` returns a client or an operation with others.

    ``query`` has the query fields that are added to every request, each encoded with its name. ``content_type`` and
    ``accept`` are the media types of bodies and of responses, where operations offer a choice. ``cookies`` has the jar,
    if there is one, ``http_cache`` the HTTPCache. ``upload_progress`` is called with the bytes of the body that were
    sent so far, and the total or None. ``coerce`` converts strings in arguments by their schemas, ``convert`` has the
    Converter of responses' data, and ``defaults`` values of parameters that a call does not give. ``paginate`` has the
    paging rules of lists, by operation.
    """

    base_url: str | None = None
    server: ServerChoice = None
    auth: Any = ...
    allow_origins: tuple[str, ...] = ()
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    timeout: Timeout = Timeout()
    retry: Retry = Retry()
    rate: Rate | RateLimiter | None = None
    validate: Validation = Validation()
    content_type: str | None = None
    accept: str | None = None
    redirects: Redirects = "same-origin"
    hooks: tuple[Any, ...] = ()
    upload_progress: Callable[[int, int | None], object] | None = None
    cookies: Any = None
    http_cache: Any = None
    coerce: bool = False
    convert: Any = None
    defaults: Mapping[str, Any] = {}
    paginate: Mapping[str, Mapping[str, Any]] = {}

    def changed(self, options: Mapping[str, Any]) -> CallOptions:
        """Return these options with some changed; headers and query fields are added to the existing ones.

        Raises:
            ArgumentError: there is no such option, or its value is not allowed.
        """
        for name in options:
            if name not in self._fields:
                raise ArgumentError(
                    f"there is no option {name}; the options are {', '.join(self._fields)}",
                    argument=name,
                    matches=near(name, self._fields),
                )
        check_options(options, _PLAIN_CHECKS, ("redirects",))
        changes = dict(options)
        for name, check in _CHECKS.items():
            if name in changes:
                changes[name] = check(changes[name])
        if "headers" in changes:
            changes["headers"] = HiddenHeaders({**self.headers, **changes["headers"]})
        if self.cookies is not None and "auth" in changes and "cookies" not in changes:
            # A session belongs to the user who logged in.
            changes["cookies"] = _cookies(True)
        if "query" in changes:
            changes["query"] = HiddenQuery({**self.query, **changes["query"]})
        return self._replace(**changes)


def _timeout(value: Any) -> Timeout:
    """A number of seconds bounds the call and each of its phases."""
    if isinstance(value, Timeout):
        for phase in fields(value):
            seconds = getattr(value, phase.name)
            if seconds is not None and not _is_time(seconds):
                raise _wrong_field(value, phase.name, "a positive number of seconds, or None", "timeout")
        return value
    if value is None:
        return Timeout(None, None, None, None, None)
    if not _is_time(value):
        raise ArgumentError(
            f"timeout must be a Timeout, a positive number of seconds, or None, not {value!r}", argument="timeout"
        )
    return Timeout(value, value, value, value, value)


def with_numbers(value: T, argument: str) -> T:
    """Check the numbers and texts of a dataclass of options, by their annotations.

    Raises:
        ArgumentError: one has another type, or is negative.
    """
    for one in fields(value):  # type: ignore[arg-type]  # a dataclass
        given, kinds = getattr(value, one.name), str(one.type).split(" | ")
        if given is None and "None" in kinds:
            continue
        none = ", or None" if "None" in kinds else ""
        least = _LEAST.get(one.name, 0)
        if kinds[0] in {"int", "float"}:
            if isinstance(given, bool) or not isinstance(given, int | float) or not given >= least:
                raise _wrong_field(value, one.name, f"a number from {least}{none}", argument)
        elif kinds[0] == "str" and not isinstance(given, str):
            raise _wrong_field(value, one.name, f"a string{none}", argument)
    return value


def _wrong_field(value: object, name: str, wanted: str, argument: str) -> ArgumentError:
    given = getattr(value, name)
    return ArgumentError(f"{type(value).__name__}({name}=...) must be {wanted}, not {given!r}", argument=argument)


def _is_time(value: Any) -> bool:
    """Whether a value is a number of seconds that a clock can count."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONGEST_TIME


def _retry(value: Any) -> Retry:
    """A Retry, or the number of attempts, of which the first is one."""
    if isinstance(value, Retry):
        if not isinstance(value.statuses, Collection) or not all(isinstance(each, int) for each in value.statuses):
            raise _wrong_field(value, "statuses", "a set of status codes", "retry")
        return with_numbers(value, "retry")
    if value is None or value is False:
        return Retry(attempts=1)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ArgumentError(
            f"retry must be a Retry, a number of attempts from 1, or None, not {value!r}", argument="retry"
        )
    return Retry(attempts=value)


def _rate(value: Any) -> Rate | RateLimiter | None:
    """A Rate, its text or the mapping of its arguments, or a RateLimiter."""
    if value is None or isinstance(value, Rate):
        return value
    if hasattr(value, "reserve"):
        import inspect

        if inspect.iscoroutinefunction(value.reserve):
            raise ArgumentError("rate: reserve() of a RateLimiter may block, and is not async", argument="rate")
        return value  # type: ignore[no-any-return]  # it is one
    try:
        return Rate(**value) if isinstance(value, Mapping) else Rate(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise ArgumentError(f"rate: {error}", argument="rate", hint='rate="50/s"') from None


def hidden_headers(value: Any) -> Mapping[str, str]:
    """Check headers: a mapping of name to string, or None for no header.

    Raises:
        ArgumentError: the value is neither.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise ArgumentError("headers must be a mapping of names to strings", argument="headers")
    return HiddenHeaders(value)


def query_fields(value: Any) -> Mapping[str, str]:
    """Check query fields: a mapping of name to a string, number, boolean, or list of them; None is left out.

    Raises:
        ArgumentError: it is another value.
    """
    if not isinstance(value, Mapping | None) or not all(isinstance(name, str) for name in value or ()):
        raise ArgumentError(
            "query must be a mapping of names to strings, numbers, booleans, or lists of them", argument="query"
        )
    from dynclient._plain_values import plain_value
    from dynclient._styles import serialize

    return {
        name: serialize(
            plain_value(list(given) if isinstance(given, list | tuple) else [given]),
            name=name,
            in_="query",
            style="form",
            explode=True,
        )
        for name, given in (value or {}).items()
    }


def hidden_defaults(value: Any) -> Mapping[str, Any]:
    """Values of parameters by name, or None for none.

    Raises:
        ArgumentError: the value is neither.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ArgumentError("defaults must be a mapping of a parameter's name to its value", argument="defaults")
    return HiddenDefaults(value)


def _paginate(value: Any) -> Mapping[str, Mapping[str, Any]]:
    """Rules of lists: operationId, Python name, ``"METHOD /path"``, or ``"*"`` for every list -> a rule."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ArgumentError("paginate must be a mapping of an operation's name to its rule", argument="paginate")
    from dynclient._paging.rules import checked

    return {str(name): checked(rule, "paginate") for name, rule in value.items()}


def _validation(value: Any) -> Validation:
    try:
        return Validation.of(value)
    except (ValueError, TypeError) as error:
        raise ArgumentError(str(error), argument="validate") from None


Check = tuple[Callable[[Any], object], str]
"""The test of an option's value, and what values pass it."""


def check_options(given: Mapping[str, Any], checks: Mapping[str, Check], needed: Collection[str] = ()) -> None:
    """Check options; None stands for no value, except for those that are needed.

    Raises:
        ArgumentError: a value is wrong.
    """
    for name, value in given.items():
        test, wanted = checks.get(name, (None, ""))
        if test is None or (value is None and name not in needed):
            continue
        try:
            is_right = bool(test(value))
        except (ValueError, TypeError):
            is_right = False
        if not is_right:
            wanted = wanted if name in needed else f"{wanted}, or None"
            raise ArgumentError(f"{name} must be {wanted}, not {value!r}", argument=name)


_PLAIN_CHECKS: Mapping[str, Check] = {
    "redirects": (lambda value: value in get_args(Redirects), f"one of {', '.join(map(repr, get_args(Redirects)))}"),
    "upload_progress": (callable, "a function of two numbers"),
    # The class made the cache, so its module is loaded.
    "http_cache": (lambda value: hasattr(value, "max_response_bytes"), "an HTTPCache(...)"),
}


def _hooks(value: Any) -> tuple[Any, ...]:
    """One hook, or several; each has at least one of the methods."""
    hooks = tuple(value) if isinstance(value, Iterable) else (value,)
    if not hooks:
        return ()
    import inspect

    for hook in hooks:
        methods = [getattr(hook, event) for event in EVENTS if hasattr(hook, event)]
        if not methods or any(inspect.iscoroutinefunction(method) for method in methods):
            raise ArgumentError(
                f"a hook has any of the methods {', '.join(EVENTS)}, none of them async; "
                f"{type(hook).__name__} has none",
                argument="hooks",
            )
    return hooks


def _convert(value: Any) -> Any:
    if value is None:
        return None
    from dynclient._request.conversion import converter

    return converter(value)


def _cookies(value: Any) -> Any:
    if value is None or value is False:
        return None
    from dynclient._request.cookies import cookies_of

    return cookies_of(value)


def _text(name: str) -> Callable[[Any], str | None]:
    def checked(value: Any) -> str | None:
        if value is not None and not isinstance(value, str):
            raise ArgumentError(f"{name} must be a string, not a {type(value).__name__}", argument=name)
        return value

    return checked


def listed(name: str, value: Any) -> tuple[Any, ...]:
    """The values of an option that takes one or several.

    Raises:
        ArgumentError: it is neither.
    """
    if value is None or isinstance(value, str | bytes | os.PathLike | Mapping):
        return () if value is None else (value,)
    if not isinstance(value, Iterable):
        raise ArgumentError(f"{name} must be a list, not {value!r}", argument=name)
    return tuple(value)


_CHECKS = {
    "base_url": lambda url: checked_base_url(_text("base_url")(url)) if url is not None else None,
    "content_type": _text("content_type"),
    "accept": _text("accept"),
    "timeout": _timeout,
    "retry": _retry,
    "rate": _rate,
    "headers": hidden_headers,
    "defaults": hidden_defaults,
    "paginate": _paginate,
    "query": query_fields,
    "validate": _validation,
    "allow_origins": lambda value: listed("allow_origins", value),
    "hooks": _hooks,
    "cookies": _cookies,
    "convert": _convert,
}
