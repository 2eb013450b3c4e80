"""The same policy as SQL: which rows can `see` or `open` allow for this caller?

The engine evaluates the rule with the row unknown and says what the row must be
(Polar's partial evaluation). A plan is that answer: alternatives, each a
conjunction of `field operator constant` on the one row. Facts have no relations,
so nothing else can occur, and anything else is refused: a scope that cannot be
said exactly is not said at all. docs/decisions/0004 tells why this is ours.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

from polar.expression import Expression, Pattern
from polar.variable import Variable
from sqlalchemy import Boolean, ColumnElement, and_, false, not_, or_, true

from api.errors import PolicyFailed
from api.policies.engine import GROUND, ROW, Policy
from api.policies.facts import FIELD_TYPES, ROW_OF, Facts
from api.vocabulary import Compartment

Constant = str | int | bool


class Condition(NamedTuple):
    """`field operator constant`, on the row that is asked about."""

    field: str
    operator: str
    constant: Constant


#: Alternatives; a row is in scope when all conditions of one of them hold.
Plan = tuple[tuple[Condition, ...], ...]

_EQUAL: Final = "="

#: Polar's operator -> ours. `!=` is missing on purpose: the lint bans it as well.
_OPERATORS: Final = {
    "Unify": _EQUAL,
    "Eq": _EQUAL,
    "Lt": "<",
    "Leq": "<=",
    "Gt": ">",
    "Geq": ">=",
}

_COMPARE: Final[dict[str, Callable[[Any, Constant], ColumnElement[bool]]]] = {
    _EQUAL: lambda column, constant: column == constant,
    "<": lambda column, constant: column < constant,
    "<=": lambda column, constant: column <= constant,
    ">": lambda column, constant: column > constant,
    ">=": lambda column, constant: column >= constant,
}


class FilterUnsupported(Exception):
    """The engine's answer holds something that has no exact SQL here. Never leaves this module."""


def plan_of(policy: Policy, who: Facts, compartment: Compartment | None) -> Plan:
    """Work out the rows that *who* may see or, with a *compartment*, open.

    Raises:
        PolicyFailed: the engine raised, or its answer cannot be said in SQL.
    """
    row = ROW_OF[type(who)]
    if compartment is None:
        answers = policy.conditions_on(row, "see", who, ROW, GROUND)
    else:
        answers = policy.conditions_on(row, "open", who, compartment.value, ROW, GROUND)
    try:
        # Several grounds may ask for the same conditions: each alternative once.
        return tuple(dict.fromkeys(_conjunction(answer, row) for answer in answers))
    except FilterUnsupported:
        raise PolicyFailed from None


def predicate(plan: Plan, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    """Say *plan* in SQL over *columns*: field of the row's facts -> expression, never NULL.

    Raises:
        PolicyFailed: a column is missing, or a flag is no boolean expression.
    """
    # What every alternative asks stands once, after them: whoever is not in reach by any is
    # asked no more, and a list that reads them one by one repeats it no more than it must.
    common = [c for c in plan[0] if all(c in every for every in plan)] if len(plan) > 1 else []
    ways = or_(
        false(),
        *(
            and_(
                true(),
                *(_sql(condition, columns) for condition in every if condition not in common),
            )
            for every in plan
        ),
    )
    return and_(ways, *(_sql(condition, columns) for condition in common))


def _sql(condition: Condition, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    column = columns.get(condition.field)
    if column is None:
        raise PolicyFailed
    if type(condition.constant) is bool:
        # `= true` has no portable spelling for an EXISTS; the expression itself has.
        if not isinstance(column.type, Boolean):
            raise PolicyFailed
        return column if condition.constant else not_(column)
    return _COMPARE[condition.operator](column, condition.constant)


def _conjunction(answer: Expression, row: type[Facts]) -> tuple[Condition, ...]:
    if answer.operator != "And":
        raise FilterUnsupported
    conditions = [_condition(part, row) for part in answer.args if not _is_class_of(part, row)]
    return tuple(dict.fromkeys(conditions))


def _is_class_of(part: Any, row: type[Facts]) -> bool:
    """Is *part* the statement that the row is of its class, without more?"""
    return (
        type(part) is Expression
        and part.operator == "Isa"
        and len(part.args) == 2
        and _is_row(part.args[0])
        and part.args[1] == Pattern(row.polar_name, {})
    )


def _condition(part: Any, row: type[Facts]) -> Condition:
    if type(part) is not Expression or part.operator not in _OPERATORS or len(part.args) != 2:
        raise FilterUnsupported
    left, right = part.args
    operator = _OPERATORS[part.operator]
    if operator == _EQUAL and type(right) is Expression:
        left, right = right, left  # Equality only: an order must never be mirrored.
    field, constant = _field(left), right
    kind = FIELD_TYPES[row.polar_name].get(field)
    if kind is None or type(constant) is not kind:
        raise FilterUnsupported
    if kind is not int and operator != _EQUAL:
        raise FilterUnsupported
    return Condition(field, operator, cast("Constant", constant))


def _field(side: Any) -> str:
    """Name the field of `row.field`, and of nothing deeper."""
    if (
        type(side) is not Expression
        or side.operator != "Dot"
        or len(side.args) != 2
        or not _is_row(side.args[0])
        or type(side.args[1]) is not str
    ):
        raise FilterUnsupported
    return str(side.args[1])


def _is_row(term: Any) -> bool:
    return type(term) is Variable and term == Variable("_this")
