"""The log says when the policy changed: from which to which, before anything is decided by it.

`perisai policy adopt` says so with an intent and an outcome, which name the keys that
signed. What a process finds changed and nobody said, an update of the software or a row
that came in some other way, the process itself says, in one whole event.
"""

from dataclasses import dataclass, replace

from api.accesslog.event import Event, Touched
from api.accesslog.reader import LogReader
from api.casework.house import House
from api.casework.recording import event_of_service
from api.database import Connection
from api.store import locks
from api.vocabulary import Action, Decision, Outcome, Phase

_NUMBER = "number:"


@dataclass(frozen=True, slots=True)
class Change:
    """One policy in the place of another.

    Attributes:
        previous, policy: hashes.
        words: who signed it, by ids of keys, and its number; none where nobody did.
    """

    previous: str
    policy: str
    words: tuple[str, ...] = ()

    @property
    def touched(self) -> tuple[Touched, ...]:
        """What an event says of it, beside the hashes."""
        if not self.words:
            return ()
        return (Touched(Decision.ALLOWED, None, None, (), self.words, ()),)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What the log says was adopted last."""

    number: int
    policy: str


async def tell_at_start(house: House, words: tuple[str, ...] = ()) -> bool:
    """Append that the gate's policy is another than the log says, if it is; tell whether.

    Raises:
        LogUnavailable, StoreUnavailable: it cannot be read or said.
    """
    before = await _said(house.log)
    if before is None:
        return False
    async with house.records.change() as connection:
        change = Change(before, house.gate.policy_hash, words)
        return await tell(house, connection, change, request="start")


async def tell(house: House, connection: Connection, change: Change, *, request: str) -> bool:
    """Append *change* unless the log says already that its policy is in force; tell whether.

    Two processes that find it at once wait for each other, and one of them says it.

    Args:
        connection: of a transaction or snapshot, which keeps the others waiting to its end.
        request: when the process found it, as a word of the log.

    Raises:
        LogUnavailable: it cannot be read or said.
    """
    if await _is_said(house.log, change.policy):
        return False
    await locks.alone(connection, locks.POLICY)
    if await _is_said(house.log, change.policy):
        return False
    event = event_of_service(
        Action.POLICY_CHANGE,
        house.now(),
        request=request,
        policy=change.policy,
        agencies=sorted(house.keyring.owners),
        previous=change.previous,
    )
    await house.ledger.append(replace(event, touched=change.touched))
    return True


async def _is_said(log: LogReader, policy: str) -> bool:
    return policy in (await _said(log), await _under_way(log))


async def adopted(log: LogReader) -> Adopted | None:
    """Read which policy the log says was adopted last, by whichever way; None: none ever was.

    Raises:
        LogUnavailable: it cannot be read.
    """
    newest = None
    async for _, event in log.of_action(Action.POLICY_CHANGE):
        if _is_so(event) and event.policy is not None:
            for word in (word for touched in event.touched for word in touched.fields):
                if word.startswith(_NUMBER):
                    newest = Adopted(int(word.removeprefix(_NUMBER)), event.policy)
    return newest


async def _said(log: LogReader) -> str | None:
    """Give the hash that the log says is in force; None before the first start."""
    newest = None
    async for _, event in log.of_action(Action.POLICY_CHANGE):
        if _is_so(event):
            newest = event.policy
    if newest is not None:
        return newest
    started = await log.newest_of((Action.START,))
    return None if started is None else started[1].policy


async def _under_way(log: LogReader) -> str | None:
    """Give the hash of the policy that is being adopted at this moment, or was cut off."""
    newest = await log.newest_of((Action.POLICY_CHANGE,))
    if newest is None or newest[1].phase is not Phase.INTENT:
        return None
    return newest[1].policy


def _is_so(event: Event) -> bool:
    """Tell whether *event* says that a policy was put in force, not that it was tried."""
    return event.phase is Phase.WHOLE or event.outcome is Outcome.DONE
