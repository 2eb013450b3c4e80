"""Attachments: sealed files of a case file, in chunks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

#: Table -> what the service's role may change, beside reading and inserting: the sealed
#: columns, for a new data key. It may take nothing away.
CHANGES = {
    "attachment": "name, media_type, size",
    "attachment_chunk": "data",
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author"], ["member.id"], name=op.f("fk_attachment_author_member")
        ),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_attachment_case_file_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(
        op.f("ix_attachment_case_file_written_at"),
        "attachment",
        ["case_file", "written_at"],
        unique=False,
    )
    op.create_table(
        "attachment_chunk",
        sa.Column("attachment", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment"],
            ["attachment.id"],
            name=op.f("fk_attachment_chunk_attachment_attachment"),
        ),
        sa.PrimaryKeyConstraint("attachment", "position", name=op.f("pk_attachment_chunk")),
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    # Sealed bytes do not compress: trying costs time and gains nothing.
    op.execute("alter table attachment_chunk alter column data set storage external")
    for table, columns in CHANGES.items():
        op.execute(f"grant select, insert, update ({columns}) on {table} to perisai_service")
