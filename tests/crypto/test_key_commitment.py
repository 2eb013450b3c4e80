"""One ciphertext that two keys open, made for real: bare AES-GCM takes it, Perisai does not.

Whoever knows two keys can make it: two agencies that share a record, one that was cheated
into wrapping, a colleague who wants a record to say another thing to each reader.
"""

import os
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.crypto import key_file, key_payload
from api.crypto.data_keys import WrappedKey, commitment, wrap_context
from api.crypto.file_key_service import FileKeyService
from api.crypto.framing import frame
from api.crypto.key_service import KeyKind
from api.crypto.keyring import Keyring
from api.crypto.sealing import Place
from api.errors import SealBroken
from api.vocabulary import Compartment
from tests.crypto.conftest import CHEAP, PASSPHRASE
from tests.crypto.two_keys import BLOCK, Side, ciphertext_for, inverse, multiply, power

RECORD = UUID(int=0xD1)
IDENTITY = Compartment.IDENTITY
NAME = Place("defender", "full_name", IDENTITY, "text")
OWNER = "komnas-ham"

ONE = 1 << 127


def test_the_field_is_the_one_of_gcm() -> None:
    """Against an independent GCM: what is sealed with a known key has the tag computed here."""
    key, nonce = bytes(range(32)), bytes(12)
    sides = [Side(key, b"associated"), Side(bytes(32), b"other")]
    made, _ = ciphertext_for(sides, nonce, [b"a" * BLOCK, None, b"c" * BLOCK])
    plain = AESGCM(key).decrypt(nonce, made, b"associated")
    assert AESGCM(key).encrypt(nonce, plain, b"associated") == made
    for element in (ONE, 1, 0xE1 << 120, int.from_bytes(os.urandom(16)) | 1):
        assert multiply(element, ONE) == element
        assert multiply(element, inverse(element)) == ONE
        assert power(element, 3) == multiply(element, multiply(element, element))


def test_bare_gcm_opens_one_ciphertext_under_two_keys_to_two_texts() -> None:
    first, second = os.urandom(32), os.urandom(32)
    sides = [Side(first, b"same"), Side(second, b"same")]
    for free in range(4):
        nonce = os.urandom(12)
        blocks: list[bytes | None] = [os.urandom(BLOCK) for _ in range(4)]
        blocks[free] = None
        made, _ = ciphertext_for(sides, nonce, blocks)

        opened = [AESGCM(side.key).decrypt(nonce, made, b"same") for side in sides]

        assert len(made) == 5 * BLOCK
        assert opened[0] != opened[1]
        with pytest.raises(InvalidTag):
            AESGCM(os.urandom(32)).decrypt(nonce, made, b"same")


async def test_one_wrap_for_two_keks_gives_only_the_key_that_was_committed_to(
    tmp_path: Path,
) -> None:
    """The two KEKs are two versions of one owner; each would give a data key of its own."""
    path = tmp_path / "keys"
    service = FileKeyService.create(path, lambda: PASSPHRASE, [OWNER], cost=CHEAP)
    assert await service.rotate(OWNER, KeyKind.KEK) == 2
    held = key_payload.parsed(key_file.read(path, PASSPHRASE).payload)["owners"][OWNER]["kek"]
    keks = {key["version"]: key_payload.secret_of(key) for key in held}
    context = wrap_context(RECORD, IDENTITY, 1, OWNER)
    sides = [Side(kek, _kek_context(version) + context) for version, kek in keks.items()]
    nonce = os.urandom(12)
    body, _ = ciphertext_for(sides, nonce, [os.urandom(BLOCK), None])
    wrapped = b"\x01" + nonce + body
    secrets = [AESGCM(side.key).decrypt(nonce, body, side.associated) for side in sides]
    assert secrets[0] != secrets[1]
    # The service itself cannot know: both versions unwrap.
    both = [(context, version, wrapped) for version in keks]
    assert await service.unwrap_many(OWNER, both) == secrets

    keyring = await Keyring.start(service, [])
    for promised in (0, 1):
        for version, secret in zip(keks, secrets, strict=True):
            wrap = WrappedKey(
                RECORD, IDENTITY, 1, OWNER, version, wrapped, commitment(secrets[promised])
            )
            if secret == secrets[promised]:
                [key] = await keyring.open_keys(OWNER, [wrap])
                assert key.secret == secret
            else:
                with pytest.raises(SealBroken):
                    await keyring.open_keys(OWNER, [wrap])


async def test_a_field_made_for_two_data_keys_finds_only_the_committed_one_to_open_it(
    keyring: Keyring,
) -> None:
    """In its place, under the header of its version, with the associated data of a field."""
    pairs = [(await keyring.new_keys(OWNER, [(RECORD, IDENTITY)]))[0] for _ in range(2)]
    keys, wraps = [key for key, _ in pairs], [wrap for _, wrap in pairs]
    associated = NAME.prefix + keys[0].bound_to(RECORD)
    assert keys[0].header == keys[1].header
    nonce = os.urandom(12)
    sides = [Side(key.secret, associated) for key in keys]
    body, _ = ciphertext_for(sides, nonce, [os.urandom(BLOCK), None, *[os.urandom(BLOCK)] * 2])

    # Past the wrap nothing tells: it is a field for the cipher of either key.
    texts = [key.cipher.decrypt(nonce, body, associated) for key in keys]
    assert texts[0] != texts[1]

    # So the second key must not come out of a wrap that promised the first, nor the
    # other way round, nor for another owner of the same record.
    for wrap, other, key in ((*wraps, keys[1]), (*wraps[::-1], keys[0])):
        moved = wrap._replace(wrapped=other.wrapped, kek_version=other.kek_version)
        of_lpsk = (await keyring.wrap_for("lpsk", key))._replace(commitment=wrap.commitment)
        for lie in (moved, of_lpsk):
            with pytest.raises(SealBroken):
                await keyring.open_keys(lie.owner, [lie])
    for wrap, key in zip(wraps, keys, strict=True):
        [opened] = await keyring.open_keys(OWNER, [wrap])
        assert opened.secret == key.secret


def _kek_context(version: int) -> bytes:
    return frame(b"perisai file kek v1", OWNER.encode(), version.to_bytes(4))
