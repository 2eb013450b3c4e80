"""What a browser carried is ended for all processes, on each database."""

from datetime import timedelta

import pytest

from api.casework.browser_sessions import CLOCKS_APART, SESSION_MOST, BrowserSessions
from api.errors import NotSignedIn
from api.vocabulary import Organisation
from tests.inside import exchanged
from tests.world import World

HAM = Organisation("komnas-ham")


async def test_a_session_that_was_ended_stays_so_until_it_would_be_over(world: World) -> None:
    async with exchanged(world) as inside:
        sessions, elsewhere = BrowserSessions(inside.house), BrowserSessions(inside.house)
        started = [
            sessions.start(HAM, "token", world.clock() + timedelta(hours=2)) for _ in range(2)
        ]
        begun = sessions.begin_sign_in(HAM, b"state")
        await sessions.end(started[0])
        await elsewhere.end_sign_in(begun)
        with pytest.raises(NotSignedIn):
            await sessions.end_sign_in(begun)
        assert (await elsewhere.of(started[1])).content == b"token"

        world.clock.move(SESSION_MOST - timedelta(seconds=1))
        await sessions.end(started[1])
        for one in started:
            with pytest.raises(NotSignedIn):
                await elsewhere.of(one)
        kept = await world.run("select count(*) from used_proof")

        # What is over is forgotten, and nothing before.
        world.clock.move(CLOCKS_APART + timedelta(seconds=2))
        await sessions.end(sessions.start(HAM, "token", world.clock() + timedelta(hours=2)))
        assert (kept, await world.run("select count(*) from used_proof")) == ([(2,)], [(1,)])
