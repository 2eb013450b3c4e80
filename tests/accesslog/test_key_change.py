"""A change of the log's key on a real log, also where it is cut off at any step."""

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.checkpoint_watch import CheckpointWatch
from api.accesslog.event import Event, decode
from api.accesslog.key_change import change_key, log_event
from api.accesslog.ledger import Ledger, Writer
from api.accesslog.log_keys import LogKeys, change_line
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.verify import verify
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, LogUnavailable, RefusesToStart
from api.vocabulary import Action, Outcome, Phase
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of

ORIGIN = "perisai.example/log"
NOW = read_of(0).at


@dataclass
class Signing:
    """A log with its signer's files."""

    folder: Path
    source: Writer
    ledger: Ledger

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def signer(self, key: Path | None = None) -> Signer:
        return Signer(self.state, SigningKey.load(key or self.key), ORIGIN)

    async def sign(self, count: int = 1) -> Checkpoint:
        """Add *count* events, and sign for them."""
        signer = self.signer()
        await signer.start(self.source)
        for number in range(count):
            await self.ledger.append(read_of(number))
        signed = await signer.sign(self.source)
        signer.close()
        assert signed is not None
        return signed

    async def change(
        self, source: Any = None, append: Callable[[Event], Any] | None = None
    ) -> tuple[VerifierKey, VerifierKey]:
        return await change_key(
            self.state,
            self.key,
            ORIGIN,
            source or self.source,
            append or self.ledger.append,
            lambda: NOW,
        )


def vkey(key: SigningKey) -> VerifierKey:
    return VerifierKey(ORIGIN, ED25519, key.public)


@pytest.fixture
async def signing(log: Log, ledger: Ledger, tmp_path: Path) -> AsyncIterator[Signing]:
    source = log.source()
    await source.open()
    SigningKey.generate().save(tmp_path / "key.pem")
    yield Signing(tmp_path, source, ledger)
    await source.close()


async def events(reader: LogReader, action: Action) -> list[tuple[int, Event]]:
    entries = await reader.entries(0, 1_000)
    found = [(entry.idx, decode(entry.body)) for entry in entries]
    return [(idx, event) for idx, event in found if event.action is action]


async def test_both_keys_sign_the_first_checkpoint_and_either_one_leads_through_the_log(
    signing: Signing, reader: LogReader
) -> None:
    await signing.sign(3)

    old, new = await signing.change()
    after = await signing.sign(2)

    assert signing.signer().verifier_key == new != old
    # Intent, what both sign, outcome, what the new one signs.
    [(intent, begun), (_, ended)] = await events(reader, Action.CHANGE_LOG_KEY)
    assert (begun.phase, ended.phase, ended.intent) == (Phase.INTENT, Phase.OUTCOME, intent)
    assert (intent, ended.outcome) == (3, Outcome.DONE)
    assert after.size == 7
    for trusted in ([old], [new], [old, new], [new, old]):
        keys = LogKeys(trusted)
        found = await verify(reader, keys)
        assert (found.size, found.checkpoints) == (7, 4)
        assert keys.present == (new,)
    with pytest.raises(LogBroken, match="checkpoint 3: it has no valid signature"):
        await verify(reader, [vkey(SigningKey.generate())])
    # The old private key stays, under a name that says how far it counts.
    assert vkey(SigningKey.load(signing.folder / "key.pem.until-4")) == old
    assert sorted(path.name for path in signing.folder.glob("key*")) == [
        "key.pem",
        "key.pem.until-4",
    ]


async def test_a_checkpoint_by_the_old_key_after_the_change_is_found_and_named(
    signing: Signing, reader: LogReader, log: Log
) -> None:
    await signing.sign(3)
    old, new = await signing.change()
    await signing.ledger.append(read_of(9))
    head = await signing.source.state()
    thief = SigningKey.load(signing.folder / "key.pem.until-4")
    note = Checkpoint(ORIGIN, head.size, head.root).sign(thief)
    await signing.source.put_checkpoint(head.size, note)

    for trusted in ([old], [new], [old, new]):
        with pytest.raises(LogBroken, match=f"checkpoint {head.size}: it is signed by a key that"):
            await verify(reader, trusted)
    watch = CheckpointWatch(reader, LogKeys([old]), alarm=60, limit=600)
    await watch.look()
    with pytest.raises(LogUnavailable):
        watch.check()


async def test_a_service_that_runs_meanwhile_follows_the_change(
    signing: Signing, reader: LogReader
) -> None:
    before = await signing.sign(1)
    watch = CheckpointWatch(reader, LogKeys([signing.signer().verifier_key]), alarm=60, limit=600)
    await watch.look()
    assert watch.newest == before

    await signing.change()
    await watch.look()
    after = await signing.sign(1)
    await watch.look()

    assert watch.newest == after


