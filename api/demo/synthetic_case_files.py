"""Invents case files: what happened, to whom, and the notes that were taken."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from faker import Faker

from api.code_lists import CodeLists
from api.demo import synthetic_words as words
from api.demo.synthetic_members import KOMNAS_PEREMPUAN
from api.demo.synthetic_people import People, Person
from api.demo.synthetic_records import (
    SyntheticCaseFile,
    SyntheticDefender,
    SyntheticNote,
    midnight,
    new_id,
)
from api.vocabulary import (
    CaseFileId,
    CaseStatus,
    DefenderId,
    MemberId,
    NoteId,
    Organisation,
    Sensitivity,
    Urgency,
)

_PREFIX = {"komnas-ham": "KH", "komnas-perempuan": "KP", "lpsk": "LP"}
#: Incident kinds that make up half of what is reported, ahead of the rest of the list.
_FREQUENT = ("criminalisation", "threat", "violence", "surveillance", "physical_assault", "smear")
_DAY = "%d-%m-%Y"


class CaseFiles:
    """Makes case file after case file, with its defenders."""

    def __init__(self, faker: Faker, today: date, lists: CodeLists) -> None:
        """Take the source of randomness, seeded by the caller."""
        self._random: Random = faker.random
        self._today = today
        self._lists = lists
        self._people = People(faker, today)
        self._references: dict[tuple[str, int], int] = {}

    def make(
        self, agency: Organisation, opened_on: date, name: str | None
    ) -> tuple[SyntheticCaseFile, list[SyntheticDefender], list[Person]]:
        """Make one; with a *name* it is one that the demo shows, of one person of that name."""
        random, lists = self._random, self._lists
        province = random.choice(lists.codes("provinces"))
        shown = name is not None
        happened = ["criminalisation", "death_threat"] if shown else self._incidents(agency)
        measures = random.sample(lists.codes("measure_kinds"), random.randint(0, 3))
        adversaries = random.sample(lists.codes("adversary_kinds"), random.choice((1, 1, 2)))
        forms = lists.codes("sexual_violence_forms") if "sexual_violence" in happened else ()
        urgency = random.choices(list(Urgency), (1, 3, 4, 4))[0]
        sensitivity = random.choices(list(Sensitivity), (15, 40, 33, 12))[0]
        people = self._persons(agency, province, name)
        defenders = [self._defender(agency, opened_on, *known) for known in people]
        persons = [person for person, _ in people]
        case_file = SyntheticCaseFile(
            id=CaseFileId(new_id(random, opened_on)),
            reference=self._reference(agency, opened_on.year),
            lead_agency=agency,
            status=CaseStatus.ACTIVE if shown else self._status(opened_on),
            urgency=urgency,
            sensitivity=Sensitivity.HIGH if shown else sensitivity,
            province=province,
            opened_on=opened_on,
            respond_by=midnight(opened_on) + lists.clocks[f"first_response_{urgency}"].length,
            incident_kinds=lists.split("incident_kinds", happened).clear,
            adversary_kinds=tuple(sorted(adversaries)),
            measure_kinds=lists.split("measure_kinds", measures).clear,
            sexual_violence_forms=tuple(sorted(random.sample(forms, 1))) if forms else (),
            account=self._account(persons[0], province, happened[0], adversaries[0], opened_on),
            defenders=tuple(defender.id for defender in defenders),
        )
        return case_file, defenders, persons

    def notes(
        self, case_file: SyntheticCaseFile, person: Person, author: MemberId
    ) -> list[SyntheticNote]:
        """Make up to two notes of *author*, none older than the case file."""
        random = self._random
        age = (self._today - case_file.opened_on).days
        days = sorted(random.randint(0, age) for _ in range(random.choice((0, 0, 0, 1, 1, 2))))
        return [
            SyntheticNote(
                id=NoteId(new_id(random, day)),
                case_file=case_file.id,
                author=author,
                written_at=midnight(day),
                body=random.choice(words.NOTES).format(first=person.first),
            )
            for day in (case_file.opened_on + timedelta(days=days) for days in days)
        ]

    def _incidents(self, agency: Organisation) -> list[str]:
        random = self._random
        chance = 0.4 if agency == KOMNAS_PEREMPUAN else 0.05
        codes = [code for code in self._lists.codes("incident_kinds") if code != "sexual_violence"]
        first = random.choice(_FREQUENT if random.random() < 0.5 else codes)
        if random.random() < chance:
            first = "sexual_violence"
        return [
            first,
            *(c for c in random.sample(codes, random.choice((0, 1, 1, 2))) if c != first),
        ]

    def _persons(
        self, agency: Organisation, province: str, name: str | None
    ) -> list[tuple[Person, list[str]]]:
        """Invent the one to four persons of a case file, each with true categories."""
        random = self._random
        people = []
        size = 1 if name else random.choices((1, 2, 3, 4), (860, 90, 40, 10))[0]
        for place in range(size):
            codes = self._lists.codes("defender_categories")
            categories = random.sample(codes, random.choice((1, 1, 2)))
            woman = random.random() < (0.9 if agency == KOMNAS_PEREMPUAN else 0.45)
            lgbtiq = "lgbtiq" in categories
            person = self._people.person(province, woman and not name, lgbtiq, name)
            people.append((person, categories if not place else ["family_of_defender"]))
        return people

    def _defender(
        self, agency: Organisation, opened_on: date, person: Person, categories: Sequence[str]
    ) -> SyntheticDefender:
        split = self._lists.split("defender_categories", categories)
        return SyntheticDefender(
            id=DefenderId(new_id(self._random, opened_on)),
            agency=agency,
            categories=split.clear,
            full_name=person.full_name,
            aliases=person.aliases,
            nik=person.nik,
            family_card=person.family_card,
            date_of_birth=person.date_of_birth,
            gender=person.gender,
            nationality="Indonesia",
            sealed_categories=split.sealed,
            phones=person.phones,
            emails=person.emails,
            home_address=person.home_address,
            present_location=person.present_location,
        )

    def _account(
        self, person: Person, province: str, incident: str, adversary: str, opened_on: date
    ) -> str:
        random = self._random
        lists = self._lists
        # In the words that may stand in clear: what is more belongs to gender_violence.
        [clear] = lists.split("incident_kinds", [incident]).clear
        opening = random.choice(words.ACCOUNT_OPENINGS).format(
            first=person.first,
            day=(opened_on - timedelta(days=random.randint(0, 20))).strftime(_DAY),
            place=random.choice(words.PLACES[province]),
            incident=lists.labels("incident_kinds", clear).id.lower(),
        )
        circumstance = random.choice(words.ACCOUNT_CIRCUMSTANCES).format(
            adversary=lists.labels("adversary_kinds", adversary).id.lower()
        )
        return f"{opening} {circumstance} {random.choice(words.ACCOUNT_RISKS)}"

    def _reference(self, agency: Organisation, year: int) -> str:
        number = self._references[agency, year] = self._references.get((agency, year), 0) + 1
        return f"{_PREFIX[agency]}-{year}-{number:04}"

    def _status(self, opened_on: date) -> CaseStatus:
        """Choose a status that fits the age: nothing stays in intake for a month."""
        age = self._today - opened_on
        if age < timedelta(days=10):
            return self._random.choice((CaseStatus.INTAKE, CaseStatus.INTAKE, CaseStatus.TRIAGE))
        if age < timedelta(days=30):
            return self._random.choice((CaseStatus.TRIAGE, CaseStatus.ACTIVE))
        later = (CaseStatus.ACTIVE, CaseStatus.MONITORING, CaseStatus.CLOSED)
        return self._random.choices(later, (5, 3, 2))[0]
