"""Words of the scenarios about existence hiding: every operation that takes an id, asked twice.

Once with the id of a record that is there but out of reach, once with one that nothing
has. `id_arguments` holds the table against the schemas.
"""

from functools import partial
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from api.app import open_house
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from api.schema.attachments import ADD, ATTACHMENT_HEADER, CASE_FILE_HEADER
from api.schema.attachments import READ as CONTENT
from api.vocabulary import CaseStatus, Organisation
from tests.scenarios import merging, protecting
from tests.scenarios.alerting import look, respond_by
from tests.scenarios.asking import as_key, assigned_to
from tests.scenarios.attaching import added, pdf
from tests.scenarios.breaking_glass import broke
from tests.scenarios.consenting import WITHDRAW as WITHDRAW_CONSENT
from tests.scenarios.consenting import recorded
from tests.scenarios.delegating import END as END_DELEGATION
from tests.scenarios.delegating import delegated
from tests.scenarios.erasing import add_lead
from tests.scenarios.living import requested as requested_closing
from tests.scenarios.looking import APPROVE as APPROVE_LOOK
from tests.scenarios.looking import LOOK, REQUEST, requested
from tests.scenarios.matching import known, person_of, settled
from tests.scenarios.matching import requested as requested_match
from tests.scenarios.protecting import UTAMI
from tests.scenarios.recording import accused
from tests.scenarios.recording import recorded as recorded_incident
from tests.scenarios.referring import HASAN, INDAH, SURYA, referred
from tests.scenarios.subscribing import CHANGED, answered
from tests.world import Answer, World

#: What stands beside the agency's face: its ids travel in headers.
ATTACHMENTS = "attachments"

DEADLINES = """query ($id: ID!) { deadlines(first: 5, filter: {caseFileId: $id}) {
  edges { cursor node { clock caseFile dueAt overdue } } pageInfo { hasNextPage endCursor } } }"""
ALERTS = """subscription ($id: ID!) { alerts(first: 5, after: $id) {
  alerts { id kind caseFile dueAt } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) {
  id reference account defenders { fullName withheld { field } } notes { body }
  withheld { field } } }"""
