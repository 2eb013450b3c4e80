"""The objects that an agency reads. A protected field is nullable and named in `withheld`.

Resolvers return casework's views as they are: fields are plain attributes of
the same names, so that an answer costs no await per field.
"""

from datetime import date, datetime

import strawberry

from api.schema import words
from api.vocabulary import (
    CaseStatus,
    Compartment,
    LegalBasis,
    Purpose,
    Reason,
    Role,
    Urgency,
)

words.define()


@strawberry.type(description="A protected field that was asked for and is null, and why.")
class Withheld:
    """A protected field that was asked for and is null, and why."""

    field: str = strawberry.field(description="The name of the field.")
    compartment: Compartment = strawberry.field(
        description="The compartment in which it is sealed."
    )
    reason: Reason = strawberry.field(description="Why it was withheld.")
    how_to_ask: str = strawberry.field(description="What you can do to be given access.")


@strawberry.type(description="A person at risk for defending human rights.")
class Defender:
    """A person at risk for defending human rights."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    revision: int = strawberry.field(
        description="Counts the changes; send it back with the next one."
    )
    agency: str | None = strawberry.field(description="Slug of the agency that holds the record.")
    categories: list[str] | None = strawberry.field(
        description="Codes of what they defend, as far as these may stand in clear."
    )
    full_name: str | None = strawberry.field(
        description="Full name. Protected; null when withheld."
    )
    aliases: list[str] | None = strawberry.field(
        description="Other names. Protected; null when withheld."
    )
    nik: str | None = strawberry.field(
        description="National identity number (NIK), 16 digits. Protected; null when withheld."
    )
    family_card: str | None = strawberry.field(
        description="Family card number (KK), 16 digits. Protected; null when withheld."
    )
    date_of_birth: date | None = strawberry.field(
        description="Date of birth. Protected; null when withheld."
    )
    gender: str | None = strawberry.field(
        description="Gender as the person states it. Protected; null when withheld."
    )
    nationality: str | None = strawberry.field(
        description="Nationality. Protected; null when withheld."
    )
    sealed_categories: list[str] | None = strawberry.field(
        description=(
            "Categories that may not stand in clear, such as orientation or health. "
            "Protected; null when withheld."
        )
    )
    phones: list[str] | None = strawberry.field(
        description="Telephone numbers in the form +62... Protected; null when withheld."
    )
    emails: list[str] | None = strawberry.field(
        description="E-mail addresses. Protected; null when withheld."
    )
    home_address: str | None = strawberry.field(
        description="Home address. Protected; null when withheld."
    )
    present_location: str | None = strawberry.field(
        description="Where the person is now: stricter than a name. Protected; null when withheld."
    )
    withheld: list[Withheld] = strawberry.field(
        description="The protected fields that you asked for and did not get."
    )


@strawberry.type(description="A note on a case file.")
class Note:
    """A note on a case file."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    author: strawberry.ID = strawberry.field(description="Member who wrote it, by pseudonym.")
    written_at: datetime = strawberry.field(description="When it was written.")
    body: str | None = strawberry.field(description="The text. Protected; null when withheld.")


@strawberry.type(description="One situation of risk, with one or more defenders.")
class CaseFile:
    """One situation of risk, with one or more defenders."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    revision: int = strawberry.field(description="Counts the changes of what stands in clear.")
    reference: str | None = strawberry.field(
        description="Case reference for people, such as KH-2026-0001."
    )
    lead_agency: str | None = strawberry.field(
        description="Slug of the agency that leads the case."
    )
    status: CaseStatus | None = strawberry.field(description="Where the case stands.")
    urgency: Urgency | None = strawberry.field(description="How fast the first response must come.")
    sensitivity: int | None = strawberry.field(
        description="How much harm a leak would do, 1 (low) to 4 (extreme)."
    )
    province: str | None = strawberry.field(description="Code of the province, two digits.")
    opened_on: date | None = strawberry.field(description="The day on which the case was opened.")
    respond_by: datetime | None = strawberry.field(
        description="The deadline of the first response."
    )
    incident_kinds: list[str] | None = strawberry.field(
        description="Codes of what happened, as far as these may stand in clear."
    )
    adversary_kinds: list[str] | None = strawberry.field(description="Codes of who threatens.")
    measure_kinds: list[str] | None = strawberry.field(
        description="Codes of the measures, as far as these may stand in clear."
    )
    account: str | None = strawberry.field(
        description="Account of what happened. Protected; null when withheld."
    )
    sexual_violence_forms: list[str] | None = strawberry.field(
        description="Codes of forms of sexual violence. Protected; null when withheld."
    )
    assigned_to_me: bool = strawberry.field(description="Whether you have a live assignment to it.")
    defenders: list[Defender] = strawberry.field(description="The persons at risk.")
    notes: list[Note] = strawberry.field(
        description="The newest notes, at most 100. Only where one case file is asked for."
    )
    withheld: list[Withheld] = strawberry.field(
        description="The protected fields that you asked for and did not get."
    )


@strawberry.type(description="Where a page stands in its list (Relay).")
class PageInfo:
    """Where a page stands in its list (Relay)."""

    has_next_page: bool = strawberry.field(description="Whether more follows.")
    end_cursor: str | None = strawberry.field(
        description=(
            "Send it as `after` for the next page. Good for you and this list only, for 12 hours."
        )
    )


@strawberry.type(description="A case file in a list, and its position.")
class CaseFileEdge:
    """A case file in a list, and its position."""

    cursor: str = strawberry.field(description="Its position; see `PageInfo.endCursor`.")
    node: CaseFile = strawberry.field(description="The case file.")


@strawberry.type(description="One page of case files (Relay).")
class CaseFileConnection:
    """One page of case files (Relay)."""

    edges: list[CaseFileEdge] = strawberry.field(
        description="The case files of this page, in order."
    )
    page_info: PageInfo = strawberry.field(description="Where the page stands.")


@strawberry.type(description="The name of a case file; ask `caseFile` for what it says.")
class CaseFileName:
    """What a search tells of a case file."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    reference: str = strawberry.field(description="Case reference for people.")


@strawberry.type(description="A defender that a search found, and why.")
class DefenderMatch:
    """A defender that a search found, and why."""

    defender: Defender = strawberry.field(description="The defender.")
    case_files: list[CaseFileName] = strawberry.field(
        description="The case files through which you may open it."
    )
    score: int = strawberry.field(description="How well it fits, 0 to 100.")
    likeness: str = strawberry.field(
        description="How it fits: exact, spelling_variant, part_of_the_name or similar."
    )


@strawberry.type(description="You, as this service knows you.")
class Viewer:
    """You, as this service knows you."""

    member_id: strawberry.ID = strawberry.field(description="Your pseudonym in the access log.")
    organisation: str = strawberry.field(description="Slug of your organisation.")
    role: Role = strawberry.field(description="Your role.")
    purpose: Purpose | None = strawberry.field(
        description="The purpose that this request declares."
    )
    legal_basis: LegalBasis | None = strawberry.field(
        description="The legal basis of this request."
    )


@strawberry.type(description="An entry of a code list.")
class Code:
    """An entry of a code list."""

    code: str = strawberry.field(description="The code.")
    label_id: str = strawberry.field(description="Label in Indonesian.")
    label_en: str = strawberry.field(description="Label in English.")
