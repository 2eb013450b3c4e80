"""Sealing and opening against the bare calls of `cryptography` that stand below them.

The bare side has everything prebuilt: key objects, associated data, for one field also
the parts of its ciphertext. Ours is what casework calls, for one field and for a page.
"""

import os
import tempfile
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.casework.asked import Cell, steps_of
from api.casework.disclosure import fill
from api.casework.key_opening import open_keys
from api.casework.views import DefenderView
from api.crypto.data_keys import DataKey, wrap_context
from api.crypto.file_key_service import FileKeyService
from api.crypto.framing import frame
from api.crypto.key_file import Cost
from api.crypto.keyring import Keyring
from api.crypto.manifest import mark_of, seal_manifest
from api.crypto.sealed import Sealed
from api.crypto.sealing import open_sealed, seal
from api.policies.gate import Allowed
from api.store.key_wraps import StoredKey
from api.store.sealed_fields import DEFENDER_FIELDS, LAYOUTS
from api.vocabulary import Compartment, Ground
from benchmarks.turns import Step, in_turns, repeated
from benchmarks.values import Value

OWNER = "komnas-ham"

#: A text field of 32 bytes.
NAME = "Bunga Maharani Kusuma Wardhani P"
FIELD = DEFENDER_FIELDS["fullName"].place

#: At most so many times the bare calls.
FIELD_LIMIT = 3.0
PAGE_LIMIT = 2.0

PAGE = 100
WARM_UP = 20
ROUNDS = 200
CALLS = 200

#: What a record of the page has: 6 fields in 2 compartments.
RECORD: dict[str, str | Sequence[str] | date] = {
    "fullName": NAME,
    "nik": "8128992806570044",
    "dateOfBirth": date(1957, 6, 28),
    "gender": "female",
    "phones": ("+6284055511112",),
    "homeAddress": "Jalan Melati 7, RT 03/RW 05, Kelurahan Contoh, Kota Contoh 99999",
}


def keyring(folder: str) -> Keyring:
    """Make a keyring over new keys of OWNER; its cost is that of tests."""
    cost = Cost(iterations=1, lanes=1, memory=8)
    service = FileKeyService.create(Path(folder, "keys"), lambda: "x" * 32, [OWNER], cost=cost)
    return Keyring(service, {})


async def seal_field() -> list[Value]:
    """Seal one value, against one encryption of as many bytes under a random nonce."""
    key, row = DataKey(uuid4(), Compartment.IDENTITY, 1, os.urandom(32)), uuid4()
    cipher, plain, associated = AESGCM(os.urandom(32)), NAME.encode(), os.urandom(100)
    measured = await in_turns(
        repeated(CALLS, lambda: seal(key, FIELD, row, NAME)),
        repeated(CALLS, lambda: cipher.encrypt(os.urandom(12), plain, associated)),
        warm_up=WARM_UP,
        rounds=ROUNDS,
        clock=process_time,
    )
    print_times("seal_field", measured.first / CALLS, measured.second / CALLS)
    return [Value("sealing.seal_field", measured.ratio, "x", FIELD_LIMIT)]


async def open_field() -> list[Value]:
    """Open one value, against one decryption of as many bytes."""
    key, row = DataKey(uuid4(), Compartment.IDENTITY, 1, os.urandom(32)), uuid4()
    sealed = seal(key, FIELD, row, NAME)
    assert open_sealed(key, FIELD, row, sealed) == NAME
    cipher, nonce, associated = AESGCM(os.urandom(32)), os.urandom(12), os.urandom(100)
    data = cipher.encrypt(nonce, NAME.encode(), associated)
    measured = await in_turns(
        repeated(CALLS, lambda: open_sealed(key, FIELD, row, sealed)),
        repeated(CALLS, lambda: cipher.decrypt(nonce, data, associated)),
        warm_up=WARM_UP,
        rounds=ROUNDS,
        clock=process_time,
    )
    print_times("open_field", measured.first / CALLS, measured.second / CALLS)
    return [Value("sealing.open_field", measured.ratio, "x", FIELD_LIMIT)]