DEFENDER = "query ($id: ID!) { defender(id: $id) { id revision fullName phones presentLocation } }"
FIND = """query ($value: String!) { findDefenders(by: %s, value: $value, first: 20) {
  score defender { id fullName } caseFiles { reference } } }"""
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code message } } }"""
UPDATE = """mutation ($id: ID!) { updateDefender(input: {id: $id, revision: 1, gender: "x"}) {
  defender { id fullName } errors { code message } } }"""
ASSIGN = """mutation ($id: ID!, $who: ID!) { assignCaseworker(input: {
  caseFileId: $id, memberId: $who, until: "2026-12-01T00:00:00Z"}) {
  assignmentId errors { code message } } }"""
UNASSIGN = """mutation ($id: ID!, $who: ID!) { unassignCaseworker(input: {
  caseFileId: $id, memberId: $who}) { assignmentId errors { code message } } }"""
ERASE = """mutation ($id: ID!) { requestErasure(input: {
  kind: %s, recordId: $id, reason: UNLAWFUL}) { erasureId errors { code message } } }"""
END_ERASURE = """mutation ($id: ID!, $which: ID!) { %s(input: {
  kind: DEFENDER, recordId: $id, erasureId: $which}) { erasureId errors { code message } } }"""
HOLD = """mutation ($id: ID!) { placeLegalHold(input: {
  kind: DEFENDER, recordId: $id, reason: DISPUTE}) { holdId errors { code message } } }"""
LIFT = """mutation ($id: ID!, $which: ID!) { liftLegalHold(input: {
  kind: DEFENDER, recordId: $id, holdId: $which}) { holdId errors { code message } } }"""
PREVIEW = """query ($id: ID!) { erasurePreview(kind: %s, recordId: $id) {
  releases holds erased } }"""
EXPLAIN = """query ($id: ID!) { explain(kind: %s, recordId: $id, compartment: IDENTITY) {
  decision reason sentence { english } rules { place } remedies { english } caseFile } }"""
WHO_CAN_SEE = """query ($id: ID!) { whoCanSee(defenderId: $id, first: 100) {
  members { member } agencies { agency } endCursor } }"""
RELEASE = "query ($id: ID!) { release(id: $id) { id agency content { summary } } }"
PAPER = "query ($id: ID!) { releasePaper(id: $id, language: EN) { id mark pdf } }"
EVENTS = """query ($id: ID!) { accessEvents(first: 5, filter: {%s: $id}) {
  pageInfo { hasNextPage endCursor } edges { node { index } } } }"""
REPORT = """query ($id: ID!) { accessReport(defender: $id, first: 5) {
  events caseFiles actors { events } grounds { events }
  accesses { pageInfo { hasNextPage endCursor } edges { node { index } } } } }"""
PROOF = "query ($id: Int!) { inclusionProof(index: $id) { index text } }"
REFER = """mutation ($id: ID!) { referCaseFile(input: {caseFileId: $id, recipient: "lpsk",
  purpose: PROTECTION, compartments: [IDENTITY], until: "2026-12-01T00:00:00Z"}) {
  referralId errors { code message } } }"""
PROPOSE_LEAD = """mutation ($id: ID!) { proposeLead(input: {caseFileId: $id, revision: 1,
  recipient: "lpsk", purpose: PROTECTION, until: "2026-12-01T00:00:00Z"}) {
  referralId errors { code message } } }"""
PREVIEW_LEAD = """query ($id: ID!) { leadPreview(caseFileId: $id) {
  revision parts { name rows } obstacles } }"""
ACCEPT_LEAD = """mutation ($id: ID!) { acceptLead(input: {referralId: $id}) {
  referralId errors { code message } } }"""
ANSWER = """mutation ($id: ID!) { %sReferral(input: {referralId: $id}) {
  referralId errors { code message } } }"""

CONSENT = """mutation ($id: ID!, $who: ID!) { recordConsent(input: {caseFileId: $id,
  defenderId: $who, compartments: [IDENTITY], purpose: PROTECTION, form: WRITTEN,
  until: "2026-12-01T00:00:00Z"}) { consentId errors { code message } } }"""
REVIEW_OVERRIDE = """mutation ($id: ID!) { reviewOverride(input: {referralId: $id}) {
  reviewedAt errors { code message } } }"""

TIE = """mutation ($id: ID!, $who: ID!) { declareTie(input: {caseFileId: $id, memberId: $who,
  kind: FAMILY}) { tieId errors { code message } } }"""
WITHDRAW = """mutation ($id: ID!) { withdrawTie(input: {tieId: $id}) {
  tieId errors { code message } } }"""

DELEGATE = """mutation ($id: ID!, $who: ID!) { delegateCaseFile(input: {
  caseFileId: $id, memberId: $who, compartments: [IDENTITY], until: "2026-11-20T00:00:00Z"}) {
  delegationId errors { code message } } }"""

GLASS = """mutation ($id: ID!) { breakGlass(input: {caseFileId: $id, reason: EVACUATION,
  compartments: [CONTACT], text: "Banjir."}) { breakGlassId errors { code message } } }"""
OF_GLASS = """mutation ($id: ID!) { %sBreakGlass(id: $id) {
  breakGlassId errors { code message } } }"""
REVIEW_GLASS = """mutation ($id: ID!) { reviewBreakGlass(input: {id: $id, finding: JUSTIFIED}) {
  reviewedAt errors { code message } } }"""

ADVANCE = """mutation ($id: ID!) { advanceCaseFile(input: {caseFileId: $id, revision: 1,
  to: MONITORING}) { revision status errors { code message } } }"""
CLOSE = """mutation ($id: ID!) { requestClosing(input: {caseFileId: $id, reason: "other"}) {
  closingId errors { code message } } }"""
REOPEN = """mutation ($id: ID!) { reopenCaseFile(input: {caseFileId: $id, revision: 1,
  reasonText: "Ancaman baru."}) { revision errors { code message } } }"""
END_CLOSING = """mutation ($id: ID!, $which: ID!) { %sClosing(input: {caseFileId: $id,
  closingId: $which%s}) { closingId errors { code message } } }"""
_CLOSINGS = {"approve": ("approve", ", revision: 1"), "decline": ("decline", "")}

INCIDENT = """mutation ($id: ID!, $which: ID!) { recordIncident(input: {caseFileId: $id,
  kind: "raid", happenedFrom: "2026-10-20", adversaries: [$which]}) {
  incidentId errors { code message } } }"""
CORRECT = """mutation ($id: ID!, $which: ID!, $who: ID!) { correctIncident(input: {
  caseFileId: $id, incidentId: $which, version: 1, adversaries: [$who]}) {
  incidentId errors { code message } } }"""
ADVERSARY = """mutation ($id: ID!) { recordAdversary(input: {caseFileId: $id, kind: "police"}) {
  adversaryId errors { code message } } }"""
ASSESS = """mutation ($id: ID!) { assessRisk(input: {caseFileId: $id, revision: 1, likelihood: 1,
  impact: 1, urgency: ROUTINE, account: "Reda."}) { assessmentId errors { code message } } }"""

_ERRORS = "errors { code message } } }"
REQUEST_MEASURE = (
    """mutation ($id: ID!) { requestMeasure(input: {caseFileId: $id, measure: {
  kind: "escort", startsOn: "%s", endsOn: "%s"}}) { measureId """
    + _ERRORS
)
OF_MEASURE = (
    """mutation ($id: ID!) { %sMeasure(input: {measureId: $id, revision: 1}) { measureId """
    + _ERRORS
)
GRANT = (
    """mutation ($id: ID!) { grantEmergencyProtection(input: {caseFileId: $id,
  ground: LEGAL_PROCESS, suspect: false, words: "Besok.", measures: [{
  kind: "escort", startsOn: "%s", endsOn: "%s"}]}) { emergencyProtectionId """
    + _ERRORS
)
SIGN = (
    """mutation ($id: ID!) { approveEmergencyProtection(input: {emergencyProtectionId: $id}) {
  state """
    + _ERRORS
)
RATIFY = (
    """mutation ($id: ID!) { ratifyEmergencyProtection(input: {emergencyProtectionId: $id,
  votesFor: 5, votesAgainst: 2, decidedOn: "%s"}) { state """
    + _ERRORS
)
MEET = """mutation ($id: ID!) { meetRequirement(input: {requirementId: $id}) { metAt """ + _ERRORS
PLAN = (
    """mutation ($id: ID!) { addPlanStep(input: {caseFileId: $id, what: "Jemput.",
  owner: "lpsk", dueOn: "%s"}) { planStepId """
    + _ERRORS
)
COMPLETE = (
    """mutation ($id: ID!) { completePlanStep(input: {planStepId: $id}) { completedAt """ + _ERRORS
)

MATCH = """mutation ($id: ID!) { requestMatch(input: {defenderId: $id, recipient: "lpsk",
  reason: LIFE_IN_DANGER}) { requestId state errors { code message } } }"""
DUPLICATES = """query ($id: ID!) { duplicatesOf(defenderId: $id, first: 5) {
  defenderId caseFileIds fields } }"""
MERGE = """mutation ($kept: ID!, $duplicate: ID!) { mergeDefenders(input: {keep: $kept,
  duplicate: $duplicate, keepRevision: 1, duplicateRevision: 1, reasonText: "Sama."}) {
  mergeId state undoUntil errors { code message } } }"""
APPROVE_MERGE = """mutation ($id: ID!) { approveMerge(input: {mergeId: $id, keepRevision: 1,
  duplicateRevision: 1}) { mergeId state undoUntil errors { code message } } }"""
UNDO_MERGE = """mutation ($id: ID!) { undoMerge(input: {mergeId: $id}) {
  mergeId state undoUntil errors { code message } } }"""
ANSWER_MATCH = """mutation ($id: ID!) { answerMatch(input: {matchId: $id, answer: CONFIRM}) {
  matchId caseFileId asker errors { code message } } }"""
LINKED = """query ($id: ID!) { linkedRecords(defenderId: $id, first: 5) {
  matchId agency confirmedAt } }"""

_BYTES = {"content-type": "application/octet-stream", "perisai-file-name": "UTF-8''a.pdf"}


class Question(NamedTuple):
    """One operation that takes an id.

    Attributes:
        query: the document; on the face ATTACHMENTS, the path.
        variable: in which the ids are put; on that face, the header.
        foreign: the id of what is there and out of reach.
        strong: who asks signed in with a security key, a moment ago.
    """

    who: str
    query: str
    variable: str
    foreign: object
    face: str = "agency"
    purpose: str = "protection"
    more: dict[str, Any] = {}  # noqa: RUF012  # never written to
    strong: bool = False


async def questions(world: World) -> dict[str, Question]:
    """Name every question; some need that others did something before."""
    return (
        about_records(world, *await waiting_elsewhere(world))
        | await about_case_life(world)
        | await about_referrals(world)
        | await about_consents(world)
        | await about_attachments(world)
        | await about_delegations(world)
        | await about_ties(world)
        | await about_break_glass(world)
        | await about_looks(world)
        | await about_deadlines(world)
        | await about_protection(world)
        | await about_matches(world)
        | await about_merges(world)
    )


async def about_matches(world: World) -> dict[str, Question]:
    """Ask for whom another agency leads, and answer what the own agency asked another one."""
    _, theirs = await known(world, nik=person_of(world).nik)
    sent = await requested_match(world)
    await settled(world)
    return {
        "ask another agency for": Question(SARI, MATCH, "id", theirs),
        "who else knows": Question(SARI, LINKED, "id", theirs),
        "answer a match": Question(BUDI, ANSWER_MATCH, "id", sent, purpose="referral"),
    }


async def about_merges(world: World) -> dict[str, Question]:
    """Merge whom another agency leads with one of the own, and go on with what it asked for."""
    kept, duplicate = await merging.twice(world, by=WAYAN)
    theirs = await merging.asked(world, kept, duplicate, by="hasan")
    mine = str(person_of(world).id)
    lead: dict[str, Any] = {"who": "hartono", "purpose": "supervision"}
    return {
        "duplicates of": Question(SARI, DUPLICATES, "id", kept),
        "merge what is kept": Question(
            query=MERGE, variable="kept", foreign=kept, more={"duplicate": mine}, **lead
        ),
        "merge what is a duplicate": Question(
            query=MERGE, variable="duplicate", foreign=kept, more={"kept": mine}, **lead
        ),
        "approve a merge": Question(query=APPROVE_MERGE, variable="id", foreign=theirs, **lead),
        "undo a merge": Question(query=UNDO_MERGE, variable="id", foreign=theirs, **lead),
    }


async def about_protection(world: World) -> dict[str, Question]:
    """Protect whom another agency works for, and go on with what it does to protect them."""
    await add_lead(world, INDAH, UTAMI)
    file = assigned_to(world, WAYAN)[1].id
    measure = await protecting.requested(world, by=WAYAN, file=file)
    emergency = await protecting.proposed(world, file=file)
    await protecting.approve(world, emergency)
    found = await protecting.read(world, WAYAN, file)
    paper = found["emergencyProtections"][0]["requirements"][0]["id"]
    due = world.clock().date().isoformat()
    step = {"caseFileId": str(file), "what": "Jemput.", "owner": "lpsk", "dueOn": due}
    added = await world.ask(WAYAN, protecting.ADD, {"input": step})
    lead: dict[str, Any] = {"who": "hartono", "purpose": "supervision"}
    return {
        "request a measure": Question(SARI, REQUEST_MEASURE % (due, due), "id", file),
        "approve a measure": Question(
            query=OF_MEASURE % "approve", variable="id", foreign=measure, **lead
        ),
        **{
            f"{what} a measure": Question(SARI, OF_MEASURE % what, "id", measure)
            for what in ("start", "end")
        },
        "grant emergency protection": Question(
            INDAH, GRANT % (due, due), "id", world.records.open_to_sari, purpose="emergency"
        ),
        "sign an emergency protection": Question(
            query=SIGN, variable="id", foreign=emergency, **lead
        ),
        "ratify an emergency protection": Question(
            query=RATIFY % due, variable="id", foreign=emergency, **lead
        ),
        "meet a requirement": Question(SARI, MEET, "id", paper),
        "plan a step": Question(SARI, PLAN % due, "id", file),
        "complete a step": Question(SARI, COMPLETE, "id", added.data["addPlanStep"]["planStepId"]),
    }


async def about_deadlines(world: World) -> dict[str, Question]:
    """Ask for what another agency must do, and for what was told since its alert."""
    file = assigned_to(world, WAYAN)[0].id
    await respond_by(world, file, world.clock())
    async with open_house(world.settings, world.clock) as house:
        await look(house)
    [[theirs]] = await world.run(
        "select id from alert where case_file = ? order by number", [as_key(world, file)]
    )
    return {
        "deadlines": Question(SARI, DEADLINES, "id", file),
        "alerts": Question(SARI, ALERTS, "id", UUID(str(theirs))),
    }


async def about_case_life(world: World) -> dict[str, Question]:
    """Take steps of what another agency leads, and answer what was asked there."""
    file = next(f.id for f in assigned_to(world, WAYAN) if f.status is CaseStatus.ACTIVE)
    theirs = await requested_closing(world, file, by=WAYAN)
    mine = str(world.records.open_to_sari)
    adversary = await accused(world, file, by=WAYAN)
    incident = await recorded_incident(world, file, by=WAYAN)
    hers = await recorded_incident(world, mine)
    lead: dict[str, Any] = {"who": "hartono", "purpose": "supervision"}
    return {
        "record an incident": Question(SARI, INCIDENT, "id", file, more={"which": adversary}),
        "record whose incident": Question(SARI, INCIDENT, "which", adversary, more={"id": mine}),
        **{
            name: Question(SARI, CORRECT, variable, foreign, more=more)
            for name, variable, foreign, more in (
                ("correct an incident", "id", file, {"which": incident, "who": adversary}),
                ("correct which", "which", incident, {"id": mine, "who": adversary}),
                ("correct whose", "who", adversary, {"id": mine, "which": hers}),
            )
        },
        "record an adversary": Question(SARI, ADVERSARY, "id", file),
        "assess": Question(SARI, ASSESS, "id", file),
        "advance": Question(SARI, ADVANCE, "id", file),
        "ask to close": Question(SARI, CLOSE, "id", file),
        "reopen": Question(query=REOPEN, variable="id", foreign=file, **lead),
        **{
            f"{what} a closing": Question(
                query=END_CLOSING % more,
                variable="id",
                foreign=file,
                more={"which": theirs},
                **lead,
            )
            for what, more in _CLOSINGS.items()
        },
        **{
            f"{what} which closing": Question(
                query=END_CLOSING % more,
                variable="which",
                foreign=theirs,
                more={"id": mine},
                **lead,
            )
            for what, more in _CLOSINGS.items()
        },
    }


async def about_looks(world: World) -> dict[str, Question]:
    """Ask for a look at what another agency leads, and take the look that it asked for."""
    file = assigned_to(world, WAYAN)[1].id
    theirs = await requested(world, by=WAYAN, file=file)
    mine = await requested(world, by=BUDI)
    return {
        "ask for a look": Question(SARI, REQUEST, "id", file),
        "approve a look": Question(BUDI, APPROVE_LOOK, "id", theirs, purpose="supervision"),
        "look": Question(SARI, LOOK, "id", theirs),
        "look with a colleague's": Question(SARI, LOOK, "id", mine),
    }


async def about_break_glass(world: World) -> dict[str, Question]:
    """Ask about what somebody of another agency unlocked, and what is not there to review."""
    file = assigned_to(world, WAYAN)[0].id
    await broke(world, by=SURYA, file=file, compartments=["CONTACT"])
    theirs = await broke(world, by=SURYA, file=file, compartments=["CONTACT"])
    officer = {"face": "oversight", "purpose": "quality_review"}
    urgent: dict[str, Any] = {"purpose": "emergency", "strong": True}
    return {
        "break glass": Question(SARI, GLASS, "id", file, **urgent),
        **{
            f"{what} what another agency unlocked": Question(
                BUDI, OF_GLASS % what, "id", theirs, **urgent
            )
            for what in ("approve", "end")
        },
        # It waits for a second person: it is no use yet.
        "review": Question(TUTI, REVIEW_GLASS, "id", theirs, **officer),
    }


async def about_delegations(world: World) -> dict[str, Question]:
    """Delegate what another agency leads, or to its member; end what it delegated."""
    file = assigned_to(world, WAYAN)[0].id
    made = await delegated(world, by=WAYAN, to=SURYA, file=file, compartments=["IDENTITY"])
    wayan, maria = (str(world.records.member(who).id) for who in (WAYAN, "maria"))
    mine = str(world.records.open_to_sari)
    return {
        "delegate": Question(SARI, DELEGATE, "id", file, more={"who": maria}),
        "delegate to whom": Question(SARI, DELEGATE, "who", wayan, more={"id": mine}),
        "end a delegation": Question(BUDI, END_DELEGATION, "id", made, purpose="supervision"),
    }


async def about_attachments(world: World) -> dict[str, Question]:
    """Read an attachment of another agency, and add one to its case file."""
    file = assigned_to(world, WAYAN)[0].id
    theirs = await added(world, WAYAN, file, pdf(99))
    return {
        "attachment": Question(SARI, CONTENT, ATTACHMENT_HEADER, theirs, ATTACHMENTS),
        "attach": Question(SARI, ADD, CASE_FILE_HEADER, file, ATTACHMENTS, more=_BYTES),
    }


async def about_ties(world: World) -> dict[str, Question]:
    """Tie somebody to what another agency leads, or another agency's member; end its tie."""
    file = assigned_to(world, WAYAN)[0].id
    wayan, sari = (str(world.records.member(who).id) for who in (WAYAN, SARI))
    answer = await world.ask(WAYAN, TIE, {"id": str(file), "who": wayan})
    made = answer.data["declareTie"]["tieId"]
    mine = str(world.records.open_to_sari)
    return {
        "tie": Question(SARI, TIE, "id", file, more={"who": sari}),
        "tie whom": Question(SARI, TIE, "who", wayan, more={"id": mine}),
        "withdraw a tie": Question("hartono", WITHDRAW, "id", made, purpose="supervision"),
    }


async def about_referrals(world: World) -> dict[str, Question]:
    """Ask about a referral between two other agencies, and refer what another one leads."""
    file = assigned_to(world, WAYAN)[0].id
    between = await referred(world, by=HASAN, file=file, to="komnas-perempuan")
    return {
        "refer": Question(BUDI, REFER, "id", file, purpose="referral"),
        **{
            f"{what} a referral of others": Question(
                BUDI, ANSWER % what, "id", between, purpose="referral"
            )
            for what in ("accept", "decline", "end", "withdraw")
        },
        "propose another lead": Question(BUDI, PROPOSE_LEAD, "id", file, purpose="referral"),
        "preview another lead": Question(BUDI, PREVIEW_LEAD, "id", file, purpose="referral"),
        "accept to lead what others referred": Question(
            BUDI, ACCEPT_LEAD, "id", between, purpose="referral"
        ),
        "review what others referred": Question(
            BUDI, REVIEW_OVERRIDE, "id", between, purpose="supervision"
        ),
    }


async def about_consents(world: World) -> dict[str, Question]:
    """Record a consent for what another agency leads, or of its defender; withdraw its consent."""
    theirs = assigned_to(world, WAYAN)[1]
    person = theirs.defenders[0]
    made = await recorded(world, by=WAYAN, file=theirs.id, defender=person, to="komnas-ham")
    mine = str(world.records.open_to_sari)
    return {
        "record a consent": Question(SARI, CONSENT, "id", theirs.id, more={"who": str(person)}),
        "record whose consent": Question(SARI, CONSENT, "who", person, more={"id": mine}),
        "withdraw a consent": Question(SARI, WITHDRAW_CONSENT, "id", made),
    }


async def waiting_elsewhere(world: World) -> tuple[str, str]:
    """Let another agency ask for an erasure, and place a hold; give their ids."""
    one, other = [d.id for d in world.records.defenders if d.agency == "lpsk"][-2:]
    asked = await world.ask("hasan", ERASE % "DEFENDER", {"id": str(one)}, purpose="supervision")
    held = await world.ask("indah", HOLD, {"id": str(other)}, purpose="supervision")
    return asked.data["requestErasure"]["erasureId"], held.data["placeLegalHold"]["holdId"]


def about_records(world: World, erasure: str, hold: str) -> dict[str, Question]:
    """Ask about what is another agency's or another partner's."""
    records = world.records
    lpsk, komnas = Organisation("lpsk"), Organisation("komnas-ham")
    people = {d.id: d for d in records.defenders}
    theirs = next(
        f
        for f in records.case_files
        if f.lead_agency == lpsk and people[f.defenders[0]].nik and people[f.defenders[0]].phones
    )
    mine, closed = str(records.open_to_sari), str(records.closed_to_sari)
    person = theirs.defenders[0]
    known = people[person]
    quiet = next(m.id for m in records.members if m.organisation == lpsk and m.subject != WAYAN)
    unseen = next(d.id for d in records.defenders if d.agency == lpsk and d.id != person)
    hers = next(f for f in records.case_files if f.id == records.open_to_sari)
    wayan, sari = str(records.member(WAYAN).id), str(records.member(SARI).id)
    over = next(r for r in records.releases if r.partner != "lbh-nusantara")
    revoked = next(r for r in records.releases if r.revoked_at is not None)
    ended = next(r for r in records.releases if r.until < world.clock())
    own = {"id": str(hers.defenders[0])}
    lead: dict[str, Any] = {"who": "hartono", "purpose": "supervision"}
    officer = {"face": "oversight", "purpose": "quality_review"}
    partner = {"face": "partner", "purpose": "referral"}
    assert hers.lead_agency == komnas
    return {
        "case file of another agency": Question(SARI, READ, "id", theirs.id),
        "case file, from the other side": Question(WAYAN, READ, "id", mine),
        "case file, subscribed to": Question(SARI, CHANGED, "id", theirs.id),
        "case file, supervised": Question(BUDI, READ, "id", theirs.id, purpose="supervision"),
        "defender of another agency": Question(SARI, DEFENDER, "id", person),
        "defender by NIK": Question(SARI, FIND % "NIK", "value", known.nik),
        "defender by phone": Question(SARI, FIND % "PHONE", "value", known.phones[0]),
        "defender by name": Question(SARI, FIND % "NAME", "value", known.full_name),
        "note": Question(SARI, NOTE, "id", theirs.id),
        "update": Question(SARI, UPDATE, "id", person),
        "assign": Question(BUDI, ASSIGN, "id", theirs.id, more={"who": sari}),
        "assign whom": Question(BUDI, ASSIGN, "who", wayan, more={"id": closed}),
        "unassign": Question(BUDI, UNASSIGN, "id", theirs.id, more={"who": wayan}),
        "unassign whom": Question(BUDI, UNASSIGN, "who", wayan, more={"id": closed}),
        "erase": Question(query=ERASE % "DEFENDER", variable="id", foreign=person, **lead),
        "erase a case file": Question(
            query=ERASE % "CASE_FILE", variable="id", foreign=theirs.id, **lead
        ),
        "approve an erasure": Question(
            query=END_ERASURE % "approveErasure",
            variable="id",
            foreign=person,
            more={"which": erasure},
            **lead,
        ),
        "approve which": Question(
            query=END_ERASURE % "approveErasure",
            variable="which",
            foreign=erasure,
            more=own,
            **lead,
        ),
        "decline an erasure": Question(
            query=END_ERASURE % "declineErasure",
            variable="id",
            foreign=person,
            more={"which": erasure},
            **lead,
        ),
        "decline which": Question(
            query=END_ERASURE % "declineErasure",
            variable="which",
            foreign=erasure,
            more=own,
            **lead,
        ),
        "hold": Question(query=HOLD, variable="id", foreign=person, **lead),
        "lift a hold": Question(
            query=LIFT, variable="id", foreign=person, more={"which": hold}, **lead
        ),
        "lift which": Question(query=LIFT, variable="which", foreign=hold, more=own, **lead),
        "preview": Question(query=PREVIEW % "DEFENDER", variable="id", foreign=person, **lead),
        "preview of a case file": Question(
            query=PREVIEW % "CASE_FILE", variable="id", foreign=theirs.id, **lead
        ),
        "explain a case file": Question(SARI, EXPLAIN % "CASE_FILE", "id", theirs.id),
        "explain a defender": Question(SARI, EXPLAIN % "DEFENDER", "id", person),
        "explain, for a purpose that is not hers": Question(
            SARI, EXPLAIN % "DEFENDER", "id", person, purpose="supervision"
        ),
        "who can see": Question(query=WHO_CAN_SEE, variable="id", foreign=person, **lead),
        "who can see, for an officer": Question(TUTI, WHO_CAN_SEE, "id", person, **officer),
        "release of another partner": Question(RATNA, RELEASE, "id", over.id, **partner),
        "release that was revoked": Question("bagas", RELEASE, "id", revoked.id, **partner),
        "release that is over": Question(RATNA, RELEASE, "id", ended.id, **partner),
        "release of another partner, on paper": Question(RATNA, PAPER, "id", over.id, **partner),
        "events of a record": Question(TUTI, EVENTS % "record", "id", unseen, **officer),
        "report of a defender": Question(TUTI, REPORT, "id", unseen, **officer),
        "events of an actor": Question(TUTI, EVENTS % "actor", "id", quiet, **officer),
    }


#: What a search may look for instead of an id.
RANDOM = {
    "defender by NIK": "3273995708900001",
    "defender by phone": "+6281299998888",
    "defender by name": "Xaverius Quirinus",
}


def nothing_like(name: str, question: Question) -> object:
    """Give what nothing has, of the shape and the moment of what *question* asks for.

    Ids are UUIDv7: one of another shape stands elsewhere in every index.
    """
    if name in RANDOM:
        return RANDOM[name]
    there, random = UUID(str(question.foreign)).bytes, uuid4().bytes
    return UUID(bytes=there[:7] + random[7:])


async def send(world: World, question: Question, value: object, token: str | None = None) -> Answer:
    """Ask *question* with *value* as its id."""
    token = token or (world.strong_token if question.strong else world.token)(question.who)
    if question.face != ATTACHMENTS:
        given = {**question.more, question.variable: value if type(value) is int else str(value)}
        ask = partial(answered, world) if question.query in (CHANGED, ALERTS) else world.ask
        return await ask(
            question.who,
            question.query,
            given,
            face=question.face,
            purpose=question.purpose,
            token=token,
        )
    answer = await world.client.post(
        question.query,
        content=pdf(99) if question.query == ADD else b"",
        headers={
            "authorization": f"Bearer {token}",
            "perisai-purpose": question.purpose,
            **question.more,
            question.variable: str(value),
        },
    )
    return Answer(answer.status_code, answer.headers, answer.text)
