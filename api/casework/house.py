"""What a process holds to do casework: made once in `app`, passed to every function."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from api.accesslog.event import Event
from api.accesslog.quorum import QuorumWatch
from api.accesslog.reader import LogReader
from api.casework.budgets import Budgets
from api.casework.explained import Explained
from api.casework.following import Following
from api.casework.match_limits import MatchLimits
from api.casework.strong_sign_in import NOBODY, StrongSignIn
from api.code_lists import CodeLists
from api.crypto.keyring import Keyring
from api.database import Connection, Records
from api.policies.gate import Gate
from api.store import alerts, case_file_marks
from api.store.case_file_marks import Mark
from api.store.policy import Standing


class Appends(Protocol):
    """The ledger, or that of one request, which remembers what it appended."""

    async def append(self, event: Event) -> int:
        """Make *event* durable and give its index, as `Ledger.append` does."""

    async def health(self) -> None:
        """Prove that events can be taken, as `Ledger.health` does."""


class FollowsPolicy(Protocol):
    """What keeps a process at the policy in force, as `policy_in_force` does."""

    @property
    def number(self) -> int:
        """Of the policy that the process has; 0: the one that is shipped."""

    async def follow(
        self, house: "House", connection: Connection, held: int, standing: Standing
    ) -> None:
        """Take over what was adopted since, by what a request sees on *connection*."""


@dataclass(frozen=True, slots=True)
class House:
    """The parts, each the only one of its kind in the process.

    Attributes:
        now: the clock, in UTC; tests move it.
        witnesses: how far they follow the log; None where the settings ask for none.
        budgets: how many people may still be opened.
        explained: how many keys were named in events, for `reconciliation`.
        policies: asked in the snapshot of each request; None: the gate's policy stays.
        strong: which sign-ins are enough to break glass.
        following: who waits for a change of which case file.
        alerts: who waits for an alert of which agency.
        emergency_quorum: how many leads sign an emergency protection.
        matches: how often another agency may be asked for a person.
        merge_undo: how long a merge of two records can be undone.
    """

    records: Records
    keyring: Keyring
    gate: Gate
    ledger: Appends
    log: LogReader
    codes: CodeLists
    now: Callable[[], datetime]
    witnesses: QuorumWatch | None = None
    budgets: Budgets = field(default_factory=Budgets)
    explained: Explained = field(default_factory=Explained)
    policies: FollowsPolicy | None = None
    strong: StrongSignIn = NOBODY
    following: Following[UUID, Mark] = field(
        default_factory=lambda: Following(case_file_marks.read)
    )
    alerts: Following[str, int] = field(default_factory=lambda: Following(alerts.newest_of))
    emergency_quorum: int = 2
    matches: MatchLimits = field(default_factory=MatchLimits)
    merge_undo: timedelta = timedelta(days=30)
