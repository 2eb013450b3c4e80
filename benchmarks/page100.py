"""A page of 100 case files with their defenders: 12 fields, 6 of them sealed.

The whole service (sign-in, limits, policy, log, opening) against strawberry and
ORM entities on plain columns with none of it, in the same database, in turns.
"""

import contextlib
import gc
import io
import json
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp

from api.app import create_app, utc_now
from api.database import engine_of
from api.demo.install import Databases, install, issuer_of
from api.demo.synthetic import SARI, synthetic
from api.demo.synthetic_records import Synthetic, SyntheticAssignment
from api.settings import Settings
from api.vocabulary import AssignmentId, Organisation, Sensitivity
from benchmarks.plain import Plain, fill
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


@dataclass(frozen=True, slots=True)
class Value:
    """One result; `limit`: what it must not exceed."""

    name: str
    value: float
    unit: str
    limit: float | None = None


def records() -> Synthetic:
    """Make 3,000 case files of one agency, all assigned to one officer who is cleared."""
    made = synthetic(11, utc_now().date(), CASE_FILES)
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
        ours = await ask(app, "/graphql/agency", headers)
        theirs = await ask(plain, "/", {})
        check(ours, theirs)
        ratios: list[float] = []
        times: list[tuple[float, float]] = []
        gc.collect()
        gc.freeze()
        for round_ in range(WARM_UP + ROUNDS):
            first = await timed(app, "/graphql/agency", headers)
            second = await timed(plain, "/", {})
            if round_ >= WARM_UP:
                ratios.append(first / second)
                times.append((first, second))
        gc.unfreeze()
    await engine.dispose()
    ms = [statistics.median(column) * 1000 for column in zip(*times, strict=True)]
    print(f"# page100.{kind}: {ms[0]:.1f} ms against {ms[1]:.1f} ms, medians of {ROUNDS} rounds")
    return Value(f"page100.{kind}", statistics.median(ratios), "x", LIMIT)


def check(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Make sure that both answer the same, and all of it."""

    def rows(answer: dict[str, Any]) -> list[Any]:
        nodes = [edge["node"] for edge in answer["data"]["caseFiles"]["edges"]]
        for node in nodes:
            node["defenders"].sort(key=lambda d: str(d))
        return nodes

    if rows(ours) != rows(theirs) or len(rows(ours)) != PAGE:
        raise SystemExit("page100: the two applications do not answer the same")


async def timed(app: ASGIApp, path: str, headers: dict[str, str]) -> float:
    """Time one request, in seconds."""
    start = time.perf_counter()
    await _call(app, path, headers)
    return time.perf_counter() - start


async def ask(app: ASGIApp, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """Give the answer of one request."""
    answer: dict[str, Any] = json.loads(await _call(app, path, headers))
    if "errors" in answer:
        raise SystemExit(f"page100: {answer['errors'][0]['message']}")
    return answer


BODY = json.dumps({"query": QUERY, "variables": {"first": PAGE}}).encode()


async def _call(app: ASGIApp, path: str, headers: dict[str, str]) -> bytes:
    """Post BODY to *app* without a server between, so that only the applications count."""
    sent: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    raw = {"content-type": "application/json", "accept": "application/json", **headers}
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(k.encode(), v.encode()) for k, v in raw.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "state": {},
        },
        receive,
        send,
    )
    return b"".join(sent)
