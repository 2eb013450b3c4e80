"""The bytes are those of FORMAT.md, and stay so: a stored field must open in ten years."""

import importlib.util
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from api.crypto import key_backup, key_file
from api.crypto import openbao_wire as wire
from api.crypto.cursors import CursorKey
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.file_key_service import FileKeyService
from api.crypto.fingerprints import fingerprint
from api.crypto.key_backup import Notice
from api.crypto.key_file import Cost
from api.crypto.keyring import Keyring
from api.crypto.manifest import Layout, marks_by_column, open_manifest, seal_manifest
from api.crypto.owner_secrets import OwnerSecret
from api.crypto.rights import RightsKey, signed_message
from api.crypto.sealed import Sealed
from api.crypto.sealing import Place, open_sealed, seal
from api.crypto.sharing import SEALED_SIZE, Share, SharingKey, Terms, take
from api.crypto.signatures import SigningKey
from api.crypto.streams import StreamCheck, StreamOpener
from api.vocabulary import Compartment

FOLDER = Path(__file__).parent / "vectors"


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())["vectors"]
    return found


def always(hexadecimal: str) -> Callable[[int], bytes]:
    """Randomness that is not: these bytes, each time."""

    def give(size: int) -> bytes:
        data = bytes.fromhex(hexadecimal)
        assert len(data) == size
        return data

    return give


def service(path: Path, owner: str, kek: str, idx: str, nonce: str) -> FileKeyService:
    return FileKeyService.create(
        path / "keys",
        lambda: "pagar makan tanaman",
        [owner],
        cost=Cost(memory=8, iterations=1, lanes=1),
        randomness=scripted([kek, idx, "00" * 16, *[nonce] * 5]),
    )


