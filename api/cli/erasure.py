"""After an erasure: do it again on a restored database, and clean what databases leave behind."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from api.app import open_house, utc_now
from api.casework import erasure_replay
from api.cli.terminal import bar, out, run, settings_or_demo
from api.database import clean as clean_database
from api.settings import Settings
from api.store import erasing

app = typer.Typer(help="Erasures that must stay.", no_args_is_help=True)


@app.callback()
def erasure() -> None:
    """Erasures that must stay."""


@app.command()
def replay() -> None:
    """Erase again, in a restored database, whatever the access log says is erased.

    Reads every entry of the log, not its search tables. Doing it twice does it once.
    """
    again, known = run(replayed(settings_or_demo(), utc_now))
    out.print(f"{known} records are erased by the log; {again} of them were erased again.")


async def replayed(settings: Settings, now: Callable[[], datetime]) -> tuple[int, int]:
    """Erase again what came back; tell how many records, of how many that are erased."""
    async with open_house(settings, now, replaying=True) as house:
        size = (await house.log.head()).size
        with bar("reading the log", size) as progress:
            log = await erasure_replay.walked(
                house.log,
                lambda index: progress.update(progress.task_ids[0], completed=index + 1),
            )
        return await erasure_replay.replay(house, log), len(log.done)


@app.command()
def clean(
    records_url: Annotated[
        str | None,
        typer.Option(
            envvar="PERISAI_RECORDS_OWNER_URL",
            help="PostgreSQL: the records, as their owner. SQLite needs none.",
        ),
    ] = None,
) -> None:
    """Rewrite the tables, so that the database's files hold nothing of what was erased.

    Locks each table while it is rewritten: choose a quiet hour.
    """
    settings = settings_or_demo()
    run(clean_database(records_url or settings.records_url.get_secret_value(), erasing.TABLES))
    out.print("The tables are rewritten.")