async def test_the_old_key_signs_nothing_any_more(signing: Signing) -> None:
    await signing.sign(1)
    _, new = await signing.change()
    state = signing.state.read_bytes()

    with pytest.raises(RefusesToStart, match="not the one that signed before") as refused:
        await signing.signer(signing.folder / "key.pem.until-2").start(signing.source)

    assert str(new) in str(refused.value)
    assert signing.state.read_bytes() == state


async def test_while_another_process_signs_no_key_is_changed(
    signing: Signing, reader: LogReader
) -> None:
    await signing.sign(1)
    running = signing.signer()
    await running.start(signing.source)
    key = signing.key.read_bytes()

    with pytest.raises(RefusesToStart, match="Another process of this host signs"):
        await signing.change()
    running.close()

    assert signing.key.read_bytes() == key
    assert not list(signing.folder.glob("key.pem.*"))
    assert await events(reader, Action.CHANGE_LOG_KEY) == []


async def test_a_change_that_no_event_tells_of_is_a_fault(
    signing: Signing, reader: LogReader
) -> None:
    """Both keys can be stolen together; the log must still say who changed them when."""
    await signing.sign(2)
    old, next_key = SigningKey.load(signing.key), SigningKey.generate()
    head = await signing.ledger.append(read_of(3)) + 1
    line = change_line(vkey(old), vkey(next_key))
    root = (await signing.source.state()).root
    note = Checkpoint(ORIGIN, head, root, (line,)).sign(old, next_key)
    await signing.source.put_checkpoint(head, note)

    with pytest.raises(LogBroken, match=f"checkpoint {head}: no event says"):
        await verify(reader, [vkey(old)])
    # An event that comes after it tells nothing.
    event = log_event(Action.CHANGE_LOG_KEY, str(vkey(next_key)), NOW)
    await signing.ledger.append(event)
    with pytest.raises(LogBroken, match="no event says"):
        await verify(reader, [vkey(old)])


class Cut(Exception):
    """The process ended here."""


def _cut(*_: object) -> None:
    raise Cut


def _kept_only(key: Path, size: int) -> None:
    os.link(key, key.with_name(f"{key.name}.until-{size}"))
    raise Cut


class CutSource:
    """A database that goes away when a checkpoint is put, before or after it is stored."""

    def __init__(self, source: Writer, *, stored: bool) -> None:
        self._source, self._stored = source, stored
        self.state, self.leaf_hashes = source.state, source.leaf_hashes

    async def put_checkpoint(self, size: int, note: str) -> None:
        if self._stored:
            await self._source.put_checkpoint(size, note)
        raise Cut


@pytest.mark.parametrize("at", ["event", "put", "stored", "kept", "exchanged", "outcome"])
async def test_cut_off_anywhere_nobody_signs_until_it_is_run_again_and_the_log_holds(
    signing: Signing, reader: LogReader, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signing.sign(3)
    old = signing.signer().verifier_key
    source: Any = signing.source
    appended = 0

    async def append(event: Event) -> int:
        nonlocal appended
        appended += 1
        if (at, appended) in (("event", 1), ("outcome", 2)):
            raise Cut
        return await signing.ledger.append(event)

    if at in ("put", "stored"):
        source = CutSource(signing.source, stored=at == "stored")
    with monkeypatch.context() as patch:
        if at == "kept":
            patch.setattr("api.accesslog.key_change._exchange", _kept_only)
        if at == "exchanged":
            patch.setattr(Signer, "done", _cut)
        with pytest.raises(Cut):
            await signing.change(source, append)

    if at == "outcome":  # All is done but for saying so: an intent without outcome stays.
        new = signing.signer().verifier_key
    else:
        refused = signing.signer()
        with pytest.raises(RefusesToStart, match="`perisai log change-key` was cut off"):
            await refused.start(signing.source)
        refused.close()
        told, new = await signing.change()
        assert told == old
    await signing.sign(2)
    assert signing.signer().verifier_key == new
    for trusted in ([old], [new]):
        keys = LogKeys(trusted)
        await verify(reader, keys)
        assert keys.present == (new,)
    assert not signing.key.with_name("key.pem.next").exists()


async def test_a_state_of_before_keys_could_change_is_taken_over(signing: Signing) -> None:
    await signing.sign(1)
    text = signing.state.read_text()
    assert '"key"' in text
    signing.state.write_text(text.replace('"key"', '"kee"'))

    await signing.sign(1)

    assert str(signing.signer().verifier_key) in signing.state.read_text()


def test_the_line_of_a_change_fits_a_checkpoint() -> None:
    one, other = SigningKey.generate(), SigningKey.generate()
    checkpoint = Checkpoint(ORIGIN, 1, bytes(32), (change_line(vkey(one), vkey(other)),))

    assert Checkpoint.parse(str(checkpoint)) == checkpoint
