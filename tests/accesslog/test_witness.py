"""A witness never cosigns two trees of which one does not continue the other."""

import base64
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.cosignature import cosignatures, text_of, witness_key
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.witness import MAX_REQUEST, SIZE, Answer, Witness
from api.accesslog.witness_state import NOTHING, Seen, WitnessState
from api.crypto.signatures import SigningKey
from api.errors import RefusesToStart, WitnessUnavailable
from tests.accesslog.reference import Reference
from tests.processes import LIMIT, ROOT, environment

NAME = "example.com/witness"
KEY = SigningKey.from_seed(bytes(32))
LOG_KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"
LOG = VerifierKey(ORIGIN, ED25519, LOG_KEY.public)
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make the state of a new witness."""
    path = tmp_path / "witness.sqlite3"
    WitnessState.create(path)
    return path


@pytest.fixture
def state(path: Path) -> Iterator[WitnessState]:
    """Open it."""
    with closing(WitnessState(path)) as state:
        yield state


@pytest.fixture
def witness(state: WitnessState) -> Witness:
    """Give a witness of our log that has seen nothing."""
    return Witness(NAME, KEY, [LOG], state, lambda: NOON)


class Leaves:
    """A log of bare leaves: what it signs and proves, by the independent reference."""

    def __init__(self, bodies: Sequence[bytes], key: SigningKey = LOG_KEY) -> None:
        self.tree = Reference(bodies)
        self.key = key

    def root(self, size: int) -> bytes:
        return self.tree.root(0, size)

    def note(self, size: int, *extensions: str) -> str:
        return Checkpoint(ORIGIN, size, self.root(size), extensions).sign(self.key)

    def proof(self, old: int, new: int) -> list[bytes]:
        return self.tree.proof(old, new) if 0 < old < new else []

    def request(self, old: int, new: int) -> bytes:
        return asked(old, self.proof(old, new), self.note(new))


def asked(old: int | str, proof: list[bytes], note: str) -> bytes:
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    return f"old {old}\n{lines}\n{note}".encode()


BODIES = [b"leaf %d" % number for number in range(40)]
OURS = Leaves(BODIES)
#: The same first three leaves, then others: a fork.
FORKED = Leaves([*BODIES[:3], *(b"other %d" % number for number in range(3, 40))])


def cosigned(answer: Answer, note: str) -> bool:
    """Tell whether the answer is a cosignature of *note*, and nothing else."""
    assert answer.status == 200
    [one] = cosignatures(text_of(note), answer.text, [witness_key(NAME, KEY.public)])
    return one.at == int(NOON.timestamp()) and one.line == answer.text


def test_the_published_requests_are_answered_in_order(vectors: Path, state: WitnessState) -> None:
    """Source: vectors/tlog/witness_add_checkpoint.json, from torchwood's litewitness."""
    published: dict[str, Any] = json.loads((vectors / "witness_add_checkpoint.json").read_text())
    log = VerifierKey(
        published["log_key_name"],
        published["log_vkey_type"],
        bytes.fromhex(published["log_pubkey_hex"]),
    )
    witness = Witness(NAME, KEY, [log], state, lambda: NOON)
    assert len(published["requests"]) == 9

    for request in published["requests"]:
        answer = witness.add_checkpoint(request["body"].encode())

        assert answer.status == request["status_c2sp_2026"], request["body"]
        if answer.status == 200:
            assert cosigned(answer, request["body"].partition("\n\n")[2])
        if answer.status == 409:
            assert answer.media_type == SIZE
            assert f'== "{answer.text[:-1]}\\n"' == request["assert"].replace("\n", "\\n")
    assert state.latest(log.name).size == 5


@pytest.mark.parametrize("first", range(6))
def test_a_log_is_followed_from_any_size_to_any_later_one(
    witness: Witness, state: WitnessState, first: int
) -> None:
    old = 0
    for new in (first, first, first + 1, 17, 32, 40):
        assert cosigned(witness.add_checkpoint(OURS.request(old, new)), OURS.note(new))
        old = new

    assert state.latest(ORIGIN) == Seen(40, OURS.root(40))


@pytest.mark.parametrize("size", [3, 4, 5, 8, 40])
def test_a_fork_is_never_cosigned(witness: Witness, state: WitnessState, size: int) -> None:
    witness.add_checkpoint(OURS.request(0, 5))
    seen = state.latest(ORIGIN)
    for old in range(size + 1):
        answer = witness.add_checkpoint(FORKED.request(old, size))

        if old != 5:
            assert (answer.status, answer.text) == (409, "5\n")
        else:
            assert answer.status == (409 if size == 5 else 422)
        # Our own proof does not help the other tree either.
        assert witness.add_checkpoint(
            asked(5, OURS.proof(5, max(size, 5)), FORKED.note(size))
        ).status in (400, 409, 422)
    assert state.latest(ORIGIN) == seen


