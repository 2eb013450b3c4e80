"""Seal what goes into the store: new records under new keys, changes under their own.

An existing data key is unwrapped only to seal under it again, inside a change whose
intent is durable. What is opened here goes into a seal or a tag and nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from api.casework.house import House
from api.casework.key_opening import OpenKeys, open_keys
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.manifest import Manifest, mark_of, marks_by_column, seal_manifest
from api.crypto.sealed import Sealed
from api.crypto.sealing import key_version, open_sealed, seal
from api.crypto.streams import StreamSealer
from api.database import Connection
from api.errors import KeysUnavailable, SealBroken
from api.store import key_wraps
from api.store.sealed_fields import (
    CASE_FILE_FIELDS,
    DEFENDER_FIELDS,
    LAYOUTS,
    MARKS,
    SealedField,
)
from api.vocabulary import Compartment

Value = str | Sequence[str] | date | None

#: Sealed columns that an exact search finds, by the field of their tags.
TAGGED = {
    "nik": "nik",
    "family_card": "family_card",
    "phones": "phone",
    "emails": "email",
}

#: The compartments of which every new defender has a key, filled or not.
_DEFENDER_COMPARTMENTS = sorted({f.compartment for f in DEFENDER_FIELDS.values()})
_CASE_FILE_COMPARTMENTS = sorted({f.compartment for f in CASE_FILE_FIELDS.values()})


#: The revision of a new record.
FIRST_REVISION = 1


class NewRecords(NamedTuple):
    """New records, sealed: id -> column -> value; their wraps and manifests; their open keys."""

    rows: dict[UUID, dict[str, Sealed]]
    wraps: list[WrappedKey]
    manifests: list[Manifest]
    keys: dict[tuple[UUID, Compartment], DataKey]


async def new_defenders(
    house: House, owner: str, records: Mapping[UUID, Mapping[str, Value]]
) -> NewRecords:
    """Seal new defenders (id -> column -> value), each under keys of its own.

    Every sealed column gets a value: a sealed absence looks like a presence.
    """
    return await _new(house, owner, records, _DEFENDER_COMPARTMENTS, DEFENDER_FIELDS.values())


async def new_case_files(
    house: House, owner: str, records: Mapping[UUID, Mapping[str, Value]]
) -> NewRecords:
    """Seal new case files as `new_defenders`; the narrative key also seals the first notes."""
    return await _new(house, owner, records, _CASE_FILE_COMPARTMENTS, CASE_FILE_FIELDS.values())


async def new_releases(
    house: House, partner: str, bodies: Mapping[UUID, str], field: SealedField
) -> tuple[dict[UUID, Sealed], list[WrappedKey]]:
    """Seal releases under keys of *partner*."""
    keys, wraps = await _keys(house, partner, bodies, [Compartment.RELEASE])
    rows = _seal({r: {field.column: body} for r, body in bodies.items()}, keys, [field])
    return {r: row[field.column] for r, row in rows.items()}, wraps


async def _new(
    house: House,
    owner: str,
    records: Mapping[UUID, Mapping[str, Value]],
    compartments: Sequence[Compartment],
    fields: Iterable[SealedField],
) -> NewRecords:
    keys, wraps = await _keys(house, owner, records, compartments)
    rows = _seal(records, keys, fields)
    manifests = [
        seal_manifest(
            key,
            LAYOUTS[compartment],
            FIRST_REVISION,
            {c: mark_of(rows[record][c]) for c in LAYOUTS[compartment].columns},
        )
        for (record, compartment), key in keys.items()
    ]
    return NewRecords(rows, wraps, manifests, keys)


async def _keys(
    house: House, owner: str, records: Iterable[UUID], compartments: Sequence[Compartment]
) -> tuple[dict[tuple[UUID, Compartment], DataKey], list[WrappedKey]]:
    made = await house.keyring.new_keys(owner, [(r, c) for r in records for c in compartments])
    return {(k.record, k.compartment): k for k, _ in made}, [w for _, w in made]


def _seal(
    records: Mapping[UUID, Mapping[str, Value]],
    keys: Mapping[tuple[UUID, Compartment], DataKey],
    fields: Iterable[SealedField],
) -> dict[UUID, dict[str, Sealed]]:
    fields = list(fields)
    return {
        record: {
            f.column: seal(keys[record, f.compartment], f.place, record, values.get(f.column))
            for f in fields
        }
        for record, values in records.items()
    }


async def seal_under(
    house: House,
    change: Connection,
    owner: str,
    record: UUID,
    row: UUID,
    values: Mapping[SealedField, Value],
) -> dict[str, Sealed]:
    """Seal *values* of a *row* that belongs to *record*, as a note does: column -> sealed.

    The row of *record* must be locked: its keys may be in exchange.

    Raises:
        KeysUnavailable: *owner* has no key of a compartment.
        SealBroken: a manifest of the record does not hold.
    """
    newest, _, _ = await _newest(house, change, owner, record, values)
    return {f.column: seal(newest[f.compartment], f.place, row, v) for f, v in values.items()}


async def carry_over(
    house: House,
    change: Connection,
    owner: str,
    record: UUID,
    rows: tuple[UUID, UUID],
    values: Mapping[SealedField, Sealed],
) -> dict[str, Sealed]:
    """Seal what one row of *record* holds for another one: from the first of *rows* to the second.

    What stays as it was in a new version may be what the caller may not open; it goes from
    one seal into the other. The row of *record* must be locked. Gives column -> sealed.

    Raises:
        KeysUnavailable: as `seal_under`.
        SealBroken: a value does not open, or as `seal_under`.
    """
    old, new = rows
    newest, _, opened = await _newest(house, change, owner, record, values)
    return {
        f.column: seal(newest[f.compartment], f.place, new, _opened(opened, f, record, old, value))
        for f, value in values.items()
    }


async def seal_revision(
    house: House,
    change: Connection,
    owner: str,
    record: UUID,
    revision: int,
    values: Mapping[SealedField, Value],
) -> dict[str, Sealed]:
    """Seal *values* of *record* itself as *revision*, and write the manifests that say so.

    The row of *record* must be locked. Gives column -> sealed, for the row.

    Raises:
        As `seal_under`.
    """
    newest, marks, _ = await _newest(house, change, owner, record, values)
    sealed = {f.column: seal(newest[f.compartment], f.place, record, v) for f, v in values.items()}
    manifests = [
        seal_manifest(
            key,
            LAYOUTS[compartment],
            revision,
            marks[compartment]
            | {f.column: mark_of(sealed[f.column]) for f in values if f.compartment is compartment},
        )
        for compartment, key in newest.items()
    ]
    await key_wraps.replace_manifests(change, manifests)
    return sealed


async def _newest(
    house: House,
    change: Connection,
    owner: str,
    record: UUID,
    fields: Iterable[SealedField],
) -> tuple[dict[Compartment, DataKey], dict[Compartment, dict[str, bytes]], OpenKeys]:
    """Open the newest key of each compartment of *fields*, and the marks that it proves.

    Gives these, and all keys that opened.
    """
    wanted = {f.compartment for f in fields}
    stored = await key_wraps.of_records(change, owner, [record], wanted)
    house.explained.add(owner, len(stored))  # By the intent of the change.
    opened = await open_keys(house, owner, stored)
    proven = opened.proven.get(record, {})
    if wanted - proven.keys():
        raise KeysUnavailable
    newest, marks = {}, {}
    for compartment in wanted:
        newest[compartment], joined = proven[compartment]
        if not joined:  # Sealing on would make an older state the newest one.
            raise SealBroken
        marks[compartment] = marks_by_column(LAYOUTS[compartment], joined)
    return newest, marks, opened


async def new_attachment(
    house: House, owner: str, attachment: UUID, case_file: UUID
) -> tuple[DataKey, WrappedKey, StreamSealer]:
    """Make the key of a new attachment, its wrap for *owner*, and what seals its bytes."""
    [(key, wrap)] = await house.keyring.new_keys(owner, [(attachment, Compartment.DOCUMENTS)])
    return key, wrap, StreamSealer(key, case_file)


async def new_row_key(
    house: House, owner: str, row: UUID, compartment: Compartment
) -> tuple[DataKey, WrappedKey]:
    """Make the key of a new row that is a record by itself, as a measure is, and its wrap."""
    [(key, wrap)] = await house.keyring.new_keys(owner, [(row, compartment)])
    return key, wrap


def seal_row(key: DataKey, row: UUID, values: Mapping[SealedField, Value]) -> dict[str, Sealed]:
    """Seal *values* of a new row under the key just made for it: column -> sealed."""
    return {f.column: seal(key, f.place, row, value) for f, value in values.items()}


def reseal(
    old: OpenKeys,
    new: Mapping[tuple[UUID, Compartment], DataKey],
    fields: Iterable[SealedField],
    record: UUID,
    row: UUID,
    values: Mapping[str, Sealed],
) -> dict[str, Sealed]:
    """Seal *values* of a *row* of *record*, whose row is locked, under its *new* keys.

    Gives column -> sealed; a column of a compartment that has no new key is left out.

    Raises:
        SealBroken: one does not open, or is not the newest. Sealed anew it would pass
            for the newest from then on.
    """
    return {
        f.column: seal(
            new[record, f.compartment], f.place, row, _opened(old, f, record, row, values[f.column])
        )
        for f in fields
        if (record, f.compartment) in new
    }


def tagged_values(keys: OpenKeys, record: UUID, values: Mapping[str, Sealed]) -> dict[str, Value]:
    """Open what an exact search finds of a defender, for `tag_rows`.

    Raises:
        SealBroken: one does not open, or is not the newest.
    """
    return {
        f.column: _opened(keys, f, record, record, values[f.column])
        for f in DEFENDER_FIELDS.values()
        if f.column in TAGGED
    }


def _opened(keys: OpenKeys, field: SealedField, record: UUID, row: UUID, value: Sealed) -> Value:
    key = keys.of(record, field.compartment, key_version(value))
    if key is None:
        raise SealBroken
    place = MARKS.get(field)
    if place is not None:
        _, marks = keys.proven[record][field.compartment]
        if marks[place] != mark_of(value):
            raise SealBroken
    return open_sealed(key, field.place, row, value)


async def tag_rows(
    house: House, agency: str, records: Mapping[UUID, Mapping[str, Value]]
) -> list[dict[str, Any]]:
    """Make the rows by which exact search finds *records* (id -> column -> value)."""
    rows: list[dict[str, Any]] = []
    for column, tag_field in TAGGED.items():
        pairs = [
            (record, one)
            for record, values in records.items()
            for one in dict.fromkeys(_several(values.get(column)))
        ]
        version, tags = await house.keyring.tags(agency, tag_field, [v for _, v in pairs])
        rows += [
            {
                "agency": agency,
                "field": tag_field,
                "tag": tag,
                "defender": record,
                "index_version": version,
            }
            for (record, _), tag in zip(pairs, tags, strict=True)
        ]
    return rows


def _several(value: Value) -> list[str]:
    if value is None or isinstance(value, date):
        return []
    return [value] if isinstance(value, str) else list(value)


def texts(
    keys: OpenKeys, record: UUID, rows: Iterable[tuple[UUID, Mapping[str, Sealed], SealedField]]
) -> list[str]:
    """Open one text, or several, of each of *rows* (row, its columns, the field) of *record*.

    For keyed tags alone.

    Raises:
        SealBroken: one does not open, or is not the newest.
    """
    return [
        text
        for row, values, field in rows
        for text in _several(_opened(keys, field, record, row, values[field.column]))
    ]
