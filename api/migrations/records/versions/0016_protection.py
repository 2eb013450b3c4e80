"""Protection: measures, emergency protection with its papers, and the joint plan."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

#: Table -> what the service's role may do from here on, beside what it could before.
GRANTS = {
    "case_file": "update (measure_kinds)",
    "emergency_protection": (
        "select, insert, update (granted_at, warn_from, ratify_by, decided_by, decided_at, "
        "decided_on, votes_for, votes_against, words, event, signature, seal)"
    ),
    "emergency_signature": "select, insert",
    "measure": (
        "select, insert, update (approved_by, approved_at, started_at, ended_by, ended_at, due_at, "
        "revision, true_kind, provider, cost, event, signature, seal)"
    ),
    "plan_step": "select, insert, update (what)",
    "plan_step_done": "select, insert",
    "requirement": "select, insert, update (met_by, met_at, event, signature, seal)",
}


def _id(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _agency(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=40), nullable=False)


def _instant(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _sealed(*, signed: bool = True) -> list[sa.Column[Any]]:
    proofs = ["signature", "seal"] if signed else ["seal"]
    return [
        sa.Column("event", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in proofs),
    ]


def _names(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    """Say that each column names a row of the table, by its id or slug."""
    return [
        sa.ForeignKeyConstraint(
            [column],
            [f"{there}.slug" if there == "organisation" else f"{there}.id"],
            name=op.f(f"fk_{table}_{column}_{there}"),
        )
        for column, there in columns.items()
    ]


def upgrade() -> None:
    """Make the tables."""
    _emergencies()
    _measures()
    _plan()
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")


def _emergencies() -> None:
    table = "emergency_protection"
    op.create_table(
        table,
        _id("id"),
        _id("case_file"),
        _agency("agency"),
        sa.Column("ground", sa.String(length=20), nullable=False),
        sa.Column("quorum", sa.SmallInteger(), nullable=False),
        sa.Column("requirements", sa.String(length=400), nullable=False),
        _id("proposed_by"),
        _instant("proposed_at"),
        _instant("approve_by"),
        _instant("granted_at", nullable=True),
        _instant("warn_from", nullable=True),
        _instant("ratify_by", nullable=True),
        _id("decided_by", nullable=True),
        _instant("decided_at", nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("votes_for", sa.SmallInteger(), nullable=True),
        sa.Column("votes_against", sa.SmallInteger(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        *_sealed(),
        *_names(table, case_file="case_file", agency="organisation", proposed_by="member"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_case_file"), table, ["case_file"])
    op.create_index(op.f(f"ix_{table}_agency_ratify_by"), table, ["agency", "ratify_by"])
    table = "emergency_signature"
    op.create_table(
        table,
        _id("emergency"),
        _id("member"),
        _agency("agency"),
        sa.Column("signed_for", sa.String(length=20), nullable=False),
        _instant("signed_at"),
        *_sealed(signed=False),
        *_names(table, emergency="emergency_protection", member="member", agency="organisation"),
        sa.PrimaryKeyConstraint("emergency", "member", name=op.f(f"pk_{table}")),
    )
    table = "requirement"
    op.create_table(
        table,
        _id("id"),
        _id("case_file"),
        _agency("agency"),
        _id("emergency"),
        sa.Column("code", sa.String(length=40), nullable=False),
        _instant("due_at"),
        _id("met_by", nullable=True),
        _instant("met_at", nullable=True),
        *_sealed(),
        *_names(
            table,
            case_file="case_file",
            agency="organisation",
            emergency="emergency_protection",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_emergency"), table, ["emergency"])
    op.create_index(op.f(f"ix_{table}_agency_due_at"), table, ["agency", "due_at"])


def _measures() -> None:
    table = "measure"
    op.create_table(
        table,
        _id("id"),
        _id("case_file"),
        _agency("agency"),
        sa.Column("kind", sa.String(length=40), nullable=False),
        _id("emergency", nullable=True),
        _id("requested_by"),
        _instant("requested_at"),
        _id("approved_by", nullable=True),
        _instant("approved_at", nullable=True),
        _instant("started_at", nullable=True),
        _id("ended_by", nullable=True),
        _instant("ended_at", nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        _instant("due_at"),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=False)
            for name in ("true_kind", "provider", "cost")
        ),
        *_sealed(),
        *_names(
            table,
            case_file="case_file",
            agency="organisation",
            emergency="emergency_protection",
            requested_by="member",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(
        op.f(f"ix_{table}_case_file_requested_at"), table, ["case_file", "requested_at"]
    )
    op.create_index(op.f(f"ix_{table}_agency_due_at"), table, ["agency", "due_at"])
    op.create_index(op.f(f"ix_{table}_emergency"), table, ["emergency"])


def _plan() -> None:
    table = "plan_step"
    op.create_table(
        table,
        _id("id"),
        _id("case_file"),
        _agency("agency"),
        _agency("owner"),
        sa.Column("due_on", sa.Date(), nullable=False),
        _instant("due_at"),
        _id("added_by"),
        _instant("added_at"),
        sa.Column("what", sa.LargeBinary(), nullable=False),
        *_sealed(),
        *_names(
            table,
            case_file="case_file",
            agency="organisation",
            owner="organisation",
            added_by="member",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_case_file_due_at"), table, ["case_file", "due_at"])
    op.create_index(op.f(f"ix_{table}_owner_due_at"), table, ["owner", "due_at"])
    table = "plan_step_done"
    op.create_table(
        table,
        _id("plan_step"),
        _agency("agency"),
        _id("completed_by"),
        _instant("completed_at"),
        *_sealed(),
        *_names(table, plan_step="plan_step", agency="organisation", completed_by="member"),
        sa.PrimaryKeyConstraint("plan_step", "agency", name=op.f(f"pk_{table}")),
    )
