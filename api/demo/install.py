"""Make an installation in one folder: keys, issuers, settings, tables, synthetic records.

The demo and the tests stand on the same one. The passphrase lies beside the key
file here, which is right for synthetic data and for nothing else.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from pathlib import Path
from typing import Any

from api.app import key_service, open_house
from api.casework.house import House
from api.casework.provisioning import set_up_owners
from api.casework.trust import fingerprint_of, trust
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.key_service import KeyService
from api.crypto.signatures import SigningKey
from api.database import Records, engine_of
from api.demo.client import DemoClient
from api.demo.documents import admit
from api.demo.issuer import DemoIssuer
from api.demo.seed import Progress, organisation_rows, seed
from api.demo.synthetic_records import Synthetic
from api.migrations import upgrade
from api.settings import Settings
from api.store.referrals import is_agency
from api.vocabulary import Role

AUDIENCE = "perisai-demo"
LOG_ORIGIN = "perisai-demo.invalid/log"
CONFIG = "perisai.toml"
DOCUMENTS = "documents"

#: What the demo's issuer says of a sign-in with a security key (OpenID EAP ACR values 1.0).
STRONG_ACR = "phr"

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Databases:
    """Addresses of the databases, by the role that uses them; owners run migrations."""

    records_owner: str
    log_owner: str
    records: str
    log: str
    log_reader: str
    log_signer: str

    @classmethod
    def embedded(cls, folder: Path) -> "Databases":
        """Two SQLite files in *folder*."""
        records = f"sqlite+aiosqlite:///{folder / 'records.sqlite'}"
        log = f"sqlite+aiosqlite:///{folder / 'log.sqlite'}"
        return cls(records, log, records, log, log, log)


def issuer_of(folder: Path, clock: Clock) -> DemoIssuer:
    """Give the issuer whose keys lie in *folder*."""
    return DemoIssuer(folder / "issuers", demo=True, audience=AUDIENCE, clock=clock)


def client_of(folder: Path, clock: Clock) -> DemoClient:
    """Give the application of the demo's partners, whose key lies in *folder*."""
    return DemoClient.at(folder / "issuers" / "partner-client.key.json", clock)


async def install(
    folder: Path,
    databases: Databases,
    records: Synthetic,
    *,
    clock: Clock,
    progress: Progress,
    port: int = 8463,
    cost: Cost | None = None,
    keys: Mapping[str, Any] | None = None,
) -> Path:
    """Make everything; give the path of the settings file, which is written last.

    Args:
        cost: of the passphrase's derivation; tests make it cheap.
        keys: settings of a key service that holds keys of all owners; else a key
            file is made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owners = [o.slug for o in records.organisations]
    made: KeyService | None = None
    if keys is None:
        keys, made = _key_file(folder, owners, cost, clock)
    SigningKey.generate().save(folder / "log-signing-key.pem")
    issuer = issuer_of(folder, clock)
    for owner in owners:
        issuer.create(owner)
    client_of(folder, clock)
    (folder / DOCUMENTS).mkdir()
    admit(folder / DOCUMENTS)
    config = folder / CONFIG
    _write(config, _toml(folder, databases, owners, issuer, {**keys, "port": port}))
    try:
        await upgrade("records", databases.records_owner)
        await upgrade("log", databases.log_owner)
        settings = Settings.at(config)
        async with AsyncExitStack() as closing:
            store = Records(engine_of(databases.records))
            closing.push_async_callback(store.close)
            service = made or key_service(settings)
            closing.push_async_callback(service.close)
            await set_up_owners(store, service, organisation_rows(records))
        async with open_house(settings, clock) as house:
            await _trust_each_other(house, [o.slug for o in records.organisations])
            await seed(house, records, progress)
    except BaseException:
        config.unlink()
        raise
    return config


async def _trust_each_other(house: House, slugs: Sequence[str]) -> None:
    """Let every agency pin the keys of every other one; here all of them are of this process."""
    async with house.records.look() as connection:
        agencies = [slug for slug in slugs if await is_agency(connection, slug)]
    for owner, peer in permutations(agencies, 2):
        async with house.records.look() as connection:
            told = await fingerprint_of(house, connection, peer)
        if told is not None:
            await trust(house, owner, peer, told)


def _key_file(
    folder: Path, owners: Sequence[str], cost: Cost | None, now: Clock
) -> tuple[dict[str, Any], FileKeyService]:
    """Make a key file; give its settings, and it as it is open already."""
    passphrase = secrets.token_urlsafe(32)
    _write(folder / "passphrase", passphrase)
    service = FileKeyService.create(folder / "keys", lambda: passphrase, owners, cost=cost, now=now)
    return {
        "key_file": str(folder / "keys"),
        "key_passphrase_file": str(folder / "passphrase"),
    }, service


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _toml(
    folder: Path,
    databases: Databases,
    owners: Sequence[str],
    issuer: DemoIssuer,
    more: Mapping[str, Any],
) -> str:
    """Write the settings; a JSON string is a TOML string as well."""
    lines = {
        "records_url": databases.records,
        "log_url": databases.log,
        "log_reader_url": databases.log_reader,
        "log_signer_url": databases.log_signer,
        "owners": list(owners),
        "audience": AUDIENCE,
        "log_origin": LOG_ORIGIN,
        "log_signing_key": str(folder / "log-signing-key.pem"),
        "log_state": str(folder / "log-signer-state"),
        "strong_acr": [STRONG_ACR],
        "introspection_roles": list(Role),
        "documents": str(folder / DOCUMENTS),
        "adhoc_roles": [role for role in Role if role is not Role.PARTNER],
        "demo": True,
        **more,
    }
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
    for owner in owners:
        text += (
            f"\n[[issuers]]\nurl = {json.dumps(issuer.url(owner))}\n"
            f"organisation = {json.dumps(owner)}\n"
            f"jwks = {json.dumps(str(issuer.jwks_path(owner)))}\n"
        )
    return text
