"""Attachments: who may open the documents of a case file adds to them and reads them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from api.casework.attachments import CONTENT_MOST
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from api.vocabulary import Action, Compartment, Decision, Outcome, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, assert_change, counted, fields, reasons, records
from tests.scenarios.attaching import (
    NAME,
    added,
    codes,
    download,
    headers,
    listed,
    pdf,
    upload,
    zipped,
)
from tests.scenarios.test_existence_hiding import statements
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still  # Who is refused changes nothing.

ROWS = ("attachment", "attachment_chunk", "data_key")
CONTENT = pdf(3_000_001)


async def test_an_attachment_comes_back_whole_to_the_team_and_to_nobody_else(world: World) -> None:
    mine = world.records.open_to_sari
    world.clock.move(timedelta(minutes=5))
    before = await world.size()

    attachment = await added(world, SARI, mine, CONTENT)

    events = await world.events(before)
    assert len(events) == 2
    assert_change(events, Action.ADD_ATTACHMENT, Outcome.DONE)
    assert fields(events[0], Decision.ALLOWED) == {"content", "mediaType", "name", "size"}
    assert {c for t in events[0].touched for c in t.compartments} == {Compartment.DOCUMENTS}
    assert records(events[0], RecordKind.CASE_FILE) == {mine}
    assert records(events[0], RecordKind.ATTACHMENT) == {attachment}
    assert events[1].intent == before

    answer = await download(world, SARI, attachment)

    assert (answer.status_code, answer.content) == (200, CONTENT)
    [event] = await world.events(before + 2)
    assert (event.action, event.decision) == (Action.READ, Decision.DISCLOSED)
    assert fields(event, Decision.DISCLOSED) == {"content", "mediaType", "name", "size"}
    assert records(event, RecordKind.ATTACHMENT, Decision.DISCLOSED) == {attachment}
    assert records(event, RecordKind.CASE_FILE, Decision.DISCLOSED) == {mine}
    colleague = await download(world, "maria", attachment)
    assert (colleague.status_code, codes(colleague)) == (403, ["NOT_ALLOWED"])
    stranger = await download(world, WAYAN, attachment)
    assert (stranger.status_code, codes(stranger)) == (404, ["NOT_FOUND"])


async def test_an_answer_with_bytes_is_kept_by_nobody_and_shown_by_no_browser(
    world: World,
) -> None:
    name = 'Foto "bukti"; ibu é\u202egnp.JPG'
    attachment = await added(world, SARI, world.records.open_to_sari, pdf(20), name=name)

    answer = await download(world, SARI, attachment, more={"range": "bytes=0-3"})

    assert answer.status_code == 200  # RFC 9110, 14.2: a range may be passed over
    assert answer.content == pdf(20)
    sent = dict(answer.headers)
    assert len(sent.pop("x-request-id")) == 32
    assert len(sent.pop("perisai-access-log")) == 176
    assert sent == {
        "accept-ranges": "none",
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
        "x-frame-options": "DENY",
        "content-disposition": (
            'attachment; filename="Foto _bukti__ ibu _gnp.JPG.pdf"; '
            "filename*=UTF-8''Foto%20%22bukti%22%3B%20ibu%20%C3%A9gnp.JPG.pdf"
        ),
        "content-length": "20",
        "content-security-policy": "default-src 'none'; sandbox",
        "content-type": "application/pdf",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


async def test_the_list_shows_name_kind_and_size_to_who_opens_documents(world: World) -> None:
    mine = world.records.open_to_sari
    first = await added(world, SARI, mine, CONTENT)
    world.clock.move(timedelta(minutes=1))
    second = await added(world, SARI, mine, b"Catatan pendek.\n", name="catatan")
    before = await world.size()

    shown = await listed(world, SARI, mine)

    assert shown["withheld"] == []
    assert [(a["id"], a["name"], a["mediaType"], a["size"]) for a in shown["attachments"]] == [
        (str(second), "catatan.txt", "text/plain", 16),
        (str(first), NAME, "application/pdf", len(CONTENT)),
    ]
    assert shown["attachments"][0]["author"] == str(world.records.member(SARI).id)
    assert shown["attachments"][0]["writtenAt"] == world.clock().isoformat()
    [event] = await world.events(before)
    assert records(event, RecordKind.ATTACHMENT, Decision.DISCLOSED) == {first, second}
    assert fields(event, Decision.DISCLOSED) == {"mediaType", "name", "size"}

    shown = await listed(world, "maria", mine)

    assert {(a["name"], a["mediaType"], a["size"]) for a in shown["attachments"]} == {
        (None, None, None)
    }
    assert {(w["field"], w["compartment"]) for w in shown["withheld"]} == {
        ("name", "DOCUMENTS"),
        ("mediaType", "DOCUMENTS"),
        ("size", "DOCUMENTS"),
    }
    [event] = await world.events(before + 1)
    assert records(event, RecordKind.ATTACHMENT, Decision.WITHHELD) == {first, second}


REFUSED = [
    # Who, purpose, status, code, reason in the event.
    ("rizal", "protection", 403, "NOT_ALLOWED", "not_assigned"),
    (BUDI, "protection", 403, "NOT_ALLOWED", "not_assigned"),
    (BUDI, "quality_review", 403, "NOT_ALLOWED", "purpose_does_not_fit"),
    (SARI, "supervision", 404, "NOT_FOUND", "not_in_reach"),
    (WAYAN, "protection", 404, "NOT_FOUND", "not_in_reach"),
]


@pytest.mark.parametrize(("who", "purpose", "status", "code", "reason"), REFUSED)
async def test_who_may_not_add_leaves_one_event_and_no_row_and_is_not_listened_to(
    still: World, who: str, purpose: str, status: int, code: str, reason: str
) -> None:
    mine = still.records.open_to_sari
    before, there = await still.size(), await counted(still, *ROWS)
    taken = 0

    async def content() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield pdf(100)

    answer = await upload(still, who, mine, content(), purpose=purpose)

    assert (answer.status_code, codes(answer)) == (status, [code])
    [event] = await still.events(before)
    assert (event.action, event.decision) == (Action.ADD_ATTACHMENT, Decision.REFUSED)
    assert (event.code, reasons(event)) == (code, {reason})
    assert records(event, RecordKind.CASE_FILE) == {mine}
    assert await counted(still, *ROWS) == there
    assert taken == 0


@pytest.mark.parametrize("who", [RATNA, TUTI])
async def test_partners_and_officers_reach_no_attachment(world: World, who: str) -> None:
    attachment = await added(world, SARI, world.records.open_to_sari, pdf(100))
    there = await counted(world, *ROWS)

    answers = [
        await upload(world, who, world.records.open_to_sari, pdf(100)),
        await download(world, who, attachment),
    ]

    assert [(a.status_code, codes(a)) for a in answers] == [(403, ["NOT_FOR_THIS_FACE"])] * 2
    assert await counted(world, *ROWS) == there


async def test_nobody_without_a_token_or_purpose_is_listened_to(still: World) -> None:
    mine, before = still.records.open_to_sari, await still.size()

    nobody = await upload(still, SARI, mine, pdf(99), more={"authorization": "Bearer nothing"})
    aimless = [
        await upload(still, SARI, mine, pdf(99), purpose=None),
        await download(still, SARI, NOBODY, purpose=None),
    ]

    assert (nobody.status_code, codes(nobody)) == (401, ["NOT_SIGNED_IN"])
    assert nobody.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert [(a.status_code, codes(a)) for a in aimless] == [(400, ["PURPOSE_MISSING"])] * 2
    assert [e.action for e in await still.events(before)] == [Action.SIGN_IN]


MALFORMED = [
    ({"content-type": "application/pdf"}, 415, "ATTACHMENT_MALFORMED"),
    ({"content-encoding": "gzip"}, 415, "ATTACHMENT_MALFORMED"),
    ({"perisai-case-file": "1"}, 400, "MALFORMED_ID"),
    ({"perisai-file-name": "plain.pdf"}, 400, "ATTACHMENT_MALFORMED"),
    ({"perisai-file-name": "UTF-8''%ff"}, 400, "ATTACHMENT_MALFORMED"),
    ({"perisai-file-name": "UTF-8''"}, 400, "ATTACHMENT_MALFORMED"),
    ({"perisai-file-name": "UTF-8''..%2F..%2Fetc"}, 400, "VALUE_INVALID"),
    ({"perisai-file-name": "UTF-8''a%00b"}, 400, "VALUE_INVALID"),
    ({"perisai-file-name": "UTF-8''%20.%20"}, 400, "VALUE_INVALID"),
    ({"perisai-file-name": "UTF-8''" + "x" * 201}, 400, "VALUE_INVALID"),
    ({"content-length": str(CONTENT_MOST + 1)}, 413, "ATTACHMENT_TOO_LARGE"),
    ({"content-length": "9" * 30}, 413, "ATTACHMENT_TOO_LARGE"),
]


@pytest.mark.parametrize(("more", "status", "code"), MALFORMED)
async def test_a_request_that_says_nothing_sensible_leaves_no_event(
    still: World, more: dict[str, str], status: int, code: str
) -> None:
    before = await still.size()

    answer = await upload(still, SARI, still.records.open_to_sari, pdf(99), more=more)

    assert (answer.status_code, codes(answer)) == (status, [code])
    assert await still.size() == before


async def test_other_methods_and_missing_headers_are_refused(still: World) -> None:
    signed_in = headers(still, SARI)
    got = await still.client.get("/attachments/content", headers=signed_in)
    bare = await still.client.post("/attachments/content", headers=signed_in)

    assert (got.status_code, codes(got), got.headers["allow"]) == (
        405,
        ["METHOD_NOT_ALLOWED"],
        "POST",
    )
    assert (bare.status_code, codes(bare)) == (400, ["ATTACHMENT_MALFORMED"])


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ\x90\x00" + bytes(60), b"<!DOCTYPE html><p>", zipped("a.txt"), bytes(100)],
    ids=["empty", "program", "page", "archive", "zeros"],
)
async def test_what_is_not_kept_leaves_an_intent_that_came_to_nothing(
    still: World, content: bytes
) -> None:
    before, there = await still.size(), await counted(still, *ROWS)

    answer = await upload(still, SARI, still.records.open_to_sari, content, "foto.jpg")

    assert (answer.status_code, codes(answer)) == (415, ["ATTACHMENT_REFUSED"])
    events = await still.events(before)
    assert len(events) == 2
    assert_change(events, Action.ADD_ATTACHMENT, Outcome.NOTHING)
    assert await counted(still, *ROWS) == there


async def test_one_byte_more_than_the_most_is_refused_though_its_length_was_not_announced(
    still: World,
) -> None:
    before, there = await still.size(), await counted(still, *ROWS)
    piece = pdf(1024 * 1024)

    async def content() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield piece
        yield b"x"

    answer = await upload(still, SARI, still.records.open_to_sari, content())

    assert (answer.status_code, codes(answer)) == (413, ["ATTACHMENT_TOO_LARGE"])
    assert_change(await still.events(before), Action.ADD_ATTACHMENT, Outcome.NOTHING)
    assert await counted(still, *ROWS) == there


async def test_what_is_not_there_is_refused_as_what_is_anothers(world: World) -> None:
    attachment = await added(world, SARI, world.records.open_to_sari, pdf(100))
    before = await world.size()

    with statements() as of_theirs:
        theirs = await download(world, WAYAN, attachment)
    with statements() as of_nobodys:
        nobodys = await download(world, WAYAN, NOBODY)
    # The id of a record of another kind is no id of an attachment.
    mine = await download(world, SARI, world.records.open_to_sari)

    def said(answer: object) -> object:
        body = answer.json()  # type: ignore[attr-defined]  # an httpx.Response
        del body["errors"][0]["extensions"]["requestId"]
        return answer.status_code, body  # type: ignore[attr-defined]  # the same

    assert said(theirs) == said(nobodys) == said(mine)
    assert codes(theirs) == ["NOT_FOUND"]
    assert of_theirs == of_nobodys != []
    events = await world.events(before)
    assert [(e.code, reasons(e), e.decision) for e in events] == [
        ("NOT_FOUND", {"not_in_reach"}, Decision.WITHHELD)
    ] * 3
    assert {f for e in events for t in e.touched for f in t.fields} == set()


async def test_two_uploads_at_once_are_both_whole(world: World) -> None:
    mine = world.records.open_to_sari
    contents = [pdf(1_500_000, seed) for seed in (1, 2)]

    ids = await asyncio.gather(*(added(world, SARI, mine, content) for content in contents))

    answers = await asyncio.gather(*(download(world, SARI, i) for i in ids))
    assert [a.content for a in answers] == contents


async def test_a_supervisor_reads_for_supervision_and_adds_for_it(world: World) -> None:
    mine = world.records.open_to_sari
    attachment = await added(world, BUDI, mine, pdf(70_000), purpose="supervision")

    assert (await download(world, BUDI, attachment, purpose="quality_review")).content == pdf(
        70_000
    )
    assert (await download(world, SARI, attachment)).content == pdf(70_000)
