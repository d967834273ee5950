"""Repair of values that are almost valid, such as most of a document's wrong examples.

Rule 1: as little as possible is changed. A member with a fault is first replaced by that of a sample, made from the
schema; then it is removed; then the same is tried with what contains it.
Rule 2: a value that can't be made valid so is given up: the caller makes another one.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

from dynclient._schemas import MISSING
from dynclient._validation.errors import value_path
from dynclient.exceptions import Fault

_ROUNDS = 12

Keys = list[Any]


def repaired(value: Any, faults_of: Callable[[Any], list[Fault]], sample: Callable[[], Any]) -> Any:
    """Return a valid value with as many parts of a value as possible, or MISSING.

    ``faults_of`` validates a value. ``sample`` makes a value of the same schema, which need not be valid.
    """
    if not isinstance(value, (dict, list)):
        return MISSING
    value, pattern = copy.deepcopy(value), sample()
    tries: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        faults = faults_of(value)
        if not faults:
            return value
        # The last first, so that indexes of items stay right when one is removed.
        for path in dict.fromkeys(fault.path for fault in reversed(faults)):
            climb, remove = divmod(tries[path], 2)
            tries[path] += 1
            keys = _keys(value, path)
            keys = keys[: len(keys) - climb]
            if not keys:
                return MISSING
            replacement = MISSING if remove else _at(pattern, keys)
            if replacement is MISSING:
                tries[path] += 1 - remove
                _remove(value, keys)
            else:
                _put(value, keys, copy.deepcopy(replacement))
    return MISSING


def _keys(value: Any, path: str) -> Keys:
    """The names and indexes that a fault's path goes through; the last may be a name that is missing."""
    keys: Keys = []
    rest = path.removeprefix("$")
    while rest:
        names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
        fitting = [name for name in names if rest.startswith(value_path([name]))]
        if not fitting:
            return [*keys, _name(rest)]
        key = max(fitting, key=lambda name: len(value_path([name])))
        rest = rest[len(value_path([key])) :]
        keys.append(key)
        value = value[key]
    return keys


def _name(step: str) -> str:
    """The name of a path's last step."""
    if step.startswith("['"):
        return step[2:-2].replace("\\'", "'").replace("\\\\", "\\")
    return step.removeprefix(".")


def _at(value: Any, keys: Keys) -> Any:
    """The member of a sample: of a list its last item, where the sample has fewer of them."""
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and value and isinstance(key, int):
            value = value[min(key, len(value) - 1)]
        else:
            return MISSING
    return value


def _remove(value: Any, keys: Keys) -> None:
    owner = _at(value, keys[:-1])
    if isinstance(owner, dict):
        owner.pop(keys[-1], None)
    elif isinstance(owner, list) and isinstance(keys[-1], int) and keys[-1] < len(owner):
        del owner[keys[-1]]


def _put(value: Any, keys: Keys, member: Any) -> None:
    owner = _at(value, keys[:-1])
    if isinstance(owner, dict) or (isinstance(owner, list) and isinstance(keys[-1], int) and keys[-1] < len(owner)):
        owner[keys[-1]] = member
