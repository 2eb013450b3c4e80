"""What operators do by command without a service: in the log at once, or at the next start.

A key file is made before there is a log, and restored on a machine that has none. What
could not be written is noted in a file beside what was made; whoever opens the log next
writes it down. Who can take that file away can do what it tells of as well.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from api.accesslog.event import NONCE_SIZE, Event, encode
from api.casework.house import House
from api.casework.recording import append_all, event_of_service
from api.errors import LeafMalformed, RefusesToStart
from api.vocabulary import Action, Role

#: Added to the name of the file beside which operations are noted.
SUFFIX = ".operations"
#: Bytes; nobody makes keys so often.
LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that an operator did.

    Attributes:
        agencies: whose keys, or whose events, it is about: their officers see it.
    """

    action: Action
    at: datetime
    agencies: tuple[str, ...]

    @property
    def event(self) -> Event:
        """Give it as a whole event."""
        return event_of_service(
            self.action,
            self.at,
            request="operation",
            policy=None,
            agencies=self.agencies,
            role=Role.OPERATOR,
        )


def note(beside: Path, operation: Operation) -> int:
    """Note *operation* beside a file; on the disk when this returns. Give where it begins.

    Raises:
        RefusesToStart: it cannot be noted, or is none that the log would take.
    """
    path = notes_of(beside)
    line = json.dumps(
        {
            "at": operation.at.isoformat(),
            "action": operation.action.value,
            "agencies": list(operation.agencies),
        }
    )
    _checked(operation, path)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            begins = os.fstat(descriptor).st_size
            file.write(line + "\n")
            file.flush()
            os.fsync(descriptor)
    except OSError:
        raise RefusesToStart(
            f"The access log takes no event, and {path} cannot be written to tell it later."
        ) from None
    return begins


def take_back(beside: Path, begins: int) -> None:
    """Forget what was noted last: it was not done."""
    path = notes_of(beside)
    if begins:
        os.truncate(path, begins)
    else:
        path.unlink()


def noted(beside: Path) -> list[Operation]:
    """Read what is noted beside a file.

    Raises:
        RefusesToStart: it cannot be read, or is not what `note` writes.
    """
    path = notes_of(beside)
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST + 1)
    except FileNotFoundError:
        return []
    except OSError:
        raise RefusesToStart(f"{path} cannot be read.") from None
    if len(text) > LONGEST:
        raise _damaged(path)
    try:
        lines = [json.loads(line) for line in text.decode("ascii").splitlines()]
        return [
            _checked(
                Operation(
                    Action(line["action"]),
                    datetime.fromisoformat(line["at"]),
                    tuple(line["agencies"]),
                ),
                path,
            )
            for line in lines
        ]
    except (KeyError, TypeError, ValueError):
        raise _damaged(path) from None


async def tell(house: House, beside: Sequence[Path]) -> int:
    """Append what is noted beside each of these files, then forget it; give how many.

    A process that ends in between tells it twice.

    Raises:
        RefusesToStart: notes that are damaged, or cannot be taken away.
        LogUnavailable: it is still to be told.
    """
    told = 0
    for path in dict.fromkeys(beside):
        operations = noted(path)
        if not operations:
            continue
        await append_all(house, [operation.event for operation in operations])
        try:
            notes_of(path).unlink(missing_ok=True)
        except OSError:
            raise RefusesToStart(
                f"{notes_of(path)} is in the log and cannot be removed: let the service."
            ) from None
        told += len(operations)
    return told


def notes_of(beside: Path) -> Path:
    """Give where operations are noted beside a file."""
    return beside.with_name(beside.name + SUFFIX)


def _checked(operation: Operation, path: Path) -> Operation:
    """Give *operation*, if it makes an event."""
    try:
        encode(operation.event, bytes(NONCE_SIZE))
    except LeafMalformed:
        raise _damaged(path) from None
    if operation.at.utcoffset() != timedelta(0):
        raise _damaged(path)
    return replace(operation, agencies=tuple(sorted(set(operation.agencies))))


def _damaged(path: Path) -> RefusesToStart:
    return RefusesToStart(
        f"{path} is damaged: it should tell what operators did. Keep it aside, and start again."
    )
