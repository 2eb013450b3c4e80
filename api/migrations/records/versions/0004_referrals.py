"""Referrals between agencies, and the keys that they share."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

#: Table -> what the service's role may do with it. A referral is never taken away.
GRANTS = {
    "public_key": "select, insert",
    "trusted_key": "select, insert, delete",
    "referral": "select, insert, update (ended_at, ended_event, renewed_event, seal)",
    "referral_right": (
        "select, insert, update (ended_at, ended_event, closed_at, signature, seal)"
    ),
    "key_share": "select, insert, delete",
    # A key that was exchanged, or whose sharing ended, goes with all its wraps.
    "data_key": "delete",
    # What is sealed under it is sealed anew.
    "case_file": "update (account, sexual_violence_forms)",
    "note": "update (body)",
}


def upgrade() -> None:
    """Make the tables; an assignment says whose need to know it is."""
    op.add_column(
        "assignment",
        sa.Column("agency", sa.String(length=40), nullable=False, server_default=""),
    )
    op.create_table(
        "public_key",
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner"], ["organisation.slug"], name=op.f("fk_public_key_owner_organisation")
        ),
        sa.PrimaryKeyConstraint("owner", "kind", "version", name=op.f("pk_public_key")),
    )
    op.create_table(
        "trusted_key",
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner"], ["organisation.slug"], name=op.f("fk_trusted_key_owner_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["peer"], ["organisation.slug"], name=op.f("fk_trusted_key_peer_organisation")
        ),
        sa.PrimaryKeyConstraint("owner", "peer", "kind", name=op.f("pk_trusted_key")),
    )
    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_what_is_referred(),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_event", sa.BigInteger(), nullable=True),
        sa.Column("renewed_event", sa.BigInteger(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *_whose("referral"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    op.create_index(op.f("ix_referral_giver_renewed_event"), "referral", ["giver", "renewed_event"])
    op.create_index(op.f("ix_referral_recipient"), "referral", ["recipient"])
    op.create_index(op.f("ix_referral_case_file"), "referral", ["case_file"])
    op.create_table(
        "referral_right",
        sa.Column("referral", sa.Uuid(), nullable=False),
        *_what_is_referred(),
        sa.Column("proposal", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.String(length=12), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_event", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *_whose("referral_right"),
        sa.ForeignKeyConstraint(
            ["referral"], ["referral.id"], name=op.f("fk_referral_right_referral_referral")
        ),
        sa.PrimaryKeyConstraint("referral", name=op.f("pk_referral_right")),
    )
    op.create_index(
        op.f("ix_referral_right_recipient_case_file"), "referral_right", ["recipient", "case_file"]
    )
    op.create_table(
        "key_share",
        sa.Column("referral", sa.Uuid(), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("compartment", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral"], ["referral.id"], name=op.f("fk_key_share_referral_referral")
        ),
        sa.PrimaryKeyConstraint(
            "referral", "record", "compartment", "version", name=op.f("pk_key_share")
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")


def _what_is_referred() -> tuple[sa.Column[object], ...]:
    """Make the columns that both sides have; new ones for each table."""
    return (
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("giver", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("compartments", sa.String(length=120), nullable=False),
        sa.Column("defenders", sa.Text(), nullable=False),
        sa.Column("sensitivity", sa.SmallInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )


def _whose(table: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    return (
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f(f"fk_{table}_case_file_case_file")
        ),
        sa.ForeignKeyConstraint(
            ["giver"], ["organisation.slug"], name=op.f(f"fk_{table}_giver_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["recipient"], ["organisation.slug"], name=op.f(f"fk_{table}_recipient_organisation")
        ),
    )
