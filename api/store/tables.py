"""The tables of the records, for both databases.

A table whose rows give or shape a right (`member`, `case_file`,
`case_file_defender`, `assignment`, `release`), and `note`, has a `seal`: a MAC of the agency
over the columns that RIGHTS names, made in casework. A row whose seal does not
hold counts for nothing. `event` is the index of the intent in the access log.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from api.database import metadata
from api.store.columns import Instant, Ranked, SealedColumn
from api.vocabulary import Urgency

METADATA = metadata()

organisation = Table(
    "organisation",
    METADATA,
    Column("slug", String(40), primary_key=True),
    Column("kind", String(10), nullable=False),  # "agency" or "partner"
    Column("name", String(120), nullable=False),
    Column("reference_prefix", String(8)),
    Column("references_given", Integer, nullable=False, default=0),
)

#: A random secret of an organisation (MAC key, cursor key), sealed under its KEK.
owner_secret = Table(
    "owner_secret",
    METADATA,
    Column("owner", ForeignKey("organisation.slug"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kek_version", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)

#: One wrap of a data key for one organisation that needs it.
data_key = Table(
    "data_key",
    METADATA,
    Column("record", Uuid, primary_key=True),
    Column("compartment", String(20), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("owner", ForeignKey("organisation.slug"), primary_key=True),
    Column("kek_version", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
)

member = Table(
    "member",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("organisation", ForeignKey("organisation.slug"), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("role", String(30), nullable=False),
    Column("clearance", SmallInteger, nullable=False),
    Column("trained", SmallInteger, nullable=False),  # holds the gender-violence training: 0, 1
    Column("disabled_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    UniqueConstraint("organisation", "subject"),
)

case_file = Table(
    "case_file",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("reference", String(30), nullable=False, unique=True),
    Column("lead_agency", ForeignKey("organisation.slug"), nullable=False),
    Column("status", String(12), nullable=False),
    Column("urgency", Ranked(Urgency), nullable=False),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("province", String(2), nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("respond_by", Instant, nullable=False),
    Column("incident_kinds", JSON, nullable=False),
    Column("adversary_kinds", JSON, nullable=False),
    Column("measure_kinds", JSON, nullable=False),
    Column("account", SealedColumn, nullable=False),
    Column("sexual_violence_forms", SealedColumn, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "lead_agency", "opened_on", "id"),
    Index(None, "lead_agency", "urgency", "id"),
    Index(None, "lead_agency", "reference", "id"),
    Index(None, "lead_agency", "status", "opened_on", "id"),
)

defender = Table(
    "defender",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("categories", JSON, nullable=False),
    Column("full_name", SealedColumn, nullable=False),
    Column("aliases", SealedColumn, nullable=False),
    Column("nik", SealedColumn, nullable=False),
    Column("family_card", SealedColumn, nullable=False),
    Column("date_of_birth", SealedColumn, nullable=False),
    Column("gender", SealedColumn, nullable=False),
    Column("nationality", SealedColumn, nullable=False),
    Column("sealed_categories", SealedColumn, nullable=False),
    Column("phones", SealedColumn, nullable=False),
    Column("emails", SealedColumn, nullable=False),
    Column("home_address", SealedColumn, nullable=False),
    Column("present_location", SealedColumn, nullable=False),
    Column("revision", Integer, nullable=False),
)

case_file_defender = Table(
    "case_file_defender",
    METADATA,
    Column("case_file", ForeignKey("case_file.id"), primary_key=True),
    Column("defender", ForeignKey("defender.id"), primary_key=True),
    Column("position", SmallInteger, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "defender", "case_file"),
)

assignment = Table(
    "assignment",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("member", ForeignKey("member.id"), nullable=False),
    Column("assigned_by", Uuid),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "member"),
    Index(None, "member", "case_file"),
)

#: Keyed tags for exact search; equal values of one agency have equal tags.
defender_tag = Table(
    "defender_tag",
    METADATA,
    Column("agency", ForeignKey("organisation.slug"), primary_key=True),
    Column("field", String(20), primary_key=True),
    Column("tag", LargeBinary(16), primary_key=True),
    Column("defender", ForeignKey("defender.id"), primary_key=True),
    Index(None, "defender"),
)

note = Table(
    "note",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("author", ForeignKey("member.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("body", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "written_at"),
)

#: A redacted view, sealed under a key of its partner; it names no case file.
release = Table(
    "release",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("partner", ForeignKey("organisation.slug"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("profile", String(20), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("until", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("body", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "partner", "until", "id"),
)

#: Which case file a release was made from; the partner's side never reads it.
release_origin = Table(
    "release_origin",
    METADATA,
    Column("release", ForeignKey("release.id"), primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Index(None, "case_file"),
)

#: Table -> the columns its seal covers, in the order in which they are sealed.
#: Of a case file only what the policy decides on: the rest changes with the work.
RIGHTS: dict[str, tuple[str, ...]] = {
    "assignment": (
        "id",
        "case_file",
        "member",
        "assigned_by",
        "starts_at",
        "ends_at",
        "ended_at",
        "event",
    ),
    "case_file": ("id", "lead_agency", "sensitivity", "event"),
    "case_file_defender": ("case_file", "defender", "position", "event"),
    "member": (
        "id",
        "organisation",
        "subject",
        "role",
        "clearance",
        "trained",
        "disabled_at",
        "event",
    ),
    # Gives no right, but says who wrote what, and when.
    "note": ("id", "case_file", "author", "written_at", "event"),
    "release": (
        "id",
        "partner",
        "agency",
        "profile",
        "purpose",
        "until",
        "revoked_at",
        "event",
    ),
}
