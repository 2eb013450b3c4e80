"""After erasure nothing opens: at once in the live system, and from no backup after R days.

Everything is backed up on the eve: the records, the key file, and the keys for a quorum
of custodians. What is tried on the copies asks no policy and no service of ours: every
wrap, every key, every column.
"""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from api.accesslog.verify import verify
from api.app import open_house
from api.casework.data_rotation import rotate_data
from api.casework.key_exchange import exchange
from api.crypto import key_backup, key_file, key_payload
from api.crypto.key_backup import Backup
from api.crypto.key_file import Cost
from api.crypto.key_shares import share_of
from api.crypto.keyring import Keyring
from api.demo.synthetic import SARI
from api.errors import KeysUnavailable, RefusesToStart, SealBroken
from api.key_settings import key_file_path, passphrase
from api.store import erasing
from api.store.sealed_records import DEFENDERS
from api.vocabulary import Action, Outcome
from tests.scenarios.asking import first_defender
from tests.scenarios.erasing import CASE_FILE, DEFENDER, erase, sealed_of
from tests.scenarios.restoring import Restored, restored
from tests.scenarios.retiring import (
    keys_of,
    opened_in,
    records_url,
    retire,
    sealed_in,
    service_of,
    tags_in,
    values_of,
    wraps_in,
)
from tests.scenarios.rotating import PACE, Quiet, quietly, unseen
from tests.world import Template, World

READ = """query ($id: ID!) { caseFile(id: $id) { account defenders { id fullName
  withheld { reason } } } }"""


@dataclass(frozen=True, slots=True)
class Eve:
    """What was backed up before the erasure, beside the records.

    Attributes:
        keys: a copy of the key file, as a thief or a careless operator keeps it.
        backup: of the keys, with the shares of all custodians.
    """

    keys: Path
    backup: Backup


def back_up_keys(world: World) -> Eve:
    """Copy the key file, and back the keys up for three of five custodians."""
    original = key_file_path(world.settings)
    copy = world.folder / "keys-of-the-eve"
    shutil.copy2(original, copy)
    payload = key_file.read(original, passphrase(world.settings)).payload
    backup = key_backup.make(
        payload,
        sorted(key_payload.parsed(payload)["owners"]),
        made=world.clock(),
        lifetime=timedelta(days=world.settings.key_retirement_days),
        shares=5,
        threshold=3,
        randomness=os.urandom,
    )
    return Eve(copy, backup)


def restore_keys(world: World, eve: Eve) -> Path:
    """Make a key file of the backup and all its shares, as `perisai keys restore` does."""
    shares = [share_of(words) for words in eve.backup.shares]
    payload = key_backup.opened(eve.backup.data, shares, world.clock())
    path = world.folder / "keys-restored"
    key_file.create(path, passphrase(world.settings), payload, Cost(8, 1, 1), os.urandom)
    return path


def older_url(world: World, older: Restored) -> str:
    """Give the address of the restored records; on PostgreSQL the service's role reads them."""
    return older.settings.records_url.get_secret_value()


async def name_of(world: World, record: UUID) -> object:
    file = world.records.open_to_sari
    read = (await world.ask(SARI, READ, {"id": str(file)})).data["caseFile"]
    return next(d["fullName"] for d in read["defenders"] if d["id"] == str(record))


@pytest.fixture
async def quiet(template: Template, tmp_path: Path) -> AsyncIterator[Quiet]:
    async with quietly(template, tmp_path / "perisai") as quiet:
        yield quiet


async def test_at_once_no_live_key_opens_anything_of_an_erased_record(quiet: Quiet) -> None:
    world = quiet.world
    who = first_defender(world, world.records.open_to_sari)
    before = await sealed_in(records_url(world), who.id)
    service = service_of(world.settings, key_file_path(world.settings), world.clock)
    control = await opened_in(records_url(world), service, who.id)
    assert control.values["full_name"] == who.full_name
    assert len(control.values) == len(before)

    await erase(world, DEFENDER, who.id)

    assert await name_of(world, who.id) is None
    wraps = await wraps_in(records_url(world))
    assert all(wrap.record != who.id for wrap in wraps)
    # All live keys of all organisations, on what is there now and on what was there before.
    keys = await keys_of(service, wraps)
    assert len(keys) == len(wraps) > 0
    now = await sealed_in(records_url(world), who.id)
    assert values_of(who.id, now, keys).values == {}
    assert values_of(who.id, before, keys).values == {}
    await service.close()


