"""One face over HTTP: who asks, what for, is it small enough, then execute it.

It holds the order of things and no rule of its own. It speaks to graphql-core
directly, not through strawberry's `execute`, which would log the text of errors
and parse a document that is prepared already.
"""

import uuid
from collections.abc import Awaitable, Callable
from inspect import isawaitable

import strawberry
from graphql import execute
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from api.errors import MethodNotAllowed, PerisaiError, RefusesToStart
from api.schema.answers import (
    challenge,
    encode,
    log_unexpected,
    media_type,
    of_refusal,
    of_result,
)
from api.schema.documents import Documents
from api.schema.incoming import check_head, parse_request, read_body
from api.vocabulary import Caller

#: From the headers and the id of the request to who asks; raises a PerisaiError if nobody.
Authenticate = Callable[[Headers, str], Awaitable[Caller]]

#: From who asks and the id of the request to what resolvers find in `info.context`.
MakeContext = Callable[[Caller, str], object]


def new_request_id() -> str:
    """Make the id of one request; clients never choose it, since the log names it."""
    return uuid.uuid4().hex


class Face:
    """An ASGI application that serves one schema to one audience."""

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        authenticate: Authenticate,
        make_context: MakeContext,
        request_id: Callable[[], str] = new_request_id,
    ) -> None:
        """Bind the schema to the functions that say who asks and what resolvers get.

        Raises:
            RefusesToStart: the schema has extensions or directives, which would be
                passed over here.
        """
        if schema.extensions or schema.directives:
            raise RefusesToStart("A face executes no strawberry extensions or directives.")
        self._schema = schema._schema  # strawberry has no public name for it.
        self._executor = schema.execution_context_class
        self._documents = Documents(self._schema)
        self._authenticate = authenticate
        self._make_context = make_context
        self._request_id = request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        headers, request = Headers(scope=scope), self._request_id()
        more: dict[str, str] = {}
        try:
            status, body = await self._answer(scope, headers, receive, request)
        except ClientDisconnect:
            return
        except PerisaiError as error:
            status, body = error.status, encode(of_refusal(error, request))
            more = _headers_of(error, headers)
        except Exception as error:
            log_unexpected(error, request)
            status, body = 500, encode(of_refusal(PerisaiError(), request))
        await _send(send, status, body, _headers(headers, request) | more)

    async def _answer(
        self, scope: Scope, headers: Headers, receive: Receive, request: str
    ) -> tuple[int, bytes]:
        check_head(scope, headers)
        caller = await self._authenticate(headers, request)
        asked = parse_request(await read_body(receive))
        document = self._documents.prepare(asked.query)
        result = execute(
            self._schema,
            document,
            context_value=self._make_context(caller, request),
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            executor_class=self._executor,
            hide_suggestions=True,
        )
        if isawaitable(result):
            result = await result
        status, answer = of_result(result, request)
        return status, encode(answer)


def _headers(asked: Headers, request: str) -> dict[str, str]:
    return {
        "content-type": f"{media_type(asked.get('accept', ''))}; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request,
        "vary": "accept",
    }


def _headers_of(error: PerisaiError, asked: Headers) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"allow": "POST"}
    www = challenge(error, token_sent="authorization" in asked)
    return {} if www is None else {"www-authenticate": www}


async def _send(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
