"""A service answers while other processes rotate its keys, one of them killed midway."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import open_house
from api.casework.retirement import Retired, StillUsed, retire
from api.crypto.key_file import Cost
from api.crypto.key_service import KeyKind
from api.database import engine_of
from api.demo.install import install, issuer_of
from api.demo.synthetic import SARI, synthetic
from api.settings import Settings
from tests.postgresql import PostgresServer
from tests.processes import LIMIT, Running, free_port, perisai
from tests.scenarios.rotating import READ
from tests.world import databases_of

pytestmark = pytest.mark.long

OWNER = "komnas-ham"

#: Enough that a rotation takes many transactions.
CASE_FILES = 200

UPDATE = """mutation ($id: ID!, $revision: Int!, $address: String!) {
  updateDefender(input: {id: $id, revision: $revision, homeAddress: $address}) {
    revision errors { code } } }"""
FIND = """query ($nik: String!) {
  findDefenders(by: NIK, value: $nik, first: 20) { defender { id } } }"""


def now() -> datetime:
    return datetime.now(UTC)


async def until(what: Callable[[], Awaitable[bool]], pause: float = 0.02) -> None:
    """Poll: another process has no other way to tell us."""
    for _ in range(int(LIMIT / pause)):
        if await what():
            return
        await asyncio.sleep(pause)
    raise AssertionError("not in time")


async def test_a_service_answers_while_other_processes_rotate_its_keys(
    server: PostgresServer, tmp_path: Path
) -> None:
    port, folder, database = free_port(), tmp_path / "perisai", server.create_database()
    records = synthetic(11, now().date(), CASE_FILES)
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
    engine = engine_of(database.owner_url)
    with Running("serve", folder=folder, config=config) as service:
        token = issuer_of(folder, now).mint(OWNER, SARI)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {token}", "perisai-purpose": "protection"},
            timeout=20,
            trust_env=False,
        ) as client:
            await until(lambda: _ready(client))
            over = asyncio.Event()
            working = asyncio.create_task(
                work(client, {"id": str(records.open_to_sari)}, over), name="work"
            )
            try:
                await rotate_all(engine, config, tmp_path)
                await retire_all(settings)
                assert not working.done(), working
            finally:
                over.set()
            assert await working > 10
        assert service.end() == 0, service.text()
    async with engine.connect() as connection:
        [(unfinished,)] = (
            await connection.exec_driver_sql(
                "select count(*) from key_rotation where finished_at is null"
            )
        ).all()
        left = (await connection.exec_driver_sql("select count(*) from key_use")).all()
    assert (unfinished, left) == (0, [(0,)])
    await engine.dispose()
    server.drop_database(database)


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def work(client: httpx.AsyncClient, mine: dict[str, str], over: asyncio.Event) -> int:
    """Read, change and search until it is over; each answer must be whole. Give how many."""

    async def ask(query: str, variables: dict[str, Any]) -> dict[str, Any]:
        answer = await client.post("/graphql/agency", json={"query": query, "variables": variables})
        body = answer.json()
        assert answer.status_code == 200, body
        assert "errors" not in body, body
        return dict(body["data"])

    first = (await ask(READ, mine))["caseFile"]
    person = first["defenders"][0]
    count = 0
    while not over.is_set():
        count += 1
        address = f"Jalan Percobaan {count}"
        changed = await ask(
            UPDATE, {"id": person["id"], "revision": person["revision"], "address": address}
        )
        assert changed["updateDefender"]["errors"] == []
        person["revision"] += 1
        person["homeAddress"] = address
        first["defenders"][0] = person
        assert (await ask(READ, mine))["caseFile"] == first
        found = await ask(FIND, {"nik": person["nik"]})
        assert [hit["defender"]["id"] for hit in found["findDefenders"]] == [person["id"]]
    return count


async def rotate_all(engine: AsyncEngine, config: Path, folder: Path) -> None:
    """Rotate keys of each kind; the first run, which takes longest, is killed midway."""
    for kind, table, column, owner in (
        ("data", "data_key", "version", "owner"),
        ("kek", "data_key", "kek_version", "owner"),
        ("index", "defender_tag", "index_version", "agency"),
    ):
        select = f"select distinct {column} from {table} where {owner} = '{OWNER}' order by 1"

        async def versions(select: str = select) -> list[int]:
            async with engine.connect() as connection:
                return [row[0] for row in await connection.exec_driver_sql(select)]

        async def midway(
            versions: Callable[[], Awaitable[list[int]]] = versions,
        ) -> bool:
            return await versions() != [1]

        run = ("keys", "rotate", f"--{kind}", "--agency", OWNER)
        if kind == "data":
            with Running(*run, folder=folder, config=config) as first:
                await until(midway)
                assert first.end(signal.SIGKILL) == -signal.SIGKILL, first.text()
            assert await versions() == [1, 2]

        finished = await asyncio.to_thread(perisai, *run, config=config)

        assert finished.returncode == 0, finished.stderr
        assert await versions() == [2], kind
        assert f"{OWNER}: " in finished.stdout


async def retire_all(settings: Settings) -> None:
    """Retire both keys as soon as the service has told that it uses the new ones."""
    async with open_house(settings, now) as house:
        for kind in KeyKind:

            async def done(kind: KeyKind = kind) -> bool:
                # The runs that were killed are silent; the service tells every 5 s.
                silence, settling = timedelta(seconds=12), timedelta(0)
                outcome = await retire(house, OWNER, kind, None, silence=silence, settling=settling)
                assert isinstance(outcome, Retired | StillUsed)
                return outcome == Retired(2)

            await until(done, 0.2)
