"""Validators: a schema prepared once for each direction.

Rule 1: faults of the document are raised when a validator is made, not when a value is checked. But faults of a part
are reported by the requests that use it, and are a warning for responses.
Rule 2: a valid value needs one check by jsonschema-rs, if its depth and the cost analysis allow.
Rule 3: values that jsonschema-rs does not find valid go to jsonschema, which decides.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from dynclient._deferred import cached_property
from dynclient._escaping import logger
from dynclient._json_types import TYPES
from dynclient._schemas import SchemaBundle, bundle, cache, event_form, follow, is_structured, shape
from dynclient._validation.cost import cost
from dynclient._validation.patterns import begin_check, location_in, unchecked_patterns
from dynclient.exceptions import DocumentError, Fault, InvalidDocument, UnsafeDocument
from dynclient.media_types import find, is_parsed
from dynclient.model import MediaType, Schema
from dynclient.options import Limits, ValidationEngine

if TYPE_CHECKING:
    from dynclient._validation.errors import Reporter

Direction = Literal["request", "response"]

_log = logger("dynclient.validation")


def validator(schema: Schema, direction: Direction, *, limits: Limits = Limits()) -> Validator:
    """Prepare a schema for checking values in a direction, once for each schema and direction.

    Raises:
        InvalidDocument: the value of a keyword is not valid.
        UnresolvableReference: a ``$ref`` has no target, or is part of a cycle.
        UnsafeDocument: checking would take more steps, or levels, than the limits allow.
    """
    known = cache(schema.references, "validators")
    key = (schema.uri, direction, limits)
    found: Validator | None = known.get(key)
    if found is None:
        followed = follow(schema)
        if followed.uri != schema.uri:
            found = validator(followed, direction, limits=limits)
        else:
            found = Validator(followed, bundle(followed, direction, depth=limits.schema_depth), limits)
        known[key] = found
    return found


def body_faults(
    media_type: MediaType,
    value: Any,
    direction: Direction,
    limits: Limits,
    engine: ValidationEngine,
    *,
    content_type: str = "",
    places: bool = True,
) -> list[Fault]:
    """Return the faults of a body as a plain value, or of its items if it is a sequence.

    ``content_type`` is the concrete one where the media type is a range. Without ``places``, the faults of a whole body
    have no location in the document.
    """
    schema = media_type.schema
    if schema is not None:
        faults = validator(schema, direction, limits=limits).faults(value, engine=engine, places=places)
        if not faults or _is_unchecked(schema, content_type or media_type.media_range, value):
            return []
        return [fault for fault in faults if not _is_of_unparsed_part(fault, media_type, value)]
    found: list[Fault] = []
    if media_type.item_schema is not None and isinstance(value, list):
        for index, item in enumerate(value):
            found += item_faults(
                media_type, media_type.item_schema, item, direction, limits, engine, path=f"$[{index}]"
            )
    return found


def item_faults(
    media_type: MediaType,
    schema: Schema,
    item: Any,
    direction: Direction,
    limits: Limits,
    engine: ValidationEngine,
    *,
    path: str,
) -> list[Fault]:
    """Return the faults of one item of a sequence, by the schema of the item."""
    check = validator(schema, direction, limits=limits)
    data = item.get("data") if isinstance(item, dict) else None
    form = event_form(media_type) if data is not None and find(media_type.media_range).codec == "events" else None
    if form is None or form.is_data or not form.is_text(item):
        return check.faults(item, path=path, engine=engine)
    # The schema describes the text; `contentSchema` describes the JSON in it (JSON Schema 2020-12, Validation, 8.5).
    text = data if isinstance(data, str) else json.dumps(data)
    found = check.faults({**item, "data": text}, path=path, engine=engine)
    content = form.content_schema(item)
    if content is not None:
        found += validator(content, direction, limits=limits).faults(data, path=f"{path}.data", engine=engine)
    return found


def _is_unchecked(schema: Schema, content_type: str, value: Any) -> bool:
    """Whether the schema describes something other than a value of the media type."""
    # OAS 3.1.1, Media Type Object: the schema describes the data; without a codec there are only text or bytes.
    if not is_parsed(content_type):
        return isinstance(value, (str, bytes)) and is_structured(schema)
    # RFC 6902, 3: a JSON Patch document is an array. Documents often describe the object that is patched.
    kind = find(content_type)
    return kind.name == "json" and kind.value is list and isinstance(value, list) and "array" not in shape(schema).types


def _is_of_unparsed_part(fault: Fault, media_type: MediaType, value: Any) -> bool:
    """Whether a fault is in a part of a form that is text or bytes in a media type without a codec."""
    if not isinstance(value, dict):
        return False
    for name, encoding in media_type.encoding.items():
        if fault.path == f"$.{name}" and encoding.content_type and isinstance(value.get(name), (str, bytes)):
            described = shape(media_type.schema).properties.get(name) if media_type.schema is not None else None
            return described is not None and _is_unchecked(described, encoding.content_type.split(",")[0], value[name])
    return False


class Validator:
    """Checks values against one schema, in one direction. Engines are prepared at their first use."""

    def __init__(self, schema: Schema, bundled: SchemaBundle, limits: Limits) -> None:
        """Analyse the cost of checking by the schema.

        Raises:
            InvalidDocument: the schema contains itself.
            UnsafeDocument: checking would take more steps than the limits allow.
        """
        self.schema = schema
        self.bundle = bundled
        self.limits = limits
        self._unchecked = unchecked_patterns(bundled, schema.references, limits)
        self._cost = cost(bundled, schema.references, limits)

    def __repr__(self) -> str:
        return f"<Validator of {self.schema.uri}>"

    @property
    def unchecked(self) -> list[DocumentError]:
        """The patterns and parts that are not checked: InvalidDocument for what is malformed, else UnsafeDocument."""
        found: list[DocumentError] = [*self.bundle.broken]
        for source, problem, pointer, is_invalid in self._unchecked:
            kind = InvalidDocument if is_invalid else UnsafeDocument
            location = location_in(self.bundle, self.schema.references, pointer)
            found.append(kind(f"the pattern {source[:200]!r} is not checked: it {problem}", location=location))
        return found

    def faults(
        self,
        value: Any,
        *,
        path: str = "$",
        places: bool = True,
        engine: ValidationEngine = "auto",
    ) -> list[Fault]:
        """Return the faults of a plain value; empty if it is valid.

        ``path`` is the name of the value's location. Bytes, Paths, files and elements are allowed in place of a string.
        Without ``places``, faults have no location in the document; finding its lines takes time. With the engine
        ``jsonschema`` jsonschema-rs is not used.
        """
        verdict = self.verdict(value) if engine == "auto" and (places or self._is_ready) else None
        if verdict:
            return []
        levels = self._cost.levels
        if levels is not None and is_deeper(value, levels):
            return [Fault(path, f"is nested more than {levels} levels deep")]
        faults = self._report(value, path, places=places)
        if verdict is False and not faults:
            _log.debug("jsonschema-rs refuses a value that jsonschema accepts, by %s", self.schema.uri)
        return faults

    def verdict(self, value: Any) -> bool | None:
        """Whether jsonschema-rs finds a value valid; None if it must not be used, or can't decide."""
        levels = self._cost.verdict_levels
        if not levels or is_deeper(value, levels, self._cost.verdict_values) or self._verdict is None:
            return None
        begin_check()
        try:
            return self._verdict(value)
        except (ValueError, TypeError, OverflowError):
            return None

    @property
    def _is_ready(self) -> bool:
        """Whether jsonschema-rs is prepared, or worth preparing: for many schemas that takes longer than one check."""
        return "_verdict" in self.__dict__ or len(self.bundle.schema.get("$defs", ())) <= _FEW_SCHEMAS

    @cached_property
    def _verdict(self) -> Callable[[Any], bool] | None:
        entries = self.bundle.schema["$defs"]
        if len(entries) == 1:
            (node,) = entries.values()
            # Most parameters only have a type: importing jsonschema-rs for them would take 5 ms and 4 MB.
            if isinstance(node, dict) and node.keys() == {"type"} and node["type"] in [*TYPES]:
                return TYPES[node["type"]]
        from dynclient._validation.verdict import verdict_of

        return verdict_of(self.bundle, self.limits.pattern_length)

    @cached_property
    def _reporter(self) -> Reporter:
        from dynclient._validation.errors import Reporter

        return Reporter(self.bundle, self.schema.references)

    def _report(self, value: Any, path: str, *, places: bool) -> list[Fault]:
        from dynclient._validation.evaluation import OverBudget, errors_of

        begin_check()
        try:
            errors = errors_of(self.bundle.schema, value, self.limits)
        except OverBudget:
            return [Fault(path, "takes more steps to check than are allowed")]
        except RecursionError:
            return [Fault(path, "is nested too deep to be checked")]
        except ValueError:
            # Python writes no integer of more than 4,300 digits, and jsonschema writes values into its messages.
            return [Fault(path, "has an integer of too many digits to be checked")]
        return self._reporter.faults(errors, path, self.limits.errors, places=places)


_FEW_SCHEMAS = 50
_CONTAINERS = (dict, list)


def is_deeper(value: Any, limit: int, values: float = math.inf) -> bool:
    """Whether arrays and objects are nested more than ``limit`` levels deep, or hold more values than allowed."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    while level and limit:
        limit -= 1
        values -= sum(map(len, level))
        if values < 0:
            return True
        level = [
            item
            for each in level
            for item in (each.values() if isinstance(each, dict) else each)
            if isinstance(item, _CONTAINERS)
        ]
    return bool(level)
