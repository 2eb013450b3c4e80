"""Makes the demo's records: everything in them is invented.

No person, number or address in here is real. Names are drawn from Faker and from
word lists, every NIK lies in a district (99) that does not exist, every telephone
number in a range that no operator has, every address for mail under `example.org`.
The same seed, day and size give the same records. It writes nothing anywhere.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from faker import Faker

from api.code_lists import CodeLists, load
from api.demo import synthetic_words as words
from api.demo.synthetic_case_files import CaseFiles
from api.demo.synthetic_consents import consents
from api.demo.synthetic_members import AGENCIES, KOMNAS_HAM, LBH, ORGANISATIONS, UNION, members
from api.demo.synthetic_records import (
    Synthetic,
    SyntheticAssignment,
    SyntheticCaseFile,
    SyntheticDefender,
    SyntheticMember,
    SyntheticNote,
    SyntheticOrganisation,
    SyntheticRelease,
    midnight,
    new_id,
)
from api.vocabulary import (
    AssignmentId,
    CaseStatus,
    Organisation,
    Purpose,
    ReleaseId,
    Role,
)

__all__ = [
    "BUDI",
    "RATNA",
    "SARI",
    "TUTI",
    "WAYAN",
    "Synthetic",
    "SyntheticAssignment",
    "SyntheticCaseFile",
    "SyntheticDefender",
    "SyntheticMember",
    "SyntheticNote",
    "SyntheticOrganisation",
    "SyntheticRelease",
    "synthetic",
]

#: Subjects of the demo's roles, one for each of its tokens.
SARI = "sari"  # case officer of Komnas HAM
WAYAN = "wayan"  # protection officer of LPSK
RATNA = "ratna"  # lawyer of the partner LBH Nusantara
TUTI = "tuti"  # security officer of Komnas HAM
BUDI = "budi"  # supervisor of Komnas HAM

#: Parts of the case files that each of AGENCIES leads.
_SHARES = (4, 3, 3)

#: How far back the oldest case file goes, about a year and four months.
_OLDEST = 500  # days

#: Age in days, officer, and defender of the case files that the demo shows: Sari's own, and
#: one of a colleague.
_SHOWN = ((33, SARI, "Mochammad Joesoef Hidayat"), (32, "rizal", "I Made Sukadana"))


def synthetic(seed: int, today: date, case_files: int = 250) -> Synthetic:
    """Make *case_files* (at least 2) case files, with six defenders for five of them.

    Args:
        today: no record is younger; what is live stays so for 30 days or more.
    """
    faker = Faker("id_ID")
    faker.seed_instance(seed)
    random: Random = faker.random
    lists = load()
    staff = members(faker, today)
    maker = CaseFiles(faker, today, lists)
    files: list[SyntheticCaseFile] = []
    defenders: list[SyntheticDefender] = []
    assignments: list[SyntheticAssignment] = []
    notes: list[SyntheticNote] = []
    plans = [(random.randint(0, _OLDEST), "", "") for _ in range(case_files - len(_SHOWN))]
    plans = sorted([*_SHOWN, *plans], key=lambda plan: -plan[0])
    for age, officer, name in plans:
        agency = KOMNAS_HAM if name else random.choices(AGENCIES, _SHARES)[0]
        case_file, people, persons = maker.make(agency, today - timedelta(days=age), name or None)
        files.append(case_file)
        defenders += people
        team = _team(random, staff, case_file, officer)
        assignments += _assignments(random, today, staff, case_file, team)
        notes += maker.notes(case_file, persons[0], team[0].id)
    shown = [files[plans.index(plan)] for plan in _SHOWN]
    return Synthetic(
        organisations=ORGANISATIONS,
        members=tuple(staff),
        defenders=tuple(defenders),
        case_files=tuple(files),
        assignments=tuple(assignments),
        notes=tuple(notes),
        releases=tuple(_releases(random, today, lists, [*shown, files[-1]])),
        consents=tuple(consents(seed, today, files, assignments)),
        open_to_sari=shown[0].id,
        closed_to_sari=shown[1].id,
    )


def _team(
    random: Random, staff: Sequence[SyntheticMember], case_file: SyntheticCaseFile, only: str
) -> list[SyntheticMember]:
    """Choose who works on *case_file*: one or two who are cleared for it."""
    if only:
        return [member for member in staff if member.subject == only]
    early = case_file.status is CaseStatus.INTAKE
    roles = {Role.INTAKE_OFFICER} if early else {Role.CASE_OFFICER, Role.PROTECTION_OFFICER}
    able = [
        member
        for member in staff
        if member.organisation == case_file.lead_agency
        and member.clearance >= case_file.sensitivity
        and member.role in roles
    ]
    able = able or [_supervisor(staff, case_file.lead_agency)]
    return random.sample(able, min(len(able), random.choice((1, 1, 1, 2))))


def _supervisor(staff: Sequence[SyntheticMember], agency: Organisation) -> SyntheticMember:
    return next(
        member
        for member in staff
        if member.organisation == agency and member.role is Role.SUPERVISOR
    )


def _assignments(
    random: Random,
    today: date,
    staff: Sequence[SyntheticMember],
    case_file: SyntheticCaseFile,
    team: Sequence[SyntheticMember],
) -> list[SyntheticAssignment]:
    """Assign *team*; on a closed case file that has ended, one way or the other."""
    made = []
    for member in team:
        starts = case_file.opened_on
        ends = today + timedelta(days=random.randint(30, 180))
        ended = None
        if case_file.status is CaseStatus.CLOSED:
            # Never on a day before the start: closed case files are 30 days old or more.
            past = today - timedelta(days=random.randint(1, 25))
            ended, ends = (past, ends) if random.random() < 0.5 else (None, past)
        made.append(
            SyntheticAssignment(
                id=AssignmentId(new_id(random, starts)),
                case_file=case_file.id,
                member=member.id,
                assigned_by=_supervisor(staff, case_file.lead_agency).id,
                starts_at=midnight(starts),
                ends_at=midnight(ends),
                ended_at=None if ended is None else midnight(ended),
            )
        )
    return made


def _releases(
    random: Random, today: date, lists: CodeLists, files: Sequence[SyntheticCaseFile]
) -> list[SyntheticRelease]:
    """Make one live release for LBH, of the first of three; others live, over and revoked."""
    opened, closed, newest = files
    plans = (
        (opened, LBH, 60, None),
        (closed, LBH, -10, None),
        (closed, UNION, 45, None),
        (newest, UNION, 90, None),
        (newest, UNION, 90, -2),
    )
    made = []
    for case_file, partner, until, revoked in plans:
        labels = lists.labels("incident_kinds", case_file.incident_kinds[0])
        province = lists.labels("provinces", case_file.province)
        made.append(
            SyntheticRelease(
                id=ReleaseId(new_id(random, case_file.opened_on)),
                case_file=case_file.id,
                partner=partner,
                agency=case_file.lead_agency,
                purpose=Purpose.REFERRAL if partner == LBH else Purpose.PROTECTION,
                until=midnight(today + timedelta(days=until)),
                revoked_at=None if revoked is None else midnight(today + timedelta(days=revoked)),
                summary=random.choice(words.SUMMARIES).format(
                    province=province.id, incident=labels.id.lower()
                ),
                requested=("legal_aid",) if partner == LBH else ("digital_security", "monitoring"),
            )
        )
    return made
