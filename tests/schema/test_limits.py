"""A document over a limit is refused before anything reads it, however small it looks."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from graphql import get_introspection_query, parse
from hypothesis import given
from hypothesis import strategies as st

from api.errors import DocumentRefused
from api.schema.limits import TOKENS_MOST, Limits, check_limits

LIMITS = Limits()
#: Without a limit of its own on what a test does not count.
WIDE = Limits(aliases=10**6, root_fields=10**6)


def check(text: str, limits: Limits = LIMITS) -> None:
    check_limits(parse(text), limits)


def nested(depth: int) -> str:
    return "{ a " * depth + "}" * depth


def fields(count: int) -> str:
    return " ".join(f"a{n}" for n in range(count))


def bomb(levels: int) -> str:
    """Fragments that spread the next one twice: 2**levels fields."""
    fragments = [f"fragment F{n} on Q{{...F{n + 1} ...F{n + 1}}}" for n in range(levels)]
    return "{...F0}" + "".join(fragments) + f"fragment F{levels} on Q{{a}}"


def aliased_bomb(levels: int) -> str:
    fragments = [f"fragment F{n} on Q{{x{{...F{n + 1}}} y{{...F{n + 1}}}}}" for n in range(levels)]
    return "{...F0}" + "".join(fragments) + f"fragment F{levels} on Q{{a}}"


def chain(length: int) -> str:
    links = [f"fragment F{n} on Q{{...F{n + 1}}}" for n in range(length)]
    return "{...F0}" + "".join(links) + f"fragment F{length} on Q{{a}}"


AT_THE_LIMIT = {
    "depth": nested(10),
    "depth through fragments": "{ a { a { a { a { ...F }}}}} fragment F on Q "
    "{ ... on Q { a { a { a { a { a { a }}}}}}}",
    "aliases": "{ f { " + " ".join(f"a{n}: a" for n in range(15)) + "}}",
    "aliases of __typename": "{ f { " + " ".join(f"a{n}: __typename" for n in range(15)) + "}}",
    "directives": "{ a " + "@include(if: true) " * 20 + "}",
    "one field beside itself": "{ f {" + "a " * 16 + "}}",
    "root fields": "{ " + "a " * 10 + "}",
    "root fields in fragments": "{ ...F ...F } fragment F on Q { a b c ... { d e } }",
    "fields": "{ f {" + "...F " * 9 + "} } fragment F on Q {" + fields(111) + "}",
    "fragments": "{ ...F0 }" + "".join(f"fragment F{n} on Q {{ a }}" for n in range(40)),
}

OVER_THE_LIMIT = {
    "depth": nested(11),
    "depth through fragments": "{ a { a { a { a { a { ...F }}}}}} fragment F on Q "
    "{ ... on Q { a { a { a { a { a { a }}}}}}}",
    "aliases": "{ f { " + " ".join(f"a{n}: a" for n in range(16)) + "}}",
    "aliases of __typename": "{ f { " + " ".join(f"a{n}: __typename" for n in range(16)) + "}}",
    "aliases in fragments": "{ " + "...F " * 8 + "} fragment F on Q { x: a y: b }",
    "directives": "{ a " + "@include(if: true) " * 21 + "}",
    "directives in fragments": "{ "
    + "...F @skip(if: false) " * 7
    + "} fragment F on Q @a { b @c @d }",
    "directives of an operation": "query " + "@a " * 21 + "{ a }",
    "directives of variables": "query ($v: Int " + "@a " * 21 + ") { a }",
    "directives of an unused fragment": "{ a } fragment F on Q " + "@a " * 21 + "{ a }",
    "root fields": "{ " + "a " * 11 + "}",
    "root fields in fragments": "{ ...F ...F } fragment F on Q { a b c ... { d e f } }",
    "root fields of a second operation": "query A { a } mutation B { " + "a " * 11 + "}",
    "fields": "{ f {" + "...F " * 9 + "a } } fragment F on Q {" + fields(111) + "}",
    "fragments": "{ ...F0 }" + "".join(f"fragment F{n} on Q {{ a }}" for n in range(41)),
    "one field beside itself": "{ f {" + "a " * 17 + "}}",
    "a bomb": bomb(60),
    "a bomb of nothing": bomb(60)[: -len("fragment F60 on Q{a}")],
    "a bomb of empty selections": bomb(60).replace("{a}", "{}"),
    "a bomb of fields": aliased_bomb(9),
    "a bomb that nothing spreads": "{ a }" + bomb(60)[len("{...F0}") :],
    "a chain": chain(120),
    "deep inline fragments": "{ " + "... { " * 110 + "a" + "}" * 111,
    "a fragment in itself": "{ ...F } fragment F on Q { a { ...F } }",
    "fragments in each other": "{ ...F } fragment F on Q { ...G } fragment G on Q { a { ...F } }",
    "unused fragments in each other": "{ a } fragment F on Q { ...G } fragment G on Q { ...F }",
    "two fragments of one name": "{ ...F } fragment F on Q { a } fragment F on Q { b }",
    "one record beside the introspection": "{ a { b } __schema " + nested(10) + " }",
    "the schema without end": "{ __schema " + nested(20) + "}",
}


@pytest.mark.parametrize("text", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_at_the_limit_a_document_passes(text):
    check(text)


@pytest.mark.parametrize("text", OVER_THE_LIMIT.values(), ids=OVER_THE_LIMIT)
def test_over_the_limit_a_document_is_refused(text):
    with pytest.raises(DocumentRefused):
        check(text)


def test_the_standard_introspection_passes():
    text = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    check(text)
    assert len(text) < 16_384


def test_introspection_in_a_root_fragment_passes():
    check("{ ...F __typename } fragment F on Q { __schema " + nested(15) + " }")


def test_834_bytes_of_nested_fragments_are_refused_in_10_ms():
    text = "{...a}"
    names = [chr(97 + n // 26) + chr(97 + n % 26) for n in range(28)]
    for name, inner in zip(["a", *names], names, strict=False):
        text += f"fragment {name} on Q{{...{inner} ...{inner}}}"
    text += f"fragment {names[-1]} on Q{{a}}"
    assert 800 < len(text) < 1200

    for bytes_ in (text, bomb(60)):
        assert best_of(10, lambda bytes_=bytes_: refuse(bytes_)) < 0.010


def refuse(text: str) -> None:
    with pytest.raises(DocumentRefused):
        check_limits(parse(text, max_tokens=TOKENS_MOST), LIMITS)


def best_of(times: int, act: Callable[[], None]) -> float:
    """Time *act* in seconds, without what other processes of the machine take."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return min(taken)


