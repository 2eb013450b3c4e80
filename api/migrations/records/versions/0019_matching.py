"""Matching: what one agency asks another about a person, what that one found, who is linked."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

#: Table -> what the service's role may do.
GRANTS = {
    "match_request": "select, insert, delete, update (sealed)",
    "match_hit": "select, insert, delete, update (result, event, seal)",
    "linked_record": "select, insert, delete",
}


def _moment(name: str) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _agency(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length=40), nullable=False)


def _foreign(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    key = {"organisation": "slug"}
    return [
        sa.ForeignKeyConstraint(
            [column],
            [f"{there}.{key.get(there, 'id')}"],
            name=op.f(f"fk_{table}_{column}_{there}"),
        )
        for column, there in columns.items()
    ]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "match_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        _agency("asker"),
        _agency("recipient"),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("defender", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        _moment("asked_at"),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        _moment("until"),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *_foreign(
            "match_request",
            asker="organisation",
            recipient="organisation",
            case_file="case_file",
            defender="defender",
            asked_by="member",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_request")),
    )
    op.create_table(
        "match_hit",
        sa.Column("request", sa.Uuid(), nullable=False),
        _agency("agency"),
        _agency("asker"),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        _moment("looked_at"),
        _moment("until"),
        sa.Column("result", sa.String(length=256), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *_foreign("match_hit", agency="organisation", asker="organisation"),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_match_hit")),
    )
    op.create_table(
        "linked_record",
        sa.Column("request", sa.Uuid(), nullable=False),
        _agency("agency"),
        _agency("peer"),
        sa.Column("defender", sa.Uuid(), nullable=False),
        _moment("confirmed_at"),
        sa.Column("confirmation", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *_foreign("linked_record", agency="organisation", peer="organisation", defender="defender"),
        sa.PrimaryKeyConstraint("request", "agency", name=op.f("pk_linked_record")),
    )
    for table, columns in (
        ("match_request", ("asker", "asked_at")),
        ("match_request", ("recipient", "until")),
        ("match_request", ("defender",)),
        ("match_request", ("case_file",)),
        ("match_hit", ("agency", "until")),
        ("match_hit", ("agency", "asker", "looked_at")),
        ("linked_record", ("peer",)),
        ("linked_record", ("defender",)),
    ):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")
