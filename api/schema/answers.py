"""What an answer says: data, or errors with a stable code and nothing internal.

A message is always one of those in api/errors or made of names in the schema. The
text of an exception never leaves and is never logged: it may hold a value.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from graphql import ExecutionResult, GraphQLError

from api.errors import DocumentInvalid, NotSignedIn, PerisaiError
from api.schema.documents import DocumentWithProblems, cause_of

_log = structlog.get_logger("perisai.schema")

#: The media type of GraphQL over HTTP, and what older clients accept.
GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"

#: The status at which a part that the whole answer stands on has failed.
_UNAVAILABLE = 503

#: How graphql-core begins an error on a variable; all after it may repeat the value.
_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid value(?: at ([\w.\[\]]+))?: ")

_Json = dict[str, Any]


def media_type(accept: str) -> str:
    """Choose the media type: the one of GraphQL where the client names it."""
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == GRAPHQL_JSON and not any(re.fullmatch(r"q=0(\.0*)?", p) for p in parameters):
            return GRAPHQL_JSON
    return PLAIN_JSON


def encode(answer: Mapping[str, Any]) -> bytes:
    """Write an answer as JSON.

    Raises:
        ValueError: it holds what JSON cannot, such as NaN.
    """
    return json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8"
    )


def of_refusal(error: PerisaiError, request: str) -> _Json:
    """Say why a request was not executed; there is no data member then."""
    if isinstance(error, DocumentWithProblems):
        return {
            "errors": [
                _error(p.message, p.code, request, locations=_locations(p.locations))
                for p in error.problems
            ]
        }
    return {"errors": [_error(type(error).message, error.code, request)]}


def of_result(result: ExecutionResult, request: str) -> tuple[int, _Json]:
    """Give the status and the answer of an execution.

    Where a part that all stands on failed, nothing is answered, whatever else is
    there: an answer with holes would look like "there is no more".
    """
    errors = result.errors
    if not errors:
        return 200, {"data": result.data}
    causes = [(error, cause_of(error)) for error in errors]
    for error, cause in causes:
        if isinstance(cause, PerisaiError) and cause.status == _UNAVAILABLE:
            return _UNAVAILABLE, {"data": None, "errors": [_of_field(error, cause, request)]}
    if result.data is None and all(error.path is None for error in errors):
        return 400, {"errors": [_of_variables(error, cause, request) for error, cause in causes]}
    return 200, {
        "data": result.data,
        "errors": [_of_field(error, cause, request) for error, cause in causes],
    }


def challenge(error: PerisaiError, token_sent: bool) -> str | None:
    """Give the WWW-Authenticate header that goes with *error*, if one does (RFC 6750, 3)."""
    if not isinstance(error, NotSignedIn):
        return None
    return 'Bearer error="invalid_token"' if token_sent else "Bearer"


def log_unexpected(error: BaseException | None, request: str) -> None:
    """Tell the operators that something failed, by its type and our last frame."""
    _log.error("unexpected", error=type(error).__name__, place=_place(error), request=request)


def _of_field(error: GraphQLError, cause: Exception | None, request: str) -> _Json:
    if isinstance(cause, PerisaiError):
        message, code = type(cause).message, cause.code
    else:
        # An error of graphql-core's own may repeat a value that did not fit its type.
        log_unexpected(cause or error, request)
        message, code = PerisaiError.message, PerisaiError.code
    locations = [(at.line, at.column) for at in error.locations or ()]
    return _error(message, code, request, locations=_locations(locations), path=error.path)


def _of_variables(error: GraphQLError, cause: Exception | None, request: str) -> _Json:
    """Say that variables or the operation's name do not fit, without repeating any value."""
    if isinstance(cause, PerisaiError):
        return _error(type(cause).message, cause.code, request)
    named = _VARIABLE.match(error.message)
    if named is None:
        message = "The variables or the operation name do not fit the document."
    else:
        message = f"The value of the variable ${named[1]}{named[2] or ''} does not fit its type."
    return _error(message, DocumentInvalid.code, request)


def _error(message: str, code: str, request: str, **more: object) -> _Json:
    said: _Json = {"message": message}
    said.update((name, value) for name, value in more.items() if value)
    said["extensions"] = {"code": code, "requestId": request}
    return said


def _locations(locations: Iterable[tuple[int, int]]) -> list[dict[str, int]]:
    return [{"line": line, "column": column} for line, column in locations]


def _place(error: BaseException | None) -> str | None:
    """Name the file and line where *error* was raised; a place in the code holds no value."""
    trace = error.__traceback__ if error is not None else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return None
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
