"""A policy is adopted by command, with the signatures of two persons, or it is not.

Two houses serve one pair of databases, as two workers do.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.accesslog.reader import LogReader
from api.cli.main import app
from api.cli.policy import TABLES
from api.crypto.key_file import Cost
from api.database import engine_of
from api.demo.install import install, issuer_of
from api.demo.synthetic import SARI, synthetic
from api.policies import checking, comparing
from api.policies.engine import hash_of, shipped_texts
from api.settings import Settings
from api.vocabulary import Action, Outcome, Phase, Role
from tests.postgresql import PostgresServer
from tests.processes import Running, free_port, perisai
from tests.scenarios.adopting import (
    ACCOUNT,
    APPROVER,
    APPROVER_NAME,
    AUTHOR,
    AUTHOR_NAME,
    CONTACT,
    SIGNERS,
    Served,
    key_of,
    less,
    put,
    served_twice,
    shown,
    signed,
    started,
)
from tests.scenarios.referring import READ
from tests.scenarios.test_revocation import CONNECTIONS, now
from tests.scenarios.test_two_workers import both_started
from tests.world import Template, World, databases_of

pytestmark = pytest.mark.long

SHIPPED = hash_of(shipped_texts())
WITHOUT = hash_of(less(CONTACT))


@pytest.fixture
async def two(template: Template, tmp_path: Path) -> AsyncIterator[Served]:
    async with served_twice(template, tmp_path / "perisai") as served:
        yield served


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at some of all situations: the whole is tested where it is made."""
    for module in (checking, comparing):
        thinned = module.thinned
        monkeypatch.setattr(
            module, "thinned", lambda *args, thinned=thinned: (thinned(*args)[0][::40], 40)
        )


async def run(world: World, *words: object) -> Result:
    """Run a command with the settings of *world*."""
    environment = {"PERISAI_CONFIG": str(world.folder / "perisai.toml")}
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["policy", *map(str, words)], env=environment
    )


async def done(world: World, *words: object) -> str:
    result = await run(world, *words)
    assert result.exit_code == 0, result.output
    return result.output


async def refused(world: World, *words: object) -> str:
    result = await run(world, *words)
    assert result.exit_code == 1, result.output
    return result.output


