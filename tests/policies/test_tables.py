"""A table says in plain words what is asked; what it cannot mean is refused with its place."""

import csv
from pathlib import Path

import pytest

from api.errors import PolicyRefused
from api.policies.checking import Tables, decided, spoken
from api.policies.editing import rules_of, slipped
from api.policies.engine import shipped_texts
from api.policies.facts import (
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    SecurityOfficerFacts,
)
from api.policies.gate import Allowed, Gate, Refused
from api.policies.tables import COLUMNS, Case, read_tables
from api.vocabulary import Action, Compartment, Ground, Reason

HERE = Path(__file__).parent
SARI = "case officer of Komnas HAM; clearance 3"
HERS = "case file of Komnas HAM; sensitivity 3"
YES = "allowed: assigned"
GOOD = (SARI, HERS, "assigned", "protection", "open", "identity", YES, "", "she is assigned")


def table(folder: Path, *rows: tuple[str, ...], head: tuple[str, ...] = COLUMNS) -> Path:
    with (folder / "some.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return folder


def with_cell(column: str, text: str) -> tuple[str, ...]:
    cells = dict(zip(COLUMNS, GOOD, strict=True)) | {column: text}
    return tuple(cells.values())


def test_the_shipped_policy_agrees_with_every_row_of_its_tables() -> None:
    cases = read_tables(HERE)

    assert list(Tables(rules_of(shipped_texts())).faults(cases)) == []
    assert len(cases) > 900
    assert {case.place.split(":")[0] for case in cases} == {
        "changes.csv", "closings.csv", "compartments.csv", "conflicts.csv", "delegations.csv",
        "emergencies.csv",
        "komnas-ham.csv", "komnas-perempuan.csv", "looks.csv", "lpsk.csv", "officers.csv",
        "operators.csv", "partners.csv", "protection.csv", "purposes.csv", "second-guards.csv",
        "leads.csv", "matches.csv", "merges.csv",
    }  # fmt: skip


def test_no_row_is_there_twice() -> None:
    asked = [(case.who.key, case.row.key, case.asked, case.even_if) for case in read_tables(HERE)]
    within: set[tuple[object, ...]] = set()
    for case, each in zip(read_tables(HERE), asked, strict=True):
        name = case.place.split(":")[0]
        assert (name, *each) not in within, case.place
        within.add((name, *each))


def test_every_agency_with_a_policy_file_has_a_table_of_its_name() -> None:
    agencies = set(shipped_texts()) - {"base", "oversight", "partners"}

    assert {f"{agency}.csv" for agency in agencies} <= {path.name for path in HERE.glob("*.csv")}


@pytest.mark.parametrize(
    ("row", "who", "record", "asked", "expected"),
    [
        (
            GOOD,
            CaseworkerFacts("komnas-ham", "case_officer", 3, False, "protection"),
            CaseFileFacts("komnas-ham", 3, True, False),
            Compartment.IDENTITY,
            Allowed(Ground.ASSIGNED),
        ),
        (
            ("agency lead of LPSK; clearance 4; trained", "case file of Komnas HAM; sensitivity 1",
             "colleague assigned; referral with gender violence, contact", "subject request",
             "approve erasure", "", "refused: not assigned", "", "why"),
            CaseworkerFacts("lpsk", "agency_lead", 4, True, "subject_request"),
            CaseFileFacts.as_referred("komnas-ham", 1, False, True, ["gender_violence", "contact"]),
            Action.APPROVE_ERASURE,
            Refused(Reason.NOT_ASSIGNED),
        ),
        (
            (SARI, HERS, "delegation with identity, gender violence; glass broken for contact; "
             "second person; tied", "emergency", "break glass", "", "allowed: own agency", "",
             "why"),
            CaseworkerFacts("komnas-ham", "case_officer", 3, False, "emergency"),
            CaseFileFacts(
                "komnas-ham", 3, False, False, tied=True, delegated=True, delegates_identity=True,
                delegates_gender_violence=True, break_glass=True, unlocks_contact=True,
                second_person=True,
            ),
            Action.BREAK_GLASS,
            Allowed(Ground.OWN_AGENCY),
        ),
        (
            ("security officer of LPSK", "event", "emergency access to review", "",
             "review break glass", "", "allowed: oversight", "", "why"),
            SecurityOfficerFacts("lpsk"),
            EventFacts(False, False, True),
            Action.REVIEW_BREAK_GLASS,
            Allowed(Ground.OVERSIGHT),
        ),
        (
            ("partner", "release", "live; for the purpose", "referral", "see", "",
             "refused: not in reach", "", "why"),
            PartnerFacts("referral"),
            ReleaseFacts(False, True, True),
            None,
            Refused(Reason.NOT_IN_REACH),
        ),
        (
            ("security officer of Komnas Perempuan", "event", "own record", "", "see", "",
             "allowed: oversight", "", "why"),
            SecurityOfficerFacts("komnas-perempuan"),
            EventFacts(False, True),
            None,
            Allowed(Ground.OVERSIGHT),
        ),
        (
            ("operator of LPSK; clearance 1", "case file of LPSK; sensitivity 2",
             "referral with nothing", "emergency", "see", "", "refused: role does not fit", "",
             "why"),
            CaseworkerFacts("lpsk", "operator", 1, False, "emergency"),
            CaseFileFacts.as_referred("lpsk", 2, False, False, []),
            None,
            Refused(Reason.ROLE_DOES_NOT_FIT),
        ),
    ],
)  # fmt: skip
def test_plain_words_become_typed_facts(tmp_path, row, who, record, asked, expected):
    [case] = read_tables(table(tmp_path, row))

    assert case == Case("some.csv:2", who, record, asked, expected, row[7], row[8])


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("who", ""),
        ("who", "guard of Komnas HAM; clearance 3"),
        ("who", "case_officer of Komnas HAM; clearance 3"),
        ("who", "case officer of Komnas HAM"),
        ("who", "case officer of Komnas HAM; clearance 5"),
        ("who", "case officer of Komnas HAM; trained"),
        ("who", "case officer; clearance 3"),
        ("who", "security officer of LPSK"),  # It declares no purpose.
        ("who", "partner of LPSK"),
        ("record", "case file of LPSK"),
        ("record", "case file of LPSK; sensitivity 0"),
        ("record", "letter"),
        ("ground", ""),
        ("ground", "supervising"),
        ("ground", "assigned, colleague assigned"),
        ("ground", "live"),
        ("ground", "referral with everything"),
        ("ground", "referral with release"),
        ("ground", "referral with identity; referral with contact"),
        ("ground", "delegation with identity; delegation with contact"),
        ("ground", "delegation with release"),
        ("ground", "glass broken for everything"),
        ("ground", "glass broken for"),
        ("ground", "emergency access to review"),
        ("purpose", "curiosity"),
        ("purpose", ""),
        ("purpose", "subject_request"),
        ("act", "read"),  # A word of the vocabulary, with a compartment beside it.
        ("act", "look"),
        ("act", ""),
        ("compartment", ""),
        ("compartment", "diary"),
        ("expected", "allowed"),
        ("expected", "allowed: not assigned"),
        ("expected", "refused: assigned"),
        ("expected", "yes"),
        ("why", ""),
    ],
)
def test_a_cell_that_means_nothing_is_refused_with_its_place(tmp_path, column, text):
    with pytest.raises(PolicyRefused, match=r"^some\.csv:3: "):
        read_tables(table(tmp_path, GOOD, with_cell(column, text)))


