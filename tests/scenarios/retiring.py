"""Rotate and retire the keys of a world, and look at what some keys open in some database."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from api.casework import retirement
from api.casework.index_rotation import rotate_index
from api.casework.kek_rotation import rotate_kek
from api.casework.retirement import Retired
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_service import KeyKind
from api.crypto.keyring import Keyring
from api.crypto.sealed import Sealed
from api.crypto.sealing import open_sealed
from api.database import engine_of
from api.errors import SealBroken
from api.key_settings import passphrase
from api.settings import Settings
from api.store.sealed_fields import DEFENDER_FIELDS
from api.store.tables import data_key, defender, defender_tag
from api.vocabulary import Compartment
from tests.scenarios.rotating import PACE, Quiet, unseen
from tests.world import Clock, World


@dataclass(frozen=True, slots=True)
class Opened:
    """What keys opened in a database, of one defender: how many wraps, and column -> value."""

    wraps: int
    values: dict[str, object]


def service_of(settings: Settings, keys: Path, clock: Clock) -> FileKeyService:
    """Open a key file, with the passphrase of the installation."""
    return FileKeyService.open(keys, lambda: passphrase(settings), settings.owners, now=clock)


async def wraps_in(url: str) -> list[WrappedKey]:
    """Read every wrap in a database, whoever's it is and whatever it opens."""
    names = ("record", "compartment", "version", "owner", "kek_version", "wrapped", "commitment")
    engine = engine_of(url)
    async with engine.connect() as connection:
        rows = (await connection.execute(select(*(data_key.c[n] for n in names)))).all()
    await engine.dispose()
    return [WrappedKey(record, Compartment(c), *rest) for record, c, *rest in rows]


async def sealed_in(url: str, record: UUID) -> dict[str, Sealed]:
    """Read every sealed column of a defender in a database."""
    engine = engine_of(url)
    async with engine.connect() as connection:
        columns = [defender.c[field.column] for field in DEFENDER_FIELDS.values()]
        row = (await connection.execute(select(*columns).where(defender.c.id == record))).one()
    await engine.dispose()
    return dict(row._mapping)


async def tags_in(url: str, record: UUID) -> dict[str, list[bytes]]:
    """Read the tags of a defender in a database, by field."""
    engine = engine_of(url)
    async with engine.connect() as connection:
        columns = (defender_tag.c.field, defender_tag.c.tag)
        rows = await connection.execute(select(*columns).where(defender_tag.c.defender == record))
        found: dict[str, list[bytes]] = {}
        for field, tag in rows:
            found.setdefault(field, []).append(tag)
    await engine.dispose()
    return found


async def keys_of(service: FileKeyService, wraps: Iterable[WrappedKey]) -> list[DataKey]:
    """Open every one of *wraps* that opens, each by itself: no policy, no event, no manifest."""
    keyring = Keyring(service, {})
    found = []
    for wrap in wraps:
        try:
            found += await keyring.open_keys(wrap.owner, [wrap])
        except SealBroken:
            continue
    return found


def values_of(record: UUID, sealed: dict[str, Sealed], keys: Iterable[DataKey]) -> Opened:
    """Try every one of *keys* on every sealed column of a defender."""
    keys = list(keys)
    values: dict[str, object] = {}
    for field in DEFENDER_FIELDS.values():
        for key in keys:
            try:
                values[field.column] = open_sealed(key, field.place, record, sealed[field.column])
            except SealBroken:
                continue
    return Opened(len(keys), values)


async def opened_in(url: str, service: FileKeyService, record: UUID) -> Opened:
    """Say what *service* opens of a defender in the database at *url*."""
    wraps = [wrap for wrap in await wraps_in(url) if wrap.record == record]
    return values_of(record, await sealed_in(url, record), await keys_of(service, wraps))


def records_url(world: World) -> str:
    """Give the address of the live records, of the role that owns them."""
    if world.database is not None:
        return world.database.owner_url
    return world.settings.records_url.get_secret_value()


async def retire(quiet: Quiet) -> None:
    """Rotate the KEK and the IDX of every owner, and destroy all older versions."""
    house = quiet.house
    for owner in quiet.world.settings.owners:
        for kind, rotate in ((KeyKind.KEK, rotate_kek), (KeyKind.IDX, rotate_index)):
            await rotate(house, owner, PACE, unseen)
            assert isinstance(await retirement.retire(house, owner, kind, None), Retired)
