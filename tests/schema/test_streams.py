"""A face answers a subscription as events, and lets go of whoever is not there to take them."""

import asyncio
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api.errors import NotForThisFace, StoreUnavailable, StreamsBusy
from api.schema.allowances import Allowances
from api.schema.http import Terms
from api.schema.streams import Stream, Streams
from tests.event_stream import COMMENT, COMPLETE, GONE, Open, asked
from tests.schema.small_face import SECRET, House

TICKS = {"query": "subscription { ticks }"}


def a_house(streams: Streams, points: int = 1000) -> House:
    return House(Terms(Allowances(points), pause=0, streams=streams))


def subscribed(house: House) -> AbstractAsyncContextManager[Open]:
    return asked(house.face, "/", {}, TICKS)


async def begun(house: House, one: Open) -> Stream:
    """Read the head and the first event; give the stream as the resolver has it."""
    assert (await one.head())["status"] == 200
    assert (await one.next())["data"] == {"ticks": 1}
    [stream] = house.asked
    assert isinstance(stream, Stream)
    return stream


async def test_a_quiet_stream_is_kept_open_by_comments() -> None:
    house = a_house(Streams(keep_alive=0.01))
    async with subscribed(house) as one:
        await begun(house, one)
        house.news = False
        assert [await one.next(), await one.next()] == [COMMENT, COMMENT]


async def test_at_each_beat_it_is_decided_anew_and_may_end() -> None:
    house = a_house(Streams(keep_alive=0.01))
    async with subscribed(house) as one:
        await begun(house, one)
        house.error = NotForThisFace()
        assert [await one.next(), await one.next()] == [COMPLETE, GONE]


async def test_what_is_not_to_be_told_moves_no_comment() -> None:
    house = a_house(Streams(keep_alive=0.2))
    async with subscribed(house) as one:
        stream = await begun(house, one)
        house.news = False
        loop = asyncio.get_running_loop()
        start = loop.time()
        again, answered = stream.again, []

        async def counted(stream: Stream) -> bytes | None:
            answered.append(loop.time() - start)
            return await again(stream)

        stream.again = counted

        async def woken_by_what_is_hidden() -> None:
            while True:
                await asyncio.sleep(0.05)
                stream.wake()

        hidden = asyncio.ensure_future(woken_by_what_is_hidden())
        assert await one.next() == COMMENT
        hidden.cancel()
        # It came, though it was woken more often than a beat is long.
        assert len(answered) > 1


async def test_who_leaves_is_let_go() -> None:
    streams = Streams()
    house = a_house(streams)
    async with subscribed(house) as one:
        stream = await begun(house, one)
        assert repr(streams) == "<streams, 1 open>"
        ends: list[str] = []
        stream.until_closed(lambda: ends.append("end"))
        one.leave()
        assert await one.next() == GONE
    assert repr(streams) == "<streams, 0 open>"
    assert (stream.ended, ends) == (True, ["end"])


async def test_who_does_not_take_what_is_sent_is_let_go() -> None:
    streams = Streams(patience=0.01)
    house = a_house(streams)
    async with subscribed(house) as one:
        stream = await begun(house, one)
        one.takes.clear()
        stream.wake()
        assert await one.next() == GONE
    assert repr(streams) == "<streams, 0 open>"


async def test_all_end_with_the_service_and_none_begins_after() -> None:
    streams = Streams()
    house = a_house(streams)
    async with subscribed(house) as one:
        await begun(house, one)
        streams.close()
        assert [await one.next(), await one.next()] == [COMPLETE, GONE]
    async with subscribed(house) as two:
        assert (await two.first()).codes == ["STREAMS_BUSY"]


async def test_what_cannot_be_answered_now_tells_nothing_and_is_asked_again_at_the_beat() -> None:
    house = a_house(Streams(keep_alive=0.05))
    async with subscribed(house) as one:
        stream = await begun(house, one)
        house.error = StoreUnavailable()
        stream.wake()
        assert await one.next() == COMMENT
        house.error = None
        told = await one.next()
        while told == COMMENT:
            told = await one.next()
        assert told["data"] == {"ticks": 2}


@pytest.mark.parametrize("error", [NotForThisFace(), ValueError(SECRET)])
async def test_whatever_cannot_be_answered_ends_it_without_a_reason(
    error: Exception,
) -> None:
    house = a_house(Streams())
    with capture_logs() as said:
        async with subscribed(house) as one:
            stream = await begun(house, one)
            house.error = error
            stream.wake()
            assert [await one.next(), await one.next()] == [COMPLETE, GONE]
    # A fault of ours is told to the operators, by its kind alone.
    assert [line["event"] for line in said] == ["unexpected"] * (type(error) is ValueError)
    assert SECRET not in repr(said)


async def test_who_has_no_points_left_is_told_nothing_more() -> None:
    house = a_house(Streams(), points=2)
    async with subscribed(house) as one:
        stream = await begun(house, one)
        stream.wake()
        assert (await one.next())["data"] == {"ticks": 2}
        stream.wake()
        assert await one.next() == COMPLETE


async def test_who_is_signed_in_no_more_is_told_nothing_that_was_read_meanwhile() -> None:
    house = a_house(Streams())
    async with subscribed(house) as one:
        stream = await begun(house, one)
        again = stream.again

        async def late(stream: Stream) -> bytes | None:
            body = await again(stream)
            house.left = 0.0
            return body

        stream.again = late
        stream.wake()
        assert await one.next() == COMPLETE
    assert house.contexts == 2


async def test_the_first_answer_may_be_a_refusal_of_any_kind() -> None:
    house = a_house(Streams())
    house.error = StoreUnavailable()
    async with subscribed(house) as one:
        answer = await one.first()
        assert (answer.status, answer.codes) == (503, ["STORE_UNAVAILABLE"])
    house.error = NotForThisFace()
    async with subscribed(house) as one:
        assert (await one.first()).codes == ["NOT_FOR_THIS_FACE"]
        assert await one.next() == COMPLETE
    house.nobody = NotForThisFace()
    async with subscribed(house) as one:
        assert (await one.first()).status == 403


async def nothing(_stream: Stream) -> None:
    return None


def test_so_many_streams_of_a_member_and_of_the_process_and_no_more() -> None:
    streams = Streams(of_member=1, of_process=2)
    one, other, third = ((UUID(int=n), f"agency-{n}") for n in range(3))
    first = streams.start(*one, lambda: 1.0, nothing)
    with pytest.raises(StreamsBusy):
        streams.start(*one, lambda: 1.0, nothing)
    streams.start(*other, lambda: 1.0, nothing)
    with pytest.raises(StreamsBusy):
        streams.start(*third, lambda: 1.0, nothing)

    first.close()
    first.close()

    streams.start(*one, lambda: 1.0, nothing)
    with pytest.raises(StreamsBusy):
        streams.start(*third, lambda: 1.0, nothing)


def test_one_organisation_takes_up_half_of_a_process_at_most() -> None:
    streams = Streams(of_member=1, of_process=4)
    mine = [streams.start(UUID(int=n), "lpsk", lambda: 1.0, nothing) for n in range(2)]
    with pytest.raises(StreamsBusy):
        streams.start(UUID(int=2), "lpsk", lambda: 1.0, nothing)
    streams.start(UUID(int=3), "komnas-ham", lambda: 1.0, nothing)

    mine[0].close()

    streams.start(UUID(int=2), "lpsk", lambda: 1.0, nothing)
