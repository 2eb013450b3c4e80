"""Words of the scenarios about deadlines and alerts: list them, make them, follow them."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from api.casework.alert_watch import AlertWatch
from api.casework.house import House
from api.demo.synthetic_records import SyntheticCaseFile
from tests.event_stream import Open
from tests.scenarios.asking import as_key, led_by
from tests.scenarios.subscribing import opened
from tests.world import Answer, World

DEADLINES = """query ($first: Int!, $after: String, $filter: DeadlineFilter) {
  deadlines(first: $first, after: $after, filter: $filter) {
    edges { cursor node { clock labelId labelEn legalSource caseFile dueAt overdue } }
    pageInfo { hasNextPage endCursor } } }"""
ALERTS = """subscription ($first: Int!, $after: ID) { alerts(first: $first, after: $after) {
  alerts { id kind clock labelId labelEn caseFile dueAt madeAt } } }"""

LEAD = timedelta(hours=24)


async def listed(
    world: World,
    subject: str,
    *,
    first: int = 100,
    after: str | None = None,
    purpose: str | None = "protection",
    **narrowed: Any,
) -> Answer:
    variables = {"first": first, "after": after, "filter": narrowed or None}
    return await world.ask(subject, DEADLINES, variables, purpose=purpose)


def nodes(answer: Answer) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer.data["deadlines"]["edges"]]


def clocks(answer: Answer) -> set[str]:
    return {node["clock"] for node in nodes(answer)}


def due(node: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(node["dueAt"])


#: Hours from now at which the first responses of an agency are due, in `taken_in`.
HOURS = (-50, -5, 0, 2, 2, 40)


async def taken_in(world: World, agency: str) -> list[SyntheticCaseFile]:
    """Let as many case files of *agency* wait for a first response as HOURS says."""
    files = led_by(world, agency)[: len(HOURS)]
    for file, hours in zip(files, HOURS, strict=True):
        await respond_by(world, file.id, world.clock() + timedelta(hours=hours))
    return files


async def respond_by(world: World, case_file: UUID, moment: datetime) -> None:
    """Let the first response to *case_file* be due at *moment*, and not be given yet."""
    written = (
        moment
        if world.kind == "postgresql"
        else moment.replace(tzinfo=None).isoformat(" ", "microseconds")
    )
    await world.run(
        "update case_file set status = 'intake', respond_by = ? where id = ?",
        [written, as_key(world, case_file)],
    )


async def look(house: House, lead: timedelta = LEAD) -> int:
    """Let a process look for alerts to make, as it does every half minute."""
    return await AlertWatch(house, lead).look()


def told(
    world: World,
    subject: str,
    *,
    first: int = 100,
    after: object = None,
    query: str = ALERTS,
    **options: Any,
) -> AbstractAsyncContextManager[Open]:
    """Subscribe to the alerts as *subject*."""
    given = {"first": first, "after": None if after is None else str(after)}
    return opened(world, subject, query, given, **options)


async def next_alerts(one: Open) -> list[dict[str, Any]]:
    """Read what is told next."""
    event = await one.next()
    assert "errors" not in event, event
    found: list[dict[str, Any]] = event["data"]["alerts"]["alerts"]
    return found
