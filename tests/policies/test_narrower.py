"""What opens beside an assignment, and what keeps out: ties, delegations, emergencies, looks."""

from dataclasses import replace

import pytest

from api.policies.facts import (
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    SecurityOfficerFacts,
)
from api.policies.gate import Allowed, Refused
from api.vocabulary import Action, Compartment, Ground, Reason

SARI = CaseworkerFacts("lpsk", "case_officer", 3, True, "protection")
AGUS = CaseworkerFacts("lpsk", "protection_officer", 3, True, "protection")
LEAD = CaseworkerFacts("lpsk", "agency_lead", 3, True, "supervision")
INTAKE = CaseworkerFacts("lpsk", "intake_officer", 3, True, "intake")
OFFICER = SecurityOfficerFacts("lpsk")
NOBODYS = CaseFileFacts("lpsk", 3, False, False)
HERS = replace(NOBODYS, assigned=True)
OVERSEEN = replace(NOBODYS, supervising=True)
HANDED = replace(NOBODYS, delegated=True, delegates_identity=True, delegates_whereabouts=True)
BROKEN = replace(NOBODYS, break_glass=True, unlocks_identity=True, unlocks_whereabouts=True)
LOOKED = {"second_person": True}


def urgent(who):
    return replace(who, purpose="emergency")


@pytest.mark.parametrize("who", [SARI, AGUS, LEAD, INTAKE])
@pytest.mark.parametrize("file", [HERS, OVERSEEN, HANDED, BROKEN, replace(HERS, **LOOKED)])
def test_who_is_tied_is_kept_out_whatever_grants(gate, who, file):
    tied = replace(file, tied=True)

    assert gate.see(who, tied) == Refused(Reason.CONFLICT_OF_INTEREST)
    for compartment in Compartment:
        assert isinstance(gate.open(who, compartment, tied), Refused)
    for action in Action:
        assert isinstance(gate.change(who, action, tied), Refused)


def test_a_tied_partner_receives_no_release(gate):
    release = ReleaseFacts(True, True, True)
    partner = PartnerFacts("protection")

    assert gate.see(partner, release) == Allowed(Ground.ADDRESSEE)
    assert isinstance(gate.see(partner, replace(release, tied=True)), Refused)


@pytest.mark.parametrize(
    ("who", "compartment", "file", "verdict"),
    [
        (SARI, "identity", HANDED, Allowed(Ground.DELEGATED)),
        (SARI, "contact", HANDED, Refused(Reason.COMPARTMENT_NOT_HELD)),
        # As an assignee of the own role: a case officer never reads whereabouts.
        (SARI, "whereabouts", HANDED, Refused(Reason.COMPARTMENT_NOT_HELD)),
        (AGUS, "whereabouts", HANDED, Allowed(Ground.DELEGATED)),
        (replace(SARI, clearance=2), "identity", HANDED, Refused(Reason.CLEARANCE_TOO_LOW)),
        (urgent(SARI), "identity", BROKEN, Allowed(Ground.BREAK_GLASS)),
        (SARI, "identity", BROKEN, Refused(Reason.NOT_ASSIGNED)),
        (urgent(SARI), "contact", BROKEN, Refused(Reason.COMPARTMENT_NOT_HELD)),
        (urgent(SARI), "whereabouts", BROKEN, Refused(Reason.COMPARTMENT_NOT_HELD)),
        (urgent(AGUS), "whereabouts", BROKEN, Allowed(Ground.BREAK_GLASS)),
        (urgent(INTAKE), "identity", BROKEN, Refused(Reason.NOT_ASSIGNED)),
        (replace(urgent(SARI), clearance=2), "identity", BROKEN,
         Refused(Reason.CLEARANCE_TOO_LOW)),
        (SARI, "whereabouts", HERS, Refused(Reason.COMPARTMENT_NOT_HELD)),
        (SARI, "whereabouts", replace(HERS, **LOOKED), Allowed(Ground.ASSIGNED)),
        (LEAD, "whereabouts", OVERSEEN, Refused(Reason.COMPARTMENT_NOT_HELD)),
        (LEAD, "whereabouts", replace(OVERSEEN, **LOOKED), Allowed(Ground.SUPERVISING)),
        (SARI, "whereabouts", replace(NOBODYS, **LOOKED), Refused(Reason.NOT_ASSIGNED)),
        (INTAKE, "whereabouts", replace(HERS, **LOOKED), Refused(Reason.COMPARTMENT_NOT_HELD)),
    ],
)  # fmt: skip
def test_a_narrower_right_opens_what_it_names_to_whom_it_fits(
    gate, who, compartment, file, verdict
):
    assert gate.open(who, Compartment(compartment), file) == verdict


