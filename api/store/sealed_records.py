"""Which rows are sealed under the keys of which record: all that an exchange of keys seals anew.

A table with sealed columns must stand here, or its rows stop to open when the data
keys of their record are exchanged; tests compare this with the tables.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from api.store.sealed_fields import (
    ADVERSARY_FIELDS,
    ASSESSMENT_FIELDS,
    ATTACHMENT_FIELDS,
    CASE_FILE_FIELDS,
    DEFENDER_FIELDS,
    EMERGENCY_WORDS,
    INCIDENT_FIELDS,
    MEASURE_FIELDS,
    NOTE_BODY,
    PLAN_STEP_WHAT,
    REASON_FIELDS,
    RELEASE_BODY,
    TRIAGE_FIELDS,
    SealedField,
)
from api.store.tables import (
    adversary,
    assessment,
    attachment,
    attachment_chunk,
    case_file,
    defender,
    emergency_protection,
    incident,
    measure,
    note,
    plan_step,
    reason,
    release,
    triage,
)
from api.vocabulary import RecordKind


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of their own that are sealed under the keys of the record they belong to.

    Attributes:
        record: the column that names that record.
    """

    table: Table
    record: ColumnElement[Any]
    fields: tuple[SealedField, ...]


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A kind of record that has data keys.

    Attributes:
        owner: the organisation whose record it is, in SQL.
        chunks: where the sealed stream is that belongs to it, if one does.
    """

    kind: RecordKind
    table: Table
    owner: ColumnElement[Any]
    fields: tuple[SealedField, ...]
    parts: tuple[Part, ...] = ()
    chunks: Table | None = None


DEFENDERS = SealedRecord(
    RecordKind.DEFENDER, defender, defender.c.agency, tuple(DEFENDER_FIELDS.values())
)

CASE_FILES = SealedRecord(
    RecordKind.CASE_FILE,
    case_file,
    case_file.c.lead_agency,
    tuple(CASE_FILE_FIELDS.values()),
    (
        Part(note, note.c.case_file, (NOTE_BODY,)),
        Part(plan_step, plan_step.c.case_file, (PLAN_STEP_WHAT,)),
        Part(reason, reason.c.case_file, tuple(REASON_FIELDS.values())),
        Part(incident, incident.c.case_file, tuple(INCIDENT_FIELDS.values())),
        Part(adversary, adversary.c.case_file, tuple(ADVERSARY_FIELDS.values())),
        Part(assessment, assessment.c.case_file, tuple(ASSESSMENT_FIELDS.values())),
        Part(triage, triage.c.case_file, tuple(TRIAGE_FIELDS.values())),
    ),
)

SEALED_RECORDS = (
    DEFENDERS,
    CASE_FILES,
    SealedRecord(
        RecordKind.EMERGENCY_PROTECTION,
        emergency_protection,
        emergency_protection.c.agency,
        (EMERGENCY_WORDS,),
    ),
    SealedRecord(
        RecordKind.MEASURE,
        measure,
        measure.c.agency,
        # Each column once for each compartment in which it may be; a measure has one of them.
        tuple(field for fields in MEASURE_FIELDS.values() for field in fields.values()),
    ),
    SealedRecord(RecordKind.RELEASE, release, release.c.partner, (RELEASE_BODY,)),
    SealedRecord(
        RecordKind.ATTACHMENT,
        attachment,
        select(case_file.c.lead_agency)
        .where(case_file.c.id == attachment.c.case_file)
        .scalar_subquery(),
        tuple(ATTACHMENT_FIELDS.values()),
        chunks=attachment_chunk,
    ),
)
