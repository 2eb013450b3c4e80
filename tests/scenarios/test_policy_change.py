"""A policy is changed in the running service: the next request is under it.

Two houses serve one pair of databases, as two workers do.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.app import open_house
from api.casework import policy_adoption
from api.casework.policy_in_force import PolicyInForce
from api.demo.synthetic import SARI
from api.errors import PolicyRefused
from api.policies.engine import hash_of, shipped_texts
from api.policy_settings import policy_signers
from api.store import policy
from api.vocabulary import Action, Outcome, Phase
from tests.inside import FailingLedger, exchanged
from tests.scenarios.adopting import (
    ACCOUNT,
    CONTACT,
    Served,
    less,
    put,
    read,
    served_twice,
    shown,
    signed,
    started,
)
from tests.scenarios.test_statements import counted
from tests.world import Template, World

pytestmark = pytest.mark.long

SHIPPED = hash_of(shipped_texts())
WITHOUT = hash_of(less(CONTACT))


@pytest.fixture
async def two(template: Template, tmp_path: Path) -> AsyncIterator[Served]:
    async with served_twice(template, tmp_path / "perisai") as served:
        yield served


def changes(events: list[Any]) -> list[Any]:
    return [event for event in events if event.action is Action.POLICY_CHANGE]


async def adopted(two: Served, bundle: Any) -> None:
    await policy_adoption.adopt(two.house.records, bundle, policy_signers(two.one.settings), None)


# -- in the running service -----------------------------------------------------------------


async def test_what_was_taken_away_comes_back_with_the_next_policy_but_one(two: Served) -> None:
    for texts, phones, name in (
        (less(CONTACT), False, True),
        (less(CONTACT, ACCOUNT), False, False),
        (shipped_texts(), True, True),
    ):
        await adopted(two, await signed(two.one, texts))
        for world in (two.other, two.one):
            size = await world.size()
            assert await shown(world) == phones
            assert await shown(world, "account") == name
            assert {e.policy for e in await world.events(size)} == {hash_of(texts)}


async def test_a_process_that_slept_through_two_changes_has_the_newest(two: Served) -> None:
    await adopted(two, await signed(two.one, less(ACCOUNT)))
    await adopted(two, await signed(two.one, less(ACCOUNT, CONTACT)))

    assert not await shown(two.other)
    assert not await shown(two.other, "account")


async def test_many_requests_at_once_take_it_over_once_and_the_log_is_told_once(
    two: Served,
) -> None:
    await put(two.one, await signed(two.one, less(CONTACT)))  # Not by our command.
    size = await two.one.size()

    with capture_logs() as lines:
        answers = await asyncio.gather(*(shown(w) for w in (two.one, two.other) for _ in range(12)))

    assert answers == [False] * 24
    assert [line["event"] for line in lines if line["event"] == "policy_adopted"] == [
        "policy_adopted"
    ] * 2
    told = changes(await two.one.events(size))
    if two.one.kind == "postgresql":  # SQLite is for one process.
        assert len(told) == 1
    assert {(e.previous, e.policy, e.phase) for e in told} == {(SHIPPED, WITHOUT, Phase.WHOLE)}
    assert "number:1" in told[0].touched[0].fields
    events = await two.one.events(size)
    assert events.index(told[0]) < min(
        n for n, e in enumerate(events) if e.action is Action.READ and e.policy == WITHOUT
    )


async def test_a_snapshot_from_before_the_change_tells_nothing_of_now(two: Served) -> None:
    following = two.house.policies
    assert isinstance(following, PolicyInForce)
    async with two.house.records.snapshot() as before:
        seen = await policy.standing(before, 0)
        await adopted(two, await signed(two.one, less(CONTACT)))
        assert not await shown(two.other)

        with capture_logs() as lines:
            await following.follow(two.house, before, 0, seen)

    assert lines == []
    assert following.fault is None
    assert (following.number, two.house.gate.policy_hash) == (1, WITHOUT)


async def test_requests_under_way_end_under_one_policy_and_none_fails(two: Served) -> None:
    size = await two.one.size()
    going = True

    async def asks(world: World) -> int:
        count = 0
        while going:
            assert (await read(world)).data["caseFile"] is not None
            count += 1
        return count

    with capture_logs() as lines:
        asking = [asyncio.create_task(asks(world)) for world in (two.one, two.other) * 3]
        for texts in (less(CONTACT), less(CONTACT, ACCOUNT), shipped_texts(), less(ACCOUNT)):
            await adopted(two, await signed(two.one, texts))
            await asyncio.gather(*(shown(world) for world in (two.one, two.other)))
        going = False
        assert sum(await asyncio.gather(*asking)) > 0

    assert "scope_and_decision_differ" not in {line["event"] for line in lines}
    forbidden = {
        hash_of(less(CONTACT)): {"phones"},
        hash_of(less(CONTACT, ACCOUNT)): {"phones", "account"},
        hash_of(less(ACCOUNT)): {"account"},
    }
    for event in await two.one.events(size):
        if event.action is Action.READ:
            shown_fields = {
                f for t in event.touched if t.decision.value == "disclosed" for f in t.fields
            }
            assert not shown_fields & forbidden.get(event.policy or "", set()), event


async def test_a_change_that_the_policy_overtakes_is_not_made(two: Served) -> None:
    """The policy changes between the intent and the lock: the request decides no second time."""
    note = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
      noteId errors { code } } }"""
    bundle = await signed(two.one, less(CONTACT))

    class Late:
        """A ledger after whose first event the policy changes."""

        def __init__(self, ledger: Any) -> None:
            self.ledger, self.waiting = ledger, True

        async def append(self, event: Any) -> int:
            index: int = await self.ledger.append(event)
            if self.waiting:
                self.waiting = False
                await adopted(two, bundle)
            return index

        async def health(self) -> None:
            await self.ledger.health()

    async with exchanged(two.one, lambda house: {"ledger": Late(house.ledger)}) as late:
        size = await two.one.size()
        answer = await late.world.ask(SARI, note, {"id": str(two.one.records.open_to_sari)})

        assert answer.codes == ["POLICY_CHANGED"]
        intent, outcome = (e for e in await two.one.events(size) if e.action is Action.ADD_NOTE)
        assert (intent.policy, outcome.policy) == (SHIPPED, SHIPPED)
        assert outcome.outcome is Outcome.NOTHING
        again = await late.world.ask(SARI, note, {"id": str(two.one.records.open_to_sari)})
        assert again.data["addNote"]["errors"] == []


