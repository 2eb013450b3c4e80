"""An installation whose keys a test rotates: served, but by nobody who tells what it uses.

A service tells every few seconds which versions it uses, at moments that no test
chooses; here a test says itself what a process would say.
"""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from api.app import open_house
from api.app import served as served_by
from api.casework.house import House
from api.casework.rotating import Pace
from api.demo.synthetic import SARI
from api.settings import Settings
from tests.conftest import NOON
from tests.world import Clock, Template, World

OWNER = "komnas-ham"

READ = """query ($id: ID!) { caseFile(id: $id) {
  id revision account sexualViolenceForms notes { id body } withheld { field reason }
  defenders { id revision fullName aliases nik familyCard dateOfBirth gender nationality
    sealedCategories phones emails homeAddress withheld { field reason } } } }"""
LIST = """{ caseFiles(first: 100) { edges { node { id account notes { body }
  defenders { id fullName nik phones homeAddress withheld { field reason } } } } } }"""


#: For what is decided in Python: the rows are read and written as by the others.
ONE_DATABASE = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


async def no_pause(_seconds: float) -> None:
    """Go on at once."""


#: Many small steps, and no rest between them.
PACE = Pace(wraps=40, records=7, rest=0, pause=no_pause)


def unseen(_done: int, _total: int) -> None:
    """Show no progress."""


@dataclasses.dataclass
class Quiet:
    """A world, and the house that serves it."""

    world: World
    house: House

    async def read(self, case_file: UUID | None = None) -> dict[str, Any]:
        """Read one case file of Sari's with all that she may see; nothing may be broken."""
        case_file = case_file or self.world.records.open_to_sari
        answer = await self.world.ask(SARI, READ, {"id": str(case_file)})
        return dict(answer.data["caseFile"])

    async def versions(self, table: str, column: str, owner: str = OWNER) -> set[int]:
        """Name the versions under which rows of *table* stand."""
        of = "agency" if table == "defender_tag" else "owner"
        rows = await self.world.run(
            f"select distinct {column} from {table} where {of} = ?", [owner]
        )
        return {row[0] for row in rows}

    async def rows(self, table: str, order: str) -> list[tuple[Any, ...]]:
        return await self.world.run(f"select * from {table} order by {order}")


@asynccontextmanager
async def quietly(template: Template, folder: Path) -> AsyncIterator[Quiet]:
    """Copy *template* into *folder* and serve the copy."""
    config, database = template.copy(folder)
    settings, clock = Settings.at(config), Clock(NOON)
    try:
        async with served(settings, clock) as (house, app, client):
            world = World(
                template.kind,
                folder,
                template.records,
                settings,
                clock,
                app,
                client,
                template.server,
                database,
            )
            yield Quiet(world, house)
            await world.close()
    finally:
        if template.server is not None and database is not None:
            template.server.drop_database(database)


@asynccontextmanager
async def served(
    settings: Settings, clock: Clock, exchange: Mapping[str, Any] | None = None
) -> AsyncIterator[tuple[House, Starlette, httpx.AsyncClient]]:
    """Open a house and serve it, as one more process of the installation would."""
    async with open_house(settings, clock) as opened:
        house = dataclasses.replace(opened, **(exchange or {}))
        apps = served_by(house, settings, clock)
        app = Starlette(routes=[Route(path, one, methods=None) for path, one in apps.items()])
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://perisai") as client:
            yield house, app, client
