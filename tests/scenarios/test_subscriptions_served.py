"""A subscription of the real server: a change of another process is told, and it ends with it."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from api.crypto.key_file import Cost
from api.demo.install import Databases, install, issuer_of
from api.demo.synthetic import SARI, synthetic
from tests.event_stream import COMPLETE, EVENTS, read
from tests.postgresql import PostgresServer
from tests.processes import Running, free_port
from tests.scenarios.subscribing import CHANGED
from tests.world import databases_of

pytestmark = pytest.mark.long

NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  errors { code } } }"""


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_subscriber_is_told_of_a_change_and_let_go_when_the_service_ends(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    folder, port = tmp_path / "perisai", free_port()
    databases, workers = Databases.embedded(folder), "1"
    if kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("server")
        databases, workers = databases_of(server.create_database()), "2"
    records = synthetic(11, now().date(), 30)
    config = await install(
        folder,
        databases,
        records,
        clock=now,
        progress=lambda _count: None,
        port=port,
        cost=Cost(8, 1, 1),
    )
    headers = {
        "authorization": f"Bearer {issuer_of(folder, now).mint('komnas-ham', SARI)}",
        "perisai-purpose": "protection",
    }
    asked = {"id": str(records.open_to_sari)}
    one = {"PERISAI_STREAMS_PER_PROCESS": "1"}
    with Running("serve", "--workers", workers, folder=folder, config=config, more=one) as service:
        service.wait_for("Started worker-1")
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False, headers=headers
        ) as client:
            for _ in range(int(workers)):  # As many as may be open at once, each for a moment.
                async with subscribed(client, asked):
                    pass
            async with subscribed(client, asked) as stream:
                events = texts(stream)
                first = read(await anext(events))["data"]["caseFileChanged"]
                for _ in range(3):
                    # On a connection of its own, which either worker may take.
                    answer = await client.post(
                        "/graphql/agency",
                        json={"query": NOTE, "variables": asked},
                        headers={"connection": "close"},
                    )
                    assert answer.json()["data"]["addNote"]["errors"] == []
                told = read(await anext(events))["data"]["caseFileChanged"]
                assert first["revision"] < told["revision"] <= first["revision"] + 3
                start = time.monotonic()
                assert service.end(signal.SIGINT) == 0, service.text()
                assert time.monotonic() - start < 10
                assert [read(event) async for event in events] == [COMPLETE]


@asynccontextmanager
async def subscribed(
    client: httpx.AsyncClient, asked: dict[str, str]
) -> AsyncIterator[httpx.Response]:
    """Subscribe, as soon as there is a place: who left is let go, but not in that moment."""
    for _ in range(400):
        async with client.stream(
            "POST",
            "/graphql/agency",
            json={"query": CHANGED, "variables": asked},
            headers={"accept": EVENTS},
        ) as stream:
            if stream.status_code == 200:
                yield stream
                return
            assert stream.status_code == 429
        await asyncio.sleep(0.05)  # another process has no other way to tell us
    raise AssertionError("its place is not free again")


async def texts(stream: httpx.Response) -> AsyncIterator[str]:
    """Give each event as it comes."""
    text = ""
    async for piece in stream.aiter_text():
        text += piece
        while "\n\n" in text:
            event, _, text = text.partition("\n\n")
            yield event + "\n\n"
