"""Read the bytes of an attachment: read, decide, append, open, check all, then give.

The order is that of `disclosure`. The stream is read twice: the first time to its
end, which proves that it is whole and shows nothing; only then the second time, for
the caller (`attachment_streams`).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from api.accesslog.event import Event, Touched
from api.casework import elsewhere, openings, rights
from api.casework.attachment_streams import check_stream, content_of
from api.casework.content_kinds import MEDIA_TYPES, UNKNOWN
from api.casework.disclosure import Reading, open_one, read_rows, stored_keys
from api.casework.facts import counts, facts_of
from api.casework.house import House
from api.casework.key_opening import OpenKeys, open_keys
from api.casework.recording import event_of
from api.casework.unlocking import grants_named
from api.crypto.data_keys import DataKey
from api.errors import NotAllowed, NotFound, PerisaiError, SealBroken
from api.policies.facts import CaseworkerFacts
from api.policies.gate import Allowed, Refused
from api.store import attachments
from api.store.attachments import AttachmentRow
from api.store.case_file_statements import SCOPE, Shape, Which
from api.store.case_files import CaseFileRow
from api.store.sealed_fields import ATTACHMENT_CONTENT, ATTACHMENT_FIELDS
from api.vocabulary import Action, Caller, Compartment, Decision, Reason, RecordKind

_log = structlog.get_logger("perisai.attachment_reading")

_DOCUMENTS = Compartment.DOCUMENTS
_FIELDS = tuple(sorted([ATTACHMENT_CONTENT, *ATTACHMENT_FIELDS]))


@dataclass(frozen=True, slots=True)
class AttachmentContent:
    """An attachment that was found whole.

    Attributes:
        size: bytes of the content.
        pieces: the content, verified again as it is read; to be read once. Raises
            SealBroken where it is no longer what was checked.
    """

    name: str = field(repr=False)
    media_type: str = field(repr=False)
    size: int = field(repr=False)
    pieces: AsyncIterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _No:
    """Why not: the error for the caller, the reason and the agencies for the log."""

    error: type[PerisaiError]
    reason: Reason
    agencies: tuple[str, ...]


async def read_attachment(house: House, caller: Caller, attachment_id: UUID) -> AttachmentContent:
    """Give one attachment; nothing of it before all of it was verified.

    Raises:
        NotFound: it is not there, or not in the caller's reach; the event says only that.
        NotAllowed: the caller sees its case file and may not open it.
        OpeningsExhausted: over a budget, so nothing was opened.
        SealBroken: something of it was changed, moved, added or taken away.
        Else as `disclosure.disclose`.
    """
    async with house.records.snapshot() as snapshot:
        now = house.now()
        who = await rights.caseworker(house, snapshot, caller)
        row = await attachments.in_scope(
            snapshot,
            house.gate.scope(who, "see", SCOPE),
            {
                "id": attachment_id,
                "me": caller.member,
                "agency": caller.organisation,
                "now": now,
            },
        )
        # Read whether it is there or not, so that the two take the same statements.
        reading = Reading(
            Action.READ,
            Shape(Which.ONE, frozenset(), None),
            {"id": attachment_id if row is None else row.case_file},
        )
        files = await read_rows(house, snapshot, caller, who, reading, now)
        policy = house.gate.policy_hash
        decided = _decide(house, caller, who, row, files[0] if files else None)
        if row is None:
            target = (RecordKind.ATTACHMENT, attachment_id)
            led_by = await elsewhere.led_by(house, snapshot, caller, who, target, now)
            gone = Reason.CONFLICT_OF_INTEREST if led_by.tied else Reason.NOT_IN_REACH
            decided = _No(NotFound, gone, led_by.agencies)
        allowed = isinstance(decided, Allowed)
        key_of = (attachment_id, _DOCUMENTS)
        stored = await stored_keys(snapshot, caller.organisation, [key_of] if allowed else [])
    if isinstance(decided, _No):
        await house.ledger.append(_refused(house, caller, attachment_id, row, decided, policy))
        raise decided.error
    if row is None or not files:
        raise NotFound
    permit = house.gate.permit({key_of: decided})
    event = _disclosed(house, caller, row, files[0], decided, policy)
    await openings.spend(house, caller, [attachment_id], [event])
    await house.ledger.append(event)
    house.explained.add(caller.organisation, len(stored))
    permit.check(key_of)
    keys = await open_keys(house, caller.organisation, stored)
    permit.check()  # The key service may have been slow.
    name, extension, size = (
        str(open_one(keys, ATTACHMENT_FIELDS[f], row.id, row.id, value))
        for f, value in (("name", row.name), ("mediaType", row.media_type), ("size", row.size))
    )
    checked = await check_stream(house, row, _key(keys, row), int(size))
    return AttachmentContent(
        name, MEDIA_TYPES.get(extension, UNKNOWN), int(size), content_of(house, row, checked)
    )


def _decide(
    house: House,
    caller: Caller,
    who: CaseworkerFacts,
    row: AttachmentRow | None,
    found: CaseFileRow | None,
) -> Allowed | _No:
    """Decide on the attachment by its case file, as it stands in one snapshot."""
    agencies = () if found is None or row is None else (found.lead_agency,)
    gone = _No(NotFound, Reason.NOT_IN_REACH, agencies)
    if row is None or found is None or not counts(found.revision):
        return gone
    facts = facts_of(house, caller, found)
    if facts is None:
        return gone
    if not isinstance(house.gate.see(who, facts), Allowed):
        # The scope is derived from the same text; where they differ, one is wrong.
        _log.error("scope_and_decision_differ", policy=house.gate.policy_hash)
        return gone
    if found.lead_agency != caller.organisation:
        # Referred: its seal is another agency's, so nothing of it can be proven here.
        return _No(NotAllowed, Reason.COMPARTMENT_NOT_HELD, agencies)
    if not rights.holds(house, found.lead_agency, "attachment", row.seal_values, row.seal):
        return _No(SealBroken, Reason.SEAL_BROKEN, agencies)
    verdict = house.gate.open(who, _DOCUMENTS, facts)
    if isinstance(verdict, Refused):
        return _No(NotAllowed, verdict.reason, agencies)
    return verdict


def _refused(
    house: House,
    caller: Caller,
    attachment_id: UUID,
    row: AttachmentRow | None,
    no: _No,
    policy: str,
) -> Event:
    records = [(RecordKind.ATTACHMENT, attachment_id, 0)]
    # What is not there and what is not in reach are told in the same words.
    told = no.error is not NotFound
    if told and row is not None:
        records.append((RecordKind.CASE_FILE, row.case_file, 0))
    touched = Touched(
        Decision.WITHHELD,
        None,
        no.reason,
        (_DOCUMENTS,) if told else (),
        _FIELDS if told else (),
        tuple(records),
    )
    return event_of(
        house,
        caller,
        Action.READ,
        Decision.WITHHELD,
        (touched,),
        agencies=no.agencies,
        code=no.error.code,
        policy=policy,
    )


def _disclosed(
    house: House,
    caller: Caller,
    row: AttachmentRow,
    found: CaseFileRow,
    verdict: Allowed,
    policy: str,
) -> Event:
    touched = Touched(
        Decision.DISCLOSED,
        verdict.ground,
        None,
        (_DOCUMENTS,),
        _FIELDS,
        (
            (RecordKind.ATTACHMENT, row.id, 0),
            (RecordKind.CASE_FILE, found.id, found.revision),
            *grants_named(house, caller, found, verdict.ground),
        ),
    )
    return event_of(
        house,
        caller,
        Action.READ,
        Decision.DISCLOSED,
        (touched,),
        agencies=(found.lead_agency,),
        policy=policy,
    )


def _key(keys: OpenKeys, row: AttachmentRow) -> DataKey:
    """Give the key of the stream, its newest; the values beside it were just opened."""
    return keys.proven[row.id][_DOCUMENTS][0]
