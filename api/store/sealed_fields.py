"""Which columns are sealed, in which compartment, and how they are called in the schema."""

from collections.abc import Iterable
from dataclasses import dataclass

from api.crypto.manifest import Layout
from api.crypto.sealing import Place
from api.vocabulary import Compartment


@dataclass(frozen=True, slots=True, eq=False)  # Each is made once, below, and looked up by.
class SealedField:
    """One sealed column.

    Attributes:
        column: its name in the table and in Python.
        name: its name in the GraphQL schema and in the events of the log.
        place: what binds its ciphertexts to this column.
    """

    column: str
    name: str
    place: Place

    @property
    def compartment(self) -> Compartment:
        """The compartment whose key seals it."""
        return self.place.compartment


def _field(table: str, column: str, compartment: Compartment, kind: str) -> SealedField:
    first, *rest = column.split("_")
    name = first + "".join(word.capitalize() for word in rest)
    return SealedField(column, name, Place(table, column, compartment, kind))


_IDENTITY = Compartment.IDENTITY
_CONTACT = Compartment.CONTACT

DEFENDER_FIELDS = {
    field.name: field
    for field in (
        _field("defender", "full_name", _IDENTITY, "text"),
        _field("defender", "aliases", _IDENTITY, "texts"),
        _field("defender", "nik", _IDENTITY, "text"),
        _field("defender", "family_card", _IDENTITY, "text"),
        _field("defender", "date_of_birth", _IDENTITY, "date"),
        _field("defender", "gender", _IDENTITY, "text"),
        _field("defender", "nationality", _IDENTITY, "text"),
        _field("defender", "sealed_categories", _IDENTITY, "texts"),
        _field("defender", "phones", _CONTACT, "texts"),
        _field("defender", "emails", _CONTACT, "texts"),
        _field("defender", "home_address", _CONTACT, "text"),
        _field("defender", "present_location", Compartment.WHEREABOUTS, "text"),
    )
}

CASE_FILE_FIELDS = {
    field.name: field
    for field in (
        _field("case_file", "account", Compartment.NARRATIVE, "text"),
        _field("case_file", "sexual_violence_forms", Compartment.GENDER_VIOLENCE, "texts"),
        _field("case_file", "adversary_institutions", Compartment.ADVERSARY, "texts"),
    )
}

#: Sealed under the narrative key of the case file, bound to the note's own row.
NOTE_BODY = _field("note", "body", Compartment.NARRATIVE, "text")

#: Sealed as a note is. The opening of the commitment is in hex.
REASON_FIELDS = {
    field.name: field
    for field in (
        _field("reason", "text", Compartment.NARRATIVE, "text"),
        _field("reason", "opening", Compartment.NARRATIVE, "text"),
    )
}

#: Sealed as a note is, each under its compartment of the case file. Their names are theirs
#: alone, so that an event says what was opened.
INCIDENT_FIELDS = {
    field.name: field
    for field in (
        _field("incident", "incident_account", Compartment.NARRATIVE, "text"),
        _field("incident", "incident_forms", Compartment.GENDER_VIOLENCE, "texts"),
    )
}
ADVERSARY_FIELDS = {
    field.name: field
    for field in (
        _field("adversary", "adversary_name", Compartment.ADVERSARY, "text"),
        _field("adversary", "adversary_institution", Compartment.ADVERSARY, "text"),
        _field("adversary", "adversary_unit", Compartment.ADVERSARY, "text"),
        _field("adversary", "adversary_relation", Compartment.ADVERSARY, "text"),
    )
}
ASSESSMENT_FIELDS = {
    field.name: field
    for field in (_field("assessment", "risk_account", Compartment.NARRATIVE, "text"),)
}

#: Sealed as a note is: a line for each question, as `threat_to_life:yes`.
TRIAGE_FIELDS = {
    field.name: field for field in (_field("triage", "answers", Compartment.NARRATIVE, "texts"),)
}

#: Sealed under the attachment's own key; its bytes are a stream, in chunks.
ATTACHMENT_FIELDS = {
    field.name: field
    for field in (
        _field("attachment", "name", Compartment.DOCUMENTS, "text"),
        # The usual extension of the type: all are short enough to be of one sealed length.
        _field("attachment", "media_type", Compartment.DOCUMENTS, "text"),
        _field("attachment", "size", Compartment.DOCUMENTS, "text"),  # bytes, in decimal digits
    )
}

#: How events name the bytes of an attachment, which are in no column.
ATTACHMENT_CONTENT = "content"

#: Why emergency protection was proposed, under its own key: of the agency that decides, which
#: need not be the one that leads the case file.
EMERGENCY_WORDS = _field("emergency_protection", "words", Compartment.NARRATIVE, "text")

#: Sealed under the measure's own key. Its compartment follows from the kind in clear, never
#: from the true one: which keys a record has stands in clear.
MEASURE_FIELDS = {
    compartment: {
        field.name: field
        for field in (
            _field("measure", "true_kind", compartment, "text"),
            _field("measure", "provider", compartment, "text"),
            _field("measure", "cost", compartment, "text"),  # rupiah, in decimal digits
        )
    }
    for compartment in (Compartment.NARRATIVE, Compartment.WHEREABOUTS)
}

#: Sealed as a note is.
PLAN_STEP_WHAT = _field("plan_step", "what", Compartment.NARRATIVE, "text")

RELEASE_BODY = _field("release", "body", Compartment.RELEASE, "text")


def _layouts(fields: Iterable[SealedField]) -> dict[Compartment, Layout]:
    columns: dict[Compartment, list[str]] = {}
    tables = {}
    for one in fields:
        columns.setdefault(one.compartment, []).append(one.column)
        tables[one.compartment] = one.place.table
    return {c: Layout(tables[c], c, tuple(sorted(names))) for c, names in columns.items()}


#: What the manifest of each compartment covers, of the records of one table. Notes, reasons,
#: triage, releases, attachments, measures and steps of a plan have none: what is sealed of them
#: never changes, so there is no older ciphertext to put back.
LAYOUTS = _layouts([*DEFENDER_FIELDS.values(), *CASE_FILE_FIELDS.values()])

#: Sealed field -> where its mark stands in the manifest of its compartment.
MARKS = {
    one: LAYOUTS[one.compartment].place_of(one.column)
    for one in (*DEFENDER_FIELDS.values(), *CASE_FILE_FIELDS.values())
}
