"""Protection first: leads of the agency with the mandate grant it together, papers come later.

One lead proposes it with its measures, others sign; with the last signature of the quorum
the measures run at once and the papers that were deferred fall due. The plenary ratifies
afterwards, or it lapses by itself: nothing is written then, it is worked out when it is read
(`protection_state`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import resealing, rights, values
from api.casework.break_glass_proofs import Proofs, sealed
from api.casework.changing import Ask, Changing, Situation, change
from api.casework.house import House
from api.casework.measures import Making, NewMeasure, check
from api.casework.protection_state import (
    AWAITS_PLENARY,
    OVER,
    end_of,
    state_of,
)
from api.casework.second_persons import may_still
from api.crypto.data_keys import WrappedKey
from api.database import Connection
from api.errors import (
    NotFound,
    ProtectionNotForSuspects,
    PurposeMissing,
    SealBroken,
    SecondPersonNeeded,
    StepNotPossible,
    ValueInvalid,
)
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import emergencies as rows
from api.store import key_wraps, measures
from api.store.emergencies import Row
from api.store.sealed_fields import EMERGENCY_WORDS
from api.store.tables import RIGHTS
from api.vocabulary import (
    Action,
    Caller,
    CaseFileId,
    EmergencyGround,
    EmergencyState,
    RecordKind,
)

#: Measures of one emergency protection at the most.
MEASURES_MOST = 10
#: Characters of the words at the most, as of a reason.
WORDS_MOST = 2_000
#: Votes that a plenary has at the most; LPSK has seven leaders.
VOTES_MOST = 99


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a lead proposes.

    Attributes:
        requirements: codes of the list requirements that may come later, beside those that
            always may: a person's consent is asked for when they are safe.
        suspect: whether a person to be protected is a suspect or defendant.
        words: why; sealed under a key of its own.
    """

    ground: EmergencyGround
    measures: Sequence[NewMeasure]
    requirements: Sequence[str]
    suspect: bool = field(repr=False)
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stands:
    """Where it stands after a step."""

    id: UUID
    state: EmergencyState
    missing: int
    ratify_by: datetime | None


async def grant_emergency_protection(
    house: House, caller: Caller, case_file_id: CaseFileId, proposal: Proposal
) -> Stands:
    """Propose emergency protection and sign it as the first.

    Raises:
        ProtectionNotForSuspects: so it says; nothing was looked for, and nothing is logged.
        ValueInvalid: no measure, too many, or one that `measures.check` refuses; an unknown
            requirement; or such words. Nothing logged.
        NotFound, NotAllowed, RecordErased: see `change`.
        StepNotPossible: another one of the agency is proposed, or awaits the plenary.
    """
    if proposal.suspect:
        raise ProtectionNotForSuspects
    made, today = uuid7(), house.now().date()
    words = values.text(proposal.words)
    if not 1 <= len(proposal.measures) <= MEASURES_MOST or len(words) > WORDS_MOST:
        raise ValueInvalid
    makings = [Making(uuid7(), check(house.codes, one, today)) for one in proposal.measures]
    always = [code for code, one in house.codes.lists["requirements"].items() if one.always]
    codes = values.codes_of(house.codes, "requirements", [*always, *proposal.requirements])
    sealing: Row = {}
    wraps: list[WrappedKey] = []

    async def prepare(_situation: Situation) -> None:
        compartment = EMERGENCY_WORDS.compartment
        key, wrap = await resealing.new_row_key(house, caller.organisation, made, compartment)
        wraps.append(wrap)
        sealing.update(resealing.seal_row(key, made, {EMERGENCY_WORDS: words}))
        for making in makings:
            await making.prepare(house, caller.organisation)

    async def write(transaction: Connection, situation: Situation, intent: int) -> Stands:
        await _check_alone(house, transaction, caller, situation)
        row: Row = {
            "id": made,
            "case_file": situation.row.id,
            "agency": caller.organisation,
            "ground": proposal.ground.value,
            "quorum": house.emergency_quorum,
            "requirements": ",".join(codes),
            "proposed_by": caller.member,
            "proposed_at": situation.now,
            "approve_by": situation.now + house.codes.clocks["emergency_approval"].length,
            "granted_at": None,
            "warn_from": None,
            "ratify_by": None,
            "decided_by": None,
            "decided_at": None,
            "decided_on": None,
            "votes_for": None,
            "votes_against": None,
            "event": intent,
            **sealing,
        }
        await rows.insert_row(transaction, sealed(house, "emergency_protection", row))
        await key_wraps.insert_wraps(transaction, wraps)
        await _sign(house, transaction, caller, row, situation, intent)
        for making in makings:
            await making.insert(house, transaction, caller, situation, intent, made)
        return Stands(made, EmergencyState.PROPOSED, row["quorum"] - 1, None)

    changing = Changing(
        Action.GRANT_EMERGENCY_PROTECTION,
        (RecordKind.CASE_FILE, case_file_id),
        (EMERGENCY_WORDS.compartment,),
        (EMERGENCY_WORDS.name,),
        (
            (RecordKind.EMERGENCY_PROTECTION, made),
            *((RecordKind.MEASURE, making.id) for making in makings),
        ),
    )
    ask = _asking(house, Action.GRANT_EMERGENCY_PROTECTION)
    return await change(house, caller, changing, ask, write, prepare)


