"""``python -m dynclient.cli``: the same as ``python -m dynclient``, for scripts that call it so."""

from __future__ import annotations

import sys

from dynclient.cli import main

sys.exit(main())
