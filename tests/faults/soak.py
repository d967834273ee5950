"""A minute of calls by many threads, of which some fail: memory and descriptors have to stay where they were.

``make soak`` runs it, and prints figures; it ends with 1 where they grow, or where a call ends in what is not ours.
"""

from __future__ import annotations

import argparse
import gc
import random
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).parent))

from case import AUTH, QUICK, answer, document, ok
from fault_server import FaultServer, Peer

import dynclient
from dynclient import exceptions
from dynclient.options import Limits, Retry

FAULTS = (b"", b"garbage\r\n", answer(200, b"{", length=9), answer(503), answer(200, length=10**12), answer(500, b"{"))
GROWTH, MORE = 10.0, 8


def resident() -> float:
    """MiB of memory of this process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def peer(share: float, chance: random.Random) -> object:
    """The script of a connection: responses, a part of which are faults; after one it is closed."""

    def run(one: Peer) -> None:
        while True:
            one.received = b""
            one.ask()
            if chance.random() < share:
                one.sock.sendall(chance.choice(FAULTS))
                return
            one.sock.sendall(ok().replace(b"Connection: close\r\n", b""))

    return run


def closing(seconds: float, chance: random.Random) -> object:
    """The script of a connection that is closed within so many seconds of an answer which does not say so."""

    def run(one: Peer) -> None:
        one.ask()
        one.sock.sendall(ok().replace(b"Connection: close\r\n", b""))
        time.sleep(seconds * chance.random())

    return run


def caller(client: dynclient.Client, until: float, ends: Counter[str]) -> None:
    """Call until the time is over."""
    made: Counter[str] = Counter()
    while time.monotonic() < until:
        try:
            client.get_thing()
            made["good"] += 1
        except exceptions.DynclientError as error:  # each call by itself is the point
            made[type(error).__name__] += 1
        except Exception as error:  # noqa: BLE001  # counted, and reported at the end
            made[f"! {type(error).__name__}"] += 1
    with LOCK:
        ends.update(made)


LOCK = threading.Lock()


def soak(seconds: float, threads: int, share: float, closes_after: float) -> int:
    """Run, and print the figures. Where connections are closed and all is well else, each call has to succeed."""
    chance = random.Random(1)
    server = FaultServer((closing(closes_after, chance) if closes_after else peer(share, chance),), keep=False)
    ends: Counter[str] = Counter()
    options = {"timeout": QUICK, "retry": Retry(base=0.001, throttle_base=0.001), "limits": Limits(pool_size=threads)}
    client = dynclient.load(document(server.url), auth=AUTH, **options)
    until = time.monotonic() + seconds
    running = [threading.Thread(target=caller, args=(client, until, ends)) for _ in range(threads)]
    for thread in running:
        thread.start()
    time.sleep(seconds / 4)
    samples = [(resident(), descriptors())]
    for _ in range(3):
        time.sleep(max(0.0, (until - time.monotonic()) / 2))
        server.forget()
        gc.collect()
        samples.append((resident(), descriptors()))
    for thread in running:
        thread.join()
    client.close()
    server.close()
    total = sum(ends.values())
    grown, more = samples[-1][0] - samples[0][0], samples[-1][1] - samples[0][1]
    sys.stdout.write(f"{total} calls by {threads} threads in {seconds:.0f} s: {total / seconds:.0f} a second\n")
    sys.stdout.write(f"{server.connections} connections, {server.asked} requests\n")
    sys.stdout.write(f"ends: {dict(ends.most_common())}\n")
    sys.stdout.write(f"memory in MiB, descriptors: {[(round(size, 1), count) for size, count in samples]}\n")
    foreign = [name for name in ends if name.startswith("!")]
    # A connection may end between the look at it and the request, twice in a row; never for one call in a thousand.
    served = not closes_after or ends["good"] >= 0.999 * total
    good = served and not foreign and grown < GROWTH and more < MORE * 4
    sys.stdout.write("flat\n" if good else f"NOT FLAT: {grown:.1f} MiB, {more} descriptors, {foreign}\n")
    return 0 if good else 1


def main() -> NoReturn:
    """Read the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--faults", type=float, default=0.02)
    parser.add_argument("--closing", type=float, default=0.0, help="seconds until the server closes after an answer")
    given = parser.parse_args()
    sys.exit(soak(given.seconds, given.threads, given.faults, given.closing))


if __name__ == "__main__":
    main()
