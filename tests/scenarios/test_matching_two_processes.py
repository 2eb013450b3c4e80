"""Two processes, neither of which holds a key of the other, find that they know one person.

Komnas HAM and LPSK each run `perisai serve` with keys of their own, as in
`test_sharing_two_processes`; nobody tells either of them to look.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from api.app import open_house
from api.casework.matched import found_in, open_sent
from api.errors import KeysUnavailable, SealBroken
from api.store import matching
from api.vocabulary import Role
from tests.postgresql import PostgresServer
from tests.scenarios.matching import ANSWER, MINE, REQUEST, WAITING
from tests.scenarios.test_sharing_two_processes import rows, running
from tests.scenarios.two_agencies import (
    PATIENCE,
    Agency,
    databases,
    found,
    introduced,
    now,
    said,
)

pytestmark = pytest.mark.long

OPEN = """mutation ($nik: String, $phones: [String!]) { openCaseFile(input: {urgency: IMMEDIATE,
  sensitivity: 3, province: "31", defenders: [{fullName: "Siti Rahasia", nik: $nik,
  phones: $phones}]}) { caseFile { id defenders { id } } errors { code } } }"""
NIK = "3273014708900002"


async def opened(agency: Agency, who: str, **person: Any) -> tuple[str, str]:
    body = await agency.ask(who, OPEN, person, purpose="intake")
    made = body["data"]["openCaseFile"]["caseFile"]
    assert made, body
    return made["id"], made["defenders"][0]["id"]


async def listed(agency: Agency, who: str, query: str) -> list[dict[str, Any]]:
    body = await agency.ask(who, query, {"first": 20}, purpose="referral")
    assert "errors" not in body, body
    [shown] = body["data"].values()
    return list(shown)


async def until(wanted: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what a process does when it looks."""
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        if await wanted():
            return
        await asyncio.sleep(0.2)
    raise AssertionError("it did not happen")


async def test_two_processes_match_one_person_and_share_no_key_and_no_tag(
    server: PostgresServer, tmp_path: Path
) -> None:
    database = server.create_database()
    await databases(tmp_path, database)
    a = await found(tmp_path, database, "komnas-ham", "KH", {"sari": Role.CASE_OFFICER})
    b = await found(
        tmp_path,
        database,
        "lpsk",
        "LP",
        {"wayan": Role.PROTECTION_OFFICER, "hasan": Role.SUPERVISOR},
    )
    await introduced(a, b)

    async def ask(person: str) -> str:
        given = {"defenderId": person, "recipient": "lpsk", "reason": "SAME_COMPLAINT"}
        return str((await a.change("sari", REQUEST, {"input": given}))["requestId"])

    async with running(a):
        _, known = await opened(a, "sari", nik=NIK)
        _, unknown = await opened(a, "sari", phones=["081234567890"])
        made, other = await ask(known), await ask(unknown)
        await only_the_recipient_opens(a, b)

        async with running(b):
            file, theirs = await opened(b, "wayan", nik=NIK)
            # Whoever was sent before is looked for as who comes later; each once.
            third = await ask(known)
            await until(lambda: looked(a, 3))
            waiting = await listed(b, "hasan", WAITING)
            assert {one["defenderId"] for one in waiting} == {theirs}
            assert third in {one["id"] for one in waiting}
            assert other not in {one["id"] for one in waiting}
            assert {one["state"] for one in await listed(a, "sari", MINE)} == {"SENT"}
            given = {"id": third, "answer": "CONFIRM"}
            assert (await b.change("hasan", ANSWER, given))["caseFileId"] == file
            await until(lambda: linked(a, third))
            states = {one["id"]: one["state"] for one in await listed(a, "sari", MINE)}
            assert states == {third: "LINKED", made: "SENT", other: "SENT"}

    tags = await rows(database, "select agency, field, tag from defender_tag")
    mine, others = (
        {bytes(tag) for agency, _, tag in tags if agency == slug} for slug in (a.slug, b.slug)
    )
    assert mine
    assert others
    assert mine.isdisjoint(others)
    assert {
        length for (length,) in await rows(database, "select length(result) from match_hit")
    } == {160}
    assert await rows(database, "select 1 from match_request where length(sealed) > 0") == []
    assert "The log holds" in await said(a, "log", "verify")
    server.drop_database(database)


async def looked(agency: Agency, many: int) -> bool:
    """Tell whether the other process took away what was sent to it."""
    async with open_house(agency.settings) as house, house.records.snapshot() as snapshot:
        left = await matching.to_look_up(snapshot, ["lpsk"], now())
        since = now().replace(year=2000)
        return (
            not left
            and await matching.looked_for_since(snapshot, "lpsk", agency.slug, since) == many
        )


async def linked(agency: Agency, request: str) -> bool:
    return any(
        one["id"] == request and one["state"] == "LINKED"
        for one in await listed(agency, "sari", MINE)
    )


async def only_the_recipient_opens(a: Agency, b: Agency) -> None:
    """Claim that what is on its way opens in the process of LPSK, and not where it was made."""
    async with open_house(b.settings) as house:
        async with house.records.snapshot() as snapshot:
            waiting = await matching.to_look_up(snapshot, ["lpsk"], now())
            read = [await matching.request(snapshot, one.id) for one in waiting]
        sent = [row for row in read if row is not None]
        opened = [open_sent(house, row) for row in sent]
        assert opened == [[("nik", NIK)], [("phone", "+6281234567890")]]
    async with open_house(a.settings) as house:
        for row in sent:
            for recipient in (a.slug, b.slug):
                with pytest.raises((KeysUnavailable, SealBroken)):
                    open_sent(house, {**row, "recipient": recipient})
            with pytest.raises(KeysUnavailable):
                found_in(
                    house,
                    {**row, "agency": b.slug, "request": row["id"]}
                    | dict.fromkeys(("looked_at", "result")),
                )
