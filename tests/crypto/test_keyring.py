"""Data keys open from their own wraps only; secrets and tags belong to one owner."""

import copy
import pickle
from collections.abc import Callable
from hashlib import sha256
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.crypto.data_keys import DataKey, WrappedKey, commitment, wrap_context
from api.crypto.file_key_service import FileKeyService
from api.crypto.keyring import Keyring
from api.crypto.owner_secrets import OwnerSecret, secret_context
from api.errors import KeysUnavailable, SealBroken, ValueInvalid
from api.vocabulary import Compartment

OWNER = "komnas-ham"


def with_cell(wrap: WrappedKey, column: str, value: Any) -> WrappedKey:
    """Give the row as somebody with access to the database would leave it."""
    return wrap._replace(**{column: value})


async def test_new_keys_are_distinct_and_open_from_their_wraps(keyring: Keyring) -> None:
    record, other = uuid4(), uuid4()
    places = [(record, Compartment.IDENTITY), (record, Compartment.CONTACT)]
    places.append((other, Compartment.IDENTITY))

    pairs = await keyring.new_keys(OWNER, places)

    keys = await keyring.open_keys(OWNER, [wrap for _, wrap in pairs])
    assert [(k.record, k.compartment, k.version) for k in keys] == [(*of, 1) for of in places]
    assert [k.secret for k in keys] == [k.secret for k, _ in pairs]
    assert len({k.secret for k in keys}) == 3
    assert await keyring.new_keys(OWNER, []) == []
    assert await keyring.open_keys(OWNER, []) == []


async def test_a_wrap_opens_as_itself_only(keyring: Keyring) -> None:
    records = (UUID(int=1), UUID(int=2))
    compartments = (Compartment.IDENTITY, Compartment.CONTACT)
    wraps: list[WrappedKey] = []
    for version in (1, 2):
        pairs = await keyring.new_keys(OWNER, list(product(records, compartments)), version)
        wraps += [wrap for _, wrap in pairs]
        wraps += [await keyring.wrap_for("lpsk", key) for key, _ in pairs]

    # Each claims, in turn, to be what each other is; even with the commitment moved along.
    for wrap, claimed in product(wraps, wraps):
        for proof in {wrap.commitment, claimed.commitment}:
            moved = claimed._replace(wrapped=wrap.wrapped, commitment=proof)
            if moved == wrap:
                assert len(await keyring.open_keys(wrap.owner, [moved])) == 1
            else:
                with pytest.raises(SealBroken):
                    await keyring.open_keys(claimed.owner, [moved])


@pytest.mark.parametrize("column", ["wrapped", "commitment"])
async def test_every_flip_of_one_bit_of_a_wrap_is_refused(keyring: Keyring, column: str) -> None:
    [(_, wrap)] = await keyring.new_keys(OWNER, [(uuid4(), Compartment.IDENTITY)])
    data = getattr(wrap, column)
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(SealBroken):
            await keyring.open_keys(OWNER, [with_cell(wrap, column, bytes(changed))])


@pytest.mark.parametrize("value", [None, "1", 1.0, True, -1, 2**32])
async def test_a_secret_whose_version_is_none_is_refused(
    service: FileKeyService, value: Any
) -> None:
    """SQLite keeps any type in any column, if somebody writes it."""
    rights, cursors, *_ = await Keyring.new_secrets(service, OWNER)
    for secrets in ([rights, cursors._replace(version=value)], [rights._replace(version=value)]):
        with pytest.raises(SealBroken):
            await Keyring.start(service, secrets)


@pytest.mark.parametrize("value", [None, "text", 7, b""])
async def test_a_secret_that_is_no_bytes_is_refused(service: FileKeyService, value: Any) -> None:
    [rights, *_] = await Keyring.new_secrets(service, OWNER)
    with pytest.raises(SealBroken):
        await Keyring.start(service, [rights._replace(wrapped=value)])


async def test_every_cut_of_a_wrap_is_refused(keyring: Keyring) -> None:
    [(_, wrap)] = await keyring.new_keys(OWNER, [(uuid4(), Compartment.IDENTITY)])
    for column in ("wrapped", "commitment"):
        data = getattr(wrap, column)
        for length in range(len(data)):
            with pytest.raises(SealBroken):
                await keyring.open_keys(OWNER, [with_cell(wrap, column, data[:length])])


@pytest.mark.parametrize("number", [-1, 0, 2, 2**32, 2**63])
@pytest.mark.parametrize("column", ["version", "kek_version"])
async def test_a_version_that_was_never_made_is_refused(
    keyring: Keyring, column: str, number: int
) -> None:
    [(_, wrap)] = await keyring.new_keys(OWNER, [(uuid4(), Compartment.IDENTITY)])
    with pytest.raises(SealBroken):
        await keyring.open_keys(OWNER, [with_cell(wrap, column, number)])


