"""Assess the risk: how likely, how grave, how urgent. Each assessment is a row of its own.

The urgency of the case file follows the newest one. The deadline of its first response
stays: it ran from the day on which the case was opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import resealing, rights, values
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.database import Connection
from api.errors import StaleRevision, ValueInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import assessments, steps
from api.store.sealed_fields import ASSESSMENT_FIELDS
from api.vocabulary import Action, Caller, CaseFileId, Compartment, RecordKind, Urgency

#: The code lists whose entries, in their order, are the levels from 1 on.
LIKELIHOODS: Final = "risk_likelihoods"
IMPACTS: Final = "risk_impacts"


@dataclass(frozen=True, slots=True)
class NewAssessment:
    """A level of LIKELIHOODS and one of IMPACTS, what follows, and why; the last is sealed."""

    likelihood: int
    impact: int
    urgency: Urgency
    account: str = field(repr=False)


class Assessed(NamedTuple):
    """The new row, and the new revision of the case file."""

    id: UUID
    revision: int


async def assess_risk(
    house: House, caller: Caller, case_file_id: CaseFileId, revision: int, new: NewAssessment
) -> Assessed:
    """Write an assessment.

    Raises:
        NotFound, NotAllowed, CaseFileClosed, RecordErased: see `change`.
        StaleRevision: *revision* of the case file is not the newest.
        ValueInvalid: a level or a text that is none; nothing logged.
    """
    for name, level in ((LIKELIHOODS, new.likelihood), (IMPACTS, new.impact)):
        if not 1 <= level <= len(house.codes.codes(name)):
            raise ValueInvalid
    text = values.text(new.account)
    assessment_id = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [
            house.gate.change(who, Action.ASSESS_RISK, facts),
            house.gate.open(who, Compartment.NARRATIVE, facts),
        ]

    async def write(transaction: Connection, situation: Situation, intent: int) -> Assessed:
        agency = situation.row.lead_agency
        row = {
            "id": assessment_id,
            "case_file": case_file_id,
            "author": caller.member,
            "written_at": situation.now,
            "likelihood": new.likelihood,
            "impact": new.impact,
            "urgency": new.urgency.value,
            "event": intent,
            **await resealing.seal_under(
                house,
                transaction,
                agency,
                case_file_id,
                assessment_id,
                dict.fromkeys(ASSESSMENT_FIELDS.values(), text),
            ),
        }
        await assessments.insert_row(
            transaction, rights.sealed_row(house, agency, "assessment", row)
        )
        columns = {"urgency": new.urgency}
        if not await steps.change_case_file(transaction, case_file_id, revision, columns):
            raise StaleRevision(situation.row.revision)
        return Assessed(assessment_id, revision + 1)

    return await change(
        house,
        caller,
        Changing(
            Action.ASSESS_RISK,
            (RecordKind.CASE_FILE, case_file_id),
            (Compartment.NARRATIVE,),
            tuple(sorted(ASSESSMENT_FIELDS)),
            ((RecordKind.ASSESSMENT, assessment_id),),
        ),
        ask,
        write,
    )
