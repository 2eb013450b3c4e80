"""`perisai policy explain --member` and `who-can-see`: ids only, and an event of an operator."""

from api.demo.synthetic import BUDI, SARI
from api.vocabulary import Action, RecordKind, Role
from tests.cli.test_operations import Installed  # a fixture
from tests.cli.test_operations import installed as installed
from tests.scenarios.asking import first_defender, records
from tests.world import Template


def names(template: Template) -> set[str]:
    found = {d.full_name for d in template.records.defenders}
    return found | {m.name for m in template.records.members}


def test_a_members_access_is_explained_and_told(installed: Installed, template: Template) -> None:
    sari = template.records.member(SARI).id
    file = template.records.closed_to_sari
    before = len(installed.events())

    result = installed.run(
        "policy", "explain", "--member", str(sari), "--purpose", "protection",
        "--case-file", str(file), "--compartment", "identity",
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    assert "refused: not assigned." in result.output
    assert not any(name in result.output for name in names(template))
    events = [e for e in installed.events(before) if e.action is Action.EXPLAIN]
    [event] = events
    assert (event.role, event.actor) == (Role.OPERATOR, None)
    assert records(event, RecordKind.MEMBER) == {sari}
    assert records(event, RecordKind.CASE_FILE) == {file}


def test_who_can_see_names_ids_only_and_is_told(installed: Installed, template: Template) -> None:
    person = first_defender(template, template.records.open_to_sari)
    before = len(installed.events())

    result = installed.run("policy", "who-can-see", str(person.id), "--agency", "komnas-ham")
    foreign = installed.run("policy", "who-can-see", str(person.id), "--agency", "lpsk")

    assert result.exit_code == 0, result.output
    for who in (SARI, BUDI):
        assert str(template.records.member(who).id) in result.output
    assert "identity: supervising, for quality_review, referral, supervision" in result.output
    assert not any(name in result.output for name in names(template))
    assert foreign.exit_code == 1
    assert "NOT_FOUND" in foreign.output
    events = [e for e in installed.events(before) if e.action is Action.REVIEW_ACCESS]
    assert [(e.role, e.code) for e in events] == [
        (Role.OPERATOR, None), (Role.OPERATOR, "NOT_FOUND"),
    ]  # fmt: skip
    assert records(events[0], RecordKind.DEFENDER) == {person.id}
