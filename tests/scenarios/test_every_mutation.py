"""What holds of every change of every face, tried on what the authorisation matrix prepares.

A change that is made leaves one intent with its outcome. A key makes it once. One that names a
revision is told the current one where another came first.
"""

from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from api.accesslog.event import Event
from api.store.tables import METADATA
from api.vocabulary import Action, Decision, Outcome, Phase, Purpose
from tests.scenarios import living
from tests.scenarios.attempts import ATTEMPTS, WHO, Ground, Variables
from tests.scenarios.test_authorisation import (
    SCHEMAS,
    document,
    ground,
    may,
    operation,
    operations,
    rows,
)
from tests.world import Answer, World

__all__ = ["ground"]

pytestmark = pytest.mark.long

#: The names under which inputs say which revision of a record was read.
REVISIONS = ("revision", "version", "keepRevision")

#: Face and change -> its field in the schema.
CHANGES = {
    (face, what): field
    for face, what in ATTEMPTS
    for kind, name, field in operations(SCHEMAS[face])
    if kind == "mutation" and name == operation(what)
}

#: Whose whole answer is not kept: it shows what was opened, words of lists that are no codes of
#: the schema, or a case file that is out of the caller's reach once the change is made.
TOLD_AS_DONE = {
    "answerMatch",
    "declineReferral",
    "lookAtWhereabouts",
    "openCaseFile",
    "updateDefender",
}


async def tables(world: World) -> dict[str, int]:
    """Count the rows of every table but that of the keys."""
    names = [name for name in METADATA.tables if name != "idempotency_key"]
    counts = " union all ".join(f"select '{n}', count(*) from {n}" for n in names)
    return dict(await world.run(counts))  # type: ignore[arg-type]  # pairs


async def asked(
    world: World, face: str, what: str, who: str, given: Variables, purpose: Purpose
) -> Answer:
    query = document("mutation", operation(what), CHANGES[face, what])
    token, key = world.strong_token(who), f"{what}, {purpose}"
    return await world.ask(who, query, given, face=face, purpose=purpose, token=token, key=key)


async def made(
    world: World, face: str, what: str, who: str, given: Variables
) -> tuple[Purpose, Answer, list[Event]]:
    """Make the change for the first purpose that lets it; give its events, too."""
    for purpose in Purpose:
        since = await world.size()
        answer = await asked(world, face, what, who, given, purpose)
        if may(answer):
            return purpose, answer, await world.events(since)
    raise AssertionError(f"{who} makes {what} for no purpose: {answer.text}")


def somebody(face: str, what: str) -> str:
    """Give somebody of a role that may."""
    [row] = [row for row in rows() if (row["face"], row["what"]) == (face, what)]
    return next(who for role, who in WHO.items() if row[role] == "yes")


async def test_every_change_is_made_once_and_leaves_an_intent_and_its_outcome(
    ground: Ground,
) -> None:
    world, told_as_done = ground.world, set()
    for face, what in CHANGES:
        who = somebody(face, what)
        given = await ATTEMPTS[face, what](ground, who)

        purpose, first, events = await made(world, face, what, who, given)
        before, size = await tables(world), await world.size()
        again = await asked(world, face, what, who, given, purpose)

        mine = [event for event in events if event.actor == world.records.member(who).id]
        intent, outcome, *shown = mine
        assert (intent.phase, outcome.phase) == (Phase.INTENT, Phase.OUTCOME), what
        assert (outcome.outcome, intent.decision) == (Outcome.DONE, Decision.ALLOWED), what
        assert outcome.action is intent.action, what
        # Whoever changed a record may be shown it, as by a reading.
        assert {event.action for event in shown} <= {Action.READ, Action.LOOK}, what
        assert {event.phase for event in shown} <= {Phase.WHOLE}, what
        if again.status == 200:
            assert again.data == first.data, what
        else:
            assert again.codes == ["ALREADY_DONE"], (what, again.text)
            told_as_done.add(operation(what))
        assert (await tables(world), await world.size()) == (before, size), what
    assert told_as_done == TOLD_AS_DONE


def revised(given: Variables) -> str | None:
    """Name the revision in what is given, if it has one."""
    inside = given.get("input")
    named = [name for name in REVISIONS if type(inside) is dict and name in inside]
    return named[0] if named else None


def names_a_revision(face: str, what: str) -> bool:
    kinds = [get_named_type(a.type) for a in CHANGES[face, what].args.values()]
    return any(
        name in kind.fields
        for kind in kinds
        if isinstance(kind, GraphQLInputObjectType)
        for name in REVISIONS
    )


async def test_every_change_of_a_revision_is_told_the_current_one_where_it_is_stale(
    ground: Ground,
) -> None:
    world = ground.world
    tried = [change for change in CHANGES if names_a_revision(*change)]
    for face, what in tried:
        who = somebody(face, what)
        # Closed by an attempt before, it would take nothing new.
        await world.run("delete from closing")
        await living.stand(world, UUID(ground.file), "active")
        given = await ATTEMPTS[face, what](ground, who)
        name = revised(given)
        assert name is not None, what
        current = given["input"][name]
        for stale in (current + 1, current - 1):
            await refused_as_stale(world, face, what, who, _with(given, name, stale), current)

        await made(world, face, what, who, given)
    assert len({operation(what) for _, what in tried}) >= 9


def _with(given: Variables, name: str, revision: int) -> Variables:
    changed: dict[str, Any] = deepcopy(given)
    changed["input"][name] = revision
    return changed


async def refused_as_stale(
    world: World, face: str, what: str, who: str, given: Variables, current: int
) -> None:
    """Ask for every purpose; where the policy lets it, it is stale, and nothing is changed."""
    before, found = await tables(world), 0
    for purpose in Purpose:
        since = await world.size()
        answer = await asked(world, face, what, who, given, purpose)
        [payload] = answer.data.values()
        [error] = payload["errors"]
        if error["code"] == "STALE_REVISION":
            found += 1
            assert error["currentRevision"] == current, what
            intent, outcome = await world.events(since)
            assert (intent.phase, outcome.outcome) == (Phase.INTENT, Outcome.NOTHING), what
        else:
            assert error["currentRevision"] is None, what
        del payload["errors"]
        assert not any(payload.values()), what
    assert found, (what, answer.text)
    assert await tables(world) == before, what
