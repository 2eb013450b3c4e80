"""A service that holds no signing key of the log: the signer is another process."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from api.accesslog.reader import LogReader
from api.accesslog.verify import verify
from api.app import create_app, open_house
from api.crypto.signatures import SigningKey
from api.demo.synthetic import SARI
from api.errors import LogBroken, LogNotContinued, RefusesToStart
from api.log_settings import log_keys
from api.log_signing import signer_at_work
from api.settings import Settings, SignerSettings
from tests.conftest import NOON
from tests.world import Clock, Template, World, opened

LIST = "{ caseFiles(first: 1) { edges { node { reference } } } }"


@pytest.fixture
async def at_rest(template: Template, tmp_path: Path) -> AsyncIterator[World]:
    """Give an installation that nobody serves any more."""
    async with opened(template, tmp_path / "perisai", Clock(NOON), drop=False) as world:
        pass
    yield world
    await world.close()
    if world.server is not None and world.database is not None:
        world.server.drop_database(world.database)


sqlite_only = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


def apart(world: World) -> tuple[Settings, SignerSettings]:
    """Give the settings of a service without signing key, and those of the signer."""
    service = world.settings.model_copy(
        update={
            "log_signer": "process",
            "log_keys": tuple(str(key) for key in log_keys(world.settings)),
            "log_signing_key": None,
            "log_state": None,
            "log_checkpoint_alarm": 2.0,
        }
    )
    return service, world.settings.signer()


def unbroken(_error: LogBroken) -> None:
    raise AssertionError("the log was found broken")


async def signed(reader: LogReader) -> int:
    """Give the size of the newest checkpoint."""
    note = await reader.latest_checkpoint()
    assert note is not None
    return int(note.splitlines()[1])


async def test_the_service_works_beside_a_signer_without_its_key_and_its_state(
    at_rest: World,
) -> None:
    service, signer = apart(at_rest)
    async with signer_at_work(signer, unbroken, alone=True):
        # The signer has read its key; now the service could not if it wanted to.
        away = signer.log_signing_key.with_suffix(".away")
        signer.log_signing_key.rename(away)
        app = create_app(service, at_rest.clock, settle_every=None)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://perisai") as client:
                at_rest.client = client
                assert (await at_rest.ask(SARI, LIST)).data["caseFiles"]["edges"]
                assert (await client.get("/readyz")).status_code == 200

    # The signer's last checkpoint holds the last event.
    reader = at_rest.reader()
    assert (await verify(reader, log_keys(service))).size == await signed(reader)


async def test_a_service_whose_signer_does_not_run_refuses_to_start(at_rest: World) -> None:
    service, _signer = apart(at_rest)
    service = service.model_copy(update={"log_checkpoint_alarm": 0.01})

    with pytest.raises(RefusesToStart, match="Nobody signed"):
        async with open_house(service, at_rest.clock):
            raise AssertionError("it was opened")


@sqlite_only
async def test_a_log_that_was_restored_with_its_checkpoints_is_neither_signed_nor_served(
    at_rest: World,
) -> None:
    service, signer = apart(at_rest)
    log = at_rest.folder / "log.sqlite"
    with closing(sqlite3.connect(log)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    older = shutil.copy(log, at_rest.folder / "older.sqlite")
    async with (
        signer_at_work(signer, unbroken, alone=True),
        open_house(service, at_rest.clock),
    ):
        pass
    for path in at_rest.folder.glob("log.sqlite*"):
        path.unlink()
    shutil.copy(older, log)

    with pytest.raises(LogNotContinued, match="entries were signed for"):
        async with signer_at_work(signer, unbroken, alone=True):
            raise AssertionError("it signs")
    # By itself the copy is sound; it takes the signer to know that there was more.
    await verify(at_rest.reader(), log_keys(service))
    service = service.model_copy(update={"log_checkpoint_alarm": 0.01})
    with pytest.raises(RefusesToStart, match="Nobody signed"):
        async with open_house(service, at_rest.clock):
            raise AssertionError("it was opened")


@sqlite_only
async def test_a_service_that_knows_no_key_of_the_log_refuses_to_start(at_rest: World) -> None:
    service, _signer = apart(at_rest)
    [key] = service.log_keys
    size = await at_rest.size()
    stranger = SigningKey.generate()
    stranger.save(at_rest.folder / "stranger.pem")
    foreign = log_keys(
        at_rest.settings.model_copy(update={"log_signing_key": at_rest.folder / "stranger.pem"})
    )
    for changed, why in (
        ({"log_origin": "another.example/log"}, "has the `log_origin`"),
        ({"log_keys": (key, "rubbish")}, "malformed"),
        ({"log_keys": (str(foreign[0]),), "log_checkpoint_limit": 1e-6}, "no checkpoint"),
    ):
        at_rest.clock.now = NOON.replace(year=NOON.year + 1)
        with pytest.raises(RefusesToStart, match=why):
            async with open_house(service.model_copy(update=changed), at_rest.clock):
                raise AssertionError("it was opened")
    assert await at_rest.size() == size


@sqlite_only
async def test_when_the_embedded_signer_finds_the_log_broken_nothing_opens_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await world.ask(SARI, LIST)).status == 200
    told = asyncio.Event()
    monkeypatch.setattr(
        "api.accesslog.signer._log", SimpleNamespace(critical=lambda *_, **__: told.set())
    )
    with closing(sqlite3.connect(world.folder / "log.sqlite", isolation_level=None)) as raw:
        for (name,) in raw.execute("select name from sqlite_master where type = 'trigger'"):
            raw.execute(f"drop trigger {name}")
        raw.execute("delete from head where size > 1")
        raw.execute("delete from entry where idx > 0")
    async with asyncio.timeout(20):
        await told.wait()

    answer = await world.ask(SARI, LIST)
    assert (answer.status, answer.codes) == (503, ["LOG_UNAVAILABLE"])
    assert (await world.client.get("/readyz")).status_code == 503
