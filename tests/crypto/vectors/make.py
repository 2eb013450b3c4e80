"""Make the vectors from FORMAT.md alone: this file imports nothing of ours.

Run from the repository: python tests/crypto/vectors/make.py
"""

import hashlib
import hmac
import json
import struct
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SOURCE = (
    "Made for Perisai by tests/crypto/vectors/make.py, which follows api/crypto/FORMAT.md "
    "and the primitives of pyca/cryptography. Keys and nonces are fixed and serve nothing else. "
    "Licence: Apache-2.0."
)
RECORD = "018f5e3a-7c11-7aaa-8bbb-0123456789ab"
ROW = "018f5e3a-7c12-7ccc-9ddd-ba9876543210"
RECORD_BYTES = bytes.fromhex(RECORD.replace("-", ""))
ROW_BYTES = bytes.fromhex(ROW.replace("-", ""))
NONCE = bytes(range(12))


def u32(n: int) -> bytes:
    return struct.pack(">I", n)


def framed(*parts: bytes) -> bytes:
    return b"".join(u32(len(p)) + p for p in parts)


def fill(n: int) -> bytes:
    return bytes([n]) * 32


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def padded(body: bytes) -> bytes:
    bucket = next(
        b for b in [64, 128, 256, 512, 1024, 2048, *range(4096, 1 << 21, 4096)] if b >= len(body)
    )
    return body + bytes(bucket - len(body))


def plain(kind: str, value: Any) -> bytes:
    if value is None:
        return padded(b"\x01")
    if kind == "text":
        return padded(value.encode() + b"\x02")
    if kind == "texts":
        return padded((framed(*[v.encode() for v in value]) if value else b"") + b"\x03")
    year, month, day = map(int, value.split("-"))
    return padded(struct.pack(">HBB", year, month, day) + b"\x04")


def field(column: str, kind: str, value: Any, version: int = 1) -> dict[str, Any]:
    ad = framed(
        b"perisai field v1",
        b"defender",
        column.encode(),
        b"identity",
        kind.encode(),
        ROW_BYTES,
        u32(version),
    )
    body = AESGCM(fill(1)).encrypt(NONCE, plain(kind, value), ad)
    return {
        "table": "defender",
        "column": column,
        "compartment": "identity",
        "kind": kind,
        "row": ROW,
        "key_version": version,
        "data_key": fill(1).hex(),
        "nonce": NONCE.hex(),
        "value": value,
        "sealed": (b"\x01" + u32(version) + NONCE + body).hex(),
    }


def fields() -> list[dict[str, Any]]:
    return [
        field("full_name", "text", "Siti Nurhaliza"),
        field("full_name", "text", ""),
        field("full_name", "text", None),
        field("full_name", "text", "é" * 31 + "x", version=7),
        field("full_name", "text", "é" * 32, version=2**32 - 1),
        field("full_name", "text", "ends with zeros\x00\x00"),
        field("account", "text", "k" * 5000),
        field("aliases", "texts", ["Bung", "", "Mas Ari"]),
        field("aliases", "texts", []),
        field("aliases", "texts", None),
        field("date_of_birth", "date", "1979-12-08"),
        field("date_of_birth", "date", None),
    ]


def manifests() -> list[dict[str, Any]]:
    columns = ["aliases", "full_name", "nik"]
    marks = [bytes([n]) * 16 for n in (1, 2, 3)]
    ad = framed(
        b"perisai manifest v1",
        b"defender",
        b"identity",
        framed(*[column.encode() for column in columns]),
        RECORD_BYTES,
        u32(4),
        u32(9),
    )
    body = AESGCM(fill(1)).encrypt(NONCE, b"".join(marks), ad)
    return [
        {
            "table": "defender",
            "compartment": "identity",
            "columns": columns,
            "record": RECORD,
            "key_version": 4,
            "revision": 9,
            "data_key": fill(1).hex(),
            "nonce": NONCE.hex(),
            "marks": [mark.hex() for mark in marks],
            "manifest": (b"\x01" + u32(4) + NONCE + body).hex(),
        }
    ]


def file_wrap(context: bytes, key: bytes, owner: bytes = b"komnas-ham") -> bytes:
    ad = framed(b"perisai file kek v1", owner, u32(1)) + context
    return b"\x01" + NONCE + AESGCM(fill(2)).encrypt(NONCE, key, ad)


