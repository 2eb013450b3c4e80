"""Reasons in words, sealed with the case file; the log holds a commitment to each."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

#: Table -> what the service's role may do from here on, beside what it could before.
GRANTS = {"reason": "select, insert, update (text, opening), delete"}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "reason",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("opening", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["author"], ["member.id"], name=op.f("fk_reason_author_member")),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_reason_case_file_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reason")),
    )
    op.create_index(
        op.f("ix_reason_case_file_written_at"), "reason", ["case_file", "written_at"], unique=False
    )
    op.create_index(op.f("ix_reason_record"), "reason", ["record"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")
