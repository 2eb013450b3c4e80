"""A restored database brings nobody back: it is noticed before anything is served, and healed."""

import dataclasses
from uuid import UUID

import pytest
import structlog

from api.app import open_house
from api.casework.erasure_replay import searched
from api.cli.erasure import replayed
from api.database import Records, engine_of
from api.demo.synthetic import SARI
from api.errors import ErasureUndone
from api.settings import Settings
from api.store import erasing
from api.vocabulary import Action, Outcome, Phase
from tests.inside import FailingLedger, exchanged
from tests.scenarios.asking import as_key, first_defender
from tests.scenarios.erasing import (
    APPROVE,
    CASE_FILE,
    DEFENDER,
    end,
    erase,
    made,
    mark_of,
    request,
    rows_of,
)
from tests.scenarios.restoring import restored
from tests.world import Template, World

READ = "query ($id: ID!) { defender(id: $id) { fullName withheld { field reason } } }"

sqlite_only = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


async def left(settings: Settings, *records: UUID) -> dict[UUID, set[str]]:
    """Say what the database of *settings* still has of defenders that are erased."""
    store = Records(engine_of(settings.records_url.get_secret_value()))
    try:
        async with store.snapshot() as snapshot:
            return await erasing.left_of(snapshot, DEFENDER, records)
    finally:
        await store.close()


async def test_a_restored_database_is_refused_until_it_was_erased_again(
    world: World, template: Template
) -> None:
    file = world.records.open_to_sari
    who = first_defender(world, file)
    await erase(world, DEFENDER, who.id)
    size = await world.size()
    with restored(world, template) as older:
        assert await left(older.settings, who.id) == {
            who.id: {"data_key", "defender", "defender_tag", "manifest"}
        }
        with pytest.raises(ErasureUndone) as refused:
            async with open_house(older.settings, world.clock):
                pass
        assert "1 of 1 records" in str(refused.value)
        assert "perisai erasure replay" in str(refused.value)
        assert str(who.id) not in str(refused.value)
        assert await world.size() == size, "nothing was served, nothing was changed"
        verified = await older.perisai("log", "verify")
        assert (verified.exit_code, verified.stdout) == (1, "")
        assert verified.stderr.count("ERASURE_UNDONE") == 1

        assert await replayed(older.settings, world.clock) == (1, 1)
        assert await left(older.settings, who.id) == {}
        assert await replayed(older.settings, world.clock) == (0, 1)

        elsewhere = dataclasses.replace(world, settings=older.settings)
        async with exchanged(elsewhere) as inside:
            told = (await inside.world.ask(SARI, READ, {"id": str(who.id)})).data["defender"]
            assert inside.keyring.opened == []
        assert told["fullName"] is None
        assert {w["reason"] for w in told["withheld"]} == {"ERASED"}
        verified = await older.perisai("log", "verify")
        assert verified.exit_code == 0, verified.output
        assert "1 records are erased, and stay so" in verified.stdout
    events = [e for e in await world.events(size) if e.action is Action.REPEAT_ERASURE]
    assert [(e.phase, e.outcome) for e in events] == [
        (Phase.INTENT, None),
        (Phase.OUTCOME, Outcome.DONE),
    ]
    assert events[1].touched[0].records[0][:2] == (DEFENDER, who.id)
    assert (events[1].actor, events[1].agencies) == (None, ("komnas-ham",))


async def test_a_case_file_too_is_erased_again_with_its_notes(
    world: World, template: Template
) -> None:
    file = world.records.open_to_sari
    for who in next(f for f in world.records.case_files if f.id == file).defenders:
        await erase(world, DEFENDER, who)
    await erase(world, CASE_FILE, file)
    with restored(world, template) as older:
        with pytest.raises(ErasureUndone):
            async with open_house(older.settings, world.clock):
                pass
        again, known = await replayed(older.settings, world.clock)
        assert again == known

        async with open_house(older.settings, world.clock) as house:
            log = await searched(house.log)
            async with house.records.snapshot() as snapshot:
                assert file in log.done
                assert await erasing.left_of(snapshot, CASE_FILE, [file]) == {}
                counts = await erasing.count(snapshot, CASE_FILE, file)
        assert {counted.rows for counted in counts} == {0}