async def approve_emergency_protection(house: House, caller: Caller, emergency_id: UUID) -> Stands:
    """Sign what a colleague proposed; with the quorum its measures run, and the papers fall due.

    A signature counts as long as who gave it may still give it.

    Raises:
        NotFound: none on which the caller's agency decides; or see `change`.
        NotAllowed, RecordErased: see `change`.
        StepNotPossible: it was granted, or not in time.
        SecondPersonNeeded: the caller signed it.
        SealBroken: it, or a signature or measure of it, is not as its agency sealed it.
    """
    action = Action.APPROVE_EMERGENCY_PROTECTION
    changing, ask = await _about(house, caller, action, emergency_id)

    async def write(transaction: Connection, situation: Situation, intent: int) -> Stands:
        row = await _proven(house, transaction, caller, situation, emergency_id)
        if state_of(row, situation.now) is not EmergencyState.PROPOSED:
            raise StepNotPossible
        signed = await _signatures(house, transaction, row)
        if caller.member in {signature["member"] for signature in signed}:
            raise SecondPersonNeeded
        await _sign(house, transaction, caller, row, situation, intent)
        count = 1
        for one in signed:
            member, purpose = one["member"], one["signed_for"]
            part = changing, ask
            count += await may_still(house, transaction, caller, member, purpose, part)
        missing = max(0, row["quorum"] - count)
        if missing == 0:
            row = await _grant(house, transaction, caller, row, situation, intent)
        return Stands(emergency_id, state_of(row, situation.now), missing, row["ratify_by"])

    return await change(house, caller, changing, ask, write)


@dataclass(frozen=True, slots=True)
class Votes:
    """What the plenary decided, and on which day."""

    in_favour: int
    against: int
    decided_on: date


async def ratify_emergency_protection(
    house: House, caller: Caller, emergency_id: UUID, votes: Votes
) -> Stands:
    """Record what the plenary decided: with more votes for it than against it goes on.

    Recorded by a lead who did not propose it, so that nobody confirms the own proposal; who
    signed it may, since a quorum of two leads out of three would leave nobody else.

    Raises:
        StepNotPossible: it is not granted, or it lapsed, or the plenary has decided.
        SecondPersonNeeded: the caller proposed it.
        ValueInvalid: no votes, or a day before it was granted or to come.
        As `approve_emergency_protection`.
    """
    action = Action.RATIFY_EMERGENCY_PROTECTION
    changing, ask = await _about(house, caller, action, emergency_id)
    counts = (votes.in_favour, votes.against)
    if not all(0 <= count <= VOTES_MOST for count in counts) or sum(counts) == 0:
        raise ValueInvalid

    async def write(transaction: Connection, situation: Situation, intent: int) -> Stands:
        row = await _proven(house, transaction, caller, situation, emergency_id)
        if state_of(row, situation.now) not in AWAITS_PLENARY:
            raise StepNotPossible
        if row["proposed_by"] == caller.member:
            raise SecondPersonNeeded
        if not row["granted_at"].date() <= votes.decided_on <= situation.now.date():
            raise ValueInvalid
        row |= {
            "decided_by": caller.member,
            "decided_at": situation.now,
            "decided_on": votes.decided_on,
            "votes_for": votes.in_favour,
            "votes_against": votes.against,
            "event": intent,
        }
        await rows.renew(transaction, sealed(house, "emergency_protection", row))
        return Stands(emergency_id, state_of(row, situation.now), 0, row["ratify_by"])

    return await change(house, caller, changing, ask, write)


async def meet_requirement(house: House, caller: Caller, requirement_id: UUID) -> datetime:
    """Say that a paper that might come later is there, late or not; give the moment.

    Raises:
        NotFound: none that the caller's agency waits for; or see `change`.
        NotAllowed, RecordErased: see `change`.
        StepNotPossible: it is there, or the protection is over.
        SealBroken: it is not as its agency sealed it.
    """
    agency = caller.organisation
    async with house.records.snapshot() as snapshot:
        found = await rows.requirement_of(snapshot, requirement_id, agency)
    changing = Changing(
        Action.MEET_REQUIREMENT,
        (RecordKind.CASE_FILE, requirement_id if found is None else found["case_file"]),
        others=((RecordKind.REQUIREMENT, requirement_id),),
    )

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        row = await rows.requirement_of(transaction, requirement_id, agency)
        if row is None or row["case_file"] != situation.row.id:
            raise NotFound
        if not await Proofs(house, transaction, agency).holds("requirement", row):
            raise SealBroken
        of = await _proven(house, transaction, caller, situation, row["emergency"])
        if row["met_at"] is not None or state_of(of, situation.now) in OVER:
            raise StepNotPossible
        row |= {"met_by": caller.member, "met_at": situation.now, "event": intent}
        await rows.meet(transaction, sealed(house, "requirement", row))
        return situation.now

    return await change(house, caller, changing, _asking(house, Action.MEET_REQUIREMENT), write)


