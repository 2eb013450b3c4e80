"""Alembic migrations of the two databases, records and log, run by `upgrade`."""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from api.database import Records, engine_of
from api.errors import RefusesToStart, StoreUnavailable

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


async def check_revision(records: Records) -> None:
    """Prove that the records' database is at the revision that this code is written for.

    Raises:
        RefusesToStart: it is at another, at none, or does not answer.
    """
    newest = ScriptDirectory.from_config(_config("records")).get_current_head()
    try:
        async with records.look() as connection:
            found = await connection.scalar(text("select version_num from alembic_records"))
    except (StoreUnavailable, SQLAlchemyError):
        raise RefusesToStart(
            "The records' database does not answer, or has no tables yet. "
            "Check its address in the settings, and run `perisai migrate`."
        ) from None
    if found != newest:
        raise RefusesToStart(
            f"The records' database is at revision {found}, this version needs {newest}: "
            "run `perisai migrate`."
        )


def _config(which: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("version_locations", str(_HERE / which / "versions"))
    config.set_main_option("path_separator", "newline")
    return config


def _upgrade(connection: Connection, which: str) -> None:
    config = _config(which)
    config.attributes["connection"] = connection
    config.attributes["which"] = which
    command.upgrade(config, "head")
