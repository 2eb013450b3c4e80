"""Moved in the database itself, and read the whole way, as a caseworker reads."""

from typing import Any

import pytest

from api.casework.defenders import update_defender
from api.casework.disclosure import Disclosed, Reading, disclose
from api.casework.key_exchange import exchange
from api.casework.views import CaseFileView
from api.errors import SealBroken
from api.store.case_file_statements import Shape, Which
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.store.sealed_records import DEFENDERS
from api.vocabulary import Action, Reason, RecordKind
from tests.scenarios.telling import Tell
from tests.small_store import (
    AGENCIES,
    CASE_FILES,
    CHANGED,
    SmallStore,
    Spot,
    field_of,
    owner_of,
    record_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_whole_disclosure_withholds_the_field_that_was_moved_and_shows_all_others(
    store: SmallStore, reports: list[Any], tell: Tell
) -> None:
    """Once for each place: into it goes what stands in the next one."""
    now = store.now
    spots = [s for s in now.fields if s.table != "release"]
    before = [_shown(await _read(store, place)) for place in (0, 1)]
    assert len(before[0]) + len(before[1]) == len(spots)
    with store.restored("case_file", "defender", "note"):
        for spot, following in zip(spots, [*spots[1:], spots[0]], strict=True):
            _put(store, spot, now.fields[following])

            place = AGENCIES.index(owner_of(record_of(spot)))
            view = await _read(store, place)

            assert _shown(view) == {**before[place], spot: None}
            assert _withheld(view) == {field_of(spot).name: Reason.SEAL_BROKEN}
            _put(store, spot, now.fields[spot])
    assert [_shown(await _read(store, place)) for place in (0, 1)] == before
    assert len(reports) == len(spots)
    tell(f"{len(spots)} whole disclosures")


async def test_a_change_after_a_rollback_does_not_make_the_older_value_the_newest(
    store: SmallStore, reports: list[Any]
) -> None:
    nik, caller = Spot("defender", CHANGED, "nik"), store.caller(AGENCIES[0])
    with store.restored("defender", "manifest"):
        for older in dict.fromkeys(copy.fields[nik] for copy in store.copies[:-1]):
            if older == store.now.fields[nik]:
                continue
            _put(store, nik, older)
            revision = (await _read(store, 0)).defenders[0].revision
            await update_defender(store.house, caller, CHANGED, revision, {"gender": "lain"})

            shown = (await _read(store, 0)).defenders[0]

            assert (shown.gender, shown.nik) == ("lain", None)
            assert [(w.field, w.reason) for w in shown.withheld] == [("nik", Reason.SEAL_BROKEN)]
    assert (await _read(store, 0)).defenders[0].nik == store.values[-1][nik]
    assert len(reports) == 2 * 2  # two older ciphertexts, each read before and after


async def test_an_exchange_of_keys_does_not_make_what_was_moved_or_put_back_the_newest(
    store: SmallStore, reports: list[Any]
) -> None:
    """It opens what it seals anew, so it must refuse what a disclosure refuses, and all of it."""
    now, spots = store.now, [s for s in store.now.fields if s.row == CHANGED]
    older = {(s, copy.fields[s]) for copy in store.copies[:-1] for s in spots}
    moved = set(zip(spots, [now.fields[s] for s in (*spots[1:], spots[0])], strict=True))
    tried = sorted((older | moved) - set(now.fields.items()))
    with store.restored("defender", "data_key", "manifest"):
        for spot, data in tried:
            _put(store, spot, data)
            async with store.house.records.change() as change:
                exchanged = await exchange(store.house, change, DEFENDERS, AGENCIES[0], [CHANGED])
            assert (exchanged.done, exchanged.broken) == (set(), {CHANGED})
            _put(store, spot, now.fields[spot])
        async with store.house.records.change() as change:
            exchanged = await exchange(store.house, change, DEFENDERS, AGENCIES[0], [CHANGED])
        assert (exchanged.done, exchanged.broken) == ({CHANGED}, set())
        shown = _shown(await _read(store, 0))
        assert all(shown[spot] == store.values[-1][spot] for spot in spots)
    assert len(tried) == 17 + 12  # replaced by three changes and one exchange; moved


async def test_without_its_manifest_a_compartment_is_not_sealed_on(
    store: SmallStore, reports: list[Any]
) -> None:
    caller = store.caller(AGENCIES[0])
    before = _shown(await _read(store, 0))
    with store.restored("manifest"):
        with store.database() as database:
            database.execute(
                "delete from manifest where record = ? and compartment = 'identity'", [CHANGED.hex]
            )
        revision = (await _read(store, 0)).defenders[0].revision
        with pytest.raises(SealBroken):
            await update_defender(store.house, caller, CHANGED, revision, {"gender": "lain"})
    assert _shown(await _read(store, 0)) == before
    assert reports


async def _read(store: SmallStore, place: int) -> CaseFileView:
    """Read all of a case file, its defenders and its notes as the caseworker of its agency."""
    found: Disclosed = await disclose(
        store.house,
        store.caller(AGENCIES[place]),
        Reading(
            Action.READ,
            Shape(Which.ONE, frozenset(CASE_FILE_FIELDS), frozenset(DEFENDER_FIELDS)),
            {"id": CASE_FILES[place]},
            target=(RecordKind.CASE_FILE, CASE_FILES[place]),
            notes=True,
            note_bodies=True,
        ),
    )
    [view] = found.case_files
    return view


def _shown(view: CaseFileView) -> dict[Spot, Any]:
    """Give every sealed value of a view by its place; None: withheld."""
    found = {
        Spot("case_file", view.id, f.column): getattr(view, f.column)
        for f in CASE_FILE_FIELDS.values()
    }
    for defender in view.defenders:
        for field in DEFENDER_FIELDS.values():
            spot = Spot("defender", defender.id, field.column)
            found[spot] = getattr(defender, field.column)
    return found | {Spot("note", note.id, "body"): note.body for note in view.notes}


def _withheld(view: CaseFileView) -> dict[str, Reason]:
    withheld = [*view.withheld, *(w for d in view.defenders for w in d.withheld)]
    return {w.field: w.reason for w in withheld}


def _put(store: SmallStore, spot: Spot, data: bytes) -> None:
    with store.database() as database:
        database.execute(
            f"update {spot.table} set {spot.column} = ? where id = ?", [data, spot.row.hex]
        )
