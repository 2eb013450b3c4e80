"""Import over HTTP: POST /imports takes a mapping and a file, and answers line by line.

It stands beside the agency's face and signs callers in as that does. The first line of
the body is the mapping, in JSON; what follows is the file. The answer is one JSON object a
line, as things are done; the last is `end` or `error`, and without it the answer was cut off.
No line holds a value of the file.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, assert_never

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from api.casework.house import House
from api.casework.import_duplicates import Duplicate
from api.casework.import_mapping import MAPPING_MOST
from api.casework.import_table import FILE_MOST
from api.casework.importing import (
    BATCH,
    Columns,
    Ended,
    Faulty,
    Line,
    Progress,
    Sent,
    Written,
    import_file,
    may_import,
)
from api.errors import (
    ImportMalformed,
    ImportMappingInvalid,
    ImportTooLarge,
    MethodNotAllowed,
    PerisaiError,
)
from api.schema.answers import encode, log_unexpected, of_refusal
from api.schema.context import Exchange
from api.schema.http import Authenticate, headers_of, new_request_id, send_whole
from api.schema.uploads import Gone, UnderWay, pieces

IMPORTS = "/imports"

CONTENT_TYPE = "application/x-perisai-import"
ANSWER_TYPE = "application/x-ndjson"
#: What is to be done: "preview", which writes nothing, or "run".
MODE_HEADER = "perisai-import"
PREVIEW, RUN = "preview", "run"

#: Bytes of a body at the most: both parts, and the end of the line between them.
_BODY_MOST = MAPPING_MOST + 1 + FILE_MOST


class ImportTypeRefused(ImportMalformed):
    """The body is said to be of another type, or to be packed."""

    status = 415


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """How long and how many.

    Attributes:
        idle: seconds without a byte in either direction.
        whole: seconds for the upload.
        member, process: imports at once; each holds its file in memory.
        batch: case files that one transaction writes.
    """

    idle: float = 20.0
    whole: float = 1800.0
    member: int = 1
    process: int = 2
    batch: int = BATCH


class Imports:
    """An ASGI application for imports."""

    def __init__(
        self, house: House, authenticate: Authenticate, limits: ImportLimits | None = None
    ) -> None:
        """*authenticate* signs the agency's callers in."""
        self._house = house
        self.authenticate = authenticate
        self._limits = limits or ImportLimits()
        self._under_way = UnderWay(self._limits.member, self._limits.process)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        headers, request = Headers(scope=scope), new_request_id()
        exchange: Exchange | None = None
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowed
            caller = await self.authenticate(headers, request)
            exchange = Exchange(self._house, caller)
            with self._under_way.one_more(caller.member):
                await self._import(exchange, headers, receive, send, request)
            return
        except (ClientDisconnect, Gone):
            return
        except PerisaiError as error:
            status, answer = error.status, of_refusal(error, request)
            more = headers_of(error, headers)
        except Exception as error:
            log_unexpected(error, request)
            status, answer, more = 500, of_refusal(PerisaiError(), request), {}
        if exchange is not None:
            answer["extensions"] = {"accessLog": exchange.receipt()}
        await send_whole(send, status, encode(answer), _headers("application/json", request) | more)

    async def _import(
        self, exchange: Exchange, headers: Headers, receive: Receive, send: Send, request: str
    ) -> None:
        write = _mode(headers) == RUN
        announced = _announced(headers)
        context = exchange.context()
        await may_import(context.house, context.caller)
        sent = await self._sent(receive, announced)
        lines = import_file(
            context.house, context.caller, sent, write=write, batch=self._limits.batch
        )
        async with aclosing(lines):
            # What is wrong with all of it is found before the first line.
            first = await anext(lines)
            answer = _Lines(send, self._limits.idle)
            await answer.head(_headers(ANSWER_TYPE, request))
            await answer.line(_said(first))
            await self._rest(exchange, lines, answer, request)

    async def _rest(
        self, exchange: Exchange, lines: AsyncGenerator[Line, None], answer: "_Lines", request: str
    ) -> None:
        last: dict[str, Any] = {}
        try:
            async for line in lines:
                if last:
                    await answer.line(last)
                last = _said(line)
        except PerisaiError as error:
            last = _failed(error, request)
        except (ClientDisconnect, Gone):
            raise
        except Exception as error:
            log_unexpected(error, request)
            last = _failed(PerisaiError(), request)
        await answer.line({**last, "accessLog": exchange.receipt()}, more=False)

    async def _sent(self, receive: Receive, announced: int | None) -> Sent:
        """Take the body into memory.

        Raises:
            ImportTooLarge, ImportMappingInvalid, ImportMalformed, UploadCutOff
        """
        body = bytearray()
        limits = self._limits
        async for piece in pieces(receive, announced, idle=limits.idle, whole=limits.whole):
            body += piece
            if len(body) > _BODY_MOST:
                raise ImportTooLarge
        end = body.find(b"\n", 0, MAPPING_MOST + 1)
        if end < 0:
            raise ImportMappingInvalid if len(body) > MAPPING_MOST else ImportMalformed
        content = bytes(body[end + 1 :])
        if len(content) > FILE_MOST:
            raise ImportTooLarge
        return Sent(bytes(body[:end]), content)


