"""Words of the authorisation matrix: for every operation of every face, something to try it on.

What is asked is made from the schemas themselves, all arguments and all fields; what stands
here is the records: those of LPSK, which has somebody of every role. What a change takes up
is made anew for everybody who tries.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

from api.casework.leads import COMPARTMENTS
from api.demo.synthetic import BUDI, RATNA
from tests.scenarios import erasing, living, looking, matching, merging, protecting, recording
from tests.scenarios.asking import NOBODY, as_key, led_by
from tests.scenarios.breaking_glass import broke
from tests.scenarios.consenting import OVERRIDE, recorded
from tests.scenarios.delegating import delegated
from tests.scenarios.leading import proposed
from tests.scenarios.referring import ASSIGN, ENDANG, HASAN, INDAH, SURYA, codes, referred
from tests.scenarios.tying import declared, id_of
from tests.world import World

#: Role, as the table names it -> who has it. All of the casework roles are of LPSK.
WHO = {
    "intake officer": "fitri",
    "case officer": "andi",
    "protection officer": "wayan",
    "supervisor": HASAN,
    "agency lead": INDAH,
    "operator": "gilang",
    "security officer": "ketut",
    "partner": RATNA,
}
OWN, PARTNER = "lpsk", "lbh-nusantara"

#: A lead besides, since nobody lifts what they placed.
SECOND = "utami"
#: A case officer who works on the case file, too, and one who never does.
DONI, MEGA = "doni", "mega"
#: Who may assign, by agency.
BOSSES = {OWN: (HASAN, INDAH), "komnas-perempuan": (ENDANG, "kartini")}

Variables: TypeAlias = dict[str, Any]
Prepare: TypeAlias = Callable[["Ground", str], Awaitable[Variables]]


class Ground:
    """What everybody tries on: one case file, on which all work; and others, each used once."""

    def __init__(self, world: World, own: str = OWN) -> None:
        self.world, self.own = world, own
        low = [f for f in led_by(world, own) if f.sensitivity <= 2]
        self._foreign = iter(led_by(world, "komnas-ham"))
        self.file, self.defender = str(low[0].id), str(low[0].defenders[0])
        self.release = str(next(r.id for r in world.records.releases if r.partner == PARTNER))

    async def staffed(self) -> None:
        """Assign everybody who does casework to the case file, and give a second lead."""
        await erasing.add_lead(self.world, INDAH, SECOND)
        for who in [*list(WHO.values())[:5], DONI]:
            await self.assign(who, self.file)

    async def assign(self, who: str, file: str) -> None:
        given = self.assignment(who, file)
        by = next(boss for boss in BOSSES[self.own] if boss != who)
        answer = await self.world.ask(by, ASSIGN, given, purpose="supervision")
        assert codes(answer) == [], answer.text

    def assignment(self, who: str, file: str | None = None) -> Variables:
        return {
            "input": {
                "caseFileId": file or self.file,
                "memberId": id_of(self.world, who),
                "until": self.until(),
            }
        }

    def until(self, days: int = 3) -> str:
        return (self.world.clock() + timedelta(days=days)).isoformat()

    async def another(self) -> str:
        """Give a case file of the own agency that nobody tried anything on."""
        return (await self._taken_in())[0]

    async def somebody(self) -> str:
        """Give a defender on whom nobody tried anything."""
        return (await self._taken_in())[1]

    async def agree(self, file: str, compartments: Sequence[str] = ("CONTACT", "IDENTITY")) -> None:
        """Let its defender agree to be referred."""
        asked = await self.world.ask("fitri", _PEOPLE, {"id": file}, purpose="intake")
        [person] = asked.data["caseFile"]["defenders"]
        await recorded(
            self.world, by="fitri", file=file, defender=person["id"], to=None,
            compartments=compartments, purpose="intake",
        )  # fmt: skip

    async def _taken_in(self) -> tuple[str, str]:
        answer = await self.world.ask("fitri", _OPEN, {"input": _CASE}, purpose="intake")
        assert codes(answer) == [], answer.text
        made = answer.data["openCaseFile"]["caseFile"]
        return made["id"], made["defenders"][0]["id"]

    def foreign(self) -> str:
        return str(next(self._foreign).id)


def given(**variables: Any) -> Prepare:
    """Prepare nothing but *variables*; "{file}" and the like stand for what the ground has."""

    async def prepare(ground: Ground, _who: str) -> Variables:
        names = {
            "file": ground.file,
            "defender": ground.defender,
            "release": ground.release,
        }
        return _filled(variables, names)

    return prepare


def _filled(value: Any, names: dict[str, str]) -> Any:
    if type(value) is dict:
        return {name: _filled(one, names) for name, one in value.items()}
    return value.format(**names) if type(value) is str else value


def _other(who: str) -> str:
    """Give a supervisor or lead who is not *who*: nobody approves for themself."""
    return INDAH if who == HASAN else HASAN


async def _waiting_erasure(ground: Ground, who: str) -> Variables:
    record = await ground.somebody()
    answer = await erasing.request(ground.world, erasing.DEFENDER, record, by=_other(who))
    made = answer.data["requestErasure"]["erasureId"]
    return erasing.of(erasing.DEFENDER, record, erasureId=made)


async def _to_erase(ground: Ground, _who: str) -> Variables:
    return erasing.of(
        erasing.DEFENDER,
        await ground.somebody(),
        reason="SUBJECT_REQUEST",
        reasonText="Atas permintaan.",
    )


async def _to_hold(ground: Ground, _who: str) -> Variables:
    return erasing.of(
        erasing.DEFENDER,
        await ground.somebody(),
        reason="DISPUTE",
        until=ground.until(),
        reasonText="Ada sengketa.",
    )


async def _held(ground: Ground, _who: str) -> Variables:
    record = await ground.somebody()
    answer = await erasing.place(ground.world, erasing.DEFENDER, record, by=SECOND)
    made = answer.data["placeLegalHold"]["holdId"]
    return erasing.of(erasing.DEFENDER, record, holdId=made)


async def _received(ground: Ground, _who: str) -> Variables:
    made = await referred(ground.world, by=BUDI, file=ground.foreign(), to=OWN)
    return {"input": {"referralId": made}}


async def _to_decline(ground: Ground, who: str) -> Variables:
    return {**await _received(ground, who), "reason": "NO_CAPACITY"}


async def _given(ground: Ground, _who: str) -> Variables:
    file = await ground.another()
    await ground.agree(file)
    made = await referred(ground.world, by=HASAN, file=file, to="komnas-ham")
    return {"input": {"referralId": made}, "reasonText": "Selesai."}


async def _to_refer(ground: Ground, _who: str) -> Variables:
    file = await ground.another()
    await ground.agree(file)
    return {
        "input": {
            "caseFileId": file,
            "recipient": "komnas-ham",
            "purpose": "PROTECTION",
            "compartments": ["IDENTITY"],
            "until": ground.until(),
            "override": None,
        }
    }


async def _to_lead(ground: Ground, _who: str) -> Variables:
    file = await ground.another()
    await ground.agree(file, [one.name for one in COMPARTMENTS])
    return {
        "input": {
            "caseFileId": file,
            "revision": 1,
            "recipient": "komnas-ham",
            "purpose": "PROTECTION",
            "until": ground.until(),
            "override": None,
        }
    }


async def _lead_offered(ground: Ground, _who: str) -> Variables:
    made = await proposed(ground.world, by=BUDI, file=UUID(ground.foreign()), to=OWN)
    return {"input": {"referralId": made}}


async def _to_take_back(ground: Ground, who: str) -> Variables:
    return await _given(ground, who)


async def _to_agree(ground: Ground, _who: str) -> Variables:
    return {
        "input": {
            "caseFileId": ground.file,
            "defenderId": ground.defender,
            "recipient": "komnas-ham",
            "compartments": ["IDENTITY"],
            "purpose": "PROTECTION",
            "until": ground.until(),
            "form": "WRITTEN",
            "conditions": "Hanya nama.",
        }
    }


async def _agreed_to(ground: Ground, _who: str) -> Variables:
    made = await recorded(
        ground.world, by="andi", file=ground.file, defender=ground.defender, to="komnas-ham"
    )
    return {"input": {"consentId": made}, "reasonText": "Atas permintaannya."}


async def _overridden(ground: Ground, who: str) -> Variables:
    """A referral that somebody else made without consent."""
    made = await referred(
        ground.world,
        by=_other(who),
        file=await ground.another(),
        to="komnas-ham",
        basis="vital_interest",
        override=OVERRIDE,
    )
    return {"input": {"referralId": made}}


async def _to_break(ground: Ground, _who: str) -> Variables:
    return {
        "input": {
            "caseFileId": ground.file,
            "reason": "LIFE_IN_DANGER",
            "compartments": ["CONTACT"],
            "text": "Rumahnya dikepung.",
        }
    }


async def _broken(ground: Ground, _who: str) -> Variables:
    """Somebody's use that waits for a second person: the first one was not reviewed."""
    made = ""
    for _ in range(2):
        made = await broke(ground.world, by=SURYA, file=ground.file, compartments=["CONTACT"])
    return {"id": made}


