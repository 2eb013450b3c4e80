"""A connection to PostgreSQL that is cut at each step: before a message goes out, or after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from api.accesslog.ledger import Ledger
from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.accesslog.reader import LogReader
from api.accesslog.verify import verify
from api.errors import LogUnavailable
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of
from tests.postgresql import PostgresServer


@dataclass
class Cut:
    """A way to the server that is cut once.

    Attributes:
        at: the number, from 0, of the message in either direction at which it is cut.
        passed_on: that message still reaches its end.
    """

    at: int
    passed_on: bool
    messages: int = 0
    done: bool = False

    def now(self) -> bool:
        """Count a message; say whether this is the one."""
        number, self.messages = self.messages, self.messages + 1
        self.done = self.done or number == self.at
        return number == self.at


@asynccontextmanager
async def _way(port: int, cut: Cut) -> AsyncIterator[int]:
    """Pass on what comes to a port of its own; give that port."""
    tasks: set[asyncio.Task[None]] = set()

    async def passing(
        source: asyncio.StreamReader, target: asyncio.StreamWriter, ends: list[asyncio.StreamWriter]
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                last = cut.now()
                if not last or cut.passed_on:
                    target.write(data)
                    await target.drain()
                if last:
                    break
        for end in ends:
            end.close()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ends = [writer, back]
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.create_task(passing(source, target, ends))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    way = await asyncio.start_server(met, "127.0.0.1", 0)
    try:
        yield way.sockets[0].getsockname()[1]
    finally:
        way.close()
        await asyncio.gather(*tasks)
        await way.wait_closed()


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
@pytest.mark.parametrize("passed_on", [False, True], ids=["before", "after"])
async def test_after_a_cut_at_each_message_no_answered_event_is_missing(
    log: Log, reader: LogReader, server: PostgresServer, passed_on: bool
) -> None:
    """From the first of the connecting to the last answer, lost on the way or not."""
    assert log.database is not None
    answered: dict[int, int] = {}
    offered = refused = tried = 0
    cut_off = True
    while cut_off:
        cut = Cut(tried, passed_on)
        async with _way(server.port, cut) as port:
            url = log.database.service_url.replace(f":{server.port}/", f":{port}/")
            ledger = Ledger(PostgresqlWriter(url))
            try:
                await ledger.start()
            except LogUnavailable:
                await ledger.close()
            else:
                for _ in range(5):
                    offered += 1
                    try:
                        answered[await ledger.append(read_of(offered))] = offered
                    except LogUnavailable:
                        refused += 1
                await ledger.close()
        cut_off = cut.done
        tried += cut_off
    assert tried > 20
    assert 0 < refused < tried  # At most one by each cut: then the connection is made anew.

    assert len(answered) == offered - refused
    verified = await verify(reader, [])
    # A refused event may be there all the same: the log may claim too much.
    assert len(answered) <= verified.size <= offered
    for index, number in answered.items():
        assert await reader.event(index) == read_of(number)
