"""Make the vectors from FORMAT.md alone: this file imports nothing of ours.

Run from the repository: python tests/crypto/vectors/make.py
"""

import hashlib
import hmac
import json
import struct
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

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
        for kind in ("rights", "cursors")
    ]


def right(table: str, cells: list[tuple[str, Any]]) -> dict[str, Any]:
    message = framed(b"perisai right v1", table.encode())
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
    return {
        "secret": fill(3).hex(),
        "table": table,
        "cells": cells,
        "mac": mac(fill(3), message).hex(),
    }


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


VECTORS = {
    "cursor": cursors,
    "field": fields,
    "key_file": key_files,
    "owner_secret": secrets,
    "right": rights,
    "tag": tags,
    "wrap": wraps,
}


def printed(name: str) -> str:
    content = {"source": SOURCE, "vectors": VECTORS[name]()}
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    for each in VECTORS:
        (Path(__file__).parent / f"{each}.json").write_text(printed(each))
