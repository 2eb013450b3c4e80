"""Write new case files with all that hangs on them: sealed first, then in one transaction.

Intake writes one, provisioning writes hundreds; the rows are the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.casework import resealing, rights
from api.casework.house import House
from api.casework.resealing import Value
from api.crypto.data_keys import WrappedKey
from api.crypto.manifest import Manifest
from api.crypto.sealed import Sealed
from api.database import Connection
from api.store import assignments, case_files, consents, defenders, key_wraps, notes, triage
from api.store.sealed_fields import NOTE_BODY, TRIAGE_FIELDS


@dataclass(frozen=True, slots=True)
class NewDefender:
    """A defender to be: `categories` in clear, `values` (column -> value) to be sealed."""

    categories: Sequence[str]
    values: Mapping[str, Value] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewNote:
    """The first note of a case file to be; `columns` without the body."""

    columns: Mapping[str, Any]
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewTriage:
    """What was answered when a case file was opened; `columns` without the answers."""

    columns: Mapping[str, Any]
    answers: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """New case files of one agency, by id.

    Attributes:
        case_files: id -> values (column -> value) to be sealed.
        links: case file, defender, position in the file.
        assignments: rows without agency, event and seal.
        consents: rows likewise; none is withdrawn.
    """

    case_files: Mapping[UUID, Mapping[str, Value]] = field(repr=False)
    defenders: Mapping[UUID, NewDefender]
    links: Sequence[tuple[UUID, UUID, int]]
    assignments: Sequence[Mapping[str, Any]]
    notes: Sequence[NewNote] = ()
    consents: Sequence[Mapping[str, Any]] = ()
    triage: Sequence[NewTriage] = ()


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A batch whose values are sealed and tagged: nothing in it is secret any more."""

    batch: Batch
    case_files: Mapping[UUID, Mapping[str, Sealed]]
    defenders: Mapping[UUID, Mapping[str, Sealed]]
    notes: Sequence[Mapping[str, Any]]
    triage: Sequence[Mapping[str, Any]]
    tags: Sequence[Mapping[str, Any]]
    wraps: Sequence[WrappedKey]
    manifests: Sequence[Manifest]


#: What a consent has that nobody withdrew.
_STANDS = dict.fromkeys(("withdrawn_by", "withdrawn_at", "withdrawn_event", "stop_by"))


async def seal_batch(house: House, agency: str, batch: Batch) -> SealedBatch:
    """Seal *batch* under new keys of *agency*."""
    people = {i: p.values for i, p in batch.defenders.items()}
    new_people = await resealing.new_defenders(house, agency, people)
    new_files = await resealing.new_case_files(house, agency, batch.case_files)
    written = [
        {
            **n.columns,
            **resealing.seal_row(
                new_files.keys[n.columns["case_file"], NOTE_BODY.compartment],
                n.columns["id"],
                {NOTE_BODY: n.body},
            ),
        }
        for n in batch.notes
    ]
    (answers,) = TRIAGE_FIELDS.values()
    answered = [
        {
            **t.columns,
            **resealing.seal_row(
                new_files.keys[t.columns["case_file"], answers.compartment],
                t.columns["id"],
                {answers: t.answers},
            ),
        }
        for t in batch.triage
    ]
    tags = await resealing.tag_rows(house, agency, people)
    return SealedBatch(
        batch,
        new_files.rows,
        new_people.rows,
        written,
        answered,
        tags,
        [*new_people.wraps, *new_files.wraps],
        [*new_people.manifests, *new_files.manifests],
    )


async def write_batch(
    house: House,
    change: Connection,
    agency: str,
    sealed: SealedBatch,
    clear: Mapping[UUID, Mapping[str, Any]],
    event: int,
) -> None:
    """Insert *sealed*; *clear* has the columns in clear of each case file, *event* the intent."""

    def right(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        return rights.sealed_row(house, agency, table, {**row, "event": event})

    batch = sealed.batch
    await case_files.insert_rows(
        change,
        "case_file",
        [
            right(
                "case_file",
                {
                    "id": i,
                    "lead_agency": agency,
                    **clear[i],
                    **values,
                    "revision": resealing.FIRST_REVISION,
                },
            )
            for i, values in sealed.case_files.items()
        ],
    )
    await defenders.insert_rows(
        change,
        [
            {
                "id": i,
                "agency": agency,
                "categories": list(p.categories),
                **sealed.defenders[i],
                "revision": resealing.FIRST_REVISION,
            }
            for i, p in batch.defenders.items()
        ],
    )
    await case_files.insert_rows(
        change,
        "case_file_defender",
        [
            right("case_file_defender", {"case_file": f, "defender": d, "position": p})
            for f, d, p in batch.links
        ],
    )
    await defenders.insert_tags(change, sealed.tags)
    await key_wraps.insert_wraps(change, sealed.wraps)
    await key_wraps.insert_manifests(change, sealed.manifests)
    await assignments.insert_rows(
        change, [right("assignment", {**r, "agency": agency}) for r in batch.assignments]
    )
    await notes.insert_rows(change, [right("note", r) for r in sealed.notes])
    await consents.insert_rows(
        change,
        [right("consent", {**r, "agency": agency, **_STANDS}) for r in batch.consents],
    )
    await triage.insert_rows(change, [right("triage", r) for r in sealed.triage])
