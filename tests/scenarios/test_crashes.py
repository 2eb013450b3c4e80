"""A fault in any layer whose text holds a value, and a process that is killed: no value is said."""

import io
import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from api.crypto.key_file import Cost
from api.demo.install import Databases, install, issuer_of
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, synthetic
from tests.inside import exchanged
from tests.postgresql import PostgresServer
from tests.processes import Running, free_port
from tests.scenarios.leaks import files_below, found_in, server_files
from tests.scenarios.test_no_leak import ASSIGN, EVENTS, FIND, LIST, NOTE, OPEN, READ, UPDATE
from tests.world import Answer, World, databases_of

pytestmark = pytest.mark.long

CODES = '{ codeList(name: "provinces") { code } }'
RELEASES = "{ releases(first: 9) { edges { node { id content { summary } } } } }"
NAME, NIK = "Mochammad Joesoef Hidayat", "3273995708910077"


def fail(*_: object, **__: object) -> NoReturn:
    """Fail as a library does: with what it was given in its words, and as its cause."""
    raise RuntimeError(f"cannot take {NAME!r}") from ValueError(f"[{NIK}]")


class Failing:
    """A part of the house of which nothing works."""

    def __getattr__(self, name: str) -> NoReturn:
        fail(name)


class FailingInside:
    """Records that open a transaction and fail in it."""

    def __init__(self, records: Any) -> None:
        self._records = records

    def __getattr__(self, name: str) -> Any:
        @asynccontextmanager
        async def entered() -> Any:
            async with getattr(self._records, name)():
                fail()
                yield

        return entered


class FailingKeys:
    """A keyring that proves rights and opens nothing."""

    def __init__(self, keyring: Any) -> None:
        self._keyring = keyring
        self.open_keys = self.open_each = self.new_keys = self.tags_to_find = fail

    def __getattr__(self, name: str) -> Any:
        return getattr(self._keyring, name)


#: The part that fails -> what takes its place, and how many of the requests must fail.
LAYERS: dict[str, tuple[Callable[[Any], dict[str, Any]], int]] = {
    "code lists": (lambda _h: {"codes": Failing()}, 2),
    "policies": (lambda _h: {"gate": Failing()}, 8),
    "keys, wholly": (lambda _h: {"keyring": Failing()}, 9),
    "keys, when they open": (lambda h: {"keyring": FailingKeys(h.keyring)}, 6),
    "records": (lambda _h: {"records": Failing()}, 9),
    "records, in a transaction": (lambda h: {"records": FailingInside(h.records)}, 9),
    "log": (lambda _h: {"ledger": Failing()}, 8),
    "reader of the log": (lambda _h: {"log": Failing()}, 1),
    "clock": (lambda _h: {"now": fail}, 8),
}


async def everything(world: World) -> list[Answer]:
    """Ask for something of every kind, with values in it."""
    mine = str(world.records.open_to_sari)
    person = {"fullName": NAME, "nik": NIK}
    partner, officer = {"face": "partner"}, {"face": "oversight"}
    intake = {"defender": person, "account": NAME, "province": "31"}
    change = {"id": str(world.records.defenders[0].id), "revision": 1, **person}
    who = str(world.records.member("rizal").id)
    return [
        await world.ask(SARI, CODES),
        await world.ask(SARI, LIST),
        await world.ask(SARI, READ, {"id": mine}),
        await world.ask(SARI, FIND, {"by": "NAME", "value": NAME}),
        await world.ask(SARI, FIND, {"by": "NIK", "value": NIK}),
        await world.ask(SARI, OPEN, intake, purpose="intake"),
        await world.ask(SARI, UPDATE, {"input": change}),
        await world.ask(SARI, NOTE, {"id": mine, "body": NAME}),
        await world.ask(BUDI, ASSIGN, {"id": mine, "who": who}),
        await world.ask(RATNA, RELEASES, purpose="referral", **partner),
        await world.ask(TUTI, EVENTS, purpose="quality_review", **officer),
    ]


