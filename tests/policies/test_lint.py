"""Each construct that is unsound in Oso 0.27.3, or that nobody needs, is refused with its place."""

import pytest

from api.errors import PolicyRefused
from api.policies.engine import Policy, shipped_texts
from api.policies.lint import findings


def found_in(text: str, name: str = "base") -> list[str]:
    texts = shipped_texts()
    texts[name] = text if name not in texts else texts[name] + text
    return [str(finding) for finding in findings(texts)]


def rule_with(body: str) -> str:
    return f"extra(who: Caseworker, file: CaseFile) if {body};\n"


def test_the_shipped_policy_passes():
    assert findings(shipped_texts()) == []


def test_a_plain_rule_passes():
    body = "file.sensitivity <= who.clearance and file.assigned = true and casework_role(who.role)"
    assert found_in(rule_with(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        # `not` over `=`, `in` or a rule errors, crashes, or is dropped from a partial answer.
        "not file.assigned = true",
        "not casework_role(who.role)",
        "not cleared(who, file)",
        "file.sensitivity != 3",
        # The partial evaluator mirrors an order when the other side stands left.
        "3 > file.sensitivity",
        "who.clearance >= file.sensitivity",
        "true = file.assigned",
        '"lpsk" = file.lead_agency',
        "who.agency = file.lead_agency",
        # A relation used twice is too narrow; facts have none, so no path has two steps.
        "file.lead.agency = who.agency",
        'file.lead.agency = "lpsk" and file.lead.kind = "agency"',
        # Python within reach.
        "file.close() = true",
        'who.agency.startswith("l") = true',
        'file = new CaseFile(lead_agency: "lpsk")',
        "cleared(who, new CaseFile(sensitivity: 1))",
        "file.__class__ = true",
        "file._hash = true",
        "file.key = who.agency",
        "print(file)",
        "debug()",
        # Constructs that are not needed, or that mean more than they say.
        "file.assigned = true or file.supervising = true",
        'file.lead_agency in ["lpsk", "komnas-ham"]',
        "file matches CaseFile",
        "forall(file.assigned, cut)",
        "cut",
        "file.assigned",
        "file.sensitivity + 1 <= who.clearance",
        "file.sensitivity == 3",
        "other = file and other.assigned = true",
        "who = file",
        "(file.assigned = true)",
        "{}",
        "file.(name) = true",
        "file?.assigned = true",
        # Comparisons that cannot be said in SQL exactly, or compare two kinds.
        "file.assigned = file.supervising",
        "file.sensitivity <= 2.5",
        'file.sensitivity <= "2"',
        "file.sensitivity = true",
        "file.assigned = 1",
        "file.assigned <= true",
        'file.lead_agency < "lpsk"',
        "file.lead_agency = who.clearance",
        "file.sensitivity <= who.trained",
        # Words that mean nothing.
        "file.owner = true",
        "who.name = true",
        "stranger.assigned = true",
        "casework_role(who.name)",
        "casework_role(file.lead_agency)",
        "casework_role(stranger)",
        "nowhere(who)",
        "casework_role(who.role, who.role)",
    ],
)
def test_a_body_outside_the_sound_part_of_polar_is_refused(body):
    found = found_in(rule_with(body))

    line = shipped_texts()["base"].count("\n") + 1
    assert found, body
    assert all(finding.startswith(f"base.polar:{line}: ") for finding in found)
    texts = shipped_texts()
    texts["base"] += rule_with(body)
    with pytest.raises(PolicyRefused):
        Policy.load(texts)


