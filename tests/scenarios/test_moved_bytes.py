"""Every sealed byte string of a small store, put at every other place of its kind.

Nothing that was moved opens: not in another row or column, at another agency, in another
compartment, as another version, and not in its own place once something newer stood
there. What stays in its place opens as before. Each test says how many moves it tried,
and counts them against what the store holds.
"""

from itertools import product
from typing import Any
from uuid import UUID

import pytest

from api.crypto.data_keys import WrappedKey
from api.crypto.keyring import Keyring
from api.crypto.manifest import Manifest
from api.crypto.sealed import Sealed
from api.crypto.sealing import key_version, open_sealed
from api.errors import SealBroken
from api.vocabulary import Compartment
from tests.scenarios.telling import Tell
from tests.small_store import (
    CHANGED,
    OWNERS,
    REWRAPPED,
    Slot,
    SmallStore,
    Spot,
    field_of,
    opens,
    owner_of,
    record_of,
    refused,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_in_its_place_everything_opens_and_says_what_was_written(store: SmallStore) -> None:
    first, second, exchanged, rewrapped, last = store.values

    assert all(values.keys() == store.now.fields.keys() for values in store.values)
    assert (second, exchanged, rewrapped) == (exchanged, rewrapped, second)
    assert first[Spot("defender", CHANGED, "nik")] == "3171011701900001"
    assert last[Spot("defender", CHANGED, "nik")] == "3171011701902001"
    changed = [spot for spot in first if first[spot] != last[spot]]
    assert {spot.row for spot in changed} == {CHANGED}
    assert sorted(spot.column for spot in changed) == ["full_name", "nik", "phones"]
    assert len({str(value) for value in last.values()}) == len(last)
    assert {slot.version for slot in store.now.wraps} == {1, 2}
    assert {wrap.kek_version for wrap in store.now.wraps.values()} == {1, 2}
    assert {tag[4] for tag in store.now.tags} == {1, 2}


async def test_a_ciphertext_opens_at_no_other_place_and_no_older_one_at_its_own(
    store: SmallStore, reports: list[Any], tell: Tell
) -> None:
    """With the wraps that stand there, and with every wrap that ever stood there put back."""
    now, values = store.now, store.every("fields")
    older = {s: w for copy in store.copies for s, w in copy.wraps.items() if s not in now.wraps}
    tried = opened = 0
    for wraps in (now.wraps, now.wraps | older):
        keys = await store.all_keys(wraps.values())
        for spot, value in product(now.fields, values):
            if value != now.fields[spot]:
                tried += 1
                opened += not refused(keys, spot, value)
        assert {s: opens(keys, s, v) for s, v in now.fields.items()} == store.values[-1]

    tell(f"{tried} moves of ciphertexts")
    assert tried == 2 * len(now.fields) * (len(values) - 1)
    assert len(values) == len(now.fields) + _replaced(store)
    # A note has no manifest, since it never changes: under its old key it says the same.
    assert opened == sum(s.table == "note" and _was_exchanged(store, s) for s in now.fields)
    assert len(reports) == tried - opened


async def test_its_place_alone_refuses_a_ciphertext_where_no_manifest_would(
    store: SmallStore, tell: Tell
) -> None:
    """The binding to row, column, kind and version, looked at without the manifest before it."""
    every = {
        (key.record, key.compartment, key.version): key
        for copy in store.copies
        for opened in await store.all_keys(copy=copy)
        for key in opened.keys
    }
    stood = {(s, v) for copy in store.copies for s, v in copy.fields.items()}
    tried = opened = 0
    for spot, value in product(store.now.fields, store.every("fields")):
        field, sealed = field_of(spot), Sealed(value)
        key = every.get((record_of(spot), field.compartment, key_version(sealed)))
        if key is None:
            continue
        tried += 1
        try:
            open_sealed(key, field.place, spot.row, sealed)
            opened += 1
            assert (spot, value) in stood
        except SealBroken:
            assert (spot, value) not in stood
    tell(f"{tried} moves of ciphertexts, each tried with the key of its new place")
    assert opened == len(store.every("fields"))
    assert tried > 20 * opened


async def test_a_wrap_opens_at_no_other_place(
    store: SmallStore, reports: list[Any], tell: Tell
) -> None:
    """As each record, compartment, version and owner, of each KEK; its commitment moved or not."""
    now, wraps = store.now, store.every("wraps")
    slots = [
        Slot(record, compartment, version, owner)
        for record, compartment in {(s.record, s.compartment): None for s in now.wraps}
        for version, owner in product((1, 2, 3), OWNERS)
    ]
    tried = 0
    again = set()
    for slot, wrap in product(slots, wraps):
        there = now.wraps.get(slot)
        proofs = {wrap.commitment, *(() if there is None else (there.commitment,))}
        for kek_version, proof in product((1, 2, 3), proofs):
            moved = WrappedKey(*slot, kek_version, wrap.wrapped, proof)
            if moved in now.wraps.values():
                continue
            tried += 1
            if (await store.keys(slot.owner, [moved], now)).keys:
                again.add(moved)

    tell(f"{tried} moves of wraps")
    assert tried > 3 * len(slots) * (len(wraps) - 1)
    # What opens stood in this very place: of keys that were exchanged, or the same key
    # under an older KEK. It opens only as long as the service holds that KEK.
    assert again == {w for w in wraps if w not in now.wraps.values()}
    assert len([r for r in reports if r["table"] == "data_key"]) == tried - len(again)
    same = {w.commitment for w in now.wraps.values()}
    assert {w.record for w in again if w.commitment in same} == {REWRAPPED}
    later = await Keyring.start(store.newer, [])
    for wrap in again:
        with pytest.raises(SealBroken):
            await later.open_keys(wrap.owner, [wrap])


async def test_a_manifest_holds_at_no_other_place_and_under_no_other_key(
    store: SmallStore, reports: list[Any], tell: Tell
) -> None:
    now, manifests = store.now, store.every("manifests")
    revisions = sorted({m.revision for m in manifests})
    tried = 0
    again = set()
    for (record, compartment), manifest in product(now.manifests, manifests):
        for revision in revisions:
            moved = Manifest(record, compartment, revision, manifest.data)
            if moved == now.manifests[record, compartment]:
                continue
            tried += 1
            put = now.with_manifests({(record, compartment): moved})
            wraps = [w for s, w in now.wraps.items() if s[:2] == (record, compartment)]
            if (await store.keys(owner_of(record), wraps, put)).marks:
                again.add(moved)

    tell(f"{tried} moves of manifests")
    assert tried == len(now.manifests) * (len(manifests) * len(revisions) - 1)
    # An older one of the same place and key: what `test_a_rollback...` looks into.
    assert again == {
        m
        for m in manifests
        if m != now.manifests[m.record, m.compartment]
        and m.data[:5] == now.manifests[m.record, m.compartment].data[:5]
    }
    assert len(again) == 2
    assert len(reports) == tried - len(again)


async def test_a_whole_compartment_opens_as_no_other_one(
    store: SmallStore, reports: list[Any], tell: Tell
) -> None:
    """Wraps, manifest and ciphertexts moved together, to every other record and compartment."""
    now = store.now
    tried = opened = 0
    for here, there in product(now.manifests, now.manifests):
        if here == there:
            continue
        tried += 1
        wraps = [
            w._replace(record=there[0], compartment=there[1], owner=owner_of(there[0]))
            for s, w in now.wraps.items()
            if s[:2] == here
        ]
        manifest = now.manifests[here]._replace(record=there[0], compartment=there[1])
        keys = await store.all_keys(wraps, now.with_manifests({there: manifest}))
        taken = [v for s, v in now.fields.items() if _compartment(s) == here]
        spots = [s for s in now.fields if _compartment(s) == there]
        opened += sum(not refused(keys, s, v) for s, v in product(spots, taken))
        assert not any(k.keys or k.marks for k in keys)

    tell(f"{tried} moves of whole compartments")
    assert tried == len(now.manifests) * (len(now.manifests) - 1)
    assert opened == 0


async def test_a_secret_of_an_owner_opens_as_no_other_one(store: SmallStore, tell: Tell) -> None:
    ours, others = store.now.secrets, []
    for owner in OWNERS:
        others += await Keyring.new_secrets(store.newer, owner)
    tried = opened = 0
    for place, secret in product(ours, [*ours, *others]):
        for version, kek_version in product((1, 2), (1, 2, 3)):
            moved = place._replace(version=version, kek_version=kek_version, wrapped=secret.wrapped)
            if moved in ours or moved in others:
                continue  # Itself, or one that was made for this very place.
            tried += 1
            try:
                await Keyring.start(store.service, [moved])
                opened += 1
            except SealBroken:
                pass
    tell(f"{tried} moves of owners' secrets")
    assert tried == len(ours) * 2 * len(ours) * 6 - 2 * len(ours)
    assert opened == 0


def _compartment(spot: Spot) -> tuple[UUID, Compartment]:
    return record_of(spot), field_of(spot).compartment


def _was_exchanged(store: SmallStore, spot: Spot) -> bool:
    return store.copies[0].fields[spot] != store.now.fields[spot]


def _replaced(store: SmallStore) -> int:
    """Count the ciphertexts that gave way to others from one step to the next."""
    pairs = zip(store.copies, store.copies[1:], strict=False)
    return sum(a.fields[s] != b.fields[s] for a, b in pairs for s in store.now.fields)