async def _to_review(ground: Ground, _who: str) -> Variables:
    made = await broke(ground.world, compartments=["CONTACT"])
    return {"input": {"id": made, "finding": "JUSTIFIED"}}


async def _to_match(ground: Ground, who: str) -> Variables:
    file, person = await matching.known(ground.world, by="fitri", phones=["081211112222"])
    if who in list(WHO.values())[1:5]:  # Who took it in is assigned.
        await ground.assign(who, file)
    return {
        "input": {
            "defenderId": person,
            "recipient": "komnas-ham",
            "reason": "JOINT_PROTECTION",
            "reasonText": "Mungkin orang yang sama.",
        }
    }


async def _matched(ground: Ground, _who: str) -> Variables:
    """Komnas HAM asks for somebody whom LPSK knows, too."""
    await matching.known(ground.world, nik=matching.person_of(ground.world).nik)
    made = await matching.requested(ground.world)
    await matching.settled(ground.world)
    return {"input": {"matchId": made, "answer": "DISMISS"}}


async def _to_merge(ground: Ground, _who: str) -> Variables:
    """Two records of one person: Fitri, who took them in, is assigned, so her bosses oversee."""
    kept, duplicate = await ground.somebody(), await ground.somebody()
    revisions = {"keepRevision": 1, "duplicateRevision": 1}
    return {"input": {"keep": kept, "duplicate": duplicate, **revisions, "reasonText": "Sama."}}


