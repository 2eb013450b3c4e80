"""How far the witnesses are behind, and whether that is still in order.

Each process looks for itself, with the log reader's role, and checks every signature.
A look that fails changes nothing, and time goes on: who cannot look is soon behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from api.accesslog.cosignature_store import Cosigned, newest_cosigned
from api.accesslog.reader import LogReader
from api.accesslog.witness_policy import NONE, WitnessPolicy
from api.errors import LogUnavailable

#: Seconds between two looks: so long what was stopped stays so when a quorum is back.
INTERVAL: Final = 5.0
#: How far the clock of a witness may be ahead of ours for its word to count.
CLOCK_LEEWAY: Final = timedelta(minutes=2)
#: How long a process that starts gives the witnesses before it raises an alarm; what is
#: stopped is stopped from the first moment.
SETTLING: Final = timedelta(seconds=30)

_log = structlog.get_logger("perisai.witnesses")


@dataclass(frozen=True, slots=True)
class Quorum:
    """The newest checkpoint that a quorum cosigned.

    Attributes:
        at: the latest moment at or after which a quorum said so.
        witnesses: by their names in the policy, in order.
    """

    size: int
    at: datetime
    witnesses: tuple[str, ...]


class QuorumWatch:
    """Knows whether a quorum of *policy* follows the log behind *reader*."""

    def __init__(
        self,
        reader: LogReader,
        policy: WitnessPolicy,
        now: Callable[[], datetime],
        limit: timedelta,
    ) -> None:
        """Know nothing yet, so that nothing is witnessed; `look` does.

        Args:
            limit: how long no quorum may be missing.
        """
        self._reader = reader
        self._policy = policy
        self._now = now
        self._limit = limit
        self._started = now()
        self._alarmed = False
        #: The newest checkpoint when the quorum was last seen behind, and since when it is.
        self._awaited: tuple[int, datetime] | None = None
        self.quorum: Quorum | None = None

    def lag(self) -> timedelta | None:
        """Tell for how long no quorum vouched for the log as it is; None: it never did.

        It is the age of the quorum's last word, or, if that is longer, the time for
        which this process has seen it miss a checkpoint that was there.
        """
        if self.quorum is None:
            return None
        since = self.quorum.at if self._awaited is None else min(self.quorum.at, self._awaited[1])
        return self._now() - since

    def witnessed(self) -> bool:
        """Tell whether the log is witnessed as the policy asks, at this moment."""
        if self._policy.quorum == NONE:
            return True
        lag = self.lag()
        return lag is not None and lag <= self._limit

    async def look(self) -> None:
        """Look what the witnesses cosigned since the last look; tell if the alarm is due.

        Raises:
            LogUnavailable: the database does not answer.
        """
        known = 0 if self.quorum is None else self.quorum.size
        keys = [one.key for one in self._policy.witnesses]
        newest, found = await newest_cosigned(self._reader, keys, self._policy.logs, known)
        for one in found:
            quorum = self._quorum_of(one)
            if quorum is not None:
                if self.quorum is None or (quorum.size, quorum.at) > (
                    self.quorum.size,
                    self.quorum.at,
                ):
                    self.quorum = quorum
                break
        covered = 0 if self.quorum is None else self.quorum.size
        if self._awaited is None or covered >= self._awaited[0]:
            self._awaited = (newest, self._now()) if newest > covered else None

    def tell(self) -> None:
        """Say in the service's log that the quorum was lost, or is back; each once."""
        witnessed = self.witnessed()
        if witnessed and self._alarmed:
            self._alarmed = False
            _log.warning("log_witnessed_again")
        elif not witnessed and not self._alarmed and self._now() - self._started >= SETTLING:
            self._alarmed = True
            lag = self.lag()
            _log.critical(
                "log_not_witnessed",
                size=None if self.quorum is None else self.quorum.size,
                seconds=None if lag is None else int(lag.total_seconds()),
            )

    def _quorum_of(self, cosigned: Cosigned) -> Quorum | None:
        latest = (self._now() + CLOCK_LEEWAY).timestamp()
        names = {one.key: one.name for one in self._policy.witnesses}
        moments: dict[str, int] = {}
        for one in cosigned.cosignatures:
            name = names[one.key]
            if one.at <= latest:
                moments[name] = max(one.at, moments.get(name, 0))
        at = self._policy.since(moments)
        if at is None:
            return None
        return Quorum(
            cosigned.checkpoint.size, datetime.fromtimestamp(at, UTC), tuple(sorted(moments))
        )


async def watch_forever(
    watch: QuorumWatch, *, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Look until cancelled, and raise the alarm when no quorum follows."""
    while True:
        try:
            await watch.look()
        except LogUnavailable as error:
            _log.error("witnesses_not_seen", error=type(error).__name__)
        watch.tell()
        await pause(INTERVAL)
