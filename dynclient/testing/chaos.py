"""Trouble on purpose: some requests fail, as the operation documents it, for clients that have to live with that."""

from __future__ import annotations

from random import Random

from dynclient import model
from dynclient.messages import Response
from dynclient.testing.refusals import Refusal, refuse

TROUBLES = (429, 500, 502, 503, 504)


class Chaos:
    """Decides which requests fail. The same seed gives the same run of luck."""

    def __init__(self, rate: float, seed: int) -> None:
        """Take the part of requests that fail, from 0 to 1."""
        if not 0 <= rate <= 1:
            raise ValueError(f"chaos is a rate from 0 to 1, not {rate!r}")
        self._rate = rate
        self._random = Random(seed)  # noqa: S311  # the same in every run is the point

    def strike(self, operation: model.Operation, accept: str) -> Response | None:
        """A failure: a status that the operation documents, if it documents one; None where all goes well."""
        if not self._rate or self._random.random() >= self._rate:
            return None
        documented = [status for status in TROUBLES if str(status) in operation.responses]
        status = self._random.choice(documented or [503])
        # RFC 9110, 10.2.3: 503 and 429 may say when to come again.
        headers = {"Retry-After": "0"} if status in {429, 503} else {}
        return refuse(Refusal(status, "trouble on purpose", headers=headers), operation, accept)
