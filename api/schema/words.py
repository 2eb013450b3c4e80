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
        vocabulary.CaseFileOrder: "The order of a list of case files.",
        vocabulary.CaseStatus: "Where a case file stands.",
        vocabulary.Compartment: (
            "A group of sealed fields with one key and one need-to-know rule."
        ),
        vocabulary.Decision: "What the policy and the log let happen.",
        vocabulary.Ground: (
            "The reason in the policy for which something was disclosed or allowed."
        ),
        vocabulary.LegalBasis: "Why the processing is lawful (UU PDP 27/2022, art. 20).",
        vocabulary.Outcome: "How a change ended.",
        vocabulary.Phase: (
            "Where an event stands in its action: a change has an intent and an outcome."
        ),
        vocabulary.Purpose: (
            "Why records are opened; each request declares one in the header Perisai-Purpose."
        ),
        vocabulary.Reason: "Why something was withheld.",
        vocabulary.RecordKind: "The kind of a record that an event names.",
        vocabulary.Role: "What a member does in its organisation.",
        vocabulary.Urgency: "How fast the first response must come.",
    }
    for words, text in described.items():
        strawberry.enum(words, description=text)
    strawberry.enum(
        search.By,
        name="SearchBy",
        description="What a search is by: a name, tolerant of spelling, or an exact identifier.",
    )