def maker() -> ModuleType:
    """Load the maker of the vectors, which imports nothing of ours."""
    spec = importlib.util.spec_from_file_location("make_vectors", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    return make


def test_the_vectors_are_what_their_maker_makes_from_format_md() -> None:
    make = maker()
    assert sorted(make.VECTORS) == sorted(file.stem for file in FOLDER.glob("*.json"))
    for name in make.VECTORS:
        assert (FOLDER / f"{name}.json").read_text() == make.printed(name)


@pytest.mark.parametrize("vector", vectors("field"))
def test_field(vector: dict[str, Any]) -> None:
    key = DataKey(
        UUID(int=1),
        Compartment(vector["compartment"]),
        vector["key_version"],
        bytes.fromhex(vector["data_key"]),
    )
    place = Place(vector["table"], vector["column"], key.compartment, vector["kind"])
    row = UUID(vector["row"])
    value = vector["value"]
    if vector["kind"] == "date" and value is not None:
        value = date.fromisoformat(value)
    if vector["kind"] == "texts" and value is not None:
        value = tuple(value)

    assert seal(key, place, row, value, always(vector["nonce"])).data.hex() == vector["sealed"]
    assert open_sealed(key, place, row, Sealed(bytes.fromhex(vector["sealed"]))) == value


def test_manifest() -> None:
    [vector] = vectors("manifest")
    compartment = Compartment(vector["compartment"])
    key = DataKey(
        UUID(vector["record"]),
        compartment,
        vector["key_version"],
        bytes.fromhex(vector["data_key"]),
    )
    layout = Layout(vector["table"], compartment, tuple(vector["columns"]))
    marks = dict(zip(vector["columns"], map(bytes.fromhex, vector["marks"]), strict=True))
    made = seal_manifest(key, layout, vector["revision"], marks, always(vector["nonce"]))
    assert made.data.hex() == vector["manifest"]
    assert marks_by_column(layout, open_manifest(key, layout, made)) == marks


@pytest.mark.parametrize("vector", vectors("attachment"))
def test_attachment(vector: dict[str, Any]) -> None:
    """The library draws the salt, so the stream of the maker is opened, not made again."""
    make = maker()
    content = bytes.fromhex(vector["content"])
    key = DataKey(
        UUID(vector["attachment"]),
        Compartment(vector["compartment"]),
        vector["key_version"],
        bytes.fromhex(vector["data_key"]),
    )
    case_file, size = UUID(vector["case_file"]), len(content) * vector["repeat"]
    context = make.framed(
        b"perisai attachment v1",
        vector["compartment"].encode(),
        key.record.bytes,
        case_file.bytes,
        make.u32(key.version),
    )
    secret = make.expanded(
        "sha256",
        bytes.fromhex(vector["data_key"]),
        make.framed(b"perisai attachment key v1"),
        32,
    )
    plain = content * vector["repeat"] + bytes(make.padme(size) - size)
    stream = make.chunked(secret, bytes.fromhex(vector["salt"]), context, plain)
    assert len(stream) == vector["stream_length"]
    assert stream[:96].hex() == vector["stream_begin"]
    assert sha256(stream).hexdigest() == vector["stream_sha256"]

    check = StreamCheck(key, case_file, size)
    check.update(stream)
    opener = StreamOpener(check.finish())
    assert opener.update(stream) + opener.finish() == content * vector["repeat"]


@pytest.mark.parametrize("vector", vectors("wrap"))
async def test_wrap(vector: dict[str, Any], tmp_path: Path) -> None:
    keys = service(tmp_path, vector["owner"], vector["kek"], vector["kek"], vector["nonce"])
    keyring = await Keyring.start(keys, [], always(vector["data_key"]))
    wrap = WrappedKey(
        UUID(vector["record"]),
        Compartment(vector["compartment"]),
        vector["version"],
        vector["owner"],
        vector["kek_version"],
        bytes.fromhex(vector["wrapped"]),
        bytes.fromhex(vector["commitment"]),
    )
    made = await keyring.new_keys(wrap.owner, [(wrap.record, wrap.compartment)], wrap.version)
    assert [w for _, w in made] == [wrap]
    [key] = await keyring.open_keys(wrap.owner, [wrap])
    assert key.secret.hex() == vector["data_key"]


async def test_owner_secret(tmp_path: Path) -> None:
    stored = vectors("owner_secret")
    first = stored[0]
    keys = service(tmp_path, first["owner"], first["kek"], first["kek"], first["nonce"])
    made = await Keyring.new_secrets(keys, first["owner"], always(first["secret"]))
    assert made == [
        OwnerSecret(
            v["owner"], v["kind"], v["version"], v["kek_version"], bytes.fromhex(v["wrapped"])
        )
        for v in stored
    ]
    keyring = await Keyring.start(keys, made)
    secret = bytes.fromhex(first["secret"])
    assert keyring.rights(first["owner"]).seal("t", []) == RightsKey(secret).seal("t", [])
    assert keyring.signing_key(first["owner"]).public == SigningKey.from_seed(secret).public
    assert keyring.sharing_key(first["owner"]).public == SharingKey(secret).public


CELLS: dict[str, Callable[[Any], Any]] = {
    "absent": lambda _: None,
    "text": str,
    "number": int,
    "truth": bool,
    "moment": lambda n: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=n),
    "day": date.fromordinal,
    "id": UUID,
}


@pytest.mark.parametrize("vector", vectors("right"))
def test_right(vector: dict[str, Any]) -> None:
    values = [CELLS[kind](value) for kind, value in vector["cells"]]
    key = RightsKey(bytes.fromhex(vector["secret"]))
    assert key.seal(vector["table"], values).hex() == vector["mac"]
    if values:
        assert datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC) in values
        assert date(1979, 12, 8) in values


@pytest.mark.parametrize("vector", vectors("signed_right"))
def test_signed_right(vector: dict[str, Any]) -> None:
    values = [CELLS[kind](value) for kind, value in vector["cells"]]
    message = signed_message(vector["table"], values)
    assert message.hex() == vector["message"]
    signing = SigningKey.from_seed(bytes.fromhex(vector["seed"]))
    assert signing.sign(message).hex() == vector["signature"]


@pytest.mark.parametrize("vector", vectors("share"))
def test_share(vector: dict[str, Any]) -> None:
    terms = Terms(
        vector["giver"],
        vector["recipient"],
        UUID(vector["referral"]),
        vector["event"],
        UUID(vector["record"]),
        Compartment(vector["compartment"]),
        vector["version"],
        bytes.fromhex(vector["commitment"]),
    )
    signing = SigningKey.from_seed(bytes.fromhex(vector["signing_seed"]))
    assert terms.info().hex() == vector["info"]
    assert signing.sign(bytes.fromhex(vector["signed"])).hex() == vector["signature"]
    share = Share(terms, bytes.fromhex(vector["sealed"]), bytes.fromhex(vector["signature"]))
    sharing = SharingKey(bytes.fromhex(vector["sharing_key"]))
    assert len(share.sealed) == SEALED_SIZE
    key = take(share, bytes.fromhex(vector["right"]), signing.public, sharing)
    assert key.secret.hex() == vector["data_key"]


