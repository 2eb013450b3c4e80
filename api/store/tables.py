"""The tables of the records, for both databases.

A table whose rows give or shape a right (`member`, `case_file`, `case_file_defender`,
`assignment`, `consent`, `delegation`, `break_glass`, `lead_acceptance`, `lead_handover`,
`lead_proposal`, `look`, `referral`, `referral_right`, `release`, `trusted_key`), shows a decision
(`break_glass_review`, `closing`, `emergency_protection`, `emergency_signature`, `erasure`,
`legal_hold`, `measure`, `plan_step`, `plan_step_done`, `referral_basis`, `referral_decline`,
`requirement`) or whom two agencies know
(`match_request`, `match_hit`, `linked_record`) or that two records are of one person
(`defender_merge`), keeps somebody out (`tie`), says how far an
import came (`import_run`) or shows an author (`adversary`, `assessment`, `attachment`,
`incident`, `note`, `reason`, `step`, `triage`) has a `seal`: a MAC of the agency over the columns
that RIGHTS names, made in casework. A row whose seal does not hold counts for nothing; only a
legal hold then stands, a tie, and what closed a case file. `event` is the index of the intent in
the access log.
"""

from sqlalchemy import (
    DDL,
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
    Text,
    UniqueConstraint,
    Uuid,
    event,
    text,
)

from api.database import metadata
from api.store.columns import Instant, Ranked, SealedColumn
from api.vocabulary import Urgency

METADATA = metadata()


def _erased(table: str) -> Index:
    """Make the index of the few rows of *table* that are erased: they are counted at each start."""
    few = text("erased_at is not null")
    return Index(f"ix_{table}_erased_at", "erased_at", sqlite_where=few, postgresql_where=few)


def _open(table: str, columns: str, condition: str) -> Index:
    """Make the index of what is not done in *table*, by agency and date (`deadlines`)."""
    names, few = columns.split(", "), text(condition)
    return Index(f"ix_{table}_open", *names, sqlite_where=few, postgresql_where=few)


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
    # The rotation of the data keys that made this version; 0: it came with its record.
    Column("rotation", Integer, nullable=False, server_default="0"),
)

