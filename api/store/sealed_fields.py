"""Which columns are sealed, in which compartment, and how they are called in the schema."""

from dataclasses import dataclass

from api.crypto.sealing import Place
from api.vocabulary import Compartment


@dataclass(frozen=True, slots=True)
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
    )
}

#: Sealed under the narrative key of the case file, bound to the note's own row.
NOTE_BODY = _field("note", "body", Compartment.NARRATIVE, "text")

RELEASE_BODY = _field("release", "body", Compartment.RELEASE, "text")
