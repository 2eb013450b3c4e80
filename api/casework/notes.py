"""Add a note to a case file; its text is sealed with the narrative."""

from collections.abc import Sequence
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import resealing, rights, values
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.database import Connection
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import notes
from api.store.sealed_fields import NOTE_BODY
from api.vocabulary import Action, Caller, CaseFileId, RecordKind


async def add_note(house: House, caller: Caller, case_file_id: CaseFileId, body: str) -> UUID:
    """Write a note; give its id.

    Raises:
        NotFound, NotAllowed: see `change`.
        ValueInvalid: empty or too long; nothing logged.
    """
    text = values.text(body)
    note_id = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [
            house.gate.change(who, Action.ADD_NOTE, facts),
            house.gate.open(who, NOTE_BODY.compartment, facts),
        ]

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        sealed = await resealing.seal_under(
            house,
            transaction,
            situation.row.lead_agency,
            case_file_id,
            note_id,
            {NOTE_BODY: text},
        )
        await notes.insert_rows(
            transaction,
            [
                rights.sealed_row(
                    house,
                    situation.row.lead_agency,
                    "note",
                    {
                        "id": note_id,
                        "case_file": case_file_id,
                        "author": caller.member,
                        "written_at": situation.now,
                        "event": intent,
                        **sealed,
                    },
                )
            ],
        )
        return note_id

    return await change(
        house,
        caller,
        Changing(
            Action.ADD_NOTE,
            (RecordKind.CASE_FILE, case_file_id),
            (NOTE_BODY.compartment,),
            (NOTE_BODY.name,),
            ((RecordKind.NOTE, note_id),),
        ),
        ask,
        write,
    )
