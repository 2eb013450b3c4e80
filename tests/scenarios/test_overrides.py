"""Referrals without consent over HTTP: said why, seen in the log, reviewed by another person."""

from typing import Any
from uuid import UUID

import pytest

from api.demo.synthetic import BUDI, SARI
from api.vocabulary import Action, Decision, LegalBasis, Outcome, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, as_key, assert_change, counted, records
from tests.scenarios.consenting import (
    CONSENTS,
    OVERRIDE,
    REVIEW,
    VITAL,
    nobody_agreed,
    to_review,
)
from tests.scenarios.referring import HARTONO, HASAN, INDAH, accepted, codes, refer, referred
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still


async def review(
    world: World, referral: str, *, by: str = HARTONO, purpose: str = "supervision"
) -> Answer:
    return await world.ask(by, REVIEW, {"id": referral}, purpose=purpose)


async def waiting(world: World, by: str = HARTONO) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await to_review(world, by)).data["overridesToReview"]
    return found


async def test_who_cannot_be_asked_is_referred_and_a_second_person_looks_into_it(
    world: World,
) -> None:
    await nobody_agreed(world)
    start = await world.size()

    made = await accepted(world, **VITAL)

    intent = (await world.events(start))[0]
    assert (intent.action, intent.basis) == (Action.REFER_CASE_FILE, LegalBasis.VITAL_INTEREST)
    assert intent.commitment
    [shown] = await waiting(world)
    assert shown == {
        "referral": made,
        "caseFile": str(world.records.open_to_sari),
        "recipient": "lpsk",
        "reason": OVERRIDE["reason"],
        "decidedBy": str(world.records.member(BUDI).id),
        "decidedAt": world.clock().isoformat(),
        "event": start,
        "state": "ACCEPTED",
    }
    answer = await world.ask(SARI, CONSENTS, {"id": shown["caseFile"]})
    [why] = answer.data["caseFile"]["reasons"]
    assert (why["event"], why["text"]) == (start, OVERRIDE["text"])
    # Nobody reviews what they did themselves.
    assert codes(await review(world, made, by=BUDI)) == ["SECOND_PERSON_NEEDED"]
    start = await world.size()
    answer = await review(world, made)
    assert answer.data["reviewOverride"] == {
        "reviewedAt": world.clock().isoformat(),
        "errors": [],
    }
    events = await world.events(start)
    assert_change(events, Action.REVIEW_OVERRIDE, Outcome.DONE)
    assert records(events[0], RecordKind.REFERRAL) == {UUID(made)}
    assert await waiting(world) == []
    assert codes(await review(world, made)) == ["STALE_REVISION"]


async def test_words_without_the_basis_override_nothing(world: World) -> None:
    await nobody_agreed(world)
    for basis in (None, "consent", "legal_duty", "public_task"):
        assert codes(await refer(world, override=OVERRIDE, basis=basis)) == ["CONSENT_MISSING"]
    nothing_said = {**OVERRIDE, "text": " "}
    assert codes(await refer(world, **{**VITAL, "override": nothing_said})) == ["VALUE_INVALID"]
    assert await counted(world, "referral", "reason") == {"referral": 0, "reason": 0}
    assert await waiting(world) == []


async def test_what_rests_on_consents_is_not_listed_nor_reviewed(world: World) -> None:
    made = await referred(world)
    assert await waiting(world) == []
    assert codes(await review(world, made)) == ["NOT_FOUND"]


async def test_an_override_hands_out_no_more_than_the_caller_may_open(still: World) -> None:
    more = {"compartments": ["IDENTITY", "WHEREABOUTS"]}
    assert codes(await refer(still, **more, **VITAL)) == ["NOT_ALLOWED"]
    assert codes(await refer(still, by=SARI, **VITAL)) == ["NOT_ALLOWED"]


async def test_another_agency_learns_nothing_of_it(world: World) -> None:
    made = await referred(world, **VITAL)
    for who in (HASAN, INDAH):
        assert await waiting(world, who) == []
        assert codes(await review(world, made, by=who)) == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("by", "purpose", "code"),
    [
        (SARI, "subject_request", "NOT_ALLOWED"),
        (HARTONO, "referral", "NOT_ALLOWED"),
        (HARTONO, "supervision", "NOT_FOUND"),
    ],
)
async def test_who_may_not_review_leaves_one_event_and_no_row(
    world: World, by: str, purpose: str, code: str
) -> None:
    made = await referred(world, **VITAL)
    start = await world.size()

    named = NOBODY if code == "NOT_FOUND" else made
    assert codes(await review(world, named, by=by, purpose=purpose)) == [code]

    [event] = await world.events(start)
    assert (event.action, event.decision, event.code) == (
        Action.REVIEW_OVERRIDE,
        Decision.REFUSED,
        code,
    )
    if code == "NOT_ALLOWED":
        assert (await to_review(world, by, purpose)).codes == [code]
        assert (await world.events(start + 1))[0].decision is Decision.REFUSED
    assert [row["referral"] for row in await waiting(world)] == [made]


async def test_a_basis_that_was_changed_by_hand_is_reviewed_by_nobody(world: World) -> None:
    made = await referred(world, **VITAL)
    key = as_key(world, world.records.member(SARI).id)
    await world.run("update referral_basis set decided_by = ?", [key])

    assert await waiting(world) == []
    assert codes(await review(world, made, by=BUDI)) == ["NOT_FOUND"]
    assert await world.run("select * from referral_basis where reviewed_at is not null") == []
