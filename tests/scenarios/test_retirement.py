"""A version of a key is destroyed only when nothing stands under it; then nothing opens with it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from api.casework import key_use
from api.casework.index_rotation import rotate_index
from api.casework.kek_rotation import rotate_kek
from api.casework.retirement import NothingToRetire, Retired, StillUsed, retire
from api.crypto.key_service import KeyKind
from api.crypto.keyring import Keyring
from api.demo.synthetic import SARI
from api.errors import KeysUnavailable, RefusesToStart, SealBroken
from api.store import key_wraps
from api.store.key_use import KeyUse
from api.vocabulary import Action, Compartment, Outcome
from tests.scenarios.asking import as_key, first_defender
from tests.scenarios.rotating import ONE_DATABASE, OWNER, PACE, Quiet, quietly, served, unseen
from tests.world import Template

KEK, IDX = KeyKind.KEK, KeyKind.IDX
FIND = """query ($nik: String!) {
  findDefenders(by: NIK, value: $nik, first: 20) { defender { id } } }"""


@pytest.fixture
async def quiet(template: Template, tmp_path: Path) -> AsyncIterator[Quiet]:
    async with quietly(template, tmp_path / "perisai") as quiet:
        yield quiet


async def retired(quiet: Quiet, kind: KeyKind, **options: Any) -> Any:
    older_than = options.pop("older_than", None)
    return await retire(quiet.house, OWNER, kind, older_than, pace=PACE, **options)


async def versions(quiet: Quiet, kind: KeyKind) -> list[int]:
    return [s.version for s in await quiet.house.keyring.changes.status(OWNER, kind)]


async def test_a_retired_kek_opens_no_row_that_a_backup_brings_back(quiet: Quiet) -> None:
    before = await quiet.read()
    person = first_defender(quiet.world, quiet.world.records.open_to_sari).id
    where = "record = ? and compartment = 'identity'"
    select = f"select kek_version, wrapped from data_key where {where}"
    [old] = await quiet.world.run(select, [as_key(quiet.world, person)])
    await rotate_kek(quiet.house, OWNER, PACE, unseen)
    size = await quiet.world.size()

    assert await retired(quiet, KEK) == Retired(2)

    assert await versions(quiet, KEK) == [2]
    events = await quiet.world.events(size)
    assert [(e.action, e.outcome) for e in events] == [
        (Action.RETIRE_KEYS, None),
        (Action.RETIRE_KEYS, Outcome.DONE),
    ]
    assert await quiet.read() == before
    await quiet.world.run("delete from key_floor")  # As the backup would be.
    await quiet.world.run(
        f"update data_key set kek_version = ?, wrapped = ? where {where}",
        [*old, as_key(quiet.world, person)],
    )
    shown = (await quiet.read())["defenders"][0]
    assert shown["fullName"] is None
    assert shown["phones"] == before["defenders"][0]["phones"]


@ONE_DATABASE
async def test_keys_of_who_is_not_served_are_not_retired(quiet: Quiet) -> None:
    for kind in KeyKind:
        with pytest.raises(KeysUnavailable):
            await retire(quiet.house, "nobody", kind, None, pace=PACE)


@ONE_DATABASE
async def test_the_secrets_of_a_backup_open_nothing_either(quiet: Quiet) -> None:
    async with quiet.house.records.snapshot() as snapshot:
        old = await key_wraps.secrets_of(snapshot, [OWNER])
    await rotate_kek(quiet.house, OWNER, PACE, unseen)
    await retired(quiet, KEK)

    with pytest.raises(SealBroken):
        await Keyring.start(quiet.house.keyring._service, old)


async def test_a_retired_index_key_is_gone_and_the_search_finds_as_before(quiet: Quiet) -> None:
    person = first_defender(quiet.world, quiet.world.records.open_to_sari)
    await rotate_index(quiet.house, OWNER, PACE, unseen)

    assert await retired(quiet, IDX) == Retired(2)

    assert await versions(quiet, IDX) == [2]
    found = await quiet.world.ask(SARI, FIND, {"nik": person.nik})
    assert [hit["defender"]["id"] for hit in found.data["findDefenders"]] == [str(person.id)]


@ONE_DATABASE
async def test_a_row_that_does_not_hold_keeps_its_version_and_is_counted(quiet: Quiet) -> None:
    """Destroying the key would end the search for who broke it, and any way to mend it."""
    person = first_defender(quiet.world, quiet.world.records.open_to_sari).id
    await quiet.world.run(
        "update data_key set commitment = wrapped where record = ? and compartment = 'contact'",
        [as_key(quiet.world, person)],
    )
    await quiet.world.run(
        "update owner_secret set wrapped = (select wrapped from data_key limit 1)"
        " where owner = ? and kind = 'cursors'",
        [OWNER],
    )

    rotated = await rotate_kek(quiet.house, OWNER, PACE, unseen)

    assert rotated.rows_left == {"data_key": 1, "owner_secret": 1}
    assert await retired(quiet, KEK) == StillUsed(2, {"data_key": 1, "owner_secret": 1})
    assert await versions(quiet, KEK) == [1, 2]


async def test_what_a_process_made_late_is_taken_along(quiet: Quiet) -> None:
    """A wrap or tag that was made under the old version just before is no reason to stop."""
    person = first_defender(quiet.world, quiet.world.records.open_to_sari)
    key = as_key(quiet.world, person.id)
    wraps = await quiet.world.run(
        "select kek_version, wrapped, compartment from data_key where record = ?", [key]
    )
    tags = "agency, field, tag, defender, index_version"
    old = await quiet.world.run(f"select {tags} from defender_tag where defender = ?", [key])
    before = await quiet.read()
    for rotate in (rotate_kek, rotate_index):
        await rotate(quiet.house, OWNER, PACE, unseen)
    for version, wrapped, compartment in wraps:
        await quiet.world.run(
            "update data_key set kek_version = ?, wrapped = ? where record = ? and compartment = ?",
            [version, wrapped, key, compartment],
        )
    await quiet.world.run("delete from defender_tag where defender = ?", [key])
    for row in old:
        await quiet.world.run(
            f"insert into defender_tag ({tags}) values (?, ?, ?, ?, ?)", list(row)
        )

    assert await retired(quiet, KEK) == Retired(2)
    assert await retired(quiet, IDX) == Retired(2)

    assert await quiet.read() == before
    found = await quiet.world.ask(SARI, FIND, {"nik": person.nik})
    assert [hit["defender"]["id"] for hit in found.data["findDefenders"]] == [str(person.id)]


async def test_a_process_that_comes_back_late_cannot_write_under_a_destroyed_version(
    quiet: Quiet,
) -> None:
    async with quiet.house.records.look() as look:
        [(wrap, _)] = await key_wraps.of_records(
            look, OWNER, [quiet.world.records.open_to_sari], [Compartment.NARRATIVE]
        )
    late = [wrap._replace(record=uuid4())]
    await rotate_kek(quiet.house, OWNER, PACE, unseen)
    await rotate_index(quiet.house, OWNER, PACE, unseen)
    for kind in KeyKind:
        assert await retired(quiet, kind) == Retired(2)
    counts = [len(await quiet.rows(t, "1, 2, 3")) for t in ("data_key", "defender_tag")]

    with pytest.raises(IntegrityError):
        async with quiet.house.records.change() as change:
            await key_wraps.insert_wraps(change, late)
    with pytest.raises(IntegrityError):
        await quiet.world.run(
            "update data_key set kek_version = 1 where record = ?",
            [as_key(quiet.world, wrap.record)],
        )
    with pytest.raises(IntegrityError):
        await quiet.world.run("update defender_tag set index_version = 1 where agency = ?", [OWNER])

    assert [len(await quiet.rows(t, "1, 2, 3")) for t in ("data_key", "defender_tag")] == counts


@ONE_DATABASE
async def test_a_retirement_that_was_cut_off_before_the_end_is_finished_by_the_next(
    quiet: Quiet,
) -> None:
    await rotate_kek(quiet.house, OWNER, PACE, unseen)
    service = quiet.house.keyring._service

    class Away:
        """The key service, which is gone when something is to be destroyed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(service, name)

        async def destroy_below(self, *_: object) -> None:
            raise KeysUnavailable

    async with quiet.house.records.snapshot() as snapshot:
        secrets = await key_wraps.secrets_of(snapshot, [OWNER])
    house = dataclasses.replace(quiet.house, keyring=await Keyring.start(Away(), secrets))
    size = await quiet.world.size()
    with pytest.raises(KeysUnavailable):
        await retire(house, OWNER, KEK, None, pace=PACE)
    assert (await quiet.world.events(size))[-1].outcome is Outcome.UNKNOWN
    assert await versions(quiet, KEK) == [1, 2]

    assert await retired(quiet, KEK) == Retired(2)

    assert await versions(quiet, KEK) == [2]
    assert (await quiet.read())["account"] is not None


