"""Break-glass: emergency accesses, and what other agencies found about them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

#: Table -> what the service's role may do. A review is never changed.
GRANTS = {
    "break_glass": (
        "select, insert, update "
        "(approved_by, starts_at, ends_at, ended_at, review_by, event, signature, seal)"
    ),
    "break_glass_review": "select, insert",
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "break_glass",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("lead_agency", sa.String(length=40), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("compartments", sa.String(length=120), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        _foreign("break_glass", "case_file", "case_file.id"),
        _foreign("break_glass", "agency", "organisation.slug"),
        _foreign("break_glass", "lead_agency", "organisation.slug"),
        _foreign("break_glass", "member", "member.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_table(
        "break_glass_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("break_glass", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("reviewer", sa.Uuid(), nullable=False),
        sa.Column("finding", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        _foreign("break_glass_review", "break_glass", "break_glass.id"),
        _foreign("break_glass_review", "agency", "organisation.slug"),
        _foreign("break_glass_review", "reviewer", "member.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass_review")),
    )
    for table, columns in (
        ("break_glass", ["member", "ends_at"]),
        ("break_glass", ["starts_at"]),
        ("break_glass_review", ["break_glass"]),
    ):
        name = op.f(f"ix_{table}_{'_'.join(columns)}")
        op.create_index(name, table, columns, unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")


def _foreign(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{of.split('.')[0]}")
    return sa.ForeignKeyConstraint([column], [of], name=name)
