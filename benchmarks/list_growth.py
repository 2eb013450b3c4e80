"""Lists of case files and of deadlines among 100,000 case files against 1,000, on PostgreSQL.

Every order, alone and with each filter, from the beginning and from the middle. The rows are
made by the database, spread as an agency's are: most are closed, each province has some, each
officer has a hundred in hand, and another agency referred a few. Each plan is looked at, too:
none reads a large table whole.
"""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from api.app import utc_now
from api.code_lists import load
from api.database import Connection, Records, engine_of
from api.demo.install import install
from api.demo.synthetic import SARI
from api.demo.synthetic_records import Synthetic
from api.policies.engine import Policy
from api.policies.facts import CaseworkerFacts
from api.policies.gate import Gate
from api.store import case_files, deadlines
from api.store.case_file_statements import SCOPE, Shape, Which
from api.store.case_files import reference_filter
from api.store.deadlines import BY_CLOCK, START, Asked, Deadline
from api.vocabulary import CaseFileOrder, Urgency
from benchmarks.made_rows import (
    AGENCY,
    CASE_FILE_SEALED,
    DEFENDER_SEALED,
    OTHER,
    explained,
    make,
    referrals,
)
from benchmarks.page100 import records
from benchmarks.turns import Step, in_turns
from benchmarks.values import Value
from tests.postgresql import Database, PostgresServer
from tests.world import databases_of

SMALL = 1_000
LARGE = 100_000
#: A page that each filter fills in both.
PAGE = 10
#: Case files in each officer's hands, and referred by another agency.
IN_HAND = 100
REFERRED = 25

#: Of a province that so few have.
RARE = "99"
RARE_MANY = 20

#: The target: among so many more at most so many times the time.
LIMIT = 1.5

WARM_UP = 10
ROUNDS = 60

#: Filters, and what each is given. All find the same number in both, or a page and more.
FILTERS: Sequence[tuple[str, Any]] = (
    ("assigned_to_me", True),
    ("lead_agency", AGENCY),
    ("province", "94"),
    ("province", RARE),
    ("reference", reference_filter("-00")),
    ("reference", reference_filter("kh-2026-0003")),
    ("status", ["closed"]),
    ("urgency", [Urgency.IMMEDIATE]),
)
#: What a list shows, of a case file and of its defenders.
CASE_FILE = frozenset({"id", "reference", "status", "urgency", "province", "openedOn"})
DEFENDER = frozenset({"fullName", "phones"})


class List(NamedTuple):
    """One list: its name, its shape, and the values of its parameters."""

    name: str
    shape: Shape
    parameters: dict[str, Any]


def lists() -> Iterator[List]:
    """Name every order, alone and with each filter."""
    for order in CaseFileOrder:
        shape = Shape(Which.PAGE, CASE_FILE, DEFENDER, order=order, limit=PAGE)
        yield List(order.value, shape, {})
        for name, value in FILTERS:
            given = {} if value is True else {name: value}
            of = replace(shape, filters=frozenset({name}))
            yield List(f"{order.value}, {name} {value}", of, given)


#: Lists of deadlines: a name, and whether only what is overdue is asked for.
DEADLINES = (("deadlines", False), ("deadlines, overdue", True))


class Reader:
    """Reads lists of one database, as one officer."""

    def __init__(self, store: Records, made: Synthetic) -> None:
        sari = made.member(SARI)
        who = CaseworkerFacts(
            sari.organisation, sari.role.value, int(sari.clearance), sari.trained, "protection"
        )
        self.store = store
        self.codes = load()
        self.scope = Gate(Policy.shipped()).scope(who, "see", SCOPE)
        self.given: dict[str, Any] = {"me": sari.id, "agency": AGENCY, "now": utc_now()}

    async def read(self, of: List) -> list[case_files.CaseFileRow]:
        async with self.store.snapshot() as snapshot:
            return await case_files.read(
                snapshot, self.scope, of.shape, {**self.given, **of.parameters}
            )

    async def middle(self, of: List) -> List | None:
        """Give the rest of the list from its third page on; None if it has no three."""
        start = await self.read(of._replace(shape=replace(of.shape, limit=3 * PAGE)))
        if len(start) < 3 * PAGE:
            return None
        last = start[2 * PAGE - 1]
        after = {"after_key": last.sort_key, "after_id": last.id}
        return List(
            f"{of.name}, further on", replace(of.shape, after=True), {**of.parameters, **after}
        )

    async def plan(self, of: List) -> set[str]:
        """Name the indexes of its plan, which reads no large table whole."""
        async with self.store.snapshot() as snapshot:
            return await explained(
                snapshot,
                lambda: case_files.read(
                    snapshot, self.scope, of.shape, {**self.given, **of.parameters}
                ),
                of.name,
            )

    async def due(self, snapshot: Connection, overdue: bool) -> list[Deadline]:
        """Read what is due first, as an officer to whom colleagues' assignments are not told."""
        asked = Asked(
            tuple(BY_CLOCK), frozenset({"assignment_end"}), scope=self.scope, limit=PAGE + 1
        )
        until = dict.fromkeys(asked.clocks, self.given["now"]) if overdue else {}
        return await deadlines.read(snapshot, self.codes, asked, START, until, self.given)

    async def plan_of_due(self, name: str, overdue: bool) -> set[str]:
        async with self.store.snapshot() as snapshot:
            return await explained(snapshot, lambda: self.due(snapshot, overdue), name)

    def step_of_due(self, overdue: bool) -> Step:
        async def read() -> None:
            async with self.store.snapshot() as snapshot:
                assert len(await self.due(snapshot, overdue)) == PAGE + 1

        return read

    def step(self, of: List) -> Step:
        """Make a step that reads the list."""

        async def read() -> None:
            assert await self.read(of), of.name

        return read


