"""`python -m tests.accesslog.appending KIND WHERE FIRST`: append until killed, and say what.

Eight callers append events with numbers from FIRST on, each event with a number of its
own. When the index of one is known, and not before, a line says it: `answered`, index and number.
It ends by itself when the log does not answer.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from api.accesslog.ledger import Ledger
from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from api.errors import LogUnavailable
from tests.accesslog.events import read_of

CALLERS = 8


async def main(kind: str, where: str, first: str) -> None:
    """Append."""
    ledger = Ledger(SqliteWriter(Path(where)) if kind == "sqlite" else PostgresqlWriter(where))
    await ledger.start()
    numbers = itertools.count(int(first))

    async def caller() -> None:
        while True:
            number = next(numbers)
            index = await ledger.append(read_of(number))
            # One write, so that no line is torn between two callers; unbuffered.
            os.write(1, f"answered {index} {number}\n".encode())

    try:
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
    except LogUnavailable:
        sys.exit(3)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
