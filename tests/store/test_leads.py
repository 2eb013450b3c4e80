"""What a change of the lead takes along is every table that the lead agency seals."""

from api.store import leads
from api.store.tables import METADATA, RIGHTS


def test_every_table_about_a_case_file_has_its_part_in_a_change_of_the_lead() -> None:
    """A new table must be handed over, or stay, or have its reason here."""
    named = {
        table.name
        for table in METADATA.sorted_tables
        if table.name in RIGHTS and {"case_file", "record"} & set(table.c.keys())
    } | {"case_file"}
    own = {
        "assignment",  # of the agency's own people: it ends with the lead
        "break_glass",  # a use is over after hours, and is reviewed as it was
        "delegation",  # as an assignment
        "lead_acceptance",
        "lead_handover",
        "lead_proposal",
        "look",  # minutes of two persons of the agency
        "match_request",  # over after three days; it is answered to who asked
        "referral_right",  # of other agencies: see the obstacle of referrals
    }
    handed = {part.table.name for part in leads.HANDED}
    of_others = {"defender_merge", "plan_step_done"}  # They name a defender, and a step.
    staying = {part.table.name for part in leads.STAYING} - of_others

    assert not handed & staying
    assert handed | staying | own == named
