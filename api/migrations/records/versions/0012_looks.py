"""Looks: two persons who look at whereabouts together."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

#: Table -> what the service's role may do.
GRANTS = {
    "look": (
        "select, insert, update "
        "(approved_by, approved_for, approved_at, used_at, expires_at, event, seal)"
    ),
}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "look",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_for", sa.String(length=20), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [there], name=op.f(f"fk_look_{column}_{table}"))
            for column, there, table in (
                ("case_file", "case_file.id", "case_file"),
                ("agency", "organisation.slug", "organisation"),
                ("requested_by", "member.id", "member"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look")),
    )
    op.create_index(op.f("ix_look_case_file_expires_at"), "look", ["case_file", "expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")
