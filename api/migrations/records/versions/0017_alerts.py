"""Alerts of deadlines, and the indexes by which the next deadlines are found."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

#: What the service's role may do with the table.
GRANT = "select, insert, update (attempts, next_at, delivered_at)"

#: Table -> what the index of its open deadlines is over, and which rows are open.
OPEN = {
    "assignment": (["agency", "ends_at", "id"], "ended_at is null and event >= 0"),
    "case_file": (
        ["lead_agency", "urgency", "respond_by", "id"],
        "status = 'intake' and erased_at is null",
    ),
    "erasure": (["agency", "requested_at", "id"], "done_at is null and withdrawn_at is null"),
    "referral": (["giver", "until", "id"], "ended_at is null"),
}


def upgrade() -> None:
    """Make the table and the indexes."""
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=True),
        sa.Column("clock", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=False)
            for name in ("counted_from", "due_at", "made_at")
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency"], ["organisation.slug"], name=op.f("fk_alert_agency_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_alert_case_file_case_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("number", name=op.f("uq_alert_number")),
        sa.UniqueConstraint(
            "agency",
            "record",
            "clock",
            "kind",
            "counted_from",
            name=op.f("uq_alert_agency_record_clock_kind_counted_from"),
        ),
    )
    op.create_index(op.f("ix_alert_agency_number"), "alert", ["agency", "number"])
    _create_partial("ix_alert_open", "alert", ["agency", "next_at"], "delivered_at is null")
    for table, (columns, condition) in OPEN.items():
        _create_partial(f"ix_{table}_open", table, columns, condition)
    op.create_index(
        op.f("ix_break_glass_agency_review_by_id"), "break_glass", ["agency", "review_by", "id"]
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"grant {GRANT} on alert to perisai_service")


def _create_partial(name: str, table: str, columns: list[str], condition: str) -> None:
    few = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=few, postgresql_where=few)
