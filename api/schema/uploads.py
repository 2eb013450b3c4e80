"""What is sent in pieces: how many at once, and the body of an upload as it comes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.types import Receive

from api.errors import TransfersBusy, UploadCutOff
from api.vocabulary import MemberId


class Gone(Exception):  # no error of ours: nobody is there to be told
    """The client does not take what is sent."""


class UnderWay:
    """The transfers of one kind that are under way in this process."""

    def __init__(self, member: int, process: int) -> None:
        """So many of one member, and so many of all, are taken at once."""
        self._most = (member, process)
        self._counted: Counter[MemberId] = Counter()

    @contextmanager
    def one_more(self, member: MemberId) -> Iterator[None]:
        """Count one of *member* while the block lasts.

        Raises:
            TransfersBusy: too many are under way.
        """
        counted, (of_one, of_all) = self._counted, self._most
        if counted[member] >= of_one or counted.total() >= of_all:
            raise TransfersBusy
        counted[member] += 1
        try:
            yield
        finally:
            counted[member] -= 1
            if not counted[member]:
                del counted[member]


async def pieces(
    receive: Receive, announced: int | None, *, idle: float, whole: float
) -> AsyncIterator[bytes]:
    """Give the body.

    Args:
        announced: the number of bytes that the client said; None: it said none.
        idle, whole: seconds for the next piece, and for all of it.

    Raises:
        UploadCutOff: the client went away, is too slow, or sent another number of bytes.
    """
    size = 0
    end = asyncio.get_running_loop().time() + whole
    more = True
    while more:
        try:
            async with asyncio.timeout_at(end), asyncio.timeout(idle):
                message = await receive()
        except TimeoutError:
            raise UploadCutOff from None
        if message["type"] == "http.disconnect":
            raise UploadCutOff
        more = message.get("more_body", False)
        if piece := message.get("body", b""):
            size += len(piece)
            yield piece
    if announced not in (None, size):
        raise UploadCutOff
