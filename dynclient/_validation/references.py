"""``$ref`` and ``$dynamicRef`` within a bundle.

Rule 1: what a reference leads to is checked once for each value: the verdict is kept as long as the value is checked.
So a schema that reaches one and the same by many ways costs no more than by one.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from jsonschema.exceptions import ValidationError

from dynclient._validation.keywords import Errors

# More faults of one value nobody is shown, and a long list in which all is wrong would be gone through for them.
_MOST = 100


def referred(validator: Any, reference: str) -> Any:
    """A validator that goes on where a reference leads."""
    # jsonschema gives keywords no public way to what a reference leads to.
    found = validator._resolver.lookup(reference)  # noqa: SLF001
    return validator.evolve(schema=found.contents, _resolver=found.resolver)


def ref(validator: Any, reference: Any, value: Any, _: Any) -> Errors:
    """Go on where a reference leads."""
    run = validator.format_checker
    if run.dynamic:
        yield from referred(validator, reference).iter_errors(value)
        return
    key = (reference, id(value))
    known = run.verdicts.get(key)
    if known is None:
        # In a bundle without `$dynamicRef` there is one resource, so the way here makes no difference.
        found = run.entries[reference]
        errors = list(islice(validator.evolve(schema=found).iter_errors(value), _MOST))
        run.verdicts[key] = errors
        yield from map(_copied, errors)
    else:
        yield from map(_copied, known)


def dynamic_ref(validator: Any, reference: Any, value: Any, _: Any) -> Errors:
    """Go on where a dynamic reference leads."""
    yield from referred(validator, reference).iter_errors(value)


def _copied(error: ValidationError) -> ValidationError:
    """An error whose way up can differ from that of its original."""
    return ValidationError(
        error.message,
        validator=error.validator,
        path=error.relative_path,
        context=error.context or (),
        validator_value=error.validator_value,
        instance=error.instance,
        schema=error.schema,
        schema_path=error.relative_schema_path,
    )


KEYWORDS = {"$dynamicRef": dynamic_ref, "$ref": ref}
