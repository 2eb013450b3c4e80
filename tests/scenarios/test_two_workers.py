"""Two worker processes on one PostgreSQL: 32 callers, 2,000 requests, one gapless log."""

import asyncio
import time
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest

from api.accesslog.reader import LogReader
from api.crypto.key_file import Cost
from api.database import engine_of
from api.demo.documents import RELEASES, RELEASES_ID
from api.demo.install import client_of, install, issuer_of
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN, synthetic
from api.settings import Settings
from tests.postgresql import PostgresServer
from tests.processes import Running, free_port, perisai
from tests.world import databases_of

pytestmark = pytest.mark.long

CALLERS = 32
REQUESTS = 2_000
#: Seconds, several times what a busy machine of two cores takes: something hangs.
LIMIT = 150.0

LIST = "{ caseFiles(first: 5) { edges { node { reference defenders { fullName phones } } } } }"
READ = """query ($id: ID!) { caseFile(id: $id) {
  reference account defenders { fullName nik phones withheld { reason } } notes { body } } }"""
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan beban."}) {
  noteId errors { code } } }"""
EVENTS = "{ accessEvents(first: 5) { edges { node { index action decision } } } }"


def now() -> datetime:
    return datetime.now(UTC)


#: Who asks what, and how often of every 37 requests.
Request = tuple[str, str, str, str, dict[str, str]]


def requests(mine: dict[str, str]) -> list[Request]:
    """Give the requests, well mixed."""
    plan: list[tuple[Request, int]] = [
        ((SARI, "agency", "protection", LIST, {}), 12),
        ((SARI, "agency", "protection", READ, mine), 10),
        ((BUDI, "agency", "supervision", READ, mine), 4),
        ((WAYAN, "agency", "protection", READ, mine), 4),
        ((SARI, "agency", "protection", NOTE, mine), 2),
        ((RATNA, "partner", "referral", RELEASES, {}), 4),
        ((TUTI, "oversight", "quality_review", EVENTS, {}), 1),
    ]
    return list(islice(cycle([one for one, times in plan for _ in range(times)]), REQUESTS))


def named(query: str) -> dict[str, str]:
    """Give what asks for *query*: a partner names what was admitted for it."""
    return {"documentId": RELEASES_ID} if query is RELEASES else {"query": query}


async def test_two_workers_answer_all_callers_and_their_log_holds(
    server: PostgresServer, tmp_path: Path
) -> None:
    start = time.monotonic()
    port, folder, database = free_port(), tmp_path / "perisai", server.create_database()
    records = synthetic(11, now().date(), 30)
    config = await install(
        folder,
        databases_of(database),
        records,
        clock=now,
        progress=lambda _count: None,
        port=port,
        cost=Cost(8, 1, 1),
    )
    settings = Settings.at(config)
    application, address = client_of(folder, now), f"{settings.reached_at}/graphql/partner"
    mint = issuer_of(folder, now).mint
    tokens = {who: mint(records.member(who).organisation, who) for who in (SARI, BUDI, WAYAN, TUTI)}
    bound = mint("lbh-nusantara", RATNA, key_thumbprint=application.thumbprint)

    def signed_in(who: str) -> dict[str, str]:
        if who == RATNA:
            return application.headers(bound, address)
        return {"authorization": f"Bearer {tokens[who]}"}

    asked = requests({"id": str(records.open_to_sari)})
    engine = engine_of(settings.log_reader_url.get_secret_value())
    reader = LogReader(engine)
    before = (await reader.head()).size
    work, answered = iter(asked), 0

    async def caller(client: httpx.AsyncClient) -> None:
        nonlocal answered
        for who, face, purpose, query, variables in work:
            answer = await client.post(
                f"/graphql/{face}",
                json={**named(query), "variables": variables},
                headers={**signed_in(who), "perisai-purpose": purpose},
            )
            body = answer.json()
            codes = [error["extensions"]["code"] for error in body.get("errors", [])]
            assert answer.status_code == 200, body
            assert codes == (["NOT_FOUND"] if who == WAYAN else []), body
            if query is NOTE:
                assert body["data"]["addNote"]["errors"] == []
            if query is READ and who == SARI:
                assert body["data"]["caseFile"]["defenders"][0]["fullName"]
            answered += 1

    with Running("serve", "--workers", "2", folder=folder, config=config) as service:
        await both_started(reader, before, service, port)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            limits=httpx.Limits(max_connections=CALLERS),
            timeout=20,
            trust_env=False,
        ) as client:
            await asyncio.gather(*(caller(client) for _ in range(CALLERS)))
        assert service.end() == 0, service.text()

    assert answered == REQUESTS
    # One event a reading, two a change, one for each worker's start; no gap, none twice.
    changes = sum(query is NOTE for _, _, _, query, _ in asked)
    size = (await reader.head()).size
    assert size == before + REQUESTS + changes + 2
    entries = await reader.entries(0, size + 1)
    assert [entry.idx for entry in entries] == list(range(size))
    await engine.dispose()
    verified = await asyncio.to_thread(perisai, "log", "verify", config=config)
    assert verified.returncode == 0, verified.stderr
    assert f"The log holds: {size} events" in verified.stdout
    server.drop_database(database)
    assert time.monotonic() - start < LIMIT


async def both_started(reader: LogReader, size: int, service: Running, port: int) -> None:
    """Wait until each worker has told the log that it starts, and *port* is listened at.

    A worker tells the log first, and listens then.
    """
    assert service.process is not None
    for _ in range(400):
        assert service.process.poll() is None, service.text()
        if (await reader.head()).size == size + 2:
            await asyncio.to_thread(service.wait_until_ready, port)
            return
        await asyncio.sleep(0.05)  # another process has no other way to tell us
    raise AssertionError(service.text())
