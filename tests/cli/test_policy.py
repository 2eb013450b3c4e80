"""`perisai policy ...` on the shipped policy and on folders of others, without any settings."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import policy as command
from api.cli.main import app
from api.policies import checking, comparing, situations
from api.policies.engine import Policy, shipped_texts
from api.policies.facts import CaseworkerFacts
from api.policies.tables import COLUMNS

pytestmark = pytest.mark.long

ROW = (
    "case officer of Komnas HAM; clearance 3", "case file of Komnas HAM; sensitivity 3", "assigned",
    "protection", "open", "identity", "allowed: assigned", "", "assigned",
)  # fmt: skip
WHEREABOUTS = 'reads("case_officer", "whereabouts", "assigned");\n'
TEST_OF_IT = '?= not reads("case_officer", "whereabouts", _);\n'


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at some of all situations: the whole is tested where it is made."""
    for module in (checking, comparing):
        thinned = module.thinned
        monkeypatch.setattr(
            module, "thinned", lambda *args, thinned=thinned: (thinned(*args)[0][::40], 40)
        )
    monkeypatch.delenv("PERISAI_CONFIG", raising=False)


def invoke(*words: object) -> Result:
    return CliRunner().invoke(app, ["policy", *map(str, words)])


def folder_of(folder: Path, more: str = "", less: str = "", rows: tuple[object, ...] = ()) -> Path:
    """Write the shipped policy with *more* and without *less* in base, and a table of *rows*."""
    folder.mkdir()
    texts = shipped_texts()
    assert less in texts["base"]
    texts["base"] = texts["base"].replace(less, "") + more
    for name, text in texts.items():
        (folder / f"{name}.polar").write_text(text, encoding="utf-8")
    if rows:
        with (folder / "own.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
    return folder


def test_the_shipped_policy_is_well_and_the_counts_are_said() -> None:
    result = invoke("check")

    assert result.exit_code == 0, result.output
    assert f"6 files, 421 rules. Hash {Policy.shipped().hash}." in result.output
    assert "Agrees with its tables: 1486 rows." in result.output
    assert "No partner, security officer or operator opens, changes or sees" in result.output
    assert "All of it holds." in result.output


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("see(_, _, _);\n", "base.polar:"),
        ('?= reads("case_officer", "whereabouts", _);\n', "inline test"),
    ],
)
def test_a_policy_that_does_not_load_ends_the_check_at_once(tmp_path, text, place):
    result = invoke("check", folder_of(tmp_path / "new", text))

    assert result.exit_code == 1
    assert "POLICY_REFUSED" in result.output
    assert place in result.output
    assert "tables" not in result.output


def test_a_policy_is_held_to_the_shipped_tables_and_each_row_is_named(tmp_path):
    folder = folder_of(tmp_path / "new", WHEREABOUTS, TEST_OF_IT)

    result = invoke("check", folder)

    assert result.exit_code == 1
    assert "compartments.csv:" in result.output
    assert "found allowed: assigned (why: Whereabouts are stricter than a name" in result.output
    assert "All of it holds." in result.output  # The check goes on after a fault.


def test_a_policy_with_tables_of_its_own_is_held_to_those(tmp_path):
    folder = folder_of(tmp_path / "new", WHEREABOUTS, TEST_OF_IT, rows=(ROW,))
    assert "Agrees with its tables: 1 rows." in invoke("check", folder).output
    assert invoke("check", folder).exit_code == 0

    assert invoke("check", folder, "--tables", command.TABLES).exit_code == 1
    assert "no table" in invoke("check", folder, "--tables", tmp_path).output


def test_an_invariant_that_does_not_hold_is_told_with_its_situations(tmp_path):
    less = "cleared(who: Caseworker, file: CaseFile) if file.sensitivity <= who.clearance;\n"
    more = "cleared(_: Caseworker, _: CaseFile);\n"
    folder = folder_of(tmp_path / "new", more, less, rows=(ROW,))

    result = invoke("check", folder)

    assert result.exit_code == 1
    assert "Below the sensitivity nothing opens" in result.output
    assert ": not so for caseworker (agency komnas-ham" in result.output
    assert "All of it holds." not in result.output


