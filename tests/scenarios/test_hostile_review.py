"""What a hostile reader of the code once did, and what holds it now."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from api.accesslog.event import Event
from api.app import open_house
from api.casework.provisioning import disable_member
from api.database import Connection, Records
from api.demo.synthetic import BUDI, SARI
from api.errors import LogUnavailable, RefusesToStart, StoreUnavailable
from api.log_settings import log_source
from api.vocabulary import Action, Outcome, Phase, RecordKind
from tests.inside import exchanged
from tests.scenarios.asking import as_key, counted, records
from tests.world import World

NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code } } }"""
NOTES = "query ($id: ID!) { caseFile(id: $id) { notes { id author body } withheld { reason } } }"
OPEN = """mutation { openCaseFile(input: {urgency: SOON, sensitivity: 1, province: "31",
  defenders: [{aliases: ["Melati"]}]}) { caseFileId errors { code } } }"""
ASSIGN = """mutation ($file: ID!, $who: ID!, $until: DateTime!) { assignCaseworker(input:
  {caseFileId: $file, memberId: $who, until: $until}) { assignmentId errors { code } } }"""
UNASSIGN = """mutation ($file: ID!, $who: ID!) { unassignCaseworker(input:
  {caseFileId: $file, memberId: $who}) { errors { code } } }"""


class LosesTheAnswer:
    """Records whose commits arrive and whose answers do not."""

    def __init__(self, inner: Records) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Connection]:
        async with self._inner.change() as connection:
            yield connection
        raise StoreUnavailable


class AfterTheIntent:
    """A ledger that lets something happen as soon as an intent is durable."""

    def __init__(self, inner: Any, then: Callable[[], Awaitable[object]]) -> None:
        self._inner = inner
        self._then = then

    async def append(self, event: Event) -> int:
        index: int = await self._inner.append(event)
        if event.phase is Phase.INTENT and event.action is Action.OPEN_CASE_FILE:
            await self._then()
        return index


async def test_a_commit_without_an_answer_is_not_called_nothing(world: World) -> None:
    before, there = await world.size(), await counted(world, "note")
    async with exchanged(world, lambda h: {"records": LosesTheAnswer(h.records)}) as inside:
        answer = await inside.world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)})

    assert (answer.status, answer.codes) == (503, ["CHANGE_UNCONFIRMED"])
    assert await counted(world, "note") == {"note": there["note"] + 1}
    outcomes = [e.outcome for e in await world.events(before) if e.phase is Phase.OUTCOME]
    assert outcomes == [Outcome.UNKNOWN]


async def test_who_is_disabled_after_the_intent_opens_no_case_file(world: World) -> None:
    before, there = await world.size(), await counted(world, "case_file", "assignment")
    async with exchanged(
        world,
        lambda house: {
            "ledger": AfterTheIntent(
                house.ledger, lambda: disable_member(house, "komnas-ham", SARI)
            )
        },
    ) as inside:
        answer = await inside.world.ask(SARI, OPEN, purpose="intake")

    assert "caseFileId" not in answer.text
    assert await counted(world, "case_file", "assignment") == there
    opened = [e for e in await world.events(before) if e.action is Action.OPEN_CASE_FILE]
    assert [e.outcome for e in opened] == [None, Outcome.NOTHING]


async def test_the_events_of_a_grant_name_who_is_given_it(world: World) -> None:
    file, who = world.records.closed_to_sari, world.records.member(SARI).id
    until = (world.clock() + timedelta(days=3)).isoformat()
    before = await world.size()

    given = {"file": str(file), "who": str(who)}
    made = await world.ask(BUDI, ASSIGN, {**given, "until": until}, purpose="supervision")
    await world.ask(BUDI, UNASSIGN, given, purpose="supervision")

    events = await world.events(before)
    assert [e.action for e in events] == [Action.ASSIGN_CASEWORKER] * 2 + [
        Action.UNASSIGN_CASEWORKER
    ] * 2
    assert all(records(event, RecordKind.MEMBER) == {who} for event in events)
    [assignment] = records(events[0], RecordKind.ASSIGNMENT)
    assert str(assignment) == made.data["assignCaseworker"]["assignmentId"]


async def test_a_forged_assignment_is_not_sealed_by_ending_it(world: World) -> None:
    file, who = world.records.closed_to_sari, world.records.member(SARI).id
    await world.run(
        "update assignment set member = ? where case_file = ?",
        (as_key(world, who), as_key(world, file)),
    )
    query = "select seal, ended_at from assignment where case_file = ?"
    forged = await world.run(query, (as_key(world, file),))
    assert forged

    answer = await world.ask(
        BUDI, UNASSIGN, {"file": str(file), "who": str(who)}, purpose="supervision"
    )

    assert answer.data["unassignCaseworker"]["errors"] == [{"code": "NOT_ASSIGNED"}]
    assert await world.run(query, (as_key(world, file),)) == forged


async def test_a_note_under_another_name_is_not_shown(world: World) -> None:
    file = world.records.open_to_sari
    await world.ask(SARI, NOTE, {"id": str(file)})
    shown = (await world.ask(SARI, NOTES, {"id": str(file)})).data["caseFile"]
    assert shown["notes"]
    assert shown["withheld"] == []
    other = world.records.member(BUDI).id
    await world.run(
        "update note set author = ? where case_file = ?",
        (as_key(world, other), as_key(world, file)),
    )

    shown = (await world.ask(SARI, NOTES, {"id": str(file)})).data["caseFile"]

    assert shown["notes"] == []
    assert shown["withheld"] == [{"reason": "SEAL_BROKEN"}]


async def test_a_service_does_not_start_on_a_clock_behind_its_log(world: World) -> None:
    world.clock.move(timedelta(days=-1))

    with pytest.raises(RefusesToStart, match="clock"):
        async with open_house(world.settings, world.clock):
            pass


async def test_a_service_does_not_start_on_a_passphrase_open_to_others(world: World) -> None:
    world.settings.key_passphrase_file.chmod(0o644)

    with pytest.raises(RefusesToStart, match="chmod 600"):
        async with open_house(world.settings, world.clock):
            pass


async def test_a_service_does_not_start_without_the_secrets_of_an_owner(world: World) -> None:
    await world.run("delete from owner_secret where owner = 'lpsk'")

    with pytest.raises(RefusesToStart, match="lpsk"):
        async with open_house(world.settings, world.clock):
            pass


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
async def test_the_signers_role_stores_no_checkpoint_that_is_not_of_a_head(world: World) -> None:
    source = log_source(world.settings.signer().url)
    await source.open()
    try:
        with pytest.raises(LogUnavailable):
            await source.put_checkpoint((await source.state()).size, "rubbish")
    finally:
        await source.close()