@pytest.mark.parametrize(
    ("who", "action", "file", "verdict"),
    [
        (SARI, Action.DELEGATE_CASE_FILE, HERS, Allowed(Ground.ASSIGNED)),
        (SARI, Action.DELEGATE_CASE_FILE, HANDED, Refused(Reason.NOT_ASSIGNED)),
        (LEAD, Action.DELEGATE_CASE_FILE, OVERSEEN, Refused(Reason.NOT_ASSIGNED)),
        (SARI, Action.ADD_NOTE, HANDED, Allowed(Ground.DELEGATED)),
        (urgent(SARI), Action.ADD_NOTE, BROKEN, Refused(Reason.NOT_ASSIGNED)),
        (urgent(SARI), Action.BREAK_GLASS, NOBODYS, Allowed(Ground.OWN_AGENCY)),
        (SARI, Action.BREAK_GLASS, NOBODYS, Refused(Reason.PURPOSE_DOES_NOT_FIT)),
        (urgent(INTAKE), Action.BREAK_GLASS, NOBODYS, Refused(Reason.ROLE_DOES_NOT_FIT)),
        (urgent(SARI), Action.BREAK_GLASS, CaseFileFacts("komnas-ham", 1, True, True),
         Refused(Reason.NOT_IN_REACH)),
        (urgent(SARI), Action.APPROVE_BREAK_GLASS, NOBODYS, Refused(Reason.ROLE_DOES_NOT_FIT)),
        (LEAD, Action.APPROVE_BREAK_GLASS, NOBODYS, Allowed(Ground.OWN_AGENCY)),
        (SARI, Action.REQUEST_LOOK, HERS, Allowed(Ground.ASSIGNED)),
        (LEAD, Action.APPROVE_LOOK, OVERSEEN, Allowed(Ground.SUPERVISING)),
        (SARI, Action.REQUEST_LOOK, NOBODYS, Refused(Reason.NOT_ASSIGNED)),
        (INTAKE, Action.REQUEST_LOOK, HERS, Refused(Reason.ROLE_DOES_NOT_FIT)),
        (INTAKE, Action.DECLARE_TIE, NOBODYS, Allowed(Ground.OWN_AGENCY)),
        (SARI, Action.WITHDRAW_TIE, HERS, Refused(Reason.ROLE_DOES_NOT_FIT)),
        (LEAD, Action.WITHDRAW_TIE, NOBODYS, Allowed(Ground.OWN_AGENCY)),
        (OFFICER, Action.REVIEW_BREAK_GLASS, EventFacts(False, False, True),
         Allowed(Ground.OVERSIGHT)),
    ],
)  # fmt: skip
def test_who_may_hand_on_break_look_and_declare(gate, who, action, file, verdict):
    assert gate.change(who, action, file) == verdict


def test_nobody_reviews_the_use_of_the_own_agency(gate):
    for event in (EventFacts(True, True, True), EventFacts(False, True, False)):
        assert isinstance(gate.change(OFFICER, Action.REVIEW_BREAK_GLASS, event), Refused)