async def test_a_fault_in_any_layer_whose_text_holds_a_value_is_told_without_it(
    watched: tuple[World, io.StringIO],
) -> None:
    world, lines = watched
    secrets = {NAME, NIK, *world.records.plaintexts()}
    for layer, (exchange, least) in LAYERS.items():
        before = lines.tell()
        async with exchanged(world, exchange) as inside:
            answers = await everything(inside.world)

        failed = [answer for answer in answers if "INTERNAL" in answer.codes]
        assert len(failed) >= least, (layer, [a.codes for a in answers])
        assert {code for a in answers for code in a.codes} <= {"INTERNAL"}, layer
        told = "\n".join(json.dumps(a.body.get("errors", [])) for a in answers)
        whole = "\n".join(a.text for a in failed if not a.body.get("data"))
        written = lines.getvalue()[before:]
        assert written.count('"unexpected"') >= len(failed), layer
        assert '"RuntimeError"' in written
        assert found_in(f"{told}\n{whole}\n{written}".encode(), secrets) == set(), layer


@pytest.fixture
def dumps_allowed() -> Iterator[None]:
    """Let the processes that are started write core dumps, if the system lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def limits_of(pid: int) -> str:
    return Path(f"/proc/{pid}/limits").read_text()


def cores_below(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("core*")]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.usefixtures("dumps_allowed")
async def test_a_process_that_is_killed_with_a_trace_leaves_no_value_anywhere(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A served installation that has opened, sealed and refused; then SIGABRT, not a goodbye."""
    folder, port = tmp_path / "perisai", free_port()

    def now() -> datetime:
        return datetime.now(UTC)

    databases, server, database = Databases.embedded(folder), None, None
    if kind == "postgresql":
        server = request.getfixturevalue("server")
        assert isinstance(server, PostgresServer)
        database = server.create_database()
        databases = databases_of(database)
    records = synthetic(5, now().date(), 12)
    config = await install(
        folder,
        databases,
        records,
        clock=now,
        progress=lambda _count: None,
        port=port,
        cost=Cost(8, 1, 1),
    )
    output = tmp_path / "output"
    output.mkdir()
    mine = {"id": str(records.open_to_sari)}
    bearer = issuer_of(folder, now).mint(records.member(SARI).organisation, SARI)
    asked: list[tuple[str, dict[str, Any]]] = [
        (LIST, {}),
        (READ, mine),
        (FIND, {"by": "NAME", "value": "Joesoef"}),
        (FIND, {"by": "NIK", "value": NIK}),
        (FIND, {"by": NAME, "value": NIK}),
        (NOTE, {**mine, "body": f"Catatan tentang {NAME}"}),
        (OPEN, {"defender": {"fullName": NAME, "nik": "x"}, "account": NAME, "province": "31"}),
    ]
    shown = ""
    trace = {"PYTHONFAULTHANDLER": "1"}
    with Running("serve", folder=output, config=config, more=trace) as service:
        service.wait_for("Started worker")
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {bearer}", "perisai-purpose": "protection"},
            trust_env=False,
            timeout=20,
            transport=httpx.AsyncHTTPTransport(retries=5),
        ) as client:
            for query, variables in asked:
                body = {"query": query, "variables": variables}
                shown += (await client.post("/graphql/agency", json=body)).text
        assert service.process is not None
        limits = [limits_of(p) for p in (service.process.pid, *children(service.process.pid))]
        for pid in children(service.process.pid):
            os.kill(pid, signal.SIGABRT)
        service.wait_for("Fatal Python error: Aborted")
        service.end(signal.SIGABRT)

    assert NAME in shown
    assert len(limits) >= 2
    assert all("Max core file size        0 " in limit for limit in limits)
    left = files_below(tmp_path)
    if server is not None and database is not None:
        left += server_files(server, database)
        server.drop_database(database)
    assert cores_below(tmp_path) == []
    assert found_in(left, {NAME, NIK, *records.plaintexts()}) == set()
    assert found_in(left + NAME.encode().hex().encode(), {NAME}) == {NAME}
