"""What the policy may know: small, immutable, strictly typed, and nothing of a record itself.

Facts hold no name, no identifier, no row and no clock. "Live" is computed where
facts are built, in the transaction that read the rows. Types are exact: a flag
is a bool and never 0 or 1, a text is a str and never an enumeration's member,
since `False == 0` would let a memo answer for another question, and Polar takes
an unknown type for a foreign object.
"""

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import ClassVar, Final

from api.errors import PolicyFailed, PurposeMissing
from api.vocabulary import Caseworker, Partner, Purpose, Role, Sensitivity

#: Field of some facts -> the only values it takes.
_VALUES: Final[dict[str, frozenset[object]]] = {
    "clearance": frozenset(level.value for level in Sensitivity),
    "purpose": frozenset(purpose.value for purpose in Purpose),
    "role": frozenset(role.value for role in Role),
    "sensitivity": frozenset(level.value for level in Sensitivity),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What all facts share: the check of their types and a key for the memo.

    Attributes:
        key: the class and all values, injectively, as one text. A text's hash is
            kept by the interpreter, so that a memo keyed by it needs no code of ours.

    Raises:
        PolicyFailed: a value has another type than declared or is not in the vocabulary.
    """

    polar_name: ClassVar[str] = ""

    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check every value and derive the key from them."""
        values = []
        for name, kind in FIELD_TYPES[type(self).polar_name].items():
            value = getattr(self, name)
            if type(value) is not kind or value not in _VALUES.get(name, (value,)) or value == "":
                raise PolicyFailed
            values.append(value)
        # The values are of exact built-in types, whose repr is injective.
        object.__setattr__(self, "key", f"{type(self).polar_name}{values!r}")


@dataclass(frozen=True, slots=True)
class CaseworkerFacts(Facts):
    """Someone of an agency: what the member row and the request's purpose say."""

    polar_name = "Caseworker"

    agency: str
    role: str
    clearance: int
    trained: bool
    purpose: str

    @classmethod
    def of(cls, caller: Caseworker, *, clearance: int, trained: bool) -> "CaseworkerFacts":
        """Take the facts of *caller*; the rest is of the member row whose seal holds.

        Raises:
            PurposeMissing: the caller declared none.
        """
        if caller.purpose is None:
            raise PurposeMissing
        return cls(caller.organisation, caller.role.value, clearance, trained, caller.purpose.value)


@dataclass(frozen=True, slots=True)
class PartnerFacts(Facts):
    """A person of an external partner; to whom a release goes is a fact of the release."""

    polar_name = "Partner"

    purpose: str

    @classmethod
    def of(cls, caller: Partner) -> "PartnerFacts":
        """Take the facts of *caller*.

        Raises:
            PurposeMissing: the caller declared none.
        """
        if caller.purpose is None:
            raise PurposeMissing
        return cls(caller.purpose.value)


@dataclass(frozen=True, slots=True)
class SecurityOfficerFacts(Facts):
    """Who reviews the access log of an agency."""

    polar_name = "SecurityOfficer"

    agency: str


@dataclass(frozen=True, slots=True)
class CaseFileFacts(Facts):
    """A case file as it stands to one caller.

    Attributes:
        assigned: a live assignment of the caller exists.
        supervising: a live assignment of somebody else exists.
        referred: its lead agency shares it with the caller's, which accepted, and that
            has not ended. Of a case file of the own agency this is never so.
        shares_...: the referral names this compartment.
        tied: the caller is tied to the reported adversary: a conflict of interest.
        delegated: somebody who is assigned handed the work to the caller, and that lasts;
            delegates_...: the compartments, as far as that person may open them now.
        break_glass: the caller broke the glass for it, and that lasts; unlocks_...: the
            compartments that were named.
        second_person: a colleague looks at the whereabouts together with the caller, in this
            request and for this case file; no row says so of any other reading.
        closed: the own agency closed it, and nobody has reopened it. It matters to changes only,
            and is a fact of these only: of a reading it is never so.
    """

    polar_name = "CaseFile"

    lead_agency: str
    sensitivity: int
    assigned: bool
    supervising: bool
    referred: bool = False
    shares_adversary: bool = False
    shares_contact: bool = False
    shares_documents: bool = False
    shares_gender_violence: bool = False
    shares_identity: bool = False
    shares_narrative: bool = False
    shares_whereabouts: bool = False
    tied: bool = False
    delegated: bool = False
    delegates_adversary: bool = False
    delegates_contact: bool = False
    delegates_documents: bool = False
    delegates_gender_violence: bool = False
    delegates_identity: bool = False
    delegates_narrative: bool = False
    delegates_whereabouts: bool = False
    break_glass: bool = False
    unlocks_adversary: bool = False
    unlocks_contact: bool = False
    unlocks_documents: bool = False
    unlocks_gender_violence: bool = False
    unlocks_identity: bool = False
    unlocks_narrative: bool = False
    unlocks_whereabouts: bool = False
    second_person: bool = False
    closed: bool = False

    @classmethod
    def as_referred(
        cls,
        lead_agency: str,
        sensitivity: int,
        assigned: bool,
        supervising: bool,
        compartments: Iterable[str],
    ) -> "CaseFileFacts":
        """Make the facts of a case file that another agency shares: *compartments* of it.

        Raises:
            PolicyFailed: one of *compartments* is not one that is ever shared.
        """
        shares = {f"shares_{compartment}": True for compartment in compartments}
        if not shares.keys() <= FIELD_TYPES[cls.polar_name].keys():
            raise PolicyFailed
        return cls(lead_agency, sensitivity, assigned, supervising, True, **shares)


@dataclass(frozen=True, slots=True)
class ReleaseFacts(Facts):
    """A release as it stands to one caller.

    Attributes:
        addressed: made for the caller's organisation.
        live: neither over nor revoked.
        for_purpose: made for the purpose that the caller declared.
        tied: the caller's organisation is tied to the reported adversary.
    """

    polar_name = "Release"

    addressed: bool
    live: bool
    for_purpose: bool
    tied: bool = False


@dataclass(frozen=True, slots=True)
class EventFacts(Facts):
    """An event of the log as it stands to one officer's agency.

    Attributes:
        own_actor: somebody of the agency did it.
        own_record: it concerns a record that the agency leads.
        break_glass: it is the use of an emergency access that awaits its review.
    """

    polar_name = "Event"

    own_actor: bool
    own_record: bool
    break_glass: bool = False


Who = CaseworkerFacts | PartnerFacts | SecurityOfficerFacts
Row = CaseFileFacts | ReleaseFacts | EventFacts

#: What each kind of caller asks about; every other pair is refused by the policy.
ROW_OF: Final[dict[type[Facts], type[Facts]]] = {
    CaseworkerFacts: CaseFileFacts,
    PartnerFacts: ReleaseFacts,
    SecurityOfficerFacts: EventFacts,
}

#: The name in Polar -> the class; a policy knows these and no other.
CLASSES: Final[dict[str, type[Facts]]] = {
    cls.polar_name: cls for pair in ROW_OF.items() for cls in pair
}

#: The name in Polar -> its fields, in order, with their exact types.
FIELD_TYPES: Final[dict[str, dict[str, type]]] = {
    name: {f.name: f.type for f in fields(cls) if f.init and isinstance(f.type, type)}
    for name, cls in CLASSES.items()
}

#: The name in Polar -> the fields that may be left out, and are then false.
DEFAULTED: Final[dict[str, frozenset[str]]] = {
    name: frozenset(f.name for f in fields(cls) if f.init and f.default is not MISSING)
    for name, cls in CLASSES.items()
}
