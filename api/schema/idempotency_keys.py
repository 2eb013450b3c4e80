"""The header `Idempotency-Key`: how it is read, what it names, and how a repeat is told.

It follows draft-ietf-httpapi-idempotency-key-header-07: a string of a structured field (RFC 9651,
3.3.3), 409 while the first request is under way, 422 for a key that was sent with another one.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from api.casework import idempotency_keys
from api.casework.house import House
from api.casework.idempotency_keys import Claim, Repeat
from api.casework.receipts import Receipt
from api.errors import BadRequest, IdempotencyKeyInvalid
from api.schema.answers import of_refusal
from api.schema.incoming import GraphQLRequest
from api.vocabulary import Caller

HEADER = "idempotency-key"

#: The most characters that a key may have: a UUID has 36.
LONGEST = 64

#: A string of a structured field: a quote or a backslash in it stands behind a backslash.
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"')


def key_of(headers: Headers) -> str | None:
    """Read the key; None: there is no such header.

    Raises:
        IdempotencyKeyInvalid: it is no string of 1 to LONGEST characters, or there are two.
    """
    sent = headers.getlist(HEADER)
    if not sent:
        return None
    found = _STRING.fullmatch(sent[0].strip(" "))
    if len(sent) > 1 or found is None:
        raise IdempotencyKeyInvalid
    key = re.sub(r"\\(.)", r"\1", found[1])
    if len(key) > LONGEST:
        raise IdempotencyKeyInvalid
    return key


class Once:
    """One change with a key, from the claim to its end."""

    def __init__(self, house: House, caller: Caller, receipt: Receipt) -> None:
        """Take what the request has of its own; nothing is claimed yet."""
        self._house = house
        self._caller = caller
        self._receipt = receipt
        self._claim: Claim | None = None
        #: That of the first request, for whose answer a repeat asks.
        self.first: str | None = None

    async def claim(self, key: str, asked: GraphQLRequest) -> tuple[int, dict[str, Any]] | None:
        """Claim *key*; None: the change is to be made, else the answer.

        Raises:
            As `casework.idempotency_keys.claim`.
        """
        found = await idempotency_keys.claim(self._house, self._caller, key, _bytes(asked))
        if isinstance(found, Claim):
            self._claim = found
            return None
        self.first = found.receipt
        return _told(found, self._caller.request)

    async def end(self, data: Mapping[str, Any] | None) -> None:
        """Tell how the change ended whose key was claimed.

        Args:
            data: of the answer; None: it has errors.
        """
        if self._claim is not None:
            receipt = self._receipt
            await idempotency_keys.end(
                self._house, self._caller, self._claim, receipt.noted, data, receipt.token()
            )


def _told(repeat: Repeat, request: str) -> tuple[int, dict[str, Any]]:
    if repeat.error is None:
        return 200, {"data": repeat.data}
    answer = of_refusal(repeat.error(), request)
    if repeat.case_files:
        files = [str(file) for file in repeat.case_files]
        answer["errors"][0]["extensions"]["caseFileIds"] = files
    return repeat.error.status, answer


def _bytes(asked: GraphQLRequest) -> bytes:
    """Write what is asked for in one way, whatever order its variables came in.

    Raises:
        BadRequest: they are nested too deeply to be written.
    """
    parts = [asked.document_id, asked.query, asked.operation_name, asked.variables or {}]
    try:
        return json.dumps(parts, sort_keys=True).encode()
    except RecursionError:
        raise BadRequest from None
