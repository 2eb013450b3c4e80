"""Run a witness of access logs: on another machine, by other people than the log's."""

import os
from pathlib import Path
from typing import Annotated

import typer
from granian.constants import Interfaces
from granian.server import Server

from api.accesslog.cosignature import witness_key
from api.accesslog.note import VerifierKey
from api.accesslog.witness_state import WitnessState
from api.cli.terminal import one_line, out
from api.cli.witness_service import CONFIG, WitnessSettings, read_witness_settings, utc_now
from api.crypto.signatures import SigningKey
from api.errors import RefusesToStart

app = typer.Typer(help="A witness of access logs.", no_args_is_help=True)

ConfigOption = Annotated[
    Path, typer.Option("--config", envvar=CONFIG, help="The settings of the witness (TOML).")
]


@app.command()
def serve(config: ConfigOption) -> None:
    """Cosign checkpoints of the listed logs, until interrupted."""
    with one_line():
        settings = read_witness_settings(config)
        # Whatever is wrong is said here, in one line, and not by a server's process.
        state = WitnessState(settings.state)
        try:
            settings.witness(state, utc_now)
        finally:
            state.close()
        os.environ[CONFIG] = str(config.absolute())
        Server(
            "api.cli.witness_service:create_app",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.host,
            port=settings.port,
            log_access=False,
        ).serve()


@app.command("create-key")
def create_key(config: ConfigOption) -> None:
    """Make the key and the empty state of a new witness; give its public half to the logs."""
    with one_line():
        settings = read_witness_settings(config)
        if settings.state.exists():
            raise RefusesToStart(f"There is a state at {settings.state} already.")
        try:
            SigningKey.generate().save(settings.key)
        except FileExistsError:
            # A key that has cosigned must not begin anew with an empty state.
            raise RefusesToStart(f"There is a key at {settings.key} already.") from None
        WitnessState.create(settings.state)
        out.print(str(_key_of(settings)))


@app.command("key")
def key_of_the_witness(config: ConfigOption) -> None:
    """Print the verifier key, to be written into the policies of logs."""
    with one_line():
        out.print(str(_key_of(read_witness_settings(config))))


def _key_of(settings: WitnessSettings) -> VerifierKey:
    return witness_key(settings.name, SigningKey.load(settings.key).public)
