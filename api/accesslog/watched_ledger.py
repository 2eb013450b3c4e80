"""A ledger that takes events only while checkpoints follow the log, and knows when it last did."""

import time
from collections.abc import Callable

from api.accesslog.checkpoint_watch import CheckpointWatch
from api.accesslog.event import Event
from api.accesslog.ledger import Ledger, Writer


class WatchedLedger(Ledger):
    """Appends through *writer* as long as *watch* lets it; without an event nothing opens.

    Attributes:
        last: when an event of this process was last durable, by a clock that nobody sets;
            before the first one, when the ledger was made.
    """

    def __init__(
        self,
        writer: Writer,
        watch: CheckpointWatch,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the writer over, as `Ledger` does; *monotonic* gives seconds."""
        super().__init__(writer)
        self._watch = watch
        self._monotonic = monotonic
        self.last = monotonic()

    async def append(self, event: Event) -> int:
        """Make *event* durable and give its index, as `Ledger` does.

        Raises:
            LogUnavailable: also where the log is broken or checkpoints stay away.
        """
        self._watch.check()
        index = await super().append(event)
        self.last = self._monotonic()
        return index

    async def health(self) -> None:
        """Prove that events can be taken and are signed for.

        Raises:
            LogUnavailable: they cannot, or checkpoints are late.
        """
        self._watch.health()
        await super().health()
