"""A service on a log that is older or newer than its code, or is not there, does not start."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from api.app import open_house
from api.errors import RefusesToStart
from tests.world import World


async def _change(world: World, statement: str) -> None:
    if world.kind == "postgresql":
        await world.run(statement)
        return
    path = Path(make_url(world.settings.log_url.get_secret_value()).database or "")
    with sqlite3.connect(path) as lite:
        lite.execute(statement)
    lite.close()


@pytest.mark.parametrize("revision", ["0001", "9999"])
async def test_a_service_does_not_start_on_a_log_of_another_version(
    world: World, revision: str
) -> None:
    size = await world.size()
    await _change(world, f"update alembic_log set version_num = '{revision}'")

    with pytest.raises(RefusesToStart, match=f"access log's database is at revision {revision}"):
        async with open_house(world.settings, world.clock):
            pass

    assert await world.size() == size


async def test_a_service_does_not_start_without_a_log(world: World) -> None:
    await _change(world, "drop table alembic_log")

    with pytest.raises(RefusesToStart, match="run `perisai migrate`"):
        async with open_house(world.settings, world.clock):
            pass
