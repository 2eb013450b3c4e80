"""A manifest holds for its record, compartment, revision, key and ciphertexts, and for no other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from api.crypto.data_keys import DataKey
from api.crypto.manifest import (
    MARK,
    Layout,
    Manifest,
    mark_of,
    marks_by_column,
    open_manifest,
    seal_manifest,
)
from api.crypto.sealing import Place, seal
from api.errors import SealBroken
from api.vocabulary import Compartment

LAYOUT = Layout("defender", Compartment.IDENTITY, ("aliases", "full_name", "nik"))
RECORD = UUID(int=1)
MARKS = {column: bytes([place]) * MARK for place, column in enumerate(LAYOUT.columns)}


def key(
    record: UUID = RECORD,
    compartment: Compartment = Compartment.IDENTITY,
    version: int = 1,
    secret: bytes = b"k" * 32,
) -> DataKey:
    return DataKey(record, compartment, version, secret)


def test_it_gives_the_marks_that_it_was_made_of() -> None:
    manifest = seal_manifest(key(), LAYOUT, 7, MARKS)
    assert (manifest.record, manifest.compartment, manifest.revision) == (
        RECORD,
        Compartment.IDENTITY,
        7,
    )
    assert marks_by_column(LAYOUT, open_manifest(key(), LAYOUT, manifest)) == MARKS


def test_every_flip_of_one_bit_is_refused() -> None:
    manifest = seal_manifest(key(), LAYOUT, 7, MARKS)
    for place in range(len(manifest.data) * 8):
        changed = bytearray(manifest.data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(SealBroken):
            open_manifest(key(), LAYOUT, manifest._replace(data=bytes(changed)))


def test_every_cut_and_every_extension_is_refused() -> None:
    manifest = seal_manifest(key(), LAYOUT, 7, MARKS)
    for length in range(len(manifest.data)):
        with pytest.raises(SealBroken):
            open_manifest(key(), LAYOUT, manifest._replace(data=manifest.data[:length]))
    with pytest.raises(SealBroken):
        open_manifest(key(), LAYOUT, manifest._replace(data=manifest.data + b"\x00"))


# Each keeps the secret of the key: what differs is only what the manifest is bound to.
ELSEWHERE: dict[str, tuple[DataKey, Layout, Callable[[Manifest], Manifest]]] = {
    "another record": (key(record=UUID(int=2)), LAYOUT, lambda m: m),
    "another version of the key": (key(version=2), LAYOUT, lambda m: m),
    "another key": (key(secret=b"x" * 32), LAYOUT, lambda m: m),
    "another compartment": (
        key(compartment=Compartment.CONTACT),
        replace(LAYOUT, compartment=Compartment.CONTACT),
        lambda m: m,
    ),
    "the layout of another compartment": (
        key(),
        replace(LAYOUT, compartment=Compartment.CONTACT),
        lambda m: m,
    ),
    "another table": (key(), replace(LAYOUT, table="case_file"), lambda m: m),
    "other columns": (
        key(),
        replace(LAYOUT, columns=("aliases", "full_name", "phones")),
        lambda m: m,
    ),
    "an older revision": (key(), LAYOUT, lambda m: m._replace(revision=6)),
    "a newer revision": (key(), LAYOUT, lambda m: m._replace(revision=8)),
    "no revision": (key(), LAYOUT, lambda m: m._replace(revision=-1)),
    "a revision beyond all": (key(), LAYOUT, lambda m: m._replace(revision=2**32)),
}


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_it_holds_for_nothing_else(elsewhere: str) -> None:
    opening, layout, moved = ELSEWHERE[elsewhere]
    manifest = seal_manifest(key(), LAYOUT, 7, MARKS)
    with pytest.raises(SealBroken):
        open_manifest(opening, layout, moved(manifest))


def test_marks_that_change_places_are_refused() -> None:
    manifest = seal_manifest(key(), LAYOUT, 7, MARKS)
    start = len(manifest.data) - MARK - MARK * len(LAYOUT.columns)
    first, second = (manifest.data[start + i * MARK : start + (i + 1) * MARK] for i in (0, 1))
    swapped = manifest.data[:start] + second + first + manifest.data[start + 2 * MARK :]
    with pytest.raises(SealBroken):
        open_manifest(key(), LAYOUT, manifest._replace(data=swapped))


def test_the_same_value_sealed_again_has_another_mark() -> None:
    place = Place("defender", "nik", Compartment.IDENTITY, "text")
    marks = {mark_of(seal(key(), place, RECORD, "3171")) for _ in range(100)}
    assert len(marks) == 100


@pytest.mark.parametrize(
    "marks",
    [
        {},
        {"nik": b"m" * MARK},
        MARKS | {"phones": b"m" * MARK},
        MARKS | {"nik": b"short"},
    ],
    ids=["none", "one", "one too many", "too short"],
)
def test_it_is_made_of_all_columns_and_no_others(marks: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"manifest|mark"):
        seal_manifest(key(), LAYOUT, 1, marks)


@pytest.mark.parametrize("columns", [(), ("nik", "aliases"), ("nik", "nik")])
def test_a_layout_has_one_order(columns: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="alphabetical"):
        Layout("defender", Compartment.IDENTITY, columns)


def test_it_shows_nothing() -> None:
    manifest: Any = seal_manifest(key(), LAYOUT, 7, MARKS)
    assert repr(manifest) == f"<manifest of identity of {RECORD}>"
    assert str(manifest) == repr(manifest)
