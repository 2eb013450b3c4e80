"""Record who threatens: the kind in clear, everything that says who it is sealed.

An institution that is named keeps out whoever is tied to it, as one that was named at
intake, from the next request on; it closes what was released to a partner who is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import resealing, rights, tying, values
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.casework.resealing import Value
from api.database import Connection
from api.errors import StaleRevision, ValueInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import adversaries, locks, steps, ties
from api.store.sealed_fields import ADVERSARY_FIELDS
from api.vocabulary import Action, Caller, CaseFileId, Compartment, RecordKind


@dataclass(frozen=True, slots=True)
class NewAdversary:
    """What is known of one: a code of adversary_kinds, and what is sealed."""

    kind: str
    name: str | None = field(default=None, repr=False)
    institution: str | None = field(default=None, repr=False)
    unit: str | None = field(default=None, repr=False)
    relation: str | None = field(default=None, repr=False)


class Recorded(NamedTuple):
    """The new row, and the new revision of the case file."""

    id: UUID
    revision: int


async def record_adversary(
    house: House, caller: Caller, case_file_id: CaseFileId, new: NewAdversary
) -> Recorded:
    """Record an adversary.

    Raises:
        NotFound, NotAllowed, CaseFileClosed, RecordErased: see `change`.
        ValueInvalid: a code or a text that is none; nothing logged.
    """
    if not house.codes.has("adversary_kinds", new.kind):
        raise ValueInvalid
    said = {
        "adversary_name": new.name,
        "adversary_institution": new.institution,
        "adversary_unit": new.unit,
        "adversary_relation": new.relation,
    }
    sealed: dict[str, Value] = {
        column: None if text is None else values.line(text) for column, text in said.items()
    }
    tag = None
    if new.institution is not None:
        tag = tying.tag_of(house, caller.organisation, new.institution)
    adversary_id = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [
            house.gate.change(who, Action.RECORD_ADVERSARY, facts),
            house.gate.open(who, Compartment.ADVERSARY, facts),
        ]

    async def write(transaction: Connection, situation: Situation, intent: int) -> Recorded:
        agency = situation.row.lead_agency
        row = {
            "id": adversary_id,
            "case_file": case_file_id,
            "author": caller.member,
            "written_at": situation.now,
            "kind": new.kind,
            "event": intent,
            **await resealing.seal_under(
                house,
                transaction,
                agency,
                case_file_id,
                adversary_id,
                {f: sealed[f.column] for f in ADVERSARY_FIELDS.values()},
            ),
        }
        await adversaries.insert_row(
            transaction, rights.sealed_row(house, agency, "adversary", row)
        )
        if tag is not None:
            await _report(house, transaction, agency, tag, case_file_id)
        kinds = {new.kind, *await steps.kinds_of(transaction, case_file_id, "adversary_kinds")}
        columns = {"adversary_kinds": sorted(kinds)}
        if not await steps.change_case_file(transaction, case_file_id, situation.revision, columns):
            raise StaleRevision
        return Recorded(adversary_id, situation.revision + 1)

    return await change(
        house,
        caller,
        Changing(
            Action.RECORD_ADVERSARY,
            (RecordKind.CASE_FILE, case_file_id),
            (Compartment.ADVERSARY,),
            tuple(sorted(ADVERSARY_FIELDS)),
            ((RecordKind.ADVERSARY, adversary_id),),
        ),
        ask,
        write,
    )


async def _report(
    house: House, change: Connection, agency: str, tag: str, case_file_id: UUID
) -> None:
    """Keep out who is tied to the institution of *tag*, partners among them."""
    # Who declares a tie meanwhile waits, and then finds the tag; who did before is found here.
    await locks.alone(change, locks.RELEASES)
    if await ties.is_reported(change, agency, tag, case_file_id):
        return
    await ties.insert_tags(change, [{"agency": agency, "tag": tag, "case_file": case_file_id}])
    for partner in await ties.partners_of(change, agency, tag):
        await tying.settle_releases(house, change, agency, partner)
