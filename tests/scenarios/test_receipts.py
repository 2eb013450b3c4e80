"""Receipts over HTTP: every answer has one, only an officer of the caller's agency reads it."""

from datetime import timedelta
from typing import Any

import pytest

from api.accesslog.checkpoint import open_checkpoint
from api.accesslog.proofs import TlogProof, check_inclusion
from api.accesslog.tree import leaf_hash
from api.demo.synthetic import RATNA, SARI, TUTI, WAYAN
from api.vocabulary import Action, Decision
from tests.inside import FailingLedger, exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, checkpoint_over
from tests.scenarios.attaching import added, download, pdf, upload
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world = sharing.fresh

KETUT = "ketut"
#: Characters of every receipt.
LENGTH = 176

RECEIPT = """query ($token: String!) { accessReceipt(token: $token) {
  event { index requestId actor action phase decision code } proof { index text } } }"""
READ = "query ($id: ID!) { caseFile(id: $id) { account defenders { fullName } } }"
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code } } }"""
MANY = """query ($id: ID!) { a: caseFile(id: $id) { id } b: caseFile(id: $id) { id }
  caseFiles(first: 100) { edges { node { id account defenders { fullName } } } } }"""


def receipt(answer: Answer) -> str:
    assert answer.receipt is not None
    return answer.receipt


async def turned(world: World, token: str, who: str = TUTI) -> Answer:
    """Ask an officer what stands behind a receipt."""
    return await world.ask(
        who, RECEIPT, {"token": token}, face="oversight", purpose="quality_review"
    )


async def events(world: World, answer: Answer, who: str = TUTI) -> list[dict[str, Any]]:
    found = (await turned(world, receipt(answer), who)).data["accessReceipt"]
    return [one["event"] for one in found]


async def test_an_officer_turns_a_receipt_into_event_and_proof(world: World) -> None:
    index = await world.size()
    answer = await world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})
    await world.ask("maria", READ, {"id": str(world.records.open_to_sari)})
    await checkpoint_over(world, index + 1)

    [found] = (await turned(world, receipt(answer))).data["accessReceipt"]

    assert found["event"] == {
        "index": index,
        "requestId": answer.headers["x-request-id"],
        "actor": str(world.records.member(SARI).id),
        "action": "READ",
        "phase": "WHOLE",
        "decision": "DISCLOSED",
        "code": None,
    }
    proof = TlogProof.parse(found["proof"]["text"])
    checkpoint = open_checkpoint(proof.checkpoint, [world.log_key])
    [entry] = await world.reader().entries(index, index + 1)
    check_inclusion(index, checkpoint.size, leaf_hash(entry.body), proof.hashes, checkpoint.root)


async def test_a_receipt_has_all_events_of_its_request_and_none_of_another(world: World) -> None:
    mine = {"id": str(world.records.open_to_sari)}

    change = await world.ask(SARI, NOTE, mine)
    many = await world.ask(SARI, MANY, mine)
    refused = await world.ask(WAYAN, READ, mine)

    assert [(e["action"], e["phase"]) for e in await events(world, change)] == [
        ("ADD_NOTE", "INTENT"),
        ("ADD_NOTE", "OUTCOME"),
    ]
    found = await events(world, many)
    assert sorted(e["action"] for e in found) == ["LIST", "READ", "READ"]
    assert {e["requestId"] for e in found} == {many.headers["x-request-id"]}
    [one] = await events(world, refused, KETUT)
    assert (one["action"], one["code"]) == ("READ", "NOT_FOUND")


async def test_every_answer_to_somebody_signed_in_has_a_receipt_of_one_length(
    world: World,
) -> None:
    mine = {"id": str(world.records.open_to_sari)}
    answers = {
        "one event": await world.ask(SARI, READ, mine),
        "several events": await world.ask(SARI, MANY, mine),
        "a refusal": await world.ask(SARI, READ, {"id": NOBODY}),
        "somebody else's": await world.ask(WAYAN, READ, mine),
        "no event": await world.ask(SARI, "{ __typename }"),
        "a document that is refused": await world.ask(SARI, "{ nothing }"),
        "a partner": await world.ask(
            RATNA, "{ releases(first: 1) { edges { cursor } } }", face="partner", purpose="referral"
        ),
        "an officer": await turned(world, "x"),
    }

    assert {name: len(receipt(answer)) for name, answer in answers.items()} == dict.fromkeys(
        answers, LENGTH
    )
    assert len({receipt(answer) for answer in answers.values()}) == len(answers)
    assert await events(world, answers["no event"]) == []
    assert await events(world, answers["a document that is refused"]) == []


async def test_nobody_has_no_receipt(world: World) -> None:
    unknown = await world.ask(SARI, READ, {"id": NOBODY}, token="made.up.token")
    another = await world.ask(SARI, READ, {"id": NOBODY}, face="oversight")

    assert (unknown.status, another.status) == (401, 403)
    assert (unknown.receipt, another.receipt) == (None, None)


async def test_every_receipt_that_does_not_fit_is_refused_alike(world: World) -> None:
    answer = await world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})
    token = receipt(answer)
    flipped = token[:80] + ("A" if token[80] != "A" else "B") + token[81:]
    query = "{ accessEvents(first: 1) { pageInfo { endCursor } } }"
    page = await world.ask(TUTI, query, face="oversight", purpose="quality_review")
    cursor = page.data["accessEvents"]["pageInfo"]["endCursor"]
    before = await world.size()

    refused = [
        await turned(world, token, KETUT),
        await turned(world, flipped),
        await turned(world, "x"),
        await turned(world, ""),
        await turned(world, "é" * 400),
        await turned(world, cursor),
    ]
    world.clock.move(timedelta(days=93))
    refused.append(await turned(world, token))

    assert [answer.codes for answer in refused] == [["RECEIPT_INVALID"]] * 7
    assert {str(answer.body["errors"][0]["message"]) for answer in refused} == {
        "This is no receipt of your organisation, or it is older than 92 days."
    }
    logged = await world.events(before)
    assert {(e.action, e.decision, e.code) for e in logged} == {
        (Action.READ_LOG, Decision.WITHHELD, "RECEIPT_INVALID")
    }
    assert len(logged) == 7


async def test_turning_a_receipt_is_an_event_that_names_whose_it_was(world: World) -> None:
    answer = await world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)})
    before = await world.size()

    await events(world, answer)

    [event] = await world.events(before)
    assert event.action is Action.READ_LOG
    sari = world.records.member(SARI).id
    assert event.touched[0].fields == (f"asked:{sari.hex}", "query:accessReceipt", "shown:2")


async def test_an_answer_whose_outcome_is_not_durable_still_has_its_intent(world: World) -> None:
    async with exchanged(world, lambda house: {"ledger": FailingLedger(house.ledger, 1)}) as inside:
        answer = await inside.world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)})

    assert answer.codes == ["CHANGE_UNCONFIRMED"]
    assert [e["phase"] for e in await events(world, answer)] == ["INTENT"]


async def test_attachments_have_receipts_in_a_header(world: World) -> None:
    mine = world.records.open_to_sari
    attachment = await added(world, SARI, mine, pdf(40))

    answers = {
        "READ": await download(world, SARI, attachment),
        "refused": await download(world, WAYAN, attachment),
        "ADD_ATTACHMENT": await upload(world, SARI, mine, pdf(50)),
    }

    tokens = {name: answer.headers["perisai-access-log"] for name, answer in answers.items()}
    assert {len(token) for token in tokens.values()} == {LENGTH}
    for name in ("READ", "ADD_ATTACHMENT"):
        found = (await turned(world, tokens[name])).data["accessReceipt"]
        assert {one["event"]["action"] for one in found} == {name}
        assert {one["event"]["requestId"] for one in found} == {
            answers[name].headers["x-request-id"]
        }
