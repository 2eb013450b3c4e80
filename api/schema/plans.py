"""Answer plain objects by a plan compiled once per selection, not by a walk per value.

graphql-core asks anew for every value which fields there are, of which type, with
which arguments, and whether the value is awaitable. Below a resolver of ours all is
plain attributes, so that is worked out once per selection. Whatever is not exactly
plain (a resolver, an argument, another type, a null where none may be) is left to
graphql-core, which then also words the error. The answers are equal; a test compares
them over random schemas' values and documents.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path, Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

Complete = Callable[[Any], Any]
Details = list[FieldDetails]

#: Int of the GraphQL specification: 32 bits, signed.
_INT_MOST = 2**31 - 1
_INT_LEAST = -(2**31)


class _Odd(Exception):
    """Something that a plan does not answer; graphql-core then does."""


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, which answers plain objects by plan."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Start without plans: which fields are included depends on the variables."""
        super().__init__(*args, **kwargs)
        self._plans: dict[tuple[Any, ...], Complete | None] = {}

    def collect_and_execute_subfields(
        self,
        return_type: GraphQLObjectType,
        field_details_list: Details,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Answer one object: by its plan if there is one and the values fit it."""
        if position_context is None:
            plan = self._plan(return_type, field_details_list)
            if plan is not None:
                try:
                    return plan(result)
                except (_Odd, AttributeError):
                    pass
        return super().collect_and_execute_subfields(
            return_type, field_details_list, path, result, position_context
        )

    def _plan(self, of: GraphQLObjectType, details: Details) -> Complete | None:
        # By the nodes, not by their list: under aliased fragments there are
        # exponentially many lists of the same few nodes.
        key = (of, *(id(one.node) for one in details))
        if key not in self._plans:
            self._plans[key] = None  # of a type that holds itself, while it is compiled
            self._plans[key] = self._compile(of, details)
        return self._plans[key]

    def _compile(self, of: GraphQLObjectType, details: Details) -> Complete | None:
        if self.middleware_manager is not None or of.is_type_of is not None:
            return None
        fields, deferred, _ = self.collect_subfields(of, details)
        if deferred:
            return None
        steps: list[tuple[str, str, Complete]] = []
        for name, group in fields.items():
            asked = group[0].node.name.value
            if asked == "__typename":
                steps.append((name, "__class__", _always(of.name)))
                continue
            field = self.schema.get_field(of, asked)
            attribute = None if field is None else _attribute(field)
            if field is None or attribute is None:
                return None
            complete = self._completer(field.type, group)
            if complete is None:
                return None
            steps.append((name, attribute, complete))
        plan = tuple(steps)

        def answer(value: Any) -> dict[str, Any]:
            return {name: done(getattr(value, attribute)) for name, attribute, done in plan}

        return answer

    def _completer(self, of: GraphQLOutputType, details: Details) -> Complete | None:
        if isinstance(of, GraphQLNonNull):
            inner = self._inner(of.of_type, details)
            return None if inner is None else _present(inner)
        inner = self._inner(of, details)
        return None if inner is None else _nullable(inner)

    def _inner(self, of: Any, details: Details) -> Complete | None:
        """Give what completes a value of *of* that is not null."""
        if isinstance(of, GraphQLList):
            item = self._completer(of.of_type, details)
            return None if item is None else _list(item)
        if isinstance(of, GraphQLObjectType):
            return self._plan(of, details)
        if is_leaf_type(of):
            return _leaf(of)
        return None


def _attribute(field: GraphQLField) -> str | None:
    """Name the attribute of a field that is read and nothing else; None for any other."""
    if field.args or not getattr(field.resolve, "_is_default", False):
        return None
    definition = field.extensions.get("strawberry-definition")
    if definition is None or not definition.is_basic_field:
        return None
    name: str = definition.python_name
    return name


def _always(answer: str) -> Complete:
    return lambda _value: answer


def _present(inner: Complete) -> Complete:
    def complete(value: Any) -> Any:
        if value is None:
            raise _Odd
        return inner(value)

    return complete


def _nullable(inner: Complete) -> Complete:
    if inner is _text:
        return _text_or_null
    return lambda value: None if value is None else inner(value)


def _list(item: Complete) -> Complete:
    def complete(value: Any) -> list[Any]:
        if type(value) is not list and type(value) is not tuple:
            raise _Odd
        return [item(one) for one in value]

    return complete


def _leaf(of: GraphQLLeafType) -> Complete:
    """Give what serialises *of*: a test of the exact type, or the type's own function."""
    if isinstance(of, GraphQLEnumType):
        return _enum(of)
    match of.name:
        case "String":
            return _text
        case "ID":
            return _id
        case "Int":
            return _int
        case "Boolean":
            return _bool
        case _:
            return _scalar(of)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _Odd
    return value


def _text_or_null(value: Any) -> str | None:
    """Do what `_nullable(_text)` would in one call: most values are of this kind."""
    if value is not None and type(value) is not str:
        raise _Odd
    return value


def _id(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, UUID):  # asyncpg has a faster one of its own
        return str(value)
    raise _Odd


def _int(value: Any) -> int:
    if type(value) is not int or not _INT_LEAST <= value <= _INT_MOST:
        raise _Odd
    return value


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise _Odd
    return value


def _scalar(of: GraphQLScalarType) -> Complete:
    serialize = of.serialize

    def complete(value: Any) -> Any:
        try:
            done = serialize(value)
        except Exception:
            raise _Odd from None
        if done is None or done is Undefined:
            raise _Odd
        return done

    return complete


def _enum(of: GraphQLEnumType) -> Complete:
    known: dict[tuple[type, Any], Any] = {}

    def complete(value: Any) -> Any:
        key = (type(value), value)
        try:
            return known[key]
        except (KeyError, TypeError):
            pass
        try:
            done: Any = of.serialize(value)
        except Exception:
            raise _Odd from None
        if done is None or done is Undefined:
            raise _Odd
        if len(known) < len(of.values) * 2:
            known[key] = done
        return done

    return complete
