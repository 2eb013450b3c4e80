"""Alerts: each is made once whoever looks, is in the log first, and is told to who sees it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from api.accesslog.event import Event
from api.app import open_house
from api.casework.alert_watch import AlertWatch
from api.casework.house import House
from api.demo.synthetic import BUDI, SARI, TUTI, WAYAN
from api.demo.synthetic_records import SyntheticCaseFile
from api.vocabulary import Action, Decision, RecordKind
from tests.event_stream import COMPLETE
from tests.inside import FailingLedger, Inside, exchanged
from tests.scenarios import sharing
from tests.scenarios.alerting import (
    ALERTS,
    look,
    next_alerts,
    respond_by,
    taken_in,
    told,
)
from tests.scenarios.asking import NOBODY, as_key, led_by, records
from tests.scenarios.referring import ASSIGN, codes
from tests.scenarios.tying import declared, id_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
still, fresh = sharing.still, sharing.fresh

REVIEW = "quality_review"
MARIA, RIZAL = "maria", "rizal"  # case officers of Komnas HAM
LATE = timedelta(hours=-1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inside(still: World) -> AsyncIterator[Inside]:
    """Give the one world of the module, in which everything that was to be alerted is."""
    async with exchanged(still) as inside:
        await look(inside.house)
        yield inside


def file_of(inside: Inside, place: int, agency: str = "komnas-ham") -> SyntheticCaseFile:
    """Give a case file; each test takes its own."""
    return led_by(inside.world, agency)[place]


async def late(inside: Inside, *files: SyntheticCaseFile) -> None:
    """Let the first response to each of *files* be overdue, and tell it."""
    for file in files:
        await respond_by(inside.world, file.id, inside.world.clock() + LATE)
        assert await look(inside.house) == 1
    await inside.house.alerts.look(inside.house.records)


async def newest(world: World, many: int) -> list[str]:
    """Give the ids of the newest alerts, the oldest of them first."""
    rows = await world.run(f"select id from alert order by number desc limit {many}")
    return [str(UUID(str(row[0]))) for row in reversed(rows)]


async def made(world: World) -> list[tuple[str, str, str]]:
    rows = await world.run("select agency, clock, kind from alert order by number")
    return [(agency, clock, kind) for agency, clock, kind in rows]


async def alerted(world: World, size: int) -> list[Event]:
    return [event for event in await world.events(size) if event.action is Action.ALERT]


async def test_a_deadline_is_told_once_when_it_comes_and_once_when_it_has_passed(
    inside: Inside,
) -> None:
    world, file = inside.world, file_of(inside, 0)
    await respond_by(world, file.id, world.clock() + timedelta(days=2))
    before, size = len(await made(world)), await world.size()
    assert await look(inside.house) == 0
    assert await alerted(world, size) == []

    clock = f"first_response_{file.urgency.value}"
    lead = min(timedelta(hours=24), inside.house.codes.clocks[clock].length / 4)
    for left, kind in ((lead, "due"), (timedelta(0), "overdue")):
        await respond_by(world, file.id, world.clock() + left + timedelta(microseconds=1))
        assert await look(inside.house) == (1 if kind == "overdue" else 0)
        world.clock.move(timedelta(microseconds=1))
        size = await world.size()

        assert await look(inside.house) == 1
        assert await look(inside.house) == 0

        assert (await made(world))[-1] == ("komnas-ham", clock, kind)
        [event] = await alerted(world, size)
        assert (event.actor, event.organisation, event.role) == (None, None, None)
        assert (event.decision, event.agencies) == (Decision.ALLOWED, ("komnas-ham",))
        assert records(event, RecordKind.CASE_FILE) == {file.id}
        assert len(records(event, RecordKind.ALERT)) == 1
    assert len(await made(world)) == before + 3


async def test_two_processes_that_look_at_once_make_each_alert_once(fresh: World) -> None:
    for agency in ("komnas-ham", "komnas-perempuan", "lpsk"):
        await taken_in(fresh, agency)
    size = await fresh.size()
    async with AsyncExitStack() as closing:
        houses = [
            await closing.enter_async_context(open_house(fresh.settings, fresh.clock)) for _ in "ab"
        ]
        counts = await asyncio.gather(*(look(house) for house in houses))
        rows = await fresh.run("select id, agency, record, clock, kind from alert")
        assert sum(counts) == len(rows) == len({row[1:] for row in rows}) > 12
        named = [records(e, RecordKind.ALERT) for e in await alerted(fresh, size)]
        assert sum(map(len, named)) == len(rows)
        assert {str(one.hex) for ids in named for one in ids} == {
            UUID(str(row[0])).hex for row in rows
        }
        # Nothing of it was in the memory of those that made them.
        async with open_house(fresh.settings, fresh.clock) as third:
            assert await look(third) == 0


async def test_a_deadline_that_moved_is_another_one(inside: Inside) -> None:
    world, file = inside.world, file_of(inside, 0, "lpsk")
    for hours, new in ((1, 1), (2, 1), (1, 0)):
        await respond_by(world, file.id, world.clock() - timedelta(hours=hours))
        assert await look(inside.house) == new


async def test_what_was_done_is_told_no_more(inside: Inside) -> None:
    world, file = inside.world, file_of(inside, 1, "lpsk")
    await respond_by(world, file.id, world.clock() + LATE)
    key = as_key(world, file.id)
    await world.run("update case_file set status = 'triage' where id = ?", [key])
    assert await look(inside.house) == 0


async def test_without_a_log_there_is_no_alert_and_the_watch_goes_on(fresh: World) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            raise asyncio.CancelledError

    await taken_in(fresh, "komnas-ham")

    def down(house: House) -> dict[str, Any]:
        return {"ledger": FailingLedger(house.ledger, 0)}

    async with exchanged(fresh, down) as inside:
        watch = AlertWatch(inside.house, timedelta(days=1))
        with pytest.raises(asyncio.CancelledError), capture_logs() as said:
            await watch.look_forever(pause)
    told = [(line["event"], line["error"]) for line in said if line["log_level"] == "error"]
    assert told == [("alerts_not_made", "LogUnavailable")] * 2
    assert await made(fresh) == []


async def test_an_officer_of_the_agency_finds_the_alert_and_one_of_another_does_not(
    inside: Inside,
) -> None:
    world, file = inside.world, file_of(inside, 1)
    await late(inside, file)
    query = """query ($id: ID!) { accessEvents(first: 5, filter: {record: $id, action: ALERT}) {
      edges { node { action actor } } } }"""
    own, other = [
        await world.ask(who, query, {"id": str(file.id)}, face="oversight", purpose=REVIEW)
        for who in (TUTI, "ketut")
    ]
    assert own.data["accessEvents"]["edges"] == [{"node": {"action": "ALERT", "actor": None}}]
    assert other.data["accessEvents"]["edges"] == []


# -- told ---------------------------------------------------------------------------


async def test_an_alert_is_told_after_an_event_and_only_where_its_case_file_is_seen(
    inside: Inside,
) -> None:
    world, file = inside.world, file_of(inside, 2)
    async with told(world, SARI) as one, told(world, WAYAN) as other:
        for each in (one, other):
            await each.head()
            assert await next_alerts(each) == []
        size = await world.size()

        await late(inside, file)

        [alert] = await next_alerts(one)
        assert alert == {
            "id": (await newest(world, 1))[0],
            "kind": "OVERDUE",
            "clock": f"first_response_{file.urgency.value}",
            "labelId": alert["labelId"],
            "labelEn": f"First response: {file.urgency.value}",
            "caseFile": str(file.id),
            "dueAt": (world.clock() + LATE).isoformat(),
            "madeAt": world.clock().isoformat(),
        }
        making, telling = await world.events(size)
        assert (making.action, making.actor) == (Action.ALERT, None)
        assert (telling.action, telling.decision) == (Action.LIST, Decision.DISCLOSED)
        assert telling.actor == world.records.member(SARI).id
        assert file.id in records(telling, RecordKind.CASE_FILE)
        assert other.nothing()
    assert repr(inside.house.alerts) == "<following, 0 followers>"


async def test_who_comes_back_is_told_what_was_made_since(inside: Inside) -> None:
    await late(inside, *(file_of(inside, place) for place in (3, 4, 5, 6)))
    ids = await newest(inside.world, 4)

    async with told(inside.world, SARI, after=ids[0], first=2) as one:
        await one.head()
        assert [alert["id"] for alert in await next_alerts(one)] == ids[1:3]
        assert [alert["id"] for alert in await next_alerts(one)] == ids[3:]
        assert one.nothing()


@pytest.mark.parametrize("where", ["nowhere", "another agency"])
async def test_an_alert_that_is_not_yours_is_as_one_that_is_not_there(
    inside: Inside, where: str
) -> None:
    world, after = inside.world, NOBODY
    if where != "nowhere":
        await late(inside, file_of(inside, 2, "lpsk"))
        [after] = await newest(world, 1)
    size = await world.size()
    async with told(world, SARI, after=after) as one:
        answer = await one.first()
    assert answer.codes == ["NOT_FOUND"]
    [event] = await world.events(size)
    assert (event.decision, event.code, event.agencies) == (Decision.WITHHELD, "NOT_FOUND", ())


async def test_what_is_about_a_colleague_is_for_them_and_who_may_do_something_about_it(
    inside: Inside,
) -> None:
    world, file = inside.world, file_of(inside, 7)
    ending = {
        "caseFileId": str(file.id),
        "memberId": id_of(world, MARIA),
        "until": (world.clock() + timedelta(hours=10)).isoformat(),
    }
    async with (
        told(world, SARI) as one,
        told(world, MARIA) as colleague,
        told(world, BUDI, purpose="supervision") as boss,
    ):
        for each in (one, colleague, boss):
            await each.head()
            await each.next()
        answer = await world.ask(BUDI, ASSIGN, {"input": ending}, purpose="supervision")
        assert codes(answer) == []
        assert await look(inside.house) == 1
        await inside.house.alerts.look(inside.house.records)
        for each in (colleague, boss):
            assert [alert["clock"] for alert in await next_alerts(each)] == ["assignment_end"]

        await late(inside, file)
        [alert] = await next_alerts(one)
        assert alert["clock"].startswith("first_response")


async def test_to_who_is_tied_nothing_is_told_and_no_event_says_so(inside: Inside) -> None:
    world, hidden, other = inside.world, file_of(inside, 8), file_of(inside, 9)
    await declared(world, caseFileId=str(hidden.id), memberId=id_of(world, SARI))
    async with told(world, SARI) as one:
        await one.head()
        assert await next_alerts(one) == []
        size = await world.size()
        await late(inside, hidden, other)
        [alert] = await next_alerts(one)
        assert alert["caseFile"] == str(other.id)
        [hers] = [e for e in await world.events(size) if e.action is Action.LIST]
        assert records(hers, RecordKind.CASE_FILE) == {other.id}


async def test_who_is_disabled_is_told_nothing_more(inside: Inside) -> None:
    world = inside.world
    async with told(world, RIZAL) as one:
        await one.head()
        await one.next()
        await world.run(
            "update member set disabled_at = (select max(respond_by) from case_file) where id = ?",
            [as_key(world, world.records.member(RIZAL).id)],
        )
        await late(inside, file_of(inside, 10))
        assert await one.next() == COMPLETE


async def test_nobody_listens_and_the_database_is_not_asked(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside.house.records, "look", None)
    await inside.house.alerts.look(inside.house.records)


async def test_a_client_that_takes_no_events_is_refused(inside: Inside) -> None:
    answer = await inside.world.ask(SARI, ALERTS, {"first": 5})
    assert (answer.status, answer.codes) == (406, ["EVENT_STREAM_NEEDED"])