async def _grant(
    house: House,
    transaction: Connection,
    caller: Caller,
    row: Row,
    situation: Situation,
    intent: int,
) -> Row:
    """Let the measures run, and the papers fall due; give the row as it is now."""
    now, clocks = situation.now, house.codes.clocks
    ratify_by = now + clocks["emergency_ratification"].length
    row |= {
        "granted_at": now,
        "warn_from": ratify_by - clocks["emergency_warning"].length,
        "ratify_by": ratify_by,
        "event": intent,
    }
    await rows.renew(transaction, sealed(house, "emergency_protection", row))
    due = now + clocks["emergency_requirements"].length
    papers = [
        sealed(
            house,
            "requirement",
            {
                "id": uuid7(),
                "case_file": row["case_file"],
                "agency": row["agency"],
                "emergency": row["id"],
                "code": code,
                "due_at": due,
                "met_by": None,
                "met_at": None,
                "event": intent,
            },
        )
        for code in filter(None, row["requirements"].split(","))
    ]
    await rows.insert_requirements(transaction, papers)
    proofs = Proofs(house, transaction, row["agency"])
    kinds = set()
    for measure in await measures.of_emergency(transaction, row["id"]):
        if measure["agency"] != row["agency"] or not await proofs.holds("measure", measure):
            raise SealBroken
        if measure["ended_at"] is not None:
            continue  # Somebody ended it while it was proposed.
        measure |= {
            "approved_by": caller.member,
            "approved_at": now,
            "started_at": now,
            "due_at": end_of(measure["ends_on"]),
            "revision": measure["revision"] + 1,
            "event": intent,
        }
        await measures.renew(transaction, sealed(house, "measure", measure))
        kinds.add(measure["kind"])
    if row["agency"] == situation.row.lead_agency:  # As where a measure begins by itself.
        await measures.count_kinds(transaction, situation.row.id, kinds)
    return row


async def _check_alone(
    house: House, transaction: Connection, caller: Caller, situation: Situation
) -> None:
    """Pass where no other one of the agency is proposed or awaits the plenary.

    Raises:
        StepNotPossible: one is; or one is not as the agency sealed it.
    """
    proofs = Proofs(house, transaction, caller.organisation)
    for row in await rows.of_case_file(transaction, situation.row.id):
        if row["agency"] != caller.organisation:
            continue
        if not await proofs.holds("emergency_protection", row):
            continue
        state = state_of(row, situation.now)
        if state is EmergencyState.PROPOSED or state in AWAITS_PLENARY:
            raise StepNotPossible


async def _sign(
    house: House,
    transaction: Connection,
    caller: Caller,
    row: Row,
    situation: Situation,
    intent: int,
) -> None:
    if caller.purpose is None:
        raise PurposeMissing
    signature: Row = {
        "emergency": row["id"],
        "member": caller.member,
        "agency": caller.organisation,
        # By it is decided again, when the quorum is counted.
        "signed_for": caller.purpose.value,
        "signed_at": situation.now,
        "event": intent,
    }
    table = "emergency_signature"
    whole = rights.sealed_row(house, caller.organisation, table, signature)
    await rows.insert_signature(transaction, whole)


async def _signatures(house: House, transaction: Connection, row: Row) -> list[Row]:
    """Read who signed *row*, each as the agency sealed it.

    Raises:
        SealBroken: one is not.
    """
    found = await rows.signatures(transaction, row["id"])
    table = "emergency_signature"
    for one in found:
        cells = [one[name] for name in RIGHTS[table]]
        if one["agency"] != row["agency"] or not rights.holds(
            house, row["agency"], table, cells, one["seal"]
        ):
            raise SealBroken
    return found


async def _about(
    house: House, caller: Caller, action: Action, emergency_id: UUID
) -> tuple[Changing, Ask]:
    """Say which case file is meant. What is not there names one that is not there either."""
    async with house.records.snapshot() as snapshot:
        row = await rows.of_agency(snapshot, emergency_id, caller.organisation)
    changing = Changing(
        action,
        (RecordKind.CASE_FILE, emergency_id if row is None else row["case_file"]),
        others=((RecordKind.EMERGENCY_PROTECTION, emergency_id),),
    )
    return changing, _asking(house, action)


async def _proven(
    house: House,
    transaction: Connection,
    caller: Caller,
    situation: Situation,
    emergency_id: UUID,
) -> Row:
    """Read one of the caller's agency and of this case file, as it was sealed."""
    row = await rows.of_agency(transaction, emergency_id, caller.organisation)
    if row is None or row["case_file"] != situation.row.id:
        raise NotFound
    if not await Proofs(house, transaction, caller.organisation).holds("emergency_protection", row):
        raise SealBroken
    return row


def _asking(house: House, action: Action) -> Ask:
    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, action, facts)]

    return ask
