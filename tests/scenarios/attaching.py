"""Words that the scenarios of attachments share: contents of every kind, and how to send them."""

import io
import json
import random
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
from starlette.types import Message, Receive, Send

from api.app import served
from api.schema.attachments import ADD, READ, Attachments, Limits
from tests.inside import Inside
from tests.world import World

#: A name that no other test has, so that it can be searched for.
NAME = "Kesaksian Xaveria Ngabdurrahman.pdf"

LIST = """query ($id: ID!) { caseFile(id: $id) {
  attachments { id author writtenAt name mediaType size }
  withheld { field compartment reason } } }"""


def pdf(size: int, seed: int = 1) -> bytes:
    """Give *size* bytes that begin as a PDF does and repeat nothing."""
    head = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    return head + random.Random(seed).randbytes(size - len(head))


def zipped(*parts: str, mimetype: str | None = None) -> bytes:
    """Give a zip with these parts, as office programs write it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        if mimetype is not None:
            archive.writestr(zipfile.ZipInfo("mimetype"), mimetype)
        for part in parts:
            archive.writestr(part, "x" * 100)
    return held.getvalue()


def headers(
    world: World, subject: str, purpose: str | None = "protection", path: str = ADD
) -> dict[str, str]:
    found = world.signed_in(subject, path)
    return found if purpose is None else found | {"perisai-purpose": purpose}


async def upload(
    world: World,
    subject: str,
    case_file: object,
    content: bytes | AsyncIterator[bytes],
    name: str = NAME,
    *,
    purpose: str | None = "protection",
    more: dict[str, str] | None = None,
) -> httpx.Response:
    """Add an attachment as *subject*."""
    return await world.client.post(
        "/attachments",
        content=content,
        headers={
            **headers(world, subject, purpose),
            "content-type": "application/octet-stream",
            "perisai-case-file": str(case_file),
            "perisai-file-name": f"UTF-8''{quote(name, safe='')}",
            **(more or {}),
        },
    )


async def added(world: World, subject: str, case_file: object, content: bytes, **more: Any) -> UUID:
    """Add an attachment that must be kept; give its id."""
    answer = await upload(world, subject, case_file, content, **more)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["data"]["attachmentId"])


async def download(
    world: World,
    subject: str,
    attachment: object,
    *,
    purpose: str | None = "protection",
    more: dict[str, str] | None = None,
) -> httpx.Response:
    """Read an attachment as *subject*."""
    return await world.client.post(
        "/attachments/content",
        headers={
            **headers(world, subject, purpose, READ),
            "perisai-attachment": str(attachment),
            **(more or {}),
        },
    )


async def listed(world: World, subject: str, case_file: object, **options: Any) -> dict[str, Any]:
    """Read the list of attachments of one case file, and what was withheld of it."""
    answer = await world.ask(subject, LIST, {"id": str(case_file)}, **options)
    found: dict[str, Any] = answer.data["caseFile"]
    return found


def codes(answer: httpx.Response) -> list[str]:
    """Give the codes of an answer that is an error; it has no data."""
    body = json.loads(answer.content)
    assert answer.headers["content-type"] == "application/json"
    assert "data" not in body
    return [error["extensions"]["code"] for error in body["errors"]]


async def nothing() -> Message:
    """Receive an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def asked_raw(
    inside: Inside,
    path: str,
    sent_headers: dict[str, str],
    *,
    receive: Receive = nothing,
    send: Send,
    limits: Limits | None = None,
) -> None:
    """Make one request as a server makes it, so that a test is the client's line itself."""
    app = served(inside.house, inside.world.settings, inside.world.clock)[path]
    assert isinstance(app, Attachments)
    if limits is not None:
        app = Attachments(inside.house, app.authenticate, limits)
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(n.encode(), v.encode()) for n, v in sent_headers.items()],
    }
    await app(scope, receive, send)
