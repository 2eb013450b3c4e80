"""Which fields a request asks for below a resolver; what is asked for is what is opened.

Unlike `info.selected_fields` it heeds @skip, @include and type conditions, and
takes a fragment once however often it is spread. Where a field stands under several
aliases, what is asked for below each is put together.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
)
from strawberry import Info

#: So many resolvers of documents are remembered, and of each so many sets of conditions.
_REMEMBERED_MOST = 512
_CONDITIONS_MOST = 32

_Types = frozenset[GraphQLObjectType]
_Spot = tuple[SelectionSetNode, _Types]


class Selection:
    """The names of the fields asked for, as the schema spells them, and what is below each.

    `selection["edges"]["node"].names`; a field that is not asked for gives an
    empty selection, so that a path need not be tested step by step.
    """

    __slots__ = ("_below", "names")

    def __init__(self, below: Mapping[str, "Selection"]) -> None:
        """*below* holds every field asked for, those without subfields too."""
        self._below = below
        #: Without introspection fields such as __typename.
        self.names: frozenset[str] = frozenset(below)

    def __contains__(self, name: object) -> bool:
        """Say whether the field is asked for."""
        return name in self._below

    def __getitem__(self, name: str) -> "Selection":
        """Give what is asked for below a field."""
        return self._below.get(name, NOTHING)

    def __bool__(self) -> bool:
        """Say whether anything is asked for."""
        return bool(self._below)

    def __repr__(self) -> str:
        """Show the fields as GraphQL would."""
        fields = (f"{n} {b!r}" if b else n for n, b in sorted(self._below.items()))
        return "{" + " ".join(fields) + "}"


#: Nothing is asked for.
NOTHING = Selection({})


def names_below(node: Selection, name: str) -> frozenset[str] | None:
    """Give the names asked below field *name* of an object; None: it is not asked for."""
    return node[name].names if name in node.names else None


def requested(info: Info[Any, Any] | GraphQLResolveInfo[Any]) -> Selection:
    """Give the fields asked for below the field that *info* resolves.

    The document must be within `limits` and valid: on others this may take for ever.
    """
    # strawberry offers the nodes of the field in no other way.
    raw = info._raw_info if isinstance(info, Info) else info
    nodes = raw.field_nodes
    key = (id(raw.return_type), *map(id, nodes))
    known = _REMEMBERED.get(key)
    if known is None:
        known = _REMEMBERED[key] = _Asked(raw)
        if len(_REMEMBERED) > _REMEMBERED_MOST:
            _REMEMBERED.popitem(last=False)
    variables: Any = raw.variable_values
    # strawberry's executor gives the values themselves, graphql-core's holds them.
    return known.under(getattr(variables, "coerced", variables))


class _Asked:
    """What one field of one document asks for, by the values of its conditions."""

    __slots__ = ("_answers", "_conditions", "_place")

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        # Holding the nodes keeps their ids, which are the key, from being used again.
        # Of the request nothing is kept: no context, no variables, no path.
        self._place = _Place(info)
        self._conditions = tuple(sorted(_conditions(self._place)))
        self._answers: dict[tuple[bool, ...], Selection] = {}

    def under(self, variables: Mapping[str, Any]) -> Selection:
        values = tuple(variables.get(name) is True for name in self._conditions)
        answer = self._answers.get(values)
        if answer is None:
            if len(self._answers) >= _CONDITIONS_MOST:
                self._answers.clear()
            spots = self._place.spots
            truths = dict(zip(self._conditions, values, strict=True))
            answer = self._answers[values] = _selection(self._place, truths, spots)
        return answer


class _Place:
    """The parts of a document and a schema around one field."""

    __slots__ = ("fragments", "nodes", "return_type", "schema", "spots")

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self.schema: GraphQLSchema = info.schema
        self.return_type = info.return_type
        self.fragments: Mapping[str, FragmentDefinitionNode] = info.fragments
        self.nodes: tuple[FieldNode, ...] = tuple(info.field_nodes)
        types = _possible(info.schema, get_named_type(info.return_type))
        self.spots: list[_Spot] = [
            (node.selection_set, types) for node in self.nodes if node.selection_set is not None
        ]


#: A memo of a pure function: it holds parts of documents and schemas, and no values.
_REMEMBERED: OrderedDict[tuple[int, ...], _Asked] = OrderedDict()


def _selection(place: _Place, truths: Mapping[str, bool], spots: Iterable[_Spot]) -> Selection:
    below: dict[str, dict[tuple[int, _Types], _Spot]] = {}
    seen: set[tuple[int, _Types]] = set()
    for spot in spots:
        _collect(place, truths, spot, below, seen)
    return Selection(
        {name: _selection(place, truths, inner.values()) for name, inner in below.items()}
    )


def _collect(
    place: _Place,
    truths: Mapping[str, bool],
    spot: _Spot,
    below: dict[str, dict[tuple[int, _Types], _Spot]],
    seen: set[tuple[int, _Types]],
) -> None:
    """Put the fields of *spot* into *below*, with the places where each continues."""
    selections, types = spot
    if not types or (id(selections), types) in seen:
        return
    seen.add((id(selections), types))
    for selection in selections.selections:
        if not _included(selection, truths):
            continue
        if not isinstance(selection, FieldNode):
            inner, condition = _fragment(place, selection)
            if inner is not None:
                _collect(place, truths, (inner, _narrowed(place, types, condition)), below, seen)
            continue
        name = selection.name.value
        if name.startswith("__"):
            continue
        continues = below.setdefault(name, {})
        if selection.selection_set is not None:
            inner_types = _types_below(place, types, name)
            continues[id(selection.selection_set), inner_types] = (
                selection.selection_set,
                inner_types,
            )


def _fragment(
    place: _Place, selection: SelectionNode
) -> tuple[SelectionSetNode | None, NamedTypeNode | None]:
    if isinstance(selection, InlineFragmentNode):
        return selection.selection_set, selection.type_condition
    definition = place.fragments.get(selection.name.value)  # type: ignore[attr-defined]  # a spread
    if definition is None:
        return None, None
    return definition.selection_set, definition.type_condition


def _narrowed(place: _Place, types: _Types, condition: NamedTypeNode | None) -> _Types:
    if condition is None:
        return types
    return types & _possible(place.schema, place.schema.get_type(condition.name.value))


def _types_below(place: _Place, types: _Types, name: str) -> _Types:
    below: set[GraphQLObjectType] = set()
    for parent in types:
        field = parent.fields.get(name)
        if field is not None:
            below |= _possible(place.schema, get_named_type(field.type))
    return frozenset(below)


def _possible(schema: GraphQLSchema, named: Any) -> _Types:
    if is_object_type(named):
        return frozenset({named})
    if is_abstract_type(named):
        return frozenset(schema.get_possible_types(named))
    return frozenset()


def _included(selection: SelectionNode, truths: Mapping[str, bool]) -> bool:
    return all(
        _truth(directive, truths) is (directive.name.value == "include")
        for directive in selection.directives or ()
        if directive.name.value in ("include", "skip")
    )


def _truth(directive: DirectiveNode, truths: Mapping[str, bool]) -> bool:
    for argument in directive.arguments or ():
        if argument.name.value == "if":
            if isinstance(argument.value, VariableNode):
                return truths[argument.value.name.value]
            return isinstance(argument.value, BooleanValueNode) and argument.value.value
    return False


def _conditions(place: _Place) -> set[str]:
    """Name the variables that decide on anything below the field."""
    names: set[str] = set()
    seen: set[int] = set()
    todo = [selections for selections, _ in place.spots]
    while todo:
        selections = todo.pop()
        if id(selections) in seen:
            continue
        seen.add(id(selections))
        for selection in selections.selections:
            names.update(
                argument.value.name.value
                for directive in selection.directives or ()
                if directive.name.value in ("include", "skip")
                for argument in directive.arguments or ()
                if isinstance(argument.value, VariableNode)
            )
            if isinstance(selection, FieldNode):
                inner = selection.selection_set
            else:
                inner, _ = _fragment(place, selection)
            if inner is not None:
                todo.append(inner)
    return names
