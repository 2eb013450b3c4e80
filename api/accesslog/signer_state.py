"""The signer's state: how far the log was signed for, in a file outside its database.

It is replaced as a whole, and on the disk before anything that rests on it is said.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from api.accesslog.tree import Head, Tree
from api.errors import LogBroken, RefusesToStart


@dataclass(frozen=True, slots=True)
class SignerState:
    """What the signer of the log *origin* signed for last.

    Attributes:
        key: the verifier key that it signs with; None in files of before keys could change.
        unfinished: the command (`change-key`, `new-epoch`) that began and must be run
            again before anything is signed; None between them.
        notes: the checkpoints that it signed and that say something of keys: a restored
            log may have lost them.
    """

    origin: str
    head: Head
    key: str | None = None
    unfinished: str | None = None
    notes: tuple[str, ...] = ()


def read_state(path: Path, origin: str) -> Head | None:
    """Read how far the log *origin* was signed for; None if there is no state.

    Raises:
        RefusesToStart: the file is not a state, or that of another log.
    """
    state = load_state(path, origin)
    return None if state is None else state.head


def load_state(path: Path, origin: str) -> SignerState | None:
    """Read all of the state of the log *origin*, as `read_state` does."""
    state = load_any_state(path)
    if state is not None and state.origin != origin:
        raise RefusesToStart(f"The signer state {path} is that of another log.")
    return state


def load_any_state(path: Path) -> SignerState | None:
    """Read the state, whatever its log is called; None if there is none.

    Raises:
        RefusesToStart: the file is not a state.
    """
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise RefusesToStart(f"The signer state {path} cannot be read.") from None
    try:
        state = json.loads(text)
        head = Head(state["size"], bytes.fromhex(state["root"]), bytes.fromhex(state["peaks"]))
        Tree.at(head)
        return SignerState(
            state["origin"],
            head,
            state.get("key"),
            state.get("unfinished"),
            tuple(map(str, state.get("notes", ()))),
        )
    except (AttributeError, KeyError, LogBroken, TypeError, ValueError):
        raise RefusesToStart(f"The signer state {path} is damaged. Restore it.") from None


def write_state(path: Path, state: SignerState) -> None:
    """Replace the signer's state; it is on the disk when this returns."""
    more = {"key": state.key, "unfinished": state.unfinished, "notes": list(state.notes) or None}
    text = json.dumps(
        {
            "origin": state.origin,
            "size": state.head.size,
            "root": state.head.root.hex(),
            "peaks": state.head.peaks.hex(),
            **{name: value for name, value in more.items() if value is not None},
        },
        indent=1,
    )
    put_file(path, text + "\n")


def put_file(path: Path, text: str) -> None:
    """Write or replace a file that only its owner may read; it is on the disk on return."""
    new = path.with_name(f"{path.name}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(file)
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return when the names in *folder* are on the disk."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
