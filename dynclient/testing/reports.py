"""What a proxy, or a test session, saw: as text, as JSON, as JUnit's XML."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from dynclient.exceptions import escaped
from dynclient.testing.ledger import KINDS, Ledger

Differences = Sequence[Any]
"""Each a :class:`dynclient.testing.passing.Difference`."""


def as_text(ledger: Ledger, differences: Differences = ()) -> str:
    """Lines for a person: the totals, what was not used, and each difference once, with how often it came."""
    lines = [f"{ledger.api.title} {ledger.api.version}"]
    lines += [f"  {kind}: {used} of {there}" for kind, (used, there) in ledger.totals().items()]
    for one in ledger:
        if not one.calls:
            lines.append(f"  not called: {one.operation_id}")
            continue
        for kind in KINDS:
            missing = one.missing(kind)
            if missing:
                lines.append(f"  {one.operation_id}, {kind} not seen: {', '.join(missing)}")
    told: dict[str, int] = {}
    for difference in differences:
        told[str(difference)] = told.get(str(difference), 0) + 1
    lines += [f"  {text}" + (f" ({count} times)" if count > 1 else "") for text, count in told.items()]
    return escaped("\n".join(lines))


def as_json(ledger: Ledger, differences: Differences = ()) -> str:
    """All of it, for programs."""
    data = {**ledger.as_data(), "differences": [one.as_data() for one in differences]}
    return json.dumps(data, indent=2, ensure_ascii=False)


def as_junit(ledger: Ledger, differences: Differences = ()) -> str:
    """A test case for each operation: failed where it differs, skipped where it was not called."""
    suite = ET.Element("testsuite", name=_text(f"{ledger.api.title} {ledger.api.version}"))
    names = [one.operation_id for one in ledger]
    others = [one for one in differences if one.operation not in names]
    calls = {one.operation_id: one.calls for one in ledger}
    failures = skipped = 0
    for name in [*names, *(["(no operation)"] if others else [])]:
        case = ET.SubElement(suite, "testcase", classname="dynclient", name=_text(name))
        found = [one for one in differences if one.operation == name] if name in calls else others
        if found:
            failures += 1
            failure = ET.SubElement(case, "failure", message=f"{len(found)} differences")
            failure.text = _text("\n".join(str(one) for one in found))
        elif not calls[name]:
            skipped += 1
            ET.SubElement(case, "skipped", message="not called")
    suite.attrib |= {"tests": str(len(suite)), "failures": str(failures), "skipped": str(skipped)}
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _text(text: str) -> str:
    return escaped(text)


REPORTS: dict[str, Callable[[Ledger, Differences], str]] = {"text": as_text, "json": as_json, "junit": as_junit}
