"""What every key service promises, held to both: the file's, and a real OpenBao's."""

import os
import pickle
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.crypto.file_key_service import FileKeyService
from api.crypto.key_service import KeyKind, KeyService
from api.crypto.opened_keys import OpenedKeys
from api.errors import KeysUnavailable, SealBroken
from tests.crypto.conftest import CHEAP, PASSPHRASE
from tests.crypto.openbao_services import make_keys, service_with, token_for
from tests.openbao import OpenBaoServer

OWNERS = ("komnas-ham", "lpsk")
KEY = b"k" * 32


@dataclass
class Shared:
    """Keys that several processes share: `another` gives the service of one more."""

    another: Callable[[], KeyService]
    service: KeyService


@pytest.fixture(params=["file", "openbao", "openbao behind a cache"])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shared]:
    made: list[KeyService] = []
    path = tmp_path / "keys"
    if request.param == "file":
        FileKeyService.create(path, lambda: PASSPHRASE, OWNERS, cost=CHEAP)
    else:
        server: OpenBaoServer = request.getfixturevalue("bao")
        prefix = server.new_prefix()
        await make_keys(server, tmp_path, prefix, *OWNERS)
        token = token_for(server, prefix, *OWNERS, keeper=True)

    def another() -> KeyService:
        service: KeyService
        if request.param == "file":
            service = FileKeyService.open(path, lambda: PASSPHRASE, OWNERS)
        else:
            service = service_with(server, tmp_path / "service", token, prefix, *OWNERS)
        if request.param == "openbao behind a cache":
            service = OpenedKeys(service)
        made.append(service)
        return service

    yield Shared(another, another())
    for service in made:
        await service.close()


@pytest.fixture
def service(shared: Shared) -> KeyService:
    return shared.service


async def test_what_one_process_wraps_another_unwraps(shared: Shared) -> None:
    wraps = await shared.service.wrap_many("lpsk", [(b"a", KEY), (b"b", b""), (b"", b"\x00")])

    items = [(c, *wrap) for c, wrap in zip((b"a", b"b", b""), wraps, strict=True)]

    assert await shared.another().unwrap_many("lpsk", items) == [KEY, b"", b"\x00"]
    assert {version for version, _ in wraps} == {1}
    assert all(KEY not in wrapped for _, wrapped in wraps)


async def test_two_wraps_of_one_key_differ(service: KeyService) -> None:
    wraps = await service.wrap_many("lpsk", [(b"c", KEY), (b"c", KEY)])

    assert wraps[0] != wraps[1]


async def test_a_wrap_opens_in_its_context_owner_and_version_only(service: KeyService) -> None:
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"context", KEY)])
    await service.rotate("lpsk", KeyKind.KEK)

    for owner, context, number in [
        ("lpsk", b"Context", version),
        ("lpsk", b"context\x00", version),
        ("lpsk", b"", version),
        ("komnas-ham", b"context", version),
        ("lpsk", b"context", 0),
        ("lpsk", b"context", -1),
        ("lpsk", b"context", version + 1),
        ("lpsk", b"context", version + 2),
        ("lpsk", b"context", 1 << 32),
    ]:
        with pytest.raises(SealBroken):
            await service.unwrap_many(owner, [(context, number, wrapped)])
    assert await service.unwrap_many("lpsk", [(b"context", version, wrapped)]) == [KEY]


async def test_a_wrap_of_which_any_byte_changed_does_not_open(service: KeyService) -> None:
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"c", KEY)])
    changed = [
        wrapped[:place] + bytes([wrapped[place] ^ 1 << place % 8]) + wrapped[place + 1 :]
        for place in range(len(wrapped))
    ]

    for other in [*changed, b"", wrapped[:1], wrapped[:12], wrapped[:-1], wrapped + b"\x00"]:
        with pytest.raises(SealBroken):
            await service.unwrap_many("lpsk", [(b"c", version, other)])


async def test_one_broken_wrap_of_many_gives_none_of_the_others(service: KeyService) -> None:
    wraps = await service.wrap_many("lpsk", [(b"c", KEY)] * 3)
    items = [(b"c", *wrap) for wrap in wraps]
    items[1] = (b"d", *wraps[1])

    with pytest.raises(SealBroken):
        await service.unwrap_many("lpsk", items)


