"""What is asked for below a field: no more, since it is opened; no less, since it is answered."""

import asyncio
import gc
import time
from functools import partial

import pytest
from graphql import (
    GraphQLScalarType,
    GraphQLSchema,
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from api.schema import requested as module
from api.schema.requested import Selection, requested

SCHEMA: GraphQLSchema = build_schema("""
    interface Record { id: ID  owner: Person  other: Record }
    type Person implements Record {
        id: ID  owner: Person  other: Record
        name: String  phones: [String!]!  friends(first: Int): [Person!]!
    }
    type File implements Record {
        id: ID  owner: Person  other: Record  title: String  people: [Person!]!
    }
    union Thing = Person | File
    type Query { person: Person!  file: File  record: Record  thing: [Thing!]! }
""")


def ask(text: str, variables: dict | None = None, schema: GraphQLSchema = SCHEMA) -> Selection:
    """Give what the resolver of the only root field is told."""
    document = parse(text)
    assert validate(schema, document) == []
    return ask_document(document, variables, schema)


def ask_document(document, variables=None, schema=SCHEMA) -> Selection:
    told = []

    def resolve(_source, info, **_):
        told.append(requested(info))

    execute_sync(schema, document, variable_values=variables, field_resolver=resolve)
    return told[0]


def shape(selection: Selection) -> dict:
    return {name: shape(selection[name]) for name in sorted(selection.names)}


def test_fields_are_named_as_in_the_schema_and_nested():
    asked = ask("{ person { name phones friends { name } } }")

    assert asked.names == {"name", "phones", "friends"}
    assert asked["friends"].names == {"name"}
    assert "name" in asked
    assert "id" not in asked
    assert repr(asked) == "{friends {name} name phones}"


def test_a_field_that_is_not_asked_for_gives_nothing_however_deep():
    asked = ask("{ person { name } }")

    assert not asked["friends"]["friends"]
    assert asked["name"].names == frozenset()


def test_an_alias_does_not_hide_a_field():
    assert ask("{ person { x: name y: friends { z: id } } }").names == {"name", "friends"}


def test_what_several_aliases_ask_for_is_put_together():
    asked = ask("{ person { a: friends { name } b: friends { phones id } } }")

    assert asked["friends"].names == {"name", "phones", "id"}


def test_a_field_that_stands_twice_is_put_together():
    assert ask("{ person { name } person { id friends { id } } }").names == {
        "name",
        "id",
        "friends",
    }


def test_introspection_fields_are_not_named():
    assert ask("{ person { __typename } }").names == frozenset()


@pytest.mark.parametrize(("value", "names"), [(True, {"id", "name"}), (False, {"id", "phones"})])
def test_skip_and_include_are_heeded(value, names):
    text = """query ($v: Boolean!) { person {
        id name @include(if: $v) phones @skip(if: $v) friends @include(if: false) { id }
        owner @skip(if: true) { id } ... @include(if: false) { other { id } }
    } }"""

    assert ask(text, {"v": value}).names == names


def test_skip_goes_before_include():
    assert ask("{ person { id name @include(if: true) @skip(if: true) } }").names == {"id"}


def test_a_default_of_a_variable_is_heeded():
    text = "query ($v: Boolean = true) { person { id name @skip(if: $v) } }"

    assert ask(text).names == {"id"}
    assert ask(text, {"v": False}).names == {"id", "name"}


def test_conditions_deep_below_and_in_fragments_are_heeded_each_time():
    document = parse("""query ($v: Boolean!) { person { ...F } }
        fragment F on Person { friends { ... @include(if: $v) { name } id } }""")

    for value in (True, False, True):
        asked = ask_document(document, {"v": value})
        assert asked["friends"].names == ({"id", "name"} if value else {"id"})


def test_fragments_of_another_type_are_not_asked_for():
    text = """{ person { id ...P ...R ... on Person { phones } } }
        fragment P on Person { name } fragment R on Record { owner { id } ... on File { title } }"""

    assert shape(ask(text)) == {"id": {}, "name": {}, "owner": {"id": {}}, "phones": {}}


def test_of_an_interface_all_that_some_type_has_is_asked_for():
    text = "{ record { id ... on Person { name } ... on File { title people { id } } } }"

    assert ask(text).names == {"id", "name", "title", "people"}


def test_of_a_union_all_that_some_type_has_is_asked_for():
    text = "{ thing { ... on Person { name } ... on Record { owner { name } } } }"

    assert shape(ask(text)) == {"name": {}, "owner": {"name": {}}}


def test_a_condition_within_a_condition_narrows():
    text = "{ record { ... on Person { ... on Record { ... on File { title } id } } } }"

    assert ask(text).names == {"id"}


def test_no_fields_below_a_leaf():
    told = []
    execute_sync(
        SCHEMA,
        parse("{ person { name } }"),
        root_value={"person": {}},
        field_resolver=lambda s, i: told.append(requested(i)) or {},
    )

    assert told[1].names == frozenset()


def test_fragments_that_spread_each_other_under_aliases_take_no_time():
    text = (
        "{ person { ...F0 } }"
        + "".join(
            f" fragment F{n} on Person {{"
            f" a: friends {{ ...F{n + 1} }} b: friends {{ ...F{n + 1} }} }}"
            for n in range(40)
        )
        + " fragment F40 on Person { name }"
    )
    document = parse(text)
    told = []

    class Enough(Exception): ...

    def resolve(_source, info, **_):
        started = time.perf_counter()
        told.append(requested(info))
        told.append(time.perf_counter() - started)
        raise Enough

    execute_sync(SCHEMA, document, field_resolver=resolve)
    assert told[0]["friends"]["friends"].names == {"friends"}
    assert told[1] < 0.05


def test_the_same_request_is_remembered_and_other_documents_never_mixed_up():
    document = parse("{ person { name } }")
    assert ask_document(document) is ask_document(document)

    for n in range(module._REMEMBERED_MOST + 50):
        field = ("name", "phones", "id")[n % 3]
        assert ask(f"{{ person {{ {field} }} }}").names == {field}
        if n % 100 == 0:
            gc.collect()
    assert len(module._REMEMBERED) <= module._REMEMBERED_MOST


def test_what_is_remembered_holds_no_values():
    class Secret: ...

    secret = Secret()

    def resolve(_source, info, **_):
        requested(info)

    execute_sync(
        SCHEMA,
        parse("query ($v: Int) { person { friends(first: $v) { id } } }"),
        variable_values={"v": 77123},
        context_value=secret,
        field_resolver=resolve,
    )
    held = gc.get_referrers(secret)

    assert not any(type(holder).__module__ == "api.schema.requested" for holder in held)


async def test_a_strawberry_resolver_may_ask():
    import strawberry

    told = []

    @strawberry.type
    class Person:
        full_name: str | None = None

    @strawberry.type
    class Query:
        @strawberry.field
        async def some_person(self, info: strawberry.Info) -> Person:
            await asyncio.sleep(0)
            told.append(requested(info))
            return Person()

    result = await strawberry.Schema(Query).execute(
        "query ($v: Boolean!) { somePerson { fullName @include(if: $v) __typename } }",
        variable_values={"v": True},
    )
    assert result.errors is None
    assert told[0].names == {"fullName"}


@st.composite
def selections(draw, kind: str = "Person", level: int = 0) -> str:
    """A random selection of the schema, with conditions, aliases and inline fragments."""
    parts = []
    for n in range(draw(st.integers(1, 4))):
        condition = draw(
            st.sampled_from(["", "", "@include(if: $v)", "@skip(if: $v)", "@skip(if: $w)"])
        )
        leafs = {"Person": ["id", "name"], "File": ["id", "title"], "Record": ["id"]}[kind]
        branches = {
            "Person": ["friends", "other"],
            "File": ["people", "other"],
            "Record": ["owner", "other"],
        }
        what = draw(st.sampled_from(["leaf", "branch", "inline"])) if level < 3 else "leaf"
        alias = f"x{level}{n}{draw(st.integers(0, 10**6))}: "
        if what == "leaf":
            parts.append(f"{alias}{draw(st.sampled_from(leafs))} {condition}")
        elif what == "branch":
            name = draw(st.sampled_from(branches[kind]))
            inner = "Record" if name == "other" else "Person"
            parts.append(f"{alias}{name} {condition} {{ {draw(selections(inner, level + 1))} }}")
        else:
            on = draw(
                st.sampled_from(
                    [kind, "Record"] if kind != "Record" else ["Person", "File", "Record"]
                )
            )
            parts.append(f"... on {on} {condition} {{ {draw(selections(on, level + 1))} }}")
    return " ".join(parts)


@given(selections(), st.booleans(), st.booleans())
def test_every_field_that_is_executed_was_asked_for_and_no_other(text, v, w):
    """Execute on records of every type and compare what was read with what was announced."""
    document = parse(f"query ($v: Boolean! $w: Boolean!) {{ person {{ {text} }} }}")
    # Two fields of one name in the answer: such a document is refused before.
    assume(not validate(SCHEMA, document, [OverlappingFieldsCanBeMergedRule]))
    announced = []
    read: set[tuple[str, ...]] = set()

    def resolve(kind, _source, info, **_):
        if info.path.prev is None:
            announced.append(requested(info))
            return {"type": "Person", "at": ()}
        if isinstance(get_named_type(info.return_type), GraphQLScalarType):
            read.add((*_source["at"], info.field_name))
            return ["x"] if str(info.return_type).startswith("[") else "x"
        at = (*_source["at"], info.field_name)
        read.add(at)
        named = str(info.return_type)
        if named.startswith("["):
            return [{"type": "Person", "at": at}]
        return {"type": kind if named == "Record" else "Person", "at": at}

    for kind in ("Person", "File"):
        execute_sync(
            SCHEMA,
            document,
            variable_values={"v": v, "w": w},
            field_resolver=partial(resolve, kind),
            type_resolver=lambda value, *_: value["type"],
        )

    def paths(selection: Selection, at: tuple[str, ...] = ()) -> set:
        found = set()
        for name in selection.names:
            found |= {(*at, name)} | paths(selection[name], (*at, name))
        return found

    asked = paths(announced[0])
    assert read <= asked
    # Each run has one type at every place, so two such places are not tried in all ways.
    assert {path for path in asked if path[:-1].count("other") < 2} <= read
