"""What a process holds to do casework: made once in `app`, passed to every function."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.code_lists import CodeLists
from api.crypto.keyring import Keyring
from api.database import Records
from api.policies.gate import Gate


@dataclass(frozen=True, slots=True)
class House:
    """The parts, each the only one of its kind in the process.

    Attributes:
        now: the clock, in UTC; tests move it.
    """

    records: Records
    keyring: Keyring
    gate: Gate
    ledger: Ledger
    log: LogReader
    codes: CodeLists
    now: Callable[[], datetime]
