"""One face over HTTP: who asks, what for, is it little enough, then execute it.

It holds the order of things and no rule of its own. It speaks to graphql-core
directly, not through strawberry's `execute`, which would log the text of errors
and parse a document that is prepared already.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import Any, Protocol

import strawberry
from graphql import DocumentNode, ExecutionResult, execute
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from api.errors import (
    BadRequest,
    CallerBusy,
    ChangeUnconfirmed,
    DocumentInvalid,
    DocumentNotTrusted,
    DocumentRefused,
    DocumentUnknown,
    EventStreamNeeded,
    IntrospectionRefused,
    MethodNotAllowed,
    PerisaiError,
    PointsExhausted,
    RefusesToStart,
    RequestUnderWay,
    StoreUnavailable,
    TimedOut,
)
from api.schema.allowances import Allowances
from api.schema.answers import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    challenge,
    encode,
    forget_frames,
    log_unexpected,
    media_type,
    of_refusal,
    of_result,
    takes_events,
    takes_events_only,
    with_receipt,
)
from api.schema.documents import Documents
from api.schema.idempotency_keys import key_of
from api.schema.incoming import (
    GraphQLRequest,
    check_head,
    parse_query_string,
    parse_request,
    read_body,
)
from api.schema.streams import UNBUFFERED, Stream, Streams
from api.schema.trusted import TrustedDocuments
from api.schema.weight import Weight, weigh
from api.vocabulary import Caller, Role

#: Points that a document costs which is over a limit or does not fit: to find that out may
#: take as much of the processor as a small page.
UNFIT_POINTS = 25

#: Seconds for which a refusal is held back that a client could repeat for ever, if it is the
#: first in a row. Who does repeat it gets few of them, and the others hardly notice.
PAUSE_SECONDS = 0.5

#: So many documents of one member are checked in a pause, once one of them was refused.
BREATHS = 10

#: Seconds that a reading may take; what it waits for has limits of 2 and 3 s of its own.
REQUEST_SECONDS = 20.0

#: Refusals that a client could repeat for ever.
_HELD_BACK = (
    BadRequest,
    DocumentInvalid,
    DocumentNotTrusted,
    DocumentRefused,
    DocumentUnknown,
    PointsExhausted,
)

#: From the headers and the id of the request to who asks; raises a PerisaiError if nobody.
Authenticate = Callable[[Headers, str], Awaitable[Caller]]


class Exchange(Protocol):
    """One request of somebody who is signed in.

    Attributes:
        headers: what resolvers add to those of the answer.
    """

    headers: dict[str, str]

    def context(self, stream: Stream | None = None) -> object:
        """Give what resolvers find in `info.context`; asked for once, when it executes.

        Args:
            stream: of a subscription, what its resolver has to wake.
        """

    def left(self) -> float:
        """Give the seconds for which the caller is still signed in."""

    async def claim(self, key: str, asked: GraphQLRequest) -> tuple[int, dict[str, Any]] | None:
        """Claim the key of a change; None: it is to be made, else the answer.

        Raises:
            PerisaiError: it is neither.
        """

    async def end(self, data: Mapping[str, Any] | None) -> None:
        """Tell how the change ended whose key was claimed; None: with errors."""

    def receipt(self) -> str:
        """Give the receipt of what was appended to the log; asked for when all is done."""


#: From who asks and the id of the request to its exchange.
Begin = Callable[[Caller, str], Exchange]


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms faces serve.

    Attributes:
        allowances: what each member may still ask for.
        introspection: the roles that are told the schema.
        adhoc: the roles that may send a text of their own; others name trusted documents.
        seconds: how long a request may take.
        pause: seconds for which some refusals are held back.
        get_too: GET is served beside POST, as an audit wants it; never with real records.
        streams: the open subscriptions.
    """

    allowances: Allowances = field(default_factory=Allowances)
    introspection: frozenset[Role] = frozenset()
    adhoc: frozenset[Role] = frozenset()
    seconds: float = REQUEST_SECONDS
    pause: float = PAUSE_SECONDS
    get_too: bool = False
    streams: Streams = field(default_factory=Streams)


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation that is fit to be executed, once or again with each change.

    Attributes:
        key: by which the client names it, if it is a change; see `idempotency_keys`.
    """

    document: DocumentNode
    asked: GraphQLRequest
    weight: Weight
    key: str | None = None


@dataclass(frozen=True, slots=True)
class _Answered:
    """What an operation was answered with.

    Attributes:
        subscribes: it is a subscription.
        stream: how it goes on; None: it does not.
    """

    status: int
    answer: dict[str, Any]
    subscribes: bool = False
    stream: Stream | None = None


def new_request_id() -> str:
    """Make the id of one request; clients never choose it, since the log names it."""
    return uuid.uuid4().hex


class Face:
    """An ASGI application that serves one schema to one audience.

    Attributes:
        trusted: the documents that requests may name.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        authenticate: Authenticate,
        begin: Begin,
        terms: Terms | None = None,
        documents: Path | None = None,
        request_id: Callable[[], str] = new_request_id,
    ) -> None:
        """Bind the schema to the functions that say who asks and begin the exchange.

        Args:
            documents: folder of the face's trusted documents; None: it has none.

        Raises:
            RefusesToStart: the schema has extensions or directives, which would be
                passed over here; or a trusted document cannot be taken.
        """
        if schema.extensions or schema.directives:
            raise RefusesToStart("A face executes no strawberry extensions or directives.")
        self._schema = schema._schema  # strawberry has no public name for it.
        self._executor = schema.execution_context_class
        self._documents = Documents(self._schema)
        self.trusted = TrustedDocuments(self._schema)
        if documents is not None:
            self.trusted.read(documents)
        self._authenticate = authenticate
        self._begin = begin
        self._terms = terms or Terms()
        self._request_id = request_id
        #: Changes that took too long to be waited for; each goes on to its end.
        self._going_on: set[asyncio.Future[Any]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        headers, request = Headers(scope=scope), self._request_id()
        accept = headers.get("accept", "")
        kind = media_type(accept)
        more: dict[str, str] = {}
        caller: Caller | None = None
        exchange: Exchange | None = None
        stream: Stream | None = None
        as_events = False
        try:
            check_head(scope, headers, get_too=self._terms.get_too)
            caller = await self._authenticate(headers, request)
            exchange = self._begin(caller, request)
            done = await self._in_turn(scope, receive, caller, exchange, accept)
            status, stream, more = done.status, done.stream, dict(exchange.headers)
            body = encode(with_receipt(done.answer, exchange.receipt()))
            as_events = status == 200 and (done.subscribes or takes_events_only(accept))
        except ClientDisconnect:
            return
        except Exception as error:
            refusal = error if isinstance(error, PerisaiError) else PerisaiError()
            if refusal is not error:
                log_unexpected(error, request)
            more = headers_of(refusal, headers)
            status, answer = _status(refusal, kind), of_refusal(refusal, request)
            # Who is not signed in gets none: there is nobody to bind it to.
            receipt = None if exchange is None else exchange.receipt()
            body = encode(with_receipt(answer, receipt))
            forget_frames([error])
        try:
            more |= await self._left(caller)
            if as_events:
                head = _headers(EVENT_STREAM, request) | more | UNBUFFERED
                await self._terms.streams.answer(send, receive, head, body, stream)
            else:
                await send_whole(send, status, body, _headers(kind, request) | more)
        finally:
            if stream is not None:
                stream.close()

    async def _again(
        self, headers: Headers, caller: Caller, operation: _Operation, stream: Stream
    ) -> bytes | None:
        """Answer a subscription with what stands now; None: nothing is to be told.

        It is executed as a request of its own: nothing that was decided before counts. What
        cannot be answered ends the stream, whatever the reason; what cannot be answered now
        tells nothing, since what woke it may be nothing that the caller may know of.
        """
        stream.silent = False
        try:
            if "authorization" not in headers:
                # A browser's session, which may have been ended since; a token is good until it
                # is over, and a proof with it only once.
                await self._authenticate(headers, caller.request)
            exchange = self._begin(caller, caller.request)
            status, answer = await self._execute(caller, operation, exchange, stream)
            if stream.silent or status == StoreUnavailable.status:
                return None
            if status == 200 and "errors" not in answer:
                # After it: the points that are left must not tell what stays untold.
                await self._terms.allowances.spend(caller.member, 1)
                return encode(with_receipt(answer, exchange.receipt()))
        except Exception as error:
            if not isinstance(error, PerisaiError):
                log_unexpected(error, caller.request)
            elif isinstance(error, CallerBusy) or error.status == StoreUnavailable.status:
                return None
            forget_frames([error])
        stream.ended = True
        return None

    async def _in_turn(
        self, scope: Scope, receive: Receive, caller: Caller, exchange: Exchange, accept: str
    ) -> _Answered:
        """Answer as one of the requests that *caller* may have at once."""
        allowances, member = self._terms.allowances, caller.member
        try:
            with allowances.one_more(member):
                try:
                    done = await self._answer(scope, receive, caller, exchange, accept)
                except _HELD_BACK:
                    await asyncio.sleep(self._terms.pause * allowances.refused(member))
                    raise
                if done.status == DocumentInvalid.status:  # Its variables do not fit.
                    await asyncio.sleep(self._terms.pause * allowances.refused(member))
                    status = _status(DocumentInvalid(), media_type(accept))
                    done = replace(done, status=status)
                else:
                    allowances.answered(member)
                return done
        except CallerBusy:
            with allowances.held(member) as few:
                if few:
                    await asyncio.sleep(self._terms.pause * allowances.refused(member))
            raise

    async def _answer(
        self, scope: Scope, receive: Receive, caller: Caller, exchange: Exchange, accept: str
    ) -> _Answered:
        allowances = self._terms.allowances
        # Before the body is read: who has nothing left costs no more than a sign-in.
        await allowances.spend(caller.member, 1)
        if scope["method"] == "GET":
            sent: bytes = scope["query_string"]
        else:
            sent = await read_body(receive)
        async with allowances.one_check(caller.member, self._terms.pause / BREATHS):
            asked = (parse_query_string if scope["method"] == "GET" else parse_request)(sent)
            document = await self._document(asked, caller)
            weight = weigh(document, asked.operation_name, asked.variables)
        if (weight.changes or weight.subscribes) and scope["method"] == "GET":
            raise MethodNotAllowed
        if weight.introspects and caller.role not in self._terms.introspection:
            raise IntrospectionRefused
        if weight.subscribes and not takes_events(accept):
            raise EventStreamNeeded
        if weight.points > 1:
            await allowances.spend(caller.member, weight.points - 1)
        key = key_of(Headers(scope=scope)) if weight.changes else None
        operation = _Operation(document, asked, weight, key)
        if not weight.subscribes:
            return _Answered(*await self._execute(caller, operation, exchange))
        again = partial(self._again, Headers(scope=scope), caller, operation)
        stream = self._terms.streams.start(caller.member, caller.organisation, exchange.left, again)
        try:
            status, answer = await self._execute(caller, operation, exchange, stream)
        except BaseException:
            stream.close()
            raise
        if status != 200 or "errors" in answer:
            stream.close()
        return _Answered(status, answer, subscribes=True, stream=stream)

    async def _execute(
        self,
        caller: Caller,
        operation: _Operation,
        exchange: Exchange,
        stream: Stream | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Execute; a subscription once, as if it were a query."""
        asked, weight, key = operation.asked, operation.weight, operation.key
        if key is not None:
            before = await exchange.claim(key, asked)
            if before is not None:
                return before
        result = execute(
            self._schema,
            operation.document,
            context_value=exchange.context(stream),
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            executor_class=self._executor,
            hide_suggestions=True,
        )
        if key is not None:
            result = _ended(result, exchange)
        if isawaitable(result):
            result = await self._in_time(result, changes=weight.changes > 0)
        status, answer = of_result(result, caller.request)
        if weight.changes > 1 and status == ChangeUnconfirmed.status:
            # Of several changes one may stand, though a later one failed.
            raise ChangeUnconfirmed
        return status, answer

    async def _document(self, asked: GraphQLRequest, caller: Caller) -> DocumentNode:
        """Give what is to be executed: a trusted document, or a text of who may send one.

        Raises:
            DocumentUnknown, DocumentNotTrusted: neither; nothing was parsed.
            DocumentRefused, DocumentInvalid: the text is not fit; its points are spent.
        """
        if asked.document_id is not None:
            return self.trusted.document(asked.document_id)
        if asked.query is None or caller.role not in self._terms.adhoc:
            raise DocumentNotTrusted
        try:
            return self._documents.prepare(asked.query)
        except (DocumentRefused, DocumentInvalid):
            await self._terms.allowances.spend(caller.member, UNFIT_POINTS)
            raise

    async def _in_time(
        self, result: Awaitable[ExecutionResult], *, changes: bool
    ) -> ExecutionResult:
        """Wait for *result* as long as a request may take.

        Raises:
            TimedOut: a reading took longer; it is ended.
            ChangeUnconfirmed: a change did; it goes on, since half of it would be worse.
        """
        if not changes:
            try:
                async with asyncio.timeout(self._terms.seconds):
                    return await result
            except TimeoutError:
                raise TimedOut from None
        going_on = asyncio.ensure_future(result)
        self._going_on.add(going_on)
        going_on.add_done_callback(self._going_on.discard)
        done, _ = await asyncio.wait([going_on], timeout=self._terms.seconds)
        if not done:
            raise ChangeUnconfirmed
        return going_on.result()

    async def _left(self, caller: Caller | None) -> dict[str, str]:
        if caller is None:
            return {}
        return (await self._terms.allowances.standing(caller.member)).headers()


async def _ended(
    result: ExecutionResult | Awaitable[ExecutionResult], exchange: Exchange
) -> ExecutionResult:
    """Wait for a change whose key was claimed, however long, and tell how it ended."""
    done = await result if isawaitable(result) else result
    await exchange.end(None if done.errors else done.data)
    return done


def _status(refusal: PerisaiError, kind: str) -> int:
    """Give the status: 200 where the request was well formed and the client knows JSON only.

    GraphQL over HTTP (working draft, 6.4.1): without the media type of GraphQL a status
    may come from a proxy, so a client must not take 400 for an answer of the schema.
    """
    if isinstance(refusal, DocumentInvalid) and kind != GRAPHQL_JSON:
        return 200
    return refusal.status


def _headers(kind: str, request: str) -> dict[str, str]:
    return {
        "content-type": f"{kind}; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request,
        "vary": "accept",
    }


def headers_of(error: PerisaiError, asked: Headers) -> dict[str, str]:
    """Give the headers that go with *error*, beside those of every answer."""
    if isinstance(error, MethodNotAllowed):
        return {"allow": "POST"}
    if isinstance(error, CallerBusy | RequestUnderWay):
        return {"retry-after": "1"}
    www = challenge(error, asked.get("authorization"))
    return {} if www is None else {"www-authenticate": www}


async def send_whole(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    """Send an answer that is there as a whole."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
