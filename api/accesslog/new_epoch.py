"""How a log that was restored from an older copy goes on: under a new name, approved by two.

The signer's old state is kept beside the new one, as evidence of what was signed for.
As with a change of keys, the new state says that this is under way until all of it is
said, so that nobody signs in between.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.epoch import Epoch, digest, next_origin, open_epoch, read_epoch
from api.accesslog.key_change import Append, log_event
from api.accesslog.log_keys import before_line, epoch_line
from api.accesslog.note import ED25519, VerifierKey, text_of
from api.accesslog.signer import Signer, Source
from api.accesslog.signer_state import (
    SignerState,
    load_any_state,
    load_state,
    put_file,
    sync_folder,
    write_state,
)
from api.accesslog.tree import Head, Tree
from api.crypto.signatures import SigningKey
from api.errors import LogNotContinued, LogUnavailable, NoteInvalid, RefusesToStart
from api.vocabulary import Action, EpochReason

COMMAND: Final = "new-epoch"


async def prepare(
    state: Path,
    key: SigningKey,
    origin: str,
    source: Source,
    on: date,
    reason: EpochReason,
    newest: str | None = None,
) -> Epoch:
    """Say what two persons are to approve, of the log as it stands.

    Args:
        newest: where the signer's state is lost, the newest checkpoint that anybody holds.

    Raises:
        RefusesToStart: nothing says what was signed for; or the log continues it, so that
            there is nothing to approve.
    """
    mine = await asyncio.to_thread(load_state, state, origin)
    head = await _head(source)
    old = VerifierKey(origin, ED25519, key.public)
    if mine is None:
        size, root = _held(state, old, newest)
    else:
        size, root = mine.head.size, mine.head.root
        await _is_lost(Signer(state, key, origin), source)
    return Epoch(
        old,
        size,
        root,
        VerifierKey(next_origin(origin), ED25519, key.public),
        head.size,
        head.root,
        on,
        reason,
    )


async def begin(
    document: str,
    approvers: Sequence[VerifierKey],
    state: Path,
    key: SigningKey,
    source: Source,
    append: Append,
    now: Callable[[], datetime],
) -> Epoch:
    """Let the log go on as the approved *document* says.

    Raises:
        RefusesToStart: two known persons did not approve this very text, or the log, the
            state or the key is not the one that it speaks of. Nothing was changed.
        LogUnavailable: it is not done; it is to be run again with the same document.
    """
    try:
        epoch = open_epoch(document, approvers)
    except NoteInvalid:
        raise RefusesToStart(
            "The document is not approved by two different persons of `log_epoch_approvers`, "
            "or it was changed since."
        ) from None
    if key.public != epoch.new.public:
        raise RefusesToStart("The document names another signing key than the settings.")
    signer = Signer(state, key, epoch.new.name)
    with signer.alone():
        mine = await asyncio.to_thread(load_any_state, state)
        if mine is None or mine.origin != epoch.new.name:
            head = await _head(source)
            _fits(epoch, mine, head)
            await asyncio.to_thread(_keep, state, document, epoch)
            notes = () if mine is None else mine.notes
            mine = SignerState(epoch.new.name, head, str(epoch.new), COMMAND, notes)
            await asyncio.to_thread(write_state, state, mine)
        elif mine.unfinished != COMMAND or not await asyncio.to_thread(_kept, state, document):
            raise RefusesToStart("This epoch has begun already. Start the signer.")
        await signer.start(source, command=COMMAND)
        index = await append(log_event(Action.NEW_EPOCH, document, now()))
        signed = await signer.sign(source, (*_lost(mine.notes, epoch), epoch_line(document)))
        if signed is None or signed.size <= index:
            raise LogUnavailable
        signer.done(key)
    return epoch


def document_path(state: Path, epoch: Epoch) -> Path:
    """Say where the document of an epoch is kept, beside the signer's state."""
    return state.with_name(f"{state.name}.{epoch.new.name.rpartition('/')[2]}")


def old_state_path(state: Path, epoch: Epoch) -> Path:
    """Say where the state that ended is kept."""
    return state.with_name(f"{state.name}.before-{epoch.new.name.rpartition('/')[2]}")


def _held(state: Path, key: VerifierKey, newest: str | None) -> tuple[int, bytes]:
    """Give size and root of the checkpoint that stands in for a lost state."""
    if newest is None:
        raise RefusesToStart(
            f"There is no signer state at {state}. Restore it; if it is lost, give the newest "
            "checkpoint that a witness, an auditor or an export holds."
        )
    try:
        checkpoint = open_checkpoint(newest, [key])
    except NoteInvalid:
        raise RefusesToStart("The checkpoint is not signed by the log's key.") from None
    return checkpoint.size, checkpoint.root


async def _is_lost(signer: Signer, source: Source) -> None:
    """Refuse where the log continues what was signed for."""
    try:
        await signer.start(source, alone=True)
    except LogNotContinued:
        return
    finally:
        signer.close()
    raise RefusesToStart("The access log continues what was signed for. Start the signer.")


def _lost(notes: Sequence[str], epoch: Epoch) -> list[str]:
    """Give the lines that carry what was said of keys on what is lost of the log."""
    said = [(Checkpoint.parse(text_of(note)), note) for note in notes]
    return [
        before_line(note)
        for checkpoint, note in said
        if checkpoint.size > epoch.size and checkpoint.origin != epoch.new.name
    ]


def _fits(epoch: Epoch, mine: SignerState | None, head: Head) -> None:
    """Refuse a document that speaks of another state or another log than what is here."""
    # Where the state is lost, two persons said what it was.
    if mine is not None and (
        mine.unfinished is not None
        or (mine.origin, mine.head.size, mine.head.root)
        != (epoch.old.name, epoch.old_size, epoch.old_root)
        or mine.key not in (None, str(epoch.old))
    ):
        raise RefusesToStart("The document does not speak of what this signer signed for.")
    if (head.size, head.root) != (epoch.size, epoch.root):
        raise RefusesToStart(
            f"The access log has {head.size} entries now and is not what was approved. "
            "Stop whatever writes to it, and have it approved again."
        )


def _keep(state: Path, document: str, epoch: Epoch) -> None:
    """Put document and old state where they stay."""
    place = document_path(state, epoch)
    if place.exists() and place.read_text(encoding="utf-8") != document:
        raise RefusesToStart(f"There is another document at {place}. Move it away, and keep it.")
    put_file(place, document)
    old = old_state_path(state, epoch)
    if state.exists() and not old.exists():
        os.link(state, old)
    sync_folder(state.parent)


def _kept(state: Path, document: str) -> bool:
    place = document_path(state, read_epoch(document))
    return place.exists() and digest(place.read_text(encoding="utf-8")) == digest(document)


async def _head(source: Source) -> Head:
    """Read the head, if its peaks give its root."""
    head = await source.state()
    Tree.at(head)
    return head
