"""One pass over rows: what is permitted, by which verdict, and what is left out.

In memory, under the shipped policy. With test_building_facts.py it is what notices when a
condition is taken out of the code (tests/policies/mutating_builders.py).
"""

from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api.casework.asked import asked_of
from api.casework.deciding import Deciding
from api.crypto.sealed import Sealed
from api.policies.facts import CaseworkerFacts
from api.policies.gate import Allowed, Refused
from api.store.attachments import AttachmentRow
from api.store.case_file_statements import Shape, Which
from api.store.case_files import CaseFileRow, LedBy
from api.vocabulary import Action, Compartment, Ground, Reason, RecordKind
from tests.casework.built import (
    COLLEAGUE,
    DEFENDER,
    FILE,
    ME,
    NOON,
    OTHER,
    OWN,
    assignment,
    caller,
    case_file,
    house,
    link,
    referral,
)

SHAPE = Shape(Which.ONE, frozenset({"reference", "account"}), frozenset({"fullName", "phones"}))
SARI = CaseworkerFacts(OWN, "case_officer", 3, False, "protection")
IDENTITY, CONTACT, NARRATIVE = Compartment.IDENTITY, Compartment.CONTACT, Compartment.NARRATIVE
ATTACHED = UUID(int=50)


def deciding(
    *rows: CaseFileRow,
    notes: bool = False,
    attachment: frozenset[str] | None = None,
    who: CaseworkerFacts | None = None,
    shape: Shape = SHAPE,
    together: UUID | None = None,
) -> Deciding:
    """Feed *rows* to one pass of a case officer."""
    asked = asked_of(shape, notes, attachment)
    one = Deciding(house(), caller(), who or SARI, Action.READ, asked, together)
    for row in rows:
        one.feed(row)
    return one


def hers(lead: str = OWN, **changed: Any) -> CaseFileRow:
    """Give a case file to which the caller is assigned, with its one defender."""
    given = {"assignments": [assignment()], "links": [link(lead)], **changed}
    return case_file(lead, **given)


def withheld(one: Deciding) -> set[tuple[Reason | None, RecordKind, int]]:
    """Give the reason, kind and revision of each record that an event says was withheld."""
    return {
        (touched.reason, kind, revision)
        for event in one.events(None)
        for touched in event.touched
        if touched.reason is not None
        for kind, _, revision in touched.records
    }


WHERE = Shape(Which.ONE, frozenset({"account"}), frozenset({"presentLocation"}))
ALL_OF_HERS = {(FILE, NARRATIVE), (DEFENDER, IDENTITY), (DEFENDER, CONTACT)}


def test_all_that_was_asked_of_an_assigned_case_file_is_permitted() -> None:
    one = deciding(hers())

    assert one.permitted == ALL_OF_HERS
    assert one.verdicts() == dict.fromkeys(ALL_OF_HERS, Allowed(Ground.ASSIGNED))
    assert [row.id for row, _, _ in one.seen] == [FILE]
    assert withheld(one) == set()


def test_nothing_of_a_case_file_is_permitted_to_who_is_not_assigned() -> None:
    one = deciding(hers(assignments=[assignment(COLLEAGUE)]))

    assert one.permitted == set()
    assert one.verdicts() == {}
    assert [row.id for row, _, _ in one.seen] == [FILE]
    assert {reason for reason, _, _ in withheld(one)} == {Reason.NOT_ASSIGNED}


def test_rows_of_equal_facts_are_decided_once() -> None:
    again = hers()
    again.id = UUID(int=60)
    again.seal = b""
    one = deciding(hers(), hers())

    [bundle] = one._bundles.values()
    assert len(bundle.case_files) == 2
    assert deciding(again).permitted == set()


@pytest.mark.parametrize("revision", [-1, "1", None])
def test_a_row_whose_revision_is_none_is_broken_and_not_shown(revision: object) -> None:
    one = deciding(hers(revision=revision))

    assert one.seen == []
    assert one.permitted == set()
    assert withheld(one) == {(Reason.SEAL_BROKEN, RecordKind.CASE_FILE, 0)}


def test_a_row_whose_seal_is_broken_is_not_shown() -> None:
    one = deciding(hers(forged=True))

    assert one.seen == []
    assert one.permitted == set()
    assert withheld(one) == {(Reason.SEAL_BROKEN, RecordKind.CASE_FILE, 1)}


@pytest.mark.parametrize(
    ("broken_link", "revision"), [(link(forged=True), 1), (link(revision=-1), 0)]
)
def test_a_defender_whose_link_is_broken_is_left_out_and_named(
    broken_link: Any, revision: int
) -> None:
    one = deciding(hers(links=[broken_link]))

    assert one.permitted == {(FILE, NARRATIVE)}
    assert [links for _, _, links in one.seen] == [[]]
    assert withheld(one) == {(Reason.SEAL_BROKEN, RecordKind.DEFENDER, revision)}


def test_where_scope_and_decision_differ_nothing_is_shown() -> None:
    reviewing = CaseworkerFacts(OWN, "case_officer", 3, False, "quality_review")
    with capture_logs() as lines:
        inside, own = deciding(hers(OTHER)), deciding(hers(), who=reviewing)

    for one in (inside, own):
        assert one.seen == []
        assert one.permitted == set()
    assert withheld(inside) == set()
    assert {(kind, revision) for _, kind, revision in withheld(own)} == {(RecordKind.CASE_FILE, 1)}
    assert [line["event"] for line in lines] == ["scope_and_decision_differ"] * 2


