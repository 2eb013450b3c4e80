"""Seal what goes into the store: new records under new keys, changes under their own.

Opening is not done here. An existing data key is unwrapped only to seal under it
again, inside a change whose intent is durable.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from api.casework.house import House
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.sealed import Sealed
from api.crypto.sealing import seal
from api.database import Connection
from api.errors import KeysUnavailable
from api.store import key_wraps
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS, SealedField
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


async def new_defenders(
    house: House, owner: str, records: Mapping[UUID, Mapping[str, Value]]
) -> tuple[dict[UUID, dict[str, Sealed]], list[WrappedKey]]:
    """Seal new defenders: id -> column -> value, each under keys of its own.

    Every sealed column gets a value: a sealed absence looks like a presence.
    """
    return await _new(house, owner, records, _DEFENDER_COMPARTMENTS, DEFENDER_FIELDS.values())


async def new_case_files(
    house: House, owner: str, records: Mapping[UUID, Mapping[str, Value]]
) -> tuple[dict[UUID, dict[str, Sealed]], list[WrappedKey], dict[UUID, DataKey]]:
    """Seal new case files; also give each one's narrative key, for its first notes."""
    keys, wraps = await _keys(house, owner, records, _CASE_FILE_COMPARTMENTS)
    rows = _seal(records, keys, CASE_FILE_FIELDS.values())
    return rows, wraps, {r: keys[r, Compartment.NARRATIVE] for r in records}


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
) -> tuple[dict[UUID, dict[str, Sealed]], list[WrappedKey]]:
    keys, wraps = await _keys(house, owner, records, compartments)
    return _seal(records, keys, fields), wraps


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
    """Seal *values* of one existing record under its newest keys: column -> sealed.

    Args:
        row: the row that will hold the values; the record itself, or one that
            belongs to it, as a note belongs to its case file.

    Raises:
        KeysUnavailable: *owner* has no key of a compartment.
    """
    wraps = await key_wraps.of_records(change, owner, [record], {f.compartment for f in values})
    opened = await house.keyring.open_keys(owner, wraps)
    newest: dict[Compartment, DataKey] = {}
    for key in sorted(opened.values(), key=lambda key: key.version):
        newest[key.compartment] = key
    if {f.compartment for f in values} - newest.keys():
        raise KeysUnavailable
    return {f.column: seal(newest[f.compartment], f.place, row, v) for f, v in values.items()}


def seal_note(key: DataKey, field: SealedField, note_id: UUID, body: str) -> Sealed:
    """Seal the first notes of a case file under the narrative key just made."""
    return seal(key, field.place, note_id, body)


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
        tags = await house.keyring.tags(agency, tag_field, [value for _, value in pairs])
        rows += [
            {"agency": agency, "field": tag_field, "tag": tag, "defender": record}
            for (record, _), tag in zip(pairs, tags, strict=True)
        ]
    return rows


def _several(value: Value) -> list[str]:
    if value is None or isinstance(value, date):
        return []
    return [value] if isinstance(value, str) else list(value)
