"""Keys are rotated while people work: every read is whole, and no change is lost.

On both databases, in one process; tests/scenarios/test_rotation_processes.py has several.
"""

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.accesslog.event import Event
from api.casework.data_rotation import rotate_data
from api.casework.index_rotation import rotate_index
from api.casework.kek_rotation import rotate_kek
from api.casework.rollback import check_records
from api.casework.rotating import Pace, Progress, Rotated, start
from api.crypto.data_keys import DataKey
from api.crypto.key_service import KeyKind
from api.crypto.keyring import Keyring
from api.demo.synthetic import SARI
from api.errors import KeysUnavailable, LogUnavailable
from api.store import key_wraps
from api.store.columns import SealedColumn
from api.store.tables import METADATA
from api.vocabulary import Action, Compartment, Decision, Outcome, Phase, Reason
from tests.inside import FailingLedger
from tests.scenarios.asking import as_key, first_defender, led_by
from tests.scenarios.rotating import LIST, ONE_DATABASE, OWNER, PACE, Quiet, quietly, unseen
from tests.world import Template

UPDATE = """mutation ($id: ID!, $revision: Int!, $address: String!) {
  updateDefender(input: {id: $id, revision: $revision, homeAddress: $address}) {
    revision errors { code } } }"""
NOTE = """mutation ($id: ID!, $body: String!) {
  addNote(input: {caseFileId: $id, body: $body}) { noteId errors { code } } }"""
FIND = """query ($nik: String!) { findDefenders(by: NIK, value: $nik, first: 20) {
  score defender { id fullName } caseFiles { id } } }"""

Rotate = Callable[[Any, str, Pace, Progress], Awaitable[Rotated]]
ALL = [rotate_kek, rotate_data, rotate_index]


@pytest.fixture
async def quiet(template: Template, tmp_path: Path) -> AsyncIterator[Quiet]:
    async with quietly(template, tmp_path / "perisai") as quiet:
        yield quiet


def mine(quiet: Quiet) -> set[UUID]:
    """Name the defenders and case files of OWNER."""
    files = led_by(quiet.world, OWNER)
    return {f.id for f in files} | {d for f in files for d in f.defenders}


class Cut(Exception):
    """The process ended here."""


def cut_after(steps: int) -> Pace:
    """Give the pace of a run that ends after so many steps, between two of them."""
    left = steps

    async def pause(_seconds: float) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Cut

    return dataclasses.replace(PACE, pause=pause)


async def test_a_kek_rotation_wraps_everything_anew_and_everything_opens(quiet: Quiet) -> None:
    before, size = await quiet.read(), await quiet.world.size()
    told: list[tuple[int, int]] = []

    rotated = await rotate_kek(quiet.house, OWNER, PACE, lambda done, of: told.append((done, of)))

    assert rotated.whole
    assert await quiet.versions("data_key", "kek_version") == {2}
    assert await quiet.versions("owner_secret", "kek_version") == {2}
    assert await quiet.versions("data_key", "kek_version", "lpsk") == {1}
    assert told[0] == (0, rotated.done)
    assert told[-1] == (rotated.done, rotated.done)
    intent, outcome = await quiet.world.events(size)
    assert {e.action for e in (intent, outcome)} == {Action.ROTATE_KEK}
    assert (intent.actor, intent.organisation, outcome.outcome) == (None, OWNER, Outcome.DONE)
    assert await quiet.read() == before


async def test_a_data_key_rotation_seals_everything_anew_and_everything_opens(
    quiet: Quiet,
) -> None:
    before, old = await quiet.read(), await ciphertexts(quiet)
    # Whoever writes a number into a row does not keep its record from being done.
    await quiet.world.run(
        "update data_key set rotation = 2147483647 where record = ?",
        [as_key(quiet.world, quiet.world.records.open_to_sari)],
    )

    rotated = await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert rotated.whole
    assert rotated.done == len(mine(quiet))
    assert await quiet.versions("data_key", "version") == {2}
    assert await quiet.versions("data_key", "rotation") == {1}
    assert await quiet.versions("data_key", "version", "lpsk") == {1}
    assert await quiet.read() == before
    new = await ciphertexts(quiet)
    assert new.keys() == old.keys()
    changed = {row for row in old if old[row] != new[row]}
    assert {row for _, row in changed} >= mine(quiet)
    assert all(not set(old[row]) & set(new[row]) for row in changed)
    notes = {n.id for n in quiet.world.records.notes if n.case_file in mine(quiet)}
    assert notes
    assert {row for _, row in changed} == mine(quiet) | notes


