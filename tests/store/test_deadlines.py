"""The next deadlines of an agency are found by indexes, however many records there are."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import event, text

from api.code_lists import load
from api.database import Connection, engine_of
from api.policies.engine import Policy
from api.policies.facts import CaseworkerFacts
from api.policies.gate import Gate
from api.store import deadlines
from api.store.case_file_statements import SCOPE
from api.store.deadlines import SOURCES, START, Asked, Deadline
from api.store.tables import METADATA
from tests.postgresql import PostgresServer

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
AGENCY, OTHER = "komnas-ham", "lpsk"
ME = UUID(int=1)

#: A list shows so many at the most, and reads one more.
PAGE = 101

BOSS = CaseworkerFacts(AGENCY, "supervisor", 4, True, "supervision")
ALL = tuple(source.clock for source in SOURCES)

#: Every case file, of which one in ten waits for a first response, and its assignment. Half of
#: them are overdue or end soon, and some are over; one in four is another agency's.
CASE_FILES = """
insert into case_file (id, reference, lead_agency, status, urgency, sensitivity, province,
  opened_on, respond_by, incident_kinds, adversary_kinds, measure_kinds, account,
  sexual_violence_forms, adversary_institutions, revision, event, seal)
select {id}, 'X-' || n, case when n % 4 = 0 then 'lpsk' else 'komnas-ham' end,
  case when n % 10 = 1 then 'intake' else 'active' end, 1 + n / 10 % 4, 1, '33', {day}, {moment},
  '[]', '[]', '[]', {bytes}, {bytes}, {bytes}, 1, 0, {bytes} from {many}"""
ASSIGNMENTS = """
insert into assignment (id, case_file, member, agency, starts_at, ends_at, event, seal)
select {id}, {id}, {me}, case when n % 4 = 0 then 'lpsk' else 'komnas-ham' end,
  {day}, {moment}, 0, {bytes} from {many}"""

SQLITE = {
    "id": "printf('%032x', n)",
    "me": "printf('%032x', 1)",
    "day": "'2026-01-01 00:00:00.000000'",
    "moment": "strftime('%Y-%m-%d %H:%M:%S', '2026-11-02', (n % 4000 - 2000) || ' minutes')"
    " || '.000000'",
    "bytes": "x'00'",
    "many": "(with recursive t(n) as (select 2 union all select n + 1 from t where n < {most})"
    " select n from t)",
}
POSTGRESQL = {
    "id": "lpad(to_hex(n), 32, '0')::uuid",
    "me": "lpad('1', 32, '0')::uuid",
    "day": "timestamptz '2026-01-01 00:00Z'",
    "moment": "timestamptz '2026-11-02 00:00Z' + (n % 4000 - 2000) * interval '1 minute'",
    "bytes": "'\\x00'::bytea",
    "many": "generate_series(2, {most}) n",
}


@asynccontextmanager
async def made(url: str, words: Mapping[str, str], most: int) -> AsyncIterator[Connection]:
    """Make the tables with so many case files and assignments."""
    engine = engine_of(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(METADATA.create_all)
            for slug in (AGENCY, OTHER):
                await connection.execute(
                    text("insert into organisation values (:slug, 'agency', :slug, 'X', 0)"),
                    {"slug": slug},
                )
            await connection.execute(
                text(
                    f"insert into member values ({words['me']}, '{AGENCY}', 'x', 'supervisor',"
                    f" 4, 1, null, 0, {words['bytes']})"
                )
            )
            given = {**words, "many": words["many"].format(most=most)}
            for statement in (CASE_FILES, ASSIGNMENTS):
                await connection.exec_driver_sql(statement.format(**given))
            await connection.commit()
            await connection.exec_driver_sql("analyze")
            yield connection
    finally:
        await engine.dispose()


async def listed(connection: Connection, *, past: bool = True) -> list[Deadline]:
    """Read a page as a supervisor's list does."""
    scope = Gate(Policy.shipped()).scope(BOSS, "see", SCOPE)
    after = START if past else deadlines.after_all_at(NOW)
    given = {"agency": AGENCY, "me": ME, "now": NOW}
    return await deadlines.read(
        connection, load(), Asked(ALL, scope=scope, limit=PAGE), after, {}, given
    )


async def to_alert(connection: Connection) -> list[Deadline]:
    """Read what the watch reads of what comes soon."""
    until = dict.fromkeys(ALL, NOW + timedelta(days=1))
    given = {"agency": AGENCY, "now": NOW, "kind": "due"}
    asked = Asked(ALL, unalerted=True, limit=PAGE)
    return await deadlines.read(
        connection, load(), asked, deadlines.after_all_at(NOW), until, given
    )


READ = {"list": listed, "alerts": to_alert}


async def steps(connection: Connection, read: Any) -> tuple[int, list[Deadline]]:
    """Count the thousands of instructions that SQLite executes to read."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    await read(connection)  # Once before, so that it is compiled.
    await driver.set_progress_handler(count, 1_000)
    found = await read(connection)
    await driver.set_progress_handler(None, 1_000)
    return counted, found


async def test_a_page_costs_as_much_among_100_000_as_among_20_000(tmp_path: Path) -> None:
    counted: dict[str, list[int]] = {name: [] for name in READ}
    for most in (20_000, 100_000):
        url = f"sqlite+aiosqlite:///{tmp_path}/{most}.sqlite"
        async with made(url, SQLITE, most) as connection:
            for name, read in READ.items():
                one, found = await steps(connection, read)
                assert len(found) == PAGE
                assert {deadline.agency for deadline in found} == {AGENCY}
                assert found == sorted(found, key=lambda deadline: deadline.position)
                counted[name].append(one)
    for few, many in counted.values():
        assert many <= 1.2 * few, counted


async def test_on_postgresql_no_large_table_is_read_whole(server: PostgresServer) -> None:
    database = server.create_database()
    try:
        async with made(database.superuser_url, POSTGRESQL, 20_000) as connection:
            for read in READ.values():
                assert len(await read(connection)) == PAGE
                nodes = await plan(connection, read)
                whole = {n["Relation Name"] for n in nodes if n["Node Type"].endswith("Seq Scan")}
                assert not whole & {"case_file", "assignment"}, whole
                walked = {n["Index Name"] for n in nodes if "Index Name" in n}
                assert {"ix_case_file_open", "ix_assignment_open"} <= walked
    finally:
        server.drop_database(database)


async def plan(connection: Connection, read: Any) -> list[Mapping[str, Any]]:
    """Give the nodes of the plan, made for any values as the service's are."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    sync = connection.sync_connection
    event.listen(sync, "before_cursor_execute", note)
    await read(connection)
    event.remove(sync, "before_cursor_execute", note)
    [(statement, parameters)] = sent
    await connection.exec_driver_sql(f"prepare listed as {statement}")
    nulls = ", ".join("null" for _ in parameters)
    result = await connection.exec_driver_sql(f"explain (format json) execute listed({nulls})")
    found = result.scalar_one()
    await connection.exec_driver_sql("deallocate listed")
    return list(below((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))


def below(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for one in node.get("Plans", ()):
        yield from below(one)


async def test_every_clock_of_the_registry_has_labels_and_a_length_where_one_is_added() -> None:
    codes = load()
    for source in SOURCES:
        assert codes.clocks[source.clock].labels.en
        assert bool(source.length(codes)) == source.added