async def run() -> list[Value]:
    """Measure every list; the value is the worst of them."""
    made = records(20)
    server = PostgresServer()
    server.start()
    try:
        async with reading(server, made, SMALL) as small, reading(server, made, LARGE) as large:
            found: dict[str, float] = {}
            for each in lists():
                of_both = [(each, each), (await large.middle(each), await small.middle(each))]
                for of_large, of_small in of_both:
                    if of_large is None or of_small is None:
                        continue
                    counted = [
                        len(await r.read(o)) for r, o in ((large, of_large), (small, of_small))
                    ]
                    assert counted[0] == counted[1], f"{of_large.name}: {counted}"
                    walked = await large.plan(of_large)
                    steps = large.step(of_large), small.step(of_small)
                    found[of_large.name] = await compared(of_large.name, steps, walked)
            for name, overdue in DEADLINES:
                walked = await large.plan_of_due(name, overdue)
                steps = large.step_of_due(overdue), small.step_of_due(overdue)
                found[name] = await compared(name, steps, walked)
    finally:
        server.stop()
    worst = max(found, key=lambda name: found[name])
    print(f"# casework.list_growth: {len(found)} lists, the worst is {worst}")
    return [Value("casework.list_growth", found[worst], "x", LIMIT)]


async def compared(name: str, steps: tuple[Step, Step], walked: set[str]) -> float:
    """Read among many and among few in turns; print and give how many times as long it took."""
    measured = await in_turns(*steps, warm_up=WARM_UP, rounds=ROUNDS)
    print(
        f"# casework.list_growth, {name}: {measured.first * 1000:.2f} ms among {LARGE}, "
        f"{measured.second * 1000:.2f} ms among {SMALL}: {measured.ratio:.2f}; "
        f"{', '.join(sorted(walked))}",
        flush=True,
    )
    return measured.ratio


@asynccontextmanager
async def reading(server: PostgresServer, made: Synthetic, many: int) -> AsyncIterator[Reader]:
    """Make a database of *many* case files, and read it."""
    database: Database = server.create_database()
    with tempfile.TemporaryDirectory() as folder:
        await install(
            Path(folder, "perisai"),
            databases_of(database),
            made,
            clock=utc_now,
            progress=lambda _: None,
        )
    sari = str(made.member(SARI).id)
    await make(database, _rows(many, sari))
    await make(database, referrals(sari, 0, REFERRED))
    engine = engine_of(database.service_url)
    try:
        yield Reader(Records(engine), made)
    finally:
        await engine.dispose()


def _rows(many: int, sari: str) -> Iterator[str]:
    """Give what makes *many* case files, one defender and one assignment each."""
    every = f"generate_series(0, {many - 1}) n"
    agency = f"case when n % 4 = 0 then '{OTHER}' else '{AGENCY}' end"
    yield f"""insert into defender (id, agency, categories, revision, {", ".join(DEFENDER_SEALED)})
        select md5('d' || n)::uuid, {agency}, '[]', 1, {", ".join("''" for _ in DEFENDER_SEALED)}
        from {every}"""
    yield "delete from case_file"
    yield f"""insert into case_file (id, reference, lead_agency, status, urgency, sensitivity,
            province, opened_on, respond_by, incident_kinds, adversary_kinds, measure_kinds,
            {", ".join(CASE_FILE_SEALED)}, revision, event, seal)
        select md5('c' || n)::uuid,
            'KH-' || 2026 - n / 2000 || '-' || lpad((n % 2000)::text, 4, '0'), {agency},
            case when n % 10 < 8 then 'closed' when n % 20 = 9 then 'intake' else 'active' end,
            case n % 7 when 0 then 1 when 1 then 2 when 2 then 3 else 4 end, 1,
            case when n % ({many} / {RARE_MANY}) = 3 then '{RARE}' when n % 19 = 0 then '94'
                else (11 + n % 17)::text end,
            date '2026-11-01' - n / 3, now() - interval '1 minute' * n, '[]', '[]', '[]',
            {", ".join("''" for _ in CASE_FILE_SEALED)}, 1, 1, ''
        from {every}"""
    yield f"""insert into case_file_defender (case_file, defender, position, event, seal)
        select md5('c' || n)::uuid, md5('d' || n)::uuid, 0, 1, '' from {every}"""
    yield f"""insert into assignment (id, case_file, member, agency, assigned_by,
            starts_at, ends_at, event, seal)
        select md5('a' || n)::uuid, md5('c' || n)::uuid,
            case when n % ({many} / {IN_HAND}) = 1 then '{sari}'
                else md5('m' || n / {IN_HAND})::uuid end,
'{AGENCY}', '{sari}', now() - interval '1 day', now() + interval '30 days', 1, ''
        from {every}"""
