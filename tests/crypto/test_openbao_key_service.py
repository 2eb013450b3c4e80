"""What holds of the keys in OpenBao alone: what a token may do, and what is refused."""

import base64
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from api.crypto.key_service import KeyKind
from api.crypto.openbao_key_service import OpenBaoKeyService
from api.errors import KeysUnavailable, RefusesToStart, SealBroken
from tests.crypto.openbao_services import make_keys, policies, service_with, token_for
from tests.openbao import OpenBaoServer

KEY = b"k" * 32

Open = Callable[..., OpenBaoKeyService]


@pytest.fixture
async def prefix(bao: OpenBaoServer, tmp_path: Path) -> str:
    """Make keys of two agencies, under a prefix of their own."""
    prefix = bao.new_prefix()
    await make_keys(bao, tmp_path, prefix, "komnas-ham", "lpsk")
    return prefix


@pytest.fixture
async def opened(bao: OpenBaoServer, tmp_path: Path, prefix: str) -> AsyncIterator[Open]:
    """Open services, each with a token of its own; close them all."""
    services = []

    def one(token: str, *owners: str) -> OpenBaoKeyService:
        service = service_with(bao, tmp_path / f"s{len(services)}", token, prefix, *owners)
        services.append(service)
        return service

    yield one
    for service in services:
        await service.close()