async def page() -> list[Value]:
    """Open a page as disclosure does, against the bare calls that its envelope needs.

    Ours opens wraps, checks commitments and manifests and opens every field, with the
    functions of casework. The bare side makes, for each key, one decryption (the wrap),
    one SHA-256 (the commitment), the set-up of the key and one decryption more (the
    manifest), and for each field one decryption; of as many bytes as ours. It takes each
    ciphertext as it is stored and gives the library its nonce and the rest; the comment
    says also what comes out when even that is done beforehand.
    """
    with tempfile.TemporaryDirectory() as folder:
        ring = keyring(folder)
        house: Any = SimpleNamespace(keyring=ring)
        records = [uuid4() for _ in range(PAGE)]
        stored, rows = await _sealed_page(ring, records)
        cells = [
            Cell(i, DEFENDER_FIELDS[name].column, DEFENDER_FIELDS[name])
            for i, name in enumerate(RECORD)
        ]
        allowed = Allowed(Ground.ASSIGNED)
        steps = steps_of(cells, dict.fromkeys(Compartment, allowed))

        views = [DefenderView(record, 1) for record in records]

        async def ours() -> None:
            keys = await open_keys(house, OWNER, stored)
            for view, row in zip(views, rows, strict=True):
                fill(view, keys, steps, view.id, row)

        bare, cut = _bare_page(stored, rows)
        await ours()
        for view in views:
            assert [getattr(view, cell.attribute) for cell in cells] == list(RECORD.values())
        assert await bare() == await cut()
        assert sum(map(len, await bare())) == PAGE * len(RECORD)
        measured = await in_turns(ours, bare, warm_up=WARM_UP, rounds=ROUNDS, clock=process_time)
        bared = await in_turns(ours, cut, warm_up=WARM_UP, rounds=ROUNDS, clock=process_time)
    print_times("page", measured.first, measured.second)
    print(f"# sealing.page: {bared.ratio:.2f} x what is cut beforehand")
    return [Value("sealing.page", measured.ratio, "x", PAGE_LIMIT)]


async def _sealed_page(
    ring: Keyring, records: Sequence[UUID]
) -> tuple[list[StoredKey], list[tuple[Sealed, ...]]]:
    """Seal RECORD for each of *records*, under two keys of its own with their manifests."""
    compartments = sorted({DEFENDER_FIELDS[name].compartment for name in RECORD})
    stored = []
    rows: list[tuple[Sealed, ...]] = []
    for record in records:
        pairs = await ring.new_keys(OWNER, [(record, c) for c in compartments])
        keys = {key.compartment: key for key, _ in pairs}
        sealed = {
            f.name: seal(keys[f.compartment], f.place, record, RECORD.get(f.name))
            for f in DEFENDER_FIELDS.values()
            if f.compartment in compartments
        }
        marks = {DEFENDER_FIELDS[name].column: mark_of(value) for name, value in sealed.items()}
        for key, wrap in pairs:
            layout = LAYOUTS[key.compartment]
            covered = {column: marks[column] for column in layout.columns}
            stored.append(StoredKey(wrap, seal_manifest(key, layout, 1, covered)))
        rows.append(tuple(sealed[name] for name in RECORD))
    return stored, rows


def _bare_page(stored: Sequence[StoredKey], rows: Sequence[Sequence[Sealed]]) -> tuple[Step, Step]:
    """Make the bare side, with the lengths of *stored*: of stored bytes, and of cut ones."""
    kek = AESGCM(os.urandom(32))
    of_record = dict(zip(dict.fromkeys(wrap.record for wrap, _ in stored), rows, strict=True))
    places = [DEFENDER_FIELDS[name].place for name in RECORD]
    envelope = []
    for wrap, manifest in stored:
        assert manifest is not None
        secret = os.urandom(32)
        context = frame(b"perisai file kek v1", OWNER.encode(), bytes(4)) + wrap_context(
            wrap.record, wrap.compartment, wrap.version, OWNER
        )
        cipher = AESGCM(secret)
        covered = LAYOUTS[wrap.compartment].prefix + bytes(16 + 16)
        fields = []
        for place, value in zip(places, of_record[wrap.record], strict=True):
            if place.compartment is wrap.compartment:
                associated = place.prefix + wrap.record.bytes + bytes(8)
                plain = os.urandom(len(value.data) - 5 - 12 - 16)
                fields.append(_sealed(cipher, plain, associated))
        envelope.append(
            (
                _sealed(kek, secret, context),
                bytes(30) + secret,
                _sealed(cipher, manifest.data[17:-16], covered),
                fields,
            )
        )

    async def bare() -> list[list[bytes]]:
        opened = []
        for (wrapped, context), committed, (manifest, covered), fields in envelope:
            cipher = AESGCM(kek.decrypt(wrapped[:12], wrapped[12:], context))
            sha256(committed).digest()
            cipher.decrypt(manifest[:12], manifest[12:], covered)
            opened.append([cipher.decrypt(f[:12], f[12:], associated) for f, associated in fields])
        return opened

    parts = [(_cut(w), c, _cut(m), [_cut(f) for f in fields]) for w, c, m, fields in envelope]

    async def cut() -> list[list[bytes]]:
        opened = []
        for wrapped, committed, manifest, fields in parts:
            cipher = AESGCM(kek.decrypt(*wrapped))
            sha256(committed).digest()
            cipher.decrypt(*manifest)
            opened.append([cipher.decrypt(*field) for field in fields])
        return opened

    return bare, cut


def _sealed(cipher: AESGCM, plain: bytes, associated: bytes) -> tuple[bytes, bytes]:
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, plain, associated), associated


def _cut(sealed: tuple[bytes, bytes]) -> tuple[bytes, bytes, bytes]:
    data, associated = sealed
    return data[:12], data[12:], associated


def print_times(name: str, first: float, second: float) -> None:
    """Print the medians behind a ratio as a comment, in microseconds."""
    print(f"# sealing.{name}: {first * 1e6:.1f} us against {second * 1e6:.1f} us")
