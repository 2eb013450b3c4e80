"""The three schemas: checked in, described, and the partners' without any identity."""

import re

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from api.casework.views import DefenderView
from api.schema.snapshot import FACES, sdl, snapshot_path
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS, NOTE_BODY
from api.vocabulary import Compartment

SEALED = {**DEFENDER_FIELDS, **CASE_FILE_FIELDS}

#: Words by which an identity would be called, beside the names of our own sealed fields.
OF_A_PERSON = re.compile(
    r"name|alias|nik|family|birth|gender|national|phone|mail|address|location|whereabout"
    r"|photo|contact|defender|account|note",
    re.IGNORECASE,
)


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def schema(face: str) -> GraphQLSchema:
    return build_schema(sdl(face))


def test_the_snapshot_is_the_schema(face: str) -> None:
    assert snapshot_path(face).read_text(encoding="utf-8") == sdl(face), (
        "The schema changed: look at the difference, then run `make schemas`."
    )


def test_everything_in_the_schema_is_described(face: str) -> None:
    without = []
    for name, kind in schema(face).type_map.items():
        if name.startswith("__") or name in ("Boolean", "Float", "ID", "Int", "String"):
            continue
        described = [(name, kind)]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                described.append((f"{name}.{field_name}", field))
                described += [
                    (f"{name}.{field_name}({argument_name})", argument)
                    for argument_name, argument in field.args.items()
                ]
        elif isinstance(kind, GraphQLInputObjectType):
            described += [(f"{name}.{n}", f) for n, f in kind.fields.items()]
        without += [place for place, thing in described if not (thing.description or "").strip()]

    assert without == []


def test_every_enumeration_says_what_it_is_for(face: str) -> None:
    enums = [kind for kind in schema(face).type_map.values() if isinstance(kind, GraphQLEnumType)]
    assert all(kind.description for kind in enums if not kind.name.startswith("__"))
    assert enums


def names_in(face: str) -> set[str]:
    """Give the names of all fields, of answers and of inputs."""
    return {
        name
        for kind in schema(face).type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
        and not kind.name.startswith("__")
        for name in kind.fields
    }


def test_the_partners_schema_has_no_field_in_which_an_identity_could_stand() -> None:
    personal = {Compartment.IDENTITY, Compartment.CONTACT, Compartment.WHEREABOUTS}
    sealed = {n for n, field in DEFENDER_FIELDS.items() if field.compartment in personal}
    names = names_in("partner")

    assert len(sealed) == len(DEFENDER_FIELDS)
    assert names & {*SEALED, "notes"} == set()
    assert {name for name in names if OF_A_PERSON.search(name)} == set()
    assert not {"Defender", "CaseFile", "Note"} & schema("partner").type_map.keys()
    assert schema("partner").mutation_type is None


def test_the_officers_schema_has_no_value_of_a_record() -> None:
    assert names_in("oversight") & {*SEALED, "notes", NOTE_BODY.name} == set()
    assert not {"Defender", "CaseFile", "Note", "Release"} & schema("oversight").type_map.keys()
    # An officer changes nothing but what another agency's emergency access awaits.
    mutation = schema("oversight").mutation_type
    assert mutation is not None
    assert set(mutation.fields) == {"reviewBreakGlass"}


def test_every_protected_field_is_nullable_and_stands_beside_withheld() -> None:
    types = schema("agency").type_map
    for type_name, fields in (("Defender", DEFENDER_FIELDS), ("CaseFile", CASE_FILE_FIELDS)):
        kind = types[type_name]
        assert isinstance(kind, GraphQLObjectType)
        assert str(kind.fields["withheld"].type) == "[Withheld!]!"
        for name in fields:
            assert not isinstance(kind.fields[name].type, GraphQLNonNull), name
            assert "Protected" in (kind.fields[name].description or ""), name
    note = types["Note"]
    assert isinstance(note, GraphQLObjectType)
    assert not isinstance(note.fields["body"].type, GraphQLNonNull)


def test_what_the_schema_shows_of_a_defender_is_what_casework_gives() -> None:
    kind = schema("agency").type_map["Defender"]
    assert isinstance(kind, GraphQLObjectType)
    attributes = set(DefenderView.__annotations__)
    for name in kind.fields:
        assert re.sub("([A-Z])", lambda m: "_" + m[1].lower(), name) in attributes, name