async def _merging(ground: Ground, who: str) -> Variables:
    given = (await _to_merge(ground, who))["input"]
    made = await merging.asked(ground.world, given["keep"], given["duplicate"], by=SECOND)
    return {"input": {"mergeId": made, "keepRevision": 1, "duplicateRevision": 1}}


async def _to_undo(ground: Ground, who: str) -> Variables:
    return {"input": {"mergeId": (await _merging(ground, who))["input"]["mergeId"]}}


async def _to_measure(ground: Ground, _who: str) -> Variables:
    return {"input": {"caseFileId": ground.file, "measure": protecting.measure(ground.world)}}


async def _measured(ground: Ground, _who: str) -> Variables:
    made = await protecting.requested(ground.world, by=DONI, file=ground.file)
    return {"input": {"measureId": made, "revision": 1}}


async def _approved(ground: Ground, who: str) -> Variables:
    given = await _measured(ground, who)
    made = given["input"]["measureId"]
    answer = await protecting.step(ground.world, "approve", made, 1, by=SECOND)
    assert codes(answer) == [], answer.text
    return {"input": {"measureId": made, "revision": 2}}


async def _to_grant(ground: Ground, _who: str) -> Variables:
    return {
        "input": {
            "caseFileId": await ground.another(),
            "ground": "THREAT_TO_LIFE",
            "measures": [protecting.measure(ground.world)],
            "requirements": ["chronology"],
            "suspect": False,
            "words": "Rumahnya dikepung.",
        }
    }


