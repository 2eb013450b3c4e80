"""What a reading asks of the life of one case file, kind by kind."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.store.sealed_fields import (
    ADVERSARY_FIELDS,
    ASSESSMENT_FIELDS,
    INCIDENT_FIELDS,
    SealedField,
)


@dataclass(frozen=True, slots=True)
class LifeAsked:
    """What is asked for.

    Attributes:
        closings, timeline: they are asked for.
        incidents, adversaries, assessments: names of the fields asked of these; None: not
            asked for.
    """

    closings: bool = False
    incidents: frozenset[str] | None = None
    adversaries: frozenset[str] | None = None
    assessments: frozenset[str] | None = None
    timeline: bool = False

    @property
    def fields(self) -> tuple[SealedField, ...]:
        """What is sealed of it, under the keys of the case file itself."""
        return (*self.of_incidents, *self.of_adversaries, *self.of_assessments)

    @property
    def of_incidents(self) -> tuple[SealedField, ...]:
        """What is sealed of incidents."""
        return _among(INCIDENT_FIELDS, self.incidents)

    @property
    def of_adversaries(self) -> tuple[SealedField, ...]:
        """What is sealed of adversaries."""
        return _among(ADVERSARY_FIELDS, self.adversaries)

    @property
    def of_assessments(self) -> tuple[SealedField, ...]:
        """What is sealed of assessments."""
        return _among(ASSESSMENT_FIELDS, self.assessments)


def _among(
    fields: Mapping[str, SealedField], asked: frozenset[str] | None
) -> tuple[SealedField, ...]:
    return tuple(field for name, field in fields.items() if name in (asked or ()))
