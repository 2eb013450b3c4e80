"""Random requests made from a schema: mostly fit, some not, some no documents at all."""

import json
from collections.abc import Sequence
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
)
from hypothesis import strategies as st

#: Fields below one another: a few more than the limit lets through.
DEEPEST = 12

TEXTS = (
    "",
    " ",
    "x",
    "siti",
    "081234567890",
    "3171234567890001",
    "siti@example.org",
    "death_threat",
    "incident_kinds",
    "2026-11-02",
    "\u202e\U0001f3f4\u0301",
    'a"b\\c\n',
    "'; drop table defender; --",
    "a" * 3000,
)
NUMBERS = (0, 1, 2, 3, 20, 100, 101, -1, 2**31 - 1, 2**31, -(2**63), 10**40)
MOMENTS = ("2026-11-02", "2026-11-02T12:00:00+00:00", "2026-13-01", "0001-01-01", "9999-12-31")
#: Put somewhere into a document that was fit.
JUNK = (
    "{",
    "}",
    "(",
    "$x",
    "@include(if: true)",
    "@defer",
    "...F",
    '"',
    "#",
    "\0",
    ":",
    "null",
    "!",
)
#: Members of a request, and what may stand in their place.
MEMBERS = ("query", "documentId", "variables", "operationName", "extensions")
ODD = (None, 0, "", "R", "S", [], {}, {"R": [{}]}, ["{ viewer }"])


class Enumerated(str):
    """The name of an enumeration's value, which is written without quotes."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Write *value* as GraphQL does."""
    match value:
        case Enumerated():
            return str(value)
        case dict():
            return "{" + " ".join(f"{name}: {literal(one)}" for name, one in value.items()) + "}"
        case list():
            return "[" + " ".join(map(literal, value)) + "]"
        case _:
            return json.dumps(value)


class Documents:
    """Draws documents of one schema.

    Args:
        ids: what stands for ids: those of records, and malformed ones.
    """

    def __init__(self, schema: GraphQLSchema, ids: Sequence[str]) -> None:
        self._schema = schema
        self._ids = ids

    def requests(self) -> st.SearchStrategy[bytes]:
        """Draw bodies of requests."""

        @st.composite
        def body(draw: st.DrawFn) -> bytes:
            return _Drawing(self._schema, self._ids, draw).body()

        return body()


