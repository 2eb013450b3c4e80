"""Facts are built from rows whose seals hold, and no condition of that can be left out.

Every branch of the builders is taken here by itself, in memory, so that each condition
can be taken out of the code in turn to see that a test notices
(tests/policies/mutating_builders.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import create_engine, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from api.accesslog.event import Event
from api.casework import delegating, facts, looking, releases, rights
from api.crypto.sealed import Sealed
from api.errors import NotForThisFace, PurposeMissing
from api.policies.facts import FIELD_TYPES, CaseFileFacts, CaseworkerFacts, PartnerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store import assignments, case_file_statements, delegations, referral_rights, tables
from api.store import releases as store_releases
from api.store.delegations import Delegation
from api.store.policy import Standing
from api.store.releases import ReleaseRow
from api.store.tables import RIGHTS
from api.vocabulary import Ground, Partner, Purpose, Reason, Role, SecurityOfficer
from tests.casework.built import (
    COLLEAGUE,
    DAY,
    DEFENDER,
    FILE,
    ME,
    NOON,
    OTHER,
    OWN,
    assignment,
    broken,
    caller,
    case_file,
    delegation,
    house,
    link,
    referral,
    sealed,
    tie,
)

NOTHING = CaseFileFacts(OTHER, 4, False, False)


# -- a case file of the own agency ----------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "assigned", "supervising"),
    [
        ([], False, False),
        ([assignment()], True, False),
        ([assignment(COLLEAGUE)], False, True),
        ([assignment(COLLEAGUE), assignment()], True, True),
        ([assignment(forged=True)], False, False),
        ([assignment(COLLEAGUE, forged=True)], False, False),
        ([assignment(by=OTHER)], False, False),
    ],
)
def test_an_assignment_counts_for_whom_it_names_if_the_agency_sealed_it(
    rows: list[Any], assigned: bool, supervising: bool
) -> None:
    row = case_file(assignments=rows)

    assert facts.facts_of(house(), caller(), row) == CaseFileFacts(OWN, 3, assigned, supervising)


def test_a_case_file_of_which_the_agency_did_not_seal_the_row_has_no_facts() -> None:
    assert facts.facts_of(house(), caller(), case_file(forged=True)) is None


@pytest.mark.parametrize("odd", [1.5, b"3", 2**70, "\ud800"])
def test_a_value_that_no_sealed_row_has_breaks_the_seal_and_nothing_else(odd: Any) -> None:
    assert facts.facts_of(house(), caller(), case_file(sensitivity=odd)) is None


@pytest.mark.parametrize(
    ("its", "tied"),
    [
        (tie(), True),
        (tie(COLLEAGUE), False),
        (tie(withdrawn_at=NOON, withdrawn_by=COLLEAGUE), False),
        (tie(withdrawn_at=NOON, withdrawn_by=COLLEAGUE, forged=True), True),
        (tie(case_file=DEFENDER), False),
        (tie(case_file=None, tag="ab" * 16), True),
        (tie(case_file=None, tag="cd" * 16), False),
    ],
)
def test_a_tie_keeps_out_whom_it_names_unless_it_was_withdrawn(its: Any, tied: bool) -> None:
    row = case_file(assignments=[assignment()], ties=[its], adversaries=frozenset({"ab" * 16}))

    assert facts.facts_of(house(), caller(), row) == CaseFileFacts(OWN, 3, True, False, tied=tied)


def test_a_tie_makes_no_facts_of_a_row_that_has_none() -> None:
    assert facts.facts_of(house(), caller(), case_file(forged=True, ties=[tie()])) is None


# -- what was delegated ---------------------------------------------------------------

ELSEWHERE = UUID(int=77)


def handed(*names: str, assigned: bool = False) -> CaseFileFacts:
    flags: dict[str, Any] = {f"delegates_{name}": True for name in names}
    return CaseFileFacts(OWN, 3, assigned, False, delegated=True, **flags)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (delegation(), handed("contact", "identity")),
        (delegation(giver={"trained": 1}), handed("contact", "gender_violence", "identity")),
        (delegation(compartments="contact"), handed("contact")),
        (delegation(compartments="whereabouts"), handed()),
        (delegation(giver={"clearance": 2}), handed()),
        (delegation(giver={"role": "intake_officer"}), handed()),
        (delegation(giver={"role": "protection_officer"}, compartments="whereabouts"),
         handed("whereabouts")),
    ],
)  # fmt: skip
def test_a_delegation_names_what_its_giver_may_open_now(
    one: Delegation, expected: CaseFileFacts
) -> None:
    assert facts.facts_of(house(), caller(), case_file(delegated=[one])) == expected


@pytest.mark.parametrize(
    "one",
    [
        delegation(forged=True),
        delegation(by=OTHER),
        delegation(receiver=ELSEWHERE),
        delegation(case_file=ELSEWHERE),
        delegation(giver={"id": ELSEWHERE}, rests={"member": ELSEWHERE}),
        delegation(giver={"id": ELSEWHERE}),
        delegation(assignment=ELSEWHERE),
        delegation(rests={"forged": True}),
        delegation(rests={"by": OTHER}),
        delegation(rests={"member": ELSEWHERE}),
        delegation(rests={"case_file": ELSEWHERE}),
        delegation(giver={"forged": True}),
        delegation(giver={"by": OTHER}),
        delegation(giver={"disabled_at": NOON}),
        delegation(giver={"organisation": OTHER}),
        delegation(giver={"role": "operator"}),
    ],
)
def test_a_delegation_that_is_not_whole_gives_nothing(one: Delegation) -> None:
    row = case_file(delegated=[one])

    assert facts.facts_of(house(), caller(), row) == CaseFileFacts(OWN, 3, False, False)


@pytest.mark.parametrize(
    ("its", "expected"),
    [
        (tie(COLLEAGUE), handed()),
        (tie(COLLEAGUE, forged=True, withdrawn_at=NOON), handed()),
        (tie(COLLEAGUE, case_file=ELSEWHERE), handed("contact", "identity")),
        (tie(ELSEWHERE), handed("contact", "identity")),
    ],
)
def test_a_giver_who_is_tied_gives_nothing(its: Any, expected: CaseFileFacts) -> None:
    row = case_file(delegated=[delegation()], ties=[its])

    assert facts.facts_of(house(), caller(), row) == expected


def test_for_another_purpose_and_without_one_it_is_another_answer() -> None:
    row = case_file(delegated=[delegation(giver={"role": "intake_officer"})])
    plain = CaseFileFacts(OWN, 3, False, False)

    for purpose, expected in (
        (Purpose.INTAKE, handed("contact", "identity")),
        (Purpose.PROTECTION, handed()),
        (None, plain),
    ):
        assert facts.facts_of(house(), caller(purpose=purpose), row) == expected


def test_what_was_referred_is_delegated_as_far_as_it_is_shared() -> None:
    one = delegation(compartments="contact,narrative")
    row = case_file(OTHER, referrals=[referral()], delegated=[one])
    shared = CaseFileFacts.as_referred(OTHER, 2, False, False, ["contact", "identity"])

    found = facts.facts_of(house(), caller(), row)

    assert found == replace(shared, delegated=True, delegates_contact=True)
    assert facts.facts_of(house(), caller(), case_file(OTHER, delegated=[one])) == NOTHING


def test_what_one_has_beside_the_own_assignment_is_not_handed_on() -> None:
    beside: dict[str, Any] = {
        name: True
        for name in FIELD_TYPES["CaseFile"]
        if name.startswith(("delegate", "break_glass", "unlocks_"))
    }
    whole = CaseFileFacts(OWN, 3, True, True, second_person=True, **beside)

    assert delegating.in_person(whole) == CaseFileFacts(OWN, 3, True, False)


def test_all_that_was_handed_over_is_told_to_who_staffs() -> None:
    others = [delegation(), delegation(receiver=ELSEWHERE), delegation(receiver=ME, forged=True)]
    row = case_file(delegated=others)

    mine = delegating.handed_in(house(), caller(), row)
    of_all = delegating.handed_in(house(), caller(), row, to_all=True)

    assert [one.receiver for one in mine] == [ME]
    assert [one.receiver for one in of_all] == [ME, ELSEWHERE]


# -- a second person ------------------------------------------------------------------


@pytest.mark.parametrize(("together", "two"), [(FILE, True), (DEFENDER, False), (None, False)])
def test_a_second_person_is_there_for_the_one_case_file(together: Any, two: bool) -> None:
    row = case_file(assignments=[assignment()])

    assert facts.facts_of(house(), caller(), row, together) == CaseFileFacts(
        OWN, 3, True, False, second_person=two
    )


def test_a_second_person_makes_no_facts_and_unties_nobody() -> None:
    assert facts.facts_of(house(), caller(), case_file(forged=True), FILE) is None
    tied = facts.facts_of(house(), caller(), case_file(ties=[tie()]), FILE)
    assert tied == CaseFileFacts(OWN, 3, False, False, tied=True, second_person=True)


# -- a case file of another agency ----------------------------------------------------


def test_what_another_agency_leads_has_facts_that_open_nothing() -> None:
    row = case_file(OTHER, assignments=[assignment(), assignment(COLLEAGUE)])

    assert facts.facts_of(house(), caller(), row) == NOTHING


def test_what_was_referred_has_the_facts_of_the_right() -> None:
    row = case_file(OTHER, forged=True, assignments=[assignment()], referrals=[referral()])

    assert facts.facts_of(house(), caller(), row) == CaseFileFacts.as_referred(
        OTHER, 2, True, False, ["contact", "identity"]
    )


@pytest.mark.parametrize(
    "right",
    [
        referral(forged=True),
        referral(by=OTHER),
        referral(giver="komnas-perempuan"),
        referral(recipient="komnas-perempuan"),
        referral(answer="declined"),
        referral(ended_at=NOON - DAY, ended_event=8),
    ],
)
def test_a_right_that_is_not_whole_gives_nothing(right: tuple[Any, ...]) -> None:
    row = case_file(OTHER, assignments=[assignment()], referrals=[right], links=[link(OTHER)])

    assert facts.facts_of(house(), caller(), row) == NOTHING
    assert facts.referred_of(house(), caller(), row) is None
    assert not facts.link_holds(house(), caller(), row, link(OTHER))


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_several_rights_the_newest_counts_alone(newest_first: bool) -> None:
    rights_of = [referral(event=9, compartments="contact"), referral(event=6)]
    row = case_file(OTHER, referrals=rights_of if newest_first else rights_of[::-1])

    assert facts.facts_of(house(), caller(), row) == CaseFileFacts.as_referred(
        OTHER, 2, False, False, ["contact"]
    )


# -- the defenders in it --------------------------------------------------------------


def test_a_defender_is_in_a_case_file_if_its_agency_sealed_that() -> None:
    assert facts.link_holds(house(), caller(), case_file(), link())
    assert not facts.link_holds(house(), caller(), case_file(), link(forged=True))
    assert not facts.link_holds(house(), caller(), case_file(), link(OTHER))


def test_of_a_referral_only_the_defenders_that_it_names() -> None:
    row = case_file(OTHER, referrals=[referral()])

    assert facts.link_holds(house(), caller(), row, link(OTHER))
    assert facts.link_holds(house(), caller(), row, link(OTHER, forged=True))
    assert not facts.link_holds(house(), caller(), row, link(OTHER, defender=UUID(int=77)))


@pytest.mark.parametrize(
    ("revision", "is_one"), [(0, True), (7, True), (-1, False), (True, False), ("1", False)]
)
def test_a_revision_is_a_number_from_0_on(revision: object, is_one: bool) -> None:
    assert facts.counts(revision) is is_one


# -- the caller -----------------------------------------------------------------------


class OneMember:
    """A connection that reads one row of the table of members, or none."""

    def __init__(
        self,
        forged: bool = False,
        there: bool = True,
        policy: tuple[str, ...] = (),
        **changed: Any,
    ) -> None:
        values = {
            "id": ME,
            "organisation": OWN,
            "subject": "sari",
            "role": "case_officer",
            "clearance": 2,
            "trained": True,
            "disabled_at": None,
            "event": 1,
            **changed,
        }
        cells = tuple(values[name] for name in RIGHTS["member"])
        seal = sealed(str(values["organisation"]), "member", cells)
        self._row = (*cells, broken(seal) if forged else seal, *policy) if there else None
        self.asked: Any = None

    async def execute(self, _statement: Any, parameters: Any) -> Any:
        self.asked = parameters
        return SimpleNamespace(one_or_none=lambda: self._row)


def reading(**options: Any) -> AsyncConnection:
    return cast("AsyncConnection", OneMember(**options))


async def test_a_caseworker_has_what_the_sealed_row_says() -> None:
    for trained in (True, False):
        who = await rights.caseworker(house(), reading(trained=trained), caller())

        assert who == CaseworkerFacts(OWN, "case_officer", 2, trained, "protection")


@pytest.mark.parametrize(
    "options",
    [
        {"there": False},
        {"forged": True},
        {"disabled_at": NOON},
        {"role": "supervisor"},
        {"organisation": OTHER},
    ],
)
async def test_a_member_who_no_longer_stands_is_nobody(options: dict[str, Any]) -> None:
    with pytest.raises(NotForThisFace):
        await rights.member_of(house(), reading(**options), caller())
    with pytest.raises(NotForThisFace):
        await rights.caseworker(house(), reading(**options), caller())


class Following:
    """Stands for what follows the policies, and keeps what it was given."""

    number = 7

    def __init__(self) -> None:
        self.given: list[Any] = []

    async def follow(self, house: Any, snapshot: Any, held: int, standing: Standing) -> None:
        self.given.append((house, snapshot, held, standing))


async def test_whoever_is_read_again_brings_what_stands_of_the_policies() -> None:
    following, snapshot = Following(), OneMember(policy=("the seventh", "the eighth"))
    served = house()
    served.policies = following  # type: ignore[misc]  # as much of a house as is needed

    await rights.member_of(served, cast("AsyncConnection", snapshot), caller())

    assert snapshot.asked == {"id": ME, "policy": 7}
    assert following.given == [(served, snapshot, 7, Standing("the seventh", "the eighth"))]
    assert await rights.member_of(house(), cast("AsyncConnection", snapshot), caller())
    assert snapshot.asked == {"id": ME, "policy": 0}
    with pytest.raises(NotForThisFace):
        await rights.member_of(served, reading(forged=True), caller())
    assert len(following.given) == 1


async def test_without_a_purpose_nobody_is_a_caseworker() -> None:
    with pytest.raises(PurposeMissing):
        await rights.caseworker(house(), reading(), caller(purpose=None))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PARTNER, Role.SECURITY_OFFICER])
async def test_another_role_is_no_caseworker(role: Role) -> None:
    with pytest.raises(NotForThisFace):
        await rights.caseworker(house(), reading(role=role.value), caller(role))


async def test_behind_a_token_is_the_sealed_row_or_nobody() -> None:
    found = await rights.member_behind(house(), reading(), OWN, "sari")
    assert found is not None
    assert (found.id, found.live) == (ME, True)
    assert await rights.member_behind(house(), reading(there=False), OWN, "sari") is None
    assert await rights.member_behind(house(), reading(forged=True), OWN, "sari") is None
    gone = await rights.member_behind(house(), reading(disabled_at=NOON), OWN, "sari")
    assert gone is not None
    assert not gone.live


# -- a release, an event --------------------------------------------------------------


def release_verdict(forged: bool = False, **changed: Any) -> Verdict:
    values = {
        "id": UUID(int=5),
        "partner": "partner",
        "agency": OWN,
        "profile": "support",
        "purpose": "referral",
        "until": NOON + DAY,
        "revoked_at": None,
        "event": 5,
        **changed,
    }
    row = ReleaseRow(**values, seal=b"", body=Sealed(b""))
    owner = "partner" if row.partner == "partner" else OTHER
    seal = sealed(owner, "release", row.seal_values)
    row = ReleaseRow(**values, seal=broken(seal) if forged else seal, body=Sealed(b""))
    asks = caller(Role.PARTNER, Purpose.REFERRAL, "partner", Partner)
    return releases._decide(house(), cast("Partner", asks), PartnerFacts("referral"), row, NOON)


def test_a_live_release_for_this_partner_and_purpose_is_read() -> None:
    assert release_verdict() == Allowed(Ground.ADDRESSEE)


@pytest.mark.parametrize(
    "changed",
    [
        {"partner": OTHER},
        {"until": NOON},
        {"until": NOON - DAY},
        {"revoked_at": NOON - DAY},
        {"stopped": True},
        {"purpose": "protection"},
    ],
)
def test_a_release_lacking_one_of_these_is_not(changed: dict[str, Any]) -> None:
    # Where the scope in SQL wrongly let it through; that is told.
    with capture_logs() as lines:
        assert release_verdict(**changed) == Refused(Reason.NOT_IN_REACH)
    assert [line["event"] for line in lines] == ["scope_and_decision_differ"]


def test_a_release_whose_seal_is_broken_is_not_read_and_said_to_be_broken() -> None:
    assert release_verdict(forged=True) == Refused(Reason.SEAL_BROKEN)
    # Of one for another partner this process cannot tell, and need not.
    assert release_verdict(True, partner=OTHER) == Refused(Reason.NOT_IN_REACH)


@pytest.mark.parametrize(
    ("organisation", "agencies", "seen"),
    [
        (OWN, (OTHER,), True),
        (OTHER, (OWN, OTHER), True),
        (OTHER, (OTHER,), False),
        (OTHER, (), False),
    ],
)
def test_an_event_is_of_the_agency_that_acted_or_leads(
    organisation: str, agencies: tuple[str, ...], seen: bool
) -> None:
    event = cast("Event", SimpleNamespace(organisation=organisation, agencies=agencies))
    officer = caller(Role.SECURITY_OFFICER, None, OWN, SecurityOfficer)

    assert looking.may_see(house(), cast("SecurityOfficer", officer), event) is seen


# -- what is live, in SQL -------------------------------------------------------------


def matching(table: Any, where: Any, given: dict[str, Any], **row: Any) -> bool:
    """Tell whether *where* lets the one *row* of *table* through."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), row)
        found = connection.execute(select(table.c.event).where(where), given).all()
    engine.dispose()
    return bool(found)