async def ciphertexts(quiet: Quiet) -> dict[tuple[str, UUID], tuple[Any, ...]]:
    """Give all that is sealed, by table and row."""
    found = {}
    for table in METADATA.sorted_tables:
        columns = [c.name for c in table.columns if isinstance(c.type, SealedColumn)]
        if columns and "id" in table.columns:  # Chunks of attachments have tests of their own.
            rows = await quiet.world.run(f"select id, {', '.join(columns)} from {table.name}")
            found |= {(table.name, UUID(str(row[0]))): tuple(row[1:]) for row in rows}
    return found


async def test_a_data_key_rotation_leaves_revisions_rights_and_clear_columns_alone(
    quiet: Quiet,
) -> None:
    clear = {
        "case_file": "id, reference, sensitivity, revision, event, seal",
        "defender": "id, agency, revision",
        "manifest": "record, compartment, revision",
        "note": "id, case_file, author, event, seal",
        "release": "id, partner, event, seal",
    }
    select = [f"select {columns} from {table} order by 1, 2" for table, columns in clear.items()]
    before = [await quiet.world.run(one) for one in select]

    await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert [await quiet.world.run(one) for one in select] == before
    # Nothing looks put back to who compares the records with the log.
    assert await check_records(quiet.house.log, quiet.house.records) > 0


@ONE_DATABASE
async def test_releases_of_a_partner_are_sealed_anew(quiet: Quiet) -> None:
    partner = quiet.world.records.releases[0].partner
    size = await quiet.world.size()

    rotated = await rotate_data(quiet.house, partner, PACE, unseen)

    assert rotated.whole
    assert rotated.done == sum(r.partner == partner for r in quiet.world.records.releases)
    assert await quiet.versions("data_key", "version", partner) == {2}
    events = await quiet.world.events(size)
    assert {c for e in events for t in e.touched for c in t.compartments} == {Compartment.RELEASE}


async def test_an_index_rotation_makes_every_tag_anew_and_the_search_finds_as_before(
    quiet: Quiet,
) -> None:
    person = first_defender(quiet.world, quiet.world.records.open_to_sari)
    before = await quiet.world.ask(SARI, FIND, {"nik": person.nik})
    assert before.data["findDefenders"]
    old = {row[0] for row in await quiet.world.run("select tag from defender_tag")}
    count = len(await quiet.rows("defender_tag", "1, 2, 3, 4"))

    rotated = await rotate_index(quiet.house, OWNER, PACE, unseen)

    assert rotated.whole
    assert await quiet.versions("defender_tag", "index_version") == {2}
    tags = await quiet.world.run("select tag from defender_tag where agency = ?", [OWNER])
    assert not {row[0] for row in tags} & old
    assert len(await quiet.rows("defender_tag", "1, 2, 3, 4")) == count
    assert (await quiet.world.ask(SARI, FIND, {"nik": person.nik})).body == before.body


@ONE_DATABASE
async def test_every_record_is_named_in_the_log_before_it_is_opened(quiet: Quiet) -> None:
    size = await quiet.world.size()
    opened: list[tuple[int, set[UUID]]] = []

    class Watching(Keyring):
        async def open_each(self, owner: str, wraps: Any) -> Any:
            opened.append((await quiet.world.size(), {wrap.record for wrap in wraps}))
            return await super().open_each(owner, wraps)

    async with quiet.house.records.snapshot() as snapshot:
        secrets = await key_wraps.secrets_of(snapshot, [OWNER])
    keyring = await Watching.start(quiet.house.keyring._service, secrets)
    house = dataclasses.replace(quiet.house, keyring=keyring)

    await rotate_data(house, OWNER, PACE, unseen)
    await rotate_index(house, OWNER, PACE, unseen)

    events = await quiet.world.events(size)
    assert len(opened) > 6
    for at, of in opened:
        intent = events[at - size - 1]
        assert intent.phase is Phase.INTENT
        assert of <= named(intent)
    intents = [e for e in events if e.phase is Phase.INTENT]
    assert [e.outcome for e in events if e.phase is Phase.OUTCOME] == [Outcome.DONE] * len(intents)
    assert all(len(named(e)) <= PACE.records for e in intents)
    assert {e.action for e in events} == {Action.ROTATE_DATA_KEYS, Action.ROTATE_INDEX_KEY}


def named(event: Event) -> set[UUID]:
    return {record for touched in event.touched for _, record, _ in touched.records}


