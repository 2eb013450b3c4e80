"""A request costs a handful of SQL statements, however many rows and fields it has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import Engine

from api.demo.synthetic import BUDI, RATNA, SARI
from tests.scenarios.attaching import added, pdf
from tests.world import World

#: Twelve fields of a case file and its defenders, six of them sealed in two compartments.
PAGE = """{ caseFiles(first: %d) { pageInfo { hasNextPage endCursor } edges { cursor node {
  id reference status urgency province openedOn
  defenders { id fullName nik dateOfBirth phones emails homeAddress withheld { field } } } } } }"""
ONE = """query ($id: ID!) { caseFile(id: $id) {
  reference account notes { body } defenders { fullName phones presentLocation } } }"""

ATTACHMENTS = """query ($id: ID!) { caseFile(id: $id) {
  reference account attachments { id name mediaType size }
  defenders { fullName phones presentLocation } } }"""

#: Who asks; the caller's own row and the case files; the keys.
MOST = 5


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect every statement of every engine, but the begin of a transaction."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("begin"):
            seen.append(statement)

    sqlalchemy_event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sqlalchemy_event.remove(Engine, "before_cursor_execute", note)


async def commits(world: World) -> int:
    """Count the commits of the log: one head each."""
    reader = world.reader()
    async with reader.snapshot() as connection:
        result = await connection.execute(reader.tables.head.select())
        return len(result.all())


@pytest.mark.parametrize("first", [1, 20, 100])
@pytest.mark.parametrize("who", [SARI, BUDI])
async def test_a_page_takes_at_most_five_statements_with_the_append(
    world: World, first: int, who: str
) -> None:
    before = await commits(world)

    with counted() as seen:
        answer = await world.ask(
            who, PAGE % first, purpose="protection" if who == SARI else "supervision"
        )

    opened = [
        d["fullName"]
        for edge in answer.data["caseFiles"]["edges"]
        for d in edge["node"]["defenders"]
        if d["fullName"]
    ]
    appends = await commits(world) - before
    assert appends == 1
    assert len(seen) + appends <= MOST, seen
    assert opened or first == 1


async def test_one_case_file_with_its_notes_takes_one_more(world: World) -> None:
    with counted() as seen:
        answer = await world.ask(SARI, ONE, {"id": str(world.records.open_to_sari)})

    assert answer.data["caseFile"]["defenders"][0]["fullName"]
    assert len(seen) + 1 <= MOST + 1, seen


async def test_one_case_file_with_its_attachments_takes_one_more(world: World) -> None:
    mine = world.records.open_to_sari
    for number in range(3):
        await added(world, SARI, mine, pdf(100), name=f"{number}.pdf")

    with counted() as seen:
        answer = await world.ask(SARI, ATTACHMENTS, {"id": str(mine)})
    with counted() as without:
        await world.ask(SARI, ONE, {"id": str(mine)})

    assert [a["name"] for a in answer.data["caseFile"]["attachments"]] == [
        "2.pdf",
        "1.pdf",
        "0.pdf",
    ]
    assert len(seen) + 1 <= MOST + 1, seen
    assert not any("from attachment" in text.lower() for text in without)


async def test_a_page_of_releases_takes_one_more(world: World) -> None:
    with counted() as seen:
        answer = await world.ask(
            RATNA,
            "{ releases(first: 100) { edges { node { content { summary } } } } }",
            face="partner",
            purpose="referral",
        )

    assert answer.data["releases"]["edges"]
    # One more: a partner's proof is used up.
    assert len(seen) + 1 <= MOST + 1, seen