def test_a_witness_does_not_go_back(witness: Witness, state: WitnessState) -> None:
    witness.add_checkpoint(OURS.request(0, 9))

    for old, new in ((0, 4), (4, 9), (0, 9), (9, 4)):
        body = asked(old, OURS.proof(min(old, new), new), OURS.note(new))
        assert witness.add_checkpoint(body).status == (400 if old > new else 409)

    assert state.latest(ORIGIN).size == 9
    # The same once more is no step back: it gets a newer word for it.
    assert cosigned(witness.add_checkpoint(OURS.request(9, 9)), OURS.note(9))


NOTE = OURS.note(4)
MALFORMED = {
    "nothing": b"",
    "no note": b"old 0\n\n",
    "no old": NOTE.encode(),
    "no empty line": b"old 0\n" + NOTE.encode(),
    "a sign": asked("+0", [], NOTE),
    "a leading zero": asked("00", [], NOTE),
    "an underscore": asked("1_0", [], NOTE),
    "a digit of another script": asked("٣", [], NOTE),
    "a space more": asked(" 0", [], NOTE),
    "a size that no log has": asked(2**63, [], NOTE),
    "a short hash": asked(0, [bytes(31)], NOTE),
    "64 hashes": asked(0, [bytes(32)] * 64, NOTE),
    "base64 in another spelling": b"old 0\n" + b"A" * 42 + b"B=\n\n" + NOTE.encode(),
    "no UTF-8": b"old 0\n\n\xff" + NOTE.encode(),
    "carriage returns": asked(0, [], NOTE).replace(b"\n", b"\r\n"),
    "a root that is none": asked(0, [], NOTE.replace(NOTE.split("\n")[2], "AAAA")),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_is_refused(witness: Witness, state: WitnessState, body: bytes) -> None:
    assert witness.add_checkpoint(body).status == 400
    assert state.latest(ORIGIN) == NOTHING


def test_only_a_known_key_of_a_known_log_is_cosigned(witness: Witness, state: WitnessState) -> None:
    other = SigningKey.from_seed(b"\x07" * 32)
    stranger = Checkpoint("other.example/log", 4, bytes(32)).sign(LOG_KEY)
    forged = Leaves(BODIES, other).note(4)
    ours = OURS.note(4)
    flipped = ours[:-6] + ("A" if ours[-6] != "A" else "B") + ours[-5:]

    assert witness.add_checkpoint(asked(0, [], stranger)).status == 404
    assert witness.add_checkpoint(asked(0, [], forged)).status == 403
    assert witness.add_checkpoint(asked(0, [], flipped)).status == 403
    assert state.latest(ORIGIN) == NOTHING
    # A signature of nobody known beside the log's own is passed over.
    both = ours + forged.rpartition("\n\n")[2]
    assert cosigned(witness.add_checkpoint(asked(0, [], both)), ours)


def test_lines_that_a_log_added_are_cosigned_with_it(witness: Witness) -> None:
    note = OURS.note(4, "extension")

    assert cosigned(witness.add_checkpoint(asked(0, [], note)), note)


def test_a_proof_from_nothing_is_empty(witness: Witness, state: WitnessState) -> None:
    assert witness.add_checkpoint(asked(0, [bytes(32)], OURS.note(4))).status == 422
    assert state.latest(ORIGIN) == NOTHING


def test_the_largest_request_that_may_come_fits() -> None:
    lines = OURS.note(4) + f"— {'w' * 200} {base64.b64encode(bytes(76)).decode()}\n" * 99

    assert len(asked(2**63 - 1, [bytes(32)] * 63, lines)) < MAX_REQUEST


# -- one state, many who use it -------------------------------------------------------


class Stalled(WitnessState):
    """Stops between the check and the commit, where *meanwhile* happens."""

    meanwhile: Any = staticmethod(lambda: None)

    def advance(self, origin: str, seen: Seen, to: Seen) -> Seen | None:
        self.meanwhile()
        return super().advance(origin, seen, to)


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("other", [OURS, FORKED], ids=["same log", "fork"])
def test_who_was_overtaken_between_check_and_commit_gets_a_conflict(
    path: Path, other: Leaves, size: int
) -> None:
    """Source: torchwood, internal/witness/witness_test.go, TestRace."""
    with closing(Stalled(path)) as slow, closing(WitnessState(path)) as fast:
        first = Witness(NAME, KEY, [LOG], slow, lambda: NOON)
        second = Witness(NAME, KEY, [LOG], fast, lambda: NOON)
        first.add_checkpoint(OURS.request(0, 1))
        slow.meanwhile = lambda: second.add_checkpoint(other.request(1, 5))

        answer = first.add_checkpoint(OURS.request(1, size))

        assert (answer.status, answer.text, answer.media_type) == (409, "5\n", SIZE)
        assert fast.latest(ORIGIN) == Seen(5, other.root(5))


def test_of_many_at_once_one_history_is_cosigned(path: Path) -> None:
    """Twelve connections race with both forks, again and again."""
    sizes = range(4, 12)
    barrier = Barrier(12)

    def race(number: int) -> list[tuple[int, bytes]]:
        leaves = OURS if number % 2 else FORKED
        won = []
        with closing(WitnessState(path)) as state:
            witness = Witness(NAME, KEY, [LOG], state, lambda: NOON)
            for size in sizes:
                barrier.wait(LIMIT)
                old = state.latest(ORIGIN).size
                if witness.add_checkpoint(leaves.request(min(old, size), size)).status == 200:
                    won.append((size, leaves.root(size)))
        return won

    with ThreadPoolExecutor(12) as threads:
        won = {one for each in threads.map(race, range(12)) for one in each}

    # Every size was cosigned, under one root, and all are of one log.
    assert [size for size, _ in sorted(won)] == list(sizes)
    assert won in ({(size, leaves.root(size)) for size in sizes} for leaves in (OURS, FORKED))


RACING = """
import sys
from pathlib import Path
from contextlib import closing
from api.accesslog.witness import Witness
from api.accesslog.witness_state import WitnessState
from tests.accesslog.test_witness import FORKED, KEY, LOG, NAME, NOON, ORIGIN, OURS

leaves = {"ours": OURS, "forked": FORKED}[sys.argv[2]]
with closing(WitnessState(Path(sys.argv[1]))) as state:
    witness = Witness(NAME, KEY, [LOG], state, lambda: NOON)
    print("ready", flush=True)
    sys.stdin.readline()
    for size in range(4, 40):
        old = state.latest(ORIGIN).size
        if old <= size and witness.add_checkpoint(leaves.request(old, size)).status == 200:
            print(size, leaves.root(size).hex(), flush=True)
"""


def test_of_two_processes_with_two_histories_one_is_cosigned(path: Path) -> None:
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", RACING, str(path), which],
            env=environment(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for which in ("ours", "forked", "ours", "forked")
    ]
    for one in racing:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in racing:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=LIMIT)[0].split() for one in racing]

    assert [one.returncode for one in racing] == [0] * 4
    won = {(int(size), root) for words in said for size, root in batched(words)}
    assert len(won) > 0
    assert any(
        won <= {(size, leaves.root(size).hex()) for size in range(4, 40)}
        for leaves in (OURS, FORKED)
    )


