"""Requests to an application with no server between, so that only the application counts."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp


async def ask(app: ASGIApp, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Give the answer of one GraphQL request; an error of it ends the benchmark."""
    answer: dict[str, Any] = json.loads(await post(app, path, headers, body))
    if "errors" in answer:
        raise SystemExit(f"{path}: {answer['errors'][0]['message']}")
    return answer


async def post(app: ASGIApp, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Post *body*, and give that of the answer."""
    sent: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    raw = {"content-type": "application/json", "accept": "application/json", **headers}
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(k.encode(), v.encode()) for k, v in raw.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "state": {},
        },
        receive,
        send,
    )
    return b"".join(sent)
