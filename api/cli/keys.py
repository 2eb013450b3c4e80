"""What may be known of the keys: whose, which versions, how old. Never a key."""

import typer
from rich.table import Table

from api.app import key_service, passphrase, utc_now
from api.cli.terminal import one_line, out, run, settings_or_demo
from api.crypto.file_key_service import FileKeyService, KeyStatus

app = typer.Typer(help="The keys of this process.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """The keys of this process."""


@app.command()
def create() -> None:
    """Make the key file for the settings' owners, under the passphrase in its file.

    Keep the passphrase elsewhere than on this disk: who has both has the keys.
    """
    with one_line():
        settings = settings_or_demo()
        FileKeyService.create(settings.key_file, passphrase(settings), settings.owners)
    out.print(f"Keys of {', '.join(settings.owners)} are in {settings.key_file}. Back it up now.")


@app.command()
def status() -> None:
    """List the keys that this process serves, by owner and version."""
    table = Table("owner", "kind", "version", "made", "age in days")
    for key in run(_status()):
        age = utc_now() - key.made
        table.add_row(
            key.owner, key.kind, str(key.version), f"{key.made:%Y-%m-%d %H:%M}", str(age.days)
        )
    out.print(table)


async def _status() -> list[KeyStatus]:
    service = key_service(settings_or_demo())
    await service.health()
    return await service.status()