async def _proposed(ground: Ground, _who: str) -> Variables:
    made = await protecting.proposed(ground.world, by=SECOND, file=await ground.another())
    return {"input": {"emergencyProtectionId": made}}


async def _granted(ground: Ground, who: str) -> Variables:
    given = await _proposed(ground, who)
    made = given["input"]["emergencyProtectionId"]
    answer = await protecting.approve(ground.world, made, by=INDAH)
    assert codes(answer) == [], answer.text
    votes = {"votesFor": 5, "votesAgainst": 2, "decidedOn": ground.world.clock().date().isoformat()}
    return {"input": {"emergencyProtectionId": made, **votes}}


#: As many papers as roles that may take one in, on the case file on which all work.
_PAPERS = ("written_application", "identity_or_family_card", "letter_on_status", "chronology")


async def _awaited(ground: Ground, _who: str) -> Variables:
    """A paper that is still to come."""
    world, file = ground.world, ground.file
    found = await protecting.read(world, DONI, file)
    if not found["emergencyProtections"]:
        made = await protecting.proposed(world, by=SECOND, file=file, requirements=_PAPERS)
        assert codes(await protecting.approve(world, made, by=INDAH)) == []
        found = await protecting.read(world, DONI, file)
    [emergency] = found["emergencyProtections"]
    left = [one["id"] for one in emergency["requirements"] if one["metAt"] is None]
    return {"input": {"requirementId": left[0]}} if left else {"input": {"requirementId": NOBODY}}


async def _to_plan(ground: Ground, _who: str) -> Variables:
    due = ground.world.clock().date().isoformat()
    step = {"what": "Jemput keluarga.", "owner": OWN, "dueOn": due}
    return {"input": {"caseFileId": ground.file, **step}}


async def _planned(ground: Ground, who: str) -> Variables:
    given = await _to_plan(ground, who)
    answer = await ground.world.ask(DONI, protecting.ADD, given)
    assert codes(answer) == [], answer.text
    return {"input": {"planStepId": answer.data["addPlanStep"]["planStepId"]}}


async def _tie(ground: Ground, _who: str) -> Variables:
    tie = await declared(ground.world, SURYA, caseFileId=await ground.another())
    return {"input": {"tieId": str(tie)}}


async def _to_tie(ground: Ground, _who: str) -> Variables:
    return {
        "input": {
            "kind": "FAMILY",
            "caseFileId": await ground.another(),
            "memberId": id_of(ground.world, SURYA),
        }
    }


async def _to_tie_partner(_ground: Ground, _who: str) -> Variables:
    return {"input": {"kind": "BUSINESS", "institution": "PT Maju", "partner": "lbh-nusantara"}}


_PEOPLE = "query ($id: ID!) { caseFile(id: $id) { defenders { id } } }"
_OPEN = """mutation ($input: OpenCaseFileInput!) { openCaseFile(input: $input) {
  caseFile { id defenders { id } } errors { code } } }"""


async def _to_delegate(ground: Ground, _who: str) -> Variables:
    return {
        "input": {
            "caseFileId": ground.file,
            "memberId": id_of(ground.world, MEGA),
            "compartments": ["IDENTITY"],
            "until": ground.until(2),
        }
    }


async def _delegated(ground: Ground, _who: str) -> Variables:
    lasting = timedelta(days=2)
    made = await delegated(ground.world, by=DONI, to=MEGA, file=ground.file, lasting=lasting)
    return {"input": {"delegationId": str(made)}}


async def _look(ground: Ground, _who: str) -> Variables:
    ground.world.clock.move(timedelta(minutes=10))  # Few may wait at once; those are over then.
    return {"lookId": await looking.requested(ground.world, by=DONI, file=ground.file)}


async def _agreed(ground: Ground, who: str) -> Variables:
    """A look of whoever tries, if they may ask for one at all."""
    supervises = {"purpose": "supervision"} if who in BOSSES[OWN] else {}
    answer = await looking.request(ground.world, by=who, file=ground.file, **supervises)
    made = (answer.body.get("data") or {}).get("requestLook") or {}
    if made.get("lookId") is None:
        return await _look(ground, who)
    await looking.approve(ground.world, made["lookId"], by=DONI, purpose="protection")
    return {"lookId": made["lookId"]}


