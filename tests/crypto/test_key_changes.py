"""Changing keys: what holds is wrapped anew, what does not is told from it, one by one."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from api.crypto.data_keys import WrappedKey
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_changes import KeyChanges
from api.crypto.key_file import Cost
from api.crypto.key_service import KeyKind
from api.crypto.keyring import Keyring
from api.errors import KeysUnavailable
from api.vocabulary import Compartment

OWNER = "komnas-ham"


@pytest.fixture
def service(tmp_path: Path) -> FileKeyService:
    return FileKeyService.create(
        tmp_path / "keys", lambda: "correct horse", [OWNER, "lpsk"], cost=Cost(8, 1, 1)
    )


async def wraps_of(keyring: Keyring, count: int) -> list[WrappedKey]:
    places: list[tuple[UUID, Compartment]] = [(uuid4(), Compartment.IDENTITY)] * count
    return [wrap for _, wrap in await keyring.new_keys(OWNER, places)]


async def test_a_wrap_is_made_anew_under_the_newest_version_and_holds_the_same_key(
    service: FileKeyService,
) -> None:
    keyring = Keyring(service, {})
    old = await wraps_of(keyring, 3)
    changes = KeyChanges(service)
    assert await changes.advance(OWNER, KeyKind.KEK, 2) == 2

    new = await changes.rewrap(OWNER, old)

    assert [(w.kek_version, w.version) for w in new if w] == [(2, 1)] * 3
    was, now = [await keyring.open_keys(OWNER, [w]) for w in (old[1], new[1])]
    assert was[0].secret == now[0].secret
    assert old[1].wrapped != new[1].wrapped


async def test_secrets_of_an_owner_are_made_anew_like_data_keys(service: FileKeyService) -> None:
    secrets = await Keyring.new_secrets(service, OWNER)
    before = await Keyring.start(service, secrets)
    changes = KeyChanges(service)
    await changes.advance(OWNER, KeyKind.KEK, 2)

    new = await changes.rewrap(OWNER, secrets)

    after = await Keyring.start(service, [secret for secret in new if secret])
    seal = before.rights(OWNER).seal("member", ["x"])
    assert after.rights(OWNER).holds("member", ["x"], seal)
    assert {secret.kek_version for secret in new if secret} == {2}


@pytest.mark.parametrize("count", [1, 2, 7])
async def test_each_wrap_that_does_not_hold_is_found_among_the_others(
    service: FileKeyService, count: int
) -> None:
    keyring = Keyring(service, {})
    old = await wraps_of(keyring, 8)
    for place in range(count):
        old[place] = old[place]._replace(
            **[
                {"wrapped": old[place].wrapped[:-1] + bytes([old[place].wrapped[-1] ^ 1])},
                {"commitment": bytes(32)},
                {"kek_version": 9},
                {"version": 2},
                {"version": -1},
                {"record": uuid4()},
                {"wrapped": None},
            ][place]
        )

    new = await KeyChanges(service).rewrap(OWNER, old)

    assert [wrap is None for wrap in new] == [True] * count + [False] * (8 - count)


async def test_a_wrap_of_another_owner_is_not_made_anew_for_this_one(
    service: FileKeyService,
) -> None:
    old = await wraps_of(Keyring(service, {}), 1)

    with pytest.raises(KeysUnavailable):
        await KeyChanges(service).rewrap("lpsk", old)


async def test_a_version_far_ahead_brings_one_new_version_only(service: FileKeyService) -> None:
    changes = KeyChanges(service)

    assert await changes.advance(OWNER, KeyKind.IDX, 1_000_000) == 2
    assert await changes.advance(OWNER, KeyKind.IDX, 2) == 2
    assert [s.version for s in await changes.status(OWNER, KeyKind.IDX)] == [1, 2]
    assert await changes.newest(OWNER, KeyKind.KEK) == 1


async def test_what_changes_keys_shows_nothing(service: FileKeyService) -> None:
    assert repr(KeyChanges(service)) == "<key changes>"


async def test_nothing_is_made_of_nothing(service: FileKeyService) -> None:
    assert await KeyChanges(service).rewrap(OWNER, []) == []
