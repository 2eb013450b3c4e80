"""Invents what the defenders of the demo agreed to: to be helped by all three agencies."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random

from api.demo.synthetic_records import (
    SyntheticAssignment,
    SyntheticCaseFile,
    SyntheticConsent,
    midnight,
    new_id,
)
from api.vocabulary import Compartment, ConsentForm, ConsentId, Purpose

#: What was asked for. Of whereabouts, and of gender-based violence, people are asked when it
#: comes to that.
AGREED = tuple(
    sorted(
        set(Compartment)
        - {Compartment.GENDER_VIOLENCE, Compartment.RELEASE, Compartment.WHEREABOUTS}
    )
)

#: Longer than any referral lasts.
_LASTS = timedelta(days=500)


def consents(
    seed: int,
    today: date,
    files: Sequence[SyntheticCaseFile],
    assignments: Sequence[SyntheticAssignment],
) -> Iterator[SyntheticConsent]:
    """Make one of each defender, recorded on the first day by who was assigned."""
    random = Random(f"{seed}: consents")  # noqa: S311  # invents, and keeps nothing secret
    first = {each.case_file: each.member for each in reversed(assignments)}
    for file in files:
        for defender in file.defenders:
            yield SyntheticConsent(
                id=ConsentId(new_id(random, file.opened_on)),
                defender=defender,
                case_file=file.id,
                purpose=Purpose.PROTECTION,
                until=midnight(today + _LASTS),
                form=random.choice(list(ConsentForm)),
                recorded_by=first[file.id],
                recorded_at=midnight(file.opened_on),
            )