@pytest.mark.parametrize(
    "rule",
    [
        "see(_, _, _);",
        "see(_who, _file, _why);",
        'see(who, file, "own_agency") if file.assigned = true;',
        'see(_: Caseworker, file, "own_agency");',
        'see(_: Caseworker, file, "own_agency") if casework_role(_);',
        "open(_: Caseworker, compartment, _: CaseFile, why) if opens_fields(why);",
        'see(_: Actor, _: CaseFile, "own_agency");',
        'see(_: CaseWorker, _: CaseFile, "own_agency");',
        'see(_: String, _: CaseFile, "own_agency");',
        'see(_: Dictionary, _: CaseFile, "own_agency");',
        'see(_: Caseworker{rank: "high"}, _: CaseFile, "own_agency");',
        'see(_: Caseworker{clearance: "4"}, _: CaseFile, "own_agency");',
        'see(_: Caseworker{trained: 1}, _: CaseFile, "own_agency");',
        'see(_: Caseworker, _: CaseFile{assigned: true}, "own_agency");',
        'see(who: Caseworker, who: CaseFile, "own_agency");',
        'see({role: "supervisor"}, _: CaseFile, "own_agency");',
        'see("anybody", _: CaseFile, ["own_agency"]);',
        "see(_: Caseworker, _: CaseFile, 1);",
        "see();",
        'see;',
        "allow(_, _, _) if true;",
        'Extra("x");',
        'not("x");',
        'print("x");',
        'extra("x") if extra("x");',
        'extra("x") if further("x"); further("x") if extra("x");',
        "actor Caseworker {}",
        'resource CaseFile { roles = ["reader"]; }',
        "type see(_: Caseworker);",
        'extra("x")',
        'extra("x) if casework_role("y");',
        'extra("a\\"b");',
        'extra("x");\r# hidden',
        'extra("x"); # \u2028 see(_, _, _);',
        'extra("\u0455ee");',
        "extra(\t\"x\");",
        'a::b("x");',
        'extra("x", *rest);',
        "?= print(1);",
        "?= casework_role(who);",
        "?= 1 = 1;",
        '?= casework_role("supervisor") and casework_role("operator");',
        '?= role_fits(new Caseworker(agency: "x"));',
        '?= role_fits(new Caseworker("x", "supervisor", 1, true, "intake"));',
        '?= role_fits(new String());',
        '?= role_fits(new Guard(name: "x"));',
        '?= nowhere("x");',
    ],
)  # fmt: skip
def test_a_head_or_statement_outside_the_sound_part_of_polar_is_refused(rule):
    assert found_in(rule + "\n"), rule
    texts = shipped_texts()
    texts["base"] += rule + "\n"
    with pytest.raises(PolicyRefused):
        Policy.load(texts)


@pytest.mark.parametrize(
    "rule",
    [
        # For caseworkers of another agency, of any agency, or for somebody else.
        'ground(_: Caseworker{agency: "komnas-ham"}, "assigned", _: CaseFile);',
        'ground(_: Caseworker, "assigned", _: CaseFile);',
        'ground(_: Caseworker{role: "supervisor"}, "assigned", _: CaseFile);',
        'ground(_: Caseworker{agency: "lpsk", role: "supervisor"}, "assigned", _: CaseFile);',
        'ground(_: Partner, "assigned", _: CaseFile);',
        'ground(_: Caseworker{agency: "lpsk"}, "assigned", _: Release);',
        'ground(_: Caseworker{agency: "lpsk"}, why, _: CaseFile) if opens_fields(why);',
        # Anything but a ground.
        'see(_: Caseworker{agency: "lpsk"}, _: CaseFile, "own_agency");',
        'reads("case_officer", "whereabouts", "assigned");',
        'shows_existence("assigned");',
    ],
)
def test_an_agency_gives_grounds_to_its_own_caseworkers_and_nothing_else(rule):
    (found,) = found_in(rule + "\n", "lpsk")

    assert "lpsk" in found


def test_an_agency_may_state_another_ground_of_its_own():
    rule = 'ground(_: Caseworker{agency: "lpsk"}, "on_duty", file: CaseFile) if '
    assert found_in(rule + "file.sensitivity >= 4;\n", "lpsk") == []


def test_a_fourth_agency_is_one_more_file():
    texts = shipped_texts()
    text = texts["lpsk"].replace('"lpsk"', '"kpai"')

    assert found_in(text, "kpai") == []
    assert Policy.load({**texts, "kpai": text}).hash != Policy.shipped().hash


@pytest.mark.parametrize("name", ["", "LPSK", "a b", "../lpsk", "lpsk.polar", "x" * 41])
def test_a_file_is_named_by_a_slug(name):
    assert found_in("", name)


def test_a_policy_that_does_not_answer_the_gates_questions_is_refused():
    texts = shipped_texts()
    texts["base"] = texts["base"].replace("cleared(", "clear(")
    assert findings(texts)

    assert {finding.what.split(" ")[3] for finding in findings({})} == {
        "change", "cleared", "duty", "grounded", "grounded_to_change",
        "open", "purpose_fits", "role_fits", "see", "serves", "untied",
    }  # fmt: skip


def test_a_finding_names_file_line_and_what():
    (found,) = found_in("\n\nextra(_: Nobody);\n", "oversight")

    line = shipped_texts()["oversight"].count("\n") + 3
    assert found == f"oversight.polar:{line}: there are no facts named Nobody"
