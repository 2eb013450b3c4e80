"""What the database's files keep: nothing of an erased record, searched byte by byte."""

import asyncio
import sqlite3
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from api.cli.main import app
from api.store.columns import SealedColumn
from api.store.erasing import PARTS, TABLES
from api.store.tables import METADATA
from api.vocabulary import RecordKind
from tests.postgresql import libpq_url
from tests.scenarios.asking import as_key
from tests.scenarios.erasing import CASE_FILE, DEFENDER, erase, sealed_of
from tests.world import World

sqlite_only = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("template", ["postgresql"], indirect=True)


async def secrets_of(world: World, kind: RecordKind, record: UUID) -> dict[str, list[bytes]]:
    """Give every wrap, commitment, tag, manifest and ciphertext that *record* has."""
    key = as_key(world, record)
    keys = await world.run("select wrapped, commitment from data_key where record = ?", (key,))
    manifests = await world.run("select data from manifest where record = ?", (key,))
    tags = await world.run("select tag from defender_tag where defender = ?", (key,))
    found = {
        "wraps": [bytes(wrapped) for wrapped, _ in keys],
        "commitments": [bytes(commitment) for _, commitment in keys],
        "manifests": [bytes(data) for (data,) in manifests],
        "tags": [bytes(tag) for (tag,) in tags],
        "ciphertexts": await sealed_of(world, kind, record),
    }
    assert all(found[name] for name in found if name != "tags" or kind is DEFENDER)
    return found


async def everything_of(world: World) -> tuple[UUID, list[UUID], dict[str, list[bytes]]]:
    """Give a case file, its defenders, and all bytes that must go with them."""
    file = world.records.open_to_sari
    people = list(next(f for f in world.records.case_files if f.id == file).defenders)
    secrets = await secrets_of(world, CASE_FILE, file)
    for who in people:
        for name, values in (await secrets_of(world, DEFENDER, who)).items():
            secrets[name] = secrets[name] + values
    return file, people, secrets


async def erase_all(world: World, file: UUID, people: list[UUID]) -> None:
    for who in people:
        await erase(world, DEFENDER, who)
    await erase(world, CASE_FILE, file)


def left_in(files: list[Path], secrets: dict[str, list[bytes]]) -> dict[str, int]:
    """Count, by what they were, the values that stand somewhere in *files*."""
    texts = [path.read_bytes() for path in files if path.is_file()]
    counts = {
        name: sum(any(value in text for text in texts) for value in values)
        for name, values in secrets.items()
    }
    return {name: count for name, count in counts.items() if count}


def files_of(world: World) -> list[Path]:
    found = sorted(world.folder.glob("records.sqlite*"))
    assert found
    return found


async def clean(world: World, url: str | None = None) -> Result:
    """Run `perisai erasure clean` beside the loop that the service runs in."""
    environment = {"PERISAI_CONFIG": str(world.folder / "perisai.toml")}
    if url is not None:
        environment["PERISAI_RECORDS_OWNER_URL"] = url
    return await asyncio.to_thread(CliRunner().invoke, app, ["erasure", "clean"], env=environment)


@sqlite_only
async def test_an_erasure_leaves_nothing_in_sqlites_files(world: World) -> None:
    file, people, secrets = await everything_of(world)
    assert set(left_in(files_of(world), secrets)) == set(secrets), "the search finds what is there"

    await erase_all(world, file, people)

    assert left_in(files_of(world), secrets) == {}
    wal = world.folder / "records.sqlite-wal"
    assert not wal.exists() or wal.stat().st_size == 0


@sqlite_only
async def test_a_reader_keeps_the_old_pages_until_the_file_is_cleaned(world: World) -> None:
    file, people, secrets = await everything_of(world)
    reader = sqlite3.connect(world.folder / "records.sqlite")
    reader.execute("begin")
    reader.execute("select count(*) from defender").fetchall()

    with structlog.testing.capture_logs() as logs:
        await erase_all(world, file, people)
    kept = left_in(files_of(world), secrets)
    assert set(kept) == set(secrets), "a snapshot of before is still being read"
    assert "erasure_not_swept" in {one["event"] for one in logs}

    reader.rollback()
    reader.close()
    assert (await clean(world)).exit_code == 0
    assert left_in(files_of(world), secrets) == {}


def database_files(world: World) -> list[Path]:
    """Give the files of this one database, after everything in memory was written to them.

    Those of the template beside it hold the same bytes, and nobody erases there.
    """
    assert world.server is not None
    assert world.database is not None
    with psycopg.connect(libpq_url(world.database.superuser_url), autocommit=True) as connection:
        connection.execute("checkpoint")
        [(folder,)] = connection.execute(
            "select current_setting('data_directory') || '/base/' || oid from pg_database"
            " where datname = current_database()"
        ).fetchall()
    return [path for path in Path(folder).iterdir() if path.is_file()]


@postgresql_only
async def test_postgresqls_files_hold_nothing_once_the_tables_are_rewritten(world: World) -> None:
    assert world.database is not None
    file, people, secrets = await everything_of(world)
    assert set(left_in(database_files(world), secrets)) == set(secrets)
    # The planner keeps samples of the columns, at moments that the server chooses.
    await world.run("analyze")
    sampled = await world.run("select count(*) from pg_stats where tablename = 'data_key'")
    assert sampled[0][0] > 0

    await erase_all(world, file, people)
    assert left_in(database_files(world), secrets) != {}, "dead rows stay until then"
    assert (await clean(world, world.database.owner_url)).exit_code == 0

    assert left_in(database_files(world), secrets) == {}
    [[count]] = await world.run("select count(*) from case_file")
    assert count == len(world.records.case_files)


@postgresql_only
async def test_the_services_role_cannot_rewrite_the_tables(world: World) -> None:
    done = await clean(world)

    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_every_table_with_sealed_columns_or_keys_of_a_record_is_in_the_lists() -> None:
    """A new table must be given its part in what is erased, or its reason here."""
    kept = {
        "owner_secret",  # of an organisation, not of a record
        "idempotency_key",  # of a request: ids and codes alone, and for a day
        "tie",  # of a member or partner to an institution: it names nothing of the record
        "release",  # sealed under a partner's key; holds no identity and ends by its date
    }
    holding = {
        table.name
        for table in METADATA.tables.values()
        if {"sealed", "tag", "wrapped"} & set(table.c.keys())
        or any(isinstance(column.type, SealedColumn) for column in table.c)
    }

    # None seals anything, and all go: a link says who else knows the person, a merge who it is.
    assert holding - kept == set(TABLES) - {"manifest", "linked_record", "defender_merge"}
    assert {part.table.name for parts in PARTS.values() for part in parts} == set(TABLES)
