"""What is recorded of a threat: incidents, adversaries, assessments of the risk."""

from datetime import date
from typing import Annotated, Any

import strawberry

from api.casework import adversaries, incidents, risk
from api.casework.adversaries import NewAdversary
from api.casework.risk import NewAssessment
from api.errors import (
    NotAllowed,
    NotFound,
    PerisaiError,
    RecordErased,
    SealBroken,
    StaleRevision,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import CaseFileId, IncidentId, Urgency

words.define()

#: Errors that the caller's person can mend; all others fail the field. One of a case file
#: that is closed is a `NotAllowed`.
MENDABLE = (NotAllowed, NotFound, RecordErased, SealBroken, StaleRevision, ValueInvalid)

_ACCOUNT = "What happened, up to 20,000 characters; sealed."
_FORMS = "Codes of the list sexual_violence_forms; sealed."
_KIND = "Code of the list incident_kinds; in clear as far as it may be."


@strawberry.input(description="A threat or violation that happened.")
class RecordIncidentInput:
    """See `casework.incidents.record_incident`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    kind: str = strawberry.field(description=_KIND)
    happened_from: date = strawberry.field(description="The day on which it happened or began.")
    happened_to: date | None = strawberry.field(
        default=None, description="The day on which it ended; without, the same day."
    )
    province: str | None = strawberry.field(
        default=None, description="Code of the province, two digits."
    )
    adversaries: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Ids of those who did it; see `recordAdversary`."
    )
    account: str | None = strawberry.field(default=None, description=_ACCOUNT)
    forms: list[str] | None = strawberry.field(default=None, description=_FORMS)


@strawberry.input(
    description="A new version of an incident: what is given is written, what is not stays."
)
class CorrectIncidentInput:
    """See `casework.incidents.correct_incident`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    incident_id: strawberry.ID = strawberry.field(
        description="Id of the incident, the same for all its versions."
    )
    version: int = strawberry.field(description="The newest version, as you read it.")
    kind: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"{_KIND} One that may not stand in clear goes with `forms` only.",
    )
    happened_from: date | None = strawberry.field(
        default=strawberry.UNSET, description="The day on which it happened or began."
    )
    happened_to: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The day on which it ended; where only the first day is given, the same.",
    )
    province: str | None = strawberry.field(
        default=strawberry.UNSET, description="Code of the province, two digits."
    )
    adversaries: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Ids of those who did it; see `recordAdversary`."
    )
    account: str | None = strawberry.field(default=strawberry.UNSET, description=_ACCOUNT)
    forms: list[str] | None = strawberry.field(default=strawberry.UNSET, description=_FORMS)


@strawberry.input(description="Somebody who threatens. All of it is sealed but the kind.")
class RecordAdversaryInput:
    """See `casework.adversaries.record_adversary`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    kind: str = strawberry.field(description="Code of the list adversary_kinds.")
    name: str | None = strawberry.field(default=None, description="The name.")
    institution: str | None = strawberry.field(
        default=None, description="The institution. Who is tied to it is kept out."
    )
    unit: str | None = strawberry.field(default=None, description="The unit in it.")
    relation: str | None = strawberry.field(
        default=None, description="The relation to the defender."
    )


@strawberry.input(description="How large the risk is now.")
class AssessRiskInput:
    """See `casework.risk.assess_risk`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    revision: int = strawberry.field(description="The revision of the case file that you read.")
    likelihood: int = strawberry.field(
        description="1 to 4: the place in the list risk_likelihoods."
    )
    impact: int = strawberry.field(description="1 to 4: the place in the list risk_impacts.")
    urgency: Urgency = strawberry.field(
        description="What follows; the case file has this urgency from now on."
    )
    account: str = strawberry.field(
        description="On what it rests, up to 20,000 characters; sealed."
    )


@strawberry.type(description="How the recording or correcting of an incident went.")
class IncidentPayload:
    """Payload."""

    incident_id: strawberry.ID | None = strawberry.field(
        description="Id of the incident, the same for all its versions."
    )
    version: int | None = strawberry.field(description="The version that was written.")
    revision: int | None = strawberry.field(description="The new revision of the case file.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How the recording of an adversary went.")
