"""What may be known of the keys: whose, which versions, how old. Never a key."""

from functools import partial
from typing import Annotated

import typer
from rich.table import Table

from api.app import key_service, utc_now
from api.cli import key_backup
from api.cli.operations import told
from api.cli.terminal import one_line, out, run, settings_or_demo
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_service import KeyKind, KeyStatus
from api.key_settings import key_file_path, openbao, passphrase
from api.settings import Settings
from api.vocabulary import Action

app = typer.Typer(help="The keys of this process.", no_args_is_help=True)
app.command()(key_backup.backup)
app.command()(key_backup.restore)
app.command()(key_backup.check_share)


@app.callback()
def keys() -> None:
    """The keys of this process."""


@app.command()
def create() -> None:
    """Make keys for the settings' owners, in the key service that the settings name.

    A key file is sealed under the passphrase in its file: keep that elsewhere than on
    this disk, since who has both has the keys. In OpenBao the keys that are missing
    are made; it takes a token that may, which the service's own may not.
    """
    with one_line():
        settings = settings_or_demo()
        if settings.key_service == "openbao":
            with told(settings, Action.CREATE_KEYS, beside=settings.log_state):
                made = run(_create_in_openbao(settings))
            out.print(f"Keys of {', '.join(made)} are in OpenBao. Back up its storage now.")
            return
        path = key_file_path(settings)
        with told(settings, Action.CREATE_KEYS, beside=path):
            FileKeyService.create(path, partial(passphrase, settings), settings.owners)
    out.print(f"Keys of {', '.join(settings.owners)} are in {path}. Back it up now.")


@app.command()
def add(
    owner: Annotated[str, typer.Argument(help="Slug of the organisation, as in `owners`.")],
) -> None:
    """Add new keys of one more organisation to the key file; the others stay as they are."""
    with one_line():
        settings = settings_or_demo()
        path = key_file_path(settings)
        with told(settings, Action.ADD_KEYS, (owner,), beside=path):
            FileKeyService.add_owner(path, partial(passphrase, settings), owner)
    out.print(f"Keys of {owner} are in {path}. Back it up now.")


async def _create_in_openbao(settings: Settings) -> list[str]:
    service = openbao(settings)
    try:
        return await service.create()
    finally:
        await service.close()


@app.command()
def status() -> None:
    """List the keys that this process serves, by owner and version; warn of old ones."""
    with one_line():
        settings = settings_or_demo()
    now, limit = utc_now(), settings.key_retirement_days
    table = Table("owner", "kind", "version", "made", "age in days", "older ones retired")
    old = []
    for key in run(_status(settings)):
        age = (now - key.made).days
        due = key.kind == KeyKind.KEK and age > limit
        if due:
            old.append(f"{key.kind} {key.version} of {key.owner}")
        table.add_row(
            key.owner,
            key.kind,
            str(key.version),
            f"{key.made:%Y-%m-%d %H:%M}",
            str(age),
            f"{key.retired:%Y-%m-%d}" if key.retired else "never",
            style="yellow" if due else None,
        )
    out.print(table)
    if old:
        out.print(
            f"[yellow]Older than {limit} days: {', '.join(old)}. Rotate and retire them: until "
            "then erased records open from backups of the database.[/]"
        )


async def _status(settings: Settings) -> list[KeyStatus]:
    service = key_service(settings)
    try:
        await service.health()
        return await service.status()
    finally:
        await service.close()