async def test_a_policy_of_which_the_log_cannot_be_told_waits(two: Served) -> None:
    async with exchanged(
        two.one, lambda house: {"ledger": FailingLedger(house.ledger, 0)}
    ) as closed:
        await put(two.one, await signed(two.one, less(CONTACT)))

        answer = await read(closed.world)

        assert (answer.status, answer.codes) == (503, ["LOG_UNAVAILABLE"])
        assert closed.house.policies is not None
        assert (closed.house.policies.number, closed.house.gate.policy_hash) == (0, SHIPPED)
    assert not await shown(two.one)


# -- starting ---------------------------------------------------------------------------------


async def test_processes_that_start_at_once_say_once_that_the_policy_changed(
    two: Served,
) -> None:
    if two.one.kind == "sqlite":
        pytest.skip("SQLite is for one process")
    await put(two.one, await signed(two.one, less(CONTACT)))
    size = await two.one.size()

    async def start() -> str:
        async with started(two.one) as house:
            return house.gate.policy_hash

    assert await asyncio.gather(*(start() for _ in range(3))) == [WITHOUT] * 3

    assert [(e.previous, e.policy) for e in changes(await two.one.events(size))] == [
        (SHIPPED, WITHOUT)
    ]


async def test_none_starts_with_an_older_policy_than_the_log_says(two: Served) -> None:
    world = two.one
    first, second = less(CONTACT), less(CONTACT, ACCOUNT)
    for texts in (first, second):
        await put(world, await signed(world, texts))
        await shown(world)
        await shown(two.other)
    for broken in (
        "delete from policy where number = 2",
        "update policy set note = (select note from policy where number = 1) where number = 2",
        "update policy set texts = '{}' where number = 2",
    ):
        kept = await world.run("select note, texts from policy where number = 2")
        await world.run(broken)

        with pytest.raises(PolicyRefused, match="was adopted as number 2"):
            async with started(world):
                pass
        assert not await shown(two.other, "account")

        await world.run("delete from policy where number = 2")
        await world.run("insert into policy (number, note, texts) values (2, ?, ?)", list(kept[0]))
        async with started(world) as house:
            assert house.gate.policy_hash == hash_of(second)


async def test_whose_key_was_taken_out_of_the_settings_no_longer_vouches(two: Served) -> None:
    await put(two.one, await signed(two.one, less(CONTACT)))
    assert not await shown(two.one)
    without = two.one.settings.model_copy(update={"policy_approvers": ()})

    with pytest.raises(PolicyRefused, match="policy_approvers"):
        async with open_house(without, two.one.clock):
            pass


# -- what is seen -------------------------------------------------------------------------------


async def test_no_statement_more_is_needed_to_ask(two: Served) -> None:
    await read(two.one)
    with counted() as before:
        await read(two.one)
    await adopted(two, await signed(two.one, less(CONTACT)))
    await read(two.one)
    with counted() as after:
        await read(two.one)

    assert len(after) == len(before)
    assert sum("policy" in statement for statement in after) == 1
