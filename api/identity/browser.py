"""A browser's session in place of a token: what a page of another site cannot send.

The cookie is of the host alone, for no script, and a browser sends it from no other site. All of
this is the browser's word, so a request that is answered with data has to prove besides that a
script of our own origin sent it: by a header that no form and no other origin can add, by its
origin, and by what the browser says of where it is from.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from api.casework.browser_sessions import BrowserSessions, Carried
from api.errors import CrossSiteRefused, NotSignedIn, RefusesToStart
from api.identity.dpop import normal_address

#: The header of requests that scripts of the console send, and its value.
GUARD_HEADER: Final = "perisai-console"
GUARD: Final = "1"

#: Where http is good enough: nobody is on the way (RFC 6761, 6.3; RFC 1122, 3.2.1.3).
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Browsers:
    """Where browsers reach the service, and what they carry.

    Attributes:
        sessions: seals and opens what they carry.
        origin: of our pages (RFC 6454, 6.2).
        path: the path under which the service is reached; "" mostly.
        secure: by TLS. Else on this machine, in the demo: then the cookies cannot say `Secure`,
            and have no `__Host-` before their names, which would ask for it.
    """

    def __init__(self, sessions: BrowserSessions, address: str, *, demo: bool) -> None:
        """*address* is where callers reach the service.

        Raises:
            RefusesToStart: cookies would go over a line that others can read.
        """
        normal = normal_address(address)
        parts = urlsplit(normal or "")
        self.secure = parts.scheme == "https"
        if not self.secure and not (demo and parts.hostname in _LOOPBACK):
            raise RefusesToStart(
                "People sign in by browser over TLS only: set `public_url` to the https address "
                "at which they reach the service, or take `console_clients` away."
            )
        self.sessions = sessions
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.path = parts.path.rstrip("/")
        before = "__Host-" if self.secure else ""
        self.session_cookie = f"{before}perisai-session"
        self.sign_in_cookie = f"{before}perisai-sign-in"

    def carries(self, headers: Headers) -> bool:
        """Tell whether there is a session of any kind, good or not."""
        return self.carried(headers, self.session_cookie) is not None

    def carried(self, headers: Headers, name: str) -> str | None:
        """Give the value of the cookie of this *name*; None: there is not exactly one.

        Two of one name are of two hosts or paths, of which one may be anybody's (RFC 6265, 8.6).
        """
        found = self.all_carried(headers, name)
        return found[0] if len(found) == 1 else None

    def all_carried(self, headers: Headers, name: str) -> list[str]:
        """Give the values of all cookies of this *name*.

        What other blanks stand before is another name, in which a browser sees no `__Host-`, so
        that a sibling of our host may set it.
        """
        return [
            value.strip(" \t")
            for header in headers.getlist("cookie")
            for one, _, value in (pair.partition("=") for pair in header.split(";"))
            if one.strip(" \t") == name
        ]

    async def session(self, headers: Headers, *, guarded: bool) -> Carried:
        """Give the session of a request.

        Args:
            guarded: a script of ours must have sent it; else it shows a page, to whomever, which
                no other site can read or frame.

        Raises:
            CrossSiteRefused: none of ours did. The session was not looked at.
            NotSignedIn: there is no session that goes on.
            StoreUnavailable: it is not known whether it does.
        """
        if guarded:
            if headers.getlist(GUARD_HEADER) != [GUARD]:
                raise CrossSiteRefused
            self.check_origin(headers)
        carried = self.carried(headers, self.session_cookie)
        if carried is None:
            raise NotSignedIn
        return await self.sessions.of(carried)

    def went_there(self, headers: Headers) -> bool:
        """Tell whether a person went to a page, from ours or from none, by what a browser says."""
        return headers.getlist("sec-fetch-site") in (["same-origin"], ["none"])

    def check_origin(self, headers: Headers) -> None:
        """Prove that a page of ours sent a request, by what its browser says.

        Raises:
            CrossSiteRefused: another did, or the browser does not say.
        """
        if headers.getlist("origin") != [self.origin]:
            raise CrossSiteRefused
        if headers.getlist("sec-fetch-site") != ["same-origin"]:
            raise CrossSiteRefused
