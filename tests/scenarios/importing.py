"""Words that the scenarios of imports share: a file, what its columns mean, how to send them."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

from api.app import served
from api.schema.imports import CONTENT_TYPE, IMPORTS, MODE_HEADER, ImportLimits, Imports
from tests.inside import Inside
from tests.world import World

NAMES = "Nama;Alias;NIK;Telepon;Provinsi;Urgensi;Kerahasiaan;Dibuka;Kasus;Kronologi"
#: Made up; the identifiers are of nobody, and each stands in no other test.
ROWS = (
    "Xaveria Ngabdurrahman;Bu Xav|Mbak Ve;3174014507850091;0812 9001 7711;DKI;tinggi;2;"
    "17/08/2021;ancaman;Diancam di depan kantornya oleh rombongan bermotor.",
    "Yosafat Mbelinggoro;;5371011203790042;+62 813-9002-8822;NTT;biasa;3;03/01/2019;"
    "ancaman|kekerasan seksual;",
    'Zulkarnaen Tobelopapua;-;-;0811 9003 9933;DKI;biasa;1;31/12/2020;;"Dua baris;\nsatu sel."',
)
#: Rows that are not sound.
BAD_NIK = "Samuel Wanggai;;3174014599850091;0812 9004 1111;DKI;biasa;2;01/02/2020;;"
NO_DATE = "Paulina Wanggai;;;0812 9004 2222;DKI;biasa;2;2020/02/01;;"
FORMULA = '"=HYPERLINK(""http://x"")";;;0812 9004 3333;DKI;biasa;2;01/02/2020;;'
#: What of ROWS is sealed and long enough to be looked for.
SECRETS = (
    "Xaveria Ngabdurrahman", "Mbak Ve", "3174014507850091", "0812 9001 7711", "6281290017711",
    "Yosafat Mbelinggoro", "5371011203790042", "6281390028822", "Zulkarnaen Tobelopapua",
    "Diancam di depan kantornya",
)  # fmt: skip

MAPPING: dict[str, Any] = {
    "caseFile": {
        "status": {"constant": "closed"},
        "province": {"column": "Provinsi", "values": {"DKI": "31", "NTT": "53"}},
        "urgency": {"column": "Urgensi", "values": {"tinggi": "urgent", "biasa": "routine"}},
        "sensitivity": "Kerahasiaan",
        "openedOn": {"column": "Dibuka", "dateForm": "DD/MM/YYYY"},
        "incidentKinds": {
            "column": "Kasus",
            "values": {"ancaman": "threat", "kekerasan seksual": "sexual_violence"},
        },
        "account": "Kronologi",
    },
    "defenders": [{"fullName": "Nama", "aliases": "Alias", "nik": "NIK", "phones": "Telepon"}],
}

Lines = list[dict[str, Any]]


def table(*rows: str, names: str = NAMES) -> bytes:
    return "\r\n".join([names, *(rows or ROWS), ""]).encode()


def body(content: bytes, mapping: Any = MAPPING) -> bytes:
    return json.dumps(mapping).encode() + b"\n" + content


def headers(world: World, who: str, mode: str, purpose: str | None = "intake") -> dict[str, str]:
    found = world.signed_in(who, IMPORTS) | {"content-type": CONTENT_TYPE, MODE_HEADER: mode}
    return found if purpose is None else found | {"perisai-purpose": purpose}


async def send(
    world: World,
    who: str,
    content: bytes | None = None,
    mode: str = "preview",
    *,
    mapping: Any = MAPPING,
    purpose: str | None = "intake",
    more: dict[str, str] | None = None,
) -> httpx.Response:
    """Send a file as *who*."""
    return await world.client.post(
        IMPORTS,
        content=body(table() if content is None else content, mapping),
        headers={**headers(world, who, mode, purpose), **(more or {})},
    )


async def told(*arguments: Any, **options: Any) -> Lines:
    """Send a file that must be answered line by line; give the lines but those of progress."""
    answer = await send(*arguments, **options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [line for line in lines(answer.content) if line["kind"] != "progress"]


def lines(content: bytes) -> Lines:
    return [json.loads(line) for line in content.splitlines()]


def of(kind: str, found: Sequence[dict[str, Any]]) -> Lines:
    return [line for line in found if line["kind"] == kind]


def codes(answer: httpx.Response) -> list[str]:
    """Give the codes of an answer that is an error as a whole."""
    found = json.loads(answer.content)
    assert answer.headers["content-type"] == "application/json"
    assert set(found) <= {"errors", "extensions"}
    return [error["extensions"]["code"] for error in found["errors"]]


async def sent_raw(
    inside: Inside,
    who: str,
    content: bytes,
    gone_after: int,
    batch: int,
    then: Callable[[dict[str, Any]], Awaitable[None] | None] = lambda _line: None,
) -> Lines:
    """Import as a client whose line breaks after so many lines; give what it got.

    Args:
        then: what happens when a line came.
    """
    app = served(inside.house, inside.world.settings, inside.world.clock)[IMPORTS]
    assert isinstance(app, Imports)
    app = Imports(inside.house, app.authenticate, ImportLimits(batch=batch))
    got: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body(content), "more_body": False}

    async def take(message: Any) -> None:
        if message["type"] == "http.response.body":
            if len(got) == gone_after:
                raise OSError
            got.append(message["body"])
            done = then(json.loads(message["body"]))
            if done is not None:
                await done

    scope = {
        "type": "http",
        "method": "POST",
        "path": IMPORTS,
        "headers": [
            (name.encode(), value.encode())
            for name, value in headers(inside.world, who, "run").items()
        ],
    }
    await app(scope, receive, take)
    return lines(b"".join(got))
