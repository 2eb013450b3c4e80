"""Every operation and every field that need-to-know rules, tried by every role.

`authorisation.csv` says who may. It is held against the schemas: what is new there has no
row, and nobody may use it unnoticed until somebody decided and wrote the row. A role may
if any purpose that it can declare lets it; which ones do is for the policy's own tables.
"""

import csv
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_leaf_type,
)

from api.schema.snapshot import FACES, snapshot_path
from api.vocabulary import Purpose
from tests.scenarios.attempts import ATTEMPTS, FOR_EACH, WHO, Ground, Variables
from tests.scenarios.subscribing import answered
from tests.world import Answer, World

TABLE = Path(__file__).parent / "authorisation.csv"

#: Types of which each field has a row of its own: their fields are of compartments.
RECORDS = ("CaseFile", "Defender")
#: Somebody of each role who has the training and works on a case file of the own agency.
TRAINED = {
    "intake officer": "lestari",
    "case officer": "ayu",
    "protection officer": "wayan",
    "supervisor": "endang",
    "agency lead": "kartini",
}
#: The purpose that all of them may declare.
ANY = "assessment"

Row = dict[str, str]


def schemas() -> dict[str, GraphQLSchema]:
    return {face: build_schema(snapshot_path(face).read_text(encoding="utf-8")) for face in FACES}


SCHEMAS = schemas()


def rows() -> list[Row]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def operations(schema: GraphQLSchema) -> Iterator[tuple[str, str, GraphQLField]]:
    for kind, root in (
        ("query", schema.query_type),
        ("mutation", schema.mutation_type),
        ("subscription", schema.subscription_type),
    ):
        for name, field in (root.fields if root else {}).items():
            yield kind, name, field


def operation(what: str) -> str:
    """Give the operation out of "updateDefender, contact"."""
    return re.split("[ ,]", what)[0]


def test_every_operation_and_field_of_the_schemas_has_a_row_and_no_other_has() -> None:
    there = {(face, name) for face, schema in SCHEMAS.items() for _, name, _ in operations(schema)}
    for name in RECORDS:
        kind = SCHEMAS["agency"].type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        there |= {("agency", f"{name}.{field}") for field in kind.fields}
    decided = {(row["face"], operation(row["what"])) for row in rows()}
    assert sorted(decided) == sorted(there), "decide in authorisation.csv who may"
    assert {value for row in rows() for value in list(row.values())[2:]} == {"yes", "no"}


def test_every_row_of_an_operation_is_tried() -> None:
    decided = [(row["face"], row["what"]) for row in rows() if "." not in row["what"]]
    assert sorted(decided) == sorted(ATTEMPTS)


@pytest.fixture
async def ground(world: World) -> Ground:
    ground = Ground(world)
    await ground.staffed()
    return ground


@pytest.mark.long
async def test_each_role_may_what_the_table_says_and_no_more(ground: Ground) -> None:
    found = {}
    given: dict[tuple[str, str], set[str]] = {}
    for (face, what), prepare in ATTEMPTS.items():
        name = operation(what)
        kind, field = next((k, f) for k, n, f in operations(SCHEMAS[face]) if n == name)
        query = document(kind, name, field)
        left: Variables | None = None
        for role, who in WHO.items():
            # What nobody could use is there for the next.
            if left is None or prepare in FOR_EACH:
                left = await prepare(ground, who)
            given.setdefault((face, name), set()).update(paths(left))
            if await tried(ground.world, face, who, query, left):
                found[face, what, role], left = "yes", None
            else:
                found[face, what, role] = "no"
    assert found == {
        (row["face"], row["what"], role): row[role]
        for row in rows()
        for role in WHO
        if "." not in row["what"]
    }
    for face, schema in SCHEMAS.items():
        for _, name, field in operations(schema):
            assert given[face, name] >= set(arguments(field)), (face, name)


async def test_each_role_reads_the_fields_that_the_table_says_and_no_more(world: World) -> None:
    query = document("query", "caseFile", SCHEMAS["agency"].query_type.fields["caseFile"])  # type: ignore[union-attr]
    found = {}
    for role, who in TRAINED.items():
        file = await worked_on(world, who)
        answer = await world.ask(who, query, {"id": file}, purpose=ANY)
        read = answer.data["caseFile"]
        for name, one in (("CaseFile", read), ("Defender", read["defenders"][0])):
            withheld = {entry["field"] for entry in one["withheld"]}
            assert withheld.isdisjoint(n for n, value in one.items() if value), "both ways"
            found |= {(f"{name}.{n}", role): "no" if n in withheld else "yes" for n in one}
    assert found == {
        (row["what"], role): row[role] for row in rows() for role in TRAINED if "." in row["what"]
    }
    others = {row[role] for row in rows() for role in WHO.keys() - TRAINED if "." in row["what"]}
    assert others == {"no"}, "nobody else may ask for a case file at all"


async def worked_on(world: World, who: str) -> str:
    """Give a case file of which everything is there, assigned to *who*."""
    ground = Ground(world, world.records.member(who).organisation)
    await ground.assign(who, ground.file)
    return ground.file


async def tried(world: World, face: str, who: str, query: str, variables: Variables) -> bool:
    """Tell whether *who* may, for any purpose; every refusal carries nothing."""
    for purpose in Purpose:
        token = world.strong_token(who)
        ask = partial(answered, world) if query.startswith("subscription") else world.ask
        answer = await ask(who, query, variables, face=face, purpose=purpose.value, token=token)
        if may(answer):
            return True
    return False


def may(answer: Answer) -> bool:
    if answer.status != 200:
        assert "data" not in answer.body or answer.body["data"] is None, answer.text
        return False
    [value] = (answer.body.get("data") or {"": None}).values()
    if type(value) is dict and value.get("errors"):
        kept = {name: one for name, one in value.items() if name not in ("errors", "signIn")}
        assert not any(kept.values()), answer.text
        return False
    if "errors" in answer.body:
        assert value is None, answer.text
        return False
    return True


def document(kind: str, name: str, field: GraphQLField) -> str:
    """Write the operation with all its arguments as variables and all fields below it."""
    declared = ", ".join(f"${n}: {a.type}" for n, a in field.args.items())
    passed = ", ".join(f"{n}: ${n}" for n in field.args)
    head = f"{kind} ({declared}) {{ {name}({passed})" if declared else f"{kind} {{ {name}"
    return f"{head} {everything(field)} }}"


def everything(field: GraphQLField) -> str:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    assert isinstance(kind, GraphQLObjectType)
    below = (f"{n}{paged(f)} {everything(f)}" for n, f in kind.fields.items())
    return "{ " + " ".join(below) + " }"


def paged(field: GraphQLField) -> str:
    """Give the size of a page, the one argument of a field that is not at the root."""
    assert set(field.args) <= {"first"}
    return "(first: 5)" if field.args else ""


def arguments(field: GraphQLField) -> Iterator[str]:
    """Name the arguments, and the fields of those that are inputs."""
    for name, argument in field.args.items():
        yield name
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from (f"{name}.{field}" for field in kind.fields)


def paths(variables: Variables) -> Iterator[str]:
    for name, value in variables.items():
        yield name
        if type(value) is dict:
            yield from (f"{name}.{field}" for field in value)
