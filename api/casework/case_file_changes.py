"""What a caller is told of a case file that changed: that it did, and nothing of what it holds.

Each telling is a reading of its own: the member's row, the rights and the policy as they
stand then, and an event before anything is told. What the caller does not see of the case
file, such as a defender whom a referral left out, changes nothing for them.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.casework import elsewhere, rights
from api.casework.asked import asked_of
from api.casework.deciding import Deciding
from api.casework.disclosure import Reading, read_rows
from api.casework.house import House
from api.casework.recording import append_all
from api.errors import NotFound
from api.store import case_file_marks
from api.store.case_file_marks import Mark
from api.store.case_file_statements import Shape, Which
from api.store.case_files import CaseFileRow, Link
from api.vocabulary import Action, Caller, RecordKind

#: The case file and its defenders, and no column of either.
_SHAPE = Shape(Which.ONE, frozenset(), frozenset())
_ASKED = asked_of(_SHAPE, False, None)


@dataclass(frozen=True, slots=True)
class CaseFileChange:
    """How a case file stands for one caller.

    Attributes:
        revision: grows with what the caller sees change, until the case file is erased.
        at: when it was looked at, UTC.
        parts: the revisions that it is made of; equal ones are no change.
        mark: of the whole case file, of the same moment; never shown.
    """

    id: UUID
    revision: int
    at: datetime
    parts: tuple[object, ...]
    mark: Mark


async def change_of(
    house: House, caller: Caller, case_file: UUID, told: CaseFileChange | None
) -> CaseFileChange | None:
    """Say how *case_file* stands now, after an event in the log; None: as it was *told* last.

    Raises:
        NotFound: it is not there, or not in the caller's reach; the event says only that, and
            there is none where something was told before.
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        LogUnavailable, StoreUnavailable, PolicyFailed: nothing may be told.
    """
    now, target = house.now(), (RecordKind.CASE_FILE, case_file)
    reading = Reading(Action.READ, _SHAPE, {"id": case_file}, target=target)
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        deciding = Deciding(house, caller, who, Action.READ, _ASKED)
        for row in await read_rows(house, snapshot, caller, who, reading, now):
            deciding.feed(row)
        if deciding.seen:
            mark = (await case_file_marks.read(snapshot, [case_file]))[case_file]
        else:
            led_by = await elsewhere.led_by(house, snapshot, caller, who, target, now)
            deciding.elsewhere(led_by)
    change = None
    if deciding.seen:
        [(row, _, links)] = deciding.seen
        change = _as_seen(caller, row, links, mark, now)
        if told is not None and told.parts == change.parts:
            return None
    elif told is not None:
        raise NotFound  # Nobody tried anything: an event would say that the caller did.
    await append_all(house, deciding.events(target))
    if change is None:
        raise NotFound
    return change


def _as_seen(
    caller: Caller, row: CaseFileRow, links: list[Link], mark: Mark, now: datetime
) -> CaseFileChange:
    """Take of *mark* what the caller may know: of another agency's nothing hangs on the file."""
    hanging = (mark.notes, mark.attachments) if row.lead_agency == caller.organisation else ()
    people = tuple((link.defender, link.revision) for link in links)
    revision = row.revision + sum(seen for _, seen in people) + sum(hanging)
    return CaseFileChange(row.id, revision, now, (row.revision, people, hanging), mark)
