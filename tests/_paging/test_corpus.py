"""Rules detected in large real documents: no rule that is used without confirmation is wrong."""

from __future__ import annotations

import re
from collections import Counter

import pytest

import dynclient
from dynclient._paging.detection import detect

pytestmark = pytest.mark.large

# Document -> what its usable rules may be, how many there are at least, how many lists at most are unclear or a guess.
# The vendors' own clients page so; `python -m benchmarks.lists` compares each operation with these.
DOCUMENTS = {
    "github/api.github.com.json": (r"Link rel=next|query page \+ 1|query after <- \$\.page_info\.next", 289, 1),
    "openai/openapi.yaml": (
        r"query after <- \$\.(data\[-1\]\.id|last_id|next)|query page <- \$\.next_page",
        60,
        0,
    ),
    "stripe/spec3.json": (r"query starting_after <- \$\.data\[-1\]\.id|query page <- \$\.next_page", 95, 3),
    "twilio/twilio_api_v2010.json": (r"url <- \$\.next_page_uri|query Page \+ 1", 60, 0),
    "apis-guru/amazonaws.com/s3.json": (r"(query [\w-]+ <- \$\.Next\w+(; )?)+", 9, 0),
    "kubernetes/swagger.json": (r"query continue <- \$\.metadata\.continue", 119, 0),
    "slack/web-api/slack_web_openapi_v2.json": (
        r"query cursor <- \$\.(response_metadata\.)?next_cursor|query page \+ 1",
        8,
        8,
    ),
    "discord/openapi.json": (r"query offset \+ items", 2, 20),
    "xero/xero_accounting.yaml": (r"query page \+ 1", 11, 1),
    "docker/swagger.yaml": (r"", 0, 3),
    "apis-guru/trello.com.json": (r"", 0, 0),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_rules_of_a_large_document(shared, name):
    pattern, least, unclear = DOCUMENTS[name]
    client = dynclient.load(shared / "corpus" / name, auth=None)
    rules = [detect(client.api.read(row), client.api) for row in client.api.rows]
    used = Counter(rule.next for rule in rules if rule is not None and rule.is_usable)
    assert [rule for rule in used if not re.fullmatch(pattern, rule)] == []
    assert used.total() >= least
    assert sum(rule is not None and not rule.is_usable for rule in rules) <= unclear