async def test_a_thousand_keys_come_back_in_their_order(service: KeyService) -> None:
    keys = [os.urandom(32) for _ in range(1000)]
    contexts = [os.urandom(120) for _ in keys]

    wraps = await service.wrap_many("lpsk", list(zip(contexts, keys, strict=True)))
    items = [(c, *wrap) for c, wrap in zip(contexts, wraps, strict=True)]

    assert await service.unwrap_many("lpsk", items) == keys
    tags = await service.prf_many("lpsk", b"l", keys, 1)
    assert len(set(tags)) == 1000
    assert tags[-1:] == await service.prf_many("lpsk", b"l", keys[-1:], 1)


async def test_keyed_values_are_equal_for_equal_items_of_one_use_only(shared: Shared) -> None:
    [tag, again, other] = await shared.service.prf_many("lpsk", b"nik", [b"x", b"x", b"y"], 1)

    assert tag == again != other
    assert len(tag) == 32
    assert await shared.another().prf_many("lpsk", b"nik", [b"x"], 1) == [tag]
    for owner, label, item in [
        ("komnas-ham", b"nik", b"x"),
        ("lpsk", b"ni", b"kx"),
        ("lpsk", b"nikx", b""),
        ("lpsk", b"", b"nikx"),
        ("lpsk", b"kk", b"x"),
    ]:
        assert await shared.service.prf_many(owner, label, [item], 1) != [tag]


async def test_a_rotation_wraps_anew_in_every_process_and_opens_the_old(shared: Shared) -> None:
    service, other = shared.service, shared.another()
    [old] = await other.wrap_many("lpsk", [(b"c", KEY)])
    await other.versions("lpsk", KeyKind.KEK)

    assert await service.rotate("lpsk", KeyKind.KEK) == 2

    for one in (service, other):
        [(version, wrapped)] = await one.wrap_many("lpsk", [(b"c", KEY)])
        assert version == 2
        items = [(b"c", version, wrapped), (b"c", *old)]
        assert await one.unwrap_many("lpsk", items) == [KEY, KEY]
        assert await one.versions("lpsk", KeyKind.KEK) == [1, 2]
        assert await one.versions("komnas-ham", KeyKind.KEK) == [1]
        assert await one.versions("lpsk", KeyKind.IDX) == [1]


async def test_a_rotated_index_key_gives_both_values_in_every_process(shared: Shared) -> None:
    service, other = shared.service, shared.another()
    before = await other.prf_many("lpsk", b"l", [b"x"], 1)
    with pytest.raises(KeysUnavailable):
        await other.prf_many("lpsk", b"l", [b"x"], 2)

    assert await service.rotate("lpsk", KeyKind.IDX) == 2

    for one in (service, other):
        assert await one.versions("lpsk", KeyKind.IDX) == [1, 2]
        assert await one.prf_many("lpsk", b"l", [b"x"], 1) == before
        assert await one.prf_many("lpsk", b"l", [b"x"], 2) != before


async def test_a_destroyed_version_opens_nothing_ever_again(shared: Shared) -> None:
    service, other = shared.service, shared.another()
    [(_, old)] = await other.wrap_many("lpsk", [(b"c", KEY)])
    await service.unwrap_many("lpsk", [(b"c", 1, old)])
    await service.rotate("lpsk", KeyKind.KEK)
    [(_, new)] = await service.wrap_many("lpsk", [(b"c", KEY)])

    await service.destroy_below("lpsk", KeyKind.KEK, 2)
    await service.destroy_below("lpsk", KeyKind.KEK, 2)
    await other.refresh()

    for one in (service, other, shared.another()):
        assert await one.versions("lpsk", KeyKind.KEK) == [2]
        with pytest.raises(SealBroken):
            await one.unwrap_many("lpsk", [(b"c", 1, old)])
        assert await one.unwrap_many("lpsk", [(b"c", 2, new)]) == [KEY]
        [(version, _)] = await one.wrap_many("lpsk", [(b"c", KEY)])
        assert version == 2


