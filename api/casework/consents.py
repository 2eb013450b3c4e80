"""Record what a defender agreed to, and withdraw it: what rests on it ends at that moment.

A consent is of the agency that leads the case file, for one defender in it. The conditions
that the person set are a reason in words about that defender (`reasons`): they are part of
what was told, so who reads the narrative reads them, and they go with the erasure of either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import consenting, reasons, rights, values
from api.casework.changing import Changing, Situation, change
from api.casework.giving import end_given
from api.casework.house import House
from api.casework.referred import given_holds, text_of
from api.casework.sharing import settle
from api.database import Connection
from api.errors import ConsentInvalid, ConsentOver, NotFound, RecordErased, StaleRevision
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import consents, referral_bases, referrals, releases
from api.store.consents import Row
from api.store.referrals import Sides
from api.vocabulary import (
    Action,
    Caller,
    CaseFileId,
    Compartment,
    ConsentForm,
    ConsentId,
    DefenderId,
    Purpose,
    RecordKind,
)

#: A person is asked again after two years (P: proposed for the mechanism).
CONSENT_MOST = timedelta(days=731)

#: By when the use must stop after a withdrawal (UU PDP 27/2022, art. 40), in the code lists.
_CLOCK = "consent_withdrawn"


@dataclass(frozen=True, slots=True)
class NewConsent:
    """What a defender agreed to.

    Attributes:
        recipient: who may be told; None: every agency of the mechanism, and no partner.
        form: how it was given.
    """

    case_file: CaseFileId
    defender: DefenderId
    recipient: str | None
    compartments: Sequence[Compartment]
    purpose: Purpose
    until: datetime
    form: ConsentForm


async def record(
    house: House, caller: Caller, new: NewConsent, conditions: str | None = None
) -> UUID:
    """Record a consent; give its id.

    Args:
        conditions: what the person set besides, in words; see `reasons.given`.

    Raises:
        ValueInvalid: such words.
        ConsentInvalid: to the own agency or nobody here, of nothing, over or too long.
        NotFound: no such defender in the case file; or see `change`.
        NotAllowed, RecordErased: see `change`; also where the defender is erased.
    """
    given = reasons.given(conditions)
    names = sorted(set(new.compartments))
    recipient = None if new.recipient is None else values.word(new.recipient)
    if (
        not names
        or Compartment.RELEASE in names
        or recipient == caller.organisation
        or not house.now() < new.until <= house.now() + CONSENT_MOST
    ):
        raise ConsentInvalid
    made = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, Action.RECORD_CONSENT, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        _check_present(situation, new.defender)
        if recipient is not None and not await consents.is_organisation(transaction, recipient):
            raise ConsentInvalid
        row: Row = {
            "id": made,
            "defender": new.defender,
            "case_file": new.case_file,
            "agency": caller.organisation,
            "recipient": recipient,
            "compartments": text_of(names),
            "purpose": new.purpose.value,
            "until": new.until,
            "form": new.form.value,
            "recorded_by": caller.member,
            "recorded_at": situation.now,
            "withdrawn_by": None,
            "withdrawn_at": None,
            "withdrawn_event": None,
            "stop_by": None,
            "event": intent,
        }
        await consents.insert_rows(transaction, [_sealed(house, row)])
        return made

    changing = Changing(
        Action.RECORD_CONSENT,
        (RecordKind.CASE_FILE, new.case_file),
        tuple(names),
        others=((RecordKind.DEFENDER, new.defender), (RecordKind.CONSENT, made)),
        defenders=True,
        reason=given,
        reason_of=new.defender,
    )
    return await change(house, caller, changing, ask, write)


class _Resting(NamedTuple):
    """What ends with a consent, as the giver's rows say it."""

    referrals: tuple[UUID, ...] = ()
    releases: tuple[UUID, ...] = ()


