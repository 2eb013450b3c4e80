"""Open the data keys of one pass, and prove by them which ciphertexts are the newest.

A wrap or manifest that was tampered with is reported and left out, and what it stands
for is withheld; nothing here opens a field.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import structlog

from api.casework.house import House
from api.crypto.data_keys import DataKey
from api.crypto.manifest import Manifest, open_manifest
from api.errors import SealBroken
from api.store.key_wraps import StoredKey
from api.store.sealed_fields import LAYOUTS
from api.vocabulary import Compartment

_log = structlog.get_logger("perisai.key_opening")

#: What a wrap that was tampered with ends in; the last two where it is not even of the
#: types of a wrap, which SQLite lets somebody write.
_NO_WRAP = (SealBroken, AttributeError, TypeError)


#: The newest key of a record and compartment, and the marks of the newest ciphertexts,
#: which are all under it, joined; no marks where no manifest proves them.
Proven = tuple[DataKey, bytes]
#: What stands for both where there is no key.
NOTHING = (None, b"")


class OpenKeys(NamedTuple):
    """The data keys of one pass, and what their manifests prove.

    Attributes:
        keys: all that opened, of every version.
        proven: by record, then by compartment.
    """

    keys: Sequence[DataKey]
    proven: Mapping[UUID, Mapping[Compartment, Proven]]

    def of(self, record: UUID, compartment: Compartment, version: int) -> DataKey | None:
        """Give one key of any version, if it opened."""
        newest, _ = self.proven.get(record, {}).get(compartment, NOTHING)
        if newest is None or newest.version == version:
            return newest
        place = (record, compartment, version)
        return next((k for k in self.keys if (k.record, k.compartment, k.version) == place), None)

    @property
    def marks(self) -> Mapping[tuple[UUID, Compartment], bytes]:
        """The proven marks, by record and compartment."""
        return {
            (record, compartment): marks
            for record, held in self.proven.items()
            for compartment, (_, marks) in held.items()
            if marks
        }


async def open_keys(house: House, owner: str, stored: Sequence[StoredKey]) -> OpenKeys:
    """Open what was *stored*, as far as it holds.

    Raises:
        KeysUnavailable: the key service does not serve *owner* now.
    """
    keys, manifests = await _opened(house, owner, stored)
    opened: Iterable[tuple[DataKey, Manifest | None]] = zip(keys, manifests, strict=True)
    if len({key.version for key in keys}) > 1:
        opened = sorted(opened, key=_version, reverse=True)
    proven: dict[UUID, dict[Compartment, Proven]] = {}
    for key, manifest in opened:
        compartment = key.compartment
        held = proven.get(key.record)
        if held is None:
            held = proven[key.record] = {}
        elif compartment in held:
            continue  # The newest came first, and a manifest is under the newest.
        marks = b""
        if manifest is not None:
            try:
                marks = open_manifest(key, LAYOUTS[compartment], manifest)
            except (*_NO_WRAP, KeyError):
                _log.error("seal_broken", table="manifest", owner=owner)
        held[compartment] = key, marks
    return OpenKeys(keys, proven)


def _version(opened: tuple[DataKey, Manifest | None]) -> int:
    return opened[0].version


async def _opened(
    house: House, owner: str, stored: Sequence[StoredKey]
) -> tuple[list[DataKey], list[Manifest | None]]:
    """Open the wraps; where some do not hold, halve until each of these is alone.

    A call may go over the network: one bad wrap among n costs 2 log2(n) calls more, not n,
    so that who spoils one row does not make every page that holds it too slow to answer.
    """
    try:
        keys = await house.keyring.open_each(owner, [wrap for wrap, _ in stored])
    except _NO_WRAP:
        if len(stored) == 1:
            _log.error("seal_broken", table="data_key", owner=owner)
            return [], []
    else:
        whole = [(key, m) for key, (_, m) in zip(keys, stored, strict=True) if key is not None]
        for _ in range(len(stored) - len(whole)):
            _log.error("seal_broken", table="data_key", owner=owner)
        return [key for key, _ in whole], [manifest for _, manifest in whole]
    middle = len(stored) // 2
    some, manifests = await _opened(house, owner, stored[:middle])
    more, more_manifests = await _opened(house, owner, stored[middle:])
    return some + more, manifests + more_manifests
