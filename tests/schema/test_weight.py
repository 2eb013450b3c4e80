"""An operation is weighed by its pages before it runs."""

import pytest
from graphql import build_schema, is_required_argument, parse

from api.schema.snapshot import FACES, snapshot_path
from api.schema.weight import Weight, weigh

WEIGHTS = {
    "{ a }": 1,
    "{ a b c }": 3,
    "{ a { b { c d e } } }": 1,
    "{ a(first: 100) { edges { node { b c } } } }": 101,
    "{ a(first: 20) { b } c(first: 5) { d } }": 27,
    "{ a(first: 10) { b(first: 10) { c } } }": 111,
    "{ a(first: 10) { ...F } } fragment F on Q { b(first: 10) { c } }": 111,
    "{ ...F ...F } fragment F on Q { a(first: 5) { c } }": 12,
    "{ ... on Q { a(first: 5) { c } } }": 6,
    # A paper takes a process of its own, under whatever alias.
    '{ a: releasePaper(id: "1", language: EN) { pdf } b }': 101,
    # What no resolver takes counts as the nearest that one takes.
    "{ a(first: 1000000) { b } }": 101,
    "{ a(first: " + "9" * 5000 + ") { b } }": 101,
    "{ a(first: -7) { b } }": 2,
    '{ a(first: "100") { b } }': 2,
    "query ($n: Int!) { a(first: $n) { b } }": 31,
    "query ($m: Int = 40) { a(first: $m) { b } }": 41,
    "query ($m: Int) { a(first: $m) { b } }": 2,
    "query ($text: Int) { a(first: $text) { b } }": 2,
    "query ($none: Int) { a(first: $none) { b } }": 2,
}


@pytest.mark.parametrize("text", WEIGHTS)
def test_points_follow_the_pages(text: str) -> None:
    variables = {"n": 30, "text": "100", "none": None}

    assert weigh(parse(text), None, variables).points == WEIGHTS[text]


@pytest.mark.parametrize(
    ("text", "introspects"),
    [
        ("{ __schema { types { name } } }", True),
        ('{ a __type(name: "A") { name } }', True),
        ("{ ...F } fragment F on Q { ... { b: __schema { types { name } } } }", True),
        ("{ __typename a { __typename } }", False),
        ("{ a @skip(if: true) { b } c: __schema @skip(if: true) { types { name } } }", True),
        ("mutation { a { b } }", False),
    ],
)
def test_it_is_known_whether_the_schema_is_asked_for(text: str, introspects: bool) -> None:
    assert weigh(parse(text), None, None).introspects is introspects


def test_the_operation_that_is_named_is_weighed() -> None:
    document = parse("query A { a(first: 9) { b } } mutation B { c }")

    assert weigh(document, "A", None) == Weight(10)
    assert weigh(document, "B", None) == Weight(1, changes=1)
    assert weigh(parse("mutation { a ...F } fragment F on M { b { c } }"), None, None).changes == 2
    # None can be chosen, so none is executed.
    assert weigh(document, "C", None) == weigh(document, None, None) == Weight()


@pytest.mark.parametrize("face", FACES)
def test_no_page_has_a_size_that_can_be_left_out(face: str) -> None:
    schema = build_schema(snapshot_path(face).read_text(encoding="utf-8"))
    pages = [
        field.args["first"]
        for kind in schema.type_map.values()
        for field in getattr(kind, "fields", {}).values()
        if "first" in getattr(field, "args", {})
    ]

    assert pages
    assert all(is_required_argument(first) for first in pages)


def test_a_subscription_is_known_as_one() -> None:
    text = "subscription S { ticks } query Q { viewer { role } }"

    assert weigh(parse(text), "S", None) == Weight(points=1, subscribes=True)
    assert weigh(parse(text), "Q", None) == Weight(points=1)