async def withdraw(
    house: House, caller: Caller, consent_id: ConsentId, words: str | None = None
) -> datetime:
    """Withdraw a consent; give by when its use must have stopped everywhere.

    The referrals that rest on it end, and what was released to its recipient closes, in the
    same transaction; the data keys are exchanged after that.

    Args:
        words: why, in words; see `reasons.given`.

    Raises:
        ValueInvalid: such words.
        NotFound: none of the caller's agency; or see `change`.
        NotAllowed, RecordErased, StaleRevision: see `change`.
        ConsentOver: it was withdrawn before.
    """
    given = reasons.given(words)
    action = Action.WITHDRAW_CONSENT
    async with house.records.snapshot() as snapshot:
        found = await _own(house, snapshot, caller, consent_id)
        resting = _Resting() if found is None else await _resting(house, snapshot, found)
    # What is not there names a case file that is not there either.
    file = consent_id if found is None else found["case_file"]

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, action, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        row = await _own(house, transaction, caller, consent_id)
        if row is None or row["case_file"] != situation.row.id:
            raise NotFound
        if row["withdrawn_at"] is not None:
            raise ConsentOver
        if given is not None:
            _check_present(situation, row["defender"])
        if await _resting(house, transaction, row) != resting:
            raise StaleRevision  # What ends with it stands in the intent.
        stop_by = situation.now + house.codes.clocks[_CLOCK].length
        row |= {
            "withdrawn_by": caller.member,
            "withdrawn_at": situation.now,
            "withdrawn_event": intent,
            "stop_by": stop_by,
        }
        await consents.withdraw(transaction, _sealed(house, row))
        for sides in await _open(house, transaction, row):
            await _end(house, transaction, sides, situation.now, intent)
        await releases.stop(transaction, resting.releases, situation.now)
        return stop_by

    changing = Changing(
        action,
        (RecordKind.CASE_FILE, file),
        others=(
            (RecordKind.CONSENT, consent_id),
            *(() if found is None else ((RecordKind.DEFENDER, found["defender"]),)),
            *((RecordKind.REFERRAL, each) for each in resting.referrals),
            *((RecordKind.RELEASE, each) for each in resting.releases),
        ),
        defenders=True,
        reason=given,
        reason_of=None if found is None else found["defender"],
    )
    done = await change(house, caller, changing, ask, write)
    await settle(house, resting.referrals)
    return done


def _sealed(house: House, row: Row) -> Row:
    return rights.sealed_row(house, row["agency"], "consent", row)


def _check_present(situation: Situation, defender: UUID) -> None:
    """Find a defender in the case file, of whom something is left."""
    link = next((each for each in situation.row.links if each.defender == defender), None)
    if link is None:
        raise NotFound
    if link.erased:
        raise RecordErased


async def _own(
    house: House, connection: Connection, caller: Caller, consent_id: UUID
) -> Row | None:
    """Read a consent that the caller's agency sealed: to end a forged one would make it true."""
    row = await consents.of_agency(connection, consent_id, caller.organisation)
    return row if row is not None and consenting.holds(house, row) else None


async def _resting(house: House, connection: Connection, consent: Row) -> _Resting:
    open_ones = await _open(house, connection, consent)
    going = await releases.going_to(
        connection, consent["agency"], consent["case_file"], consent["recipient"]
    )
    return _Resting(tuple(sides.given["id"] for sides in open_ones), tuple(going))


async def _open(house: House, connection: Connection, consent: Row) -> list[Sides]:
    """Read the open referrals that must end with *consent*."""
    open_ones = await referrals.open_of(connection, consent["agency"], consent["case_file"])
    bases = await referral_bases.of_referrals(connection, [s.given["id"] for s in open_ones])
    return [
        sides
        for sides in open_ones
        if consenting.rests_on(house, bases.get(sides.given["id"]), sides.given, consent)
    ]


async def _end(
    house: House, transaction: Connection, sides: Sides, now: datetime, intent: int
) -> None:
    if given_holds(house, sides.given):
        await end_given(house, transaction, sides, intent)
    else:
        # Sealing the end of what somebody forged would make it true. To close needs no seal.
        await referrals.close_right(transaction, sides.given["id"], now)
