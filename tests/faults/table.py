"""The whole table."""

from __future__ import annotations

import documents
import exchanges
import responses
import secrecy

CASES = [*documents.CASES, *responses.CASES, *exchanges.CASES, *secrecy.CASES]
