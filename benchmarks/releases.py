"""How alike case files look to a partner, and what it costs to look through a text.

`releases.look_alikes` is not of time: of 500 invented case files it says, for each profile, the
share that fewer than `least` look like, before and after the view is made coarser, and how
many steps that takes. Real case files are more alike in places and rarer in others.
"""

import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import date
from time import process_time

from api.casework.redaction import find
from api.casework.redaction_kinds import Value as Sealed
from api.casework.redaction_kinds import values_of
from api.casework.release_profiles import (
    LINKING,
    Content,
    Facts,
    Profile,
    Profiles,
    coarser,
    load_profiles,
)
from api.demo.synthetic import Synthetic, synthetic
from benchmarks.machine import Pace
from benchmarks.values import Value

TODAY = date(2026, 3, 2)
CASE_FILES = 500

#: Characters of the longest text, and sealed values of a large case file.
TEXT = 20_000
VALUES = 200
ROUNDS = 15
#: The target: a person waits for it.
LIMIT_MS = 100.0


async def look_alikes() -> Sequence[Value]:
    """Print shares of case files that stand out, by profile."""
    profiles = load_profiles()
    known = facts_of(synthetic(1, TODAY, CASE_FILES))
    values = []
    for profile in profiles.profiles.values():
        name = f"releases.look_alikes.{profile.name}"
        values.append(Value(f"{name}.too_few", standing_out(profiles, profile, known), "%"))
        counts, steps = widened(profiles, profile, known)
        values += [
            Value(f"{name}.too_few_widened", 100 * counts, "%", limit=5.0),
            Value(f"{name}.steps_median", statistics.median(steps), "steps"),
        ]
    return values


async def redact_ms() -> Sequence[Value]:
    """Look for 200 values in 20,000 characters; the limit is for the machine of `machine`."""
    records = synthetic(1, TODAY, CASE_FILES)
    text = " ".join(case_file.account for case_file in records.case_files)[:TEXT]
    sealed: list[Sealed] = []
    for person in records.defenders:
        sealed += values_of(
            {
                "full_name": person.full_name,
                "nik": person.nik,
                "phones": person.phones,
                "home_address": person.home_address,
            }
        )
    times, pace = [], Pace()
    for _ in range(ROUNDS):
        start = process_time()
        find(text, sealed[:VALUES])
        times.append(1000 * (process_time() - start))
        pace.turn()
    return [Value("releases.redact_ms", statistics.median(times), "ms", LIMIT_MS * pace.slowness)]


def facts_of(records: Synthetic) -> list[Facts]:
    """Give what may go out of each case file, as a release would take it."""
    people = {person.id: person for person in records.defenders}
    facts = []
    for case_file in records.case_files:
        persons = [people[defender] for defender in case_file.defenders]
        born = persons[0].date_of_birth if len(persons) == 1 else None
        facts.append(
            Facts(
                age=None if born is None else (TODAY - born).days // 365,
                day=case_file.opened_on,
                province=case_file.province,
                categories=sorted({c for person in persons for c in person.categories}),
                incident_kinds=case_file.incident_kinds,
                adversary_kinds=case_file.adversary_kinds,
                needs=case_file.measure_kinds,
            )
        )
    return facts


def linking(content: Content) -> tuple[object, ...]:
    """Give what two case files are compared by, as `look_alikes` does."""
    return tuple(getattr(content, fact) for fact in LINKING)


def standing_out(profiles: Profiles, profile: Profile, known: Sequence[Facts]) -> float:
    """Give the share, in percent, of which too few look the same under *profile*."""
    alike = Counter(linking(profiles.generalise(profile, facts)) for facts in known)
    few = sum(count for count in alike.values() if count < profile.least)
    return 100 * few / len(known)


def widened(
    profiles: Profiles, profile: Profile, known: Sequence[Facts]
) -> tuple[float, list[int]]:
    """Make the view of each coarser until enough look the same.

    Returns the share of those for which no view is coarse enough, and each one's steps.
    """
    waiting = set(range(len(known)))
    steps = dict.fromkeys(waiting, 0)
    view: Profile | None = profile
    taken = 0
    while view is not None and waiting:
        contents = [linking(profiles.generalise(view, facts)) for facts in known]
        alike = Counter(contents)
        for place in tuple(waiting):
            steps[place] = taken
            if alike[contents[place]] >= view.least:
                waiting.discard(place)
        view = coarser(view)
        taken += 1
    return len(waiting) / len(known), list(steps.values())
