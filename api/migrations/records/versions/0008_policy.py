"""Policies that were adopted: the service reads them, `perisai policy adopt` adds one.

Nothing keeps the database's owner from writing here. A row counts only with the
signatures of two persons over all of it, so the database need not be trusted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table; without a row the policy that is shipped stands."""
    op.create_table(
        "policy",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("grant select, insert on policy to perisai_service")