ASSIGNED = {
    "id": UUID(int=9),
    "case_file": FILE,
    "member": ME,
    "agency": OWN,
    "assigned_by": COLLEAGUE,
    "starts_at": NOON - DAY,
    "ends_at": NOON + DAY,
    "ended_at": None,
    "event": 5,
    "seal": b"",
}
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("changed", "live"),
    [
        ({}, True),
        ({"starts_at": NOON}, True),
        ({"starts_at": NOON + MOMENT}, False),
        ({"ends_at": NOON + MOMENT}, True),
        ({"ends_at": NOON}, False),
        ({"ended_at": NOON - DAY}, False),
        ({"ended_at": NOON + DAY}, False),
    ],
)
def test_an_assignment_is_live_from_its_start_until_before_its_end(
    changed: dict[str, Any], live: bool
) -> None:
    where = assignments.live(tables.assignment)

    assert matching(tables.assignment, where, {"now": NOON}, **{**ASSIGNED, **changed}) is live


@pytest.mark.parametrize(
    ("changed", "mine", "others"),
    [
        ({}, True, False),
        ({"member": COLLEAGUE}, False, True),
        ({"member": COLLEAGUE, "agency": OTHER}, False, False),
        ({"case_file": UUID(int=99)}, False, False),
        ({"case_file": UUID(int=99), "member": COLLEAGUE}, False, False),
        ({"ended_at": NOON - DAY}, False, False),
        ({"ended_at": NOON - DAY, "member": COLLEAGUE}, False, False),
    ],
)
def test_an_assignment_is_the_callers_own_or_a_colleagues_of_the_agency(
    changed: dict[str, Any], mine: bool, others: bool
) -> None:
    given = {"now": NOON, "me": ME, "agency": OWN}
    found = [scoped(name, ASSIGNED | changed, given) for name in ("assigned", "supervising")]

    assert found == [mine, others]


