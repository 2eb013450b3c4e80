"""Erasure by two persons, and legal holds."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

#: Table -> what the service's role may do from here on, beside what it could before.
GRANTS = {
    "erasure": (
        "select, insert, update (approved_by, done_at, withdrawn_by, withdrawn_at, event, seal)"
    ),
    "legal_hold": "select, insert, update (lifted_by, lifted_at, event, seal)",
    # An erasure takes the keys and the attachments away and empties what else was sealed.
    "attachment": "delete",
    "attachment_chunk": "delete",
    "data_key": "delete",
    "manifest": "delete",
    "case_file": "update (account, sexual_violence_forms, erased_at)",
    "defender": "update (categories, erased_at)",
    "note": "update (body)",
}


def upgrade() -> None:
    """Make the tables, and the mark of an erased record."""
    for table in ("case_file", "defender"):
        op.add_column(table, sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
        few = sa.text("erased_at is not null")
        op.create_index(
            op.f(f"ix_{table}_erased_at"),
            table,
            ["erased_at"],
            unique=False,
            sqlite_where=few,
            postgresql_where=few,
        )
    op.create_table(
        "erasure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["organisation.slug"], name=op.f("fk_erasure_agency_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["member.id"], name=op.f("fk_erasure_requested_by_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["organisation.slug"], name=op.f("fk_legal_hold_agency_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["placed_by"], ["member.id"], name=op.f("fk_legal_hold_placed_by_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    for table, moment in (("erasure", "requested_at"), ("legal_hold", "placed_at")):
        op.create_index(op.f(f"ix_{table}_record"), table, ["record"], unique=False)
        op.create_index(
            op.f(f"ix_{table}_agency_{moment}"), table, ["agency", moment], unique=False
        )
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")
