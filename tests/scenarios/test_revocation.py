"""What was taken from somebody is gone on their very next request, whichever process answers.

Two houses serve one pair of databases, as two workers do. Each has its own gate with its
memo, its prepared statements and its keyring, and both have answered the caller before,
so that whatever a process could keep is kept. What ends a right goes through the one; the
next request goes to the other.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.accesslog.reader import LogReader
from api.app import open_house
from api.casework.provisioning import disable_member
from api.crypto.key_file import Cost
from api.database import engine_of
from api.demo.install import install, issuer_of
from api.demo.synthetic import BUDI, SARI, WAYAN, synthetic
from api.settings import Settings
from api.vocabulary import Decision
from tests.inside import Inside, exchanged
from tests.postgresql import PostgresServer
from tests.processes import Running, free_port
from tests.scenarios.asking import first_defender
from tests.scenarios.referring import END, HASAN, READ, accepted, codes, read, say
from tests.scenarios.test_assignments import unassign
from tests.scenarios.test_two_workers import both_started
from tests.world import Answer, World, databases_of

FIND = """query ($value: String!) { findDefenders(by: NAME, value: $value, first: 20) {
  defender { id fullName } } }"""
UNASSIGN = """mutation ($input: UnassignCaseworkerInput!) {
  unassignCaseworker(input: $input) { errors { code } } }"""

#: Connections of their own, so that each of two workers gets some of them.
CONNECTIONS = 24


class Two(NamedTuple):
    """One installation, served twice."""

    one: World
    other: World
    house: Any


@pytest.fixture
async def two(world: World) -> AsyncIterator[Two]:
    inside: Inside
    async with exchanged(world) as inside:
        yield Two(world, inside.world, inside.house)


def opened(answer: Answer) -> bool:
    """Tell whether the name of the first defender is shown."""
    name = answer.data["caseFile"]["defenders"][0]["fullName"]
    return name is not None


async def refused_next(world: World, who: str, code: str) -> None:
    """Claim that the next request of *who* is refused, and that the log says so."""
    before = await world.size()

    answer = await read(world, who)

    assert answer.codes == [code]
    events = await world.events(before)
    assert [event.code for event in events] == [code]
    assert not [t for e in events for t in e.touched if t.decision is Decision.DISCLOSED]


async def found(world: World, who: str, name: str) -> list[str]:
    answer = await world.ask(who, FIND, {"value": name})
    return [hit["defender"]["fullName"] for hit in answer.data["findDefenders"]]


async def test_an_assignment_that_ended_at_one_process_is_over_at_the_other(two: Two) -> None:
    mine = two.one.records.open_to_sari
    name = first_defender(two.one, mine).full_name
    for world in (two.one, two.other):
        assert opened(await read(world, SARI))
        assert name in await found(world, SARI, name)

    assert codes(await unassign(two.one, SARI, to=mine)) == []

    for world in (two.other, two.one):
        answer = await read(world, SARI)
        assert not opened(answer)
        assert answer.data["caseFile"]["account"] is None
        assert {w["reason"] for w in answer.data["caseFile"]["withheld"]} == {"NOT_ASSIGNED"}
        assert name not in await found(world, SARI, name)
    assert codes(await unassign(two.other, SARI, to=mine)) == ["NOT_ASSIGNED"]


@pytest.mark.parametrize("by", [BUDI, HASAN])
async def test_a_referral_that_ended_at_one_process_is_over_at_the_other(two: Two, by: str) -> None:
    """By its giver, and by its recipient."""
    referral = await accepted(two.one)
    for world in (two.one, two.other):
        assert opened(await read(world, WAYAN))

    assert codes(await say(two.one, END, referral, by=by)) == []

    await refused_next(two.other, WAYAN, "NOT_FOUND")
    await refused_next(two.one, WAYAN, "NOT_FOUND")


async def test_an_account_disabled_at_one_process_is_nobody_at_the_other(two: Two) -> None:
    for world in (two.one, two.other):
        assert opened(await read(world, SARI))

    assert await disable_member(two.house, "komnas-ham", SARI)

    await refused_next(two.one, SARI, "NOT_FOR_THIS_FACE")
    await refused_next(two.other, SARI, "NOT_FOR_THIS_FACE")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.long
async def test_every_worker_process_refuses_the_next_request(
    server: PostgresServer, tmp_path: Path
) -> None:
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

    async def ask(who: str, purpose: str, query: str, variables: dict[str, Any]) -> Any:
        """Ask over a connection of its own."""
        token = issuer_of(folder, now).mint(records.member(who).organisation, who)
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            answer = await client.post(
                f"http://127.0.0.1:{port}/graphql/agency",
                json={"query": query, "variables": variables},
                headers={"authorization": f"Bearer {token}", "perisai-purpose": purpose},
            )
        return answer.json()

    mine = str(records.open_to_sari)
    engine = engine_of(Settings.at(config).log_reader_url.get_secret_value())
    reader = LogReader(engine)
    before = (await reader.head()).size

    async def reads() -> list[Any]:
        return await asyncio.gather(
            *(ask(SARI, "protection", READ, {"id": mine}) for _ in range(CONNECTIONS))
        )

    with Running("serve", "--workers", "2", folder=folder, config=config) as service:
        await both_started(reader, before, service, port)
        assert all(body["data"]["caseFile"]["account"] for body in await reads())

        given = {"caseFileId": mine, "memberId": str(records.member(SARI).id)}
        ended = await ask(BUDI, "supervision", UNASSIGN, {"input": given})
        assert ended["data"]["unassignCaseworker"]["errors"] == []

        assert {body["data"]["caseFile"]["account"] for body in await reads()} == {None}

        async with open_house(Settings.at(config)) as house:  # a third process would do the same
            assert await disable_member(house, "komnas-ham", SARI)

        told = [[e["extensions"]["code"] for e in body["errors"]] for body in await reads()]
        assert told == [["NOT_FOR_THIS_FACE"]] * CONNECTIONS
        assert service.end() == 0, service.text()
    await engine.dispose()
    server.drop_database(database)