async def _to_advance(ground: Ground, _who: str) -> Variables:
    await living.stand(ground.world, UUID(ground.file), "active")
    return {"input": {**await _of_revision(ground, ground.file), "to": "MONITORING"} | _IN_WORDS}


async def _to_close(ground: Ground, _who: str) -> Variables:
    # Whoever asked before: one request waits at a time.
    await ground.world.run("delete from closing")
    return {"input": {"caseFileId": ground.file, "reason": "duplicate"} | _IN_WORDS}


async def _asked_to_close(ground: Ground, _who: str) -> dict[str, str]:
    await ground.world.run("delete from closing")
    await living.stand(ground.world, UUID(ground.file), "active")
    file = UUID(ground.file)
    made = await living.requested(ground.world, file, by=DONI)
    return {"caseFileId": ground.file, "closingId": made}


async def _closing(ground: Ground, who: str) -> Variables:
    asked = await _asked_to_close(ground, who)
    return {"input": {**asked, **await _of_revision(ground, ground.file)}}


async def _closing_to_decline(ground: Ground, who: str) -> Variables:
    return {"input": {**await _asked_to_close(ground, who), **_IN_WORDS}}


async def _closed(ground: Ground, _who: str) -> Variables:
    file = await ground.another()
    await living.stand(ground.world, UUID(file), "closed")
    return {"input": {**await _of_revision(ground, file), **_IN_WORDS}}


async def _to_record(ground: Ground, _who: str) -> Variables:
    said = {"kind": "raid", "happenedFrom": "2026-10-20", "happenedTo": None, "province": "33"}
    more = {"adversaries": [], "account": "Digeledah.", "forms": None}
    return {"input": {"caseFileId": ground.file, **said, **more}}


async def _to_correct(ground: Ground, _who: str) -> Variables:
    made = await recording.recorded(ground.world, ground.file, by=DONI)
    recorded: Variables = (await _to_record(ground, _who))["input"]
    del recorded["forms"]  # Who has no training keeps what is there.
    return {"input": {**recorded, "incidentId": made, "version": 1}}


async def _to_correct_forms(ground: Ground, _who: str) -> Variables:
    made = await recording.recorded(ground.world, ground.file, by=DONI)
    named = {"caseFileId": ground.file, "incidentId": made, "version": 1}
    return {"input": {**named, "forms": ["rape"]}}


async def _to_assess(ground: Ground, _who: str) -> Variables:
    risk = {"likelihood": 2, "impact": 3, "urgency": "SOON", "account": "Ancaman berulang."}
    return {"input": {**await _of_revision(ground, ground.file), **risk}}


async def _of_revision(ground: Ground, file: str) -> Variables:
    return {"caseFileId": file, "revision": await living.revision(ground.world, UUID(file))}


_IN_WORDS = {"reasonText": "Demikian."}
_PERSON: Variables = {
    "fullName": "Uji Coba",
    "aliases": [],
    "nik": None,
    "familyCard": None,
    "dateOfBirth": "1990-01-31",
    "gender": "x",
    "nationality": "ID",
    "phones": [],
    "emails": [],
    "homeAddress": None,
    "presentLocation": "Semarang",
}
_CASE: Variables = {
    "urgency": "URGENT",
    "sensitivity": 2,
    "province": "33",
    "defenders": [{**_PERSON, "categories": []}],
    "incidentKinds": [],
    "adversaryKinds": [],
    "sexualViolenceForms": None,
    "adversaryInstitutions": None,
    "account": "Laporan.",
}


_TRIAGE: Variables = {
    "answers": [{"question": "injured", "answer": "NO"}],
    "needs": ["legal_aid"],
    "loweredBecause": None,
}

_IDENTITY = ("fullName", "aliases", "nik", "familyCard", "dateOfBirth", "nationality")


