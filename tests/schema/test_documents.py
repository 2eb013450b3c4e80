"""A text becomes a document once, and what is wrong with it is said without any value."""

import time
from collections.abc import Callable

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    get_introspection_query,
    parse,
)

from api.errors import DocumentInvalid, DocumentRefused, MalformedId
from api.schema.documents import Documents, DocumentWithProblems, Problem
from api.schema.limits import Limits

NIK = "3171234567890001"


def refuse_id(*_):
    raise MalformedId


def refuse_secretly(*_):
    raise ValueError(NIK)


ID_TYPE = GraphQLScalarType("RecordId", parse_value=refuse_id, parse_literal=refuse_id)
ODD_TYPE = GraphQLScalarType("Odd", parse_value=refuse_secretly, parse_literal=refuse_secretly)

PERSON = GraphQLObjectType(
    "Person", lambda: {"name": GraphQLField(GraphQLString), "friend": GraphQLField(PERSON)}
)
SCHEMA = GraphQLSchema(
    GraphQLObjectType(
        "Query",
        {
            "find": GraphQLField(
                PERSON,
                {
                    "nik": GraphQLArgument(GraphQLString),
                    "age": GraphQLArgument(GraphQLInt),
                    "id": GraphQLArgument(ID_TYPE),
                    "odd": GraphQLArgument(ODD_TYPE),
                },
            ),
            "must": GraphQLField(PERSON, {"age": GraphQLArgument(GraphQLNonNull(GraphQLInt))}),
        },
    )
)


@pytest.fixture
def documents() -> Documents:
    return Documents(SCHEMA)


def problems(documents: Documents, text: str) -> tuple[Problem, ...]:
    with pytest.raises(DocumentInvalid) as refusal:
        documents.prepare(text)
    assert isinstance(refusal.value, DocumentWithProblems)
    assert NIK not in str(refusal.value)
    assert NIK not in str(refusal.value.problems)
    return refusal.value.problems


def test_a_text_is_prepared_once(documents):
    assert documents.prepare("{ find { name } }") is documents.prepare("{ find { name } }")


def test_the_documents_remembered_are_bounded_and_the_oldest_goes():
    documents = Documents(SCHEMA, remembered_most=2)
    first = documents.prepare("{ find { name } }")
    second = documents.prepare("{ a: find { name } }")
    assert documents.prepare("{ find { name } }") is first
    documents.prepare("{ b: find { name } }")

    assert documents.prepare("{ find { name } }") is first
    assert documents.prepare("{ a: find { name } }") is not second


def test_a_refused_text_is_not_remembered(documents):
    for _ in range(2):
        problems(documents, "{ unknown }")
    assert len(documents._prepared) == 0


def test_an_unknown_field_is_named_with_its_place_and_no_suggestion(documents):
    (problem,) = problems(documents, "{\n  find { nam }\n}")

    assert problem == Problem(
        "Cannot query field 'nam' on type 'Person'.", "DOCUMENT_INVALID", ((2, 10),)
    )


def test_nothing_is_suggested(documents):
    (problem,) = problems(documents, "{ find }")

    assert problem.message.endswith("must have a selection of subfields.")


@pytest.mark.parametrize(
    "text",
    [
        f'{{ find(age: "{NIK}") {{ name }} }}',
        f"{{ find(age: {NIK}) {{ name }} }}",
        f"{{ find(age: {NIK}.5) {{ name }} }}",
        f'{{ find(age: {{ nik: "{NIK}" }}) {{ name }} }}',
        f'{{ find(age: ["{NIK}"]) {{ name }} }}',
        f'query ($a: Int = "{NIK}") {{ find(age: $a) {{ name }} }}',
        f'{{ find(odd: "{NIK}") {{ name }} }}',
        f'{{ find(nik: "{NIK}) {{ name }} }}',
        f'{{ find(nik: "x") {{ "{NIK}" }} }}',
        f"{{ find {{ {NIK} }} }}",
        f'"""{NIK}""" {{ find {{ name }} }} "{NIK}"',
        f'{{ a: find(nik: "{NIK}") {{ name }} a: find(nik: "x") {{ name }} }}',
    ],
)
def test_no_problem_repeats_a_value(documents, text):
    assert problems(documents, text)


