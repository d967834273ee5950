"""The whole table."""

from __future__ import annotations

import answers
import documents
import exchanges
import secrecy

EXCHANGES = [case for case in (*answers.CASES, *exchanges.CASES, *secrecy.CASES) if case.memory is None]
"""The cases in which there is an exchange with a server, without those that take a second or more."""

TRANSPORT = exchanges.CASES
"""The cases of the transport alone."""

CASES = [*documents.CASES, *answers.CASES, *exchanges.CASES, *secrecy.CASES]
