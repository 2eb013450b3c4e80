"""Keys are shared between two processes, neither of which ever holds a key of the other.

Komnas HAM and LPSK each run `perisai serve` with a settings file, a key file, a
passphrase and an issuer of their own; they have the databases in common, which a test
may also write to by hand, as an administrator might.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.app import open_house
from api.crypto.data_keys import WrappedKey
from api.crypto.file_key_service import FileKeyService
from api.crypto.sealed import Sealed
from api.crypto.sealing import Place, open_sealed
from api.database import engine_of
from api.errors import KeysUnavailable, RefusesToStart, SealBroken
from api.store.sealed_fields import DEFENDER_FIELDS
from api.vocabulary import Compartment, Role
from tests.postgresql import Database, PostgresServer
from tests.scenarios.consenting import RECORD
from tests.scenarios.referring import ACCEPT, ASSIGN, END, LIST, READ, REFER
from tests.scenarios.two_agencies import (
    PATIENCE,
    Agency,
    databases,
    found,
    introduced,
    now,
    said,
)

pytestmark = pytest.mark.long

OPEN = """mutation { openCaseFile(input: {urgency: IMMEDIATE, sensitivity: 3, province: "31",
  account: "Kronologi rahasia.", defenders: [{fullName: "Siti Rahasia", phones: ["081234567890"],
  presentLocation: "Rumah aman"}]}) { caseFileId errors { code } } }"""
RENAME = """mutation ($id: ID!) { updateDefender(input: {id: $id, revision: 1,
  fullName: "Nama Baru"}) { revision errors { code } } }"""
NAME: Place = DEFENDER_FIELDS["fullName"].place


async def rows(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Run SQL as the databases' owner would by hand."""
    engine = engine_of(database.owner_url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        await engine.dispose()


async def wraps(database: Database) -> list[WrappedKey]:
    found = await rows(
        database,
        "select record, compartment, version, owner, kek_version, wrapped, commitment"
        " from data_key order by record, compartment, version, owner",
    )
    return [WrappedKey(record, Compartment(c), *rest) for record, c, *rest in found]


@asynccontextmanager
async def running(*agencies: Agency) -> AsyncIterator[None]:
    """Serve each agency by a process of its own until the block ends."""
    services = [agency.serve() for agency in agencies]
    try:
        for service in services:
            service.__enter__()
        for agency, service in zip(agencies, services, strict=True):
            await agency.ready(service)
        yield
    finally:
        for service in services:
            if service.process is not None:
                service.end()


async def read(agency: Agency, who: str, file: str, purpose: str = "protection") -> Any:
    """Read the case file; None: it does not exist for that person."""
    body = await agency.ask(who, READ, {"id": file}, purpose=purpose)
    if "errors" in body:
        assert [e["extensions"]["code"] for e in body["errors"]] == ["NOT_FOUND"], body
        return None
    return body["data"]["caseFile"]


async def read_when_keys_came(agency: Agency, who: str, file: str) -> Any:
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        case_file = await read(agency, who, file)
        if case_file["defenders"][0]["fullName"] is not None:
            return case_file
        await asyncio.sleep(0.2)  # the other process gives them when it looks
    raise AssertionError("no keys came")


async def test_two_processes_share_compartments_and_no_key(
    server: PostgresServer, tmp_path: Path
) -> None:
    database = server.create_database()
    await databases(tmp_path, database)
    staff_a = {"sari": Role.CASE_OFFICER, "budi": Role.SUPERVISOR}
    staff_b = {"wayan": Role.PROTECTION_OFFICER, "hasan": Role.SUPERVISOR}
    a = await found(tmp_path, database, "komnas-ham", "KH", staff_a)
    b = await found(tmp_path, database, "lpsk", "LP", staff_b)
    await introduced(a, b)
    await neither_has_anything_of_the_other(a, b)

    async with running(a):
        body = await a.ask("sari", OPEN, purpose="intake")
        file = body["data"]["openCaseFile"]["caseFileId"]
        assert file, body
        person = (await read(a, "sari", file))["defenders"][0]["id"]
        given = {
            "caseFileId": file,
            "recipient": "lpsk",
            "purpose": "PROTECTION",
            "compartments": ["IDENTITY", "CONTACT"],
            "until": (now() + timedelta(days=30)).isoformat(),
        }
        agreed = {**given, "defenderId": person, "form": "WRITTEN"}
        await a.change("budi", RECORD, {"input": agreed})
        referral = (await a.change("budi", REFER, {"input": given}))["referralId"]

    async with running(b):
        # A token of one agency is nothing to the process of the other.
        body = await b.ask("sari", LIST, token=a.token("sari"))
        assert body["errors"][0]["extensions"]["code"] == "NOT_SIGNED_IN"
        # Proposed is not shared: nothing exists there, nothing is on its way.
        assert await read(b, "wayan", file) is None
        assert await read(b, "hasan", file, "supervision") is None
        assert await rows(database, "select * from key_share") == []
        # Accepted while the giver is down: it exists, and no key is there to open it.
        await b.change("hasan", ACCEPT, {"id": referral})
        await assign(b, "wayan", file)
        case_file = await read(b, "wayan", file)
        assert case_file["defenders"][0]["fullName"] is None
        assert await opened_by(b, await wraps(database)) == set()

        async with running(a):
            await shared_is_read_and_nothing_else(b, file)
            kept = [w for w in await wraps(database) if w.owner == "lpsk"]
            assert await opened_by(b, await wraps(database)) == {
                (UUID(person), Compartment.IDENTITY),
                (UUID(person), Compartment.CONTACT),
            }
            assert await rows(database, "select * from key_share") == []
            # New data keys are given and taken as the old ones were.
            assert "are shared with others" in await said(a, "keys", "rotate", "--data")
            await shared_is_read_and_nothing_else(b, file)
            assert not {w.version for w in await wraps(database) if w.owner == "lpsk"} & {1}
            await a.change("budi", END, {"id": referral})
            assert await read(b, "wayan", file) is None
            assert await opened_by(b, await wraps(database)) == set()
            body = await a.ask("sari", RENAME, {"id": person})
            assert body["data"]["updateDefender"]["errors"] == [], body
            name = (await read(a, "sari", file))["defenders"][0]["fullName"]
            assert name == "Nama Baru"
            await old_wraps_open_nothing_new(database, a, b, kept, UUID(person), file)

    verified = await said(a, "log", "verify")
    assert "The log holds" in verified
    server.drop_database(database)


async def assign(agency: Agency, who: str, file: str) -> None:
    given = {
        "caseFileId": file,
        "memberId": agency.members[who],
        "until": (now() + timedelta(days=30)).isoformat(),
    }
    body = await agency.ask("hasan", ASSIGN, {"input": given}, purpose="supervision")
    assert body["data"]["assignCaseworker"]["errors"] == [], body


async def neither_has_anything_of_the_other(a: Agency, b: Agency) -> None:
    """No owner, key, passphrase, issuer or token key of the one is with the other."""
    for mine, other in ((a, b), (b, a)):
        passphrase = (mine.folder / "passphrase").read_text
        assert mine.settings.owners == (mine.slug,)
        assert [i.organisation for i in mine.settings.issuers] == [mine.slug]
        for wanted in ([other.slug], [mine.slug, other.slug]):
            try:
                FileKeyService.open(mine.settings.key_file, passphrase, wanted)
            except RefusesToStart:
                continue
            raise AssertionError("the key file holds keys of the other agency")
        try:
            FileKeyService.open(other.settings.key_file, passphrase, [other.slug])
        except RefusesToStart:
            pass
        else:
            raise AssertionError("the passphrase opens the keys of the other agency")
        theirs = {path.read_bytes() for path in other.folder.rglob("*") if path.is_file()}
        for path in (p for p in mine.folder.rglob("*") if p.is_file()):
            content = path.read_bytes()
            assert content not in theirs, path
            for secret in theirs - {b""}:
                assert secret not in content, path
        assert str(other.folder) not in mine.config.read_text()
        async with open_house(mine.settings) as house:
            assert house.keyring.owners == {mine.slug}
            for key in (house.keyring.rights, house.keyring.signing_key, house.keyring.sharing_key):
                try:
                    key(other.slug)
                except KeysUnavailable:
                    continue
                raise AssertionError("a secret of the other agency is open here")


async def opened_by(agency: Agency, stored: list[WrappedKey]) -> set[tuple[UUID, Compartment]]:
    """Try every wrap there is, as it stands and as if it were the agency's own."""
    found: set[tuple[UUID, Compartment]] = set()
    async with open_house(agency.settings) as house:
        for wrap in stored:
            for one in {wrap, wrap._replace(owner=agency.slug)}:
                for owner in {one.owner, agency.slug}:
                    try:
                        await house.keyring.open_keys(owner, [one])
                    except (SealBroken, KeysUnavailable):
                        continue
                    found.add((one.record, one.compartment))
    return found


async def shared_is_read_and_nothing_else(b: Agency, file: str) -> None:
    case_file = await read_when_keys_came(b, "wayan", file)
    [person] = case_file["defenders"]
    assert (person["fullName"], person["phones"]) == ("Siti Rahasia", ["+6281234567890"])
    assert person["presentLocation"] is case_file["account"] is None
    assert {(w["field"], w["reason"]) for w in (*person["withheld"], *case_file["withheld"])} == {
        (name, "COMPARTMENT_NOT_HELD")
        for name in ("presentLocation", "account", "body", "sexualViolenceForms")
    }


async def old_wraps_open_nothing_new(
    database: Database, a: Agency, b: Agency, kept: list[WrappedKey], person: UUID, file: str
) -> None:
    """Put the rows back that were there while it was shared, as an administrator could."""
    assert len(kept) == 2
    [(sealed,)] = await rows(database, "select full_name from defender where id = :id", id=person)
    async with open_house(b.settings) as house:
        for key in await house.keyring.open_keys("lpsk", kept):
            if key.compartment is Compartment.IDENTITY:
                try:
                    open_sealed(key, NAME, person, Sealed(sealed))
                except SealBroken:
                    continue
                raise AssertionError("an old key opens what was written after the end")
    for wrap in kept:
        await rows(
            database,
            "insert into data_key (record, compartment, version, owner, kek_version, wrapped,"
            " commitment) values (:record, :compartment, :version, :owner, :kek_version,"
            " :wrapped, :commitment)",
            **(wrap._asdict() | {"compartment": wrap.compartment.value}),
        )
    await rows(database, "update referral set ended_at = null, ended_event = null")
    await rows(database, "update referral_right set closed_at = null")
    case_file = await read(b, "wayan", file)
    assert case_file is None or case_file["defenders"][0]["fullName"] is None
    assert (await read(a, "sari", file))["defenders"][0]["fullName"] == "Nama Baru"
