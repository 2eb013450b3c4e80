"""What must hold of every decision, whatever the policy's text says.

Each invariant takes one situation and tells whether it holds; its docstring is the
sentence that a person reads. They know the facts and no rule, so a rule that says
otherwise is found wherever it stands.
"""

from collections.abc import Callable, Iterator
from typing import Final

from api.policies.asking import Situation
from api.policies.facts import (
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    SecurityOfficerFacts,
)
from api.vocabulary import CASEWORK_ROLES, Action, Compartment, Ground, Purpose, Role

_OVERSEES: Final = frozenset({Role.AGENCY_LEAD, Role.SUPERVISOR})

#: What may be done with a case file of another agency: to staff it here, to answer, to see
#: who of the own agency could open what of it, and to protect with what is the own agency's.
_OF_ANOTHERS: Final = frozenset(
    {
        Action.ACCEPT_LEAD,
        Action.ACCEPT_REFERRAL,
        Action.ADD_PLAN_STEP,
        Action.APPROVE_BREAK_GLASS,
        Action.APPROVE_EMERGENCY_PROTECTION,
        Action.APPROVE_LOOK,
        Action.APPROVE_MEASURE,
        Action.ASSIGN_CASEWORKER,
        Action.BREAK_GLASS,
        Action.COMPLETE_PLAN_STEP,
        Action.DECLARE_TIE,
        Action.DECLINE_REFERRAL,
        Action.DELEGATE_CASE_FILE,
        Action.END_BREAK_GLASS,
        Action.END_DELEGATION,
        Action.END_MEASURE,
        Action.END_REFERRAL,
        Action.GRANT_EMERGENCY_PROTECTION,
        Action.LOOK,
        Action.MEET_REQUIREMENT,
        Action.RATIFY_EMERGENCY_PROTECTION,
        Action.REQUEST_LOOK,
        Action.REQUEST_MEASURE,
        Action.REVIEW_ACCESS,
        Action.START_MEASURE,
        Action.UNASSIGN_CASEWORKER,
        Action.WITHDRAW_TIE,
    }
)
_WHATEVER_THE_CLEARANCE: Final = frozenset({Action.DECLARE_TIE, Action.OPEN_CASE_FILE})
_WRITES: Final = frozenset(
    {
        Action.ADD_ATTACHMENT,
        Action.ADD_NOTE,
        Action.ADVANCE_CASE_FILE,
        Action.ASSESS_RISK,
        Action.CORRECT_INCIDENT,
        Action.RECORD_ADVERSARY,
        Action.RECORD_CONSENT,
        Action.RECORD_INCIDENT,
        Action.REQUEST_CLOSING,
        Action.UPDATE_DEFENDER,
        Action.WITHDRAW_CONSENT,
    }
)

#: What brings somebody or something new to a case file.
_BEGINS: Final = frozenset(
    {
        Action.ADD_PLAN_STEP,
        Action.ADVANCE_CASE_FILE,
        Action.APPROVE_EMERGENCY_PROTECTION,
        Action.APPROVE_MEASURE,
        Action.ASSESS_RISK,
        Action.ASSIGN_CASEWORKER,
        Action.DELEGATE_CASE_FILE,
        Action.PROPOSE_LEAD,
        Action.RECORD_ADVERSARY,
        Action.GRANT_EMERGENCY_PROTECTION,
        Action.RECORD_INCIDENT,
        Action.REFER_CASE_FILE,
        Action.REQUEST_CLOSING,
        Action.REQUEST_MATCH,
        Action.REQUEST_MEASURE,
        Action.START_MEASURE,
    }
)
_MANDATED: Final = frozenset(
    {
        Action.APPROVE_EMERGENCY_PROTECTION,
        Action.GRANT_EMERGENCY_PROTECTION,
        Action.RATIFY_EMERGENCY_PROTECTION,
    }
)


def who_is_tied_gets_nothing(it: Situation) -> bool:
    """Who is tied to the adversary sees, opens and changes nothing, whatever else grants."""
    tied = isinstance(it.row, CaseFileFacts | ReleaseFacts) and it.row.tied
    return not tied or not (it.see or it.opens or it.changes)


def outsiders_get_nothing_sealed(it: Situation) -> bool:
    """No partner, security officer or operator opens, changes or sees a case file."""
    if isinstance(it.who, CaseworkerFacts) and it.who.role in CASEWORK_ROLES:
        return True
    reached = isinstance(it.row, CaseFileFacts) and (it.see or it.changes)
    return not it.opens and not reached