def test_what_another_agency_leads_is_named_to_its_officers_where_nothing_was_found() -> None:
    one, both = deciding(), deciding(hers())
    for deciding_it in (one, both):
        deciding_it.elsewhere(LedBy((OTHER,), tied=False))
    target = (RecordKind.CASE_FILE, FILE)

    [event] = one.events(target)
    assert event.agencies == (OTHER,)
    assert [touched.reason for touched in event.touched] == [Reason.NOT_IN_REACH]
    assert {agency for event in both.events(target) for agency in event.agencies} == {OWN}


def test_of_what_was_referred_its_compartments_are_permitted_and_no_note() -> None:
    one = deciding(hers(OTHER, referrals=[referral(compartments="identity,narrative")]), notes=True)

    assert one.permitted == {(FILE, NARRATIVE), (DEFENDER, IDENTITY)}
    [(_, bundle, _)] = one.seen
    assert not bundle.notes


def test_notes_are_permitted_where_they_are_asked_for_and_the_account_opens() -> None:
    plain = Shape(Which.ONE, frozenset({"reference"}), None)
    for notes, assigned, permitted in (
        (True, [assignment()], {(FILE, NARRATIVE)}),
        (False, [assignment()], set()),
        (True, [], set()),
    ):
        one = Deciding(house(), caller(), SARI, Action.READ, asked_of(plain, notes, None))
        one.feed(case_file(assignments=assigned))

        assert one.permitted == permitted


def test_reasons_are_permitted_where_they_are_asked_for_and_the_account_opens() -> None:
    plain = Shape(Which.ONE, frozenset({"reference"}), None)
    words = frozenset({"text"})
    shared = referral(compartments="narrative")
    for row, reason, permitted in (
        (case_file(assignments=[assignment()]), words, {(FILE, NARRATIVE)}),
        (case_file(assignments=[assignment()]), None, set()),
        (case_file(), words, set()),
        # Of another agency's record no row of a reason can be proven here.
        (case_file(OTHER, assignments=[assignment()], referrals=[shared]), words, set()),
    ):
        one = Deciding(house(), caller(), SARI, Action.READ, asked_of(plain, False, None, reason))
        one.feed(row)

        assert one.permitted == permitted


@pytest.mark.parametrize("erased", ["file", "defender"])
def test_of_what_was_erased_nothing_is_permitted(erased: str) -> None:
    one = deciding(hers(erased=erased == "file", links=[link(erased=erased == "defender")]))

    assert one.permitted == {
        each for each in ALL_OF_HERS if (each[0] == FILE) != (erased == "file")
    }
    assert one.verdicts().keys() == one.permitted
    gone = RecordKind.CASE_FILE if erased == "file" else RecordKind.DEFENDER
    assert withheld(one) == {(Reason.ERASED, gone, 1)}


def test_what_the_policy_refuses_of_an_erased_record_keeps_its_reason() -> None:
    one = deciding(hers(assignments=[], erased=True, links=[link(erased=True)]))

    assert one.permitted == set()
    assert {reason for reason, _, _ in withheld(one)} == {Reason.NOT_ASSIGNED}


def test_two_erased_records_of_equal_facts_share_one_verdict() -> None:
    one = deciding(hers(erased=True), hers(erased=True))

    [(_, bundle, _), (_, again, _)] = one.seen
    assert bundle.of(True) is again.of(True)
    assert len(bundle.of(True).case_files) == 2
    assert bundle.of(False) is bundle


def test_there_is_no_verdict_on_an_erased_record_where_none_was_erased() -> None:
    [(_, bundle, _)] = deciding(hers()).seen

    with pytest.raises(ValueError, match="no record of these facts"):
        bundle.of(True)


def attached(row: CaseFileRow, asked: frozenset[str] | None = frozenset({"name"})) -> Deciding:
    """Decide *row* and one attachment that hangs on it, of which *asked* is asked."""
    one = deciding(row, attachment=asked)
    nothing = Sealed(b"")
    one.attach(
        [AttachmentRow(ATTACHED, FILE, ME, NOON, 1, nothing, nothing, nothing, 5, b"")],
    )
    return one


def test_an_attachment_opens_as_its_case_file_does() -> None:
    documents = (ATTACHED, Compartment.DOCUMENTS)

    one = attached(hers())
    assert documents in one.permitted
    assert one.verdicts()[documents] == Allowed(Ground.ASSIGNED)
    assert documents not in attached(hers(assignments=[])).permitted
    assert documents not in attached(hers(erased=True)).permitted
    assert documents not in attached(hers(), asked=None).permitted


def test_a_verdict_stands_for_what_is_permitted_and_for_nothing_else() -> None:
    one = deciding(hers())
    one.permitted.remove((DEFENDER, CONTACT))
    [bundle] = one._bundles.values()
    bundle.opens[IDENTITY] = Refused(Reason.NOT_ASSIGNED)

    assert one.verdicts().keys() == {(FILE, NARRATIVE)}


@pytest.mark.parametrize(("together", "opens"), [(FILE, True), (DEFENDER, False), (None, False)])
def test_whereabouts_open_with_a_second_person_for_that_case_file(
    together: UUID | None, opens: bool
) -> None:
    one = deciding(hers(), shape=WHERE, together=together)

    whereabouts = {(DEFENDER, Compartment.WHEREABOUTS)} if opens else set()
    assert one.permitted == {(FILE, NARRATIVE), *whereabouts}


def test_what_may_be_done_to_the_one_case_file_is_decided_on_its_own_facts() -> None:
    assert deciding(hers()).allows(Action.APPROVE_LOOK)
    assert not deciding(hers(assignments=[])).allows(Action.APPROVE_LOOK)
    assert not deciding(hers()).allows(Action.APPROVE_BREAK_GLASS)
