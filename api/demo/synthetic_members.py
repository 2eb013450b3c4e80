"""The invented organisations and their members, the same in every demo but for their ids."""

from datetime import date, timedelta

from faker import Faker

from api.demo import synthetic_words as words
from api.demo.synthetic_records import SyntheticMember, SyntheticOrganisation, new_id
from api.vocabulary import MemberId, Organisation, Role, Sensitivity

KOMNAS_HAM = Organisation("komnas-ham")
KOMNAS_PEREMPUAN = Organisation("komnas-perempuan")
LPSK = Organisation("lpsk")
LBH = Organisation("lbh-nusantara")
UNION = Organisation("serikat-jurnalis-nusantara")

AGENCIES = (KOMNAS_HAM, KOMNAS_PEREMPUAN, LPSK)

ORGANISATIONS = (
    SyntheticOrganisation(KOMNAS_HAM, "agency", "Komnas HAM", "KH"),
    SyntheticOrganisation(KOMNAS_PEREMPUAN, "agency", "Komnas Perempuan", "KP"),
    SyntheticOrganisation(LPSK, "agency", "LPSK", "LP"),
    SyntheticOrganisation(LBH, "partner", "LBH Nusantara (invented)", None),
    SyntheticOrganisation(UNION, "partner", "Serikat Jurnalis Nusantara (invented)", None),
)

#: Of those who do casework; all others have the lowest.
_CLEARANCE = {
    Role.AGENCY_LEAD: Sensitivity.EXTREME,
    Role.CASE_OFFICER: Sensitivity.HIGH,
    Role.INTAKE_OFFICER: Sensitivity.HIGH,
    Role.PROTECTION_OFFICER: Sensitivity.EXTREME,
    Role.SUPERVISOR: Sensitivity.EXTREME,
}

#: Long before the oldest case file.
_JOINED_BEFORE = timedelta(days=700)


def members(faker: Faker, today: date) -> list[SyntheticMember]:
    """Make the staff of the agencies and one person of each partner."""
    posts = [(agency, *post) for agency in AGENCIES for post in _posts(agency)]
    posts += [(LBH, "ratna", Role.PARTNER), (UNION, "bagas", Role.PARTNER)]
    return [
        SyntheticMember(
            id=MemberId(new_id(faker.random, today - _JOINED_BEFORE)),
            organisation=organisation,
            subject=subject,
            name=f"{subject.title()} {faker.last_name()}",
            role=role,
            clearance=_CLEARANCE.get(role, Sensitivity.LOW),
            trained=role in _CLEARANCE and _is_trained(organisation, subject),
            disabled_at=None,
        )
        for organisation, subject, role in posts
    ]


def _posts(agency: Organisation) -> list[tuple[str, Role]]:
    roles = [
        *[Role.INTAKE_OFFICER] * 2,
        *[Role.CASE_OFFICER] * 3,
        *([Role.PROTECTION_OFFICER] * 2 if agency == LPSK else []),
        Role.SUPERVISOR,
        Role.AGENCY_LEAD,
        Role.SECURITY_OFFICER,
        Role.OPERATOR,
    ]
    return list(zip(words.STAFF[agency].split(), roles, strict=True))


def _is_trained(organisation: Organisation, subject: str) -> bool:
    return organisation == KOMNAS_PEREMPUAN or subject in {"rizal", "hartono", "wayan", "hasan"}