def who_reviews_belongs_to_another_agency(it: Situation) -> bool:
    """An emergency access is reviewed by an officer of another agency, and nothing else is."""
    if isinstance(it.who, CaseworkerFacts):
        return (Action.REVIEW_BREAK_GLASS, Ground.OVERSIGHT) not in it.changes
    if not it.changes:
        return True
    return (
        isinstance(it.who, SecurityOfficerFacts)
        and isinstance(it.row, EventFacts)
        and it.changes == {(Action.REVIEW_BREAK_GLASS, Ground.OVERSIGHT)}
        and it.row.break_glass
        and not it.row.own_actor
    )


def another_agency_needs_an_accepted_referral(it: Situation) -> bool:
    """No agency sees, opens or changes a case file of another without an accepted referral."""
    file = _of_another(it)
    return file is None or file.referred or not (it.see or it.opens or it.changes)


def a_referral_shares_what_it_names(it: Situation) -> bool:
    """No compartment of another agency opens that the referral does not name."""
    file = _of_another(it)
    return file is None or all(
        getattr(file, f"shares_{compartment}", False) for compartment, _ in it.opens
    )


def what_is_another_agencys_is_not_written_to(it: Situation) -> bool:
    """What another agency leads is staffed and answered, never written to, erased or passed on."""
    return _of_another(it) is None or {action for action, _ in it.changes} <= _OF_ANOTHERS


def clearance_reaches_sensitivity(it: Situation) -> bool:
    """Below the sensitivity nothing opens; a case file is taken in and a tie declared, no more."""
    if not isinstance(it.who, CaseworkerFacts) or not isinstance(it.row, CaseFileFacts):
        return True
    if it.who.clearance >= it.row.sensitivity:
        return True
    return not it.opens and {action for action, _ in it.changes} <= _WHATEVER_THE_CLEARANCE


def a_purpose_that_does_not_fit_gets_nothing(it: Situation) -> bool:
    """For a purpose that is not the role's nothing is seen, opened or changed."""
    return it.purpose_fits or not (it.see or it.opens or it.changes)


def what_does_not_exist_is_not_reached(it: Situation) -> bool:
    """What does not exist for the caller is neither opened nor changed."""
    return bool(it.see) or not (it.opens or it.changes)


def somebody_is_assigned(it: Situation) -> bool:
    """Nothing opens without a live assignment, or what a delegation or an emergency names."""
    if not isinstance(it.row, CaseFileFacts) or not isinstance(it.who, CaseworkerFacts):
        return not it.opens
    oversees = it.row.supervising and it.who.role in _OVERSEES
    return (
        it.row.assigned
        or oversees
        or all(
            _named(it.row, "delegated", "delegates", each)
            or _named(it.row, "break_glass", "unlocks", each)
            for each, _ in it.opens
        )
    )


def a_narrower_right_opens_what_it_names(it: Situation) -> bool:
    """By delegation or in an emergency no compartment opens that was not named."""
    return all(
        isinstance(it.row, CaseFileFacts)
        and (
            _named(it.row, "delegated", "delegates", each)
            if ground == Ground.DELEGATED
            else _named(it.row, "break_glass", "unlocks", each)
        )
        for each, ground in it.opens
        if ground in (Ground.DELEGATED, Ground.BREAK_GLASS)
    )


def the_glass_is_broken_in_an_emergency(it: Situation) -> bool:
    """On the ground of an emergency access things open for an emergency only, and are read."""
    opened = any(ground == Ground.BREAK_GLASS for _, ground in it.opens)
    emergency = isinstance(it.who, CaseworkerFacts) and it.who.purpose == Purpose.EMERGENCY
    return (not opened or emergency) and all(g != Ground.BREAK_GLASS for _, g in it.changes)


def what_was_delegated_is_not_passed_on(it: Situation) -> bool:
    """Only who is assigned in person delegates."""
    return (isinstance(it.row, CaseFileFacts) and it.row.assigned) or all(
        action != Action.DELEGATE_CASE_FILE for action, _ in it.changes
    )


def writing_needs_a_ground_that_opens(it: Situation) -> bool:
    """Nobody writes to a case file of which they can open nothing."""
    return bool(it.opens) or _WRITES.isdisjoint(action for action, _ in it.changes)