def naive(selection_set, fragments) -> tuple[int, int]:
    """Depth and fields, written out the slow way."""
    depth = fields = 0
    for selection in selection_set.selections:
        kind = selection.kind
        if kind == "field":
            below = naive(selection.selection_set, fragments) if selection.selection_set else (0, 0)
            depth, fields = max(depth, below[0] + 1), fields + 1 + below[1]
        else:
            inner = fragments[selection.name.value] if kind == "fragment_spread" else selection
            below = naive(inner.selection_set, fragments)
            depth, fields = max(depth, below[0]), fields + below[1]
    return depth, fields


@st.composite
def documents(draw) -> str:
    """Small documents in which a fragment spreads later ones only."""

    def selections(level: int, first: int) -> str:
        parts = []
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["leaf", "field", "inline", "spread"]))
            if kind == "spread" and first < 4:
                parts.append(f"...F{draw(st.integers(first, 3))}")
            elif kind in ("field", "inline") and level < 3:
                head = "a" if kind == "field" else "... on Q"
                parts.append(f"{head} {{ {selections(level + 1, first)} }}")
            else:
                parts.append("b")
        return " ".join(parts)

    text = f"{{ {selections(0, 0)} }}"
    return text + "".join(f" fragment F{n} on Q {{ {selections(0, n + 1)} }}" for n in range(4))


@given(documents())
def test_the_pass_counts_as_writing_out_does(text):
    document = parse(text)
    fragments = {d.name.value: d for d in document.definitions[1:]}
    sizes = [naive(d.selection_set, fragments) for d in document.definitions]
    depth = max(d for d, _ in sizes)
    fields = max(f for _, f in sizes)
    exact = replace(WIDE, depth=depth, introspection_depth=depth, fields=fields)

    check_limits(document, exact)
    for less in (
        replace(exact, depth=depth - 1, introspection_depth=depth - 1),
        replace(exact, fields=fields - 1),
    ):
        with pytest.raises(DocumentRefused):
            check_limits(document, less)
