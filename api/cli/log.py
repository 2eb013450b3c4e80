"""Verify the access log, or export it for somebody who verifies it elsewhere."""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import Progress
from rich.table import Table

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.event import Event
from api.accesslog.export import export as export_log
from api.accesslog.log_keys import BegunEpoch, LogKeys
from api.accesslog.note import VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.signer import INTERVAL
from api.accesslog.signer_state import read_state
from api.accesslog.tree import Head
from api.accesslog.verify import Verified
from api.accesslog.verify import verify as verify_log
from api.accesslog.verify_export import verify_export
from api.app import utc_now
from api.casework import erasure_replay, rollback
from api.casework.erasure_replay import LogOfErasures
from api.casework.rollback import Expected, check_records
from api.casework.unfinished import Unfinished, listed
from api.cli import log_proofs
from api.cli.log_sources import (
    DatabaseOption,
    KeptOption,
    KeysOption,
    Source,
    kept_of,
    keys_of,
    source_of,
)
from api.cli.operations import told, verified
from api.cli.terminal import (
    bar,
    one_line,
    out,
    run,
    settings_or_demo,
    signer_settings_or_demo,
)
from api.crypto.signatures import SigningKey
from api.database import Records, engine_of
from api.errors import NoteInvalid, RefusesToStart
from api.log_settings import approver_keys, signer_of, verifier_keys
from api.process import keep_what_is_here
from api.settings import Settings
from api.vocabulary import Action
from api.witnessing import witness_policy

#: New objects that begin a collection; the rows of a stretch of the log are fewer.
_SELDOM: Final = 100_000

app = typer.Typer(help="The access log.", no_args_is_help=True)
app.command()(log_proofs.prove)
app.command()(log_proofs.consistency)
app.command("check-proof")(log_proofs.check_proof)


def collect_seldom() -> None:
    """Keep the garbage collector off a walk over millions of rows, in a process that does no more.

    What is here by now is never garbage, and the rows of a stretch go by themselves: looking at
    them again and again takes a third of the time.
    """
    keep_what_is_here()
    gc.set_threshold(_SELDOM)


@app.command()
def verify(
    folder: Annotated[
        Path | None, typer.Option("--export", help="Verify this export instead of the database.")
    ] = None,
    database: DatabaseOption = None,
    key: KeysOption = None,
    kept: KeptOption = None,
    approver: Annotated[
        list[str] | None,
        typer.Option(help="Verifier key of an approver of epochs; else the settings'."),
    ] = None,
) -> None:
    """Recompute the whole log, and compare the records with it.

    With --database and --key, or --export and --key, it needs no settings; then the log alone is
    verified. Exit status 2, and the places, if it does not hold or the records are older than it
    says; 1 if they hold something that it says is erased.
    """
    collect_seldom()
    if folder is not None:
        with one_line():
            _tell(*_verify_export(folder, key, kept))
        return
    with one_line():
        source = source_of(database, key)
        checkpoints = kept_of(kept, source.keys)
        keys = LogKeys(source.keys, _approvers(source, approver))
    found, compared = run(_verify(source, keys, checkpoints))
    if source.settings is not None:
        # Only a log that holds is added to.
        with one_line():
            verified(source.settings, found.size, utc_now())
    _tell(found, checkpoints)
    for begun in keys.epochs:
        _tell_epoch(begun)
    if compared is not None:
        out.print(
            f"The records are as new as it says: {compared.compartments} compartments compared; "
            f"{compared.erased} records are erased, and stay so."
        )


def _tell(found: Verified, kept: Sequence[Checkpoint]) -> None:
    out.print(
        f"The log holds: {found.size} events under root {found.root.hex()}, "
        f"{found.checkpoints} signed checkpoints, {found.searchable} events searchable."
    )
    if found.signed < found.size:
        out.print(
            f"The newest checkpoint is of {found.signed} events; "
            "those after it are as good as the process that wrote them."
        )
    for one in kept:
        out.print(f"It continues the checkpoint of {one.size} events that you kept.")


def _tell_epoch(begun: BegunEpoch) -> None:
    """Name an epoch, and what was lost before it."""
    epoch = begun.epoch
    lost = max(epoch.old_size - epoch.size, 0)
    out.print(
        f"It goes on as {epoch.new.name} from event {epoch.size}, approved by two on "
        f"{epoch.on}: {epoch.reason}. {lost} events of {epoch.old.name} that were signed for "
        f"are lost: {epoch.old_size} under root {epoch.old_root.hex()}."
    )


def _approvers(source: Source, given: list[str] | None) -> Sequence[VerifierKey]:
    if given or source.settings is None:
        return verifier_keys(given or (), "--approver")
    return approver_keys(source.settings)


@dataclass(frozen=True, slots=True)
class _Compared:
    """How much of the records was compared with the log."""

    compartments: int
    erased: int


def _verify_export(
    folder: Path, key: list[str] | None, kept: list[Path] | None
) -> tuple[Verified, list[Checkpoint]]:
    keys = keys_of(key, None)
    checkpoints = kept_of(kept, keys)
    with bar("verifying", None) as progress:
        found = verify_export(
            folder,
            keys,
            lambda done, total: _advance(progress, done, total),
            kept=checkpoints,
        )
    return found, checkpoints


