"""What a database forgets is gone from its file, and an id is read as it was written."""

import os
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Column, MetaData, Table, Uuid, insert, select

from api.database import engine_of
from tests.scenarios.leaks import files_below


async def test_what_is_deleted_from_sqlite_is_overwritten(tmp_path: Path) -> None:
    wrap = os.urandom(61)
    path = tmp_path / "records.sqlite"
    engine = engine_of(f"sqlite+aiosqlite:///{path}")
    async with engine.begin() as connection:
        assert (await connection.exec_driver_sql("pragma secure_delete")).scalar() == 1
        await connection.exec_driver_sql("create table t (wrapped blob)")
        await connection.exec_driver_sql("insert into t values (?)", (wrap,))
    async with engine.connect() as connection:
        await connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    before = path.read_bytes()
    async with engine.begin() as connection:
        await connection.exec_driver_sql("delete from t")
    async with engine.connect() as connection:
        await connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    await engine.dispose()

    assert wrap in before
    assert wrap not in files_below(tmp_path)


async def test_an_id_is_read_from_sqlite_as_it_was_written_and_nothing_else_is_one(
    tmp_path: Path,
) -> None:
    table = Table("t", MetaData(), Column("id", Uuid), Column("n", Uuid))
    wanted = uuid4()
    engine = engine_of(f"sqlite+aiosqlite:///{tmp_path / 'records.sqlite'}")
    async with engine.begin() as connection:
        await connection.run_sync(table.create)
        await connection.execute(insert(table).values(id=wanted))
    async with engine.begin() as connection:
        for _ in range(2):
            assert (await connection.execute(select(table))).one() == (wanted, None)
        for odd in ("not an id", 5, b"\x00"):
            await connection.exec_driver_sql("update t set id = ?", (odd,))
            with pytest.raises((ValueError, AttributeError, TypeError)):
                (await connection.execute(select(table))).one()
    await engine.dispose()