class _Lines:
    """Writes one answer, line by line; leaves a client that takes too long for one."""

    def __init__(self, send: Send, patience: float) -> None:
        """*patience* is seconds."""
        self._send = send
        self._patience = patience

    async def head(self, headers: Mapping[str, str]) -> None:
        """Send the head of the answer."""
        raw = [(name.encode(), value.encode("ascii")) for name, value in headers.items()]
        await self._out({"type": "http.response.start", "status": 200, "headers": raw})

    async def line(self, said: Mapping[str, Any], *, more: bool = True) -> None:
        """Send one line."""
        body = encode(dict(said)) + b"\n"
        await self._out({"type": "http.response.body", "body": body, "more_body": more})

    async def _out(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._send(message)
        except (TimeoutError, OSError):
            raise Gone from None


def _said(line: Line) -> dict[str, Any]:
    """Say one line; none of these holds a value of the file."""
    match line:
        case Columns():
            missing = list(line.missing)
            return {
                "kind": "columns",
                "rows": line.rows,
                "missing": missing,
                "unmapped": line.unmapped,
            }
        case Faulty():
            faults = [{"code": fault.code, "column": fault.column} for fault in line.faults]
            return {"kind": "faulty", "row": line.row, "faults": faults}
        case Duplicate():
            found = None if line.defender is None else str(line.defender)
            return {
                "kind": "duplicate",
                "row": line.row,
                "field": line.kind,
                "ofRow": line.of_row,
                "defenderId": found,
            }
        case Written():
            return {
                "kind": "written",
                "row": line.row,
                "caseFileId": str(line.case_file),
                "reference": line.reference,
            }
        case Progress():
            return {"kind": "progress", "step": line.step, "done": line.done, "of": line.of}
        case Ended():
            return {
                "kind": "end",
                "state": line.state,
                "rows": line.rows,
                "faulty": line.faulty,
                "leftOut": line.left_out,
                "written": line.written,
                "moreExisting": line.more_existing,
            }
        case _:
            assert_never(line)


def _failed(error: PerisaiError, request: str) -> dict[str, Any]:
    said = {"kind": "error", "code": error.code, "message": type(error).message}
    return {**said, "requestId": request}


def _mode(headers: Headers) -> str:
    """Read what is to be done; nothing said: nothing is written.

    Raises:
        ImportTypeRefused, ImportMalformed
    """
    if headers.get("content-type") != CONTENT_TYPE or "content-encoding" in headers:
        raise ImportTypeRefused
    modes = headers.getlist(MODE_HEADER) or [PREVIEW]
    if len(modes) != 1 or modes[0] not in (PREVIEW, RUN):
        raise ImportMalformed
    return modes[0]


def _announced(headers: Headers) -> int | None:
    """Read how many bytes are said to come.

    Raises:
        ImportTooLarge: too many.
    """
    length = headers.get("content-length", "")
    if len(length) > len(str(_BODY_MOST)) or (length.isdecimal() and int(length) > _BODY_MOST):
        raise ImportTooLarge
    return int(length) if length.isdecimal() else None


def _headers(media_type: str, request: str) -> dict[str, str]:
    return {
        "content-type": media_type,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request,
        # Else a proxy would keep the lines until the end.
        "x-accel-buffering": "no",
    }
