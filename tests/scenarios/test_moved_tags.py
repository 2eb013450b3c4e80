"""Tags that were moved or changed: a search shows only what has the value that was asked."""

from collections.abc import Collection, Mapping
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from api.casework.search import By, Query, find_defenders
from api.vocabulary import Action, RecordKind
from tests.scenarios.telling import Tell
from tests.small_store import AGENCIES, CHANGED, DEFENDERS, SmallStore, Spot, owner_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: What is searched by, and the column that has it.
_BY = (
    (By.EMAIL, "emails"),
    (By.FAMILY_CARD, "family_card"),
    (By.NIK, "nik"),
    (By.PHONE, "phones"),
)


async def test_a_tag_at_every_place_at_once_finds_only_who_has_the_value(
    store: SmallStore, tell: Tell
) -> None:
    """Every tag that ever stood there as one of every agency, field and defender."""
    tags = {tag for copy in store.copies for _, _, tag, _, _ in copy.tags}
    fields = sorted({field for _, field, _, _, _ in store.now.tags})
    rows = list(product(AGENCIES, fields, tags, [d.hex for d in DEFENDERS]))
    with store.restored("defender_tag"):
        with store.database() as database:
            database.executemany("insert or ignore into defender_tag values (?, ?, ?, ?, 1)", rows)
            [(there,)] = database.execute("select count(*) from defender_tag").fetchall()
        assert there == len(AGENCIES) * len(fields) * len(tags) * len(DEFENDERS)
        tell(f"{there - len(store.now.tags)} moves of tags")
        searched = 0
        for agency, (by, column) in product(AGENCIES, _BY):
            of_agency = {d for d in DEFENDERS if owner_of(d) == agency}
            ever = {v for values in store.values for v in _several(values, column, DEFENDERS)}
            for value in sorted(ever):
                size = (await store.house.log.head()).size

                hits = await _find(store, agency, by, value)

                assert {hit.defender.id for hit in hits} == {
                    d
                    for d in of_agency
                    if value in _one_or_more(store.values[-1][Spot("defender", d, column)])
                }
                # Whoever has or had the value gave everybody of the agency its tag: all
                # were opened, and the event says so.
                theirs = any(value in _several(v, column, of_agency) for v in store.values)
                assert await _named(store, size) == (of_agency if theirs else set())
                searched += 1
        # Three people, one of whom had another NIK and, after two phones, two others.
        assert searched == len(AGENCIES) * (3 + 3 + (3 + 1) + (4 + 4))


async def test_no_flip_of_one_bit_of_a_tag_is_the_tag_of_any_value(
    store: SmallStore, tell: Tell
) -> None:
    flipped = [
        (agency, field, (int.from_bytes(tag) ^ 1 << bit).to_bytes(16), defender, version)
        for agency, field, tag, defender, version in store.now.tags
        for bit in range(128)
    ]
    with store.restored("defender_tag"):
        with store.database() as database:
            database.execute("delete from defender_tag")
            database.executemany("insert into defender_tag values (?, ?, ?, ?, ?)", flipped)
        for agency, (by, column) in product(AGENCIES, _BY):
            for value in sorted(_several(store.values[-1], column, DEFENDERS)):
                size = (await store.house.log.head()).size
                assert await _find(store, agency, by, value) == []
                assert await _named(store, size) == set()
    tell(f"{len(flipped)} flips of tags")
    nik = store.values[-1][Spot("defender", CHANGED, "nik")]
    assert [h.defender.id for h in await _find(store, AGENCIES[0], By.NIK, nik)] == [CHANGED]


def _one_or_more(value: Any) -> set[str]:
    return {value} if isinstance(value, str) else set(value)


def _several(values: Mapping[Spot, Any], column: str, people: Collection[UUID]) -> set[str]:
    cells = [values[Spot("defender", person, column)] for person in people]
    return {one for cell in cells for one in _one_or_more(cell)}


async def _find(store: SmallStore, agency: str, by: By, value: str) -> list[Any]:
    caller = store.caller(agency)
    return await find_defenders(
        store.house, caller, Query(by, value), first=20, asked=frozenset({"nik", "phones"})
    )


async def _named(store: SmallStore, index: int) -> set[UUID]:
    """Give the defenders whom the event of a search names: all that were opened for it."""
    event = await store.house.log.event(index)
    assert event.action is Action.SEARCH
    return {r for t in event.touched for kind, r, _ in t.records if kind is RecordKind.DEFENDER}
