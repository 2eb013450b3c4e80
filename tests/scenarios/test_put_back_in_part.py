"""What was put back to an older state: all of it together opens, and no part of it does."""

from itertools import product
from typing import Any

import pytest

from api.store.sealed_fields import LAYOUTS
from api.vocabulary import Compartment
from tests.scenarios.telling import Tell
from tests.small_store import (
    CHANGED,
    Slot,
    SmallStore,
    Spot,
    opens,
    owner_of,
    refused,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

_IDENTITY = Compartment.IDENTITY


async def test_a_rollback_of_part_of_a_compartment_is_refused_and_of_all_of_it_is_not(
    store: SmallStore, reports: list[Any], tell: Tell
) -> None:
    """Each mixture of the ciphertexts of two columns, the manifest and the wraps of all times.

    A whole compartment that was put back opens: only the access log knows better, and
    `perisai log verify` compares.
    """
    name, nik = Spot("defender", CHANGED, "full_name"), Spot("defender", CHANGED, "nik")
    of = (CHANGED, _IDENTITY)
    slots = [Slot(*of, version, owner_of(CHANGED)) for version in (1, 2)]
    first, second = store.copies[0].wraps[slots[0]], store.now.wraps[slots[1]]
    times = range(len(store.copies))
    shown: dict[str, int] = {"older": 0, "newest": 0, "nothing": 0}
    for wraps, of_manifest in product([[], [first], [second], [first, second]], times):
        proving = store.copies[of_manifest].manifests[of]
        keys = await store.all_keys(wraps, store.now.with_manifests({of: proving}))
        version = max((w.version for w in wraps), default=0)
        holds = proving.data[1:5] == version.to_bytes(4)
        for spot, of_field in product((name, nik), times):
            data = store.copies[of_field].fields[spot]
            if not holds or data != store.copies[of_manifest].fields[spot]:
                assert refused(keys, spot, data)
                shown["nothing"] += 1
                continue
            value = opens(keys, spot, data)
            assert value == store.values[of_manifest][spot]
            newest = proving == store.now.manifests[of]
            assert not newest or value == store.values[-1][spot]
            shown["newest" if newest else "older"] += 1
    tell(f"{sum(shown.values())} mixtures of old and new: {shown}")
    assert sum(shown.values()) == 4 * len(times) * 2 * len(times)
    assert all(shown.values())


async def test_an_older_manifest_alone_withholds_what_has_changed_and_nothing_else(
    store: SmallStore, reports: list[Any]
) -> None:
    of = (CHANGED, _IDENTITY)
    now, older = store.now, store.copies[-2].manifests[of]
    for manifest, withheld in ((older, {"full_name"}), (None, set(LAYOUTS[_IDENTITY].columns))):
        keys = await store.all_keys(copy=now.with_manifests({of: manifest}))

        broken = {spot for spot, data in now.fields.items() if refused(keys, spot, data)}

        assert broken == {Spot("defender", CHANGED, column) for column in withheld}
