"""What was answered at the door, sealed; and an index for counting case files by month."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

#: Table -> what the service's role may do from here on, beside what it could before.
GRANTS = {"triage": "select, insert, update (answers), delete"}


def upgrade() -> None:
    """Make the table, and the index."""
    op.create_table(
        "triage",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed", sa.String(length=12), nullable=False),
        sa.Column("lowered", sa.String(length=20), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["author"], ["member.id"], name=op.f("fk_triage_author_member")),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_triage_case_file_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triage")),
        sa.UniqueConstraint("case_file", name=op.f("uq_triage_case_file")),
    )
    op.create_index(
        op.f("ix_case_file_erased_at_opened_on_province_urgency_lead_agency"),
        "case_file",
        ["erased_at", "opened_on", "province", "urgency", "lead_agency"],
        unique=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")
