"""Read a policy text into rules and tests, and write rules, in the part of Polar for policies.

    policy     = { rule | test }
    rule       = name "(" parameter { "," parameter } ")" [ "if" goal { "and" goal } ] ";"
    parameter  = text | variable | ( variable | "_" ) ":" class [ "{" field ":" constant ... "}" ]
    goal       = call | comparison
    call       = name "(" argument { "," argument } ")"
    argument   = text | variable | "_" | variable "." field
    comparison = variable "." field operator ( constant | variable "." field )
    operator   = "=" | "<" | "<=" | ">" | ">="
    test       = "?=" [ "not" ] name "(" example { "," example } ")" ";"
    example    = constant | "_" | "new" class "(" field ":" constant { "," ... } ")"
    constant   = text | number | "true" | "false"

What is not in this grammar is refused, so `not`, `or`, `in`, `!=`, `cut`,
`print`, `forall`, method calls, arithmetic, lists and the like need no ban of
their own. Whether what was read makes sense is the question of lint.py.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeVar

_T = TypeVar("_T")

Constant = str | int | bool


class Variable(NamedTuple):
    """A variable, or `_`."""

    name: str


class Path(NamedTuple):
    """`variable.field`: one step, so that it can be no relation."""

    variable: str
    field: str


class Made(NamedTuple):
    """`new Class(field: constant, ...)`, in tests only."""

    polar_class: str
    values: tuple[tuple[str, Constant], ...]


class Parameter(NamedTuple):
    """One place in the head of a rule: a constant, or a variable with or without a class."""

    constant: Constant | None
    variable: str
    polar_class: str | None
    values: tuple[tuple[str, Constant], ...]


class Call(NamedTuple):
    """A rule that is asked."""

    line: int
    rule: str
    arguments: tuple[Constant | Variable | Path | Made, ...]


class Comparison(NamedTuple):
    """`left operator right`."""

    line: int
    left: Path
    operator: str
    right: Constant | Path


class Rule(NamedTuple):
    """A rule or, without goals, a line of a table."""

    line: int
    name: str
    parameters: tuple[Parameter, ...]
    goals: tuple[Call | Comparison, ...]


class InlineTest(NamedTuple):
    """An inline test; whether it is expected to hold is the engine's matter."""

    call: Call


