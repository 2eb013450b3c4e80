"""The bytes are those of FORMAT.md, and stay so: a stored field must open in ten years."""

import importlib.util
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.crypto import key_file
from api.crypto.cursors import CursorKey
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.keyring import Keyring, OwnerSecret
from api.crypto.rights import RightsKey
from api.crypto.sealed import Sealed
from api.crypto.sealing import Place, open_sealed, seal
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


def service(owner: str, kek: str, idx: str, nonce: str) -> FileKeyService:
    kinds = {
        kind: [{"version": 1, "made": "2026-01-01T00:00:00+00:00", "key": key}]
        for kind, key in (("kek", kek), ("idx", idx))
    }
    return FileKeyService({owner: kinds}, always(nonce))


def test_the_vectors_are_what_their_maker_makes_from_format_md() -> None:
    spec = importlib.util.spec_from_file_location("make_vectors", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
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


@pytest.mark.parametrize("vector", vectors("wrap"))
async def test_wrap(vector: dict[str, Any]) -> None:
    keys = service(vector["owner"], vector["kek"], vector["kek"], vector["nonce"])
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
    [key] = (await keyring.open_keys(wrap.owner, [wrap])).values()
    assert key.secret.hex() == vector["data_key"]


async def test_owner_secret() -> None:
    first, second = vectors("owner_secret")
    keys = service(first["owner"], first["kek"], first["kek"], first["nonce"])
    made = await Keyring.new_secrets(keys, first["owner"], always(first["secret"]))
    assert made == [
        OwnerSecret(
            v["owner"], v["kind"], v["version"], v["kek_version"], bytes.fromhex(v["wrapped"])
        )
        for v in (first, second)
    ]
    keyring = await Keyring.start(keys, made)
    secret = bytes.fromhex(first["secret"])
    assert keyring.rights(first["owner"]).seal("t", []) == RightsKey(secret).seal("t", [])


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


@pytest.mark.parametrize("vector", vectors("tag"))
async def test_tag(vector: dict[str, Any]) -> None:
    keys = service(vector["owner"], vector["idx"], vector["idx"], "00" * 12)
    keyring = await Keyring.start(keys, [])
    [tag] = await keyring.tags(vector["owner"], vector["column"], [vector["value"]])
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
        vector["passphrase"],
        [vector["owner"]],
        cost=Cost(vector["memory"], vector["iterations"], vector["lanes"]),
        now=lambda: datetime.fromisoformat(vector["made"]),
        randomness=scripted(
            [vector["kek"], vector["idx"], vector["file"][52:84], vector["file"][84:108]]
        ),
    )
    assert path.read_bytes().hex() == vector["file"]
    assert b'"kek"' in key_file.read(path, vector["passphrase"])
    opened = FileKeyService.open(path, vector["passphrase"], [vector["owner"]])
    assert await opened.status() == await made.status()


def scripted(parts: list[str]) -> Callable[[int], bytes]:
    """Randomness that is not: *parts*, one a call."""
    rest = iter(parts)
    return lambda size: always(next(rest))(size)