def _updating(*names: str) -> Prepare:
    async def prepare(ground: Ground, _who: str) -> Variables:
        key = as_key(ground.world, UUID(ground.defender))
        [[revision]] = await ground.world.run("select revision from defender where id = ?", [key])
        changed = {name: _PERSON[name] for name in names}
        return {"input": {"id": ground.defender, "revision": revision, **changed}}

    return prepare


async def _receipt(ground: Ground, _who: str) -> Variables:
    answer = await ground.world.ask(
        "andi", "query ($id: ID!) { caseFile(id: $id) { id } }", {"id": ground.file}
    )
    return {"token": answer.receipt}


async def _own_event(ground: Ground, who: str) -> Variables:
    await _receipt(ground, who)
    return {"index": await ground.world.size() - 1}


async def _to_assign(ground: Ground, _who: str) -> Variables:
    return ground.assignment(SURYA)


async def _assigned(ground: Ground, _who: str) -> Variables:
    whom = {"caseFileId": await ground.another(), "memberId": id_of(ground.world, SURYA)}
    await ground.assign(SURYA, whom["caseFileId"])
    return {"input": whom}


_FILTER = dict.fromkeys(("status", "urgency", "leadAgency", "province", "assignedToMe"))
_EVENTS = {
    **dict.fromkeys(("actor", "organisation", "role", "agency", "record", "compartment", "field")),
    **dict.fromkeys(("action", "decision", "ground", "purpose", "breakGlass", "since", "until")),
}
_REVIEW = {"first": 5, "after": None, "compartment": "IDENTITY"}
_OF_FILE = {"kind": "CASE_FILE", "recordId": "{file}"}

#: What depends on who tries: nobody approves what they asked for, or looks for another.
FOR_EACH = frozenset({_waiting_erasure, _agreed, _overridden})

