"""From the text of a GraphQL document to one that may be executed, remembered.

The order matters: length of the text, number of tokens, limits, validation; each
keeps what follows it from doing much work. No problem that is reported repeats a
value of the document, since a value may be an identity number.
"""

from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    ValuesOfCorrectTypeRule,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.errors import DocumentInvalid, DocumentRefused, PerisaiError
from api.schema.limits import TEXT_MOST, TOKENS_MOST, Limits, check_limits

#: So many documents are remembered; a frontend has a few dozen. One that is as large as
#: the limits allow takes 0.6 MB.
REMEMBERED_MOST = 128

#: A document's first problems are reported, no more.
PROBLEMS_MOST = 10

#: Pairs of fields that may be compared, in units of graphql-core. Its own budget of
#: 500,000 takes 70 ms to spend; 15 fields in each of five fragments need under 2,000.
_COMPARISONS_MOST = 20_000


class _MergeableFields(OverlappingFieldsCanBeMergedRule):
    """The rule of graphql-core, which gives up sooner."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = _COMPARISONS_MOST


#: Rules whose messages are made of names in the document and the schema.
_NAME_RULES = (
    *(
        rule
        for rule in specified_rules
        if rule not in (ValuesOfCorrectTypeRule, OverlappingFieldsCanBeMergedRule)
    ),
    _MergeableFields,
)

#: Rules whose messages would repeat values.
_VALUE_RULES = (ValuesOfCorrectTypeRule, MaybeNullValidationRule, OneOfInputValidationRule)

#: What graphql-core says when a budget or the stack is at its end.
_GAVE_UP = "Validation aborted."

_DOES_NOT_PARSE = "The document does not parse here."
_VALUE_DOES_NOT_FIT = "This value does not fit the type that the schema has here."


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document.

    Attributes:
        code: a public error code.
        locations: line and column, each from 1.
    """

    message: str
    code: str
    locations: tuple[tuple[int, int], ...]


class DocumentWithProblems(DocumentInvalid):
    """A document that does not parse or does not fit, and where."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """*problems* say what, in the order of the document; at least one."""
        super().__init__()
        self.problems = problems


class Documents:
    """The documents of one schema, each parsed, limited and validated once."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits | None = None,
        remembered_most: int = REMEMBERED_MOST,
    ) -> None:
        """Start with none remembered."""
        self._schema = schema
        self._limits = limits or Limits()
        self._most = remembered_most
        self._prepared: OrderedDict[str, DocumentNode] = OrderedDict()

    def prepare(self, text: str) -> DocumentNode:
        """Give the document of *text*, fit to be executed.

        Raises:
            DocumentRefused: it is over a limit.
            DocumentWithProblems: it does not parse or does not fit the schema.
        """
        document = self._prepared.get(text)
        if document is not None:
            self._prepared.move_to_end(text)
            return document
        document = self.checked(text)
        self._prepared[text] = document
        if len(self._prepared) > self._most:
            self._prepared.popitem(last=False)
        return document

    def checked(self, text: str) -> DocumentNode:
        """Do what `prepare` does, and remember nothing."""
        document = _parsed(text)
        check_limits(document, self._limits)
        self._validate(document)
        return document

    def _validate(self, document: DocumentNode) -> None:
        errors = validate(
            self._schema, document, _NAME_RULES, max_errors=PROBLEMS_MOST, hide_suggestions=True
        )
        if any(error.message == _GAVE_UP for error in errors):
            raise DocumentRefused
        if errors:
            # Of a field without subfields it says "Did you mean", whatever is hidden.
            said = [(error, error.message.partition(" Did you mean")[0]) for error in errors]
            raise DocumentWithProblems(tuple(_problem(*one) for one in said))
        errors = validate(self._schema, document, _VALUE_RULES, max_errors=PROBLEMS_MOST)
        if errors:
            problems = tuple(_problem(error, _VALUE_DOES_NOT_FIT) for error in errors)
            raise DocumentWithProblems(problems)


def cause_of(error: GraphQLError) -> Exception | None:
    """Give the exception that a scalar or resolver raised, out of its GraphQL wrappings."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _parsed(text: str) -> DocumentNode:
    try:
        size = len(text.encode()) if len(text) <= TEXT_MOST else len(text)
    except UnicodeEncodeError:  # Half of a surrogate pair is no text.
        raise DocumentRefused from None
    if size > TEXT_MOST:
        raise DocumentRefused
    try:
        return parse(text, max_tokens=TOKENS_MOST)
    except GraphQLError as error:
        # graphql-core tells a limit from a mistake in the sentence only.
        if error.message.endswith("Parsing aborted."):
            raise DocumentRefused from None
        raise DocumentWithProblems((_problem(error, _DOES_NOT_PARSE),)) from None


def _problem(error: GraphQLError, message: str) -> Problem:
    cause, code = cause_of(error), DocumentInvalid.code
    if isinstance(cause, PerisaiError):
        message, code = type(cause).message, cause.code
    return Problem(message, code, tuple((at.line, at.column) for at in error.locations or ()))
