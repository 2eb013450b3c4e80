"""How a request goes to one face, and how its refusal is told."""

from collections.abc import Callable
from hashlib import sha256
from inspect import cleandoc
from typing import Any

import httpx
from pydantic_core import to_jsonable_python

from .base_model import UNSET, BaseModel


class Refused(Exception):
    """The service refused; the message has codes, and nothing of a record.

    Attributes:
        codes: stable codes of the errors, each on the page of errors; none where a proxy answered.
        status: of HTTP.
        request_id: what the operators need in order to look into it.
    """

    def __init__(self, codes: tuple[str, ...], status: int, request_id: str | None) -> None:
        super().__init__(f"{', '.join(codes) or 'no answer of Perisai'}, status {status}")
        self.codes = codes
        self.status = status
        self.request_id = request_id


class Connection:
    """Asks one face as one member for one purpose.

    Args:
        address: of the face, such as https://perisai.example/graphql/agency.
        token: gives an access token that is good now; it is asked before each request.
        purpose: why records are opened, as in `Purpose` but in lower case.
        http: sends the requests, with its own limits of time; who made it closes it.
        trusted: the operators admitted the documents: their hashes are sent, and not their text.
    """

    def __init__(
        self,
        address: str,
        token: Callable[[], str],
        purpose: str,
        http: httpx.AsyncClient,
        *,
        trusted: bool = False,
    ) -> None:
        self._address = address
        self._token = token
        self._purpose = purpose
        self._http = http
        self._trusted = trusted

    async def execute(
        self,
        query: str,
        operation_name: str,
        variables: dict[str, object],
        *,
        idempotency_key: str | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Post one operation, byte for byte as its document; *more* is for httpx, as `timeout`.

        Args:
            idempotency_key: a new one for each change, such as `str(uuid4())`, and the same one
                when it is sent again; then it is made once.
        """
        given = {name: _plain(v) for name, v in variables.items() if v is not UNSET}
        key = {} if idempotency_key is None else {"idempotency-key": f'"{idempotency_key}"'}
        text = cleandoc(query) + "\n"
        document = (
            {"documentId": f"sha256:{sha256(text.encode()).hexdigest()}"}
            if self._trusted
            else {"query": text}
        )
        return await self._http.post(
            self._address,
            json={**document, "operationName": operation_name, "variables": given},
            headers={
                "authorization": f"Bearer {self._token()}",
                "perisai-purpose": self._purpose,
                "accept": "application/graphql-response+json",
                **key,
            },
            **more,
        )

    def get_data(self, response: httpx.Response) -> dict[str, Any]:
        """Give the data of an answer.

        Raises:
            Refused: there are errors, or the answer is none of the service.
        """
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or "errors" in body or "data" not in body:
            errors = body.get("errors", []) if isinstance(body, dict) else []
            codes = tuple(str(e.get("extensions", {}).get("code")) for e in errors)
            raise Refused(codes, response.status_code, response.headers.get("x-request-id"))
        data: dict[str, Any] = body["data"]
        return data


def _plain(value: object) -> object:
    """Make JSON of a value; what was not set in an input is not sent."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return to_jsonable_python(value)
