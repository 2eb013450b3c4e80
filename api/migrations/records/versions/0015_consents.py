"""Consents, what a referral rests on, and why one was declined."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

#: Table -> what the service's role may do.
GRANTS = {
    "consent": (
        "select, insert, update (withdrawn_by, withdrawn_at, withdrawn_event, stop_by, seal)"
    ),
    "referral_basis": ("select, insert, update (reviewed_by, reviewed_at, reviewed_event, seal)"),
    "referral_decline": "select, insert",
    "release": "update (stopped_at)",
}

#: Table, column, the table to whose rows it points.
_POINTS = (
    ("consent", "defender", "defender.id"),
    ("consent", "case_file", "case_file.id"),
    ("consent", "agency", "organisation.slug"),
    ("consent", "recipient", "organisation.slug"),
    ("referral_basis", "referral", "referral.id"),
    ("referral_basis", "agency", "organisation.slug"),
    ("referral_decline", "referral", "referral.id"),
    ("referral_decline", "agency", "organisation.slug"),
)


def upgrade() -> None:
    """Make the tables; a release says since when a withdrawn consent closes it."""
    op.add_column("release", sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("defender", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=True),
        sa.Column("compartments", sa.String(length=120), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("form", sa.String(length=20), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_event", sa.BigInteger(), nullable=True),
        sa.Column("stop_by", sa.DateTime(timezone=True), nullable=True),
        *_sealed("consent"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_case_file"), "consent", ["case_file"])
    op.create_table(
        "referral_basis",
        sa.Column("referral", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("consents", sa.Text(), nullable=False),
        sa.Column("override", sa.String(length=20), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_event", sa.BigInteger(), nullable=True),
        *_sealed("referral_basis"),
        sa.PrimaryKeyConstraint("referral", name=op.f("pk_referral_basis")),
    )
    op.create_index(
        op.f("ix_referral_basis_agency_basis_reviewed_at"),
        "referral_basis",
        ["agency", "basis", "reviewed_at"],
    )
    op.create_table(
        "referral_decline",
        sa.Column("referral", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        *_sealed("referral_decline"),
        sa.PrimaryKeyConstraint("referral", name=op.f("pk_referral_decline")),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")


def _sealed(table: str) -> tuple[sa.Column[object] | sa.ForeignKeyConstraint, ...]:
    """Make event and seal, and say to which rows the columns of *table* point."""
    return (
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [there], name=op.f(f"fk_{of}_{column}_{there.split('.')[0]}")
            )
            for of, column, there in _POINTS
            if of == table
        ),
    )