async def test_without_the_log_or_the_keys_nothing_is_opened_or_changed(quiet: Quiet) -> None:
    tables = {"defender": "1", "case_file": "1", "data_key": "1, 2, 3, 4", "manifest": "1, 2"}
    tables["defender_tag"] = "1, 2, 3, 4"
    before = [await quiet.rows(table, order) for table, order in tables.items()]

    # The new version of the index key has two events of its own.
    for rotate, after in ((rotate_data, 0), (rotate_index, 2)):
        ledger = FailingLedger(quiet.house.ledger, after)
        house = dataclasses.replace(quiet.house, ledger=ledger)  # type: ignore[arg-type]
        with pytest.raises(LogUnavailable):
            await rotate(house, OWNER, PACE, unseen)
    for rotate in ALL:
        with pytest.raises(KeysUnavailable):
            await rotate(quiet.house, "nobody", PACE, unseen)

    assert [await quiet.rows(table, order) for table, order in tables.items()] == before


@pytest.mark.parametrize("rotate", ALL)
async def test_a_run_that_was_cut_off_is_finished_by_the_next_under_the_same_number(
    quiet: Quiet, rotate: Rotate
) -> None:
    before = await quiet.read()
    with pytest.raises(Cut):
        await rotate(quiet.house, OWNER, cut_after(2), unseen)
    columns = {
        rotate_kek: ("data_key", "kek_version"),
        rotate_data: ("data_key", "version"),
        rotate_index: ("defender_tag", "index_version"),
    }
    assert await quiet.versions(*columns[rotate]) == {1, 2}
    assert await quiet.read() == before

    rotated = await rotate(quiet.house, OWNER, PACE, unseen)

    assert rotated.whole
    assert await quiet.versions(*columns[rotate]) == {2}
    assert await quiet.read() == before
    assert len(await quiet.rows("key_rotation", "1, 2, 3")) == 1

    await rotate(quiet.house, OWNER, PACE, unseen)
    assert await quiet.versions(*columns[rotate]) == {3}


@ONE_DATABASE
async def test_a_run_that_was_cut_off_before_its_new_version_makes_one_when_it_goes_on(
    quiet: Quiet,
) -> None:
    for rotate, kind in ((rotate_kek, KeyKind.KEK), (rotate_index, KeyKind.IDX)):
        assert await start(quiet.house, OWNER, kind.value, 2) == 2

        assert (await rotate(quiet.house, OWNER, PACE, unseen)).whole

        assert await quiet.house.keyring.changes.newest(OWNER, kind) == 2


@ONE_DATABASE
async def test_a_run_that_loses_the_log_midway_stops_and_is_finished_by_the_next(
    quiet: Quiet,
) -> None:
    before = await quiet.read()
    ledger = FailingLedger(quiet.house.ledger, 5)
    house = dataclasses.replace(quiet.house, ledger=ledger)  # type: ignore[arg-type]
    with pytest.raises(LogUnavailable):
        await rotate_data(house, OWNER, PACE, unseen)
    assert await quiet.versions("data_key", "version") == {1, 2}
    assert await quiet.read() == before

    assert (await rotate_data(quiet.house, OWNER, PACE, unseen)).whole

    assert await quiet.versions("data_key", "version") == {2}
    assert await quiet.read() == before


def pace_to(meet: asyncio.Barrier) -> Pace:
    """Give the pace of a run that waits after its first step until another has done one, too."""
    met = False

    async def pause(_seconds: float) -> None:
        nonlocal met
        if not met:
            met = True
            await meet.wait()

    return dataclasses.replace(PACE, pause=pause)


async def test_two_runs_at_once_share_one_rotation(quiet: Quiet) -> None:
    before = await quiet.read()

    for rotate in ALL:
        meet = asyncio.Barrier(2)
        runs = (rotate(quiet.house, OWNER, pace_to(meet), unseen) for _ in range(2))
        assert all(rotated.whole for rotated in await asyncio.gather(*runs))

    assert await quiet.versions("data_key", "version") == {2}
    assert await quiet.versions("data_key", "kek_version") == {2}
    assert await quiet.versions("defender_tag", "index_version") == {2}
    assert len(await quiet.rows("key_rotation", "1, 2, 3")) == 3
    assert await quiet.read() == before


