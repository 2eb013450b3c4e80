"""Change what is known of a defender: sealed again under the same keys, found by new tags."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from api.casework import merged, resealing, values
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.database import Connection
from api.errors import DefenderMerged, StaleRevision, ValueInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import defenders
from api.store.sealed_fields import DEFENDER_FIELDS
from api.vocabulary import Action, Caller, RecordKind

_BY_COLUMN = {field.column: field for field in DEFENDER_FIELDS.values()}


async def update_defender(
    house: House, caller: Caller, defender_id: UUID, revision: int, given: Mapping[str, Any]
) -> int:
    """Write the columns that are *given* (None empties one); give the new revision.

    Who writes a compartment must be one who may open it.

    Raises:
        NotFound, NotAllowed, DefenderMerged: see `change`.
        StaleRevision: *revision* is not the newest.
        NikInvalid, PhoneInvalid, ValueInvalid: nothing was written and nothing logged.
    """
    if not given:
        raise ValueInvalid
    checked = values.defender_values(given, house.now().date())
    fields = [_BY_COLUMN[column] for column in checked]
    compartments = tuple(sorted({field.compartment for field in fields}))

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        gate = house.gate
        return [
            gate.change(who, Action.UPDATE_DEFENDER, facts),
            *(gate.open(who, compartment, facts) for compartment in compartments),
        ]

    async def write(transaction: Connection, situation: Situation, intent: int) -> int:
        agency = situation.row.lead_agency
        await defenders.lock(transaction, defender_id)
        # It may have been merged since that was asked, without the lock.
        if await merged.is_duplicate(house, transaction, agency, defender_id):
            raise DefenderMerged
        if revision != situation.revision:
            raise StaleRevision(situation.revision)
        sealed = await resealing.seal_revision(
            house,
            transaction,
            agency,
            defender_id,
            revision + 1,
            {_BY_COLUMN[column]: value for column, value in checked.items()},
        )
        if not await defenders.replace(transaction, defender_id, revision, sealed):
            raise StaleRevision
        tagged = {c: v for c, v in checked.items() if c in resealing.TAGGED}
        await defenders.delete_tags(
            transaction, defender_id, [resealing.TAGGED[column] for column in tagged]
        )
        await defenders.insert_tags(
            transaction, await resealing.tag_rows(house, agency, {defender_id: tagged})
        )
        return revision + 1

    return await change(
        house,
        caller,
        Changing(
            Action.UPDATE_DEFENDER,
            (RecordKind.DEFENDER, defender_id),
            compartments,
            tuple(sorted(field.name for field in fields)),
            fields_of={
                c: tuple(sorted(f.name for f in fields if f.compartment is c)) for c in compartments
            },
        ),
        ask,
        write,
    )
