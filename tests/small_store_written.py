"""How the small store is written: through casework, in five steps.

Two agencies whose records have equal shapes, three defenders, two case files with notes,
and a release; two versions of the KEK and of the IDX of each owner; a record that was
updated, whose data keys were exchanged, and that was updated again.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from api.accesslog.ledger import Ledger
from api.accesslog.ledger_sqlite import SqliteWriter
from api.accesslog.reader import LogReader
from api.casework import provisioning
from api.casework.defenders import update_defender
from api.casework.house import House
from api.casework.key_exchange import exchange
from api.casework.provisioning import NewRelease
from api.casework.releases import ReleaseContent
from api.casework.writing import Batch, NewDefender, NewNote
from api.code_lists import load
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.key_service import KeyKind
from api.crypto.keyring import Keyring
from api.database import Records, engine_of
from api.migrations import upgrade
from api.policies.engine import Policy
from api.policies.gate import Gate
from api.store import key_wraps
from api.store.sealed_records import SEALED_RECORDS
from api.store.tables import data_key
from api.vocabulary import CaseStatus, Purpose, RecordKind, Role, Urgency
from tests.small_store import (
    AGENCIES,
    CASE_FILES,
    CHANGED,
    DEFENDERS,
    MEMBERS,
    NOTES,
    OWNERS,
    PARTNER,
    RELEASE,
    REWRAPPED,
    SmallStore,
    Spot,
    owner_of,
    record_of,
)

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
PASSPHRASE = "pagar makan tanaman"

_STEPS = 5


def person(number: int) -> dict[str, Any]:
    """Give all that can be known of a defender; every number gives values of equal lengths."""
    return {
        "full_name": f"Orang Pertama {number}",
        "aliases": [f"Si Nomor {number}", f"Bung {number}"],
        "nik": f"317101170190000{number}",
        "family_card": f"317101170190100{number}",
        "date_of_birth": date(1990, 1, number),
        "gender": f"gender {number}",
        "nationality": f"Negeri {number}",
        "sealed_categories": ["lgbtiq", f"x{number}"],
        "phones": [f"+62840555500{number}", f"+62840555510{number}"],
        "emails": [f"orang{number}@example.org"],
        "home_address": f"Jalan Rumah {number}",
        "present_location": f"Jalan Aman {number}",
    }


def _batch(agency: str) -> tuple[Batch, dict[UUID, dict[str, Any]]]:
    place = AGENCIES.index(agency)
    case_file, member = CASE_FILES[place], MEMBERS[place]
    people = [d for d in DEFENDERS if owner_of(d) == agency]
    batch = Batch(
        {
            case_file: {
                "account": f"Kejadian {agency:10}",
                "sexual_violence_forms": [agency],
                "adversary_institutions": [f"Lembaga {agency}"],
            }
        },
        {d: NewDefender(["environment"], person(DEFENDERS.index(d) + 1)) for d in people},
        [(case_file, d, position) for position, d in enumerate(people)],
        [
            {
                "id": UUID(int=member.int + 0x100),
                "case_file": case_file,
                "member": member,
                "assigned_by": None,
                "starts_at": NOON - timedelta(days=1),
                "ends_at": NOON + timedelta(days=1),
                "ended_at": None,
            }
        ],
        [
            NewNote(
                {"id": note, "case_file": case_file, "author": member, "written_at": NOON},
                f"Catatan {note.int % 16}",
            )
            for note in NOTES
            if record_of(Spot("note", note, "body")) == case_file
        ],
    )
    clear = {
        case_file: {
            "reference": f"X-{place}",
            "status": CaseStatus.ACTIVE.value,
            "urgency": Urgency.SOON,
            "sensitivity": 3,
            "province": "31",
            "opened_on": NOON.date(),
            "respond_by": NOON,
            "incident_kinds": [],
            "adversary_kinds": [],
            "measure_kinds": [],
        }
    }
    return batch, clear


async def _rotated(folder: Path, service: FileKeyService) -> FileKeyService:
    """Make second versions of KEK and IDX; give a service that has no first ones any more."""
    for owner, kind in product(OWNERS, KeyKind):
        await service.rotate(owner, kind)
    shutil.copy(folder / "keys", folder / "newer")
    newer = FileKeyService.open(folder / "newer", lambda: PASSPHRASE, OWNERS)
    for owner, kind in product(OWNERS, KeyKind):
        await newer.destroy_below(owner, kind, 2)
    return newer


async def _write(house: House) -> None:
    for agency, member in zip(AGENCIES, MEMBERS, strict=True):
        row = {
            "id": member,
            "organisation": agency,
            "subject": "petugas",
            "role": Role.PROTECTION_OFFICER.value,
            "clearance": 4,
            "trained": 1,
            "disabled_at": None,
        }
        await provisioning.add_members(house, agency, [row])
        await provisioning.import_case_files(house, agency, *_batch(agency))
    content = ReleaseContent("31", "2026-11", [], [], [], [], "Ringkasan tanpa nama")
    columns = {
        "id": RELEASE,
        "partner": PARTNER,
        "agency": AGENCIES[0],
        "profile": "legal_aid",
        "purpose": Purpose.REFERRAL.value,
        "until": NOON + timedelta(days=9),
        "revoked_at": None,
    }
    release = NewRelease(columns, CASE_FILES[0], content.dump())
    await provisioning.import_releases(house, AGENCIES[0], [release])


async def _exchange_keys(store: SmallStore, record: UUID) -> None:
    """Seal all of *record* under new data keys, as a rotation does; the old wraps go."""
    kind = RecordKind.DEFENDER if record in DEFENDERS else RecordKind.CASE_FILE
    [of] = [sealed for sealed in SEALED_RECORDS if sealed.kind is kind]
    async with store.house.records.change() as change:
        exchanged = await exchange(store.house, change, of, owner_of(record), [record])
    assert exchanged.done == {record}


async def _rewrap(store: SmallStore, record: UUID) -> None:
    """Wrap the same data keys again, under the newest KEK."""
    owner = owner_of(record)
    opened = await store.keys(owner, store.now.wraps.values(), store.now)
    wraps = [
        await store.house.keyring.wrap_for(owner, key)
        for key in opened.keys
        if key.record == record
    ]
    async with store.house.records.change() as change:
        await change.execute(delete(data_key).where(data_key.c.record == record))
        await key_wraps.insert_wraps(change, wraps)


async def _update(store: SmallStore, revision: int, given: dict[str, Any]) -> None:
    caller = store.caller(AGENCIES[0])
    await update_defender(store.house, caller, CHANGED, revision, given)


@asynccontextmanager
async def small_store(folder: Path) -> AsyncIterator[SmallStore]:
    """Write the store into *folder*, step by step."""
    service = FileKeyService.create(folder / "keys", lambda: PASSPHRASE, OWNERS, cost=Cost(8, 1, 1))
    records_path, log_path = folder / "records.sqlite", folder / "log.sqlite"
    records_url, log_url = (f"sqlite+aiosqlite:///{p}" for p in (records_path, log_path))
    await upgrade("records", records_url)
    await upgrade("log", log_url)
    async with AsyncExitStack() as closing:
        records = Records(engine_of(records_url))
        closing.push_async_callback(records.close)
        rows = [
            {
                "slug": owner,
                "kind": "partner" if owner == PARTNER else "agency",
                "name": owner,
                "reference_prefix": None,
                "references_given": 0,
            }
            for owner in OWNERS
        ]
        await provisioning.set_up_owners(records, service, rows)
        async with records.snapshot() as snapshot:
            secrets = await key_wraps.secrets_of(snapshot, OWNERS)
        ledger = Ledger(SqliteWriter(log_path))
        await ledger.start()
        closing.push_async_callback(ledger.close)
        log_engine = engine_of(log_url)
        closing.push_async_callback(log_engine.dispose)

        keyring = await Keyring.start(service, secrets)
        gate, log = Gate(Policy.shipped()), LogReader(log_engine)
        house = House(records, keyring, gate, ledger, log, load(), lambda: NOON)
        # Written under the first version of KEK and IDX; all that follows under the second.
        await _write(house)
        store = SmallStore(house, service, await _rotated(folder, service), records_path)
        await store.step()
        changed = {"full_name": "Orang Kedua 1", "nik": "3171011701902001"}
        await _update(store, 1, {**changed, "phones": ["+628405555201"]})
        await store.step()
        for record in (CHANGED, CASE_FILES[0]):
            await _exchange_keys(store, record)
        await store.step()
        await _rewrap(store, REWRAPPED)
        await store.step()
        await _update(store, 2, {"full_name": "Orang Ketiga 1", "phones": ["+628405555301"]})
        await store.step()
        assert len(store.copies) == _STEPS
        yield store