async def _verify(
    source: Source, keys: LogKeys, kept: Sequence[Checkpoint]
) -> tuple[Verified, _Compared | None]:
    with bar("verifying", None) as progress:
        async with source.reader() as reader:
            if source.settings is None:
                found = await verify_log(
                    reader,
                    keys,
                    lambda done, total: _advance(progress, done, total),
                    kept=kept,
                )
                return found, None
            return await _verify_own(source, source.settings, reader, keys, kept, progress)


async def _verify_own(
    source: Source,
    settings: Settings,
    reader: LogReader,
    keys: LogKeys,
    kept: Sequence[Checkpoint],
    progress: Progress,
) -> tuple[Verified, _Compared]:
    """Verify the log of this installation: with the signer's state, and with the records."""
    state = _signed_for(settings)
    erasures, expected = LogOfErasures(), Expected()

    def see(index: int, event: Event) -> None:
        erasures.see(index, event)
        expected.learn(index, event)

    if state is not None:
        await _checkpoint_arrives(reader, source.keys, state)
    found = await verify_log(
        reader,
        keys,
        lambda done, total: _advance(progress, done, total),
        at_least=state,
        signed=0 if state is None else state.size,
        kept=kept,
        witnesses=_witnesses(settings),
        seen=see,
        of=erasure_replay.ERASING | rollback.TELLING,
    )
    records = Records(engine_of(settings.records_url.get_secret_value()))
    try:
        await erasure_replay.check(records, erasures)
        compartments = await check_records(
            reader, records, erased=erasures.records, expected=expected
        )
        return found, _Compared(compartments, len(erasures.done))
    finally:
        await records.close()


def _signed_for(settings: Settings) -> Head | None:
    """Read the signer's state, where it is on this machine."""
    if settings.log_state is None:
        return None
    return read_state(settings.log_state, settings.log_origin)


def _witnesses(settings: Settings) -> list[VerifierKey]:
    """Give the keys of the witnesses that the settings ask."""
    policy = witness_policy(settings)
    return [] if policy is None else [one.key for one in policy.witnesses]


async def _checkpoint_arrives(reader: LogReader, keys: Sequence[VerifierKey], state: Head) -> None:
    """Wait a moment if the signer has saved its state and not yet stored the checkpoint."""
    for _ in range(2):
        note = await reader.latest_checkpoint()
        try:
            if note is None or open_checkpoint(note, keys).size >= state.size:
                return
        except NoteInvalid:
            return  # The verification says so.
        await asyncio.sleep(INTERVAL)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    database: DatabaseOption = None,
    key: KeysOption = None,
) -> None:
    """Write the log up to its newest checkpoint as C2SP tlog-tiles.

    That it was exported is in the log first, where the settings say how to append; who
    gives an address and a key only reads.
    """
    with one_line():
        source = source_of(database, key)
        if source.settings is None:
            found = asyncio.run(_export(source, folder))
        else:
            with told(source.settings, Action.EXPORT_LOG):
                found = asyncio.run(_export(source, folder))
    out.print(f"Exported {found.size} events to {folder}. Verify them with:")
    out.print(f"  perisai log verify --export {folder}")


async def _export(source: Source, folder: Path) -> Verified:
    async with source.reader() as reader:
        with bar("exporting", None) as progress:
            return await export_log(
                reader,
                folder,
                source.keys,
                lambda done, total: _advance(progress, done, total),
                witnesses=() if source.settings is None else _witnesses(source.settings),
            )


@app.command()
def unfinished() -> None:
    """List the changes that began and never ended, by the log: a process died in between.

    Each gets an outcome, `unknown`, when a process of its agency starts.
    """
    found = run(_unfinished())
    table = Table("event", "at", "action", "agencies")
    for one in found:
        at = f"{one.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(one.index), at, one.action, ", ".join(one.agencies))
    if found:
        out.print(table)
    out.print(f"{len(found)} changes have no outcome.")


async def _unfinished() -> list[Unfinished]:
    engine = engine_of(settings_or_demo().log_reader_url.get_secret_value())
    try:
        return await listed(LogReader(engine), utc_now())
    finally:
        await engine.dispose()


@app.command("create-key")
def create_key() -> None:
    """Make the key that signs checkpoints; give its public half to whoever verifies the log."""
    with one_line():
        settings = signer_settings_or_demo()
        with told(settings, Action.CREATE_LOG_KEY, _owners(), beside=settings.log_state):
            _create(settings.log_signing_key)
        out.print(str(signer_of(settings).verifier_key))


def _owners() -> tuple[str, ...]:
    """Give whose officers see what is done with the log's key; a signer alone knows of none."""
    try:
        return settings_or_demo().owners
    except RefusesToStart:
        return ()


def _create(path: Path) -> None:
    try:
        SigningKey.generate().save(path)
    except FileExistsError:
        raise RefusesToStart(f"There is a key at {path} already.") from None


@app.command("key")
def key_of_the_log() -> None:
    """Print the verifier key, to be given to whoever verifies the log."""
    with one_line():
        out.print(str(signer_of(signer_settings_or_demo()).verifier_key))


def _advance(progress: Progress, done: int, total: int) -> None:
    progress.update(progress.task_ids[0], completed=done, total=total)
