"""Give records new data keys: all that is sealed under the old ones is sealed under new ones.

One transaction, with the records locked: ciphertexts, wraps and manifests change
together, so that every snapshot shows a whole. What does not hold is left as it is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from api.casework.house import House
from api.casework.key_opening import OpenKeys, open_keys
from api.casework.resealing import reseal
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.manifest import Layout, Manifest, mark_of, seal_manifest
from api.crypto.sealed import Sealed
from api.database import Connection
from api.errors import SealBroken
from api.store import key_exchange as store
from api.store.key_exchange import PartRow, Rows
from api.store.key_wraps import StoredKey
from api.store.sealed_fields import LAYOUTS
from api.store.sealed_records import SealedRecord
from api.vocabulary import Compartment

_log = structlog.get_logger("perisai.key_exchange")


@dataclass(slots=True)
class Exchanged:
    """What became of each record.

    Attributes:
        done: has new keys.
        broken: a wrap, a manifest or a value does not hold.
        given_again: was shared with an organisation whose keys are not held here: it has
            no key until its giver gives it again (`casework.sharing`).
    """

    done: set[UUID] = field(default_factory=set)
    broken: set[UUID] = field(default_factory=set)
    given_again: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class _Resealed:
    rows: Rows = field(default_factory=dict)
    parts: list[Rows] = field(default_factory=list)
    manifests: list[Manifest] = field(default_factory=list)


async def exchange(
    house: House,
    change: Connection,
    of: SealedRecord,
    owner: str,
    records: Collection[UUID],
    rotation: int | None = None,
) -> Exchanged:
    """Exchange the data keys of *records*, which are *owner*'s, for every owner that has one.

    Args:
        rotation: records that it did already are passed over; None: all are due.

    Raises:
        KeysUnavailable: *owner* is not served; nothing was written.
    """
    rows = await store.lock(change, of, owner, records)
    stored = await store.wraps(change, rows)
    due = {s.wrap.record for s in stored if s.wrap.owner == owner and s.rotation != rotation}
    mine = [s.wrap for s in stored if s.wrap.owner == owner and s.wrap.record in due]
    theirs = [s.wrap for s in stored if s.wrap.owner != owner and s.wrap.record in due]
    manifests = await store.manifests(change, due)
    house.explained.add(owner, len(mine))
    old = await open_keys(
        house, owner, [StoredKey(w, manifests.get((w.record, w.compartment))) for w in mine]
    )
    out = Exchanged(broken=_not_whole(of, mine, old))
    shares = await shares_of(house, mine, theirs, out)
    sound = due - out.broken
    made = await house.keyring.successors(owner, newest_of(old, sound))
    new = {(key.record, key.compartment): key for key, _ in made}
    written = [await store.parts(change, part, sound) for part in of.parts]
    revisions = {place: manifest.revision for place, manifest in manifests.items()}
    resealed = _reseal(of, old, new, {r: rows[r] for r in sound}, written, revisions, out)
    out.done = sound - out.broken
    out.given_again &= out.done
    await store.replace_rows(change, of.table, resealed.rows)
    for part, part_rows in zip(of.parts, resealed.parts, strict=True):
        await store.replace_rows(change, part.table, part_rows)
    await store.replace_manifests(change, resealed.manifests)
    gone = [w for w in (*mine, *theirs) if w.record in out.done]
    wraps = [wrap for key, wrap in made if key.record in out.done]
    wraps += await wraps_for_others(house, new, shares, out.done)
    if gone:
        await store.replace_wraps(change, gone, wraps, rotation or 0)
    return out


def _layouts(of: SealedRecord) -> dict[Compartment, Layout]:
    """Give what manifests cover of this kind of record; another's have the same compartments."""
    return {c: layout for c, layout in LAYOUTS.items() if layout.table == of.table.name}


def _not_whole(of: SealedRecord, mine: Iterable[WrappedKey], old: OpenKeys) -> set[UUID]:
    """Name the records of which a wrap did not open, or a manifest did not hold."""
    layouts = _layouts(of)
    return {
        wrap.record
        for wrap in mine
        if old.of(wrap.record, wrap.compartment, wrap.version) is None
        or (wrap.compartment in layouts and not old.proven[wrap.record][wrap.compartment][1])
    }


