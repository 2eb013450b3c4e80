"""A change that a process did not end is listed, and gets its outcome once, whoever starts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from api.accesslog.event import Event
from api.accesslog.ledger import Ledger
from api.app import open_house
from api.casework import unfinished
from api.cli.main import app
from api.log_settings import log_writer
from api.vocabulary import Action, Decision, Outcome, Phase
from tests.accesslog.events import read_of
from tests.world import World


@asynccontextmanager
async def ledger_of(world: World) -> AsyncIterator[Ledger]:
    ledger = Ledger(log_writer(world.settings.log_url.get_secret_value()))
    await ledger.start()
    yield ledger
    await ledger.close()


def intent(world: World, number: int, organisation: str | None = "komnas-ham") -> Event:
    return replace(
        read_of(
            number, agencies=("komnas-ham",), decision=Decision.ALLOWED, action=Action.ADD_NOTE
        ),
        at=world.clock(),
        organisation=organisation,
        phase=Phase.INTENT,
    )


async def outcomes(world: World, since: int) -> dict[int | None, list[Outcome | None]]:
    found: dict[int | None, list[Outcome | None]] = {}
    for event in await world.events(since):
        if event.phase is Phase.OUTCOME:
            found.setdefault(event.intent, []).append(event.outcome)
    return found


async def test_a_change_that_was_cut_off_is_told_once_although_several_start(world: World) -> None:
    async with ledger_of(world) as ledger:
        cut_off = [await ledger.append(intent(world, n)) for n in range(3)]
        of_nobody = await ledger.append(intent(world, 3, None))
        elsewhere = await ledger.append(intent(world, 4, "an-agency-of-another-process"))
        done = await ledger.append(intent(world, 5))
        ended = replace(intent(world, 5), phase=Phase.OUTCOME, intent=done, outcome=Outcome.DONE)
        await ledger.append(ended)
        world.clock.move(unfinished.UNDER_WAY)
        under_way = await ledger.append(intent(world, 6))
        world.clock.move(timedelta(seconds=1))
    since = await world.size()

    async with AsyncExitStack() as closing:
        houses = await asyncio.gather(
            *(closing.enter_async_context(open_house(world.settings, world.clock)) for _ in "abc")
        )
        assert await unfinished.finish(houses[0]) == 0

    told = await outcomes(world, since)
    assert told == {index: [Outcome.UNKNOWN] for index in (*cut_off, of_nobody)}
    left = await unfinished.listed(world.reader(), world.clock())
    assert [one.index for one in left] == [elsewhere]
    later = world.clock() + unfinished.UNDER_WAY
    assert [o.index for o in await unfinished.listed(world.reader(), later)] == [
        elsewhere,
        under_way,
    ]


async def test_the_outcome_names_what_its_intent_named(world: World) -> None:
    async with ledger_of(world) as ledger:
        index = await ledger.append(intent(world, 1))
    world.clock.move(timedelta(hours=1))
    since = await world.size()

    async with open_house(world.settings, world.clock):
        pass

    [event] = [e for e in await world.events(since) if e.phase is Phase.OUTCOME]
    before = (await world.events(index))[0]
    assert event == replace(
        before, at=world.clock(), phase=Phase.OUTCOME, intent=index, outcome=Outcome.UNKNOWN
    )


async def test_the_command_lists_what_is_unfinished_and_names_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ledger_of(world) as ledger:
        index = await ledger.append(intent(world, 1))
    monkeypatch.setenv("PERISAI_CONFIG", str(world.folder / "perisai.toml"))
    size = await world.size()

    # By the clock of the machine, which is later than the test's.
    result = await asyncio.to_thread(CliRunner().invoke, app, ["log", "unfinished"])

    assert result.exit_code == 0, result.output
    [line] = [line for line in result.stdout.splitlines() if "add_note" in line]
    assert str(index) in line
    assert "komnas-ham" in line
    assert read_of(1).actor is not None
    assert read_of(1).actor.hex not in result.stdout
    assert "1 changes have no outcome." in result.stdout
    assert await world.size() == size
