"""A small store as somebody sees it who holds its database and all of its old backups.

Every sealed byte string has its place here, and `opens` opens it as a disclosure would,
with whatever wraps and manifests one puts beside it. `small_store_written` writes it.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from api.casework.asked import Steps
from api.casework.disclosure import fill, open_one
from api.casework.house import House
from api.casework.key_opening import OpenKeys, open_keys
from api.casework.views import DefenderView
from api.crypto.data_keys import WrappedKey
from api.crypto.file_key_service import FileKeyService
from api.crypto.manifest import Manifest
from api.crypto.owner_secrets import OwnerSecret
from api.crypto.sealed import Sealed
from api.errors import SealBroken
from api.store.columns import SealedColumn
from api.store.key_wraps import StoredKey
from api.store.sealed_fields import (
    CASE_FILE_FIELDS,
    DEFENDER_FIELDS,
    MARKS,
    NOTE_BODY,
    RELEASE_BODY,
    SealedField,
)
from api.store.tables import METADATA
from api.vocabulary import (
    Caseworker,
    Compartment,
    MemberId,
    Organisation,
    Purpose,
    Reason,
    Role,
)

AGENCIES = ("komnas-ham", "lpsk")
PARTNER = "lbh-nusantara"
OWNERS = (*AGENCIES, PARTNER)

#: Both owned by the first agency, then one of the other: ids as UUIDv7 has them.
DEFENDERS = tuple(UUID(int=0x019A0000_0000_7000_8000_0000000000D0 + n) for n in (1, 2, 3))
CASE_FILES = tuple(UUID(int=0x019A0000_0000_7000_8000_0000000000C0 + n) for n in (1, 2))
NOTES = tuple(UUID(int=0x019A0000_0000_7000_8000_0000000000B0 + n) for n in (1, 2, 3))
MEMBERS = tuple(UUID(int=0x019A0000_0000_7000_8000_0000000000A0 + n) for n in (1, 2))
RELEASE = UUID(int=0x019A0000_0000_7000_8000_0000000000E1)

#: The one whose record changes; the one whose wraps are made anew under the newer KEK.
CHANGED, REWRAPPED, OF_THE_OTHER_AGENCY = DEFENDERS

FIELDS: dict[tuple[str, str], SealedField] = {
    (f.place.table, f.column): f
    for f in (*DEFENDER_FIELDS.values(), *CASE_FILE_FIELDS.values(), NOTE_BODY, RELEASE_BODY)
}
SEALED_COLUMNS = {
    t.name: [c.name for c in t.columns if isinstance(c.type, SealedColumn)]
    for t in METADATA.sorted_tables
}
#: What a disclosure does where one field alone is asked for and allowed.
_ALONE = {
    f: Steps((), {f.compartment: [(0, f.column, f, at)]}, [], frozenset([f.compartment]))
    for f, at in MARKS.items()
}


class Spot(NamedTuple):
    """Where one ciphertext stands."""

    table: str
    row: UUID
    column: str


class Slot(NamedTuple):
    """Where one wrap stands."""

    record: UUID
    compartment: Compartment
    version: int
    owner: str


@dataclass(frozen=True)
class Copy:
    """All sealed bytes of the store at one moment."""

    fields: dict[Spot, bytes]
    wraps: dict[Slot, WrappedKey]
    manifests: dict[tuple[UUID, Compartment], Manifest]
    secrets: list[OwnerSecret]
    tags: list[tuple[str, str, bytes, str, int]]

    def with_manifests(self, put: Mapping[tuple[UUID, Compartment], Manifest | None]) -> "Copy":
        """Give the same with other manifests, or without them (None)."""
        manifests = {of: m for of, m in {**self.manifests, **put}.items() if m is not None}
        return replace(self, manifests=manifests)


@dataclass
class SmallStore:
    """The store, its keys, and what it held after each step.

    Attributes:
        service: has two versions of each key; `newer` only the second.
        copies: of its bytes, oldest first; the last one is what stands there.
        values: what each ciphertext of each copy says.
    """

    house: House
    service: FileKeyService
    newer: FileKeyService
    path: Path
    copies: list[Copy] = field(default_factory=list)
    values: list[dict[Spot, Any]] = field(default_factory=list)

    @property
    def now(self) -> Copy:
        return self.copies[-1]

    def every(self, kind: str) -> list[bytes]:
        """Give all ciphertexts, wraps, ... that ever stood there, each once, newest first."""
        found = [v for copy in reversed(self.copies) for v in getattr(copy, kind).values()]
        return list(dict.fromkeys(found))

    async def keys(self, owner: str, wraps: Collection[WrappedKey], copy: Copy) -> OpenKeys:
        """Open *wraps* of *owner* and the manifests of *copy*, as a disclosure does."""
        mine = [w for w in wraps if w.owner == owner]
        stored = [StoredKey(w, copy.manifests.get((w.record, w.compartment))) for w in mine]
        return await open_keys(self.house, owner, stored)

    def caller(self, agency: str) -> Caseworker:
        """Give the one caseworker of *agency*, who is assigned to its case file."""
        return Caseworker(
            MemberId(MEMBERS[AGENCIES.index(agency)]),
            Organisation(agency),
            Role.PROTECTION_OFFICER,
            Purpose.PROTECTION,
            None,
            "request",
        )

    async def all_keys(
        self, wraps: Collection[WrappedKey] | None = None, copy: Copy | None = None
    ) -> list[OpenKeys]:
        """Open *wraps* for each owner in turn; without them those of *copy*, or of now."""
        copy = copy or self.now
        wraps = copy.wraps.values() if wraps is None else wraps
        return [await self.keys(owner, wraps, copy) for owner in OWNERS]

    @contextmanager
    def restored(self, *tables: str) -> Iterator[None]:
        """Put *tables* back at the end, however it ends."""
        with self.database() as database:
            rows = {t: database.execute(f"select * from {t}").fetchall() for t in tables}
        try:
            yield
        finally:
            with self.database() as database:
                for table, were in rows.items():
                    database.execute(f"delete from {table}")
                    marks = ", ".join("?" * len(were[0]))
                    database.executemany(f"insert into {table} values ({marks})", were)

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """Write into the records as their administrator, and commit."""
        connection = sqlite3.connect(self.path)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    async def step(self) -> None:
        """Take a copy, and remember what it says."""
        copy = _copied(self.path)
        opened = await self.all_keys(copy=copy)
        self.copies.append(copy)
        self.values.append({spot: opens(opened, spot, data) for spot, data in copy.fields.items()})


def record_of(spot: Spot) -> UUID:
    """Give the record whose key seals *spot*."""
    if spot.table == "note":
        return CASE_FILES[0] if spot.row in NOTES[:2] else CASE_FILES[1]
    return spot.row


def owner_of(record: UUID) -> str:
    if record == RELEASE:
        return PARTNER
    return AGENCIES[record in (OF_THE_OTHER_AGENCY, CASE_FILES[1])]


def field_of(spot: Spot) -> SealedField:
    return FIELDS[spot.table, spot.column]


def opens(keys: Sequence[OpenKeys], spot: Spot, data: bytes) -> Any:
    """Open *data* at *spot* with the keys of its owner, as a disclosure does.

    Raises:
        SealBroken: it does not open, or is withheld for that.
    """
    mine = keys[OWNERS.index(owner_of(record_of(spot)))]
    field, value = field_of(spot), Sealed(data)
    if field not in MARKS:
        return open_one(mine, field, record_of(spot), spot.row, value)
    view = DefenderView(spot.row, 0)  # `fill` sets what it is told, whatever the view is of.
    fill(view, mine, _ALONE[field], spot.row, (value,))
    if view.withheld:
        assert [w.reason for w in view.withheld] == [Reason.SEAL_BROKEN]
        raise SealBroken
    return getattr(view, field.column)


def refused(keys: Sequence[OpenKeys], spot: Spot, data: bytes) -> bool:
    """Tell whether *data* does not open at *spot*; anything but SealBroken is a fault."""
    try:
        opens(keys, spot, data)
    except SealBroken:
        return True
    return False


def _copied(path: Path) -> Copy:
    connection = sqlite3.connect(path)
    try:
        for table in {t for t, columns in SEALED_COLUMNS.items() if columns}:
            if table not in {of for of, _ in FIELDS}:
                # What is sealed elsewhere is not among what is moved here.
                assert connection.execute(f"select count(*) from {table}").fetchone() == (0,)
        fields = {
            Spot(table, UUID(row), column): data
            for table, column in FIELDS
            for row, data in connection.execute(f"select id, {column} from {table} order by id")
        }
        wraps = [
            WrappedKey(UUID(record), Compartment(compartment), *cells)
            for record, compartment, *cells in connection.execute(
                "select record, compartment, version, owner, kek_version, wrapped, commitment"
                " from data_key order by 1, 2, 3, 4"
            )
        ]
        manifests = [
            Manifest(UUID(record), Compartment(compartment), revision, data)
            for record, compartment, revision, data in connection.execute(
                "select record, compartment, revision, data from manifest order by 1, 2"
            )
        ]
        secrets = connection.execute(
            "select owner, kind, version, kek_version, wrapped from owner_secret order by 1, 2, 3"
        )
        tags = connection.execute(
            "select agency, field, tag, defender, index_version from defender_tag order by 4, 2, 3"
        )
        return Copy(
            fields,
            {Slot(*w[:4]): w for w in wraps},
            {(m.record, m.compartment): m for m in manifests},
            [OwnerSecret(*row) for row in secrets],
            tags.fetchall(),
        )
    finally:
        connection.close()