@pytest.mark.parametrize("vector", vectors("fingerprint"))
def test_fingerprint(vector: dict[str, Any]) -> None:
    made = fingerprint(
        vector["owner"], bytes.fromhex(vector["signing"]), bytes.fromhex(vector["sharing"])
    )
    assert made == vector["fingerprint"]


@pytest.mark.parametrize("vector", vectors("tag"))
async def test_tag(vector: dict[str, Any], tmp_path: Path) -> None:
    keys = service(tmp_path, vector["owner"], vector["idx"], vector["idx"], "00" * 12)
    keyring = await Keyring.start(keys, [])
    _, [tag] = await keyring.tags(vector["owner"], vector["column"], [vector["value"]])
    assert tag.hex() == vector["tag"]


@pytest.mark.parametrize("vector", vectors("cursor"))
def test_cursor(vector: dict[str, Any]) -> None:
    context, payload = bytes.fromhex(vector["context"]), bytes.fromhex(vector["payload"])
    key = CursorKey(bytes.fromhex(vector["secret"]), always(vector["nonce"]))
    assert key.seal(context, payload) == vector["cursor"]
    assert key.open(context, vector["cursor"]) == payload


@pytest.mark.parametrize("vector", vectors("key_file"))
async def test_key_file(vector: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "keys"
    made = FileKeyService.create(
        path,
        lambda: vector["passphrase"],
        [vector["owner"]],
        cost=Cost(vector["memory"], vector["iterations"], vector["lanes"]),
        now=lambda: datetime.fromisoformat(vector["made"]),
        randomness=scripted(
            [vector["kek"], vector["idx"], vector["file"][52:84], vector["file"][84:108]]
        ),
    )
    assert path.read_bytes().hex() == vector["file"]
    assert b'"kek"' in key_file.read(path, vector["passphrase"]).payload
    opened = FileKeyService.open(path, lambda: vector["passphrase"], [vector["owner"]])
    assert await opened.status() == await made.status()


@pytest.mark.parametrize("vector", vectors("key_backup"))
def test_key_backup(vector: dict[str, Any]) -> None:
    notice = Notice(
        datetime.fromisoformat(vector["made"]),
        datetime.fromisoformat(vector["expires"]),
        vector["identifier"],
        vector["shares"],
        vector["threshold"],
        tuple(vector["owners"]),
    )
    key, nonce = bytes.fromhex(vector["key"]), bytes.fromhex(vector["nonce"])
    payload, file = vector["payload"].encode(), bytes.fromhex(vector["file"])
    assert key_backup.sealed(payload, notice, key, nonce) == file
    assert key_backup.opened_with(file, key) == payload
    assert key_backup.notice_of(file, notice.made) == notice


def scripted(parts: list[str]) -> Callable[[int], bytes]:
    """Randomness that is not: *parts*, one a call."""
    rest = iter(parts)
    return lambda size: always(next(rest))(size)


@pytest.mark.parametrize("vector", vectors("openbao"))
def test_openbao(vector: dict[str, Any]) -> None:
    owner, version = vector["owner"], vector["version"]
    context, key = bytes.fromhex(vector["context"]), bytes.fromhex(vector["key"])
    stored = bytes.fromhex(vector["wrapped"])

    assert wire.to_wrap(owner, version, context, key) == {
        "plaintext": b64encode(key).decode(),
        "associated_data": vector["associated_data"],
        "key_version": version,
    }
    assert wire.wrapped({"ciphertext": vector["ciphertext"]}, version) == stored
    assert wire.to_unwrap(owner, context, version, stored) == {
        "ciphertext": vector["ciphertext"],
        "associated_data": vector["associated_data"],
    }
    label, item = bytes.fromhex(vector["label"]), bytes.fromhex(vector["item"])
    assert wire.to_hash(owner, label, item) == {"input": vector["input"]}
    assert wire.hashed({"hmac": vector["hmac"]}, version).hex() == vector["value"]