async def test_keys_that_somebody_puts_back_open_nothing_and_stop_the_next_start(
    world: World,
) -> None:
    who = first_defender(world, world.records.open_to_sari)
    key = as_key(world, who.id)
    keys = await world.run("select * from data_key where record = ?", (key,))
    manifests = await world.run("select * from manifest where record = ?", (key,))
    await erase(world, DEFENDER, who.id)
    for table, rows in (("data_key", keys), ("manifest", manifests)):
        for row in rows:
            marks = ", ".join("?" * len(row))
            await world.run(f"insert into {table} values ({marks})", row)

    told = (await world.ask(SARI, READ, {"id": str(who.id)})).data["defender"]
    assert told["fullName"] is None
    assert {w["reason"] for w in told["withheld"]} == {"ERASED"}
    with pytest.raises(ErasureUndone, match=r"data_key, manifest"):
        async with open_house(world.settings, world.clock):
            pass


async def test_an_erasure_whose_end_is_not_in_the_log_gets_one_at_the_next_start(
    world: World,
) -> None:
    who = first_defender(world, world.records.open_to_sari)
    asked = made(await request(world, DEFENDER, who.id))
    async with exchanged(
        world, lambda house: {"ledger": FailingLedger(house.ledger, after=1)}
    ) as inside:
        answer = await end(inside.world, APPROVE, DEFENDER, who.id, asked)
    assert answer.codes == ["CHANGE_UNCONFIRMED"]
    assert set((await rows_of(world, who.id)).values()) == {0}
    async with open_house(world.settings, world.clock, replaying=True) as house:
        log = await searched(house.log)
        assert log.done == {}
        assert {one.record for one in log.begun.values()} == {who.id}

    with structlog.testing.capture_logs() as logs:
        async with open_house(world.settings, world.clock) as house:
            log = await searched(house.log)
            assert log.done.keys() == {who.id}
    assert logs == []


async def test_an_approval_that_was_refused_erases_nothing_again(
    world: World, template: Template
) -> None:
    who = first_defender(world, world.records.open_to_sari)
    asked = made(await request(world, DEFENDER, who.id, by="hartono"))
    await end(world, APPROVE, DEFENDER, who.id, asked)  # by the same person
    async with open_house(world.settings, world.clock) as house:
        log = await searched(house.log)
    assert (log.done, log.begun) == ({}, {})
    with restored(world, template) as older:
        assert await replayed(older.settings, world.clock) == (0, 0)
        assert who.id in await left(older.settings, who.id)


async def test_a_mark_that_no_event_explains_opens_nothing_and_is_reported(world: World) -> None:
    who = first_defender(world, world.records.open_to_sari)
    key = as_key(world, who.id)
    await world.run("update defender set erased_at = current_timestamp where id = ?", (key,))
    assert await mark_of(world, DEFENDER, who.id) is not None
    with structlog.testing.capture_logs() as logs:
        async with open_house(world.settings, world.clock):
            pass

    assert [(one["event"], one["records"]) for one in logs] == [("erasure_without_event", 1)]


@sqlite_only
async def test_the_repetition_reads_the_entries_and_not_the_search_tables(
    world: World, template: Template
) -> None:
    who = first_defender(world, world.records.open_to_sari)
    await erase(world, DEFENDER, who.id)
    async with open_house(world.settings, world.clock) as house:
        await house.log.catch_up()
    engine = engine_of(world.settings.log_url.get_secret_value())
    async with engine.begin() as connection:
        hidden = await connection.exec_driver_sql(
            "delete from event where action = 'approve_erasure'"
        )
        assert hidden.rowcount == 2
    await engine.dispose()
    with restored(world, template) as older:
        assert (await older.perisai("log", "verify")).exit_code == 2
        assert await replayed(older.settings, world.clock) == (1, 1)
        assert await left(older.settings, who.id) == {}