#: Face and operation -> what it is tried with; several where arguments exclude each other or
#: are of another compartment.
ATTEMPTS: dict[tuple[str, str], Prepare] = {
    ("agency", "viewer"): given(),
    ("agency", "caseFiles"): given(
        first=5, after=None, filter={**_FILTER, "reference": None}, orderBy="NEWEST"
    ),
    ("agency", "caseFile"): given(id="{file}"),
    ("agency", "defender"): given(id="{defender}"),
    ("agency", "deadlines"): given(
        first=5, after=None, filter=dict.fromkeys(("overdue", "clock", "caseFileId"))
    ),
    ("agency", "alerts"): given(first=5, after=None),
    ("agency", "findDefenders"): given(by="NAME", value="Siti", first=5),
    ("agency", "codeList"): given(name="provinces"),
    ("agency", "statistics"): given(by="PROVINCE", year=2025, month=3),
    ("agency", "triage"): given(),
    ("agency", "explain"): given(**_OF_FILE, compartment="NARRATIVE"),
    ("agency", "explain with a field"): given(**_OF_FILE, field="account"),
    ("agency", "whoCanSee"): given(defenderId="{defender}", **_REVIEW),
    ("agency", "erasurePreview"): given(**_OF_FILE),
    ("agency", "erasures"): given(),
    ("agency", "referralPreview"): given(compartments=["IDENTITY"]),
    ("agency", "referrals"): given(state=None),
    ("agency", "caseFileChanged"): given(id="{file}"),
    ("agency", "breakGlass"): _to_break,
    ("agency", "approveBreakGlass"): _broken,
    ("agency", "endBreakGlass"): _broken,
    ("agency", "delegateCaseFile"): _to_delegate,
    ("agency", "endDelegation"): _delegated,
    ("agency", "requestLook"): given(caseFileId="{file}"),
    ("agency", "approveLook"): _look,
    ("agency", "lookAtWhereabouts"): _agreed,
    ("agency", "matchRequests"): given(first=5),
    ("agency", "matchesWaiting"): given(first=5),
    ("agency", "linkedRecords"): given(defenderId="{defender}", first=5),
    ("agency", "requestMatch"): _to_match,
    ("agency", "answerMatch"): _matched,
    ("agency", "duplicatesOf"): given(defenderId="{defender}", first=5),
    ("agency", "merges"): given(first=5),
    ("agency", "mergeDefenders"): _to_merge,
    ("agency", "approveMerge"): _merging,
    ("agency", "undoMerge"): _to_undo,
    ("agency", "requestMeasure"): _to_measure,
    ("agency", "approveMeasure"): _measured,
    ("agency", "startMeasure"): _approved,
    ("agency", "endMeasure"): _approved,
    ("agency", "grantEmergencyProtection"): _to_grant,
    ("agency", "approveEmergencyProtection"): _proposed,
    ("agency", "ratifyEmergencyProtection"): _granted,
    ("agency", "meetRequirement"): _awaited,
    ("agency", "addPlanStep"): _to_plan,
    ("agency", "completePlanStep"): _planned,
    ("agency", "requestErasure"): _to_erase,
    ("agency", "approveErasure"): _waiting_erasure,
    ("agency", "declineErasure"): _waiting_erasure,
    ("agency", "placeLegalHold"): _to_hold,
    ("agency", "liftLegalHold"): _held,
    ("agency", "advanceCaseFile"): _to_advance,
    ("agency", "requestClosing"): _to_close,
    ("agency", "approveClosing"): _closing,
    ("agency", "declineClosing"): _closing_to_decline,
    ("agency", "reopenCaseFile"): _closed,
    ("agency", "recordIncident"): _to_record,
    ("agency", "correctIncident"): _to_correct,
    ("agency", "correctIncident, forms"): _to_correct_forms,
    ("agency", "recordAdversary"): given(
        input={
            "caseFileId": "{file}",
            "kind": "police",
            "name": "Sutarno",
            "institution": "Polres Batu",
            "unit": None,
            "relation": None,
        }
    ),
    ("agency", "assessRisk"): _to_assess,
    ("agency", "referCaseFile"): _to_refer,
    ("agency", "acceptReferral"): _received,
    ("agency", "leadPreview"): given(caseFileId="{file}"),
    ("agency", "proposeLead"): _to_lead,
    ("agency", "acceptLead"): _lead_offered,
    ("agency", "declineReferral"): _to_decline,
    ("agency", "endReferral"): _given,
    ("agency", "withdrawReferral"): _to_take_back,
    ("agency", "recordConsent"): _to_agree,
    ("agency", "withdrawConsent"): _agreed_to,
    ("agency", "overridesToReview"): given(first=5),
    ("agency", "reviewOverride"): _overridden,
    ("agency", "declareTie"): _to_tie,
    ("agency", "declareTie of a partner"): _to_tie_partner,
    ("agency", "withdrawTie"): _tie,
    ("agency", "openCaseFile"): given(input={**_CASE, "triage": _TRIAGE}),
    ("agency", "updateDefender"): _updating("gender"),
    ("agency", "updateDefender, contact"): _updating("phones", "emails", "homeAddress"),
    ("agency", "updateDefender, identity"): _updating(*_IDENTITY),
    ("agency", "updateDefender, whereabouts"): _updating("presentLocation"),
    ("agency", "assignCaseworker"): _to_assign,
    ("agency", "unassignCaseworker"): _assigned,
    ("agency", "addNote"): given(input={"caseFileId": "{file}", "body": "Catatan."}),
    ("oversight", "accessEvents"): given(first=5, after=None, filter=_EVENTS),
    ("oversight", "accessReport"): given(defender="{defender}", first=5, after=None),
    ("oversight", "whoCanSee"): given(defenderId="{defender}", **_REVIEW),
    ("oversight", "accessReceipt"): _receipt,
    ("oversight", "checkpoint"): given(),
    ("oversight", "inclusionProof"): _own_event,
    ("oversight", "consistencyProof"): given(old=1, new=2),
    ("oversight", "breakGlassUses"): given(),
    ("oversight", "reviewBreakGlass"): _to_review,
    ("partner", "viewer"): given(),
    ("partner", "releases"): given(first=5, after=None),
    ("partner", "release"): given(id="{release}"),
    ("partner", "releasePaper"): given(id="{release}", language="ID"),
}