def test_mutants_that_nobody_notices_are_named(tmp_path, monkeypatch):
    scored = command.score
    monkeypatch.setattr(command, "score", lambda *args: scored(*args, every=120, everywhere=20))
    folder = folder_of(tmp_path / "new", rows=(ROW,))

    result = invoke("check", folder, "--mutants")

    assert result.exit_code == 1
    assert "mutants are noticed (" in result.output
    assert ": nobody notices" in result.output
    assert "without the rule" in result.output


def test_a_folder_without_a_policy_is_refused(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "base.polar").write_bytes(b"\xff")

    for folder, said in ((tmp_path, "no .polar file"), (tmp_path / "bad", "cannot be read")):
        for words in (("check", folder), ("diff", folder)):
            result = invoke(*words)
            assert result.exit_code == 1
            assert said in result.output


def test_a_diff_with_itself_says_that_nothing_changes(tmp_path):
    result = invoke("diff", folder_of(tmp_path / "new"))

    assert result.exit_code == 0
    assert "Nothing changes." in result.output


def test_a_diff_says_who_may_what_then(tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "thinned", lambda cut, _each: (_of_two_purposes(cut), 1))
    less = 'reads("intake_officer", "contact", "assigned");\n'
    new = folder_of(
        tmp_path / "new",
        'reads("agency_lead", "whereabouts", "supervising");\n',
        '?= not reads("agency_lead", "whereabouts", "supervising");\n',
    )

    newly_allowed = invoke("diff", new)
    newly_refused = invoke("diff", folder_of(tmp_path / "less", less=less))
    both = invoke("diff", new, "--old", tmp_path / "less")

    lead = (
        "  agency lead of komnas-ham, komnas-perempuan, lpsk: open whereabouts, "
        "a case file of the own agency, as supervising, for supervision ("
    )
    officer = (
        "  intake officer of komnas-ham, komnas-perempuan, lpsk: open contact, "
        "a case file of the own agency, as assigned, for intake ("
    )
    assert [result.exit_code for result in (newly_allowed, newly_refused, both)] == [0, 0, 0]
    assert "Refused now, allowed then:\n" + lead in newly_allowed.output
    # An assignee's line goes for who was handed the work, too, and is told with those.
    assert newly_refused.output.index("Allowed now, refused then:\n") < newly_refused.output.index(
        officer
    )
    assert "Refused now" not in newly_refused.output
    assert lead in both.output
    assert officer in both.output
    assert "Allowed now" not in both.output


def _of_two_purposes(cut):
    """Give what of everything is about two roles, each with one purpose."""
    wanted = {("agency_lead", "supervision"), ("intake_officer", "intake")}
    return [
        (who, row)
        for who, row in situations.pairs(cut)
        if isinstance(who, CaseworkerFacts) and (who.role, who.purpose) in wanted
    ]


def test_a_policy_that_does_not_load_has_no_diff(tmp_path):
    result = invoke("diff", folder_of(tmp_path / "new", WHEREABOUTS))

    assert result.exit_code == 1
    assert "inline test" in result.output


STATED = ("--who", "case officer of LPSK; clearance 3", "--record",
          "case file of LPSK; sensitivity 3", "--purpose", "protection")  # fmt: skip


def test_stated_facts_are_explained_with_rule_and_remedy_and_without_settings() -> None:
    closed = invoke("explain", *STATED, "--compartment", "identity")
    opened = invoke("explain", *STATED, "--compartment", "identity", "--ground", "assigned")

    assert closed.exit_code == opened.exit_code == 0, closed.output
    assert "refused: not assigned." in closed.output
    assert "ground lacks `file.assigned = true` (lpsk.polar:13)" in closed.output
    assert "* Ask a supervisor, or your agency's lead, to assign you" in closed.output
    assert "* Mintalah penyelia" in closed.output
    assert "allowed: assigned." in opened.output
    assert "lacks" not in opened.output


def test_what_is_not_written_as_in_a_table_is_not_explained() -> None:
    unread = invoke("explain", *STATED, "--ground", "friendship")

    assert unread.exit_code == 1
    assert "POLICY_REFUSED" in unread.output
    assert "friendship" in unread.output
    assert invoke("explain").exit_code == 2
