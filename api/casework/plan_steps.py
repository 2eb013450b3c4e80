"""The joint plan of a case file: who is to do what until when, and that it was done.

Every agency to which the case file was referred reads the plan; its words are sealed as
notes are, so they open to who may open the narrative. The agency that writes a step signs
it, and the one that was to do it signs that it was done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import resealing, values
from api.casework.break_glass_proofs import Proofs, sealed
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.casework.protection_state import end_of
from api.database import Connection
from api.errors import NotFound, SealBroken, StepNotPossible, ValueInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import organisations
from api.store import plan_steps as rows
from api.store.plan_steps import Row
from api.store.sealed_fields import PLAN_STEP_WHAT
from api.vocabulary import Action, Caller, CaseFileId, RecordKind

#: Characters of a step at the most, as of a reason: a paragraph, not an account.
WHAT_MOST = 2_000
#: How far ahead a step is due at the most.
AHEAD_MOST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step as it was typed; *owner* is the agency that is to do it, until *due_on*'s end."""

    what: str = field(repr=False)
    owner: str
    due_on: date


async def add_plan_step(
    house: House, caller: Caller, case_file_id: CaseFileId, given: NewStep
) -> UUID:
    """Add a step to the plan; give its id.

    An agency that the case file is not shared with may be named: it reads the step once it
    is. Whether it is already is not told.

    Raises:
        NotFound, NotAllowed, RecordErased: see `change`; also where the narrative does not open.
        ValueInvalid: no words or too many, a day that is over or too far; or no such agency.
    """
    what = values.text(given.what)
    today = house.now().date()
    if len(what) > WHAT_MOST or not today <= given.due_on <= today + AHEAD_MOST:
        raise ValueInvalid
    owner = values.word(given.owner)
    made = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [
            house.gate.change(who, Action.ADD_PLAN_STEP, facts),
            house.gate.open(who, PLAN_STEP_WHAT.compartment, facts),
        ]

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        if await organisations.kind_of(transaction, owner) != "agency":
            raise ValueInvalid
        row: Row = {
            "id": made,
            "case_file": situation.row.id,
            "agency": caller.organisation,
            "owner": owner,
            "due_on": given.due_on,
            "due_at": end_of(given.due_on),
            "added_by": caller.member,
            "added_at": situation.now,
            "event": intent,
            # Of what was referred, under the key as it was shared.
            **await resealing.seal_under(
                house,
                transaction,
                caller.organisation,
                situation.row.id,
                made,
                {PLAN_STEP_WHAT: what},
            ),
        }
        await rows.insert_step(transaction, sealed(house, "plan_step", row))
        return made

    changing = Changing(
        Action.ADD_PLAN_STEP,
        (RecordKind.CASE_FILE, case_file_id),
        (PLAN_STEP_WHAT.compartment,),
        (PLAN_STEP_WHAT.name,),
        ((RecordKind.PLAN_STEP, made),),
    )
    return await change(house, caller, changing, ask, write)


async def complete_plan_step(house: House, caller: Caller, step_id: UUID) -> datetime:
    """Say that a step was done that the caller's agency was to do; give the moment.

    Raises:
        NotFound: none that the caller's agency is to do; or see `change`.
        NotAllowed, RecordErased: see `change`.
        StepNotPossible: it was done.
        SealBroken: it is not as its agency sealed or signed it.
    """
    async with house.records.snapshot() as snapshot:
        found = await rows.of_owner(snapshot, step_id, caller.organisation)
    # What is not there names a case file that is not there either.
    file = step_id if found is None else found[0]["case_file"]

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, Action.COMPLETE_PLAN_STEP, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        again = await rows.of_owner(transaction, step_id, caller.organisation)
        if again is None or again[0]["case_file"] != situation.row.id:
            raise NotFound
        step, done = again
        if not await Proofs(house, transaction, caller.organisation).holds("plan_step", step):
            raise SealBroken
        if done is not None:
            raise StepNotPossible
        row: Row = {
            "plan_step": step_id,
            "agency": caller.organisation,
            "completed_by": caller.member,
            "completed_at": situation.now,
            "event": intent,
        }
        await rows.insert_done(transaction, sealed(house, "plan_step_done", row))
        return situation.now

    changing = Changing(
        Action.COMPLETE_PLAN_STEP,
        (RecordKind.CASE_FILE, file),
        others=((RecordKind.PLAN_STEP, step_id),),
    )
    return await change(house, caller, changing, ask, write)
