"""What a browser carries opens as what it is, for whom it is, as long as it is, and once."""

from datetime import timedelta

import pytest

from api.casework.browser_sessions import (
    CLOCKS_APART,
    SESSION_MOST,
    SIGN_IN_MOST,
    BrowserSessions,
    Carried,
)
from api.casework.used_proofs import KEPT
from api.crypto.cursors import MAX_PAYLOAD
from api.errors import KeysUnavailable, NotSignedIn, SignInFailed
from api.vocabulary import Organisation
from tests.console.browsing import HAM, Site

OURS, THEIRS = Organisation(HAM), Organisation("lpsk")
DAY = timedelta(days=1)


@pytest.fixture
def sessions(console: Site) -> BrowserSessions:
    return BrowserSessions(console.inside.house)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_session_opens_until_it_is_over(console: Site, sessions: BrowserSessions) -> None:
    now = console.world.clock()
    carried = sessions.start(OURS, "token", now + DAY)
    found = await sessions.of(carried)

    assert abs(found.until - (now + SESSION_MOST)) < timedelta(seconds=2)
    assert (found.organisation, found.content) == (OURS, b"token")
    assert "token" not in carried
    assert "token" not in repr(found)
    console.world.clock.move(SESSION_MOST)
    with pytest.raises(NotSignedIn):
        await sessions.of(carried)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_session_that_was_ended_is_over_for_every_process(
    console: Site, sessions: BrowserSessions
) -> None:
    carried = sessions.start(OURS, "token", console.world.clock() + DAY)
    other = sessions.start(OURS, "token", console.world.clock() + DAY)

    await sessions.end(carried)

    with pytest.raises(NotSignedIn):
        await BrowserSessions(console.inside.house).of(carried)
    with pytest.raises(NotSignedIn):
        await sessions.end(carried)
    assert (await sessions.of(other)).content == b"token"
    # What else was used up since does not bring it back.
    console.world.clock.move(SESSION_MOST - timedelta(minutes=1))
    await sessions.end(other)
    with pytest.raises(NotSignedIn):
        await sessions.of(carried)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_sign_in_is_no_session_and_counts_once(
    console: Site, sessions: BrowserSessions
) -> None:
    begun = sessions.begin_sign_in(OURS, b"state")
    session = sessions.start(OURS, "token", console.world.clock() + DAY)
    with pytest.raises(NotSignedIn):
        await sessions.of(begun)
    with pytest.raises(NotSignedIn):
        await sessions.end_sign_in(session)

    assert (await sessions.end_sign_in(begun)).content == b"state"
    with pytest.raises(NotSignedIn):
        await sessions.end_sign_in(begun)
    late = sessions.begin_sign_in(OURS, b"state")
    console.world.clock.move(SIGN_IN_MOST)
    with pytest.raises(NotSignedIn):
        await sessions.end_sign_in(late)


@pytest.mark.asyncio(loop_scope="session")
async def test_what_was_changed_or_is_of_another_organisation_is_none(
    console: Site, sessions: BrowserSessions
) -> None:
    carried = sessions.start(OURS, "token", console.world.clock() + DAY)
    sealed = carried.partition(".")[2]
    for at in range(0, len(sealed), 7):
        other = "A" if sealed[at] != "A" else "B"
        with pytest.raises(NotSignedIn):
            await sessions.of(f"{OURS}.{sealed[:at]}{other}{sealed[at + 1 :]}")
    cursor = console.inside.house.keyring.cursor_key(OURS).seal(b"", b"x" * 40)
    for text in ("", ".", OURS, f"{THEIRS}.{sealed}", f"nobody.{sealed}", f"{OURS}.{cursor}"):
        with pytest.raises(NotSignedIn):
            await sessions.of(text)


@pytest.mark.asyncio(loop_scope="session")
async def test_what_would_not_fit_into_a_cookie_is_not_begun(
    console: Site, sessions: BrowserSessions
) -> None:
    until = console.world.clock() + DAY
    longest = sessions.start(OURS, "x" * (MAX_PAYLOAD - 24), until)

    # RFC 6265, 6.1: 4,096 bytes for the name, the value and the attributes of one.
    assert len(f"__Host-perisai-session={longest}; Max-Age=3600; Path=/; HttpOnly") < 4096
    with pytest.raises(SignInFailed):
        sessions.start(OURS, "x" * (MAX_PAYLOAD - 23), until)
    with pytest.raises(KeysUnavailable):
        sessions.start(Organisation("nobody"), "token", until)


def test_what_is_over_is_kept_as_long_as_used_proofs_whose_table_it_shares() -> None:
    assert CLOCKS_APART == KEPT


def test_what_is_carried_is_not_shown() -> None:
    shown = repr(Carried(OURS, None, b"token", b"digest"))  # type: ignore[arg-type]
    assert "token" not in shown
    assert "digest" not in shown