RIGHT = {
    "referral": UUID(int=7),
    "case_file": FILE,
    "giver": OTHER,
    "recipient": OWN,
    "purpose": "protection",
    "compartments": "contact,identity",
    "defenders": str(DEFENDER),
    "sensitivity": 2,
    "until": NOON + DAY,
    "proposal": 3,
    "answer": "accepted",
    "answered_by": ME,
    "event": 6,
    "signature": b"",
    "seal": b"",
}


@pytest.mark.parametrize(
    ("changed", "live"),
    [
        ({}, True),
        ({"recipient": "komnas-perempuan"}, False),
        ({"answer": "declined"}, False),
        ({"until": NOON}, False),
        ({"until": NOON + MOMENT}, True),
        ({"ended_at": NOON - DAY}, False),
        ({"closed_at": NOON - DAY}, False),
    ],
)
def test_a_right_is_live_while_it_is_accepted_and_neither_side_ended_it(
    changed: dict[str, Any], live: bool
) -> None:
    given = {"now": NOON, "agency": OWN}
    row = RIGHT | changed

    assert matching(tables.referral_right, referral_rights.live(), given, **row) is live
    assert scoped("referred", row, given, tables.referral_right) is live
    assert scoped("shares_identity", row, given, tables.referral_right) is live
    assert not scoped("shares_narrative", row, given, tables.referral_right)


