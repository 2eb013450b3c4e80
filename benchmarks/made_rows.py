"""Rows that the database makes by itself, thousands at a time, and the plans of reading them."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import event

from api.database import Connection, engine_of
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from tests.postgresql import Database

AGENCY = "komnas-ham"
OTHER = "lpsk"

#: Tables of which no plan may read every row.
LARGE_TABLES = frozenset({"assignment", "case_file", "case_file_defender", "defender"})

#: What stands in the sealed columns: nothing, which nobody opens.
CASE_FILE_SEALED = [field.column for field in CASE_FILE_FIELDS.values()]
DEFENDER_SEALED = [field.column for field in DEFENDER_FIELDS.values()]


async def explained(
    snapshot: Connection, read: Callable[[], Awaitable[object]], name: str
) -> set[str]:
    """Name the indexes that the list walks; a large table that is read whole ends it all.

    Args:
        read: reads the list in *snapshot*.
    """
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    sync = snapshot.sync_connection
    event.listen(sync, "before_cursor_execute", note)
    await read()
    event.remove(sync, "before_cursor_execute", note)
    [(statement, parameters)] = [s for s in sent if "from case_file" in s[0].lower()]
    # As it is executed: prepared once, and planned for any values (api/database.py).
    await snapshot.exec_driver_sql(f"prepare listed as {statement}")
    nulls = ", ".join("null" for _ in parameters)
    result = await snapshot.exec_driver_sql(f"explain (format json) execute listed({nulls})")
    plan = result.scalar_one()
    await snapshot.exec_driver_sql("deallocate listed")
    nodes = list(_nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
    whole = {
        n["Relation Name"] for n in nodes if n["Node Type"].endswith("Seq Scan")
    } & LARGE_TABLES
    assert not whole, f"{name}: {', '.join(sorted(whole))} read whole"
    return {node["Index Name"] for node in nodes if "Index Name" in node}


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


async def make(database: Database, statements: Iterator[str]) -> None:
    """Let the database make rows."""
    engine = engine_of(database.superuser_url)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("set local statement_timeout = 0")
            # Foreign keys hold by the way in which the ids are made.
            await connection.exec_driver_sql("set local session_replication_role = replica")
            for statement in statements:
                await connection.exec_driver_sql(statement)
            await connection.exec_driver_sql("analyze")
    finally:
        await engine.dispose()


def referrals(sari: str, first: int, stop: int) -> Iterator[str]:
    """Give what shares case files of OTHER with AGENCY: md5('c' || 4n) from *first* to *stop*."""
    yield f"""insert into referral_right (referral, case_file, giver, recipient, purpose,
            compartments, defenders, sensitivity, until, proposal, answer, answered_by, event,
            signature, seal)
        select md5('r' || n)::uuid, md5('c' || n * 4)::uuid, '{OTHER}', '{AGENCY}', 'protection',
            'contact,identity', md5('d' || n * 4)::uuid::text, 1, now() + interval '30 days', 1,
            'accepted', '{sari}', 1, '', '' from generate_series({first}, {stop - 1}) n"""