async def test_one_broken_wrap_fails_the_whole_call(keyring: Keyring) -> None:
    pairs = await keyring.new_keys(OWNER, [(uuid4(), Compartment.IDENTITY) for _ in range(3)])
    wraps = [wrap for _, wrap in pairs]
    wraps[1] = wraps[1]._replace(wrapped=wraps[0].wrapped)
    with pytest.raises(SealBroken):
        await keyring.open_keys(OWNER, wraps)


async def test_a_wrap_of_another_owner_is_refused_even_where_both_are_served(
    keyring: Keyring,
) -> None:
    [(key, own)] = await keyring.new_keys(OWNER, [(uuid4(), Compartment.IDENTITY)])
    wrap = await keyring.wrap_for("lpsk", key)
    for moved in (wrap, wrap._replace(owner=OWNER), own._replace(owner="lpsk")):
        with pytest.raises(SealBroken):
            await keyring.open_keys(OWNER, [moved])


async def test_a_key_wrapped_for_one_more_owner_is_the_same_key(keyring: Keyring) -> None:
    [(key, first)] = await keyring.new_keys(OWNER, [(uuid4(), Compartment.RELEASE)])
    second = await keyring.wrap_for("lpsk", key)
    [opened] = await keyring.open_keys("lpsk", [second])
    assert opened.secret == key.secret
    assert second.commitment == first.commitment
    assert second.wrapped != first.wrapped


async def test_a_ciphertext_made_for_two_keys_opens_only_under_the_committed_one(
    keyring: Keyring, service: FileKeyService
) -> None:
    """Whoever can wrap may exchange the key in a wrap; the commitment then refuses it."""
    record = uuid4()
    [(_, wrap)] = await keyring.new_keys(OWNER, [(record, Compartment.IDENTITY)])
    context = wrap_context(record, Compartment.IDENTITY, 1, OWNER)
    [(kek_version, wrapped)] = await service.wrap_many(OWNER, [(context, b"2" * 32)])
    with pytest.raises(SealBroken):
        await keyring.open_keys(OWNER, [wrap._replace(kek_version=kek_version, wrapped=wrapped)])


@pytest.mark.parametrize("secret", [b"", b"k" * 16, b"k" * 24, b"k" * 33])
async def test_a_wrap_of_a_key_that_has_not_256_bits_is_refused(
    keyring: Keyring, service: FileKeyService, secret: bytes
) -> None:
    record = uuid4()
    context = wrap_context(record, Compartment.IDENTITY, 1, OWNER)
    [(kek, wrapped)] = await service.wrap_many(OWNER, [(context, secret)])
    wrap = WrappedKey(record, Compartment.IDENTITY, 1, OWNER, kek, wrapped, commitment(secret))
    with pytest.raises(SealBroken):
        await keyring.open_keys(OWNER, [wrap])
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey(record, Compartment.IDENTITY, 1, secret)


async def test_an_owner_that_is_not_served_has_no_keys(keyring: Keyring) -> None:
    stranger = "komnas-perempuan"
    [(key, wrap)] = await keyring.new_keys(OWNER, [(uuid4(), Compartment.IDENTITY)])
    attempts: list[Callable[[], Any]] = [
        lambda: keyring.new_keys(stranger, [(uuid4(), Compartment.IDENTITY)]),
        lambda: keyring.wrap_for(stranger, key),
        lambda: keyring.open_keys(stranger, [wrap._replace(owner=stranger)]),
        lambda: keyring.tags(stranger, "nik", ["1"]),
    ]
    for attempt in attempts:
        with pytest.raises(KeysUnavailable):
            await attempt()
    for get in (keyring.rights, keyring.cursor_key):
        with pytest.raises(KeysUnavailable):
            get(stranger)


async def test_secrets_come_back_after_a_restart(service: FileKeyService) -> None:
    secrets = await Keyring.new_secrets(service, OWNER)
    first, second = [await Keyring.start(service, secrets) for _ in range(2)]
    assert second.rights(OWNER).holds("t", ["a"], first.rights(OWNER).seal("t", ["a"]))
    assert second.cursor_key(OWNER).open(b"c", first.cursor_key(OWNER).seal(b"c", b"p")) == b"p"


async def test_the_secrets_of_two_owners_differ(service: FileKeyService) -> None:
    secrets = [
        *await Keyring.new_secrets(service, OWNER),
        *await Keyring.new_secrets(service, "lpsk"),
    ]
    keyring = await Keyring.start(service, secrets)
    mac = keyring.rights(OWNER).seal("member", ["sari"])
    assert keyring.rights(OWNER).holds("member", ["sari"], mac)
    assert not keyring.rights("lpsk").holds("member", ["sari"], mac)


