"""Read one GraphQL request out of an HTTP request, and refuse what is none.

It follows GraphQL over HTTP (working draft, 5 and 6, appendix A): POST, and GET only where a
face is audited. What is malformed is refused here and never becomes a fault further down.
"""

import asyncio
import json
import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from api.errors import BadRequest, BodyTooLarge, MethodNotAllowed, TimedOut

#: The most that a body may have, bytes.
BODY_MOST = 64 * 1024

#: Seconds in which a body must be there: 64 KiB at 6.4 KiB/s.
BODY_SECONDS = 10.0

#: Half of a surrogate pair can only enter through one of these escapes.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class ContentTypeRefused(BadRequest):
    """The body is said to be something other than JSON in UTF-8."""

    status = 415


class BodyTooSlow(TimedOut):
    """The body did not come in time."""

    status = 408


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client wants executed; its variables may be anybody's identity.

    Attributes:
        query: a text of the client's own; None: it names a trusted document.
        document_id: as it was sent; None: there is a text.
    """

    query: str | None = field(repr=False)
    document_id: str | None = field(repr=False)
    variables: dict[str, Any] | None = field(repr=False)
    operation_name: str | None


def check_head(scope: MutableMapping[str, Any], headers: Headers, *, get_too: bool = False) -> None:
    """Refuse by method and headers, before anything of the body is read.

    Demanding the content type also keeps web pages of other origins out: a browser
    asks our permission before it sends this one, and gets none.

    Args:
        get_too: GET is let pass as well, which has no body and so no content type.

    Raises:
        MethodNotAllowed: the method is not POST.
        ContentTypeRefused: the content type is not application/json in UTF-8.
        BodyTooLarge: the length that is announced is over the limit.
    """
    if get_too and scope["method"] == "GET":
        return
    if scope["method"] != "POST":
        raise MethodNotAllowed
    kind, *parameters = headers.get("content-type", "").lower().split(";")
    if kind.strip() != "application/json" or "content-encoding" in headers:
        raise ContentTypeRefused
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise ContentTypeRefused
    length = headers.get("content-length", "")
    if len(length) > len(str(BODY_MOST)) or (length.isdecimal() and int(length) > BODY_MOST):
        raise BodyTooLarge


async def read_body(receive: Receive) -> bytes:
    """Read the body, never more of it than may be.

    Raises:
        BodyTooLarge: it is over the limit.
        BodyTooSlow: it is not there in time.
        ClientDisconnect: nobody waits for an answer.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(receive)
    except TimeoutError:
        raise BodyTooSlow from None


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > BODY_MOST:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def parse_request(body: bytes) -> GraphQLRequest:
    """Read the JSON of a request.

    Raises:
        BadRequest: not UTF-8, not JSON, not an object, or not of the right members.
    """
    try:
        parsed = _json(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadRequest from None
    if not isinstance(parsed, dict):
        raise BadRequest
    return _request(parsed)


def parse_query_string(query: bytes) -> GraphQLRequest:
    """Read a request out of the address of a GET, for a face that is audited.

    Raises:
        BadRequest: not UTF-8, a member twice, or what `parse_request` refuses.
    """
    if len(query) > BODY_MOST:
        raise BadRequest
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=8
        )
        parsed: dict[str, Any] = dict(pairs)
        for name in ("variables", "extensions"):
            if name in parsed:
                parsed[name] = _json(parsed[name])
    except (ValueError, RecursionError):
        raise BadRequest from None
    if len(parsed) != len(pairs):
        raise BadRequest
    return _request(parsed)


def _json(text: str) -> Any:
    """Read JSON of whole characters (RFC 8259).

    Raises:
        ValueError, RecursionError: it is none.
    """
    parsed = json.loads(text, parse_constant=_no_constant)
    if _SURROGATE.search(text):
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    return parsed


def _request(members: dict[str, Any]) -> GraphQLRequest:
    query, document_id = members.get("query"), members.get("documentId")
    variables = members.get("variables")
    operation_name, extensions = members.get("operationName"), members.get("extensions")
    if (
        not isinstance(query, str | None)
        or not isinstance(document_id, str | None)
        or (query is None) is (document_id is None)
        or not isinstance(variables, dict | None)
        or not isinstance(operation_name, str | None)
        or not isinstance(extensions, dict | None)
    ):
        raise BadRequest
    return GraphQLRequest(query, document_id, variables, operation_name)


def _no_constant(_: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON (RFC 8259, 6)."""
    raise ValueError