def test_every_bad_row_is_named(tmp_path):
    bad = with_cell("why", "")

    with pytest.raises(PolicyRefused) as refused:
        read_tables(table(tmp_path, bad, GOOD, bad[:-1]))

    assert [line.split(" ")[0] for line in str(refused.value).splitlines()] == [
        "some.csv:2:", "some.csv:4:",
    ]  # fmt: skip


def test_a_table_without_its_head_and_a_folder_without_tables_are_refused(tmp_path):
    with pytest.raises(PolicyRefused, match="no table"):
        read_tables(tmp_path)
    with pytest.raises(PolicyRefused, match="the columns are"):
        read_tables(table(tmp_path, GOOD, head=COLUMNS[1:]))
    (tmp_path / "some.csv").write_text(",".join(COLUMNS) + '\n"a"b', encoding="utf-8")
    with pytest.raises(PolicyRefused, match=r"^some\.csv:"):
        read_tables(tmp_path)


def faults(tmp_path: Path, *rows: tuple[str, ...], rules=None, **options) -> list[str]:
    tables = Tables(rules or rules_of(shipped_texts()))
    return list(tables.faults(read_tables(table(tmp_path, *rows)), **options))


def test_a_row_that_is_not_so_is_told_with_both_answers_and_the_reason(tmp_path):
    assert faults(tmp_path, with_cell("ground", "none")) == [
        "some.csv:2: expected allowed: assigned, found refused: not assigned (why: she is assigned)"
    ]