DELEGATED = {
    "id": UUID(int=10),
    "case_file": FILE,
    "agency": OWN,
    "giver": COLLEAGUE,
    "assignment": UUID(int=9),
    "receiver": ME,
    "compartments": "contact,identity",
    "starts_at": NOON - DAY,
    "ends_at": NOON + DAY,
    "ended_by": None,
    "ended_at": None,
    "event": 8,
    "seal": b"",
}
GIVER = {
    "id": COLLEAGUE,
    "organisation": OWN,
    "subject": "rizal",
    "role": "case_officer",
    "clearance": 3,
    "trained": 0,
    "disabled_at": None,
    "event": 1,
    "seal": b"",
}


@pytest.mark.parametrize(
    ("changed", "rests", "giver", "live"),
    [
        ({}, {}, {}, True),
        ({"starts_at": NOON}, {}, {}, True),
        ({"starts_at": NOON + MOMENT}, {}, {}, False),
        ({"ends_at": NOON + MOMENT}, {}, {}, True),
        ({"ends_at": NOON}, {}, {}, False),
        ({"ended_at": NOON - DAY}, {}, {}, False),
        ({"agency": OTHER}, {}, {}, False),
        ({"receiver": COLLEAGUE}, {}, {}, False),
        ({"case_file": ELSEWHERE}, {}, {}, False),
        ({}, {"ended_at": NOON - DAY}, {}, False),
        ({}, {"ends_at": NOON}, {}, False),
        ({}, {"id": ELSEWHERE}, {}, False),
        ({}, {}, {"disabled_at": NOON - DAY}, False),
        ({}, {}, {"id": ELSEWHERE}, False),
    ],
)
def test_a_delegation_is_live_while_it_the_assignment_and_the_giver_are(
    changed: dict[str, Any], rests: dict[str, Any], giver: dict[str, Any], live: bool
) -> None:
    given = {"now": NOON, "me": ME, "agency": OWN}
    beside = (
        (tables.assignment, {**ASSIGNED, "member": COLLEAGUE, **rests}),
        (tables.member, {**GIVER, **giver}),
    )
    row = DELEGATED | changed
    for field, expected in (
        ("delegated", live),
        ("delegates_identity", live),
        ("delegates_narrative", False),
    ):
        assert scoped(field, row, given, tables.delegation, beside) is expected


