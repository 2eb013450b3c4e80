"""Alembic migrations of the two databases, records and log, run by `upgrade`."""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from api.database import engine_of

_HERE = Path(__file__).parent


async def upgrade(which: Literal["records", "log"], url: str) -> None:
    """Bring one database to the newest revision, with the role that owns it.

    Args:
        url: SQLAlchemy address with an async driver.
    """
    engine = engine_of(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, which)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, which: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("version_locations", str(_HERE / which / "versions"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["which"] = which
    command.upgrade(config, "head")
