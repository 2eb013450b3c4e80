"""`python -m benchmarks.drivers`: asyncpg against psycopg 3, for docs/decisions/0001.

The page query of a list, as SQLAlchemy Core rows, over both drivers in turns, on
one PostgreSQL server, with the session settings of api/database.py. What is
measured is the driver with SQLAlchemy's dialect for it; the statement and the
rows are the same, which is checked first.
"""

import asyncio
import gc
import platform
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from api.app import utc_now
from api.database import Connection, Records, engine_of
from api.demo.install import install
from api.demo.synthetic import SARI
from api.policies.engine import Policy
from api.policies.facts import CaseworkerFacts
from api.policies.gate import Gate
from api.store import case_files, members
from api.store.case_file_statements import SCOPE, Shape, Which
from benchmarks.page100 import PAGE, records
from tests.postgresql import PostgresServer
from tests.world import databases_of

WARM_UP = 30
ROUNDS = 300

#: What a page of the benchmark page100 asks of a case file and of a defender.
CASE_FILE = frozenset({"id", "reference", "status", "urgency", "province", "openedOn"})
DEFENDER = frozenset({"fullName", "nik", "dateOfBirth", "gender", "phones", "homeAddress"})

#: As in api/database.py, in the words of libpq.
OPTIONS = "-c plan_cache_mode=force_generic_plan -c jit=off -c statement_timeout=10s"

Read = Callable[[Connection], Awaitable[Any]]


def with_psycopg(url: str) -> AsyncEngine:
    """Make the engine that api/database.py would make, for the other driver.

    Statements are prepared at once, as asyncpg does, not after five executions.
    """
    return create_async_engine(
        url.replace("postgresql+asyncpg:", "postgresql+psycopg:", 1),
        pool_size=16,
        max_overflow=16,
        hide_parameters=True,
        connect_args={"options": OPTIONS, "prepare_threshold": 0},
    )


async def main() -> None:
    """Fill a database, then measure a page of 100 and a single row."""
    made = records()
    server = PostgresServer()
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            database = server.create_database()
            await install(
                Path(folder, "perisai"),
                databases_of(database),
                made,
                clock=utc_now,
                progress=lambda _count: None,
            )
            engine = engine_of(database.owner_url)
            async with engine.begin() as connection:
                await connection.exec_driver_sql("analyze")
            await engine.dispose()
        sari = made.member(SARI)
        who = CaseworkerFacts(
            sari.organisation, sari.role.value, int(sari.clearance), sari.trained, "protection"
        )
        scope = Gate(Policy.shipped()).scope(who, "see", SCOPE)
        now = utc_now()

        async def page(snapshot: Connection) -> Any:
            return await case_files.read(
                snapshot,
                scope,
                Shape(Which.PAGE, CASE_FILE, DEFENDER, limit=PAGE),
                {"me": sari.id, "agency": sari.organisation, "now": now},
            )

        async def row(snapshot: Connection) -> Any:
            return await members.by_id(snapshot, sari.id)

        drivers = {
            "asyncpg": engine_of(database.service_url),
            "psycopg": with_psycopg(database.service_url),
        }
        try:
            print(
                f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, "
                f"asyncpg {version('asyncpg')}, psycopg {version('psycopg')}; "
                f"medians of {ROUNDS} rounds, in turns"
            )
            await measure(f"page of {PAGE}", page, drivers)
            await measure("one row", row, drivers)
        finally:
            for engine in drivers.values():
                await engine.dispose()
    finally:
        server.stop()


async def measure(what: str, read: Read, drivers: dict[str, AsyncEngine]) -> None:
    """Time *read* in a snapshot of its own over each driver, and print."""
    stores = {name: Records(engine) for name, engine in drivers.items()}
    first, *others = [await timed(store, read) for store in stores.values()]
    if any(found != first[1] for _, found in others):
        raise SystemExit(f"{what}: the drivers do not read the same")
    if isinstance(first[1], list) and len(first[1]) != PAGE:
        raise SystemExit(f"{what}: {len(first[1])} case files were read")
    times: dict[str, list[float]] = {name: [] for name in stores}
    gc.collect()
    gc.freeze()
    for round_ in range(WARM_UP + ROUNDS):
        for name, store in stores.items():
            taken, _ = await timed(store, read)
            if round_ >= WARM_UP:
                times[name].append(taken)
    gc.unfreeze()
    ratios = [b / a for a, b in zip(times["asyncpg"], times["psycopg"], strict=True)]
    for name, taken_by in times.items():
        print(f"{what}, {name} {statistics.median(taken_by) * 1000:.2f} ms")
    print(f"{what}, psycopg against asyncpg {statistics.median(ratios):.2f} x", flush=True)


async def timed(store: Records, read: Read) -> tuple[float, Any]:
    """Time one reading in one snapshot, in seconds; give what it read as well."""
    start = time.perf_counter()
    async with store.snapshot() as snapshot:
        found = await read(snapshot)
    return time.perf_counter() - start, found


if __name__ == "__main__":
    asyncio.run(main())
