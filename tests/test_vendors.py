"""The page on vendors runs: each block against a mock of the vendor's own document, with that document's text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dynclient
from dynclient.testing import MockTransport

PAGE = Path(__file__).resolve().parent.parent / "docs" / "vendors.md"
SECTIONS = dict(re.findall(r"^## (\w+)\n.*?^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
VARIABLES = ("GITHUB_TOKEN", "STRIPE_KEY", "KUBERNETES_TOKEN", "TWILIO_TOKEN", "OPENAI_API_KEY")
LINES = {"GitHub": 14, "Stripe": 12, "Kubernetes": 12, "Twilio": 7, "OpenAI": 8}


@pytest.mark.large
@pytest.mark.parametrize("vendor", SECTIONS)
def test_the_lines_of_a_vendor_run(shared, monkeypatch, vendor):
    for name in VARIABLES:
        monkeypatch.setenv(name, f"token-of-{name.lower()}")
    load, mocks = dynclient.load, []

    def mocked(name, **options):
        document = shared / "corpus" / vendor.lower() / name
        mocks.append(MockTransport(document))
        return load(document, transport=mocks[0], retry=1, **options)

    monkeypatch.setattr(dynclient, "load", mocked)
    source = SECTIONS[vendor]
    assert len([line for line in source.splitlines() if line]) <= LINES[vendor]
    exec(compile(f"import os\nimport dynclient\n{source}", f"{PAGE.name}: {vendor}", "exec"), {})
    assert mocks[0].requests
    assert all(response.status < 400 for response in mocks[0].responses)
