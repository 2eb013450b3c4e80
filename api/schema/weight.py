"""What an operation asks for, before it runs: how much, whether of the schema, whether a change.

The points of an operation follow the sizes of its pages, so that what is paid for is what
may be opened and sent. It must be within `limits`: on others this may take for ever.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_operation_ast,
)

#: The argument that says how large a page is, and the most that any resolver takes.
_PAGE = "first"
_PAGE_MOST = 100

#: What a root field is worth that takes much more than others: a paper is set by a process of
#: its own, in 0.2 s of the processor, as long as a page of some hundred points.
_WORTH = {"releasePaper": 100}

#: The root fields that ask about the schema; they exist on queries only.
_ABOUT_THE_SCHEMA = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Weight:
    """What one operation comes to.

    Attributes:
        points: one for each root field, or what it is worth, and for each page as many as it
            may have items, times the items of the pages that it stands in.
        introspects: it asks about the schema.
        changes: how many root fields it has, if it is a mutation.
        subscribes: it is a subscription, and answered again with each change.
    """

    points: int = 1
    introspects: bool = False
    changes: int = 0
    subscribes: bool = False


#: Of a document in which the operation cannot be chosen; nothing of it is executed.
NOTHING = Weight()


def weigh(document: DocumentNode, name: str | None, variables: Mapping[str, Any] | None) -> Weight:
    """Weigh the operation *name* of *document*, with *variables* as they were sent."""
    operation = get_operation_ast(document, name)
    if operation is None:
        return NOTHING
    scales = _Scales(document, operation, variables or {})
    roots = list(scales.fields(operation.selection_set))
    return Weight(
        points=max(1, sum(_WORTH.get(f.name.value, 1) + scales.pages(f) for f in roots)),
        introspects=any(field.name.value in _ABOUT_THE_SCHEMA for field in roots),
        changes=len(roots) if operation.operation is OperationType.MUTATION else 0,
        subscribes=operation.operation is OperationType.SUBSCRIPTION,
    )


class _Scales:
    """One operation with its fragments and variables."""

    def __init__(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._defaults = {
            one.variable.name.value: one.default_value
            for one in operation.variable_definitions or ()
        }
        self._variables = variables

    def fields(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        """Give the fields of *selections*, those of its fragments written out."""
        for selection in selections.selections if selections is not None else ():
            match selection:
                case FieldNode():
                    yield selection
                case InlineFragmentNode():
                    yield from self.fields(selection.selection_set)
                case FragmentSpreadNode():
                    yield from self.fields(self._fragments[selection.name.value].selection_set)
                case _:
                    raise TypeError("a kind of selection that `limits` does not know either")

    def pages(self, field: FieldNode) -> int:
        """Count the items of the pages that *field* is or holds."""
        below = sum(self.pages(inner) for inner in self.fields(field.selection_set))
        for argument in field.arguments or ():
            if argument.name.value == _PAGE:
                return self._size(argument.value) * (1 + below)
        return below

    def _size(self, value: ValueNode | None) -> int:
        """Read a page's size; one that no resolver takes counts as the nearest that is taken."""
        given: object = None
        if isinstance(value, VariableNode):
            name = value.name.value
            if name not in self._variables:
                return self._size(self._defaults.get(name))
            given = self._variables[name]
        elif isinstance(value, IntValueNode):
            # Its digits may be a thousand; it is not turned into a number then.
            given = int(value.value) if len(value.value) < len(str(_PAGE_MOST)) + 2 else _PAGE_MOST
        if not isinstance(given, int | float):
            return 1
        return int(min(max(given, 1), _PAGE_MOST))
