"""Make an installation in one folder: keys, issuers, settings, tables, synthetic records.

The demo and the tests stand on the same one. The passphrase lies beside the key
file here, which is right for synthetic data and for nothing else.
"""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.app import open_house
from api.casework.provisioning import set_up_owners
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.signatures import SigningKey
from api.database import Records, engine_of
from api.demo.issuer import DemoIssuer
from api.demo.seed import Progress, organisation_rows, seed
from api.demo.synthetic_records import Synthetic
from api.migrations import upgrade
from api.settings import Settings

AUDIENCE = "perisai-demo"
LOG_ORIGIN = "perisai-demo.invalid/log"
CONFIG = "perisai.toml"

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Databases:
    """Addresses of the databases, by the role that uses them; owners run migrations."""

    records_owner: str
    log_owner: str
    records: str
    log: str
    log_reader: str

    @classmethod
    def embedded(cls, folder: Path) -> "Databases":
        """Two SQLite files in *folder*."""
        records = f"sqlite+aiosqlite:///{folder / 'records.sqlite'}"
        log = f"sqlite+aiosqlite:///{folder / 'log.sqlite'}"
        return cls(records, log, records, log, log)


def issuer_of(folder: Path, clock: Clock) -> DemoIssuer:
    """Give the issuer whose keys lie in *folder*."""
    return DemoIssuer(folder / "issuers", demo=True, audience=AUDIENCE, clock=clock)


async def install(
    folder: Path,
    databases: Databases,
    records: Synthetic,
    *,
    clock: Clock,
    progress: Progress,
    port: int = 8463,
    cost: Cost | None = None,
) -> Path:
    """Make everything; give the path of the settings file, which is written last.

    Args:
        cost: of the passphrase's derivation; tests make it cheap.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owners = [o.slug for o in records.organisations]
    passphrase = secrets.token_urlsafe(32)
    _write(folder / "passphrase", passphrase)
    service = FileKeyService.create(folder / "keys", passphrase, owners, cost=cost)
    SigningKey.generate().save(folder / "log-signing-key.pem")
    issuer = issuer_of(folder, clock)
    for owner in owners:
        issuer.create(owner)
    config = folder / CONFIG
    _write(config, _toml(folder, databases, owners, issuer, port))
    try:
        await upgrade("records", databases.records_owner)
        await upgrade("log", databases.log_owner)
        store = Records(engine_of(databases.records))
        try:
            await set_up_owners(store, service, organisation_rows(records))
        finally:
            await store.close()
        settings = Settings.at(config)
        async with open_house(settings, clock) as house:
            await seed(house, records, progress)
    except BaseException:
        config.unlink()
        raise
    return config


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _toml(
    folder: Path,
    databases: Databases,
    owners: Sequence[str],
    issuer: DemoIssuer,
    port: int,
) -> str:
    """Write the settings; a JSON string is a TOML string as well."""
    lines = {
        "records_url": databases.records,
        "log_url": databases.log,
        "log_reader_url": databases.log_reader,
        "key_file": str(folder / "keys"),
        "key_passphrase_file": str(folder / "passphrase"),
        "owners": list(owners),
        "audience": AUDIENCE,
        "log_origin": LOG_ORIGIN,
        "log_signing_key": str(folder / "log-signing-key.pem"),
        "log_state": str(folder / "log-signer-state"),
        "port": port,
        "demo": True,
    }
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
    for owner in owners:
        text += (
            f"\n[[issuers]]\nurl = {json.dumps(issuer.url(owner))}\n"
            f"organisation = {json.dumps(owner)}\n"
            f"jwks = {json.dumps(str(issuer.jwks_path(owner)))}\n"
        )
    return text