async def test_a_destroyed_index_key_makes_no_values(shared: Shared) -> None:
    service, other = shared.service, shared.another()
    await other.prf_many("lpsk", b"l", [b"x"], 1)
    await service.rotate("lpsk", KeyKind.IDX)

    await service.destroy_below("lpsk", KeyKind.IDX, 2)
    await other.refresh()

    for one in (service, other):
        with pytest.raises(KeysUnavailable):
            await one.prf_many("lpsk", b"l", [b"x"], 1)
        assert len(await one.prf_many("lpsk", b"l", [b"x"], 2)) == 1


@pytest.mark.parametrize("kind", KeyKind)
async def test_the_newest_version_is_never_destroyed(service: KeyService, kind: KeyKind) -> None:
    await service.rotate("lpsk", kind)

    with pytest.raises(KeysUnavailable):
        await service.destroy_below("lpsk", kind, 3)
    await service.destroy_below("lpsk", kind, 1)

    assert await service.versions("lpsk", kind) == [1, 2]


async def test_an_owner_who_is_not_served_gets_nothing_not_even_of_nothing(
    service: KeyService,
) -> None:
    for asked in [
        service.wrap_many("lbh", [(b"c", KEY)]),
        service.unwrap_many("lbh", []),
        service.prf_many("lbh", b"l", [], 1),
        service.versions("lbh", KeyKind.KEK),
        service.rotate("lbh", KeyKind.KEK),
        service.destroy_below("lbh", KeyKind.KEK, 1),
    ]:
        with pytest.raises(KeysUnavailable):
            await asked


async def test_nothing_asked_for_is_nothing_given(service: KeyService) -> None:
    assert await service.wrap_many("lpsk", []) == []
    assert await service.unwrap_many("lpsk", []) == []
    assert await service.prf_many("lpsk", b"l", [], 1) == []


async def test_the_status_tells_versions_and_ages(service: KeyService) -> None:
    await service.rotate("lpsk", KeyKind.KEK)
    await service.health()

    status = await service.status()

    told = {(s.owner, s.kind, s.version) for s in status}
    assert told == {(o, k, 1) for o in OWNERS for k in ("kek", "idx")} | {("lpsk", "kek", 2)}
    assert len(status) == len(told)
    now = datetime.now(UTC)
    assert all(timedelta(-2) < now - s.made < timedelta(hours=1) for s in status)


async def test_a_closed_service_serves_nobody(shared: Shared) -> None:
    service = shared.another()
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"c", KEY)])
    await service.unwrap_many("lpsk", [(b"c", version, wrapped)])

    await service.close()

    with pytest.raises(KeysUnavailable):
        await service.unwrap_many("lpsk", [(b"c", version, wrapped)])
    with pytest.raises(KeysUnavailable):
        await service.health()


async def test_a_service_shows_nothing_and_is_not_pickled(service: KeyService) -> None:
    await service.wrap_many("lpsk", [(b"c", KEY)])

    assert repr(service).startswith("<")
    assert not any(owner in repr(service) for owner in OWNERS)
    with pytest.raises(TypeError):
        pickle.dumps(service)


# -- how many were unwrapped -----------------------------------------------------


async def test_each_key_that_is_given_out_is_counted_for_its_owner(shared: Shared) -> None:
    service = shared.service
    await service.refresh()
    wraps = {
        owner: [(b"here", *wrap) for wrap in await service.wrap_many(owner, [(b"here", KEY)] * 3)]
        for owner in OWNERS
    }

    for _ in range(2):
        await service.unwrap_many("lpsk", wraps["lpsk"])
    await service.unwrap_many("komnas-ham", wraps["komnas-ham"][:1])
    await service.unwrap_many("lpsk", [])

    assert service.unwrapped() == {"lpsk": 6, "komnas-ham": 1}


async def test_neither_what_does_not_open_nor_a_look_at_the_health_is_counted(
    shared: Shared,
) -> None:
    service = shared.service
    await service.refresh()
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"here", KEY)])

    await service.health()
    with pytest.raises(SealBroken):
        await service.unwrap_many("lpsk", [(b"there", version, wrapped)])

    assert sum(service.unwrapped().values()) == 0
