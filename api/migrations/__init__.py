"""Alembic migrations of the two databases, records and log, run by `upgrade`."""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.database import Records, engine_of
from api.errors import RefusesToStart, StoreUnavailable

_HERE = Path(__file__).parent


async def upgrade(which: Literal["records", "log"], url: str, revision: str = "head") -> None:
    """Bring one database to a revision, the newest if none is named, with its owner's role.

    Args:
        url: SQLAlchemy address with an async driver.
    """
    engine = engine_of(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, which, revision)
    finally:
        await engine.dispose()


async def check_revision(records: Records) -> None:
    """Prove that the records' database is at the revision that this code is written for.

    Raises:
        RefusesToStart: it is at another, at none, or does not answer.
    """
    try:
        async with records.look() as connection:
            found = await connection.scalar(text("select version_num from alembic_records"))
    except (StoreUnavailable, SQLAlchemyError):
        raise _no_tables("records' database") from None
    _compare("records' database", found, newest("records"))


async def check_log_revision(engine: AsyncEngine) -> None:
    """Prove the same of the access log, with the role of its reader.

    Raises:
        RefusesToStart: it is at another revision, at none, or does not answer.
    """
    try:
        async with engine.connect() as connection:
            found = await connection.scalar(text("select version_num from alembic_log"))
    except (OSError, SQLAlchemyError):
        raise _no_tables("access log's database") from None
    _compare("access log's database", found, newest("log"))


def newest(which: Literal["records", "log"]) -> str | None:
    """Name the revision that this code is written for."""
    return ScriptDirectory.from_config(_config(which)).get_current_head()


def _compare(what: str, found: str | None, needed: str | None) -> None:
    if found != needed:
        raise RefusesToStart(
            f"The {what} is at revision {found}, this version needs {needed}: "
            "run `perisai migrate`."
        )


def _no_tables(what: str) -> RefusesToStart:
    return RefusesToStart(
        f"The {what} does not answer, or has no tables yet. "
        "Check its address in the settings, and run `perisai migrate`."
    )


def _config(which: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("version_locations", str(_HERE / which / "versions"))
    config.set_main_option("path_separator", "newline")
    return config


def _upgrade(connection: Connection, which: str, revision: str) -> None:
    config = _config(which)
    config.attributes["connection"] = connection
    config.attributes["which"] = which
    command.upgrade(config, revision)