async def test_a_moved_or_changed_secret_is_refused(service: FileKeyService) -> None:
    rights, cursors, *_ = await Keyring.new_secrets(service, OWNER)
    changes: list[OwnerSecret] = [
        rights._replace(owner="lpsk"),
        rights._replace(kind="cursors"),
        rights._replace(version=2),
        rights._replace(version=-1),
        rights._replace(kek_version=2),
        rights._replace(wrapped=cursors.wrapped),
        rights._replace(wrapped=rights.wrapped[:-1]),
    ]
    for changed in changes:
        with pytest.raises(SealBroken):
            await Keyring.start(service, [cursors, changed])
    with pytest.raises(KeysUnavailable):
        await Keyring.start(service, [rights._replace(owner="komnas-perempuan")])


async def test_a_keyring_without_the_keys_that_cross_agencies_starts_and_says_so(
    service: FileKeyService,
) -> None:
    """An installation that is older than they are."""
    rights, cursors, *_ = await Keyring.new_secrets(service, OWNER)
    keyring = await Keyring.start(service, [rights, cursors])
    assert keyring.owners == {OWNER}
    for key in (keyring.signing_key, keyring.sharing_key):
        with pytest.raises(KeysUnavailable):
            key(OWNER)


async def test_a_wrapped_data_key_is_no_secret_of_its_owner(
    keyring: Keyring, service: FileKeyService
) -> None:
    [(_, wrap)] = await keyring.new_keys(OWNER, [(uuid4(), Compartment.IDENTITY)])
    with pytest.raises(SealBroken):
        await Keyring.start(
            service, [OwnerSecret(OWNER, "rights", 1, wrap.kek_version, wrap.wrapped)]
        )


async def test_the_newest_secret_is_used_in_whatever_order_rows_come(
    service: FileKeyService,
) -> None:
    first, *_ = await Keyring.new_secrets(service, OWNER)
    blank = OwnerSecret(OWNER, "rights", 2, 1, b"")

    [(kek, wrapped)] = await service.wrap_many(OWNER, [(secret_context(blank), b"n" * 32)])
    second = blank._replace(kek_version=kek, wrapped=wrapped)
    macs = {
        (await Keyring.start(service, rows)).rights(OWNER).seal("t", [])
        for rows in ([first, second], [second, first], [second])
    }
    assert len(macs) == 1


async def test_tags_are_equal_for_equal_values_of_one_owner_and_column_only(
    keyring: Keyring,
) -> None:
    tags = [
        tag
        for owner, column in product((OWNER, "lpsk"), ("nik", "phone"))
        for tag in (await keyring.tags(owner, column, ["3171", "3172", ""]))[1]
    ]
    assert len(set(tags)) == 12
    assert {len(tag) for tag in tags} == {16}
    assert await keyring.tags(OWNER, "nik", ["3172", "3171"]) == (1, [tags[1], tags[0]])
    assert await keyring.tags(OWNER, "nik", []) == (1, [])


async def test_a_tag_is_no_plain_hash(keyring: Keyring) -> None:
    _, [tag] = await keyring.tags(OWNER, "nik", ["3171"])
    assert tag != sha256(b"3171").digest()[:16]


async def test_a_value_to_tag_that_is_no_unicode_is_refused(keyring: Keyring) -> None:
    with pytest.raises(ValueInvalid) as caught:
        await keyring.tags(OWNER, "nik", ["3171\ud800"])
    assert caught.value.__context__ is None


async def test_nothing_that_holds_a_key_shows_it_or_leaves_the_process(
    keyring: Keyring, service: FileKeyService
) -> None:
    [(key, wrap)] = await keyring.new_keys(OWNER, [(uuid4(), Compartment.IDENTITY)])
    holders = [key, service, keyring, keyring.rights(OWNER), keyring.cursor_key(OWNER)]
    for holder in holders:
        shown = f"{holder!r} {holder!s} {holder}"
        assert key.secret.hex() not in shown
        assert repr(key.secret)[2:-1] not in shown
        assert "0x" not in shown
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="not pickled"):
                attempt(holder)
    [secret, *_] = await Keyring.new_secrets(service, OWNER)
    assert "\\x" not in repr(wrap) + repr(secret)


def test_the_commitment_of_two_keys_differs_and_shows_no_key() -> None:
    assert commitment(b"a" * 32) != commitment(b"b" * 32)
    assert commitment(b"a" * 32) != sha256(b"a" * 32).digest()
