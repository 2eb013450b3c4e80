"""What the verification of a log costs, and the proof of one of its events.

The rate is that of `perisai log verify` from the leaves in the database to the root, every
stored hash, head and checkpoint compared; and once more with each leaf read as an event and
all search tables compared. Both are of processor time: no other program of the machine
counts, and whatever waits for a thread does. pymerkle stands beside what it does too: from
leaf bytes in memory to the root, and a proof.
"""

import gc
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from pymerkle import InmemoryTree

from api.accesslog.reader import LogReader, reading
from api.accesslog.tree import Growth, Tree, leaf_hash
from api.accesslog.verify import verify
from api.cli.log import collect_seldom
from benchmarks.machine import Pace
from benchmarks.made_log import KEYS, STRETCH, bodies, make
from benchmarks.values import Value

#: Events of the log that is verified, and of the one in which an event is proven.
VERIFIED = 200_000
PROVEN = 1_000_000
LEAVES = "select idx, body from entry order by idx"
#: Events for pymerkle, which keeps a tree of objects.
COMPARED = 50_000

#: The best of so many rounds counts: neighbours of the machine take time and give none.
ROUNDS = 6
#: Seconds that it takes to read these leaves, hash each and parse it as JSON, where the rates
#: below were set: other machines are judged by what they take for that.
BARE = 1.0
PROOFS = 300

#: The targets: events in a second, and milliseconds.
RATE = 200_000
RATE_SEARCHED = 50_000
PROOF = 5.0


async def verify_rate() -> list[Value]:
    """Verify one log in turns with and without what is for searching."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.sqlite3")
        await make(path, VERIFIED, searchable=True)
        taken: dict[bool, list[float]] = {False: [], True: []}
        walls: dict[bool, list[float]] = {False: [], True: []}
        pace = Pace(lambda: _bare(path), BARE, min)
        async with reading(f"sqlite+aiosqlite:///{path}") as reader:
            thresholds = gc.get_threshold()
            collect_seldom()  # As the command does.
            try:
                for _ in range(ROUNDS):
                    for events in (False, True):
                        wall, start = time.perf_counter(), time.process_time()
                        await _verified(reader, events=events)
                        taken[events].append(time.process_time() - start)
                        walls[events].append(time.perf_counter() - wall)
                        pace.turn()
            finally:
                gc.unfreeze()
                gc.set_threshold(*thresholds)
    slow = pace.slowness
    rate, searched = (VERIFIED / min(taken[events]) for events in (False, True))
    print(
        f"# log.verify_rate: {rate:,.0f} events/s from leaf bytes to root, {searched:,.0f} with "
        f"the search tables compared; by the clock on the wall "
        f"{VERIFIED / min(walls[False]):,.0f} and {VERIFIED / min(walls[True]):,.0f}; "
        f"to read, hash and parse the leaves took {pace.taken:.2f} s, {slow:.2f} of what it took "
        f"where the targets were set"
    )
    _beside_pymerkle()
    return [
        Value("log.verify_rate", rate, "events/s", above=RATE / slow),
        Value("log.verify_rate_searched", searched, "events/s", above=RATE_SEARCHED / slow),
    ]


def _bare(path: Path) -> float:
    """Read the leaves, hash and parse each; give the seconds of the processor."""
    start = time.process_time()
    with closing(sqlite3.connect(path)) as connection:
        read = 0
        for _idx, body in connection.execute(LEAVES):
            sha256(body).digest()
            json.loads(body)
            read += 1
    if read != VERIFIED:
        raise SystemExit("log.verify_rate: this is not the log that was made")
    return time.process_time() - start


async def _verified(reader: LogReader, *, events: bool) -> None:
    found = await verify(reader, KEYS, events=events)
    if (found.size, found.searchable) != (VERIFIED, VERIFIED):
        raise SystemExit("log.verify_rate: this is not the log that was made")


def _beside_pymerkle() -> None:
    """Say what another library takes from the same leaves in memory to the same root."""
    leaves = bodies(0, COMPARED)
    theirs = InmemoryTree(algorithm="sha256")

    def ours() -> bytes:
        tree = Tree()
        for start in range(0, COMPARED, STRETCH):
            part = leaves[start : start + STRETCH]
            tree = Growth(tree, [leaf_hash(leaf) for leaf in part]).after()
        return tree.root()

    def others() -> bytes:
        theirs.append_entries(leaves)
        return bytes(theirs.get_root())

    (own, our_root), (other, their_root) = _timed(ours), _timed(others)
    if our_root != their_root:
        raise SystemExit("log.verify_rate: pymerkle finds another root")
    print(
        f"# log.verify_rate: in memory {COMPARED / own:,.0f} events/s, "
        f"pymerkle {COMPARED / other:,.0f}"
    )


def _timed(work: Callable[[], bytes]) -> tuple[float, bytes]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


async def proof_ms() -> list[Value]:
    """Prove events of a log of a million, each with the checkpoint that it leads to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.sqlite3")
        await make(path, PROVEN, searchable=False)
        chosen = random.Random(4).sample(range(PROVEN), PROOFS)
        taken, busy, pace = [], [], Pace()
        async with reading(f"sqlite+aiosqlite:///{path}") as reader:
            for index in chosen:
                start, processor = time.perf_counter(), time.process_time()
                proof = await reader.proof(index)
                taken.append(time.perf_counter() - start)
                busy.append(time.process_time() - processor)
                [entry] = await reader.entries(index, index + 1)
                if proof is None:
                    raise SystemExit("log.proof_ms: no proof")
                proof.check(entry.body, KEYS)
                pace.turn()
            newest = []
            for index in chosen[: PROOFS // 3]:
                start = time.perf_counter()
                await reader.inclusion(index, PROVEN)
                newest.append(time.perf_counter() - start)
    median, longest = statistics.median(taken) * 1_000, statistics.median(newest) * 1_000
    print(
        f"# log.proof_ms: {median:.2f} ms of {PROOFS} events under their checkpoints, "
        f"{longest:.2f} ms up to the newest; {statistics.median(busy) * 1_000:.2f} ms of "
        f"processor time, the slowest {max(taken) * 1_000:.2f} ms; "
        f"pymerkle {_proof_of_pymerkle():.2f} ms in a tree of {COMPARED:,} in memory"
    )
    return [Value("log.proof_ms", max(median, longest), "ms", limit=PROOF * pace.slowness)]


def _proof_of_pymerkle() -> float:
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(bodies(0, COMPARED))
    taken = []
    for index in random.Random(4).sample(range(1, COMPARED), 50):
        start = time.perf_counter()
        tree.prove_inclusion(index, COMPARED)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1_000
