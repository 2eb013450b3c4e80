"""Each of the ten requests of a frontend works, with the client that is generated for it."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from api.crypto.key_file import Cost
from api.demo.install import STRONG_ACR, Databases, install, issuer_of
from api.demo.synthetic import synthetic
from api.schema.trusted import PREFIX, hash_of, store
from tests.clients.ten_requests import TEN, Service
from tests.processes import Running, free_port
from tests.scenarios import sharing
from tests.world import World

world = sharing.still  # All of them together: none is in the way of another.

DOCUMENTS = Path(__file__).parents[2] / "examples" / "documents"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("request_", TEN, ids=lambda one: one.__name__)
async def test_a_request_of_a_frontend_is_answered_as_the_page_says(
    world: World, request_: Callable[[Service], Awaitable[None]]
) -> None:
    def token(who: str, strong: bool) -> str:
        return world.strong_token(who) if strong else world.token(who)

    await request_(Service("http://perisai", world.client, world.records, world.clock, token))


def now() -> datetime:
    return datetime.now(UTC)


async def test_a_running_service_that_takes_admitted_documents_only_answers_all_of_them(
    tmp_path: Path,
) -> None:
    folder, port = tmp_path / "perisai", free_port()
    records = synthetic(7, now().date(), 40)
    config = await install(
        folder,
        Databases.embedded(folder),
        records,
        clock=now,
        progress=lambda _count: None,
        port=port,
        cost=Cost(8, 1, 1),
    )
    for document in DOCUMENTS.glob("*/*.graphql"):
        store(folder / "documents" / document.parent.name, document.read_bytes())
    issuer, sent = issuer_of(folder, now), set()

    def token(who: str, strong: bool) -> str:
        signed_in = {"acr": STRONG_ACR, "auth_time": now()} if strong else {}
        return issuer.mint(records.member(who).organisation, who, **signed_in)

    async def keep(request: httpx.Request) -> None:
        sent.add((request.url.path.split("/")[-1], json.loads(request.content)["documentId"]))

    none_of_their_own = {"PERISAI_ADHOC_ROLES": "[]"}
    with Running("serve", folder=folder, config=config, more=none_of_their_own) as running:
        running.wait_for("Started worker")
        async with httpx.AsyncClient(
            timeout=20, trust_env=False, event_hooks={"request": [keep]}
        ) as http:
            for request in TEN:
                address = f"http://127.0.0.1:{port}"
                await request(Service(address, http, records, now, token, trusted=True))
        assert running.end() == 0, running.text()

    assert sent == {
        (f.parent.name, PREFIX + hash_of(f.read_bytes())) for f in DOCUMENTS.glob("*/*.graphql")
    }
