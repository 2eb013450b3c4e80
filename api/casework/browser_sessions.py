"""Sign-ins and sessions of browsers: sealed, carried by the browser, and ended here.

A browser carries its own session, so that any process of the service knows it and none keeps
it. It lies under the seal of the member's organisation, so that what is carried says nothing to
who carries it: the access token in it never reaches a page. What was ended is written down until
it would have been over anyway; a sign-in is ended by its first answer.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from api.casework.house import House
from api.crypto.framing import frame
from api.errors import KeysUnavailable, MalformedCursor, NotSignedIn, SignInFailed
from api.store import used_proofs
from api.vocabulary import Organisation

#: A session is at most this long, and never longer than its token: who is still there signs in
#: again by one click, as long as the issuer knows them.
SESSION_MOST: Final = timedelta(hours=1)

#: So long somebody may take to sign in at their issuer.
SIGN_IN_MOST: Final = timedelta(minutes=10)

_SESSION: Final = b"browser session"
_SIGN_IN: Final = b"browser sign-in"

#: What is over is forgotten after this, as used proofs are: clocks of processes differ.
CLOCKS_APART: Final = timedelta(minutes=5)

#: Bytes of the random mark that tells one from another, and of a moment.
_MARK: Final = 16
_MOMENT: Final = 8


@dataclass(frozen=True, slots=True)
class Carried:
    """What a browser carried, its seal opened.

    Attributes:
        organisation: under whose seal it was.
        until: when it is over, in UTC.
        content: the access token of a session, or what a sign-in has to remember.
        digest: names it, and tells nothing of it.
    """

    organisation: Organisation
    until: datetime
    content: bytes = field(repr=False)
    digest: bytes = field(repr=False)


class BrowserSessions:
    """Seals, opens and ends sign-ins and sessions. Nothing of them is kept in memory."""

    def __init__(self, house: House, randomness: Callable[[int], bytes] = os.urandom) -> None:
        """*randomness* makes the marks."""
        self._house = house
        self._randomness = randomness

    def begin_sign_in(self, organisation: Organisation, state: bytes) -> str:
        """Give what the browser carries while its person is at the issuer.

        Raises:
            KeysUnavailable: this process does not have the organisation's keys.
            SignInFailed: it would be too long.
        """
        return self._seal(_SIGN_IN, organisation, self._house.now() + SIGN_IN_MOST, state)

    async def end_sign_in(self, carried: str) -> Carried:
        """Open a sign-in, once.

        Raises:
            NotSignedIn: it is none of ours, is over, or was opened before.
            StoreUnavailable: it is not known whether it was.
        """
        found = self._open(_SIGN_IN, carried)
        await self._use(found.digest, found.until)
        return found

    def start(self, organisation: Organisation, token: str, expires_at: datetime) -> str:
        """Give what the browser carries from now on.

        Args:
            expires_at: of the token.

        Raises:
            KeysUnavailable: this process does not have the organisation's keys.
            SignInFailed: the token is too long to be carried.
        """
        until = min(expires_at, self._house.now() + SESSION_MOST)
        return self._seal(_SESSION, organisation, until, token.encode("ascii"))

    async def of(self, carried: str) -> Carried:
        """Open a session that goes on.

        Raises:
            NotSignedIn: it is none of ours, is over, or was ended.
            StoreUnavailable: it is not known whether it was.
        """
        found = self._open(_SESSION, carried)
        async with self._house.records.look() as connection:
            if await used_proofs.was_used(connection, found.digest):
                raise NotSignedIn
        return found

    async def end(self, carried: str) -> None:
        """End a session, for every process and from now on.

        Raises:
            NotSignedIn: there is none to be ended.
            StoreUnavailable: it may go on.
        """
        found = self._open(_SESSION, carried)
        await self._use(found.digest, found.until)

    def named(self, carried: str) -> str | None:
        """Name a session for `end_named`, so that its name opens nothing; None: it is none."""
        try:
            found = self._open(_SESSION, carried)
        except NotSignedIn:
            return None
        return f"{int(found.until.timestamp())}.{found.digest.hex()}"

    async def end_named(self, name: str) -> None:
        """End a session, which may be over, by what `named` gave.

        Raises:
            StoreUnavailable: it may go on.
        """
        until, _, digest = name.partition(".")
        with suppress(NotSignedIn):  # It was ended before.
            await self._use(bytes.fromhex(digest), datetime.fromtimestamp(int(until), UTC))

    async def _use(self, digest: bytes, until: datetime) -> None:
        # Kept under the moment at which it would be over, so that what is forgotten is over.
        forgotten = self._house.now() - CLOCKS_APART
        async with self._house.records.change() as change:
            await used_proofs.forget_until(change, forgotten)
            first = await used_proofs.use(change, digest, until)
        if not first:
            raise NotSignedIn

    def _seal(
        self, kind: bytes, organisation: Organisation, until: datetime, content: bytes
    ) -> str:
        key = self._house.keyring.cursor_key(organisation)
        moment = int(until.timestamp()).to_bytes(_MOMENT)
        try:
            sealed = key.seal(
                frame(kind, organisation.encode()), self._randomness(_MARK) + moment + content
            )
        except ValueError:
            raise SignInFailed from None
        return f"{organisation}.{sealed}"

    def _open(self, kind: bytes, carried: str) -> Carried:
        organisation, _, sealed = carried.partition(".")
        try:
            key = self._house.keyring.cursor_key(organisation)
            payload = key.open(frame(kind, organisation.encode()), sealed)
        except (KeysUnavailable, MalformedCursor):
            raise NotSignedIn from None
        until = int.from_bytes(payload[_MARK : _MARK + _MOMENT])
        if until <= self._house.now().timestamp():
            raise NotSignedIn
        return Carried(
            Organisation(organisation),
            datetime.fromtimestamp(until, UTC),
            payload[_MARK + _MOMENT :],
            hashlib.sha256(kind + payload[:_MARK]).digest(),
        )