async def shares_of(
    house: House, mine: Iterable[WrappedKey], theirs: Iterable[WrappedKey], out: Exchanged
) -> list[WrappedKey]:
    """Give those of *theirs* that are shares: who had the old key gets the new one.

    Who writes a row may name any owner in it, so only a wrap that opens, and gives the
    very key, is a share. Any other opens nothing of the record, is reported, and goes.
    """
    commitments = {(w.record, w.compartment, w.version): w.commitment for w in mine}
    by_owner: dict[str, list[WrappedKey]] = defaultdict(list)
    for wrap in theirs:
        by_owner[wrap.owner].append(wrap)
    shares = []
    for other, wraps in by_owner.items():
        if other not in house.keyring.owners:
            out.given_again.update(wrap.record for wrap in wraps)
            continue
        house.explained.add(other, len(wraps))
        opened = await open_keys(house, other, [StoredKey(wrap) for wrap in wraps])
        for wrap in wraps:
            of = (wrap.record, wrap.compartment, wrap.version)
            if opened.of(*of) is not None and commitments.get(of) == wrap.commitment:
                shares.append(wrap)
            else:
                _log.error("seal_broken", table="data_key", owner=other)
    return shares


def newest_of(old: OpenKeys, records: Collection[UUID]) -> list[DataKey]:
    """Give the newest key of each compartment of *records*."""
    return [key for record in records for key, _ in old.proven.get(record, {}).values()]


def _reseal(
    of: SealedRecord,
    old: OpenKeys,
    new: Mapping[tuple[UUID, Compartment], DataKey],
    rows: Rows,
    written: list[list[PartRow]],
    revisions: Mapping[tuple[UUID, Compartment], int],
    out: Exchanged,
) -> _Resealed:
    """Seal every row of each record anew, or none of it; the others are added to *out*."""
    done = _Resealed(parts=[{} for _ in of.parts])
    belonging: dict[UUID, list[tuple[int, PartRow]]] = defaultdict(list)
    for place, part_rows in enumerate(written):
        for row in part_rows:
            belonging[row.record].append((place, row))
    for record, values in rows.items():
        try:
            sealed = reseal(old, new, of.fields, record, record, values)
            parts = [
                (p, r.id, reseal(old, new, of.parts[p].fields, record, r.id, r.values))
                for p, r in belonging[record]
            ]
        except SealBroken:
            _log.error("seal_broken", table=of.table.name)
            out.broken.add(record)
            continue
        done.rows[record] = sealed
        for place, row_id, part_sealed in parts:
            done.parts[place][row_id] = part_sealed
        done.manifests += _manifests(of, record, sealed, new, revisions)
    return done


def _manifests(
    of: SealedRecord,
    record: UUID,
    sealed: Mapping[str, Sealed],
    new: Mapping[tuple[UUID, Compartment], DataKey],
    revisions: Mapping[tuple[UUID, Compartment], int],
) -> list[Manifest]:
    """Say of the new ciphertexts what was said of the old ones: the newest, of that revision."""
    return [
        seal_manifest(
            new[record, compartment],
            layout,
            revisions[record, compartment],
            {column: mark_of(sealed[column]) for column in layout.columns},
        )
        for compartment, layout in _layouts(of).items()
        if (record, compartment) in new
    ]


async def wraps_for_others(
    house: House,
    new: Mapping[tuple[UUID, Compartment], DataKey],
    shares: Iterable[WrappedKey],
    done: Collection[UUID],
) -> list[WrappedKey]:
    """Wrap the *new* keys of the records that are *done* for who had a share of the old ones."""
    keys: dict[str, dict[tuple[UUID, Compartment], DataKey]] = defaultdict(dict)
    for wrap in shares:
        if wrap.record in done:
            of = (wrap.record, wrap.compartment)
            keys[wrap.owner][of] = new[of]
    wraps: list[WrappedKey] = []
    for other, of_other in keys.items():
        wraps += await house.keyring.wrap_all_for(other, list(of_other.values()))
    return wraps
