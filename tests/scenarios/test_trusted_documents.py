"""Which face takes which documents: partners admitted ones only, others by setting and role."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.demo.documents import RELEASES, RELEASES_ID
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI
from api.errors import RefusesToStart
from api.schema.trusted import hash_of, store
from api.vocabulary import Role
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, fresh = sharing.still, sharing.fresh

WHICH = "query Which { __typename }"
NOTE = """mutation Note($id: ID!, $body: String!) {
  addNote(input: {caseFileId: $id, body: $body}) { noteId errors { code } } }"""
EVENTS = "query Events { accessEvents(first: 1) { edges { node { index } } } }"

FACES = {"agency": SARI, "partner": RATNA, "oversight": TUTI}
REFUSED = (403, ["DOCUMENT_NOT_TRUSTED"])
UNKNOWN = (400, ["DOCUMENT_UNKNOWN"])


def named(text: str) -> str:
    return f"sha256:{hash_of(text.encode())}"


@asynccontextmanager
async def admitting(
    world: World, folder: Path, *texts: tuple[str, str], roles: tuple[Role, ...] = ()
) -> AsyncIterator[World]:
    """Serve *world* again with documents of *folder*, in which each (face, text) is admitted.

    Args:
        roles: who may send texts of their own.
    """
    for face, text in texts:
        store(folder / face, text.encode())
    settings = world.settings.model_copy(update={"documents": folder, "adhoc_roles": roles})
    async with exchanged(replace(world, settings=settings)) as inside:
        yield inside.world


async def send(
    world: World, face: str, who: str, purpose: str = "protection", **body: Any
) -> Answer:
    headers = {**world.signed_in(who, f"/graphql/{face}"), "perisai-purpose": purpose}
    return await world.post(face, headers, json.dumps(body))


def told(answer: Answer) -> tuple[int, list[str]]:
    assert answer.status < 400 or "data" not in answer.body
    return answer.status, answer.codes


async def test_where_no_role_is_named_every_face_takes_trusted_documents_only(
    fresh: World, tmp_path: Path
) -> None:
    world, case_file = fresh, str(fresh.records.open_to_sari)
    admitted = [(face, WHICH) for face in FACES]
    more = [("agency", NOTE), ("oversight", EVENTS)]
    async with admitting(world, tmp_path / "documents", *admitted, *more) as asked:
        before = await world.size()
        for face, who in FACES.items():
            assert told(await send(asked, face, who, query=WHICH)) == REFUSED
            assert told(await send(asked, face, who, documentId=named("{ a }"))) == UNKNOWN
            both = await send(asked, face, who, query=WHICH, documentId=named(WHICH))
            assert told(both) == (400, ["BAD_REQUEST"])
            answer = await send(asked, face, who, documentId=named(WHICH))
            assert answer.data == {"__typename": "Query"}
        assert await world.size() == before

        noted = {"id": case_file, "body": "Catatan."}
        answer = await send(asked, "agency", SARI, documentId=named(NOTE), variables=noted)
        assert answer.data["addNote"]["errors"] == []
        # What may be asked is no right to it: the policy decides as ever.
        noted["id"] = str(world.records.closed_to_sari)
        answer = await send(asked, "agency", SARI, documentId=named(NOTE), variables=noted)
        assert [e["code"] for e in answer.data["addNote"]["errors"]] == ["NOT_ALLOWED"]
        answer = await send(asked, "oversight", TUTI, "quality_review", documentId=named(EVENTS))
        assert answer.data["accessEvents"]["edges"]


async def test_what_one_face_admits_is_unknown_to_another(world: World, tmp_path: Path) -> None:
    admitted = [("agency", WHICH), ("partner", RELEASES)]
    async with admitting(world, tmp_path, *admitted) as asked:
        assert told(await send(asked, "agency", SARI, documentId=named(WHICH))) == (200, [])
        assert told(await send(asked, "partner", RATNA, documentId=named(WHICH))) == UNKNOWN
        assert told(await send(asked, "oversight", TUTI, documentId=named(WHICH))) == UNKNOWN
        assert told(await send(asked, "agency", SARI, documentId=RELEASES_ID)) == UNKNOWN


async def test_a_role_that_is_named_sends_texts_and_no_other_does(
    world: World, tmp_path: Path
) -> None:
    admitted = ("agency", WHICH)
    async with admitting(world, tmp_path, admitted, roles=(Role.SUPERVISOR,)) as asked:
        assert told(await send(asked, "agency", BUDI, query=WHICH)) == (200, [])
        assert told(await send(asked, "agency", BUDI, documentId=named(WHICH))) == (200, [])
        assert told(await send(asked, "agency", SARI, query=WHICH)) == REFUSED
        assert told(await send(asked, "oversight", TUTI, query=WHICH)) == REFUSED


async def test_the_demo_lets_all_but_partners_send_texts(world: World) -> None:
    assert set(world.settings.adhoc_roles) == set(Role) - {Role.PARTNER}
    for face, who in FACES.items():
        answer = await send(world, face, who, query=WHICH)
        assert told(answer) == (REFUSED if face == "partner" else (200, []))
    assert told(await send(world, "partner", RATNA, "referral", query=RELEASES)) == REFUSED
    answer = await send(world, "partner", RATNA, "referral", documentId=RELEASES_ID)
    assert answer.data["releases"]["edges"]


async def test_documents_that_were_changed_or_are_gone_keep_the_service_from_starting(
    world: World, tmp_path: Path
) -> None:
    name = named(RELEASES).removeprefix("sha256:") + ".graphql"
    (tmp_path / "partner").mkdir()
    (tmp_path / "partner" / name).write_text(RELEASES.replace("first: 1", "first: 100"))
    with pytest.raises(RefusesToStart, match=name):
        async with admitting(world, tmp_path):
            pass
    with pytest.raises(RefusesToStart, match="`documents`"):
        async with admitting(world, tmp_path / "gone"):
            pass