def test_a_right_answer_on_another_ground_or_for_another_reason_is_a_fault(tmp_path):
    other_ground = with_cell("expected", "allowed: supervising")
    other_reason = list(with_cell("expected", "refused: clearance too low"))
    other_reason[2] = "none"

    assert len(faults(tmp_path, other_ground, tuple(other_reason))) == 2


def test_a_rule_that_leans_on_the_gates_asking_first_is_a_fault(tmp_path):
    """The gate would refuse all the same; the scope in SQL asks the rule alone."""
    before = rules_of(shipped_texts())
    leaning = slipped_open(before)
    row = list(with_cell("expected", "refused: not in reach"))
    row[1] = "case file of LPSK; sensitivity 3"

    assert faults(tmp_path, tuple(row)) == []
    [fault] = faults(tmp_path, tuple(row), rules=leaning)
    assert "allowed by the rule itself" in fault


def slipped_open(rules):
    return slipped(rules, "open does not ask see; open does not ask shared")


def test_under_a_slip_the_answer_must_be_the_same(tmp_path):
    guarded = with_cell("even if", 'there is a line purpose_of("operator", "emergency")')
    unguarded = with_cell(
        "even if", 'there is no line reads("case_officer", "identity", "assigned")'
    )

    assert faults(tmp_path, guarded) == []
    assert len(faults(tmp_path, unguarded)) == 1


def test_a_slip_about_nothing_is_a_fault_unless_it_may_be(tmp_path):
    row = with_cell("even if", "nowhere asks nothing")

    [fault] = faults(tmp_path, row)
    assert fault.startswith("some.csv:2: The policy has nothing")
    assert faults(tmp_path, row, slips_must_exist=False) == []


def test_a_policy_that_fails_on_a_question_is_a_fault(tmp_path):
    rules = rules_of(shipped_texts())
    [extra] = rules_of({"base": 'ground(_: Caseworker, "friendship", _: CaseFile);'})["base"]
    base = (*rules["base"], extra, *rules_of({"x": 'opens_fields("friendship");'})["x"],
            *rules_of({"x": 'reads("case_officer", "identity", "friendship");'})["x"])  # fmt: skip

    [fault] = faults(tmp_path, GOOD, rules={**rules, "base": base})

    assert "could not decide" in fault


def test_verdicts_are_said_as_the_tables_say_them(tmp_path, policy):
    for case in read_tables(HERE)[:50]:
        assert spoken(decided(Gate(policy), case)).split(": ")[0] in ("allowed", "refused")
    assert spoken(Allowed(Ground.OWN_AGENCY)) == "allowed: own agency"
    assert spoken(Refused(Reason.NOT_IN_REACH)) == "refused: not in reach"
