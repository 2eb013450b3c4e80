"""Over a budget nothing opens, the event says so, and keys that no event explains are noticed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.casework.budgets import Budgets
from api.casework.reconciliation import Reconciliation
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.store import key_wraps
from api.vocabulary import Action, Compartment, Decision, RecordKind
from tests.inside import Inside, exchanged
from tests.scenarios import referring, sharing
from tests.scenarios.asking import assigned_to, first_defender, reasons, records
from tests.scenarios.attaching import added, download, pdf
from tests.scenarios.test_search import find, found_ids
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world = sharing.fresh

PAGE = """query ($first: Int!) { caseFiles(first: $first, filter: {assignedToMe: true}) {
  edges { node { id reference defenders { id fullName } } } } }"""
PLAIN = """query ($id: ID!) { caseFile(id: $id) { reference defenders { id categories } } }"""
READ = "query ($id: ID!) { defender(id: $id) { %s withheld { field reason } } }"
ADD_NOTE = """mutation ($id: ID!) {
  addNote(input: {caseFileId: $id, body: "Ditelepon."}) { errors { code } } }"""

HOUR = timedelta(hours=1)


@asynccontextmanager
async def budgeted(
    world: World, per_caller: int, per_process: int = 1_000
) -> AsyncIterator[Inside]:
    """Serve *world* with these budgets."""
    budgets = Budgets(per_caller, per_process)
    async with exchanged(world, lambda _house: {"budgets": budgets}) as inside:
        yield inside


async def read(inside: Inside, person: Any, fields: str = "fullName", who: str = SARI) -> Answer:
    return await inside.world.ask(who, READ % fields, {"id": str(person)})


def people_of(world: World, subject: str) -> list[Any]:
    found = dict.fromkeys(d for f in assigned_to(world, subject) for d in f.defenders)
    assert len(found) >= 3
    return list(found)


async def test_a_page_over_the_budget_opens_nothing_and_leaves_its_event(world: World) -> None:
    people = people_of(world, SARI)
    async with budgeted(world, len(people) - 1) as inside:
        before = await world.size()
        with capture_logs() as lines:
            answer = await inside.world.ask(SARI, PAGE, {"first": 100})

        assert (answer.status, answer.codes) == (200, ["OPENINGS_EXHAUSTED"])
        assert answer.body["data"] is None
        assert inside.keyring.opened == []
        [event] = await world.events(before)
        assert (event.action, event.decision) == (Action.LIST, Decision.WITHHELD)
        assert event.code == "OPENINGS_EXHAUSTED"
        assert reasons(event) == {"openings_exhausted"}
        assert records(event, RecordKind.DEFENDER) >= set(people)
        assert not records(event, RecordKind.DEFENDER, Decision.DISCLOSED)
        assert [e["event"] for e in lines if e["event"].startswith("openings")] == [
            "openings_exhausted"
        ]
        # Nothing of the page was counted.
        for person in people[:-1]:
            assert (await read(inside, person)).data["defender"]["fullName"]


async def test_the_next_hour_opens_again_and_what_is_open_stays_so(world: World) -> None:
    first, second, third, *_ = people_of(world, SARI)
    async with budgeted(world, 2) as inside:
        for _ in range(3):
            for person in (first, second):
                assert (await read(inside, person)).data["defender"]["fullName"]

        assert (await read(inside, third)).codes == ["OPENINGS_EXHAUSTED"]
        assert (await read(inside, first)).codes == []

        world.clock.move(HOUR)
        assert (await read(inside, third)).data["defender"]["fullName"]


async def test_another_caller_is_not_stopped(world: World) -> None:
    first, second, *_ = people_of(world, SARI)
    async with budgeted(world, 1) as inside:
        await read(inside, first)
        assert (await read(inside, second)).codes == ["OPENINGS_EXHAUSTED"]

        others = people_of(world, WAYAN)
        assert (await read(inside, others[0], who=WAYAN)).codes == []


async def test_the_process_as_a_whole_has_a_budget(world: World) -> None:
    mine, theirs = people_of(world, SARI), people_of(world, WAYAN)
    async with budgeted(world, 100, per_process=2) as inside:
        for person in mine[:2]:
            await read(inside, person)

        answer = await read(inside, theirs[0], who=WAYAN)

        assert answer.codes == ["OPENINGS_EXHAUSTED"]


@pytest.mark.parametrize("fields", ["nik", "phones", "homeAddress"])
async def test_a_number_or_an_address_counts_like_the_name(world: World, fields: str) -> None:
    first, second, *_ = people_of(world, SARI)
    async with budgeted(world, 1) as inside:
        await read(inside, first)

        assert (await read(inside, second, fields)).codes == ["OPENINGS_EXHAUSTED"]


async def test_what_is_not_sealed_is_not_counted(world: World) -> None:
    people = people_of(world, SARI)
    async with budgeted(world, 1) as inside:
        await read(inside, people[0])

        for person in people:
            assert (await read(inside, person, "categories")).codes == []
        for file in assigned_to(world, SARI):
            assert (await inside.world.ask(SARI, PLAIN, {"id": str(file.id)})).codes == []


async def test_a_search_counts_what_it_shows_and_not_whom_it_compares(world: World) -> None:
    person = first_defender(world, world.records.open_to_sari)
    async with budgeted(world, 2) as inside:
        found = await find(inside.world, SARI, "NAME", person.full_name, first=1)
        assert str(person.id) in found_ids(found)
        assert len(inside.keyring.opened) > 2

        assert (await find(inside.world, SARI, "NAME", person.full_name, first=1)).codes == []


@pytest.mark.parametrize("by", ["NAME", "NIK"])
async def test_a_search_whose_hits_could_not_be_shown_opens_no_name(world: World, by: str) -> None:
    people = people_of(world, SARI)
    person = first_defender(world, world.records.open_to_sari)
    value = person.full_name if by == "NAME" else person.nik
    nobody = "Zzyzx Qwertyuiop" if by == "NAME" else "3171234501900001"
    assert value is not None
    async with budgeted(world, 3) as inside:
        for other in people[:2]:
            await read(inside, other)
        inside.keyring.opened.clear()
        before = await world.size()

        told = [
            (await find(inside.world, SARI, by, what, first=2)).codes for what in (value, nobody)
        ]

        # Whether somebody is found is not told by the refusal either.
        assert told == [["OPENINGS_EXHAUSTED"]] * 2
        assert inside.keyring.opened == []
        for event in await world.events(before):
            assert (event.action, event.decision) == (Action.SEARCH, Decision.WITHHELD)
            assert (reasons(event), event.code) == ({"openings_exhausted"}, "OPENINGS_EXHAUSTED")
            assert not records(event, RecordKind.DEFENDER)


async def test_an_attachment_counts_like_a_person(world: World) -> None:
    file = world.records.open_to_sari
    first, second, *_ = people_of(world, SARI)
    async with budgeted(world, 1) as inside:
        attachment = await added(inside.world, SARI, file, pdf(3_000))
        await read(inside, first)
        inside.keyring.opened.clear()
        before = await world.size()

        answer = await download(inside.world, SARI, attachment)

        assert answer.status_code == 429
        assert answer.json()["errors"][0]["extensions"]["code"] == "OPENINGS_EXHAUSTED"
        assert inside.keyring.opened == []
        [event] = await world.events(before)
        assert (event.decision, reasons(event)) == (Decision.WITHHELD, {"openings_exhausted"})
        world.clock.move(HOUR)
        assert (await download(inside.world, SARI, attachment)).status_code == 200
        assert (await read(inside, second)).codes == ["OPENINGS_EXHAUSTED"]


async def test_every_key_that_is_opened_is_explained_and_one_more_is_noticed(world: World) -> None:
    file = assigned_to(world, SARI)[0]
    person = first_defender(world, world.records.open_to_sari)
    async with budgeted(world, 1_000) as inside:
        reconciliation = Reconciliation(inside.house)
        assert inside.house.keyring.unwrapped()  # The secrets of the start, explained too.
        assert reconciliation.look() == {}
        asked = inside.world
        await asked.ask(SARI, PAGE, {"first": 100})
        await find(asked, BUDI, "NAME", person.full_name, purpose="supervision")
        await find(asked, SARI, "NAME", person.full_name)
        await find(asked, SARI, "NIK", person.nik or "")
        await asked.ask(SARI, ADD_NOTE, {"id": str(file.id)})
        attachment = await added(asked, SARI, world.records.open_to_sari, pdf(3_000))
        assert (await download(asked, SARI, attachment)).status_code == 200
        await inside.house.keyring.health()
        opened = inside.house.keyring.unwrapped()["komnas-ham"]
        assert opened > 20
        assert reconciliation.look() == {}
        # Nothing is left over that would hide it.
        assert inside.house.explained.keys()["komnas-ham"] == opened

        async with inside.house.records.snapshot() as snapshot:
            [stored] = await key_wraps.of_records(
                snapshot, "komnas-ham", [person.id], [Compartment.IDENTITY]
            )
        await inside.house.keyring.open_keys("komnas-ham", [stored.wrap])

        assert reconciliation.look() == {"komnas-ham": 1}


async def test_the_keys_of_a_referral_are_explained_on_both_sides(world: World) -> None:
    async with budgeted(world, 1_000) as inside:
        asked, reconciliation = inside.world, Reconciliation(inside.house)

        referral = await referring.accepted(asked)
        assert (await referring.read(asked)).data["caseFile"]["defenders"][0]["fullName"]
        assert reconciliation.look() == {}
        given = inside.house.keyring.unwrapped()

        assert referring.codes(await referring.say(asked, referring.END, referral, by=BUDI)) == []

        assert reconciliation.look() == {}
        assert inside.house.keyring.unwrapped()["komnas-ham"] > given["komnas-ham"]
        assert inside.house.explained.keys() == inside.house.keyring.unwrapped()
