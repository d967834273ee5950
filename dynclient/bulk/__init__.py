"""Send a table of calls, and resume it after a crash: ``bulk.run(client.create_order, "orders.csv", journal="runs")``.

Every row ends in exactly one of: ``done``; ``refused``, a documented 4xx; ``failed``, known not done; ``invalid``,
never sent; ``unknown``, sent, but the response was lost. A row that can't be repeated is never sent twice.
"""

from __future__ import annotations

from dynclient.bulk.cluster import run_partition
from dynclient.bulk.journal import BulkError, JournalError
from dynclient.bulk.outcomes import BulkResult, Summary
from dynclient.bulk.rows import InvalidRows, RowFault
from dynclient.bulk.run import BulkRun, create, run
from dynclient.bulk.run import open_run as open  # noqa: A004  # read as bulk.open
from dynclient.bulk.sending import Sent, Task, TooManyFailures

__all__ = [
    "BulkError", "BulkResult", "BulkRun", "InvalidRows", "JournalError", "RowFault", "Sent", "Summary", "Task",
    "TooManyFailures", "create", "open", "run", "run_partition",
]  # fmt: skip
