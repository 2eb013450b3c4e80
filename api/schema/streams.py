"""Open subscriptions of a process: GraphQL over SSE in its distinct connections mode.

A stream is one request that is answered again with each change: the transport waits, and
asks the face to execute the same operation anew. Nothing waits in a queue: a stream that
is woken many times is answered once, with what stands then. How it ends says no reason:
`complete`, and whoever wants to know asks again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from starlette.types import Receive, Send

from api.errors import StreamsBusy

#: Streams of one member and of one process at once. They hold no database connection, but each
#: a place among the 1,024 requests that granian has under way in all of its workers.
STREAMS_OF_MEMBER = 4
STREAMS_OF_PROCESS = 64
#: How much of a process the members of one organisation may take up together.
PART_OF_ORGANISATION = 0.5

#: Seconds without an event after which the caller is decided on again and a comment is sent:
#: proxies close what is silent, the shortest of the usual ones after 30.
KEEP_ALIVE_SECONDS = 15.0

#: Seconds in which a client must take what is sent.
PATIENCE_SECONDS = 10.0


#: Asks a proxy to pass each event on when it comes; nginx, and others after it, heed it.
UNBUFFERED = {"x-accel-buffering": "no"}


class _Gone(Exception):  # no error of ours: nobody is there to be told
    """The client went away, or does not take what is sent."""


class Stream:
    """One subscription: what was told last, and what wakes it.

    Attributes:
        left: gives the seconds for which its caller is still signed in.
        again: answers anew; None: nothing is to be told.
        told: what the resolver told last; its own affair.
        silent: set by a resolver that has nothing new to tell.
        ended: no more is told, whatever changes.
    """

    def __init__(
        self, streams: "Streams", member: UUID, organisation: str, left: "Left", again: "Again"
    ) -> None:
        """*streams* count it until it is closed."""
        self.member = member
        self.organisation = organisation
        self.left = left
        self.again = again
        self.told: Any = None
        self.silent = False
        self.ended = False
        self._streams = streams
        self._woken = asyncio.Event()
        self._sources = ExitStack()

    def wake(self) -> None:
        """Let it be answered again, soon."""
        self._woken.set()

    def until_closed(self, end: Callable[[], None]) -> None:
        """Call *end* when it closes: it takes the stream from what wakes it."""
        self._sources.callback(end)

    def over(self) -> bool:
        """Tell whether nothing may be told any more."""
        return self.ended or self.left() <= 0

    async def wait(self, seconds: float) -> bool:
        """Wait to be woken, at most so long; tell whether it was."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    def close(self) -> None:
        """Let it go; once more does nothing."""
        self.ended = True
        self._sources.close()
        self._streams.forget(self)


#: How long the caller is still signed in, seconds; and the answer of now, as JSON in one line.
Left = Callable[[], float]
Again = Callable[[Stream], Awaitable[bytes | None]]


class Streams:
    """The open streams of all members at one process; who makes it closes it."""

    def __init__(
        self,
        of_member: int = STREAMS_OF_MEMBER,
        of_process: int = STREAMS_OF_PROCESS,
        *,
        keep_alive: float = KEEP_ALIVE_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Begin with none; *keep_alive* and *patience* are seconds."""
        self._of_member, self._of_process = of_member, of_process
        self._of_organisation = max(1, int(of_process * PART_OF_ORGANISATION))
        self._keep_alive, self._patience = keep_alive, patience
        self._open: set[Stream] = set()
        self._members: Counter[UUID] = Counter()
        self._organisations: Counter[str] = Counter()
        self._closed = False

    def start(self, member: UUID, organisation: str, left: Left, again: Again) -> Stream:
        """Open one for *member* of *organisation*; who gets it closes it.

        Raises:
            StreamsBusy: as many as may be are open, or the service ends.
        """
        full = (
            len(self._open) >= self._of_process
            or self._organisations[organisation] >= self._of_organisation
            or self._members[member] >= self._of_member
        )
        if self._closed or full:
            raise StreamsBusy
        stream = Stream(self, member, organisation, left, again)
        self._open.add(stream)
        self._members[member] += 1
        self._organisations[organisation] += 1
        return stream

    def forget(self, stream: Stream) -> None:
        """Count *stream* no more."""
        if stream in self._open:
            self._open.discard(stream)
            self._members[stream.member] -= 1
            if not self._members[stream.member]:
                del self._members[stream.member]
            self._organisations[stream.organisation] -= 1

    def close(self) -> None:
        """End all, and open none any more."""
        self._closed = True
        for stream in self._open:
            stream.ended = True
            stream.wake()

    async def answer(
        self,
        send: Send,
        receive: Receive,
        headers: dict[str, str],
        body: bytes,
        stream: Stream | None,
    ) -> None:
        """Send *body* as an event, and what *stream* tells after it, until it is over.

        A client that went away, or does not take what is sent, is left.
        """
        events = _Events(send, self._patience)
        try:
            await events.head(headers)
            await events.next(body)
            if stream is not None:
                await self._follow(stream, events, receive)
            await events.complete()
        except _Gone:
            return

    async def _follow(self, stream: Stream, events: "_Events", receive: Receive) -> None:
        gone = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _: stream.wake())
        clock = asyncio.get_running_loop().time
        beat = clock() + self._keep_alive
        try:
            while not stream.over():
                woken = await stream.wait(min(beat - clock(), stream.left()))
                if gone.done():
                    raise _Gone
                due = clock() >= beat
                if stream.over() or not (woken or due):
                    continue
                # At each beat, too: a right may end though nothing changes.
                body = await stream.again(stream)
                # To answer takes time, in which its own may have passed.
                if stream.over():
                    return
                if body is not None:
                    await events.next(body)
                elif due:
                    await events.comment()
                else:
                    # What woke it is not to be told, so the beat stays where it was.
                    continue
                beat = clock() + self._keep_alive
        finally:
            gone.cancel()

    def __repr__(self) -> str:
        """Show how many, not whose."""
        return f"<streams, {len(self._open)} open>"


class _Events:
    """Writes one answer as events (WHATWG HTML, 9.2; GraphQL over SSE, distinct connections)."""

    def __init__(self, send: Send, patience: float) -> None:
        """Leave a client that takes longer than *patience* seconds for one event."""
        self._send = send
        self._patience = patience

    async def head(self, headers: dict[str, str]) -> None:
        """Send the head of the answer."""
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._out({"type": "http.response.start", "status": 200, "headers": raw})

    async def next(self, body: bytes) -> None:
        """Send one result; *body* is JSON in one line."""
        await self._text(b"event: next\ndata: " + body + b"\n\n")

    async def comment(self) -> None:
        """Send what keeps the connection open and says nothing."""
        await self._text(b":\n\n")

    async def complete(self) -> None:
        """Say that no more comes, and end the answer."""
        await self._text(b"event: complete\ndata:\n\n", more=False)

    async def _text(self, text: bytes, *, more: bool = True) -> None:
        await self._out({"type": "http.response.body", "body": text, "more_body": more})

    async def _out(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._send(message)
        except (TimeoutError, OSError):
            raise _Gone from None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
