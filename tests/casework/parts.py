"""The parts of a house that a test of events needs, and no more."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from api.accesslog.event import Event, encode
from api.errors import LogUnavailable
from tests.world import Clock

NOON = datetime.fromisoformat("2026-11-02T12:00:00+00:00")


@dataclass
class KeptLog:
    """A ledger that keeps events in memory; *down*: it takes none."""

    events: list[Event] = field(default_factory=list)
    down: bool = False
    closed: bool = False

    async def append(self, event: Event) -> int:
        if self.down or self.closed:
            raise LogUnavailable
        encode(event, bytes(16))
        self.events.append(event)
        return len(self.events) - 1

    def shut(self) -> None:
        self.closed = True


@dataclass
class Gate:
    policy_hash: str = "ab" * 32


@dataclass
class Keyring:
    owners: frozenset[str] = frozenset({"komnas-ham", "lpsk"})


@dataclass
class Parts:
    """What stands in for a house: a log in memory and two clocks that a test moves."""

    ledger: KeptLog = field(default_factory=KeptLog)
    gate: Gate = field(default_factory=Gate)
    keyring: Keyring = field(default_factory=Keyring)
    now: Clock = field(default_factory=lambda: Clock(NOON))
    counted: float = 100.0

    @property
    def house(self) -> Any:
        return self

    def monotonic(self) -> float:
        return self.counted

    def pass_time(self, seconds: float) -> None:
        """Let time pass by both clocks."""
        self.now.move(timedelta(seconds=seconds))
        self.counted += seconds
