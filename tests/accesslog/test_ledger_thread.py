"""The thread of a connection: in order, to its end, and back to whoever waits."""

import asyncio
import threading

import pytest

from api.accesslog.ledger_thread import OneThread


async def test_work_is_done_in_one_thread_in_the_order_of_its_coming() -> None:
    thread = OneThread("test")
    done: list[tuple[int, int]] = []

    def work(number: int) -> int:
        done.append((number, threading.get_ident()))
        return number * 2

    results = await asyncio.gather(*(thread.run(work, number) for number in range(20)))
    thread.end()

    assert results == [number * 2 for number in range(20)]
    assert [number for number, _ in done] == list(range(20))
    assert len({ident for _, ident in done}) == 1
    assert done[0][1] != threading.get_ident()


async def test_what_work_raises_is_raised_where_it_is_awaited_and_the_next_is_done() -> None:
    thread = OneThread("test")

    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)

    assert await thread.run(lambda: 5) == 5
    thread.end()


async def test_who_is_cancelled_leaves_the_work_to_its_end() -> None:
    thread = OneThread("test")
    go = threading.Event()
    done: list[int] = []

    def work() -> None:
        go.wait(10)
        done.append(1)

    waiting = asyncio.create_task(thread.run(work))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    go.set()

    assert await thread.run(lambda: list(done)) == [1]
    assert waiting.cancelled()
    thread.end()


def test_a_loop_that_was_closed_meanwhile_keeps_the_thread_from_nothing() -> None:
    thread = OneThread("test")
    go = threading.Event()

    async def leave() -> None:
        task = asyncio.create_task(thread.run(go.wait, 10))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    go.set()

    async def again() -> int:
        return await thread.run(lambda: 7)

    assert asyncio.run(again()) == 7
    thread.end()
