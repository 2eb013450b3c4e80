"""What an answer says: data, or errors with a stable code and nothing internal.

A message is always one of those in api/errors or made of names in the schema. The
text of an exception never leaves and is never logged: it may hold a value.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from graphql import ExecutionResult, GraphQLError

from api.errors import (
    DocumentInvalid,
    DpopProofInvalid,
    DpopRequired,
    NotSignedIn,
    PerisaiError,
)
from api.schema.documents import DocumentWithProblems, cause_of
from api.vocabulary import DPOP_ALGORITHMS

_log = structlog.get_logger("perisai.schema")

#: The media type of GraphQL over HTTP, and what older clients accept.
GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
#: That of server-sent events, in which subscriptions are answered.
EVENT_STREAM = "text/event-stream"

#: The status at which a part that the whole answer stands on has failed.
_UNAVAILABLE = 503

#: How graphql-core begins an error on a variable; all after it may repeat the value.
_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid value(?: at ([\w.\[\]]+))?: ")

#: Said with each challenge that asks for DPoP (RFC 9449, 7.1).
_ALGS = f'algs="{" ".join(DPOP_ALGORITHMS)}"'

#: Why a sign-in that holds is not enough (RFC 9470, 3).
INSUFFICIENT = "insufficient_user_authentication"

_Json = dict[str, Any]


def media_type(accept: str) -> str:
    """Choose the media type of a whole answer: the one of GraphQL where the client names it.

    Who takes events, and no plain JSON, is refused in that one, too: by its status.
    """
    named = _named(accept)
    if GRAPHQL_JSON in named or (EVENT_STREAM in named and PLAIN_JSON not in named):
        return GRAPHQL_JSON
    return PLAIN_JSON


def takes_events(accept: str) -> bool:
    """Tell whether the client takes a stream of events."""
    return EVENT_STREAM in _named(accept)


def takes_events_only(accept: str) -> bool:
    """Tell whether it takes nothing else that we send."""
    named = _named(accept)
    return EVENT_STREAM in named and named.isdisjoint({GRAPHQL_JSON, PLAIN_JSON, "*/*"})


def _named(accept: str) -> set[str]:
    """Name the media types that an Accept header takes."""
    found = set()
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if not any(re.fullmatch(r"q=0(\.0*)?", p) for p in parameters):
            found.add(name)
    return found


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
    try:
        return _of_errors(result.data, errors, request)
    finally:
        forget_frames(errors)


def _of_errors(data: Any, errors: Sequence[GraphQLError], request: str) -> tuple[int, _Json]:
    causes = [(error, cause_of(error)) for error in errors]
    for error, cause in causes:
        if isinstance(cause, PerisaiError) and cause.status == _UNAVAILABLE:
            return _UNAVAILABLE, {"data": None, "errors": [_of_field(error, cause, request)]}
    if data is None and all(error.path is None for error in errors):
        return 400, {"errors": [_of_variables(error, cause, request) for error, cause in causes]}
    return 200, {
        "data": data,
        "errors": [_of_field(error, cause, request) for error, cause in causes],
    }


def forget_frames(errors: Iterable[BaseException]) -> None:
    """Let go of the frames in which *errors* were raised, once they are told.

    They hold what was opened and asked for, and an error that a frame holds keeps it alive: both
    would stay until somebody looks for garbage.
    """
    waiting: list[BaseException | None] = list(errors)
    known: set[int] = set()
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in known:
            continue
        known.add(id(error))
        error.__traceback__ = None
        waiting += [error.__cause__, error.__context__, getattr(error, "original_error", None)]


def with_receipt(answer: _Json, receipt: str | None) -> _Json:
    """Add the receipt of the answer's events in the access log, if there is somebody to have it."""
    if receipt is None:
        return answer
    return {**answer, "extensions": {"accessLog": receipt}}


def challenge(error: PerisaiError, authorization: str | None) -> str | None:
    """Give the WWW-Authenticate header that goes with *error*, if one does.

    RFC 6750, 3 and RFC 9449, 7.1: both schemes are offered, save where only DPoP will do.

    Args:
        authorization: what was sent, of which the scheme alone is looked at.
    """
    if not isinstance(error, NotSignedIn):
        return None
    if isinstance(error, DpopProofInvalid):
        return f'DPoP error="invalid_dpop_proof", {_ALGS}'
    if isinstance(error, DpopRequired):
        return f'DPoP error="invalid_token", {_ALGS}'
    if authorization is None:
        return f"Bearer, DPoP {_ALGS}"
    if authorization.lower().startswith("dpop "):
        return f'DPoP error="invalid_token", {_ALGS}'
    return f'Bearer error="invalid_token", DPoP {_ALGS}'


def step_up(acr_values: Sequence[str], max_age: int) -> str:
    """Give the WWW-Authenticate header that asks for a stronger or newer sign-in (RFC 9470, 3)."""
    values = " ".join(acr_values)
    return f'Bearer error="{INSUFFICIENT}", acr_values="{values}", max_age="{max_age}"'


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