class NotInGrammar(Exception):
    """Where the text leaves the grammar. *what* is made of the policy's own words."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def read(text: str) -> list[Rule | InlineTest]:
    """Read one file.

    Raises:
        NotInGrammar: at the first place that the grammar does not know.
    """
    return _Reader(_tokens(text)).policy()


class _Token(NamedTuple):
    line: int
    kind: str
    text: str


# Printable ASCII and line feeds only: no sign that Polar's lexer might read in
# another way, such as a line end within what looks like a comment.
_OTHER_SIGN: Final = re.compile(r"[^\n\x20-\x7e]")
_TOKEN: Final = re.compile(
    r"(?P<blank>[ \n]+|\#[^\n]*)"
    r'|(?P<text>"[^"\\\n]*")'
    r"|(?P<number>[0-9]{1,9}(?![A-Za-z0-9_]))"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\?=|<=|>=|[=<>(){}:;,.])"
)
_OPERATORS: Final = ("=", "<", "<=", ">", ">=")
_RESERVED: Final = frozenset(
    {"actor", "and", "as", "cut", "debug", "declare", "else", "false", "forall", "if", "in", "is"}
    | {"isa", "matches", "mod", "new", "nil", "not", "on", "or", "print", "rem", "resource"}
    | {"true", "type"}
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_VARIABLE: Final = re.compile(r"_?[a-z][a-z0-9_]*")
_VARIABLE_OR_BLANK: Final = re.compile(r"_|_?[a-z][a-z0-9_]*")
_CLASS: Final = re.compile(r"[A-Z][A-Za-z]*")
_END: Final = "the end of the file"


def _tokens(text: str) -> list[_Token]:
    other = _OTHER_SIGN.search(text)
    if other is not None:
        line = text.count("\n", 0, other.start()) + 1
        raise NotInGrammar(line, f"the sign {other.group()!a} has no place in a policy")
    tokens = []
    line, place = 1, 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise NotInGrammar(line, f"the sign {text[place]!r} has no place in a policy")
        if found.lastgroup != "blank":
            tokens.append(_Token(line, str(found.lastgroup), found.group()))
        line += found.group().count("\n")
        place = found.end()
    return [*tokens, _Token(line, "end", _END)]


class _Reader:
    """Recursive descent, one token ahead."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _refuse(self, expected: str) -> NotInGrammar:
        token = self._next
        return NotInGrammar(token.line, f"expected {expected}, found {token.text}")

    def _take_if(self, *texts: str) -> str | None:
        token = self._next
        if token.kind in ("word", "sign") and token.text in texts:
            self._at += 1
            return token.text
        return None

    def _take(self, text: str) -> None:
        if self._take_if(text) is None:
            raise self._refuse(f"`{text}`")

    def _take_word(self, shape: re.Pattern[str], expected: str) -> str:
        token = self._next
        if token.kind != "word" or token.text in _RESERVED or not shape.fullmatch(token.text):
            raise self._refuse(expected)
        self._at += 1
        return token.text

    def policy(self) -> list[Rule | InlineTest]:
        found: list[Rule | InlineTest] = []
        while self._next.kind != "end":
            found.append(self._test() if self._take_if("?=") else self._rule())
            self._take(";")
        return found

    def _test(self) -> InlineTest:
        self._take_if("not")
        line = self._next.line
        name = self._take_word(_NAME, "the name of a rule")
        return InlineTest(Call(line, name, self._list(self._example)))

    def _rule(self) -> Rule:
        line = self._next.line
        name = self._take_word(_NAME, "the name of a rule")
        parameters = self._list(self._parameter)
        goals = []
        if self._take_if("if"):
            goals.append(self._goal())
            while self._take_if("and"):
                goals.append(self._goal())
        return Rule(line, name, parameters, tuple(goals))

    def _list(self, item: Callable[[], _T]) -> tuple[_T, ...]:
        """`( item, ... )`: at least one."""
        self._take("(")
        items = [item()]
        while self._take_if(","):
            items.append(item())
        self._take(")")
        return tuple(items)

    def _parameter(self) -> Parameter:
        if self._next.kind == "text":
            return Parameter(self._text(), "", None, ())
        variable = self._take_word(_VARIABLE_OR_BLANK, "a text or a variable")
        if not self._take_if(":"):
            if variable == "_":
                raise self._refuse("`:` and a class, since `_` alone matches anything")
            return Parameter(None, variable, None, ())
        polar_class = self._take_word(_CLASS, "a class")
        values: tuple[tuple[str, Constant], ...] = ()
        if self._take_if("{"):
            values = self._fields("}")
        return Parameter(None, variable, polar_class, values)

    def _fields(self, end: str) -> tuple[tuple[str, Constant], ...]:
        """`field: constant, ...` up to *end*: at least one."""
        fields = []
        while True:
            name = self._take_word(_NAME, "the name of a field")
            self._take(":")
            fields.append((name, self._constant()))
            if not self._take_if(","):
                self._take(end)
                return tuple(fields)

    def _goal(self) -> Call | Comparison:
        line = self._next.line
        name = self._take_word(_VARIABLE, "a rule or `row.field`")
        if not self._take_if("."):
            return Call(line, name, self._list(self._argument))
        left = Path(name, self._take_word(_NAME, "the name of a field"))
        operator = self._take_if(*_OPERATORS)
        if operator is None:
            raise self._refuse("one of " + " ".join(_OPERATORS))
        if self._next.kind == "word" and self._next.text not in ("true", "false"):
            return Comparison(line, left, operator, self._path())
        return Comparison(line, left, operator, self._constant())

    def _path(self) -> Path:
        variable = self._take_word(_VARIABLE, "`who.field`")
        self._take(".")
        return Path(variable, self._take_word(_NAME, "the name of a field"))

    def _argument(self) -> str | Variable | Path:
        if self._next.kind == "text":
            return self._text()
        variable = self._take_word(_VARIABLE_OR_BLANK, "a text, a variable or `who.field`")
        if variable != "_" and self._take_if("."):
            return Path(variable, self._take_word(_NAME, "the name of a field"))
        return Variable(variable)

    def _example(self) -> Constant | Variable | Made:
        if self._take_if("new"):
            polar_class = self._take_word(_CLASS, "a class")
            self._take("(")
            return Made(polar_class, self._fields(")"))
        if self._take_if("_"):
            return Variable("_")
        return self._constant()

    def _text(self) -> str:
        text = self._next.text[1:-1]
        self._at += 1
        return text

    def _constant(self) -> Constant:
        token = self._next
        if token.kind == "text":
            return self._text()
        if token.kind == "number":
            self._at += 1
            return int(token.text)
        flag = self._take_if("true", "false")
        if flag is None:
            raise self._refuse("a constant")
        return flag == "true"


def written(rules: Iterable[Rule]) -> str:
    """Write *rules* as a text that `read` reads back as them, but for lines."""
    return "".join(f"{said(rule)};\n" for rule in rules)


def said(part: Rule | Call | Comparison) -> str:
    """Write one rule, or one of its conditions, in one line and without its `;`."""
    if isinstance(part, Comparison):
        return f"{_term(part.left)} {part.operator} {_term(part.right)}"
    if isinstance(part, Call):
        return f"{part.rule}({', '.join(map(_term, part.arguments))})"
    head = f"{part.name}({', '.join(map(_place, part.parameters))})"
    return head + (" if " + " and ".join(map(said, part.goals)) if part.goals else "")


def _place(parameter: Parameter) -> str:
    if parameter.constant is not None:
        return _term(parameter.constant)
    if parameter.polar_class is None:
        return parameter.variable
    values = ", ".join(f"{name}: {_term(value)}" for name, value in parameter.values)
    return f"{parameter.variable}: {parameter.polar_class}" + (f"{{{values}}}" if values else "")


def _term(term: Constant | Variable | Path | Made) -> str:
    match term:
        case Variable(name):
            return name
        case Path(variable, name):
            return f"{variable}.{name}"
        case Made(polar_class, values):
            given = ", ".join(f"{name}: {_term(value)}" for name, value in values)
            return f"new {polar_class}({given})"
        case bool():
            return "true" if term else "false"
        case int():
            return str(term)
        case _:
            return f'"{term}"'