async def test_a_change_under_way_is_waited_for_and_not_missed(quiet: Quiet) -> None:
    """Its row is counted, or refused: it never stands under a destroyed version."""
    async with quiet.house.records.look() as look:
        [(wrap, _)] = await key_wraps.of_records(
            look, OWNER, [quiet.world.records.open_to_sari], [Compartment.NARRATIVE]
        )
    await rotate_kek(quiet.house, OWNER, PACE, unseen)
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with quiet.house.records.change() as change:
            await key_wraps.insert_wraps(change, [wrap._replace(record=uuid4())])
            written.set()
            await go_on.wait()

    async def ending() -> Any:
        await written.wait()
        running = asyncio.create_task(retired(quiet, KEK))
        if quiet.world.kind == "postgresql":
            await waits_for_a_lock(quiet)
        go_on.set()
        return await running

    _, outcome = await asyncio.gather(slow(), ending())

    # On SQLite the retirement takes its turn after the change, and takes the row along:
    # but moved to another record it holds nothing.
    assert outcome == StillUsed(2, {"data_key": 1})
    assert await versions(quiet, KEK) == [1, 2]


async def waits_for_a_lock(quiet: Quiet) -> None:
    for _ in range(500):
        waiting = await quiet.world.run(
            "select count(*) from pg_locks where not granted and relation = 'data_key'::regclass"
        )
        if waiting[0][0]:
            return
        await asyncio.sleep(0.01)  # The database has no other way to tell us.
    raise AssertionError("nobody waits")


