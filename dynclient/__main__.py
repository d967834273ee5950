"""``python -m dynclient``: the command ``dynclient``."""

from __future__ import annotations

import sys

from dynclient.cli import main

sys.exit(main())