def nothing_begins_on_a_closed_case_file(it: Situation) -> bool:
    """To a closed case file nobody and nothing new comes until it is reopened."""
    closed = isinstance(it.row, CaseFileFacts) and it.row.closed
    return not closed or _BEGINS.isdisjoint(action for action, _ in it.changes)


def a_mandate_decides_and_opens_nothing(it: Situation) -> bool:
    """On the ground of a mandate emergency protection is decided, by a lead, and nothing opens."""
    mandated = {action for action, ground in it.changes if ground == Ground.MANDATED}
    if Ground.MANDATED in it.see or any(ground == Ground.MANDATED for _, ground in it.opens):
        return False
    leads = isinstance(it.who, CaseworkerFacts) and it.who.role == Role.AGENCY_LEAD
    return mandated <= _MANDATED and (leads or not mandated)


def whereabouts_by_own_assignment(it: Situation) -> bool:
    """Whereabouts open by overseeing somebody only together with a second person."""
    return all(
        ground != Ground.SUPERVISING or (isinstance(it.row, CaseFileFacts) and it.row.second_person)
        for each, ground in it.opens
        if each == Compartment.WHEREABOUTS
    )


def gender_violence_needs_the_training(it: Situation) -> bool:
    """An account of gender-based violence opens to who holds that training."""
    opened = any(each == Compartment.GENDER_VIOLENCE for each, _ in it.opens)
    return not opened or (isinstance(it.who, CaseworkerFacts) and it.who.trained)


def a_release_is_its_partners(it: Situation) -> bool:
    """A release is read by a partner only: made for it, live, and for the declared purpose."""
    if not isinstance(it.row, ReleaseFacts) or not it.see:
        return all(each != Compartment.RELEASE for each, _ in it.opens)
    row = it.row
    return isinstance(it.who, PartnerFacts) and row.addressed and row.live and row.for_purpose


def an_event_is_its_agencys_officers(it: Situation) -> bool:
    """An event is read by an officer only, of an agency that it concerns or that reviews it."""
    if not isinstance(it.row, EventFacts) or not it.see:
        return True
    concerned = it.row.own_actor or it.row.own_record or it.row.break_glass
    return isinstance(it.who, SecurityOfficerFacts) and concerned


def every_word_is_known(it: Situation) -> bool:
    """Every ground, compartment and action of an answer is a word of the vocabulary."""
    grounds = it.see | {ground for _, ground in it.opens | it.changes}
    return (
        grounds <= set(Ground)
        and {each for each, _ in it.opens} <= set(Compartment)
        and {each for each, _ in it.changes} <= set(Action)
    )


Invariant = Callable[[Situation], bool]

INVARIANTS: Final[tuple[Invariant, ...]] = (
    who_is_tied_gets_nothing,
    outsiders_get_nothing_sealed,
    another_agency_needs_an_accepted_referral,
    a_referral_shares_what_it_names,
    what_is_another_agencys_is_not_written_to,
    clearance_reaches_sensitivity,
    a_purpose_that_does_not_fit_gets_nothing,
    what_does_not_exist_is_not_reached,
    somebody_is_assigned,
    a_narrower_right_opens_what_it_names,
    the_glass_is_broken_in_an_emergency,
    what_was_delegated_is_not_passed_on,
    writing_needs_a_ground_that_opens,
    nothing_begins_on_a_closed_case_file,
    a_mandate_decides_and_opens_nothing,
    whereabouts_by_own_assignment,
    gender_violence_needs_the_training,
    a_release_is_its_partners,
    an_event_is_its_agencys_officers,
    who_reviews_belongs_to_another_agency,
    every_word_is_known,
)


def broken(it: Situation) -> Iterator[str]:
    """Give the sentence of each invariant that does not hold of *it*."""
    for invariant in INVARIANTS:
        if not invariant(it):
            yield sentence(invariant)


def sentence(invariant: Invariant) -> str:
    """Give what a person reads of *invariant*, without the full stop."""
    return (invariant.__doc__ or "").removesuffix(".")


def _named(row: CaseFileFacts, right: str, names: str, compartment: str) -> bool:
    """Tell whether that right lives and names the compartment."""
    return getattr(row, right) is True and getattr(row, f"{names}_{compartment}", False) is True


def _of_another(it: Situation) -> CaseFileFacts | None:
    """Give the case file, where a caseworker stands before one of another agency."""
    if not isinstance(it.who, CaseworkerFacts) or not isinstance(it.row, CaseFileFacts):
        return None
    return it.row if it.row.lead_agency != it.who.agency else None