@ONE_DATABASE
async def test_a_version_is_kept_while_a_process_uses_an_older_one(quiet: Quiet) -> None:
    process = uuid4()
    await key_use.tell(quiet.house, process)
    quiet.world.clock.move(timedelta(seconds=50))
    await rotate_kek(quiet.house, OWNER, PACE, unseen)

    assert await retired(quiet, KEK) == StillUsed(2, {}, processes=1)
    await key_use.tell(quiet.house, process)
    assert await retired(quiet, KEK) == StillUsed(2, {}, settling=1)
    quiet.world.clock.move(timedelta(seconds=29))
    await key_use.tell(quiet.house, process)
    assert await retired(quiet, KEK) == StillUsed(2, {}, settling=1)
    assert await versions(quiet, KEK) == [1, 2]
    quiet.world.clock.move(timedelta(seconds=1))
    assert await retired(quiet, KEK) == Retired(2)


@ONE_DATABASE
async def test_a_process_that_was_killed_is_waited_for_no_longer_than_its_silence(
    quiet: Quiet,
) -> None:
    await key_use.tell(quiet.house, uuid4())
    await rotate_kek(quiet.house, OWNER, PACE, unseen)
    quiet.world.clock.move(timedelta(seconds=59))
    assert await retired(quiet, KEK) == StillUsed(2, {}, processes=1)

    quiet.world.clock.move(timedelta(seconds=1))

    assert await retired(quiet, KEK) == Retired(2)
    assert await quiet.rows("key_use", "1, 2, 3") == []


@ONE_DATABASE
async def test_a_process_that_ends_takes_away_what_it_said(quiet: Quiet) -> None:
    process, other = uuid4(), uuid4()
    for one in (process, other):
        await key_use.tell(quiet.house, one)

    await key_use.forget(quiet.house, process)

    assert {use.process for use in await key_use.live(quiet.house, OWNER, KEK)} == {other}


