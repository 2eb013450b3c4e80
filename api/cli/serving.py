"""Serve, and bring the databases to the newest revision."""

from typing import Annotated

import typer
from granian.constants import Interfaces
from granian.server import Server

from api.cli.terminal import err, one_line, out, run, settings_or_demo
from api.migrations import upgrade


def serve(
    workers: Annotated[int, typer.Option(min=1, help="Processes. SQLite takes one.")] = 1,
) -> None:
    """Serve the faces that the settings name, until interrupted."""
    with one_line():
        settings = settings_or_demo()
        if workers > 1 and settings.records_url.get_secret_value().startswith("sqlite"):
            err.print("SQLite is for one process: use PostgreSQL for more workers.")
            raise typer.Exit(1)
        Server(
            "api.app:create_app",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.host,
            port=settings.port,
            workers=workers,
            log_access=False,
        ).serve()


def migrate(
    records_url: Annotated[
        str, typer.Option(envvar="PERISAI_RECORDS_OWNER_URL", help="Records, as their owner.")
    ],
    log_url: Annotated[
        str, typer.Option(envvar="PERISAI_LOG_OWNER_URL", help="Access log, as its owner.")
    ],
) -> None:
    """Bring both databases to the newest revision, with the roles that own them."""
    run(upgrade("records", records_url))
    run(upgrade("log", log_url))
    out.print("Both databases are at the newest revision.")
