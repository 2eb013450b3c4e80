"""Delegations: what an assignee handed to a colleague for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

#: Table -> what the service's role may do. Of one nothing changes but its end.
GRANTS = {"delegation": "select, insert, update (ended_by, ended_at, event, seal)"}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "delegation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("giver", sa.Uuid(), nullable=False),
        sa.Column("assignment", sa.Uuid(), nullable=False),
        sa.Column("receiver", sa.Uuid(), nullable=False),
        sa.Column("compartments", sa.String(length=120), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [there], name=op.f(f"fk_delegation_{column}_{table}"))
            for column, there, table in (
                ("case_file", "case_file.id", "case_file"),
                ("agency", "organisation.slug", "organisation"),
                ("giver", "member.id", "member"),
                ("assignment", "assignment.id", "assignment"),
                ("receiver", "member.id", "member"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    for columns in (["receiver", "ends_at"], ["case_file"]):
        name = op.f(f"ix_delegation_{'_'.join(columns)}")
        op.create_index(name, "delegation", columns, unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")
