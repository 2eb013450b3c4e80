"""What hangs on one case file beside its defenders: read and shown.

Nothing is opened here: `disclosure` hands in what opens a value, after the event.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.casework import rights
from api.casework.asked import Asked, withheld_field
from api.casework.content_kinds import MEDIA_TYPES, UNKNOWN
from api.casework.house import House
from api.casework.views import (
    AnswerView,
    AttachmentView,
    CaseFileView,
    NoteView,
    ReasonView,
    TriageView,
    Withheld,
)
from api.crypto.sealed import Sealed
from api.database import Connection
from api.errors import SealBroken
from api.policies.gate import Refused, Verdict
from api.store import attachments, notes, reasons, triage
from api.store.attachments import AttachmentRow
from api.store.notes import NoteRow
from api.store.reasons import ReasonRow
from api.store.sealed_fields import (
    ATTACHMENT_FIELDS,
    NOTE_BODY,
    REASON_FIELDS,
    TRIAGE_FIELDS,
    SealedField,
)
from api.store.triage import TriageRow
from api.vocabulary import Compartment, LoweringReason, Reason, TriageAnswer, Urgency

#: Opens one value: its field, its record, its row, the sealed value. Raises SealBroken.
Opening = Callable[[SealedField, UUID, UUID, Sealed], Any]

#: Column -> what makes its value of the text, or texts, that were sealed.
_MAKES: Mapping[str, Callable[[Any], Any]] = {
    "answers": lambda lines: [_answer(line) for line in lines],
    "media_type": lambda extension: MEDIA_TYPES.get(extension, UNKNOWN),
    "size": int,
}


@dataclass(frozen=True, slots=True)
class Belongings:
    """The rows whose seals hold.

    Attributes:
        left_out: the fields of those that were left out, since their seals do not.
        reason: why they were.
    """

    notes: Sequence[NoteRow]
    attachments: Sequence[AttachmentRow]
    reasons: Sequence[ReasonRow]
    triage: TriageRow | None
    left_out: Sequence[SealedField]
    reason: Reason


async def belongings_of(
    house: House,
    snapshot: Connection,
    owner: str,
    lead: str,
    case_file: UUID,
    asked: Asked,
    with_notes: bool,
) -> Belongings:
    """Read what is asked for: one statement for each kind.

    Of a case file of another agency nothing is given: who wrote a note, and when, cannot
    be proven here, and what an attachment's key seals was not shared.

    Args:
        owner: the caller's agency.
        lead: the agency of the case file.
    """
    written = await notes.of_case_file(snapshot, case_file) if with_notes else []
    attached = (
        [] if asked.attachment is None else await attachments.of_case_file(snapshot, case_file)
    )
    given = [] if asked.reason is None else await reasons.of_case_file(snapshot, case_file)
    answered = None if asked.triage is None else await triage.of_case_file(snapshot, case_file)
    referred = lead != owner
    mine = [
        n
        for n in written
        if not referred and rights.holds(house, owner, "note", n.seal_values, n.seal)
    ]
    ours = [
        a
        for a in attached
        if not referred and rights.holds(house, owner, "attachment", a.seal_values, a.seal)
    ]
    why = [
        g
        for g in given
        if not referred and rights.holds(house, owner, "reason", g.seal_values, g.seal)
    ]
    told = answered
    if answered is not None and (
        referred or not rights.holds(house, owner, "triage", answered.seal_values, answered.seal)
    ):
        told = None
    left_out = [NOTE_BODY] if len(mine) < len(written) else []
    if len(ours) < len(attached):
        left_out += ATTACHMENT_FIELDS.values()
    if len(why) < len(given):
        left_out += REASON_FIELDS.values()
    if told is not answered:
        left_out += TRIAGE_FIELDS.values()
    reason = Reason.COMPARTMENT_NOT_HELD if referred else Reason.SEAL_BROKEN
    return Belongings(mine, ours, why, told, left_out, reason)


def show(
    view: CaseFileView,
    belongings: Belongings,
    asked: Asked,
    opens: Mapping[Compartment, Verdict],
    opening: Opening,
) -> None:
    """Put *belongings* into *view*: opened as far as *opens* lets, the rest withheld."""
    withheld: list[Withheld] = []

    def allowed(fields: Iterable[SealedField]) -> Iterator[SealedField]:
        for one in fields:
            verdict = opens[one.compartment]
            if isinstance(verdict, Refused):
                withheld.append(withheld_field(one, verdict.reason))
            else:
                yield one

    def opened(shown: Any, row: Any, record: UUID, fields: Iterable[SealedField]) -> Any:
        for one in fields:
            try:
                value = opening(one, record, row.id, getattr(row, one.column))
            except SealBroken:
                withheld.append(withheld_field(one, Reason.SEAL_BROKEN))
            else:
                setattr(shown, one.column, _MAKES.get(one.column, str)(value))
        return shown

    body = list(allowed([NOTE_BODY] if asked.note_bodies else []))
    view.notes = [
        opened(NoteView(n.id, n.author, n.written_at), n, view.id, body) for n in belongings.notes
    ]
    why = list(allowed(asked.reason or ()))
    view.reasons = [
        opened(ReasonView(r.id, r.record, r.author, r.written_at, r.event), r, view.id, why)
        for r in belongings.reasons
    ]
    about = list(allowed(asked.attachment or ()))
    view.attachments = [
        opened(AttachmentView(a.id, a.author, a.written_at), a, a.id, about)
        for a in belongings.attachments
    ]
    answers = list(allowed(asked.triage or ()))
    if belongings.triage is not None:
        view.triage = opened(_triage(belongings.triage), belongings.triage, view.id, answers)
    withheld += [withheld_field(one, belongings.reason) for one in belongings.left_out]
    if withheld:
        view.withheld = [*view.withheld, *withheld]


def _triage(row: TriageRow) -> TriageView:
    lowered = None if row.lowered is None else LoweringReason(row.lowered)
    return TriageView(row.author, row.written_at, Urgency(row.proposed), lowered)


def _answer(line: str) -> AnswerView:
    question, _, answer = line.partition(":")
    return AnswerView(question, TriageAnswer(answer))
