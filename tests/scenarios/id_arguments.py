"""Which arguments take an id: by the schemas of the faces, and by the questions of `hiding`."""

from collections.abc import Iterator

from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    get_named_type,
    parse,
)

from api.schema.attachments import ADD, ATTACHMENT_HEADER, CASE_FILE_HEADER
from api.schema.attachments import READ as CONTENT
from api.schema.faces import schema_of
from api.schema.snapshot import FACES
from tests.scenarios.hiding import ATTACHMENTS, Question

#: Face, operation, and the way to the argument: ("agency", "addNote", "input.caseFileId").
Place = tuple[str, str, str]


def place_of(question: Question) -> Place:
    """Tell for which argument the id of *question* is."""
    if question.face == ATTACHMENTS:
        return question.face, question.query, question.variable
    [operation] = parse(question.query).definitions
    assert isinstance(operation, OperationDefinitionNode)
    [(field, path)] = [
        (root.name.value, path)
        for root in operation.selection_set.selections
        if isinstance(root, FieldNode)
        for argument in root.arguments
        for path in _ways(argument.value, (argument.name.value,), question.variable)
    ]
    return question.face, field, ".".join(path)


def _ways(value: ValueNode, so_far: tuple[str, ...], variable: str) -> Iterator[tuple[str, ...]]:
    if isinstance(value, VariableNode) and value.name.value == variable:
        yield so_far
    if isinstance(value, ListValueNode):
        for one in value.values:
            yield from _ways(one, so_far, variable)
    if isinstance(value, ObjectValueNode):
        for field in value.fields:
            yield from _ways(field.value, (*so_far, field.name.value), variable)


def places() -> set[Place]:
    """Name every argument of every face that takes an id, as its schema says it."""
    found = set()
    for face in FACES:
        found |= {(face, field, path) for field, path in _taking(schema_of(face)._schema)}
    return found | {
        (ATTACHMENTS, ADD, CASE_FILE_HEADER),
        (ATTACHMENTS, CONTENT, ATTACHMENT_HEADER),
    }


def _taking(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Name field and argument, also of fields that are not at the root."""
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name.startswith("__"):
            continue
        root = kind in (schema.query_type, schema.mutation_type, schema.subscription_type)
        for name, field in kind.fields.items():
            for argument, taken in field.args.items():
                for path in _ids(get_named_type(taken.type), (argument,)):
                    yield name if root else f"{kind.name}.{name}", ".".join(path)


def _ids(kind: GraphQLNamedType, so_far: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if kind.name == "ID":
        yield so_far
    if isinstance(kind, GraphQLInputObjectType):
        assert len(so_far) < 5, "inputs that hold themselves have no end"
        for name, field in kind.fields.items():
            yield from _ids(get_named_type(field.type), (*so_far, name))
