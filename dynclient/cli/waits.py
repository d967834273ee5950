"""``call --wait``, and ``dynclient wait``: wait for long-running work of a server.

Each new state is printed to standard error. If the wait ends early for any reason, the command that resumes it is
printed.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import click

from dynclient.exceptions import ArgumentError, DynclientError, escaped
from dynclient.model import API, Operation

DEFAULT = 600.0
"""The default time limit of a wait, in seconds."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OPTIONS: Mapping[str, dict[str, Any]] = {
    "--wait": {
        "is_flag": True,
        "help": "Wait until the server has finished; --timeout then applies to the wait.  [10m]",
    },
    "--until": {
        "multiple": True,
        "metavar": "PATH=VALUE",
        "help": "With --wait: wait for this value, such as status=completed, or final for the document's declaration.",
    },
    "--failed": {"multiple": True, "metavar": "PATH=VALUE", "help": "With --wait: a value that means failure."},
}


class Seconds(click.ParamType):  # type: ignore[type-arg]  # it is generic in some of click's versions only
    """A time: seconds, or ``90s``, ``10m``, ``1h``."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it as seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        try:
            return float(value) if value[-1:] not in _UNITS else float(value[:-1]) * _UNITS[value[-1:]]
        except ValueError:
            self.fail(escaped(f"{value!r} is not a time such as 30, 90s, 10m or 1h"), param, ctx)


class WaitOption(click.Option):
    """An option of ``--wait``, which an operation's help shows if the operation supports it."""

    section = "Waiting"

    @staticmethod
    def applies(api: API, operation: Operation) -> bool:
        """Whether the document says how to wait for the operation."""
        from dynclient._client.waiting import waiter_of

        return waiter_of(operation, api) is not None


def wait_options(taken: Collection[str]) -> list[click.Option]:
    """The options; one whose name the operation uses begins with ``--wait-``."""
    return [
        WaitOption([f"--wait-{flag[2:]}" if flag in taken else flag, f"wait_{flag[2:]}"], **settings)
        for flag, settings in _OPTIONS.items()
    ]


def _conditions(words: Iterable[str], option: str) -> Any:
    """The conditions of PATH=VALUE words: a value matches as text or as JSON; None without words."""
    found: dict[str, list[Any]] = {}
    for word in words:
        path, equals, text = word.partition("=")
        if not equals:
            raise click.UsageError(escaped(f"{option} takes PATH=VALUE, such as status=completed, not {word}"))
        values = found.setdefault(path, [])
        values.append(text)
        try:
            values.append(json.loads(text))
        except (ValueError, RecursionError):
            continue
    return found or None


def waited(method: Any, bound: Any, given: Mapping[str, Any], timeout: float | None, document: str) -> Any:
    """Make a call, and wait until its job ends; returns the result with status and headers."""
    words = given["wait_until"]
    until = "final" if words == ("final",) else _conditions(words, "--until")
    failed = _conditions(given["wait_failed"], "--failed")
    job = method.with_http_info.start(bound, until=until, failed=failed)
    return followed(job, DEFAULT if timeout is None else timeout, document)


def followed(job: Any, timeout: float, document: str) -> Any:
    """Wait for a job, and print each new state; returns its result."""
    told = None
    try:
        for state in job.states(timeout=timeout):
            if state.verdict == "pending" and state.status != told:
                told = state.status
                click.echo(escaped(f"{told} after {state.seconds:.0f} s"), err=True)
        return job.result(timeout=timeout)
    except (KeyboardInterrupt, DynclientError) as error:
        text = job.resume if isinstance(error, KeyboardInterrupt) else error.resume
        if text:
            click.echo(escaped(f"to continue: dynclient wait {shlex.quote(document)} {text}"), err=True)
        if isinstance(error, DynclientError):
            error.hint = "" if error.resume and "dynclient.resume" in error.hint else error.hint
        raise


def check_waits(given: Mapping[str, Any]) -> None:
    """Refuse options of a wait without one, and options that need a single response.

    Raises:
        UsageError: there is one.
    """
    if not given["wait_wait"]:
        if given["wait_until"] or given["wait_failed"]:
            raise click.UsageError("--until and --failed need --wait")
    elif given["all"] or given["format"] == "raw":
        raise click.UsageError("--wait can't be combined with --all or -o raw")


def resumed(client: Any, text: str) -> Any:
    """The job of a resume text.

    Raises:
        UsageError: it is not a resume text.
    """
    import dynclient

    try:
        job = dynclient.resume(client, text)
    except ArgumentError as error:
        raise click.UsageError(escaped(f"TEXT is not from a wait: {error.message}")) from None
    job._with_http_info = True  # noqa: SLF001  # status and headers may be shown too
    return job
