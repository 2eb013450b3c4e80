"""An installation whose keys are in OpenBao: it reads, closes without it, and comes back."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.crypto.opened_keys import OpenedKeys
from api.demo.install import Databases, install
from api.demo.synthetic import SARI, synthetic
from api.key_settings import openbao
from api.logs import configure_logs
from api.vocabulary import Action, Decision, Outcome, Phase
from tests.conftest import NOON
from tests.crypto.openbao_services import make_keys, token_for
from tests.inside import exchanged
from tests.openbao import OpenBaoServer, token_file
from tests.scenarios.asking import as_key, assigned_to, counted, defender
from tests.world import Answer, Clock, Template, World, opened

READ = """query ($id: ID!) { caseFile(id: $id) {
  reference account defenders { fullName nik phones withheld { field reason } } } }"""
CLEAR = "{ caseFiles(first: 20) { edges { node { id reference status urgency } } } }"
FIND = """query ($nik: String!) {
  findDefenders(by: NIK, value: $nik, first: 20) { defender { fullName } } }"""
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan yang tertolak."}) {
  noteId errors { code } } }"""


@pytest.fixture(scope="module")
def own() -> Iterator[OpenBaoServer]:
    """Run a server that the tests here may seal."""
    server = OpenBaoServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def sealed_template(own: OpenBaoServer, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Install once, with keys in OpenBao and the token of a service."""
    return asyncio.run(installed(own, tmp_path_factory.mktemp("openbao")))


async def installed(own: OpenBaoServer, folder: Path) -> Template:
    prefix, records = own.new_prefix(), synthetic(7, NOON.date(), 12)
    owners = [o.slug for o in records.organisations]
    await make_keys(own, folder, prefix, *owners)
    keys: dict[str, Any] = {
        "key_service": "openbao",
        "openbao_address": own.address,
        "openbao_token_file": str(token_file(folder, token_for(own, prefix, *owners))),
        "openbao_key_prefix": prefix,
        "openbao_time_out": 2.9,
    }
    await install(
        folder / "perisai",
        Databases.embedded(folder / "perisai"),
        records,
        clock=lambda: NOON,
        progress=lambda _count: None,
        keys=keys,
    )
    return Template("sqlite", folder / "perisai", records, None, None)


@pytest.fixture
async def world(
    own: OpenBaoServer, sealed_template: Template, tmp_path: Path
) -> AsyncIterator[World]:
    async with opened(sealed_template, tmp_path / "perisai", Clock(NOON)) as world:
        yield world


class Moving:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def mine(world: World) -> dict[str, str]:
    return {"id": str(world.records.open_to_sari)}


def assert_read(world: World, answer: Answer) -> None:
    """Claim that the case file was read with what is sealed in it."""
    [file] = [f for f in world.records.case_files if f.id == world.records.open_to_sari]
    read = answer.data["caseFile"]
    assert read["account"] == file.account
    names = {defender(world, one).full_name for one in file.defenders}
    assert {one["fullName"] for one in read["defenders"]} == names


def assert_closed(world: World, answer: Answer) -> None:
    assert (answer.status, answer.codes) == (503, ["KEYS_UNAVAILABLE"])
    assert answer.body.get("data") is None
    [file] = [f for f in world.records.case_files if f.id == world.records.open_to_sari]
    assert file.account not in answer.text
    for one in file.defenders:
        assert defender(world, one).full_name not in answer.text


async def test_records_open_with_keys_that_are_elsewhere(world: World) -> None:
    nik = next(
        n
        for file in assigned_to(world, SARI)
        for n in [defender(world, file.defenders[0]).nik]
        if n is not None
    )

    assert_read(world, await world.ask(SARI, READ, mine(world)))
    found = (await world.ask(SARI, FIND, {"nik": nik})).data["findDefenders"]
    assert len(found) == 1
    assert (await world.ask(SARI, NOTE, mine(world))).data["addNote"]["noteId"]
    ready = await world.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert not (world.folder / "keys").exists()


async def test_without_the_key_server_nothing_sealed_opens_and_the_rest_goes_on(
    own: OpenBaoServer, world: World
) -> None:
    said, before = io.StringIO(), await counted(world, "note", "data_key", "defender_tag")
    configure_logs(said)
    size = await world.size()

    own.seal()
    try:
        read = await world.ask(SARI, READ, mine(world))
        note = await world.ask(SARI, NOTE, mine(world))
        clear = await world.ask(SARI, CLEAR)
        ready = await world.client.get("/readyz")
        alive = await world.client.get("/healthz")
    finally:
        own.unseal()
    again = await world.ask(SARI, READ, mine(world))

    assert_closed(world, read)
    assert_closed(world, note)
    assert len(clear.data["caseFiles"]["edges"]) > 1
    assert (ready.status_code, ready.json()["code"]) == (503, "KEYS_UNAVAILABLE")
    assert alive.status_code == 200
    assert_read(world, again)
    assert (await world.client.get("/readyz")).status_code == 200
    assert await counted(world, "note", "data_key", "defender_tag") == before

    reading, intent, outcome, *_ = await world.events(size)
    assert (reading.action, reading.decision) == (Action.READ, Decision.DISCLOSED)
    assert (intent.action, intent.phase) == (Action.ADD_NOTE, Phase.INTENT)
    assert (outcome.phase, outcome.outcome) == (Phase.OUTCOME, Outcome.NOTHING)
    assert '"why": "sealed"' in said.getvalue()
    assert "Catatan" not in said.getvalue()
    token = world.settings.openbao_token_file
    assert token is not None
    assert token.read_text().strip() not in said.getvalue()


async def test_what_was_opened_serves_for_its_time_and_no_longer(
    own: OpenBaoServer, world: World
) -> None:
    clock = Moving()
    service = OpenedKeys(openbao(world.settings), seconds=60, monotonic=clock)
    async with exchanged(world, service=service) as inside:
        assert_read(world, await inside.world.ask(SARI, READ, mine(world)))
        own.seal()
        try:
            clock.now = 59.9
            assert_read(world, await inside.world.ask(SARI, READ, mine(world)))
            clock.now = 60.0
            assert_closed(world, await inside.world.ask(SARI, READ, mine(world)))
        finally:
            own.unseal()
        assert_read(world, await inside.world.ask(SARI, READ, mine(world)))


async def test_a_wrap_that_is_gone_opens_nothing_though_its_key_is_kept(world: World) -> None:
    assert_read(world, await world.ask(SARI, READ, mine(world)))

    record = as_key(world, world.records.open_to_sari)
    await world.run("delete from data_key where record = ?", [record])
    answer = await world.ask(SARI, READ, mine(world))

    assert answer.data["caseFile"]["account"] is None
    assert answer.data["caseFile"]["defenders"][0]["fullName"] is not None
