"""In an emergency the liaison of the agency that was asked is alerted, once, and nobody else."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api.accesslog.event import Event
from api.app import open_house
from api.casework.alert_deliveries import deliver
from api.casework.match_settling import settle_matches
from api.demo.synthetic import SARI, WAYAN
from api.vocabulary import Action, Decision, RecordKind
from api.webhooks import Webhooks
from tests.inside import FailingLedger, exchanged
from tests.scenarios import alerting, sharing
from tests.scenarios.alerting import ALERTS, next_alerts
from tests.scenarios.asking import NOBODY, as_key, counted, led_by, records
from tests.scenarios.matching import (
    answer,
    house_of,
    known,
    person_of,
    requested,
    settled,
    waiting,
)
from tests.scenarios.receiving import receiver
from tests.scenarios.referring import HASAN
from tests.scenarios.tying import declared, id_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

WITH_MATCH = ALERTS.replace("madeAt", "madeAt matchId")


def told(world: World, subject: str = HASAN, **options: Any) -> Any:
    """Subscribe to the alerts as the liaison of LPSK."""
    given = {"purpose": "referral", **options}
    return alerting.told(world, subject, query=WITH_MATCH, **given)


async def asked(world: World, **person: Any) -> str:
    """Have Sari ask in an emergency, and LPSK look, which knows the *person*, if one is given."""
    if person:
        await known(world, **person)
    made = await requested(world, purpose="emergency")
    await settled(world)
    return made


async def wake(world: World) -> None:
    await house_of(world).alerts.look(house_of(world).records)


async def alerted(world: World, size: int) -> list[Event]:
    return [event for event in await world.events(size) if event.action is Action.ALERT]


async def test_the_liaison_is_told_of_a_person_whom_the_agency_knows(world: World) -> None:
    file, theirs = await known(world, nik=person_of(world).nik)
    async with told(world) as one:
        await one.head()
        assert await next_alerts(one) == []
        size = await world.size()
        made = await asked(world)
        await wake(world)

        [alert] = await next_alerts(one)

        assert (alert["kind"], alert["clock"]) == ("MATCH", "match_answer")
        assert (alert["matchId"], alert["caseFile"]) == (made, file)
        assert alert["dueAt"] == (await waiting(world))[0]["until"]
        [making] = await alerted(world, size)
        assert (making.actor, making.agencies) == (None, ("lpsk",))
        assert records(making, RecordKind.MATCH) == {UUID(made)}
        assert records(making, RecordKind.ALERT) == {UUID(alert["id"])}
        assert records(making, RecordKind.DEFENDER) == set()
        telling = next(
            e
            for e in await world.events(size)
            if e.action is Action.LIST and records(e, RecordKind.ALERT)
        )
        assert telling.decision is Decision.DISCLOSED
        assert telling.agencies == ("lpsk",)
        assert records(telling, RecordKind.DEFENDER) == {UUID(theirs)}
        assert records(telling, RecordKind.CASE_FILE) == {UUID(file)}
        assert one.nothing()


async def test_of_nobody_nobody_is_told_and_the_rows_and_the_log_are_the_same(
    world: World,
) -> None:
    async with told(world) as one:
        await one.head()
        assert await next_alerts(one) == []
        traces = []
        for person in ({}, {"nik": person_of(world).nik}):
            if person:
                await known(world, **person)
            size = await world.size()
            with capture_logs() as lines:
                made = await asked(world)
            row = await world.run(
                "select agency, case_file, member, clock, kind, attempts, delivered_at,"
                " made_at - counted_from, made_at - next_at from alert where record = ?",
                [as_key(world, UUID(made))],
            )
            events = [
                (e.action, e.phase, e.agencies, [len(t.records) for t in e.touched])
                for e in await world.events(size)
            ]
            traces.append((row, events, [line["event"] for line in lines]))
        assert traces[0] == traces[1]
        await wake(world)
        [alert] = await next_alerts(one)
        assert alert["matchId"] == made
    # The asker's operators read the shared database: its row names its own case file.
    [[file]] = await world.run("select distinct case_file from alert")
    assert file == as_key(world, world.records.open_to_sari)


@pytest.mark.long
async def test_without_an_emergency_there_is_no_alert(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    await requested(world)
    await settled(world)
    assert len(await waiting(world)) == 1
    assert (await counted(world, "alert")) == {"alert": 0}


@pytest.mark.long
async def test_who_may_not_answer_is_told_nothing(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    async with (
        told(world, SARI, purpose="protection") as asker,
        told(world, WAYAN, purpose="protection") as colleague,
    ):
        for each in (asker, colleague):
            await each.head()
            assert await next_alerts(each) == []
        size = await world.size()
        await asked(world)
        await wake(world)
        # Somebody else's alert wakes them again: then all before was decided on.
        file = led_by(world, "lpsk")[0]
        await alerting.respond_by(world, file.id, world.clock())
        await alerting.look(house_of(world))
        await wake(world)
        assert [one["matchId"] for one in await next_alerts(colleague)] in ([None], [None] * 2)
        assert asker.nothing()
    named = [e for e in await world.events(size) if e.action is Action.LIST]
    assert all(records(e, RecordKind.MATCH) == set() for e in named)


@pytest.mark.long
async def test_to_who_is_tied_nothing_is_told(world: World) -> None:
    file, _ = await known(world, nik=person_of(world).nik)
    await declared(world, by="indah", caseFileId=file, memberId=id_of(world, HASAN))
    async with told(world) as one:
        await one.head()
        assert await next_alerts(one) == []
        await asked(world)
        await wake(world)
        assert one.nothing()


@pytest.mark.long
async def test_who_comes_back_is_told_what_is_not_answered_yet(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    async with told(world) as one:
        await one.head()
        await next_alerts(one)
        first = await asked(world)
        await wake(world)
        [seen] = await next_alerts(one)
    second, third = await asked(world), await asked(world)
    for match in (first, second):
        answered = await answer(world, match, "DISMISS")
        assert answered.data["answerMatch"]["errors"] == []
    async with told(world, after=seen["id"]) as one:
        await one.head()
        assert [alert["matchId"] for alert in await next_alerts(one)] == [third]
    for who, after in ((SARI, seen["id"]), (HASAN, NOBODY)):
        async with told(world, who, after=after) as one:
            assert (await one.first()).codes == ["NOT_FOUND"]


async def test_an_alert_that_is_written_by_hand_tells_nothing(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    calm = await requested(world)
    await settled(world)
    urgent = await asked(world)
    later = await asked(world)
    start, rows = await numbered(world, urgent), "update alert set record = ? where record = ?"
    await world.run(rows, [as_key(world, UUID(calm)), as_key(world, UUID(later))])
    async with told(world, after=start) as one:
        await one.head()
        assert await next_alerts(one) == []
    # Nor does a hit that is not as its agency sealed it.
    await world.run(rows, [as_key(world, UUID(later)), as_key(world, UUID(calm))])
    await world.run("update match_hit set event = event + 1 where request = ?",
        [as_key(world, UUID(later))])  # fmt: skip
    async with told(world, after=start) as one:
        await one.head()
        assert await next_alerts(one) == []


async def numbered(world: World, match: str) -> str:
    """Give the id of the alert of *match*."""
    query = "select id from alert where record = ?"
    [[made]] = await world.run(query, [as_key(world, UUID(match))])
    return str(UUID(str(made)))


@pytest.mark.long
async def test_two_processes_that_look_at_once_make_one_alert(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    await requested(world, purpose="emergency")
    size = await world.size()
    async with AsyncExitStack() as closing:
        houses = [
            await closing.enter_async_context(open_house(world.settings, world.clock)) for _ in "ab"
        ]
        await asyncio.gather(*(settle_matches(house) for house in houses))
    assert await counted(world, "alert", "match_hit") == {"alert": 1, "match_hit": 1}
    assert len(await alerted(world, size)) == 1


async def test_without_a_log_nobody_is_found_and_nothing_is_alerted(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    await requested(world, purpose="emergency")

    # The intent is taken, and the event of the alert is not.
    async with exchanged(world, lambda h: {"ledger": FailingLedger(h.ledger, 1)}) as inside:
        await settle_matches(inside.house)
    assert await counted(world, "alert", "match_hit") == {"alert": 0, "match_hit": 0}

    await settled(world)
    assert await counted(world, "alert", "match_hit") == {"alert": 1, "match_hit": 1}


async def test_the_webhook_is_called_once_and_alike_whether_anybody_is_known(
    world: World,
) -> None:
    nobody = await asked(world)
    somebody = await asked(world, nik=person_of(world).nik)
    async with receiver() as there:
        webhooks = Webhooks([there.settings(world.folder, "lpsk")])
        there.status = 500
        assert await deliver(house_of(world), webhooks) == 0
        there.status = 204
        world.clock.move(alerting.LEAD / 24)
        assert await deliver(house_of(world), webhooks) == 2
        assert await deliver(house_of(world), webhooks) == 0
        await webhooks.close()

    failed, *taken = there.got
    said = {one["data"]["match"]: one for one in (json.loads(r.body) for r in taken)}
    assert failed.body in [request.body for request in taken]
    assert {match: one["type"] for match, one in said.items()} == {
        nobody: "match.nobody",
        somebody: "match.urgent",
    }
    assert {tuple(one["data"]) for one in said.values()} == {("alert", "match", "clock", "dueAt")}
    assert len({len(request.body) for request in taken}) == 1
    text = "".join(request.body.decode() for request in taken)
    assert person_of(world).full_name not in text
    assert str(world.records.open_to_sari) not in text
