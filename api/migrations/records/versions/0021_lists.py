"""Lists by province and by a part of the reference, however many case files there are."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the indexes; that of parts of texts is PostgreSQL's own (pg_trgm)."""
    op.create_index(
        op.f("ix_case_file_lead_agency_province_opened_on_id"),
        "case_file",
        ["lead_agency", "province", "opened_on", "id"],
        unique=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("create extension if not exists pg_trgm"))
        op.execute(
            sa.text(
                "create index ix_case_file_reference_parts on case_file"
                " using gin (reference gin_trgm_ops)"
            )
        )