@ONE_DATABASE
async def test_a_process_says_what_it_uses_and_since_when(quiet: Quiet) -> None:
    process, start = uuid4(), quiet.world.clock()
    await key_use.tell(quiet.house, process)
    quiet.world.clock.move(timedelta(seconds=5))
    await key_use.tell(quiet.house, process)
    [use] = await key_use.live(quiet.house, OWNER, IDX)
    assert use == KeyUse(process, OWNER, "idx", 1, start, start + timedelta(seconds=5))

    await rotate_index(quiet.house, OWNER, PACE, unseen, timedelta(0))
    await key_use.tell(quiet.house, process)

    [use] = await key_use.live(quiet.house, OWNER, IDX)
    assert (use.version, use.since) == (2, quiet.world.clock())


@ONE_DATABASE
async def test_telling_goes_on_after_a_failure_and_ends_when_it_is_cancelled(
    quiet: Quiet,
) -> None:
    class Failing:
        """Fails once, then reads as the house does."""

        def __init__(self) -> None:
            self.calls = 0

        def __call__(self) -> Any:
            self.calls += 1
            if self.calls == 1:
                raise RefusesToStart("not now")
            return quiet.world.clock()

    waited = 0

    async def wait() -> None:
        nonlocal waited
        waited += 1
        if waited == 4:
            raise asyncio.CancelledError

    house = dataclasses.replace(quiet.house, now=Failing())
    process = uuid4()
    with pytest.raises(asyncio.CancelledError):
        await key_use.tell_forever(house, process, wait=wait)

    assert waited == 4
    assert {use.process for use in await key_use.live(quiet.house, OWNER, KEK)} == {process}


async def test_no_tag_is_replaced_before_every_process_asks_under_the_new_version(
    quiet: Quiet,
) -> None:
    process = uuid4()
    await key_use.tell(quiet.house, process)
    looks = 0

    async def pause(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        assert await quiet.versions("defender_tag", "index_version") <= (
            {1} if looks < 5 else {1, 2}
        )
        if looks == 4:
            await key_use.tell(quiet.house, process)

    rotated = await rotate_index(quiet.house, OWNER, dataclasses.replace(PACE, pause=pause), unseen)

    assert rotated.whole
    assert looks > 4
    assert await quiet.versions("defender_tag", "index_version") == {2}


@ONE_DATABASE
async def test_a_process_that_never_takes_the_new_index_key_over_stops_the_rotation(
    quiet: Quiet,
) -> None:
    await key_use.tell(quiet.house, uuid4())

    rotated = await rotate_index(quiet.house, OWNER, PACE, unseen)

    assert (rotated.behind, rotated.done, rotated.whole) == (1, 0, False)
    assert await quiet.versions("defender_tag", "index_version") == {1}


@ONE_DATABASE
async def test_what_is_younger_than_the_limit_is_kept(quiet: Quiet) -> None:
    await rotate_kek(quiet.house, OWNER, PACE, unseen)
    size = await quiet.world.size()

    outcome = await retired(quiet, KEK, older_than=timedelta(days=36_500))

    assert isinstance(outcome, NothingToRetire)
    assert await versions(quiet, KEK) == [1, 2]
    assert await quiet.world.size() == size


async def test_a_process_that_was_there_before_opens_and_makes_rows_after_it_all(
    quiet: Quiet,
) -> None:
    """It was never told: it meets newer versions, looks once, and goes on."""
    before = await quiet.read()
    async with served(quiet.world.settings, quiet.world.clock) as (_, app, client):
        other = Quiet(dataclasses.replace(quiet.world, app=app, client=client), quiet.house)
        for rotate in (rotate_kek, rotate_index):
            await rotate(quiet.house, OWNER, PACE, unseen)
        for kind in KeyKind:
            assert await retired(quiet, kind) == Retired(2)

        assert await other.read() == before
        person = first_defender(quiet.world, quiet.world.records.open_to_sari)
        found = await other.world.ask(SARI, FIND, {"nik": person.nik})
        assert [hit["defender"]["id"] for hit in found.data["findDefenders"]] == [str(person.id)]
