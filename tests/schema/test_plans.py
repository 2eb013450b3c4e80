"""A plan's answer is graphql-core's answer, whatever is asked of whatever objects."""

import asyncio
import inspect
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from api.schema.plans import PlannedExecutor


@strawberry.enum
class Colour(Enum):
    """Two values."""

    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Named:
    """An interface: never answered by a plan."""

    name: str | None


@strawberry.type
class Leaf(Named):
    """Implements an interface."""

    weight: int | None


@strawberry.type
class Node:
    """All kinds of plain fields, and two that are not."""

    id: strawberry.ID
    title: str
    note: str | None
    count: int | None
    good: bool | None
    ratio: float | None
    day: date | None
    moment: datetime | None
    colour: Colour | None
    words: list[str] | None
    colours: list[Colour]
    child: "Node | None"
    must: "Node"
    children: list["Node"] | None
    leaf: Leaf | None
    named: Named | None

    @strawberry.field
    def computed(self, times: int = 1) -> str:
        """Resolve with code."""
        return "x" * times


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def node(self, info: strawberry.Info) -> Node | None:
        """Give whatever the test made."""
        node: Node | None = info.context
        return node

    @strawberry.field
    async def nodes(self, info: strawberry.Info) -> list[Node | None]:
        """Give it twice."""
        return [info.context, info.context]


class Counting(PlannedExecutor):
    """Remembers the executors, so that a test can look at their plans."""

    made: ClassVar[list[PlannedExecutor]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made[:] = [self]


SCHEMA = strawberry.Schema(Query, types=[Leaf], execution_context_class=Counting)
WALKED = strawberry.Schema(Query, types=[Leaf])


@dataclass
class Thing:
    """Stands in for a view: any attribute may hold anything."""

    values: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None


ODD = st.sampled_from([None, 1, True, "a", 2**40, 1.5, [], ["a", None], b"x", object(), Colour.RED])
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "id": st.one_of(st.text(), st.uuids(), st.integers(0, 9)),
    "title": st.text(),
    "note": st.none() | st.text(),
    "count": st.none() | st.integers(-(2**31), 2**31 - 1),
    "good": st.none() | st.booleans(),
    "ratio": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "day": st.none() | st.dates(),
    "moment": st.none() | st.datetimes(timezones=st.just(UTC)),
    "colour": st.none() | st.sampled_from(Colour),
    "words": st.none() | st.lists(st.text(), max_size=3),
    "colours": st.lists(st.sampled_from(Colour), max_size=3),
}


@st.composite
def things(draw: st.DrawFn, depth: int = 2, odd: bool = True) -> Thing:
    """Make objects whose attributes mostly fit, sometimes are of another type, or missing."""
    values: dict[str, Any] = {}
    for name, strategy in FITTING.items():
        chance = draw(st.integers(0, 40)) if odd else 1
        if chance == 0:
            continue
        values[name] = draw(ODD) if chance == 40 else draw(strategy)
    values["leaf"] = draw(st.none() | st.just(Leaf(name="n", weight=1)))
    values["named"] = draw(st.none() | st.just(Leaf(name="n", weight=2)))
    for name in ("child", "must", "children"):
        if depth == 0:
            values[name] = None
        elif name == "children":
            values[name] = draw(st.none() | st.lists(things(depth - 1, odd), max_size=2))
        else:
            values[name] = draw(things(depth - 1, odd))
    return Thing(values)


SIMPLE = ("id", "title", "note", "count", "good", "ratio", "day", "moment", "colour", "words")


@st.composite
def selections(draw: st.DrawFn, depth: int = 2) -> str:
    """Write a selection with aliases, fragments, conditions and all kinds of fields."""
    parts = []
    for place in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["plain", "plain", "plain", "below", "fragment", "other"]))
        if kind == "below" and depth > 0:
            name = draw(st.sampled_from(["child", "must", "children"]))
            alias = draw(st.sampled_from(["", f"b{place}{depth}: "]))
            parts.append(f"{alias}{name} {draw(selections(depth - 1))}")
        elif kind == "fragment" and depth > 0:
            parts.append(f"... on Node {draw(selections(depth - 1))}")
        elif kind == "other":
            parts.append(
                draw(
                    st.sampled_from(
                        [
                            "__typename",
                            f"t{place}: __typename",
                            "colours",
                            "computed",
                            f"c{place}: computed(times: 3)",
                            "leaf { weight name }",
                            "named { name }",
                            "...shared",
                        ]
                    )
                )
            )
        else:
            name = draw(st.sampled_from(SIMPLE))
            alias = draw(st.sampled_from(["", f"a{place}: "]))
            condition = draw(st.sampled_from(["", "", " @skip(if: $yes)", " @include(if: $yes)"]))
            parts.append(f"{alias}{name}{condition}")
    return "{ " + " ".join(parts) + " }"


def answer(schema: strawberry.Schema, document: str, thing: Thing, yes: bool) -> Any:
    """Execute, and give data and errors without what is allowed to differ: nothing."""

    async def run() -> ExecutionResult:
        result = execute(
            schema._schema,
            parse(document),
            context_value=thing,
            variable_values={"yes": yes},
            executor_class=schema.execution_context_class,
        )
        return await result if inspect.isawaitable(result) else result

    result = asyncio.run(run())
    return result.formatted


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(thing=things(), selection=selections(), yes=st.booleans(), root=st.booleans())
def test_a_plan_answers_as_graphql_core_does(
    thing: Thing, selection: str, yes: bool, root: bool
) -> None:
    document = (
        f"query ($yes: Boolean!) {{ {'node' if root else 'nodes'} {selection} }} "
        "fragment shared on Node { title colour child { id note } }"
    )

    assert answer(SCHEMA, document, thing, yes) == answer(WALKED, document, thing, yes)


def test_a_plan_is_really_used() -> None:
    read: list[str] = []

    class Spy(Thing):
        def __getattr__(self, name: str) -> Any:
            read.append(name)
            return super().__getattr__(name)

    thing = Spy({"title": "a", "id": UUID(int=1)})

    assert answer(SCHEMA, "{ node { title id } }", thing, True) == {
        "data": {"node": {"title": "a", "id": str(UUID(int=1))}}
    }
    assert [name for name in read if name != "__await__"] == ["title", "id"]
    executor = Counting.made[-1]
    assert [plan is not None for plan in executor._plans.values()] == [True]
