"""Every single bit of everything sealed, flipped; every cut; bytes put before and behind.

The tags are in `test_moved_tags`: they open nothing.
"""

from collections.abc import Iterator

import pytest

from api.crypto.keyring import Keyring
from api.errors import SealBroken
from tests.scenarios.telling import Tell
from tests.small_store import OWNERS, SmallStore, opens, owner_of, refused

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("reports"),
]


#: What is put before and behind.
LONGER = (b"\x00", b"\x01", b"\x80", b"\xff", bytes(16))


def flips(data: bytes) -> Iterator[bytes]:
    """Give *data* with each bit flipped in turn."""
    number = int.from_bytes(data)
    return ((number ^ 1 << bit).to_bytes(len(data)) for bit in range(8 * len(data)))


def cuts(data: bytes) -> Iterator[bytes]:
    """Give every beginning and every end of *data* but itself, and some that are longer."""
    for length in range(len(data)):
        yield data[:length]
        yield data[len(data) - length :]
    for more in (*LONGER, data):
        yield data + more
        yield more + data


def number_of_cuts(data: bytes) -> int:
    return 2 * len(data) + 2 * (len(LONGER) + 1)


async def test_no_ciphertext_opens_with_a_bit_flipped_cut_or_longer(
    store: SmallStore, tell: Tell
) -> None:
    keys = await store.all_keys()
    tried = opened = 0
    for spot, data in store.now.fields.items():
        for changed in (*flips(data), *cuts(data)):
            if changed != data:
                tried += 1
                opened += not refused(keys, spot, changed)
    tell(f"{tried} changed ciphertexts")
    assert opened == 0
    assert tried == sum(8 * len(d) + number_of_cuts(d) for d in store.now.fields.values())
    assert {s: opens(keys, s, d) for s, d in store.now.fields.items()} == store.values[-1]


async def test_no_note_or_release_opens_that_no_manifest_covers(store: SmallStore) -> None:
    """As above, where the ciphertext has nothing but its own tag: said apart, to be seen."""
    keys = await store.all_keys()
    bare = {s: d for s, d in store.now.fields.items() if s.table in ("note", "release")}
    assert len(bare) == 4
    for spot, data in bare.items():
        assert all(refused(keys, spot, changed) for changed in flips(data))


async def test_no_wrap_opens_with_a_bit_flipped_cut_or_longer(
    store: SmallStore, tell: Tell
) -> None:
    keyring, tried, opened = store.house.keyring, 0, 0
    for wrap in store.now.wraps.values():
        for column in ("wrapped", "commitment"):
            data = getattr(wrap, column)
            for changed in (*flips(data), *cuts(data)):
                tried += 1
                try:
                    await keyring.open_keys(wrap.owner, [wrap._replace(**{column: changed})])
                    opened += 1
                except SealBroken:
                    pass
        for column, bit in ((c, b) for c in ("version", "kek_version") for b in range(32)):
            other = wrap._replace(**{column: getattr(wrap, column) ^ 1 << bit})
            tried += 1
            try:
                await keyring.open_keys(wrap.owner, [other])
                opened += 1
            except SealBroken:
                pass
    tell(f"{tried} changed wraps")
    wraps = store.now.wraps.values()
    each = [d for w in wraps for d in (w.wrapped, w.commitment)]
    assert tried == sum(8 * len(d) + number_of_cuts(d) for d in each) + 64 * len(wraps)
    assert opened == 0
    assert all([(await keyring.open_keys(w.owner, [w])) for w in wraps])


async def test_no_manifest_holds_with_a_bit_flipped_cut_or_longer(
    store: SmallStore, tell: Tell
) -> None:
    now, tried, held = store.now, 0, 0
    for of, manifest in now.manifests.items():
        wraps = [w for s, w in now.wraps.items() if s[:2] == of]
        changed = [manifest._replace(data=d) for d in flips(manifest.data)]
        changed += [manifest._replace(data=d) for d in cuts(manifest.data)]
        changed += [manifest._replace(revision=manifest.revision ^ 1 << bit) for bit in range(32)]
        for other in changed:
            tried += 1
            put = now.with_manifests({of: other})
            held += of in (await store.keys(owner_of(of[0]), wraps, put)).marks
        assert of in (await store.keys(owner_of(of[0]), wraps, now)).marks
    tell(f"{tried} changed manifests")
    each = [m.data for m in now.manifests.values()]
    assert tried == sum(8 * len(d) + number_of_cuts(d) + 32 for d in each)
    assert held == 0


async def test_no_secret_of_an_owner_opens_with_a_bit_flipped_cut_or_longer(
    store: SmallStore, tell: Tell
) -> None:
    tried = opened = 0
    for secret in store.now.secrets:
        changed = [secret._replace(wrapped=d) for d in flips(secret.wrapped)]
        changed += [secret._replace(wrapped=d) for d in cuts(secret.wrapped)]
        for column in ("version", "kek_version"):
            number = getattr(secret, column)
            changed += [secret._replace(**{column: number ^ 1 << bit}) for bit in range(32)]
        for other in changed:
            tried += 1
            try:
                await Keyring.start(store.service, [other])
                opened += 1
            except SealBroken:
                pass
    tell(f"{tried} changed secrets of owners")
    each = [s.wrapped for s in store.now.secrets]
    assert tried == sum(8 * len(d) + number_of_cuts(d) + 64 for d in each)
    assert opened == 0
    assert (await Keyring.start(store.service, store.now.secrets)).owners == set(OWNERS)