class AdversaryPayload:
    """Payload."""

    adversary_id: strawberry.ID | None = strawberry.field(description="Id of the adversary.")
    revision: int | None = strawberry.field(description="The new revision of the case file.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How the assessment of a risk went.")
class RiskAssessmentPayload:
    """Payload."""

    assessment_id: strawberry.ID | None = strawberry.field(description="Id of the assessment.")
    revision: int | None = strawberry.field(description="The new revision of the case file.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


InputOf = strawberry.argument(description="The change.")


def _errors(error: PerisaiError) -> list[ChangeError]:
    return [told(error)]


def _incident(written: incidents.Written) -> IncidentPayload:
    return IncidentPayload(
        incident_id=strawberry.ID(str(written.incident)),
        version=written.version,
        revision=written.revision,
        errors=[],
    )


def _no_incident(error: PerisaiError) -> IncidentPayload:
    return IncidentPayload(incident_id=None, version=None, revision=None, errors=_errors(error))


def _given(values: Any, *, without: frozenset[str]) -> dict[str, Any]:
    """Give what was sent of an input object."""
    given = {
        name: value
        for name, value in vars(values).items()
        if name not in without and value is not strawberry.UNSET
    }
    if given.get("adversaries"):
        given["adversaries"] = [uuid_of(one) for one in given["adversaries"]]
    return given


@strawberry.type(description="What is recorded of a threat.")
class IncidentChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(description="Record an incident in a case file on which you work.")
    async def record_incident(
        self,
        info: PerisaiInfo,
        input: Annotated[RecordIncidentInput, InputOf],  # noqa: A002
    ) -> IncidentPayload:
        """Record."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        given = _given(input, without=frozenset({"case_file_id"}))
        try:
            written = await incidents.record_incident(context.house, context.caller, file, given)
        except MENDABLE as error:
            return _no_incident(error)
        return _incident(written)

    @strawberry.mutation(
        description="Correct an incident: a new version stands beside the older ones."
    )
    async def correct_incident(
        self,
        info: PerisaiInfo,
        input: Annotated[CorrectIncidentInput, InputOf],  # noqa: A002
    ) -> IncidentPayload:
        """Correct."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        incident = IncidentId(uuid_of(input.incident_id))
        given = _given(input, without=frozenset({"case_file_id", "incident_id", "version"}))
        try:
            written = await incidents.correct_incident(
                context.house, context.caller, file, incident, input.version, given
            )
        except MENDABLE as error:
            return _no_incident(error)
        return _incident(written)

    @strawberry.mutation(description="Record who threatens, in a case file on which you work.")
    async def record_adversary(
        self,
        info: PerisaiInfo,
        input: Annotated[RecordAdversaryInput, InputOf],  # noqa: A002
    ) -> AdversaryPayload:
        """Record."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        new = NewAdversary(input.kind, input.name, input.institution, input.unit, input.relation)
        try:
            made = await adversaries.record_adversary(context.house, context.caller, file, new)
        except MENDABLE as error:
            return AdversaryPayload(adversary_id=None, revision=None, errors=_errors(error))
        return AdversaryPayload(
            adversary_id=strawberry.ID(str(made.id)), revision=made.revision, errors=[]
        )

    @strawberry.mutation(description="Assess the risk in a case file on which you work.")
    async def assess_risk(
        self,
        info: PerisaiInfo,
        input: Annotated[AssessRiskInput, InputOf],  # noqa: A002
    ) -> RiskAssessmentPayload:
        """Assess."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        new = NewAssessment(input.likelihood, input.impact, input.urgency, input.account)
        try:
            made = await risk.assess_risk(context.house, context.caller, file, input.revision, new)
        except MENDABLE as error:
            return RiskAssessmentPayload(assessment_id=None, revision=None, errors=_errors(error))
        return RiskAssessmentPayload(
            assessment_id=strawberry.ID(str(made.id)), revision=made.revision, errors=[]
        )
