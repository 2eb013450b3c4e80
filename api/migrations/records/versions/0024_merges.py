"""Merges of two records of one person within an agency."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

#: Table -> what the service's role may do.
GRANTS = {
    "defender_merge": "select, insert, delete, update (approved_by, merged_at, undo_until, "
    "undone_by, undone_at, event, seal)",
}


def upgrade() -> None:
    """Make the table."""
    table = "defender_merge"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("kept", sa.Uuid(), nullable=False),
        sa.Column("duplicate", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{there}.{key}"], name=op.f(f"fk_{table}_{column}_{there}")
            )
            for column, there, key in (
                ("agency", "organisation", "slug"),
                ("kept", "defender", "id"),
                ("duplicate", "defender", "id"),
                ("requested_by", "member", "id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for columns in (["kept"], ["duplicate"], ["agency", "requested_at", "id"]):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    if op.get_bind().dialect.name == "postgresql":
        for name, what in GRANTS.items():
            op.execute(f"grant {what} on {name} to perisai_service")
