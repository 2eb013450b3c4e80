"""The life of case files: steps, closings by two persons, incidents, adversaries, risk."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

#: Table -> what the service's role may do from here on, beside what it could before.
GRANTS = {
    # Written, sealed anew when keys are exchanged, and gone with the case file.
    "adversary": (
        "select, insert, delete, update (adversary_name, adversary_institution, adversary_unit, "
        "adversary_relation)"
    ),
    "assessment": "select, insert, delete, update (risk_account)",
    "incident": "select, insert, delete, update (incident_account, incident_forms)",
    "case_file": "update (status, urgency, incident_kinds, adversary_kinds)",
    "closing": (
        "select, insert, update (approved_by, closed_at, declined_by, declined_at, "
        "reopened_by, reopened_at, event, seal)"
    ),
    "step": "select, insert",
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("was", sa.String(length=12), nullable=False),
        sa.Column("became", sa.String(length=12), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        *_sealed(),
        *_foreign("step", case_file="case_file.id", member="member.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
    )
    op.create_index(op.f("ix_step_case_file_taken_at"), "step", ["case_file", "taken_at"])
    op.create_table(
        "closing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        *(
            column
            for ended in (
                "approved_by closed_at",
                "declined_by declined_at",
                "reopened_by reopened_at",
            )
            for by, at in [ended.split()]
            for column in (
                sa.Column(by, sa.Uuid(), nullable=True),
                sa.Column(at, sa.DateTime(timezone=True), nullable=True),
            )
        ),
        *_sealed(),
        *_foreign(
            "closing",
            case_file="case_file.id",
            agency="organisation.slug",
            requested_by="member.id",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
    )
    op.create_index(
        op.f("ix_closing_case_file_requested_at"), "closing", ["case_file", "requested_at"]
    )
    _make_written(
        "incident",
        sa.Column("incident", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("happened_from", sa.Date(), nullable=False),
        sa.Column("happened_to", sa.Date(), nullable=False),
        sa.Column("province", sa.String(length=2), nullable=True),
        sa.Column("adversaries", sa.Text(), nullable=False),
        sa.Column("incident_account", sa.LargeBinary(), nullable=False),
        sa.Column("incident_forms", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("incident", "version", name=op.f("uq_incident_incident_version")),
    )
    _make_written(
        "adversary",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("adversary_name", sa.LargeBinary(), nullable=False),
        sa.Column("adversary_institution", sa.LargeBinary(), nullable=False),
        sa.Column("adversary_unit", sa.LargeBinary(), nullable=False),
        sa.Column("adversary_relation", sa.LargeBinary(), nullable=False),
    )
    _make_written(
        "assessment",
        sa.Column("likelihood", sa.SmallInteger(), nullable=False),
        sa.Column("impact", sa.SmallInteger(), nullable=False),
        sa.Column("urgency", sa.String(length=12), nullable=False),
        sa.Column("risk_account", sa.LargeBinary(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")


def _make_written(table: str, *columns: "sa.Column[Any] | sa.UniqueConstraint") -> None:
    """Make the table of what somebody wrote about a case file."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        *columns,
        *_sealed(),
        *_foreign(table, case_file="case_file.id", author="member.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_case_file_written_at"), table, ["case_file", "written_at"])


def _sealed() -> "tuple[sa.Column[int], sa.Column[bytes]]":
    return (
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
    )


def _foreign(table: str, **there: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [target], name=op.f(f"fk_{table}_{column}_{target.split('.')[0]}")
        )
        for column, target in there.items()
    ]
