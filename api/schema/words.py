"""The vocabulary as GraphQL enumerations, shared by the faces."""

from functools import cache

import strawberry

from api import vocabulary
from api.casework import search


@cache
def define() -> None:
    """Define every enumeration, once: strawberry keeps the definition on the class itself."""
    described = {
        vocabulary.Action: "What an event of the access log is about.",
        vocabulary.AlertKind: (
            "What is told: a deadline comes soon or has passed, or another agency asks in an "
            "emergency for a person whom yours knows."
        ),
        vocabulary.BreakGlassFinding: (
            "What another agency found when it reviewed a break-glass use."
        ),
        vocabulary.BreakGlassReason: (
            "Why somebody opens what is closed to them: each is a danger that cannot wait."
        ),
        vocabulary.CaseFileOrder: "The order of a list of case files.",
        vocabulary.CaseStatus: "Where a case file stands.",
        vocabulary.Compartment: (
            "A group of sealed fields with one key and one need-to-know rule."
        ),
        vocabulary.ConsentForm: "How a defender gave a consent.",
        vocabulary.Decision: "What the policy and the log let happen.",
        vocabulary.DeclineReason: "Why an agency does not take up what was referred to it.",
        vocabulary.EmergencyGround: "Why protection cannot wait for its papers.",
        vocabulary.EmergencyState: "Where an emergency protection stands.",
        vocabulary.ErasureReason: "Why a record is to be erased (UU PDP 27/2022, art. 43).",
        vocabulary.Ground: (
            "The reason in the policy for which something was disclosed or allowed."
        ),
        vocabulary.Happened: "What the timeline of a case file tells.",
        vocabulary.HoldReason: (
            "Why a record must be kept whoever asks for its erasure (UU PDP 27/2022, art. 44)."
        ),
        vocabulary.Language: "The language of a paper.",
        vocabulary.LegalBasis: "Why the processing is lawful (UU PDP 27/2022, art. 20).",
        vocabulary.MeasureStatus: "Where a measure stands.",
        vocabulary.MatchAnswer: (
            "What you do about a person whom another agency asked for and yours knows."
        ),
        vocabulary.MatchReason: "Why another agency is asked whether it knows a person, too.",
        vocabulary.MatchState: "What you are told of a person whom you asked another agency for.",
        vocabulary.LeadObstacle: (
            "What an agency must end before another one leads the case file in its place."
        ),
        vocabulary.MergeState: "Where a merge of two records of one person stands.",
        vocabulary.LoweringReason: (
            "Why a case file was opened as less urgent than its triage proposes."
        ),
        vocabulary.Outcome: "How a change ended.",
        vocabulary.OverrideReason: (
            "Why somebody is referred without their consent, in their vital interest."
        ),
        vocabulary.Phase: (
            "Where an event stands in its action: a change has an intent and an outcome."
        ),
        vocabulary.Purpose: (
            "Why records are opened; each request declares one in the header Perisai-Purpose."
        ),
        vocabulary.Reason: "Why something was withheld.",
        vocabulary.RecordKind: "The kind of a record that an event names.",
        vocabulary.ReferralState: "Where a referral stands.",
        vocabulary.Role: "What a member does in its organisation.",
        vocabulary.Statistic: "What case files are counted by.",
        vocabulary.TieKind: "How somebody is tied to a reported adversary.",
        vocabulary.TriageAnswer: (
            "What was answered to a question of triage; what was not asked is UNKNOWN."
        ),
        vocabulary.Urgency: "How fast the first response must come.",
    }
    for words, text in described.items():
        strawberry.enum(words, description=text)
    strawberry.enum(
        search.By,
        name="SearchBy",
        description="What a search is by: a name, tolerant of spelling, or an exact identifier.",
    )