async def test_people_work_on_while_all_keys_are_rotated(quiet: Quiet) -> None:
    """Nothing that somebody wrote is lost, and every read has everything it had before."""
    case_file = quiet.world.records.open_to_sari
    start = await quiet.read()
    person = start["defenders"][0]["id"]
    listed = (await quiet.world.ask(SARI, LIST)).data
    written: list[str] = []
    over = asyncio.Event()

    async def change() -> None:
        revision, count = start["defenders"][0]["revision"], 0
        while not over.is_set() or count < 3:
            count += 1
            address = f"Jalan Percobaan {count}"
            answer = await quiet.world.ask(
                SARI, UPDATE, {"id": person, "revision": revision, "address": address}
            )
            assert answer.data["updateDefender"]["errors"] == []
            revision = answer.data["updateDefender"]["revision"]
            body = f"Catatan {count}"
            answer = await quiet.world.ask(SARI, NOTE, {"id": str(case_file), "body": body})
            assert answer.data["addNote"]["errors"] == []
            written.append(body)
            now = await quiet.read()
            assert now["defenders"][0]["homeAddress"] == address

    async def look() -> None:
        while not over.is_set():
            now = (await quiet.world.ask(SARI, LIST)).data
            for edge, was in zip(
                now["caseFiles"]["edges"], listed["caseFiles"]["edges"], strict=True
            ):
                node, old = edge["node"], was["node"]
                for d, before in zip(node["defenders"], old["defenders"], strict=True):
                    if d["id"] != person:
                        assert d == before
                    assert d["withheld"] == before["withheld"]
                assert node["account"] == old["account"]
                assert None not in [note["body"] for note in node["notes"]] or None in [
                    note["body"] for note in old["notes"]
                ]

    async def rotate() -> None:
        try:
            for _ in range(2):
                for one in (rotate_data, rotate_kek, rotate_index):
                    assert (await one(quiet.house, OWNER, PACE, unseen)).whole
        finally:
            over.set()

    await asyncio.gather(change(), look(), rotate())

    now = await quiet.read()
    bodies = [note["body"] for note in now["notes"]]
    assert sorted(written) == sorted(b for b in bodies if b.startswith("Catatan "))
    assert await quiet.versions("data_key", "version") == {3}
    assert await quiet.versions("data_key", "kek_version") == {3}
    found = await quiet.world.ask(SARI, FIND, {"nik": start["defenders"][0]["nik"]})
    assert found.data["findDefenders"][0]["defender"]["id"] == person


BREAK = [
    "update defender set full_name = nik where id = ?",
    "update manifest set revision = revision + 1 where record = ? and compartment = 'contact'",
    "delete from manifest where record = ? and compartment = 'contact'",
    "update data_key set commitment = wrapped where record = ? and compartment = 'contact'",
    "update data_key set version = 7 where record = ? and compartment = 'contact'",
]


@ONE_DATABASE
async def test_a_record_that_does_not_hold_is_left_and_named_and_never_made_the_newest(
    quiet: Quiet,
) -> None:
    broken = sorted(d for f in led_by(quiet.world, OWNER) for d in f.defenders)[: len(BREAK)]
    for statement, person in zip(BREAK, broken, strict=True):
        await quiet.world.run(statement, [as_key(quiet.world, person)])
    select = "select * from defender where id = ?"
    before = [await quiet.world.run(select, [as_key(quiet.world, p)]) for p in broken]
    size = await quiet.world.size()

    rotated = await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert not rotated.whole
    assert sorted(rotated.broken) == broken
    assert rotated.done == len(mine(quiet)) - len(broken)
    assert [await quiet.world.run(select, [as_key(quiet.world, p)]) for p in broken] == before
    left = [e for e in await quiet.world.events(size) if e.phase is Phase.WHOLE]
    assert sorted(record for event in left for record in named(event)) == broken
    assert {(t.decision, t.reason) for e in left for t in e.touched} == {
        (Decision.WITHHELD, Reason.SEAL_BROKEN)
    }


@ONE_DATABASE
async def test_a_note_that_does_not_hold_keeps_its_case_file_from_being_sealed_anew(
    quiet: Quiet,
) -> None:
    case_file = quiet.world.records.open_to_sari
    await quiet.world.run(
        "update note set body = (select account from case_file where id = ?) where case_file = ?",
        [as_key(quiet.world, case_file)] * 2,
    )

    rotated = await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert rotated.broken == [case_file]
    assert (await quiet.read())["account"] is not None


