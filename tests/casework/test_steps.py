"""The steps that a case file takes: each to somewhere else, and none of one person to its end."""

from api.casework.case_life import STEPS
from api.vocabulary import CaseStatus


def test_one_person_takes_no_case_file_into_its_end_nor_out_of_it() -> None:
    assert set(STEPS) == set(CaseStatus)
    assert not STEPS[CaseStatus.CLOSED]
    assert all(CaseStatus.CLOSED not in steps for steps in STEPS.values())


def test_every_step_leads_somewhere_else_and_from_everywhere_to_monitoring() -> None:
    assert all(was not in steps for was, steps in STEPS.items())
    reached = {CaseStatus.INTAKE}
    for _ in STEPS:
        reached |= {to for was in reached for to in STEPS[was]}
    assert reached == set(CaseStatus) - {CaseStatus.CLOSED}
