"""DPoP proofs that were used: no process of the service takes one a second time."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table; its rows are taken away by the first proof some minutes later."""
    op.create_table(
        "used_proof",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_proof")),
    )
    op.create_index(op.f("ix_used_proof_used_at"), "used_proof", ["used_at"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("grant select, insert, delete on used_proof to perisai_service")
