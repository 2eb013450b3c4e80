"""The records: organisations, members, case files, defenders, rights, keys, releases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

#: Columns of a defender that a change seals anew.
SEALED = (
    "full_name",
    "aliases",
    "nik",
    "family_card",
    "date_of_birth",
    "gender",
    "nationality",
    "sealed_categories",
    "phones",
    "emails",
    "home_address",
    "present_location",
)

#: Table -> what the service's role may change, beside reading and inserting. It may
#: never take a record away; tags go when a value changes.
CHANGES = {
    "organisation": "update (references_given)",
    # FOR UPDATE takes the lock of a change, and needs this much.
    "case_file": "update (revision)",
    "defender": f"update ({', '.join(SEALED)}, revision)",
    "assignment": "update (ended_at, event, seal)",
    "member": "update (disabled_at, event, seal)",
    "release": "update (revoked_at, event, seal)",
    "defender_tag": "delete",
}

TABLES = (
    "organisation",
    "owner_secret",
    "data_key",
    "member",
    "case_file",
    "defender",
    "case_file_defender",
    "assignment",
    "defender_tag",
    "note",
    "release",
    "release_origin",
)


def _grant() -> None:
    """Give the service's role what it needs; SQLite has no roles."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("grant select on alembic_records to perisai_service")
    for table in TABLES:
        op.execute(f"grant select, insert on {table} to perisai_service")
        if table in CHANGES:
            op.execute(f"grant {CHANGES[table]} on {table} to perisai_service")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "organisation",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("reference_prefix", sa.String(length=8), nullable=True),
        sa.Column("references_given", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_organisation")),
    )
    op.create_table(
        "case_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("lead_agency", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("sensitivity", sa.SmallInteger(), nullable=False),
        sa.Column("province", sa.String(length=2), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("respond_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("incident_kinds", sa.JSON(), nullable=False),
        sa.Column("adversary_kinds", sa.JSON(), nullable=False),
        sa.Column("measure_kinds", sa.JSON(), nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("sexual_violence_forms", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_agency"],
            ["organisation.slug"],
            name=op.f("fk_case_file_lead_agency_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("reference", name=op.f("uq_case_file_reference")),
    )
    op.create_index(
        op.f("ix_case_file_lead_agency_opened_on_id"),
        "case_file",
        ["lead_agency", "opened_on", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_case_file_lead_agency_reference_id"),
        "case_file",
        ["lead_agency", "reference", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_case_file_lead_agency_status_opened_on_id"),
        "case_file",
        ["lead_agency", "status", "opened_on", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_case_file_lead_agency_urgency_id"),
        "case_file",
        ["lead_agency", "urgency", "id"],
        unique=False,
    )
    op.create_table(
        "data_key",
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("compartment", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner"], ["organisation.slug"], name=op.f("fk_data_key_owner_organisation")
        ),
        sa.PrimaryKeyConstraint(
            "record", "compartment", "version", "owner", name=op.f("pk_data_key")
        ),
    )
    op.create_table(
        "defender",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("full_name", sa.LargeBinary(), nullable=False),
        sa.Column("aliases", sa.LargeBinary(), nullable=False),
        sa.Column("nik", sa.LargeBinary(), nullable=False),
        sa.Column("family_card", sa.LargeBinary(), nullable=False),
        sa.Column("date_of_birth", sa.LargeBinary(), nullable=False),
        sa.Column("gender", sa.LargeBinary(), nullable=False),
        sa.Column("nationality", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_categories", sa.LargeBinary(), nullable=False),
        sa.Column("phones", sa.LargeBinary(), nullable=False),
        sa.Column("emails", sa.LargeBinary(), nullable=False),
        sa.Column("home_address", sa.LargeBinary(), nullable=False),
        sa.Column("present_location", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["organisation.slug"], name=op.f("fk_defender_agency_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_defender")),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=30), nullable=False),
        sa.Column("clearance", sa.SmallInteger(), nullable=False),
        sa.Column("trained", sa.SmallInteger(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"],
            ["organisation.slug"],
            name=op.f("fk_member_organisation_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("organisation", "subject", name=op.f("uq_member_organisation_subject")),
    )
    op.create_table(
        "owner_secret",
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner"], ["organisation.slug"], name=op.f("fk_owner_secret_owner_organisation")
        ),
        sa.PrimaryKeyConstraint("owner", "kind", "version", name=op.f("pk_owner_secret")),
    )
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("profile", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["organisation.slug"], name=op.f("fk_release_agency_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["partner"], ["organisation.slug"], name=op.f("fk_release_partner_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
    )
    op.create_index(
        op.f("ix_release_partner_until_id"), "release", ["partner", "until", "id"], unique=False
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("assigned_by", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_assignment_case_file_case_file")
        ),
        sa.ForeignKeyConstraint(
            ["member"], ["member.id"], name=op.f("fk_assignment_member_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index(
        op.f("ix_assignment_case_file_member"), "assignment", ["case_file", "member"], unique=False
    )
    op.create_index(
        op.f("ix_assignment_member_case_file"), "assignment", ["member", "case_file"], unique=False
    )
    op.create_table(
        "case_file_defender",
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("defender", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_case_file_defender_case_file_case_file")
        ),
        sa.ForeignKeyConstraint(
            ["defender"], ["defender.id"], name=op.f("fk_case_file_defender_defender_defender")
        ),
        sa.PrimaryKeyConstraint("case_file", "defender", name=op.f("pk_case_file_defender")),
    )
    op.create_index(
        op.f("ix_case_file_defender_defender_case_file"),
        "case_file_defender",
        ["defender", "case_file"],
        unique=False,
    )
    op.create_table(
        "defender_tag",
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("defender", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["organisation.slug"], name=op.f("fk_defender_tag_agency_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["defender"], ["defender.id"], name=op.f("fk_defender_tag_defender_defender")
        ),
        sa.PrimaryKeyConstraint("agency", "field", "tag", "defender", name=op.f("pk_defender_tag")),
    )
    op.create_index(op.f("ix_defender_tag_defender"), "defender_tag", ["defender"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["author"], ["member.id"], name=op.f("fk_note_author_member")),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_note_case_file_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(
        op.f("ix_note_case_file_written_at"), "note", ["case_file", "written_at"], unique=False
    )
    op.create_table(
        "release_origin",
        sa.Column("release", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_release_origin_case_file_case_file")
        ),
        sa.ForeignKeyConstraint(
            ["release"], ["release.id"], name=op.f("fk_release_origin_release_release")
        ),
        sa.PrimaryKeyConstraint("release", name=op.f("pk_release_origin")),
    )
    op.create_index(
        op.f("ix_release_origin_case_file"), "release_origin", ["case_file"], unique=False
    )
    _grant()
