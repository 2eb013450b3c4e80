"""Read one GraphQL request out of an HTTP request, and refuse what is none.

It follows GraphQL over HTTP (working draft, 5 and 6) for POST; nothing else is
served. What is malformed is refused here and never becomes a fault further down.
"""

import json
import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from api.errors import BadRequest, BodyTooLarge, MethodNotAllowed

#: The most that a body may have, bytes.
BODY_MOST = 64 * 1024

#: Half of a surrogate pair can only enter through one of these escapes.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class ContentTypeRefused(BadRequest):
    """The body is said to be something other than JSON in UTF-8."""

    status = 415


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client wants executed; its variables may be anybody's identity."""

    query: str = field(repr=False)
    variables: dict[str, Any] | None = field(repr=False)
    operation_name: str | None


def check_head(scope: MutableMapping[str, Any], headers: Headers) -> None:
    """Refuse by method and headers, before anything of the body is read.

    Demanding the content type also keeps web pages of other origins out: a browser
    asks our permission before it sends this one, and gets none.

    Raises:
        MethodNotAllowed: the method is not POST.
        ContentTypeRefused: the content type is not application/json in UTF-8.
        BodyTooLarge: the length that is announced is over the limit.
    """
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
        ClientDisconnect: nobody waits for an answer.
    """
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
        text = body.decode("utf-8")
        parsed = json.loads(text, parse_constant=_no_constant)
        if _SURROGATE.search(text):
            json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise BadRequest from None
    if not isinstance(parsed, dict):
        raise BadRequest
    query, variables = parsed.get("query"), parsed.get("variables")
    operation_name, extensions = parsed.get("operationName"), parsed.get("extensions")
    if (
        not isinstance(query, str)
        or not isinstance(variables, dict | None)
        or not isinstance(operation_name, str | None)
        or not isinstance(extensions, dict | None)
    ):
        raise BadRequest
    return GraphQLRequest(query, variables, operation_name)


def _no_constant(_: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON (RFC 8259, 6)."""
    raise ValueError
