"""``python -m dynclient.cli``."""

from __future__ import annotations

import sys

from dynclient.cli import main

sys.exit(main())
