"""The bytes of attachments over HTTP: POST /attachments adds, POST /attachments/content reads.

It stands beside the agency's face and signs callers in as that does. Ids and names
travel in headers, never in the address, which proxies and browsers keep. Both
directions stream; a part of a content is never asked for (Range is not heeded).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send
from strawberry import ID

from api.casework.attachment_reading import AttachmentContent, read_attachment
from api.casework.attachments import CONTENT_MOST, add_attachment
from api.casework.house import House
from api.errors import (
    AttachmentMalformed,
    AttachmentTooLarge,
    MethodNotAllowed,
    PerisaiError,
)
from api.schema.answers import encode, log_unexpected, of_refusal
from api.schema.context import Exchange, uuid_of
from api.schema.file_names import disposition, read_name
from api.schema.http import Authenticate, headers_of, new_request_id, send_whole
from api.schema.uploads import Gone, UnderWay, pieces
from api.vocabulary import CaseFileId

ADD = "/attachments"
READ = "/attachments/content"

CASE_FILE_HEADER = "perisai-case-file"
FILE_NAME_HEADER = "perisai-file-name"
ATTACHMENT_HEADER = "perisai-attachment"
#: In answers: the receipt that GraphQL has in `extensions.accessLog`.
RECEIPT_HEADER = "perisai-access-log"

#: What an answer with bytes says besides: show nothing of it, run nothing of it, tell nobody.
_SAFE = {
    "accept-ranges": "none",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
}


class ContentTypeRefused(AttachmentMalformed):
    """The bytes are said to be of a type, or to be packed."""

    status = 415


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how many.

    Attributes:
        idle: seconds without a byte in either direction. A line that sends 1 KiB/s is
            not idle.
        whole: seconds for one transfer; 100 MiB in 30 minutes are 60 KB/s.
        member, process: transfers at once.
    """

    idle: float = 20.0
    whole: float = 1800.0
    member: int = 4
    process: int = 32


class Attachments:
    """An ASGI application for both directions."""

    def __init__(
        self,
        house: House,
        authenticate: Mapping[str, Authenticate],
        limits: Limits | None = None,
    ) -> None:
        """*authenticate* signs the agency's callers in at ADD and at READ."""
        self._house = house
        self.authenticate = authenticate
        self._limits = limits or Limits()
        self._under_way = UnderWay(self._limits.member, self._limits.process)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        headers, request = Headers(scope=scope), new_request_id()
        more: dict[str, str] = {}
        exchange: Exchange | None = None
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowed
            path = READ if scope["path"] == READ else ADD
            caller = await self.authenticate[path](headers, request)
            exchange = Exchange(self._house, caller)
            with self._under_way.one_more(caller.member):
                if path == READ:
                    await self._read(exchange, headers, send, request)
                    return
                attachment_id = await self._add(exchange, headers, receive)
            status = 201
            body = encode({"data": {"attachmentId": str(attachment_id)}})
        except (ClientDisconnect, Gone):
            return
        except PerisaiError as error:
            status, body = error.status, encode(of_refusal(error, request))
            more = headers_of(error, headers)
        except Exception as error:
            log_unexpected(error, request)
            status, body = 500, encode(of_refusal(PerisaiError(), request))
        more |= _headers("application/json", request) | _receipt(exchange)
        await send_whole(send, status, body, more)

    async def _add(self, exchange: Exchange, headers: Headers, receive: Receive) -> UUID:
        if headers.get("content-type") != "application/octet-stream":
            raise ContentTypeRefused
        if "content-encoding" in headers:
            raise ContentTypeRefused
        case_file = CaseFileId(_id(headers, CASE_FILE_HEADER))
        name = read_name(_only(headers, FILE_NAME_HEADER))
        length = headers.get("content-length", "")
        if len(length) > len(str(CONTENT_MOST)) or (
            length.isdecimal() and int(length) > CONTENT_MOST
        ):
            raise AttachmentTooLarge
        announced = int(length) if length.isdecimal() else None
        limits = self._limits
        content = pieces(receive, announced, idle=limits.idle, whole=limits.whole)
        context = exchange.context()
        return await add_attachment(context.house, context.caller, case_file, name, content)

    async def _read(self, exchange: Exchange, headers: Headers, send: Send, request: str) -> None:
        attachment, context = _id(headers, ATTACHMENT_HEADER), exchange.context()
        found = await read_attachment(context.house, context.caller, attachment)
        end = asyncio.get_running_loop().time() + self._limits.whole

        async def patiently(message: Message) -> None:
            try:
                async with asyncio.timeout_at(end), asyncio.timeout(self._limits.idle):
                    await send(message)
            except (TimeoutError, OSError):
                raise Gone from None

        said = _headers(found.media_type, request) | _about(found) | _receipt(exchange)
        raw = [(name.encode(), value.encode("ascii")) for name, value in said.items()]
        await patiently({"type": "http.response.start", "status": 200, "headers": raw})
        try:
            async for piece in found.pieces:
                if piece:
                    await patiently(
                        {"type": "http.response.body", "body": piece, "more_body": True}
                    )
        except PerisaiError:
            # Reported where it was found. The status is out: fewer bytes than announced
            # are what tells the client.
            raise Gone from None
        await patiently({"type": "http.response.body", "body": b""})


def _headers(media_type: str, request: str) -> dict[str, str]:
    return {
        "content-type": media_type,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request,
    }


def _receipt(exchange: Exchange | None) -> dict[str, str]:
    """Give the receipt, to whoever is signed in."""
    return {} if exchange is None else {RECEIPT_HEADER: exchange.receipt()}


def _about(found: AttachmentContent) -> dict[str, str]:
    return {
        **_SAFE,
        "content-disposition": disposition(found.name),
        "content-length": str(found.size),
    }


def _only(headers: Headers, name: str) -> str:
    """Give the one header of that *name*.

    Raises:
        AttachmentMalformed: none, or several.
    """
    given = headers.getlist(name)
    if len(given) != 1:
        raise AttachmentMalformed
    return given[0]


def _id(headers: Headers, name: str) -> UUID:
    """Read the id in a header.

    Raises:
        AttachmentMalformed: none, or several.
        MalformedId: no record can have it.
    """
    return uuid_of(ID(_only(headers, name)))