async def test_a_token_of_one_agency_opens_nothing_of_another_whatever_the_settings_say(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    ham = opened(token_for(bao, prefix, "komnas-ham"), "komnas-ham")
    [(version, wrapped)] = await ham.wrap_many("komnas-ham", [(b"c", KEY)])

    lpsk = opened(token_for(bao, prefix, "lpsk"), "komnas-ham", "lpsk")

    assert len(await lpsk.wrap_many("lpsk", [(b"c", KEY)])) == 1
    for asked in [
        lpsk.unwrap_many("komnas-ham", [(b"c", version, wrapped)]),
        lpsk.wrap_many("komnas-ham", [(b"c", KEY)]),
        lpsk.prf_many("komnas-ham", b"l", [b"x"], 1),
        lpsk.versions("komnas-ham", KeyKind.KEK),
        lpsk.rotate("komnas-ham", KeyKind.KEK),
        lpsk.destroy_below("komnas-ham", KeyKind.KEK, 1),
        lpsk.refresh(),
        lpsk.health(),
    ]:
        with pytest.raises(KeysUnavailable):
            await asked
    with pytest.raises(SealBroken):
        await lpsk.unwrap_many("lpsk", [(b"c", version, wrapped)])


async def test_the_token_of_a_service_wraps_unwraps_and_hashes_and_nothing_else(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    token = token_for(bao, prefix, "lpsk")
    await opened(token, "lpsk").refresh()
    await opened(token, "lpsk").health()
    await opened(token, "lpsk").prf_many("lpsk", b"l", [b"x"], 1)

    kek, idx = f"{prefix}lpsk-kek", f"{prefix}lpsk-idx"
    item = {"plaintext": "", "input": "", "ciphertext": "vault:v1:"}
    for method, path in [
        ("POST", f"transit/encrypt/{prefix}new"),
        ("POST", f"transit/encrypt/{prefix}komnas-ham-kek"),
        ("POST", f"transit/encrypt/{idx}"),
        ("POST", f"transit/decrypt/{idx}"),
        ("POST", f"transit/hmac/{kek}"),
        ("POST", f"transit/rewrap/{kek}"),
        ("POST", f"transit/datakey/plaintext/{kek}"),
        ("POST", f"transit/keys/{kek}"),
        ("POST", f"transit/keys/{kek}/rotate"),
        ("POST", f"transit/keys/{kek}/config"),
        ("POST", f"transit/keys/{kek}/trim"),
        ("DELETE", f"transit/keys/{kek}"),
        ("GET", f"transit/export/encryption-key/{kek}"),
        ("GET", f"transit/export/hmac-key/{idx}"),
        ("GET", f"transit/backup/{kek}"),
        ("GET", "transit/keys?list=true"),
        ("GET", "sys/mounts"),
        ("POST", "auth/token/create"),
    ]:
        assert bao.status_of(token, method, path, item) == 403, path
    service = opened(token, "lpsk")
    with pytest.raises(KeysUnavailable):
        await service.rotate("lpsk", KeyKind.KEK)
    assert await service.versions("lpsk", KeyKind.KEK) == [1]


async def test_the_operators_token_changes_keys_and_opens_none_for_export(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    name = bao.policy(f"{prefix}keeper", policies("lpsk", prefix)[1])
    token = bao.token(name, no_default_policy=True)
    keeper, kek = opened(token, "lpsk"), f"{prefix}lpsk-kek"

    assert await keeper.rotate("lpsk", KeyKind.KEK) == 2
    await keeper.destroy_below("lpsk", KeyKind.KEK, 2)

    for path, body in [
        (f"transit/keys/{kek}/config", {"exportable": True}),
        (f"transit/keys/{kek}/config", {"allow_plaintext_backup": True}),
        (f"transit/keys/{kek}/config", {"deletion_allowed": True}),
        (f"transit/keys/{kek}", {"type": "aes256-gcm96", "exportable": True}),
        (f"transit/decrypt/{kek}", {"ciphertext": "vault:v1:"}),
    ]:
        assert bao.status_of(token, "POST", path, body) == 403, path
    with pytest.raises(KeysUnavailable):
        await keeper.wrap_many("lpsk", [(b"c", KEY)])


async def test_even_the_administrator_cannot_take_a_key_out(
    bao: OpenBaoServer, prefix: str
) -> None:
    for path in [
        f"transit/export/encryption-key/{prefix}lpsk-kek",
        f"transit/export/hmac-key/{prefix}lpsk-idx",
        f"transit/backup/{prefix}lpsk-kek",
    ]:
        assert bao.status_of(bao.root, "GET", path) >= 400


@pytest.mark.parametrize(
    "change",
    [{"exportable": True}, {"allow_plaintext_backup": True}],
    ids=lambda change: next(iter(change)),
)
async def test_a_key_that_could_leave_the_server_is_not_used(
    bao: OpenBaoServer, prefix: str, opened: Open, change: dict[str, Any]
) -> None:
    running = opened(token_for(bao, prefix, "lpsk"), "lpsk")
    await running.health()
    bao.admin("POST", f"transit/keys/{prefix}lpsk-kek/config", change)

    for service in (running, opened(token_for(bao, prefix, "lpsk"), "lpsk")):
        with pytest.raises(KeysUnavailable):
            await service.refresh()
        with pytest.raises(KeysUnavailable):
            await service.wrap_many("lpsk", [(b"c", KEY)])
        with pytest.raises(KeysUnavailable):
            await service.health()


@pytest.mark.parametrize(
    "kind", [{"type": "hmac", "key_size": 32}, {"type": "aes256-gcm96", "derived": True}]
)
async def test_a_key_of_another_kind_is_not_used(
    bao: OpenBaoServer, opened: Open, prefix: str, kind: dict[str, Any]
) -> None:
    bao.admin("POST", f"transit/keys/{prefix}lbh-kek", kind)
    service = opened(bao.root, "lbh")

    with pytest.raises(KeysUnavailable):
        await service.versions("lbh", KeyKind.KEK)


async def test_an_owner_without_keys_is_named_at_the_start_and_gets_none_by_asking(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    service = opened(bao.root, "lbh", "lpsk")

    with pytest.raises(RefusesToStart, match="no keys of: lbh"):
        await service.refresh()
    with pytest.raises(KeysUnavailable):
        await service.wrap_many("lbh", [(b"c", KEY)])
    assert bao.status_of(bao.root, "GET", f"transit/keys/{prefix}lbh-kek") == 404


async def test_creating_makes_what_is_missing_and_replaces_nothing(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    service = opened(token_for(bao, prefix, "lpsk"), "lpsk")
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"c", KEY)])
    owners = ("komnas-ham", "lbh", "lpsk")
    keeper = opened(token_for(bao, prefix, *owners, keeper=True), *owners)

    assert await keeper.create() == ["lbh"]
    with pytest.raises(RefusesToStart, match="already"):
        await keeper.create()

    assert await service.unwrap_many("lpsk", [(b"c", version, wrapped)]) == [KEY]


async def test_the_server_itself_refuses_to_wrap_under_a_version_before_a_rotation(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    keeper = opened(token_for(bao, prefix, "lpsk", keeper=True), "lpsk")
    await keeper.rotate("lpsk", KeyKind.KEK)

    item = {"plaintext": "", "associated_data": "YQ==", "key_version": 1}
    token = token_for(bao, prefix, "lpsk")
    body = {"batch_input": [item]}

    path = f"transit/encrypt/{prefix}lpsk-kek"
    assert bao.status_of(token, "POST", path, body) == 400
    assert bao.status_of(token, "POST", path, {"batch_input": [item | {"key_version": 2}]}) == 200


async def test_an_interrupted_destruction_is_finished_by_the_next(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    keeper = opened(token_for(bao, prefix, "lpsk", keeper=True), "lpsk")
    await keeper.rotate("lpsk", KeyKind.KEK)
    bounds = {"min_decryption_version": 2, "min_encryption_version": 2}
    bao.admin("POST", f"transit/keys/{prefix}lpsk-kek/config", bounds)

    await keeper.destroy_below("lpsk", KeyKind.KEK, 2)

    data = bao.admin("GET", f"transit/keys/{prefix}lpsk-kek")["data"]
    assert data["min_available_version"] == 2
    back = {"min_decryption_version": 1}
    assert bao.status_of(bao.root, "POST", f"transit/keys/{prefix}lpsk-kek/config", back) == 400


async def test_a_server_that_was_put_back_is_noticed(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    service = opened(token_for(bao, prefix, "lpsk", keeper=True), "lpsk")
    await service.rotate("lpsk", KeyKind.KEK)
    key = f"transit/keys/{prefix}lpsk-kek"
    bao.admin("POST", f"{key}/config", {"deletion_allowed": True})
    bao.admin("DELETE", key)
    bao.admin("POST", key, {"type": "aes256-gcm96"})

    for asked in [
        service.versions("lpsk", KeyKind.KEK),
        service.refresh(),
        service.wrap_many("lpsk", [(b"c", KEY)]),
    ]:
        with pytest.raises(KeysUnavailable):
            await asked


async def test_a_wrap_of_another_key_service_is_broken(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    service = opened(token_for(bao, prefix, "lpsk"), "lpsk")
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"c", KEY)])

    with pytest.raises(SealBroken):
        await service.unwrap_many("lpsk", [(b"c", version, b"\x01" + wrapped[1:])])


async def test_what_is_stored_is_the_servers_ciphertext_bound_to_owner_version_and_context(
    bao: OpenBaoServer, prefix: str, opened: Open
) -> None:
    """Follows FORMAT.md with calls of its own."""
    service = opened(token_for(bao, prefix, "lpsk"), "lpsk")
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"context", KEY)])

    def framed(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    data = framed(b"perisai openbao kek v1", b"lpsk", (1).to_bytes(4, "big")) + b"context"
    body = {
        "ciphertext": "vault:v1:" + base64.b64encode(wrapped[1:]).decode(),
        "associated_data": base64.b64encode(data).decode(),
    }
    answer = bao.admin("POST", f"transit/decrypt/{prefix}lpsk-kek", body)
    assert base64.b64decode(answer["data"]["plaintext"]) == KEY
    assert (version, wrapped[0], len(wrapped)) == (1, 2, 61)

    item = os.urandom(20)
    message = framed(b"perisai openbao idx v1", b"lpsk", b"label") + item
    body = {"input": base64.b64encode(message).decode(), "key_version": "1"}
    answer = bao.admin("POST", f"transit/hmac/{prefix}lpsk-idx/sha2-256", body)
    [tag] = await service.prf_many("lpsk", b"label", [item], 1)
    assert answer["data"]["hmac"] == "vault:v1:" + base64.b64encode(tag).decode()


@pytest.mark.parametrize("owner", ["", "LPSK", "../sys", "a/b", "a b", "-a", "ä"])
async def test_an_owner_that_cannot_name_a_key_is_refused(
    bao: OpenBaoServer, tmp_path: Path, owner: str
) -> None:
    with pytest.raises(RefusesToStart):
        service_with(bao, tmp_path, bao.root, "perisai-", owner)