#: Which ciphertexts of a record are the newest: a MAC under its data key.
manifest = Table(
    "manifest",
    METADATA,
    Column("record", Uuid, primary_key=True),
    Column("compartment", String(20), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
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
    Column("adversary_institutions", SealedColumn, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("erased_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    _erased("case_file"),
    Index(None, "lead_agency", "opened_on", "id"),
    Index(None, "lead_agency", "urgency", "id"),
    Index(None, "lead_agency", "reference", "id"),
    Index(None, "lead_agency", "province", "opened_on", "id"),
    Index(None, "lead_agency", "status", "opened_on", "id"),
    # For counting: nothing else of the wide rows is read.
    Index(None, "erased_at", "opened_on", "province", "urgency", "lead_agency"),
    # For a part of a reference; SQLite reads all of them.
    Index(
        "ix_case_file_reference_parts",
        "reference",
        postgresql_using="gin",
        postgresql_ops={"reference": "gin_trgm_ops"},
    ).ddl_if(dialect="postgresql"),
    _open(
        "case_file",
        "lead_agency, urgency, respond_by, id",
        "status = 'intake' and erased_at is null",
    ),
)

#: The migrations make it, too; this is for who makes the tables from here.
event.listen(
    case_file,
    "before_create",
    DDL("create extension if not exists pg_trgm").execute_if(  # type: ignore[no-untyped-call]  # It has no types.
        dialect="postgresql"
    ),
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
    Column("erased_at", Instant),
    _erased("defender"),
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
    # Whose need to know: the lead agency's, or that of one to which it was referred.
    Column("agency", String(40), nullable=False),
    Column("assigned_by", Uuid),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "member"),
    Index(None, "member", "case_file"),
    # Of every row, and said by no other query: else SQLite takes this index for each of them.
    _open("assignment", "agency, ends_at, id", "ended_at is null and event >= 0"),
)

#: Keyed tags for exact search; equal values of one agency have equal tags.
defender_tag = Table(
    "defender_tag",
    METADATA,
    Column("agency", ForeignKey("organisation.slug"), primary_key=True),
    Column("field", String(20), primary_key=True),
    Column("tag", LargeBinary(16), primary_key=True),
    Column("defender", ForeignKey("defender.id"), primary_key=True),
    Column("index_version", Integer, nullable=False),
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

#: Why somebody changed something, in words, and what opens the commitment in the log.
reason = Table(
    "reason",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("record", Uuid, nullable=False),  # what was changed: it goes with that, too
    Column("author", ForeignKey("member.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("text", SealedColumn, nullable=False),
    Column("opening", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "written_at"),
    Index(None, "record"),
)

#: What was answered at the door, and the urgency that it came to; one of a case file at the most.
triage = Table(
    "triage",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False, unique=True),
    Column("author", ForeignKey("member.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("proposed", String(12), nullable=False),
    Column("lowered", String(20)),  # why the urgency was set below that
    Column("answers", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

#: A file that belongs to a case file, sealed under a data key of its own (record: its id).
attachment = Table(
    "attachment",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("author", ForeignKey("member.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("chunks", Integer, nullable=False),  # all that shows of its size
    Column("name", SealedColumn, nullable=False),
    Column("media_type", SealedColumn, nullable=False),
    Column("size", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "written_at"),
)

#: A piece of the sealed stream of an attachment, at most 1 MiB, by its place from 0.
attachment_chunk = Table(
    "attachment_chunk",
    METADATA,
    Column("attachment", ForeignKey("attachment.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("data", SealedColumn, nullable=False),
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
    # Since when a tie of the partner closes it. Written by the agency's process, so not
    # under the partner's seal: it can only close.
    Column("tied_at", Instant),
    # Since when a withdrawn consent closes it; likewise. Its keys went at that moment.
    Column("stopped_at", Instant),
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

#: A public key of an organisation, in hexadecimal, as it publishes it: for whoever wants
#: to pin it, and never used unpinned.
public_key = Table(
    "public_key",
    METADATA,
    Column("owner", ForeignKey("organisation.slug"), primary_key=True),
    Column("kind", String(20), primary_key=True),  # "signing" or "sharing"
    Column("version", Integer, primary_key=True),
    Column("key", String(64), nullable=False),
)

#: A public key of *peer* that *owner* compared with what it was told, and sealed.
trusted_key = Table(
    "trusted_key",
    METADATA,
    Column("owner", ForeignKey("organisation.slug"), primary_key=True),
    Column("peer", ForeignKey("organisation.slug"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

#: The giver's side of a referral: sealed by the giver, and signed, since it crosses.
referral = Table(
    "referral",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("giver", ForeignKey("organisation.slug"), nullable=False),
    Column("recipient", ForeignKey("organisation.slug"), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("compartments", String(120), nullable=False),  # sorted, with commas between
    Column("defenders", Text, nullable=False),  # ids in hexadecimal, with commas between
    Column("sensitivity", SmallInteger, nullable=False),
    Column("until", Instant, nullable=False),
    Column("proposed_by", Uuid, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("ended_at", Instant),
    Column("ended_event", BigInteger),
    # The intent by which the data keys were exchanged, after the end.
    Column("renewed_event", BigInteger),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "giver", "renewed_event"),
    Index(None, "recipient"),
    Index(None, "case_file"),
    _open("referral", "giver, until, id", "ended_at is null"),
)

#: The recipient's side: its answer and, if it accepted, its own sealed right. It repeats
#: what was referred, so that the recipient decides on what it sealed itself.
referral_right = Table(
    "referral_right",
    METADATA,
    Column("referral", ForeignKey("referral.id"), primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("giver", ForeignKey("organisation.slug"), nullable=False),
    Column("recipient", ForeignKey("organisation.slug"), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("compartments", String(120), nullable=False),
    Column("defenders", Text, nullable=False),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("until", Instant, nullable=False),
    Column("proposal", BigInteger, nullable=False),  # `event` of the referral
    Column("answer", String(12), nullable=False),  # "accepted" or "declined"
    Column("answered_by", Uuid, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("ended_at", Instant),
    Column("ended_event", BigInteger),
    # Written by the giver's process, so not under the recipient's seal: it can only close.
    Column("closed_at", Instant),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "recipient", "case_file"),
)

#: Why a recipient declined; sealed by it, and signed for the giver.
referral_decline = Table(
    "referral_decline",
    METADATA,
    Column("referral", ForeignKey("referral.id"), primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # the recipient
    Column("reason", String(30), nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

#: What a defender agreed to. It opens nothing by itself; a referral rests on it.
consent = Table(
    "consent",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("defender", ForeignKey("defender.id"), nullable=False),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # that leads it
    Column("recipient", ForeignKey("organisation.slug")),  # null: every agency
    Column("compartments", String(120), nullable=False),  # sorted, with commas between
    Column("purpose", String(20), nullable=False),
    Column("until", Instant, nullable=False),
    Column("form", String(20), nullable=False),
    Column("recorded_by", Uuid, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("withdrawn_by", Uuid),
    Column("withdrawn_at", Instant),
    Column("withdrawn_event", BigInteger),
    # By when all that rests on it must have stopped, outside of this service too.
    Column("stop_by", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file"),
    _open("consent", "agency, stop_by, id", "stop_by is not null"),
)

#: What the giver rests a referral on: consents, or the vital interest of who is referred.
referral_basis = Table(
    "referral_basis",
    METADATA,
    Column("referral", ForeignKey("referral.id"), primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # the giver
    Column("basis", String(20), nullable=False),
    Column("consents", Text, nullable=False),  # ids in hexadecimal, with commas between
    Column("override", String(20)),  # why without consents
    Column("decided_by", Uuid, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("reviewed_by", Uuid),
    Column("reviewed_at", Instant),
    Column("reviewed_event", BigInteger),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "agency", "basis", "reviewed_at"),
)

#: A data key on its way to the recipient of a referral; gone once it was taken.
key_share = Table(
    "key_share",
    METADATA,
    Column("referral", ForeignKey("referral.id"), primary_key=True),
    Column("record", Uuid, primary_key=True),
    Column("compartment", String(20), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("commitment", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

#: What the giver signs of a referral: what it gives, and nothing that changes later.
SIGNED_REFERRAL = (
    "id",
    "case_file",
    "giver",
    "recipient",
    "purpose",
    "compartments",
    "defenders",
    "sensitivity",
    "until",
    "event",
)

#: That a referral makes its recipient the lead of the case file: sealed by the giver, and signed.
lead_proposal = Table(
    "lead_proposal",
    METADATA,
    Column("referral", ForeignKey("referral.id"), primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("giver", ForeignKey("organisation.slug"), nullable=False),
    Column("recipient", ForeignKey("organisation.slug"), nullable=False),
    Column("event", BigInteger, nullable=False),  # of the referral
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file"),
)

#: That the recipient accepted to lead, and when it took the case file over: sealed by it, and
#: signed for the giver.
lead_acceptance = Table(
    "lead_acceptance",
    METADATA,
    Column("referral", ForeignKey("referral.id"), primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("giver", ForeignKey("organisation.slug"), nullable=False),
    Column("recipient", ForeignKey("organisation.slug"), nullable=False),
    Column("proposal", BigInteger, nullable=False),  # `event` of the referral
    Column("accepted_by", Uuid, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("taken_at", Instant),
    Column("taken_event", BigInteger),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file"),
)

#: What the giver hands over, as a digest of every row that it proved: sealed, and signed, so that
#: the recipient takes these rows for proven, and no others.
lead_handover = Table(
    "lead_handover",
    METADATA,
    Column("referral", ForeignKey("referral.id"), primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("giver", ForeignKey("organisation.slug"), nullable=False),
    Column("recipient", ForeignKey("organisation.slug"), nullable=False),
    Column("acceptance", BigInteger, nullable=False),  # `event` of the acceptance
    Column("digest", String(64), nullable=False),  # SHA-256, in hexadecimal
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file"),
)

#: The key of an attachment on its way to the agency that is to lead.
lead_share = Table(
    "lead_share",
    METADATA,
    Column("referral", ForeignKey("referral.id"), primary_key=True),
    Column("record", Uuid, primary_key=True),
    Column("compartment", String(20), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("commitment", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

#: A request to erase one record (`kind`: "defender" or "case_file"), and how it ended.
erasure = Table(
    "erasure",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("record", Uuid, nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("requested_by", ForeignKey("member.id"), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("reason", String(20), nullable=False),
    Column("approved_by", Uuid),
    Column("done_at", Instant),  # approved and done are one moment
    Column("withdrawn_by", Uuid),
    Column("withdrawn_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "record"),
    Index(None, "agency", "requested_at"),
    _open("erasure", "agency, requested_at, id", "done_at is null and withdrawn_at is null"),
)

#: What forbids to erase a record, and what belongs with it, until it is lifted or over.
legal_hold = Table(
    "legal_hold",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("record", Uuid, nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("placed_by", ForeignKey("member.id"), nullable=False),
    Column("placed_at", Instant, nullable=False),
    Column("reason", String(20), nullable=False),
    Column("until", Instant),
    Column("lifted_by", Uuid),
    Column("lifted_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "record"),
    Index(None, "agency", "placed_at"),
)

#: Who is tied to a reported adversary, and so kept out: a member or a partner, either of
#: one case file or, by the keyed tag of its name, of whatever an institution is reported in.
tie = Table(
    "tie",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("member", ForeignKey("member.id")),
    Column("partner", ForeignKey("organisation.slug")),
    Column("kind", String(20), nullable=False),
    Column("case_file", ForeignKey("case_file.id")),
    Column("tag", String(32)),
    Column("declared_by", ForeignKey("member.id"), nullable=False),
    Column("declared_at", Instant, nullable=False),
    Column("withdrawn_by", Uuid),
    Column("withdrawn_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "member"),
    Index(None, "partner", "agency"),
)

#: Keyed tags of the institutions that are reported as adversaries in a case file.
adversary_tag = Table(
    "adversary_tag",
    METADATA,
    Column("agency", ForeignKey("organisation.slug"), primary_key=True),
    Column("tag", String(32), primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), primary_key=True),
    Index(None, "case_file"),
)

#: What an assignee handed to a colleague for a while: compartments of one case file. It
#: lasts no longer than the giver's assignment, which it names.
delegation = Table(
    "delegation",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # of both
    Column("giver", ForeignKey("member.id"), nullable=False),
    Column("assignment", ForeignKey("assignment.id"), nullable=False),  # the giver's
    Column("receiver", ForeignKey("member.id"), nullable=False),
    Column("compartments", String(120), nullable=False),  # sorted, with commas between
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_by", Uuid),  # before its time
    Column("ended_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "receiver", "ends_at"),
    Index(None, "case_file"),
)

#: One emergency access: what somebody unlocked for four hours. Sealed by the member's
#: agency, and signed, since another one reviews it. While it waits for a second person
#: it has no begin, no end and no term of review.
break_glass = Table(
    "break_glass",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # the member's
    Column("lead_agency", ForeignKey("organisation.slug"), nullable=False),
    Column("member", ForeignKey("member.id"), nullable=False),
    Column("reason", String(30), nullable=False),
    Column("compartments", String(120), nullable=False),  # sorted, with commas between
    Column("asked_at", Instant, nullable=False),
    Column("approved_by", Uuid),  # where a second person was needed
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("ended_at", Instant),
    Column("review_by", Instant),
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "member", "ends_at"),
    Index(None, "starts_at"),
    Index(None, "agency", "review_by", "id"),
)

#: What another agency found about one; sealed by it, and signed for the first. Whoever
#: reads it proves it, so that a row written by hand closes nothing.
break_glass_review = Table(
    "break_glass_review",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("break_glass", ForeignKey("break_glass.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # the reviewer's
    Column("reviewer", ForeignKey("member.id"), nullable=False),
    Column("finding", String(20), nullable=False),
    Column("at", Instant, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "break_glass"),
)

#: Two persons who look at whereabouts together: one asks, a colleague agrees, one looks once.
look = Table(
    "look",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # of both persons
    Column("requested_by", ForeignKey("member.id"), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("approved_by", Uuid),
    Column("approved_for", String(20)),  # the purpose that the colleague declared
    Column("approved_at", Instant),
    Column("used_at", Instant),
    Column("expires_at", Instant, nullable=False),  # another moment once it is approved
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "expires_at"),
)

#: One step in the life of a case file: from one status to another.
step = Table(
    "step",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("was", String(12), nullable=False),
    Column("became", String(12), nullable=False),
    Column("member", ForeignKey("member.id"), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "taken_at"),
)

#: A request to close a case file, and how it ended. What was closed stays so until it is
#: reopened.
closing = Table(
    "closing",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("requested_by", ForeignKey("member.id"), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("reason", String(40), nullable=False),  # a code of closing_reasons
    Column("approved_by", Uuid),
    Column("closed_at", Instant),  # approved and closed are one moment
    Column("declined_by", Uuid),
    Column("declined_at", Instant),
    Column("reopened_by", Uuid),
    Column("reopened_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "requested_at"),
)

#: A version of an incident. A correction is another row; none ever changes.
incident = Table(
    "incident",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("incident", Uuid, nullable=False),  # of all its versions: the id of the first
    Column("version", Integer, nullable=False),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("author", ForeignKey("member.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),  # as far as it may stand in clear
    Column("happened_from", Date, nullable=False),
    Column("happened_to", Date, nullable=False),
    Column("province", String(2)),
    Column("adversaries", Text, nullable=False),  # ids in hexadecimal, with commas between
    Column("incident_account", SealedColumn, nullable=False),
    Column("incident_forms", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    UniqueConstraint("incident", "version"),
    Index(None, "case_file", "written_at"),
)

#: Who threatens, as somebody reported it.
adversary = Table(
    "adversary",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("author", ForeignKey("member.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("adversary_name", SealedColumn, nullable=False),
    Column("adversary_institution", SealedColumn, nullable=False),
    Column("adversary_unit", SealedColumn, nullable=False),
    Column("adversary_relation", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "written_at"),
)

#: How large somebody judged the risk to be; the newest one holds, and none ever changes.
assessment = Table(
    "assessment",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("author", ForeignKey("member.id"), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("likelihood", SmallInteger, nullable=False),  # 1 to 4, as the code lists say
    Column("impact", SmallInteger, nullable=False),
    Column("urgency", String(12), nullable=False),
    Column("risk_account", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "written_at"),
)

#: Protection first: what several leads of one agency grant together, and the plenary ratifies
#: afterwards or it lapses by itself. Where it stands is worked out from these moments.
emergency_protection = Table(
    "emergency_protection",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # that decides
    Column("ground", String(20), nullable=False),
    Column("quorum", SmallInteger, nullable=False),  # as it was set when it was proposed
    Column("requirements", String(400), nullable=False),  # codes, sorted, with commas between
    Column("proposed_by", ForeignKey("member.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("approve_by", Instant, nullable=False),
    Column("granted_at", Instant),  # by the last signature of the quorum
    Column("warn_from", Instant),
    Column("ratify_by", Instant),
    Column("decided_by", Uuid),  # who recorded what the plenary decided
    Column("decided_at", Instant),
    Column("decided_on", Date),
    Column("votes_for", SmallInteger),
    Column("votes_against", SmallInteger),
    Column("words", SealedColumn, nullable=False),  # why, under a data key of its own
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file"),
    Index(None, "agency", "ratify_by"),
)

#: Who signed an emergency protection; the first is who proposed it. Each lead signs once.
emergency_signature = Table(
    "emergency_signature",
    METADATA,
    Column("emergency", ForeignKey("emergency_protection.id"), primary_key=True),
    Column("member", ForeignKey("member.id"), primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("signed_for", String(20), nullable=False),  # the purpose that was declared
    Column("signed_at", Instant, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

#: A measure of one agency for the people of a case file. What may not stand in clear is
#: sealed under a data key of its own (record: its id), of the agency that provides it.
measure = Table(
    "measure",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("kind", String(40), nullable=False),  # as it may stand in clear
    Column("emergency", ForeignKey("emergency_protection.id")),  # with which it stands and falls
    Column("requested_by", ForeignKey("member.id"), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("approved_by", Uuid),
    Column("approved_at", Instant),
    Column("started_at", Instant),
    Column("ended_by", Uuid),
    Column("ended_at", Instant),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),  # the last day
    Column("due_at", Instant, nullable=False),  # its begin, then its end by itself
    Column("revision", Integer, nullable=False),
    Column("true_kind", SealedColumn, nullable=False),
    Column("provider", SealedColumn, nullable=False),
    Column("cost", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "requested_at"),
    Index(None, "agency", "due_at"),
    Index(None, "emergency"),
)

#: A paper or step that may come after an emergency protection was granted, until a moment.
requirement = Table(
    "requirement",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("emergency", ForeignKey("emergency_protection.id"), nullable=False),
    Column("code", String(40), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("met_by", Uuid),
    Column("met_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "emergency"),
    Index(None, "agency", "due_at"),
)

#: A step of the joint plan, which every agency reads to which the case file was referred; the
#: words are sealed as a note's.
plan_step = Table(
    "plan_step",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # that wrote it
    Column("owner", ForeignKey("organisation.slug"), nullable=False),  # that is to do it
    Column("due_on", Date, nullable=False),  # the last day
    Column("due_at", Instant, nullable=False),  # the end of that day
    Column("added_by", ForeignKey("member.id"), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("what", SealedColumn, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "case_file", "due_at"),
    Index(None, "owner", "due_at"),
)

#: That a step was done: said, sealed and signed by the agency that was to do it.
plan_step_done = Table(
    "plan_step_done",
    METADATA,
    Column("plan_step", ForeignKey("plan_step.id"), primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), primary_key=True),
    Column("completed_by", ForeignKey("member.id"), nullable=False),
    Column("completed_at", Instant, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

#: How far the import of one file came: the keyed digests of file and mapping, and the number
#: of the last row that is done. It holds nothing of the file.
import_run = Table(
    "import_run",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("file", String(64), nullable=False),
    Column("mapping", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("through", Integer, nullable=False),
    Column("written", Integer, nullable=False),
    Column("member", ForeignKey("member.id"), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    UniqueConstraint("agency", "file"),
)

#: One agency asks another whether it knows a person, too. The identifiers are sealed to the
#: recipient, always as many bytes; it empties them when it has looked.
match_request = Table(
    "match_request",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("asker", ForeignKey("organisation.slug"), nullable=False),
    Column("recipient", ForeignKey("organisation.slug"), nullable=False),
    Column("case_file", ForeignKey("case_file.id"), nullable=False),  # the asker's, as all below
    Column("defender", ForeignKey("defender.id"), nullable=False),
    Column("asked_by", ForeignKey("member.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("reason", String(30), nullable=False),
    Column("until", Instant, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "asker", "asked_at"),
    Index(None, "recipient", "until"),
    Index(None, "defender"),
    Index(None, "case_file"),
)

#: What the recipient found for a request: one row each, and a result as long, whether it knows
#: somebody or not. It names no record in clear.
match_hit = Table(
    "match_hit",
    METADATA,
    Column("request", Uuid, primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # the recipient
    Column("asker", ForeignKey("organisation.slug"), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("reason", String(30), nullable=False),
    Column("looked_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("result", String(256), nullable=False),  # sealed by the recipient to itself, in hex
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "agency", "until"),
    Index(None, "agency", "asker", "looked_at"),
)

#: That two agencies know the same person, as the one that was asked confirmed it: a row of
#: each, of its own defender. The asker's repeats the other's signature.
linked_record = Table(
    "linked_record",
    METADATA,
    Column("request", Uuid, primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), primary_key=True),
    Column("peer", ForeignKey("organisation.slug"), nullable=False),
    Column("defender", ForeignKey("defender.id"), nullable=False),
    Column("confirmed_at", Instant, nullable=False),
    Column("confirmation", BigInteger, nullable=False),  # the intent of who confirmed
    Column("event", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),  # of who confirmed
    Column("seal", LargeBinary, nullable=False),
    Index(None, "peer"),
    Index(None, "defender"),
)

#: That two records of one agency are of the same person. Nothing is moved: both stay as they are,
#: sealed each under its own keys, and this says which one is kept.
defender_merge = Table(
    "defender_merge",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),
    Column("kept", ForeignKey("defender.id"), nullable=False),
    Column("duplicate", ForeignKey("defender.id"), nullable=False),
    Column("requested_by", ForeignKey("member.id"), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("approved_by", Uuid),
    Column("merged_at", Instant),  # approved and merged are one moment
    Column("undo_until", Instant),  # as it was set then
    Column("undone_by", Uuid),
    Column("undone_at", Instant),
    Column("event", BigInteger, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Index(None, "kept"),
    Index(None, "duplicate"),
    Index(None, "agency", "requested_at", "id"),
)

#: What the asker signs of a request, with the sealed identifiers.
SIGNED_MATCH_REQUEST = (
    "id",
    "asker",
    "recipient",
    "case_file",
    "defender",
    "asked_at",
    "purpose",
    "reason",
    "until",
    "event",
)

#: A rotation of one kind of key, from its begin to its end; a second run goes on with it.
key_rotation = Table(
    "key_rotation",
    METADATA,
    Column("owner", ForeignKey("organisation.slug"), primary_key=True),
    Column("kind", String(10), primary_key=True),  # "kek", "idx" or "data"
    Column("number", Integer, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
)

#: Which version of each key a running process makes new wraps and tags under.
key_use = Table(
    "key_use",
    METADATA,
    Column("process", Uuid, primary_key=True),
    Column("owner", ForeignKey("organisation.slug"), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

#: The lowest version that still exists; triggers refuse rows under a lower one.
key_floor = Table(
    "key_floor",
    METADATA,
    Column("owner", ForeignKey("organisation.slug"), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("version", Integer, nullable=False),
)

#: Policies that were adopted, one a row. There is no seal: each row has the signatures of two
#: persons over every column (api/casework/FORMAT.md).
policy = Table(
    "policy",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("texts", Text, nullable=False),
)

#: A DPoP proof that was used, for some minutes: for all processes, so that none takes it again. So
#: are the sign-ins of browsers, and their sessions, until these would have ended anyway.
used_proof = Table(
    "used_proof",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("used_at", Instant, nullable=False),
    Index(None, "used_at"),
)

#: A change that a client named by a key, for a day: keyed digests, and what `sealed` holds is under
#: a key of the organisation. No seal over rows: none of them gives or shows a right.
idempotency_key = Table(
    "idempotency_key",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("claimed_at", Instant, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "claimed_at"),
)

#: That a deadline comes soon or has passed, once for each; ids, codes and moments alone, and no
#: seal: it gives nothing, and whom it is told to is decided then.
alert = Table(
    "alert",
    METADATA,
    Column("id", Uuid, primary_key=True),
    # Grows with each commit, so that who has read up to one missed none before it.
    Column("number", BigInteger, nullable=False, unique=True),
    Column("agency", ForeignKey("organisation.slug"), nullable=False),  # who has to act
    Column("case_file", ForeignKey("case_file.id"), nullable=False),
    Column("record", Uuid, nullable=False),
    Column("member", Uuid),  # whose it is
    Column("clock", String(40), nullable=False),
    Column("kind", String(10), nullable=False),
    # The moment in the record from which the clock runs: with another one it is another
    # deadline. With another length of the clock it is not.
    Column("counted_from", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("made_at", Instant, nullable=False),
    # Of the agency's webhook, if it has one.
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Instant, nullable=False),
    Column("delivered_at", Instant),
    UniqueConstraint("agency", "record", "clock", "kind", "counted_from"),
    Index(None, "agency", "number"),
    Index(
        "ix_alert_open",
        "agency",
        "next_at",
        sqlite_where=text("delivered_at is null"),
        postgresql_where=text("delivered_at is null"),
    ),
)

#: Table -> the columns its seal covers, in the order in which they are sealed.
#: Of a case file only what the policy decides on: the rest changes with the work.
RIGHTS: dict[str, tuple[str, ...]] = {
    # These three give no right, but say who recorded what, and when.
    "adversary": ("id", "case_file", "author", "written_at", "kind", "event"),
    "assessment": (
        "id",
        "case_file",
        "author",
        "written_at",
        "likelihood",
        "impact",
        "urgency",
        "event",
    ),
    "incident": (
        "id",
        "incident",
        "version",
        "case_file",
        "author",
        "written_at",
        "kind",
        "happened_from",
        "happened_to",
        "province",
        "adversaries",
        "event",
    ),
    "assignment": (
        "id",
        "case_file",
        "member",
        "agency",
        "assigned_by",
        "starts_at",
        "ends_at",
        "ended_at",
        "event",
    ),
    # Gives no right, but says whose it is, who added it, and when.
    "attachment": ("id", "case_file", "author", "written_at", "chunks", "event"),
    # The agency signs the same columns, for who reviews.
    "break_glass": (
        "id",
        "case_file",
        "agency",
        "lead_agency",
        "member",
        "reason",
        "compartments",
        "asked_at",
        "approved_by",
        "starts_at",
        "ends_at",
        "ended_at",
        "review_by",
        "event",
    ),
    "break_glass_review": (
        "id",
        "break_glass",
        "agency",
        "reviewer",
        "finding",
        "at",
        "event",
    ),
    "case_file": ("id", "lead_agency", "sensitivity", "event"),
    "case_file_defender": ("case_file", "defender", "position", "event"),
    "consent": (
        "id",
        "defender",
        "case_file",
        "agency",
        "recipient",
        "compartments",
        "purpose",
        "until",
        "form",
        "recorded_by",
        "recorded_at",
        "withdrawn_by",
        "withdrawn_at",
        "withdrawn_event",
        "stop_by",
        "event",
    ),
    "closing": (
        "id",
        "case_file",
        "agency",
        "requested_by",
        "requested_at",
        "reason",
        "approved_by",
        "closed_at",
        "declined_by",
        "declined_at",
        "reopened_by",
        "reopened_at",
        "event",
    ),
    # Gives no right, but keeps the duplicate from being changed, and folds what is found.
    "defender_merge": (
        "id",
        "agency",
        "kept",
        "duplicate",
        "requested_by",
        "requested_at",
        "approved_by",
        "merged_at",
        "undo_until",
        "undone_by",
        "undone_at",
        "event",
    ),
    "delegation": (
        "id",
        "case_file",
        "agency",
        "giver",
        "assignment",
        "receiver",
        "compartments",
        "starts_at",
        "ends_at",
        "ended_by",
        "ended_at",
        "event",
    ),
    # The agency signs the same columns, for the others that work on the case file.
    "emergency_protection": (
        "id",
        "case_file",
        "agency",
        "ground",
        "quorum",
        "requirements",
        "proposed_by",
        "proposed_at",
        "approve_by",
        "granted_at",
        "warn_from",
        "ratify_by",
        "decided_by",
        "decided_at",
        "decided_on",
        "votes_for",
        "votes_against",
        "event",
    ),
    # Counts for the quorum.
    "emergency_signature": (
        "emergency",
        "member",
        "agency",
        "signed_for",
        "signed_at",
        "event",
    ),
    "erasure": (
        "id",
        "kind",
        "record",
        "agency",
        "requested_by",
        "requested_at",
        "reason",
        "approved_by",
        "done_at",
        "withdrawn_by",
        "withdrawn_at",
        "event",
    ),
    # Gives no right, but says which rows of a file are there.
    "import_run": (
        "id",
        "agency",
        "file",
        "mapping",
        "rows",
        "through",
        "written",
        "member",
        "started_at",
        "finished_at",
        "event",
    ),
    # The recipient signs the same columns, for the giver.
    "lead_acceptance": (
        "referral",
        "case_file",
        "giver",
        "recipient",
        "proposal",
        "accepted_by",
        "event",
        "taken_at",
        "taken_event",
    ),
    # The giver signs the same columns of these two, for the recipient.
    "lead_handover": (
        "referral",
        "case_file",
        "giver",
        "recipient",
        "acceptance",
        "digest",
        "event",
    ),
    "lead_proposal": ("referral", "case_file", "giver", "recipient", "event"),
    "legal_hold": (
        "id",
        "kind",
        "record",
        "agency",
        "placed_by",
        "placed_at",
        "reason",
        "until",
        "lifted_by",
        "lifted_at",
        "event",
    ),
    # Gives no right, but says whom another agency knows, too.
    "linked_record": (
        "request",
        "agency",
        "peer",
        "defender",
        "confirmed_at",
        "confirmation",
        "event",
    ),
    "look": (
        "id",
        "case_file",
        "agency",
        "requested_by",
        "requested_at",
        "approved_by",
        "approved_for",
        "approved_at",
        "used_at",
        "expires_at",
        "event",
    ),
    # Signed, too, as all that other agencies read of protection.
    "measure": (
        "id",
        "case_file",
        "agency",
        "kind",
        "emergency",
        "requested_by",
        "requested_at",
        "approved_by",
        "approved_at",
        "started_at",
        "ended_by",
        "ended_at",
        "starts_on",
        "ends_on",
        "due_at",
        "revision",
        "event",
    ),
    # Gives no right, but shows a supervisor whom another agency looks for.
    "match_hit": (
        "request",
        "agency",
        "asker",
        "purpose",
        "reason",
        "looked_at",
        "until",
        "result",
        "event",
    ),
    "match_request": (*SIGNED_MATCH_REQUEST, "asked_by"),
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
    "plan_step": (
        "id",
        "case_file",
        "agency",
        "owner",
        "due_on",
        "due_at",
        "added_by",
        "added_at",
        "event",
    ),
    "plan_step_done": ("plan_step", "agency", "completed_by", "completed_at", "event"),
    # Gives no right, but says who gave it for which change.
    "reason": ("id", "case_file", "record", "author", "written_at", "event"),
    "referral": (*SIGNED_REFERRAL, "proposed_by", "ended_at", "ended_event", "renewed_event"),
    "referral_basis": (
        "referral",
        "agency",
        "basis",
        "consents",
        "override",
        "decided_by",
        "decided_at",
        "reviewed_by",
        "reviewed_at",
        "reviewed_event",
        "event",
    ),
    # The recipient signs the same columns, for the giver.
    "referral_decline": ("referral", "agency", "reason", "event"),
    # The recipient signs the same columns, for the giver.
    "referral_right": (
        "referral",
        "case_file",
        "giver",
        "recipient",
        "purpose",
        "compartments",
        "defenders",
        "sensitivity",
        "until",
        "proposal",
        "answer",
        "answered_by",
        "event",
        "ended_at",
        "ended_event",
    ),
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
    "requirement": (
        "id",
        "case_file",
        "agency",
        "emergency",
        "code",
        "due_at",
        "met_by",
        "met_at",
        "event",
    ),
    # Gives no right, but says who took it, and when.
    "step": ("id", "case_file", "was", "became", "member", "taken_at", "event"),
    "tie": (
        "id",
        "agency",
        "member",
        "partner",
        "kind",
        "case_file",
        "tag",
        "declared_by",
        "declared_at",
        "withdrawn_by",
        "withdrawn_at",
        "event",
    ),
    # Gives no right, but says who asked the questions, and what they came to.
    "triage": ("id", "case_file", "author", "written_at", "proposed", "lowered", "event"),
    "trusted_key": ("owner", "peer", "kind", "key", "event"),
}
