"""The life of a case file: which steps it takes, and who took them.

    intake -> triage -> active <-> monitoring

From each of these it is closed, by two persons (`closings`), and back from there it comes to
`active`. Each step leaves a row of its own and makes the revision of the case file one more.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import reasons, rights
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.database import Connection
from api.errors import StaleRevision, StepNotAllowed
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import steps
from api.vocabulary import Action, Caller, CaseFileId, CaseStatus, RecordKind

#: Where a case file stands -> where one person may take it. There is no way here into
#: CLOSED, nor out of it.
STEPS: Final[Mapping[CaseStatus, frozenset[CaseStatus]]] = {
    CaseStatus.INTAKE: frozenset({CaseStatus.TRIAGE}),
    CaseStatus.TRIAGE: frozenset({CaseStatus.ACTIVE}),
    CaseStatus.ACTIVE: frozenset({CaseStatus.MONITORING}),
    CaseStatus.MONITORING: frozenset({CaseStatus.ACTIVE}),
    CaseStatus.CLOSED: frozenset(),
}


async def advance_case_file(
    house: House,
    caller: Caller,
    case_file_id: CaseFileId,
    revision: int,
    to: CaseStatus,
    words: str | None = None,
) -> int:
    """Take the case file one step on; give its new revision.

    Args:
        words: why, in the caller's words; see `reasons.given`.

    Raises:
        NotFound, NotAllowed, CaseFileClosed, RecordErased: see `change`.
        StaleRevision: *revision* is not the newest.
        StepNotAllowed: it does not take that step from where it stands.
        ValueInvalid: such words.
    """
    given = reasons.given(words)
    step_id = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, Action.ADVANCE_CASE_FILE, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> int:
        if to not in STEPS[status_of(situation)]:
            raise StepNotAllowed
        return await take(house, transaction, caller, situation, intent, step_id, revision, to)

    return await change(
        house,
        caller,
        Changing(
            Action.ADVANCE_CASE_FILE,
            (RecordKind.CASE_FILE, case_file_id),
            others=((RecordKind.STEP, step_id),),
            reason=given,
        ),
        ask,
        write,
    )


def status_of(situation: Situation) -> CaseStatus:
    """Give where the case file stands, as it was read under the lock."""
    [status] = situation.row.values
    return CaseStatus(status)


async def take(
    house: House,
    transaction: Connection,
    caller: Caller,
    situation: Situation,
    intent: int,
    step_id: UUID,
    revision: int,
    to: CaseStatus,
) -> int:
    """Write a step of a case file that is locked; give its new revision.

    Raises:
        StaleRevision: *revision* is not the newest.
    """
    file = situation.row
    row: dict[str, Any] = {
        "id": step_id,
        "case_file": file.id,
        "was": status_of(situation).value,
        "became": to.value,
        "member": caller.member,
        "taken_at": situation.now,
        "event": intent,
    }
    if not await steps.change_case_file(transaction, file.id, revision, {"status": to.value}):
        raise StaleRevision(file.revision)
    await steps.insert_row(transaction, rights.sealed_row(house, file.lead_agency, "step", row))
    return revision + 1
