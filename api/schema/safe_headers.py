"""Headers of every answer that tell a browser to do nothing with it but give it to its page.

No answer is a page: nothing in it may load, run, be framed or be kept. An answer that
says one of these headers itself keeps its own. Which pages of other origins may ask is
the settings' list; these are the headers that such a page may send and read.
"""

from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: A year, after which a browser that never came back may forget it.
_HTTPS_ONLY = 31_536_000

#: What a page of another origin may send, and what it may read.
CORS_ASKED = (
    "authorization",
    "content-type",
    "dpop",
    "idempotency-key",
    "perisai-purpose",
    "perisai-legal-basis",
    "perisai-case-file",
    "perisai-file-name",
    "perisai-attachment",
)
CORS_TOLD = (
    "content-disposition",
    "perisai-access-log",
    "retry-after",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
)


def _headers() -> list[tuple[bytes, bytes]]:
    nothing = (
        ContentSecurityPolicy()
        .default_src("'none'")
        .base_uri("'none'")
        .form_action("'none'")
        .frame_ancestors("'none'")
        .sandbox()
    )
    secure = Secure(
        csp=nothing,
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        hsts=StrictTransportSecurity().max_age(_HTTPS_ONLY),
        referrer=ReferrerPolicy().no_referrer(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
    return [
        (name.lower().encode("ascii"), value.encode("ascii"))
        for name, value in secure.header_items()
    ]


class SafeHeaders:
    """An ASGI application around another one, which adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        """Make the headers once."""
        self._app = app
        self._headers = _headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and add to the head of each answer what it lacks."""

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                said = {name.lower() for name, _ in own}
                own += [one for one in self._headers if one[0] not in said]
                message = {**message, "headers": own}
            await send(message)

        await self._app(scope, receive, adding if scope["type"] == "http" else send)
