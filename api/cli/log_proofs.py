"""Prove one event, or that the log goes on from a checkpoint; check such a proof anywhere."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from api.accesslog.checkpoint import open_checkpoint
from api.accesslog.proofs import ConsistencyProof, TlogProof
from api.cli.log_sources import (
    DatabaseOption,
    KeysOption,
    Source,
    kept_of,
    keys_of,
    source_of,
)
from api.cli.terminal import err, one_line, out, run
from api.errors import LogBroken, NoteInvalid, ProofInvalid, RefusesToStart

NewFile = Annotated[Path, typer.Argument(help="A new file for the proof.")]


def prove(
    index: Annotated[int, typer.Argument(help="Position of the event in the log.", min=0)],
    file: NewFile,
    database: DatabaseOption = None,
    key: KeysOption = None,
) -> None:
    """Prove that one event is in the log: a C2SP tlog-proof, and the event beside it.

    The event goes into a file of the same name with .leaf at its end. It holds no value of a
    record; whom it is given to learns who did what.
    """
    with one_line():
        source = source_of(database, key)
    proof, leaf = run(_prove(source, index))
    with one_line():
        _write(_leaf_beside(file), leaf)
        _write(file, str(proof).encode())
    out.print(f"Proved event {index}. Whoever has both files and the key checks it with:")
    out.print(f"  perisai log check-proof {file} --key ...")


async def _prove(source: Source, index: int) -> tuple[TlogProof, bytes]:
    async with source.reader() as reader:
        entries = await reader.entries(index, index + 1)
        proof = await reader.proof(index) if entries else None
    if not entries:
        raise RefusesToStart(f"The log has no event {index}.")
    if proof is None:
        raise RefusesToStart(f"No checkpoint holds event {index} yet. It takes a second.")
    try:
        proof.check(entries[0].body, source.keys)
    except (NoteInvalid, ProofInvalid):
        raise LogBroken(f"entry {index}", "no signed checkpoint follows from it") from None
    return proof, entries[0].body


def consistency(
    kept: Annotated[Path, typer.Argument(help="A file with a checkpoint that you kept.")],
    file: NewFile,
    size: Annotated[
        int | None, typer.Option("--to", help="Size of the newer checkpoint; else the newest.")
    ] = None,
    database: DatabaseOption = None,
    key: KeysOption = None,
) -> None:
    """Prove that the log goes on from a checkpoint that somebody kept to a newer one."""
    with one_line():
        source = source_of(database, key)
    old, proof = run(_consistency(source, kept, size))
    with one_line():
        _write(file, str(proof).encode())
    out.print(f"Proved that the log goes on from {old} events. Check it with:")
    out.print(f"  perisai log check-proof {file} --from {kept} --key ...")


async def _consistency(
    source: Source, kept: Path, size: int | None
) -> tuple[int, ConsistencyProof]:
    [old] = kept_of([kept], source.keys)
    async with source.reader() as reader:
        note = await (reader.latest_checkpoint() if size is None else reader.checkpoint_at(size))
        if note is None:
            raise RefusesToStart(
                "The log has no checkpoint yet."
                if size is None
                else f"The log has no checkpoint of {size} events."
            )
        try:
            new = open_checkpoint(note, source.keys)
        except NoteInvalid:
            raise LogBroken("the newer checkpoint", "it has no valid signature") from None
        if new.size < old.size:
            raise LogBroken(f"checkpoint {new.size}", f"the log was {old.size} long before")
        proof = ConsistencyProof(
            old.size, tuple(await reader.consistency(old.size, new.size)), note
        )
    try:
        proof.check(old, source.keys)
    except ProofInvalid:
        raise LogBroken(
            f"checkpoint {new.size}", f"it does not continue that of {old.size} events"
        ) from None
    return old.size, proof


def check_proof(
    file: Annotated[Path, typer.Argument(help="A proof that one of these commands wrote.")],
    key: KeysOption = None,
    leaf: Annotated[
        Path | None, typer.Option("--leaf", help="The event; else the file with .leaf beside it.")
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option("--from", help="The checkpoint that you kept, for a proof of consistency."),
    ] = None,
) -> None:
    """Check a proof with nothing but public keys. Exit status 2 if it does not hold."""
    with one_line():
        keys = keys_of(key, None)
        try:
            text = _read(file).decode()
            if text.startswith("old "):
                if kept is None:
                    raise RefusesToStart("Name the checkpoint that you kept, with --from.")
                [old] = kept_of([kept], keys)
                new = ConsistencyProof.parse(text).check(old, keys)
                said = f"The log {new.origin} of {new.size} events continues that of {old.size}."
            else:
                proof = TlogProof.parse(text)
                new = proof.check(_read(leaf or _leaf_beside(file)), keys)
                said = f"Event {proof.index} is in the log {new.origin} of {new.size} events."
        except NoteInvalid:
            _does_not_hold(file, "its checkpoint has no valid signature by one of the keys")
        except (ProofInvalid, UnicodeDecodeError):
            _does_not_hold(file, "it does not lead from what you have to its checkpoint")
        out.print(said)


def _does_not_hold(file: Path, what: str) -> NoReturn:
    err.print(f"[bold red]The proof does not hold[/]: {file}: {what}")
    raise typer.Exit(2) from None


def _leaf_beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.leaf")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise RefusesToStart(f"{file} cannot be read.") from None


def _write(file: Path, content: bytes) -> None:
    try:
        with file.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        raise RefusesToStart(f"There is a file at {file} already.") from None
    except OSError:
        raise RefusesToStart(f"{file} cannot be written.") from None