def wraps() -> list[dict[str, Any]]:
    context = framed(b"perisai data key wrap v1", b"komnas-ham", b"contact", RECORD_BYTES, u32(3))
    commitment = hashlib.sha256(b"perisai data key commitment v1" + fill(1)).digest()
    return [
        {
            "record": RECORD,
            "compartment": "contact",
            "version": 3,
            "owner": "komnas-ham",
            "kek_version": 1,
            "kek": fill(2).hex(),
            "nonce": NONCE.hex(),
            "data_key": fill(1).hex(),
            "wrapped": file_wrap(context, fill(1)).hex(),
            "commitment": commitment.hex(),
        }
    ]


def secrets() -> list[dict[str, Any]]:
    return [
        {
            "owner": "komnas-ham",
            "kind": kind,
            "version": 1,
            "kek_version": 1,
            "kek": fill(2).hex(),
            "nonce": NONCE.hex(),
            "secret": fill(3).hex(),
            "wrapped": file_wrap(
                framed(b"perisai owner secret v1", b"komnas-ham", kind.encode(), u32(1)), fill(3)
            ).hex(),
        }
        for kind in ("rights", "cursors", "signing", "sharing")
    ]


def expanded(hash_name: str, key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand of RFC 5869, 2.3."""
    given, block, number = b"", b"", 1
    while len(given) < length:
        block = hmac.new(key, block + info + bytes([number]), hash_name).digest()
        given, number = given + block, number + 1
    return given[:length]


def padme(size: int) -> int:
    if size <= 65536:
        return 65536
    unit = 1 << (size.bit_length() - 1 - 5)
    return (size + unit - 1) // unit * unit


def chunked(key: bytes, salt: bytes, context: bytes, message: bytes) -> bytes:
    """C2SP chunked encryption with SHA-512 and AES-256-GCM, as c2sp.org/chunked-encryption."""
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + salt + context
    derived = expanded("sha512", key, info, 32 + 12 + 32)
    aead, base = AESGCM(derived[:32]), int.from_bytes(derived[32:44], "big")
    parts = [message[i : i + 16384] for i in range(0, len(message), 16384)]
    if not parts or len(parts[-1]) == 16384:
        parts.append(b"")
    body = b"".join(
        aead.encrypt((base ^ n).to_bytes(12, "big"), part, None) for n, part in enumerate(parts)
    )
    return salt + derived[44:] + body


def attachment(content: bytes, repeat: int, version: int) -> dict[str, Any]:
    whole = content * repeat
    stream_key = expanded("sha256", fill(1), framed(b"perisai attachment key v1"), 32)
    context = framed(b"perisai attachment v1", b"documents", RECORD_BYTES, ROW_BYTES, u32(version))
    padded_content = whole + bytes(padme(len(whole)) - len(whole))
    stream = chunked(stream_key, bytes(range(24)), context, padded_content)
    return {
        "attachment": RECORD,
        "case_file": ROW,
        "compartment": "documents",
        "key_version": version,
        "data_key": fill(1).hex(),
        "salt": bytes(range(24)).hex(),
        "content": content.hex(),
        "repeat": repeat,
        "stream_length": len(stream),
        "stream_begin": stream[:96].hex(),
        "stream_sha256": hashlib.sha256(stream).hexdigest(),
    }


def attachments() -> list[dict[str, Any]]:
    return [
        attachment(b"", 1, 1),
        attachment(b"%PDF-1.7\n", 1, 7),
        attachment(b"0123456789", 10_000, 2**32 - 1),
    ]


def cells_of(cells: list[tuple[str, Any]]) -> bytes:
    message = b""
    for kind, value in cells:
        if kind == "absent":
            message += b"n"
        elif kind == "text":
            message += b"s" + framed(value.encode())
        elif kind == "number":
            message += b"i" + struct.pack(">q", value)
        elif kind == "truth":
            message += b"b" + bytes([value])
        elif kind == "moment":
            message += b"t" + struct.pack(">q", value)
        elif kind == "day":
            message += b"d" + u32(value)
        else:
            message += b"u" + bytes.fromhex(value.replace("-", ""))
    return message


def right(table: str, cells: list[tuple[str, Any]]) -> dict[str, Any]:
    message = framed(b"perisai right v1", table.encode()) + cells_of(cells)
    return {
        "secret": fill(3).hex(),
        "table": table,
        "cells": cells,
        "mac": mac(fill(3), message).hex(),
    }


def signed_right(table: str, cells: list[tuple[str, Any]]) -> dict[str, Any]:
    message = framed(b"perisai signed right v1", table.encode()) + cells_of(cells)
    key = Ed25519PrivateKey.from_private_bytes(fill(5))
    return {
        "seed": fill(5).hex(),
        "table": table,
        "cells": cells,
        "message": message.hex(),
        "signature": key.sign(message).hex(),
    }


def signed_rights() -> list[dict[str, Any]]:
    return [
        signed_right("referral", []),
        signed_right("referral", [("id", RECORD), ("text", "lpsk"), ("absent", None)]),
    ]


def expand(key: bytes, info: bytes, size: int) -> bytes:
    """HKDF-Expand of RFC 5869, 2.3, with SHA-256."""
    blocks, block = b"", b""
    while len(blocks) < size:
        block = mac(key, block + info + bytes([len(blocks) // 32 + 1]))
        blocks += block
    return blocks[:size]


def labelled(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    """LabeledExtract of RFC 9180, 4."""
    return mac(salt or bytes(32), b"HPKE-v1" + suite + label + secret)


def labelled_out(suite: bytes, key: bytes, label: bytes, info: bytes, size: int) -> bytes:
    """LabeledExpand of RFC 9180, 4."""
    return expand(key, struct.pack(">H", size) + b"HPKE-v1" + suite + label + info, size)


def hpke(plaintext: bytes, recipient: bytes, ephemeral: bytes, info: bytes) -> bytes:
    """Seal in base mode (RFC 9180, 5.1.1 and 6.1) under a fixed ephemeral key."""
    public = X25519PrivateKey.from_private_bytes(recipient).public_key()
    own = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = own.public_key().public_bytes_raw()
    kem = b"KEM" + bytes([0, 0x20])
    eae = labelled(kem, b"", b"eae_prk", own.exchange(public))
    shared = labelled_out(kem, eae, b"shared_secret", enc + public.public_bytes_raw(), 32)
    suite = b"HPKE" + bytes([0, 0x20, 0, 1, 0, 2])
    context = (
        b"\x00"
        + labelled(suite, b"", b"psk_id_hash", b"")
        + labelled(suite, b"", b"info_hash", info)
    )
    secret = labelled(suite, shared, b"secret", b"")
    key = labelled_out(suite, secret, b"key", context, 32)
    nonce = labelled_out(suite, secret, b"base_nonce", context, 12)
    return enc + AESGCM(key).encrypt(nonce, plaintext, b"")


def shares() -> list[dict[str, Any]]:
    data_key, event, version = fill(1), 41, 3
    announced = hashlib.sha256(b"perisai data key commitment v1" + data_key).digest()
    info = framed(
        b"perisai share v1",
        b"komnas-ham",
        b"lpsk",
        ROW_BYTES,
        struct.pack(">Q", event),
        RECORD_BYTES,
        b"contact",
        u32(version),
        announced,
    )
    sealed = hpke(data_key, fill(6), fill(7), info)
    right_message = framed(b"perisai signed right v1", b"referral")
    signed = framed(b"perisai share signature v1", info, sealed, right_message)
    signing = Ed25519PrivateKey.from_private_bytes(fill(5))
    return [
        {
            "giver": "komnas-ham",
            "recipient": "lpsk",
            "referral": ROW,
            "event": event,
            "record": RECORD,
            "compartment": "contact",
            "version": version,
            "data_key": data_key.hex(),
            "commitment": announced.hex(),
            "sharing_key": fill(6).hex(),
            "ephemeral_key": fill(7).hex(),
            "signing_seed": fill(5).hex(),
            "info": info.hex(),
            "sealed": sealed.hex(),
            "right": right_message.hex(),
            "signed": signed.hex(),
            "signature": signing.sign(signed).hex(),
        }
    ]


def fingerprints() -> list[dict[str, Any]]:
    digest = hashlib.sha256(
        framed(b"perisai fingerprint v1", b"lpsk", fill(8), fill(9))
    ).hexdigest()
    return [
        {
            "owner": "lpsk",
            "signing": fill(8).hex(),
            "sharing": fill(9).hex(),
            "fingerprint": " ".join(digest[at : at + 4] for at in range(0, 32, 4)),
        }
    ]


def rights() -> list[dict[str, Any]]:
    return [
        right("member", []),
        right(
            "assignment",
            [
                ("id", RECORD),
                ("id", ROW),
                ("moment", 1_767_225_600_000_001),  # 2026-01-01T00:00:00.000001Z
                ("moment", -1),  # 1969-12-31T23:59:59.999999Z
                ("absent", None),
                ("number", -5),
                ("truth", True),
                ("day", 722_791),  # 1979-12-08
                ("text", "komnas-perempuan é"),
            ],
        ),
    ]


def tags() -> list[dict[str, Any]]:
    info = framed(b"perisai file idx v1", b"lpsk", framed(b"perisai tag v1", b"nik"))
    label_key = mac(fill(4), info + b"\x01")  # RFC 5869, 2.3, one block
    return [
        {
            "owner": "lpsk",
            "column": "nik",
            "idx": fill(4).hex(),
            "value": value,
            "tag": mac(label_key, value.encode())[:16].hex(),
        }
        for value in ("3171234567890123", "")
    ]


def openbao() -> list[dict[str, Any]]:
    context, label, item = b"context", framed(b"perisai tag v1", b"nik"), b"3171234567890123"
    vectors = []
    for version in (1, 300):
        data = framed(b"perisai openbao kek v1", b"lpsk", u32(version)) + context
        body = NONCE + AESGCM(fill(2)).encrypt(NONCE, fill(9), data)
        message = framed(b"perisai openbao idx v1", b"lpsk", label) + item
        value = mac(fill(4), message)
        vectors.append(
            {
                "owner": "lpsk",
                "version": version,
                "context": context.hex(),
                "key": fill(9).hex(),
                "kek": fill(2).hex(),
                "associated_data": b64encode(data).decode(),
                "ciphertext": f"vault:v{version}:{b64encode(body).decode()}",
                "wrapped": (b"\x02" + body).hex(),
                "label": label.hex(),
                "item": item.hex(),
                "idx": fill(4).hex(),
                "input": b64encode(message).decode(),
                "hmac": f"vault:v{version}:{b64encode(value).decode()}",
                "value": value.hex(),
            }
        )
    return vectors


def cursors() -> list[dict[str, Any]]:
    body = AESGCM(fill(3)).encrypt(NONCE, b"payload", framed(b"perisai cursor v1", b"context"))
    return [
        {
            "secret": fill(3).hex(),
            "nonce": NONCE.hex(),
            "context": b"context".hex(),
            "payload": b"payload".hex(),
            "cursor": urlsafe_b64encode(NONCE + body).rstrip(b"=").decode(),
        }
    ]


def key_files() -> list[dict[str, Any]]:
    salt, passphrase = bytes(range(16)), "pagar makan tanaman é"
    kinds = {
        kind: [{"version": 1, "made": "2026-01-01T00:00:00+00:00", "key": fill(n).hex()}]
        for kind, n in (("kek", 2), ("idx", 4))
    }
    payload = json.dumps({"v": 1, "owners": {"lpsk": kinds}}, separators=(",", ":")).encode()
    header = b"perisai keys\x01\n" + u32(64) + u32(2) + u32(1) + salt + NONCE
    key = Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=64).derive(
        passphrase.encode()
    )
    return [
        {
            "passphrase": passphrase,
            "memory": 64,
            "iterations": 2,
            "lanes": 1,
            "owner": "lpsk",
            "made": "2026-01-01T00:00:00+00:00",
            "kek": fill(2).hex(),
            "idx": fill(4).hex(),
            "file": (header + AESGCM(key).encrypt(NONCE, payload, header)).hex(),
        }
    ]


def key_backups() -> list[dict[str, Any]]:
    payload, owners = b'{"v":1,"owners":{}}', ["komnas-ham", "lpsk"]
    framed_owners = framed(*(owner.encode() for owner in owners))
    header = (
        b"perisai backup\x01\n"
        + (1767225600).to_bytes(8)  # 2026-01-01T00:00:00Z
        + (1767225600 + 90 * 86400).to_bytes(8)
        + (12345).to_bytes(2)
        + bytes([5, 3])
        + u32(len(framed_owners))
        + framed_owners
        + NONCE
    )
    return [
        {
            "key": fill(6).hex(),
            "nonce": NONCE.hex(),
            "made": "2026-01-01T00:00:00+00:00",
            "expires": "2026-04-01T00:00:00+00:00",
            "identifier": 12345,
            "shares": 5,
            "threshold": 3,
            "owners": owners,
            "payload": payload.decode(),
            "file": (header + AESGCM(fill(6)).encrypt(NONCE, payload, header)).hex(),
        }
    ]


VECTORS = {
    "attachment": attachments,
    "cursor": cursors,
    "field": fields,
    "fingerprint": fingerprints,
    "key_backup": key_backups,
    "key_file": key_files,
    "manifest": manifests,
    "openbao": openbao,
    "owner_secret": secrets,
    "right": rights,
    "share": shares,
    "signed_right": signed_rights,
    "tag": tags,
    "wrap": wraps,
}


def printed(name: str) -> str:
    content = {"source": SOURCE, "vectors": VECTORS[name]()}
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    for each in VECTORS:
        (Path(__file__).parent / f"{each}.json").write_text(printed(each))