async def test_after_r_days_nothing_opens_from_backups_restored_together(
    quiet: Quiet, template: Template
) -> None:
    world = quiet.world
    who = first_defender(world, world.records.open_to_sari)
    retirement = timedelta(days=world.settings.key_retirement_days)
    eve = back_up_keys(world)
    await erase(world, DEFENDER, who.id)

    with restored(world, template) as older:
        url = older_url(world, older)
        tags = await tags_in(url, who.id)
        first = service_of(world.settings, eve.keys, world.clock)
        assert await Keyring(first, {}).tags_to_find("komnas-ham", "nik", who.nik) == tags["nik"]
        await first.close()
        # The eve's backups do open, together, while they are young: the test can tell.
        young = service_of(world.settings, restore_keys(world, eve), world.clock)
        assert (await opened_in(url, young, who.id)).values["full_name"] == who.full_name
        await young.close()
        (world.folder / "keys-restored").unlink()

        world.clock.move(retirement - timedelta(days=1))
        await retire(quiet)
        world.clock.move(timedelta(days=1, seconds=1))

        # The live system goes on: other records open under the new keys, this one does not.
        others = [d for d in world.records.case_files if d.id == world.records.closed_to_sari]
        live = service_of(world.settings, key_file_path(world.settings), world.clock)
        for other in others[0].defenders:
            assert (await opened_in(records_url(world), live, other)).values
        assert (await opened_in(records_url(world), live, who.id)).values == {}
        assert await name_of(world, who.id) is None

        # The old records with the keys of now: no wrap of the eve opens, of anybody.
        wraps = await wraps_in(url)
        assert sum(wrap.record == who.id for wrap in wraps) > 0
        assert await keys_of(live, wraps) == []
        assert (await opened_in(url, live, who.id)).values == {}
        # The tags of the eve cannot be made again, to ask whether somebody was in there.
        again = await Keyring(live, {}).tags_to_find("komnas-ham", "nik", who.nik)
        assert len(again) == 1
        assert tags["nik"]
        assert not set(again) & set(tags["nik"])
        with pytest.raises(KeysUnavailable):
            await live.prf_many("komnas-ham", b"any", [b"any"], 1)
        await live.close()
        with pytest.raises(SealBroken):
            async with open_house(older.settings, world.clock):
                pass

        # The old records, the old backup of the keys and every share: it has expired.
        with pytest.raises(RefusesToStart, match="expired"):
            restore_keys(world, eve)
        assert not (world.folder / "keys-restored").exists()

    reader = world.reader()
    verified = await verify(reader, [world.log_key])
    assert verified.size == await world.size()
    done = [
        e
        for e in await world.events()
        if (e.action, e.outcome) == (Action.APPROVE_ERASURE, Outcome.DONE)
    ]
    assert [e.touched[0].records[0][:2] for e in done] == [(DEFENDER, who.id)]


async def test_what_is_left_to_people_is_the_key_file_itself(
    quiet: Quiet, template: Template
) -> None:
    """No software refuses what it never sees: SECURITY says to whom these copies are left."""
    world = quiet.world
    who = first_defender(world, world.records.open_to_sari)
    eve = back_up_keys(world)
    await erase(world, DEFENDER, who.id)
    await retire(quiet)
    world.clock.move(timedelta(days=world.settings.key_retirement_days + 1))
    with restored(world, template) as older:
        kept = service_of(world.settings, eve.keys, world.clock)
        opened = await opened_in(older_url(world, older), kept, who.id)
        await kept.close()

    assert opened.values["full_name"] == who.full_name


async def test_rotations_leave_an_erased_record_alone(quiet: Quiet) -> None:
    world = quiet.world
    file = next(f for f in world.records.case_files if f.id == world.records.open_to_sari)
    for person in file.defenders:
        await erase(world, DEFENDER, person)
    await erase(world, CASE_FILE, file.id)

    rotated = await rotate_data(quiet.house, "komnas-ham", PACE, unseen)

    assert rotated.whole
    assert (rotated.broken, rotated.given_again) == ([], [])
    await retire(quiet)
    async with quiet.house.records.snapshot() as snapshot:
        assert await erasing.left_of(snapshot, DEFENDER, file.defenders) == {}
        assert await erasing.left_of(snapshot, CASE_FILE, [file.id]) == {}
    for person in file.defenders:
        assert not any(await sealed_of(world, DEFENDER, person))


async def test_what_is_erased_while_a_rotation_has_it_on_its_list_stays_erased(
    quiet: Quiet,
) -> None:
    world = quiet.world
    person = first_defender(world, world.records.open_to_sari).id
    await erase(world, DEFENDER, person)

    async with quiet.house.records.change() as change:
        done = await exchange(quiet.house, change, DEFENDERS, "komnas-ham", [person], 1)

    assert (done.done, done.broken) == (set(), set())
    async with quiet.house.records.snapshot() as snapshot:
        assert await erasing.left_of(snapshot, DEFENDER, [person]) == {}
