"""A log that was restored from an older copy, and what lets it go on: nothing less than two."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.epoch import Epoch, approve, approver_key, digest
from api.accesslog.event import Event, decode
from api.accesslog.key_change import change_key
from api.accesslog.ledger import Ledger, Writer
from api.accesslog.log_keys import LogKeys, epoch_line
from api.accesslog.new_epoch import begin, document_path, old_state_path, prepare
from api.accesslog.note import VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.signer_state import load_any_state
from api.accesslog.tree import leaf_hash
from api.accesslog.verify import verify
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, LogNotContinued, RefusesToStart
from api.vocabulary import Action, EpochReason
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of

ORIGIN = "perisai.example/log"
KEY, P, Q, R = (SigningKey.from_seed(bytes([n]) * 32) for n in range(4))
APPROVERS = (approver_key("lpsk/one", P), approver_key("komnas-ham/two", Q))
NOW = read_of(0).at
TODAY = date(2026, 11, 26)


@dataclass
class Lost:
    """A log of 5 entries whose signer signed for 8, with the state that says so."""

    log: Log
    folder: Path
    source: Writer
    ledger: Ledger
    reader: LogReader
    said: list[Event] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def signer(self, origin: str = ORIGIN) -> Signer:
        return Signer(self.state, KEY, origin)

    async def cut(self) -> None:
        """Restore the copy of five entries once more."""
        await self.ledger.close()
        _cut_back(self.log)
        self.ledger = self.log.ledger()
        await self.ledger.start()

    async def prepare(self, newest: str | None = None) -> Epoch:
        reason = EpochReason.DISK_FAILURE
        return await prepare(self.state, KEY, ORIGIN, self.source, TODAY, reason, newest)

    async def append(self, event: Event) -> int:
        self.said.append(event)
        return await self.ledger.append(event)

    async def begin(
        self,
        document: str,
        approvers: tuple[VerifierKey, ...] = APPROVERS,
        *,
        key: SigningKey = KEY,
        source: Any = None,
        append: Callable[[Event], Any] | None = None,
    ) -> Epoch:
        return await begin(
            document,
            approvers,
            self.state,
            key,
            source or self.source,
            append or self.append,
            lambda: NOW,
        )


@pytest.fixture
async def lost(log: Log, reader: LogReader, tmp_path: Path) -> AsyncIterator[Lost]:
    """Restore a log: its last batch of three is gone, and every checkpoint after the first."""
    source = log.source()
    await source.open()
    ledger = log.ledger()
    await ledger.start()
    signer = Signer(tmp_path / "state", KEY, ORIGIN)
    await signer.start(source)
    for number in range(8):
        await ledger.append(read_of(number))
        if number in (4, 7):
            await signer.sign(source)
    signer.close()
    await ledger.close()
    _cut_back(log)
    ledger = log.ledger()
    await ledger.start()
    yield Lost(log, tmp_path, source, ledger, reader)
    await ledger.close()
    await source.close()


def _cut_back(log: Log) -> None:
    with log.raw() as raw:
        raw.execute("delete from entry where idx >= 5")
        raw.execute("delete from head where size > 5")
        raw.execute("delete from checkpoint where size > 5")


def both(epoch: Epoch) -> str:
    return approve(approve(str(epoch), "lpsk/one", P), "komnas-ham/two", Q)


async def test_nothing_goes_on_by_itself_after_a_restore(lost: Lost) -> None:
    signer = lost.signer()
    with pytest.raises(LogNotContinued, match="8 entries were signed for"):
        await signer.start(lost.source)
    signer.close()


async def test_two_approvers_let_the_log_go_on_under_a_new_name(lost: Lost) -> None:
    before = lost.state.read_bytes()
    epoch = await lost.prepare()
    assert (epoch.old_size, epoch.size, epoch.old.name) == (8, 5, ORIGIN)
    assert lost.state.read_bytes() == before
    document = both(epoch)

    assert await lost.begin(document) == epoch

    # The old state and the document are kept, and the log commits to the document.
    assert old_state_path(lost.state, epoch).read_bytes() == before
    assert document_path(lost.state, epoch).read_text() == document
    [event] = lost.said
    assert (event.action, event.request) == (Action.NEW_EPOCH, digest(document))
    assert decode((await lost.reader.entries(5, 6))[0].body) == event
    # It goes on, and nobody can go back to the old name.
    second = lost.signer(epoch.new.name)
    await second.start(lost.source)
    await lost.ledger.append(read_of(9))
    signed = await second.sign(lost.source)
    second.close()
    assert signed is not None
    assert (signed.origin, signed.size) == (f"{ORIGIN}/epoch-2", 7)
    first = lost.signer()
    with pytest.raises(RefusesToStart, match="another log"):
        await first.start(lost.source)
    first.close()
    for trusted in ([epoch.old], [epoch.new]):
        keys = LogKeys(trusted, APPROVERS)
        found = await verify(lost.reader, keys)
        assert (found.size, found.checkpoints) == (7, 3)
        assert [begun.epoch for begun in keys.epochs] == [epoch]


async def test_what_a_restore_lost_of_earlier_epochs_and_keys_is_carried_on(lost: Lost) -> None:
    """The older copy is from before a second epoch and a change of keys."""
    second = await lost.prepare()
    await lost.begin(both(second))
    path = lost.folder / "key.pem"
    KEY.save(path)
    _, changed = await change_key(
        lost.state, path, second.new.name, lost.source, lost.append, lambda: NOW
    )
    await lost.cut()
    key = SigningKey.load(path)
    third = await prepare(
        lost.state, key, second.new.name, lost.source, TODAY, EpochReason.OPERATING_ERROR
    )
    await lost.begin(both(third), key=key)
    await lost.cut()
    fourth = await prepare(
        lost.state, key, third.new.name, lost.source, TODAY, EpochReason.OPERATING_ERROR
    )
    await lost.begin(both(fourth), key=key)

    assert fourth.new.name == f"{ORIGIN}/epoch-4"
    assert third.old == changed
    for trusted in (second.old, second.new, changed, third.new, fourth.new):
        keys = LogKeys([trusted], APPROVERS)
        found = await verify(lost.reader, keys)
        assert (found.size, found.checkpoints) == (6, 2)
        assert {begun.epoch for begun in keys.epochs} == {second, third, fourth}
        assert keys.present == (fourth.new,)
        with pytest.raises(LogBroken):
            keys.open(Checkpoint(third.new.name, 6, bytes(32)).sign(key))


async def test_without_two_known_persons_nothing_changes(lost: Lost) -> None:
    epoch = await lost.prepare()
    files = _files(lost.folder)
    one = approve(str(epoch), "lpsk/one", P)
    refused = {
        "nobody": str(epoch),
        "one alone": one,
        "one twice": approve(one, "lpsk/again", P),
        "one and a stranger": approve(one, "nobody/knows", R),
        "a stranger under the other's name": approve(one, "komnas-ham/two", R),
        "one and the signing key": approve(one, "lpsk/signer", KEY),
        "changed": both(epoch).replace("\n8\n", "\n6\n"),
        "another reason": both(epoch).replace("disk_failure", "site_lost"),
        "rubbish": "rubbish",
    }
    for name, document in refused.items():
        with pytest.raises(RefusesToStart, match="not approved by two different persons"):
            await lost.begin(document)
        assert _files(lost.folder) == files, name
    with pytest.raises(RefusesToStart, match="not approved"):
        await lost.begin(both(epoch), ())

    assert lost.said == []
    assert (await lost.source.state()).size == 5


async def test_a_document_that_does_not_fit_what_is_here_changes_nothing(lost: Lost) -> None:
    epoch = await lost.prepare()
    files = _files(lost.folder)
    other = dataclasses.replace
    for wrong, why in (
        (other(epoch, old_size=9), "does not speak of what this signer signed for"),
        (other(epoch, old_root=leaf_hash(b"x")), "does not speak of what this signer signed for"),
        (other(epoch, size=4), "is not what was approved"),
        (other(epoch, root=leaf_hash(b"x")), "is not what was approved"),
    ):
        with pytest.raises(RefusesToStart, match=why):
            await lost.begin(both(wrong))
    with pytest.raises(RefusesToStart, match="another signing key"):
        await lost.begin(both(epoch), key=R)
    running = lost.signer()
    with running.alone(), pytest.raises(RefusesToStart, match="Another process of this host"):
        await lost.begin(both(epoch))
    await lost.ledger.append(read_of(20))
    with pytest.raises(RefusesToStart, match="has 6 entries now"):
        await lost.begin(both(epoch))

    assert lost.said == []
    assert _files(lost.folder) == files


async def test_there_is_nothing_to_approve_where_the_log_continues(
    lost: Lost, log: Log, tmp_path: Path
) -> None:
    epoch = await lost.prepare()
    await lost.begin(both(epoch))

    with pytest.raises(RefusesToStart, match="continues what was signed for"):
        await prepare(lost.state, KEY, epoch.new.name, lost.source, TODAY, EpochReason.SITE_LOST)
    with pytest.raises(RefusesToStart, match="has begun already"):
        await lost.begin(both(epoch))
    with pytest.raises(RefusesToStart, match="There is no signer state"):
        await prepare(tmp_path / "nothing", KEY, ORIGIN, lost.source, TODAY, EpochReason.SITE_LOST)


async def test_where_the_state_is_lost_a_checkpoint_that_others_hold_stands_in(lost: Lost) -> None:
    whole = await lost.prepare()
    lost.state.unlink()
    held = Checkpoint(ORIGIN, whole.old_size, whole.old_root)
    for note in (None, "rubbish", held.sign(R)):
        with pytest.raises(RefusesToStart):
            await lost.prepare(note)

    epoch = await lost.prepare(held.sign(KEY))
    assert epoch == whole
    await lost.begin(both(epoch))

    assert not old_state_path(lost.state, epoch).exists()
    keys = LogKeys([epoch.old], APPROVERS)
    await verify(lost.reader, keys)
    assert [begun.epoch for begun in keys.epochs] == [epoch]


class Cut(Exception):
    """The process ended here."""


@pytest.mark.parametrize("at", ["state", "event", "put", "stored", "done"])
async def test_cut_off_anywhere_nobody_signs_until_it_is_run_again(
    lost: Lost, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = await lost.prepare()
    document = both(epoch)

    def cut(*_: object) -> None:
        raise Cut

    async def cut_event(_event: Event) -> int:
        raise Cut

    class CutSource:
        state, leaf_hashes = lost.source.state, lost.source.leaf_hashes

        async def put_checkpoint(self, size: int, note: str) -> None:
            if at == "stored":
                await lost.source.put_checkpoint(size, note)
            raise Cut

    with monkeypatch.context() as patch:
        if at == "state":
            patch.setattr("api.accesslog.new_epoch.write_state", cut)
        if at == "done":
            patch.setattr(Signer, "done", cut)
        with pytest.raises(Cut):
            await lost.begin(
                document,
                source=CutSource() if at in ("put", "stored") else None,
                append=cut_event if at == "event" else None,
            )

    for origin in (ORIGIN, epoch.new.name):
        signer = lost.signer(origin)
        with pytest.raises(RefusesToStart):
            await signer.start(lost.source)
        signer.close()
    assert await lost.begin(document) == epoch
    keys = LogKeys([epoch.old], APPROVERS)
    await verify(lost.reader, keys)
    assert [begun.epoch for begun in keys.epochs] == [epoch]
    state = load_any_state(lost.state)
    assert state is not None
    assert (state.origin, state.unfinished) == (epoch.new.name, None)


async def test_the_log_must_be_what_the_approvers_saw(lost: Lost) -> None:
    epoch = await lost.prepare()
    await lost.begin(both(epoch))
    head = await lost.source.state()
    # Two approvers who say that they saw another root: the entries do not give it.
    wrong = both(dataclasses.replace(epoch, root=leaf_hash(b"x")))
    note = Checkpoint(epoch.new.name, head.size, head.root, (epoch_line(wrong),)).sign(KEY)
    with lost.log.raw() as raw:
        raw.execute("update checkpoint set note = ? where size = ?", note, head.size)

    with pytest.raises(LogBroken, match="entry 0 to 4: up to here it is not"):
        await verify(lost.reader, LogKeys([epoch.old], APPROVERS))


def _files(folder: Path) -> dict[str, bytes]:
    """Give the files of a signer, but its lock and the database."""
    return {
        path.name: path.read_bytes() for path in folder.glob("state*") if ".lock" not in path.name
    }