@ONE_DATABASE
async def test_an_older_ciphertext_that_was_put_back_is_not_tagged_anew(quiet: Quiet) -> None:
    person = first_defender(quiet.world, quiet.world.records.open_to_sari).id
    key = as_key(quiet.world, person)
    [(phones,)] = await quiet.world.run("select phones from defender where id = ?", [key])
    update = UPDATE.replace("$address: String!", "$address: [String!]!").replace(
        "homeAddress: $address", "phones: $address"
    )
    answer = await quiet.world.ask(
        SARI, update, {"id": str(person), "revision": 1, "address": ["081234567890"]}
    )
    assert answer.data["updateDefender"]["errors"] == []
    await quiet.world.run("update defender set phones = ? where id = ?", [phones, key])

    rotated = await rotate_index(quiet.house, OWNER, PACE, unseen)

    assert rotated.broken == [person]
    assert set(rotated.rows_left) == {"defender_tag"}


async def share(quiet: Quiet, record: UUID, other: str) -> None:
    """Wrap the contact key of *record* for another agency, as a referral does."""
    async with quiet.house.records.change() as change:
        stored = await key_wraps.of_records(change, OWNER, [record], [Compartment.CONTACT])
        [key] = await quiet.house.keyring.open_keys(OWNER, [wrap for wrap, _ in stored])
        await key_wraps.insert_wraps(change, [await quiet.house.keyring.wrap_for(other, key)])


async def shared_key(quiet: Quiet, record: UUID, owner: str) -> list[DataKey]:
    async with quiet.house.records.snapshot() as snapshot:
        stored = await key_wraps.of_records(snapshot, owner, [record], [Compartment.CONTACT])
    return await quiet.house.keyring.open_keys(owner, [wrap for wrap, _ in stored])


@ONE_DATABASE
async def test_who_shares_a_key_shares_the_next_one(quiet: Quiet) -> None:
    person = first_defender(quiet.world, quiet.world.records.open_to_sari).id
    await share(quiet, person, "lpsk")

    rotated = await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert rotated.whole
    [mine], [theirs] = [await shared_key(quiet, person, o) for o in (OWNER, "lpsk")]
    assert (mine.version, mine.secret) == (2, theirs.secret)
    assert await quiet.versions("data_key", "version", "lpsk") == {1, 2}


@ONE_DATABASE
async def test_a_wrap_that_was_written_for_somebody_else_gets_nobody_a_key(quiet: Quiet) -> None:
    """Who writes rows may name an owner, but not make a wrap that opens for it."""
    record = quiet.world.records.open_to_sari
    person = first_defender(quiet.world, record).id
    other = next(d.id for d in quiet.world.records.defenders if d.agency == "lpsk")
    for wrapped in (os.urandom(61), None):
        await quiet.world.run(
            "insert into data_key (record, compartment, version, owner, kek_version, wrapped,"
            " commitment) select ?, compartment, ?, 'lpsk', kek_version, coalesce(?, wrapped),"
            " commitment from data_key where record = ? and compartment = 'contact'",
            [
                as_key(quiet.world, person),
                1 if wrapped else 2,
                wrapped,
                as_key(quiet.world, other),
            ],
        )

    rotated = await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert rotated.whole
    rows = await quiet.world.run(
        "select owner, version from data_key where record = ? and compartment = 'contact'",
        [as_key(quiet.world, person)],
    )
    assert rows == [(OWNER, 2)]


@ONE_DATABASE
async def test_who_is_not_served_here_keeps_no_old_key_and_is_to_be_given_the_new_one(
    quiet: Quiet,
) -> None:
    person = first_defender(quiet.world, quiet.world.records.open_to_sari).id
    await share(quiet, person, "lpsk")
    async with quiet.house.records.snapshot() as snapshot:
        secrets = await key_wraps.secrets_of(snapshot, [OWNER])
    keyring = await Keyring.start(quiet.house.keyring._service, secrets)
    house = dataclasses.replace(quiet.house, keyring=keyring)

    rotated = await rotate_data(house, OWNER, PACE, unseen)

    assert rotated.whole
    assert rotated.given_again == [person]
    assert await shared_key(quiet, person, "lpsk") == []
    [mine] = await shared_key(quiet, person, OWNER)
    assert mine.version == 2


@ONE_DATABASE
async def test_an_old_row_that_is_put_back_after_the_rotation_opens_nothing(quiet: Quiet) -> None:
    person = first_defender(quiet.world, quiet.world.records.open_to_sari)
    key = as_key(quiet.world, person.id)
    [(name,)] = await quiet.world.run("select full_name from defender where id = ?", [key])

    await rotate_data(quiet.house, OWNER, PACE, unseen)
    await quiet.world.run("update defender set full_name = ? where id = ?", [name, key])

    shown = (await quiet.read())["defenders"][0]
    assert shown["fullName"] is None
    assert [(w["field"], w["reason"]) for w in shown["withheld"]] == [
        ("fullName", Reason.SEAL_BROKEN.name)
    ]
