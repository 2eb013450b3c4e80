"""Consents: what a defender agreed to is recorded, and withdrawn."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.casework import consents
from api.casework.consents import NewConsent
from api.errors import (
    ConsentInvalid,
    ConsentOver,
    NotAllowed,
    NotFound,
    PerisaiError,
    RecordErased,
    StaleRevision,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import REASON_TEXT, ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import (
    CaseFileId,
    Compartment,
    ConsentForm,
    ConsentId,
    DefenderId,
    Purpose,
)

words.define()

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    ConsentInvalid,
    ConsentOver,
    NotAllowed,
    NotFound,
    RecordErased,
    StaleRevision,
    ValueInvalid,
)


@strawberry.input(description="What a defender agreed to.")
class RecordConsentInput:
    """See `casework.consents.NewConsent`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    defender_id: strawberry.ID = strawberry.field(description="Id of a defender in it.")
    compartments: list[Compartment] = strawberry.field(
        description="What may be shared, 1 to 7. Ask for each: a consent covers no other."
    )
    purpose: Purpose = strawberry.field(description="For what; it covers no other purpose.")
    until: datetime = strawberry.field(
        description="Until when, with its zone, at most 731 days ahead."
    )
    form: ConsentForm = strawberry.field(description="How it was given.")
    recipient: str | None = strawberry.field(
        default=None,
        description="Slug of another agency or of a partner; null: every agency of the "
        "mechanism, and no partner.",
    )
    conditions: str | None = strawberry.field(
        default=None,
        description="What the person set besides, in words of at most 2,000 characters; sealed "
        "with the case file. No rule reads it: who refers keeps to it.",
    )


@strawberry.input(description="A consent that the person takes back.")
class WithdrawConsentInput:
    """See `casework.consents.withdraw`."""

    consent_id: strawberry.ID = strawberry.field(description="Id of the consent.")


@strawberry.type(description="How the recording of a consent went.")
class RecordConsentPayload:
    """Payload."""

    consent_id: strawberry.ID | None = strawberry.field(description="Id of the consent.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How the withdrawal of a consent went.")
class WithdrawConsentPayload:
    """Payload."""

    stop_by: datetime | None = strawberry.field(
        description="By when its use must have stopped everywhere, outside of this service too."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


InputOf = strawberry.argument(description="The change.")


def _errors(error: PerisaiError) -> list[ChangeError]:
    return [told(error)]


@strawberry.type(description="Changes of what defenders agreed to.")
class ConsentChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description="Record what a defender agreed to. A referral needs it of each defender in "
        "the case file: for its recipient, compartments, purpose and time."
    )
    async def record_consent(
        self,
        info: PerisaiInfo,
        input: Annotated[RecordConsentInput, InputOf],  # noqa: A002
    ) -> RecordConsentPayload:
        """Record."""
        context = info.context
        new = NewConsent(
            CaseFileId(uuid_of(input.case_file_id)),
            DefenderId(uuid_of(input.defender_id)),
            input.recipient,
            input.compartments,
            input.purpose,
            input.until,
            input.form,
        )
        try:
            if input.until.tzinfo is None:
                raise ValueInvalid
            made = await consents.record(context.house, context.caller, new, input.conditions)
        except MENDABLE as error:
            return RecordConsentPayload(consent_id=None, errors=_errors(error))
        return RecordConsentPayload(consent_id=strawberry.ID(str(made)), errors=[])

    @strawberry.mutation(
        description="Withdraw a consent, as the person asked. The referrals that rest on it end "
        "at once, and what was released of the case file to its recipient closes (to whomever, "
        "where it was for every agency)."
    )
    async def withdraw_consent(
        self,
        info: PerisaiInfo,
        input: Annotated[WithdrawConsentInput, InputOf],  # noqa: A002
        reason_text: Annotated[str | None, strawberry.argument(description=REASON_TEXT)] = None,
    ) -> WithdrawConsentPayload:
        """Withdraw."""
        context = info.context
        consent_id = ConsentId(uuid_of(input.consent_id))
        try:
            stop_by = await consents.withdraw(
                context.house, context.caller, consent_id, reason_text
            )
        except MENDABLE as error:
            return WithdrawConsentPayload(stop_by=None, errors=_errors(error))
        return WithdrawConsentPayload(stop_by=stop_by, errors=[])
