"""How large a GraphQL document may be, measured in one pass before anything else reads it.

Each fragment is measured once, so the pass is linear in the document even where
the document's expansion is exponential: 834 bytes of nested fragments expand to
2**60 fields. Validation, field collection and
strawberry's own limiters do expand them, so this runs first, always.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from api.errors import DocumentRefused

#: The text of a document, bytes of UTF-8 and lexical tokens; checked before it is parsed.
TEXT_MOST = 16 * 1024
TOKENS_MOST = 1000

#: The root fields that ask about the schema and reach no record.
_INTROSPECTION = frozenset({"__schema", "__type", "__typename"})

#: Selections and fragments within one another, fields or not; bounds our own recursion.
_NESTING_MOST = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one operation may hold, with its fragments written out.

    Attributes:
        depth: of fields below one another.
        introspection_depth: where the root asks about the schema only; the query
            of graphql-core's `get_introspection_query` has 13, GraphiQL's 15.
        aliases: fields with another name than their own, or that stand once more beside
            themselves, which asks for nothing.
        fields: all fields, as often as fragments repeat them.
        fragments: definitions; each is validated by itself, whether it is spread or not.
    """

    depth: int = 10
    introspection_depth: int = 20
    aliases: int = 15
    directives: int = 20
    root_fields: int = 10
    fields: int = 1000
    fragments: int = 40


@dataclass(frozen=True, slots=True)
class _Size:
    """What a selection set comes to, fragments written out."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    root_fields: int = 0
    fields: int = 0
    introspection_only: bool = True


#: Of a field without fields below it.
_LEAF = _Size()


def check_limits(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document of which any operation or fragment is over a limit.

    Raises:
        DocumentRefused: it is, or a fragment contains itself.
    """
    measure = _Measure(document, limits.fragments)
    for definition in document.definitions:
        match definition:
            case FragmentDefinitionNode():
                # What it is spread in decides on the smaller depth.
                size = measure.fragment(definition.name.value)
                _refuse_over(limits, size, limits.introspection_depth)
            case OperationDefinitionNode():
                own = _count(definition.directives)
                for variable in definition.variable_definitions or ():
                    own += _count(variable.directives)
                size = measure.selection_set(definition.selection_set, own)
                if size.root_fields > limits.root_fields:
                    raise DocumentRefused
                about_schema = size.introspection_only
                depth = limits.introspection_depth if about_schema else limits.depth
                _refuse_over(limits, size, depth)
            case _:
                pass  # Definitions of types are refused by the validation.


def _refuse_over(limits: Limits, size: _Size, depth: int) -> None:
    if (
        size.depth > depth
        or size.aliases > limits.aliases
        or size.directives > limits.directives
        or size.fields > limits.fields
    ):
        raise DocumentRefused


class _Measure:
    """Sizes of the parts of one document; remembers those of its fragments."""

    def __init__(self, document: DocumentNode, fragments_most: int) -> None:
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        for definition in document.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                # Of two with one name, each reader would be free to take another.
                if definition.name.value in self._fragments:
                    raise DocumentRefused
                self._fragments[definition.name.value] = definition
        if len(self._fragments) > fragments_most:
            raise DocumentRefused
        self._sizes: dict[str, _Size] = {}
        self._open: set[str] = set()
        self._nesting = 0

    def fragment(self, name: str) -> _Size:
        """Measure the fragment *name*; nothing if the document has none of that name."""
        if name in self._open:
            raise DocumentRefused
        if name not in self._sizes:
            definition = self._fragments.get(name)
            if definition is None:
                return _Size()
            self._open.add(name)
            own = _count(definition.directives)
            self._sizes[name] = self.selection_set(definition.selection_set, own)
            self._open.remove(name)
        return self._sizes[name]

    def selection_set(self, selections: SelectionSetNode, directives: int = 0) -> _Size:
        """Measure a selection set whose owner has *directives*; its fields are at depth 1."""
        self._nesting += 1
        if self._nesting > _NESTING_MOST:
            raise DocumentRefused
        depth = aliases = root_fields = fields = 0
        introspection_only = True
        beside: set[str] = set()
        for selection in selections.selections:
            directives += _count(selection.directives)
            if isinstance(selection, FieldNode):
                below, name = _LEAF, selection.name.value
                if selection.selection_set is not None:
                    below = self.selection_set(selection.selection_set)
                depth = max(depth, below.depth + 1)
                aliases += selection.alias is not None or name in beside
                beside.add(name)
                root_fields += 1
                fields += 1 + below.fields
                introspection_only &= name in _INTROSPECTION
            else:
                below = self._fragment_of(selection)
                depth = max(depth, below.depth)
                # Spreading nothing is work too, and 2**60 times of it is a bomb.
                fields += max(1, below.fields)
                root_fields += below.root_fields
                introspection_only &= below.introspection_only
            aliases += below.aliases
            directives += below.directives
        self._nesting -= 1
        return _Size(depth, aliases, directives, root_fields, fields, introspection_only)

    def _fragment_of(self, selection: SelectionNode) -> _Size:
        match selection:
            case FragmentSpreadNode():
                return self.fragment(selection.name.value)
            case InlineFragmentNode():
                return self.selection_set(selection.selection_set)
            case _:  # A kind of selection that we do not know cannot be measured.
                raise DocumentRefused


def _count(directives: Sequence[DirectiveNode] | None) -> int:
    return len(directives or ())
