"""What the policy's scope adds to the list of case files, among 100,000, on PostgreSQL.

The same statement is read twice: with the scope that the gate derived from the policy and
keeps, and with what one would write by hand without a policy, `lead_agency = ...`. The
scope says more: it also reaches what was referred to the agency, of which there is some.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.sql import ColumnElement

from api.app import utc_now
from api.database import Records, engine_of
from api.demo.install import install
from api.demo.synthetic import SARI
from api.demo.synthetic_records import Synthetic
from api.policies.engine import Policy
from api.policies.facts import CaseworkerFacts
from api.policies.gate import Gate
from api.store import case_files
from api.store.case_file_statements import SCOPE, Shape, Which
from api.store.case_files import CaseFileRow
from api.store.tables import case_file
from benchmarks.made_rows import AGENCY, DEFENDER_SEALED, OTHER, explained, make, referrals
from benchmarks.page100 import records
from benchmarks.turns import in_turns
from benchmarks.values import Value
from tests.postgresql import Database, PostgresServer
from tests.world import databases_of

#: Case files; every fourth is another agency's.
MANY = 100_000
PAGE = 100
#: Case files of another agency that are shared with this one at once: of some hundreds of
#: new cases a year in all three, a third for three months each. Each is looked up.
REFERRED = 25
#: And so many, for which there is no bound: the cost grows with them, not with the rest.
REFERRED_MANY = 500
#: Of older ones, so that both lists begin with one page: from here on.
OLDER = 1_000

#: The target: at most so many times the list without a policy.
LIMIT = 1.1

WARM_UP = 30
ROUNDS = 900

#: What a list shows, of a case file and of its defenders.
CASE_FILE = frozenset({"id", "reference", "status", "urgency", "province", "openedOn"})
DEFENDER = frozenset({"fullName", "phones"})
SHAPE = Shape(Which.PAGE, CASE_FILE, DEFENDER, limit=PAGE)


async def scope_cost() -> list[Value]:
    """Measure the list, after its plan was seen to walk indexes and both to give the same."""
    made = records(20)
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
                progress=lambda _: None,
            )
        sari = str(made.member(SARI).id)
        await make(database, _case_files(sari))
        await make(database, referrals(sari, OLDER, OLDER + REFERRED))
        values = [await _measure(database, made, "scope_cost", LIMIT)]
        await make(database, referrals(sari, OLDER + REFERRED, OLDER + REFERRED_MANY))
        return [*values, await _measure(database, made, f"scope_cost.{REFERRED_MANY}", None)]
    finally:
        server.stop()


async def _measure(database: Database, made: Synthetic, name: str, limit: float | None) -> Value:
    engine = engine_of(database.service_url)
    try:
        return await _measured(Records(engine), made, name, limit)
    finally:
        await engine.dispose()


async def _measured(store: Records, made: Synthetic, name: str, limit: float | None) -> Value:
    sari = made.member(SARI)
    who = CaseworkerFacts(
        sari.organisation, sari.role.value, int(sari.clearance), sari.trained, "protection"
    )
    gate = Gate(Policy.shipped())
    by_hand = case_file.c.lead_agency == AGENCY
    given = {"me": sari.id, "agency": AGENCY, "now": utc_now()}

    async def read(scope: ColumnElement[bool]) -> list[CaseFileRow]:
        async with store.snapshot() as snapshot:
            return await case_files.read(snapshot, scope, SHAPE, given)

    async def scoped() -> list[CaseFileRow]:
        return await read(gate.scope(who, "see", SCOPE))

    async def bare() -> list[CaseFileRow]:
        return await read(by_hand)

    found = await scoped()
    assert len(found) == PAGE, "policy.scope_cost"
    assert found == await bare(), "policy.scope_cost"
    async with store.snapshot() as snapshot:
        scope = gate.scope(who, "see", SCOPE)
        walked = await explained(
            snapshot, lambda: case_files.read(snapshot, scope, SHAPE, given), "policy.scope_cost"
        )
    assert "ix_case_file_lead_agency_opened_on_id" in walked, walked
    measured = await in_turns(scoped, bare, warm_up=WARM_UP, rounds=ROUNDS)
    print(
        f"# policy.{name}: {measured.first * 1000:.2f} ms against "
        f"{measured.second * 1000:.2f} ms, {PAGE} of {MANY}; indexes: {', '.join(sorted(walked))}"
    )
    return Value(f"policy.{name}", measured.ratio, "x", limit)


def _case_files(sari: str) -> Iterator[str]:
    """Give what makes the case files, one defender and one assignment each."""
    every = f"generate_series(0, {MANY - 1}) n"
    agency = f"case when n % 4 = 0 then '{OTHER}' else '{AGENCY}' end"
    yield f"""insert into defender (id, agency, categories, revision, {", ".join(DEFENDER_SEALED)})
        select md5('d' || n)::uuid, {agency}, '[]', 1, {", ".join("''" for _ in DEFENDER_SEALED)}
        from {every}"""
    yield "delete from case_file"
    yield f"""insert into case_file (id, reference, lead_agency, status, urgency, sensitivity,
            province, opened_on, respond_by, incident_kinds, adversary_kinds, measure_kinds,
            account, sexual_violence_forms, revision, event, seal)
        select md5('c' || n)::uuid, 'MADE-' || n, {agency}, 'active', 1, 1,
            '33', date '2025-12-01' - n / 50, now(), '[]', '[]', '[]', '', '', 1, 1, ''
        from {every}"""
    yield f"""insert into case_file_defender (case_file, defender, position, event, seal)
        select md5('c' || n)::uuid, md5('d' || n)::uuid, 0, 1, '' from {every}"""
    yield f"""insert into assignment (id, case_file, member, agency, assigned_by,
            starts_at, ends_at, event, seal)
        select md5('a' || n)::uuid, md5('c' || n)::uuid, '{sari}', '{AGENCY}', '{sari}',
            now() - interval '1 day', now() + interval '30 days', 1, '' from {every}"""
