"""The index by which the next deadlines of withdrawn consents are found."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make it."""
    few = sa.text("stop_by is not null")
    op.create_index(
        "ix_consent_open",
        "consent",
        ["agency", "stop_by", "id"],
        sqlite_where=few,
        postgresql_where=few,
    )