def batched(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from zip(words[::2], words[1::2], strict=True)


KILLED = """
import os, sys
from pathlib import Path
from api.accesslog.witness_state import WitnessState, Seen, NOTHING

class Killed(WitnessState):
    def _latest(self, origin):
        found = super()._latest(origin)
        if sys.argv[2] == "before the commit" and self._connection.in_transaction:
            self._connection.execute(
                "insert into seen (origin, size, root) values (?, ?, ?)", (origin, 7, bytes(32)))
            os.kill(os.getpid(), 9)
        return found

Killed(Path(sys.argv[1])).advance("log", NOTHING, Seen(7, bytes(32)))
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_killed_witness_has_what_it_answered_for_and_nothing_else(
    path: Path, moment: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), moment],
        env=environment(),
        cwd=ROOT,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == -9

    with closing(WitnessState(path)) as state:
        found = state.latest("log")

    assert found == (NOTHING if moment == "before the commit" else Seen(7, bytes(32)))


def test_each_commit_is_synced(path: Path) -> None:
    with closing(WitnessState(path)) as state:
        assert state._connection.execute("pragma synchronous").fetchone() == (2,)
        assert state._connection.execute("pragma journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    "statement",
    [
        "update seen set size = 9",
        "delete from seen",
        "insert or replace into seen values ('log', 7, zeroblob(32))",
        "insert into seen values ('log', 6, zeroblob(32))",
    ],
)
def test_the_state_only_goes_forward(path: Path, statement: str) -> None:
    with closing(WitnessState(path)) as state:
        state.advance("log", NOTHING, Seen(7, bytes([1]) * 32))

        with (
            closing(sqlite3.connect(path, isolation_level=None)) as raw,
            pytest.raises(sqlite3.IntegrityError),
        ):
            raw.execute(statement)

        assert state.latest("log") == Seen(7, bytes([1]) * 32)


def test_a_lost_state_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(RefusesToStart, match="lost its state"):
        WitnessState(tmp_path / "gone")
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_no_state(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"x" * 8192)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RefusesToStart, match="not the state"):
            WitnessState(tmp_path / name)


def test_a_state_that_was_exchanged_while_open_answers_nothing(
    path: Path, witness: Witness, tmp_path: Path
) -> None:
    WitnessState.create(tmp_path / "other")
    (tmp_path / "other").rename(path)

    with pytest.raises(WitnessUnavailable):
        witness.add_checkpoint(OURS.request(0, 4))


def test_a_state_is_never_overwritten(path: Path) -> None:
    with pytest.raises(FileExistsError):
        WitnessState.create(path)


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_name_that_no_note_can_hold_is_refused(state: WitnessState, name: str) -> None:
    with pytest.raises(RefusesToStart, match="no space"):
        Witness(name, KEY, [LOG], state, lambda: NOON)


def test_a_witness_does_not_take_its_own_key_for_a_logs(state: WitnessState) -> None:
    for key in (witness_key(ORIGIN, LOG.public), VerifierKey(ORIGIN, ED25519, KEY.public)):
        with pytest.raises(RefusesToStart, match="not of a log"):
            Witness(NAME, KEY, [key], state, lambda: NOON)
