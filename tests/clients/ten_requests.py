"""The ten requests that a frontend needs, asked with the typed client of examples/.

docs/clients/requests.md quotes from here what stands between the clients and the claims.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from perisai_client import agency, oversight
from perisai_client.agency import (
    AddNoteInput,
    BreakGlassInput,
    BreakGlassReason,
    CaseFileFilter,
    CaseFileOrder,
    Compartment,
    DefenderInput,
    OpenCaseFileInput,
    Purpose,
    Reason,
    ReferCaseFileInput,
    ReferralInput,
    ReferralState,
    Role,
    SearchBy,
    Urgency,
)
from perisai_client.agency.connection import Refused

from api.demo.synthetic import BUDI, SARI, TUTI, WAYAN
from api.demo.synthetic_records import Synthetic

#: Intake officer of Komnas HAM; supervisor of LPSK.
DEWI, HASAN = "dewi", "hasan"


@dataclass(frozen=True)
class Service:
    """A service that answers at *address*.

    Attributes:
        token: makes one for a member, strong or not.
        trusted: the documents are admitted, and nothing else is executed.
    """

    address: str
    http: httpx.AsyncClient
    records: Synthetic
    now: Callable[[], datetime]
    token: Callable[[str, bool], str]
    trusted: bool = False

    def agency(self, who: str, purpose: str, *, strong: bool = False) -> agency.Client:
        address = f"{self.address}/graphql/agency"
        return agency.Client(
            address, lambda: self.token(who, strong), purpose, self.http, trusted=self.trusted
        )

    def oversight(self, who: str, purpose: str) -> oversight.Client:
        address = f"{self.address}/graphql/oversight"
        return oversight.Client(
            address, lambda: self.token(who, False), purpose, self.http, trusted=self.trusted
        )


async def viewer(service: Service) -> None:
    client = service.agency(SARI, "protection")

    me = (await client.viewer()).viewer

    assert (me.organisation, me.role) == ("komnas-ham", Role.CASE_OFFICER)
    assert me.purpose is Purpose.PROTECTION
    assert me.member_id == str(service.records.member(SARI).id)


async def case_files(service: Service) -> None:
    client = service.agency(SARI, "protection")

    mine = CaseFileFilter(assignedToMe=True)
    read, after, more = [], None, True
    while more:
        page = (await client.case_files(2, after, mine, CaseFileOrder.MOST_URGENT)).case_files
        read += [edge.node for edge in page.edges]
        after, more = page.page_info.end_cursor, page.page_info.has_next_page

    assert len({file.id for file in read}) == len(read) > 2
    assert str(service.records.open_to_sari) in {file.id for file in read}
    assert all(file.assigned_to_me and file.reference for file in read)
    urgencies = [list(Urgency).index(file.urgency) for file in read if file.urgency]
    assert urgencies == sorted(urgencies)


async def case_file(service: Service) -> None:
    client = service.agency(SARI, "protection")
    mine, other = str(service.records.open_to_sari), str(service.records.closed_to_sari)

    opened = (await client.case_file(mine)).case_file
    closed = (await client.case_file(other)).case_file

    assert opened is not None
    assert closed is not None
    assert opened.defenders[0].full_name == "Mochammad Joesoef Hidayat"
    assert opened.defenders[0].withheld == []
    assert (closed.account, closed.defenders[0].full_name) == (None, None)
    withheld = closed.defenders[0].withheld[0]
    assert withheld.field == "fullName"
    assert (withheld.compartment, withheld.reason) == (Compartment.IDENTITY, Reason.NOT_ASSIGNED)
    assert withheld.how_to_ask

    # For another agency it is not there.
    with pytest.raises(Refused) as refused:
        await service.agency(WAYAN, "protection").case_file(other)

    assert (refused.value.codes, refused.value.status) == (("NOT_FOUND",), 200)
    assert refused.value.request_id


async def find_defenders(service: Service) -> None:
    client = service.agency(SARI, "protection")

    name = "Muhammad Yusuf Hidayat"
    found = (await client.find_defenders(SearchBy.NAME, name, 20)).find_defenders

    assert found[0].defender.full_name == "Mochammad Joesoef Hidayat"
    assert str(service.records.open_to_sari) in {file.id for file in found[0].case_files}


async def open_case_file(service: Service) -> None:
    client = service.agency(DEWI, "intake")

    taken_in = OpenCaseFileInput(
        urgency=Urgency.IMMEDIATE,
        sensitivity=3,
        province="33",
        defenders=[DefenderInput(aliases=["Mbak Siti"], phones=["0840-5555-1234"])],
        account="Siti menerima ancaman pembunuhan lewat telepon.",
    )
    made = (await client.open_case_file(taken_in)).open_case_file
    if made.errors:
        raise ValueError([error.code for error in made.errors])

    assert made.case_file is not None
    assert made.case_file.id == made.case_file_id
    assert len(made.case_file.defenders) == 1
    refused = await client.open_case_file(taken_in.model_copy(update={"sensitivity": 5}))
    assert refused.open_case_file.case_file_id is None
    assert [error.code for error in refused.open_case_file.errors] == ["VALUE_INVALID"]


async def add_note(service: Service) -> None:
    client = service.agency(SARI, "protection")
    mine = str(service.records.open_to_sari)

    note = AddNoteInput(caseFileId=mine, body="Sudah dihubungi; aman malam ini.")
    added = (await client.add_note(note)).add_note

    assert added.errors == []
    shown = (await client.case_file(mine)).case_file
    assert shown is not None
    assert (shown.notes[0].id, shown.notes[0].body) == (added.note_id, note.body)


async def refer_case_file(service: Service, of_komnas_ham: UUID | None = None) -> None:
    client = service.agency(BUDI, "referral")
    ours = str(of_komnas_ham or service.records.open_to_sari)
    in_a_month = service.now() + timedelta(days=30)

    referral = ReferCaseFileInput(
        caseFileId=ours,
        recipient="lpsk",
        purpose=Purpose.PROTECTION,
        compartments=[Compartment.IDENTITY, Compartment.CONTACT],
        until=in_a_month,
    )
    referred = (await client.refer_case_file(referral)).refer_case_file

    assert referred.errors == []
    assert referred.referral_id


async def accept_referral(service: Service) -> None:
    referred = service.records.closed_to_sari
    await refer_case_file(service, referred)
    client = service.agency(HASAN, "referral")

    waiting = (await client.referrals(ReferralState.PROPOSED)).referrals
    chosen = next(r for r in waiting if r.case_file == str(referred))
    answered = await client.accept_referral(ReferralInput(referralId=chosen.id))

    assert (chosen.giver, chosen.recipient) == ("komnas-ham", "lpsk")
    assert "fullName" in chosen.fields
    assert answered.accept_referral.errors == []
    assert answered.accept_referral.referral_id == chosen.id


async def break_glass(service: Service) -> None:
    client = service.agency(SARI, "emergency")
    other = str(service.records.closed_to_sari)

    danger = BreakGlassInput(
        caseFileId=other,
        reason=BreakGlassReason.LIFE_IN_DANGER,
        compartments=[Compartment.IDENTITY, Compartment.CONTACT],
        text="Rumahnya dikepung dan penanggung jawab tidak menjawab.",
    )
    answer = (await client.break_glass(danger)).break_glass
    if answer.sign_in:  # The issuer is asked for these, and then the service once more.
        wanted = (answer.sign_in.acr_values, answer.sign_in.max_age)

    assert [error.code for error in answer.errors] == ["SIGN_IN_NOT_STRONG"]
    assert all(wanted)
    client = service.agency(SARI, "emergency", strong=True)
    answer = (await client.break_glass(danger)).break_glass
    assert answer.errors == []
    assert not answer.waits_for_second_person
    assert answer.ends_at is not None
    assert answer.ends_at > service.now()
    shown = (await client.case_file(other)).case_file
    assert shown is not None
    assert shown.defenders[0].full_name


async def access_report(service: Service) -> None:
    mine = service.records.open_to_sari
    await service.agency(SARI, "protection").case_file(str(mine))
    person = next(str(f.defenders[0]) for f in service.records.case_files if f.id == mine)
    client = service.oversight(TUTI, "quality_review")

    report = (await client.access_report(person, first=20)).access_report

    newest = report.accesses.edges[0].node
    assert (newest.actor, newest.action.value) == (str(service.records.member(SARI).id), "READ")
    assert "fullName" in {field for part in newest.reached for field in part.fields}
    assert report.events >= len(report.accesses.edges) > 0


TEN: tuple[Callable[[Service], Awaitable[None]], ...] = (
    viewer,
    case_files,
    case_file,
    find_defenders,
    open_case_file,
    add_note,
    refer_case_file,
    accept_referral,
    break_glass,
    access_report,
)