class _Drawing:
    """One request as it is drawn, with the variables that it came to use."""

    def __init__(self, schema: GraphQLSchema, ids: Sequence[str], draw: st.DrawFn) -> None:
        self._schema = schema
        self._ids = ids
        self._draw = draw
        self._declared: list[str] = []
        self._variables: dict[str, Any] = {}
        self._fragments: list[str] = []
        self._aliases = 0

    def body(self) -> bytes:
        kinds = {
            "query": self._schema.query_type,
            "mutation": self._schema.mutation_type,
            "subscription": self._schema.subscription_type,
        }
        there = [(kind, root) for kind, root in kinds.items() if root]
        kind, root = self._draw(st.sampled_from(there))
        # A subscription has one field at its root: with more hardly any would be one.
        alone = kind == "subscription" and not self._chance(8)
        selections = self._selections(root, 1, most=1 if alone else None)
        declared = f" R({' '.join(self._declared)})" if self._declared else " R"
        text = f"{kind}{declared} {selections} {' '.join(self._fragments)}"
        if self._chance(20):
            at = self._draw(st.integers(0, len(text)))
            text = text[:at] + self._draw(st.sampled_from(JUNK)) + text[at:]
        if self._chance(40):
            at = self._draw(st.integers(0, len(text)))
            text = text[: at // 2] + text[at:]
        said: dict[str, Any] = {"query": text, "variables": self._variables}
        if self._chance(16):
            said[self._draw(st.sampled_from(MEMBERS))] = self._draw(st.sampled_from(ODD))
        sent = json.dumps(said, default=str).encode()
        if self._chance(32):
            at = self._draw(st.integers(0, len(sent)))
            sent = sent[:at] + self._draw(st.binary(max_size=4)) + sent[at:]
        return sent

    def _chance(self, in_: int) -> bool:
        return self._draw(st.integers(1, in_)) == in_

    def _selections(
        self, of: GraphQLObjectType | GraphQLInterfaceType, depth: int, most: int | None = None
    ) -> str:
        names = sorted(of.fields)
        size = 1 if most == 1 else (6 if depth > 1 else 4)
        chosen = self._draw(st.lists(st.sampled_from(names), min_size=1, max_size=size))
        kept = chosen[: most or (4 if depth > 1 else 3)]
        parts = [self._field(of.fields[name], name, depth) for name in kept]
        if most != 1 and self._chance(6):
            parts.append("__typename")
        written = "{ " + " ".join(part for part in parts if part) + " }"
        if written == "{  }":
            return "{ __typename }"
        if self._chance(8):
            name = f"F{len(self._fragments)}"
            self._fragments.append(f"fragment {name} on {of.name} {written}")
            return f"{{ ...{name} }}"
        return f"{{ ... on {of.name} {written} }}" if self._chance(12) else written

    def _field(self, field: GraphQLField, name: str, depth: int) -> str:
        below = ""
        named = get_named_type(field.type)
        if is_composite_type(named):
            if depth == DEEPEST:
                return ""
            assert isinstance(named, GraphQLObjectType | GraphQLInterfaceType)
            below = self._selections(named, depth + 1)
        given = [
            f"{argument}: {self._argument(one)}"
            for argument, one in field.args.items()
            if isinstance(one.type, GraphQLNonNull) or self._chance(3)
            if not self._chance(80)
        ]
        self._aliases += 1
        alias = f"a{self._aliases}: " if given or self._chance(8) else ""
        arguments = f"({', '.join(given)})" if given else ""
        directive = ""
        if self._chance(12):
            word = self._draw(st.sampled_from(["skip", "include"]))
            directive = f" @{word}(if: {self._draw(st.sampled_from(['true', 'false']))})"
        return f"{alias}{name}{arguments}{directive} {below}"

    def _argument(self, argument: GraphQLArgument) -> str:
        value = self._value(argument.type)
        if self._chance(2):
            return literal(value)
        name = f"v{len(self._declared)}"
        self._declared.append(f"${name}: {argument.type}")
        self._variables[name] = value
        return f"${name}"

    def _value(self, of: Any) -> Any:
        if self._chance(60):
            return self._draw(st.sampled_from([None, True, 1.5, "x", [], {}, [[]], {"a": {}}]))
        if isinstance(of, GraphQLNonNull):
            return self._present(of.of_type)
        return None if self._chance(6) else self._present(of)

    def _present(self, of: Any) -> Any:
        match of:
            case GraphQLNonNull():
                return self._present(of.of_type)
            case GraphQLList():
                count = self._draw(st.sampled_from([0, 1, 1, 2, 3, 40]))
                return [self._value(of.of_type)] * count
            case GraphQLEnumType():
                return Enumerated(self._draw(st.sampled_from(sorted(of.values))))
            case GraphQLInputObjectType():
                return {
                    name: self._value(one.type)
                    for name, one in of.fields.items()
                    if _is_required(one) or self._chance(2)
                }
        match of.name:
            case "ID":
                return self._draw(st.sampled_from(self._ids))
            case "Int":
                return self._draw(st.sampled_from(NUMBERS) | st.integers(1, 20))
            case "Boolean":
                return self._draw(st.booleans())
            case "Date" | "DateTime":
                return self._draw(st.sampled_from(MOMENTS))
            case _:
                return self._draw(st.sampled_from(TEXTS) | st.text(max_size=12))


def _is_required(field: GraphQLInputField) -> bool:
    return isinstance(field.type, GraphQLNonNull)
