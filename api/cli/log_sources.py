"""Which log a command is about, and whose signatures count: as given, or of the settings.

Whoever gives an address and a key needs no settings and no secret of the service; a
private key is read only where no public one is given.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.reader import LogReader, reading
from api.cli.terminal import settings_or_demo
from api.errors import NoteInvalid, RefusesToStart
from api.log_settings import log_keys
from api.settings import Settings

KeysOption = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        help="Verifier key of the log (C2SP vkey); several times for several. Else the "
        "settings' own.",
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="PERISAI_LOG_DATABASE",
        help="Address of the log's database for its reader; needs --key and no settings.",
    ),
]
KeptOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        help="A file with a checkpoint that you kept: the log must continue it. Several "
        "times for several.",
    ),
]


@dataclass(frozen=True, slots=True)
class Source:
    """One log: where its reader finds it, and who signs it.

    Attributes:
        settings: None if the address and the keys were given.
    """

    url: str = field(repr=False)
    keys: Sequence[VerifierKey]
    settings: Settings | None

    def reader(self) -> AbstractAsyncContextManager[LogReader]:
        """Read it while the block runs."""
        return reading(self.url)


def source_of(database: str | None, keys: list[str] | None) -> Source:
    """Find the log that was meant.

    Raises:
        RefusesToStart: an address without keys, or a key that is none.
    """
    if database is None:
        settings = settings_or_demo()
        url = settings.log_reader_url.get_secret_value()
        return Source(url, keys_of(keys, settings), settings)
    if not keys:
        raise RefusesToStart("Give the log's verifier key beside --database, with --key.")
    return Source(database, keys_of(keys, None), None)


def keys_of(keys: list[str] | None, settings: Settings | None) -> list[VerifierKey]:
    """Read verifier keys as given; if there are none, take the settings' own.

    Raises:
        RefusesToStart: one is no key, or none can sign a checkpoint.
    """
    if not keys:
        return list(log_keys(settings or settings_or_demo()))
    try:
        known = [VerifierKey.parse(key) for key in keys]
    except NoteInvalid:
        raise RefusesToStart(
            "What --key was given is not a verifier key: copy the line that `perisai log key` "
            "prints, <name>+<id>+<base64>, in quotes."
        ) from None
    if not any(key.kind == ED25519 for key in known):
        raise RefusesToStart("None of the keys is one that signs checkpoints (Ed25519).")
    return known


def kept_of(files: list[Path] | None, keys: Sequence[VerifierKey]) -> list[Checkpoint]:
    """Read checkpoints that somebody kept.

    Raises:
        RefusesToStart: a file cannot be read, or is not signed by one of the keys.
    """
    return [_kept(file, keys) for file in files or ()]


def _kept(file: Path, keys: Sequence[VerifierKey]) -> Checkpoint:
    try:
        return open_checkpoint(file.read_bytes(), keys)
    except OSError:
        raise RefusesToStart(f"{file} cannot be read.") from None
    except NoteInvalid:
        raise RefusesToStart(
            f"{file} holds no checkpoint with a valid signature by one of the keys."
        ) from None