def test_there_is_something_to_read_for_whom_something_lasts() -> None:
    given = {"now": NOON, "me": ME, "agency": OWN}
    for changed, live in (({}, True), ({"receiver": COLLEAGUE}, False), ({"ends_at": NOON}, False)):
        where, row = delegations.ANY, DELEGATED | changed
        assert matching(tables.delegation, where, given, **row) is live


def scoped(
    field: str,
    row: dict[str, Any],
    given: dict[str, Any],
    table: Any = tables.assignment,
    beside: Sequence[tuple[Any, dict[str, Any]]] = (),
) -> bool:
    """Tell what the scope says of *field* of the case file FILE, with one *row* beside it.

    Args:
        beside: further tables with their only row.
    """
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        # Of the case file its id alone is asked for.
        connection.exec_driver_sql("create table case_file (id char(32), lead_agency text)")
        connection.exec_driver_sql("insert into case_file values (?, ?)", (FILE.hex, OTHER))
        for each, its in ((table, row), *beside):
            each.create(connection)
            connection.execute(insert(each), its)
        expression = case_file_statements.SCOPE[field]
        query = select(tables.case_file.c.id).where(expression)
        found = connection.execute(query, given).all()
    engine.dispose()
    return bool(found)


@pytest.mark.parametrize(
    ("changed", "live"),
    [
        ({}, True),
        ({"until": NOON + MOMENT}, True),
        ({"until": NOON}, False),
        ({"revoked_at": NOON - DAY}, False),
        ({"stopped_at": NOON - DAY}, False),
    ],
)
def test_a_release_is_live_until_it_is_over_revoked_or_stopped(
    changed: dict[str, Any], live: bool
) -> None:
    row = {
        "id": UUID(int=5),
        "partner": "partner",
        "agency": OWN,
        "profile": "support",
        "purpose": "referral",
        "until": NOON + DAY,
        "event": 5,
        "seal": b"",
        "body": Sealed(b""),
        **changed,
    }
    given = {"now": NOON, "partner": "partner", "purpose": "referral"}
    found = [matching(tables.release, store_releases.SCOPE[name], given, **row) for name in SCOPED]

    assert found == [live, True, True]


SCOPED = ("live", "addressed", "for_purpose")
