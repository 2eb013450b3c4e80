"""Verify the access log, or export it for somebody who verifies it elsewhere."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from api.accesslog.export import export as export_log
from api.accesslog.export import verify_export
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.signer import read_state
from api.accesslog.verify import Verified
from api.accesslog.verify import verify as verify_log
from api.cli.terminal import bar, one_line, out, run, settings_or_demo
from api.crypto.signatures import SigningKey
from api.database import engine_of
from api.errors import RefusesToStart
from api.settings import Settings

app = typer.Typer(help="The access log.", no_args_is_help=True)

KeyOption = Annotated[
    str | None,
    typer.Option("--key", help="Verifier key of the log (C2SP vkey); else the settings' own."),
]


@app.command()
def verify(
    folder: Annotated[
        Path | None, typer.Option("--export", help="Verify this export instead of the database.")
    ] = None,
    key: KeyOption = None,
) -> None:
    """Recompute the whole log and compare; exit status 2 and the place, if it does not hold."""
    found = run(_verify(folder, key))
    out.print(
        f"The log holds: {found.size} events under root {found.root.hex()}, "
        f"{found.checkpoints} signed checkpoints, {found.searchable} events searchable."
    )


async def _verify(folder: Path | None, key: str | None) -> Verified:
    if folder is not None:
        # Only this needs no settings: an auditor has the export and the public key.
        given = _key_of(settings_or_demo()) if key is None else VerifierKey.parse(key)
        with bar("verifying", None) as progress:
            return verify_export(
                folder, [given], lambda done, total: _advance(progress, done, total)
            )
    settings = settings_or_demo()
    keys = [_key_of(settings) if key is None else VerifierKey.parse(key)]
    with bar("verifying", None) as progress:
        engine = engine_of(settings.log_reader_url.get_secret_value())
        try:
            return await verify_log(
                LogReader(engine),
                keys,
                lambda done, total: _advance(progress, done, total),
                at_least=read_state(settings.log_state, settings.log_origin),
            )
        finally:
            await engine.dispose()


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")], key: KeyOption = None
) -> None:
    """Write the log up to its newest checkpoint as C2SP tlog-tiles."""
    found = run(_export(folder, key))
    out.print(f"Exported {found.size} events to {folder}. Verify them with:")
    out.print(f"  perisai log verify --export {folder}")


async def _export(folder: Path, key: str | None) -> Verified:
    settings = settings_or_demo()
    keys = [_key_of(settings) if key is None else VerifierKey.parse(key)]
    engine = engine_of(settings.log_reader_url.get_secret_value())
    try:
        with bar("exporting", None) as progress:
            return await export_log(
                LogReader(engine),
                folder,
                keys,
                lambda done, total: _advance(progress, done, total),
            )
    finally:
        await engine.dispose()


@app.command("create-key")
def create_key() -> None:
    """Make the key that signs checkpoints; give its public half to whoever verifies the log."""
    with one_line():
        settings = settings_or_demo()
        try:
            SigningKey.generate().save(settings.log_signing_key)
        except FileExistsError:
            raise RefusesToStart(f"There is a key at {settings.log_signing_key} already.") from None
        out.print(str(_key_of(settings)))


@app.command("key")
def key_of_the_log() -> None:
    """Print the verifier key, to be given to whoever verifies the log."""
    with one_line():
        out.print(str(_key_of(settings_or_demo())))


def _key_of(settings: Settings) -> VerifierKey:
    return VerifierKey(
        settings.log_origin, ED25519, SigningKey.load(settings.log_signing_key).public
    )


def _advance(progress: Progress, done: int, total: int) -> None:
    progress.update(progress.task_ids[0], completed=done, total=total)
