"""Reports of a proxy or a test session: as text, as JSON, as JUnit's XML."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from dynclient._mock.coverage import KINDS, CoverageReport
from dynclient.exceptions import escaped

Differences = Sequence[Any]
"""Each a :class:`dynclient.testing.traffic.Difference`."""


def as_text(coverage: CoverageReport, differences: Differences = ()) -> str:
    """Lines of text: the totals, the unused parts, and each difference once, with its count."""
    lines = [f"{coverage.title} {coverage.version}"]
    lines += [f"  {kind}: {used} of {there}" for kind, (used, there) in coverage.totals().items()]
    for one in coverage:
        if not one.calls:
            lines.append(f"  not called: {one.operation_id}")
            continue
        for kind in KINDS:
            if missing := one.missing(kind):
                lines.append(f"  {one.operation_id}, {kind} not seen: {', '.join(missing)}")
    counts = Counter(map(str, differences))
    lines += [f"  {text}" + (f" ({count} times)" if count > 1 else "") for text, count in counts.items()]
    return escaped("\n".join(lines))


def as_json(coverage: CoverageReport, differences: Differences = ()) -> str:
    """The whole report as JSON."""
    data = {**coverage.as_data(), "differences": [one.as_data() for one in differences]}
    return json.dumps(data, indent=2, ensure_ascii=False)


def as_junit(coverage: CoverageReport, differences: Differences = ()) -> str:
    """A test case for each operation: failed if there are differences, skipped if it was not called."""
    suite = ET.Element("testsuite", name=escaped(f"{coverage.title} {coverage.version}"))
    names = [one.operation_id for one in coverage]
    others = [one for one in differences if one.operation not in names]
    calls = {one.operation_id: one.calls for one in coverage}
    failures = skipped = 0
    for name in [*names, *(["(no operation)"] if others else [])]:
        case = ET.SubElement(suite, "testcase", classname="dynclient", name=escaped(name))
        found = [one for one in differences if one.operation == name] if name in calls else others
        if found:
            failures += 1
            failure = ET.SubElement(case, "failure", message=f"{len(found)} differences")
            failure.text = escaped("\n".join(str(one) for one in found))
        elif not calls[name]:
            skipped += 1
            ET.SubElement(case, "skipped", message="not called")
    suite.attrib |= {"tests": str(len(suite)), "failures": str(failures), "skipped": str(skipped)}
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


REPORTS: dict[str, Callable[[CoverageReport, Differences], str]] = {"text": as_text, "json": as_json, "junit": as_junit}
