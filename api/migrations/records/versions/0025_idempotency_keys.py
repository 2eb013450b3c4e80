"""Changes that a client named, so that it may ask for them again."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Make the table; its rows are taken away a day after they were written."""
    op.create_table(
        "idempotency_key",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_idempotency_key")),
    )
    op.create_index(
        op.f("ix_idempotency_key_claimed_at"), "idempotency_key", ["claimed_at"], unique=False
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "grant select, insert, update (sealed), delete on idempotency_key to perisai_service"
        )