def files(folder: Path, texts: dict[str, str]) -> Path:
    """Write a policy into a folder."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.polar").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    made = {}
    for name, key in (("author", AUTHOR), ("approver", APPROVER)):
        made[name] = tmp_path / f"{name}.pem"
        key.save(made[name])
    return made


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Give the shipped table of the officers: nothing that is changed here is in it."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "officers.csv").write_bytes((TABLES / "officers.csv").read_bytes())
    return folder


async def test_by_command_from_a_folder_to_the_next_request_of_every_process(
    two: Served, tmp_path: Path, keys: dict[str, Path], tables: Path
) -> None:
    world = two.one
    assert await shown(world)
    assert await shown(two.other)
    folder = files(tmp_path / "new", less(CONTACT))
    said = await done(world, "show")
    assert f"The shipped policy is in force: {SHIPPED}." in said
    draft, bundle = tmp_path / "draft", tmp_path / "bundle"
    size = await world.size()

    await done(
        world, "sign", folder, "--as", "author", "--key", keys["author"], "--name", AUTHOR_NAME,
        "-o", draft, "--yes",
    )  # fmt: skip
    assert "not signed" in await refused(world, "adopt", draft, "--tables", tables)
    await done(
        world, "sign", draft, "--as", "approver", "--key", keys["approver"],
        "--name", APPROVER_NAME, "-o", bundle, "--yes",
    )  # fmt: skip
    assert await world.size() == size
    assert await shown(world)
    assert await shown(two.other)
    size = await world.size()
    await done(world, "adopt", bundle, "--tables", tables)

    assert not await shown(world)
    assert not await shown(two.other)
    intent, outcome, *reads = await world.events(size)
    ids = (key_of(APPROVER_NAME, APPROVER).key_id, key_of(AUTHOR_NAME, AUTHOR).key_id)
    words = (f"approver:{ids[0].hex()}", f"author:{ids[1].hex()}", "number:1")
    assert [e.phase for e in (intent, outcome)] == [Phase.INTENT, Phase.OUTCOME]
    assert outcome.outcome is Outcome.DONE
    for event in (intent, outcome):
        assert (event.action, event.role) == (Action.POLICY_CHANGE, Role.OPERATOR)
        assert (event.previous, event.policy) == (SHIPPED, WITHOUT)
        assert [t.fields for t in event.touched] == [words]
    assert [(e.action, e.policy) for e in reads] == [(Action.READ, WITHOUT)] * 2
    said = await done(world, "show")
    assert f"Policy {WITHOUT} is in force, number 1." in said
    assert AUTHOR_NAME in said
    assert APPROVER_NAME in said
    assert f"--number 2 --replaces {WITHOUT}" in said
    # The same bundle is of the past now, whatever is in force later.
    assert "is number 1 and replaces" in await refused(world, "adopt", bundle)


@pytest.mark.long
async def test_a_policy_that_breaks_a_table_or_an_invariant_is_not_adopted(
    two: Served, tmp_path: Path
) -> None:
    broken = shipped_texts()
    rule = "cleared(who: Caseworker, file: CaseFile) if file.sensitivity <= who.clearance;\n"
    assert rule in broken["base"]
    broken["base"] = broken["base"].replace(rule, "cleared(_: Caseworker, _: CaseFile);\n")
    for number, texts in enumerate((less(CONTACT), broken)):
        path = tmp_path / f"bundle-{number}"
        path.write_text(str(await signed(two.one, texts)), encoding="utf-8")
        size = await two.one.size()

        said = await refused(two.one, "adopt", path)

        assert "It is not adopted" in said
        assert ".csv:" in said
        assert await two.one.size() == size
        assert await two.one.run("select count(*) from policy") == [(0,)]
    assert await shown(two.one)
    assert await shown(two.other)


async def test_without_signers_nothing_is_adopted(world: World, tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    path.write_text(str(await signed(world, shipped_texts())), encoding="utf-8")

    assert "not signed" in await refused(world, "adopt", path)
    assert await world.run("select count(*) from policy") == [(0,)]
    await put(world, await signed(world, less(CONTACT)))
    assert await shown(world)


@pytest.mark.long
async def test_the_policy_of_the_log_can_be_put_back_and_no_other(
    two: Served, tmp_path: Path, tables: Path
) -> None:
    world = two.one
    first, second = (tmp_path / name for name in ("first", "second"))
    first.write_text(str(await signed(world, less(CONTACT))), encoding="utf-8")
    await done(world, "adopt", first, "--tables", tables)
    second.write_text(str(await signed(world, less(CONTACT, ACCOUNT))), encoding="utf-8")
    await done(world, "adopt", second, "--tables", tables)
    await world.run("delete from policy")

    said = await done(world, "show")
    assert f"policy {hash_of(less(CONTACT, ACCOUNT))} was adopted as number 2" in said
    await refused(world, "adopt", tmp_path / "nothing")
    await done(world, "adopt", second, "--tables", tables)

    async with started(world) as house:
        assert house.gate.policy_hash == hash_of(less(CONTACT, ACCOUNT))
    assert "was adopted" not in await done(world, "show")
    assert "replaces" in await refused(world, "adopt", first)


async def test_a_process_starts_with_the_adopted_policy_and_says_nothing_new(two: Served) -> None:
    path = two.one.folder / "bundle"
    path.write_text(str(await signed(two.one, shipped_texts())), encoding="utf-8")
    await done(two.one, "adopt", path)
    size = await two.one.size()

    async with started(two.one) as house:
        assert house.policies is not None
        assert house.policies.number == 1
        assert house.gate.policy_hash == SHIPPED
    [start] = await two.one.events(size)
    assert (start.action, start.policy) == (Action.START, SHIPPED)


@pytest.mark.long
async def test_every_worker_process_decides_the_next_request_under_it(
    server: PostgresServer, tmp_path: Path, keys: dict[str, Path], tables: Path
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
    config.write_text(SIGNERS + config.read_text(encoding="utf-8"), encoding="utf-8")
    settings = Settings.at(config)
    token = issuer_of(folder, now).mint(records.member(SARI).organisation, SARI)
    engine = engine_of(settings.log_reader_url.get_secret_value())
    reader = LogReader(engine)
    size = (await reader.head()).size

    async def phones() -> Any:
        """Ask over a connection of its own."""
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            answer = await client.post(
                f"http://127.0.0.1:{port}/graphql/agency",
                json={"query": READ, "variables": {"id": str(records.open_to_sari)}},
                headers={"authorization": f"Bearer {token}", "perisai-purpose": "protection"},
            )
        return answer.json()["data"]["caseFile"]["defenders"][0]["phones"]

    async def command(*words: object) -> None:
        # Each asks the policy half a million questions, and some compare it with another one.
        said = await asyncio.to_thread(
            perisai, "policy", *map(str, words), config=config, seconds=600.0
        )
        assert said.returncode == 0, said.stderr

    new, draft, bundle = files(tmp_path / "new", less(CONTACT)), tmp_path / "d", tmp_path / "b"
    for part, what, to, name in (
        ("author", new, draft, AUTHOR_NAME),
        ("approver", draft, bundle, APPROVER_NAME),
    ):
        arguments = ("--as", part, "--key", keys[part], "--name", name, "-o", to, "--yes")
        await command("sign", what, *arguments)
    with Running("serve", "--workers", "2", folder=folder, config=config) as service:
        await both_started(reader, size, service, port)
        assert all(await asyncio.gather(*(phones() for _ in range(CONNECTIONS))))

        await command("adopt", bundle, "--tables", tables)

        assert await asyncio.gather(*(phones() for _ in range(CONNECTIONS))) == [None] * CONNECTIONS
        assert service.end() == 0, service.text()
        assert "policy_adopted" in service.text()
    told = [event async for _, event in reader.of_action(Action.POLICY_CHANGE)]
    assert [event.phase for event in told] == [Phase.INTENT, Phase.OUTCOME]
    await engine.dispose()
    server.drop_database(database)