def test_a_value_that_a_scalar_refuses_has_the_code_of_the_scalar(documents):
    (problem,) = problems(documents, f'{{ find(id: "{NIK}") {{ name }} }}')

    assert (problem.code, problem.message) == ("MALFORMED_ID", MalformedId.message)
    assert problem.locations == ((1, 12),)


def test_at_most_ten_problems_and_their_end_are_reported(documents):
    text = "{ find { " + " ".join(f"x{n}" for n in range(50)) + " } }"

    assert len(problems(documents, text)) == 11


@pytest.mark.parametrize(
    "text", ["", "   ", "#", "{", "}", "{ find { name }", "query {", "\0", "é"]
)
def test_what_does_not_parse_is_invalid_with_a_place(documents, text):
    (problem,) = problems(documents, text)

    assert problem.message == "The document does not parse here."
    assert problem.locations


@pytest.mark.parametrize(
    "text",
    [
        "type Query { x: Int }",
        "subscription { find { name } }",
        "{ find { name } } fragment F on Person { name }",
        "{ find @defer { name } }",
        "query A { find { name } } query A { find { name } }",
    ],
)
def test_what_does_not_fit_is_invalid(documents, text):
    assert problems(documents, text)


TOO_LARGE = {
    "tokens": "{" + " find" * 1000 + "}",
    "comments": "{ find { name } }" + "#\n" * 5000,
    "bytes": "{ find { name } } #" + "x" * 16_384,
    "characters of several bytes": "{ find { name } } #" + "é" * 8_190,
    "nesting": "{ find " * 250 + "}" * 250,
    "values in values": "{ find(nik: " + "[" * 400 + "]" * 400 + ") { name } }",
    "half a character": '{ find(nik: "\ud800") { name } }',
    "a bomb": "{...F0}"
    + "".join(f"fragment F{n} on Q{{...F{n + 1} ...F{n + 1}}}" for n in range(60)),
}


#: As many tokens as a document may have.
LARGEST = "{" + " find" * 998 + "}"


def seconds(work: Callable[[], object]) -> float:
    """Give the processor's time of *work*, the least of several: others may have it meanwhile."""
    times = []
    for _ in range(10):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize("text", TOO_LARGE.values(), ids=TOO_LARGE)
def test_to_refuse_what_is_too_large_costs_no_more_than_to_parse_the_largest(documents, text):
    def refused():
        with pytest.raises(DocumentRefused):
            documents.prepare(text)

    assert seconds(refused) < 3 * seconds(lambda: parse(LARGEST))


def test_one_field_over_and_over_does_not_cost_its_square(documents):
    text = "{ find { " + "name " * 900 + "} }"
    times = []
    for _ in range(5):
        started = time.process_time()
        with pytest.raises(DocumentRefused):
            documents.prepare(text)
        times.append(time.process_time() - started)

    assert min(times) < 0.050  # 5 ms of it to parse; 75 ms without our budget


def test_ordinary_documents_stay_far_below_the_budget(documents, monkeypatch):
    monkeypatch.setattr("api.schema.documents._COMPARISONS_MOST", 2000)
    fields = " ".join(f"a{n}: name" for n in range(12)) + " friend { name friend { name } }"
    fragments = "".join(f" fragment F{n} on Person {{ {fields} }}" for n in range(5))
    wide = Documents(SCHEMA, Limits(aliases=1000))
    wide.prepare("{ find { " + " ".join(f"...F{n}" for n in range(5)) + " } }" + fragments)


def test_the_standard_introspection_is_prepared(documents):
    documents.prepare(get_introspection_query())


def test_other_limits_hold_where_they_are_given():
    with pytest.raises(DocumentRefused):
        Documents(SCHEMA, Limits(depth=1)).prepare("{ find { name } }")
