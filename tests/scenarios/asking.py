"""Words that several scenarios share: who leads what, and what an event says."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.event import Event
from api.demo.synthetic_records import SyntheticCaseFile, SyntheticDefender
from api.vocabulary import Action, Decision, Outcome, Phase, RecordKind
from tests.inside import exchanged
from tests.world import Answer, Template, World

#: No record has it.
NOBODY = "01a0ef9c-6800-7000-8000-000000000000"


def led_by(world: World, agency: str) -> list[SyntheticCaseFile]:
    return [f for f in world.records.case_files if f.lead_agency == agency]


def assigned_to(world: World, subject: str) -> list[SyntheticCaseFile]:
    """Give the case files to which *subject* has a live assignment, by the synthetic records."""
    member, now = world.records.member(subject).id, world.clock()
    live = {
        a.case_file
        for a in world.records.assignments
        if a.member == member and a.starts_at <= now < a.ends_at and a.ended_at is None
    }
    return [f for f in world.records.case_files if f.id in live]


def case_file(world: World, reference: str) -> SyntheticCaseFile:
    return next(f for f in world.records.case_files if f.reference == reference)


def defender(world: World | Template, defender_id: UUID) -> SyntheticDefender:
    return next(d for d in world.records.defenders if d.id == defender_id)


def first_defender(world: World | Template, case_file_id: UUID) -> SyntheticDefender:
    found = next(f for f in world.records.case_files if f.id == case_file_id)
    return defender(world, found.defenders[0])


def records(event: Event, kind: RecordKind, decision: Decision | None = None) -> set[UUID]:
    """Name the records of *kind* that the event touches."""
    return {
        record
        for touched in event.touched
        if decision in (None, touched.decision)
        for of, record, _ in touched.records
        if of is kind
    }


def fields(event: Event, decision: Decision) -> set[str]:
    """Name the fields that were disclosed, or withheld, by *event*."""
    return {name for t in event.touched if t.decision is decision for name in t.fields}


def reasons(event: Event) -> set[str]:
    return {t.reason.value for t in event.touched if t.reason is not None}


def assert_change(events: list[Event], action: Action, outcome: Outcome) -> None:
    """Claim that *events* begin with an intent of *action* and its outcome."""
    intent, ended = events[:2]
    assert (intent.action, intent.phase, intent.outcome) == (action, Phase.INTENT, None)
    assert (ended.action, ended.phase, ended.outcome) == (action, Phase.OUTCOME, outcome)
    assert (intent.decision, intent.code) == (Decision.ALLOWED, None)
    assert ended.touched == intent.touched
    assert ended.request == intent.request


def without_request(answer: Answer) -> dict[str, Any]:
    """Give the body without what differs from one request to the next."""
    body = answer.body
    for error in body.get("errors", []):
        del error["extensions"]["requestId"]
    return body


async def put_into(world: World, case_file_id: UUID, defender_id: UUID) -> None:
    """Put a defender into one more case file of komnas-ham, sealed as the agency would."""
    async with exchanged(world) as inside:
        rights = inside.house.keyring.rights("komnas-ham")
        seal = rights.seal("case_file_defender", (case_file_id, defender_id, 1, 0))
    row = (as_key(world, case_file_id), as_key(world, defender_id), seal)
    await world.run("insert into case_file_defender values (?, ?, 1, 0, ?)", row)


async def checkpoint_over(world: World, size: int) -> Checkpoint:
    """Wait for a checkpoint of at least *size* events: the service signs one each second."""
    reader = world.reader()
    async with asyncio.timeout(30):
        while True:
            note = await reader.latest_checkpoint()
            if note is not None:
                checkpoint = open_checkpoint(note, [world.log_key])
                if checkpoint.size >= size:
                    return checkpoint


def as_key(world: World, record: UUID) -> UUID | str:
    """Give an id as the database of *world* holds it."""
    return record if world.kind == "postgresql" else record.hex


async def counted(world: World, *tables: str) -> dict[str, int]:
    """Count the rows of *tables*."""
    return {t: (await world.run(f"select count(*) from {t}"))[0][0] for t in tables}


def ids(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(item["id"]) for item in items]
