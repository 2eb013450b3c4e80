"""The search by NIK among 200,000 defenders against the same among 2,000.

A few records are really sealed and are what is found. The others are made by the
database: rows and random tags of the right size, with nothing in their sealed columns,
four in a case file, and each case file is assigned to somebody.
"""

import contextlib
import io
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

from api.app import create_app, utc_now
from api.database import engine_of
from api.demo.install import install, issuer_of
from api.demo.synthetic import BUDI, SARI
from api.demo.synthetic_records import Synthetic
from api.settings import Settings
from api.store.sealed_fields import DEFENDER_FIELDS
from benchmarks.asking import ask, post
from benchmarks.page100 import records
from benchmarks.turns import Step, in_turns
from benchmarks.values import Value
from tests.postgresql import Database, PostgresServer
from tests.world import Template, databases_of

AGENCY = "komnas-ham"

SMALL = 2_000
LARGE = 200_000

#: The target: among so many more at most so many times the time.
LIMIT = 1.3

#: Case files that are really there, all assigned to SARI.
SEALED = 20
#: Defenders of a case file that the database makes.
PER_FILE = 4
#: How many case files of the database's are SARI's as well: one officer's work.
IN_HAND = 100

WARM_UP = 30
ROUNDS = 150

FIND = """query Find($nik: String!) {
  findDefenders(by: NIK, value: $nik, first: 20) {
    score defender { id fullName nik } caseFiles { reference } } }"""

#: Who asks, for which purpose. A supervisor oversees all of the agency's case files.
CALLERS = {"officer": (SARI, "protection"), "supervisor": (BUDI, "supervision")}


async def run() -> list[Value]:
    """Measure as an officer and as a supervisor; the service's log is written to nowhere."""
    made = records(SEALED)
    server = PostgresServer()
    with (
        tempfile.TemporaryDirectory() as folder,
        io.StringIO() as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        server.start()
        try:
            database = server.create_database()
            home = Path(folder, "template")
            await install(
                home, databases_of(database), made, clock=utc_now, progress=lambda _: None
            )
            template = Template("postgresql", home, made, server, database)
            values = []
            async with (
                searching(template, Path(folder, "large"), LARGE) as large,
                searching(template, Path(folder, "small"), SMALL) as small,
            ):
                for who in CALLERS:
                    measured = await in_turns(
                        large[who], small[who], warm_up=WARM_UP, rounds=ROUNDS
                    )
                    print(
                        f"# sealing.nik_growth, {who}: {measured.first * 1000:.2f} ms among "
                        f"{LARGE}, {measured.second * 1000:.2f} ms among {SMALL}"
                    )
                    values.append(Value(f"sealing.nik_growth.{who}", measured.ratio, "x", LIMIT))
            return values
        finally:
            server.stop()


@asynccontextmanager
async def searching(template: Template, folder: Path, many: int) -> AsyncIterator[dict[str, Step]]:
    """Copy *template*, fill the copy to *many* defenders and serve it: a search by each caller."""
    config, database = template.copy(folder)
    assert database is not None
    await fill(database, template.records, many - len(template.records.defenders))
    app = create_app(Settings.at(config))
    async with app.router.lifespan_context(app):
        steps = {}
        for who, (subject, purpose) in CALLERS.items():
            token = issuer_of(folder, utc_now).mint(AGENCY, subject)
            headers = {"authorization": f"Bearer {token}", "perisai-purpose": purpose}
            bodies = []
            for person in template.records.defenders:
                if person.nik is not None:
                    body = json.dumps({"query": FIND, "variables": {"nik": person.nik}}).encode()
                    answer = await ask(app, "/graphql/agency", headers, body)
                    found = [
                        (hit["defender"]["fullName"], hit["defender"]["nik"])
                        for hit in answer["data"]["findDefenders"]
                    ]
                    assert found == [(person.full_name, person.nik)], "sealing.nik_growth"
                    bodies.append(body)
            steps[who] = _asking(app, headers, bodies)
        yield steps


def _asking(app: Any, headers: dict[str, str], bodies: list[bytes]) -> Step:
    """Make a step that searches for the next of those who are there, round and round."""
    turn = cycle(bodies)

    async def step() -> None:
        await post(app, "/graphql/agency", headers, next(turn))

    return step


async def fill(database: Database, made: Synthetic, many: int) -> None:
    """Let the database make *many* defenders with their case files, assignments and tags."""
    sari = made.member(SARI).id
    other = next(m.id for m in made.members if m.organisation == AGENCY and m.id != sari)
    engine = engine_of(database.superuser_url)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("set local statement_timeout = 0")
            # Foreign keys hold by the way in which the ids are made.
            await connection.exec_driver_sql("set local session_replication_role = replica")
            for statement in _made_by_sql(many, sari, other):
                await connection.exec_driver_sql(statement)
            await connection.exec_driver_sql("analyze")
    finally:
        await engine.dispose()


def _made_by_sql(many: int, sari: UUID, other: UUID) -> Iterator[str]:
    sealed = [field.column for field in DEFENDER_FIELDS.values()]
    defenders = f"generate_series(0, {many - 1}) n"
    files = f"generate_series(0, {(many - 1) // PER_FILE}) n"
    yield f"""insert into defender (id, agency, categories, revision, {", ".join(sealed)})
        select md5('d' || n)::uuid, '{AGENCY}', '[]', 1, {", ".join("''" for _ in sealed)}
        from {defenders}"""
    yield f"""insert into case_file (id, reference, lead_agency, status, urgency, sensitivity,
            province, opened_on, respond_by, incident_kinds, adversary_kinds, measure_kinds,
            account, sexual_violence_forms, revision, event, seal)
        select md5('c' || n)::uuid, 'MADE-' || n, '{AGENCY}', 'active', 1, 1,
            '33', date '2020-01-01' + n % 2000, now(), '[]', '[]', '[]', '', '', 1, 1, ''
        from {files}"""
    yield f"""insert into case_file_defender (case_file, defender, position, event, seal)
        select md5('c' || n / {PER_FILE})::uuid, md5('d' || n)::uuid, n % {PER_FILE}, 1, ''
        from {defenders}"""
    yield f"""insert into assignment (id, case_file, member, starts_at, ends_at, event, seal)
        select md5('a' || n)::uuid, md5('c' || n)::uuid,
            (case when n < {IN_HAND} then '{sari}' else '{other}' end)::uuid,
            now() - interval '1 day', now() + interval '30 days', 1, ''
        from {files}"""
    # In the order of the index, which is filled three times as fast.
    yield f"""insert into defender_tag (agency, field, tag, defender, index_version)
        select '{AGENCY}', 'nik', decode(md5('t' || n), 'hex') as tag, md5('d' || n)::uuid, 1
        from {defenders} order by tag"""
