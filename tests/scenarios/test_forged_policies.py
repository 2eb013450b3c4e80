"""Whoever writes into the table of policies by hand changes nobody's policy, and is seen.

Each test edits the table as the owner of the database could, then asks both processes.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.casework.policy_bundle import Bundle, approve, draft
from api.casework.policy_in_force import PolicyFault, PolicyInForce
from api.errors import PolicyRefused
from api.policies.engine import hash_of, shipped_texts
from api.store.tables import METADATA
from tests.scenarios.adopting import (
    ACCOUNT,
    APPROVER,
    APPROVER_NAME,
    AUTHOR,
    AUTHOR_NAME,
    CONTACT,
    STRANGER,
    Served,
    less,
    put,
    served_twice,
    shown,
    signed,
    started,
)
from tests.world import Template, World

pytestmark = pytest.mark.long

#: What the first adopted policy takes away, and what the forged ones would take or give back.
FIRST = less(CONTACT)


@pytest.fixture
async def two(template: Template, tmp_path: Path) -> AsyncIterator[Served]:
    """Serve twice, under an adopted policy that both have."""
    async with served_twice(template, tmp_path / "perisai") as served:
        await put(served.one, await signed(served.one, FIRST))
        for world in (served.one, served.other):
            assert not await shown(world)
        yield served


async def keeps(two: Served, fault: PolicyFault, *, requests: bool = True) -> None:
    """Claim that both processes stay under the first policy, report once, and say so when asked.

    Args:
        requests: a request notices; else only who asks whether the process is ready.
    """
    size = await two.one.size()
    with capture_logs() as lines:
        for _ in range(3):
            for world in (two.one, two.other):
                assert not await shown(world)
                assert await shown(world, "account")
        told = [line for line in lines if line["event"] == "policy_fault"]
        ready = await two.one.client.get("/readyz")
        assert isinstance(two.house.policies, PolicyInForce)
        found = await two.house.policies.look(two.house.records)
    assert (ready.status_code, ready.json()["policy"]) == (200, fault.value)
    assert found is fault
    assert [line["fault"] for line in told] == [fault.value] * (2 if requests else 0)
    assert {line["log_level"] for line in told} <= {"critical"}
    assert {event.policy for event in await two.one.events(size)} == {hash_of(FIRST)}


async def well(two: Served) -> None:
    """Claim that nothing is reported."""
    for world in (two.one, two.other):
        assert not await shown(world)
    assert (await two.one.client.get("/readyz")).json() == {"status": "ready"}


async def test_every_column_of_the_row_in_force_is_watched(two: Served) -> None:
    assert set(METADATA.tables["policy"].c.keys()) == {"number", "note", "texts"}
    [(note, texts)] = await two.one.run("select note, texts from policy")
    other = await signed(two.one, shipped_texts())
    forgeries: Sequence[tuple[str, list[Any], PolicyFault, bool]] = (
        ("number = 7", [], PolicyFault.TAKEN_AWAY, True),
        ("note = ?", [other.note], PolicyFault.CHANGED, True),
        ("note = ?", [note.replace(APPROVER_NAME, AUTHOR_NAME)], PolicyFault.CHANGED, True),
        ("note = ''", [], PolicyFault.CHANGED, True),
        ("texts = ?", [other.printed_texts], PolicyFault.CHANGED, False),
        ("texts = ''", [], PolicyFault.CHANGED, False),
    )
    for change, values, fault, requests in forgeries:
        await two.one.run(f"update policy set {change}", values)
        await keeps(two, fault, requests=requests)
        await two.one.run("update policy set number = 1, note = ?, texts = ?", [note, texts])
        await well(two)


async def test_a_row_that_is_taken_away_gives_nothing_back(two: Served) -> None:
    await two.one.run("delete from policy")

    await keeps(two, PolicyFault.TAKEN_AWAY)


def not_signed(two: Served, bundle: Bundle, case: str) -> Bundle:
    """Give *bundle* as somebody could make it who lacks one of the two keys."""
    said = bundle.statement
    values = (said.installation, said.number, said.replaces)
    own = draft(bundle.texts, *values, AUTHOR_NAME, AUTHOR)
    match case:
        case "draft":
            return own
        case "approver of another key":
            return approve(own, APPROVER_NAME, STRANGER)
        case "unknown approver":
            return approve(own, "lpsk/stranger", STRANGER)
        case "author of another key":
            made = draft(bundle.texts, *values, AUTHOR_NAME, STRANGER)
            return approve(made, APPROVER_NAME, APPROVER)
        case "swapped":
            made = draft(bundle.texts, *values, APPROVER_NAME, APPROVER)
            return approve(made, AUTHOR_NAME, AUTHOR)
        case "other texts":
            return Bundle(bundle.note, less(ACCOUNT))
        case _:
            return Bundle("rubbish", bundle.texts)


@pytest.mark.parametrize(
    "case",
    [
        "draft",
        "approver of another key",
        "unknown approver",
        "author of another key",
        "swapped",
        "other texts",
        "rubbish",
    ],
)
async def test_a_next_policy_that_two_did_not_sign_is_not_taken_over(
    two: Served, case: str
) -> None:
    bundle = await signed(two.one, shipped_texts())
    await put(two.one, not_signed(two, bundle, case), number=2)

    await keeps(two, PolicyFault.NOT_SIGNED)

    await two.one.run("delete from policy where number = 2")
    await well(two)
    await put(two.one, await signed(two.one, shipped_texts()))
    for world in (two.one, two.other):
        assert await shown(world)


async def test_a_policy_that_was_signed_for_another_moment_or_place_is_not_taken_over(
    two: Served,
) -> None:
    for but, number, fault in (
        ({"replaces": hash_of(less(ACCOUNT))}, 2, PolicyFault.NOT_NEXT),
        ({"number": 3}, 2, PolicyFault.NOT_SIGNED),
        ({"installation": "other.example/log"}, 2, PolicyFault.NOT_SIGNED),
    ):
        await put(two.one, await signed(two.one, shipped_texts(), **but), number)

        await keeps(two, fault)

        await two.one.run("delete from policy where number = 2")
        await well(two)


async def test_the_first_bundle_put_in_once_more_gives_nothing_back(two: Served) -> None:
    await put(two.one, await signed(two.one, less(CONTACT, ACCOUNT)))
    for world in (two.one, two.other):
        assert not await shown(world, "account")
    await two.one.run("insert into policy select 3, note, texts from policy where number = 1")

    for world in (two.one, two.other):
        assert not await shown(world, "account")
    ready = await two.one.client.get("/readyz")
    assert ready.json()["policy"] == PolicyFault.NOT_SIGNED


async def test_a_signed_policy_that_does_not_load_is_not_taken_over(two: Served) -> None:
    broken = shipped_texts()
    broken["base"] += '?= reads("case_officer", "whereabouts", _);\n'
    await put(two.one, await signed(two.one, broken))

    await keeps(two, PolicyFault.DOES_NOT_LOAD)


async def test_rubbish_far_above_keeps_no_policy_from_being_taken_over(two: Served) -> None:
    await two.one.run("insert into policy (number, note, texts) values (1000, 'x', 'x')")
    assert not await shown(two.one)
    ready = await two.one.client.get("/readyz")
    assert ready.json()["policy"] == PolicyFault.NOT_SIGNED

    await put(two.one, await signed(two.one, shipped_texts()), number=2)

    for world in (two.one, two.other):
        assert await shown(world)


async def test_a_process_that_starts_passes_rubbish_over_and_reports_it(two: Served) -> None:
    await two.one.run("insert into policy (number, note, texts) values (2, 'x', 'x')")

    with capture_logs() as lines:
        async with started(two.one) as house:
            assert house.gate.policy_hash == hash_of(FIRST)

    assert [(line["fault"], line["number"]) for line in lines if "fault" in line] == [
        ("not_signed", 2)
    ]


@pytest.mark.parametrize(
    ("but", "why"),
    [
        ({"number": 3}, "behind a gap"),
        ({"replaces": hash_of(less(ACCOUNT))}, "of another one before it"),
    ],
)
async def test_a_process_that_starts_takes_no_signed_policy_that_one_that_runs_would_not(
    two: Served, but: dict[str, Any], why: str
) -> None:
    assert not await shown(two.one)  # The log knows that the first was adopted.
    await put(two.one, await signed(two.one, shipped_texts(), **but))

    with capture_logs() as lines:
        async with started(two.one) as house:
            assert house.gate.policy_hash == hash_of(FIRST), why

    assert [line["fault"] for line in lines if "fault" in line] == [PolicyFault.NOT_NEXT]


async def test_the_first_adopted_policy_follows_the_shipped_one(
    template: Template, tmp_path: Path
) -> None:
    async with served_twice(template, tmp_path / "perisai") as served:
        world = served.one
        await put(world, await signed(world, FIRST, replaces=hash_of(less(ACCOUNT))))
        async with started(world) as house:
            assert house.gate.policy_hash == hash_of(shipped_texts())


async def test_none_starts_under_the_shipped_policy_once_another_was_adopted(
    two: Served,
) -> None:
    await two.one.run("delete from policy")

    with pytest.raises(PolicyRefused):
        async with started(two.one):
            pass


async def test_without_signers_the_shipped_policy_stands_whatever_is_in_the_table(
    world: World,
) -> None:
    await put(world, await signed(world, FIRST))

    assert await shown(world)
    assert (await world.client.get("/readyz")).json()["policy"] == PolicyFault.NOT_SIGNED
