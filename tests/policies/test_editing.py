"""What is taken out of a policy is that and nothing else; a slip is about something there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import PolicyRefused
from api.policies.editing import edits, rules_of, slipped, texts_of
from api.policies.engine import Policy, shipped_texts
from api.policies.grammar import (
    Call,
    Comparison,
    InlineTest,
    Parameter,
    Path,
    Rule,
    Variable,
    read,
    said,
    written,
)

names = st.sampled_from(["see", "open", "reads", "ground"])
variables = st.sampled_from(["who", "file", "why"])
fields = st.sampled_from(["agency", "role", "sensitivity"])
texts = st.from_regex(r"[ -!#-\[\]-~]{0,12}", fullmatch=True)
constants = st.one_of(texts, st.integers(0, 999_999_999), st.booleans())
paths = st.builds(Path, variables, fields)
parameters = st.one_of(
    st.builds(Parameter, texts, st.just(""), st.none(), st.just(())),
    st.builds(Parameter, st.none(), variables, st.none(), st.just(())),
    st.builds(
        Parameter,
        st.none(),
        st.one_of(variables, st.just("_")),
        st.sampled_from(["Caseworker", "CaseFile"]),
        st.lists(st.tuples(fields, constants), max_size=2).map(tuple),
    ),
)
arguments = st.one_of(texts, st.builds(Variable, st.one_of(variables, st.just("_"))), paths)
goals = st.one_of(
    st.builds(Call, st.just(1), names, st.lists(arguments, min_size=1, max_size=3).map(tuple)),
    st.builds(
        Comparison,
        st.just(1),
        paths,
        st.sampled_from(["=", "<", "<=", ">", ">="]),
        st.one_of(constants, paths),
    ),
)
rules = st.builds(
    Rule,
    st.just(1),
    names,
    st.lists(parameters, min_size=1, max_size=3).map(tuple),
    st.lists(goals, max_size=3).map(tuple),
)


def without_lines(rule: Rule) -> Rule:
    return rule._replace(line=1, goals=tuple(goal._replace(line=1) for goal in rule.goals))


@given(st.lists(rules, max_size=4))
def test_what_is_written_is_read_back(some: list[Rule]) -> None:
    again = [part for part in read(written(some)) if not isinstance(part, InlineTest)]

    assert [without_lines(rule) for rule in again] == some


def test_the_shipped_rules_written_anew_are_the_same_and_load() -> None:
    before = rules_of(shipped_texts())
    after = rules_of(texts_of(before))

    for name, each in before.items():
        assert list(map(without_lines, after[name])) == list(map(without_lines, each))
    Policy.load(texts_of(before))


def test_a_text_outside_the_grammar_has_no_rules() -> None:
    with pytest.raises(PolicyRefused, match="Line 2"):
        rules_of({"base": "\nsee(!);"})


BASE = """
ways("a");
may(who: Caseworker{trained: true, role: "x"}, file: CaseFile) if
    ways(who.role) and
    file.assigned = true;
"""


def test_each_rule_and_each_condition_is_taken_away_once() -> None:
    before = rules_of({"base": BASE})
    made = {str(edit): written(edit.rules["base"]) for edit in edits(before)}

    body = "ways(who.role) and file.assigned = true"
    whole = 'may(who: Caseworker{trained: true, role: "x"}, file: CaseFile)'
    ways = 'ways("a");\n'
    assert (
        made
        == {
            'base.polar:2: without the rule ways("a")': whole
            + " if ways(who.role) and file.assigned = true;\n",
            f"base.polar:3: without the rule {whole} if {body}": ways,
            "base.polar:3: may without `ways(who.role)`": ways
            # What is used no more is blanked, as whoever edits the rule would have to.
            + 'may(_: Caseworker{trained: true, role: "x"}, file: CaseFile) '
            "if file.assigned = true;\n",
            "base.polar:3: may without `file.assigned = true`": ways
            + 'may(who: Caseworker{trained: true, role: "x"}, _: CaseFile) if ways(who.role);\n',
            "base.polar:3: may without `trained: True`": ways
            + 'may(who: Caseworker{role: "x"}, file: CaseFile) '
            "if ways(who.role) and file.assigned = true;\n",
            "base.polar:3: may without `role: x`": ways
            + "may(who: Caseworker{trained: true}, file: CaseFile) "
            "if ways(who.role) and file.assigned = true;\n",
        }
    )


@pytest.mark.parametrize(
    ("slips", "left"),
    [
        ("may asks nothing",
         'ways("a");\nmay(_: Caseworker{trained: true, role: "x"}, _: CaseFile);\n'),
        ("may does not ask ways",
         'ways("a");\nmay(_: Caseworker{trained: true, role: "x"}, file: CaseFile) '
         "if file.assigned = true;\n"),
        ('there is a line ways("b")',
         'ways("a");\nmay(who: Caseworker{trained: true, role: "x"}, file: CaseFile) '
         'if ways(who.role) and file.assigned = true;\nways("b");\n'),
        ('may asks nothing; there is no line ways("a")',
         'may(_: Caseworker{trained: true, role: "x"}, _: CaseFile);\n'),
    ],
)  # fmt: skip
def test_a_slip_in_plain_words_is_made(slips: str, left: str) -> None:
    assert written(slipped(rules_of({"base": BASE}), slips)["base"]) == left


@pytest.mark.parametrize(
    "slips",
    [
        "nowhere asks nothing",
        "ways asks nothing",  # It asks nothing already.
        "may does not ask nowhere",
        'there is no line ways("b")',
        "something else",
        "",
        "may asks nothing; nowhere asks nothing",
        "there is a line ways(",
    ],
)
def test_a_slip_about_nothing_is_refused(slips: str) -> None:
    with pytest.raises(PolicyRefused):
        slipped(rules_of({"base": BASE}), slips)


def test_a_rule_says_itself_in_one_line() -> None:
    [_, may] = rules_of({"base": BASE})["base"]

    assert said(may).count("\n") == 0
