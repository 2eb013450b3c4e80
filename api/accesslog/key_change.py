"""The change of the key that signs the log's checkpoints, so that each can check it.

The signer is stopped meanwhile. Its state says that a change is under way before
anything else is said, so that wherever this is cut off nobody signs with either key
until it is run again.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from api.accesslog.epoch import digest
from api.accesslog.event import Event
from api.accesslog.log_keys import change_line
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.signer import Signer, Source
from api.accesslog.signer_state import load_state, sync_folder
from api.crypto.signatures import SigningKey
from api.errors import LogUnavailable
from api.vocabulary import Action, Decision, Outcome, Phase

COMMAND: Final = "change-key"

Append = Callable[[Event], Awaitable[int]]


def log_event(action: Action, subject: str, at: datetime, phase: Phase = Phase.WHOLE) -> Event:
    """Make the event of an operator's command on the log; *subject*'s hash is its request."""
    return Event(
        at=at,
        request=digest(subject),
        actor=None,
        organisation=None,
        role=None,
        action=action,
        phase=phase,
        purpose=None,
        basis=None,
        decision=Decision.ALLOWED,
        code=None,
        policy=None,
        agencies=(),
    )


async def change_key(
    state: Path,
    key: Path,
    origin: str,
    source: Source,
    append: Append,
    now: Callable[[], datetime],
) -> tuple[VerifierKey, VerifierKey]:
    """Let a new key follow the one at *key*, and stand in its place.

    Args:
        state: the path of the signer's state.
        append: makes an event durable in this log and gives its index.

    Returns:
        The old key and the new one. The old private key is kept beside the new one, with
        the size up to which it counts in its name.

    Raises:
        LogNotContinued, RefusesToStart: as `Signer.start` does.
        LogUnavailable: the change is not done; it is to be run again.
    """
    mine = SigningKey.load(key)
    signer = Signer(state, mine, origin)
    with signer.alone():
        before = await asyncio.to_thread(load_state, state, origin)
        await signer.start(source, command=COMMAND)
        if before is not None and before.unfinished and before.key != str(signer.verifier_key):
            # Cut off after the keys were exchanged: all is said already.
            signer.done(mine)
            return VerifierKey.parse(before.key or ""), signer.verifier_key
        next_key = await asyncio.to_thread(prepared_key, key)
        old, new = signer.verifier_key, VerifierKey(origin, ED25519, next_key.public)
        event = log_event(Action.CHANGE_LOG_KEY, str(new), now(), Phase.INTENT)
        intent = await append(event)
        signed = await signer.sign(source, (change_line(old, new),), next_key)
        if signed is None or signed.size <= intent:
            raise LogUnavailable
        await asyncio.to_thread(_exchange, key, signed.size)
        signer.done(next_key)
        ended = replace(event, at=now(), phase=Phase.OUTCOME, intent=intent, outcome=Outcome.DONE)
        await append(ended)
        await signer.sign(source)
        return old, new


def prepared_key(key: Path) -> SigningKey:
    """Give the key that will follow the one at *key*; it is made if it is not there yet.

    Witnesses and verifiers can so be given it before it signs.

    Raises:
        RefusesToStart: what is there is no key.
    """
    path = key.with_name(f"{key.name}.next")
    if path.exists():
        return SigningKey.load(path)
    made = SigningKey.generate()
    made.save(path)
    sync_folder(path.parent)
    return made


def _exchange(key: Path, size: int) -> None:
    """Put the next key in the place of *key*, which stays under another name."""
    kept = key.with_name(f"{key.name}.until-{size}")
    if not kept.exists():
        os.link(key, kept)
    os.replace(key.with_name(f"{key.name}.next"), key)
    sync_folder(key.parent)
