"""A page of 100 case files with their defenders: 12 fields, 6 of them sealed.

The whole service (sign-in, limits, policy, log, opening) against strawberry and
ORM entities on plain columns with none of it, in the same database, in turns.
"""

import contextlib
import io
import json
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app, utc_now
from api.database import engine_of
from api.demo.install import Databases, install, issuer_of
from api.demo.synthetic import SARI, synthetic
from api.demo.synthetic_records import Synthetic, SyntheticAssignment
from api.settings import Settings
from api.vocabulary import AssignmentId, Organisation, Sensitivity
from benchmarks.asking import ask, post
from benchmarks.plain import Plain, fill
from benchmarks.turns import in_turns
from benchmarks.values import Value
from tests.postgresql import Database, PostgresServer
from tests.world import databases_of

CASE_FILES = 3_000
PAGE = 100
ROUNDS = 150
WARM_UP = 20

#: The target: at most so many times the plain application's time.
LIMIT = 1.4

QUERY = """
query Page($first: Int!) {
  caseFiles(first: $first) {
    edges { node {
      id reference status urgency province openedOn
      defenders { fullName nik dateOfBirth gender phones homeAddress }
    } }
    pageInfo { hasNextPage }
  }
}
"""
BODY = json.dumps({"query": QUERY, "variables": {"first": PAGE}}).encode()


def records(case_files: int = CASE_FILES) -> Synthetic:
    """Make *case_files* of one agency, all assigned to one officer who is cleared."""
    made = synthetic(11, utc_now().date(), case_files)
    agency = Organisation("komnas-ham")
    sari = made.member(SARI)
    files = tuple(
        replace(
            f,
            lead_agency=agency,
            sensitivity=Sensitivity(min(f.sensitivity, sari.clearance)),
            reference=f"KH-2026-{place:05d}",
        )
        for place, f in enumerate(made.case_files)
    )
    now = utc_now()
    return replace(
        made,
        case_files=files,
        defenders=tuple(replace(d, agency=agency) for d in made.defenders),
        assignments=tuple(
            SyntheticAssignment(
                id=AssignmentId(f.id),
                case_file=f.id,
                member=sari.id,
                assigned_by=sari.id,
                starts_at=now - timedelta(days=1),
                ends_at=now + timedelta(days=30),
                ended_at=None,
            )
            for f in files
        ),
        notes=(),
        releases=(),
    )


async def run() -> list[Value]:
    """Measure on both databases; the service's own log goes nowhere, but is written."""
    with (
        tempfile.TemporaryDirectory() as folder,
        io.StringIO() as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        made = records()
        sqlite = Path(folder, "sqlite")
        values = [await _measure("sqlite", sqlite, Databases.embedded(sqlite), None, made)]
        server = PostgresServer()
        server.start()
        try:
            database = server.create_database()
            values.append(
                await _measure(
                    "postgresql",
                    Path(folder, "postgresql"),
                    databases_of(database),
                    database,
                    made,
                )
            )
        finally:
            server.stop()
    return values


async def _measure(
    kind: str, folder: Path, databases: Databases, database: Database | None, made: Synthetic
) -> Value:
    config = await install(folder, databases, made, clock=utc_now, progress=lambda _: None)
    await fill(
        databases.records_owner,
        made,
        (lambda table: f"grant select on {table} to perisai_service") if database else None,
    )
    engine: AsyncEngine = engine_of(databases.records)
    plain = Plain(engine)
    app = create_app(Settings.at(config))
    headers = {
        "authorization": f"Bearer {issuer_of(folder, utc_now).mint('komnas-ham', SARI)}",
        "perisai-purpose": "protection",
    }
    async with app.router.lifespan_context(app):
        ours = await ask(app, "/graphql/agency", headers, BODY)
        theirs = await ask(plain, "/", {}, BODY)
        check(ours, theirs)
        measured = await in_turns(
            lambda: post(app, "/graphql/agency", headers, BODY),
            lambda: post(plain, "/", {}, BODY),
            warm_up=WARM_UP,
            rounds=ROUNDS,
        )
    await engine.dispose()
    print(
        f"# page100.{kind}: {measured.first * 1000:.1f} ms against "
        f"{measured.second * 1000:.1f} ms, medians of {ROUNDS} rounds"
    )
    return Value(f"page100.{kind}", measured.ratio, "x", LIMIT)


def check(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Make sure that both answer the same, and all of it."""

    def rows(answer: dict[str, Any]) -> list[Any]:
        nodes = [edge["node"] for edge in answer["data"]["caseFiles"]["edges"]]
        for node in nodes:
            node["defenders"].sort(key=lambda d: str(d))
        return nodes

    if rows(ours) != rows(theirs) or len(rows(ours)) != PAGE:
        raise SystemExit("page100: the two applications do not answer the same")
