"""An older state of the records, as a backup holds it, served or looked at beside the new log."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import Result
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from api.cli.main import app
from api.settings import Settings
from tests.postgresql import Database
from tests.world import Template, World


@dataclass(frozen=True, slots=True)
class Restored:
    """The records as they were when the world was made, with the log of now.

    Attributes:
        settings: of a service on them; `config` is the same as a file.
    """

    settings: Settings
    config: Path

    async def perisai(self, *arguments: str) -> Result:
        """Run a command in this process, beside the loop of the test."""
        environment = {"PERISAI_CONFIG": str(self.config)}
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)


@contextmanager
def restored(world: World, template: Template) -> Iterator[Restored]:
    """Restore the records of *world* from the state that it began with, beside its own."""
    url = make_url(world.settings.records_url.get_secret_value())
    database: Database | None = None
    if template.server is None or template.database is None:
        folder = world.folder / "restored"
        folder.mkdir()
        for path in template.folder.glob("records.sqlite*"):
            shutil.copy(path, folder)
        older = url.set(database=str(folder / "records.sqlite"))
    else:
        database = template.server.create_database(template=template.database)
        older = url.set(database=database.name)
    text = older.render_as_string(hide_password=False)
    config = world.folder / "restored.toml"
    lines = (world.folder / "perisai.toml").read_text(encoding="utf-8").splitlines()
    lines[[line.startswith("records_url") for line in lines].index(True)] = (
        f'records_url = "{text}"'
    )
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = world.settings.model_copy(update={"records_url": SecretStr(text)})
    try:
        yield Restored(settings, config)
    finally:
        if template.server is not None and database is not None:
            template.server.drop_database(database)
